//! What each check must say of an account, by the model. The rules' own predicates, and what they need to have been read,
//! are not asked: each is said here once more, by hand.

mod account;
mod users;

use orgsweep_core::{Source, Timestamp};

use super::known::Known;
use crate::scenario::NOW;
use account::{OF_ACCOUNTS, sources_agree};
use users::{OF_KEYS, OF_USERS};

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pass,
    Fail,
    Unknown,
    NotApplicable,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The verdict on a thing that fails or does not; nobody may know.
    fn of(fails: Option<bool>) -> Self {
        match fails {
            Some(true) => Self::Fail,
            Some(false) => Self::Pass,
            None => Self::Unknown,
        }
    }

    /// The verdict on an account whose parts have these.
    fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let worse = |status: Self| match status {
            Self::NotApplicable => 0,
            Self::Pass => 1,
            Self::Unknown => 2,
            Self::Fail => 3,
        };
        parts.into_iter().max_by_key(|status| worse(*status)).unwrap_or(Self::NotApplicable)
    }
}

/// What a check says of an account; `None` for one that is not known here.
pub(super) fn expected(check: &str, known: &Known<'_>) -> Option<Status> {
    if check == "root-sources-agree" {
        return Some(sources_agree(known));
    }
    if let Some((_, needs, judge)) = OF_ACCOUNTS.iter().find(|(id, ..)| *id == check) {
        let is_read = needs.iter().all(|any| any.iter().any(|source| known.has_read(*source)));
        return Some(if is_read { judge(known) } else { Status::Unknown });
    }
    let of_user = OF_USERS.iter().find(|(id, _)| *id == check).map(|(_, judge)| judge);
    let of_key = OF_KEYS.iter().find(|(id, _)| *id == check).map(|(_, judge)| judge);
    if of_user.is_none() && of_key.is_none() {
        return None;
    }
    let Some(report) = &known.report else { return Some(Status::Unknown) };
    let users = report.iam_users();
    Some(Status::of_parts(users.flat_map(|user| {
        let by_user = of_user.map(|judge| judge(user, report.is_earlier));
        let keys = user.keys.iter().flatten();
        by_user.into_iter().chain(keys.filter_map(move |key| of_key.map(|judge| judge(user, key))))
    })))
}

/// A source that a check cannot do without, or several of which one will do.
type Needs = &'static [&'static [Source]];

/// The time so many days before that by which a run judges.
fn days_ago(days: u32) -> Timestamp {
    NOW.minus(std::time::Duration::from_hours(24 * u64::from(days)))
}
