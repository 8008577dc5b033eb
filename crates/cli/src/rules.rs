//! The rules of a run: orgsweep's own, the user's folders, other values for params, overrides and exceptions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use orgsweep_checks::{RuleFile, RulePack, RuleSet, parse_exceptions, parse_overrides};
use orgsweep_core::{RunId, Source, Sources};
use tracing::warn;

use crate::failure::Failure;
use crate::settings::Checks;

/// Reads the rules that the settings ask for.
///
/// # Errors
/// Exit code 2 where a folder or a file cannot be used; the message names it.
pub fn load(settings: &Checks) -> Result<RuleSet, Failure> {
    let pack = load_pack(&settings.dirs)?;
    let (mut overrides, mut exceptions) = (Vec::new(), Vec::new());
    for path in &settings.overrides {
        let file = read_file(path).map_err(Failure::usage)?;
        overrides.extend(parse_overrides(&file, &pack).map_err(Failure::usage)?);
    }
    for path in &settings.exceptions {
        let file = read_file(path).map_err(Failure::usage)?;
        exceptions.extend(parse_exceptions(&file, &pack).map_err(Failure::usage)?);
    }
    let rules = RuleSet::from(pack).with_scoped(overrides, exceptions);
    rules.with_params(settings.params_by_check()).map_err(Failure::usage)
}

/// Reads orgsweep's own rules and those of these folders.
fn load_pack(folders: &[PathBuf]) -> Result<RulePack, Failure> {
    let mut pack = RulePack::embedded().map_err(Failure::usage)?;
    for folder in folders {
        let files = read_folder(folder).map_err(Failure::usage)?;
        let own = RulePack::parse(files).map_err(Failure::usage)?;
        pack = pack.merge(own).map_err(Failure::usage)?;
    }
    Ok(pack)
}

/// Holds the rules against the sources that no account is asked.
///
/// # Errors
/// Exit code 2 where accounts are told apart by tags, and nobody asks for tags; `advice` says what to do.
pub fn hold_tags(rules: &RuleSet, unasked: Sources, advice: &str) -> Result<(), Failure> {
    if rules.needs_tags() && unasked.contains(Source::AccountTags) {
        return Err(Failure::usage(anyhow!(
            "an override or an exception tells accounts apart by their tags: {advice}"
        )));
    }
    Ok(())
}

/// Warns whoever goes on with a run whose rules, `kept`, are no longer those that the settings name.
pub fn warn_of_change(settings: &Checks, kept: &RuleSet, run: &RunId) {
    match load(settings) {
        Ok(now) if now.sha256() == kept.sha256() => {}
        Ok(_) => warn!(
            "run {run} goes on by the rules, overrides and exceptions that it was started with; what they say now counts \
             for a new run, or for recheck"
        ),
        Err(failure) => warn!(
            error = failure.message(),
            "run {run} goes on by the rules that it was started with; those of now cannot be used"
        ),
    }
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
    paths.iter().map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> anyhow::Result<RuleFile> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(RuleFile { name: path.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Sources as SettingsSources, load as load_settings};

    const EXAMPLES: [&str; 2] = ["overrides", "exceptions"];

    #[test]
    fn the_examples_in_config_are_files_that_hold() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config");
        let mut checks = load_settings(&SettingsSources::of_flags(Vec::new())).unwrap().config.checks;
        let [overrides, exceptions] = EXAMPLES.map(|name| vec![Path::new(root).join(format!("{name}.toml"))]);
        (checks.overrides, checks.exceptions) = (overrides, exceptions);
        let rules = load(&checks).unwrap();
        assert_eq!((rules.overrides().len(), rules.exceptions().len()), (3, 2));
        let unasked = [Source::AccountTags].into_iter().collect();
        assert!(hold_tags(&rules, unasked, "ask").unwrap_err().message().ends_with("by their tags: ask"));
        hold_tags(&rules, Sources::NONE, "ask").unwrap();
    }
}
