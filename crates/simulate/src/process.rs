//! One process of a run: it does its part of the work, as the command line would; and ends before, if it is doomed.

use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use orgsweep_build::{BuildOptions, Compute, build_tables, clear_journal};
use orgsweep_core::Plan;
use orgsweep_lake::{Lake, RollPolicy};
use orgsweep_sweep::{Discovered, Progress, Selection, Share, Stop, Sweep, SweepSettings, identify, rejoin, survey};

use crate::scenario::{Doom, Draws, LakeFaults};
use crate::store::{FaultyStore, Told};
use crate::world::World;

/// How long a process that is told to stop may take for it while no write hangs.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether a process keeps within its bounds.
const LOOK: Duration = Duration::from_millis(250);

/// What a process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// All of it: list, sweep, build, commit.
    Scan,
    /// List the accounts.
    Plan,
    /// Sweep a share.
    Sweep(Share),
    /// Build and commit.
    Commit,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan => f.write_str("scan"),
            Self::Plan => f.write_str("plan"),
            Self::Sweep(share) => write!(f, "sweep of share {share}"),
            Self::Commit => f.write_str("commit"),
        }
    }
}

/// What a process is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It asks AWS.
    Asking,
    /// It works on what is in the lake.
    Building,
}

impl Stage {
    /// How long it may last while no write hangs. An account may take half an hour, and settings may let one account at
    /// a time be asked; a build waits for nothing but its own few writes.
    fn lasts_at_most(self) -> Duration {
        match self {
            Self::Asking => Duration::from_hours(6),
            Self::Building => Duration::from_mins(1),
        }
    }
}

/// One process.
pub(crate) struct Process<'a> {
    world: &'a World,
    job: Job,
    name: String,
    doom: Doom,
    store: Arc<FaultyStore>,
    settings: SweepSettings,
    roll: RollPolicy,
    stop: Stop,
    progress: Arc<Progress>,
    stage: Cell<Stage>,
    /// One without leaves much to be asked again, and builds nothing.
    is_patient: bool,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The run is committed.
    Committed,
    /// It has done its part.
    Done(Job),
    /// It gave up, and said why.
    GaveUp(String),
    /// It was killed.
    Killed,
    /// It broke an invariant while it ran.
    Broke(String),
}

impl<'a> Process<'a> {
    /// A process that may be doomed, over a lake that may fail.
    pub(crate) fn new(world: &'a World, job: Job, name: String, draws: &mut Draws) -> Self {
        let fate = (draws.doom(), draws.lake_faults);
        let mut process = Self::with(world, job, name, (draws, fate));
        if let Some(attempts) = draws.impatience() {
            process.is_patient = false;
            process.settings.patience.attempts = attempts;
        }
        process
    }

    /// A process that nothing happens to.
    pub(crate) fn undisturbed(world: &'a World, job: Job, name: String, draws: &mut Draws) -> Self {
        Self::with(world, job, name, (draws, (Doom::None, LakeFaults::default())))
    }

    fn with(
        world: &'a World,
        job: Job,
        name: String,
        (draws, (doom, faults)): (&mut Draws, (Doom, LakeFaults)),
    ) -> Self {
        let told = Told { tracer: &world.tracer, witness: &world.witness };
        Self {
            world,
            job,
            name,
            doom,
            store: FaultyStore::new(&world.objects, faults, doom, draws.fork(), &told),
            settings: draws.sweep_settings(),
            roll: draws.roll(),
            stop: Stop::new(),
            progress: Arc::default(),
            stage: Cell::new(Stage::Asking),
            is_patient: true,
        }
    }

    /// The same, trying a call so often.
    #[cfg(test)]
    pub(crate) fn trying(mut self, attempts: u32) -> Self {
        self.settings.patience.attempts = attempts;
        self
    }

    /// Lives until its work is done, or the process ends otherwise.
    pub(crate) async fn live(self) -> Ending {
        self.note(&format!("begins: {}; {:?}", self.job, self.doom));
        let ending = tokio::select! {
            biased;
            () = self.store.death() => Ending::Killed,
            ending = self.doomed() => ending,
            broke = self.keeps_within_bounds() => Ending::Broke(broke),
            ended = self.work() => ended.unwrap_or_else(Ending::GaveUp),
        };
        self.store.kill();
        let tally = self.progress.tally();
        self.note(&format!("ends: {ending:?}; {} accounts read, {} requests", tally.done(), tally.requests));
        ending
    }

