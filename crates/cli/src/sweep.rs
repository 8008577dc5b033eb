//! `orgsweep sweep`: the middle part of a scan, or a share of it, so that several machines sweep one run.

use std::sync::Arc;
use std::time::Instant;

use indicatif::HumanCount;
use orgsweep_aws::AwsCloud;
use orgsweep_core::RunId;
use orgsweep_lake::Lake;
use orgsweep_sweep::{Progress, Share, SweepError, Tally};
use serde_json::json;

use crate::args::SweepArgs;
use crate::continued::{Chosen, Continued, chosen};
use crate::failure::{Failure, GoOn, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::render::print;
use crate::settings::{Format, Loaded};
use crate::share::share;
use crate::signals::Signals;
use crate::stored;
use crate::summary::CallSummary;
use crate::sweeping::{self, Sweeping};
use crate::wiring::connection;

/// What a worker has done.
struct Covered<'a> {
    lake: &'a Lake,
    run_id: &'a RunId,
    share: Share,
    /// How the asking went; `None` where the run is committed, so that nothing was left to ask.
    tally: Option<Tally>,
    seconds: f64,
}

/// Sweeps this machine's share of a run, or goes on with it.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn sweep(args: &SweepArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let share = share(&args.share, &loaded.machine)?;
    let lake = Lake::open(&loaded.config.lake).await.map_err(Failure::usage)?;
    let Chosen { run_id, older } = chosen(&lake, &args.run, "sweep").await?;
    let format = loaded.config.output.format;
    let mut covered = Covered { lake: &lake, run_id: &run_id, share, tally: None, seconds: 0.0 };
    if run_id.is_recheck() || lake.read_commit(&run_id).await.map_err(Failure::not_committed)?.is_none() {
        let swept = async {
            let continued = Continued::open(&lake, &run_id, loaded).await?;
            Box::pin(sweep_share(&lake, continued, share, (loaded, screen))).await
        };
        covered.tally = match swept.await {
            Ok(tally) => Some(tally),
            // What is committed is covered, by whomever.
            Err(_) if stored::commit_after_all(&lake, &run_id).await.is_some() => None,
            Err(failure) => {
                return Err(failure.or_older(older.map(|older| GoOn::sweep(lake.location(), &older, share))));
            }
        };
    }
    covered.seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    match format {
        Format::Text => print(&covered.text())?,
        Format::Json => print(&format!("{:#}\n", covered.document()))?,
    }
    Ok(Outcome::Done)
}

async fn sweep_share(
    lake: &Lake,
    mut continued: Continued,
    share: Share,
    (loaded, screen): (&Loaded, &Screen),
) -> Result<Tally, Failure> {
    if continued.plan.is_none() && !share.is_whole() {
        return Err(sweeping::failure(SweepError::NoPlan));
    }
    let plan = continued.plan.take();
    let config = &continued.config;
    let cloud = AwsCloud::connect(&connection(config)).await.map_err(Failure::not_committed)?;
    let signals = Signals::watch(config.output.format == Format::Json)?;
    let go_on = GoOn::sweep(lake.location(), &continued.run.run_id, share);
    signals.run_begins(go_on.clone());
    let progress = Arc::new(Progress::default());
    let machine = &loaded.machine;
    let sweeping =
        Sweeping { cloud: Arc::new(cloud), lake, config, machine, signals: &signals, progress: &progress, share };
    let shown = Shown::start(screen, &progress);
    let swept = async {
        let discovered = sweeping.discover(plan.as_ref()).await?;
        continued.refuse_elsewhere(&discovered)?;
        sweeping.sweep(&continued.run, plan, discovered).await
    };
    swept.await.map_err(|failure| failure.resumable(go_on))?;
    drop(shown);
    Ok(progress.tally())
}

impl Covered<'_> {
    fn text(&self) -> String {
        let run = self.run_id;
        let Some(tally) = &self.tally else {
            return format!("Run {run} is committed already: nothing is left to ask.\n");
        };
        let whole = self.share.is_whole();
        let what = if whole { format!("Run {run}") } else { format!("Share {} of run {run}", self.share) };
        let commit = GoOn::commit(self.lake.location(), run);
        let when = if whole { "Now" } else { "When every share is" };
        format!(
            "{what} is covered: {} accounts, {} of them before; {} read, {} only in part, {} not.\n{when}: {}\n",
            HumanCount(tally.done()),
            HumanCount(tally.earlier),
            HumanCount(tally.swept),
            HumanCount(tally.partial),
            HumanCount(tally.failed),
            commit.command(),
        )
    }

    fn document(&self) -> serde_json::Value {
        let count = |of: fn(&Tally) -> u64| self.tally.as_ref().map(of);
        json!({
            "run_id": self.run_id,
            "share": self.share.to_string(),
            "covered": true,
            "committed": self.tally.is_none(),
            "lake": self.lake.address("").trim_end_matches('/'),
            "accounts": count(Tally::done),
            "earlier": count(|tally| tally.earlier),
            "swept": count(|tally| tally.swept),
            "partial": count(|tally| tally.partial),
            "failed": count(|tally| tally.failed),
            "calls": self.tally.as_ref().map(CallSummary::of),
            "seconds": self.seconds,
        })
    }
}
