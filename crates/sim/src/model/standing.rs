//! Whether an account can be read: its state, its role, and what a service control policy denies in it.

use orgsweep_core::AccountState;

use super::Model;
use crate::action::{Action, Actions};
use crate::mix::{PerMille, Unreadable};
use crate::random::{Draw, Topic};

/// What becomes of the caller who asks for the scanner role. From outside, the last two look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleStanding {
    /// It opens.
    Granted,
    /// It does not trust the caller, or the account is not usable.
    Denied,
    /// There is none.
    Absent,
}

impl RoleStanding {
    /// The name in the truth file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Absent => "absent",
        }
    }
}

/// Whether an account can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountStanding {
    /// Where it is in its life.
    pub state: AccountState,
    /// Its scanner role.
    pub role: RoleStanding,
    /// The calls that a service control policy denies in it.
    pub denied_calls: Actions,
}

/// The members that are certainly unreadable, one of each kind, where the organization is large enough.
#[derive(Debug, Clone, Default)]
pub(super) struct Certain {
    role_denied: Option<u32>,
    call_denied: Option<u32>,
    closed: Option<u32>,
}

impl Certain {
    pub(super) fn new(seed: u64, members: u32, unreadable: &Unreadable) -> Self {
        // Three of them need three members.
        if unreadable.certain_from.is_none_or(|from| members < from.max(3)) {
            return Self::default();
        }
        let first = Draw::new(seed, Topic::Certain, 0, 0).below(u64::from(members));
        // Thirds of the organization apart, so that the three are never the same member.
        let member = |third: u64| {
            let place = (first + third * u64::from(members / 3)) % u64::from(members);
            u32::try_from(place + 1).ok()
        };
        Self { role_denied: member(0), call_denied: member(1), closed: member(2) }
    }

    /// The standing of a member that is one of these.
    fn standing(&self, index: u32) -> Option<AccountStanding> {
        let (state, role, denied_calls) = if self.role_denied == Some(index) {
            (AccountState::Active, RoleStanding::Denied, Actions::NONE)
        } else if self.call_denied == Some(index) {
            (AccountState::Active, RoleStanding::Granted, Actions::only(Action::GetAccountPasswordPolicy))
        } else if self.closed == Some(index) {
            (AccountState::Closed, RoleStanding::Denied, Actions::NONE)
        } else {
            return None;
        };
        Some(AccountStanding { state, role, denied_calls })
    }
}

/// What service control policies of the simulation deny.
const DENIED_CALLS: [Option<Action>; 6] = [
    Some(Action::GetAccountPasswordPolicy),
    Some(Action::GetAccountPasswordPolicy),
    Some(Action::GetAlternateContact),
    Some(Action::ListVirtualMfaDevices),
    Some(Action::ListAccountAliases),
    Some(Action::GetCredentialReport),
];

impl Model {
    /// Whether the account with this index can be read.
    #[must_use]
    pub fn standing(&self, index: u32) -> AccountStanding {
        let mut draw = self.draw(Topic::Standing, index, 0);
        if index == 0 {
            // Service control policies do not touch the management account.
            let role = if self.management_role { RoleStanding::Granted } else { RoleStanding::Absent };
            return AccountStanding { state: AccountState::Active, role, denied_calls: Actions::NONE };
        }
        let also_denied = self.also_denied(index);
        if let Some(AccountStanding { state, role, denied_calls }) = self.certain.standing(index) {
            return AccountStanding { state, role, denied_calls: denied_calls.union(also_denied) };
        }
        let state = self.draw_state(&mut draw);
        let is_refused = draw.chance(self.mix.unreadable.role_denied);
        let role = match (state.is_usable(), is_refused, draw.below(2)) {
            (true, false, _) => RoleStanding::Granted,
            (true, true, 0) => RoleStanding::Absent,
            (true, true, _) | (false, ..) => RoleStanding::Denied,
        };
        let is_denied = draw.chance(self.mix.unreadable.call_denied);
        let denied_call = draw.pick(&DENIED_CALLS).filter(|_| is_denied);
        let denied_calls = denied_call.map_or(Actions::NONE, Actions::only).union(also_denied);
        AccountStanding { state, role, denied_calls }
    }

    /// What settings deny in this member beside the usual.
    fn also_denied(&self, index: u32) -> Actions {
        let denied = &self.mix.unreadable.denied;
        let drawn = |(action, rate): &(Action, PerMille)| {
            let mut draw = self.draw(Topic::Standing, index, 1 + *action as u32);
            draw.chance(*rate).then_some(*action)
        };
        denied.iter().filter_map(drawn).fold(Actions::NONE, |denied, action| denied.union(Actions::only(action)))
    }

    fn draw_state(&self, draw: &mut Draw) -> AccountState {
        let is_unusable = draw.chance(self.mix.unreadable.unusable);
        let which = draw.below(3);
        let is_closing = draw.chance(self.mix.pending_closure);
        match (is_unusable, which, is_closing) {
            (true, 0, _) => AccountState::Suspended,
            (true, 1, _) => AccountState::Closed,
            (true, ..) => AccountState::PendingActivation,
            (false, _, true) => AccountState::PendingClosure,
            (false, _, false) => AccountState::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mix, SimSettings};

    fn standings(accounts: u32, mix: Mix, seed: u64) -> Vec<AccountStanding> {
        let model = Model::new(&SimSettings { accounts, seed, mix, ..SimSettings::default() });
        (0..model.accounts()).map(|index| model.standing(index)).collect()
    }

    #[test]
    fn fifty_members_have_one_denied_one_closed_and_one_with_a_denied_call() {
        for seed in 0..200 {
            let all = standings(50, Mix::default(), seed);
            let usable_but_refused =
                all[1..].iter().any(|account| account.state.is_usable() && account.role != RoleStanding::Granted);
            assert!(usable_but_refused, "seed {seed}");
            assert!(all.iter().any(|account| account.state == AccountState::Closed), "seed {seed}");
            let granted_in_part = all
                .iter()
                .any(|account| account.role == RoleStanding::Granted && account.denied_calls != Actions::NONE);
            assert!(granted_in_part, "seed {seed}");
        }
    }

    #[test]
    fn a_readable_mix_leaves_nothing_unreadable() {
        let all = standings(5000, Mix::default().readable(), 7);
        assert!(all[1..].iter().all(|account| account.role == RoleStanding::Granted));
        assert!(all.iter().all(|account| account.state.is_usable() && account.denied_calls == Actions::NONE));
        assert!(all.iter().any(|account| account.state == AccountState::PendingClosure));
    }

    #[test]
    fn about_one_in_a_hundred_members_is_denied_and_one_in_a_hundred_is_not_usable() {
        let all = standings(20_000, Mix::default(), 7);
        let unusable = all.iter().filter(|account| !account.state.is_usable()).count();
        let refused = all.iter().filter(|account| account.role != RoleStanding::Granted).count() - unusable;
        assert!((150..250).contains(&unusable) && (150..250).contains(&refused), "{unusable} {refused}");
    }

    #[test]
    fn the_management_account_has_the_role_only_where_it_was_deployed() {
        let settings = SimSettings { management_role: true, ..SimSettings::default() };
        assert_eq!(Model::new(&settings).standing(0).role, RoleStanding::Granted);
        assert_eq!(Model::new(&SimSettings::default()).standing(0).role, RoleStanding::Absent);
    }
}
