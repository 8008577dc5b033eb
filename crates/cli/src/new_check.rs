//! `orgsweep checks new`: a rule file to begin with, whose comments say what each key is for.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};

use anyhow::{Context, anyhow};
use orgsweep_checks::{RuleFile, RulePack};

use crate::args::NewArgs;
use crate::failure::{Failure, Outcome};
use crate::render::print;

/// The rule file: a whole check with cases that hold, to be changed into the one that is wanted.
const TEMPLATE: &str = include_str!("new_check.toml");

/// The id in the template.
const TEMPLATE_ID: &str = "NEW-CHECK-ID";

/// Writes `<id>.toml`.
///
/// # Errors
/// Exit code 2 where the id cannot be one, is taken, or the file is there already.
pub fn write(args: &NewArgs) -> Result<Outcome, Failure> {
    write_file(args).map_err(Failure::usage)
}

fn write_file(args: &NewArgs) -> anyhow::Result<Outcome> {
    let text = TEMPLATE.replace(TEMPLATE_ID, &args.id);
    let path = args.dir.join(format!("{}.toml", args.id));
    // An id that cannot be, or is one of orgsweep's own, is told before anything is written.
    RulePack::embedded()?
        .merge(RulePack::parse(vec![RuleFile { name: path.display().to_string(), text: text.clone() }])?)?;
    let written = || format!("{} cannot be written", path.display());
    fs::create_dir_all(&args.dir).with_context(written)?;
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file.write_all(text.as_bytes()).with_context(written)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(anyhow!("{} is there already: choose another id, or edit that file", path.display()));
        }
        Err(error) => return Err(error).with_context(written),
    }
    let dir = args.dir.display();
    let told = format!(
        "{} is written. Fill it in, then:\n  orgsweep checks test --checks {dir}\n  orgsweep checks show {} --checks {dir}\n  \
         orgsweep recheck --checks {dir}\n",
        path.display(),
        args.id
    );
    print(&told).map_err(|failure| anyhow!(failure.message()))?;
    Ok(Outcome::Done)
}
