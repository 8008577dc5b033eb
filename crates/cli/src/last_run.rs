//! Which run a new one takes over from: the last committed run of its organization, where the settings want one.

use orgsweep_core::{Account, Caller, Organization, RunId};
use orgsweep_lake::{Lake, LakeError, LakeErrorKind};
use orgsweep_sweep::{Discovered, warm_of_plan};
use tracing::warn;

use crate::settings::Config;
use crate::wiring::selection;

/// The newest committed run of this organization.
///
/// # Errors
/// The lake fails.
async fn last_run(
    lake: &Lake,
    (caller, organization): (&Caller, Option<&Organization>),
) -> Result<Option<RunId>, LakeError> {
    for run_id in lake.swept().await? {
        let commit = match lake.read_commit(&run_id).await {
            Ok(Some(commit)) => commit,
            Ok(None) => continue,
            Err(error) if error.kind() == LakeErrorKind::Corrupt => {
                warn!(%run_id, %error, "nothing is taken over from this run");
                continue;
            }
            Err(error) => return Err(error),
        };
        let is_same = match (&commit.organization, organization) {
            (Some(then), Some(now)) => then.id == now.id,
            _ => commit.caller.account_id == caller.account_id,
        };
        if is_same {
            return Ok(Some(run_id));
        }
    }
    Ok(None)
}

/// The run that a new one carries reports over from, if it is to.
///
/// # Errors
/// The lake fails.
pub async fn carry_from(
    lake: &Lake,
    config: &Config,
    asked: (&Caller, Option<&Organization>),
) -> Result<Option<RunId>, LakeError> {
    if !config.sweep.incremental {
        return Ok(None);
    }
    if config.sweep.optional.key_ids {
        warn!(
            "--incremental carries no report over where --key-ids is given: whose keys to list, only a report that is fetched says"
        );
        return Ok(None);
    }
    let last = last_run(lake, asked).await?;
    if last.is_none() {
        warn!("there is no committed run of this organization to carry reports over from: all of them are fetched");
    }
    Ok(last)
}

/// The accounts that the last run asked and this one would ask too.
///
/// # Errors
/// The lake fails.
pub async fn warm_accounts(lake: &Lake, config: &Config, now: &Discovered) -> Result<Vec<Account>, LakeError> {
    if !config.sweep.warm_start {
        return Ok(Vec::new());
    }
    if !config.accounts.ous.is_empty() || !config.accounts.exclude_ous.is_empty() {
        // An account may have moved since, and one that is left out must not be asked for once.
        warn!("--warm-start does nothing where organizational units choose: where an account is, only the list says");
        return Ok(Vec::new());
    }
    let plan = match last_run(lake, (&now.caller, now.organization.as_ref())).await? {
        Some(run_id) => lake.read_plan(&run_id).await?,
        None => None,
    };
    let Some(plan) = plan else {
        warn!("there is no committed run of this organization to start warm from: its accounts are listed first");
        return Ok(Vec::new());
    };
    Ok(warm_of_plan(&plan, &selection(config)))
}
