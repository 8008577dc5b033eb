//! Account ids: a bijection between the accounts' indices and numbers of twelve digits, so that neither way needs a
//! table.

use orgsweep_core::AccountId;

use crate::random::{Draw, Topic, scramble};

/// Ids from here on do not start with `000`.
const LEAST_ID: u64 = 1_000_000_000;

/// How many ids do not start with `000`.
const IDS: u64 = 1_000_000_000_000 - LEAST_ID;

const HALF_BITS: u32 = 20;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;

/// The scramble: a Feistel network over 40 bits, walked again while it lands beyond the last id.
#[derive(Debug, Clone)]
pub(super) struct AccountIds {
    keys: [u64; 4],
}

impl AccountIds {
    pub(super) fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed, Topic::AccountId, 0, 0);
        Self { keys: std::array::from_fn(|_| draw.bits()) }
    }

    /// The id of the account with this index.
    pub(super) fn id(&self, index: u32) -> AccountId {
        let mut place = self.forward(u64::from(index));
        // 2⁴⁰ is a tenth more than there are ids, so this ends after 1.1 rounds on average.
        while place >= IDS {
            place = self.forward(place);
        }
        AccountId::from_number(LEAST_ID + place)
    }

    /// The index that has this id; it may be beyond the organization's last account.
    pub(super) fn index(&self, id: AccountId) -> Option<u32> {
        let mut place = self.backward(id.number().checked_sub(LEAST_ID)?);
        while place >= IDS {
            place = self.backward(place);
        }
        u32::try_from(place).ok()
    }

    fn forward(&self, place: u64) -> u64 {
        let halves = (place >> HALF_BITS, place & HALF_MASK);
        let (left, right) = self.keys.iter().fold(halves, |(left, right), key| (right, left ^ round(right, *key)));
        (left << HALF_BITS) | right
    }

    fn backward(&self, place: u64) -> u64 {
        let halves = (place >> HALF_BITS, place & HALF_MASK);
        let (left, right) = self.keys.iter().rev().fold(halves, |(left, right), key| (right ^ round(left, *key), left));
        (left << HALF_BITS) | right
    }
}

fn round(half: u64, key: u64) -> u64 {
    scramble(half ^ key) & HALF_MASK
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_found_back_and_do_not_start_with_000() {
        for seed in [0, 7, u64::MAX] {
            let ids = AccountIds::new(seed);
            let mut seen = HashSet::new();
            for index in (0..60_000).chain([u32::MAX]) {
                let id = ids.id(index);
                assert!(!id.as_str().starts_with("000") && seen.insert(id), "{id}");
                assert_eq!(ids.index(id), Some(index));
            }
        }
    }

    #[test]
    fn an_id_of_nobody_has_no_index() {
        let ids = AccountIds::new(7);
        assert_eq!(ids.index(AccountId::from_number(42)), None);
        let strangers = (1..1000).map(|number| ids.index(AccountId::from_number(number * 1_000_000_000)));
        assert!(strangers.flatten().all(|index| index > 100_000), "chance would have it otherwise once in 10⁴");
    }
}
