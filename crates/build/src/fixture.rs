//! A small organization, journalled, and a store that dies, for the tests of this crate.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use orgsweep_checks::{Basis, Checker, RuleFile, RulePack};
use orgsweep_core::{
    Account, AccountId, AccountState, AccountSummary, CallRecord, Caller, Contact, Decision, ErrorKind, OrgPath,
    Organization, OrganizationFeatures, PasswordPolicy, Plan, PlannedAccount, QuarantinedRow, Reading, Refusal,
    ReportFacts, RootAudit, Run, RunId, SkipReason, Snapshot, Sources, Timestamp, table,
};
use orgsweep_lake::{Commit, JournalEntry, JournalWriter, Lake, RollPolicy};
use orgsweep_report::{Origin, parse_report};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{BuildOptions, Compute};

const RULES: &str = r#"
[[check]]
id = "password-length"
title = "Passwords are long"
severity = "medium"
table = "accounts"
params = { min_length = 14 }
fails_when = "minimum_password_length < min_length"
evidence = ["minimum_password_length"]
remediation = "Act."

[[check]]
id = "mfa"
title = "Users have MFA"
severity = "high"
table = "credentials"
fails_when = "not mfa_active"
evidence = ["mfa_active"]
remediation = "Act."
"#;

pub(crate) fn time() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

pub(crate) fn checker() -> Arc<Checker> {
    checker_of(RULES)
}

/// A checker by which passwords may be shorter.
pub(crate) fn lenient_checker() -> Arc<Checker> {
    checker_of(&RULES.replace("min_length = 14", "min_length = 6"))
}

fn checker_of(rules: &str) -> Arc<Checker> {
    let pack = RulePack::parse(vec![RuleFile { name: "rules.toml".to_owned(), text: rules.to_owned() }]).unwrap();
    Arc::new(Checker::compile(&pack.into(), basis()).unwrap())
}

pub(crate) fn basis() -> Basis {
    Basis { as_of: time(), unasked: Sources::NONE }
}

fn caller() -> Caller {
    Caller { account_id: AccountId::from_number(1), arn: "arn:aws:iam::000000000001:user/a".to_owned() }
}

pub(crate) fn run() -> Run {
    Run {
        run_id: RunId::parse("r1").unwrap(),
        as_of: time(),
        started_at: time(),
        caller: caller(),
        organization: None,
        orgsweep_version: "0.1.0".to_owned(),
        rule_pack_sha256: "aa".to_owned(),
        unasked: Sources::NONE,
        recheck_of: None,
        carry_from: None,
        settings: serde_json::Map::new(),
    }
}

pub(crate) fn account(number: u64) -> Account {
    let id = AccountId::from_number(number);
    Account {
        id,
        arn: Some(format!("arn:aws:organizations::000000000001:account/o-aa111bb222/{id}")),
        name: Some(format!("account {number}")),
        email: Some(format!("{number}@example.com")),
        state: AccountState::Active,
        path: Some(OrgPath::new(format!("o-aa111bb222/r-a1b2/ou-a1b2-11111111/{id}/"))),
        joined_method: Some("CREATED".to_owned()),
        joined_at: Some(time().minus(Duration::from_hours(24))),
    }
}

/// A plan of accounts that are all asked, apart from `skipped`.
pub(crate) fn plan(accounts: impl IntoIterator<Item = u64>, skipped: &[u64]) -> Plan {
    let organization = Organization { id: "o-aa111bb222".to_owned(), management_account_id: AccountId::from_number(1) };
    let accounts = accounts.into_iter().map(|number| PlannedAccount {
        account: account(number),
        decision: if skipped.contains(&number) { Decision::Skip(SkipReason::Excluded) } else { Decision::Ask },
    });
    let features = OrganizationFeatures { root_credentials_management: true, root_sessions: false };
    Plan::new(caller(), Some(organization), Reading::Read(features), accounts.collect())
}

