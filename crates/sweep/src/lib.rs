//! The sweep: from an organization to a journal of snapshots.
//!
//! All patience lives here, once: pacing, polling, retrying and resuming. The crate knows the seam and the lake's
//! journal; it knows neither the AWS SDK nor the simulation, and nothing of tables and checks.

mod ask;
mod breaker;
mod bucket;
mod counted_writer;
mod discover;
mod earlier_run;
mod error;
mod gate;
mod key_ids;
mod ledger;
mod making;
mod memory;
mod others;
mod pace;
mod pages;
mod progress;
mod proof;
mod read_report;
mod rejoin;
mod report;
mod retries;
mod rival;
mod root_audit;
mod run;
#[cfg(test)]
mod scripted;
mod session;
mod settings;
mod share;
mod stop;
mod sweeper;
mod tags;
mod visit;

pub use discover::{Discovered, Selection, identify, survey};
pub use earlier_run::{carried_reports, warm_of_plan};
pub use error::SweepError;
pub use progress::{Progress, Tally};
pub use rejoin::rejoin;
pub use run::{Sweep, Swept};
pub use settings::{Patience, RoleSettings, SweepSettings};
pub use share::{InvalidShare, Share};
pub use stop::Stop;
