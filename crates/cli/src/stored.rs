//! What a lake already holds: a committed run, and the rules that it was judged by.

use anyhow::anyhow;
use orgsweep_checks::RuleSet;
use orgsweep_core::{Run, RunId};
use orgsweep_lake::{Commit, Lake, LakeErrorKind};

use crate::args::RunChoice;
use crate::failure::Failure;

/// The committed run that is meant.
///
/// # Errors
/// Exit code 2 where there is no such run, or it is not committed.
pub async fn committed(lake: &Lake, choice: &RunChoice) -> Result<(Run, Commit), Failure> {
    let run_id: RunId = match choice {
        RunChoice::Run(run_id) => run_id.clone(),
        RunChoice::Latest => lake.latest_committed().await.map_err(Failure::not_committed)?.ok_or_else(|| {
            Failure::usage(anyhow!("{} has no committed run: sweep with orgsweep scan", lake.location()))
        })?,
    };
    let run = lake.read_run(&run_id).await.map_err(Failure::usage)?;
    let commit = lake.read_commit(&run_id).await.map_err(Failure::not_committed)?.ok_or_else(|| {
        let by =
            if run_id.is_ingest() { "ingest of the same files".to_owned() } else { format!("scan --resume {run_id}") };
        Failure::usage(anyhow!("run {run_id} is not committed: go on with it with {by}"))
    })?;
    Ok((run, commit))
}

/// The commit that somebody else made while this process was failing at the run; `None` also where nobody can tell.
pub async fn commit_after_all(lake: &Lake, run_id: &RunId) -> Option<Commit> {
    lake.read_commit(run_id).await.ok().flatten()
}

/// The rules that a run is judged by.
///
/// # Errors
/// Exit code 2 where they are missing, or are others than the run was started with.
pub async fn rules(lake: &Lake, run: &Run) -> Result<RuleSet, Failure> {
    let run_id = &run.run_id;
    let json = lake.read_rules(run_id).await.map_err(|error| match error.kind() {
        LakeErrorKind::NotFound => Failure::usage(anyhow!(
            "run {run_id} has no rules.json: use the version that wrote it, {}, or sweep again",
            run.orgsweep_version
        )),
        _ => Failure::not_committed(error),
    })?;
    let rules = RuleSet::from_json(&json).map_err(|error| {
        let told = format!("the rules.json of run {run_id} is damaged, so that nobody knows what it is judged by");
        Failure::usage(anyhow!(error.to_string()).context(told))
    })?;
    if rules.sha256() == run.rule_pack_sha256 {
        return Ok(rules);
    }
    Err(Failure::usage(anyhow!(
        "the rules.json of run {run_id} are not the rules that it was started with: use the version that wrote it, {}",
        run.orgsweep_version
    )))
}
