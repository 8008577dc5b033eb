//! A seed, simulated: the undisturbed run, the disturbed one, and what is held against what.

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use orgsweep_checks::{Basis, Checker, RulePack, RuleSet};
use orgsweep_core::{AccountId, Caller, Run, RunId, Source, Sources};
use orgsweep_sim::{Profile, Simulation};

use crate::committed::Committed;
use crate::error::SimulateError;
use crate::invariants::{Extent, Violation, hold};
use crate::process::{Ending, Process, World};
use crate::scenario::{Draws, NOW, Scenario};
use crate::trace::{Trace, Tracer};

/// After so many rounds of doomed processes nothing more happens to them, so that a run comes to its end.
const DOOMED_ROUNDS: u32 = 8;

/// A run that is not committed after so many rounds more, while only AWS fails, never will be.
const QUIET_ROUNDS: u32 = 8;

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
            let ended = self.run(seed, &tracer).await;
            Simulated { trace: tracer.trace(), ended }
        }))
    }

    async fn run(&self, seed: u64, tracer: &Tracer) -> Result<Held, Violation> {
        let mut draws = Draws::new(seed);
        let calm = self.world(&draws, Profile::instant(), tracer);
        let ended = Process::undisturbed(&calm, "undisturbed".to_owned(), &mut draws).live().await;
        let undisturbed = read(&calm, ended).await?;
        let world = self.world(&draws, self.scenario.profile.clone(), tracer);
        let mut held = Held::default();
        let ended = self.live_until_committed(&world, &mut draws, &mut held).await?;
        let disturbed = read(&world, ended).await?;
        let Extent { whole, told } = hold(&disturbed, &undisturbed, &world.simulation)?;
        let took = tracer.trace().events.last().map_or(Duration::ZERO, |event| event.after);
        Ok(Held { requests: world.simulation.requests_answered(), whole, told, took, ..held })
    }

    /// Starts processes until one of them has committed the run.
    async fn live_until_committed(
        &self,
        world: &World,
        draws: &mut Draws,
        held: &mut Held,
    ) -> Result<Ending, Violation> {
        for round in 0..DOOMED_ROUNDS + QUIET_ROUNDS {
            let rivals = if round < DOOMED_ROUNDS { draws.rivals } else { 1 };
            let mut processes = Vec::new();
            for rival in 0..rivals {
                let name = format!("round-{round:02}-{rival}");
                processes.push(if round < DOOMED_ROUNDS {
                    Process::new(world, name, draws)
                } else {
                    Process::undisturbed(world, name, draws)
                });
            }
            for ending in futures::future::join_all(processes.into_iter().map(Process::live)).await {
                held.processes += 1;
                held.killed += u64::from(ending == Ending::Killed);
                match ending {
                    Ending::Broke(told) => return Err(Violation::new("Bounded", told)),
                    Ending::Committed => return Ok(ending),
                    Ending::GaveUp(_) | Ending::Killed => {}
                }
            }
            tokio::time::sleep(draws.pause()).await;
        }
        Err(Violation::new("Exactly once", "the run is never committed"))
    }

    fn world(&self, draws: &Draws, profile: Profile, tracer: &Tracer) -> World {
        let unasked = optional_sources().without(draws.optional);
        let checker = if draws.optional == Sources::NONE { &self.without_optional } else { &self.with_optional };
        let settings = self.scenario.organization(draws.seed, profile);
        World {
            simulation: Arc::new(Simulation::new(&settings)),
            objects: Arc::default(),
            run: self.run_of(unasked),
            rules: self.rules.to_json(),
            checker: Arc::clone(checker),
            tracer: tracer.clone(),
        }
    }

    /// A run that nothing happens to, and whose it is.
    #[cfg(test)]
    pub(crate) async fn undisturbed(&self, seed: u64) -> (Committed, Arc<Simulation>) {
        let mut draws = Draws::new(seed);
        let calm = self.world(&draws, Profile::instant(), &Tracer::start());
        let ended = Process::undisturbed(&calm, "undisturbed".to_owned(), &mut draws).live().await;
        (read(&calm, ended).await.unwrap(), calm.simulation)
    }

    fn run_of(&self, unasked: Sources) -> Run {
        let account_id = AccountId::from_number(1);
        Run {
            run_id: RunId::new(NOW, 1),
            as_of: NOW,
            started_at: NOW,
            caller: Caller { account_id, arn: format!("arn:aws:iam::{account_id}:user/simulated") },
            organization: None,
            orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
            rule_pack_sha256: self.rules.sha256(),
            unasked,
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

/// The tables of a run that a process says it has committed.
async fn read(world: &World, ended: Ending) -> Result<Committed, Violation> {
    let objects: &Arc<InMemory> = &world.objects;
    match Committed::read(objects, &world.run.run_id).await {
        Ok(Some(committed)) => Ok(committed),
        Ok(None) => {
            Err(Violation::new("Exactly once", format!("a process ended with {ended:?}, and nothing is committed")))
        }
        Err(error) => Err(Violation::new("Exactly once", format!("the committed run cannot be read: {error}"))),
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
