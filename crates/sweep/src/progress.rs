//! Counters that tell whoever watches how far a sweep is.

use std::sync::atomic::{AtomicU64, Ordering};

use orgsweep_core::Outcome;

/// Counters of a running sweep; read them at any time from any thread.
#[derive(Debug, Default)]
pub struct Progress {
    known: AtomicU64,
    skipped: AtomicU64,
    earlier: AtomicU64,
    in_flight: AtomicU64,
    swept: AtomicU64,
    partial: AtomicU64,
    failed: AtomicU64,
    journalled: AtomicU64,
    awaiting_report: AtomicU64,
    requests: AtomicU64,
    throttled: AtomicU64,
    retried: AtomicU64,
    waited_ms: AtomicU64,
    listed: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Accounts listed so far.
    pub known: u64,
    /// Of these, accounts that are not asked.
    pub skipped: u64,
    /// Of these, accounts that an earlier attempt at this run has already read.
    pub earlier: u64,
    /// Accounts being asked now.
    pub in_flight: u64,
    /// Accounts read whole.
    pub swept: u64,
    /// Accounts read in part.
    pub partial: u64,
    /// Accounts that could not be read.
    pub failed: u64,
    /// Accounts of this attempt that are in the journal, which no kill can lose.
    pub journalled: u64,
    /// Accounts whose report is awaited.
    pub awaiting_report: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests that were throttled.
    pub throttled: u64,
    /// Requests sent again.
    pub retried: u64,
    /// Milliseconds waited before requests, summed over all accounts.
    pub waited_ms: u64,
    /// Whether the list of accounts is complete.
    pub all_listed: bool,
}

impl Tally {
    /// Accounts that are through, those of an earlier attempt included.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.swept + self.partial + self.failed + self.earlier
    }

    /// Accounts that are to be asked, as far as they are known.
    #[must_use]
    pub fn to_ask(&self) -> u64 {
        self.known.saturating_sub(self.skipped)
    }
}

impl Progress {
    /// The counters now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            known: read(&self.known),
            skipped: read(&self.skipped),
            earlier: read(&self.earlier),
            in_flight: read(&self.in_flight),
            swept: read(&self.swept),
            partial: read(&self.partial),
            failed: read(&self.failed),
            journalled: read(&self.journalled),
            awaiting_report: read(&self.awaiting_report),
            requests: read(&self.requests),
            throttled: read(&self.throttled),
            retried: read(&self.retried),
            waited_ms: read(&self.waited_ms),
            all_listed: read(&self.listed) == 1,
        }
    }

    pub(crate) fn account_listed(&self, skipped: bool) {
        self.known.fetch_add(1, Ordering::Relaxed);
        self.skipped.fetch_add(u64::from(skipped), Ordering::Relaxed);
    }

    pub(crate) fn all_listed(&self) {
        self.listed.store(1, Ordering::Relaxed);
    }

    pub(crate) fn account_read_earlier(&self) {
        self.earlier.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn account_opened(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn account_ended(&self, outcome: Outcome) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let counter = match outcome {
            Outcome::Swept => &self.swept,
            Outcome::Partial => &self.partial,
            Outcome::Failed => &self.failed,
            Outcome::Skipped => &self.skipped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn accounts_journalled(&self, accounts: usize) {
        self.journalled.fetch_add(u64::try_from(accounts).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn report_awaited(&self) -> Awaited<'_> {
        self.awaiting_report.fetch_add(1, Ordering::Relaxed);
        Awaited { progress: self }
    }

    pub(crate) fn request_sent(&self, again: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.retried.fetch_add(u64::from(again), Ordering::Relaxed);
    }

    pub(crate) fn request_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn waited(&self, time: std::time::Duration) {
        self.waited_ms.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Counts one awaited report for as long as it lives.
pub(crate) struct Awaited<'a> {
    progress: &'a Progress,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.progress.awaiting_report.fetch_sub(1, Ordering::Relaxed);
    }
}
