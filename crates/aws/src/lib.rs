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
mod signer;

pub use connect::{ConnectError, Connection, Server, Timeouts};

use crate::signer::Clients;

/// AWS, reached through the SDK.
#[derive(Debug, Clone)]
pub struct AwsCloud {
    iam: Clients<aws_sdk_iam::Client>,
    sts: aws_sdk_sts::Client,
    organizations: aws_sdk_organizations::Client,
    account: Clients<aws_sdk_account::Client>,
}
