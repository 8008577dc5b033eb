//! `orgsweep ingest`: credential reports that somebody already has become a committed run, without AWS.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use orgsweep_build::{
    BadFile, BuildError, IngestOptions, Ingested, Survey, TimeOrigin, find_reports, ingest_tables, survey,
};
use orgsweep_core::{Run, Timestamp};
use orgsweep_lake::Lake;
use tracing::warn;

use crate::args::IngestArgs;
use crate::committing::{list_gaps_or_warn, outcome, print_summary, write_commit};
use crate::draft::Draft;
use crate::failure::{Failure, GoOn, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::settings::{Format, Loaded};
use crate::signals::Signals;
use crate::stored;
use crate::summary::{IngestSummary, LeftOut, Summary};
use crate::wiring::build_options;

/// Files that an error names.
const NAMED: usize = 20;

/// Makes a run of the reports and commits it; the same reports again are the same run.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn ingest(args: &IngestArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let config = &loaded.config;
    let signals = Signals::watch(config.output.format == Format::Json)?;
    let mut shown = Shown::start(screen, &Arc::default());
    shown.turn_to("looking for reports");
    let surveyed = signals.unless_stopped("the reports were found", look(args)).await?;
    let draft = Draft::of_reports(loaded, args.as_of.or(surveyed.newest()))?;
    let lake = Lake::open_or_create(&config.lake).await.map_err(Failure::not_committed)?;
    let run = draft.begin_of_reports(&lake, &surveyed).await?;
    let go_on = GoOn::ingest(&args.paths, lake.location(), &run.run_id);
    signals.run_begins(go_on.clone());

    shown.turn_to("reading reports, checking, and writing the tables");
    let mut told = tell(&surveyed);
    let options = IngestOptions { build: build_options(config), skip_bad: args.skip_bad };
    let committed = async {
        let built = async { Ok(ingest_tables(&lake, &run, surveyed.reports, &draft.checker, &options).await) };
        let built = signals.unless_stopped("the run was committed", Box::pin(built)).await;
        let ingested = built.map_err(|stopped| stopped.resumable(go_on.clone()))?;
        let ingested = ingested.map_err(|error| failure(error, go_on.clone()))?;
        let commit = write_commit(&lake, ingested.commit, &signals).await;
        Ok(Ingested { commit: commit.map_err(|unwritten| unwritten.resumable(go_on))?, ..ingested })
    };
    let ingested = match committed.await {
        Ok(ingested) => ingested,
        // Another may have committed meanwhile.
        Err(failure) => match stored::commit_after_all(&lake, &run.run_id).await {
            Some(commit) => Ingested::before(commit),
            None => return Err(failure),
        },
    };
    drop(shown);
    note(&mut told, &ingested, &run, screen);
    let gaps = list_gaps_or_warn(&lake, &ingested.commit).await;
    let mut summary = Summary::new(&lake, &ingested.commit, gaps, None, started.elapsed());
    summary.ingest = Some(told);
    let outcome = outcome(&summary, config);
    summary.exit_code = outcome.code();
    print_summary(&summary, &ingested.commit, config);
    Ok(outcome)
}

/// Finds the reports, and refuses what is none of them unless it may be left out.
async fn look(args: &IngestArgs) -> Result<Survey, Failure> {
    let (paths, generated_at) = (args.paths.clone(), args.generated_at);
    let looking = move || find_reports(&paths).map(|found| survey(found, generated_at));
    let looked = tokio::task::spawn_blocking(looking).await.map_err(Failure::not_committed)?;
    let surveyed = looked.map_err(Failure::usage)?;
    if !surveyed.bad.is_empty() && !args.skip_bad {
        return Err(bad_files(&surveyed.bad));
    }
    if surveyed.reports.is_empty() {
        let told = format!(
            "none of the {} files is a credential report: name files, folders or patterns of credential reports",
            surveyed.bad.len() + surveyed.passed_over
        );
        return Err(Failure::usage(anyhow!(told)));
    }
    Ok(surveyed)
}

fn failure(error: BuildError, go_on: GoOn) -> Failure {
    match error {
        BuildError::BadReports { bad } => bad_files(&bad),
        error => Failure::not_committed(error).resumable(go_on),
    }
}

fn bad_files(bad: &[BadFile]) -> Failure {
    let named = bad.iter().take(NAMED).map(|file| format!("\n  {}: {}", file.path.display(), file.reason));
    let named: String = named.collect();
    let more = match bad.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    Failure::not_committed(anyhow!(
        "nothing is committed, since {} of the files cannot be read as credential reports: mend them, leave them out, or commit \
         without them by --skip-bad{named}{more}",
        bad.len()
    ))
}

/// What is known of the reports before they are read.
fn tell(surveyed: &Survey) -> IngestSummary {
    let by_file = surveyed.reports.iter().filter(|report| report.time_origin == TimeOrigin::Modified).count();
    IngestSummary {
        reports: surveyed.reports.len(),
        file_bytes: surveyed.reports.iter().map(|report| report.bytes).sum(),
        csv_bytes: None,
        oldest_report: surveyed.oldest(),
        newest_report: surveyed.newest(),
        dated_by_file: by_file,
        superseded: surveyed.superseded.iter().map(|path| path.display().to_string()).collect(),
        passed_over: surveyed.passed_over,
        left_out: surveyed.bad.iter().map(left_out).collect(),
    }
}

/// Adds what is known now that they are read.
fn note(told: &mut IngestSummary, ingested: &Ingested, run: &Run, screen: &Screen) {
    told.csv_bytes = ingested.csv_bytes;
    told.left_out.extend(ingested.bad.iter().map(left_out));
    if ingested.csv_bytes.is_none() && !screen.quiet && !screen.json {
        eprintln!("Run {} is committed already: these reports were ingested before.", run.run_id);
    }
    warn_of_age(told.oldest_report, run.as_of);
}

fn left_out(bad: &BadFile) -> LeftOut {
    LeftOut { path: shown_path(&bad.path), reason: bad.reason.clone() }
}

fn shown_path(path: &Path) -> String {
    path.display().to_string()
}

/// Reports of one day belong together; those of many do not say what was true at any time.
fn warn_of_age(oldest: Option<Timestamp>, as_of: Timestamp) {
    let days = oldest.map_or(0, |oldest| as_of.since(oldest).as_secs() / (24 * 60 * 60));
    if days > 1 {
        warn!(
            %as_of,
            "the oldest of the reports is {days} days older than the time by which the run judges: ingest reports of \
             different days apart, each into a run of its own"
        );
    }
}
