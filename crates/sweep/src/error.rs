//! Why a sweep ends without covering its plan. Whatever it is, the journal keeps what was read.

use orgsweep_cloud::ApiError;
use orgsweep_core::AccountId;
use orgsweep_lake::LakeError;

/// A sweep that ended early. It can be resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// Somebody stopped it.
    #[error("stopped before every account was read")]
    Stopped,
    /// The caller cannot be told who it is.
    #[error("AWS did not say who the caller is: {hint}")]
    CallerUnknown {
        /// What to look at.
        hint: &'static str,
        /// What AWS said.
        #[source]
        source: Box<ApiError>,
    },
    /// A share of a plan is to be swept, and there is no plan.
    #[error(
        "the run has no plan yet, so that nobody knows its shares: sweep it without a share, which lists the accounts first"
    )]
    NoPlan,
    /// The accounts cannot be listed.
    #[error("the organization's accounts could not be listed: {hint}")]
    NotListed {
        /// What to look at.
        hint: &'static str,
        /// What AWS said.
        #[source]
        source: Box<ApiError>,
    },
    /// The list of accounts is empty.
    #[error(
        "the organization lists no accounts: check that AWS_PROFILE and AWS_ENDPOINT_URL point at the management account, or at a delegated administrator, of the organization you mean"
    )]
    NoAccounts,
    /// Accounts were asked for that the organization does not have.
    #[error("the organization has no account {}: correct --accounts", list(.accounts))]
    NotInOrganization {
        /// The accounts.
        accounts: Vec<AccountId>,
    },
    /// Organizational units were asked for that no account is below.
    #[error("no account is below the organizational unit {}: correct --ou", .units.join(", "))]
    NotInUnits {
        /// The units.
        units: Vec<String>,
    },
    /// Organizational units were asked for, and AWS does not say where an account is.
    #[error(
        "AWS does not say where account {account} is in the organization, so that --ou cannot choose: name accounts with --accounts instead"
    )]
    NoPath {
        /// The first account without a path.
        account: AccountId,
    },
    /// A root audit was asked for where root access is not centralized.
    #[error(
        "--root-audit needs centralized root access, which is off in this organization: turn it on in the management account (`aws iam enable-organizations-root-credentials-management`), or leave --root-audit out"
    )]
    RootAuditOff,
    /// A root session could be opened nowhere.
    #[error(
        "a root session was refused in each of the {refused} member accounts that were asked: check that {caller} may call sts:AssumeRoot with the task policy IAMAuditRootUserCredentials (config/deploy/caller-policy.json), and resume; or start a new scan without --root-audit"
    )]
    NoRootSession {
        /// The caller's ARN.
        caller: String,
        /// Accounts that refused.
        refused: usize,
        /// The last refusal.
        #[source]
        source: Box<ApiError>,
    },
    /// The caller may not read what it is to read with its own credentials.
    #[error(
        "the caller may not call {}: allow it (config/deploy/caller-policy.json) and resume, or start a new scan without {setting}", .source.call
    )]
    CallerRefused {
        /// The setting that wants it.
        setting: &'static str,
        /// The refusal.
        #[source]
        source: Box<ApiError>,
    },
    /// No filter leaves an account to ask.
    #[error("no account is left to ask: {skipped} are listed, and each is filtered out or cannot be used")]
    NothingToAsk {
        /// Accounts listed.
        skipped: usize,
    },
    /// The role could be assumed nowhere.
    #[error(
        "role {role} could be assumed in none of the {refused} member accounts that were asked: check that it is deployed there, that its trust policy names {caller}, and that its external id, if it asks for one, is given; with another name or external id start a new scan. config/deploy/README.md deploys the role; service-managed StackSets never deploy to the management account"
    )]
    NoMemberOpened {
        /// The role's name.
        role: String,
        /// The caller's ARN.
        caller: String,
        /// Accounts that refused.
        refused: usize,
        /// The last refusal.
        #[source]
        source: Box<ApiError>,
    },
    /// So many accounts in a row refused the role that the caller must be the cause.
    #[error(
        "role {role} was refused by the last {refused} accounts, and now also where it could be assumed before: check the caller's own permission to sts:AssumeRole, and resume"
    )]
    RefusedInARow {
        /// The role's name.
        role: String,
        /// Accounts that refused.
        refused: usize,
        /// The last refusal.
        #[source]
        source: Box<ApiError>,
    },
    /// The caller's own credentials no longer hold.
    #[error("the caller's own credentials no longer hold: renew them (`aws sso login`) and resume")]
    CallerExpired(#[source] Box<ApiError>),
    /// AWS cannot be reached.
    #[error(
        "AWS could not be reached for the last {accounts} accounts: check the network, AWS_ENDPOINT_URL and HTTPS_PROXY, and resume"
    )]
    Unreachable {
        /// Accounts that were not reached.
        accounts: usize,
        /// The last failure.
        #[source]
        source: Box<ApiError>,
    },
    /// The journal or the plan could not be written or read.
    #[error("the lake failed")]
    Lake(#[from] LakeError),
    /// A part of the program died.
    #[error("orgsweep has a defect: {message}")]
    Defect {
        /// What the program said.
        message: String,
    },
}

fn list(accounts: &[AccountId]) -> String {
    let shown: Vec<&str> = accounts.iter().take(10).map(AccountId::as_str).collect();
    let more = accounts.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
