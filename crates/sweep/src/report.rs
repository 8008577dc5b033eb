//! Getting a credential report: take what is there, have one made, come back for it.
//!
//! AWS makes one report an account, serves it for hours, and makes a new one at most every four. So the report that
//! is there is asked for first; `GenerateCredentialReport` follows only where there is none, or one too old.

use std::time::Duration;

use orgsweep_cloud::{ApiError, RawReport, ReportState, Session};
use orgsweep_core::{Call, ErrorKind, Timestamp};
use tokio::time::Instant;

use crate::ask::is_no_capacity;
use crate::progress::Progress;
use crate::session::OpenAccount;

/// The first look after a report was started. Small accounts were seen ready in under two seconds.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// The longest time between two looks: a report of 5,000 users may take longer, but not so that 15 s matter.
const LONGEST_LOOK: Duration = Duration::from_secs(15);

/// How long AWS is left alone when it has no capacity to make reports: shorter, and a sweep adds to the crowd.
const NO_CAPACITY: (Duration, Duration) = (Duration::from_secs(15), Duration::from_mins(1));

/// Longer waits let the account's credentials go: they might run out, and a waiting account should hold nothing.
const KEEP_CREDENTIALS: Duration = Duration::from_mins(1);

/// What is wanted of a report.
pub(crate) struct Wanted<'a> {
    /// The oldest report that is taken as it is.
    pub(crate) not_before: Timestamp,
    /// How long one may take to be made.
    pub(crate) deadline: Duration,
    /// Where waiting is counted.
    pub(crate) progress: &'a Progress,
}

/// Where the making of a report stands.
enum Standing {
    /// There is none fresh enough, and none is known to be in the making.
    Missing,
    /// One is being made.
    Making,
    /// AWS will give no newer one than it has.
    Settled,
}

