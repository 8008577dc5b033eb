//! One sweep of a simulated organization in virtual time, into a lake in memory: what the benches that go by no real clock
//! share.

#![allow(dead_code, reason = "not every bench looks at everything")]

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use orgsweep_core::{Account, AccountId, Caller, Run, RunId, Source, Timestamp};
use orgsweep_lake::{Lake, RollPolicy};
use orgsweep_sim::{Profile, SimCloud, SimSettings, Simulation};
use orgsweep_sweep::{Patience, Progress, Selection, Share, Stop, Sweep, SweepSettings, Swept, Tally, identify};
use tokio::time::Instant;

/// 2026-11-22T10:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// How often it is looked how far a sweep is.
const LOOK: Duration = Duration::from_millis(20);

/// What a sweep came to.
pub(crate) struct Measured {
    /// What it planned.
    pub(crate) swept: Swept,
    /// Its counters at the end.
    pub(crate) tally: Tally,
    /// How long it took, by its own clock.
    pub(crate) took: Duration,
    /// When the accounts that it knew beforehand were in the journal.
    pub(crate) warm_journalled: Option<Duration>,
    /// Where the journal lies.
    pub(crate) lake: Lake,
}

/// An organization of so many accounts, 25 users in each.
pub(crate) fn organization(accounts: u32, profile: Profile) -> Arc<Simulation> {
    let settings = SimSettings {
        accounts: accounts - 1,
        users_per_account: 25,
        now: Some(NOW),
        profile,
        ..SimSettings::default()
    };
    Arc::new(Simulation::new(&settings))
}

/// Runs a future on one thread whose clock jumps where everybody waits.
pub(crate) fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be made").block_on(work)
}

/// Sweeps the organization into a journal, with the settings of `config/orgsweep.toml` but for politeness, which is 1.
pub(crate) async fn sweep(simulation: &Arc<Simulation>, warm: Vec<Account>) -> Measured {
    let started = Instant::now();
    let progress = Arc::new(Progress::default());
    let known = u64::try_from(warm.len()).expect("it is a count");
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = Lake::over(store, "memory");
    let sweeping = run_sweep(simulation, warm, (&lake, &progress));
    let watching = async {
        while known > 0 && progress.tally().journalled < known {
            tokio::time::sleep(LOOK).await;
        }
        (known > 0).then(|| started.elapsed())
    };
    let ((swept, took), warm_journalled) = tokio::join!(async { (sweeping.await, started.elapsed()) }, watching);
    Measured { swept, tally: progress.tally(), took, warm_journalled, lake }
}

async fn run_sweep(
    simulation: &Arc<Simulation>,
    warm: Vec<Account>,
    (lake, progress): (&Lake, &Arc<Progress>),
) -> Swept {
    let cloud = Arc::new(SimCloud::new(Arc::clone(simulation)));
    let settings = settings();
    let discovered = identify(&*cloud, &settings, progress).await.expect("the simulation answers");
    let sweep = Sweep {
        cloud,
        discovered,
        lake: lake.clone(),
        run: run(),
        plan: None,
        share: Share::WHOLE,
        warm,
        carried: Arc::default(),
        selection: Selection::default(),
        settings,
        roll: RollPolicy::default(),
        worker: "bench".to_owned(),
        began_at: NOW,
        progress: Arc::clone(progress),
        stop: Stop::new(),
    };
    sweep.run().await.expect("the organization can be swept")
}

/// The run that [`sweep`] makes, which asks no optional source.
pub(crate) fn run() -> Run {
    Run {
        run_id: RunId::new(NOW, 1),
        as_of: NOW,
        started_at: NOW,
        caller: Caller { account_id: AccountId::from_number(1), arn: "arn:aws:iam::000000000001:user/a".to_owned() },
        organization: None,
        orgsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
        rule_pack_sha256: String::new(),
        unasked: Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect(),
        recheck_of: None,
        carry_from: None,
        settings: serde_json::Map::new(),
    }
}

fn settings() -> SweepSettings {
    SweepSettings { patience: Patience { politeness: 1.0, ..Patience::default() }, seed: 7, ..SweepSettings::default() }
}
