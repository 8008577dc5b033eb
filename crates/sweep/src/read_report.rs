//! From a report's bytes to its rows: once for each account, when nothing else of it is waited for.
//!
//! Rows take several times the memory of the bytes that they are read from, and an account's other calls may wait
//! long; so the bytes are what an account holds while they do.

use arrow_array::RecordBatch;
use orgsweep_cloud::{ApiError, RawReport};
use orgsweep_core::{Account, Call, ErrorKind, KeyIds, Reading, Refusal, ReportFacts, Source, Timestamp};
use orgsweep_report::{Origin, ParsedReport, ReportError, parse_report};
use tracing::info;

use crate::key_ids::collect_key_ids;
use crate::memory::Room;
use crate::others::reading;
use crate::report::{Fetched, Wanted, collect_report};
use crate::session::OpenAccount;
use crate::sweeper::Sweeper;

/// A report that came cut off, or empty, is fetched again this often before it counts as not read.
const FETCHES: u32 = 3;

/// Reports over this size are parsed off the threads that wait for AWS: a megabyte takes milliseconds.
const LARGE_REPORT: usize = 64 * 1024;

/// A credential report before it is read.
pub(crate) enum ReportInHand {
    /// Its rows are in an earlier run.
    Carried(ReportFacts),
    /// Its bytes are here.
    Fetched(Fetched),
    /// AWS gave none.
    Refused(Refusal),
}

/// A credential report, as far as it was read.
pub(crate) struct ReadReport {
    pub(crate) facts: Reading<ReportFacts>,
    pub(crate) credentials: Option<RecordBatch>,
    /// The room that it takes, until it is on its way into the journal.
    pub(crate) room: Option<Room>,
    pub(crate) key_ids: Reading<KeyIds>,
}

impl ReportInHand {
    /// Takes what an earlier run had, or else fetches the report.
    pub(crate) async fn fetch(sweeper: &Sweeper, account: &Account, open: &OpenAccount<'_>) -> Self {
        // Which users have keys to ask for, only the report's own rows say. A report without rows leaves the build nothing
        // to take over.
        let is_of_use = |carried: &&ReportFacts| carried.rows > 0 && !wants_keys(sweeper);
        match sweeper.carried.get(&account.id).filter(is_of_use) {
            Some(carried) => {
                let older_than_asked = carried.generated_at < oldest_taken(sweeper);
                Self::Carried(ReportFacts { older_than_asked, ..carried.clone() })
            }
            None => Self::fetch_from(sweeper, account, open).await,
        }
    }

    async fn fetch_from(sweeper: &Sweeper, account: &Account, open: &OpenAccount<'_>) -> Self {
        let wanted = Wanted {
            not_before: oldest_taken(sweeper),
            deadline: sweeper.settings.patience.report_deadline,
            making: &sweeper.making,
            memory: &sweeper.memory,
            progress: &sweeper.progress,
        };
        match collect_report(open, &wanted).await {
            Ok(fetched) => Self::Fetched(fetched),
            Err(error) => {
                info!(account = %account.id, %error, "credential report was not read");
                open.asker().note(&error);
                Self::Refused(error.refusal())
            }
        }
    }

    /// Reads the rows, fetching again what came cut off or empty, and asks for the ids of their keys where those are wanted.
    pub(crate) async fn read(self, sweeper: &Sweeper, account: &Account, open: &OpenAccount<'_>) -> ReadReport {
        let mut report = self.read_rows(sweeper, account, open).await;
        report.key_ids = match &report.credentials {
            _ if !wants_keys(sweeper) => Reading::Unwanted,
            None => Reading::NotAsked(Source::CredentialReport),
            Some(rows) => reading(collect_key_ids(open, rows, sweeper.settings.key_ids_max).await),
        };
        report
    }

    async fn read_rows(mut self, sweeper: &Sweeper, account: &Account, open: &OpenAccount<'_>) -> ReadReport {
        let mut times = 1;
        loop {
            let Fetched { report, room } = match self {
                Self::Carried(facts) => return ReadReport::without_rows(Reading::Read(facts)),
                Self::Refused(refusal) => return ReadReport::without_rows(Reading::Refused(refusal)),
                Self::Fetched(fetched) => fetched,
            };
            let generated_at = report.generated_at;
            let error = match parse(account, report).await {
                Ok(parsed) => return read(account, parsed, (generated_at, oldest_taken(sweeper)), room),
                Err(error) => error,
            };
            info!(account = %account.id, %error, fetches = times, "credential report was not understood");
            drop(room);
            let error = as_unanswered(&error);
            // AWS did answer, and the record of the call would say no more than that.
            open.asker().note(&error);
            self = if error.kind == ErrorKind::Transient && times < FETCHES {
                times += 1;
                Self::fetch_from(sweeper, account, open).await
            } else {
                Self::Refused(error.refusal())
            };
        }
    }
}

impl ReadReport {
    fn without_rows(facts: Reading<ReportFacts>) -> Self {
        Self { facts, credentials: None, room: None, key_ids: Reading::Unwanted }
    }
}

fn wants_keys(sweeper: &Sweeper) -> bool {
    sweeper.settings.optional.contains(Source::AccessKeyIds)
}

/// The time of the oldest report that is taken where AWS could give a newer one.
fn oldest_taken(sweeper: &Sweeper) -> Timestamp {
    sweeper.as_of.minus(sweeper.settings.max_report_age)
}

fn read(
    account: &Account,
    parsed: ParsedReport,
    (generated_at, oldest_taken): (Timestamp, Timestamp),
    room: Room,
) -> ReadReport {
    let ParsedReport { credentials, quarantined, unknown_columns } = parsed;
    if !quarantined.is_empty() {
        info!(account = %account.id, rows = quarantined.len(), "rows of the credential report were not understood");
    }
    let facts = ReportFacts {
        generated_at,
        older_than_asked: generated_at < oldest_taken,
        carried_from: None,
        rows: u32::try_from(credentials.num_rows()).unwrap_or(u32::MAX),
        quarantined,
        unknown_columns,
    };
    let facts = Reading::Read(facts);
    ReadReport { facts, credentials: Some(credentials), room: Some(room), key_ids: Reading::Unwanted }
}

async fn parse(account: &Account, report: RawReport) -> Result<ParsedReport, ReportError> {
    let (account_id, name, generated_at) = (account.id, account.name.clone(), report.generated_at);
    let small = report.content.len() <= LARGE_REPORT;
    let work = move || {
        let origin = Origin { account_id, account_name: name.as_deref(), generated_at };
        parse_report(&report.content, &origin)
    };
    if small {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(parsed) => parsed,
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    }
}

/// What a report that cannot be read comes to.
fn as_unanswered(error: &ReportError) -> ApiError {
    let kind = match error {
        // What came was not whole; another time it may be.
        ReportError::CutOff { .. } | ReportError::Empty => ErrorKind::Transient,
        _ => ErrorKind::Fatal,
    };
    ApiError::new(Call::GetCredentialReport, kind, error.code(), error.to_string())
}
