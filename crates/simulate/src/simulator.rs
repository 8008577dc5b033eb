//! A seed, simulated: the run before, the disturbed run, the undisturbed one, and what is held against what.

use std::sync::Arc;
use std::time::Duration;

use orgsweep_checks::{Basis, Checker, RulePack, RuleSet};
use orgsweep_core::{AccountId, Caller, Run, RunId, Source, Sources, Timestamp};
use orgsweep_sim::{Profile, Simulation};
#[cfg(test)]
use orgsweep_sweep::Share;
use tokio::time::Instant;

use crate::campaign::Campaign;
use crate::committed::Committed;
use crate::error::SimulateError;
use crate::invariants::{Extent, Violation, hold, stays_as_it_was};
use crate::process::{Ending, Job, Process};
use crate::scenario::{Draws, Earlier, NOW, Scenario};
use crate::trace::{Trace, Tracer};
use crate::truth::Truth;
use crate::witness::Witness;
use crate::world::World;

/// Simulates seeds of one scenario. The rules are compiled once.
#[derive(Debug)]
pub struct Simulator {
    scenario: Scenario,
    rules: RuleSet,
    with_optional: Arc<Checker>,
    without_optional: Arc<Checker>,
}

/// What came of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// What happened, in order.
    pub trace: Trace,
    /// What it came to, or the invariant that does not hold.
    pub ended: Result<Held, Violation>,
}

/// A run that held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Processes that it took.
    pub processes: u64,
    /// Of these, processes that were killed.
    pub killed: u64,
    /// Requests that AWS was sent.
    pub requests: u64,
    /// Accounts that read as they would have undisturbed.
    pub whole: u64,
    /// Accounts that something lasting was wrong with, which say so.
    pub told: u64,
    /// Accounts whose report is carried over from an earlier run.
    pub carried: u64,
    /// The time that passed in the simulation.
    pub took: Duration,
}

impl Simulator {
    /// Makes everything ready for this scenario.
    ///
    /// # Errors
    /// The rules that come with orgsweep do not compile.
    pub fn new(scenario: Scenario) -> Result<Self, SimulateError> {
        let rules: RuleSet = RulePack::embedded()?.into();
        let compile = |unasked| Checker::compile(&rules, Basis { as_of: NOW, unasked }).map(Arc::new);
        let optional = optional_sources();
        let (with_optional, without_optional) = (compile(Sources::NONE)?, compile(optional)?);
        Ok(Self { scenario, rules, with_optional, without_optional })
    }

