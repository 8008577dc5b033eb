//! A budget for retries, so that a storm of failures does not multiply itself.
//!
//! One request in so many may be a retry without more ado. Beyond that retries are not refused, as an account would then be
//! lost for no fault of its own: they go at a slow, steady rate for the whole sweep.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a request adds: where more than a fifth of all requests fail, AWS is not helped by five times as many.
const EARNED_BY_A_REQUEST: f64 = 0.2;

/// What a second adds: a sweep whose every request fails still asks this often.
const EARNED_BY_A_SECOND: f64 = 20.0;

/// What can be saved up: enough for a moment in which all connections break at once.
const MOST: f64 = 500.0;

/// The budget.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Below zero, retries that are waiting have spent it.
    saved: f64,
    at: Option<Instant>,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { state: Mutex::new(State { saved: MOST, at: None }) }
    }
}

impl RetryBudget {
    /// A first request was sent.
    pub(crate) fn earn(&self) {
        self.change(|state| state.saved = (state.saved + EARNED_BY_A_REQUEST).min(MOST));
    }

    /// Takes a retry from the budget; how long it has to wait for that.
    pub(crate) fn spend(&self, now: Instant) -> Duration {
        self.change(|state| {
            let passed = state.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
            state.at = Some(now);
            state.saved = (state.saved + EARNED_BY_A_SECOND * passed.as_secs_f64()).min(MOST) - 1.0;
            Duration::from_secs_f64((-state.saved).max(0.0) / EARNED_BY_A_SECOND)
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // The state is whole after every statement, so a panic elsewhere cannot have broken it.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spends this often at one moment; how long the last has to wait.
    fn check(budget: &RetryBudget, now: Instant, times: usize) -> Duration {
        (0..times).map(|_| budget.spend(now)).last().unwrap()
    }

    #[test]
    fn what_is_saved_goes_at_once_and_the_rest_at_a_steady_rate() {
        let (budget, now) = (RetryBudget::default(), Instant::now());
        assert_eq!(check(&budget, now, 500), Duration::ZERO);
        assert_eq!(check(&budget, now, 20), Duration::from_secs(1));
        assert_eq!(check(&budget, now + Duration::from_secs(1), 20), Duration::from_secs(1));
    }

    #[test]
    fn requests_that_go_well_pay_for_retries() {
        let (budget, now) = (RetryBudget::default(), Instant::now());
        check(&budget, now, 500);
        (0..50).for_each(|_| budget.earn());
        assert_eq!(check(&budget, now, 10), Duration::ZERO);
        assert!(!check(&budget, now, 1).is_zero());
    }
}
