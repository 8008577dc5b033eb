//! What is asked of IAM about the root user, in a root session. AWS leaves the user's name out of every answer.

use async_trait::async_trait;
use orgsweep_cloud::{Answer, Answered, RootIam, Session};
use orgsweep_core::{Call, ErrorKind, ListedKey};

use crate::AwsCloud;
use crate::error::answered;
use crate::iam::listed_keys;

#[async_trait]
impl RootIam for AwsCloud {
    async fn root_has_password(&self, session: &Session) -> Answered<bool> {
        let sent = self.iam.ask(session, |iam| iam.get_login_profile().send());
        match answered(Call::GetLoginProfile, sent.await) {
            Ok(Answer { request_id, .. }) => Ok(Answer { value: true, request_id }),
            Err(error) if error.kind == ErrorKind::Absent => Ok(Answer { value: false, request_id: error.request_id }),
            Err(error) => Err(error),
        }
    }

    async fn root_access_keys(&self, session: &Session) -> Answered<Vec<ListedKey>> {
        let call = Call::ListAccessKeys;
        let sent = self.iam.ask(session, |iam| iam.list_access_keys().send());
        let Answer { value, request_id } = answered(call, sent.await)?;
        Ok(Answer { value: listed_keys(call, value.access_key_metadata())?, request_id })
    }

    async fn root_mfa_devices(&self, session: &Session) -> Answered<Vec<String>> {
        let sent = self.iam.ask(session, |iam| iam.list_mfa_devices().send());
        let Answer { value, request_id } = answered(Call::ListMFADevices, sent.await)?;
        let serials = value.mfa_devices().iter().map(|device| device.serial_number().to_owned());
        Ok(Answer { value: serials.collect(), request_id })
    }

    async fn root_signing_certificates(&self, session: &Session) -> Answered<u32> {
        let sent = self.iam.ask(session, |iam| iam.list_signing_certificates().send());
        let Answer { value, request_id } = answered(Call::ListSigningCertificates, sent.await)?;
        Ok(Answer { value: u32::try_from(value.certificates().len()).unwrap_or(u32::MAX), request_id })
    }
}
