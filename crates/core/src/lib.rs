//! The vocabulary of orgsweep: ids, accounts, snapshots, runs and the tables' schemas.
//!
//! Every other crate may know this one; it knows none of them, and does no I/O.

mod account;
mod call;
mod facts;
mod planned;
mod reading;
mod root;
mod run;
mod snapshot;
mod source;
pub mod table;
mod time;

pub use account::{Account, AccountId, AccountState, InvalidAccountId, OrgPath, Partition, UnknownPartition};
pub use call::Call;
pub use facts::{
    AccountSummary, CallRecord, Contact, KeyIds, ListedKey, OrganizationFeatures, PasswordPolicy, QuarantinedRow,
    ReportFacts, RootAudit, Tag,
};
pub use planned::PlannedAccounts;
pub use reading::{ErrorKind, Outcome, Reading, Refusal};
pub use root::{RootAnswer, RootPosture, RootRow};
pub use run::{
    Caller, Decision, InvalidRunId, InvalidRunName, Organization, Plan, PlannedAccount, Run, RunId, SkipReason,
};
pub use snapshot::{Gap, Snapshot};
pub use source::{ContactType, Source, Sources};
pub use time::{InvalidTimestamp, Timestamp};
