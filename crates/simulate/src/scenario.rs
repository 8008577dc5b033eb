//! What one simulation is made from: the organization, and everything about its run that the seed decides.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use orgsweep_core::{OrganizationFeatures, Source, Sources, Timestamp};
use orgsweep_lake::RollPolicy;
use orgsweep_sim::{Profile, SimSettings};
use orgsweep_sweep::{Patience, SweepSettings};

/// 2026-11-22T10:00:00Z: facts, report times and ages stand still there, so that a run has one right answer.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// The organization and how it behaves; the seed decides the rest.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Member accounts, besides the management account.
    pub accounts: u32,
    /// IAM users in each account.
    pub users_per_account: u32,
    /// How AWS behaves.
    pub profile: Profile,
}

/// AWS makes a credential report every four hours at most, so that a younger one may be carried over.
pub(crate) const NOT_REPLACED_FOR: Duration = Duration::from_hours(4);

/// How long ago an earlier run was made, in milliseconds: some of its reports, or all, have been replaced since.
const EARLIER_MILLIS: Range<u64> = 10 * 60_000..6 * 3_600_000;

/// How many times as many users an account has in a crowded organization: more of them than a chunk of a build holds.
const MOST_CROWDED: u32 = 8;

/// How many accounts joined the organization since an earlier run at most, or left it.
const MOST_MOVED: u32 = 6;

/// One seed's choices.
pub(crate) struct Draws {
    rng: Rng,
    pub(crate) seed: u64,
    pub(crate) optional: Sources,
    pub(crate) crew: Crew,
    pub(crate) earlier: Option<Earlier>,
    /// How many times as many users an account has as the scenario says.
    pub(crate) crowd: u32,
    /// Where a part of a table ends, in bytes.
    pub(crate) part_bytes: usize,
    pub(crate) lake_faults: LakeFaults,
}

/// Who sweeps a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crew {
    /// One process at a time.
    One,
    /// Two at once, neither of which knows of the other.
    Rivals,
    /// A worker for each of so many shares, now and then two; and whoever commits when all of them are covered.
    Shares(u32),
}

/// A committed run of the same organization, which a new one takes over from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// How long before the new run it was made.
    pub(crate) before: Duration,
    /// Accounts that have joined since.
    pub(crate) joined: u32,
    /// Accounts that have left since.
    pub(crate) left: u32,
    /// Whether the new run starts with its accounts, before they are listed.
    pub(crate) starts_warm: bool,
    /// Whether the new run carries its reports over.
    pub(crate) carries: bool,
}

/// How often the lake fails, in a thousand operations.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LakeFaults {
    /// Writes that fail and are not done.
    pub(crate) refused: u32,
    /// Writes that are done and reported as failed.
    pub(crate) answer_lost: u32,
    /// Writes that take minutes.
    pub(crate) hung: u32,
    /// Reads and listings that fail.
    pub(crate) unread: u32,
}

/// How a process ends, unless it ends by itself before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doom {
    /// It lives.
    None,
    /// It is killed after this long.
    KilledAfter(Duration),
    /// It is killed at this write, which is done or not.
    KilledAtWrite(u32, bool),
    /// It is told to stop after this long.
    StoppedAfter(Duration),
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x6f72_6773_7765_6570);
        let optional: Sources = Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect();
        let optional = if rng.u32(..3) == 0 { optional } else { Sources::NONE };
        let crew = match rng.u32(..8) {
            0..3 => Crew::One,
            3..5 => Crew::Rivals,
            _ => Crew::Shares(rng.u32(2..5)),
        };
        let earlier = (rng.u32(..2) == 0).then(|| Earlier::draw(&mut rng, optional));
        // Now and then a build has several chunks, and often several parts.
        let crowd = if rng.u32(..8) == 0 { MOST_CROWDED } else { 1 };
        let part_bytes = 1 << rng.u32(13..20);
        let lake_faults = match rng.u32(..3) {
            0 => LakeFaults::default(),
            _ => LakeFaults {
                refused: rng.u32(..30),
                answer_lost: rng.u32(..30),
                hung: rng.u32(..10),
                unread: rng.u32(..5),
            },
        };
        Self { rng, seed, optional, crew, earlier, crowd, part_bytes, lake_faults }
    }

    /// Another source of choices, for whoever makes many.
    pub(crate) fn fork(&mut self) -> Rng {
        Rng::with_seed(self.rng.u64(..))
    }

    /// How the next process ends. A sweep of a hostile organization takes some minutes of its clock.
    pub(crate) fn doom(&mut self) -> Doom {
        match self.rng.u32(..6) {
            0 | 1 => Doom::KilledAfter(self.moment(1..240_000)),
            2 | 3 => Doom::KilledAtWrite(self.rng.u32(..24), self.rng.bool()),
            4 => Doom::StoppedAfter(self.moment(1..240_000)),
            _ => Doom::None,
        }
    }

    /// Something that happens in one of so many cases.
    pub(crate) fn one_in(&mut self, cases: u32) -> bool {
        self.rng.u32(..cases) == 0
    }

    /// One of so many, counted from 0.
    pub(crate) fn one_of(&mut self, many: usize) -> usize {
        self.rng.usize(..many)
    }

    /// How often a process tries a call that has little patience, and leaves much to be asked again; `None` for one that
    /// has all.
    pub(crate) fn impatience(&mut self) -> Option<u32> {
        (self.rng.u32(..4) == 0).then(|| self.rng.u32(1..4))
    }

    /// How long somebody takes to start it again.
    pub(crate) fn pause(&mut self) -> Duration {
        self.moment(0..60_000)
    }

    fn moment(&mut self, millis: Range<u64>) -> Duration {
        // Early moments are as interesting as late ones, and shorter.
        let within = self.rng.f64() * self.rng.f64();
        #[allow(clippy::cast_precision_loss, reason = "a few minutes in milliseconds are exact")]
        let millis = (millis.start as f64 + (millis.end - millis.start) as f64 * within) / 1000.0;
        Duration::from_secs_f64(millis)
    }

    /// How the next process sweeps: what a user may set differs, and what is right may not depend on it.
    pub(crate) fn sweep_settings(&mut self) -> SweepSettings {
        SweepSettings {
            patience: Patience {
                politeness: 0.5 + self.rng.f64() / 2.0,
                pacing: self.rng.u32(..8) > 0,
                ..Patience::default()
            },
            optional: self.optional,
            accounts_in_flight: 1 + self.rng.usize(..100),
            reports_in_making: 1 + self.rng.usize(..100),
            report_bytes: 1 << self.rng.u32(16..26),
            seed: self.rng.u64(..),
            ..SweepSettings::default()
        }
    }

    /// When the next process closes a segment.
    pub(crate) fn roll(&mut self) -> RollPolicy {
        RollPolicy { max_bytes: 1 << self.rng.u32(12..20), max_age: self.moment(200..5_000) }
    }
}

