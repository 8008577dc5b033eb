//! Asking once more: what is done when a request is throttled, lost or broken, and until when.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use orgsweep_cloud::{Answered, ApiError};
use orgsweep_core::{Call, CallRecord, ErrorKind};
use tokio::time::{Instant, timeout_at};
use tracing::{debug, trace, warn};

use crate::bucket::Bucket;
use crate::ledger::{Cost, Ledger};
use crate::pace::{MemberPace, Pace};
use crate::pages::Pages;
use crate::progress::Progress;
use crate::settings::Patience;

/// The first wait after a broken or lost request. AWS recovers from most within tens of milliseconds.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The first wait after a throttled one: IAM's buckets refill in about a second.
const FIRST_WAIT_THROTTLED: Duration = Duration::from_millis(500);

/// The longest wait between two attempts: longer ones would only delay what the deadline decides anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// So long the caller's own credentials may not hold before they count as gone: a credentials file is written anew, or an
/// instance's metadata service comes back, within seconds.
const CALLER_GRACE: Duration = Duration::from_mins(1);

/// The wait before they are tried again. All accounts in flight wait alike, so that it must not be short.
const CALLER_WAIT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(20));

/// The code of what an account's time was not enough for.
const ACCOUNT_DEADLINE: &str = "AccountDeadline";

/// Asks on behalf of one account, or of the organization, and remembers how it went.
pub(crate) struct Asker<'a> {
    pace: &'a Pace,
    member: MemberPace,
    patience: &'a Patience,
    progress: &'a Progress,
    /// Whether the caller's own credentials sign every call.
    of_caller: bool,
    grace: Duration,
    rng: Mutex<Rng>,
    ledger: Ledger,
    common: Arc<Common>,
}

/// What the askers of one account have in common.
#[derive(Default)]
struct Common {
    /// When the account's time is over.
    deadline: OnceLock<Instant>,
    /// Whether AWS answered anything beside the way in.
    reached: AtomicBool,
}

/// What one call was waited for so far.
#[derive(Default)]
struct Waits {
    jitter: Duration,
    expired_since: Option<Instant>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(pace: &'a Pace, patience: &'a Patience, progress: &'a Progress, seed: u64) -> Self {
        Self {
            pace,
            member: MemberPace::new(pace),
            patience,
            progress,
            of_caller: false,
            grace: CALLER_GRACE,
            rng: Mutex::new(Rng::with_seed(seed)),
            ledger: Ledger::default(),
            common: Arc::default(),
        }
    }

    /// Another asker for the same account, which has no time of its own.
    pub(crate) fn beside(&self) -> Self {
        let seed = self.rng.lock().unwrap_or_else(PoisonError::into_inner).u64(..);
        Self { common: Arc::clone(&self.common), ..Self::new(self.pace, self.patience, self.progress, seed) }
    }

    /// All of its calls are signed with the caller's own credentials.
    pub(crate) fn of_caller(self) -> Self {
        Self { of_caller: true, ..self }
    }

    /// Credentials of the caller that do not hold are told at once: somebody waits for that.
    pub(crate) fn at_first_contact(self) -> Self {
        Self { grace: Duration::ZERO, ..self }
    }

    /// Makes one call with as many requests as it takes and patience allows. `about` tells apart calls of one
    /// action, such as the type of a contact.
    ///
    /// # Errors
    /// The last error, where it is final, where its remedy is not to ask again, or where patience ends; a transient one
    /// with the code `AccountDeadline` where the account's time is over before AWS said anything.
    pub(crate) async fn ask<T, F, Fut>(&self, call: Call, about: &str, request: F) -> Result<T, ApiError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Answered<T>>,
    {
        let mut cost = Cost::default();
        let result = self.ask_in_time(call, &mut cost, &request).await;
        self.ledger.record(call, about, &result, &cost);
        result.map(|answer| answer.value)
    }

