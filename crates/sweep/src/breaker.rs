//! Calls that nobody gets through with, while others are answered: an endpoint that is blocked, or that there is none of.
//!
//! All patience for each of 50,000 accounts would take days and tell nothing new. So once a call has reached AWS for nobody
//! for a while, each further account tries it once, until one gets through again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orgsweep_core::Call;
use tokio::time::Instant;

/// So many accounts' calls in a row, each of which failed repeatedly, are no chance.
const CALLS_IN_A_ROW: u32 = 20;

/// A call has failed repeatedly with so many requests that did not reach AWS.
const REPEATEDLY: u32 = 3;

/// An outage that is shorter is waited out: it is longer than all attempts at one call take where nothing hangs.
const LASTING: Duration = Duration::from_secs(30);

/// What is known of all calls.
#[derive(Debug, Default)]
pub(crate) struct Breakers {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Answers so far, to whatever call.
    answers: u64,
    rows: HashMap<Call, Row>,
}

/// Failures of one call with no answer between them.
#[derive(Debug)]
struct Row {
    since: Instant,
    answers_before: u64,
    calls: u32,
}

impl Breakers {
    /// AWS answered, whatever it said.
    pub(crate) fn answered(&self, call: Call) {
        let mut state = self.lock();
        state.answers += 1;
        state.rows.remove(&call);
    }

    /// A request did not reach AWS: so many of its call did not, this one included.
    pub(crate) fn failed(&self, call: Call, now: Instant, requests: u32) {
        let mut state = self.lock();
        let answers_before = state.answers;
        let row = state.rows.entry(call).or_insert(Row { since: now, answers_before, calls: 0 });
        row.calls += u32::from(requests == REPEATEDLY);
    }

    /// Whether it is of no use to try a call more than once: it reaches AWS for nobody, and others do. Never for the
    /// caller's own calls, since without them there is no sweep.
    pub(crate) fn is_hopeless(&self, call: Call, now: Instant) -> bool {
        let state = self.lock();
        let of_caller = Call::AS_CALLER.contains(&call);
        state.rows.get(&call).filter(|_| !of_caller).is_some_and(|row| {
            row.calls >= CALLS_IN_A_ROW
                && state.answers > row.answers_before
                && now.saturating_duration_since(row.since) >= LASTING
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere cannot have broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a call is hopeless when it failed this often for so many accounts, and others were answered or not.
    fn check(call: Call, accounts: u32, others_answered: bool, after: Duration) -> (Breakers, bool) {
        let (breakers, now) = (Breakers::default(), Instant::now());
        for requests in (0..accounts).flat_map(|_| 1..=REPEATEDLY) {
            breakers.failed(call, now, requests);
        }
        if others_answered {
            breakers.answered(Call::GetAccountSummary);
        }
        let is_hopeless = breakers.is_hopeless(call, now + after);
        (breakers, is_hopeless)
    }

    #[test]
    fn what_fails_for_many_and_lastingly_is_hopeless_until_one_gets_through() {
        let call = Call::GetAlternateContact;
        let (breakers, is_hopeless) = check(call, CALLS_IN_A_ROW, true, LASTING);
        assert!(is_hopeless);
        assert!(!breakers.is_hopeless(Call::GetAccountSummary, Instant::now() + LASTING));
        breakers.answered(call);
        assert!(!breakers.is_hopeless(call, Instant::now() + LASTING));
    }

    #[test]
    fn what_fails_for_few_or_for_a_moment_or_with_all_else_is_tried_on() {
        let call = Call::GetAlternateContact;
        assert!(!check(call, CALLS_IN_A_ROW - 1, true, LASTING).1);
        assert!(!check(call, CALLS_IN_A_ROW, true, LASTING / 2).1);
        assert!(!check(call, CALLS_IN_A_ROW, false, LASTING).1);
        assert!(!check(Call::AssumeRole, CALLS_IN_A_ROW, true, LASTING).1);
    }
}
