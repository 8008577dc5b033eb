//! What is known of a root user or IAM user: the shapes of the credential report's facts, before anything writes them.

use std::sync::Arc;

use orgsweep_core::Timestamp;

/// A point in time, or AWS's word for why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// This time.
    At(Timestamp),
    /// `N/A`.
    NotApplicable,
    /// `no_information`.
    NoInformation,
    /// `not_supported`.
    NotSupported,
}

impl Moment {
    /// The time.
    #[must_use]
    pub fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::NotApplicable | Self::NoInformation | Self::NotSupported => None,
        }
    }

    /// AWS's word for why there is no time.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::At(_) => None,
            Self::NotApplicable => Some("N/A"),
            Self::NoInformation => Some("no_information"),
            Self::NotSupported => Some("not_supported"),
        }
    }
}

/// The last use of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// When.
    pub date: Timestamp,
    /// Where; `None` for services without regions, such as S3.
    pub region: Option<Arc<str>>,
    /// Of which service.
    pub service: &'static str,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Whether it is active.
    pub active: bool,
    /// When it was made. An inactive key keeps this.
    pub last_rotated: Timestamp,
    /// Its last use; `None` where it was never used.
    pub last_use: Option<KeyUse>,
}

/// A signing certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whether it is active.
    pub active: bool,
    /// When it was uploaded. An inactive certificate keeps this.
    pub last_rotated: Timestamp,
}

/// What kind of MFA a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaDevice {
    /// An authenticator app.
    Virtual,
    /// A hardware device or a passkey.
    Hardware,
}

/// What happened to a user since the report that was there before anybody asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinceReport {
    /// The user was deleted; only that report still has a row of it.
    Deleted,
    /// The user set up MFA; that report says that there is none.
    MfaAdded,
}

/// What is known of a root user or IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The name; `<root_account>` for the root user.
    pub name: String,
    /// The path, from slash to slash; empty for the root user.
    pub path: &'static str,
    /// The ARN.
    pub arn: String,
    /// The user's number in its account, which its ids are made from.
    pub(super) ordinal: u32,
    /// Whether this is the root user.
    pub is_root: bool,
    /// When the user, or the account, was made.
    pub created_at: Timestamp,
    /// Whether there is a password.
    pub password_enabled: bool,
    /// When the password was last used; a deleted password may have been used too.
    pub password_last_used: Moment,
    /// When the password was set.
    pub password_last_changed: Moment,
    /// When the password policy wants it changed.
    pub password_next_rotation: Moment,
    /// The MFA device.
    pub mfa: Option<MfaDevice>,
    /// The access keys; the first slot is taken first.
    pub keys: [Option<KeyFacts>; 2],
    /// The signing certificates.
    pub certificates: [Option<CertificateFacts>; 2],
    /// What of this an earlier report does not know yet.
    pub since_report: Option<SinceReport>,
}

impl UserFacts {
    /// Whether the user is there, and not only in an earlier report.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.since_report != Some(SinceReport::Deleted)
    }

    /// Whether a report says that the user has MFA; an earlier one may not know it yet.
    #[must_use]
    pub fn has_mfa_in_report(&self, is_earlier: bool) -> bool {
        self.mfa.is_some() && !(is_earlier && self.since_report == Some(SinceReport::MfaAdded))
    }
}
