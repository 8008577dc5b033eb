//! What one check said of many accounts, in numbers.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::judge::AccountVerdict;
use crate::{Severity, Status};

/// What one check said of many accounts, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The check.
    pub check_id: String,
    /// The check's title.
    pub title: String,
    /// How bad failing it is.
    pub severity: Severity,
    /// Accounts that passed.
    pub accounts_passed: u64,
    /// Accounts that failed.
    pub accounts_failed: u64,
    /// Of these, accounts of which an exception covers all that failed.
    pub accounts_excepted: u64,
    /// Accounts that could not be judged.
    pub accounts_unknown: u64,
    /// Accounts of which the check has nothing to say.
    pub accounts_not_applicable: u64,
    /// Resources that failed: rows of `findings` that are `fail`.
    pub resources_failed: u64,
    /// Resources that could not be judged: rows of `findings` that are `unknown`.
    pub resources_unknown: u64,
    /// Resources that failed and are covered by an exception.
    pub resources_excepted: u64,
}

impl Tally {
    /// The tally of a check that has judged nothing yet.
    pub(crate) fn new(check_id: &str, title: &str, severity: Severity) -> Self {
        Self {
            check_id: check_id.to_owned(),
            title: title.to_owned(),
            severity,
            accounts_passed: 0,
            accounts_failed: 0,
            accounts_excepted: 0,
            accounts_unknown: 0,
            accounts_not_applicable: 0,
            resources_failed: 0,
            resources_unknown: 0,
            resources_excepted: 0,
        }
    }

    /// Counts one account, of whose failed resources so many are covered by an exception.
    pub(crate) fn count(&mut self, verdict: &AccountVerdict, excepted: u32) {
        let accounts = match verdict.status {
            Status::Pass => &mut self.accounts_passed,
            Status::Fail => &mut self.accounts_failed,
            Status::Unknown => &mut self.accounts_unknown,
            Status::NotApplicable => &mut self.accounts_not_applicable,
        };
        *accounts += 1;
        self.resources_failed += u64::from(verdict.failed);
        self.resources_unknown += u64::from(verdict.unknown);
        self.resources_excepted += u64::from(excepted);
        self.accounts_excepted += u64::from(verdict.failed > 0 && verdict.failed == excepted);
    }
}

impl AddAssign<&Tally> for Tally {
    /// Adds the numbers of `other`, which is a tally of the same check over other accounts.
    fn add_assign(&mut self, other: &Tally) {
        debug_assert_eq!(self.check_id, other.check_id, "tallies of one check");
        self.accounts_passed += other.accounts_passed;
        self.accounts_failed += other.accounts_failed;
        self.accounts_excepted += other.accounts_excepted;
        self.accounts_unknown += other.accounts_unknown;
        self.accounts_not_applicable += other.accounts_not_applicable;
        self.resources_failed += other.resources_failed;
        self.resources_unknown += other.resources_unknown;
        self.resources_excepted += other.resources_excepted;
    }
}
