//! One process of a run: it begins the run or goes on with it, sweeps, builds, commits; and ends before, if it is doomed.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use orgsweep_build::{BuildOptions, Compute, build_run};
use orgsweep_checks::Checker;
use orgsweep_core::Run;
use orgsweep_lake::{Lake, RollPolicy};
use orgsweep_sim::{SimCloud, Simulation};
use orgsweep_sweep::{Progress, Selection, Share, Stop, Sweep, SweepSettings, identify};

use crate::scenario::{Doom, Draws, LakeFaults, NOW};
use crate::store::FaultyStore;
use crate::trace::Tracer;

/// How long a process that is told to stop may take for it.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether a process keeps within its bounds.
const LOOK: Duration = Duration::from_millis(250);

/// What all processes of a run share.
pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) objects: Arc<InMemory>,
    pub(crate) run: Run,
    pub(crate) rules: String,
    pub(crate) checker: Arc<Checker>,
    pub(crate) tracer: Tracer,
}

/// One process.
pub(crate) struct Process<'a> {
    world: &'a World,
    name: String,
    doom: Doom,
    store: Arc<FaultyStore>,
    settings: SweepSettings,
    roll: RollPolicy,
    stop: Stop,
    progress: Arc<Progress>,
    /// Whether it builds what it has swept. One that does not has little patience, and leaves much to be asked again.
    builds: bool,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The run is committed.
    Committed,
    /// It gave up, and said why.
    GaveUp(String),
    /// It was killed.
    Killed,
    /// It broke an invariant while it ran.
    Broke(String),
}

impl<'a> Process<'a> {
    /// A process that may be doomed, over a lake that may fail.
    pub(crate) fn new(world: &'a World, name: String, draws: &mut Draws) -> Self {
        let fate = (draws.doom(), draws.lake_faults);
        let mut process = Self::with(world, name, draws, fate);
        if let Some(attempts) = draws.impatience() {
            process.builds = false;
            process.settings.patience.attempts = attempts;
        }
        process
    }

    /// A process that nothing happens to.
    pub(crate) fn undisturbed(world: &'a World, name: String, draws: &mut Draws) -> Self {
        Self::with(world, name, draws, (Doom::None, LakeFaults::default()))
    }

    fn with(world: &'a World, name: String, draws: &mut Draws, (doom, faults): (Doom, LakeFaults)) -> Self {
        Self {
            world,
            name,
            doom,
            store: FaultyStore::new(&world.objects, faults, doom, (draws.fork(), &world.tracer)),
            settings: draws.sweep_settings(),
            roll: draws.roll(),
            stop: Stop::new(),
            progress: Arc::default(),
            builds: true,
        }
    }

    /// Lives until the run is committed, or the process ends otherwise.
    pub(crate) async fn live(self) -> Ending {
        self.note(&format!("begins; {:?}", self.doom));
        let ending = tokio::select! {
            biased;
            () = self.store.death() => Ending::Killed,
            ending = self.doomed() => ending,
            broke = self.keeps_within_bounds() => Ending::Broke(broke),
            ended = self.work() => match ended {
                Ok(()) => Ending::Committed,
                Err(told) => Ending::GaveUp(told),
            },
        };
        self.store.kill();
        let tally = self.progress.tally();
        self.note(&format!("ends: {ending:?}; {} accounts read, {} requests", tally.done(), tally.requests));
        ending
    }

    async fn work(&self) -> Result<(), String> {
        let (world, run) = (self.world, &self.world.run);
        let store = Arc::clone(&self.store);
        let lake = Lake::over(store, "memory");
        if lake.read_run(&run.run_id).await.is_err() {
            lake.create_run(run, &world.rules).await.map_err(told)?;
        }
        let plan = lake.read_plan(&run.run_id).await.map_err(told)?;
        let cloud = Arc::new(SimCloud::new(Arc::clone(&world.simulation)));
        // As the command line does it: nothing is lost where AWS has not said yet who asks.
        let discovered = tokio::select! {
            biased;
            () = self.stop.stopped() => return Err("stopped before AWS said who the caller is".to_owned()),
            discovered = identify(&*cloud, &self.settings, &self.progress) => discovered.map_err(told)?,
        };
        let sweep = Sweep {
            cloud,
            discovered,
            lake: lake.clone(),
            run: run.clone(),
            plan,
            warm: Vec::new(),
            carried: Arc::default(),
            selection: Selection::default(),
            settings: self.settings.clone(),
            roll: self.roll.clone(),
            worker: self.name.clone(),
            share: Share::WHOLE,
            began_at: NOW.plus(world.tracer.now()),
            progress: Arc::clone(&self.progress),
            stop: self.stop.clone(),
        };
        let swept = sweep.run().await.map_err(told)?;
        self.note("has covered the plan");
        if !self.builds {
            return Err("it leaves the build to others".to_owned());
        }
        let options = BuildOptions { compute: Compute::Inline, ..BuildOptions::default() };
        build_run(&lake, run, &swept.plan, &world.checker, &options).await.map_err(told)?;
        Ok(())
    }

    /// Ends when the process is killed from outside, or has not stopped in time.
    async fn doomed(&self) -> Ending {
        match self.doom {
            Doom::KilledAfter(time) => {
                tokio::time::sleep(time).await;
                Ending::Killed
            }
            Doom::StoppedAfter(time) => {
                tokio::time::sleep(time).await;
                self.note("is told to stop");
                self.stop.stop();
                tokio::time::sleep(STOPS_WITHIN).await;
                // Nobody can stop a write that hangs, nor a build; a second signal, or a kill, ends them.
                if self.store.is_hanging() || self.is_building() {
                    Ending::Killed
                } else {
                    Ending::Broke(format!("it did not stop within {STOPS_WITHIN:?}"))
                }
            }
            Doom::None | Doom::KilledAtWrite(..) => pending().await,
        }
    }

    fn is_building(&self) -> bool {
        let tally = self.progress.tally();
        tally.all_listed && tally.in_flight == 0
    }

    /// Ends when more accounts are open at once than settings allow.
    async fn keeps_within_bounds(&self) -> String {
        let most = u64::try_from(self.settings.accounts_in_flight).unwrap_or(u64::MAX);
        loop {
            let open = self.progress.tally().in_flight;
            if open > most {
                return format!("{open} accounts are open at once, of {most} that settings allow");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn note(&self, what: &str) {
        self.world.tracer.note(format!("{} {what}", self.name));
    }
}

/// An error with all its causes.
fn told(error: impl std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
