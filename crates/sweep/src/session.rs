//! An account that is open: whose credentials sign, and how they are had again when they run out.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use orgsweep_cloud::{Answered, ApiError, AssumeRole, AssumeRoot, Cloud, Credentials, Session, root_audit_policy_arn};
use orgsweep_core::{AccountId, Call, CallRecord, ErrorKind};
use tokio::sync::Mutex;

use crate::ask::Asker;
use crate::sweeper::Sweeper;

/// How often credentials are renewed for one call before their expiry counts as the answer.
const RENEWALS: u32 = 2;

/// The longest root session that AWS gives.
const ROOT_SESSION: Duration = Duration::from_mins(15);

/// A way into an account other than the caller's own credentials.
enum Door {
    Role(AssumeRole),
    Root(AssumeRoot),
}

/// One account, and the way into it.
pub(crate) struct OpenAccount<'a> {
    asker: Asker<'a>,
    cloud: &'a dyn Cloud,
    /// What is assumed; `None` in the caller's own account.
    door: Option<Door>,
    session: Mutex<Option<Session>>,
    caller_failure: OnceLock<ApiError>,
}

impl<'a> OpenAccount<'a> {
    /// The caller's own account needs no role.
    pub(crate) fn own(asker: Asker<'a>, cloud: &'a dyn Cloud) -> Self {
        let session = Mutex::new(Some(Session::Caller));
        Self { asker: asker.of_caller(), cloud, door: None, session, caller_failure: OnceLock::new() }
    }

    /// A member account, not opened yet.
    pub(crate) fn member(asker: Asker<'a>, account: AccountId, role_arn: String, sweeper: &'a Sweeper) -> Self {
        let role = &sweeper.settings.role;
        let door = Door::Role(AssumeRole {
            account,
            role_arn,
            session_name: role.session_name.clone(),
            external_id: role.external_id.clone(),
            duration: role.session_duration,
            policy: Arc::clone(&sweeper.policy),
        });
        Self::closed(asker, door, sweeper)
    }

    /// The root user of a member account, not opened yet.
    pub(crate) fn root(asker: Asker<'a>, account: AccountId, sweeper: &'a Sweeper) -> Self {
        let partition = sweeper.settings.role.partition_for(&sweeper.caller);
        let task_policy_arn = root_audit_policy_arn(partition);
        Self::closed(asker, Door::Root(AssumeRoot { account, task_policy_arn, duration: ROOT_SESSION }), sweeper)
    }

    fn closed(asker: Asker<'a>, door: Door, sweeper: &'a Sweeper) -> Self {
        Self {
            asker,
            cloud: &*sweeper.cloud,
            door: Some(door),
            session: Mutex::new(None),
            caller_failure: OnceLock::new(),
        }
    }

    /// Whose patience is used here.
    pub(crate) fn asker(&self) -> &Asker<'a> {
        &self.asker
    }

    /// The cloud this account is in.
    pub(crate) fn cloud(&self) -> &'a dyn Cloud {
        self.cloud
    }

    /// Opens the account if it is not open.
    ///
    /// # Errors
    /// That of `AssumeRole`, or of `AssumeRoot`.
    pub(crate) async fn open(&self) -> Result<Session, ApiError> {
        let mut session = self.session.lock().await;
        if let Some(session) = &*session {
            return Ok(session.clone());
        }
        let Some(door) = &self.door else { return Ok(Session::Caller) };
        let answer = self.go_through(door).await;
        let credentials = answer.inspect_err(|error| self.note_caller_failure(error))?;
        let opened = Session::Role(Arc::new(credentials));
        *session = Some(opened.clone());
        Ok(opened)
    }

    async fn go_through(&self, door: &Door) -> Result<Credentials, ApiError> {
        match door {
            Door::Role(role) => self.asker.ask(Call::AssumeRole, "", || self.cloud.assume_role(role)).await,
            Door::Root(root) => self.asker.ask(Call::AssumeRoot, "", || self.cloud.assume_root(root)).await,
        }
    }

    /// Lets the credentials go; the next call assumes the role again.
    pub(crate) async fn let_go(&self) {
        if self.door.is_some() {
            *self.session.lock().await = None;
        }
    }

    /// Makes one call inside the account, renewing credentials that have run out.
    ///
    /// # Errors
    /// The call's, or that of opening the account again where it could not be.
    pub(crate) async fn ask<T, F, Fut>(&self, call: Call, about: &str, request: F) -> Result<T, ApiError>
    where
        F: Fn(Session) -> Fut,
        Fut: Future<Output = Answered<T>>,
    {
        let mut renewals = 0;
        loop {
            let session = self.open().await?;
            let result = self.asker.ask(call, about, || request(session.clone())).await;
            match result {
                Err(error) if error.kind == ErrorKind::Expired && self.door.is_some() && renewals < RENEWALS => {
                    renewals += 1;
                    self.let_go().await;
                }
                other => {
                    return other.inspect_err(|error| {
                        if self.door.is_none() {
                            self.note_caller_failure(error);
                        }
                    });
                }
            }
        }
    }

    /// The failure that shows that the caller's own credentials no longer hold, if there was one.
    pub(crate) fn caller_failure(&self) -> Option<&ApiError> {
        self.caller_failure.get()
    }

    /// Remembers the first error of the caller's own credentials: it concerns every account, not this one.
    fn note_caller_failure(&self, error: &ApiError) {
        if error.kind == ErrorKind::Expired {
            self.caller_failure.get_or_init(|| error.clone());
        }
    }

    /// How every call went.
    pub(crate) fn take_records(&self) -> Vec<CallRecord> {
        self.asker.take_records()
    }
}
