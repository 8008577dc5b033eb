//! Getting a credential report: take what is there, have one made, come back for it.
//!
//! AWS makes one report an account, serves it for hours, and makes a new one at most every four. So the report that
//! is there is asked for first; `GenerateCredentialReport` follows only where there is none, or one too old. How many are
//! in the making at a time, and when it is worth looking for one, all accounts learn together (`making`).

use std::pin::pin;
use std::time::Duration;

use orgsweep_cloud::{ApiError, RawReport, ReportState, Session};
use orgsweep_core::{Call, ErrorKind, Timestamp};
use tokio::time::Instant;

use crate::ask::is_no_capacity;
use crate::making::{Making, MakingPlace};
use crate::memory::{ReportMemory, Room};
use crate::progress::Progress;
use crate::session::OpenAccount;

/// How long AWS is left alone when it has no capacity to make reports: shorter, and a sweep adds to the crowd.
const NO_CAPACITY: (Duration, Duration) = (Duration::from_secs(15), Duration::from_mins(1));

/// Longer waits let the account's credentials go: they might run out, and a waiting account should hold nothing.
const KEEP_CREDENTIALS: Duration = Duration::from_mins(1);

/// The least time between two looks.
const NEXT_LOOK: Duration = Duration::from_millis(300);

/// What is wanted of a report.
pub(crate) struct Wanted<'a> {
    /// The oldest report that is taken as it is.
    pub(crate) not_before: Timestamp,
    /// How long one may take to be made, from when AWS began.
    pub(crate) deadline: Duration,
    /// The reports in the making.
    pub(crate) making: &'a Making,
    /// The room for reports that are there.
    pub(crate) memory: &'a ReportMemory,
    /// Where waiting is counted.
    pub(crate) progress: &'a Progress,
}

/// A report, and the room that it takes.
pub(crate) struct Fetched {
    pub(crate) report: RawReport,
    pub(crate) room: Room,
}

/// Where the making of a report stands.
enum Standing<'a> {
    /// There is none fresh enough, and none is known to be in the making.
    Missing,
    /// One is being made, since now if it was asked for here.
    Making(Option<MakingPlace<'a>>),
    /// AWS will give no newer one than it has.
    Settled,
}

/// Fetches the account's report, having one made where that is needed.
///
/// # Errors
/// What AWS refused with, or a transient error with the code `ReportDeadline` where the report never came.
pub(crate) async fn collect_report(account: &OpenAccount<'_>, wanted: &Wanted<'_>) -> Result<Fetched, ApiError> {
    let errand = Errand { account, wanted };
    let mut standing = match errand.fetch().await {
        Ok(fetched) if errand.is_fresh(&fetched) => return Ok(fetched),
        Ok(_) => Standing::Missing,
        Err(error) => standing_after(error)?,
    };
    let _awaited = wanted.progress.report_awaited();
    let mut looks = Looks::new();
    loop {
        if let Standing::Missing = standing {
            standing = errand.have_made().await?;
        }
        let learns = matches!(standing, Standing::Making(Some(_))) && looks.made == 0;
        if let Standing::Making(_) = standing {
            errand.look_later(&mut looks).await?;
        }
        let fetched = errand.fetch().await;
        if learns && let Some(ready) = shows_whether_ready(&fetched) {
            wanted.making.looked(looks.first, ready);
        }
        standing = match fetched {
            Ok(fetched) if errand.is_fresh(&fetched) || matches!(standing, Standing::Settled) => {
                wanted.making.came();
                return Ok(fetched);
            }
            Ok(_) => Standing::Missing,
            Err(error) => match (standing, standing_after(error)?) {
                // AWS says both that there is one and that there is none: it needs time to agree with itself.
                (Standing::Settled, Standing::Missing) => {
                    errand.look_later(&mut looks).await?;
                    Standing::Missing
                }
                (before @ Standing::Making(_), Standing::Making(_)) => before,
                (_, seen) => seen,
            },
        };
    }
}

/// Getting one account's report.
struct Errand<'a> {
    account: &'a OpenAccount<'a>,
    wanted: &'a Wanted<'a>,
}

impl<'a> Errand<'a> {
    fn is_fresh(&self, fetched: &Fetched) -> bool {
        fetched.report.generated_at >= self.wanted.not_before
    }

    /// Asks for the report that is there, when there is room for it.
    async fn fetch(&self) -> Result<Fetched, ApiError> {
        let call = Call::GetCredentialReport;
        let room = self.account.asker().until_deadline(call, self.wanted.memory.take()).await?;
        let cloud = self.account.cloud();
        let ask = |session: Session| async move { cloud.fetch_report(&session).await };
        let report = self.account.ask(call, "", ask).await?;
        self.wanted.memory.seen(report.content.len());
        Ok(Fetched { report, room })
    }

