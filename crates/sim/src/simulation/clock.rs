//! The simulation's clocks: the one that facts and reports go by, which may stand still; the one that quotas and
//! latencies go by, which never does; and the one that credentials go by, which runs with that and may be off.

use std::time::Duration;

use orgsweep_core::Timestamp;
use tokio::time::Instant;

/// The clocks. Real time is that of the start, as a rule by the wall clock, and what tokio's clock has counted since, so that it runs
/// with tokio's paused clock too.
#[derive(Debug)]
pub(super) struct Clock {
    started_at: Timestamp,
    started: Instant,
    fixed: Option<Timestamp>,
    /// How far the clock of credentials is ahead.
    ahead_millis: i64,
}

impl Clock {
    pub(super) fn new(fixed: Option<Timestamp>, started_at: Timestamp, ahead_millis: i64) -> Self {
        let fixed = fixed.map(Timestamp::whole_seconds);
        Self { started_at, started: Instant::now(), fixed, ahead_millis }
    }

    /// How long the simulation has run at this instant.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// The time by which credentials expire at this instant.
    pub(super) fn of_credentials(&self, now: Instant) -> Timestamp {
        Timestamp::from_millis(self.real(now).millis().saturating_add(self.ahead_millis))
    }

    /// Real time at this instant.
    fn real(&self, now: Instant) -> Timestamp {
        self.started_at.plus(self.elapsed(now))
    }

    /// The time that reports go by at this instant, in whole seconds.
    pub(super) fn of_facts(&self, now: Instant) -> Timestamp {
        self.fixed.unwrap_or_else(|| self.real(now).whole_seconds())
    }
}
