//! What a sweep learned of one account: facts, and for each fact that is missing, why.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Account, ContactType, Source, Timestamp};

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
}

impl<T> Reading<T> {
    /// The answer, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Refused(_) | Self::NotAsked(_) => None,
        }
    }

    /// The kind and code that the tables show for a source that was not read.
    #[must_use]
    pub fn gap(&self) -> Option<(&str, &str)> {
        match self {
            Self::Read(_) => None,
            Self::Refused(refusal) => Some((refusal.kind.as_str(), &refusal.code)),
            Self::NotAsked(source) => Some(("not_asked", source.as_str())),
        }
    }

    fn is_settled(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.kind.is_final(),
            // What was not asked is asked as soon as the source it waits for is read, and that one decides.
            Self::Read(_) | Self::NotAsked(_) => true,
        }
    }
}

/// A line of a credential report that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// Line in the report; the header is line 1.
    pub line: u32,
    /// The line as it came.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What is known of a credential report beside its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFacts {
    /// When AWS made the report.
    pub generated_at: Timestamp,
    /// Whether the report is older than the sweep asked for, and AWS gave no newer one.
    #[serde(default)]
    pub older_than_asked: bool,
    /// Rows understood, the root user's included.
    pub rows: u32,
    /// Rows not understood.
    #[serde(default)]
    pub quarantined: Vec<QuarantinedRow>,
    /// Columns that orgsweep does not know and left out.
    #[serde(default)]
    pub unknown_columns: Vec<String>,
}

/// The entries of `GetAccountSummary` that orgsweep keeps; an entry that was not in the answer is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// IAM users.
    pub users: Option<i64>,
    /// Whether the root user has MFA.
    pub root_mfa_enabled: Option<bool>,
    /// Whether the root user has an access key.
    pub root_access_keys_present: Option<bool>,
    /// Whether the root user has a password.
    pub root_password_present: Option<bool>,
    /// Whether the root user has a signing certificate.
    pub root_signing_certificates_present: Option<bool>,
}

/// The account's own password policy; fields as in `GetAccountPasswordPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "AWS's policy is made of that many switches")]
pub struct PasswordPolicy {
    /// Shortest password allowed, in characters.
    pub minimum_password_length: Option<i32>,
    /// Whether a symbol is needed.
    pub require_symbols: bool,
    /// Whether a digit is needed.
    pub require_numbers: bool,
    /// Whether an upper-case letter is needed.
    pub require_uppercase: bool,
    /// Whether a lower-case letter is needed.
    pub require_lowercase: bool,
    /// Whether users may change their own.
    pub allow_users_to_change_password: bool,
    /// Whether passwords expire.
    pub expire_passwords: bool,
    /// Days until a password expires.
    pub max_password_age: Option<i32>,
    /// How many earlier passwords may not come back.
    pub password_reuse_prevention: Option<i32>,
    /// Whether an expired password locks its user out.
    pub hard_expiry: Option<bool>,
}

/// An alternate contact, without its phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Who.
    pub name: Option<String>,
    /// Their title.
    pub title: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// How one call went, for `calls.parquet`: what differs between two tellings of the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The IAM action, and the contact type where there is one: `account:GetAlternateContact SECURITY`.
    pub call: String,
    /// `answered`, or the error's kind.
    pub outcome: String,
    /// AWS's error code.
    pub code: Option<String>,
    /// The error in full.
    pub message: Option<String>,
    /// AWS's id of the last request.
    pub request_id: Option<String>,
    /// Requests sent.
    pub attempts: u32,
    /// How many of them were throttled.
    pub throttled: u32,
    /// Time spent waiting before and between them.
    #[serde(with = "millis")]
    pub waited: Duration,
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

