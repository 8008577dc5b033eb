//! What came of asking: an answer, or why there is none.

use serde::{Deserialize, Serialize};

use crate::Source;

/// What a failed call means to whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too many calls: ask again, slower.
    Throttled,
    /// Not there yet: ask again later.
    NotReady,
    /// There is no such thing, and that is the answer.
    Absent,
    /// Not allowed; asking again will not help.
    Denied,
    /// The credentials do not hold, or no longer: renew them and ask again.
    Expired,
    /// Something on the way or at AWS broke: ask again.
    Transient,
    /// A request or an answer that cannot be right.
    Fatal,
}

impl ErrorKind {
    /// The name in the tables: `throttled`, `denied`, ….
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::NotReady => "not_ready",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Transient => "transient",
            Self::Fatal => "fatal",
        }
    }

    /// Whether a resumed sweep would be told the same.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Absent | Self::Denied)
    }
}

/// Why a source could not be read. Holds nothing that differs between two tellings of the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What the error means.
    pub kind: ErrorKind,
    /// AWS's error code, or orgsweep's own where AWS gave none.
    pub code: String,
}

/// What came of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// The answer.
    Read(T),
    /// Asked, and not answered.
    Refused(Refusal),
    /// Not asked, since this other source, on which it depends, was not read.
    NotAsked(Source),
    /// Not asked, since settings do not want it, or the account cannot have it.
    Unwanted,
}

impl<T> Reading<T> {
    /// The answer, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Refused(_) | Self::NotAsked(_) | Self::Unwanted => None,
        }
    }

    /// The kind and code that the tables show for a source that was to be read and was not.
    #[must_use]
    pub fn gap(&self) -> Option<(&str, &str)> {
        match self {
            Self::Read(_) | Self::Unwanted => None,
            Self::Refused(refusal) => Some((refusal.kind.as_str(), &refusal.code)),
            Self::NotAsked(source) => Some(("not_asked", source.as_str())),
        }
    }

    /// Whether it was to be read at all.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !matches!(self, Self::Unwanted)
    }

    /// Whether a resumed sweep would be told the same.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.kind.is_final(),
            // What was not asked is asked as soon as the source it waits for is read, and that one decides.
            Self::Read(_) | Self::NotAsked(_) | Self::Unwanted => true,
        }
    }
}

/// How much of an account was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything.
    Swept,
    /// Something, with gaps.
    Partial,
    /// Nothing.
    Failed,
    /// It was not asked.
    Skipped,
}

impl Outcome {
    /// The name in the tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Swept => "swept",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}
