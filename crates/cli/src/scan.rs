//! `orgsweep scan`: the whole straight line. Discover, sweep, build, commit.

use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use orgsweep_aws::AwsCloud;
use orgsweep_build::{BuildOptions, build_run};
use orgsweep_checks::{Basis, Checker, RuleSet};
use orgsweep_cloud::Cloud;
use orgsweep_core::{Plan, Run, RunId, Sources, Timestamp};
use orgsweep_lake::{Lake, RollPolicy};
use orgsweep_sweep::{Discovered, Progress, Stop, Sweep, SweepError, identify};
use tracing::{error, info, warn};

use crate::args::{RunChoice, ScanArgs};
use crate::failure::{Failure, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::settings::{Config, Loaded};
use crate::summary::Summary;
use crate::unread::{Gaps, list_gaps};
use crate::wiring::{connection, selection, sweep_settings, unasked_sources};
use crate::{render, rules, signals, stored};

/// Settings and rules that are checked, before AWS is asked anything.
struct Prepared {
    config: Config,
    checker: Arc<Checker>,
    start: Start,
}

/// Where a scan begins.
enum Start {
    /// With a run of its own.
    New(Draft),
    /// With a run that an earlier scan left.
    Resumed(Box<Run>, Option<Plan>),
}

/// A run that lacks only who started it.
struct Draft {
    as_of: Timestamp,
    rules: RuleSet,
    unasked: Sources,
    settings: serde_json::Map<String, serde_json::Value>,
}

impl Draft {
    fn started_by(&self, discovered: &Discovered) -> Run {
        let started_at = Timestamp::now();
        Run {
            run_id: RunId::new(started_at, fastrand::u32(..)),
            as_of: self.as_of,
            started_at,
            caller: discovered.caller.clone(),
            organization: discovered.organization.clone(),
            orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
            rule_pack_sha256: self.rules.sha256(),
            unasked: self.unasked,
            recheck_of: None,
            settings: self.settings.clone(),
        }
    }
}

/// Sweeps the organization that the standard AWS settings point at, or goes on with a run.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn scan(args: &ScanArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let location = &loaded.config.lake;
    let (lake, prepared) = if let Some(resume) = &args.resume {
        let lake = Lake::open(location).await.map_err(Failure::usage)?;
        let prepared = resumed(&lake, resume, loaded, args.as_of).await?;
        (lake, prepared)
    } else {
        let prepared = new_run(loaded, args.as_of.unwrap_or_else(|| Timestamp::now().whole_seconds()))?;
        (Lake::open_or_create(location).await.map_err(Failure::not_committed)?, prepared)
    };
    let cloud = AwsCloud::connect(&connection(&prepared.config)).await.map_err(Failure::not_committed)?;
    scan_prepared(Arc::new(cloud), &lake, prepared, screen).await
}

/// A sweep of this cloud into a new run, for whoever brings a cloud of their own.
///
/// # Errors
/// As [`scan`].
pub async fn scan_cloud(
    cloud: Arc<dyn Cloud>,
    lake: &Lake,
    loaded: &Loaded,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    scan_prepared(cloud, lake, new_run(loaded, Timestamp::now().whole_seconds())?, screen).await
}

async fn scan_prepared(
    cloud: Arc<dyn Cloud>,
    lake: &Lake,
    prepared: Prepared,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let Prepared { config, checker, start } = prepared;
    let progress = Arc::new(Progress::default());
    let identified = identify(&*cloud, &sweep_settings(&config), &progress).await;
    let discovered = identified.map_err(sweep_failure)?;
    let organization = discovered.organization.as_ref().map(|organization| &*organization.id);
    info!(caller = discovered.caller.arn, organization, "AWS answers");
    let (run, plan) = match start {
        Start::New(draft) => {
            // A run that could never have begun is not worth resuming, so it is written down only now.
            let run = draft.started_by(&discovered);
            lake.create_run(&run, &draft.rules.to_json()).await.map_err(Failure::not_committed)?;
            (run, None)
        }
        Start::Resumed(run, plan) => {
            refuse_other_organization(&run, &discovered)?;
            (*run, plan)
        }
    };
    info!(run_id = %run.run_id, lake = lake.location(), "sweeping");
    let chosen = Chosen { run, plan, config, checker, discovered };
    let run_id = chosen.run.run_id.clone();
    let ended = straight_line(cloud, lake, chosen, (screen, progress)).await;
    ended.map_err(|failure| failure.resumable(&run_id, lake.location()))
}

/// The run that is swept, and all that it is swept with.
struct Chosen {
    run: Run,
    plan: Option<Plan>,
    config: Config,
    checker: Arc<Checker>,
    discovered: Discovered,
}

