//! A rule as it stands in a rule file, checked for everything that can be known without compiling it.

use std::collections::BTreeMap;
use std::fmt;

use orgsweep_core::{Source, table};
use serde::{Deserialize, Serialize};

use crate::{Severity, Status};

/// One check, as a rule file describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The file it stands in.
    #[serde(skip)]
    pub file: String,
    /// Its name, in kebab case; unique in a pack.
    pub id: String,
    /// What should be so, in one sentence without a full stop.
    pub title: String,
    /// The table whose rows it judges.
    pub table: CheckTable,
    /// What a row of `accounts` stands for: the account, or its root user.
    #[serde(default)]
    pub resource: Resource,
    /// How bad a failure is.
    pub severity: Severity,
    /// SQL predicate: the rows that the check is about. Every row, where there is none.
    #[serde(default)]
    pub applies_when: Option<String>,
    /// SQL predicate: true where the row fails.
    pub fails_when: String,
    /// Constants that the predicates name.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// The columns that a finding shows.
    pub evidence: Vec<String>,
    /// Framework to the ids of its controls that the check belongs to.
    #[serde(default)]
    pub frameworks: BTreeMap<String, Vec<String>>,
    /// What a finding says, with placeholders; the title, where there is none.
    #[serde(default)]
    pub message: Option<String>,
    /// What to do, with placeholders.
    pub remediation: String,
    /// The commands that do it, with placeholders, for a shell.
    #[serde(default)]
    pub command: Option<String>,
    /// What the check looks at, in a few sentences.
    #[serde(default)]
    pub description: Option<String>,
    /// Why it matters.
    #[serde(default)]
    pub rationale: Option<String>,
    /// Words on passes that deserve one; the first that holds is said.
    #[serde(default)]
    pub pass_notes: Vec<PassNote>,
    /// The rule's own test cases.
    #[serde(default, rename = "case", skip_serializing)]
    pub cases: Vec<Case>,
}

/// The tables that checks can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckTable {
    /// A row is an account.
    Accounts,
    /// A row is an IAM user or the root user.
    Credentials,
    /// A row is one of a user's two key slots.
    AccessKeys,
}

impl CheckTable {
    /// The table as core describes it.
    #[must_use]
    pub fn table(self) -> &'static table::Table {
        match self {
            Self::Accounts => table::accounts(),
            Self::Credentials => table::credentials(),
            Self::AccessKeys => table::access_keys(),
        }
    }

    /// The source without which there are no rows at all.
    pub(crate) fn source(self) -> Option<Source> {
        match self {
            Self::Accounts => None,
            Self::Credentials | Self::AccessKeys => Some(Source::CredentialReport),
        }
    }
}

/// What a row of `accounts` stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// The account.
    #[default]
    Account,
    /// The account's root user.
    Root,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Param {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Texts: `column in (name)` holds for each of them, and elsewhere they stand joined by commas.
    List(Vec<String>),
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
            Self::List(values) => f.write_str(&values.join(", ")),
        }
    }
}

/// A word on passes that deserve one: it stands on an account's result when `when` holds for everything that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassNote {
    /// SQL predicate.
    pub when: String,
    /// The word.
    pub text: String,
}

/// Rows in, verdict out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is so, as a sentence.
    pub name: String,
    /// The account's only row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<toml::Table>,
    /// The account's rows, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<toml::Table>,
    /// Sources that were not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Source>,
    /// Number of rows of the credential report that could not be understood.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quarantined: u32,
    /// Why the account was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// What the check must say of the account.
    pub expect: Status,
    /// What it must say of each row, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_rows: Option<Vec<Status>>,
    /// The reason it must give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the first finding must say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The commands that the first finding must give; none, where it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Values of params that differ from the rule's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Param>,
}

impl Case {
    /// The account that the case is about, in words that a rule file uses: its rows, and what is not known of it.
    #[must_use]
    pub fn given(&self) -> Vec<String> {
        let unread: Vec<&str> = self.unread.iter().map(|source| source.as_str()).collect();
        let params = self.params.iter().map(|(name, value)| format!("with {name} = {value}"));
        let unread = (!unread.is_empty()).then(|| format!("not read: {}", unread.join(", ")));
        let skipped = self.skipped.as_ref().map(|reason| format!("not asked: {reason}"));
        let quarantined = (self.quarantined > 0).then(|| format!("rows not understood: {}", self.quarantined));
        params.chain(self.all_rows().map(render)).chain(unread).chain(skipped).chain(quarantined).collect()
    }

    /// The rows, however they were given.
    pub(crate) fn all_rows(&self) -> impl Iterator<Item = &toml::Table> {
        self.row.iter().chain(&self.rows)
    }
}

/// A row as it stands in a rule file.
pub(crate) fn render(row: &toml::Table) -> String {
    let cells: Vec<_> = row.iter().map(|(column, value)| format!("{column} = {value}")).collect();
    if cells.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", cells.join(", ")) }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
