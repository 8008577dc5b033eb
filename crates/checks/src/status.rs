//! The four things a check can say, and how many sayings become one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a check says of a resource or an account. There is no fifth, and never silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// It could not be judged.
    Unknown,
    /// The check has nothing to say here.
    NotApplicable,
}

impl Status {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Unknown, Self::NotApplicable];

    /// The name in tables and rule files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The status of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The status of one row: `applies` is `applies_when`, `fails` is `fails_when`, `None` is null.
    pub(crate) fn of_row(applies: Option<bool>, fails: Option<bool>) -> Self {
        match (applies, fails) {
            (Some(false), _) => Self::NotApplicable,
            (None, _) | (Some(true), None) => Self::Unknown,
            (Some(true), Some(true)) => Self::Fail,
            (Some(true), Some(false)) => Self::Pass,
        }
    }

    /// The status of an account from the number of its resources that failed, are unknown, and passed.
    pub(crate) fn of_account(failed: u32, unknown: u32, passed: u32) -> Self {
        match (failed, unknown, passed) {
            (1.., _, _) => Self::Fail,
            (0, 1.., _) => Self::Unknown,
            (0, 0, 1..) => Self::Pass,
            (0, 0, 0) => Self::NotApplicable,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_null_predicate_is_unknown_and_never_a_pass() {
        let cell = |value: Option<bool>| value.map_or("null".to_owned(), |value| value.to_string());
        let values = [Some(true), Some(false), None];
        let pairs = values.into_iter().flat_map(|applies| values.map(|fails| (applies, fails)));
        let lines: Vec<_> = pairs
            .map(|(applies, fails)| format!("{:5} {:5} {}", cell(applies), cell(fails), Status::of_row(applies, fails)))
            .collect();
        expect![[r"
            true  true  fail
            true  false pass
            true  null  unknown
            false true  not_applicable
            false false not_applicable
            false null  not_applicable
            null  true  unknown
            null  false unknown
            null  null  unknown
        "]]
        .assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn the_worst_resource_decides_for_the_account() {
        assert_eq!(Status::of_account(1, 5, 5), Status::Fail);
        assert_eq!(Status::of_account(0, 1, 5), Status::Unknown);
        assert_eq!(Status::of_account(0, 0, 5), Status::Pass);
        assert_eq!(Status::of_account(0, 0, 0), Status::NotApplicable);
    }
}
