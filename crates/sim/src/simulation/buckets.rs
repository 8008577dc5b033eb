//! Token buckets, one for each quota of each account, made when first needed and dropped when full again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::profile::Quota;

/// What a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meter {
    ListAccounts,
    DescribeOrganization,
    ListRoots,
    ListTags,
    Sts,
    Iam,
    AlternateContact,
}

/// Below this many, buckets are not worth looking through.
const LEAST_SWEPT: usize = 1024;

/// The buckets. A full one says nothing that no bucket does not say, so full ones go: what stays is bounded by the
/// accounts asked within the last few seconds.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    buckets: HashMap<(Meter, u32), Bucket>,
    /// How many buckets there may be before the full ones go.
    sweep_at: usize,
}

#[derive(Debug)]
struct Bucket {
    quota: Quota,
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.quota.per_second).min(self.quota.burst);
        self.filled_at = now;
    }

    fn is_full(&self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens + elapsed * self.quota.per_second >= self.quota.burst
    }
}

impl Buckets {
    /// Takes one token, and says whether there was one.
    pub(super) fn take(&self, meter: Meter, account: u32, quota: Quota, now: Instant) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sweep(now);
        let new = || Bucket { quota, tokens: quota.burst, filled_at: now };
        let bucket = inner.buckets.entry((meter, account)).or_insert_with(new);
        bucket.fill(now);
        let has_token = bucket.tokens >= 1.0;
        if has_token {
            bucket.tokens -= 1.0;
        }
        has_token
    }

    /// How many buckets there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).buckets.len()
    }
}

impl Inner {
    fn sweep(&mut self, now: Instant) {
        if self.buckets.len() >= self.sweep_at.max(LEAST_SWEPT) {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
            self.sweep_at = self.buckets.len().saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const QUOTA: Quota = Quota { per_second: 8.0, burst: 12.0 };

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let taken = |after: Duration| {
            std::iter::repeat_with(|| buckets.take(Meter::ListAccounts, 0, QUOTA, start + after))
                .take_while(|one| *one)
                .count()
        };
        assert_eq!(taken(Duration::ZERO), 12);
        assert_eq!(taken(Duration::from_secs(1)), 8);
        assert_eq!(taken(Duration::from_mins(1)), 12);
    }

    #[test]
    fn accounts_and_meters_are_counted_apart() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        let quota = Quota { per_second: 1.0, burst: 1.0 };
        assert!(buckets.take(Meter::Iam, 1, quota, now) && !buckets.take(Meter::Iam, 1, quota, now));
        assert!(buckets.take(Meter::Iam, 2, quota, now) && buckets.take(Meter::AlternateContact, 1, quota, now));
    }

    #[test]
    fn full_buckets_go() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        for account in 0..50_000 {
            buckets.take(Meter::Iam, account, QUOTA, start + Duration::from_millis(u64::from(account)));
        }
        assert!(buckets.len() <= LEAST_SWEPT, "{}", buckets.len());
    }
}