/// Fetches the account's report, having one made where that is needed.
///
/// # Errors
/// What AWS refused with, or a transient error with the code `ReportDeadline` where the report never came.
pub(crate) async fn collect_report(account: &OpenAccount<'_>, wanted: &Wanted<'_>) -> Result<RawReport, ApiError> {
    let mut standing = match fetch(account).await {
        Ok(report) if report.generated_at >= wanted.not_before => return Ok(report),
        Ok(_) => Standing::Missing,
        Err(error) => standing_after(error)?,
    };
    let _awaited = wanted.progress.report_awaited();
    let mut wait = Waiting { deadline: Instant::now() + wanted.deadline, since: Instant::now(), looks: 0 };
    loop {
        if let Standing::Missing = standing {
            standing = match generate(account).await {
                Ok(ReportState::Complete) => Standing::Settled,
                Ok(ReportState::Started | ReportState::InProgress) => Standing::Making,
                Err(error) if is_no_capacity(&error) => {
                    let pause = account.asker().between(NO_CAPACITY.0, NO_CAPACITY.1);
                    wait.pause(account, pause).await.map_err(|()| error)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
        }
        if let Standing::Making = standing {
            let pause = wait.next_look(account);
            wait.pause(account, pause).await.map_err(|()| overdue())?;
        }
        standing = match fetch(account).await {
            Ok(report) if report.generated_at >= wanted.not_before => return Ok(report),
            Ok(report) if matches!(standing, Standing::Settled) => return Ok(report),
            Ok(_) => Standing::Missing,
            Err(error) => {
                let seen = standing_after(error)?;
                if matches!((&standing, &seen), (Standing::Settled, Standing::Missing)) {
                    // AWS says both that there is one and that there is none: it needs time to agree with itself.
                    let pause = wait.next_look(account);
                    wait.pause(account, pause).await.map_err(|()| overdue())?;
                }
                seen
            }
        };
    }
}

/// Patience with one report.
struct Waiting {
    deadline: Instant,
    since: Instant,
    looks: u32,
}

impl Waiting {
    /// One second, two, four, … with jitter, so that accounts started together do not come back together.
    fn next_look(&mut self, account: &OpenAccount<'_>) -> Duration {
        let longest = (FIRST_LOOK * 2u32.saturating_pow(self.looks.min(8))).min(LONGEST_LOOK);
        self.looks += 1;
        account.asker().between(longest / 2, longest)
    }

    async fn pause(&self, account: &OpenAccount<'_>, time: Duration) -> Result<(), ()> {
        let now = Instant::now();
        if now + time > self.deadline {
            return Err(());
        }
        if now + time > self.since + KEEP_CREDENTIALS {
            account.let_go().await;
        }
        if account.asker().wait(Call::GetCredentialReport, time).await { Ok(()) } else { Err(()) }
    }
}

fn standing_after(error: ApiError) -> Result<Standing, ApiError> {
    match (error.call, error.kind) {
        (Call::GetCredentialReport, ErrorKind::Absent) => Ok(Standing::Missing),
        (Call::GetCredentialReport, ErrorKind::NotReady) => Ok(Standing::Making),
        _ => Err(error),
    }
}

fn overdue() -> ApiError {
    let message = "the report was asked for and did not come in time";
    ApiError::new(Call::GetCredentialReport, ErrorKind::Transient, "ReportDeadline", message)
}

async fn fetch(account: &OpenAccount<'_>) -> Result<RawReport, ApiError> {
    let cloud = account.cloud();
    account
        .ask(Call::GetCredentialReport, "", |session: Session| async move { cloud.fetch_report(&session).await })
        .await
}

async fn generate(account: &OpenAccount<'_>) -> Result<ReportState, ApiError> {
    let cloud = account.cloud();
    let call = Call::GenerateCredentialReport;
    account.ask(call, "", |session: Session| async move { cloud.generate_report(&session).await }).await
}

#[cfg(test)]
mod tests {
    use orgsweep_cloud::Answer;

    use super::*;
    use crate::ask::Asker;
    use crate::pace::Pace;
    use crate::scripted::{FetchAnswer, GenerateAnswer, ScriptedCloud};
    use crate::settings::Patience;

    const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);
    const HOUR: Duration = Duration::from_hours(1);

    /// What comes of an account whose report calls answer as scripted, the last answer for ever; and how many minutes
    /// it took.
    async fn check(fetches: &[FetchAnswer], generates: &[GenerateAnswer], expected: Result<Timestamp, &str>) -> u64 {
        let cloud = ScriptedCloud::new(fetches, generates);
        let patience = Patience {
            attempts: 3,
            call_timeout: Duration::from_mins(1),
            report_deadline: Duration::from_mins(10),
            account_deadline: Duration::from_mins(30),
            politeness: 1.0,
            pacing: false,
        };
        let (pace, progress) = (Pace::new(None), Progress::default());
        let account = OpenAccount::own(Asker::new(&pace, &patience, &progress, 7), &cloud);
        let wanted =
            Wanted { not_before: NOW.minus(4 * HOUR), deadline: patience.report_deadline, progress: &progress };
        let started = Instant::now();
        let collected = collect_report(&account, &wanted).await;
        let collected = collected.map(|report| report.generated_at).map_err(|error| error.code);
        assert_eq!(collected, expected.map_err(str::to_owned));
        assert_eq!(progress.tally().awaiting_report, 0);
        started.elapsed().as_secs() / 60
    }

    #[allow(clippy::unnecessary_wraps, reason = "it is one of the answers that a script is made of")]
    fn report(age: Duration) -> FetchAnswer {
        let generated_at = NOW.minus(age);
        Ok(Answer { value: RawReport { content: bytes::Bytes::new(), generated_at }, request_id: None })
    }

    fn fetch_error(kind: ErrorKind, code: &str) -> FetchAnswer {
        Err(ApiError::new(Call::GetCredentialReport, kind, code, ""))
    }

    #[allow(clippy::unnecessary_wraps, reason = "it is one of the answers that a script is made of")]
    fn state(state: ReportState) -> GenerateAnswer {
        Ok(Answer { value: state, request_id: None })
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_is_fresh_is_taken_and_none_is_made() {
        check(&[report(3 * HOUR)], &[], Ok(NOW.minus(3 * HOUR))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_is_too_old_is_made_anew() {
        let in_progress = fetch_error(ErrorKind::NotReady, "ReportInProgress");
        let fetches = [report(6 * HOUR), in_progress, report(Duration::ZERO)];
        check(&fetches, &[state(ReportState::Started)], Ok(NOW)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn once_aws_says_complete_what_it_has_is_taken_whatever_its_age() {
        check(&[report(6 * HOUR)], &[state(ReportState::Complete)], Ok(NOW.minus(6 * HOUR))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn no_capacity_is_waited_out() {
        let full = Err(ApiError::new(Call::GenerateCredentialReport, ErrorKind::Throttled, "LimitExceeded", ""));
        let absent = fetch_error(ErrorKind::Absent, "ReportNotPresent");
        let generates = [full.clone(), full.clone(), full, state(ReportState::Started)];
        check(&[absent, report(Duration::ZERO)], &generates, Ok(NOW)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_never_comes_is_given_up_at_its_deadline() {
        let in_progress = fetch_error(ErrorKind::NotReady, "ReportInProgress");
        assert_eq!(check(&[in_progress], &[], Err("ReportDeadline")).await, 9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_is_complete_and_absent_at_once_is_not_asked_for_in_a_hot_loop() {
        let absent = fetch_error(ErrorKind::Absent, "ReportExpired");
        assert_eq!(check(&[absent], &[state(ReportState::Complete)], Err("ReportDeadline")).await, 9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        check(&[fetch_error(ErrorKind::Denied, "AccessDenied")], &[], Err("AccessDenied")).await;
    }
}
