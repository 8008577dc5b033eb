//! The seam implemented with the AWS SDK: the only crate that names its types.
//!
//! One client for each service serves every account; the account's credentials go with each request. The SDK's own
//! retries are off, since retrying is the sweep's business. Nothing here sleeps, retries or logs.

mod connect;
mod contacts;
mod convert;
mod directory;
mod error;
mod iam;
mod role_broker;
mod root_iam;

use orgsweep_cloud::{Credentials, Session};

pub use connect::{ConnectError, Connection, Server, Timeouts};

/// AWS, reached through the SDK.
#[derive(Debug, Clone)]
pub struct AwsCloud {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    organizations: aws_sdk_organizations::Client,
    account: aws_sdk_account::Client,
}

/// The SDK's credentials for a session; `None` where the client's own, the caller's, are right.
fn sdk_credentials(session: &Session) -> Option<aws_credential_types::Credentials> {
    match session {
        Session::Caller => None,
        Session::Role(credentials) => Some(role_credentials(credentials)),
    }
}

fn role_credentials(credentials: &Credentials) -> aws_credential_types::Credentials {
    // No expiry is given: the sweep renews by what AWS answers, and an expiry here would make the SDK refuse by its
    // own clock.
    aws_credential_types::Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        Some(credentials.session_token.clone()),
        None,
        "orgsweep",
    )
}
