//! Which sources of an account a sweep reads, by the model: those that nothing keeps it from.

use orgsweep_core::{Source, Sources};
use orgsweep_sim::{Action, Actions, LastingFaults, RoleStanding};

use super::Truth;

/// What is always asked of an account.
const ALWAYS: [Source; 9] = [
    Source::Role,
    Source::CredentialReport,
    Source::AccountSummary,
    Source::PasswordPolicy,
    Source::VirtualMfaDevices,
    Source::AccountAlias,
    Source::BillingContact,
    Source::OperationsContact,
    Source::SecurityContact,
];

/// What a sweep may miss of an account, and what it must.
pub(super) struct Missed {
    pub(super) wanted: Sources,
    must: Sources,
    may: Sources,
}

impl Missed {
    /// What is missed of a usable account. A report that is carried over is not asked for.
    pub(super) fn of(truth: Truth<'_>, index: u32, is_carried: bool) -> Self {
        let wanted = wanted(truth, index);
        if index == 0 {
            // It is read with the caller's own credentials, and nothing lasting is wrong with it.
            return Self { wanted, must: Sources::NONE, may: Sources::NONE };
        }
        let model = truth.simulation.model();
        let standing = model.standing(index);
        if standing.role != RoleStanding::Granted {
            let role = [Source::Role].into_iter().collect();
            return Self { wanted, must: role, may: role };
        }
        let mut must = lost_with(standing.denied_calls, false);
        let without_mfa = !must.contains(Source::AccountSummary) && !model.root_facts(index).has_mfa;
        if without_mfa {
            // The summary says that there is no device, so that nobody asks for one.
            must = must.without(one(Source::VirtualMfaDevices));
        }
        if is_carried {
            must = must.without(one(Source::CredentialReport));
        }
        // Nobody orders a report where a fresh one is served.
        let orders = model.fresh_report(index).is_none();
        let may = lost_with(standing.denied_calls, orders).union(lost_for_good(&truth.simulation.lasting(index)));
        Self { wanted, must: both(must, wanted), may: both(may, wanted) }
    }

    /// The sources that nothing keeps a sweep from; and those that it may miss or not, as its timing has it.
    pub(super) fn readable(&self) -> (Sources, Sources) {
        let role = one(Source::Role);
        if role.is_within(self.must) {
            (Sources::NONE, Sources::NONE)
        } else if role.is_within(self.may) {
            (Sources::NONE, self.wanted.without(self.must))
        } else {
            (self.wanted.without(self.may), self.may.without(self.must))
        }
    }

    /// Whether these are sources that a sweep may have missed, and all that it must have.
    pub(super) fn hold(&self, gaps: Sources) -> Result<(), String> {
        let (strange, absent) = (gaps.without(self.may), self.must.without(gaps));
        let is_refused = gaps == one(Source::Role);
        if strange != Sources::NONE {
            return Err(format!("{} was not read, and could have been", names(strange)));
        }
        if absent != Sources::NONE && !is_refused {
            return Err(format!("{} is said to be read, and cannot be", names(absent)));
        }
        Ok(())
    }
}

/// The sources that are asked of the account. The management account's own root user cannot be audited.
fn wanted(truth: Truth<'_>, index: u32) -> Sources {
    let audit: Sources = Source::ROOT_AUDIT.into_iter().collect();
    let optional = if index == 0 { truth.optional.without(audit) } else { truth.optional };
    ALWAYS.into_iter().collect::<Sources>().union(optional)
}

/// The sources that are not read where these calls are not answered. A report that AWS has already is fetched without
/// being ordered; and where the summary is not read, whatever it spares is asked.
fn lost_with(calls: Actions, orders_as_well: bool) -> Sources {
    let of = |action: Action| -> &'static [Source] {
        match action {
            Action::GetCredentialReport => &[Source::CredentialReport, Source::AccessKeyIds],
            Action::GenerateCredentialReport if orders_as_well => &[Source::CredentialReport, Source::AccessKeyIds],
            Action::GetAccountSummary => &[Source::AccountSummary],
            Action::GetAccountPasswordPolicy => &[Source::PasswordPolicy],
            Action::ListVirtualMfaDevices => &[Source::VirtualMfaDevices],
            Action::ListAccountAliases => &[Source::AccountAlias],
            Action::GetAlternateContact => {
                &[Source::BillingContact, Source::OperationsContact, Source::SecurityContact]
            }
            Action::ListAccessKeys => &[Source::AccessKeyIds, Source::RootAccessKeys],
            Action::GetLoginProfile => &[Source::RootLoginProfile],
            Action::ListMfaDevices => &[Source::RootMfaDevices],
            Action::ListSigningCertificates => &[Source::RootSigningCertificates],
            Action::GenerateCredentialReport | Action::ListUsers | Action::GetUser => &[],
        }
    };
    Action::ALL.into_iter().filter(|action| calls.contains(*action)).flat_map(of).copied().collect()
}

/// The sources that an account's lasting faults may cost.
fn lost_for_good(faults: &LastingFaults) -> Sources {
    if faults.closed_after.is_some() {
        return Source::ALL.into_iter().filter(|source| !source.is_of_organization()).collect();
    }
    let mut lost = lost_with(faults.garbled, true);
    if faults.never_comes {
        lost = lost.union([Source::CredentialReport, Source::AccessKeyIds].into_iter().collect());
    }
    if faults.role_after.is_some() {
        lost.insert(Source::Role);
    }
    lost
}

fn one(source: Source) -> Sources {
    [source].into_iter().collect()
}

fn both(one: Sources, other: Sources) -> Sources {
    one.without(one.without(other))
}

fn names(sources: Sources) -> String {
    sources.iter().map(Source::as_str).collect::<Vec<_>>().join(", ")
}
