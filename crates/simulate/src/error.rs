//! What keeps a simulation from being made at all, or from being measured.

use orgsweep_build::BuildError;
use orgsweep_checks::RuleError;
use orgsweep_lake::LakeError;

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
    /// What was swept cannot be built.
    #[error("the tables of the swept organization cannot be built")]
    Build(#[from] BuildError),
    /// What was built cannot be read.
    #[error("the tables of the swept organization cannot be read")]
    Lake(#[from] LakeError),
}
