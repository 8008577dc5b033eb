//! The checks that look at an account as a whole.

use orgsweep_core::{AccountState, PasswordPolicy, Source, Sources};
use orgsweep_sim::{ContactFacts, UserFacts};

use super::{Needs, Status, days_ago};
use crate::truth::known::Known;
use crate::truth::root_answers::Answers;

/// A check, what it needs to have been read, and what it says then.
type AccountCheck = (&'static str, Needs, fn(&Known<'_>) -> Status);

const FEATURES: &[Source] = &[Source::OrganizationFeatures];
const REPORT: &[Source] = &[Source::CredentialReport];
const SUMMARY: &[Source] = &[Source::AccountSummary];
const POLICY: Needs = &[&[Source::PasswordPolicy]];
const BILLING: &[Source] = &[Source::BillingContact];
const OPERATIONS: &[Source] = &[Source::OperationsContact];
const SECURITY: &[Source] = &[Source::SecurityContact];
const MFA: &[Source] = &[Source::CredentialReport, Source::AccountSummary, Source::RootMfaDevices];
const VIRTUAL_MFA: &[Source] = &[Source::VirtualMfaDevices, Source::RootMfaDevices];
const KEYS: &[Source] = &[Source::CredentialReport, Source::AccountSummary, Source::RootAccessKeys];
const PASSWORD: &[Source] = &[Source::CredentialReport, Source::AccountSummary, Source::RootLoginProfile];
const CERTIFICATES: &[Source] = &[Source::CredentialReport, Source::AccountSummary, Source::RootSigningCertificates];

/// The sources that tell of the root user, and are held against each other.
const COMPARED: [Source; 7] = [
    Source::CredentialReport,
    Source::AccountSummary,
    Source::VirtualMfaDevices,
    Source::RootLoginProfile,
    Source::RootAccessKeys,
    Source::RootMfaDevices,
    Source::RootSigningCertificates,
];

pub(super) const OF_ACCOUNTS: [AccountCheck; 27] = [
    ("central-root-access", &[FEATURES], |known| {
        where_it_applies(known.is_management(), !known.model.features().root_credentials_management)
    }),
    ("account-in-ou", &[], |known| where_it_applies(!known.is_management(), !is_in_unit(known))),
    ("account-closed", &[], |known| {
        decided(matches!(known.facts.listed.state, AccountState::Closed | AccountState::Suspended))
    }),
    ("billing-contact", &[BILLING], |known| decided(known.posture.contacts[0].is_none())),
    ("operations-contact", &[OPERATIONS], |known| decided(known.posture.contacts[1].is_none())),
    ("security-contact", &[SECURITY], |known| decided(known.posture.contacts[2].is_none())),
    ("contacts-distinct", &[BILLING, OPERATIONS, SECURITY], contacts_distinct),
    ("password-policy-length", POLICY, |known| {
        decided(policy(known).map_or(Some(8), |own| own.minimum_password_length) < Some(14))
    }),
    ("password-policy-reuse", POLICY, |known| decided(policy(known).map_or(0, remembered) < 24)),
    ("password-policy-uppercase", POLICY, |known| lacks(known, |own| own.require_uppercase)),
    ("password-policy-lowercase", POLICY, |known| lacks(known, |own| own.require_lowercase)),
    ("password-policy-symbol", POLICY, |known| lacks(known, |own| own.require_symbols)),
    ("password-policy-number", POLICY, |known| lacks(known, |own| own.require_numbers)),
    ("password-policy-expiry", POLICY, |known| lacks(known, expires_within_90_days)),
    ("password-policy-self-service", POLICY, |known| lacks(known, |own| own.allow_users_to_change_password)),
    ("password-policy-hard-expiry", POLICY, |known| {
        decided(policy(known).is_some_and(|own| own.hard_expiry == Some(true)))
    }),
    ("password-policy-strong", POLICY, |known| lacks(known, |own| is_mixed(own, 8) && own.require_symbols)),
    ("password-policy-pci", POLICY, |known| {
        lacks(known, |own| is_mixed(own, 7) && remembered(own) >= 4 && expires_within_90_days(own))
    }),
    ("report-fresh", &[REPORT], |known| {
        decided(known.report.as_ref().is_some_and(|report| report.made_at < days_ago(1)))
    }),
    ("report-complete", &[REPORT, SUMMARY], report_complete),
    ("root-access-key", &[KEYS], |known| Status::of(Answers::of(known).keys.agreed())),
    ("root-mfa", &[MFA, PASSWORD], |known| {
        let answers = Answers::of(known);
        Status::of(both(answers.mfa.agreed().map(|has_mfa| !has_mfa), answers.password.agreed()))
    }),
    ("root-hardware-mfa", &[MFA, PASSWORD, VIRTUAL_MFA], |known| {
        let answers = Answers::of(known);
        let lacks_hardware = either(answers.mfa.agreed().map(|has_mfa| !has_mfa), answers.virtual_mfa.agreed());
        Status::of(both(answers.password.agreed(), lacks_hardware))
    }),
    ("root-unused", &[REPORT], |known| of_root_row(known, is_used_lately)),
    ("root-signing-certificate", &[CERTIFICATES], |known| Status::of(Answers::of(known).certificates.agreed())),
    ("root-password-absent", &[FEATURES, PASSWORD], |known| {
        let applies = !known.is_management() && known.model.features().root_credentials_management;
        if applies { Status::of(Answers::of(known).password.agreed()) } else { Status::NotApplicable }
    }),
    ("root-password-age", &[REPORT], |known| {
        of_root_row(known, |root| root.password_last_changed.time().is_some_and(|changed| changed < days_ago(365)))
    }),
];

