//! Which accounts of a committed run were not read whole, and why, in a line each.

use std::collections::BTreeMap;
use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, ListArray, RecordBatch};
use orgsweep_core::{Outcome, Source, Timestamp, table};
use orgsweep_lake::{Commit, Lake, LakeError};
use serde::Serialize;
use tracing::warn;

/// Accounts named at most: the others are in the table, and counted.
const NAMED: usize = 50;

/// A report may be somewhat newer than the time at which its run began.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Why the role is so often missing just there.
const NO_STACK_SET: &str =
    "service-managed StackSets never deploy to the management account: deploy the role there as a plain stack";

/// One account that was not read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The account.
    pub account_id: String,
    /// Its name.
    pub account_name: Option<String>,
    /// `failed` or `partial`.
    pub outcome: String,
    /// What was not read, and with which error code.
    pub reason: String,
}

/// The gaps in what a run covers.
#[derive(Debug, Default)]
pub struct Gaps {
    /// The first accounts that were asked and not read whole: those that could not be read at all come first.
    pub unread: Vec<Unread>,
    /// How many accounts were not asked, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// What the organization itself did not answer.
    pub organization: Vec<String>,
    /// Rows of credential reports that were not understood.
    pub quarantined_rows: u64,
}

/// Reads the gaps from the committed table, and warns where reports are so much newer than the time by which the run
/// judges that ages counted from it mean little.
///
/// # Errors
/// The table cannot be read.
pub async fn list_gaps(lake: &Lake, commit: &Commit) -> Result<Gaps, LakeError> {
    let Gaps { mut unread, mut skipped, mut organization, mut quarantined_rows } = Gaps::default();
    let columns = [
        "account_id",
        "account_name",
        "is_management",
        "outcome",
        "skip_reason",
        "unanswered",
        "quarantined_rows",
        "report_generated_at",
    ];
    let mut newer = 0;
    let mut rows = lake.columns(commit, table::accounts(), &columns);
    while let Some(batch) = rows.next().await? {
        if organization.is_empty() {
            // Every account has the same ones.
            organization = gaps(&batch, 0).filter(Gap::is_of_organization).map(|gap| gap.to_string()).collect();
        }
        quarantined_rows += quarantined(&batch);
        newer += newer_reports(&batch, commit.as_of);
        for reason in (0..batch.num_rows()).filter_map(|row| text(&batch, "skip_reason", row)) {
            *skipped.entry(reason).or_default() += 1;
        }
        for outcome in [Outcome::Failed, Outcome::Partial] {
            unread.extend((0..batch.num_rows()).filter_map(|row| unread_row(&batch, row, outcome)).take(NAMED));
        }
    }
    if newer > 0 {
        warn!(
            accounts = newer,
            as_of = %commit.as_of,
            "reports are more than a day newer than the time by which the run judges: what is in them counts as younger \
             than it is, and may pass for that"
        );
    }
    unread.sort_by_key(|account| account.outcome != Outcome::Failed.as_str());
    unread.truncate(NAMED);
    Ok(Gaps { unread, skipped, organization, quarantined_rows })
}

/// Rows that were not understood, of all accounts of the batch.
fn quarantined(batch: &RecordBatch) -> u64 {
    let lists = batch.column_by_name("quarantined_rows").and_then(|column| column.as_list_opt::<i32>());
    let rows = |lists: &ListArray| lists.iter().flatten().map(|rows| rows.len()).sum::<usize>();
    lists.map_or(0, |lists| u64::try_from(rows(lists)).unwrap_or_default())
}

/// Accounts whose credential reports were made more than a day after `as_of`.
fn newer_reports(batch: &RecordBatch, as_of: Timestamp) -> usize {
    let column = batch.column_by_name("report_generated_at");
    let times = column.and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>());
    let latest = as_of.millis().saturating_add(DAY_MILLIS);
    times.map_or(0, |times| times.iter().flatten().filter(|time| *time > latest).count())
}

fn unread_row(batch: &RecordBatch, row: usize, outcome: Outcome) -> Option<Unread> {
    (text(batch, "outcome", row)? == outcome.as_str()).then(|| Unread {
        account_id: text(batch, "account_id", row).unwrap_or_default(),
        account_name: text(batch, "account_name", row),
        outcome: outcome.as_str().to_owned(),
        reason: reason(batch, row),
    })
}

/// `password_policy: AccessDenied (denied), 2 rows of the credential report not understood`.
fn reason(batch: &RecordBatch, row: usize) -> String {
    let unread: Vec<Gap> = gaps(batch, row).filter(|gap| !gap.is_of_organization()).collect();
    let mut reasons: Vec<String> = unread.iter().map(Gap::to_string).collect();
    if is_management(batch, row) && unread.iter().any(|gap| gap.source == Source::Role.as_str()) {
        reasons.push(NO_STACK_SET.to_owned());
    }
    let quarantined = batch.column_by_name("quarantined_rows").and_then(|column| column.as_list_opt::<i32>());
    match quarantined.map_or(0, |rows| rows.value_length(row)) {
        0 => {}
        rows => reasons.push(format!("{rows} rows of the credential report were not understood")),
    }
    reasons.join(", ")
}

/// One source that was not read.
struct Gap {
    source: String,
    kind: String,
    code: String,
}

impl Gap {
    fn is_of_organization(&self) -> bool {
        Source::from_name(&self.source).is_some_and(Source::is_of_organization)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.source, self.code, self.kind)
    }
}

/// The sources that were not read of an account.
fn gaps(batch: &RecordBatch, row: usize) -> impl Iterator<Item = Gap> {
    let lists = batch.column_by_name("unanswered").and_then(|column| column.as_list_opt::<i32>());
    let gaps = lists.filter(|lists| row < lists.len()).map(|lists| lists.value(row));
    let gaps = gaps.and_then(|gaps| gaps.as_struct_opt().cloned());
    let count = gaps.as_ref().map_or(0, Array::len);
    (0..count).map(move |index| {
        let field = |name: &str| {
            let column = gaps.as_ref().and_then(|gaps| gaps.column_by_name(name));
            let column = column.and_then(|column| column.as_string_opt::<i32>());
            column.map_or("", |column| column.value(index)).to_owned()
        };
        Gap { source: field("source"), kind: field("kind"), code: field("code") }
    })
}

fn is_management(batch: &RecordBatch, row: usize) -> bool {
    let column = batch.column_by_name("is_management").and_then(|column| column.as_boolean_opt());
    column.is_some_and(|column| column.is_valid(row) && column.value(row))
}

fn text(batch: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row).to_owned())
}
