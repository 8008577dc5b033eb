//! Asking once more: what is done when a request is throttled, lost or broken.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use orgsweep_cloud::{Answer, Answered, ApiError};
use orgsweep_core::{Call, CallRecord, ErrorKind};
use tokio::time::Instant;
use tracing::{debug, trace};

use crate::bucket::Bucket;
use crate::pace::{MemberPace, Pace};
use crate::progress::Progress;
use crate::settings::Patience;

/// The first wait after a broken or lost request. AWS recovers from most within tens of milliseconds.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The first wait after a throttled one: IAM's buckets refill in about a second.
const FIRST_WAIT_THROTTLED: Duration = Duration::from_millis(500);

/// The longest wait between two attempts: longer ones would only delay what the deadline decides anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Asks on behalf of one account, or of the organization, and remembers how it went.
pub(crate) struct Asker<'a> {
    pace: &'a Pace,
    member: MemberPace,
    patience: &'a Patience,
    progress: &'a Progress,
    deadline: Instant,
    rng: Mutex<Rng>,
    records: Mutex<Vec<CallRecord>>,
}

/// What one call has cost so far.
#[derive(Default)]
struct Cost {
    attempts: u32,
    throttled: u32,
    waited: Duration,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(pace: &'a Pace, patience: &'a Patience, progress: &'a Progress, seed: u64) -> Self {
        Self {
            pace,
            member: MemberPace::new(pace),
            patience,
            progress,
            deadline: Instant::now() + patience.account_deadline,
            rng: Mutex::new(Rng::with_seed(seed)),
            records: Mutex::new(Vec::new()),
        }
    }

    /// Makes one call with as many requests as it takes and patience allows. `about` tells apart calls of one
    /// action, such as the type of a contact.
    ///
    /// # Errors
    /// The last error, where it is final, where its remedy is not to ask again, or where patience ends.
    pub(crate) async fn ask<T, F, Fut>(&self, call: Call, about: &str, request: F) -> Result<T, ApiError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Answered<T>>,
    {
        let mut cost = Cost::default();
        let mut wait = Duration::ZERO;
        let result = loop {
            let error = match self.attempt(call, &mut cost, &request).await {
                Ok(answer) => break Ok(answer),
                Err(error) => error,
            };
            wait = match error.kind {
                _ if is_no_capacity(&error) => break Err(error),
                // AWS asks for patience, and nothing is broken: only the account's deadline ends it.
                ErrorKind::Throttled => self.next_wait(wait, FIRST_WAIT_THROTTLED),
                ErrorKind::Transient if cost.attempts - cost.throttled < self.patience.attempts => {
                    self.next_wait(wait, FIRST_WAIT)
                }
                _ => break Err(error),
            };
            let now = Instant::now();
            wait = wait.max(self.pace.retries.spend(now));
            if now + wait >= self.deadline {
                break Err(error);
            }
            debug!(%error, wait_ms = wait.as_millis(), "asking again");
            self.sleep(wait, &mut cost).await;
        };
        self.record(call, about, &result, &cost);
        result.map(|answer| answer.value)
    }

    async fn attempt<T, F, Fut>(&self, call: Call, cost: &mut Cost, request: &F) -> Answered<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Answered<T>>,
    {
        let bucket = self.bucket(call);
        let paced = bucket.take().await;
        cost.waited += paced;
        self.progress.waited(paced);
        self.progress.request_sent(cost.attempts > 0);
        if cost.attempts == 0 {
            self.pace.retries.earn();
        }
        cost.attempts += 1;
        let _room = self.pace.requests.acquire().await;
        let answer = match tokio::time::timeout(self.patience.call_timeout, request()).await {
            Ok(answer) => answer,
            Err(_) => Err(ApiError::new(call, ErrorKind::Transient, "Timeout", "no whole answer came in time")),
        };
        trace!(%call, answered = answer.is_ok(), "asked");
        if let Err(error) = &answer
            && error.kind == ErrorKind::Throttled
        {
            cost.throttled += 1;
            self.progress.request_throttled();
            // What AWS as a whole has no capacity for is not the account's quota.
            if !is_no_capacity(error) {
                bucket.slow_down(Instant::now());
            }
        }
        answer
    }

    /// What paces a call: the caller's quotas, or those of the account that is asked.
    fn bucket(&self, call: Call) -> &Bucket {
        self.pace.bucket(call).unwrap_or_else(|| self.member.bucket(call))
    }

    /// Decorrelated jitter: anywhere between the first wait and three times the last one.
    fn next_wait(&self, last: Duration, first: Duration) -> Duration {
        self.between(first, (last * 3).max(first)).min(LONGEST_WAIT)
    }

    /// A random time between two.
    pub(crate) fn between(&self, least: Duration, most: Duration) -> Duration {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        least + most.saturating_sub(least).mul_f64(rng.f64())
    }