/// An account of which everything was read.
pub(crate) fn swept(number: u64, users: &[&str]) -> JournalEntry {
    let call = CallRecord {
        call: "iam:GetAccountSummary".to_owned(),
        outcome: "answered".to_owned(),
        code: None,
        message: None,
        request_id: Some("request".to_owned()),
        attempts: 2,
        throttled: 1,
        retried: 1,
        waited: Duration::from_millis(250),
    };
    let contact = Contact { name: Some("Ann".to_owned()), title: None, email: Some("ann@example.com".to_owned()) };
    let policy =
        PasswordPolicy { minimum_password_length: Some(8), expire_passwords: true, ..PasswordPolicy::default() };
    let summary = AccountSummary {
        users: Some(3),
        root_mfa_enabled: Some(true),
        root_access_keys_present: Some(false),
        root_password_present: None,
        root_signing_certificates_present: Some(false),
    };
    let report = ReportFacts {
        generated_at: time().minus(Duration::from_hours(1)),
        older_than_asked: false,
        carried_from: None,
        rows: u32::try_from(users.len()).unwrap(),
        quarantined: Vec::new(),
        unknown_columns: vec!["passkeys".to_owned()],
    };
    let snapshot = Snapshot {
        account: account(number),
        role: Reading::Read(()),
        report: Reading::Read(report),
        summary: Reading::Read(summary),
        password_policy: Reading::Read(Some(policy)),
        root_virtual_mfa: Reading::Read(true),
        alias: Reading::Read(Some("alias".to_owned())),
        contacts: [Reading::Read(None), Reading::Read(None), Reading::Read(Some(contact))],
        tags: Reading::Unwanted,
        key_ids: Reading::Unwanted,
        root_audit: RootAudit::UNWANTED,
        calls: vec![call],
    };
    JournalEntry { snapshot, credentials: Some(credentials(number, users)) }
}

/// An account of which some was read.
pub(crate) fn partial(number: u64, users: &[&str]) -> JournalEntry {
    let mut entry = swept(number, users);
    let refusal = Refusal { kind: ErrorKind::Transient, code: "ServiceFailure".to_owned() };
    entry.snapshot.summary = Reading::Refused(refusal.clone());
    entry.snapshot.root_virtual_mfa = Reading::Refused(refusal);
    entry.snapshot.password_policy = Reading::Read(None);
    if let Reading::Read(report) = &mut entry.snapshot.report {
        let row = QuarantinedRow { line: 3, text: "a,b".to_owned(), reason: "22 columns are missing".to_owned() };
        report.quarantined.push(row);
    }
    entry
}

/// An account that could not be opened.
pub(crate) fn failed(number: u64) -> JournalEntry {
    let refusal = Refusal { kind: ErrorKind::Denied, code: "AccessDenied".to_owned() };
    JournalEntry {
        snapshot: Snapshot::unopened(account(number), refusal, Sources::NONE, Vec::new()),
        credentials: None,
    }
}

/// The header of a report.
pub(crate) const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// A report of these rows, of which each is written as AWS writes it, of account 1.
pub(crate) fn parsed(rows: &str) -> RecordBatch {
    let origin = Origin { account_id: AccountId::from_number(1), account_name: None, generated_at: time() };
    let report = parse_report(format!("{HEADER}\n{rows}").as_bytes(), &origin).unwrap();
    assert_eq!(report.quarantined, []);
    report.credentials
}

