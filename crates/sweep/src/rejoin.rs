//! Going on with a run: who asks now. What discovery found out stands in the plan.

use orgsweep_cloud::Cloud;
use orgsweep_core::Plan;

use crate::ask::Asker;
use crate::discover::{Discovered, ask_caller, identify};
use crate::error::SweepError;
use crate::pace::Pace;
use crate::progress::Progress;
use crate::settings::SweepSettings;

/// Asks AWS who the caller is. A caller in the account that made the plan is in the organization that the plan names,
/// so that nothing else is asked: `DescribeOrganization` allows two calls at once, and many workers start together.
///
/// # Errors
/// As [`identify`].
pub async fn rejoin(
    cloud: &dyn Cloud,
    settings: &SweepSettings,
    plan: &Plan,
    progress: &Progress,
) -> Result<Discovered, SweepError> {
    let pace = Pace::new(settings.patience.quota_share());
    let patience = settings.patience.for_first_contact();
    let asker = Asker::new(&pace, &patience, progress, settings.seed).at_first_contact();
    let caller = ask_caller(&asker, cloud).await?;
    if caller.account_id != plan.caller.account_id {
        return identify(cloud, settings, progress).await;
    }
    Ok(Discovered { caller, organization: plan.organization.clone(), features: plan.features.clone() })
}
