//! The sources of facts: what is read of an account, and which of it can be left out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Call;

/// The three kinds of alternate contact an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactType {
    /// Bills.
    Billing,
    /// Availability.
    Operations,
    /// Security notices.
    Security,
}

impl ContactType {
    /// All three, in the tables' order.
    pub const ALL: [Self; 3] = [Self::Billing, Self::Operations, Self::Security];

    /// The wire value: `BILLING`, `OPERATIONS`, `SECURITY`.
    #[must_use]
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Billing => "BILLING",
            Self::Operations => "OPERATIONS",
            Self::Security => "SECURITY",
        }
    }
}

/// One thing that is read of an account; a column of a table names the sources it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Opening the account: the role that is assumed there. Without it no other source of the account can be read.
    Role,
    /// The IAM credential report.
    CredentialReport,
    /// `GetAccountSummary`.
    AccountSummary,
    /// `GetAccountPasswordPolicy`.
    PasswordPolicy,
    /// `ListVirtualMFADevices`, asked unless the account summary says that root has no MFA.
    VirtualMfaDevices,
    /// `ListAccountAliases`.
    AccountAlias,
    /// `GetAlternateContact` for `BILLING`.
    BillingContact,
    /// `GetAlternateContact` for `OPERATIONS`.
    OperationsContact,
    /// `GetAlternateContact` for `SECURITY`.
    SecurityContact,
    /// `ListTagsForResource` of AWS Organizations. Optional.
    AccountTags,
    /// `ListAccessKeys` of each user whose report row shows a key. Optional.
    AccessKeyIds,
    /// `AssumeRoot`: the session in which the root user's credentials are audited. Optional; members alone.
    RootSession,
    /// `GetLoginProfile` in the root session.
    RootLoginProfile,
    /// `ListAccessKeys` in the root session.
    RootAccessKeys,
    /// `ListMFADevices` in the root session.
    RootMfaDevices,
    /// `ListSigningCertificates` in the root session.
    RootSigningCertificates,
    /// `ListOrganizationsFeatures`, asked once for the whole organization.
    OrganizationFeatures,
}

impl Source {
    /// Every source, in the order in which the tables list them.
    pub const ALL: [Self; 17] = [
        Self::Role,
        Self::CredentialReport,
        Self::AccountSummary,
        Self::PasswordPolicy,
        Self::VirtualMfaDevices,
        Self::AccountAlias,
        Self::BillingContact,
        Self::OperationsContact,
        Self::SecurityContact,
        Self::AccountTags,
        Self::AccessKeyIds,
        Self::RootSession,
        Self::RootLoginProfile,
        Self::RootAccessKeys,
        Self::RootMfaDevices,
        Self::RootSigningCertificates,
        Self::OrganizationFeatures,
    ];

    /// The sources that one root session makes up.
    pub const ROOT_AUDIT: [Self; 5] = [
        Self::RootSession,
        Self::RootLoginProfile,
        Self::RootAccessKeys,
        Self::RootMfaDevices,
        Self::RootSigningCertificates,
    ];

