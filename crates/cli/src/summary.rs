//! What a run came to, once, for people and for programs. How it looks is `render`'s business.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use orgsweep_checks::{ExceptionUse, Severity, Tally as CheckTally};
use orgsweep_core::{RunId, Timestamp};
use orgsweep_lake::{Commit, Coverage, Lake};
use orgsweep_sweep::Tally;
use serde::Serialize;

use crate::peak::peak_memory;
use crate::unread::{Gaps, Unread};

/// A committed run, summed up.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Always true: what is not committed has no summary.
    pub committed: bool,
    /// The run.
    pub run_id: RunId,
    /// The sweep whose tables it judges again; `None` for a sweep.
    pub recheck_of: Option<RunId>,
    /// The time against which ages were judged.
    pub as_of: Timestamp,
    /// The exit code.
    pub exit_code: u8,
    /// The lake.
    pub lake: String,
    /// How much was read.
    pub coverage: Coverage,
    /// The first accounts that were not read whole, and why.
    pub unread: Vec<Unread>,
    /// How many accounts were not asked, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// What the organization itself did not answer, once for all accounts.
    pub organization_unread: Vec<String>,
    /// Each check, the worst first.
    pub findings: Vec<CheckTally>,
    /// What became of each exception.
    pub exceptions: Vec<ExceptionUse>,
    /// The checks of which a recheck says something else than the sweep did.
    pub changes: Vec<Change>,
    /// The tables and their files.
    pub tables: Vec<TableSummary>,
    /// A query that DuckDB answers from exactly the committed files.
    pub duckdb_query: String,
    /// Rows of credential reports that were not understood.
    pub quarantined_rows: u64,
    /// How the asking went; `None` where nothing was asked.
    pub calls: Option<CallSummary>,
    /// What was ingested; `None` for a sweep.
    pub ingest: Option<IngestSummary>,
    /// The most memory that the process had, in bytes, where the system says.
    pub peak_memory_bytes: Option<u64>,
    /// How long it took.
    pub seconds: f64,
}

/// One table of the run.
#[derive(Debug, Serialize)]
pub struct TableSummary {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Its files.
    pub files: Vec<String>,
}

/// A check of which a recheck says something else than the sweep did.
#[derive(Debug, Serialize)]
pub struct Change {
    /// The check.
    pub check_id: String,
    /// What the sweep said; `None` where it had no such check.
    pub before: Option<Counts>,
    /// What the recheck says; `None` where it has no such check.
    pub after: Option<Counts>,
}

/// What a check says, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Accounts that failed.
    pub accounts_failed: u64,
    /// Accounts that could not be judged.
    pub accounts_unknown: u64,
    /// Resources that failed.
    pub resources_failed: u64,
}

impl Counts {
    fn of(tally: &CheckTally) -> Self {
        Self {
            accounts_failed: tally.accounts_failed,
            accounts_unknown: tally.accounts_unknown,
            resources_failed: tally.resources_failed,
        }
    }
}

/// The reports that became the run.
#[derive(Debug, Serialize)]
pub struct IngestSummary {
    /// Reports, one an account.
    pub reports: usize,
    /// Bytes of their files.
    pub file_bytes: u64,
    /// Bytes of CSV in them; `None` where the run was committed before.
    pub csv_bytes: Option<u64>,
    /// When the oldest of them was made.
    pub oldest_report: Option<Timestamp>,
    /// When the newest of them was made.
    pub newest_report: Option<Timestamp>,
    /// How many have no other time than their file's.
    pub dated_by_file: usize,
    /// Files of which the account has a newer report.
    pub superseded: Vec<String>,
    /// Other files of the folders.
    pub passed_over: usize,
    /// Files that cannot be read as reports.
    pub left_out: Vec<LeftOut>,
}

/// A file that cannot be read as a report.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// The file.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// How the asking went, in this attempt at the run.
#[derive(Debug, Serialize)]
pub struct CallSummary {
    /// Requests sent.
    pub requests: u64,
    /// Requests throttled.
    pub throttled: u64,
    /// Requests sent again.
    pub retried: u64,
    /// Milliseconds waited before requests, summed over all accounts.
    pub waited_ms: u64,
}