fn credentials(account: u64, users: &[&str]) -> RecordBatch {
    let schema = table::credential_report().schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let known = !field.is_nullable();
        let text = |user: &str| match field.name().as_str() {
            "account_id" => Some(AccountId::from_number(account).to_string()),
            "user" => Some(user.to_owned()),
            name => known.then(|| format!("{name}/{account}/{user}")),
        };
        match field.data_type() {
            DataType::Utf8 => Arc::new(users.iter().map(|user| text(user)).collect::<StringArray>()),
            DataType::Boolean => {
                Arc::new(users.iter().map(|user| known.then_some(user.len() > 3)).collect::<BooleanArray>())
            }
            _ => {
                let times = users.iter().map(|_| known.then_some(time().millis()));
                Arc::new(times.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
            }
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

/// Journals each group of entries as a segment.
pub(crate) async fn journal(lake: &Lake, worker: &str, segments: &[Vec<JournalEntry>]) {
    let policy = RollPolicy { max_bytes: usize::MAX, ..RollPolicy::default() };
    let mut writer = JournalWriter::new(lake, &run().run_id, (worker, time()), policy);
    for entry in segments.iter().flat_map(|segment| segment.iter().map(Some).chain([None])) {
        match entry {
            Some(entry) => drop(writer.push(entry.clone()).await.unwrap()),
            None => drop(writer.flush().await.unwrap()),
        }
    }
}

/// The lake in this store.
pub(crate) fn lake(store: &Arc<InMemory>) -> Lake {
    Lake::over(Arc::clone(store) as Arc<dyn ObjectStore>, "memory")
}

/// Small parts, so that there are several of each table.
pub(crate) fn options(compute: Compute) -> BuildOptions {
    BuildOptions { part_bytes: 16 << 10, allow_missing: false, compute }
}

/// Accounts of which most were read.
pub(crate) fn many(accounts: u64) -> Vec<JournalEntry> {
    let users: Vec<String> = (0..40).map(|number| format!("{number}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    (0..accounts)
        .map(|number| match number % 10 {
            3 => failed(number),
            7 => partial(number, &users[..5]),
            _ => swept(number, &users),
        })
        .collect()
}

/// Every table file with its bytes.
pub(crate) async fn table_files(store: &InMemory) -> BTreeMap<String, Bytes> {
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let mut files = BTreeMap::new();
    for path in listed.into_iter().map(|object| object.location).filter(|path| !path.as_ref().starts_with("_runs")) {
        files.insert(path.to_string(), store.get(&path).await.unwrap().bytes().await.unwrap());
    }
    files
}

/// The rows of a committed table, whose files are what the commit says.
pub(crate) async fn rows(store: &InMemory, commit: &Commit, table: &'static table::Table) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for file in commit.files(table.name) {
        let bytes = store.get(&Path::from(file.path.as_str())).await.unwrap().bytes().await.unwrap();
        let size = u64::try_from(bytes.len()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        assert_eq!(reader.schema().fields(), table.schema().fields());
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let count = read.iter().map(RecordBatch::num_rows).sum::<usize>();
        assert_eq!((file.rows, file.bytes), (u64::try_from(count).unwrap(), size));
        batches.extend(read);
    }
    batches
}

/// The rows as text, without what is null or empty.
pub(crate) fn text(batches: &[RecordBatch]) -> String {
    let mut text = String::new();
    let formats = FormatOptions::default();
    for batch in batches {
        for row in 0..batch.num_rows() {
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let value = ArrayFormatter::try_new(column, &formats).unwrap().value(row).to_string();
                if column.is_valid(row) && value != "[]" {
                    writeln!(text, "{}: {value}", field.name()).unwrap();
                }
            }
            text.push('\n');
        }
    }
    text
}

/// A store in memory that dies after a number of puts.
#[derive(Debug)]
pub(crate) struct Dying {
    store: Arc<InMemory>,
    puts_left: AtomicUsize,
}

impl Dying {
    pub(crate) fn after(store: &Arc<InMemory>, puts: usize) -> Arc<Self> {
        Arc::new(Self { store: Arc::clone(store), puts_left: AtomicUsize::new(puts) })
    }
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dying")
    }
}

#[async_trait]
impl ObjectStore for Dying {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let left = self.puts_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        // Long enough for what else is under way to go on.
        tokio::time::sleep(Duration::from_millis(2)).await;
        left.map_err(|_| object_store::Error::Generic { store: "Dying", source: "it died".into() })?;
        self.store.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.store.rename_opts(from, to, options).await
    }
}
