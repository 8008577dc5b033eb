//! How a call fails, in terms of what the caller can do about it.

use std::fmt;

use orgsweep_core::{Call, ErrorKind, Refusal};

/// Where AWS counts the calls of an operation against its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// AWS Organizations, in the caller's account.
    Organizations,
    /// AWS STS, in the caller's account.
    Sts,
    /// IAM, in the account that is asked.
    Iam,
    /// Account Management, in the account that is asked.
    Account,
}

impl Scope {
    /// The scope that a call counts against.
    #[must_use]
    pub fn of(call: Call) -> Self {
        match call {
            Call::GetCallerIdentity | Call::AssumeRole | Call::AssumeRoot => Self::Sts,
            Call::DescribeOrganization | Call::ListAccounts | Call::ListTagsForResource => Self::Organizations,
            Call::ListOrganizationsFeatures
            | Call::GenerateCredentialReport
            | Call::GetCredentialReport
            | Call::GetAccountSummary
            | Call::GetAccountPasswordPolicy
            | Call::ListVirtualMFADevices
            | Call::ListAccountAliases
            | Call::ListAccessKeys
            | Call::GetLoginProfile
            | Call::ListMFADevices
            | Call::ListSigningCertificates => Self::Iam,
            Call::GetAlternateContact => Self::Account,
        }
    }
}

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The call that failed.
    pub call: Call,
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// AWS's error code, or orgsweep's own where no answer came, or none that can be used (`Timeout`,
    /// `ConnectionFailed`, `AccountDeadline`, `InvalidAnswer`, `RepeatedPage`, `EndlessList`).
    pub code: String,
    /// The message in full.
    pub message: String,
    /// AWS's id of the request, where an answer came.
    pub request_id: Option<String>,
}

impl ApiError {
    /// An error of `call` that has no request id.
    #[must_use]
    pub fn new(call: Call, kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { call, kind, code: code.into(), message: message.into(), request_id: None }
    }

    /// Where the call was counted.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::of(self.call)
    }

    /// What the tables keep of it.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal { kind: self.kind, code: self.code.clone() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was not answered: {}", self.call, self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(request_id) => write!(f, " (request {request_id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ApiError {}

/// An answer, and AWS's id of the request it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

/// What every call returns.
pub type Answered<T> = Result<Answer<T>, ApiError>;
