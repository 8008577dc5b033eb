//! What happened in a simulation, in order, by the simulation's own clock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// How long after the simulation began.
    pub after: Duration,
    /// What it was.
    pub what: String,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>11.3}s  {}", self.after.as_secs_f64(), self.what)
    }
}

/// Everything that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The events, in order.
    pub events: Vec<Event>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

/// Writes a trace. Clones write the same one.
#[derive(Debug, Clone)]
pub(crate) struct Tracer {
    began: Instant,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Tracer {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), events: Arc::default() }
    }

    pub(crate) fn note(&self, what: impl Into<String>) {
        let event = Event { after: self.now(), what: what.into() };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// How long ago the simulation began.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn trace(&self) -> Trace {
        Trace { events: self.events.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }
}
