//! The middle of a scan: AWS is asked, and the journal kept. `scan` and `sweep` both do it here.

use std::sync::Arc;

use orgsweep_cloud::Cloud;
use orgsweep_core::{Plan, Run, Timestamp};
use orgsweep_lake::Lake;
use orgsweep_sweep::{Discovered, Progress, Share, Sweep, SweepError, carried_reports, identify, rejoin};
use tokio::runtime::Builder;
use tracing::{info, warn};

use crate::allocator;
use crate::failure::Failure;
use crate::last_run::warm_accounts;
use crate::settings::{Config, Machine};
use crate::signals::Signals;
use crate::wiring::{roll_policy, selection, sweep_settings, worker};

/// Who asks whom, how, and for how long.
pub struct Sweeping<'a> {
    /// What is asked.
    pub cloud: Arc<dyn Cloud>,
    /// Where the journal lies.
    pub lake: &'a Lake,
    /// How it is asked.
    pub config: &'a Config,
    /// Who asks.
    pub machine: &'a Machine,
    /// How it is stopped.
    pub signals: &'a Signals,
    /// Where progress is counted.
    pub progress: &'a Arc<Progress>,
    /// What of the plan is asked.
    pub share: Share,
}

impl Sweeping<'_> {
    /// Finds out who asks, and which organization is asked: from the plan, where there is one.
    ///
    /// # Errors
    /// Exit code 1 where AWS does not say, 2 where it shows that the settings cannot be meant.
    pub async fn discover(&self, plan: Option<&Plan>) -> Result<Discovered, Failure> {
        let settings = sweep_settings(self.config);
        let asking = async {
            let found = match plan {
                Some(plan) => rejoin(&*self.cloud, &settings, plan, self.progress).await,
                None => identify(&*self.cloud, &settings, self.progress).await,
            };
            found.map_err(failure)
        };
        let discovered = self.signals.unless_stopped("AWS said who the caller is", asking).await?;
        let organization = discovered.organization.as_ref().map(|organization| &*organization.id);
        info!(caller = discovered.caller.arn, organization, "AWS answers");
        Ok(discovered)
    }

    /// Sweeps the share, and returns the whole plan.
    ///
    /// # Errors
    /// Exit code 1; what was read is in the journal.
    pub async fn sweep(&self, run: &Run, plan: Option<Plan>, discovered: Discovered) -> Result<Plan, Failure> {
        info!(run_id = %run.run_id, share = %self.share, lake = self.lake.location(), "sweeping");
        let has_plan = plan.is_some();
        let warm = match plan {
            None => warm_accounts(self.lake, self.config, &discovered).await.map_err(Failure::not_committed)?,
            Some(_) => Vec::new(),
        };
        let carried = carried_reports(self.lake, run, Timestamp::now()).await.map_err(Failure::not_committed)?;
        let sweep = Sweep {
            cloud: Arc::clone(&self.cloud),
            discovered,
            lake: self.lake.clone(),
            run: run.clone(),
            plan,
            share: self.share,
            warm,
            carried: Arc::new(carried),
            selection: selection(self.config),
            settings: sweep_settings(self.config),
            roll: roll_policy(self.config),
            worker: worker(self.machine),
            began_at: Timestamp::now(),
            progress: Arc::clone(self.progress),
            stop: self.signals.stop().clone(),
        };
        let swept = match on_own_threads(sweep.run()).await? {
            Ok(swept) => swept,
            Err(error) => {
                if !has_plan && is_unfit(&error) {
                    self.abandon(run, &error).await;
                }
                return Err(failure(error));
            }
        };
        info!(accounts = swept.plan.accounts.len(), requests = self.progress.tally().requests, "swept");
        Ok(swept.plan)
    }

    /// The same settings will fail alike whenever the run is gone on with, so it must not be what `latest` means.
    async fn abandon(&self, run: &Run, why: &SweepError) {
        if let Err(error) = self.lake.abandon_run(&run.run_id, &why.to_string()).await {
            warn!(run_id = %run.run_id, %error, "that the run can never have a plan could not be written down");
        }
    }
}

/// Does the work on threads of its own, which end with it and give back what they have freed: the allocator would keep it for
/// them while the tables are built.
async fn on_own_threads<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, Failure> {
    let threads = Builder::new_multi_thread().enable_all().on_thread_stop(allocator::give_back).build();
    let threads = threads.map_err(Failure::not_committed)?;
    let done = threads.spawn(work).await;
    threads.shutdown_background();
    done.map_err(Failure::not_committed)
}

/// Whether the organization's list shows that the run's settings cannot be meant.
fn is_unfit(error: &SweepError) -> bool {
    matches!(
        error,
        SweepError::NotInOrganization { .. }
            | SweepError::NotInUnits { .. }
            | SweepError::NoPath { .. }
            | SweepError::NothingToAsk { .. }
    )
}

/// Which exit code a sweep's end has: a selection that fits no account, a root audit that cannot be, or a share of
/// nothing is wrong usage.
pub fn failure(error: SweepError) -> Failure {
    let is_usage = is_unfit(&error) || matches!(error, SweepError::RootAuditOff | SweepError::NoPlan);
    if is_usage { Failure::usage(error) } else { Failure::not_committed(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_dies_on_threads_of_its_own_is_a_failure_here() {
        assert_eq!(on_own_threads(async { 7 }).await.map_err(|failure| failure.message()), Ok(7));
        let died = on_own_threads(async { assert_eq!(1, 2, "never so") }).await.unwrap_err();
        assert!(died.message().contains("never so"), "{}", died.message());
    }
}
