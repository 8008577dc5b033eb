//! A run that is about to begin: settings and rules, checked before AWS is asked anything.

use std::sync::Arc;

use orgsweep_checks::{Basis, Checker, RuleSet};
use orgsweep_core::{Caller, Organization, Run, RunId, Sources, Timestamp};
use orgsweep_lake::Lake;

use crate::failure::Failure;
use crate::last_run::last_run;
use crate::rules;
use crate::settings::{Config, Loaded};
use crate::wiring::unasked_sources;

/// A run that lacks only who started it.
pub struct Draft {
    /// Its settings.
    pub config: Config,
    /// What judges it.
    pub checker: Arc<Checker>,
    as_of: Timestamp,
    rules: RuleSet,
    unasked: Sources,
    settings: serde_json::Map<String, serde_json::Value>,
}

impl Draft {
    /// Drafts a run by these settings; ages are judged against `as_of`, or against now.
    ///
    /// # Errors
    /// Exit code 2 where the rules cannot be used.
    pub fn new(loaded: &Loaded, as_of: Option<Timestamp>) -> Result<Self, Failure> {
        let as_of = as_of.unwrap_or_else(|| Timestamp::now().whole_seconds());
        let config = loaded.config.clone();
        let rules = rules::load(&config.checks)?;
        let unasked = unasked_sources(&config);
        rules::hold_tags(&rules, unasked, "add --account-tags (sweep.account_tags), which costs a call an account")?;
        let checker = Arc::new(Checker::compile(&rules, Basis { as_of, unasked }).map_err(Failure::usage)?);
        Ok(Self { config, checker, as_of, rules, unasked, settings: loaded.kept() })
    }

    /// Writes the run down. One that could never have begun is not worth going on with, so AWS has answered before.
    ///
    /// # Errors
    /// Exit code 1 where it cannot be written.
    pub async fn begin(
        &self,
        lake: &Lake,
        caller: &Caller,
        organization: Option<&Organization>,
    ) -> Result<Run, Failure> {
        let started_at = Timestamp::now();
        let carry_from = if self.config.sweep.incremental {
            last_run(lake, caller, organization).await.map_err(Failure::not_committed)?
        } else {
            None
        };
        let run = Run {
            run_id: RunId::new(started_at, fastrand::u32(..)),
            as_of: self.as_of,
            started_at,
            caller: caller.clone(),
            organization: organization.cloned(),
            orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
            rule_pack_sha256: self.rules.sha256(),
            unasked: self.unasked,
            recheck_of: None,
            carry_from,
            settings: self.settings.clone(),
        };
        lake.create_run(&run, &self.rules.to_json()).await.map_err(Failure::not_committed)?;
        Ok(run)
    }
}
