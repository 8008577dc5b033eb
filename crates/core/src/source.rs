//! What is asked of AWS: the calls a sweep makes, and the sources of facts they make up.

use std::fmt;

use serde::{Deserialize, Serialize};

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

/// One thing that is read of an account; a column of a table names the source it comes from.
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
    /// `ListVirtualMFADevices`, asked only where root MFA is on.
    VirtualMfaDevices,
    /// `ListAccountAliases`.
    AccountAlias,
    /// `GetAlternateContact` for `BILLING`.
    BillingContact,
    /// `GetAlternateContact` for `OPERATIONS`.
    OperationsContact,
    /// `GetAlternateContact` for `SECURITY`.
    SecurityContact,
}

impl Source {
    /// Every source, in the order in which the tables list them.
    pub const ALL: [Self; 9] = [
        Self::Role,
        Self::CredentialReport,
        Self::AccountSummary,
        Self::PasswordPolicy,
        Self::VirtualMfaDevices,
        Self::AccountAlias,
        Self::BillingContact,
        Self::OperationsContact,
        Self::SecurityContact,
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
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One AWS operation that orgsweep can call. There are no others: the session policy and the scanner role are made
/// from this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    /// Who the caller is.
    GetCallerIdentity,
    /// Which organization this is.
    DescribeOrganization,
    /// A page of accounts.
    ListAccounts,
    /// Opening a member account.
    AssumeRole,
    /// Starting a credential report.
    GenerateCredentialReport,
    /// Fetching a credential report.
    GetCredentialReport,
    /// Counts and root posture.
    GetAccountSummary,
    /// The password policy.
    GetAccountPasswordPolicy,
    /// Which virtual MFA devices are assigned.
    ListVirtualMFADevices,
    /// The account's alias.
    ListAccountAliases,
    /// One alternate contact.
    GetAlternateContact,
}

impl Call {
    /// The calls made in the caller's account.
    pub const AS_CALLER: [Self; 4] =
        [Self::GetCallerIdentity, Self::DescribeOrganization, Self::ListAccounts, Self::AssumeRole];

    /// The calls made inside each account: just what the scanner role and the session policy allow.
    pub const IN_ACCOUNT: [Self; 7] = [
        Self::GenerateCredentialReport,
        Self::GetCredentialReport,
        Self::GetAccountSummary,
        Self::GetAccountPasswordPolicy,
        Self::ListVirtualMFADevices,
        Self::ListAccountAliases,
        Self::GetAlternateContact,
    ];

    /// The IAM action that allows the call: `iam:GetCredentialReport`.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::DescribeOrganization => "organizations:DescribeOrganization",
            Self::ListAccounts => "organizations:ListAccounts",
            Self::AssumeRole => "sts:AssumeRole",
            Self::GenerateCredentialReport => "iam:GenerateCredentialReport",
            Self::GetCredentialReport => "iam:GetCredentialReport",
            Self::GetAccountSummary => "iam:GetAccountSummary",
            Self::GetAccountPasswordPolicy => "iam:GetAccountPasswordPolicy",
            Self::ListVirtualMFADevices => "iam:ListVirtualMFADevices",
            Self::ListAccountAliases => "iam:ListAccountAliases",
            Self::GetAlternateContact => "account:GetAlternateContact",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.action())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_found_by_its_name() {
        for source in Source::ALL {
            assert_eq!(Source::from_name(source.as_str()), Some(source));
        }
        assert_eq!(Source::from_name("elsewhere"), None);
    }
}
