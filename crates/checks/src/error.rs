//! What can be wrong with a rule, and with what a rule is applied to.

use std::fmt;

use arrow_schema::ArrowError;

/// What is wrong with a rule file, and where.
#[derive(Debug)]
pub struct RuleError {
    file: String,
    check: Option<String>,
    /// The entry of a file of overrides or exceptions: `exception 2 (root-mfa)`.
    entry: Option<String>,
    /// Boxed, since it would make every result of this crate large.
    problem: Box<RuleProblem>,
}

impl RuleError {
    pub(crate) fn in_file(file: &str, problem: RuleProblem) -> Self {
        Self { file: file.to_owned(), check: None, entry: None, problem: Box::new(problem) }
    }

    pub(crate) fn in_check(file: &str, check: &str, problem: RuleProblem) -> Self {
        Self { file: file.to_owned(), check: Some(check.to_owned()), entry: None, problem: Box::new(problem) }
    }

    pub(crate) fn in_entry(file: &str, entry: String, problem: RuleProblem) -> Self {
        Self { file: file.to_owned(), check: None, entry: Some(entry), problem: Box::new(problem) }
    }

    /// The rule file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The check inside it, where it is one check that is wrong.
    #[must_use]
    pub fn check(&self) -> Option<&str> {
        self.check.as_deref()
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &RuleProblem {
        &self.problem
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.check, &self.entry) {
            (Some(check), _) => write!(f, "{}: check {check}: {}", self.file, self.problem),
            (None, Some(entry)) => write!(f, "{}: {entry}: {}", self.file, self.problem),
            (None, None) => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for RuleError {}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// The file is no TOML.
    #[error("line {line}: {reason}")]
    Syntax {
        /// Line of the file, from 1.
        line: usize,
        /// What the TOML reader says.
        reason: String,
    },
    /// A key that rules do not have.
    #[error("unknown key {key:?}{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        /// The key, with the table it stands in.
        key: String,
        /// The known key nearest to it.
        nearest: Option<String>,
    },
    /// A key that is missing, or has a value that cannot be.
    #[error("{reason}")]
    Value {
        /// What is wrong, naming the key.
        reason: String,
    },
    /// A check that the pack does not have.
    #[error("there is no check {check:?}{}", suggestion(nearest.as_deref()))]
    UnknownCheck {
        /// The check.
        check: String,
        /// The check whose id is nearest to it.
        nearest: Option<String>,
    },
    /// A control that a framework does not have.
    #[error("{framework} has no control {control:?}{}", suggestion(nearest.as_deref()))]
    UnknownControl {
        /// The framework.
        framework: String,
        /// The control.
        control: String,
        /// The control whose id is nearest to it.
        nearest: Option<String>,
    },
    /// Another check has the same id.
    #[error("another check in {other} has the same id; ids are unique")]
    DuplicateId {
        /// The other check's file.
        other: String,
    },
    /// A column that the check's table does not have.
    #[error("{place}: table {table} has no column {column:?}{}", suggestion(nearest.as_deref()))]
    UnknownColumn {
        /// The key that names the column.
        place: String,
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The table's column, or the check's parameter, nearest to it.
        nearest: Option<String>,
    },
    /// A predicate that does not compile.
    #[error("{place}: {reason}")]
    Predicate {
        /// The key that holds the predicate.
        place: &'static str,
        /// Why, in one line.
        reason: String,
    },
    /// A parameter that no predicate uses.
    #[error("no predicate uses the parameter {param:?}; use it or remove it")]
    UnusedParam {
        /// The parameter.
        param: String,
    },
    /// A parameter that has the name of a column, so that a predicate could mean either.
    #[error("the parameter {param:?} has the name of a column of table {table}; give it another")]
    ParamIsColumn {
        /// The parameter.
        param: String,
        /// The table.
        table: &'static str,
    },
    /// A case that cannot be made into rows.
    #[error("case {case:?}: {reason}")]
    Case {
        /// The case's name.
        case: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl RuleProblem {
    /// A missing key or an impossible value; `reason` names the key.
    pub(crate) fn value(reason: impl Into<String>) -> Self {
        Self::Value { reason: reason.into() }
    }
}

/// Why a chunk could not be judged. None of these is about an account: they mean that the caller is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A batch that is not of its table.
    #[error("the batch of table {table} has the columns {found}, where {expected} are expected")]
    Schema {
        /// The table.
        table: &'static str,
        /// The batch's columns and types.
        found: String,
        /// The table's columns and types.
        expected: String,
    },
    /// Accounts out of order, or one of them twice.
    #[error("the accounts of a chunk must be sorted, each once; {account} is not behind the one before it")]
    Unsorted {
        /// The first account out of order.
        account: String,
    },
    /// A credential of an account that is not in the chunk, or out of order.
    #[error("a credential of account {account} is out of order, or its account is not in the chunk")]
    Stranger {
        /// The account.
        account: String,
    },
    /// Arrow refused to build a column.
    #[error("a column could not be built")]
    Arrow(#[from] ArrowError),
}

/// `; did you mean "…"?`, or nothing.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest:?}?"))
}

/// The candidate that reads most like `text`, if any reads like it at all.
pub(crate) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Below this similarity a suggestion says more about our list than about what was meant.
    const LIKE: f64 = 0.75;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(text, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate.to_owned())
}
