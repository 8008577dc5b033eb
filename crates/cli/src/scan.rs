//! `orgsweep scan`: the whole straight line. Discover, sweep, build, commit.

use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use orgsweep_aws::{AwsCloud, Connection, Timeouts};
use orgsweep_build::{BuildOptions, build_run};
use orgsweep_checks::Checker;
use orgsweep_cloud::Cloud;
use orgsweep_core::{Plan, Run, RunId, Timestamp};
use orgsweep_lake::{Lake, RollPolicy};
use orgsweep_sweep::{
    Discovered, Patience, Progress, RoleSettings, Selection, Stop, Sweep, SweepError, SweepSettings, identify,
};

use crate::args::{Resume, ScanArgs};
use crate::failure::{Failure, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::settings::{Config, Loaded};
use crate::summary::Summary;
use crate::unread::list_unread;
use crate::{render, rules, signals};

/// The run that is swept, and with which settings.
struct Chosen {
    is_new: bool,
    run: Run,
    plan: Option<Plan>,
    config: Config,
    checker: Arc<Checker>,
}

/// Sweeps the organization that the standard AWS settings point at, or goes on with a run.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn scan(args: &ScanArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let location = &loaded.config.lake;
    let (lake, chosen) = if let Some(resume) = &args.resume {
        let lake = Lake::open(location).await.map_err(Failure::usage)?;
        let chosen = resumed(&lake, resume, loaded, args.as_of).await?;
        (lake, chosen)
    } else {
        let chosen = new_run(loaded, args.as_of.unwrap_or_else(|| Timestamp::now().whole_seconds()))?;
        (Lake::open_or_create(location).await.map_err(Failure::not_committed)?, chosen)
    };
    let cloud = AwsCloud::connect(&connection(&chosen.config)).await.map_err(Failure::not_committed)?;
    scan_chosen(Arc::new(cloud), &lake, chosen, screen).await
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
    scan_chosen(cloud, lake, new_run(loaded, Timestamp::now().whole_seconds())?, screen).await
}

async fn scan_chosen(cloud: Arc<dyn Cloud>, lake: &Lake, chosen: Chosen, screen: &Screen) -> Result<Outcome, Failure> {
    let progress = Arc::new(Progress::default());
    let identified = identify(&*cloud, &sweep_settings(&chosen.config), &progress).await;
    let discovered = identified.map_err(Failure::not_committed)?;
    // A run that could never have begun is not worth resuming, so it is written down only now.
    if chosen.is_new {
        lake.create_run(&chosen.run).await.map_err(Failure::not_committed)?;
    }
    let run_id = chosen.run.run_id.clone();
    let ended = straight_line(cloud, lake, chosen, discovered, (screen, progress)).await;
    ended.map_err(|failure| failure.resumable(&run_id, lake.location()))
}

/// The whole line: sweep, build and commit, summary.
async fn straight_line(
    cloud: Arc<dyn Cloud>,
    lake: &Lake,
    chosen: Chosen,
    discovered: Discovered,
    (screen, progress): (&Screen, Arc<Progress>),
) -> Result<Outcome, Failure> {
    let Chosen { run, plan, config, checker, .. } = chosen;
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

    shown.turn_to("checking, and writing the tables");
    let options = BuildOptions { part_bytes: config.part_bytes, ..BuildOptions::default() };
    let built = build_run(lake, &run, &swept.plan, &checker, &options).await;
    let commit = built.map_err(Failure::not_committed)?;
    drop(shown);

    let unread = list_unread(lake, &commit).await.map_err(Failure::not_committed)?;
    let mut summary = Summary::new(lake, &commit, unread, progress.tally(), started.elapsed());
    let outcome = outcome(&summary, &config);
    summary.exit_code = outcome.code();
    render::summary(&summary, config.output.format)?;
    Ok(outcome)
}

fn outcome(summary: &Summary, config: &Config) -> Outcome {
    let is_bad = |severity| config.output.fail_on.is_some_and(|least| severity >= least);
    if summary.findings.iter().any(|check| check.resources_failed > 0 && is_bad(check.severity)) {
        Outcome::Findings
    } else if summary.coverage.partial + summary.coverage.failed > 0 {
        Outcome::Gaps
    } else {
        Outcome::Done
    }
}

