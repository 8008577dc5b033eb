//! What a sweep learned of one account: facts, and for each fact that is missing, why.

use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountSummary, CallRecord, Contact, ContactType, KeyIds, Outcome, PasswordPolicy, Reading, Refusal,
    ReportFacts, RootAudit, Source, Sources, Tag,
};

/// What one sweep learned of one account, beside the report's rows, which travel as columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The account, as it was planned.
    pub account: Account,
    /// Opening the account.
    pub role: Reading<()>,
    /// The credential report.
    pub report: Reading<ReportFacts>,
    /// The account summary.
    pub summary: Reading<AccountSummary>,
    /// The password policy; `None` inside where the account has none of its own.
    pub password_policy: Reading<Option<PasswordPolicy>>,
    /// Whether one of the assigned virtual MFA devices is the root user's.
    pub root_virtual_mfa: Reading<bool>,
    /// The alias; `None` inside where there is none.
    pub alias: Reading<Option<String>>,
    /// The contacts in the order of [`ContactType::ALL`]; `None` inside where there is none of the type.
    pub contacts: [Reading<Option<Contact>>; 3],
    /// The account's tags, by key.
    pub tags: Reading<Vec<Tag>>,
    /// The ids of access keys.
    pub key_ids: Reading<KeyIds>,
    /// What the root session told.
    pub root_audit: RootAudit,
    /// How the calls went.
    pub calls: Vec<CallRecord>,
}

/// A source that was not read: its name, and the kind and code of what was answered instead.
pub type Gap<'a> = (Source, &'a str, &'a str);

/// What a source that was read adds to a snapshot's completeness: more than all that is told of it beside.
const A_SOURCE_READ: u32 = 4;

impl Snapshot {
    /// The snapshot of an account that could not be opened, of a sweep that asks these optional sources.
    #[must_use]
    pub fn unopened(account: Account, refusal: Refusal, optional: Sources, calls: Vec<CallRecord>) -> Self {
        Self {
            account,
            role: Reading::Refused(refusal),
            report: Reading::NotAsked(Source::Role),
            summary: Reading::NotAsked(Source::Role),
            password_policy: Reading::NotAsked(Source::Role),
            root_virtual_mfa: Reading::NotAsked(Source::Role),
            alias: Reading::NotAsked(Source::Role),
            contacts: [const { Reading::NotAsked(Source::Role) }; 3],
            tags: without_role(optional.contains(Source::AccountTags)),
            key_ids: without_role(optional.contains(Source::AccessKeyIds)),
            root_audit: if optional.contains(Source::RootSession) {
                RootAudit::unopened(Reading::NotAsked(Source::Role), Source::Role)
            } else {
                RootAudit::UNWANTED
            },
            calls,
        }
    }

    /// The snapshot of an account of which there is a saved report, and of which nobody wanted anything else.
    #[must_use]
    pub fn of_report(account: Account, report: Reading<ReportFacts>) -> Self {
        Self {
            account,
            // Somebody was let in when the report was fetched.
            role: Reading::Read(()),
            report,
            summary: Reading::Unwanted,
            password_policy: Reading::Unwanted,
            root_virtual_mfa: Reading::Unwanted,
            alias: Reading::Unwanted,
            contacts: [const { Reading::Unwanted }; 3],
            tags: Reading::Unwanted,
            key_ids: Reading::Unwanted,
            root_audit: RootAudit::UNWANTED,
            calls: Vec::new(),
        }
    }

    /// The contact of this type.
    #[must_use]
    pub fn contact(&self, contact: ContactType) -> &Reading<Option<Contact>> {
        let [billing, operations, security] = &self.contacts;
        match contact {
            ContactType::Billing => billing,
            ContactType::Operations => operations,
            ContactType::Security => security,
        }
    }

