//! A settings file as text: TOML to keys with values and lines. Knows nothing of which settings there are.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{SettingsError, Value};

/// One key of a settings file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The whole name, sections and key joined by dots.
    pub key: String,
    /// Its value; `None` for an empty table.
    pub value: Option<Value>,
    /// The line it stands on, from 1.
    pub line: usize,
}

/// Reads the text of the settings file at `path` into its keys, in the order in which they stand.
///
/// # Errors
/// When the text is not TOML, with the line.
pub fn parse_document(text: &str, path: &Path) -> Result<Vec<Entry>, SettingsError> {
    let table = DeTable::parse(text).map_err(|error| SettingsError::Syntax {
        path: path.to_owned(),
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut entries = Vec::new();
    push_entries(text, table.get_ref(), "", &mut entries);
    // The parser sorts keys by name; a person knows them in the order of the file.
    entries.sort_by_key(|(offset, _)| *offset);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn push_entries(text: &str, table: &DeTable<'_>, section: &str, entries: &mut Vec<(usize, Entry)>) {
    for (name, value) in table {
        let key = if section.is_empty() { name.get_ref().to_string() } else { format!("{section}.{}", name.get_ref()) };
        let offset = name.span().start;
        let value = match value.get_ref() {
            DeValue::Table(inner) if inner.is_empty() => None,
            DeValue::Table(inner) => {
                push_entries(text, inner, &key, entries);
                continue;
            }
            other => Some(Value::from_toml(other, text.get(value.span()).unwrap_or_default())),
        };
        entries.push((offset, Entry { key, value, line: line_at(text, offset) }));
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_file_order_with_their_lines() {
        let text = "[sweep]\nattempts = 3\n\n[role]\nname = 'x'\n[checks.params]\n[log]\nlevel = 2020-01-01\n";
        let entries = parse_document(text, Path::new("f")).unwrap();
        let seen: Vec<_> = entries.iter().map(|entry| (entry.key.as_str(), entry.line)).collect();
        assert_eq!(seen, [("sweep.attempts", 2), ("role.name", 5), ("checks.params", 6), ("log.level", 8)]);
        assert_eq!(entries[2].value, None);
        assert_eq!(entries[3].value, Some(Value::Unfit("2020-01-01".to_owned())));
    }

    #[test]
    fn what_is_not_toml_is_named_with_its_line() {
        let error = parse_document("[role]\nname = \n", Path::new("my.toml")).unwrap_err();
        assert!(error.to_string().starts_with("my.toml:2 is not TOML: "), "{error}");
    }
}
