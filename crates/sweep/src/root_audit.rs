//! The root user's credentials as a root session sees them: a second way into a member, for those four calls alone.

use orgsweep_cloud::{Answered, ApiError, Session};
use orgsweep_core::{Call, Reading, RootAudit, Source};
use tracing::info;

use crate::others::reading;
use crate::session::OpenAccount;

/// Tells the calls of a root session from those of the role.
const ABOUT: &str = "root";

/// Opens a root session and asks what it may. A session that is refused is an answer of its own.
pub(crate) async fn collect_root_audit(root: &OpenAccount<'_>) -> RootAudit {
    if let Err(error) = root.open().await {
        info!(%error, "no root session");
        return RootAudit::unopened(Reading::Refused(error.refusal()), Source::RootSession);
    }
    let cloud = root.cloud();
    let call = Call::GetLoginProfile;
    let has_password = ask(root, call, |session| async move { cloud.root_has_password(&session).await }).await;
    let call = Call::ListAccessKeys;
    let access_keys = ask(root, call, |session| async move { cloud.root_access_keys(&session).await }).await;
    let call = Call::ListMFADevices;
    let mfa_devices = ask(root, call, |session| async move { cloud.root_mfa_devices(&session).await }).await;
    let call = Call::ListSigningCertificates;
    let certificates = ask(root, call, |session| async move { cloud.root_signing_certificates(&session).await }).await;
    RootAudit {
        session: Reading::Read(()),
        has_password: reading(has_password),
        access_keys: reading(access_keys),
        mfa_devices: reading(mfa_devices),
        signing_certificates: reading(certificates),
    }
}

async fn ask<T, F, Fut>(root: &OpenAccount<'_>, call: Call, request: F) -> Result<T, ApiError>
where
    F: Fn(Session) -> Fut,
    Fut: Future<Output = Answered<T>>,
{
    root.ask(call, ABOUT, request).await
}
