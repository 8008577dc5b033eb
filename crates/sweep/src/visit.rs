//! One account, from opening it to its snapshot.

use arrow_array::RecordBatch;
use orgsweep_cloud::{ApiError, RawReport};
use orgsweep_core::{
    Account, CallRecord, ErrorKind, KeyIds, Reading, Refusal, ReportFacts, RootAudit, Snapshot, Source, Tag, Timestamp,
};
use orgsweep_lake::JournalEntry;
use orgsweep_report::{Origin, ParsedReport, ReportError, parse_report};
use tokio::time::Instant;
use tracing::{debug, info};

use crate::ask::Asker;
use crate::error::SweepError;
use crate::key_ids::collect_key_ids;
use crate::memory::Room;
use crate::others::{collect_others, reading};
use crate::report::{Fetched, Wanted, collect_report};
use crate::root_audit::collect_root_audit;
use crate::run::Sweeper;
use crate::session::OpenAccount;
use crate::tags::collect_tags;

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
    /// The room that its report takes, until it is on its way into the journal.
    pub(crate) room: Option<Room>,
}

/// Opens the account and collects everything.
///
/// # Errors
/// Only where the caller's own credentials do not hold any more, or do not allow what is asked with them; whatever else
/// fails is in the snapshot.
pub(crate) async fn visit(sweeper: &Sweeper, account: Account) -> Result<Visited, SweepError> {
    let settings = &sweeper.settings;
    let own = account.id == sweeper.caller.account_id;
    let open = if own {
        OpenAccount::own(asker(sweeper, &account), &*sweeper.cloud)
    } else {
        let role_arn = settings.role.arn(&sweeper.caller, account.id);
        OpenAccount::member(asker(sweeper, &account), account.id, role_arn, sweeper)
    };
    let opening = match open.open().await {
        Ok(_) if own => Opening::Own,
        Ok(_) => Opening::Opened,
        Err(error) if open.caller_failure().is_some() => return Err(SweepError::CallerExpired(Box::new(error))),
        Err(error) => return Ok(unopened(account, &open, error, sweeper)),
    };
    let answered_at = Instant::now();
    // IAM sees two calls of a sweep at a time in an account: the report and the keys in it on one line, the rest on the
    // other.
    let others = async {
        let others = collect_others(&open).await;
        (others, read_tags(sweeper, &account, &open).await, audit_root(sweeper, &account).await)
    };
    let (report, (others, tags, audited)) = tokio::join!(read_report(sweeper, &account, &open), others);
    let (root_audit, root_calls) = audited?;
    if let Some(error) = open.caller_failure() {
        return Err(SweepError::CallerExpired(Box::new(error.clone())));
    }
    let snapshot = Snapshot {
        account,
        role: Reading::Read(()),
        report: report.facts,
        summary: others.summary,
        password_policy: others.password_policy,
        root_virtual_mfa: others.root_virtual_mfa,
        alias: others.alias,
        contacts: others.contacts,
        tags: tags?,
        key_ids: report.key_ids,
        root_audit,
        calls: [open.take_records(), root_calls].concat(),
    };
    debug!(account = %snapshot.account.id, outcome = snapshot.outcome().as_str(), "account read");
    let lost = lost_on_the_way(&snapshot);
    let entry = JournalEntry { snapshot, credentials: report.credentials };
    Ok(Visited { entry, opening, answered_at, lost, room: report.room })
}

fn asker<'a>(sweeper: &'a Sweeper, account: &Account) -> Asker<'a> {
    let seed = sweeper.settings.seed ^ account.id.number();
    Asker::new(&sweeper.pace, &sweeper.settings.patience, &sweeper.progress, seed)
}

fn unopened(account: Account, open: &OpenAccount<'_>, error: ApiError, sweeper: &Sweeper) -> Visited {
    info!(account = %account.id, %error, "account could not be opened");
    let optional = sweeper.optional_of(&account);
    let snapshot = Snapshot::unopened(account, error.refusal(), optional, open.take_records());
    let entry = JournalEntry { snapshot, credentials: None };
    let answered_at = Instant::now();
    match error.kind {
        ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::NotReady => {
            Visited { entry, opening: Opening::Unreached, answered_at, lost: Some(error), room: None }
        }
        _ => Visited { entry, opening: Opening::Refused(error), answered_at, lost: None, room: None },
    }
}