    /// Does the work unless the account's deadline comes first.
    pub(crate) async fn until_deadline<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.deadline, work).await.ok()
    }

    /// Waits on behalf of a call that is recorded under its own name, such as polling for a report.
    ///
    /// Returns false, at once, where the account's deadline comes first.
    pub(crate) async fn wait(&self, call: Call, time: Duration) -> bool {
        if Instant::now() + time >= self.deadline {
            return false;
        }
        let mut cost = Cost::default();
        self.sleep(time, &mut cost).await;
        self.merge(CallRecord { waited: cost.waited, ..blank(call, "") });
        true
    }

    async fn sleep(&self, time: Duration, cost: &mut Cost) {
        cost.waited += time;
        self.progress.waited(time);
        tokio::time::sleep(time).await;
    }

    fn record<T>(&self, call: Call, about: &str, result: &Answered<T>, cost: &Cost) {
        let mut record = blank(call, about);
        record.attempts = cost.attempts;
        record.throttled = cost.throttled;
        record.waited = cost.waited;
        match result {
            Ok(Answer { request_id, .. }) => {
                "answered".clone_into(&mut record.outcome);
                record.request_id.clone_from(request_id);
            }
            Err(error) => {
                error.kind.as_str().clone_into(&mut record.outcome);
                record.code = Some(error.code.clone());
                record.message = Some(error.message.clone()).filter(|message| !message.is_empty());
                record.request_id.clone_from(&error.request_id);
            }
        }
        self.merge(record);
    }

    /// One record for each call: attempts and waits add up, the last outcome stands.
    fn merge(&self, new: CallRecord) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(old) = records.iter_mut().find(|old| old.call == new.call) else {
            records.push(new);
            return;
        };
        let attempts = old.attempts + new.attempts;
        let throttled = old.throttled + new.throttled;
        let waited = old.waited + new.waited;
        if !new.outcome.is_empty() {
            *old = new;
        }
        (old.attempts, old.throttled, old.waited) = (attempts, throttled, waited);
    }

    /// How every call went so far, leaving none behind.
    pub(crate) fn take_records(&self) -> Vec<CallRecord> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *records)
    }
}

/// AWS has no capacity to make a report now. Asking at once would not help, so the report's own logic waits.
pub(crate) fn is_no_capacity(error: &ApiError) -> bool {
    error.call == Call::GenerateCredentialReport && error.code == "LimitExceeded"
}

fn blank(call: Call, about: &str) -> CallRecord {
    let call = if about.is_empty() { call.action().to_owned() } else { format!("{} {about}", call.action()) };
    CallRecord {
        call,
        outcome: String::new(),
        code: None,
        message: None,
        request_id: None,
        attempts: 0,
        throttled: 0,
        waited: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const PATIENCE: Patience = Patience {
        attempts: 4,
        call_timeout: Duration::from_mins(1),
        report_deadline: Duration::from_mins(10),
        account_deadline: Duration::from_mins(30),
        politeness: 1.0,
        pacing: true,
    };

    /// Asks a server that fails `failures` times with `kind` before it answers; the outcome and the requests it saw.
    async fn check(kind: ErrorKind, failures: u32, expected: Result<(), ErrorKind>, requests: u32) {
        let (pace, progress) = (Pace::new(Some(1.0)), Progress::default());
        let asker = Asker::new(&pace, &PATIENCE, &progress, 7);
        let seen = Cell::new(0);
        let call = Call::GetAccountSummary;
        let result = asker
            .ask(call, "", || {
                seen.set(seen.get() + 1);
                let fails = seen.get() <= failures;
                async move {
                    if fails {
                        Err(ApiError::new(call, kind, "Code", ""))
                    } else {
                        Ok(Answer { value: (), request_id: None })
                    }
                }
            })
            .await;
        assert_eq!(result.map_err(|error| error.kind), expected);
        assert_eq!(seen.get(), requests);
        let records = asker.take_records();
        assert_eq!(records.iter().map(|record| record.attempts).collect::<Vec<_>>(), [requests]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_in_passing_is_asked_again_until_patience_ends() {
        check(ErrorKind::Transient, 3, Ok(()), 4).await;
        check(ErrorKind::Throttled, 30, Ok(()), 31).await;
        check(ErrorKind::Transient, 9, Err(ErrorKind::Transient), 4).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_final_is_asked_once() {
        check(ErrorKind::Denied, 1, Err(ErrorKind::Denied), 1).await;
        check(ErrorKind::Expired, 1, Err(ErrorKind::Expired), 1).await;
        check(ErrorKind::Fatal, 1, Err(ErrorKind::Fatal), 1).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_is_cut() {
        let (pace, progress) = (Pace::new(None), Progress::default());
        let asker = Asker::new(&pace, &PATIENCE, &progress, 7);
        let result: Result<(), _> = asker.ask(Call::GetAccountSummary, "", std::future::pending::<Answered<()>>).await;
        assert_eq!(result.map_err(|error| error.code), Err("Timeout".to_owned()));
    }
}
