//! One account, from opening it to its snapshot.

use orgsweep_cloud::ApiError;
use orgsweep_core::{Account, CallRecord, ErrorKind, Reading, RootAudit, Snapshot, Source, Tag};
use orgsweep_lake::JournalEntry;
use tokio::time::Instant;
use tracing::{debug, info};

use crate::ask::{Asker, is_unreached_code};
use crate::error::SweepError;
use crate::memory::Room;
use crate::others::{collect_others, reading};
use crate::read_report::ReportInHand;
use crate::root_audit::collect_root_audit;
use crate::session::OpenAccount;
use crate::sweeper::Sweeper;
use crate::tags::collect_tags;

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

/// What of an account was lost on the way to AWS, after all attempts.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Nothing.
    Nothing,
    /// Something, while AWS answered something else: an endpoint may be out of reach, or the network since then.
    InPart(ApiError),
    /// Everything that was asked: there may be no network.
    Whole(ApiError),
}

/// One account, visited.
pub(crate) struct Visited {
    pub(crate) entry: JournalEntry,
    pub(crate) opening: Opening,
    /// When AWS said so.
    pub(crate) answered_at: Instant,
    /// What shows that AWS may be out of reach.
    pub(crate) lost: Lost,
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
    // IAM sees two calls of a sweep at a time in an account: the report on one line, the rest on the other.
    let others = async {
        let others = collect_others(&open).await;
        (others, read_tags(sweeper, &account, &open).await, audit_root(sweeper, &account, &open).await)
    };
    let (report, (others, tags, audited)) = tokio::join!(ReportInHand::fetch(sweeper, &account, &open), others);
    let report = report.read(sweeper, &account, &open).await;
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
    let lost = lost_on_the_way(&snapshot, open.asker().has_reached_aws());
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
            Visited { entry, opening: Opening::Unreached, answered_at, lost: Lost::Whole(error), room: None }
        }
        _ => Visited { entry, opening: Opening::Refused(error), answered_at, lost: Lost::Nothing, room: None },
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
async fn audit_root(
    sweeper: &Sweeper,
    account: &Account,
    open: &OpenAccount<'_>,
) -> Result<(RootAudit, Vec<CallRecord>), SweepError> {
    if !sweeper.optional_of(account).contains(Source::RootSession) {
        return Ok((RootAudit::UNWANTED, Vec::new()));
    }
    let root = OpenAccount::root(open.asker().beside(), account.id, sweeper);
    let audit = collect_root_audit(&root).await;
    match root.caller_failure() {
        Some(error) => Err(SweepError::CallerExpired(Box::new(error.clone()))),
        None => Ok((audit, root.take_records())),
    }
}

/// What of an open account was lost, where AWS was reached with something else or was not.
fn lost_on_the_way(snapshot: &Snapshot, has_reached_aws: bool) -> Lost {
    let Some((source, _, code)) = snapshot.gaps().into_iter().find(|(_, _, code)| is_unreached_code(code)) else {
        return Lost::Nothing;
    };
    let told = format!("{source} of account {} was not read", snapshot.account.id);
    let error = ApiError::new(source.call(), ErrorKind::Transient, code, told);
    if has_reached_aws { Lost::InPart(error) } else { Lost::Whole(error) }
}
