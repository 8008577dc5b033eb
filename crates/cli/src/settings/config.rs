//! The checked settings: what the rest of the program sees of them. Every range stands here.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use orgsweep_checks::{Param, ParamsByCheck, Severity};
use orgsweep_core::{AccountId, Partition};

use super::reader::{Reader, refusal};
use super::{Setting, SettingsError, Value};

/// The table whose keys are the user's own: other values for the params of checks.
const PARAMS: &str = "checks.params";

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Every setting, checked. `config/orgsweep.toml` says what each one means.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `lake.location`: where the lake is.
    pub lake: String,
    /// `role.*`.
    pub role: Role,
    /// `aws.partition`; `None`: that of the caller's ARN.
    pub partition: Option<Partition>,
    /// `aws.region`; `None`: that of the standard AWS settings.
    pub region: Option<String>,
    /// `accounts.*`.
    pub accounts: AccountFilter,
    /// `sweep.*`.
    pub sweep: Sweep,
    /// `journal.*`.
    pub journal: Journal,
    /// `build.part_bytes`: the largest size of one Parquet file, in bytes.
    pub part_bytes: usize,
    /// `checks.*`.
    pub checks: Checks,
    /// `output.*`.
    pub output: Output,
    /// `log.*`.
    pub log: Log,
}

/// The role that is assumed in each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, perhaps with a path before it.
    pub name: String,
    /// The external id, if its trust policy asks for one.
    pub external_id: Option<String>,
    /// The session's name.
    pub session_name: String,
    /// How long a session holds.
    pub session_duration: Duration,
}

/// Which accounts are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Those, and no others; empty: all.
    pub include: BTreeSet<AccountId>,
    /// None of those, even if included.
    pub exclude: BTreeSet<AccountId>,
    /// Those below one of these organizational units; empty: all.
    pub ous: BTreeSet<String>,
    /// None below one of these.
    pub exclude_ous: BTreeSet<String>,
}

/// How the organization is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Up to which age a report that is there is taken.
    pub max_report_age: Duration,
    /// How long a report is waited for.
    pub report_deadline: Duration,
    /// How long an account is asked in all.
    pub account_deadline: Duration,
    /// What is asked beside what every sweep asks.
    pub optional: Optional,
    /// Whether reports that cannot have been replaced are carried over from the last run.
    pub incremental: bool,
    /// Whether the accounts of the last run are asked before the list confirms them.
    pub warm_start: bool,
    /// Accounts in flight at once.
    pub accounts_in_flight: usize,
    /// Reports that AWS is asked to make at once.
    pub reports_in_making: usize,
    /// Bytes of reports held at once.
    pub report_bytes: usize,
    /// The share of the published quotas that pacing starts at.
    pub politeness: f64,
    /// Whether calls are paced.
    pub pacing: bool,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Until the first byte of an answer.
    pub read_timeout: Duration,
    /// Until an answer is there.
    pub call_timeout: Duration,
    /// Tries of one call, the first included.
    pub attempts: u32,
}

/// What is asked beside what every sweep asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Optional {
    /// Whether root users are audited in root sessions.
    pub root_audit: bool,
    /// Whether the ids of access keys are listed.
    pub key_ids: bool,
    /// Users of one account whose keys are listed at most.
    pub key_ids_max: usize,
    /// Whether the tags of accounts are listed.
    pub account_tags: bool,
}

/// When a segment of the journal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journal {
    /// At this size, in bytes.
    pub roll_bytes: usize,
    /// At this age.
    pub roll_age: Duration,
}

/// The user's own checks, and what they change about the others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checks {
    /// Folders of rule files.
    pub dirs: Vec<PathBuf>,
    /// Files of overrides.
    pub overrides: Vec<PathBuf>,
    /// Files of exceptions.
    pub exceptions: Vec<PathBuf>,
    params: ParamsByCheck,
}

impl Checks {
    /// `checks.params`: other values for params, by check id and name of the param. Whether there are such checks is not
    /// known here.
    pub fn params_by_check(&self) -> &ParamsByCheck {
        &self.params
    }
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// The form of stdout.
    pub format: Format,
    /// The least severity of failed findings that makes the exit code 4; `None`: none does.
    pub fail_on: Option<Severity>,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The form of the log on stderr.
    pub format: Format,
    /// The least level that is logged.
    pub level: Level,
}

/// For people, or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for people.
    Text,
    /// JSON.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    /// What stops the run.
    Error,
    /// And what goes wrong in passing.
    Warn,
    /// And the stages of the run.
    Info,
    /// And each account.
    Debug,
    /// And each call.
    Trace,
}

/// Reads and writes an enum by the names that its flag has.
macro_rules! named_as_its_flag {
    ($($name:ident)*) => {$(
        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                clap::ValueEnum::from_str(text, false)
            }
        }

        impl $name {
            /// The word that a settings file has for it.
            pub fn as_str(self) -> String {
                clap::ValueEnum::to_possible_value(&self).map(|value| value.get_name().to_owned()).unwrap_or_default()
            }
        }
    )*};
}

named_as_its_flag!(Format Level);