impl Earlier {
    fn draw(rng: &mut Rng, optional: Sources) -> Self {
        // Where key ids are wanted no report is carried over: whose keys to list, only one that is fetched says.
        let carries = optional == Sources::NONE && rng.u32(..3) > 0;
        let moved = rng.u32(..=MOST_MOVED);
        let (joined, left) = if rng.bool() { (moved, 0) } else { (0, moved) };
        Self {
            before: Duration::from_millis(rng.u64(EARLIER_MILLIS)),
            joined,
            left,
            starts_warm: !carries || rng.bool(),
            carries,
        }
    }

    /// When it was made.
    pub(crate) fn as_of(self) -> Timestamp {
        NOW.minus(self.before).whole_seconds()
    }
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, joined, left, starts_warm, carries } = self;
        write!(
            f,
            "after a run of {} minutes before, since which {joined} accounts joined and {left} left",
            before.as_secs() / 60
        )?;
        f.write_str(if *starts_warm { "; starts warm from it" } else { "" })?;
        f.write_str(if *carries { "; carries its reports over" } else { "" })
    }
}

impl Draws {
    /// What is simulated, in words.
    pub(crate) fn told(&self) -> String {
        let crew = match self.crew {
            Crew::One => "one process at a time".to_owned(),
            Crew::Rivals => "two processes at a time".to_owned(),
            Crew::Shares(of) => format!("{of} shares, each swept by workers of its own"),
        };
        let earlier = self.earlier.map(|earlier| format!(", {earlier}")).unwrap_or_default();
        let crowd = if self.crowd > 1 { "; accounts are crowded" } else { "" };
        let optional = if self.optional == Sources::NONE { "" } else { "; optional sources are asked as well" };
        format!("a run of {crew}{earlier}{crowd}{optional}")
    }
}

impl Scenario {
    /// The organization of a seed as it was at this time, with so many member accounts.
    pub(crate) fn organization(
        &self,
        draws: &Draws,
        profile: Profile,
        (accounts, now): (u32, Timestamp),
    ) -> SimSettings {
        SimSettings {
            accounts,
            users_per_account: self.users_per_account.saturating_mul(draws.crowd),
            seed: draws.seed,
            now: Some(now),
            started_at: Some(now),
            profile,
            features: OrganizationFeatures { root_credentials_management: true, root_sessions: false },
            ..SimSettings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_two_hundred_seeds_is_every_kind_of_run() {
        let all: Vec<Draws> = (0..200).map(Draws::new).collect();
        let some = |what: &str, is: &dyn Fn(&Draws) -> bool| {
            let count = all.iter().filter(|draws| is(draws)).count();
            assert!(count >= 5, "{what}: {count} of 200");
        };
        some("one process", &|draws| draws.crew == Crew::One);
        some("rivals", &|draws| draws.crew == Crew::Rivals);
        (2..5).for_each(|of| some("shares", &|draws| draws.crew == Crew::Shares(of)));
        some("crowds", &|draws| draws.crowd > 1);
        some("optional sources", &|draws| draws.optional != Sources::NONE);
        let earlier = |is: fn(Earlier) -> bool| move |draws: &Draws| draws.earlier.is_some_and(is);
        some("warm starts after which accounts left", &earlier(|it| it.starts_warm && it.left > 0));
        some("warm starts after which accounts joined", &earlier(|it| it.starts_warm && it.joined > 0));
        some("reports that may be carried over", &earlier(|it| it.carries && it.before < NOT_REPLACED_FOR));
        some("reports that may not", &earlier(|it| it.carries && it.before > NOT_REPLACED_FOR));
    }
}
