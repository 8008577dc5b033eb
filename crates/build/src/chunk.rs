//! Chunks: neighbouring accounts of the plan, each with what the journal has of it, and what is built of them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use orgsweep_checks::{Checker, Chunk, Tally, Verdicts};
use orgsweep_core::{Decision, ErrorKind, Outcome, Plan, PlannedAccount, Refusal, Snapshot, Sources, table};
use orgsweep_lake::{JournalEntry, LakeError, Merged, MergedRow};

use crate::accounts::{AccountRow, Household, Told};
use crate::assemble::ChunkSource;
use crate::committed::{CommittedChunk, account_of};
use crate::credentials::Report;
use crate::report_view::ReportView;
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

impl ChunkSource for Chunks<'_> {
    type Chunk = PlannedChunk;

    async fn next_chunk(&mut self) -> Result<Option<PlannedChunk>, BuildError> {
        let mut chunk = PlannedChunk::new();
        let mut credential_rows = 0;
        while chunk.len() < self.limits.accounts && credential_rows < self.limits.credential_rows {
            let Some(planned) = self.planned.next() else { break };
            let row = self.row_of(planned).await?;
            credential_rows += row.as_ref().map_or(0, MergedRow::credential_rows);
            chunk.push((planned.clone(), row));
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

/// What chunks are built with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) checker: Arc<Checker>,
    pub(crate) household: Household,
}

/// A chunk's rows of every table.
pub(crate) struct BuiltChunk {
    /// In the order of the tables that are written.
    pub(crate) tables: Vec<RecordBatch>,
    pub(crate) calls: Option<RecordBatch>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) tallies: Vec<Tally>,
    /// How many findings each exception covers.
    pub(crate) excepted: Vec<u64>,
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
    let views: Vec<Option<ReportView>> =
        entries.iter().map(|entry| entry.as_ref()?.credentials.as_ref().map(ReportView::of)).collect();
    let reports: Vec<Option<RecordBatch>> =
        entries.iter_mut().map(|entry| entry.as_mut().and_then(|entry| entry.credentials.take())).collect();
    let snapshots: Vec<&Snapshot> = entries.iter().flatten().map(|entry| &entry.snapshot).collect();
    let rows: Vec<AccountRow<'_>> = chunk
        .iter()
        .zip(&entries)
        .zip(&views)
        .filter_map(|(((planned, _), entry), report)| {
            let told = match (&planned.decision, entry) {
                (Decision::Skip(reason), _) => Told::Skipped(reason),
                (Decision::Ask, entry) => Told::Asked(&entry.as_ref()?.snapshot),
            };
            Some(AccountRow { account: &planned.account, told, report: report.as_ref() })
        })
        .collect();
    let accounts = accounts::to_batch(&rows, &context.household);
    let accounts = accounts.map_err(BuildError::columns(table::accounts().name))?;
    let reports = reports
        .into_iter()
        .zip(&entries)
        .filter_map(|(rows, entry)| Some(Report { rows: rows?, key_ids: entry.as_ref()?.snapshot.key_ids.value() }));
    let credentials =
        credentials::to_batch(reports.collect()).map_err(BuildError::columns(table::credentials().name))?;
    let calls = calls::to_batch(&snapshots).map_err(BuildError::columns(table::calls().name))?;
    let outcomes = rows.iter().map(AccountRow::outcome).collect();
    let verdicts = judge(&context.checker, &accounts, &credentials)?;
    let tables = vec![accounts, credentials, verdicts.findings, verdicts.check_results];
    Ok(BuiltChunk { tables, calls: Some(calls), outcomes, tallies: verdicts.tallies, excepted: verdicts.excepted })
}

/// Judges a committed chunk again.
pub(crate) fn judge_chunk(checker: &Checker, chunk: &CommittedChunk) -> Result<BuiltChunk, BuildError> {
    let verdicts = judge(checker, &chunk.accounts, &joined(chunk)?)?;
    let tables = vec![verdicts.findings, verdicts.check_results];
    Ok(BuiltChunk { tables, calls: None, outcomes: Vec::new(), tallies: verdicts.tallies, excepted: verdicts.excepted })
}

/// The credentials of a committed chunk as one batch.
pub(crate) fn joined(chunk: &CommittedChunk) -> Result<RecordBatch, BuildError> {
    let credentials = concat_batches(&table::credentials().schema(), &chunk.credentials);
    credentials.map_err(BuildError::columns(table::credentials().name))
}

pub(crate) fn judge(
    checker: &Checker,
    accounts: &RecordBatch,
    credentials: &RecordBatch,
) -> Result<Verdicts, BuildError> {
    checker.evaluate(&Chunk { accounts, credentials }).map_err(|source| {
        let end = |row| account_of(accounts, row).to_owned();
        BuildError::Evaluate { first: end(0), last: end(accounts.num_rows().saturating_sub(1)), source }
    })
}

/// What a commit without full coverage says of an account that no journal has.
fn never_asked(planned: &PlannedAccount) -> JournalEntry {
    let refusal = Refusal { kind: ErrorKind::Transient, code: "NotAsked".to_owned() };
    JournalEntry {
        snapshot: Snapshot::unopened(planned.account.clone(), refusal, Sources::NONE, Vec::new()),
        credentials: None,
    }
}
