//! Chunks: neighbouring accounts of the plan, each with what the journal has of it, and what is built of them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use orgsweep_checks::{Checker, Chunk, Tally, Verdicts};
use orgsweep_core::{
    Decision, ErrorKind, Outcome, Plan, PlannedAccount, PlannedAccounts, Refusal, Snapshot, Sources, table,
};
use orgsweep_lake::{JournalEntry, LakeError, Merged, MergedRow, TableRows};

use crate::accounts::{AccountRow, Household, Told};
use crate::assemble::ChunkSource;
use crate::committed::{CommittedChunk, Cursor, account_of};
use crate::credentials::Report;
use crate::report_view::ReportView;
use crate::{BuildError, accounts, calls, credentials};

/// Where a chunk ends: enough rows for columns to be worth their overhead, few enough for several chunks to be in
/// memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkLimits {
    pub(crate) accounts: usize,
    pub(crate) credential_rows: usize,
}

impl ChunkLimits {
    /// What builds use.
    pub(crate) const STANDARD: Self = Self { accounts: 128, credential_rows: 2048 };
}

/// Walks plan and journal side by side.
pub(crate) struct Chunks<'a> {
    planned: &'a PlannedAccounts,
    /// How many of the plan's accounts are in chunks.
    taken: usize,
    journal: Merged,
    /// The journal's next row, which belongs to this or a later account of the plan.
    next: Option<MergedRow>,
    /// The credentials of the run whose reports may be carried over.
    carried: Option<Cursor>,
    limits: ChunkLimits,
}

/// Neighbouring accounts of the plan.
pub(crate) type PlannedChunk = Vec<PlannedRow>;

/// An account of the plan, with what there is of it, not decoded yet.
pub(crate) struct PlannedRow {
    planned: PlannedAccount,
    journalled: Option<MergedRow>,
    /// Its rows in the run whose reports may be carried over.
    carried: Vec<RecordBatch>,
}

impl<'a> Chunks<'a> {
    pub(crate) async fn new(
        plan: &'a Plan,
        mut journal: Merged,
        carried: Option<TableRows>,
        limits: ChunkLimits,
    ) -> Result<Self, LakeError> {
        let next = journal.next().await?;
        Ok(Self { planned: &plan.accounts, taken: 0, journal, next, carried: carried.map(Cursor::new), limits })
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
            let Some(planned) = self.planned.get(self.taken) else { break };
            self.taken += 1;
            let journalled = self.row_of(&planned).await?;
            let mut carried = Vec::new();
            if let Some(rows) = &mut self.carried
                && journalled.as_ref().is_some_and(|row| row.credential_rows() == 0)
            {
                carried = rows.skip_to(planned.account.id.as_str()).await?;
            }
            credential_rows += journalled.as_ref().map_or(0, MergedRow::credential_rows);
            credential_rows += carried.iter().map(RecordBatch::num_rows).sum::<usize>();
            chunk.push(PlannedRow { planned, journalled, carried });
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
    let entries = chunk.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
    let planned: Vec<&PlannedAccount> = chunk.iter().map(|row| &row.planned).collect();
    build_rows(context, &planned, entries)
}

/// Makes the columns of these accounts and checks them; of each there is what was learned, if it was asked.
pub(crate) fn build_rows(
    context: &Context,
    planned: &[&PlannedAccount],
    mut entries: Vec<Option<JournalEntry>>,
) -> Result<BuiltChunk, BuildError> {
    let views: Vec<Option<ReportView>> =
        entries.iter().map(|entry| entry.as_ref()?.credentials.as_ref().map(ReportView::of)).collect();
    let reports: Vec<Option<RecordBatch>> =
        entries.iter_mut().map(|entry| entry.as_mut().and_then(|entry| entry.credentials.take())).collect();
    let snapshots: Vec<&Snapshot> = entries.iter().flatten().map(|entry| &entry.snapshot).collect();
    let rows: Vec<AccountRow<'_>> = planned
        .iter()
        .zip(&entries)
        .zip(&views)
        .filter_map(|((planned, entry), report)| {
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
        .filter_map(|(rows, entry)| Some(Report::of(rows?, &entry.as_ref()?.snapshot)));
    let credentials =
        credentials::to_batch(reports.collect()).map_err(BuildError::columns(table::credentials().name))?;
    let calls = calls::to_batch(&snapshots).map_err(BuildError::columns(table::calls().name))?;
    let outcomes = rows.iter().map(AccountRow::outcome).collect();
    let verdicts = judge(&context.checker, &accounts, &credentials)?;
    let tables = vec![accounts, credentials, verdicts.findings, verdicts.check_results];
    Ok(BuiltChunk { tables, calls: Some(calls), outcomes, tallies: verdicts.tallies, excepted: verdicts.excepted })
}

/// What there is of an account, its report included, from wherever that comes; `None` where it was not asked.
fn entry_of(row: &PlannedRow) -> Result<Option<JournalEntry>, BuildError> {
    let mut entry = match (&row.planned.decision, &row.journalled) {
        (Decision::Skip(_), _) => return Ok(None),
        (Decision::Ask, None) => return Ok(Some(never_asked(&row.planned))),
        (Decision::Ask, Some(journalled)) => journalled.entry()?,
    };
    if entry.snapshot.report.value().is_some_and(|report| report.carried_from.is_some()) {
        entry.credentials = Some(carried_report(&row.carried, &row.planned)?);
    }
    if let Some(report) = &mut entry.credentials
        && entry.snapshot.account.name != row.planned.account.name
    {
        // It was asked before the list told its name of now.
        *report = credentials::renamed(report, row.planned.account.name.as_deref()).map_err(columns_of_credentials)?;
    }
    Ok(Some(entry))
}

/// A report as an earlier run committed it, without what that run added.
fn carried_report(rows: &[RecordBatch], planned: &PlannedAccount) -> Result<RecordBatch, BuildError> {
    let schema = table::credential_report().schema();
    if rows.is_empty() {
        return Err(BuildError::not_carried(planned.account.id));
    }
    let rows = concat_batches(&schema, rows).map_err(columns_of_credentials)?;
    credentials::renamed(&rows, planned.account.name.as_deref()).map_err(columns_of_credentials)
}

fn columns_of_credentials(error: ArrowError) -> BuildError {
    BuildError::columns(table::credentials().name)(error)
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
