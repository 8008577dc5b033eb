//! Deterministic simulation: the real sweep and the real build, over a simulated organization and a lake in memory that
//! both fail, in processes that are killed and started again until the run is committed.
//!
//! One seed decides the organization, who sweeps it and after which earlier run, every fault and every kill; there is one
//! thread and a paused clock, so a seed that breaks an invariant breaks it again. This crate owns the faulty store and the
//! invariants, and knows what is true by the model; what it runs is production's own code.

mod campaign;
mod committed;
mod coverage;
mod error;
mod invariants;
mod process;
mod scenario;
mod simulator;
mod store;
mod trace;
mod truth;
mod witness;
mod world;

pub use coverage::{Coverage, Swept};
pub use error::SimulateError;
pub use invariants::Violation;
pub use scenario::Scenario;
pub use simulator::{Held, Simulated, Simulator};
pub use trace::{Event, Trace};
