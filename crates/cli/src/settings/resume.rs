//! The settings that a run keeps: written to its `run.json`, and in force again when it is resumed.

use serde_json::{Map, Value as Json};

use super::{Loaded, Origin, Setting, SettingsError, Value};

/// The settings that decide which facts a run asks for, how they are judged, and the bytes of its tables. The others,
/// pace, patience and output, may change from one attempt at a run to the next.
const KEPT: [&str; 18] = [
    "role.name",
    "role.external_id",
    "role.session_name",
    "aws.partition",
    "accounts.include",
    "accounts.exclude",
    "accounts.ous",
    "accounts.exclude_ous",
    "sweep.max_report_age",
    "sweep.root_audit",
    "sweep.key_ids",
    "sweep.key_ids_max",
    "sweep.account_tags",
    "sweep.incremental",
    "build.part_bytes",
    "checks.dirs",
    "checks.overrides",
    "checks.exceptions",
];

/// The table of settings that are all kept.
const KEPT_TABLE: &str = "checks.params.";

fn is_kept(key: &str) -> bool {
    KEPT.contains(&key) || key.starts_with(KEPT_TABLE)
}

impl Loaded {
    /// The settings that `run.json` keeps, by key, in canonical form. The external id is among them, as a run cannot go
    /// on without it; AWS does not treat it as a secret.
    pub fn kept(&self) -> Map<String, Json> {
        let kept = self.settings.iter().filter(|setting| is_kept(&setting.key));
        kept.map(|setting| (setting.key.clone(), setting.value.to_json())).collect()
    }

    /// The params of checks that flags give.
    pub fn flagged_params(&self) -> impl Iterator<Item = &str> {
        let flagged = self.settings.iter().filter(|setting| matches!(setting.origin, Origin::Flag(_)));
        flagged.filter_map(|setting| setting.key.strip_prefix(KEPT_TABLE))
    }

    /// These settings with those that `run` kept in force: what file and environment say of them no longer counts.
    ///
    /// # Errors
    /// When a flag asks for something else than the run was started with, naming every such flag; and when the run
    /// kept other settings than this version has.
    pub fn resumed(&self, run: &Map<String, Json>) -> Result<Self, SettingsError> {
        let differences: Vec<_> = self.settings.iter().filter_map(|setting| difference(setting, run)).collect();
        if !differences.is_empty() {
            return Err(SettingsError::DiffersFromRun(differences));
        }
        if let Some(key) = KEPT.into_iter().find(|key| !run.contains_key(*key)) {
            return Err(SettingsError::ForeignRun { key: key.to_owned() });
        }
        let mut settings: Vec<_> =
            self.settings.iter().filter(|setting| !setting.key.starts_with(KEPT_TABLE)).cloned().collect();
        for (key, json) in run {
            let known = settings.iter_mut().find(|setting| &setting.key == key);
            match (Value::from_json(json), known) {
                (Some(value), Some(setting)) if is_kept(key) => {
                    *setting = Setting { key: key.clone(), value, origin: Origin::Run };
                }
                (Some(value), None) if is_kept(key) => {
                    settings.push(Setting { key: key.clone(), value, origin: Origin::Run });
                }
                _ => return Err(SettingsError::ForeignRun { key: key.clone() }),
            }
        }
        Self::check(settings, self.machine.clone())
    }
}

/// How a flag differs from what the run kept, if it does.
fn difference(setting: &Setting, run: &Map<String, Json>) -> Option<String> {
    let Origin::Flag(flag) = &setting.origin else { return None };
    if !is_kept(&setting.key) {
        return None;
    }
    let kept = run.get(&setting.key).and_then(Value::from_json);
    if kept.as_ref() == Some(&setting.value) {
        return None;
    }
    let kept = kept.map_or_else(|| "not set".to_owned(), |value| value.to_string());
    Some(format!("{} is {kept} in the run, but {} by {flag}", setting.key, setting.value))
}