impl Config {
    /// Checks every setting, and leaves `settings` in canonical form.
    ///
    /// # Errors
    /// The first value that is of the wrong type or out of range.
    pub fn check(settings: &mut [Setting]) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(settings);
        let config = Self {
            lake: reader.text("lake.location", "the path of a folder", |text| !text.trim().is_empty())?,
            role: read_role(&mut reader)?,
            partition: reader
                .optional_word("aws.partition", "a partition such as aws, aws-cn or aws-us-gov, or nothing")?,
            region: reader.optional_text("aws.region", "a region such as eu-central-1, or nothing", is_region)?,
            accounts: AccountFilter {
                include: reader.account_ids("accounts.include")?,
                exclude: reader.account_ids("accounts.exclude")?,
                ous: reader.units("accounts.ous")?,
                exclude_ous: reader.units("accounts.exclude_ous")?,
            },
            sweep: read_sweep(&mut reader)?,
            journal: Journal {
                roll_bytes: reader.integer("journal.roll_bytes", 64 * KIB..=1024 * MIB)?,
                roll_age: reader.duration("journal.roll_age", SECOND / 10..=10 * MINUTE)?,
            },
            part_bytes: reader.integer("build.part_bytes", 64 * KIB..=1024 * MIB)?,
            checks: Checks {
                dirs: reader.paths("checks.dirs", r#"a list of folders, as in ["checks"]"#)?,
                overrides: reader.paths("checks.overrides", r#"a list of files, as in ["overrides.toml"]"#)?,
                exceptions: reader.paths("checks.exceptions", r#"a list of files, as in ["exceptions.toml"]"#)?,
                params: read_params(&reader)?,
            },
            output: Output {
                format: reader.word("output.format", "text or json")?,
                fail_on: reader
                    .optional_word("output.fail_on", "informational, low, medium, high or critical, or nothing")?,
            },
            log: Log {
                format: reader.word("log.format", "text or json")?,
                level: reader.word("log.level", "error, warn, info, debug or trace")?,
            },
        };
        match reader.unread(PARAMS).first() {
            Some(key) => Err(SettingsError::Unused { key: (*key).to_owned() }),
            None => Ok(config),
        }
    }
}

fn read_role(reader: &mut Reader<'_>) -> Result<Role, SettingsError> {
    Ok(Role {
        name: reader.text("role.name", "a role name of up to 64 letters, digits and _+=,.@-, or path/name", is_role)?,
        external_id: reader.optional_text(
            "role.external_id",
            "2 to 1224 letters, digits and _+=,.@:/-, or nothing",
            |text| (2..=1224).contains(&text.len()) && is_made_of(text, b"_+=,.@:/-"),
        )?,
        session_name: reader.text("role.session_name", "2 to 64 letters, digits and _+=,.@-", |text| {
            (2..=64).contains(&text.len()) && is_made_of(text, b"_+=,.@-")
        })?,
        session_duration: reader.duration("role.session_duration", 15 * MINUTE..=12 * HOUR)?,
    })
}

fn read_sweep(reader: &mut Reader<'_>) -> Result<Sweep, SettingsError> {
    Ok(Sweep {
        max_report_age: reader.duration("sweep.max_report_age", Duration::ZERO..=7 * 24 * HOUR)?,
        report_deadline: reader.duration("sweep.report_deadline", SECOND..=24 * HOUR)?,
        account_deadline: reader.duration("sweep.account_deadline", SECOND..=24 * HOUR)?,
        optional: Optional {
            root_audit: reader.flag("sweep.root_audit")?,
            key_ids: reader.flag("sweep.key_ids")?,
            key_ids_max: reader.integer("sweep.key_ids_max", 1..=5000)?,
            account_tags: reader.flag("sweep.account_tags")?,
        },
        incremental: reader.flag("sweep.incremental")?,
        warm_start: reader.flag("sweep.warm_start")?,
        accounts_in_flight: reader.integer("sweep.accounts_in_flight", 1..=10_000)?,
        reports_in_making: reader.integer("sweep.reports_in_making", 1..=10_000)?,
        report_bytes: reader.integer("sweep.report_bytes", MIB..=16 * 1024 * MIB)?,
        politeness: reader.share("sweep.politeness")?,
        pacing: reader.flag("sweep.pacing")?,
        connect_timeout: reader.duration("sweep.connect_timeout", SECOND / 10..=5 * MINUTE)?,
        read_timeout: reader.duration("sweep.read_timeout", SECOND / 10..=5 * MINUTE)?,
        call_timeout: reader.duration("sweep.call_timeout", SECOND / 10..=15 * MINUTE)?,
        attempts: reader.integer("sweep.attempts", 1..=100)?,
    })
}

fn read_params(reader: &Reader<'_>) -> Result<ParamsByCheck, SettingsError> {
    let mut params = ParamsByCheck::new();
    for (parts, setting) in reader.table(PARAMS) {
        let [check, param] = parts.as_slice() else {
            return Err(refusal(setting, "no value: a param is named checks.params.CHECK-ID.PARAM"));
        };
        let value = match &setting.value {
            Value::Flag(flag) => Param::Flag(*flag),
            Value::Integer(number) => Param::Integer(*number),
            Value::Text(text) => Param::Text(text.clone()),
            Value::List(texts) => Param::List(texts.clone()),
            _ => return Err(refusal(setting, "a whole number, a text, a list of texts, or true or false")),
        };
        params.entry((*check).to_owned()).or_default().insert((*param).to_owned(), value);
    }
    Ok(params)
}

/// Whether `text` is a role's name, with or without a path: 64 characters for the name, 512 for the path.
fn is_role(text: &str) -> bool {
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let path_fits = path.len() <= 510 && path.bytes().all(|byte| byte.is_ascii_graphic());
    (1..=64).contains(&name.len()) && is_made_of(name, b"_+=,.@-") && path_fits
}

/// Whether `text` can be a region; it becomes part of host names.
fn is_region(text: &str) -> bool {
    let characters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    characters && text.contains('-') && text.ends_with(|last: char| last.is_ascii_digit())
}

fn is_made_of(text: &str, others: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}
