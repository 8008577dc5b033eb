//! Requests and answers in the simulation's own words: what both faces translate to and from.

use orgsweep_core::{AccountId, ContactType, Organization, PasswordPolicy, Tag, Timestamp};

use crate::action::Action;
use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::model::{AccountFacts, ContactFacts, UserFacts};

/// An AWS service that the simulation answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// AWS STS: query protocol, XML.
    Sts,
    /// AWS Organizations: JSON 1.1.
    Organizations,
    /// IAM: query protocol, XML.
    Iam,
    /// AWS Account Management: REST, JSON.
    Account,
}

/// Who is taken to have signed a request. Signatures are not verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signer {
    /// The access key id of the `Authorization` header; `None` for an unsigned request.
    pub access_key_id: Option<String>,
    /// `X-Amz-Security-Token`.
    pub session_token: Option<String>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who signed it.
    pub signer: Signer,
    /// What it asks for.
    pub operation: Operation,
}

/// Where a page of IAM starts, and how long it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The marker of the page before.
    pub marker: Option<String>,
    /// `MaxItems`, 1 to 1,000; 100 without.
    pub max_items: Option<u32>,
}

/// `AssignmentStatus` of `ListVirtualMFADevices`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AssignmentStatus {
    /// Devices that are somebody's.
    Assigned,
    /// Devices that are nobody's.
    Unassigned,
    /// All of them.
    #[default]
    Any,
}

/// The parameters of `AssumeRole`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRoleInput {
    /// `RoleArn`.
    pub role_arn: String,
    /// `RoleSessionName`.
    pub session_name: String,
    /// `ExternalId`.
    pub external_id: Option<String>,
    /// `DurationSeconds`; 3,600 without.
    pub duration_seconds: Option<u64>,
    /// `Policy`, the inline session policy.
    pub policy: Option<String>,
}

/// The parameters of `AssumeRoot`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRootInput {
    /// `TargetPrincipal`: a member's account id, or the ARN of its root user.
    pub target_principal: String,
    /// `TaskPolicyArn.arn`.
    pub task_policy_arn: String,
    /// `DurationSeconds`; 900 without, and at most.
    pub duration_seconds: Option<u64>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `sts:GetCallerIdentity`.
    GetCallerIdentity,
    /// `sts:AssumeRole`.
    AssumeRole(AssumeRoleInput),
    /// `sts:AssumeRoot`.
    AssumeRoot(AssumeRootInput),
    /// `organizations:DescribeOrganization`.
    DescribeOrganization,
    /// `organizations:ListRoots`.
    ListRoots,
    /// `organizations:ListAccounts`.
    ListAccounts {
        /// `NextToken`.
        next_token: Option<String>,
        /// `MaxResults`, 1 to 20; 20 without.
        max_results: Option<u64>,
    },
    /// `organizations:ListTagsForResource`.
    ListTagsForResource {
        /// `ResourceId`: an account's id.
        resource_id: String,
        /// `NextToken`.
        next_token: Option<String>,
    },
    /// `iam:ListOrganizationsFeatures`.
    ListOrganizationsFeatures,
    /// `iam:GenerateCredentialReport`.
    GenerateCredentialReport,
    /// `iam:GetCredentialReport`.
    GetCredentialReport,
    /// `iam:GetAccountSummary`.
    GetAccountSummary,
    /// `iam:GetAccountPasswordPolicy`.
    GetAccountPasswordPolicy,
    /// `iam:ListVirtualMFADevices`.
    ListVirtualMfaDevices(AssignmentStatus, PageRequest),
    /// `iam:ListAccountAliases`.
    ListAccountAliases,
    /// `iam:ListUsers`.
    ListUsers(PageRequest),
    /// `iam:ListAccessKeys`; without a name, of the user who asks.
    ListAccessKeys(Option<String>),
    /// `iam:GetUser` of the user who asks: a root session's.
    GetUser,
    /// `iam:GetLoginProfile` of the user who asks: a root session's.
    GetLoginProfile,
    /// `iam:ListMFADevices` of the user who asks: a root session's.
    ListMfaDevices,
    /// `iam:ListSigningCertificates` of the user who asks: a root session's.
    ListSigningCertificates,
    /// `account:GetAlternateContact`.
    GetAlternateContact {
        /// `AlternateContactType`.
        contact_type: String,
        /// `AccountId`; without, the account whose credentials sign.
        account_id: Option<String>,
    },
}

impl Operation {
    /// The service that answers.
    #[must_use]
    pub fn service(&self) -> Service {
        match self {
            Self::GetCallerIdentity | Self::AssumeRole(_) | Self::AssumeRoot(_) => Service::Sts,
            Self::DescribeOrganization
            | Self::ListRoots
            | Self::ListAccounts { .. }
            | Self::ListTagsForResource { .. } => Service::Organizations,
            Self::GetAlternateContact { .. } => Service::Account,
            _ => Service::Iam,
        }
    }

