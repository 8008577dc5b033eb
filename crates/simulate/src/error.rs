//! What keeps a simulation from being made at all.

use orgsweep_checks::RuleError;

/// A simulation that could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The rules do not compile.
    #[error("the rules that come with orgsweep cannot be used")]
    Rules(#[from] RuleError),
    /// There is no thread to run it on.
    #[error("a runtime for the simulation cannot be made")]
    Runtime(#[from] std::io::Error),
}
