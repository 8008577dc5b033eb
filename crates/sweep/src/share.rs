//! A share of a plan: what one of several machines asks.

use std::fmt;
use std::str::FromStr;

use orgsweep_core::{Account, AccountId, Plan};

/// One of so many even shares of the accounts that a plan asks: the accounts whose place among them, counted from 0,
/// leaves `number - 1` when it is divided by `of`. It depends on the plan alone, so every machine knows every share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    number: u32,
    of: u32,
}

/// A share that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no share: K/N is expected, as in 3/8, with K from 1 to N and N up to {most}", most = Share::MOST)]
pub struct InvalidShare {
    text: String,
}

impl Share {
    /// The whole plan.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Shares that a plan can be cut into: as many as the largest array job of AWS Batch has children.
    pub const MOST: u32 = 10_000;

    /// Share `number` of `of`, counted from 1.
    ///
    /// # Errors
    /// There is no such share.
    pub fn new(number: u32, of: u32) -> Result<Self, InvalidShare> {
        if (1..=Self::MOST).contains(&of) && (1..=of).contains(&number) {
            Ok(Self { number, of })
        } else {
            Err(InvalidShare { text: format!("{number}/{of}") })
        }
    }

    /// Whether it is the whole plan.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.of == 1
    }

    /// The part of AWS's quotas that is left to it, as all shares may be swept at once by callers of one account.
    #[must_use]
    pub fn of_quotas(self) -> f64 {
        1.0 / f64::from(self.of)
    }

    /// Its part of what all shares may have at once, one at least.
    #[must_use]
    pub fn part_of(self, all: usize) -> usize {
        usize::try_from(self.of).map_or(1, |of| all / of).max(1)
    }

    /// The accounts of the plan that it asks, in plan order.
    pub fn of_plan(self, plan: &Plan) -> impl Iterator<Item = Account> {
        self.choose(plan, true)
    }

    /// What the names of its workers begin with, and those of no other share do.
    pub(crate) fn prefix(self) -> String {
        format!("s{:03}-of-{:03}-", self.number, self.of)
    }

    /// Up to `most` accounts that other shares ask, from all over the plan.
    pub(crate) fn elsewhere(self, plan: &Plan, most: usize) -> Vec<AccountId> {
        let step = self.choose(plan, false).count().div_ceil(most).max(1);
        self.choose(plan, false).step_by(step).map(|account| account.id).collect()
    }

    fn choose(self, plan: &Plan, own: bool) -> impl Iterator<Item = Account> {
        let numbers = (1..=self.of).cycle();
        numbers.zip(plan.asked()).filter(move |(number, _)| (*number == self.number) == own).map(|(_, account)| account)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Share {
    type Err = InvalidShare;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let share = parsed.and_then(|(number, of)| Self::new(number, of).ok());
        share.ok_or_else(|| InvalidShare { text: format!("{text:?}") })
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{AccountState, Caller, Decision, OrganizationFeatures, PlannedAccount, Reading, SkipReason};

    use super::*;

    /// A plan of so many accounts, every third of which is not asked.
    fn plan(accounts: u64) -> Plan {
        let planned = |number: u64| PlannedAccount {
            account: Account {
                id: AccountId::from_number(number),
                arn: None,
                name: None,
                email: None,
                state: AccountState::Active,
                path: None,
                joined_method: None,
                joined_at: None,
            },
            decision: if number.is_multiple_of(3) { Decision::Skip(SkipReason::Excluded) } else { Decision::Ask },
        };
        let caller = Caller { account_id: AccountId::from_number(1), arn: String::new() };
        let features = Reading::Read(OrganizationFeatures::default());
        Plan::new(caller, None, features, (1..=accounts).map(planned).collect())
    }

    fn ids(accounts: impl Iterator<Item = Account>) -> Vec<AccountId> {
        accounts.map(|account| account.id).collect()
    }

    #[test]
    fn shares_are_even_and_have_each_asked_account_once() {
        for (accounts, of) in [(0, 3), (1, 1), (100, 1), (100, 7), (5, 8), (31, 10)] {
            let plan = plan(accounts);
            let asked = ids(plan.asked());
            let shares: Vec<_> = (1..=of).map(|number| ids(Share::new(number, of).unwrap().of_plan(&plan))).collect();
            let sizes = shares.iter().map(Vec::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
            let mut all = shares.concat();
            all.sort();
            assert_eq!(all, asked);
        }
    }

    #[test]
    fn what_other_shares_ask_is_none_of_its_own_and_comes_from_all_over() {
        let (plan, share) = (plan(300), Share::new(2, 3).unwrap());
        let own = ids(share.of_plan(&plan));
        let elsewhere = share.elsewhere(&plan, 20);
        assert!(elsewhere.len() > 10 && elsewhere.len() <= 20, "{}", elsewhere.len());
        assert!(elsewhere.iter().all(|account| !own.contains(account)));
        assert!(elsewhere.last().unwrap().number() > 250);
        assert_eq!(Share::WHOLE.elsewhere(&plan, 20), []);
    }

    #[test]
    fn a_share_is_what_it_is_written_as() {
        let share: Share = "3/8".parse().unwrap();
        assert_eq!((share, share.to_string().as_str()), (Share::new(3, 8).unwrap(), "3/8"));
        assert_eq!((share.prefix().as_str(), share.is_whole()), ("s003-of-008-", false));
        for text in ["", "3", "/8", "3/", "0/8", "9/8", "3/0", "-1/8", "3/8/1", "1/10001", "a/b"] {
            let told = text.parse::<Share>().unwrap_err().to_string();
            assert!(told.starts_with(&format!("{text:?} is no share: K/N")), "{told}");
        }
    }
}
