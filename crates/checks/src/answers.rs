//! What the predicates of one variant of a check say, row by row.

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;

use crate::Status;
use crate::access_keys::alternate_flags;
use crate::compile::Variant;
use crate::facts::Rows;
use crate::judge::Ground;
use crate::predicate::Predicate;
use crate::row_masks::{RowMasks, holding};

/// The results of one variant's predicates for every row of the check's table.
pub(crate) struct Answers {
    applies: Option<BooleanArray>,
    /// Anything where `applies` is not true.
    fails: BooleanArray,
    notes: Vec<BooleanArray>,
}

impl Answers {
    /// Evaluates the predicates on all rows at once.
    pub(crate) fn of(variant: &Variant, rows: &Rows) -> Self {
        let Some(credentials) = &rows.slots_of else { return Self::by(variant, &rows.batch, None) };
        let [first, second] = [0, 1].map(|slot| Self::by(variant, credentials, Some(slot)));
        let notes = first.notes.iter().zip(&second.notes);
        Self {
            applies: first.applies.zip(second.applies).map(|(first, second)| alternate_flags(&first, &second)),
            fails: alternate_flags(&first.fails, &second.fails),
            notes: notes.map(|(first, second)| alternate_flags(first, second)).collect(),
        }
    }

    /// Evaluates them on the rows of a table, or on a slot of each; where a check does not apply, nobody asks whether it
    /// fails.
    fn by(variant: &Variant, batch: &RecordBatch, slot: Option<usize>) -> Self {
        let ask = |predicate: &Predicate, among: Option<&BooleanBuffer>| match slot {
            None => predicate.evaluate(batch, among),
            Some(slot) => predicate.evaluate_slot(slot, batch, among),
        };
        let applies = variant.applies_when.as_ref().map(|predicate| ask(predicate, None));
        let applying = applies.as_ref().map(holding);
        Self {
            applies,
            fails: ask(&variant.fails_when, applying.as_ref()),
            notes: variant.notes.iter().map(|note| ask(&note.when, None)).collect(),
        }
    }

    fn applies(&self, row: usize) -> Option<bool> {
        self.applies.as_ref().map_or(Some(true), |answers| at(answers, row))
    }

    /// What they say of one row.
    pub(crate) fn status(&self, row: usize) -> Status {
        Status::of_row(self.applies(row), at(&self.fails, row))
    }

    /// What a row is told for, if it is told at all.
    pub(crate) fn ground(&self, row: usize, status: Status) -> Option<Ground> {
        match status {
            Status::Pass | Status::NotApplicable => None,
            Status::Fail => Some(Ground::Failed(row)),
            Status::Unknown if self.applies(row).is_none() => Some(Ground::NullApplies(row)),
            Status::Unknown => Some(Ground::NullFails(row)),
        }
    }

    /// Which of the notes hold for a row.
    pub(crate) fn notes(&self, row: usize) -> impl Iterator<Item = bool> {
        self.notes.iter().map(move |answers| at(answers, row) == Some(true))
    }

    /// The same of all rows, as bits.
    pub(crate) fn masks(&self) -> RowMasks {
        RowMasks::of(self.applies.as_ref(), &self.fails, &self.notes)
    }
}

fn at(answers: &BooleanArray, row: usize) -> Option<bool> {
    answers.is_valid(row).then(|| answers.value(row))
}
