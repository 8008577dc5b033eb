//! Opening a member account, through its scanner role or as its root user.

use async_trait::async_trait;
use aws_sdk_sts::types::{Credentials as SdkCredentials, PolicyDescriptorType};
use orgsweep_cloud::{Answer, Answered, ApiError, AssumeRole, AssumeRoot, Credentials, RoleBroker};
use orgsweep_core::Call;

use crate::AwsCloud;
use crate::convert::{invalid_answer, required, timestamp};
use crate::error::answered;

#[async_trait]
impl RoleBroker for AwsCloud {
    async fn assume_role(&self, request: &AssumeRole) -> Answered<Credentials> {
        let call = Call::AssumeRole;
        let seconds = i32::try_from(request.duration.as_secs()).unwrap_or(i32::MAX);
        let result = self
            .sts
            .assume_role()
            .role_arn(&request.role_arn)
            .role_session_name(&request.session_name)
            .set_external_id(request.external_id.clone())
            .duration_seconds(seconds)
            .policy(&*request.policy)
            .send()
            .await;
        let Answer { value, request_id } = answered(call, result)?;
        Ok(Answer { value: credentials(call, value.credentials())?, request_id })
    }

    async fn assume_root(&self, request: &AssumeRoot) -> Answered<Credentials> {
        let call = Call::AssumeRoot;
        let seconds = i32::try_from(request.duration.as_secs()).unwrap_or(i32::MAX);
        // The client asks STS in its own region: the global endpoint does not know this operation.
        let result = self
            .sts
            .assume_root()
            .target_principal(request.account.as_str())
            .task_policy_arn(PolicyDescriptorType::builder().arn(&request.task_policy_arn).build())
            .duration_seconds(seconds)
            .send()
            .await;
        let Answer { value, request_id } = answered(call, result)?;
        Ok(Answer { value: credentials(call, value.credentials())?, request_id })
    }
}

fn credentials(call: Call, issued: Option<&SdkCredentials>) -> Result<Credentials, ApiError> {
    let issued = required(call, "credentials", issued)?;
    let expires_at = timestamp(issued.expiration())
        .ok_or_else(|| invalid_answer(call, "the credentials' expiration is no time".to_owned()))?;
    Ok(Credentials {
        access_key_id: issued.access_key_id().to_owned(),
        secret_access_key: issued.secret_access_key().to_owned(),
        session_token: issued.session_token().to_owned(),
        expires_at,
    })
}