    /// Simulates one seed, on this thread alone.
    ///
    /// # Errors
    /// There is no runtime for it. An invariant that does not hold is no error here.
    pub fn simulate(&self, seed: u64) -> Result<Simulated, SimulateError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        Ok(runtime.block_on(async {
            let tracer = Tracer::start();
            let ended = Box::pin(self.run(seed, &tracer)).await;
            Simulated { trace: tracer.trace(), ended }
        }))
    }

    async fn run(&self, seed: u64, tracer: &Tracer) -> Result<Held, Violation> {
        let mut draws = Draws::new(seed);
        tracer.note(draws.told());
        let earlier = match draws.earlier {
            Some(earlier) => Some(self.run_before(earlier, &mut draws, tracer).await?),
            None => None,
        };
        let world = self.world(&draws, self.scenario.profile.clone(), (earlier.as_ref(), tracer));
        let mut campaign = Campaign::new(&world, &mut draws);
        campaign.live_until_committed().await?;
        let (processes, killed) = (campaign.processes, campaign.killed);
        let took = tracer.now();
        let disturbed = world.committed().await?;
        let undisturbed = self.run_undisturbed(&mut draws, (earlier.as_ref(), &disturbed), tracer).await?;
        let then = earlier.as_ref().map(|earlier| (&earlier.run.run_id, &*earlier.simulation));
        let truth = Truth { simulation: &world.simulation, optional: draws.optional, carried: then };
        let Extent { whole, told } = hold(&disturbed, &undisturbed, truth)?;
        if let Some(earlier) = earlier {
            stays_as_it_was(&earlier, &world).await?;
        }
        let carried = u64::try_from(disturbed.carried().len()).unwrap_or(u64::MAX);
        Ok(Held { processes, killed, requests: world.simulation.requests_answered(), whole, told, carried, took })
    }

    /// The earlier run that the one to come takes over from, with which nothing is wrong.
    async fn run_before(&self, earlier: Earlier, draws: &mut Draws, tracer: &Tracer) -> Result<World, Violation> {
        let accounts = self.scenario.accounts.saturating_sub(earlier.joined).max(1) + earlier.left;
        let settings = self.scenario.organization(draws, Profile::instant(), (accounts, earlier.as_of()));
        let world = World {
            simulation: Arc::new(Simulation::new(&settings)),
            run: self.run_of(earlier.as_of(), draws.optional),
            ..self.world(draws, Profile::instant(), (None, tracer))
        };
        scan_undisturbed(&world, "earlier", draws).await?;
        Ok(world)
    }

    /// A run like the one that everything happened to, with the same reports carried over, that nothing happens to.
    async fn run_undisturbed(
        &self,
        draws: &mut Draws,
        (earlier, disturbed): (Option<&World>, &Committed),
        tracer: &Tracer,
    ) -> Result<Committed, Violation> {
        let calm = World {
            warm_from: None,
            carries_only: Some(disturbed.carried()),
            ..self.world(draws, Profile::instant(), (earlier, tracer))
        };
        scan_undisturbed(&calm, "undisturbed", draws).await?;
        calm.committed().await
    }

    fn world(&self, draws: &Draws, profile: Profile, (earlier, tracer): (Option<&World>, &Tracer)) -> World {
        let with_optional = draws.optional != Sources::NONE;
        let checker = if with_optional { &self.with_optional } else { &self.without_optional };
        let settings = self.scenario.organization(draws, profile, (self.scenario.accounts, NOW));
        let earlier = earlier.zip(draws.earlier);
        let last = |takes_over: bool| earlier.filter(|_| takes_over).map(|(world, _)| world.run.run_id.clone());
        let carry_from = last(earlier.is_some_and(|(_, earlier)| earlier.carries));
        World {
            simulation: Arc::new(Simulation::new(&settings)),
            objects: Arc::new(earlier.map(|(world, _)| world.objects.fork()).unwrap_or_default()),
            run: Run { carry_from, ..self.run_of(NOW, draws.optional) },
            rules: self.rules.to_json(),
            checker: Arc::clone(checker),
            part_bytes: draws.part_bytes,
            tracer: tracer.clone(),
            witness: Arc::new(Witness::new(draws.optional)),
            began: Instant::now(),
            warm_from: last(earlier.is_some_and(|(_, earlier)| earlier.starts_warm)),
            carries_only: None,
        }
    }

    /// A run that nothing happens to, and what is true of it.
    #[cfg(test)]
    pub(crate) async fn undisturbed(&self, seed: u64) -> (Committed, Arc<Simulation>) {
        let mut draws = Draws::new(seed);
        draws.optional = Sources::NONE;
        let calm = self.world(&draws, Profile::instant(), (None, &Tracer::start()));
        scan_undisturbed(&calm, "undisturbed", &mut draws).await.unwrap();
        (calm.committed().await.unwrap(), calm.simulation)
    }

    /// The world of a run that one process has swept which tries a call so often, and that nobody has built.
    #[cfg(test)]
    pub(crate) async fn swept(&self, seed: u64, attempts: u32) -> World {
        let mut draws = Draws::new(seed);
        draws.optional = Sources::NONE;
        let world = self.world(&draws, self.scenario.profile.clone(), (None, &Tracer::start()));
        let mut process = |job| Process::undisturbed(&world, job, "swept".to_owned(), &mut draws);
        let (planning, sweeping) = (process(Job::Plan), process(Job::Sweep(Share::WHOLE)).trying(attempts));
        assert_eq!(Box::pin(planning.live()).await, Ending::Done(Job::Plan));
        assert_eq!(Box::pin(sweeping.live()).await, Ending::Done(Job::Sweep(Share::WHOLE)));
        world
    }

    fn run_of(&self, as_of: Timestamp, optional: Sources) -> Run {
        let account_id = AccountId::from_number(1);
        Run {
            run_id: RunId::new(as_of, 1),
            as_of,
            started_at: as_of,
            caller: Caller { account_id, arn: format!("arn:aws:iam::{account_id}:user/simulated") },
            organization: None,
            orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
            rule_pack_sha256: self.rules.sha256(),
            unasked: optional_sources().without(optional),
            recheck_of: None,
            carry_from: None,
            settings: serde_json::Map::new(),
        }
    }
}

/// Every source that a sweep asks only where it is told to.
fn optional_sources() -> Sources {
    Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect()
}

/// Has one process do all of a run.
async fn scan_undisturbed(world: &World, name: &str, draws: &mut Draws) -> Result<(), Violation> {
    match Box::pin(Process::undisturbed(world, Job::Scan, name.to_owned(), draws).live()).await {
        Ending::Committed => Ok(()),
        Ending::Broke(told) => Err(Violation::new("Bounded", told)),
        ending => Err(Violation::new("Exactly once", format!("a run that nothing happened to ended with {ending:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_same_story_again_and_another_seed_another() {
        let scenario = Scenario { accounts: 19, users_per_account: 3, profile: Profile::hostile() };
        let simulator = Simulator::new(scenario).unwrap();
        let told = |seed| simulator.simulate(seed).unwrap();
        let first = told(3);
        assert_eq!(first, told(3));
        assert_ne!(first.trace, told(4).trace);
        assert!(first.ended.is_ok(), "{:?}\n{}", first.ended, first.trace);
    }
}
