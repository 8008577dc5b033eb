//! The in-process face: the traits of `orgsweep-cloud` over a simulation, as production has them over AWS.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use orgsweep_cloud::{
    AccountContacts, AccountIam, AccountPage, Answer, Answered, ApiError, AssumeRole, AssumeRoot, Credentials,
    Directory, RawReport, ReportState, RoleBroker, RootIam, Session, TagPage, VirtualMfaPage,
};
use orgsweep_core::{
    AccountId, AccountSummary, Call, Caller, Contact, ContactType, ErrorKind, ListedKey, Organization,
    OrganizationFeatures, PasswordPolicy,
};

use crate::delivery::{Delivery, GARBAGE, PROXY_PAGE};
use crate::environment::CALLER_ACCESS_KEY_ID;
use crate::fault::{Fault, kind_of};
use crate::request::{
    self, AssignmentStatus, AssumeRoleInput, AssumeRootInput, AssumedRole, Operation, Output, PageRequest, Request,
    Signer,
};
use crate::simulation::Simulation;

/// Sees what is asked of a simulation, and what it answers, whether or not the answer gets to whoever asked.
pub trait Observer: fmt::Debug + Send + Sync {
    /// An operation was answered.
    fn answered(&self, operation: &Operation, outcome: &Result<Output, Fault>);
}

/// A simulation as the sweep sees AWS, without a network between them. Clones share the simulation.
#[derive(Debug, Clone)]
pub struct SimCloud {
    simulation: Arc<Simulation>,
    observer: Option<Arc<dyn Observer>>,
}

impl SimCloud {
    /// The in-process face of a simulation.
    #[must_use]
    pub fn new(simulation: Arc<Simulation>) -> Self {
        Self { simulation, observer: None }
    }

    /// The same, under somebody's eyes.
    #[must_use]
    pub fn observed(simulation: Arc<Simulation>, observer: Arc<dyn Observer>) -> Self {
        Self { simulation, observer: Some(observer) }
    }

    /// The simulation behind it.
    #[must_use]
    pub fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    /// Asks, and has the answer come as it is delivered: lost and unreadable ones are told in the words of production.
    async fn ask(&self, call: Call, session: &Session, operation: Operation) -> Answered<Output> {
        let observed = self.observer.as_ref().map(|observer| (observer, operation.clone()));
        let reply = self.simulation.answer(Request { signer: signer(session), operation }).await;
        if let Some((observer, operation)) = observed {
            observer.answered(&operation, &reply.outcome);
        }
        match reply.delivery {
            Delivery::Whole => {}
            Delivery::Late(time) => tokio::time::sleep(time).await,
            Delivery::Never => return std::future::pending().await,
            Delivery::Reset => return Err(lost(call, "the connection was reset")),
            Delivery::CutOff => return Err(lost(call, "the connection was closed before the answer was whole")),
            Delivery::Html(status) => {
                return Err(not_from_aws(call, ErrorKind::Transient, status, PROXY_PAGE.as_bytes()));
            }
            Delivery::Garbage => return Err(not_from_aws(call, ErrorKind::Fatal, 200, GARBAGE)),
        }
        let request_id = Some(reply.request_id);
        match reply.outcome {
            Ok(value) => Ok(Answer { value, request_id }),
            Err(fault) => Err(ApiError {
                call,
                kind: kind_of(fault.code, fault.status),
                code: fault.code.to_owned(),
                message: fault.message.into_owned(),
                request_id,
            }),
        }
    }
}

impl SimCloud {
    /// The keys of a user, or in a root session of the root user.
    async fn list_keys(&self, session: &Session, user: Option<&str>) -> Answered<Vec<ListedKey>> {
        let call = Call::ListAccessKeys;
        let answer = self.ask(call, session, Operation::ListAccessKeys(user.map(str::to_owned))).await?;
        taken(call, answer, |output| match output {
            Output::AccessKeys(_, keys) => Some(keys.into_iter().map(listed_key).collect()),
            _ => None,
        })
    }
}

/// An answer that did not come.
fn lost(call: Call, message: &str) -> ApiError {
    ApiError::new(call, ErrorKind::Transient, "ConnectionFailed", message)
}

/// An answer that came and is none of AWS's.
fn not_from_aws(call: Call, kind: ErrorKind, status: u16, body: &[u8]) -> ApiError {
    let body = body.escape_ascii();
    let message = format!("HTTP {status}, and the answer is none of AWS's; it begins with \"{body}\"");
    ApiError::new(call, kind, "InvalidAnswer", message)
}

fn listed_key(key: request::ListedKey) -> ListedKey {
    let status = if key.active { "Active" } else { "Inactive" };
    ListedKey { id: key.id, status: status.to_owned(), created_at: Some(key.created_at) }
}

fn credentials_of(role: AssumedRole) -> Credentials {
    Credentials {
        access_key_id: role.access_key_id,
        secret_access_key: role.secret_access_key,
        session_token: role.session_token,
        expires_at: role.expires_at,
    }
}

