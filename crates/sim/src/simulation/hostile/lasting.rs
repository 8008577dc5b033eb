//! What goes wrong with an account for good, or from some moment on, or until one; and with sessions and the clock.

use std::time::Duration;

use orgsweep_core::Timestamp;
use tokio::time::Instant;

use super::super::Simulation;
use crate::action::{Action, Actions};
use crate::hostility::{HostileFault, Hostility};
use crate::mix::PerMille;
use crate::random::{Draw, Topic};
use crate::request::Operation;

/// The moments at which accounts are closed and roles appear lie within this, in milliseconds.
const FIRST_MINUTE: u64 = 60_000;

/// How long a session lives that dies early, in milliseconds.
const SHORT_LIFE: (u64, u64) = (200, 3_000);

/// The most that AWS's clock is off, in milliseconds: less than the five minutes at which AWS refuses a signature.
const MOST_SKEW: u64 = 240_000;

/// What is wrong with an account for good, or until a moment: what a sweep cannot make up for by asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastingFaults {
    /// Its credential report is always in the making.
    pub never_comes: bool,
    /// How long after the simulation started the account is closed: from then on every call is refused.
    pub closed_after: Option<Duration>,
    /// How long after the simulation started its scanner role is there: until then it is refused.
    pub role_after: Option<Duration>,
    /// The calls that are always answered with garbage.
    pub garbled: Actions,
}

impl LastingFaults {
    /// Nothing.
    pub const NONE: Self = Self { never_comes: false, closed_after: None, role_after: None, garbled: Actions::NONE };

    /// Whether there is nothing wrong that lasts.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl Simulation {
    /// The lasting faults of the account with this index. The management account has none.
    #[must_use]
    pub fn lasting(&self, index: u32) -> LastingFaults {
        LastingFaults {
            never_comes: self.never_comes(index),
            closed_after: self.closed_after(index),
            role_after: self.role_after(index),
            garbled: self.garbled(index),
        }
    }

    /// How long the simulation has run, by the clock that the moments of [`LastingFaults`] go by.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed(Instant::now())
    }

    pub(in super::super) fn never_comes(&self, index: u32) -> bool {
        self.lasting_draw(index, HostileFault::NeverComes, self.profile.hostility.never_comes).is_some()
    }

    /// Whether the account was closed before this.
    pub(in super::super) fn is_closed(&self, index: u32, elapsed: Duration) -> bool {
        self.closed_after(index).is_some_and(|closed_after| closed_after <= elapsed)
    }

    /// Whether the account's role is still to come.
    pub(in super::super) fn is_role_late(&self, index: u32, elapsed: Duration) -> bool {
        self.role_after(index).is_some_and(|role_after| role_after > elapsed)
    }

    /// Whether an operation in the account is answered with garbage. A closed account does not get that far.
    pub(in super::super) fn is_garbled(&self, index: u32, operation: &Operation, elapsed: Duration) -> bool {
        operation.action().is_some_and(|action| self.garbled(index).contains(action)) && !self.is_closed(index, elapsed)
    }

    /// Whether the report made for the account expires before it is fetched.
    pub(in super::super) fn report_expires(&self, index: u32) -> bool {
        let share = self.profile.hostility.expiring_reports;
        Draw::new(self.model.seed(), Topic::ReportExpiry, index, 0).chance(share)
    }

    /// When the session of this serial number dies that is opened at `now`, if it dies early.
    pub(in super::super) fn early_death(&self, index: u32, serial: u64, now: Timestamp) -> Option<Timestamp> {
        let mut draw = Draw::new(self.model.seed() ^ serial.rotate_left(32), Topic::SessionDeath, index, 0);
        let dies = draw.chance(self.profile.hostility.dying_sessions);
        dies.then(|| now.plus(Duration::from_millis(draw.between(SHORT_LIFE.0, SHORT_LIFE.1))))
    }

    fn closed_after(&self, index: u32) -> Option<Duration> {
        let draw = self.lasting_draw(index, HostileFault::Closures, self.profile.hostility.closures);
        draw.map(|mut draw| Duration::from_millis(draw.below(FIRST_MINUTE)))
    }

    fn role_after(&self, index: u32) -> Option<Duration> {
        let draw = self.lasting_draw(index, HostileFault::LateRoles, self.profile.hostility.late_roles);
        draw.map(|mut draw| Duration::from_millis(draw.below(FIRST_MINUTE)))
    }

    fn garbled(&self, index: u32) -> Actions {
        let Some(mut draw) = self.lasting_draw(index, HostileFault::Garbage, self.profile.hostility.garbage) else {
            return Actions::NONE;
        };
        // Two draws of one action are one action.
        let choices = Action::ALL.map(Some);
        let mut one = || draw.pick(&choices).map_or(Actions::NONE, Actions::only);
        one().union(one())
    }

    /// The draws about a fault that the account has; `None` where it does not have it.
    fn lasting_draw(&self, index: u32, fault: HostileFault, share: PerMille) -> Option<Draw> {
        if index == 0 {
            return None;
        }
        let mut draw = Draw::new(self.model.seed(), Topic::Lasting, index, fault as u32);
        draw.chance(share).then_some(draw)
    }
}

/// How far AWS's clock is ahead of ours, in milliseconds.
pub(in super::super) fn clock_skew(seed: u64, hostility: &Hostility) -> i64 {
    let most = MOST_SKEW * u64::from(hostility.clock_skew.0) / 1000;
    let drawn = Draw::new(seed, Topic::ClockSkew, 0, 0).below(2 * most + 1);
    i64::try_from(drawn).unwrap_or_default().saturating_sub_unsigned(most)
}