    /// The name in tables and rule files: `credential_report`, `security_contact`, ….
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::CredentialReport => "credential_report",
            Self::AccountSummary => "account_summary",
            Self::PasswordPolicy => "password_policy",
            Self::VirtualMfaDevices => "virtual_mfa_devices",
            Self::AccountAlias => "account_alias",
            Self::BillingContact => "billing_contact",
            Self::OperationsContact => "operations_contact",
            Self::SecurityContact => "security_contact",
            Self::AccountTags => "account_tags",
            Self::AccessKeyIds => "access_key_ids",
            Self::RootSession => "root_session",
            Self::RootLoginProfile => "root_login_profile",
            Self::RootAccessKeys => "root_access_keys",
            Self::RootMfaDevices => "root_mfa_devices",
            Self::RootSigningCertificates => "root_signing_certificates",
            Self::OrganizationFeatures => "organization_features",
        }
    }

    /// The source that has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// The call whose answer the source is.
    #[must_use]
    pub fn call(self) -> Call {
        match self {
            Self::Role => Call::AssumeRole,
            Self::CredentialReport => Call::GetCredentialReport,
            Self::AccountSummary => Call::GetAccountSummary,
            Self::PasswordPolicy => Call::GetAccountPasswordPolicy,
            Self::VirtualMfaDevices => Call::ListVirtualMFADevices,
            Self::AccountAlias => Call::ListAccountAliases,
            Self::BillingContact | Self::OperationsContact | Self::SecurityContact => Call::GetAlternateContact,
            Self::AccountTags => Call::ListTagsForResource,
            Self::AccessKeyIds | Self::RootAccessKeys => Call::ListAccessKeys,
            Self::RootSession => Call::AssumeRoot,
            Self::RootLoginProfile => Call::GetLoginProfile,
            Self::RootMfaDevices => Call::ListMFADevices,
            Self::RootSigningCertificates => Call::ListSigningCertificates,
            Self::OrganizationFeatures => Call::ListOrganizationsFeatures,
        }
    }

    /// The source that an alternate contact of this type is.
    #[must_use]
    pub fn contact(contact: ContactType) -> Self {
        match contact {
            ContactType::Billing => Self::BillingContact,
            ContactType::Operations => Self::OperationsContact,
            ContactType::Security => Self::SecurityContact,
        }
    }

    /// Whether it is asked once for the organization, and so is there for accounts that were not opened too.
    #[must_use]
    pub fn is_of_organization(self) -> bool {
        self == Self::OrganizationFeatures
    }

    /// The setting that has an optional source asked; `None` for one that always is.
    #[must_use]
    pub fn wanted_by(self) -> Option<&'static str> {
        match self {
            Self::AccountTags => Some("sweep.account_tags"),
            Self::AccessKeyIds => Some("sweep.key_ids"),
            source if Self::ROOT_AUDIT.contains(&source) => Some("sweep.root_audit"),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of sources; in files, the list of their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Source>", into = "Vec<Source>")]
pub struct Sources(u32);

impl Sources {
    /// No source.
    pub const NONE: Self = Self(0);

    /// Adds a source.
    pub fn insert(&mut self, source: Source) {
        self.0 |= Self::bit(source);
    }

    /// Whether the source is in the set.
    #[must_use]
    pub fn contains(self, source: Source) -> bool {
        self.0 & Self::bit(source) != 0
    }

    /// Whether there is a source that both sets hold.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every source of this set is in the other.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The sources of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The sources of this set that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The sources, in the tables' order.
    pub fn iter(self) -> impl Iterator<Item = Source> {
        Source::ALL.into_iter().filter(move |source| self.contains(*source))
    }

    fn bit(source: Source) -> u32 {
        1 << source as u32
    }
}

impl FromIterator<Source> for Sources {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        sources.into_iter().fold(Self::default(), |mut set, source| {
            set.insert(source);
            set
        })
    }
}

impl From<Vec<Source>> for Sources {
    fn from(sources: Vec<Source>) -> Self {
        sources.into_iter().collect()
    }
}

impl From<Sources> for Vec<Source> {
    fn from(sources: Sources) -> Self {
        sources.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_found_by_its_name_and_has_a_place_in_a_set() {
        let mut set = Sources::NONE;
        for source in Source::ALL {
            assert_eq!(Source::from_name(source.as_str()), Some(source));
            assert!(!set.contains(source));
            set.insert(source);
            assert!(set.contains(source));
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), Source::ALL);
        assert_eq!(Source::from_name("elsewhere"), None);
    }

    #[test]
    fn sets_are_compared_by_their_sources() {
        let set = |sources: &[Source]| sources.iter().copied().collect::<Sources>();
        let (one, two) = (set(&[Source::Role]), set(&[Source::Role, Source::AccountTags]));
        assert!(one.is_within(two) && !two.is_within(one) && one.meets(two));
        assert_eq!(two.without(one), set(&[Source::AccountTags]));
        assert!(Sources::NONE.is_within(one) && !Sources::NONE.meets(one));
    }
}
