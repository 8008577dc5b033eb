//! What decides how a sweep asks.

use std::time::Duration;

use orgsweep_cloud::role_arn;
use orgsweep_core::{AccountId, Caller, Partition, Sources};

/// The role that is assumed in each member account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSettings {
    /// The partition of the role's ARN; `None` takes that of the caller.
    pub partition: Option<Partition>,
    /// The role's name, with its path if it has one.
    pub name: String,
    /// The secret that its trust policy may ask for.
    pub external_id: Option<String>,
    /// The name under which CloudTrail shows the sessions.
    pub session_name: String,
    /// How long a session holds.
    pub session_duration: Duration,
}

impl Default for RoleSettings {
    /// That of `config/orgsweep.toml`.
    fn default() -> Self {
        Self {
            partition: None,
            name: "orgsweep-scanner".to_owned(),
            external_id: None,
            session_name: "orgsweep".to_owned(),
            session_duration: Duration::from_mins(15),
        }
    }
}

impl RoleSettings {
    /// The ARN of the role in an account that this caller opens.
    #[must_use]
    pub fn arn(&self, caller: &Caller, account: AccountId) -> String {
        role_arn(self.partition_for(caller), account, &self.name)
    }

    /// The partition of ARNs, where this caller asks.
    #[must_use]
    pub fn partition_for(&self, caller: &Caller) -> Partition {
        self.partition.or_else(|| caller.partition()).unwrap_or(Partition::Aws)
    }
}

/// How long is waited for what.
#[derive(Debug, Clone, PartialEq)]
pub struct Patience {
    /// Requests made for one call before it counts as not answered; those that AWS throttles are not counted.
    pub attempts: u32,
    /// How long one request may take, its whole answer included.
    pub call_timeout: Duration,
    /// How long a credential report may take.
    pub report_deadline: Duration,
    /// How long one account may take from its first request on, whatever happens.
    pub account_deadline: Duration,
    /// The share of AWS's published quotas that is used, above 0 and up to 1.
    pub politeness: f64,
    /// Whether quotas are kept to at all; off only where nobody else is throttled by it, as in a simulation.
    pub pacing: bool,
}

/// Requests for the first two calls: who waits at a terminal for a wrong endpoint should not wait long.
const FIRST_CONTACT_ATTEMPTS: u32 = 3;

/// Nor for AWS to stop throttling them.
const FIRST_CONTACT_DEADLINE: Duration = Duration::from_mins(2);

impl Default for Patience {
    /// That of `config/orgsweep.toml`.
    fn default() -> Self {
        Self {
            attempts: 8,
            call_timeout: Duration::from_mins(1),
            report_deadline: Duration::from_mins(10),
            account_deadline: Duration::from_mins(30),
            politeness: 0.5,
            pacing: true,
        }
    }
}

impl Patience {
    /// The share of AWS's quotas to use; `None` where they are not kept to.
    pub(crate) fn quota_share(&self) -> Option<f64> {
        self.pacing.then_some(self.politeness)
    }

    /// Patience for the first calls.
    pub(crate) fn for_first_contact(&self) -> Self {
        Self {
            attempts: self.attempts.min(FIRST_CONTACT_ATTEMPTS),
            account_deadline: self.account_deadline.min(FIRST_CONTACT_DEADLINE),
            ..self.clone()
        }
    }
}

/// Everything that decides how a sweep asks.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepSettings {
    /// The role.
    pub role: RoleSettings,
    /// The patience.
    pub patience: Patience,
    /// The age up to which a credential report that is there is taken.
    pub max_report_age: Duration,
    /// The optional sources that are asked.
    pub optional: Sources,
    /// Users of one account whose access keys are listed, where their ids are wanted.
    pub key_ids_max: usize,
    /// Accounts that are open at the same time.
    pub accounts_in_flight: usize,
    /// Reports that AWS is asked to make at the same time.
    pub reports_in_making: usize,
    /// Bytes of reports that are held at the same time; one report may be larger.
    pub report_bytes: usize,
    /// Seed of the jitter in waiting times.
    pub seed: u64,
}

impl Default for SweepSettings {
    /// Those of `config/orgsweep.toml`, which the command line holds to these, and the seed 0.
    fn default() -> Self {
        Self {
            role: RoleSettings::default(),
            patience: Patience::default(),
            max_report_age: Duration::from_hours(4),
            optional: Sources::NONE,
            key_ids_max: 100,
            accounts_in_flight: 2000,
            reports_in_making: 1500,
            report_bytes: 64 << 20,
            seed: 0,
        }
    }
}
