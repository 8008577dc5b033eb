//! Ctrl-C and SIGTERM: the first stops the asking and lets the journal be written, the second ends the program at once.
//! Whatever hangs, the program ends in time. A signal that comes twice at nearly the same moment is one.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use orgsweep_sweep::Stop;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, GoOn, tell};

/// What a stopped program may take for its last segment. Five seconds are promised.
const GRACE: Duration = Duration::from_secs(4);

/// Within this time the same signal again is the same wish: `timeout`, shells and service managers send it to the
/// process and then to its group. Nobody presses a key twice so fast, nor means anything by it.
const ONE_WISH: Duration = Duration::from_millis(300);

/// Listens for signals on behalf of a run.
#[derive(Debug, Clone)]
pub struct Signals {
    stop: Stop,
    standing: Arc<Mutex<Standing>>,
}

/// What is to be said where the program has to end at once.
#[derive(Debug, Default)]
struct Standing {
    go_on: Option<GoOn>,
    stage: Stage,
    json: bool,
}

/// How far the run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing of it is committed.
    #[default]
    Open,
    /// Its `commit.json` is on its way, and may be there or not.
    Committing,
    /// It is committed.
    Committed,
}

impl Signals {
    /// Begins to listen; `json` says whether whoever reads stdout waits for a JSON document.
    ///
    /// # Errors
    /// Exit code 1 where the process cannot listen for signals.
    pub fn watch(json: bool) -> Result<Self, Failure> {
        let standing = Standing { json, ..Standing::default() };
        let signals = Self { stop: Stop::new(), standing: Arc::new(Mutex::new(standing)) };
        signals.clone().listen().map_err(Failure::not_committed)?;
        Ok(signals)
    }

    /// The switch that the first signal turns.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// From here on there is a run to go on with.
    pub fn run_begins(&self, go_on: GoOn) {
        self.with_standing(|standing| standing.go_on = Some(go_on));
    }

    /// From here on nobody can say that nothing is committed.
    pub fn run_is_being_committed(&self) {
        self.with_standing(|standing| standing.stage = Stage::Committing);
    }

    /// From here on nothing is left to stop.
    pub fn run_is_committed(&self) {
        self.with_standing(|standing| standing.stage = Stage::Committed);
    }

    /// Does the work unless a signal comes first.
    ///
    /// # Errors
    /// The work's, or exit code 1: it was stopped before `what`.
    pub async fn unless_stopped<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.stop.stopped() => Err(Failure::not_committed(anyhow!("stopped before {what}"))),
        }
    }

    fn listen(self) -> std::io::Result<()> {
        // On a thread of its own, which answers when every other one hangs.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (interrupt, terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let answering = move || runtime.block_on(self.answer(interrupt, terminate));
        std::thread::Builder::new().name("signals".to_owned()).spawn(answering).map(drop)
    }

    async fn answer(self, mut interrupt: Signal, mut terminate: Signal) {
        let first = wait_for_one(&mut interrupt, &mut terminate).await;
        let came = Instant::now();
        self.stop.stop();
        let second =
            async { while wait_for_one(&mut interrupt, &mut terminate).await == first && came.elapsed() < ONE_WISH {} };
        let why = tokio::select! {
            () = second => "stopped at once",
            () = tokio::time::sleep(GRACE) => "stopped, although something did not come to its end in time",
        };
        tell(&self.with_standing(|standing| standing.failure(why)));
        std::process::exit(1);
    }

    fn with_standing<T>(&self, use_it: impl FnOnce(&mut Standing) -> T) -> T {
        // It is whole after every statement, so a panic elsewhere cannot have broken it.
        use_it(&mut self.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Standing {
    fn failure(&self, why: &str) -> Failure {
        let failure = match (self.stage, &self.go_on) {
            (Stage::Committed, _) => {
                Failure::not_committed(anyhow!("{why}: the run is committed, its summary was not printed"))
            }
            (Stage::Committing, Some(go_on)) => Failure::not_committed(anyhow!(
                "{why}, while the run was being committed: it may be, and what tells is: {}",
                go_on.command()
            )),
            (Stage::Open, Some(go_on)) => Failure::not_committed(anyhow!(why.to_owned())).resumable(go_on.clone()),
            (_, None) => Failure::not_committed(anyhow!(why.to_owned())),
        };
        failure.told_as_json(self.json && self.stage == Stage::Open)
    }
}

async fn wait_for_one(interrupt: &mut Signal, terminate: &mut Signal) -> SignalKind {
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::RunId;

    use super::*;

    #[test]
    fn nobody_is_told_that_nothing_is_committed_once_it_may_be() {
        let go_on = GoOn::commit("lake", &RunId::parse("r1").unwrap());
        let told = |stage| Standing { go_on: Some(go_on.clone()), stage, json: true }.failure("stopped");
        let open = told(Stage::Open);
        assert!(open.is_resumable() && open.message() == "stopped", "{open:?}");
        for (stage, words) in [(Stage::Committing, "it may be"), (Stage::Committed, "the run is committed")] {
            let failure = told(stage);
            assert!(!failure.is_resumable() && failure.message().contains(words), "{failure:?}");
        }
        assert!(told(Stage::Committing).message().ends_with(go_on.command()));
    }
}
