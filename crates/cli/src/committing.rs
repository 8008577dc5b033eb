//! The end of a scan: tables are built and committed, and what they say is summed up. It asks AWS nothing.

use std::sync::Arc;
use std::time::Instant;

use orgsweep_build::{build_tables, clear_journal};
use orgsweep_checks::Checker;
use orgsweep_core::{Plan, Run};
use orgsweep_lake::{Commit, Lake};
use orgsweep_sweep::Tally;
use tracing::{error, info, warn};

use crate::allocator;
use crate::failure::{Failure, Outcome};
use crate::render;
use crate::settings::Config;
use crate::signals::Signals;
use crate::stored;
use crate::summary::Summary;
use crate::unread::{Gaps, list_gaps};
use crate::wiring::build_options;

/// A run whose accounts are all in the journal, and what it is built with.
pub struct Committing<'a> {
    /// Where it lies.
    pub lake: &'a Lake,
    /// The run.
    pub run: &'a Run,
    /// Its plan.
    pub plan: &'a Plan,
    /// What judges it.
    pub checker: &'a Arc<Checker>,
    /// Its settings.
    pub config: &'a Config,
    /// How it is stopped.
    pub signals: &'a Signals,
}

impl Committing<'_> {
    /// Builds the tables and commits the run; one that is committed already is returned as it is.
    ///
    /// # Errors
    /// Exit code 1; the same call later goes on to the same bytes.
    pub async fn commit(&self) -> Result<Commit, Failure> {
        allocator::keep_nothing();
        let options = build_options(self.config);
        let build = async {
            let built = build_tables(self.lake, self.run, self.plan, self.checker, &options).await;
            built.map_err(Failure::not_committed)
        };
        let commit = self.signals.unless_stopped("the run was committed", Box::pin(build)).await?;
        let commit = write_commit(self.lake, commit, self.signals).await?;
        // The run is committed, whatever becomes of its journal.
        clear_journal(self.lake, &self.run.run_id).await;
        let findings = commit.tables.iter().find(|table| table.name == "findings").map(|table| table.rows);
        info!(findings, "committed");
        Ok(commit)
    }
}

/// Writes `commit.json`. A write that was given up may still be done, so nothing stops this one half-way; and one that
/// failed may have been done, so what stands is looked at.
///
/// # Errors
/// Exit code 1, where no commit stands or nobody can tell.
pub async fn write_commit(lake: &Lake, commit: Commit, signals: &Signals) -> Result<Commit, Failure> {
    signals.run_is_being_committed();
    let run_id = commit.run_id.clone();
    let commit = match lake.write_commit(commit).await {
        Ok(commit) => commit,
        Err(error) => stored::commit_after_all(lake, &run_id).await.ok_or(Failure::not_committed(error))?,
    };
    signals.run_is_committed();
    Ok(commit)
}

/// Prints what a committed run came to. `tally` is how the asking went, if this process asked; `started` is when it
/// began. The run stays committed, whatever becomes of its summary.
pub async fn sum_up(
    lake: &Lake,
    commit: &Commit,
    config: &Config,
    (tally, started): (Option<Tally>, Instant),
) -> Outcome {
    let gaps = list_gaps_or_warn(lake, commit).await;
    let mut summary = Summary::new(lake, commit, gaps, tally, started.elapsed());
    let outcome = outcome(&summary, config);
    summary.exit_code = outcome.code();
    print_summary(&summary, commit, config);
    outcome
}

/// Prints the summary of a committed run, or says that the run is committed nevertheless.
pub fn print_summary(summary: &Summary, commit: &Commit, config: &Config) {
    if let Err(failure) = render::summary(summary, config.output.format) {
        error!(run_id = %commit.run_id, "the run is committed, but its summary was not printed: {}", failure.message());
    }
}

/// The gaps of a run, which is committed whether or not they can be told.
pub async fn list_gaps_or_warn(lake: &Lake, commit: &Commit) -> Gaps {
    list_gaps(lake, commit).await.unwrap_or_else(|error| {
        warn!(%error, "the accounts that were not read whole cannot be named");
        Gaps::default()
    })
}

/// How a command ends whose run came to this.
pub fn outcome(summary: &Summary, config: &Config) -> Outcome {
    let left_out = summary.ingest.as_ref().is_some_and(|ingest| !ingest.left_out.is_empty());
    if summary.has_failed(config.output.fail_on) {
        Outcome::Findings
    } else if left_out || summary.coverage.partial + summary.coverage.failed > 0 {
        Outcome::Gaps
    } else {
        Outcome::Done
    }
}
