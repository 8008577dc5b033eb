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
mod tests {
    use std::cell::Cell;

    use futures::FutureExt;
    use orgsweep_cloud::Answer;

    use super::*;

    const CALL: Call = Call::GetAccountSummary;

    fn patience() -> Patience {
        Patience { attempts: 4, ..Patience::default() }
    }

    /// Asks a server that fails `failures` times with `kind` before it answers; the outcome and the requests it saw.
    async fn check(kind: ErrorKind, failures: u32, expected: Result<(), ErrorKind>, requests: u32) {
        let (pace, patience, progress) = (Pace::new(Some(1.0)), patience(), Progress::default());
        let asker = Asker::new(&pace, &patience, &progress, 7);
        let seen = Cell::new(0);
        let result = asker
            .ask(CALL, "", || {
                seen.set(seen.get() + 1);
                let fails = seen.get() <= failures;
                async move {
                    if fails {
                        Err(ApiError::new(CALL, kind, "Code", ""))
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
        let (pace, patience, progress) = (Pace::new(None), patience(), Progress::default());
        let asker = Asker::new(&pace, &patience, &progress, 7);
        let result: Result<(), _> = asker.ask(CALL, "", std::future::pending::<Answered<()>>).await;
        assert_eq!(result.map_err(|error| error.code), Err("Timeout".to_owned()));
    }

    /// What a call comes to that is asked when ten of its account's thirty seconds are left, how many requests it made,
    /// and when it ended.
    async fn check_deadline(
        prepare: impl AsyncFnOnce(&Asker<'_>, &Pace),
        answer: impl AsyncFn() -> Answered<()>,
        expected: (&str, u32, u64),
    ) {
        let patience = Patience { account_deadline: Duration::from_secs(30), ..patience() };
        let (pace, progress) = (Pace::new(Some(0.5)), Progress::default());
        let asker = Asker::new(&pace, &patience, &progress, 7);
        let began = Instant::now();
        asker.ask(CALL, "", async || answered()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        prepare(&asker, &pace).await;
        let seen = Cell::new(0);
        let counted = || {
            seen.set(seen.get() + 1);
            answer()
        };
        let code = asker.ask(Call::ListAccountAliases, "", counted).await.unwrap_err().code;
        assert_eq!((code.as_str(), seen.get(), began.elapsed().as_secs()), expected);
        // The rest of the account's calls end at once, and so do those of its other asker.
        if began.elapsed() >= patience.account_deadline {
            for asker in [&asker, &asker.beside()] {
                let late = asker.ask(CALL, "", async || answered()).await.unwrap_err();
                assert_eq!((late.kind, late.code.as_str()), (ErrorKind::Transient, ACCOUNT_DEADLINE));
            }
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "it is one of the answers that a server gives")]
    fn answered() -> Answered<()> {
        Ok(Answer { value: (), request_id: None })
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_cut_at_the_accounts_deadline() {
        let hangs = async || std::future::pending().await;
        check_deadline(async |_, _| {}, hangs, (ACCOUNT_DEADLINE, 1, 30)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_aws_said_before_the_deadline_stands() {
        let throttles = async || Err(ApiError::new(CALL, ErrorKind::Throttled, "Throttling", ""));
        let patience = Patience { account_deadline: Duration::from_secs(30), ..patience() };
        let (pace, progress) = (Pace::new(None), Progress::default());
        let asker = Asker::new(&pace, &patience, &progress, 7);
        let began = Instant::now();
        let result: Result<(), _> = asker.ask(CALL, "", throttles).await;
        assert_eq!(result.unwrap_err().code, "Throttling");
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_comes_after_the_deadline_is_not_waited_for() {
        // At half of 20 requests a second, a hundred more take ten seconds.
        let queue = async |asker: &Asker<'_>, _: &Pace| {
            while asker.member.bucket(CALL).take(None).now_or_never().is_some() {}
            for _ in 0..100 {
                assert!(asker.member.bucket(CALL).take(None).now_or_never().is_none());
            }
        };
        check_deadline(queue, async || answered(), (ACCOUNT_DEADLINE, 0, 20)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn room_that_is_not_free_before_the_deadline_is_waited_for_no_longer() {
        let fill = async |_: &Asker<'_>, pace: &Pace| {
            let all = u32::try_from(pace.requests.available_permits()).unwrap();
            pace.requests.acquire_many(all).await.unwrap().forget();
        };
        check_deadline(fill, async || answered(), (ACCOUNT_DEADLINE, 0, 30)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_that_waits_for_its_budget_does_not_wait_longer_each_time() {
        let (pace, progress) = (Pace::new(None), Progress::default());
        let patience = Patience { attempts: 8, ..Patience::default() };
        // Six hundred retries of others wait: the next one has to wait five seconds.
        (0..600).for_each(|_| drop(pace.retries.spend(Instant::now())));
        let asker = Asker::new(&pace, &patience, &progress, 7);
        let broken = async || Err(ApiError::new(CALL, ErrorKind::Transient, "ConnectionFailed", ""));
        let began = Instant::now();
        let result: Result<(), _> = asker.ask(CALL, "", broken).await;
        assert_eq!(result.unwrap_err().code, "ConnectionFailed");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    /// How a call ends that finds the caller's credentials not to hold for so long, and how long it took.
    async fn check_expired(call: Call, asker: Asker<'_>, held_after: Duration, expected: (Result<(), &str>, bool)) {
        let began = Instant::now();
        let answer = async || {
            if began.elapsed() < held_after {
                Err(ApiError::new(call, ErrorKind::Expired, "CredentialsUnavailable", ""))
            } else {
                answered()
            }
        };
        let result = asker.ask(call, "", answer).await.map_err(|error| error.code);
        let took = began.elapsed();
        assert_eq!((result, took.is_zero()), (expected.0.map_err(str::to_owned), expected.1));
        assert!(took <= CALLER_GRACE, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_callers_own_credentials_may_fail_for_a_moment() {
        let (pace, patience, progress) = (Pace::new(None), patience(), Progress::default());
        let asker = || Asker::new(&pace, &patience, &progress, 7);
        let (moment, for_ever) = (Duration::from_secs(30), Duration::MAX);
        let gone = Err("CredentialsUnavailable");
        check_expired(Call::AssumeRole, asker(), moment, (Ok(()), false)).await;
        check_expired(Call::AssumeRole, asker(), for_ever, (gone, false)).await;
        check_expired(CALL, asker().of_caller(), moment, (Ok(()), false)).await;
        // A member's session is renewed instead, and whoever waits at a terminal is told.
        check_expired(CALL, asker(), moment, (gone, true)).await;
        check_expired(Call::GetCallerIdentity, asker().at_first_contact(), moment, (gone, true)).await;
    }
}
