//! One account, from opening it to its snapshot.

use arrow_array::RecordBatch;
use orgsweep_cloud::{ApiError, RawReport};
use orgsweep_core::{Account, ErrorKind, Reading, Refusal, ReportFacts, Snapshot};
use orgsweep_lake::JournalEntry;
use orgsweep_report::{Origin, ParsedReport, ReportError, parse_report};
use tokio::time::Instant;
use tracing::{debug, info};

use crate::ask::Asker;
use crate::others::collect_others;
use crate::report::{Wanted, collect_report};
use crate::run::Sweeper;
use crate::session::OpenAccount;

/// A report that came cut off is fetched again this often before it counts as not read.
const FETCHES: u32 = 3;

/// Reports over this size are parsed off the threads that wait for AWS: a megabyte takes milliseconds.
const LARGE_REPORT: usize = 64 * 1024;

/// How the opening of an account went.
#[derive(Debug)]
pub(crate) enum Opening {
    /// It is the caller's own account.
    Own,
    /// The role was assumed.
    Opened,
    /// AWS refused the role.
    Refused(ApiError),
    /// AWS was not reached, or broke.
    Unreached,
}

/// One account, visited.
pub(crate) struct Visited {
    pub(crate) entry: JournalEntry,
    pub(crate) opening: Opening,
    /// When AWS said so.
    pub(crate) answered_at: Instant,
    /// What shows that AWS may be out of reach altogether.
    pub(crate) lost: Option<ApiError>,
}

/// Opens the account and collects everything.
///
/// # Errors
/// Only where the caller's own credentials do not hold any more; whatever else fails is in the snapshot.
pub(crate) async fn visit(sweeper: &Sweeper, account: Account) -> Result<Visited, ApiError> {
    let settings = &sweeper.settings;
    let seed = settings.seed ^ account.id.number();
    let asker = Asker::new(&sweeper.pace, &settings.patience, &sweeper.progress, seed);
    let own = account.id == sweeper.caller.account_id;
    let open = if own {
        OpenAccount::own(asker, &*sweeper.cloud)
    } else {
        OpenAccount::member(asker, account.id, settings.role.arn(&sweeper.caller, account.id), sweeper)
    };
    let opening = match open.open().await {
        Ok(_) if own => Opening::Own,
        Ok(_) => Opening::Opened,
        Err(error) if open.caller_failure().is_some() => return Err(error),
        Err(error) => return Ok(unopened(account, &open, error)),
    };
    let answered_at = Instant::now();
    let (report, others) = tokio::join!(read_report(sweeper, &account, &open), collect_others(&open));
    if let Some(error) = open.caller_failure() {
        return Err(error.clone());
    }
    let (report, credentials) = report;
    let snapshot = Snapshot {
        account,
        role: Reading::Read(()),
        report,
        summary: others.summary,
        password_policy: others.password_policy,
        root_virtual_mfa: others.root_virtual_mfa,
        alias: others.alias,
        contacts: others.contacts,
        calls: open.take_records(),
    };
    debug!(account = %snapshot.account.id, outcome = snapshot.outcome().as_str(), "account read");
    let lost = lost_on_the_way(&snapshot);
    Ok(Visited { entry: JournalEntry { snapshot, credentials }, opening, answered_at, lost })
}

fn unopened(account: Account, open: &OpenAccount<'_>, error: ApiError) -> Visited {
    info!(account = %account.id, %error, "account could not be opened");
    let snapshot = Snapshot::unopened(account, error.refusal(), open.take_records());
    let entry = JournalEntry { snapshot, credentials: None };
    let answered_at = Instant::now();
    match error.kind {
        ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::NotReady => {
            Visited { entry, opening: Opening::Unreached, answered_at, lost: Some(error) }
        }
        _ => Visited { entry, opening: Opening::Refused(error), answered_at, lost: None },
    }
}

/// A call of an open account that never reached AWS, after all its attempts.
fn lost_on_the_way(snapshot: &Snapshot) -> Option<ApiError> {
    let lost = snapshot.gaps().into_iter().find(|(_, _, code)| matches!(*code, "ConnectionFailed" | "Timeout"));
    lost.map(|(source, _, code)| {
        let told = format!("{source} of account {} was not read", snapshot.account.id);
        ApiError::new(source.call(), ErrorKind::Transient, code, told)
    })
}

async fn read_report(
    sweeper: &Sweeper,
    account: &Account,
    open: &OpenAccount<'_>,
) -> (Reading<ReportFacts>, Option<RecordBatch>) {
    let wanted = Wanted {
        not_before: sweeper.as_of.minus(sweeper.settings.max_report_age),
        deadline: sweeper.settings.patience.report_deadline,
        progress: &sweeper.progress,
    };
    let mut fetches = 0;
    let refusal = loop {
        fetches += 1;
        let report = match collect_report(open, &wanted).await {
            Ok(report) => report,
            Err(error) => {
                info!(account = %account.id, %error, "credential report was not read");
                break error.refusal();
            }
        };
        let generated_at = report.generated_at;
        let older_than_asked = generated_at < wanted.not_before;
        match parse(account, report).await {
            Ok(parsed) => return read(account, parsed, generated_at, older_than_asked),
            Err(error) => {
                info!(account = %account.id, %error, fetches, "credential report was not understood");
                if !matches!(error, ReportError::CutOff { .. }) || fetches >= FETCHES {
                    break refusal_of(&error);
                }
            }
        }
    };
    (Reading::Refused(refusal), None)
}

fn read(
    account: &Account,
    parsed: ParsedReport,
    generated_at: orgsweep_core::Timestamp,
    older_than_asked: bool,
) -> (Reading<ReportFacts>, Option<RecordBatch>) {
    let ParsedReport { credentials, quarantined, unknown_columns } = parsed;
    if !quarantined.is_empty() {
        info!(account = %account.id, rows = quarantined.len(), "rows of the credential report were not understood");
    }
    let rows = u32::try_from(credentials.num_rows()).unwrap_or(u32::MAX);
    let facts = ReportFacts { generated_at, older_than_asked, rows, quarantined, unknown_columns };
    (Reading::Read(facts), Some(credentials))
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

fn refusal_of(error: &ReportError) -> Refusal {
    let kind = match error {
        // What came was not whole; another time it may be.
        ReportError::CutOff { .. } => ErrorKind::Transient,
        _ => ErrorKind::Fatal,
    };
    Refusal { kind, code: error.code().to_owned() }
}