    /// Every source that was to be read and was not, in table order, with kind and code.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap<'_>> {
        let standings = self.standings();
        standings.into_iter().filter_map(|it| it.gap.map(|(kind, code)| (it.source, kind, code))).collect()
    }

    /// How much of the account was read.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let standings = self.standings();
        let gaps = standings.iter().filter(|it| it.gap.is_some()).count();
        let wanted = standings.iter().filter(|it| it.wanted).count();
        // Without the role every source is a gap; with the role, the role is the one that is not.
        if self.role.value().is_none() || gaps + 1 == wanted {
            Outcome::Failed
        } else if gaps > 0 || self.report.value().is_some_and(|report| !report.quarantined.is_empty()) {
            Outcome::Partial
        } else {
            Outcome::Swept
        }
    }

    /// Whether a resumed sweep has nothing to ask this account again: all was answered, or refused for good.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.standings().iter().all(|it| it.settled)
    }

    /// How complete the snapshot is: of two attempts at one account, the larger number wins.
    #[must_use]
    pub fn completeness(&self) -> u32 {
        let read = self.standings().iter().filter(|it| it.wanted && it.gap.is_none()).count();
        // A settled attempt outweighs one that gave up in passing, since nobody would ask it again.
        let understood = self.report.value().is_none_or(|report| report.quarantined.is_empty());
        u32::try_from(read).unwrap_or(u32::MAX).saturating_mul(A_SOURCE_READ)
            + u32::from(understood) * 2
            + u32::from(self.is_settled())
    }

    /// Whether a snapshot of this completeness is of an account that was opened: the role is a source too.
    #[must_use]
    pub fn is_opened(completeness: u32) -> bool {
        completeness >= A_SOURCE_READ
    }

    /// Every source of the account, in table order.
    fn standings(&self) -> [Standing<'_>; 16] {
        let audit = &self.root_audit;
        [
            Standing::of(Source::Role, &self.role),
            Standing::of(Source::CredentialReport, &self.report),
            Standing::of(Source::AccountSummary, &self.summary),
            Standing::of(Source::PasswordPolicy, &self.password_policy),
            Standing::of(Source::VirtualMfaDevices, &self.root_virtual_mfa),
            Standing::of(Source::AccountAlias, &self.alias),
            Standing::of(Source::BillingContact, self.contact(ContactType::Billing)),
            Standing::of(Source::OperationsContact, self.contact(ContactType::Operations)),
            Standing::of(Source::SecurityContact, self.contact(ContactType::Security)),
            Standing::of(Source::AccountTags, &self.tags),
            Standing::of(Source::AccessKeyIds, &self.key_ids),
            Standing::of(Source::RootSession, &audit.session),
            Standing::of(Source::RootLoginProfile, &audit.has_password),
            Standing::of(Source::RootAccessKeys, &audit.access_keys),
            Standing::of(Source::RootMfaDevices, &audit.mfa_devices),
            Standing::of(Source::RootSigningCertificates, &audit.signing_certificates),
        ]
    }
}

/// An optional source of an account that could not be opened.
fn without_role<T>(wanted: bool) -> Reading<T> {
    if wanted { Reading::NotAsked(Source::Role) } else { Reading::Unwanted }
}

/// What came of one source, whatever its facts are.
struct Standing<'a> {
    source: Source,
    wanted: bool,
    settled: bool,
    gap: Option<(&'a str, &'a str)>,
}

impl<'a> Standing<'a> {
    fn of<T>(source: Source, reading: &'a Reading<T>) -> Self {
        Self { source, wanted: reading.is_wanted(), settled: reading.is_settled(), gap: reading.gap() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, AccountState, ErrorKind};

    fn snapshot(optional: Sources) -> Snapshot {
        let account = Account {
            id: AccountId::from_number(1),
            arn: None,
            name: None,
            email: None,
            state: AccountState::Active,
            path: None,
            joined_method: None,
            joined_at: None,
        };
        Snapshot::unopened(account, refusal(ErrorKind::Denied), optional, Vec::new())
    }

    fn refusal(kind: ErrorKind) -> Refusal {
        Refusal { kind, code: "Code".to_owned() }
    }

    #[test]
    fn every_source_of_an_account_has_one_standing_in_table_order() {
        let snapshot = snapshot(Sources::NONE);
        let standings: Vec<_> = snapshot.standings().iter().map(|it| it.source).collect();
        let expected: Vec<_> = Source::ALL.into_iter().filter(|source| !source.is_of_organization()).collect();
        assert_eq!(standings, expected);
    }

    #[test]
    fn what_nobody_wants_is_no_gap() {
        let mut swept = snapshot(Sources::NONE);
        assert_eq!((swept.gaps().len(), swept.outcome()), (9, Outcome::Failed));
        swept.role = Reading::Read(());
        assert_eq!((swept.gaps().len(), swept.outcome()), (8, Outcome::Failed));
        swept.alias = Reading::Read(None);
        assert_eq!(swept.outcome(), Outcome::Partial);
        let all: Sources = Source::ALL.into_iter().collect();
        assert_eq!(snapshot(all).gaps().len(), 16);
    }

    #[test]
    fn a_saved_report_is_all_that_is_wanted_of_its_account() {
        let account = snapshot(Sources::NONE).account;
        let facts = ReportFacts {
            generated_at: crate::Timestamp::from_millis(0),
            older_than_asked: false,
            carried_from: None,
            rows: 1,
            quarantined: Vec::new(),
            unknown_columns: Vec::new(),
        };
        let read = Snapshot::of_report(account.clone(), Reading::Read(facts));
        assert_eq!((read.gaps(), read.outcome()), (vec![], Outcome::Swept));
        let unread = Snapshot::of_report(account, Reading::Refused(refusal(ErrorKind::Fatal)));
        assert_eq!(unread.gaps(), [(Source::CredentialReport, "fatal", "Code")]);
        assert_eq!(unread.outcome(), Outcome::Failed);
    }

    #[test]
    fn a_denied_root_session_is_settled_and_a_throttled_one_is_asked_again() {
        for (kind, settled) in [(ErrorKind::Denied, true), (ErrorKind::Throttled, false)] {
            let mut snapshot = snapshot(Sources::NONE);
            snapshot.root_audit = RootAudit::unopened(Reading::Refused(refusal(kind)), Source::RootSession);
            assert_eq!(snapshot.is_settled(), settled);
            assert_eq!(snapshot.gaps().last().map(|gap| gap.1), Some("not_asked"));
        }
    }
}