    async fn ask_in_time<T, F, Fut>(&self, call: Call, cost: &mut Cost, request: &F) -> Answered<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Answered<T>>,
    {
        let (mut waits, mut last) = (Waits::default(), None);
        loop {
            let error = match self.attempt(call, cost, request).await {
                Ok(answer) => return Ok(answer),
                // What AWS said last tells more than that the time is over.
                Err(error) if error.code == ACCOUNT_DEADLINE => return Err(last.unwrap_or(error)),
                Err(error) => error,
            };
            match self.pause(&error, cost, &mut waits) {
                Some(pause) if Instant::now() + pause < self.deadline() => {
                    debug!(%error, wait_ms = pause.as_millis(), "asking again");
                    self.count_wait(pause, cost);
                    tokio::time::sleep(pause).await;
                    last = Some(error);
                }
                _ => return Err(error),
            }
        }
    }

    /// How long to wait before asking again; `None` where that is of no use.
    fn pause(&self, error: &ApiError, cost: &Cost, waits: &mut Waits) -> Option<Duration> {
        let now = Instant::now();
        let first = match error.kind {
            _ if is_no_capacity(error) => return None,
            // AWS asks for patience, and nothing is broken: only the account's deadline ends it.
            ErrorKind::Throttled => FIRST_WAIT_THROTTLED,
            ErrorKind::Transient if cost.failed < self.attempts(error.call, now) => FIRST_WAIT,
            ErrorKind::Expired if self.of_caller || Call::AS_CALLER.contains(&error.call) => {
                let since = *waits.expired_since.get_or_insert(now);
                let wait = self.between(CALLER_WAIT.0, CALLER_WAIT.1);
                let in_grace = now + wait < since + self.grace;
                if in_grace && !self.pace.caller_in_doubt.swap(true, Ordering::Relaxed) {
                    warn!(%error, "AWS does not take the caller's own credentials; they are tried for another minute");
                }
                return in_grace.then_some(wait);
            }
            _ => return None,
        };
        // The jitter grows with what fails here, and not with how many retries of others are waiting.
        waits.jitter = self.next_wait(waits.jitter, first);
        Some(waits.jitter.max(self.pace.retries.spend(now)))
    }

    /// How often a call is tried that fails in passing.
    fn attempts(&self, call: Call, now: Instant) -> u32 {
        if self.pace.breakers.is_hopeless(call, now) { 1 } else { self.patience.attempts }
    }

    async fn attempt<T, F, Fut>(&self, call: Call, cost: &mut Cost, request: &F) -> Answered<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Answered<T>>,
    {
        // An account's time begins when its first request may go: how long accounts queue for the caller's quota is
        // no failure of any of them.
        let begun = self.common.deadline.get().copied();
        let paced = self.bucket(call).take(begun).await.ok_or_else(|| account_deadline(call))?;
        let (deadline, from) = (self.deadline(), Instant::now());
        let room = timeout_at(deadline, self.pace.requests.acquire()).await;
        self.count_wait(paced + from.elapsed(), cost);
        let Ok(_room) = room else { return Err(account_deadline(call)) };
        self.progress.request_sent(cost.attempts > 0);
        if cost.attempts == 0 {
            self.pace.retries.earn();
        }
        cost.attempts += 1;
        let cut_at = deadline.min(Instant::now() + self.patience.call_timeout);
        let answer = match timeout_at(cut_at, request()).await {
            Ok(answer) => answer,
            Err(_) if cut_at == deadline => return Err(account_deadline(call)),
            Err(_) => Err(ApiError::new(call, ErrorKind::Transient, "Timeout", "no whole answer came in time")),
        };
        trace!(%call, answered = answer.is_ok(), "asked");
        self.learn(call, answer.as_ref().err(), cost);
        answer
    }

