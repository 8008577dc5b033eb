//! Chunks: neighbouring accounts of the plan, each with what the journal has of it, and what is built of them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use orgsweep_checks::{Checker, Chunk, Tally};
use orgsweep_core::{
    AccountId, Decision, ErrorKind, Organization, Outcome, Plan, PlannedAccount, Refusal, Snapshot, table,
};
use orgsweep_lake::{JournalEntry, LakeError, Merged, MergedRow};

use crate::accounts::{AccountRow, Told};
use crate::{BuildError, accounts, calls, credentials};

/// Where a chunk ends: enough rows for columns to be worth their overhead, few enough for several chunks to be in
/// memory. The limits decide where batches end, and so the tables' bytes: they are no setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkLimits {
    pub(crate) accounts: usize,
    pub(crate) credential_rows: usize,
}

impl ChunkLimits {
    /// What builds use.
    pub(crate) const STANDARD: Self = Self { accounts: 256, credential_rows: 4096 };
}

/// Walks plan and journal side by side.
pub(crate) struct Chunks<'a> {
    planned: std::slice::Iter<'a, PlannedAccount>,
    journal: Merged,
    /// The journal's next row, which belongs to this or a later account of the plan.
    next: Option<MergedRow>,
    limits: ChunkLimits,
}

/// Neighbouring accounts of the plan, with their journalled rows, not decoded yet.
pub(crate) type PlannedChunk = Vec<(PlannedAccount, Option<MergedRow>)>;

impl<'a> Chunks<'a> {
    pub(crate) async fn new(plan: &'a Plan, mut journal: Merged, limits: ChunkLimits) -> Result<Self, LakeError> {
        let next = journal.next().await?;
        Ok(Self { planned: plan.accounts.iter(), journal, next, limits })
    }

    /// The next chunks, as many as `count`; none at the end.
    pub(crate) async fn next_window(&mut self, count: usize) -> Result<Vec<PlannedChunk>, LakeError> {
        let mut window = Vec::with_capacity(count);
        while window.len() < count {
            let chunk = self.next_chunk().await?;
            if chunk.is_empty() {
                break;
            }
            window.push(chunk);
        }
        Ok(window)
    }

    async fn next_chunk(&mut self) -> Result<PlannedChunk, LakeError> {
        let mut chunk = PlannedChunk::new();
        let mut credential_rows = 0;
        while chunk.len() < self.limits.accounts && credential_rows < self.limits.credential_rows {
            let Some(planned) = self.planned.next() else { break };
            let row = self.row_of(planned).await?;
            credential_rows += row.as_ref().map_or(0, MergedRow::credential_rows);
            chunk.push((planned.clone(), row));
        }
        Ok(chunk)
    }

    /// The journal's row of this account. Rows of accounts that are not in the plan are passed over: they were swept
    /// before discovery ended without them.
    async fn row_of(&mut self, planned: &PlannedAccount) -> Result<Option<MergedRow>, LakeError> {
        while self.next.as_ref().is_some_and(|row| row.account_id < planned.account.id) {
            self.next = self.journal.next().await?;
        }
        match &self.next {
            Some(row) if row.account_id == planned.account.id => {
                Ok(std::mem::replace(&mut self.next, self.journal.next().await?))
            }
            _ => Ok(None),
        }
    }
}

/// What chunks are built with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) checker: Arc<Checker>,
    pub(crate) organization: Option<Organization>,
}

/// A chunk's rows of every table.
pub(crate) struct BuiltChunk {
    /// In the order of [`table::committed`].
    pub(crate) tables: [RecordBatch; 4],
    pub(crate) calls: RecordBatch,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) tallies: Vec<Tally>,
}

/// Builds a chunk: decodes, makes columns, checks.
pub(crate) fn build_chunk(context: &Context, chunk: &PlannedChunk) -> Result<BuiltChunk, BuildError> {
    let mut entries = Vec::with_capacity(chunk.len());
    for (planned, row) in chunk {
        entries.push(match (&planned.decision, row) {
            (Decision::Skip(_), _) => None,
            (Decision::Ask, Some(row)) => Some(row.entry()?),
            (Decision::Ask, None) => Some(never_asked(planned)),
        });
    }
    let reports = entries.iter_mut().flatten().filter_map(|entry| entry.credentials.take()).collect();
    let snapshots: Vec<&Snapshot> = entries.iter().flatten().map(|entry| &entry.snapshot).collect();
    let rows: Vec<AccountRow<'_>> = chunk
        .iter()
        .zip(&entries)
        .filter_map(|((planned, _), entry)| {
            let told = match (&planned.decision, entry) {
                (Decision::Skip(reason), _) => Told::Skipped(reason),
                (Decision::Ask, entry) => Told::Asked(&entry.as_ref()?.snapshot),
            };
            Some(AccountRow { account: &planned.account, told })
        })
        .collect();
    let accounts = accounts::to_batch(&rows, context.organization.as_ref());
    let accounts = accounts.map_err(BuildError::columns(table::accounts().name))?;
    let credentials = credentials::to_batch(reports).map_err(BuildError::columns(table::credentials().name))?;
    let calls = calls::to_batch(&snapshots).map_err(BuildError::columns(table::calls().name))?;
    let outcomes = rows.iter().map(AccountRow::outcome).collect();
    let verdicts = context.checker.evaluate(&Chunk { accounts: &accounts, credentials: &credentials });
    let verdicts = verdicts.map_err(|source| {
        let (first, last) = ends(chunk);
        BuildError::Evaluate { first, last, source }
    })?;
    let tables = [accounts, credentials, verdicts.findings, verdicts.check_results];
    Ok(BuiltChunk { tables, calls, outcomes, tallies: verdicts.tallies })
}

/// What a commit without full coverage says of an account that no journal has.
fn never_asked(planned: &PlannedAccount) -> JournalEntry {
    let refusal = Refusal { kind: ErrorKind::Transient, code: "NotAsked".to_owned() };
    JournalEntry { snapshot: Snapshot::unopened(planned.account.clone(), refusal, Vec::new()), credentials: None }
}

fn ends(chunk: &PlannedChunk) -> (AccountId, AccountId) {
    let id = |end: Option<&(PlannedAccount, Option<MergedRow>)>| {
        end.map_or(AccountId::from_number(0), |(planned, _)| planned.account.id)
    };
    (id(chunk.first()), id(chunk.last()))
}
