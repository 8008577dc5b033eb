//! Whose credentials sign a request: the caller's, or those of a session in an account.
//!
//! One client of a service serves every account: it asks for credentials as it signs, in the task that sends, and finds
//! those of the session that the request is made in. Overriding a client's settings for each request would say the same,
//! and costs the making of settings each time.

use std::future::Future;

use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_iam::config::IdentityCache;
use aws_types::SdkConfig;
use orgsweep_cloud::{Credentials, Session};

tokio::task_local! {
    static SESSION: SdkCredentials;
}

/// A service, asked as the caller or in a session.
#[derive(Debug, Clone)]
pub(crate) struct Clients<C> {
    caller: C,
    sessions: C,
}

impl<C> Clients<C> {
    /// What these settings make: the caller's client as they are, that of sessions without the caller's credentials.
    pub(crate) fn new(config: &SdkConfig, client: impl Fn(&SdkConfig) -> C) -> Self {
        let in_sessions = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(SessionCredentials))
            // The credentials are in hand, and each request may have others.
            .identity_cache(IdentityCache::no_cache())
            .build();
        Self { caller: client(config), sessions: client(&in_sessions) }
    }

    /// The caller's own client.
    pub(crate) fn of_caller(&self) -> &C {
        &self.caller
    }

    /// Makes a request with the session's credentials.
    pub(crate) async fn ask<F, Fut>(&self, session: &Session, request: F) -> Fut::Output
    where
        F: FnOnce(&C) -> Fut + Send,
        Fut: Future + Send,
    {
        match session {
            Session::Caller => request(&self.caller).await,
            Session::Role(credentials) => SESSION.scope(sdk_credentials(credentials), request(&self.sessions)).await,
        }
    }
}

fn sdk_credentials(credentials: &Credentials) -> SdkCredentials {
    // No expiry is given: the sweep renews by what AWS answers, and an expiry here would make the SDK refuse by its
    // own clock.
    SdkCredentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        Some(credentials.session_token.clone()),
        None,
        "orgsweep",
    )
}

/// The credentials of the session that the task at hand asks in, and never any others.
#[derive(Debug)]
struct SessionCredentials;

impl ProvideCredentials for SessionCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let credentials = SESSION.try_with(SdkCredentials::clone);
        future::ProvideCredentials::ready(credentials.map_err(CredentialsError::not_loaded))
    }
}