fn sweep_failure(error: SweepError) -> Failure {
    match error {
        SweepError::NotInOrganization { .. } | SweepError::NothingToAsk { .. } => Failure::usage(error),
        error => Failure::not_committed(error),
    }
}

fn new_run(loaded: &Loaded, as_of: Timestamp) -> Result<Chosen, Failure> {
    let config = loaded.config.clone();
    let pack = rules::load(&config.checks)?;
    let checker = Arc::new(Checker::compile(&pack, as_of).map_err(Failure::usage)?);
    let started_at = Timestamp::now();
    let run = Run {
        run_id: RunId::new(started_at, fastrand::u32(..)),
        as_of,
        started_at,
        orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
        rule_pack_sha256: pack.sha256(),
        settings: loaded.kept(),
    };
    Ok(Chosen { is_new: true, run, plan: None, config, checker })
}

async fn resumed(lake: &Lake, resume: &Resume, loaded: &Loaded, as_of: Option<Timestamp>) -> Result<Chosen, Failure> {
    let run_id = match resume {
        Resume::Run(run_id) => run_id.clone(),
        Resume::Latest => {
            let latest = lake.latest_uncommitted().await.map_err(Failure::not_committed)?;
            latest.ok_or_else(|| {
                Failure::usage(anyhow!("{} has no run to resume: every run in it is committed", lake.location()))
            })?
        }
    };
    let run = lake.read_run(&run_id).await.map_err(Failure::usage)?;
    if lake.read_commit(&run_id).await.map_err(Failure::not_committed)?.is_some() {
        return Err(Failure::usage(anyhow!("run {run_id} is committed: there is nothing to resume")));
    }
    if let Some(as_of) = as_of.filter(|as_of| *as_of != run.as_of) {
        let told = anyhow!("run {run_id} judges by {}, not by --as-of {as_of}: leave the flag out", run.as_of);
        return Err(Failure::usage(told));
    }
    let config = loaded.resumed(&run.settings).map_err(Failure::usage)?.config;
    let pack = rules::load(&config.checks)?;
    if pack.sha256() != run.rule_pack_sha256 {
        let told = anyhow!(
            "the rule files are not those that run {run_id} was started with: bring them back, or start a new run"
        );
        return Err(Failure::usage(told));
    }
    let plan = lake.read_plan(&run_id).await.map_err(Failure::not_committed)?;
    let checker = Arc::new(Checker::compile(&pack, run.as_of).map_err(Failure::usage)?);
    Ok(Chosen { is_new: false, run, plan, config, checker })
}

/// How AWS is reached.
pub fn connection(config: &Config) -> Connection {
    Connection { region: config.region.clone(), partition: config.partition, timeouts: timeouts(config) }
}

/// How long requests may take.
pub fn timeouts(config: &Config) -> Timeouts {
    Timeouts { connect: config.sweep.connect_timeout, read: config.sweep.read_timeout }
}

/// Which accounts are asked.
pub fn selection(config: &Config) -> Selection {
    Selection {
        include: config.accounts.include.iter().copied().collect(),
        exclude: config.accounts.exclude.iter().copied().collect(),
    }
}

/// How they are asked.
pub fn sweep_settings(config: &Config) -> SweepSettings {
    let sweep = &config.sweep;
    SweepSettings {
        role: RoleSettings {
            partition: config.partition,
            name: config.role.name.clone(),
            external_id: config.role.external_id.clone(),
            session_name: config.role.session_name.clone(),
            session_duration: config.role.session_duration,
        },
        patience: Patience {
            attempts: sweep.attempts,
            call_timeout: sweep.call_timeout,
            report_deadline: sweep.report_deadline,
            account_deadline: sweep.account_deadline,
            politeness: sweep.politeness,
            pacing: sweep.pacing,
        },
        max_report_age: sweep.max_report_age,
        accounts_in_flight: sweep.accounts_in_flight,
        seed: fastrand::u64(..),
    }
}
