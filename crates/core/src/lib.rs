//! The vocabulary of orgsweep: ids, accounts, snapshots, runs and the tables' schemas.
//!
//! Every other crate may know this one; it knows none of them, and does no I/O.

mod account;
mod run;
mod snapshot;
mod source;
pub mod table;
mod time;

pub use account::{Account, AccountId, AccountState, InvalidAccountId, OrgPath, Partition, UnknownPartition};
pub use run::{Caller, Decision, InvalidRunId, Organization, Plan, PlannedAccount, Run, RunId, SkipReason};
pub use snapshot::{
    AccountSummary, CallRecord, Contact, ErrorKind, Outcome, PasswordPolicy, QuarantinedRow, Reading, Refusal,
    ReportFacts, Snapshot,
};
pub use source::{Call, ContactType, Source};
pub use time::{InvalidTimestamp, Timestamp};