/// The whole line: sweep, build and commit, summary.
async fn straight_line(
    cloud: Arc<dyn Cloud>,
    lake: &Lake,
    chosen: Chosen,
    (screen, progress): (&Screen, Arc<Progress>),
) -> Result<Outcome, Failure> {
    let Chosen { run, plan, config, checker, discovered } = chosen;
    let started = Instant::now();
    let stop = Stop::new();
    signals::watch(&stop, &run.run_id).map_err(Failure::not_committed)?;

    let mut shown = Shown::start(screen, &progress);
    let sweep = Sweep {
        cloud,
        discovered,
        lake: lake.clone(),
        run: run.clone(),
        plan,
        selection: selection(&config),
        settings: sweep_settings(&config),
        roll: RollPolicy { max_bytes: config.journal.roll_bytes, max_age: config.journal.roll_age },
        worker: format!("w{}", std::process::id()),
        progress: Arc::clone(&progress),
        stop,
    };
    let swept = sweep.run().await.map_err(sweep_failure)?;
    info!(accounts = swept.plan.accounts.len(), requests = progress.tally().requests, "swept");

    shown.turn_to("checking, and writing the tables");
    let options = BuildOptions { part_bytes: config.part_bytes, ..BuildOptions::default() };
    let built = build_run(lake, &run, &swept.plan, &checker, &options).await;
    let commit = built.map_err(Failure::not_committed)?;
    drop(shown);
    info!(findings = commit.tables.iter().find(|table| table.name == "findings").map(|table| table.rows), "committed");

    // From here on the run is committed, whatever becomes of its summary.
    let gaps = list_gaps(lake, &commit).await.unwrap_or_else(|error| {
        warn!(%error, "the accounts that were not read whole cannot be named");
        Gaps::default()
    });
    let mut summary = Summary::new(lake, &commit, gaps, Some(progress.tally()), started.elapsed());
    let outcome = outcome(&summary, &config);
    summary.exit_code = outcome.code();
    if let Err(failure) = render::summary(&summary, config.output.format) {
        error!(run_id = %commit.run_id, "the run is committed, but its summary was not printed: {}", failure.message());
    }
    Ok(outcome)
}

/// A run is one organization's; going on with it elsewhere would call its accounts unreadable.
fn refuse_other_organization(run: &Run, now: &Discovered) -> Result<(), Failure> {
    let (then_id, now_id) = match (&run.organization, &now.organization) {
        (Some(then), Some(now)) => (then.id.clone(), now.id.clone()),
        _ => (run.caller.account_id.to_string(), now.caller.account_id.to_string()),
    };
    if then_id == now_id {
        return Ok(());
    }
    let told =
        "run {run} was started in {then}, and the caller is now in {now}: check AWS_PROFILE and AWS_ENDPOINT_URL";
    let told = told.replace("{run}", run.run_id.as_str()).replace("{then}", &then_id).replace("{now}", &now_id);
    Err(Failure::usage(anyhow!(told)))
}

fn outcome(summary: &Summary, config: &Config) -> Outcome {
    if summary.has_failed(config.output.fail_on) {
        Outcome::Findings
    } else if summary.coverage.partial + summary.coverage.failed > 0 {
        Outcome::Gaps
    } else {
        Outcome::Done
    }
}

/// Which exit code a sweep's end has: a selection that fits no account, or a root audit that cannot be, is wrong usage.
pub fn sweep_failure(error: SweepError) -> Failure {
    match error {
        SweepError::NotInOrganization { .. }
        | SweepError::NotInUnits { .. }
        | SweepError::NoPath { .. }
        | SweepError::RootAuditOff
        | SweepError::NothingToAsk { .. } => Failure::usage(error),
        error => Failure::not_committed(error),
    }
}

fn new_run(loaded: &Loaded, as_of: Timestamp) -> Result<Prepared, Failure> {
    let config = loaded.config.clone();
    let rules = rules::load(&config.checks)?;
    let unasked = unasked_sources(&config);
    rules::hold_tags(&rules, unasked, "add --account-tags (sweep.account_tags), which costs a call an account")?;
    let checker = Arc::new(Checker::compile(&rules, Basis { as_of, unasked }).map_err(Failure::usage)?);
    let draft = Draft { as_of, rules, unasked, settings: loaded.kept() };
    Ok(Prepared { config, checker, start: Start::New(draft) })
}

async fn resumed(
    lake: &Lake,
    resume: &RunChoice,
    loaded: &Loaded,
    as_of: Option<Timestamp>,
) -> Result<Prepared, Failure> {
    let run_id = match resume {
        RunChoice::Run(run_id) => run_id.clone(),
        RunChoice::Latest => {
            let latest = lake.latest_uncommitted().await.map_err(Failure::not_committed)?;
            latest.ok_or_else(|| {
                Failure::usage(anyhow!("{} has no run to resume: every run in it is committed", lake.location()))
            })?
        }
    };
    let run = lake.read_run(&run_id).await.map_err(Failure::usage)?;
    if let Some(sweep) = &run.recheck_of {
        let told = anyhow!("run {run_id} is a recheck, which asks AWS nothing: recheck --run {sweep} makes it");
        return Err(Failure::usage(told));
    }
    if lake.read_commit(&run_id).await.map_err(Failure::not_committed)?.is_some() {
        return Err(Failure::usage(anyhow!("run {run_id} is committed: there is nothing to resume")));
    }
    if let Some(as_of) = as_of.filter(|as_of| *as_of != run.as_of) {
        let told = anyhow!("run {run_id} judges by {}, not by --as-of {as_of}: leave the flag out", run.as_of);
        return Err(Failure::usage(told));
    }
    let config = loaded.resumed(&run.settings).map_err(Failure::usage)?.config;
    // The rule files may have changed since; the run goes on by those that it was started with.
    let rules = stored::rules(lake, &run).await?;
    rules::warn_of_change(&config.checks, &rules, &run_id);
    let plan = lake.read_plan(&run_id).await.map_err(Failure::not_committed)?;
    let basis = Basis { as_of: run.as_of, unasked: run.unasked };
    let checker = Arc::new(Checker::compile(&rules, basis).map_err(Failure::usage)?);
    Ok(Prepared { config, checker, start: Start::Resumed(Box::new(run), plan) })
}