/// Whether the sources agree; all that were asked are needed for it.
pub(super) fn sources_agree(known: &Known<'_>) -> Status {
    let compared: Sources = COMPARED.into_iter().collect();
    let asked = compared.without(compared.without(known.wanted));
    if asked == Sources::NONE || !asked.is_within(known.read) {
        return Status::Unknown;
    }
    decided(!Answers::of(known).contradictions().is_empty())
}

fn decided(fails: bool) -> Status {
    Status::of(Some(fails))
}

fn where_it_applies(applies: bool, fails: bool) -> Status {
    if applies { decided(fails) } else { Status::NotApplicable }
}

/// Whether both hold, where one may not be known.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    both(one.map(|it| !it), other.map(|it| !it)).map(|neither| !neither)
}

fn is_in_unit(known: &Known<'_>) -> bool {
    known.facts.listed.path.as_ref().is_some_and(|path| path.ou_ids().next().is_some())
}

/// Whether somebody else than the root user's own mailbox is told.
fn contacts_distinct(known: &Known<'_>) -> Status {
    let contacts: Vec<&ContactFacts> = known.posture.contacts.iter().flatten().collect();
    let own = known.facts.listed.email.as_deref().unwrap_or_default();
    let is_own = |contact: &&ContactFacts| contact.email.trim().eq_ignore_ascii_case(own.trim());
    where_it_applies(!contacts.is_empty(), contacts.iter().all(is_own))
}

fn policy<'a>(known: &'a Known<'_>) -> Option<&'a PasswordPolicy> {
    known.posture.password_policy.as_ref()
}

/// Fails where there is no policy, or none that does this.
fn lacks(known: &Known<'_>, does: fn(&PasswordPolicy) -> bool) -> Status {
    decided(!policy(known).is_some_and(does))
}

fn remembered(own: &PasswordPolicy) -> i32 {
    own.password_reuse_prevention.unwrap_or(0)
}

fn expires_within_90_days(own: &PasswordPolicy) -> bool {
    own.max_password_age.is_some_and(|days| (1..=90).contains(&days))
}

fn is_mixed(own: &PasswordPolicy, length: i32) -> bool {
    let is_long = own.minimum_password_length.is_some_and(|least| least >= length);
    is_long && own.require_uppercase && own.require_lowercase && own.require_numbers
}

fn report_complete(known: &Known<'_>) -> Status {
    let in_report = known.report.as_ref().map(|report| report.iam_users().count());
    let users = known.model.users(known.index);
    let there = users.iter().filter(|user| !user.is_root && user.is_there()).count();
    Status::of(in_report.map(|in_report| in_report != there))
}

fn of_root_row(known: &Known<'_>, fails: fn(&UserFacts) -> bool) -> Status {
    Status::of(known.report.as_ref().and_then(|report| report.root()).map(fails))
}

fn is_used_lately(root: &UserFacts) -> bool {
    let keys = root.keys.iter().flatten().filter_map(|key| key.last_use.as_ref()).map(|last_use| last_use.date);
    root.password_last_used.time().into_iter().chain(keys).any(|used| used > days_ago(30))
}
