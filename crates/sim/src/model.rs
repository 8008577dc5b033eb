//! The model: the facts of every account, made on demand from the seed and the account's index. Pure; it stores
//! nothing per account, and knows neither requests nor time passing.

mod account;
mod account_ids;
mod credentials;
mod names;
mod posture;
mod standing;
mod tree;
mod users;

use std::sync::Arc;
use std::time::Duration;

use orgsweep_core::{AccountId, Organization, OrganizationFeatures, Partition, Timestamp};

use crate::mix::Mix;
use crate::random::{Draw, Topic, UPPER};
use crate::settings::SimSettings;
use account_ids::AccountIds;
use standing::Certain;
use tree::Tree;

pub use account::AccountFacts;
pub use credentials::{CertificateFacts, KeyFacts, KeyUse, MfaDevice, Moment, SinceReport, UserFacts};
pub use posture::{ContactFacts, Posture, RootFacts};
pub use standing::{AccountStanding, RoleStanding};

/// A day, in seconds.
const DAY: u64 = 86_400;

/// AWS serves a report that is younger than this instead of making a new one.
const FRESH: Duration = Duration::from_hours(4);

/// The facts of a simulated organization.
///
/// Accounts are known by index: 0 is the management account, 1 and up are the members, in the order in which AWS
/// Organizations lists them. An index beyond the last account has facts too, but nobody lists or finds it.
#[derive(Debug, Clone)]
pub struct Model {
    seed: u64,
    members: u32,
    users_per_account: u32,
    now: Timestamp,
    partition: Partition,
    region: Arc<str>,
    home_region: Arc<str>,
    management_role: bool,
    features: OrganizationFeatures,
    mix: Mix,
    ids: AccountIds,
    tree: Tree,
    certain: Certain,
}

impl Model {
    /// The organization that the settings describe. Without `now` in them, facts are relative to the wall clock.
    #[must_use]
    pub fn new(settings: &SimSettings) -> Self {
        Self {
            seed: settings.seed,
            members: settings.accounts,
            users_per_account: settings.users_per_account,
            now: settings.now.unwrap_or_else(Timestamp::now).whole_seconds(),
            partition: settings.partition,
            region: settings.region.as_str().into(),
            home_region: settings.partition.default_region().into(),
            management_role: settings.management_role,
            features: settings.features,
            mix: settings.mix.clone(),
            ids: AccountIds::new(settings.seed),
            tree: Tree::new(settings.seed),
            certain: Certain::new(settings.seed, settings.accounts, &settings.mix.unreadable),
        }
    }

    /// How many accounts there are, the management account among them.
    #[must_use]
    pub fn accounts(&self) -> u32 {
        self.members.saturating_add(1)
    }

    /// How many IAM users each account has.
    #[must_use]
    pub fn users_per_account(&self) -> u32 {
        self.users_per_account
    }

    /// The time that the facts are relative to, in whole seconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The seed that every fact is drawn from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The partition in every ARN.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The organization.
    #[must_use]
    pub fn organization(&self) -> Organization {
        Organization { id: self.tree.organization_id.clone(), management_account_id: self.account_id(0) }
    }

    /// What of centralized root access is on.
    #[must_use]
    pub fn features(&self) -> OrganizationFeatures {
        self.features
    }

    /// The id of the organization's root, `r-…`.
    #[must_use]
    pub fn root_id(&self) -> &str {
        &self.tree.root_id
    }

    /// The id of the account with this index.
    #[must_use]
    pub fn account_id(&self, index: u32) -> AccountId {
        self.ids.id(index)
    }

    /// The index of the account with this id; `None` where the organization has no such account.
    #[must_use]
    pub fn index_of(&self, id: AccountId) -> Option<u32> {
        self.ids.index(id).filter(|index| *index <= self.members)
    }

    /// An IAM unique id with this prefix (`AIDA` a user, `AKIA` a key, `AROA` a role), as long as AWS's.
    #[must_use]
    pub fn unique_id(&self, prefix: &str, index: u32, item: u32) -> String {
        let length = if prefix == "AKIA" { 16 } else { 17 };
        let salt = prefix.bytes().fold(0, |salt: u64, byte| salt << 8 | u64::from(byte));
        let mut draw = Draw::new(self.seed ^ salt, Topic::Ids, index, item);
        format!("{prefix}{}", draw.text(UPPER, length))
    }

    fn draw(&self, topic: Topic, index: u32, item: u32) -> Draw {
        Draw::new(self.seed, topic, index, item)
    }
}

/// The time `seconds` before another.
fn before(time: Timestamp, seconds: u64) -> Timestamp {
    time.minus(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_back_by_their_ids_and_strangers_are_not() {
        let model = Model::new(&SimSettings { accounts: 100, ..SimSettings::default() });
        assert_eq!(model.accounts(), 101);
        for index in 0..=100 {
            assert_eq!(model.index_of(model.account_id(index)), Some(index));
        }
        assert_eq!(model.index_of(model.account_id(101)), None);
    }

    #[test]
    fn equal_settings_make_equal_organizations_and_another_seed_another() {
        let settings = SimSettings { now: Some(Timestamp::from_millis(1_800_000_000_123)), ..SimSettings::default() };
        let (one, two) = (Model::new(&settings), Model::new(&settings));
        let other = Model::new(&SimSettings { seed: 8, ..settings });
        assert_eq!((one.account(5), one.users(5)), (two.account(5), two.users(5)));
        assert_ne!(one.account_id(5), other.account_id(5));
        assert_ne!(one.organization(), other.organization());
        assert_eq!(one.now().millis(), 1_800_000_000_000);
    }
}
