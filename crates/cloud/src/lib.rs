//! The seam between the sweep and AWS: one method for each call the sweep makes, in orgsweep's own types.
//!
//! Nothing on this side of the seam knows the AWS SDK, and nothing on the other side retries, polls, paces or logs:
//! one method is one request, and its [`ApiError`] says what the caller can do.

mod error;
mod policy;
mod session;

use async_trait::async_trait;
use bytes::Bytes;
use orgsweep_core::{
    Account, AccountId, AccountSummary, Caller, Contact, ContactType, ListedKey, Organization, OrganizationFeatures,
    PasswordPolicy, Tag, Timestamp,
};

pub use error::{Answer, Answered, ApiError, Scope};
pub use policy::{POLICY_VERSION, session_policy};
pub use session::{AssumeRole, AssumeRoot, Credentials, Session};

/// A page of the organization's accounts, and how to ask for the next one. An empty page may have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    /// The accounts, 20 at most.
    pub accounts: Vec<Account>,
    /// Where the next page starts; `None` at the end of the list, and only there.
    pub next_token: Option<String>,
}

/// What `GenerateCredentialReport` says of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// A new one is being made, since this call.
    Started,
    /// A new one is being made, since an earlier call.
    InProgress,
    /// There is one to fetch; none newer is to be had for now.
    Complete,
}

/// A credential report as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReport {
    /// The CSV.
    pub content: Bytes,
    /// When AWS made it.
    pub generated_at: Timestamp,
}

/// A page of the assigned virtual MFA devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualMfaPage {
    /// Whether one of the page's devices is assigned to the root user.
    pub has_root_device: bool,
    /// Where the next page starts; `None` after the last.
    pub next_marker: Option<String>,
}

/// A page of an account's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// The tags.
    pub tags: Vec<Tag>,
    /// Where the next page starts; `None` after the last.
    pub next_token: Option<String>,
}

/// AWS Organizations, and who asks it. Always the caller's own credentials.
#[async_trait]
pub trait Directory: Send + Sync {
    /// `sts:GetCallerIdentity`.
    async fn caller_identity(&self) -> Answered<Caller>;

    /// `organizations:DescribeOrganization`.
    async fn describe_organization(&self) -> Answered<Organization>;

    /// `organizations:ListAccounts`, one page, from the start or from a token.
    async fn list_accounts(&self, next_token: Option<&str>) -> Answered<AccountPage>;

    /// `iam:ListOrganizationsFeatures`. Where IAM has no trusted access to the organization, or the organization not
    /// all features, nothing is on.
    async fn organization_features(&self) -> Answered<OrganizationFeatures>;

    /// `organizations:ListTagsForResource` of an account, one page, from the start or from a token.
    async fn account_tags(&self, account: AccountId, next_token: Option<&str>) -> Answered<TagPage>;
}

/// AWS STS. Always the caller's own credentials.
#[async_trait]
pub trait RoleBroker: Send + Sync {
    /// `sts:AssumeRole`. A role that is missing and one that does not trust the caller both come back as
    /// [`ErrorKind::Denied`](orgsweep_core::ErrorKind::Denied).
    async fn assume_role(&self, request: &AssumeRole) -> Answered<Credentials>;

    /// `sts:AssumeRoot` with the task policy `IAMAuditRootUserCredentials`. A feature that is off comes back as
    /// [`ErrorKind::Denied`](orgsweep_core::ErrorKind::Denied), like a missing permission.
    async fn assume_root(&self, request: &AssumeRoot) -> Answered<Credentials>;
}

/// What is asked of IAM inside an account.
#[async_trait]
pub trait AccountIam: Send + Sync {
    /// `iam:GenerateCredentialReport`.
    async fn generate_report(&self, session: &Session) -> Answered<ReportState>;

    /// `iam:GetCredentialReport`. No report, or one too old to serve, is
    /// [`ErrorKind::Absent`](orgsweep_core::ErrorKind::Absent); one in the making is
    /// [`ErrorKind::NotReady`](orgsweep_core::ErrorKind::NotReady).
    async fn fetch_report(&self, session: &Session) -> Answered<RawReport>;

    /// `iam:GetAccountSummary`.
    async fn account_summary(&self, session: &Session) -> Answered<AccountSummary>;

    /// `iam:GetAccountPasswordPolicy`; `None` where the account has none of its own.
    async fn password_policy(&self, session: &Session) -> Answered<Option<PasswordPolicy>>;

    /// `iam:ListVirtualMFADevices` with `AssignmentStatus=Assigned`, one page.
    async fn virtual_mfa_devices(&self, session: &Session, marker: Option<&str>) -> Answered<VirtualMfaPage>;

    /// `iam:ListAccountAliases`; `None` where there is none.
    async fn account_alias(&self, session: &Session) -> Answered<Option<String>>;

    /// `iam:ListAccessKeys` of one user, who has two keys at most; `None` where there is no such user.
    async fn access_keys(&self, session: &Session, user: &str) -> Answered<Option<Vec<ListedKey>>>;
}

/// What is asked of IAM about the root user, in a session that [`RoleBroker::assume_root`] opened. No answer names the
/// user.
#[async_trait]
pub trait RootIam: Send + Sync {
    /// `iam:GetLoginProfile`: whether there is a password.
    async fn root_has_password(&self, session: &Session) -> Answered<bool>;

    /// `iam:ListAccessKeys`.
    async fn root_access_keys(&self, session: &Session) -> Answered<Vec<ListedKey>>;

    /// `iam:ListMFADevices`: the serial numbers of eight devices at most.
    async fn root_mfa_devices(&self, session: &Session) -> Answered<Vec<String>>;

    /// `iam:ListSigningCertificates`, counted.
    async fn root_signing_certificates(&self, session: &Session) -> Answered<u32>;
}

/// What is asked of AWS Account Management inside an account.
#[async_trait]
pub trait AccountContacts: Send + Sync {
    /// `account:GetAlternateContact`; `None` where there is none of the type.
    async fn alternate_contact(&self, session: &Session, contact: ContactType) -> Answered<Option<Contact>>;
}

/// Everything a sweep asks of AWS.
pub trait Cloud: Directory + RoleBroker + AccountIam + RootIam + AccountContacts {}

impl<T: Directory + RoleBroker + AccountIam + RootIam + AccountContacts> Cloud for T {}

/// The ARN of a role called `name` (a path may stand before it, as in `security/scanner`) in an account.
#[must_use]
pub fn role_arn(partition: orgsweep_core::Partition, account: AccountId, name: &str) -> String {
    format!("arn:{partition}:iam::{account}:role/{}", name.trim_start_matches('/'))
}

/// The ARN of the task policy that a root session is cut down to: it may look at root credentials, and no more.
#[must_use]
pub fn root_audit_policy_arn(partition: orgsweep_core::Partition) -> String {
    format!("arn:{partition}:iam::aws:policy/root-task/IAMAuditRootUserCredentials")
}