    /// The action that must be allowed inside the account; `None` for what is not asked inside an account.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::GenerateCredentialReport => Some(Action::GenerateCredentialReport),
            Self::GetCredentialReport => Some(Action::GetCredentialReport),
            Self::GetAccountSummary => Some(Action::GetAccountSummary),
            Self::GetAccountPasswordPolicy => Some(Action::GetAccountPasswordPolicy),
            Self::ListVirtualMfaDevices(..) => Some(Action::ListVirtualMfaDevices),
            Self::ListAccountAliases => Some(Action::ListAccountAliases),
            Self::ListUsers(_) => Some(Action::ListUsers),
            Self::ListAccessKeys(_) => Some(Action::ListAccessKeys),
            Self::GetUser => Some(Action::GetUser),
            Self::GetLoginProfile => Some(Action::GetLoginProfile),
            Self::ListMfaDevices => Some(Action::ListMfaDevices),
            Self::ListSigningCertificates => Some(Action::ListSigningCertificates),
            Self::GetAlternateContact { .. } => Some(Action::GetAlternateContact),
            Self::GetCallerIdentity
            | Self::AssumeRole(_)
            | Self::AssumeRoot(_)
            | Self::DescribeOrganization
            | Self::ListRoots
            | Self::ListAccounts { .. }
            | Self::ListTagsForResource { .. }
            | Self::ListOrganizationsFeatures => None,
        }
    }

    /// The operation's name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::AssumeRole(_) => "AssumeRole",
            Self::AssumeRoot(_) => "AssumeRoot",
            Self::ListTagsForResource { .. } => "ListTagsForResource",
            Self::ListOrganizationsFeatures => "ListOrganizationsFeatures",
            Self::DescribeOrganization => "DescribeOrganization",
            Self::ListRoots => "ListRoots",
            Self::ListAccounts { .. } => "ListAccounts",
            _ => self.action().and_then(|action| action.name().split(':').nth(1)).unwrap_or_default(),
        }
    }
}

/// Whose credentials are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `UserId`.
    pub user_id: String,
    /// The account.
    pub account_id: AccountId,
    /// The ARN.
    pub arn: String,
}

/// What `AssumeRole` and `AssumeRoot` give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// `AccessKeyId`.
    pub access_key_id: String,
    /// `SecretAccessKey`. Signatures are not verified, so it opens nothing.
    pub secret_access_key: String,
    /// `SessionToken`.
    pub session_token: String,
    /// `Expiration`, in whole seconds.
    pub expires_at: Timestamp,
    /// Who the session is.
    pub identity: Identity,
    /// How full the session policy makes its space, in percent; `None` without one.
    pub packed_policy_percent: Option<u64>,
}

/// The organization as `DescribeOrganization` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedOrganization {
    /// Its id and that of its management account.
    pub organization: Organization,
    /// `Arn`.
    pub arn: String,
    /// `MasterAccountArn`.
    pub management_account_arn: String,
    /// `MasterAccountEmail`.
    pub management_account_email: String,
}

/// A user, and its unique id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// `UserId`.
    pub id: String,
    /// The user.
    pub facts: UserFacts,
}

/// A virtual MFA device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMfaDevice {
    /// `SerialNumber`.
    pub serial_number: String,
    /// Whose it is.
    pub user: Option<ListedUser>,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// `UserName`; the root user has none.
    pub user_name: Option<String>,
    /// `AccessKeyId`.
    pub id: String,
    /// Whether the status is `Active`.
    pub active: bool,
    /// `CreateDate`.
    pub created_at: Timestamp,
}

/// A signing certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCertificate {
    /// `CertificateId`.
    pub id: String,
    /// Whether the status is `Active`.
    pub active: bool,
    /// `UploadDate`.
    pub uploaded_at: Timestamp,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Who asks.
    CallerIdentity(Identity),
    /// A session.
    AssumedRole(Box<AssumedRole>),
    /// A root session.
    AssumedRoot(Box<AssumedRole>),
    /// The organization.
    Organization(DescribedOrganization),
    /// The id and the ARN of the organization's root.
    Root(String, String),
    /// A page of accounts.
    Accounts(Vec<AccountFacts>, Option<String>),
    /// A page of an account's tags.
    Tags(Vec<Tag>, Option<String>),
    /// The organization's id, and the features that are on in it.
    Features(String, Vec<&'static str>),
    /// A report was started.
    ReportStarted,
    /// A report is in the making.
    ReportInProgress,
    /// There is a report.
    ReportComplete,
    /// The report, and when it was made.
    Report(Vec<u8>, Timestamp),
    /// The account summary, by key.
    Summary(Vec<(&'static str, u64)>),
    /// The password policy.
    PasswordPolicy(PasswordPolicy),
    /// A page of virtual MFA devices.
    VirtualMfaDevices(Vec<ListedMfaDevice>, Option<String>),
    /// The aliases, one at most.
    Aliases(Vec<String>),
    /// A page of IAM users.
    Users(Vec<ListedUser>, Option<String>),
    /// The access keys of the user, whose name the root user does not have.
    AccessKeys(Option<String>, Vec<ListedKey>),
    /// The user who asks.
    User(Box<ListedUser>),
    /// When the root user's password was set.
    LoginProfile(Timestamp),
    /// The root user's MFA devices: serial numbers, and when they were enabled.
    MfaDevices(Vec<(String, Timestamp)>),
    /// The root user's signing certificates.
    SigningCertificates(Vec<ListedCertificate>),
    /// An alternate contact.
    Contact(ContactType, ContactFacts),
}

/// An answer, and the id of the request that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The id: a UUID made from the seed and the request's number.
    pub request_id: String,
    /// What came of it.
    pub outcome: Result<Output, Fault>,
    /// How it gets to whoever asked.
    pub delivery: Delivery,
}
