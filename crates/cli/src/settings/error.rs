//! What can be wrong with settings. Every message names the setting, what was given, and where it was given.

use std::path::PathBuf;

use super::Origin;

/// Settings that cannot be used. Each is exit code 2, and no work has begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A settings file, or a list of accounts that a setting names, could not be read.
    #[error("{} cannot be read ({named_by})", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What asked for it.
        named_by: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// A settings file is not TOML.
    #[error("{}:{line} is not TOML: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// Nobody knows a setting of this name.
    #[error("unknown setting `{given}` ({origin}); {}", advice(nearest.as_deref()))]
    UnknownKey {
        /// The name as it was given: a key, or the environment variable.
        given: String,
        /// Where it was given.
        origin: Origin,
        /// The nearest name that would do, spelled the same way.
        nearest: Option<String>,
    },
    /// A value is of the wrong type, or out of range.
    #[error("setting `{key}` is {value} ({origin}), but it takes {expected}")]
    Value {
        /// The setting.
        key: String,
        /// The value as it was given.
        value: String,
        /// Where it was given.
        origin: Origin,
        /// What would do, with its range and an example.
        expected: String,
    },
    /// A file that lists accounts has a line that is no account id.
    #[error("{}:{line} is {text:?}, but each line takes one account id of twelve digits", path.display())]
    AccountFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A setting has not even a default: the embedded settings file and the code have parted.
    #[error("setting `{key}` has no default; it takes {expected}")]
    Missing {
        /// The setting.
        key: String,
        /// What it takes.
        expected: String,
    },
    /// A setting has a default, but nothing reads it: the embedded settings file and the code have parted.
    #[error("setting `{key}` is in the embedded settings file, but nothing reads it")]
    Unused {
        /// The setting.
        key: String,
    },
    /// An environment variable holds bytes that are not UTF-8.
    #[error("environment variable {variable} is not UTF-8 text")]
    NotText {
        /// The variable.
        variable: String,
    },
    /// The command line gives a setting twice.
    #[error("setting `{key}` is given twice, by {first} and by {second}; leave one of them out")]
    Twice {
        /// The setting.
        key: String,
        /// The flag that came first.
        first: String,
        /// The other flag.
        second: String,
    },
    /// A run that is resumed was started with other settings than the flags ask for.
    #[error(
        "the run was started with other settings: {}; leave these flags out to go on with the run, or start a new one",
        .0.join("; ")
    )]
    DiffersFromRun(Vec<String>),
    /// `run.json` and this version of orgsweep do not have the same settings.
    #[error(
        "run.json and this version of orgsweep do not agree on setting `{key}`; resume the run with the version that started it"
    )]
    ForeignRun {
        /// The setting.
        key: String,
    },
}

fn advice(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`orgsweep config show` lists those there are".to_owned(),
    }
}
