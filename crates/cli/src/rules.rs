//! The rule pack of a run: orgsweep's own rules, the user's folders, and other values for params.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use orgsweep_checks::{RuleFile, RulePack};

use crate::failure::Failure;
use crate::settings::Checks;

/// Reads the pack that the settings ask for.
///
/// # Errors
/// Exit code 2 where a folder or a rule file cannot be used; the message names it.
pub fn load(settings: &Checks) -> Result<RulePack, Failure> {
    let mut pack = RulePack::embedded().map_err(Failure::usage)?;
    for folder in &settings.dirs {
        let files = read_folder(folder).map_err(Failure::usage)?;
        let own = RulePack::parse(files).map_err(Failure::usage)?;
        pack = pack.merge(own).map_err(Failure::usage)?;
    }
    pack.with_params(settings.params_by_check()).map_err(Failure::usage)
}

fn read_folder(folder: &Path) -> anyhow::Result<Vec<RuleFile>> {
    let asked = || format!("rule files cannot be read from {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(asked)? {
        let path: PathBuf = entry.with_context(asked)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(anyhow!("{} holds no rule file: files that end in .toml are expected", folder.display()));
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| format!("rule file {} cannot be read", path.display()))?;
        Ok(RuleFile { name: path.display().to_string(), text })
    };
    paths.into_iter().map(read).collect()
}
