//! A cloud that fails when a test says so, around one that does not.

#![deny(clippy::missing_trait_methods)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use orgsweep_cloud::{
    AccountContacts, AccountIam, AccountPage, Answer, Answered, ApiError, AssumeRole, AssumeRoot, Credentials,
    Directory, RawReport, ReportState, RoleBroker, RootIam, Session, TagPage, VirtualMfaPage,
};
use orgsweep_core::{
    AccountId, AccountSummary, Call, Caller, Contact, ContactType, ErrorKind, ListedKey, Organization,
    OrganizationFeatures, PasswordPolicy,
};
use orgsweep_sim::SimCloud;

/// A request, as far as a fault can depend on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) call: Call,
    /// The account that is asked, or asked about; `None` for the caller's own and for the organization.
    pub(crate) account: Option<AccountId>,
    /// Whether it is made in a root session.
    pub(crate) as_root: bool,
    pub(crate) contact: Option<ContactType>,
    /// How many requests of all kinds came before it.
    pub(crate) before: u32,
}

/// What becomes of a request that does not go well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Break {
    /// This error comes back.
    Error(ErrorKind, &'static str),
    /// The report that comes back ends somewhere within a row; the number says where.
    CutOff(u64),
    /// This comes back in place of the report.
    Report(&'static str),
    /// The page that comes back is empty, and names one that is always the same as the next.
    SamePage,
    /// The page that comes back is empty, and names one as the next that was never named before.
    NewPage,
    /// Nothing comes back, ever.
    Hang,
}

/// Says what becomes of a request; `None` lets it pass.
pub(crate) type Fault = Arc<dyn Fn(Request) -> Option<Break> + Send + Sync>;

/// A fault that depends on the call and its place among all requests.
pub(crate) fn fault(of: fn(Call, u32) -> Option<(ErrorKind, &'static str)>) -> Fault {
    Arc::new(move |request| of(request.call, request.before).map(|(kind, code)| Break::Error(kind, code)))
}

/// The simulated organization, behind faults.
pub(crate) struct FaultyCloud {
    inner: Arc<SimCloud>,
    fault: Fault,
    requests: AtomicU32,
    /// Whose sessions the access keys are, and whether they are root sessions.
    sessions: Mutex<HashMap<String, (AccountId, bool)>>,
}

impl FaultyCloud {
    pub(crate) fn new(inner: Arc<SimCloud>, fault: Fault) -> Self {
        Self { inner, fault, requests: AtomicU32::new(0), sessions: Mutex::default() }
    }

    fn broken(&self, call: Call, asked: (Option<AccountId>, bool), contact: Option<ContactType>) -> Option<Break> {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        (self.fault)(Request { call, account: asked.0, as_root: asked.1, contact, before })
    }

    /// A request with the caller's own credentials, perhaps about an account.
    async fn as_caller(&self, call: Call, about: Option<AccountId>) -> Result<(), ApiError> {
        refuse(call, self.broken(call, (about, false), None)).await
    }

    /// A request inside an account.
    async fn inside(&self, call: Call, session: &Session) -> Result<(), ApiError> {
        refuse(call, self.broken(call, self.whose(session), None)).await
    }

    fn whose(&self, session: &Session) -> (Option<AccountId>, bool) {
        let Session::Role(credentials) = session else { return (None, false) };
        let (account, as_root) = self.sessions.lock().unwrap()[&credentials.access_key_id];
        (Some(account), as_root)
    }

    fn opened(&self, account: AccountId, as_root: bool, answered: Answered<Credentials>) -> Answered<Credentials> {
        let answer = answered?;
        self.sessions.lock().unwrap().insert(answer.value.access_key_id.clone(), (account, as_root));
        Ok(answer)
    }
}

async fn refuse(call: Call, broken: Option<Break>) -> Result<(), ApiError> {
    match broken {
        None => Ok(()),
        Some(Break::Error(kind, code)) => Err(ApiError::new(call, kind, code, "a test wants it so")),
        Some(Break::Hang) => std::future::pending().await,
        Some(Break::CutOff(_) | Break::Report(_) | Break::SamePage | Break::NewPage) => {
            panic!("{call} cannot break like that")
        }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "it is what a call returns")]
fn answer<T>(value: T) -> Answered<T> {
    Ok(Answer { value, request_id: None })
}

/// The token of a page that comes again and again.
#[allow(clippy::unnecessary_wraps, reason = "it is what a page has")]
fn same_page() -> Option<String> {
    Some("the same page".to_owned())
}

/// The report without what follows a place within one of its rows.
fn cut_off(report: &RawReport, place: u64) -> RawReport {
    let content = &report.content;
    let rows: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let row = 1 + usize::try_from(place).unwrap() % (rows.len() - 1);
    let before: usize = rows[..row].iter().map(|row| row.len()).sum();
    let last_comma = rows[row].iter().rposition(|byte| *byte == b',').unwrap();
    // Behind its first byte and before its last column, so that it can be no whole row.
    let end = before + 1 + usize::try_from(place / 7).unwrap() % last_comma;
    RawReport { content: content.slice(..end), generated_at: report.generated_at }
}

#[async_trait]
impl Directory for FaultyCloud {
    async fn caller_identity(&self) -> Answered<Caller> {
        self.as_caller(Call::GetCallerIdentity, None).await?;
        self.inner.caller_identity().await
    }

    async fn describe_organization(&self) -> Answered<Organization> {
        self.as_caller(Call::DescribeOrganization, None).await?;
        self.inner.describe_organization().await
    }

    async fn list_accounts(&self, next_token: Option<&str>) -> Answered<AccountPage> {
        match self.broken(Call::ListAccounts, (None, false), None) {
            Some(Break::SamePage) => return answer(AccountPage { accounts: Vec::new(), next_token: same_page() }),
            Some(Break::NewPage) => {
                let page: u32 = next_token.and_then(|token| token.parse().ok()).unwrap_or_default();
                return answer(AccountPage { accounts: Vec::new(), next_token: Some((page + 1).to_string()) });
            }
            broken => refuse(Call::ListAccounts, broken).await?,
        }
        self.inner.list_accounts(next_token).await
    }

    async fn organization_features(&self) -> Answered<OrganizationFeatures> {
        self.as_caller(Call::ListOrganizationsFeatures, None).await?;
        self.inner.organization_features().await
    }

    async fn account_tags(&self, account: AccountId, next_token: Option<&str>) -> Answered<TagPage> {
        match self.broken(Call::ListTagsForResource, (Some(account), false), None) {
            Some(Break::SamePage) => return answer(TagPage { tags: Vec::new(), next_token: same_page() }),
            broken => refuse(Call::ListTagsForResource, broken).await?,
        }
        self.inner.account_tags(account, next_token).await
    }
}

#[async_trait]
impl RoleBroker for FaultyCloud {
    async fn assume_role(&self, request: &AssumeRole) -> Answered<Credentials> {
        self.as_caller(Call::AssumeRole, Some(request.account)).await?;
        self.opened(request.account, false, self.inner.assume_role(request).await)
    }

    async fn assume_root(&self, request: &AssumeRoot) -> Answered<Credentials> {
        self.as_caller(Call::AssumeRoot, Some(request.account)).await?;
        self.opened(request.account, true, self.inner.assume_root(request).await)
    }
}

#[async_trait]
impl AccountIam for FaultyCloud {
    async fn generate_report(&self, session: &Session) -> Answered<ReportState> {
        self.inside(Call::GenerateCredentialReport, session).await?;
        self.inner.generate_report(session).await
    }

    async fn fetch_report(&self, session: &Session) -> Answered<RawReport> {
        let call = Call::GetCredentialReport;
        match self.broken(call, self.whose(session), None) {
            Some(Break::CutOff(place)) => {
                let Answer { value, request_id } = self.inner.fetch_report(session).await?;
                Ok(Answer { value: cut_off(&value, place), request_id })
            }
            Some(Break::Report(text)) => {
                let Answer { value, request_id } = self.inner.fetch_report(session).await?;
                Ok(Answer { value: RawReport { content: text.into(), ..value }, request_id })
            }
            broken => {
                refuse(call, broken).await?;
                self.inner.fetch_report(session).await
            }
        }
    }

    async fn account_summary(&self, session: &Session) -> Answered<AccountSummary> {
        self.inside(Call::GetAccountSummary, session).await?;
        self.inner.account_summary(session).await
    }

    async fn password_policy(&self, session: &Session) -> Answered<Option<PasswordPolicy>> {
        self.inside(Call::GetAccountPasswordPolicy, session).await?;
        self.inner.password_policy(session).await
    }

    async fn virtual_mfa_devices(&self, session: &Session, marker: Option<&str>) -> Answered<VirtualMfaPage> {
        match self.broken(Call::ListVirtualMFADevices, self.whose(session), None) {
            Some(Break::SamePage) => {
                return answer(VirtualMfaPage { has_root_device: false, next_marker: same_page() });
            }
            broken => refuse(Call::ListVirtualMFADevices, broken).await?,
        }
        self.inner.virtual_mfa_devices(session, marker).await
    }

    async fn account_alias(&self, session: &Session) -> Answered<Option<String>> {
        self.inside(Call::ListAccountAliases, session).await?;
        self.inner.account_alias(session).await
    }

    async fn access_keys(&self, session: &Session, user: &str) -> Answered<Option<Vec<ListedKey>>> {
        self.inside(Call::ListAccessKeys, session).await?;
        self.inner.access_keys(session, user).await
    }
}

#[async_trait]
impl RootIam for FaultyCloud {
    async fn root_has_password(&self, session: &Session) -> Answered<bool> {
        self.inside(Call::GetLoginProfile, session).await?;
        self.inner.root_has_password(session).await
    }

    async fn root_access_keys(&self, session: &Session) -> Answered<Vec<ListedKey>> {
        self.inside(Call::ListAccessKeys, session).await?;
        self.inner.root_access_keys(session).await
    }

    async fn root_mfa_devices(&self, session: &Session) -> Answered<Vec<String>> {
        self.inside(Call::ListMFADevices, session).await?;
        self.inner.root_mfa_devices(session).await
    }

    async fn root_signing_certificates(&self, session: &Session) -> Answered<u32> {
        self.inside(Call::ListSigningCertificates, session).await?;
        self.inner.root_signing_certificates(session).await
    }
}

#[async_trait]
impl AccountContacts for FaultyCloud {
    async fn alternate_contact(&self, session: &Session, contact: ContactType) -> Answered<Option<Contact>> {
        let call = Call::GetAlternateContact;
        refuse(call, self.broken(call, self.whose(session), Some(contact))).await?;
        self.inner.alternate_contact(session, contact).await
    }
}
