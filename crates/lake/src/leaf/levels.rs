//! Which of a page's values are there, and where its lists begin: Parquet's levels.

use std::ops::Range;

use arrow_array::Array;
use arrow_buffer::BooleanBufferBuilder;

use super::hybrid;

/// The levels of one page, growing.
#[derive(Debug)]
pub(super) enum Levels {
    /// A value for each row.
    Required(usize),
    /// A value for each row, or null: a bit says which.
    Nullable(BooleanBufferBuilder),
    /// Any number of values for each row.
    Listed(ListLevels),
}

/// The levels of values in lists, whose items are never null.
#[derive(Debug)]
pub(super) struct ListLevels {
    /// The level of a list without items; below it is that of no list at all, where there may be none.
    empty: u8,
    /// The level of a value that is there; below it is that of one which is null, where it may be.
    there: u8,
    /// 0 where a list begins, 1 for its other items.
    repetition: Vec<u8>,
    /// How much of each value is there.
    definition: Vec<u8>,
}

impl Levels {
    /// None yet, of a column whose levels go to these; its lists, if it has any, may be null or not.
    pub(super) fn new(definition: i16, repetition: i16, null_lists: bool) -> Self {
        match (repetition, definition) {
            (0, 0) => Self::Required(0),
            (0, _) => Self::Nullable(BooleanBufferBuilder::new(0)),
            (_, there) => Self::Listed(ListLevels {
                empty: u8::from(null_lists),
                there: u8::try_from(there).unwrap_or(u8::MAX),
                repetition: Vec::new(),
                definition: Vec::new(),
            }),
        }
    }

    /// How many levels there are: a value, a null, or an empty list each.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Required(rows) => *rows,
            Self::Nullable(bits) => bits.len(),
            Self::Listed(levels) => levels.definition.len(),
        }
    }

    /// Adds these values, one for each row.
    pub(super) fn extend(&mut self, values: &dyn Array, rows: &Range<usize>) {
        match (self, values.nulls()) {
            (Self::Required(all), _) => *all += rows.len(),
            (Self::Nullable(bits), None) => bits.append_n(rows.len(), true),
            (Self::Nullable(bits), Some(nulls)) => bits.append_buffer(&nulls.inner().slice(rows.start, rows.len())),
            // Lists are added one by one.
            (Self::Listed(_), _) => {}
        }
    }

    /// Adds a list of these values; `None` where there is no list.
    pub(super) fn push_list(&mut self, values: &dyn Array, items: Option<&Range<usize>>) {
        if let Self::Listed(levels) = self {
            levels.push(values, items);
        }
    }

    /// Writes the levels, each kind with its length in front, and begins again.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Required(rows) => *rows = 0,
            Self::Nullable(bits) => {
                with_length(out, |out| hybrid::write_bits(bits.as_slice(), bits.len(), out));
                bits.truncate(0);
            }
            Self::Listed(ListLevels { there, repetition, definition, .. }) => {
                let width = if *there > 1 { 2 } else { 1 };
                with_length(out, |out| hybrid::write(repetition, 1, out));
                with_length(out, |out| hybrid::write(definition, width, out));
                repetition.clear();
                definition.clear();
            }
        }
    }
}

impl ListLevels {
    fn push(&mut self, values: &dyn Array, items: Option<&Range<usize>>) {
        self.repetition.push(0);
        let Some(items) = items.filter(|items| !items.is_empty()) else {
            return self.definition.push(self.empty - u8::from(items.is_none()));
        };
        self.repetition.resize(self.repetition.len() + items.len() - 1, 1);
        match values.nulls() {
            None => self.definition.resize(self.definition.len() + items.len(), self.there),
            Some(nulls) => self.definition.extend(items.clone().map(|item| self.there - u8::from(nulls.is_null(item)))),
        }
    }
}

fn with_length(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut levels = Vec::new();
    write(&mut levels);
    out.extend_from_slice(&u32::try_from(levels.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.append(&mut levels);
}
