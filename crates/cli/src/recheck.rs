//! `orgsweep recheck`: a committed run judged again, by the rules and params of now, without asking AWS.

use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use orgsweep_build::recheck_run;
use orgsweep_checks::{Basis, Checker, RuleSet};
use orgsweep_core::{Run, RunId, Timestamp};
use orgsweep_lake::{Commit, Lake, LakeErrorKind};

use crate::args::RecheckArgs;
use crate::committing::{list_gaps_or_warn, print_summary};
use crate::failure::{Failure, Outcome};
use crate::settings::Loaded;
use crate::summary::Summary;
use crate::wiring::build_options;
use crate::{rules, stored};

/// Judges the run again and commits what the checks say beside it.
///
/// # Errors
/// Exit code 2 where there is no such run or its rules cannot be used; 1 where nothing is committed.
pub async fn recheck(args: &RecheckArgs, loaded: &Loaded) -> Result<Outcome, Failure> {
    let config = &loaded.config;
    let started = Instant::now();
    let rules = rules::load(&config.checks)?;
    let lake = Lake::open(&config.lake).await.map_err(Failure::usage)?;
    let (sweep, facts) = stored::committed(&lake, &args.run).await?;
    if let Some(of) = &sweep.recheck_of {
        let told = anyhow!("run {} is a recheck itself: recheck the sweep that it judged, --run {of}", sweep.run_id);
        return Err(Failure::usage(told));
    }
    let advice = format!("run {} was swept without --account-tags", sweep.run_id);
    rules::hold_tags(&rules, sweep.unasked, &advice)?;
    let basis = Basis { as_of: sweep.as_of, unasked: sweep.unasked };
    let checker = Arc::new(Checker::compile(&rules, basis).map_err(Failure::usage)?);
    let run = begin(&lake, &sweep, &rules, loaded).await?;
    let judged = recheck_run(&lake, &run, &facts, &checker, &build_options(config)).await;
    let commit = judged.map_err(Failure::not_committed)?;
    summed_up(&lake, (&facts, &commit), loaded, started).await
}

/// The run of the recheck: the same facts judged by the same rules are the same run.
async fn begin(lake: &Lake, sweep: &Run, rules: &RuleSet, loaded: &Loaded) -> Result<Run, Failure> {
    let rule_pack_sha256 = rules.sha256();
    let run = Run {
        run_id: RunId::recheck(&sweep.run_id, &rule_pack_sha256),
        as_of: sweep.as_of,
        started_at: Timestamp::now(),
        caller: sweep.caller.clone(),
        organization: sweep.organization.clone(),
        orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
        rule_pack_sha256,
        unasked: sweep.unasked,
        carry_from: None,
        recheck_of: Some(sweep.run_id.clone()),
        settings: loaded.kept(),
    };
    match lake.create_run(&run, &rules.to_json()).await {
        Ok(()) => Ok(run),
        // An earlier recheck by these rules, ended or not: this one goes on with it.
        Err(error) if error.kind() == LakeErrorKind::AlreadyExists => {
            lake.read_run(&run.run_id).await.map_err(Failure::not_committed)
        }
        Err(error) => Err(Failure::not_committed(error)),
    }
}

async fn summed_up(
    lake: &Lake,
    (sweep, commit): (&Commit, &Commit),
    loaded: &Loaded,
    started: Instant,
) -> Result<Outcome, Failure> {
    let config = &loaded.config;
    let gaps = list_gaps_or_warn(lake, commit).await;
    let mut summary = Summary::new(lake, commit, gaps, None, started.elapsed());
    summary.compare(sweep);
    // Nothing was asked, so that nothing could be left unanswered: gaps are the sweep's, and were told by it.
    let outcome = if summary.has_failed(config.output.fail_on) { Outcome::Findings } else { Outcome::Done };
    summary.exit_code = outcome.code();
    print_summary(&summary, commit, config);
    Ok(outcome)
}
