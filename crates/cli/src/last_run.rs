//! What a run takes over from the last committed run of its organization: reports that AWS cannot have replaced, and the
//! accounts to begin with.

use std::collections::HashMap;
use std::time::Duration;

use orgsweep_core::{Account, AccountId, Caller, Decision, Organization, ReportFacts, Run, RunId};
use orgsweep_lake::{Commit, Lake, LakeError};
use orgsweep_sweep::Discovered;
use tracing::{info, warn};

use crate::settings::Config;
use crate::wiring::selection;

/// AWS makes a credential report every four hours at most.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
const NOT_REPLACED_FOR: Duration = Duration::from_hours(4);

/// The last committed run of the lake, if it is of the same organization.
///
/// # Errors
/// The lake fails.
pub async fn last_run(
    lake: &Lake,
    caller: &Caller,
    organization: Option<&Organization>,
) -> Result<Option<RunId>, LakeError> {
    let Some(run_id) = lake.latest_swept().await? else { return Ok(None) };
    let Some(Commit { caller: then, organization: of, .. }) = lake.read_commit(&run_id).await? else { return Ok(None) };
    let is_same = match (&of, organization) {
        (Some(then), Some(now)) => then.id == now.id,
        _ => then.account_id == caller.account_id,
    };
    Ok(is_same.then_some(run_id))
}

/// The accounts that the last run asked and this one would ask too.
///
/// # Errors
/// The lake fails.
pub async fn warm_accounts(lake: &Lake, config: &Config, now: &Discovered) -> Result<Vec<Account>, LakeError> {
    if !config.sweep.warm_start {
        return Ok(Vec::new());
    }
    let plan = match last_run(lake, &now.caller, now.organization.as_ref()).await? {
        Some(run_id) => lake.read_plan(&run_id).await?,
        None => None,
    };
    let Some(plan) = plan else {
        warn!("there is no committed run of this organization to start warm from: its accounts are listed first");
        return Ok(Vec::new());
    };
    let selection = selection(config);
    let accounts = plan.accounts.into_iter().map(|planned| planned.account);
    Ok(accounts.filter(|account| selection.decide(account) == Decision::Ask).collect())
}

/// The reports that the run carries over.
///
/// # Errors
/// The lake fails.
pub async fn carried_reports(lake: &Lake, run: &Run) -> Result<HashMap<AccountId, ReportFacts>, LakeError> {
    let Some(run_id) = &run.carry_from else { return Ok(HashMap::new()) };
    let Some(commit) = lake.read_commit(run_id).await? else { return Ok(HashMap::new()) };
    let carried = lake.carried_reports(&commit, run.as_of.minus(NOT_REPLACED_FOR)).await?;
    info!(from = %run_id, reports = carried.len(), "reports that AWS cannot have replaced are carried over");
    Ok(carried)
}
