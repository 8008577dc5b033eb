//! Asking again, and when that ends.

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
    assert!((0..600).map(|_| pace.retries.spend(Instant::now())).last() > Some(Duration::from_secs(4)));
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
