//! From settings as they were given to checked values: types, ranges, and one canonical form of each.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use orgsweep_core::AccountId;

use super::{Setting, SettingsError, Value};

/// Reads checked values from settings, and leaves the settings in canonical form: "60m" becomes "1h", lists of accounts
/// are sorted and hold ids alone. So two settings mean the same exactly if they are equal.
pub struct Reader<'a> {
    settings: &'a mut [Setting],
    read: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Reads from `settings`.
    pub fn new(settings: &'a mut [Setting]) -> Self {
        Self { settings, read: BTreeSet::new() }
    }

    /// The settings that nothing has read, but those of the table `except`.
    pub fn unread(&self, except: &str) -> Vec<&str> {
        let keys = self.settings.iter().map(|setting| setting.key.as_str());
        keys.filter(|key| !self.read.contains(*key) && !key.starts_with(except)).collect()
    }

    /// A text that `fits`.
    pub fn text(&mut self, key: &str, expected: &str, fits: fn(&str) -> bool) -> Result<String, SettingsError> {
        let setting = self.find(key, expected)?;
        match &setting.value {
            Value::Text(text) if fits(text) => Ok(text.clone()),
            _ => Err(refusal(setting, expected)),
        }
    }

    /// A text that `fits`, or nothing where it is empty.
    pub fn optional_text(
        &mut self,
        key: &str,
        expected: &str,
        fits: fn(&str) -> bool,
    ) -> Result<Option<String>, SettingsError> {
        let setting = self.find(key, expected)?;
        match &setting.value {
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) if fits(text) => Ok(Some(text.clone())),
            _ => Err(refusal(setting, expected)),
        }
    }

    /// One of a few words.
    pub fn word<T: FromStr>(&mut self, key: &str, expected: &str) -> Result<T, SettingsError> {
        self.optional_word(key, expected)?.ok_or_else(|| match self.find(key, expected) {
            Ok(setting) => refusal(setting, expected),
            Err(missing) => missing,
        })
    }

    /// One of a few words, or nothing where the text is empty.
    pub fn optional_word<T: FromStr>(&mut self, key: &str, expected: &str) -> Result<Option<T>, SettingsError> {
        let setting = self.find(key, expected)?;
        match &setting.value {
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) => text.parse().map(Some).map_err(|_| refusal(setting, expected)),
            _ => Err(refusal(setting, expected)),
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str) -> Result<bool, SettingsError> {
        let setting = self.find(key, "true or false")?;
        if let Value::Flag(flag) = setting.value { Ok(flag) } else { Err(refusal(setting, "true or false")) }
    }

    /// A whole number within `range`.
    pub fn integer<N>(&mut self, key: &str, range: RangeInclusive<N>) -> Result<N, SettingsError>
    where
        N: TryFrom<i64> + PartialOrd + fmt::Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let setting = self.find(key, &expected)?;
        let number = match setting.value {
            Value::Integer(number) => N::try_from(number).ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).ok_or_else(|| refusal(setting, &expected))
    }

    /// A share of a whole: above 0, up to 1.
    pub fn share(&mut self, key: &str) -> Result<f64, SettingsError> {
        let expected = "a number above 0 and up to 1, as in 0.5";
        let setting = self.find(key, expected)?;
        match setting.value {
            Value::Number(share) if share > 0.0 && share <= 1.0 => Ok(share),
            _ => Err(refusal(setting, expected)),
        }
    }

    /// A duration within `range`, which the setting afterwards has in its shortest form.
    pub fn duration(&mut self, key: &str, range: RangeInclusive<Duration>) -> Result<Duration, SettingsError> {
        let (low, high) = (short(*range.start()), short(*range.end()));
        let expected = format!("a duration from {low} to {high}, as in {high:?}");
        let setting = self.find(key, &expected)?;
        let parsed = match &setting.value {
            Value::Text(text) => humantime::parse_duration(text).ok(),
            _ => None,
        };
        let duration = parsed.filter(|it| range.contains(it)).ok_or_else(|| refusal(setting, &expected))?;
        setting.value = Value::Text(short(duration));
        Ok(duration)
    }

    /// A list of account ids, with the lines of each `@FILE` in its place; the setting afterwards has the bare ids.
    pub fn account_ids(&mut self, key: &str) -> Result<BTreeSet<AccountId>, SettingsError> {
        let expected = r#"a list of account ids of twelve digits, or "@FILE" for those in a file"#;
        let setting = self.find(key, expected)?;
        let Value::List(items) = &setting.value else { return Err(refusal(setting, expected)) };
        let mut ids = BTreeSet::new();
        for item in items {
            match item.strip_prefix('@') {
                Some(path) => ids.extend(read_account_ids(Path::new(path), setting)?),
                None => drop(ids.insert(AccountId::parse(item).map_err(|_| refusal_of(setting, item, expected))?)),
            }
        }
        setting.value = Value::List(ids.iter().map(ToString::to_string).collect());
        Ok(ids)
    }

    /// A list of ids of organizational units, or of the organization's root; the setting afterwards has each once.
    pub fn units(&mut self, key: &str) -> Result<BTreeSet<String>, SettingsError> {
        let expected = r#"a list of ids of organizational units, as in ["ou-ab12-cdef3456"]"#;
        let setting = self.find(key, expected)?;
        let Value::List(items) = &setting.value else { return Err(refusal(setting, expected)) };
        let is_id = |item: &str| item.starts_with("ou-") || item.starts_with("r-");
        if let Some(item) = items.iter().find(|item| !is_id(item)) {
            return Err(refusal_of(setting, item, expected));
        }
        let units: BTreeSet<String> = items.iter().cloned().collect();
        setting.value = Value::List(units.iter().cloned().collect());
        Ok(units)
    }

    /// A list of folders or files.
    pub fn paths(&mut self, key: &str, expected: &str) -> Result<Vec<PathBuf>, SettingsError> {
        let setting = self.find(key, expected)?;
        match &setting.value {
            Value::List(items) if items.iter().all(|item| !item.is_empty()) => {
                Ok(items.iter().map(PathBuf::from).collect())
            }
            _ => Err(refusal(setting, expected)),
        }
    }

    /// Everything in `table`, as the parts of the key below it and the value.
    pub fn table(&self, table: &str) -> impl Iterator<Item = (Vec<&str>, &Setting)> {
        self.settings.iter().filter_map(move |setting| {
            let below = setting.key.strip_prefix(table)?.strip_prefix('.')?;
            Some((below.split('.').collect(), setting))
        })
    }

    fn find(&mut self, key: &str, expected: &str) -> Result<&mut Setting, SettingsError> {
        self.read.insert(key.to_owned());
        let setting = self.settings.iter_mut().find(|setting| setting.key == key);
        setting.ok_or_else(|| SettingsError::Missing { key: key.to_owned(), expected: expected.to_owned() })
    }
}

/// The error for a setting whose value does not do.
pub fn refusal(setting: &Setting, expected: &str) -> SettingsError {
    let (key, origin) = (setting.key.clone(), setting.origin.clone());
    SettingsError::Value { key, value: setting.value.to_string(), origin, expected: expected.to_owned() }
}

/// The error for one item of a list.
fn refusal_of(setting: &Setting, item: &str, expected: &str) -> SettingsError {
    let with_item = Setting { value: Value::List(vec![item.to_owned()]), ..setting.clone() };
    refusal(&with_item, expected)
}

/// The account ids in a file, one a line; blank lines and those that begin with `#` are none.
fn read_account_ids(path: &Path, setting: &Setting) -> Result<Vec<AccountId>, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
        path: path.to_owned(),
        named_by: format!("named by {}, {}", setting.key, setting.origin),
        source,
    })?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let ids = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    ids.map(|(line, text)| {
        AccountId::parse(text).map_err(|_| SettingsError::AccountFile {
            path: path.to_owned(),
            line,
            text: text.to_owned(),
        })
    })
    .collect()
}

fn short(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}
