//! A committed run, read back: its tables row by row, and the bytes of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use orgsweep_core::{AccountId, RunId, table};
use orgsweep_lake::{Commit, Lake, LakeError};

/// A committed run.
pub(crate) struct Committed {
    pub(crate) commit: Commit,
    /// The rows of each table by account, each row a batch of its own, in the order in which they stand.
    pub(crate) tables: BTreeMap<&'static str, BTreeMap<AccountId, Vec<RecordBatch>>>,
    /// Every object of the run that is no manifest: its place and its bytes.
    pub(crate) files: Vec<(String, Bytes)>,
}

/// What a run says of one account, each row a batch of its own.
#[derive(Clone, Copy)]
pub(crate) struct AccountRows<'a> {
    pub(crate) accounts: &'a [RecordBatch],
    pub(crate) credentials: &'a [RecordBatch],
    pub(crate) check_results: &'a [RecordBatch],
}

impl Committed {
    /// Reads the run; `None` if it is not committed.
    pub(crate) async fn read(objects: &Arc<InMemory>, run_id: &RunId) -> Result<Option<Self>, LakeError> {
        let lake = Lake::over(Arc::clone(objects) as Arc<dyn ObjectStore>, "memory");
        let Some(commit) = lake.read_commit(run_id).await? else { return Ok(None) };
        let mut tables = BTreeMap::new();
        for table in [table::accounts(), table::credentials(), table::findings(), table::check_results()] {
            let mut by_account: BTreeMap<AccountId, Vec<RecordBatch>> = BTreeMap::new();
            let mut rows = lake.rows(&commit, table);
            while let Some(batch) = rows.next().await? {
                for row in 0..batch.num_rows() {
                    if let Some(account) = account_of(&batch, row) {
                        by_account.entry(account).or_default().push(batch.slice(row, 1));
                    }
                }
            }
            tables.insert(table.name, by_account);
        }
        let files = files(objects, run_id).await;
        Ok(Some(Self { commit, tables, files }))
    }

    /// The rows of an account in a table.
    pub(crate) fn rows(&self, table: &str, account: AccountId) -> &[RecordBatch] {
        self.tables.get(table).and_then(|by_account| by_account.get(&account)).map_or(&[], Vec::as_slice)
    }

    /// What the run says of an account.
    pub(crate) fn account(&self, account: AccountId) -> AccountRows<'_> {
        let rows = |table| self.rows(table, account);
        AccountRows {
            accounts: rows("accounts"),
            credentials: rows("credentials"),
            check_results: rows("check_results"),
        }
    }

    /// The accounts whose reports are carried over.
    pub(crate) fn carried(&self) -> BTreeSet<AccountId> {
        let is_carried = |account: &AccountId| {
            self.rows("accounts", *account).iter().any(|row| text(row, "report_carried_from").is_some())
        };
        self.accounts().filter(is_carried).collect()
    }

    /// The accounts that the run has.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.tables.get("accounts").into_iter().flat_map(|by_account| by_account.keys().copied())
    }
}

pub(crate) fn account_of(batch: &RecordBatch, row: usize) -> Option<AccountId> {
    text(&batch.slice(row, 1), "account_id").and_then(|text| AccountId::parse(&text).ok())
}

/// The text in a column of a batch of one row.
pub(crate) fn text(row: &RecordBatch, column: &str) -> Option<String> {
    let column = row.column_by_name(column)?.as_string_opt::<i32>()?;
    (!column.is_empty() && column.is_valid(0)).then(|| column.value(0).to_owned())
}

/// Every object of a run but the manifests.
async fn files(objects: &Arc<InMemory>, run_id: &RunId) -> Vec<(String, Bytes)> {
    let folder = format!("run={run_id}");
    let is_of_run = |path: &str| !path.starts_with('_') && path.split('/').any(|part| part == folder);
    let mut files = all_objects(objects).await;
    files.retain(|(path, _)| is_of_run(path));
    files
}

/// Every object: its place and its bytes. The store is memory, and does not fail.
pub(crate) async fn all_objects(objects: &Arc<InMemory>) -> Vec<(String, Bytes)> {
    let listed: Vec<_> = objects.list(None).try_collect().await.unwrap_or_default();
    let mut all = Vec::new();
    for object in &listed {
        if let Ok(found) = objects.get(&object.location).await
            && let Ok(bytes) = found.bytes().await
        {
            all.push((object.location.to_string(), bytes));
        }
    }
    all.sort();
    all
}
