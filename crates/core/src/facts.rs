//! The facts that AWS tells of an account, call by call, as far as orgsweep keeps them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Reading, RunId, Source, Timestamp};

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
    /// The earlier run that read the report, where its rows are carried over from there; `None` where it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<RunId>,
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

/// A tag of an account in AWS Organizations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value, which may be empty.
    pub value: String,
}

/// An access key as `ListAccessKeys` tells it; the credential report has no ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    /// `AccessKeyId`, which is no secret.
    pub id: String,
    /// `Active`, `Inactive` or `Expired`.
    pub status: String,
    /// When it was made; `None` where AWS does not say.
    pub created_at: Option<Timestamp>,
}

impl ListedKey {
    /// Whether the key can be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == "Active"
    }
}

/// The access keys of an account's users, as far as they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyIds {
    /// The keys of each user that was asked about; `None` for a user who was deleted since the report was made. A user
    /// with keys who is not here was not asked about, since the account has more such users than settings allow.
    pub by_user: BTreeMap<String, Option<Vec<ListedKey>>>,
}

/// What the root session told of the root user's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootAudit {
    /// Opening the session.
    pub session: Reading<()>,
    /// Whether there is a password.
    pub has_password: Reading<bool>,
    /// The access keys, active or not.
    pub access_keys: Reading<Vec<ListedKey>>,
    /// The MFA devices by serial number: an ARN for virtual devices and passkeys, a bare number for hardware tokens.
    pub mfa_devices: Reading<Vec<String>>,
    /// The signing certificates, counted.
    pub signing_certificates: Reading<u32>,
}

impl RootAudit {
    /// No audit, since settings do not want one or the account cannot have one.
    pub const UNWANTED: Self = Self {
        session: Reading::Unwanted,
        has_password: Reading::Unwanted,
        access_keys: Reading::Unwanted,
        mfa_devices: Reading::Unwanted,
        signing_certificates: Reading::Unwanted,
    };

    /// An audit whose session was not opened; the calls in it wait for `source`.
    #[must_use]
    pub fn unopened(session: Reading<()>, source: Source) -> Self {
        Self {
            session,
            has_password: Reading::NotAsked(source),
            access_keys: Reading::NotAsked(source),
            mfa_devices: Reading::NotAsked(source),
            signing_certificates: Reading::NotAsked(source),
        }
    }
}

/// Which features of centralized root access are on, as `ListOrganizationsFeatures` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationFeatures {
    /// `RootCredentialsManagement`: root credentials of members are managed from one place.
    pub root_credentials_management: bool,
    /// `RootSessions`: privileged tasks may be done in members as root.
    pub root_sessions: bool,
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
    /// How many of them were sent again, since one before had failed.
    #[serde(default)]
    pub retried: u32,
    /// Time spent waiting before and between them, for room and places included.
    #[serde(with = "millis")]
    pub waited: Duration,
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
