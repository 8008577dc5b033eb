//! Settings: defaults, file, environment and flags become one checked [`Config`] before any work begins.
//!
//! Nothing else in the program reads the environment or a settings file. What a setting means to the sweep is not known
//! here, only its type and range.

mod config;
mod document;
mod error;
mod known;
mod layers;
mod machine;
mod reader;
mod resume;
mod show;
#[cfg(test)]
mod tests;
mod value;

pub use config::{AccountFilter, Checks, Config, Format, Level, Log};
pub use error::SettingsError;
pub use known::nearest as nearest_name;
pub use layers::{Assignment, FILE_VARIABLE, Sources};
pub use machine::{INDEX_VARIABLES, Machine};
pub use value::{Origin, Setting, Value};

/// Checked settings, and where each was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What the program works with.
    pub config: Config,
    /// Where it works.
    pub machine: Machine,
    settings: Vec<Setting>,
}

impl Loaded {
    fn check(mut settings: Vec<Setting>, machine: Machine) -> Result<Self, SettingsError> {
        Ok(Self { config: Config::check(&mut settings)?, machine, settings })
    }
}

/// Lays the sources over the defaults, the file first and the flags last, and checks the result.
///
/// # Errors
/// The first thing wrong with them; see [`SettingsError`].
pub fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
    Loaded::check(layers::lay(sources)?, Machine::of_environment(&sources.environment))
}
