//! The accounts of a plan, packed: tens of thousands of them are held as long as a run goes on.
//!
//! Of an account's texts its name and e-mail address are its own. Its ARN and its path are those of its neighbours but for the
//! id in them, so what stands around the id is held once for all of them.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Account, AccountId, AccountState, Decision, OrgPath, PlannedAccount, Timestamp};

/// Accounts of a plan. Each is unpacked when it is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedAccounts {
    packed: Vec<Packed>,
    /// What accounts share, each text once, in the order in which they came.
    shared: Vec<Box<str>>,
}

/// Where a text is among the shared ones.
type Shared = u32;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Packed {
    id: AccountId,
    state: AccountState,
    decision: Decision,
    joined_method: Option<Shared>,
    arn: Option<AroundId>,
    path: Option<AroundId>,
    name: Option<Box<str>>,
    email: Option<Box<str>>,
    joined_at: Option<Timestamp>,
}

/// What stands before an account's id, and behind it; nothing stands behind the id of a text that does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AroundId {
    before: Shared,
    behind: Option<Shared>,
}

impl PlannedAccounts {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The accounts, in their order.
    pub fn iter(&self) -> impl Iterator<Item = PlannedAccount> + Clone {
        self.packed.iter().map(|packed| self.unpack(packed))
    }

    /// The account at this place; `None` behind the last.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<PlannedAccount> {
        self.packed.get(index).map(|packed| self.unpack(packed))
    }

    fn unpack(&self, packed: &Packed) -> PlannedAccount {
        let around = |text: Option<AroundId>| text.map(|text| self.around(text, packed.id));
        let account = Account {
            id: packed.id,
            arn: around(packed.arn),
            name: packed.name.as_deref().map(str::to_owned),
            email: packed.email.as_deref().map(str::to_owned),
            state: packed.state,
            path: around(packed.path).map(OrgPath::new),
            joined_method: packed.joined_method.map(|method| self.text(method).to_owned()),
            joined_at: packed.joined_at,
        };
        PlannedAccount { account, decision: packed.decision.clone() }
    }

    fn around(&self, text: AroundId, id: AccountId) -> String {
        let before = self.text(text.before);
        text.behind.map_or_else(|| before.to_owned(), |behind| [before, id.as_str(), self.text(behind)].concat())
    }

    fn text(&self, shared: Shared) -> &str {
        self.shared.get(shared as usize).map_or("", |text| text)
    }
}

/// Accounts on their way into the pack.
#[derive(Default)]
struct Packing {
    accounts: PlannedAccounts,
    places: HashMap<Box<str>, Shared>,
}

impl Packing {
    fn push(&mut self, planned: PlannedAccount) {
        let PlannedAccount { account, decision } = planned;
        let packed = Packed {
            id: account.id,
            state: account.state,
            decision,
            joined_method: account.joined_method.map(|method| self.share(&method)),
            arn: account.arn.map(|arn| self.share_around(&arn, account.id)),
            path: account.path.map(|path| self.share_around(path.as_str(), account.id)),
            name: account.name.map(String::into_boxed_str),
            email: account.email.map(String::into_boxed_str),
            joined_at: account.joined_at,
        };
        self.accounts.packed.push(packed);
    }

    fn share_around(&mut self, text: &str, id: AccountId) -> AroundId {
        match text.split_once(id.as_str()) {
            Some((before, behind)) => AroundId { before: self.share(before), behind: Some(self.share(behind)) },
            None => AroundId { before: self.share(text), behind: None },
        }
    }

    fn share(&mut self, text: &str) -> Shared {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        // Plans of four billion texts do not fit into memory.
        let place = Shared::try_from(self.accounts.shared.len()).unwrap_or(Shared::MAX);
        self.accounts.shared.push(text.into());
        self.places.insert(text.into(), place);
        place
    }
}

impl FromIterator<PlannedAccount> for PlannedAccounts {
    fn from_iter<I: IntoIterator<Item = PlannedAccount>>(accounts: I) -> Self {
        let mut packing = Packing::default();
        accounts.into_iter().for_each(|planned| packing.push(planned));
        packing.accounts.packed.shrink_to_fit();
        packing.accounts
    }
}

impl Serialize for PlannedAccounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PlannedAccounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<PlannedAccount>::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SkipReason;

    fn planned(number: u64, [arn, path]: [Option<&str>; 2]) -> PlannedAccount {
        let account = Account {
            id: AccountId::from_number(number),
            arn: arn.map(str::to_owned),
            name: arn.map(|_| format!("account {number}")),
            email: path.map(|_| format!("{number}@example.com")),
            state: AccountState::Active,
            path: path.map(|path| OrgPath::new(path.to_owned())),
            joined_method: path.map(|_| "CREATED".to_owned()),
            joined_at: arn.map(|_| Timestamp::from_millis(1_800_000_000_000)),
        };
        let decision = if number == 3 { Decision::Skip(SkipReason::Excluded) } else { Decision::Ask };
        PlannedAccount { account, decision }
    }

    #[test]
    fn what_is_unpacked_equals_what_was_packed() {
        let accounts = [
            planned(1, [Some("arn:aws:organizations::9:account/o-1/000000000001"), Some("o-1/r-1/000000000001/")]),
            planned(2, [Some("arn:aws:organizations::9:account/o-1/000000000002"), Some("o-1/r-1/000000000002/")]),
            planned(3, [Some("of another account"), Some("000000000003000000000003")]),
            planned(4, [None, Some("")]),
            planned(5, [Some("000000000005"), None]),
        ];
        let packed: PlannedAccounts = accounts.iter().cloned().collect();
        assert_eq!(packed.iter().collect::<Vec<_>>(), accounts);
        assert_eq!((packed.len(), packed.get(4), packed.get(5)), (5, accounts.last().cloned(), None));
        let json = serde_json::to_string(&packed).unwrap();
        assert_eq!(json, serde_json::to_string(&accounts).unwrap());
        assert_eq!(serde_json::from_str::<PlannedAccounts>(&json).unwrap(), packed);
    }
}
