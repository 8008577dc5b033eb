//! The AWS operations that orgsweep can call. There are no others: the session policy, the scanner role and the
//! caller's policy are made from, or held against, these lists.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One AWS operation that orgsweep can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    /// Who the caller is.
    GetCallerIdentity,
    /// Which organization this is.
    DescribeOrganization,
    /// Which features of centralized root access are on.
    ListOrganizationsFeatures,
    /// A page of accounts.
    ListAccounts,
    /// An account's tags; only where they are wanted.
    ListTagsForResource,
    /// Opening a member account.
    AssumeRole,
    /// Opening a member account as its root user, to audit its root credentials; only where that is wanted.
    AssumeRoot,
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
    /// The ids of a user's access keys, where they are wanted; in a root session, those of the root user.
    ListAccessKeys,
    /// Whether the root user has a password; in a root session alone.
    GetLoginProfile,
    /// The root user's MFA devices; in a root session alone.
    ListMFADevices,
    /// The root user's signing certificates; in a root session alone.
    ListSigningCertificates,
}

impl Call {
    /// The calls made with the caller's own credentials, about the organization.
    pub const AS_CALLER: [Self; 7] = [
        Self::GetCallerIdentity,
        Self::DescribeOrganization,
        Self::ListOrganizationsFeatures,
        Self::ListAccounts,
        Self::ListTagsForResource,
        Self::AssumeRole,
        Self::AssumeRoot,
    ];

    /// The calls made inside each account: just what the scanner role allows.
    pub const IN_ACCOUNT: [Self; 8] = [
        Self::GenerateCredentialReport,
        Self::GetCredentialReport,
        Self::GetAccountSummary,
        Self::GetAccountPasswordPolicy,
        Self::ListVirtualMFADevices,
        Self::ListAccountAliases,
        Self::GetAlternateContact,
        Self::ListAccessKeys,
    ];

    /// The calls made in a root session. Its task policy, `IAMAuditRootUserCredentials`, allows them and little else.
    pub const AS_ROOT: [Self; 4] =
        [Self::GetLoginProfile, Self::ListAccessKeys, Self::ListMFADevices, Self::ListSigningCertificates];

    /// The IAM action that allows the call: `iam:GetCredentialReport`.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::DescribeOrganization => "organizations:DescribeOrganization",
            Self::ListOrganizationsFeatures => "iam:ListOrganizationsFeatures",
            Self::ListAccounts => "organizations:ListAccounts",
            Self::ListTagsForResource => "organizations:ListTagsForResource",
            Self::AssumeRole => "sts:AssumeRole",
            Self::AssumeRoot => "sts:AssumeRoot",
            Self::GenerateCredentialReport => "iam:GenerateCredentialReport",
            Self::GetCredentialReport => "iam:GetCredentialReport",
            Self::GetAccountSummary => "iam:GetAccountSummary",
            Self::GetAccountPasswordPolicy => "iam:GetAccountPasswordPolicy",
            Self::ListVirtualMFADevices => "iam:ListVirtualMFADevices",
            Self::ListAccountAliases => "iam:ListAccountAliases",
            Self::GetAlternateContact => "account:GetAlternateContact",
            Self::ListAccessKeys => "iam:ListAccessKeys",
            Self::GetLoginProfile => "iam:GetLoginProfile",
            Self::ListMFADevices => "iam:ListMFADevices",
            Self::ListSigningCertificates => "iam:ListSigningCertificates",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.action())
    }
}
