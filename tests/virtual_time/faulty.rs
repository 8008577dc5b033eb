//! A cloud that fails when a test says so, around one that does not.

#![deny(clippy::missing_trait_methods)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use orgsweep_cloud::{
    AccountContacts, AccountIam, AccountPage, Answered, ApiError, AssumeRole, Credentials, Directory, RawReport,
    ReportState, RoleBroker, Session, VirtualMfaPage,
};
use orgsweep_core::{AccountSummary, Call, Caller, Contact, ContactType, ErrorKind, Organization, PasswordPolicy};
use orgsweep_sim::SimCloud;

/// Says whether the request fails: the call, and how many requests of all kinds came before it.
pub(crate) type Fault = fn(Call, u32) -> Option<(ErrorKind, &'static str)>;

/// The simulated organization, behind faults.
pub(crate) struct FaultyCloud {
    pub(crate) inner: Arc<SimCloud>,
    pub(crate) fault: Fault,
    pub(crate) requests: AtomicU32,
}

impl FaultyCloud {
    fn fail(&self, call: Call) -> Result<(), ApiError> {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        match (self.fault)(call, before) {
            None => Ok(()),
            Some((kind, code)) => Err(ApiError::new(call, kind, code, "a test wants it so")),
        }
    }
}

#[async_trait]
impl Directory for FaultyCloud {
    async fn caller_identity(&self) -> Answered<Caller> {
        self.fail(Call::GetCallerIdentity)?;
        self.inner.caller_identity().await
    }

    async fn describe_organization(&self) -> Answered<Organization> {
        self.fail(Call::DescribeOrganization)?;
        self.inner.describe_organization().await
    }

    async fn list_accounts(&self, next_token: Option<&str>) -> Answered<AccountPage> {
        self.fail(Call::ListAccounts)?;
        self.inner.list_accounts(next_token).await
    }
}

#[async_trait]
impl RoleBroker for FaultyCloud {
    async fn assume_role(&self, request: &AssumeRole) -> Answered<Credentials> {
        self.fail(Call::AssumeRole)?;
        self.inner.assume_role(request).await
    }
}

#[async_trait]
impl AccountIam for FaultyCloud {
    async fn generate_report(&self, session: &Session) -> Answered<ReportState> {
        self.fail(Call::GenerateCredentialReport)?;
        self.inner.generate_report(session).await
    }

    async fn fetch_report(&self, session: &Session) -> Answered<RawReport> {
        self.fail(Call::GetCredentialReport)?;
        self.inner.fetch_report(session).await
    }

    async fn account_summary(&self, session: &Session) -> Answered<AccountSummary> {
        self.fail(Call::GetAccountSummary)?;
        self.inner.account_summary(session).await
    }

    async fn password_policy(&self, session: &Session) -> Answered<Option<PasswordPolicy>> {
        self.fail(Call::GetAccountPasswordPolicy)?;
        self.inner.password_policy(session).await
    }

    async fn virtual_mfa_devices(&self, session: &Session, marker: Option<&str>) -> Answered<VirtualMfaPage> {
        self.fail(Call::ListVirtualMFADevices)?;
        self.inner.virtual_mfa_devices(session, marker).await
    }

    async fn account_alias(&self, session: &Session) -> Answered<Option<String>> {
        self.fail(Call::ListAccountAliases)?;
        self.inner.account_alias(session).await
    }
}

#[async_trait]
impl AccountContacts for FaultyCloud {
    async fn alternate_contact(&self, session: &Session, contact: ContactType) -> Answered<Option<Contact>> {
        self.fail(Call::GetAlternateContact)?;
        self.inner.alternate_contact(session, contact).await
    }
}
