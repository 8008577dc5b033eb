//! Runs, snapshots and reports for the tests of this crate.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_schema::DataType;
use object_store::memory::InMemory;
use orgsweep_core::{
    Account, AccountId, AccountState, CallRecord, Caller, ErrorKind, Reading, Refusal, ReportFacts, Run, RunId,
    Snapshot, Sources, Timestamp, table,
};

use crate::{Commit, CommittedFile, CommittedTable, Coverage, JournalEntry, Lake};

pub(crate) fn lake() -> Lake {
    Lake::over(Arc::new(InMemory::new()), "memory")
}

pub(crate) fn run_id() -> RunId {
    RunId::parse("r1").unwrap()
}

pub(crate) fn time() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

/// A run of this id.
pub(crate) fn run(run_id: &str) -> Run {
    let settings = serde_json::from_str(r#"{"role_name":"orgsweep-scanner"}"#).unwrap();
    Run {
        run_id: RunId::parse(run_id).unwrap(),
        as_of: time(),
        started_at: time(),
        caller: Caller { account_id: AccountId::from_number(1), arn: "arn:aws:iam::000000000001:user/a".to_owned() },
        organization: None,
        orgsweep_version: "0.1.0".to_owned(),
        rule_pack_sha256: "aa".to_owned(),
        unasked: Sources::NONE,
        recheck_of: None,
        carry_from: None,
        settings,
    }
}

/// Its commit, of one file with so many bytes.
pub(crate) fn commit(run: &Run, bytes: u64) -> Commit {
    let file = CommittedFile { path: "findings/part-00000.parquet".to_owned(), rows: 3, bytes };
    Commit {
        format_version: Commit::FORMAT_VERSION,
        run_id: run.run_id.clone(),
        as_of: run.as_of,
        committed_at: run.as_of,
        orgsweep_version: run.orgsweep_version.clone(),
        rule_pack_sha256: run.rule_pack_sha256.clone(),
        recheck_of: run.recheck_of.clone(),
        caller: run.caller.clone(),
        organization: run.organization.clone(),
        coverage: Coverage::default(),
        tables: vec![CommittedTable::new("findings", vec![file])],
        checks: Vec::new(),
        exceptions: Vec::new(),
    }
}

/// An entry of an account whose report has these users, and of whose contacts so many were not read, for good or not.
pub(crate) fn entry(account: u64, users: Option<&[&str]>, lost_contacts: usize, kind: ErrorKind) -> JournalEntry {
    let rows = users.map(|users| report(account, users));
    let mut snapshot = snapshot(account);
    snapshot.report = match &rows {
        Some(rows) => Reading::Read(ReportFacts {
            generated_at: time(),
            older_than_asked: false,
            carried_from: None,
            rows: u32::try_from(rows.num_rows()).unwrap(),
            quarantined: Vec::new(),
            unknown_columns: Vec::new(),
        }),
        None => Reading::Refused(Refusal { kind, code: "ServiceFailure".to_owned() }),
    };
    for contact in snapshot.contacts.iter_mut().take(lost_contacts) {
        *contact = Reading::Refused(Refusal { kind, code: "Lost".to_owned() });
    }
    JournalEntry { snapshot, credentials: rows }
}

pub(crate) fn snapshot(account: u64) -> Snapshot {
    let id = AccountId::from_number(account);
    let account = Account {
        id,
        arn: Some(format!("arn:aws:organizations::1:account/{id}")),
        name: Some(format!("account {account}")),
        email: None,
        state: AccountState::Active,
        path: None,
        joined_method: None,
        joined_at: None,
    };
    let call = CallRecord {
        call: "iam:GetAccountSummary".to_owned(),
        outcome: "answered".to_owned(),
        code: None,
        message: None,
        request_id: Some("7a62c49f-347e-4fc4-9331-6e8eEXAMPLE".to_owned()),
        attempts: 1,
        throttled: 0,
        waited: std::time::Duration::ZERO,
    };
    let refusal = Refusal { kind: ErrorKind::Denied, code: "AccessDenied".to_owned() };
    let mut snapshot = Snapshot::unopened(account, refusal, Sources::NONE, vec![call]);
    snapshot.role = Reading::Read(());
    snapshot.root_virtual_mfa = Reading::Read(true);
    snapshot.alias = Reading::Read(Some("näme, \"quoted\"".to_owned()));
    snapshot.password_policy = Reading::Read(None);
    snapshot.summary = Reading::Read(orgsweep_core::AccountSummary::default());
    snapshot.contacts = [const { Reading::Read(None) }; 3];
    snapshot
}

/// Rows of `credentials`: what may be null is null, apart from what says who it is.
pub(crate) fn credentials(account: u64, users: &[&str]) -> RecordBatch {
    rows(table::credentials(), account, users)
}

/// Rows of a credential report: what may be null is null, apart from what says who it is.
pub(crate) fn report(account: u64, users: &[&str]) -> RecordBatch {
    rows(table::credential_report(), account, users)
}

fn rows(table: &table::Table, account: u64, users: &[&str]) -> RecordBatch {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let text = |user: &str| match field.name().as_str() {
            "account_id" => Some(AccountId::from_number(account).to_string()),
            "user" => Some(user.to_owned()),
            _ => (!field.is_nullable()).then(|| format!("{}/{user}", field.name())),
        };
        match field.data_type() {
            DataType::Utf8 => Arc::new(users.iter().map(|user| text(user)).collect::<StringArray>()),
            DataType::Boolean => Arc::new(
                users.iter().map(|user| (!field.is_nullable()).then_some(user.len() > 3)).collect::<BooleanArray>(),
            ),
            _ => {
                let times = users.iter().map(|_| (!field.is_nullable()).then_some(time().millis()));
                Arc::new(times.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
            }
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}
