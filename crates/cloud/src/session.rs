//! Whose credentials sign a request. Secrets stay inside: nothing here prints or serializes them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orgsweep_core::{AccountId, Timestamp};

/// What `sts:AssumeRole` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// The account that is opened.
    pub account: AccountId,
    /// The role in it.
    pub role_arn: String,
    /// The name under which CloudTrail shows the session: 2 to 64 of `[\w+=,.@-]`.
    pub session_name: String,
    /// The secret that the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// How long the session holds: 900 s to 12 h.
    pub duration: Duration,
    /// The inline session policy, 2,048 characters at most.
    pub policy: Arc<str>,
}

/// What `sts:AssumeRoot` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRoot {
    /// The member account whose root user's credentials are audited.
    pub account: AccountId,
    /// The ARN of the task policy.
    pub task_policy_arn: String,
    /// How long the session holds: 15 minutes at most.
    pub duration: Duration,
}

/// The credentials of an assumed role, or of a root session.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The id, which is no secret.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// The token that goes with it.
    pub session_token: String,
    /// When they run out.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Whose credentials sign a request inside an account.
#[derive(Debug, Clone)]
pub enum Session {
    /// The caller's own, for the caller's own account.
    Caller,
    /// Those of the role, or of the root session, that was assumed in the account.
    Role(Arc<Credentials>),
}
