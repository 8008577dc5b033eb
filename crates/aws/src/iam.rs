//! What is asked of IAM inside an account.

use async_trait::async_trait;
use aws_sdk_iam::types::{
    AccessKeyMetadata, AssignmentStatusType, PasswordPolicy as SdkPolicy, ReportStateType, StatusType, SummaryKeyType,
};
use bytes::Bytes;
use orgsweep_cloud::{AccountIam, Answer, Answered, ApiError, RawReport, ReportState, Session, VirtualMfaPage};
use orgsweep_core::{AccountSummary, Call, ErrorKind, ListedKey, PasswordPolicy};

use crate::AwsCloud;
use crate::convert::{invalid_answer, required, timestamp};
use crate::error::answered;

#[async_trait]
impl AccountIam for AwsCloud {
    async fn generate_report(&self, session: &Session) -> Answered<ReportState> {
        let call = Call::GenerateCredentialReport;
        let sent = self.iam.ask(session, |iam| iam.generate_credential_report().send());
        let Answer { value, request_id } = answered(call, sent.await)?;
        let state = match required(call, "state", value.state())? {
            ReportStateType::Started => ReportState::Started,
            ReportStateType::Inprogress => ReportState::InProgress,
            ReportStateType::Complete => ReportState::Complete,
            other => return Err(invalid_answer(call, format!("unknown state {:?}", other.as_str()))),
        };
        Ok(Answer { value: state, request_id })
    }

    async fn fetch_report(&self, session: &Session) -> Answered<RawReport> {
        let call = Call::GetCredentialReport;
        let sent = self.iam.ask(session, |iam| iam.get_credential_report().send());
        let Answer { mut value, request_id } = answered(call, sent.await)?;
        let generated_at = required(call, "generation time", value.generated_time().and_then(timestamp))?;
        let content = required(call, "content", value.content.take())?;
        Ok(Answer { value: RawReport { content: Bytes::from(content.into_inner()), generated_at }, request_id })
    }

    async fn account_summary(&self, session: &Session) -> Answered<AccountSummary> {
        let sent = self.iam.ask(session, |iam| iam.get_account_summary().send());
        let Answer { value, request_id } = answered(Call::GetAccountSummary, sent.await)?;
        let entry = |key: SummaryKeyType| value.summary_map().and_then(|map| map.get(&key)).copied();
        let present = |key: SummaryKeyType| entry(key).map(|count| count != 0);
        let summary = AccountSummary {
            users: entry(SummaryKeyType::Users).map(i64::from),
            root_mfa_enabled: present(SummaryKeyType::AccountMfaEnabled),
            root_access_keys_present: present(SummaryKeyType::AccountAccessKeysPresent),
            root_password_present: present(SummaryKeyType::AccountPasswordPresent),
            root_signing_certificates_present: present(SummaryKeyType::AccountSigningCertificatesPresent),
        };
        Ok(Answer { value: summary, request_id })
    }

    async fn password_policy(&self, session: &Session) -> Answered<Option<PasswordPolicy>> {
        let call = Call::GetAccountPasswordPolicy;
        let sent = self.iam.ask(session, |iam| iam.get_account_password_policy().send());
        match answered(call, sent.await) {
            Ok(Answer { value, request_id }) => {
                let policy = required(call, "password policy", value.password_policy())?;
                Ok(Answer { value: Some(password_policy(policy)), request_id })
            }
            Err(error) if error.kind == ErrorKind::Absent => Ok(Answer { value: None, request_id: error.request_id }),
            Err(error) => Err(error),
        }
    }

    async fn virtual_mfa_devices(&self, session: &Session, marker: Option<&str>) -> Answered<VirtualMfaPage> {
        let sent = self.iam.ask(session, |iam| {
            let devices = iam.list_virtual_mfa_devices().assignment_status(AssignmentStatusType::Assigned);
            devices.set_marker(marker.map(str::to_owned)).send()
        });
        let Answer { value, request_id } = answered(Call::ListVirtualMFADevices, sent.await)?;
        let users = value.virtual_mfa_devices().iter().filter_map(|device| device.user());
        // Devices of root have had other names than `root-account-mfa-device`, so the user's ARN decides.
        let has_root_device = users.into_iter().any(|user| user.arn().ends_with(":root"));
        let next_marker = if value.is_truncated() { value.marker().map(str::to_owned) } else { None };
        Ok(Answer { value: VirtualMfaPage { has_root_device, next_marker }, request_id })
    }

    async fn account_alias(&self, session: &Session) -> Answered<Option<String>> {
        let sent = self.iam.ask(session, |iam| iam.list_account_aliases().send());
        let Answer { value, request_id } = answered(Call::ListAccountAliases, sent.await)?;
        Ok(Answer { value: value.account_aliases().first().cloned(), request_id })
    }

    async fn access_keys(&self, session: &Session, user: &str) -> Answered<Option<Vec<ListedKey>>> {
        let call = Call::ListAccessKeys;
        let sent = self.iam.ask(session, |iam| iam.list_access_keys().user_name(user).send());
        match answered(call, sent.await) {
            Ok(Answer { value, request_id }) => {
                Ok(Answer { value: Some(listed_keys(call, value.access_key_metadata())?), request_id })
            }
            Err(error) if error.kind == ErrorKind::Absent => Ok(Answer { value: None, request_id: error.request_id }),
            Err(error) => Err(error),
        }
    }
}

/// Access keys as the sweep keeps them.
pub(crate) fn listed_keys(call: Call, listed: &[AccessKeyMetadata]) -> Result<Vec<ListedKey>, ApiError> {
    let key = |key: &AccessKeyMetadata| {
        Ok(ListedKey {
            id: required(call, "access key id", key.access_key_id())?.to_owned(),
            status: required(call, "status", key.status().map(StatusType::as_str))?.to_owned(),
            created_at: key.create_date().and_then(timestamp),
        })
    };
    listed.iter().map(key).collect()
}

fn password_policy(policy: &SdkPolicy) -> PasswordPolicy {
    PasswordPolicy {
        minimum_password_length: policy.minimum_password_length(),
        require_symbols: policy.require_symbols(),
        require_numbers: policy.require_numbers(),
        require_uppercase: policy.require_uppercase_characters(),
        require_lowercase: policy.require_lowercase_characters(),
        allow_users_to_change_password: policy.allow_users_to_change_password(),
        expire_passwords: policy.expire_passwords(),
        max_password_age: policy.max_password_age(),
        password_reuse_prevention: policy.password_reuse_prevention(),
        hard_expiry: policy.hard_expiry(),
    }
}
