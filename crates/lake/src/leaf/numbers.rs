//! The numbers of one page, growing: what each adds to the one before, and between which they lie.

use std::ops::Range;

use arrow_buffer::NullBuffer;

use super::bounds::{Bounds, Value};
use super::column::each_valid;
use super::delta::Deltas;

/// The numbers of a page. `WIDE` ones have 64 bits, others 32.
#[derive(Debug, Default)]
pub(super) struct Numbers<const WIDE: bool> {
    deltas: Deltas<WIDE>,
    bounds: Option<(i64, i64)>,
    /// Numbers side by side that were not.
    there: Vec<i64>,
}

impl<const WIDE: bool> Numbers<WIDE> {
    /// Adds those of these rows that are not null.
    pub(super) fn extend<T: Copy + Into<i64>>(&mut self, values: &[T], nulls: Option<&NullBuffer>, rows: Range<usize>) {
        self.there.clear();
        match nulls {
            None => self.there.extend(values.get(rows).unwrap_or_default().iter().map(|value| (*value).into())),
            Some(_) => each_valid(nulls, rows, |row| {
                if let Some(value) = values.get(row) {
                    self.there.push((*value).into());
                }
            }),
        }
        let Some(first) = self.there.first() else { return };
        let (least, greatest) = self.bounds.unwrap_or((*first, *first));
        let ends = |(least, greatest): (i64, i64), number: &i64| (least.min(*number), greatest.max(*number));
        self.bounds = Some(self.there.iter().fold((least, greatest), ends));
        self.deltas.extend(&self.there);
    }

    /// Bytes so far, about.
    pub(super) fn bytes(&self) -> usize {
        self.deltas.bytes()
    }

    /// Writes all numbers and begins again; returns between which they lie.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Option<Bounds> {
        self.deltas.end(out);
        let (least, greatest) = self.bounds.take()?;
        Some(Bounds { least: Value::Number(least), greatest: Value::Number(greatest) })
    }
}
