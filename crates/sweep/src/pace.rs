//! Keeping to AWS's quotas, where they are counted in the caller's account.
//!
//! IAM and Account Management count in the account that is asked. A sweep makes about ten calls there, one after
//! another, so nothing is paced; what is throttled all the same backs off by itself.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orgsweep_core::Call;
use tokio::time::Instant;

/// `ListAccounts`: 8 a second, bursts of 12, for each account; AWS Organizations User Guide, "Quotas and service
/// limits".
const LIST_ACCOUNTS: Quota = Quota { per_second: 8.0, burst: 12.0 };

/// `DescribeOrganization`: 1 a second, bursts of 2; same page.
const DESCRIBE_ORGANIZATION: Quota = Quota { per_second: 1.0, burst: 2.0 };

/// `ListTagsForResource`: 10 a second, bursts of 15; same page.
const LIST_TAGS: Quota = Quota { per_second: 10.0, burst: 15.0 };

/// `AssumeRole` and its siblings: 600 a second for each account and region; IAM User Guide, "IAM and AWS STS
/// quotas". No burst is published; a second's worth is spread over its second.
const STS: Quota = Quota { per_second: 600.0, burst: 30.0 };

/// A throttled scope slows down to a sixteenth at most: slower, and a sweep would no longer end.
const SLOWEST: f64 = 16.0;

/// Answers undo a slow-down step by step: about seventy of them for one throttled request.
const RECOVERY: f64 = 0.99;

struct Quota {
    per_second: f64,
    burst: f64,
}

/// The quotas that are counted in the caller's account.
pub(crate) struct Pace {
    list_accounts: Bucket,
    describe_organization: Bucket,
    list_tags: Bucket,
    sts: Bucket,
}

impl Pace {
    /// Takes `politeness` times the published quotas, or none of them where `None`.
    pub(crate) fn new(politeness: Option<f64>) -> Self {
        let bucket =
            |quota: &Quota| Bucket::new(politeness.map(|share| (quota.per_second * share, quota.burst * share)));
        Self {
            list_accounts: bucket(&LIST_ACCOUNTS),
            describe_organization: bucket(&DESCRIBE_ORGANIZATION),
            list_tags: bucket(&LIST_TAGS),
            sts: bucket(&STS),
        }
    }

    /// Waits until the call may be made; how long that took.
    pub(crate) async fn wait(&self, call: Call) -> Duration {
        let Some(bucket) = self.bucket(call) else { return Duration::ZERO };
        let wait = bucket.reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        wait
    }

    /// AWS throttled the call: its scope slows down.
    pub(crate) fn throttled(&self, call: Call) {
        if let Some(bucket) = self.bucket(call) {
            bucket.slow_down();
        }
    }

    /// AWS answered the call: its scope recovers a little.
    pub(crate) fn answered(&self, call: Call) {
        if let Some(bucket) = self.bucket(call) {
            bucket.recover();
        }
    }

    fn bucket(&self, call: Call) -> Option<&Bucket> {
        match call {
            Call::ListAccounts => Some(&self.list_accounts),
            Call::DescribeOrganization => Some(&self.describe_organization),
            Call::ListTagsForResource => Some(&self.list_tags),
            // AWS publishes no quota for AssumeRoot; that of its siblings is the nearest there is.
            Call::AssumeRole | Call::AssumeRoot | Call::GetCallerIdentity => Some(&self.sts),
            _ => None,
        }
    }
}

/// A token bucket kept as the time at which it would be full again. Callers are served in the order they come.
struct Bucket {
    state: Option<Mutex<State>>,
}

struct State {
    interval: Duration,
    tolerance: Duration,
    full_at: Option<Instant>,
    slowness: f64,
}

impl Bucket {
    fn new(rate_and_burst: Option<(f64, f64)>) -> Self {
        let state = rate_and_burst.map(|(rate, burst)| {
            let interval = Duration::from_secs_f64(1.0 / rate);
            // A bucket holds one token at least, however polite.
            let tolerance = interval.mul_f64((burst - 1.0).max(0.0));
            Mutex::new(State { interval, tolerance, full_at: None, slowness: 1.0 })
        });
        Self { state }
    }

    fn reserve(&self, now: Instant) -> Duration {
        let Some(mut state) = self.lock() else { return Duration::ZERO };
        let full_at = state.full_at.map_or(now, |at| at.max(now));
        state.full_at = Some(full_at + state.interval.mul_f64(state.slowness));
        full_at.saturating_duration_since(now).saturating_sub(state.tolerance)
    }

    fn slow_down(&self) {
        if let Some(mut state) = self.lock() {
            state.slowness = (state.slowness * 2.0).min(SLOWEST);
        }
    }

    fn recover(&self) {
        if let Some(mut state) = self.lock() {
            state.slowness = (state.slowness * RECOVERY).max(1.0);
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, State>> {
        // The state is whole after every statement, so a panic elsewhere cannot have broken it.
        self.state.as_ref().map(|state| state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waiting times, in milliseconds, of `calls` reservations at one moment.
    fn check(bucket: &Bucket, calls: usize, expected: &[u128]) {
        let now = Instant::now();
        let waits: Vec<u128> = (0..calls).map(|_| bucket.reserve(now).as_millis()).collect();
        assert_eq!(waits, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        check(&Bucket::new(Some((10.0, 3.0))), 5, &[0, 0, 0, 100, 200]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_scope_slows_down_and_recovers() {
        let bucket = Bucket::new(Some((10.0, 1.0)));
        bucket.slow_down();
        check(&bucket, 3, &[0, 200, 400]);
        for _ in 0..100 {
            bucket.recover();
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        check(&bucket, 3, &[0, 100, 200]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_pacing_nothing_waits() {
        check(&Bucket::new(None), 3, &[0, 0, 0]);
    }
}
