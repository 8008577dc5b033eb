//! How a build fails.

use arrow_schema::ArrowError;
use orgsweep_checks::EvaluateError;
use orgsweep_core::AccountId;
use orgsweep_lake::LakeError;

use crate::ingest::BadFile;

/// How many of the accounts that were not covered an error names.
const NAMED_ACCOUNTS: usize = 5;

/// Why a run could not be built. Nothing is committed then, and it can be built again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The journal lacks accounts that the plan says are asked: the sweep has not ended. Resume it.
    #[error(
        "{count} accounts of the plan are not in the journal ({}): resume the sweep",
        name_first(missing, *count)
    )]
    NotCovered {
        /// The first of them, in order.
        missing: Vec<AccountId>,
        /// How many there are.
        count: usize,
    },
    /// The lake failed; its kind says what can be done.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The checks could not be evaluated.
    #[error("the accounts {first} to {last} cannot be checked")]
    Evaluate {
        /// The first account of the chunk.
        first: String,
        /// The last account of the chunk.
        last: String,
        /// What the checks said.
        source: EvaluateError,
    },
    /// The journal holds columns that make no table.
    #[error("the rows of the table {table} cannot be made of the journal")]
    Columns {
        /// The table.
        table: &'static str,
        /// What does not fit.
        source: ArrowError,
    },
    /// The tables of a committed run do not belong together.
    #[error("the run is damaged: its table credentials has rows of account {account_id:?} where there should be none")]
    Stray {
        /// Whose rows they are.
        account_id: String,
    },
    /// A report is to be carried over that its run does not have.
    #[error(
        "the report of account {account_id} is to be carried over from the run that run.json names as carry_from, which is not in the lake any more, or not whole: put it back from a copy, or begin a new scan"
    )]
    NotCarried {
        /// Whose report it is.
        account_id: AccountId,
    },
    /// Saved reports that cannot be read whole.
    #[error("{}", name_bad(bad))]
    BadReports {
        /// All of them, in order.
        bad: Vec<BadFile>,
    },
    /// A thread that was building went away: the process is ending.
    #[error("the build was interrupted")]
    Interrupted,
}

impl BuildError {
    /// The error of accounts that are asked and not in the journal.
    pub(crate) fn not_covered(mut missing: Vec<AccountId>) -> Self {
        let count = missing.len();
        missing.truncate(NAMED_ACCOUNTS);
        Self::NotCovered { missing, count }
    }

    /// The error of credentials that belong to no account of their run.
    pub(crate) fn stray(account_id: &str) -> Self {
        Self::Stray { account_id: account_id.to_owned() }
    }

    /// The error of a report that is nowhere.
    pub(crate) fn not_carried(account_id: AccountId) -> Self {
        Self::NotCarried { account_id }
    }

    /// Names the table whose columns do not fit.
    pub(crate) fn columns(table: &'static str) -> impl Fn(ArrowError) -> Self {
        move |source| Self::Columns { table, source }
    }
}

fn name_first(missing: &[AccountId], count: usize) -> String {
    let names: Vec<&str> = missing.iter().map(AccountId::as_str).collect();
    let more = if count > missing.len() { ", …" } else { "" };
    names.join(", ") + more
}

fn name_bad(bad: &[BadFile]) -> String {
    let named = bad.iter().map(|file| format!("\n  {}: {}", file.path.display(), file.reason));
    format!("{} reports cannot be read whole:{}", bad.len(), named.collect::<String>())
}