/// What one sweep learned of one account, beside the report's rows, which travel as columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The account, as it was planned.
    pub account: Account,
    /// Opening the account.
    pub role: Reading<()>,
    /// The credential report.
    pub report: Reading<ReportFacts>,
    /// The account summary.
    pub summary: Reading<AccountSummary>,
    /// The password policy; `None` inside where the account has none of its own.
    pub password_policy: Reading<Option<PasswordPolicy>>,
    /// Whether one of the assigned virtual MFA devices is the root user's.
    pub root_virtual_mfa: Reading<bool>,
    /// The alias; `None` inside where there is none.
    pub alias: Reading<Option<String>>,
    /// The contacts in the order of [`ContactType::ALL`]; `None` inside where there is none of the type.
    pub contacts: [Reading<Option<Contact>>; 3],
    /// How the calls went.
    pub calls: Vec<CallRecord>,
}

impl Snapshot {
    /// The snapshot of an account that could not be opened.
    #[must_use]
    pub fn unopened(account: Account, refusal: Refusal, calls: Vec<CallRecord>) -> Self {
        Self {
            account,
            role: Reading::Refused(refusal),
            report: Reading::NotAsked(Source::Role),
            summary: Reading::NotAsked(Source::Role),
            password_policy: Reading::NotAsked(Source::Role),
            root_virtual_mfa: Reading::NotAsked(Source::Role),
            alias: Reading::NotAsked(Source::Role),
            contacts: [const { Reading::NotAsked(Source::Role) }; 3],
            calls,
        }
    }

    /// The contact of this type.
    #[must_use]
    pub fn contact(&self, contact: ContactType) -> &Reading<Option<Contact>> {
        let [billing, operations, security] = &self.contacts;
        match contact {
            ContactType::Billing => billing,
            ContactType::Operations => operations,
            ContactType::Security => security,
        }
    }

    /// Every source that was not read, in table order, with kind and code.
    #[must_use]
    pub fn gaps(&self) -> Vec<(Source, &str, &str)> {
        let readings = [
            (Source::Role, self.role.gap()),
            (Source::CredentialReport, self.report.gap()),
            (Source::AccountSummary, self.summary.gap()),
            (Source::PasswordPolicy, self.password_policy.gap()),
            (Source::VirtualMfaDevices, self.root_virtual_mfa.gap()),
            (Source::AccountAlias, self.alias.gap()),
            (Source::BillingContact, self.contact(ContactType::Billing).gap()),
            (Source::OperationsContact, self.contact(ContactType::Operations).gap()),
            (Source::SecurityContact, self.contact(ContactType::Security).gap()),
        ];
        readings.into_iter().filter_map(|(source, gap)| gap.map(|(kind, code)| (source, kind, code))).collect()
    }

    /// How much of the account was read.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let gaps = self.gaps().len();
        // Without the role every source is a gap; with the role, the role is the one that is not.
        if self.role.value().is_none() || gaps + 1 == Source::ALL.len() {
            Outcome::Failed
        } else if gaps > 0 || self.report.value().is_some_and(|report| !report.quarantined.is_empty()) {
            Outcome::Partial
        } else {
            Outcome::Swept
        }
    }

    /// Whether a resumed sweep has nothing to ask this account again: all was answered, or refused for good.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.role.is_settled()
            && self.report.is_settled()
            && self.summary.is_settled()
            && self.password_policy.is_settled()
            && self.root_virtual_mfa.is_settled()
            && self.alias.is_settled()
            && self.contacts.iter().all(Reading::is_settled)
    }

    /// How complete the snapshot is: of two attempts at one account, the larger number wins.
    #[must_use]
    pub fn completeness(&self) -> u32 {
        let read = Source::ALL.len() - self.gaps().len();
        // A settled attempt outweighs one that gave up in passing, since nobody would ask it again.
        let understood = self.report.value().is_none_or(|report| report.quarantined.is_empty());
        u32::try_from(read).unwrap_or(u32::MAX).saturating_mul(4)
            + u32::from(understood) * 2
            + u32::from(self.is_settled())
    }
}

mod millis {
    //! Durations in files are whole milliseconds.

    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