fn signer(session: &Session) -> Signer {
    match session {
        Session::Caller => Signer { access_key_id: Some(CALLER_ACCESS_KEY_ID.to_owned()), session_token: None },
        Session::Role(credentials) => Signer {
            access_key_id: Some(credentials.access_key_id.clone()),
            session_token: Some(credentials.session_token.clone()),
        },
    }
}

/// An answer that does not belong to its request. The simulation gives none; the seam has to say something all the
/// same.
fn unexpected<T>(call: Call) -> Answered<T> {
    Err(ApiError::new(call, ErrorKind::Fatal, "InvalidAnswer", "the answer belongs to another request"))
}

/// Keeps an answer's request id while its value is taken out.
fn taken<T>(call: Call, answer: Answer<Output>, take: impl FnOnce(Output) -> Option<T>) -> Answered<T> {
    let request_id = answer.request_id;
    match take(answer.value) {
        Some(value) => Ok(Answer { value, request_id }),
        None => unexpected(call),
    }
}

/// Turns the absence of a thing into an answer.
fn optional<T>(answered: Answered<T>) -> Answered<Option<T>> {
    match answered {
        Ok(answer) => Ok(Answer { value: Some(answer.value), request_id: answer.request_id }),
        Err(error) if error.kind == ErrorKind::Absent => Ok(Answer { value: None, request_id: error.request_id }),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Directory for SimCloud {
    async fn caller_identity(&self) -> Answered<Caller> {
        let call = Call::GetCallerIdentity;
        let answer = self.ask(call, &Session::Caller, Operation::GetCallerIdentity).await?;
        taken(call, answer, |output| match output {
            Output::CallerIdentity(identity) => Some(Caller { account_id: identity.account_id, arn: identity.arn }),
            _ => None,
        })
    }

    async fn describe_organization(&self) -> Answered<Organization> {
        let call = Call::DescribeOrganization;
        let answer = self.ask(call, &Session::Caller, Operation::DescribeOrganization).await?;
        taken(call, answer, |output| match output {
            Output::Organization(described) => Some(described.organization),
            _ => None,
        })
    }

    async fn list_accounts(&self, next_token: Option<&str>) -> Answered<AccountPage> {
        let call = Call::ListAccounts;
        let operation = Operation::ListAccounts { next_token: next_token.map(str::to_owned), max_results: None };
        let answer = self.ask(call, &Session::Caller, operation).await?;
        taken(call, answer, |output| match output {
            Output::Accounts(accounts, next_token) => {
                let accounts = accounts.into_iter().map(|account| account.listed).collect();
                Some(AccountPage { accounts, next_token })
            }
            _ => None,
        })
    }

    async fn organization_features(&self) -> Answered<OrganizationFeatures> {
        let call = Call::ListOrganizationsFeatures;
        let answer = self.ask(call, &Session::Caller, Operation::ListOrganizationsFeatures).await?;
        taken(call, answer, |output| match output {
            Output::Features(_, enabled) => Some(OrganizationFeatures {
                root_credentials_management: enabled.contains(&"RootCredentialsManagement"),
                root_sessions: enabled.contains(&"RootSessions"),
            }),
            _ => None,
        })
    }

    async fn account_tags(&self, account: AccountId, next_token: Option<&str>) -> Answered<TagPage> {
        let call = Call::ListTagsForResource;
        let operation = Operation::ListTagsForResource {
            resource_id: account.to_string(),
            next_token: next_token.map(str::to_owned),
        };
        let answer = self.ask(call, &Session::Caller, operation).await?;
        taken(call, answer, |output| match output {
            Output::Tags(tags, next_token) => Some(TagPage { tags, next_token }),
            _ => None,
        })
    }
}

#[async_trait]
impl RoleBroker for SimCloud {
    async fn assume_role(&self, request: &AssumeRole) -> Answered<Credentials> {
        let call = Call::AssumeRole;
        let operation = Operation::AssumeRole(AssumeRoleInput {
            role_arn: request.role_arn.clone(),
            session_name: request.session_name.clone(),
            external_id: request.external_id.clone(),
            duration_seconds: Some(request.duration.as_secs()),
            policy: Some(request.policy.to_string()),
        });
        let answer = self.ask(call, &Session::Caller, operation).await?;
        taken(call, answer, |output| match output {
            Output::AssumedRole(role) => Some(credentials_of(*role)),
            _ => None,
        })
    }

    async fn assume_root(&self, request: &AssumeRoot) -> Answered<Credentials> {
        let call = Call::AssumeRoot;
        let operation = Operation::AssumeRoot(AssumeRootInput {
            target_principal: request.account.to_string(),
            task_policy_arn: request.task_policy_arn.clone(),
            duration_seconds: Some(request.duration.as_secs()),
        });
        let answer = self.ask(call, &Session::Caller, operation).await?;
        taken(call, answer, |output| match output {
            Output::AssumedRoot(root) => Some(credentials_of(*root)),
            _ => None,
        })
    }
}

#[async_trait]
impl AccountIam for SimCloud {
    async fn generate_report(&self, session: &Session) -> Answered<ReportState> {
        let call = Call::GenerateCredentialReport;
        let answer = self.ask(call, session, Operation::GenerateCredentialReport).await?;
        taken(call, answer, |output| match output {
            Output::ReportStarted => Some(ReportState::Started),
            Output::ReportInProgress => Some(ReportState::InProgress),
            Output::ReportComplete => Some(ReportState::Complete),
            _ => None,
        })
    }

    async fn fetch_report(&self, session: &Session) -> Answered<RawReport> {
        let call = Call::GetCredentialReport;
        let answer = self.ask(call, session, Operation::GetCredentialReport).await?;
        taken(call, answer, |output| match output {
            Output::Report(content, generated_at) => Some(RawReport { content: Bytes::from(content), generated_at }),
            _ => None,
        })
    }

    async fn account_summary(&self, session: &Session) -> Answered<AccountSummary> {
        let call = Call::GetAccountSummary;
        let answer = self.ask(call, session, Operation::GetAccountSummary).await?;
        taken(call, answer, |output| match output {
            Output::Summary(summary) => Some(summary_of(&summary)),
            _ => None,
        })
    }

    async fn password_policy(&self, session: &Session) -> Answered<Option<PasswordPolicy>> {
        let call = Call::GetAccountPasswordPolicy;
        let answered = self.ask(call, session, Operation::GetAccountPasswordPolicy).await;
        optional(answered.and_then(|answer| {
            taken(call, answer, |output| match output {
                Output::PasswordPolicy(policy) => Some(policy),
                _ => None,
            })
        }))
    }

    async fn virtual_mfa_devices(&self, session: &Session, marker: Option<&str>) -> Answered<VirtualMfaPage> {
        let call = Call::ListVirtualMFADevices;
        let page = PageRequest { marker: marker.map(str::to_owned), max_items: None };
        let operation = Operation::ListVirtualMfaDevices(AssignmentStatus::Assigned, page);
        let answer = self.ask(call, session, operation).await?;
        taken(call, answer, |output| match output {
            Output::VirtualMfaDevices(devices, next_marker) => {
                let has_root_device = devices.iter().flat_map(|device| &device.user).any(|user| user.facts.is_root);
                Some(VirtualMfaPage { has_root_device, next_marker })
            }
            _ => None,
        })
    }

    async fn account_alias(&self, session: &Session) -> Answered<Option<String>> {
        let call = Call::ListAccountAliases;
        let answer = self.ask(call, session, Operation::ListAccountAliases).await?;
        taken(call, answer, |output| match output {
            Output::Aliases(aliases) => Some(aliases.into_iter().next()),
            _ => None,
        })
    }

    async fn access_keys(&self, session: &Session, user: &str) -> Answered<Option<Vec<ListedKey>>> {
        optional(self.list_keys(session, Some(user)).await)
    }
}

#[async_trait]
impl RootIam for SimCloud {
    async fn root_has_password(&self, session: &Session) -> Answered<bool> {
        let call = Call::GetLoginProfile;
        let profile = optional(self.ask(call, session, Operation::GetLoginProfile).await)?;
        Ok(Answer { value: profile.value.is_some(), request_id: profile.request_id })
    }

    async fn root_access_keys(&self, session: &Session) -> Answered<Vec<ListedKey>> {
        self.list_keys(session, None).await
    }

    async fn root_mfa_devices(&self, session: &Session) -> Answered<Vec<String>> {
        let call = Call::ListMFADevices;
        let answer = self.ask(call, session, Operation::ListMfaDevices).await?;
        taken(call, answer, |output| match output {
            Output::MfaDevices(devices) => Some(devices.into_iter().map(|(serial, _)| serial).collect()),
            _ => None,
        })
    }

    async fn root_signing_certificates(&self, session: &Session) -> Answered<u32> {
        let call = Call::ListSigningCertificates;
        let answer = self.ask(call, session, Operation::ListSigningCertificates).await?;
        taken(call, answer, |output| match output {
            Output::SigningCertificates(certificates) => u32::try_from(certificates.len()).ok(),
            _ => None,
        })
    }
}

#[async_trait]
impl AccountContacts for SimCloud {
    async fn alternate_contact(&self, session: &Session, contact: ContactType) -> Answered<Option<Contact>> {
        let call = Call::GetAlternateContact;
        let operation = Operation::GetAlternateContact { contact_type: contact.as_wire().to_owned(), account_id: None };
        let answered = self.ask(call, session, operation).await;
        optional(answered.and_then(|answer| {
            taken(call, answer, |output| match output {
                Output::Contact(_, facts) => {
                    Some(Contact { name: Some(facts.name), title: Some(facts.title), email: Some(facts.email) })
                }
                _ => None,
            })
        }))
    }
}

fn summary_of(entries: &[(&'static str, u64)]) -> AccountSummary {
    let entry = |key: &str| entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1);
    let flag = |key: &str| entry(key).map(|value| value != 0);
    AccountSummary {
        users: entry("Users").and_then(|users| i64::try_from(users).ok()),
        root_mfa_enabled: flag("AccountMFAEnabled"),
        root_access_keys_present: flag("AccountAccessKeysPresent"),
        root_password_present: flag("AccountPasswordPresent"),
        root_signing_certificates_present: flag("AccountSigningCertificatesPresent"),
    }
}
