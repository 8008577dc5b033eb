//! How many credential reports AWS is asked to make at a time, and when it is worth looking for one.
//!
//! Making reports is a capacity that all of AWS shares: where it is used up, AWS answers `LimitExceeded`. So the sweep
//! asks for so many at once, and for half as many where that happens. Accounts are served in the order they come, and
//! one that found no capacity comes again, behind all others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// However little capacity AWS has, so many reports are in the making: fewer, and a sweep would no longer end.
const LEAST: usize = 16;

/// Accounts that found no capacity together count once: so long after a cut, what is refused was asked before it.
const ONE_REFUSAL: Duration = Duration::from_secs(5);

/// Where nothing is known yet: small accounts were seen ready in two seconds. A guess that is too low is dear, since all who
/// go by it look in vain before the first of them has taught anybody.
const FIRST_GUESS: Duration = Duration::from_secs(2);

/// Looks before this are too early whatever was seen, and after that too late.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(15));

/// The share of reports that should be ready at the first look. Waiting for more delays the many for the few; looking
/// earlier costs a request for each that is not.
const READY_AT_FIRST_LOOK: f64 = 0.7;

/// How far one report moves the guess: a few dozen settle it, one straggler does not.
const STEP: f64 = 0.05;

/// How far from the guess by which a report was looked for it is drawn: so far at most that, however many looked at once and too early,
/// the next ones do not look much too late.
const REACH: f64 = 0.5;

/// The reports in the making, of all accounts.
pub(crate) struct Making {
    most: usize,
    places: Semaphore,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// Places that go as soon as they are given back.
    to_close: usize,
    cut_at: Option<Instant>,
    first_look: Duration,
}

/// A place among the reports in the making, for as long as it lives.
pub(crate) struct MakingPlace<'a> {
    making: &'a Making,
    permit: Option<SemaphorePermit<'a>>,
}

impl Making {
    /// At most so many at once.
    pub(crate) fn new(most: usize) -> Self {
        let state = State { limit: most, to_close: 0, cut_at: None, first_look: FIRST_GUESS };
        Self { most, places: Semaphore::new(most), state: Mutex::new(state) }
    }

    /// Waits for a place, behind everybody who came earlier.
    pub(crate) async fn place(&self) -> MakingPlace<'_> {
        // It fails only where the semaphore is closed, and nobody closes it.
        MakingPlace { making: self, permit: self.places.acquire().await.ok() }
    }

    /// AWS had no capacity: from now on half as many are asked for at once.
    pub(crate) fn cut(&self, now: Instant) {
        let mut state = self.lock();
        if state.cut_at.is_some_and(|at| now.saturating_duration_since(at) < ONE_REFUSAL) {
            return;
        }
        state.cut_at = Some(now);
        let limit = (state.limit / 2).max(LEAST.min(self.most));
        let closing = state.limit - limit;
        state.limit = limit;
        state.to_close += closing - self.places.forget_permits(closing);
    }

    /// A report came: one more may be asked for at once.
    pub(crate) fn came(&self) {
        let mut state = self.lock();
        if state.limit < self.most {
            state.limit += 1;
            if state.to_close > 0 {
                state.to_close -= 1;
            } else {
                self.places.add_permits(1);
            }
        }
    }

    /// How long after a report was begun it should be looked for.
    pub(crate) fn first_look(&self) -> Duration {
        self.lock().first_look
    }

    /// Whether a report was ready at its first look, which went by this guess. Over many, the guess comes to lie where as many
    /// are as wanted.
    pub(crate) fn looked(&self, guess: Duration, was_ready: bool) {
        let share = if was_ready { READY_AT_FIRST_LOOK - 1.0 } else { READY_AT_FIRST_LOOK };
        let drawn_to = guess.mul_f64(1.0 + REACH * share);
        let mut state = self.lock();
        let moved = state.first_look.mul_f64(1.0 - STEP) + drawn_to.mul_f64(STEP);
        state.first_look = moved.clamp(LOOKS.0, LOOKS.1);
    }

    /// The longest time between two looks.
    pub(crate) const fn longest_look() -> Duration {
        LOOKS.1
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole wherever it is unlocked, so a panic elsewhere cannot have broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MakingPlace<'_> {
    fn drop(&mut self) {
        let mut state = self.making.lock();
        if state.to_close > 0
            && let Some(permit) = self.permit.take()
        {
            state.to_close -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// How many places are free at once.
    fn free(making: &Making) -> usize {
        let places: Vec<_> = std::iter::from_fn(|| making.place().now_or_never()).collect();
        places.len()
    }

    #[test]
    fn where_aws_has_no_capacity_half_as_many_are_asked_for() {
        let (making, now) = (Making::new(100), Instant::now());
        assert_eq!(free(&making), 100);
        making.cut(now);
        making.cut(now);
        assert_eq!(free(&making), 50);
        making.cut(now + ONE_REFUSAL);
        assert_eq!(free(&making), 25);
        (0..200).for_each(|_| making.came());
        assert_eq!(free(&making), 100);
    }

    #[test]
    fn places_that_are_taken_close_when_they_are_given_back() {
        let making = Making::new(40);
        let taken: Vec<_> = (0..40).map(|_| making.place().now_or_never().unwrap()).collect();
        making.cut(Instant::now());
        assert_eq!(free(&making), 0);
        drop(taken);
        assert_eq!(free(&making), 20);
    }

    #[test]
    fn however_often_it_is_cut_some_places_stay() {
        let (making, now) = (Making::new(40), Instant::now());
        (0..9).for_each(|cut| making.cut(now + ONE_REFUSAL * cut));
        assert_eq!(free(&making), LEAST);
        let (small, now) = (Making::new(3), Instant::now());
        (0..9).for_each(|cut| small.cut(now + ONE_REFUSAL * cut));
        assert_eq!(free(&small), 3);
    }

    #[test]
    fn the_first_look_comes_to_lie_where_most_reports_are_ready() {
        let making = Making::new(1);
        // Reports that take evenly from 2 to 6 seconds, and looks up to a fifth sooner than guessed.
        let was_ready = |report: u32| {
            let mixed = report.wrapping_mul(2_654_435_761) >> 8;
            let takes = Duration::from_millis(u64::from(2000 + mixed % 4000));
            let guess = making.first_look();
            let was_ready = takes <= guess.mul_f64(1.0 - f64::from(mixed / 4000 % 200) / 1000.0);
            making.looked(guess, was_ready);
            was_ready
        };
        let settling = (0..2000).filter(|report| was_ready(*report)).count();
        let ready = (2000..6000).filter(|report| was_ready(*report)).count();
        assert!((2600..3000).contains(&ready), "{ready} of 4000, and before {settling} of 2000");
    }

    #[test]
    fn however_many_look_at_once_and_too_early_the_next_do_not_look_much_too_late() {
        let making = Making::new(1);
        (0..5000).for_each(|_| making.looked(FIRST_GUESS, false));
        assert!(making.first_look() < FIRST_GUESS * 3 / 2);
    }
}
