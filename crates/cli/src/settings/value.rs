//! Values of settings, and the layers' common form of them: a value, and where it comes from.

use std::fmt;
use std::path::PathBuf;

use toml::de::DeValue;

/// The value of one setting, before anything is known of its range.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// TOML that no setting takes, as it was written: a date, a list of anything but texts.
    Unfit(String),
}

impl Value {
    /// The value of a TOML key; `written` is how it stands in the file.
    pub fn from_toml(value: &DeValue<'_>, written: &str) -> Self {
        Self::fit_from_toml(value).unwrap_or_else(|| Self::Unfit(written.to_owned()))
    }

    fn fit_from_toml(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Boolean(flag) => Some(Self::Flag(*flag)),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Self::Integer),
            DeValue::Float(number) => number.as_str().parse().ok().map(Self::Number),
            DeValue::String(text) => Some(Self::Text(text.to_string())),
            DeValue::Array(items) => {
                let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Self::List)
            }
            DeValue::Datetime(_) | DeValue::Table(_) => None,
        }
    }

    /// Reads `text`, from a flag or the environment, as a value of the same type as this one; lists are divided at
    /// commas. What is not of that type stays a text.
    pub fn same_type_from_text(&self, text: &str) -> Self {
        let value = match self {
            Self::Flag(_) => text.parse().ok().map(Self::Flag),
            Self::Integer(_) => text.parse().ok().map(Self::Integer),
            Self::Number(_) => text.parse().ok().map(Self::Number),
            Self::List(_) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(Self::List(items.map(str::to_owned).collect()))
            }
            Self::Text(_) | Self::Unfit(_) => None,
        };
        value.unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    /// Reads `text` as the TOML value it would be in a file; what is none is taken as a text.
    pub fn of_any_type(text: &str) -> Self {
        let parsed = DeValue::parse(text).ok();
        parsed.and_then(|value| Self::fit_from_toml(value.get_ref())).unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    /// This value, a whole number made a number where `default` is one.
    pub fn widened_to(self, default: &Self) -> Self {
        match (&self, default) {
            // Settings with a fraction are shares between 0 and 1, so a whole number that fits 32 bits is enough.
            (Self::Integer(number), Self::Number(_)) => {
                i32::try_from(*number).map_or(self, |number| Self::Number(number.into()))
            }
            _ => self,
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Integer(number) => (*number).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) | Self::Unfit(text) => text.as_str().into(),
            Self::List(items) => items.as_slice().into(),
        }
    }

    /// The value that [`Value::to_json`] wrote; `None` for JSON that no setting writes.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::Bool(flag) => Some(Self::Flag(*flag)),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Self::Integer).or_else(|| number.as_f64().map(Self::Number))
            }
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Array(items) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Self::List)
            }
            serde_json::Value::Null | serde_json::Value::Object(_) => None,
        }
    }
}

impl fmt::Display for Value {
    /// TOML, as it would stand in a settings file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "{}", toml::Value::from(text.as_str())),
            Self::List(items) => write!(f, "{}", toml::Value::from(items.clone())),
            Self::Unfit(written) => f.write_str(written),
        }
    }
}

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// A settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
    /// The `run.json` of a run that is resumed.
    Run,
}

impl Origin {
    /// The kind of place, one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
            Self::Run => "run",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Run => f.write_str("run.json"),
        }
    }
}

/// One setting: its value, and where that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The name, section and key: `role.name`.
    pub key: String,
    /// The value; of the type that the setting takes, once a `Config` was made of it.
    pub value: Value,
    /// Where it was given.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_from_its_own_toml_and_json() {
        for text in ["true", "-7", "0.5", r#"'a "b"'"#, r#"["111122223333", "@ids"]"#, "[]"] {
            let value = Value::of_any_type(text);
            assert_eq!(value.to_string(), text);
            assert_eq!(Value::from_json(&value.to_json()), Some(value));
        }
        assert_eq!(Value::of_any_type("4h, or so"), Value::Text("4h, or so".to_owned()));
    }

    #[test]
    fn a_whole_number_will_do_for_a_number_but_a_text_will_not() {
        let number = Value::Number(0.5);
        assert_eq!(Value::Integer(1).widened_to(&number), Value::Number(1.0));
        assert_eq!(Value::Text("1".to_owned()).widened_to(&number), Value::Text("1".to_owned()));
        assert_eq!(number.same_type_from_text("0.25"), Value::Number(0.25));
        assert_eq!(number.same_type_from_text("half"), Value::Text("half".to_owned()));
    }
}