    /// Has a report made. Where AWS has no capacity, the account comes again behind all others.
    async fn have_made(&self) -> Result<Standing<'a>, ApiError> {
        let cloud = self.account.cloud();
        loop {
            let place = self.place().await?;
            let ask = |session: Session| async move { cloud.generate_report(&session).await };
            match self.account.ask(Call::GenerateCredentialReport, "", ask).await {
                Ok(ReportState::Complete) => return Ok(Standing::Settled),
                Ok(ReportState::Started | ReportState::InProgress) => return Ok(Standing::Making(Some(place))),
                Err(error) if is_no_capacity(&error) => {
                    self.wanted.making.cut(Instant::now());
                    drop(place);
                    self.account.let_go().await;
                    let pause = self.account.asker().between(NO_CAPACITY.0, NO_CAPACITY.1);
                    if self.account.asker().wait(Call::GenerateCredentialReport, pause).await.is_err() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A place among the reports in the making.
    async fn place(&self) -> Result<MakingPlace<'a>, ApiError> {
        let (asker, call) = (self.account.asker(), Call::GenerateCredentialReport);
        let mut place = pin!(self.wanted.making.place());
        let soon = tokio::time::timeout(KEEP_CREDENTIALS, &mut place);
        if let Ok(place) = asker.until_deadline(call, soon).await? {
            return Ok(place);
        }
        self.account.let_go().await;
        asker.until_deadline(call, place).await
    }

    /// Waits until it is worth looking again.
    async fn look_later(&self, looks: &mut Looks) -> Result<(), ApiError> {
        let longest = looks.next(self.wanted.making.first_look());
        let pause = self.account.asker().between(longest.mul_f64(0.8), longest);
        let until = Instant::now() + pause;
        if until > looks.since + self.wanted.deadline {
            return Err(overdue());
        }
        if until > looks.since + KEEP_CREDENTIALS {
            self.account.let_go().await;
        }
        self.account.asker().wait(Call::GetCredentialReport, pause).await
    }
}

/// The looks for one report.
struct Looks {
    since: Instant,
    made: i32,
    /// When the first one was to be, at the latest: what jitter made of it says nothing of how long reports take.
    first: Duration,
}

impl Looks {
    fn new() -> Self {
        Self { since: Instant::now(), made: 0, first: Duration::ZERO }
    }

    /// How long before the next look: as long as reports take, then half of that, and longer each time.
    fn next(&mut self, first_look: Duration) -> Duration {
        if self.made == 0 {
            (self.since, self.first) = (Instant::now(), first_look);
        }
        let pause = match self.made {
            0 => first_look,
            later => (first_look / 2).max(NEXT_LOOK).mul_f64(1.6_f64.powi(later.min(16) - 1)),
        };
        self.made += 1;
        pause.min(Making::longest_look())
    }
}

/// Whether a report was ready, where the answer says so.
fn shows_whether_ready(fetched: &Result<Fetched, ApiError>) -> Option<bool> {
    match fetched {
        Ok(_) => Some(true),
        Err(error) if error.kind == ErrorKind::NotReady => Some(false),
        Err(_) => None,
    }
}

fn standing_after<'a>(error: ApiError) -> Result<Standing<'a>, ApiError> {
    match (error.call, error.kind) {
        (Call::GetCredentialReport, ErrorKind::Absent) => Ok(Standing::Missing),
        (Call::GetCredentialReport, ErrorKind::NotReady) => Ok(Standing::Making(None)),
        _ => Err(error),
    }
}

fn overdue() -> ApiError {
    let message = "the report was asked for and did not come in time";
    ApiError::new(Call::GetCredentialReport, ErrorKind::Transient, "ReportDeadline", message)
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
        let patience = Patience { attempts: 3, pacing: false, ..Patience::default() };
        let (pace, progress) = (Pace::new(None), Progress::default());
        let account = OpenAccount::own(Asker::new(&pace, &patience, &progress, 7), &cloud);
        let (making, memory) = (Making::new(10), ReportMemory::new(1 << 20));
        let wanted = Wanted {
            not_before: NOW.minus(4 * HOUR),
            deadline: patience.report_deadline,
            making: &making,
            memory: &memory,
            progress: &progress,
        };
        let started = Instant::now();
        let collected = collect_report(&account, &wanted).await;
        let collected = collected.map(|fetched| fetched.report.generated_at).map_err(|error| error.code);
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

    #[tokio::test(start_paused = true)]
    async fn places_and_room_are_waited_for_until_the_accounts_deadline() {
        let patience = Patience { pacing: false, ..Patience::default() };
        let absent = fetch_error(ErrorKind::Absent, "ReportNotPresent");
        let cloud = ScriptedCloud::new(&[absent], &[state(ReportState::Started)]);
        for (bytes, call) in [(1, Call::GetCredentialReport), (1 << 20, Call::GenerateCredentialReport)] {
            let (pace, progress) = (Pace::new(None), Progress::default());
            let account = OpenAccount::own(Asker::new(&pace, &patience, &progress, 7), &cloud);
            let (making, memory) = (Making::new(1), ReportMemory::new(bytes));
            let _held = (making.place().await, memory.take().await);
            let wanted = Wanted {
                not_before: NOW,
                deadline: patience.report_deadline,
                making: &making,
                memory: &memory,
                progress: &progress,
            };
            let started = Instant::now();
            let error = collect_report(&account, &wanted).await.err().unwrap();
            assert_eq!((error.call, error.code.as_str()), (call, "AccountDeadline"));
            assert_eq!(started.elapsed().as_secs() / 60, 30);
            assert_eq!(progress.tally().waited_ms / 60_000, 30);
        }
    }
}
