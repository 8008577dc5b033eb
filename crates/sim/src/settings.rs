//! What a simulated organization is made from.

use orgsweep_core::{OrganizationFeatures, Partition, Timestamp};

use crate::mix::Mix;
use crate::profile::Profile;

/// What a simulated organization is made from. Equal settings with `now` set make equal organizations, for ever.
#[derive(Debug, Clone)]
pub struct SimSettings {
    /// Member accounts, besides the management account.
    pub accounts: u32,
    /// IAM users in each account, besides the root user. AWS allows 5,000. With none, the management account does not
    /// list the caller either.
    pub users_per_account: u32,
    /// What every fact is drawn from.
    pub seed: u64,
    /// The time that facts are relative to, and at which every new report is made; `None` for the wall clock. Quotas,
    /// latencies and the expiry of credentials run on real time either way.
    pub now: Option<Timestamp>,
    /// What the clock of credentials says at the start; `None` for the wall clock. With it, under a paused clock, sessions
    /// end at the same moments again.
    pub started_at: Option<Timestamp>,
    /// How fast AWS is, and what it allows.
    pub profile: Profile,
    /// The scanner role in the members; a path may stand before the name, as in `security/scanner`.
    pub role_name: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Whether the management account has the scanner role too. Service-managed `StackSet`s never deploy there.
    pub management_role: bool,
    /// What of centralized root access is on.
    pub features: OrganizationFeatures,
    /// The partition in every ARN.
    pub partition: Partition,
    /// The region of last uses, and that clients are told to use.
    pub region: String,
    /// How common each habit is.
    pub mix: Mix,
}

impl Default for SimSettings {
    /// 199 members of 25 users each, at once and without limits.
    fn default() -> Self {
        Self {
            accounts: 199,
            users_per_account: 25,
            seed: 7,
            now: None,
            started_at: None,
            profile: Profile::instant(),
            role_name: "orgsweep-scanner".to_owned(),
            external_id: None,
            management_role: false,
            features: OrganizationFeatures { root_credentials_management: true, root_sessions: false },
            partition: Partition::Aws,
            region: Partition::Aws.default_region().to_owned(),
            mix: Mix::default(),
        }
    }
}
