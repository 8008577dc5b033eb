//! The layers of settings, laid over one another: defaults, a file, the environment, flags.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::document::parse_document;
use super::known::{Admission, Known};
use super::{Origin, Setting, SettingsError, Value};

/// The settings file that is read from the working folder when none is named.
pub const FILE: &str = "config/orgsweep.toml";

/// The variable that names the settings file, and is no setting itself.
pub const FILE_VARIABLE: &str = "ORGSWEEP_CONFIG";

/// A setting that the command line gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The setting.
    pub key: String,
    /// The flag, as it is typed: `--role-name`.
    pub flag: String,
    /// The value; a text is read as the type that the setting takes.
    pub value: Value,
}

/// The settings file, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsFile {
    /// None is read.
    None,
    /// This one, if it is there.
    IfThere(PathBuf),
    /// This one, which must be there.
    Named(PathBuf),
}

/// Where settings come from, besides their defaults.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The file.
    pub file: SettingsFile,
    /// The environment; only variables that begin with `ORGSWEEP_` are looked at.
    pub environment: Vec<(OsString, OsString)>,
    /// The command line.
    pub flags: Vec<Assignment>,
}

impl Sources {
    /// The sources of this process: the file that is named, or else `config/orgsweep.toml` of the working folder; the
    /// environment; and these flags.
    pub fn of_process(file: Option<&Path>, flags: Vec<Assignment>) -> Self {
        let file = file.map_or_else(|| SettingsFile::IfThere(FILE.into()), |path| SettingsFile::Named(path.to_owned()));
        Self { file, environment: std::env::vars_os().collect(), flags }
    }

    /// Just these flags over the defaults.
    pub fn of_flags(flags: Vec<Assignment>) -> Self {
        Self { file: SettingsFile::None, environment: Vec::new(), flags }
    }
}

/// Lays the sources over the defaults. Names are checked, values are not yet.
///
/// # Errors
/// A file that cannot be read, and any name that is no setting's.
pub fn lay(sources: &Sources) -> Result<Vec<Setting>, SettingsError> {
    let known = Known::embedded()?;
    let mut layers = Layers { settings: known.defaults().to_vec(), known };
    layers.lay_file(&sources.file)?;
    layers.lay_environment(&sources.environment)?;
    layers.lay_flags(&sources.flags)?;
    Ok(layers.settings)
}

struct Layers {
    known: Known,
    settings: Vec<Setting>,
}

impl Layers {
    fn lay_file(&mut self, file: &SettingsFile) -> Result<(), SettingsError> {
        let (path, may_be_missing) = match file {
            SettingsFile::None => return Ok(()),
            SettingsFile::IfThere(path) => (path, true),
            SettingsFile::Named(path) => (path, false),
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if may_be_missing && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                let named_by = if may_be_missing {
                    "the settings file of this folder"
                } else {
                    "named by --config or ORGSWEEP_CONFIG"
                };
                return Err(SettingsError::Unreadable { path: path.clone(), named_by: named_by.to_owned(), source });
            }
        };
        for entry in parse_document(&text, path)? {
            let origin = Origin::File { path: path.clone(), line: entry.line };
            match entry.value {
                Some(value) => self.put(entry.key, value, origin)?,
                None if self.known.is_section(&entry.key) => {}
                None => return Err(self.unknown(entry.key, origin)),
            }
        }
        Ok(())
    }

    fn lay_environment(&mut self, environment: &[(OsString, OsString)]) -> Result<(), SettingsError> {
        let mut ours: Vec<_> = environment.iter().filter(|(name, _)| is_ours(name)).collect();
        // The environment has no order of its own; sorted, the same mistake is always the one that is told.
        ours.sort();
        for (name, value) in ours {
            let variable = name.to_string_lossy().into_owned();
            let Some(key) = self.known.key_of_variable(&variable).map(str::to_owned) else {
                let nearest = self.known.nearest_variable(&variable);
                let origin = Origin::Environment(variable.clone());
                return Err(SettingsError::UnknownKey { given: variable, origin, nearest });
            };
            let text = value.to_str().ok_or_else(|| SettingsError::NotText { variable: variable.clone() })?;
            self.put_text(key, text, Origin::Environment(variable))?;
        }
        Ok(())
    }

    fn lay_flags(&mut self, flags: &[Assignment]) -> Result<(), SettingsError> {
        for assignment in flags {
            let key = Known::whole_key(&assignment.key);
            let given = self.settings.iter().find(|setting| setting.key == key);
            if let Some(Setting { origin: Origin::Flag(first), .. }) = given {
                let (first, second) = (first.clone(), assignment.flag.clone());
                return Err(SettingsError::Twice { key, first, second });
            }
            let origin = Origin::Flag(assignment.flag.clone());
            match &assignment.value {
                Value::Text(text) => self.put_text(key, text, origin)?,
                value => self.put(key, value.clone(), origin)?,
            }
        }
        Ok(())
    }

    fn put_text(&mut self, key: String, text: &str, origin: Origin) -> Result<(), SettingsError> {
        let value = match self.known.admission(&key) {
            Admission::Like(default) => default.same_type_from_text(text),
            Admission::Free | Admission::Unknown => Value::of_any_type(text),
        };
        self.put(key, value, origin)
    }

    fn put(&mut self, key: String, value: Value, origin: Origin) -> Result<(), SettingsError> {
        let value = match self.known.admission(&key) {
            Admission::Like(default) => value.widened_to(default),
            Admission::Free => value,
            Admission::Unknown => return Err(self.unknown(key, origin)),
        };
        let setting = Setting { key, value, origin };
        match self.settings.iter_mut().find(|other| other.key == setting.key) {
            Some(lower) => *lower = setting,
            None => self.settings.push(setting),
        }
        Ok(())
    }

    fn unknown(&self, given: String, origin: Origin) -> SettingsError {
        let nearest = self.known.nearest(&given);
        SettingsError::UnknownKey { given, origin, nearest }
    }
}

fn is_ours(variable: &OsStr) -> bool {
    variable.to_string_lossy().starts_with("ORGSWEEP_") && variable != FILE_VARIABLE
}
