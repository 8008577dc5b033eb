//! The simulation's two clocks: the one that facts and reports go by, which may stand still, and the one that
//! credentials, quotas and latencies go by, which never does.

use orgsweep_core::Timestamp;
use tokio::time::Instant;

/// Both clocks. Real time is the wall clock at the start and what tokio's clock has counted since, so that it runs
/// with tokio's paused clock too.
#[derive(Debug)]
pub(super) struct Clock {
    started_at: Timestamp,
    started: Instant,
    fixed: Option<Timestamp>,
}

impl Clock {
    pub(super) fn new(fixed: Option<Timestamp>) -> Self {
        Self { started_at: Timestamp::now(), started: Instant::now(), fixed: fixed.map(Timestamp::whole_seconds) }
    }

    /// Real time at this instant.
    pub(super) fn real(&self, now: Instant) -> Timestamp {
        self.started_at.plus(now.saturating_duration_since(self.started))
    }

    /// The time that reports go by at this instant, in whole seconds.
    pub(super) fn of_facts(&self, now: Instant) -> Timestamp {
        self.fixed.unwrap_or_else(|| self.real(now).whole_seconds())
    }
}