    async fn work(&self) -> Result<Ending, String> {
        let lake = Lake::over(Arc::clone(&self.store) as _, "memory");
        let run_id = &self.world.run.run_id;
        match self.job {
            Job::Plan => {
                let (cloud, selection) = (self.world.cloud(), Selection::default());
                let plan = survey(&cloud, &self.settings, &selection, &self.progress);
                let plan = self.unless_stopped(plan).await?;
                self.begin_run(&lake).await?;
                lake.write_plan(run_id, &plan).await.map_err(told)?;
            }
            Job::Scan => {
                self.begin_run(&lake).await?;
                let plan = self.sweep(&lake, Share::WHOLE).await?;
                return self.commit(&lake, &plan).await;
            }
            Job::Sweep(share) => drop(self.sweep(&lake, share).await?),
            Job::Commit => {
                let plan = lake.read_plan(run_id).await.map_err(told)?.ok_or("the run has no plan yet")?;
                return self.commit(&lake, &plan).await;
            }
        }
        Ok(Ending::Done(self.job))
    }

    async fn begin_run(&self, lake: &Lake) -> Result<(), String> {
        let run = &self.world.run;
        if lake.read_run(&run.run_id).await.is_err() {
            lake.create_run(run, &self.world.rules).await.map_err(told)?;
        }
        Ok(())
    }

    async fn sweep(&self, lake: &Lake, share: Share) -> Result<Plan, String> {
        let world = self.world;
        let plan = lake.read_plan(&world.run.run_id).await.map_err(told)?;
        let discovered = self.discover(plan.as_ref()).await?;
        let warm = if plan.is_none() { world.warm(lake).await.map_err(told)? } else { Vec::new() };
        let carried = world.carried(lake).await.map_err(told)?;
        self.note(&format!("starts with {} accounts, and carries {} reports over", warm.len(), carried.len()));
        let sweep = Sweep {
            cloud: Arc::new(world.cloud()),
            discovered,
            lake: lake.clone(),
            run: world.run.clone(),
            plan,
            share,
            warm,
            carried: Arc::new(carried),
            selection: Selection::default(),
            settings: self.settings.clone(),
            roll: self.roll.clone(),
            worker: self.name.clone(),
            began_at: world.now(),
            progress: Arc::clone(&self.progress),
            stop: self.stop.clone(),
        };
        let swept = sweep.run().await.map_err(told)?;
        self.note("has covered what it was to sweep");
        if self.is_patient {
            Ok(swept.plan)
        } else {
            Err("it had little patience, and leaves the rest to others".to_owned())
        }
    }

    async fn discover(&self, plan: Option<&Plan>) -> Result<Discovered, String> {
        let (cloud, settings, progress) = (self.world.cloud(), &self.settings, &self.progress);
        match plan {
            Some(plan) => self.unless_stopped(rejoin(&cloud, settings, plan, progress)).await,
            None => self.unless_stopped(identify(&cloud, settings, progress)).await,
        }
    }

    async fn commit(&self, lake: &Lake, plan: &Plan) -> Result<Ending, String> {
        self.stage.set(Stage::Building);
        let World { run, checker, part_bytes, .. } = self.world;
        let options = BuildOptions { compute: Compute::Inline, part_bytes: *part_bytes, ..BuildOptions::default() };
        let commit = self.unless_stopped(build_tables(lake, run, plan, checker, &options)).await?;
        // A write that was given up may still be done, so that nothing stops this one half-way.
        lake.write_commit(commit).await.map_err(told)?;
        clear_journal(lake, &run.run_id).await;
        Ok(Ending::Committed)
    }

    async fn unless_stopped<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, String>
    where
        E: std::error::Error,
    {
        tokio::select! {
            biased;
            () = self.stop.stopped() => Err("stopped".to_owned()),
            done = work => done.map_err(told),
        }
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
                self.stops_in_time().await
            }
            Doom::None | Doom::KilledAtWrite(..) => pending().await,
        }
    }

    /// Ends when a process that was told to stop has not. Nobody can stop a write that hangs: a second signal, or a
    /// kill, ends that.
    async fn stops_in_time(&self) -> Ending {
        let mut took = Duration::ZERO;
        while took < STOPS_WITHIN {
            if self.store.is_hanging() {
                return Ending::Killed;
            }
            tokio::time::sleep(LOOK).await;
            took += LOOK;
        }
        Ending::Broke(format!(
            "it did not stop within {STOPS_WITHIN:?} while {:?}, and no write hangs",
            self.stage.get()
        ))
    }

    /// Ends when more accounts are open at once than settings allow, or when the process is at something for longer
    /// than anything takes.
    async fn keeps_within_bounds(&self) -> String {
        let most = u64::try_from(self.settings.accounts_in_flight).unwrap_or(u64::MAX);
        let (mut stage, mut lasted) = (self.stage.get(), Duration::ZERO);
        loop {
            let open = self.progress.tally().in_flight;
            if open > most {
                return format!("{open} accounts are open at once, of {most} that settings allow");
            }
            if lasted > stage.lasts_at_most() {
                return format!("it hangs: {stage:?} has lasted for {lasted:?} in which no write hung");
            }
            tokio::time::sleep(LOOK).await;
            if stage != self.stage.get() {
                (stage, lasted) = (self.stage.get(), Duration::ZERO);
            } else if !self.store.is_hanging() {
                lasted += LOOK;
            }
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
