//! Which accounts a journal has: what decides whom a sweep asks, and whether a run can be built.

use std::collections::{BTreeMap, HashSet};

use orgsweep_core::AccountId;

/// Which accounts a journal has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Journalled {
    /// The accounts with some snapshot.
    pub seen: HashSet<AccountId>,
    /// Those that a resumed sweep need not ask again.
    pub settled: HashSet<AccountId>,
    /// Those that could be opened: by their role, or as the caller's own.
    pub opened: HashSet<AccountId>,
    /// The segments that cannot be read, by name, each with what is wrong. Nothing of them counts, and what they had is
    /// asked again. None of a sealed journal.
    pub damaged: BTreeMap<String, String>,
}

impl Journalled {
    /// The accounts whose snapshot failed in passing: a sweep that goes on with the run would ask them again.
    pub fn unsettled(&self) -> impl Iterator<Item = AccountId> {
        self.seen.difference(&self.settled).copied()
    }
}
