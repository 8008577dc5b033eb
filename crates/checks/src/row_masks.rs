//! What one variant of a check says of all rows, as bits: an account's rows are counted, and not looked at one by one.

use std::ops::Range;

use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;

/// The rows that passed, those to be told of, and what notes say of those that passed.
pub(crate) struct RowMasks {
    passed: BooleanBuffer,
    failed: BooleanBuffer,
    unknown: BooleanBuffer,
    told: BooleanBuffer,
    /// For each note the rows that passed and for which it does not hold.
    passed_without: Vec<BooleanBuffer>,
}

/// How many rows of an account did what.
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
}

impl RowMasks {
    /// Brings together the answers of the predicates. [`crate::Status::of_row`] says the same of one row.
    pub(crate) fn of(applies: Option<&BooleanArray>, fails: &BooleanArray, notes: &[BooleanArray]) -> Self {
        let rows = fails.len();
        let (applies, applies_null) = match applies {
            Some(answers) => (holding(answers), nulls(answers)),
            None => (BooleanBuffer::new_set(rows), BooleanBuffer::new_unset(rows)),
        };
        let (fails, fails_null) = (holding(fails), nulls(fails));
        let failed = &applies & &fails;
        let unknown = &applies_null | &(&applies & &fails_null);
        let passed = &applies & &!&(&fails | &fails_null);
        let passed_without = notes.iter().map(|note| &passed & &!&holding(note)).collect();
        Self { told: &failed | &unknown, passed, failed, unknown, passed_without }
    }

    /// Counts an account's rows.
    pub(crate) fn counts(&self, rows: &Range<usize>) -> Counts {
        Counts {
            passed: count(&self.passed, rows),
            failed: count(&self.failed, rows),
            unknown: count(&self.unknown, rows),
        }
    }

    /// The rows of an account that failed or are unknown, in order.
    pub(crate) fn told(&self, rows: &Range<usize>) -> Vec<usize> {
        self.told.slice(rows.start, rows.len()).set_indices().map(|row| rows.start + row).collect()
    }

    /// All rows that failed or are unknown, whether their account was read or not.
    pub(crate) fn into_told(self) -> BooleanBuffer {
        self.told
    }

    /// The first note that holds for every row of the account that passed.
    pub(crate) fn note(&self, rows: &Range<usize>) -> Option<usize> {
        self.passed_without.iter().position(|without| count(without, rows) == 0)
    }
}

fn count(mask: &BooleanBuffer, rows: &Range<usize>) -> usize {
    mask.slice(rows.start, rows.len()).count_set_bits()
}

/// Where the answer is yes, and neither no nor null.
pub(crate) fn holding(answers: &BooleanArray) -> BooleanBuffer {
    match answers.nulls() {
        Some(valid) => answers.values() & valid.inner(),
        None => answers.values().clone(),
    }
}

fn nulls(answers: &BooleanArray) -> BooleanBuffer {
    match answers.nulls() {
        Some(valid) => !valid.inner(),
        None => BooleanBuffer::new_unset(answers.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    #[test]
    fn bits_say_of_all_rows_what_the_status_says_of_each() {
        let values = [Some(true), Some(false), None];
        let pairs: Vec<_> = values.iter().flat_map(|applies| values.map(|fails| (*applies, fails))).collect();
        let applies: BooleanArray = pairs.iter().map(|pair| pair.0).collect();
        let fails: BooleanArray = pairs.iter().map(|pair| pair.1).collect();
        let masks = RowMasks::of(Some(&applies), &fails, &[]);
        for (row, (applies, fails)) in pairs.iter().enumerate() {
            let Counts { passed, failed, unknown } = masks.counts(&(row..row + 1));
            let status = Status::of_row(*applies, *fails);
            let expected = [Status::Pass, Status::Fail, Status::Unknown].map(|each| usize::from(status == each));
            assert_eq!([passed, failed, unknown], expected, "{applies:?} {fails:?}");
            assert_eq!(masks.told(&(row..row + 1)).len(), failed + unknown);
        }
        assert_eq!(masks.told(&(1..8)), [2, 6, 7]);
    }

    #[test]
    fn a_note_holds_where_it_does_for_all_that_passed() {
        let fails: BooleanArray = vec![Some(false), Some(false), Some(true), None].into();
        let notes: [BooleanArray; 2] =
            [vec![Some(true), None, None, None].into(), vec![Some(true), Some(true), None, Some(false)].into()];
        let masks = RowMasks::of(None, &fails, &notes);
        assert_eq!((masks.note(&(0..4)), masks.note(&(0..1))), (Some(1), Some(0)));
    }
}
