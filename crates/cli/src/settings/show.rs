//! `orgsweep config show`: every setting, its value, and where that was given.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::{Loaded, Origin, Setting, Value};

/// The setting whose value is not shown. AWS does not treat external ids as secrets, but people paste this output.
const HIDDEN: &str = "role.external_id";

impl Loaded {
    /// A line for each setting, as it would stand in a settings file, and where its value was given.
    pub fn to_text(&self) -> String {
        let assignments: Vec<_> =
            self.settings.iter().map(|setting| format!("{} = {}", setting.key, shown(setting))).collect();
        // A long list of accounts must not push every other line's origin out of sight.
        let width = assignments.iter().map(|text| text.chars().count()).filter(|width| *width <= 60).max().unwrap_or(0);
        let mut text = String::new();
        for (assignment, setting) in assignments.iter().zip(&self.settings) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{assignment:width$}  # {}", setting.origin);
        }
        text
    }

    /// An object with a member for each setting: its `value`, and its `origin`.
    pub fn to_json(&self) -> Json {
        let members = self.settings.iter().map(|setting| {
            let value = if is_hidden(setting) { shown(setting).into() } else { setting.value.to_json() };
            (setting.key.clone(), json!({ "value": value, "origin": origin_to_json(&setting.origin) }))
        });
        Json::Object(members.collect::<Map<_, _>>())
    }
}

fn is_hidden(setting: &Setting) -> bool {
    setting.key == HIDDEN && setting.value != Value::Text(String::new())
}

fn shown(setting: &Setting) -> String {
    if is_hidden(setting) { "(set)".to_owned() } else { setting.value.to_string() }
}

fn origin_to_json(origin: &Origin) -> Json {
    match origin {
        Origin::Default | Origin::Run => json!({ "kind": origin.kind() }),
        Origin::File { path, line } => {
            json!({ "kind": origin.kind(), "path": path.to_string_lossy(), "line": line })
        }
        Origin::Environment(name) | Origin::Flag(name) => json!({ "kind": origin.kind(), "name": name }),
    }
}
