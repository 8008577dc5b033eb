//! `orgsweep config show`: every setting, and where its value was given.

use crate::failure::{Failure, Outcome};
use crate::render::print;
use crate::settings::{Format, Loaded};

/// Prints the settings as they are in force.
///
/// # Errors
/// Where stdout is gone.
pub fn show(loaded: &Loaded) -> Result<Outcome, Failure> {
    match loaded.config.output.format {
        Format::Text => print(&loaded.to_text())?,
        Format::Json => print(&format!("{:#}\n", loaded.to_json()))?,
    }
    Ok(Outcome::Done)
}
