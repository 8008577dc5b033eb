//! Decides: one check over all accounts of a chunk, in one pass over the predicates' results.

use arrow_array::{Array, BooleanArray, RecordBatch};

use crate::cell::text_at;
use crate::compile::Check;
use crate::facts::{Facts, Rows};
use crate::predicate::Predicate;
use crate::{EvaluateError, Status};

/// What one check says of every account.
pub(crate) struct Judgement {
    /// In the order of the accounts.
    pub(crate) accounts: Vec<AccountVerdict>,
    /// What is to be told, sorted by account, then by row.
    pub(crate) found: Vec<Found>,
}

/// What one check says of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountVerdict {
    pub(crate) status: Status,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) unknown: u32,
    /// Whether the check's note on passes holds for everything that passed.
    pub(crate) noted: bool,
}

/// One resource that failed, or could not be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Index of the account.
    pub(crate) account: usize,
    pub(crate) ground: Ground,
}

/// Why a resource is among what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// A source that the check reads was not read; the resource is the account.
    Unread,
    /// Rows of the report could not be understood; the resource is the account.
    Quarantined,
    /// `applies_when` is null for this row.
    NullApplies(usize),
    /// `fails_when` is null for this row.
    NullFails(usize),
    /// `fails_when` is true for this row.
    Failed(usize),
}

impl Ground {
    /// The status of the resource.
    pub(crate) fn status(self) -> Status {
        if matches!(self, Self::Failed(_)) { Status::Fail } else { Status::Unknown }
    }

    /// The row of the check's table that is meant; `None` where it is the account as a whole.
    pub(crate) fn row(self) -> Option<usize> {
        match self {
            Self::Unread | Self::Quarantined => None,
            Self::NullApplies(row) | Self::NullFails(row) | Self::Failed(row) => Some(row),
        }
    }
}

/// The predicates' results for every row of the check's table.
pub(crate) struct Answers {
    applies: Option<BooleanArray>,
    fails: BooleanArray,
    notes: Option<BooleanArray>,
}

impl Answers {
    /// Evaluates the predicates of `check` on all rows at once.
    pub(crate) fn of(check: &Check, batch: &RecordBatch) -> Result<Self, EvaluateError> {
        let ask = |predicate: &Predicate| {
            predicate.evaluate(batch).map_err(|source| EvaluateError::Predicate { check: check.id.clone(), source })
        };
        Ok(Self {
            applies: check.applies_when.as_ref().map(ask).transpose()?,
            fails: ask(&check.fails_when)?,
            notes: check.note.as_ref().map(|note| ask(&note.when)).transpose()?,
        })
    }

    fn applies(&self, row: usize) -> Option<bool> {
        self.applies.as_ref().map_or(Some(true), |answers| at(answers, row))
    }

    /// The status of one row.
    pub(crate) fn status(&self, row: usize) -> Status {
        Status::of_row(self.applies(row), at(&self.fails, row))
    }
}

fn at(answers: &BooleanArray, row: usize) -> Option<bool> {
    answers.is_valid(row).then(|| answers.value(row))
}

/// Judges every account by `check`.
pub(crate) fn judge(check: &Check, facts: &Facts<'_>) -> Result<Judgement, EvaluateError> {
    let rows = facts.rows(check.table);
    let answers = Answers::of(check, &rows.batch)?;
    let mut found = Vec::new();
    let accounts = (0..facts.len())
        .map(|account| {
            if facts.coverage.lacks(account, check.sources) {
                found.push(Found { account, ground: Ground::Unread });
                return AccountVerdict { status: Status::Unknown, passed: 0, failed: 0, unknown: 1, noted: false };
            }
            let quarantined = check.judges_report_rows() && facts.coverage.quarantined_rows(account) > 0;
            if quarantined {
                found.push(Found { account, ground: Ground::Quarantined });
            }
            judge_account(&answers, rows, account, u32::from(quarantined), &mut found)
        })
        .collect();
    Ok(Judgement { accounts, found })
}

/// Judges one account whose sources were read; `unknown` resources are known of already.
fn judge_account(
    answers: &Answers,
    rows: &Rows,
    account: usize,
    mut unknown: u32,
    found: &mut Vec<Found>,
) -> AccountVerdict {
    let (mut passed, mut failed, mut noted) = (0, 0, answers.notes.is_some());
    for row in rows.of(account) {
        let ground = match answers.status(row) {
            Status::NotApplicable => continue,
            Status::Pass => {
                passed += 1;
                noted = noted && answers.notes.as_ref().and_then(|notes| at(notes, row)) == Some(true);
                continue;
            }
            Status::Fail => {
                failed += 1;
                Ground::Failed(row)
            }
            Status::Unknown => {
                unknown += 1;
                if answers.applies(row).is_none() { Ground::NullApplies(row) } else { Ground::NullFails(row) }
            }
        };
        found.push(Found { account, ground });
    }
    AccountVerdict { status: Status::of_account(failed, unknown, passed), passed, failed, unknown, noted }
}

/// Why the resource could not be judged; `None` where it failed.
pub(crate) fn reason(check: &Check, facts: &Facts<'_>, found: Found) -> Option<String> {
    let rows = &facts.rows(check.table).batch;
    match found.ground {
        Ground::Failed(_) => None,
        Ground::Unread => Some(facts.coverage.reason(found.account, check.sources)),
        Ground::Quarantined => Some(match facts.coverage.quarantined_rows(found.account) {
            1 => "1 row of the credential report could not be understood".to_owned(),
            count => format!("{count} rows of the credential report could not be understood"),
        }),
        Ground::NullApplies(row) => Some(nulls(check.applies_when.as_ref().unwrap_or(&check.fails_when), rows, row)),
        Ground::NullFails(row) => Some(nulls(&check.fails_when, rows, row)),
    }
}

/// Names the columns for which a predicate is null in this row, with the report's own word where it has one.
fn nulls(predicate: &Predicate, batch: &RecordBatch, row: usize) -> String {
    // A predicate that was evaluated on all rows at once does not fail on one of them.
    let columns = predicate.null_columns(batch, row).unwrap_or_default();
    let schema = batch.schema_ref();
    let names = columns.into_iter().filter_map(|index| schema.fields().get(index)).map(|field| field.name());
    let texts: Vec<_> = names
        .filter(|name| name.strip_suffix("_reason").is_none_or(|of| schema.column_with_name(of).is_none()))
        .map(|name| {
            let word = batch.column_by_name(&format!("{name}_reason")).and_then(|column| text_at(column, row));
            word.map_or_else(|| format!("{name} is null"), |word| format!("{name} is null ({word})"))
        })
        .collect();
    if texts.is_empty() { "the predicate is null".to_owned() } else { texts.join(", ") }
}
