//! A cloud whose report calls answer as a test says; every other call is refused.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use orgsweep_cloud::{
    AccountContacts, AccountIam, AccountPage, Answered, ApiError, AssumeRole, AssumeRoot, Credentials, Directory,
    RawReport, ReportState, RoleBroker, RootIam, Session, TagPage, VirtualMfaPage,
};
use orgsweep_core::{
    AccountId, AccountSummary, Call, Caller, Contact, ContactType, ErrorKind, ListedKey, Organization,
    OrganizationFeatures, PasswordPolicy,
};

/// An answer of `GetCredentialReport`.
pub(crate) type FetchAnswer = Answered<RawReport>;

/// An answer of `GenerateCredentialReport`.
pub(crate) type GenerateAnswer = Answered<ReportState>;

/// Answers in order; the last answer stays.
pub(crate) struct ScriptedCloud {
    fetches: Mutex<VecDeque<FetchAnswer>>,
    generates: Mutex<VecDeque<GenerateAnswer>>,
}

impl ScriptedCloud {
    pub(crate) fn new(fetches: &[FetchAnswer], generates: &[GenerateAnswer]) -> Self {
        Self {
            fetches: Mutex::new(fetches.iter().cloned().collect()),
            generates: Mutex::new(generates.iter().cloned().collect()),
        }
    }
}

fn next<T: Clone>(call: Call, script: &Mutex<VecDeque<Answered<T>>>) -> Answered<T> {
    let mut script = script.lock().unwrap();
    if script.len() > 1 {
        return script.pop_front().unwrap();
    }
    script.front().cloned().unwrap_or_else(|| refused(call))
}

fn refused<T>(call: Call) -> Answered<T> {
    Err(ApiError::new(call, ErrorKind::Denied, "NotScripted", ""))
}

#[async_trait]
impl Directory for ScriptedCloud {
    async fn caller_identity(&self) -> Answered<Caller> {
        refused(Call::GetCallerIdentity)
    }

    async fn describe_organization(&self) -> Answered<Organization> {
        refused(Call::DescribeOrganization)
    }

    async fn list_accounts(&self, _next_token: Option<&str>) -> Answered<AccountPage> {
        refused(Call::ListAccounts)
    }

    async fn organization_features(&self) -> Answered<OrganizationFeatures> {
        refused(Call::ListOrganizationsFeatures)
    }

    async fn account_tags(&self, _account: AccountId, _next_token: Option<&str>) -> Answered<TagPage> {
        refused(Call::ListTagsForResource)
    }
}

#[async_trait]
impl RoleBroker for ScriptedCloud {
    async fn assume_role(&self, _request: &AssumeRole) -> Answered<Credentials> {
        refused(Call::AssumeRole)
    }

    async fn assume_root(&self, _request: &AssumeRoot) -> Answered<Credentials> {
        refused(Call::AssumeRoot)
    }
}

#[async_trait]
impl AccountIam for ScriptedCloud {
    async fn generate_report(&self, _session: &Session) -> Answered<ReportState> {
        next(Call::GenerateCredentialReport, &self.generates)
    }

    async fn fetch_report(&self, _session: &Session) -> Answered<RawReport> {
        next(Call::GetCredentialReport, &self.fetches)
    }

    async fn account_summary(&self, _session: &Session) -> Answered<AccountSummary> {
        refused(Call::GetAccountSummary)
    }

    async fn password_policy(&self, _session: &Session) -> Answered<Option<PasswordPolicy>> {
        refused(Call::GetAccountPasswordPolicy)
    }

    async fn virtual_mfa_devices(&self, _session: &Session, _marker: Option<&str>) -> Answered<VirtualMfaPage> {
        refused(Call::ListVirtualMFADevices)
    }

    async fn account_alias(&self, _session: &Session) -> Answered<Option<String>> {
        refused(Call::ListAccountAliases)
    }

    async fn access_keys(&self, _session: &Session, _user: &str) -> Answered<Option<Vec<ListedKey>>> {
        refused(Call::ListAccessKeys)
    }
}

#[async_trait]
impl RootIam for ScriptedCloud {
    async fn root_has_password(&self, _session: &Session) -> Answered<bool> {
        refused(Call::GetLoginProfile)
    }

    async fn root_access_keys(&self, _session: &Session) -> Answered<Vec<ListedKey>> {
        refused(Call::ListAccessKeys)
    }

    async fn root_mfa_devices(&self, _session: &Session) -> Answered<Vec<String>> {
        refused(Call::ListMFADevices)
    }

    async fn root_signing_certificates(&self, _session: &Session) -> Answered<u32> {
        refused(Call::ListSigningCertificates)
    }
}

#[async_trait]
impl AccountContacts for ScriptedCloud {
    async fn alternate_contact(&self, _session: &Session, _contact: ContactType) -> Answered<Option<Contact>> {
        refused(Call::GetAlternateContact)
    }
}
