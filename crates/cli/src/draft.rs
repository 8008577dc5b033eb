//! A run that is about to begin: settings and rules, checked before AWS is asked anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::anyhow;
use orgsweep_build::Survey;
use orgsweep_checks::{Basis, Checker, RuleSet};
use orgsweep_core::{Caller, Organization, Run, RunId, Source, Sources, Timestamp};
use orgsweep_lake::{Lake, LakeErrorKind, Stage};

use crate::continued::refuse_elsewhere;
use crate::failure::Failure;
use crate::last_run::carry_from;
use crate::rules;
use crate::settings::{AccountFilter, Config, Loaded};
use crate::wiring::unasked_sources;

/// A run that lacks only who started it.
pub struct Draft {
    /// Its settings.
    pub config: Config,
    /// What judges it.
    pub checker: Arc<Checker>,
    as_of: Timestamp,
    /// The name that somebody gave it.
    run_id: Option<RunId>,
    /// The run of that name which an earlier process began, and of which it made no plan.
    begun: Option<Run>,
    rules: RuleSet,
    unasked: Sources,
    settings: serde_json::Map<String, serde_json::Value>,
}

impl Draft {
    /// Drafts a run by these settings; ages are judged against `as_of`, or against now.
    ///
    /// # Errors
    /// Exit code 2 where the rules cannot be used, or the settings leave no account whatever AWS lists.
    pub fn new(loaded: &Loaded, as_of: Option<Timestamp>) -> Result<Self, Failure> {
        hold_some_account(&loaded.config.accounts)?;
        let advice = "add --account-tags (sweep.account_tags), which costs a call an account";
        Self::of_sources(loaded, as_of, (unasked_sources(&loaded.config), advice))
    }

    /// Drafts a run of saved reports.
    ///
    /// # Errors
    /// As [`Draft::new`].
    pub fn of_reports(loaded: &Loaded, as_of: Option<Timestamp>) -> Result<Self, Failure> {
        let all_else = Source::ALL.into_iter().filter(|source| *source != Source::CredentialReport).collect();
        Self::of_sources(loaded, as_of, (all_else, "a credential report has none, so only a sweep can judge by them"))
    }

    fn of_sources(
        loaded: &Loaded,
        as_of: Option<Timestamp>,
        (unasked, advice): (Sources, &str),
    ) -> Result<Self, Failure> {
        let as_of = as_of.unwrap_or_else(|| Timestamp::now().whole_seconds());
        let config = loaded.config.clone();
        let rules = rules::load(&config.checks)?;
        rules::hold_tags(&rules, unasked, advice)?;
        let checker = Arc::new(Checker::compile(&rules, Basis { as_of, unasked }).map_err(Failure::usage)?);
        Ok(Self { config, checker, as_of, run_id: None, begun: None, rules, unasked, settings: loaded.kept() })
    }

    /// Gives the run a name. A run of that name which lacks its plan is gone on with: a job that was killed between the
    /// two is started again with the same command. `as_of` is the time that somebody asked for.
    ///
    /// # Errors
    /// Exit code 2 where the lake has a run of that name with a plan, or with other settings.
    pub async fn named(self, lake: &Lake, run_id: Option<RunId>, as_of: Option<Timestamp>) -> Result<Self, Failure> {
        let Some(run_id) = run_id else { return Ok(self) };
        let runs = lake.runs().await.map_err(Failure::not_committed)?;
        let Some(there) = runs.iter().find(|run| run.run_id == run_id) else {
            return Ok(Self { run_id: Some(run_id), ..self });
        };
        if there.stage != Stage::Begun || lake.read_plan(&run_id).await.map_err(Failure::usage)?.is_some() {
            return Err(taken(&run_id));
        }
        let begun = lake.read_run(&run_id).await.map_err(Failure::usage)?;
        let differing = self.differing(&begun, as_of);
        if !differing.is_empty() {
            let differing = differing.join(", ");
            return Err(Failure::usage(anyhow!(
                "run {run_id} was begun with other settings ({differing}) and has no plan yet: repeat the command that \
                 began it, or give this run another name"
            )));
        }
        let basis = Basis { as_of: begun.as_of, unasked: self.unasked };
        let checker = Arc::new(Checker::compile(&self.rules, basis).map_err(Failure::usage)?);
        Ok(Self { as_of: begun.as_of, run_id: Some(run_id), begun: Some(begun), checker, ..self })
    }

