//! One run's world: the organization, the lake, and what all processes of the run share.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use orgsweep_checks::Checker;
use orgsweep_core::{Account, AccountId, ReportFacts, Run, RunId, Timestamp};
use orgsweep_lake::{Lake, LakeError};
use orgsweep_sim::{SimCloud, Simulation};
use orgsweep_sweep::{Selection, carried_reports, warm_of_plan};
use tokio::time::Instant;

use crate::committed::Committed;
use crate::invariants::Violation;
use crate::trace::Tracer;
use crate::witness::Witness;

/// What all processes of a run share.
pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) objects: Arc<InMemory>,
    pub(crate) run: Run,
    pub(crate) rules: String,
    pub(crate) checker: Arc<Checker>,
    /// Where a part of a table ends: all builds of a run must agree on it.
    pub(crate) part_bytes: usize,
    pub(crate) tracer: Tracer,
    pub(crate) witness: Arc<Witness>,
    /// When its time began, which is the run's `as_of`.
    pub(crate) began: Instant,
    /// The run whose accounts it starts with.
    pub(crate) warm_from: Option<RunId>,
    /// The accounts whose reports are carried over, where these alone are.
    pub(crate) carries_only: Option<BTreeSet<AccountId>>,
}

impl World {
    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.run.as_of.plus(self.began.elapsed())
    }

    /// The organization, as a sweep sees it.
    pub(crate) fn cloud(&self) -> SimCloud {
        SimCloud::observed(Arc::clone(&self.simulation), Arc::clone(&self.witness) as _)
    }

    /// The lake, for whoever nothing happens to.
    pub(crate) fn lake(&self) -> Lake {
        Lake::over(Arc::clone(&self.objects) as Arc<dyn ObjectStore>, "memory")
    }

    /// The accounts that a process of the run begins with.
    pub(crate) async fn warm(&self, lake: &Lake) -> Result<Vec<Account>, LakeError> {
        let Some(run_id) = &self.warm_from else { return Ok(Vec::new()) };
        let plan = lake.read_plan(run_id).await?;
        Ok(plan.map(|plan| warm_of_plan(&plan, &Selection::default())).unwrap_or_default())
    }

    /// The reports that a process which begins now carries over.
    pub(crate) async fn carried(&self, lake: &Lake) -> Result<HashMap<AccountId, ReportFacts>, LakeError> {
        let mut carried = carried_reports(lake, &self.run, self.now()).await?;
        if let Some(only) = &self.carries_only {
            carried.retain(|account, _| only.contains(account));
        }
        Ok(carried)
    }

    /// Whether the run has a plan, so that its shares are known.
    pub(crate) async fn is_planned(&self) -> bool {
        matches!(self.lake().read_plan(&self.run.run_id).await, Ok(Some(_)))
    }

    /// The tables of the run, which is said to be committed.
    pub(crate) async fn committed(&self) -> Result<Committed, Violation> {
        self.witness.hold()?;
        match Committed::read(&self.objects, &self.run.run_id).await {
            Ok(Some(committed)) => Ok(committed),
            Ok(None) => Err(Violation::new("Exactly once", "a process says that it has committed, and nothing is")),
            Err(error) => Err(Violation::new("Exactly once", format!("the committed run cannot be read: {error}"))),
        }
    }
}
