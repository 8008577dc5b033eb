//! A run that an earlier command began: it goes on by its own settings and rules, whatever has changed since.

use std::sync::Arc;

use anyhow::anyhow;
use orgsweep_checks::{Basis, Checker};
use orgsweep_core::{Caller, Organization, Plan, Run, RunId, Timestamp};
use orgsweep_lake::{Lake, Stage};
use orgsweep_sweep::Discovered;

use crate::args::RunChoice;
use crate::failure::{Failure, quoted};
use crate::settings::{Config, Loaded};
use crate::{rules, stored};

/// A run, and all that it goes on with.
pub struct Continued {
    /// The run.
    pub run: Run,
    /// Its plan; `None` while discovery has not ended.
    pub plan: Option<Plan>,
    /// Its settings.
    pub config: Config,
    /// What judges it.
    pub checker: Arc<Checker>,
}

/// The run that a command goes on with.
pub struct Chosen {
    /// The run.
    pub run_id: RunId,
    /// The next newest one, where the newest was asked for: if that one can never end, it must not hide this one.
    pub older: Option<RunId>,
}

/// The run that is named, or the newest one that is not committed.
///
/// # Errors
/// Exit code 2 where there is none to `verb`, which says what there is.
pub async fn chosen(lake: &Lake, choice: &RunChoice, verb: &str) -> Result<Chosen, Failure> {
    match choice {
        RunChoice::Run(run_id) => Ok(Chosen { run_id: run_id.clone(), older: None }),
        RunChoice::Latest => match newest(lake).await? {
            Some(chosen) => Ok(chosen),
            None => Err(nothing_to_go_on_with(lake, verb).await?),
        },
    }
}

/// The newest run that is not committed.
///
/// # Errors
/// Exit code 1 where the lake cannot be listed.
pub async fn newest(lake: &Lake) -> Result<Option<Chosen>, Failure> {
    let mut uncommitted = lake.uncommitted().await.map_err(Failure::not_committed)?.into_iter();
    Ok(uncommitted.next().map(|run_id| Chosen { run_id, older: uncommitted.next() }))
}

async fn nothing_to_go_on_with(lake: &Lake, verb: &str) -> Result<Failure, Failure> {
    let mut runs = lake.runs().await.map_err(Failure::not_committed)?;
    runs.retain(|run| !run.run_id.is_recheck() && !run.run_id.is_ingest());
    let newest = |stage| runs.iter().rev().find(|run| run.stage == stage).map(|run| &run.run_id);
    let location = lake.location();
    let why = if let Some(run_id) = newest(Stage::Unknown) {
        format!(
            "run {run_id} has no run.json, so that nobody knows what it asks; put that back from a copy, or begin a new \
             scan and delete _runs/{run_id}"
        )
    } else if let Some(run_id) = newest(Stage::Abandoned) {
        format!(
            "its settings fit no account of the organization, as _runs/{run_id}/abandoned.json says; begin a new scan"
        )
    } else if runs.is_empty() {
        format!(
            "it holds no runs; begin one with orgsweep scan --lake {lake}, or orgsweep plan",
            lake = quoted(location)
        )
    } else {
        "every run in it is committed".to_owned()
    };
    Ok(Failure::usage(anyhow!("{location} has no run to {verb}: {why}")))
}

impl Continued {
    /// Opens a run that is not committed.
    ///
    /// # Errors
    /// Exit code 2 where there is no such run, it is a recheck, a flag differs from its settings, or its rules cannot be
    /// used.
    pub async fn open(lake: &Lake, run_id: &RunId, loaded: &Loaded) -> Result<Self, Failure> {
        let run = lake.read_run(run_id).await.map_err(Failure::usage)?;
        if let Some(sweep) = &run.recheck_of {
            let told = anyhow!("run {run_id} is a recheck, which asks AWS nothing: recheck --run {sweep} makes it");
            return Err(Failure::usage(told));
        }
        if run_id.is_ingest() {
            let told = anyhow!("run {run_id} is one of saved reports: ingest the same files again to go on with it");
            return Err(Failure::usage(told));
        }
        let config = loaded.resumed(&run.settings).map_err(Failure::usage)?.config;
        // The rule files may have changed since; the run goes on by those that it was started with.
        let rules = stored::rules(lake, &run).await?;
        rules::warn_of_change(&config.checks, &rules, run_id);
        let plan = lake.read_plan(run_id).await.map_err(Failure::not_committed)?;
        let basis = Basis { as_of: run.as_of, unasked: run.unasked };
        let checker = Arc::new(Checker::compile(&rules, basis).map_err(Failure::usage)?);
        Ok(Self { run, plan, config, checker })
    }

    /// Opens the run that `scan --resume` is for.
    ///
    /// # Errors
    /// As [`Continued::open`]; and exit code 2 where the run is committed, or judges by another time.
    pub async fn resumed(
        lake: &Lake,
        run_id: &RunId,
        loaded: &Loaded,
        as_of: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        if !run_id.is_recheck() && lake.read_commit(run_id).await.map_err(Failure::not_committed)?.is_some() {
            return Err(Failure::usage(anyhow!("run {run_id} is committed: there is nothing to resume")));
        }
        let continued = Self::open(lake, run_id, loaded).await?;
        let judged_by = continued.run.as_of;
        if let Some(as_of) = as_of.filter(|as_of| *as_of != judged_by) {
            let told = anyhow!("run {run_id} judges by {judged_by}, not by --as-of {as_of}: leave the flag out");
            return Err(Failure::usage(told));
        }
        Ok(continued)
    }

    /// A run is one organization's; going on with it elsewhere would call its accounts unreadable.
    ///
    /// # Errors
    /// Exit code 2 where whoever asks now is in another organization.
    pub fn refuse_elsewhere(&self, now: &Discovered) -> Result<(), Failure> {
        refuse_elsewhere(&self.run, &now.caller, now.organization.as_ref())
    }
}

/// A run is one organization's.
///
/// # Errors
/// Exit code 2 where whoever asks now is in another organization.
pub fn refuse_elsewhere(run: &Run, caller: &Caller, organization: Option<&Organization>) -> Result<(), Failure> {
    let (then_id, now_id) = match (&run.organization, organization) {
        (Some(then), Some(now)) => (then.id.clone(), now.id.clone()),
        _ => (run.caller.account_id.to_string(), caller.account_id.to_string()),
    };
    if then_id == now_id {
        return Ok(());
    }
    Err(Failure::usage(anyhow!(
        "run {} was started in {then_id}, and the caller is now in {now_id}: check AWS_PROFILE and AWS_ENDPOINT_URL",
        run.run_id
    )))
}