    /// What this run would do otherwise than one that was begun.
    fn differing(&self, begun: &Run, as_of: Option<Timestamp>) -> Vec<String> {
        let keys: BTreeSet<&String> = self.settings.keys().chain(begun.settings.keys()).collect();
        let settings = keys.into_iter().filter(|key| self.settings.get(*key) != begun.settings.get(*key)).cloned();
        let rules = (self.rules.sha256() != begun.rule_pack_sha256).then(|| "the rules".to_owned());
        let time = as_of.filter(|as_of| *as_of != begun.as_of).map(|_| "--as-of".to_owned());
        settings.chain(rules).chain(time).collect()
    }

    /// Writes the run down. One that could never have begun is not worth going on with, so AWS has answered before.
    ///
    /// # Errors
    /// Exit code 1 where it cannot be written, 2 where another run took its name meanwhile, or where it was begun in
    /// another organization.
    pub async fn begin(
        &self,
        lake: &Lake,
        caller: &Caller,
        organization: Option<&Organization>,
    ) -> Result<Run, Failure> {
        if let Some(begun) = &self.begun {
            refuse_elsewhere(begun, caller, organization)?;
            return Ok(begun.clone());
        }
        let started_at = Timestamp::now();
        let carry_from =
            carry_from(lake, &self.config, (caller, organization)).await.map_err(Failure::not_committed)?;
        let run_id = self.run_id.clone().unwrap_or_else(|| RunId::new(started_at, fastrand::u32(..)));
        let organization = organization.cloned();
        let run = Run { carry_from, organization, ..self.run(run_id, started_at, caller.clone()) };
        match lake.create_run(&run, &self.rules.to_json()).await {
            Ok(()) => Ok(run),
            Err(error) if error.kind() == LakeErrorKind::AlreadyExists => Err(taken(&run.run_id)),
            Err(error) => Err(Failure::not_committed(error)),
        }
    }

    /// Writes the run of these reports down, or finds the one that an earlier process began.
    ///
    /// # Errors
    /// Exit code 1 where it cannot be written.
    pub async fn begin_of_reports(&self, lake: &Lake, reports: &Survey) -> Result<Run, Failure> {
        let made_by = format!("{} {} {}", env!("CARGO_PKG_VERSION"), self.rules.sha256(), self.config.part_bytes);
        let run = self.run(reports.run_id(self.as_of, &made_by), Timestamp::now(), Caller::nobody());
        match lake.create_run(&run, &self.rules.to_json()).await {
            Ok(()) => Ok(run),
            Err(error) if error.kind() == LakeErrorKind::AlreadyExists => {
                lake.read_run(&run.run_id).await.map_err(Failure::not_committed)
            }
            Err(error) => Err(Failure::not_committed(error)),
        }
    }

    fn run(&self, run_id: RunId, started_at: Timestamp, caller: Caller) -> Run {
        Run {
            run_id,
            as_of: self.as_of,
            started_at,
            caller,
            organization: None,
            orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
            rule_pack_sha256: self.rules.sha256(),
            unasked: self.unasked,
            recheck_of: None,
            carry_from: None,
            settings: self.settings.clone(),
        }
    }
}

fn taken(run_id: &RunId) -> Failure {
    Failure::usage(anyhow!(
        "there is a run {run_id} in the lake already: give this one another name, or go on with that one by `orgsweep \
         sweep --run {run_id}`"
    ))
}

/// What can be known before AWS lists anything is not left for a run to fail at.
fn hold_some_account(accounts: &AccountFilter) -> Result<(), Failure> {
    let told = if !accounts.include.is_empty() && accounts.include.iter().all(|id| accounts.exclude.contains(id)) {
        "each of --accounts is among --exclude-accounts"
    } else if !accounts.ous.is_empty() && accounts.ous.iter().all(|unit| accounts.exclude_ous.contains(unit)) {
        "each --ou is an --exclude-ou as well"
    } else {
        return Ok(());
    };
    Err(Failure::usage(anyhow!("no account is left to ask: {told}")))
}
