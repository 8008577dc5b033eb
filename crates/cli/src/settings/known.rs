//! Which settings there are: `config/orgsweep.toml`, embedded, says so, and nothing else does.

use std::path::Path;

use super::document::parse_document;
use super::{Origin, Setting, SettingsError, Value};

/// The settings file that documents every setting, at its default.
pub const DEFAULTS: &str = include_str!("../../../../config/orgsweep.toml");

/// How near a name must be to be suggested, by Jaro-Winkler: above it stand slips of the finger, below it other words.
const NEAR: f64 = 0.8;

/// The settings there are.
#[derive(Debug, Clone)]
pub struct Known {
    defaults: Vec<Setting>,
    free_tables: Vec<String>,
}

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Admission<'a> {
    /// A value like this default.
    Like(&'a Value),
    /// Any plain value: it stands in a table whose keys are the user's own.
    Free,
    /// Nothing: there is no such setting.
    Unknown,
}

impl Known {
    /// The settings that the embedded file has. An empty table in it is one whose keys are the user's own.
    ///
    /// # Errors
    /// Never, as a test holds the embedded file to be TOML.
    pub fn embedded() -> Result<Self, SettingsError> {
        let (mut defaults, mut free_tables) = (Vec::new(), Vec::new());
        for entry in parse_document(DEFAULTS, Path::new("config/orgsweep.toml"))? {
            match entry.value {
                Some(value) => defaults.push(Setting { key: entry.key, value, origin: Origin::Default }),
                None => free_tables.push(entry.key),
            }
        }
        Ok(Self { defaults, free_tables })
    }

    /// Every setting at its default, in the order of the file.
    pub fn defaults(&self) -> &[Setting] {
        &self.defaults
    }

    /// What `key` may hold.
    pub fn admission(&self, key: &str) -> Admission<'_> {
        if let Some(setting) = self.defaults.iter().find(|setting| setting.key == key) {
            return Admission::Like(&setting.value);
        }
        if self.free_tables.iter().any(|table| is_inside(key, table)) { Admission::Free } else { Admission::Unknown }
    }

    /// The setting that `key` names on the command line, where `CHECK-ID.PARAM` stands for a check's param: ids of checks
    /// have a dash, and sections have none.
    pub fn whole_key(key: &str) -> String {
        let is_param = key.split_once('.').is_some_and(|(check, param)| check.contains('-') && !param.contains('.'));
        if is_param { format!("checks.params.{key}") } else { key.to_owned() }
    }

    /// Whether `key` names a section, which may stand empty in a file.
    pub fn is_section(&self, key: &str) -> bool {
        let names = self.defaults.iter().map(|setting| &setting.key).chain(&self.free_tables);
        names.into_iter().any(|name| name == key || is_inside(name, key)) && self.admission(key) == Admission::Unknown
    }

    /// The setting whose name is nearest to `key`, if one is near.
    pub fn nearest(&self, key: &str) -> Option<String> {
        nearest(key, self.defaults.iter().map(|setting| setting.key.clone()))
    }

    /// The setting that an environment variable gives.
    pub fn key_of_variable(&self, variable: &str) -> Option<&str> {
        let setting = self.defaults.iter().find(|setting| variable_of(&setting.key) == variable);
        setting.map(|setting| setting.key.as_str())
    }

    /// The environment variable whose name is nearest to `variable`, if one is near.
    pub fn nearest_variable(&self, variable: &str) -> Option<String> {
        nearest(variable, self.defaults.iter().map(|setting| variable_of(&setting.key)))
    }
}

/// The environment variable that gives the setting `key`: `ORGSWEEP_ROLE_NAME` for `role.name`.
pub fn variable_of(key: &str) -> String {
    format!("ORGSWEEP_{}", key.replace('.', "_").to_ascii_uppercase())
}

fn is_inside(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

/// The name that is nearest to the given one, if one is near.
pub fn nearest(given: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let scored = names.map(|name| (likeness(given, &name), name)).filter(|(score, _)| *score >= NEAR);
    scored.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, name)| name)
}

/// How alike two names are, 0 to 1. A right key in the wrong section is nearly right.
fn likeness(given: &str, name: &str) -> f64 {
    let last = |text: &str| text.rsplit('.').next().map(str::to_owned);
    let same_key = given.contains('.') && last(given) == last(name);
    strsim::jaro_winkler(given, name).max(if same_key { 0.95 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_setting() {
        let known = Known::embedded().unwrap();
        for (given, meant) in [
            ("role.nmae", "role.name"),
            ("rol.name", "role.name"),
            ("role.max_report_age", "sweep.max_report_age"),
            ("sweep.max_report_ag", "sweep.max_report_age"),
            ("lake.locaton", "lake.location"),
        ] {
            assert_eq!(known.nearest(given).as_deref(), Some(meant), "{given}");
        }
        assert_eq!(known.nearest("zzz"), None);
        assert_eq!(known.nearest_variable("ORGSWEEP_ROLE_NAM").as_deref(), Some("ORGSWEEP_ROLE_NAME"));
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        let known = Known::embedded().unwrap();
        for setting in known.defaults() {
            assert_eq!(known.key_of_variable(&variable_of(&setting.key)), Some(setting.key.as_str()));
        }
    }

    #[test]
    fn only_the_params_of_checks_are_the_users_own() {
        let known = Known::embedded().unwrap();
        assert_eq!(known.admission("checks.params.access-key-rotated.max_age_days"), Admission::Free);
        assert_eq!(known.admission("checks.other"), Admission::Unknown);
        assert_eq!(
            Known::whole_key("access-key-rotated.max_age_days"),
            "checks.params.access-key-rotated.max_age_days"
        );
        assert_eq!(Known::whole_key("role.name"), "role.name");
        assert!(known.is_section("checks.params") && known.is_section("role") && !known.is_section("role.name"));
    }
}
