//! A rate limit that somebody else enforces: a token bucket that is kept to before AWS has to say so.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A throttled scope slows down to a sixteenth at most: slower, and a sweep would no longer end.
const SLOWEST: f64 = 16.0;

/// Half of a slow-down is forgotten in this time: AWS's buckets fill within seconds.
const FORGOTTEN_BY_HALF: Duration = Duration::from_secs(5);

/// Requests that were throttled together slow their scope down once: so long after a slow-down, what is throttled was
/// sent before it.
const ONE_STORM: Duration = Duration::from_secs(1);

/// A rate limit, as AWS publishes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// Requests a second, in the long run.
    pub(crate) per_second: f64,
    /// Requests at once, after a pause.
    pub(crate) burst: f64,
}

/// A token bucket, kept as the time at which it would be full again. Callers are served in the order they come.
pub(crate) struct Bucket {
    state: Option<Mutex<State>>,
}

struct State {
    interval: Duration,
    tolerance: Duration,
    full_at: Option<Instant>,
    slowness: f64,
    slowed_at: Option<Instant>,
}

impl Bucket {
    /// A bucket for this share of a quota; `None` limits nothing.
    pub(crate) fn new(quota: Quota, share: Option<f64>) -> Self {
        let state = share.map(|share| {
            let interval = Duration::from_secs_f64(1.0 / (quota.per_second * share));
            // A bucket holds one token at least, however small the share.
            let tolerance = interval.mul_f64((quota.burst * share - 1.0).max(0.0));
            Mutex::new(State { interval, tolerance, full_at: None, slowness: 1.0, slowed_at: None })
        });
        Self { state }
    }

    /// Waits for a token; how long that took. `None`, at once, where its turn comes no earlier than the deadline.
    pub(crate) async fn take(&self, deadline: Option<Instant>) -> Option<Duration> {
        let wait = self.reserve(Instant::now(), deadline)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Some(wait)
    }

    /// AWS throttled a request: those that follow are sent less often, for a while.
    pub(crate) fn slow_down(&self, now: Instant) {
        let Some(mut state) = self.lock() else { return };
        if state.slowed_at.is_none_or(|at| now.saturating_duration_since(at) >= ONE_STORM) {
            state.slowness = (state.slowness_at(now) * 2.0).min(SLOWEST);
            state.slowed_at = Some(now);
        }
    }

    fn reserve(&self, now: Instant, deadline: Option<Instant>) -> Option<Duration> {
        let in_time = |wait: &Duration| deadline.is_none_or(|deadline| now + *wait < deadline);
        let Some(mut state) = self.lock() else { return Some(Duration::ZERO).filter(in_time) };
        let full_at = state.full_at.map_or(now, |at| at.max(now));
        let wait = full_at.saturating_duration_since(now).saturating_sub(state.tolerance);
        if !in_time(&wait) {
            return None;
        }
        state.full_at = Some(full_at + state.interval.mul_f64(state.slowness_at(now)));
        Some(wait)
    }

    fn lock(&self) -> Option<MutexGuard<'_, State>> {
        // The state is whole after every statement, so a panic elsewhere cannot have broken it.
        self.state.as_ref().map(|state| state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn slowness_at(&self, now: Instant) -> f64 {
        let Some(slowed_at) = self.slowed_at else { return 1.0 };
        let halves = now.saturating_duration_since(slowed_at).as_secs_f64() / FORGOTTEN_BY_HALF.as_secs_f64();
        (self.slowness * 0.5_f64.powf(halves)).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { per_second: 10.0, burst: 3.0 };

    /// The waiting times, in milliseconds, of as many reservations at one moment.
    fn check(bucket: &Bucket, now: Instant, expected: &[u128]) {
        let waits: Vec<u128> = expected.iter().map(|_| bucket.reserve(now, None).unwrap().as_millis()).collect();
        assert_eq!(waits, expected);
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        check(&Bucket::new(QUOTA, Some(1.0)), Instant::now(), &[0, 0, 0, 100, 200]);
    }

    #[test]
    fn a_share_of_a_quota_is_a_share_of_rate_and_burst() {
        check(&Bucket::new(QUOTA, Some(0.5)), Instant::now(), &[0, 100, 300, 500]);
        check(&Bucket::new(QUOTA, Some(0.1)), Instant::now(), &[0, 1000, 2000]);
    }

    #[test]
    fn a_throttled_scope_slows_down_once_for_a_storm_and_recovers() {
        let (bucket, now) = (Bucket::new(QUOTA, Some(0.1)), Instant::now());
        bucket.slow_down(now);
        bucket.slow_down(now + ONE_STORM / 2);
        check(&bucket, now, &[0, 2000, 4000]);
        check(&bucket, now + Duration::from_mins(1), &[0, 1000, 2000]);
    }

    #[test]
    fn however_often_it_is_throttled_a_scope_goes_on() {
        let (bucket, now) = (Bucket::new(QUOTA, Some(0.1)), Instant::now());
        let later = (0..60).map(|storm| now + ONE_STORM * storm).inspect(|at| bucket.slow_down(*at)).last().unwrap();
        let slowest = QUOTA.per_second * 0.1 * SLOWEST;
        bucket.reserve(later, None);
        assert!(bucket.reserve(later, None).unwrap() <= Duration::from_secs_f64(slowest));
    }

    #[test]
    fn a_turn_that_comes_too_late_is_not_taken_from_others() {
        let (bucket, now) = (Bucket::new(QUOTA, Some(0.1)), Instant::now());
        check(&bucket, now, &[0, 1000]);
        assert_eq!(bucket.reserve(now, Some(now + Duration::from_secs(2))), None);
        check(&bucket, now, &[2000]);
        assert_eq!(Bucket::new(QUOTA, None).reserve(now, Some(now)), None);
    }

    #[test]
    fn without_pacing_nothing_waits() {
        check(&Bucket::new(QUOTA, None), Instant::now(), &[0, 0, 0, 0]);
    }
}
