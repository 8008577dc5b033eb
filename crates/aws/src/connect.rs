//! From the standard AWS settings (environment, profiles, SSO, instance roles, `AWS_ENDPOINT_URL`, `HTTPS_PROXY`) to clients.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use orgsweep_core::Partition;

use crate::AwsCloud;
use crate::error::chain;
use crate::signer::Clients;

/// Connections that wait for their next request, for each host. Each takes 30 kB, and a new one a handshake.
const IDLE_CONNECTIONS: usize = 64;

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the first byte of the answer. The whole answer is bounded above the seam.
    pub read: Duration,
}

/// Where to connect to, and how.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The region; `None` takes that of the AWS settings, or else one that the partition always has.
    pub region: Option<String>,
    /// The partition, where it was set.
    pub partition: Option<Partition>,
    /// How long requests may take.
    pub timeouts: Timeouts,
}

/// A server that is not AWS, with credentials of its own: a simulated organization. No AWS setting of the machine is
/// read for it.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it listens: `http://127.0.0.1:8080`.
    pub endpoint: String,
    /// The region it believes to be in.
    pub region: String,
    /// Its caller's access key id.
    pub access_key_id: String,
    /// Its caller's secret key.
    pub secret_access_key: String,
}

/// AWS cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No credentials were found.
    #[error(
        "no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login` ({reason})"
    )]
    NoCredentials {
        /// What the SDK said.
        reason: String,
    },
}

impl AwsCloud {
    /// Reads the standard AWS settings and makes the clients. The only request that this may cause is one for
    /// credentials.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn connect(connection: &Connection) -> Result<Self, ConnectError> {
        let config = load(connection).await;
        let Some(provider) = config.credentials_provider() else {
            return Err(ConnectError::NoCredentials { reason: "no source of credentials is configured".to_owned() });
        };
        if let Err(error) = provider.provide_credentials().await {
            return Err(ConnectError::NoCredentials { reason: chain(&error) });
        }
        Ok(Self::with(&config))
    }

    /// Makes clients for a server that is not AWS.
    #[must_use]
    pub fn connect_to(server: &Server, timeouts: Timeouts) -> Self {
        let (id, secret) = (&server.access_key_id, &server.secret_access_key);
        let credentials = Credentials::new(id, secret, None, None, "orgsweep");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(server.region.clone()))
            .endpoint_url(&server.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client(&ProxyConfig::disabled()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.config())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self::with(&config)
    }

    fn with(config: &SdkConfig) -> Self {
        Self {
            iam: Clients::new(config, aws_sdk_iam::Client::new),
            sts: aws_sdk_sts::Client::new(config),
            organizations: aws_sdk_organizations::Client::new(config),
            account: Clients::new(config, aws_sdk_account::Client::new),
        }
    }
}

/// One pool of connections for all services. Without a limit it keeps every connection of the busiest moment, and those
/// that were begun while another became free: several times what the sweep has requests.
fn http_client(proxy: &ProxyConfig) -> SharedHttpClient {
    let proxy = proxy.clone();
    // The builder of a whole client knows no proxy. This one is called once for each set of timeouts, of which there is one.
    aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().pool_max_idle_per_host(IDLE_CONNECTIONS).proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build()
    })
}

impl Timeouts {
    fn config(self) -> TimeoutConfig {
        TimeoutConfig::builder().connect_timeout(self.connect).read_timeout(self.read).build()
    }
}

async fn load(connection: &Connection) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(connection.timeouts.config())
        // `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, which the SDK does not read by itself.
        .http_client(http_client(&ProxyConfig::from_env()))
        // The sweep already bounds a stalled body, and a second watch on every body costs CPU.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(region) = &connection.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    if config.region().is_some() {
        return config;
    }
    let partition = connection.partition.unwrap_or(Partition::Aws);
    config.into_builder().region(Region::new(partition.default_region())).build()
}