impl CallSummary {
    /// What was counted.
    pub fn of(tally: &Tally) -> Self {
        Self {
            requests: tally.requests,
            throttled: tally.throttled,
            retried: tally.retried,
            waited_ms: tally.waited_ms,
        }
    }
}

impl Summary {
    /// Sums a run up.
    pub fn new(lake: &Lake, commit: &Commit, gaps: Gaps, tally: Option<Tally>, elapsed: Duration) -> Self {
        let tables: Vec<TableSummary> = commit
            .tables
            .iter()
            .map(|table| TableSummary {
                name: table.name.clone(),
                rows: table.rows,
                bytes: table.bytes,
                files: lake.table_files(commit, &table.name),
            })
            .collect();
        let mut findings = tallies(commit);
        findings.sort_by_key(|check| {
            std::cmp::Reverse((check.resources_failed > 0, check.severity, check.resources_failed))
        });
        let exceptions = commit.exceptions.iter().filter_map(|it| serde_json::from_value(it.clone()).ok());
        Self {
            committed: true,
            run_id: commit.run_id.clone(),
            recheck_of: commit.recheck_of.clone(),
            as_of: commit.as_of,
            exit_code: 0,
            lake: lake.address("").trim_end_matches('/').to_owned(),
            coverage: commit.coverage,
            unread: gaps.unread,
            skipped: gaps.skipped,
            organization_unread: gaps.organization,
            findings,
            exceptions: exceptions.collect(),
            changes: Vec::new(),
            duckdb_query: duckdb_query(&tables),
            tables,
            quarantined_rows: gaps.quarantined_rows,
            calls: tally.as_ref().map(CallSummary::of),
            ingest: None,
            peak_memory_bytes: peak_memory(),
            seconds: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        }
    }

    /// Notes the checks of which this run says something else than `before` did.
    pub fn compare(&mut self, before: &Commit) {
        let counts =
            |tallies: &[CheckTally], check: &str| tallies.iter().find(|tally| tally.check_id == check).map(Counts::of);
        let before = tallies(before);
        let all: BTreeSet<&String> = before.iter().chain(&self.findings).map(|tally| &tally.check_id).collect();
        let changes = all.into_iter().map(|check| Change {
            check_id: check.clone(),
            before: counts(&before, check),
            after: counts(&self.findings, check),
        });
        self.changes = changes.filter(|change| change.before != change.after).collect();
    }

    /// Whether something failed with this severity or a worse one, and no exception covers it.
    pub fn has_failed(&self, least: Option<Severity>) -> bool {
        let counts = |check: &CheckTally| check.resources_failed > check.resources_excepted;
        least.is_some_and(|least| self.findings.iter().any(|check| counts(check) && check.severity >= least))
    }

    /// Accounts that were asked.
    pub fn asked(&self) -> u64 {
        self.coverage.planned - self.coverage.skipped
    }
}

/// What each check came to, in their order. What does not read as a tally was written by another version of orgsweep;
/// the tables have it all the same.
fn tallies(commit: &Commit) -> Vec<CheckTally> {
    commit.checks.iter().filter_map(|tally| serde_json::from_value(tally.clone()).ok()).collect()
}

/// The accounts with the most severe findings, from exactly the committed files.
fn duckdb_query(tables: &[TableSummary]) -> String {
    let files = tables.iter().find(|table| table.name == "findings").map(|table| table.files.as_slice());
    let quoted = |file: &String| format!("'{}'", file.replace('\'', "''"));
    let files = files.unwrap_or_default().iter().map(quoted).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT account_id, account_name, severity, message, resource_id\n\
         FROM read_parquet([{files}])\n\
         WHERE status = 'fail' AND NOT excepted AND severity IN ('critical', 'high')\n\
         ORDER BY severity, account_id LIMIT 20;"
    )
}