/// The account's tags, where they are wanted. They are read with the caller's credentials, so that a refusal concerns
/// every account.
async fn read_tags(
    sweeper: &Sweeper,
    account: &Account,
    open: &OpenAccount<'_>,
) -> Result<Reading<Vec<Tag>>, SweepError> {
    if !sweeper.settings.optional.contains(Source::AccountTags) {
        return Ok(Reading::Unwanted);
    }
    match collect_tags(open, account.id).await {
        Err(error) if error.kind == ErrorKind::Denied => {
            Err(SweepError::CallerRefused { setting: "--account-tags", source: Box::new(error) })
        }
        Err(error) if error.kind == ErrorKind::Expired => Err(SweepError::CallerExpired(Box::new(error))),
        collected => Ok(reading(collected)),
    }
}

/// What a root session tells, where one is wanted and can be had, and how its calls went.
async fn audit_root(sweeper: &Sweeper, account: &Account) -> Result<(RootAudit, Vec<CallRecord>), SweepError> {
    if !sweeper.optional_of(account).contains(Source::RootSession) {
        return Ok((RootAudit::UNWANTED, Vec::new()));
    }
    let root = OpenAccount::root(asker(sweeper, account), account.id, sweeper);
    let audit = collect_root_audit(&root).await;
    match root.caller_failure() {
        Some(error) => Err(SweepError::CallerExpired(Box::new(error.clone()))),
        None => Ok((audit, root.take_records())),
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

/// A credential report, as far as it was read.
struct ReadReport {
    facts: Reading<ReportFacts>,
    credentials: Option<RecordBatch>,
    room: Option<Room>,
    key_ids: Reading<KeyIds>,
}

async fn read_report(sweeper: &Sweeper, account: &Account, open: &OpenAccount<'_>) -> ReadReport {
    let wants_keys = sweeper.settings.optional.contains(Source::AccessKeyIds);
    // Which users have keys to ask for, only the report's own rows say.
    if let Some(carried) = sweeper.carried.get(&account.id).filter(|_| !wants_keys) {
        let older_than_asked = carried.generated_at < oldest_taken(sweeper);
        let facts = Reading::Read(ReportFacts { older_than_asked, ..carried.clone() });
        return ReadReport { facts, credentials: None, room: None, key_ids: Reading::Unwanted };
    }
    let (facts, credentials, room) = match fetch_and_parse(sweeper, account, open).await {
        Ok((facts, credentials, room)) => (Reading::Read(facts), Some(credentials), Some(room)),
        Err(refusal) => (Reading::Refused(refusal), None, None),
    };
    let key_ids = match &credentials {
        _ if !wants_keys => Reading::Unwanted,
        None => Reading::NotAsked(Source::CredentialReport),
        Some(report) => reading(collect_key_ids(open, report, sweeper.settings.key_ids_max).await),
    };
    ReadReport { facts, credentials, room, key_ids }
}

/// The time of the oldest report that is taken where AWS could give a newer one.
fn oldest_taken(sweeper: &Sweeper) -> Timestamp {
    sweeper.as_of.minus(sweeper.settings.max_report_age)
}

async fn fetch_and_parse(
    sweeper: &Sweeper,
    account: &Account,
    open: &OpenAccount<'_>,
) -> Result<(ReportFacts, RecordBatch, Room), Refusal> {
    let wanted = Wanted {
        not_before: oldest_taken(sweeper),
        deadline: sweeper.settings.patience.report_deadline,
        making: &sweeper.making,
        memory: &sweeper.memory,
        progress: &sweeper.progress,
    };
    let mut fetches = 0;
    loop {
        fetches += 1;
        let Fetched { report, room } = collect_report(open, &wanted).await.map_err(|error| {
            info!(account = %account.id, %error, "credential report was not read");
            error.refusal()
        })?;
        let generated_at = report.generated_at;
        match parse(account, report).await {
            Ok(parsed) => {
                let (facts, credentials) = read(account, parsed, generated_at, generated_at < wanted.not_before);
                return Ok((facts, credentials, room));
            }
            Err(error) => {
                info!(account = %account.id, %error, fetches, "credential report was not understood");
                if !matches!(error, ReportError::CutOff { .. }) || fetches >= FETCHES {
                    return Err(refusal_of(&error));
                }
            }
        }
    }
}

fn read(
    account: &Account,
    parsed: ParsedReport,
    generated_at: Timestamp,
    older_than_asked: bool,
) -> (ReportFacts, RecordBatch) {
    let ParsedReport { credentials, quarantined, unknown_columns } = parsed;
    if !quarantined.is_empty() {
        info!(account = %account.id, rows = quarantined.len(), "rows of the credential report were not understood");
    }
    let rows = u32::try_from(credentials.num_rows()).unwrap_or(u32::MAX);
    let carried_from = None;
    (ReportFacts { generated_at, older_than_asked, carried_from, rows, quarantined, unknown_columns }, credentials)
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
