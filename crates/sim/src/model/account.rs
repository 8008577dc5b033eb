//! An account as AWS Organizations lists it.

use orgsweep_core::{Account, AccountState, OrgPath, Tag, Timestamp};

use super::names::account_name;
use super::tree::{Place, Tree};
use super::{AccountStanding, DAY, Model, before};
use crate::random::{Draw, Topic};

/// An account as AWS Organizations lists it, and whether it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// What is listed. Nothing is left out.
    pub listed: Account,
    /// Whether it can be read.
    pub standing: AccountStanding,
    /// When the account, and so its root user, was made.
    pub created_at: Timestamp,
    /// Whether this is the management account.
    pub is_management: bool,
}

/// When an account joined, how, and when it was made.
pub(super) struct Origin {
    pub(super) was_invited: bool,
    pub(super) joined_at: Timestamp,
    pub(super) created_at: Timestamp,
    place: Place,
}

impl Model {
    /// The account with this index as AWS Organizations lists it.
    #[must_use]
    pub fn account(&self, index: u32) -> AccountFacts {
        let origin = self.origin(index);
        let id = self.account_id(index);
        let standing = self.standing(index);
        let name = self.account_name(index, origin.place);
        let listed = Account {
            id,
            arn: Some(self.organizations_arn(&format!("account/{}/{id}", self.tree.organization_id))),
            email: Some(format!("aws+{name}@example.com")),
            name: Some(name),
            state: standing.state,
            path: Some(OrgPath::new(self.tree.account_path(origin.place, id.as_str()))),
            joined_method: Some(if origin.was_invited { "INVITED" } else { "CREATED" }.to_owned()),
            joined_at: Some(origin.joined_at),
        };
        AccountFacts { listed, standing, created_at: origin.created_at, is_management: index == 0 }
    }

    /// The account's tags, by key. Not every account has all of them, and some have none.
    #[must_use]
    pub fn tags(&self, index: u32) -> Vec<Tag> {
        let origin = self.origin(index);
        let mut draw = self.draw(Topic::Tags, index, 0);
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let team = draw.pick(&["platform", "payments", "data", "web", "security"]);
        let cost_center = format!("{}", 1000 + draw.below(40) * 10);
        let all = [
            tag("cost-center", &cost_center),
            tag("environment", origin.place.stage),
            tag("owner", &format!("{team}@example.com")),
            tag("team", team),
        ];
        let is_bare = draw.below(12) == 0;
        all.into_iter().filter(|_| !is_bare && draw.below(8) > 0).collect()
    }

    /// An ARN of AWS Organizations, which belongs to the management account.
    #[must_use]
    pub fn organizations_arn(&self, resource: &str) -> String {
        format!("arn:{}:organizations::{}:{resource}", self.partition, self.account_id(0))
    }

    /// `Status`, the retired forerunner of `State`; AWS has none for an account that was never activated.
    #[must_use]
    pub fn retired_status(state: AccountState) -> Option<&'static str> {
        match state {
            AccountState::Active => Some("ACTIVE"),
            AccountState::Suspended | AccountState::Closed => Some("SUSPENDED"),
            AccountState::PendingClosure => Some("PENDING_CLOSURE"),
            AccountState::PendingActivation | AccountState::Unknown => None,
        }
    }

    pub(super) fn origin(&self, index: u32) -> Origin {
        let mut draw = self.draw(Topic::Identity, index, 0);
        // AWS lists the management account itself as invited.
        let was_invited = draw.chance(self.mix.invited) || index == 0;
        let joined_days = if index == 0 { 2600 } else { draw.between(30, 2500) };
        let joined_at = before(self.now, joined_days * DAY + draw.below(DAY));
        let earlier = if was_invited { draw.between(10 * DAY, 1200 * DAY) } else { 0 };
        let place = if index == 0 { Place::ROOT } else { Tree::draw_place(&mut draw) };
        Origin { was_invited, joined_at, created_at: before(joined_at, earlier), place }
    }

    pub(super) fn alias_name(&self, index: u32) -> String {
        let name = self.account_name(index, self.origin(index).place);
        format!("{}-{name}", self.tree.root_id.trim_start_matches("r-"))
    }

    fn account_name(&self, index: u32, place: Place) -> String {
        if index == 0 {
            return "management".to_owned();
        }
        let offset = Draw::new(self.seed, Topic::Organization, 0, 1).below(40);
        account_name(index, offset, place.stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimSettings;

    #[test]
    fn a_member_is_listed_with_all_that_aws_lists() {
        let model = Model::new(&SimSettings::default());
        for index in 1..200 {
            let AccountFacts { listed, created_at, is_management, .. } = model.account(index);
            let id = listed.id;
            let path = listed.path.unwrap();
            assert!(path.as_str().starts_with("o-") && path.as_str().ends_with(&format!("/{id}/")), "{path:?}");
            assert!(listed.arn.unwrap().ends_with(&format!("/{id}")));
            assert_eq!(listed.email, listed.name.map(|name| format!("aws+{name}@example.com")));
            assert!(created_at <= listed.joined_at.unwrap() && listed.joined_at.unwrap() < model.now());
            assert!(!is_management);
        }
    }

    #[test]
    fn the_management_account_is_first_directly_below_the_root() {
        let model = Model::new(&SimSettings::default());
        let facts = model.account(0);
        assert!(facts.is_management);
        assert_eq!(facts.listed.path.unwrap().ou_ids().count(), 0);
        assert_eq!(facts.listed.id, model.organization().management_account_id);
    }
}