    /// What the answer to a request, or the error in its place, tells those that follow.
    fn learn(&self, call: Call, error: Option<&ApiError>, cost: &mut Cost) {
        if error.is_some_and(is_unreached) {
            cost.unreached += 1;
            self.pace.breakers.failed(call, Instant::now(), cost.unreached);
        } else {
            self.pace.breakers.answered(call);
            if !matches!(call, Call::AssumeRole | Call::AssumeRoot) {
                self.common.reached.store(true, Ordering::Relaxed);
            }
        }
        match error.map(|error| error.kind) {
            Some(ErrorKind::Throttled) => {
                cost.throttled += 1;
                self.progress.request_throttled();
                // What AWS as a whole has no capacity for is not the account's quota.
                if !error.is_some_and(is_no_capacity) {
                    self.bucket(call).slow_down(Instant::now());
                }
            }
            Some(ErrorKind::Transient) => cost.failed += 1,
            _ => {}
        }
    }

    /// What paces a call: the caller's quotas, or those of the account that is asked.
    fn bucket(&self, call: Call) -> &Bucket {
        self.pace.bucket(call).unwrap_or_else(|| self.member.bucket(call))
    }

    /// When the account's time is over. It begins now if it has not.
    fn deadline(&self) -> Instant {
        *self.common.deadline.get_or_init(|| Instant::now() + self.patience.account_deadline)
    }

    /// Whether AWS answered anything beside the way into the account, whatever it said.
    pub(crate) fn has_reached_aws(&self) -> bool {
        self.common.reached.load(Ordering::Relaxed)
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

    /// Waits for what a call needs before it can be made.
    ///
    /// # Errors
    /// The account's deadline comes first.
    pub(crate) async fn until_deadline<T>(&self, call: Call, work: impl Future<Output = T>) -> Result<T, ApiError> {
        let from = Instant::now();
        let done = timeout_at(self.deadline(), work).await;
        self.waited(call, from.elapsed());
        done.map_err(|_| account_deadline(call))
    }

    /// Waits on behalf of a call that is recorded under its own name, such as polling for a report.
    ///
    /// # Errors
    /// At once, where the account's deadline comes first.
    pub(crate) async fn wait(&self, call: Call, time: Duration) -> Result<(), ApiError> {
        if Instant::now() + time >= self.deadline() {
            return Err(account_deadline(call));
        }
        self.waited(call, time);
        tokio::time::sleep(time).await;
        Ok(())
    }

    fn waited(&self, call: Call, time: Duration) {
        self.progress.waited(time);
        self.ledger.waited(call, time);
    }

    fn count_wait(&self, time: Duration, cost: &mut Cost) {
        cost.waited += time;
        self.progress.waited(time);
    }

    /// Goes on to the page that the last one names; whether there is one.
    ///
    /// # Errors
    /// As [`Pages::turn`]; the call's record says so.
    pub(crate) fn turn(&self, pages: &mut Pages, next: Option<String>) -> Result<bool, ApiError> {
        pages.turn(next).inspect_err(|error| self.note(error))
    }

    /// What a call was answered, or was not even asked, counts as this error.
    pub(crate) fn note(&self, error: &ApiError) {
        self.ledger.note(error);
    }

    /// How every call went so far, leaving none behind.
    pub(crate) fn take_records(&self) -> Vec<CallRecord> {
        self.ledger.take()
    }
}

/// AWS has no capacity to make a report now. Asking at once would not help, so the report's own logic waits.
pub(crate) fn is_no_capacity(error: &ApiError) -> bool {
    error.call == Call::GenerateCredentialReport && error.code == "LimitExceeded"
}

/// Whether the request, or its answer, was lost on the way.
fn is_unreached(error: &ApiError) -> bool {
    is_unreached_code(&error.code)
}

/// Whether the code is that of a request which was lost on the way.
pub(crate) fn is_unreached_code(code: &str) -> bool {
    matches!(code, "ConnectionFailed" | "Timeout")
}

fn account_deadline(call: Call) -> ApiError {
    let message = "the account's time was over before AWS was asked, or before it answered";
    ApiError::new(call, ErrorKind::Transient, ACCOUNT_DEADLINE, message)
}

#[cfg(test)]
mod tests;
