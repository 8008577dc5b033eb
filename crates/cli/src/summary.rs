//! What a run came to, once, for people and for programs. How it looks is `render`'s business.

use std::collections::BTreeMap;
use std::time::Duration;

use orgsweep_checks::Tally as CheckTally;
use orgsweep_core::{RunId, Timestamp};
use orgsweep_lake::{Commit, Coverage, Lake};
use orgsweep_sweep::Tally;
use serde::Serialize;

use crate::unread::{Gaps, Unread};

/// A committed run, summed up.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Always true: what is not committed has no summary.
    pub committed: bool,
    /// The run.
    pub run_id: RunId,
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
    /// Each check, the worst first.
    pub findings: Vec<CheckTally>,
    /// The tables and their files.
    pub tables: Vec<TableSummary>,
    /// A query that DuckDB answers from exactly the committed files.
    pub duckdb_query: String,
    /// How the asking went.
    pub calls: CallSummary,
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

impl Summary {
    /// Sums a run up.
    pub fn new(lake: &Lake, commit: &Commit, gaps: Gaps, tally: Tally, elapsed: Duration) -> Self {
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
        // What does not read as a tally was written by another version of orgsweep; the tables have it all the same.
        let tallies = commit.checks.iter().filter_map(|tally| serde_json::from_value(tally.clone()).ok());
        let mut findings: Vec<CheckTally> = tallies.collect();
        findings.sort_by_key(|check| {
            std::cmp::Reverse((check.resources_failed > 0, check.severity, check.resources_failed))
        });
        Self {
            committed: true,
            run_id: commit.run_id.clone(),
            as_of: commit.as_of,
            exit_code: 0,
            lake: lake.address("").trim_end_matches('/').to_owned(),
            coverage: commit.coverage,
            unread: gaps.unread,
            skipped: gaps.skipped,
            findings,
            duckdb_query: duckdb_query(&tables),
            tables,
            calls: CallSummary {
                requests: tally.requests,
                throttled: tally.throttled,
                retried: tally.retried,
                waited_ms: tally.waited_ms,
            },
            seconds: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        }
    }

    /// Accounts that were asked.
    pub fn asked(&self) -> u64 {
        self.coverage.planned - self.coverage.skipped
    }
}

/// The accounts with the most severe findings, from exactly the committed files.
fn duckdb_query(tables: &[TableSummary]) -> String {
    let files = tables.iter().find(|table| table.name == "findings").map(|table| table.files.as_slice());
    let quoted = |file: &String| format!("'{}'", file.replace('\'', "''"));
    let files = files.unwrap_or_default().iter().map(quoted).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT account_id, account_name, severity, message, resource_id\n\
         FROM read_parquet([{files}])\n\
         WHERE status = 'fail' AND severity IN ('critical', 'high')\n\
         ORDER BY severity, account_id LIMIT 20;"
    )
}
