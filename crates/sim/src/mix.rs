//! How common each habit is in a simulated organization.

use crate::action::Action;

/// A rate: how many of a thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerMille(pub u16);

impl PerMille {
    /// The rate of a share from 0 to 1, rounded; `None` for what is no share.
    #[must_use]
    pub fn from_share(share: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        Some(Self((share * 1000.0).round() as u16))
    }
}

/// How common each habit is. The default is meant to be believed: a large organization that is neither a model of
/// virtue nor a ruin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// What cannot be read.
    pub unreadable: Unreadable,
    /// The root users.
    pub root: RootMix,
    /// The IAM users.
    pub users: UserMix,
    /// Accounts that are being closed, and can be read all the same.
    pub pending_closure: PerMille,
    /// Accounts that were invited; the others were created in the organization.
    pub invited: PerMille,
    /// Accounts without a password policy of their own.
    pub no_password_policy: PerMille,
    /// Accounts with an alias.
    pub alias: PerMille,
    /// Accounts with a billing, an operations and a security contact. Organizations creates accounts without any.
    pub contacts: [PerMille; 3],
    /// Accounts that have a report of less than four hours, which AWS serves instead of a new one.
    pub fresh_report: PerMille,
    /// Accounts that have a report of more than four hours; of some of them AWS says that it expired.
    pub old_report: PerMille,
    /// Accounts in which something changed since their fresh report was made: a user was deleted, or the root user set
    /// up MFA.
    pub changed_since_report: PerMille,
}

/// What cannot be read. The management account always can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Members whose scanner role is missing or does not trust the caller.
    pub role_denied: PerMille,
    /// Members in which a service control policy denies one of the calls.
    pub call_denied: PerMille,
    /// Members that are suspended, closed, or never finished their sign-up.
    pub unusable: PerMille,
    /// Actions that are denied on top of that, each in so many members.
    pub denied: Vec<(Action, PerMille)>,
    /// From this many members on, one of each kind is certain, so that a small organization shows them too.
    pub certain_from: Option<u32>,
}

impl Unreadable {
    /// Everything can be read.
    pub const NONE: Self = Self {
        role_denied: PerMille(0),
        call_denied: PerMille(0),
        unusable: PerMille(0),
        denied: Vec::new(),
        certain_from: None,
    };
}

/// The habits of root users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootMix {
    /// Created accounts whose root user was given a password; they start without.
    pub password_created: PerMille,
    /// Invited accounts whose root user still has its password.
    pub password_invited: PerMille,
    /// Root users with a password and no MFA.
    pub no_mfa: PerMille,
    /// Root users without a password that have MFA all the same.
    pub mfa_without_password: PerMille,
    /// Hardware devices and passkeys among the root users' MFA.
    pub hardware_mfa: PerMille,
    /// Root users with an access key.
    pub access_key: PerMille,
    /// Root users with a signing certificate.
    pub certificate: PerMille,
    /// Accounts of which the account summary does not say whether root has a password.
    pub password_unsaid: PerMille,
}

/// The habits of IAM users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMix {
    /// People; the others are services.
    pub people: PerMille,
    /// People with a password.
    pub console: PerMille,
    /// People whose password was deleted, and whose report row remembers its last use.
    pub password_deleted: PerMille,
    /// People with a password and no MFA.
    pub no_mfa: PerMille,
    /// Hardware devices among the users' MFA.
    pub hardware_mfa: PerMille,
    /// Passwords that were never used.
    pub password_unused: PerMille,
    /// Passwords in no use for more than 45 days.
    pub password_stale: PerMille,
    /// Whether every password was set within the last 80 days.
    pub renewed_passwords: bool,
    /// People with an access key.
    pub person_key: PerMille,
    /// Services with a second key.
    pub second_key: PerMille,
    /// Keys that are inactive.
    pub inactive_key: PerMille,
    /// Keys older than 90 days.
    pub old_key: PerMille,
    /// Keys that were never used.
    pub key_unused: PerMille,
    /// Keys of people with a password that were made with their user, and never used.
    pub key_at_creation: PerMille,
    /// Keys in no use for more than 45 days.
    pub key_stale: PerMille,
    /// Services with signing certificates.
    pub certificate: PerMille,
    /// Users whose name or path has a comma, a quote or another character that is legal and troublesome.
    pub odd_name: PerMille,
}

impl Mix {
    /// This mix, with every account readable.
    #[must_use]
    pub fn readable(self) -> Self {
        Self { unreadable: Unreadable::NONE, ..self }
    }

    /// The mix that benchmarks read: a fifth of the users have a finding, by the rules and params of orgsweep's own pack,
    /// and no name has a comma or a quote, so that every reader of CSV finds the same rows.
    #[must_use]
    pub fn measured() -> Self {
        let users = UserMix {
            people: PerMille(920),
            no_mfa: PerMille(40),
            password_unused: PerMille(15),
            password_stale: PerMille(20),
            renewed_passwords: true,
            inactive_key: PerMille(20),
            old_key: PerMille(100),
            key_unused: PerMille(20),
            key_at_creation: PerMille(10),
            key_stale: PerMille(30),
            odd_name: PerMille(0),
            ..UserMix::default()
        };
        Self { users, ..Self::default() }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            unreadable: Unreadable::default(),
            root: RootMix::default(),
            users: UserMix::default(),
            pending_closure: PerMille(5),
            invited: PerMille(150),
            no_password_policy: PerMille(150),
            alias: PerMille(600),
            contacts: [PerMille(300), PerMille(250), PerMille(350)],
            fresh_report: PerMille(80),
            old_report: PerMille(60),
            changed_since_report: PerMille(150),
        }
    }
}

impl Default for Unreadable {
    fn default() -> Self {
        Self {
            role_denied: PerMille(10),
            call_denied: PerMille(5),
            unusable: PerMille(10),
            denied: Vec::new(),
            certain_from: Some(50),
        }
    }
}

impl Default for RootMix {
    fn default() -> Self {
        Self {
            password_created: PerMille(100),
            password_invited: PerMille(900),
            no_mfa: PerMille(120),
            mfa_without_password: PerMille(50),
            hardware_mfa: PerMille(300),
            access_key: PerMille(15),
            certificate: PerMille(3),
            password_unsaid: PerMille(20),
        }
    }
}

impl Default for UserMix {
    fn default() -> Self {
        Self {
            people: PerMille(600),
            console: PerMille(880),
            password_deleted: PerMille(40),
            no_mfa: PerMille(120),
            hardware_mfa: PerMille(150),
            password_unused: PerMille(80),
            password_stale: PerMille(100),
            renewed_passwords: false,
            person_key: PerMille(250),
            second_key: PerMille(250),
            inactive_key: PerMille(100),
            old_key: PerMille(400),
            key_unused: PerMille(120),
            key_at_creation: PerMille(150),
            key_stale: PerMille(120),
            certificate: PerMille(10),
            odd_name: PerMille(4),
        }
    }
}
