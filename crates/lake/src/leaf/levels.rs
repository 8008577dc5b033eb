//! Which of a page's values are there, and where its lists begin: Parquet's levels.

use std::ops::Range;

use arrow_array::Array;
use arrow_buffer::{BooleanBufferBuilder, NullBuffer};

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
#[derive(Debug, Default)]
pub(super) struct ListLevels {
    /// The level of a list without items; below it is that of no list at all, where there may be none.
    empty: u8,
    /// The level of a value that is there; below it is that of one which is null, where it may be.
    there: u8,
    /// 0 where a list begins, 1 for its other items.
    repetition: Bits,
    /// How much of each value is there: the low and the high bit.
    definition: [Bits; 2],
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
                ..ListLevels::default()
            }),
        }
    }

    /// How many levels there are: a value, a null, or an empty list each.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Required(rows) => *rows,
            Self::Nullable(bits) => bits.len(),
            Self::Listed(levels) => levels.repetition.len(),
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
            Self::Listed(ListLevels { there, repetition, definition: [low, high], .. }) => {
                let levels = repetition.len();
                let [repetition, low, high] = [repetition, low, high].map(Bits::take);
                with_length(out, |out| hybrid::write_bits(&repetition, levels, out));
                with_length(out, |out| match there {
                    1 => hybrid::write_bits(&low, levels, out),
                    _ => hybrid::write_pairs(&low, &high, levels, out),
                });
            }
        }
    }
}

impl ListLevels {
    fn push(&mut self, values: &dyn Array, items: Option<&Range<usize>>) {
        let Some(items) = items.filter(|items| !items.is_empty()) else {
            self.repetition.push(0, 1);
            return self.define(u64::from(self.empty - u8::from(items.is_none())), 0, 1);
        };
        let mut repetition = !1;
        for from in items.clone().step_by(WORD) {
            let count = WORD.min(items.end - from);
            self.repetition.push(lowest(repetition, count), count);
            repetition = !0;
            let is_there = values.nulls().map_or(!0, |nulls| bits_at(nulls, from, count));
            self.define(u64::from(self.there), !is_there, count);
        }
    }

    /// Adds `count` values of this level, or of the one below it where these bits say that they are null.
    fn define(&mut self, level: u64, nulls: u64, count: usize) {
        let below = level.wrapping_sub(1);
        for (place, bits) in self.definition.iter_mut().enumerate() {
            let all = |level: u64| (level >> place & 1).wrapping_neg();
            bits.push(lowest((all(level) & !nulls) | (all(below) & nulls), count), count);
        }
    }
}

/// Bits of a word.
const WORD: usize = 64;

/// A bitmap that grows by several bits at once.
#[derive(Debug, Default)]
struct Bits {
    words: Vec<u64>,
    /// The last bits, which are no whole word yet.
    open: u64,
    len: usize,
}

impl Bits {
    /// Adds the `count` lowest bits, at most 64; those above are zero.
    #[inline]
    fn push(&mut self, bits: u64, count: usize) {
        let filled = self.len % WORD;
        self.open |= bits << filled;
        if filled + count >= WORD {
            self.words.push(self.open);
            self.open = if filled == 0 { 0 } else { bits >> (WORD - filled) };
        }
        self.len += count;
    }

    fn len(&self) -> usize {
        self.len
    }

    /// The bits in bytes, the last of which is filled up; begins again.
    fn take(&mut self) -> Vec<u8> {
        self.words.push(self.open);
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(self.len.div_ceil(8));
        self.words.clear();
        (self.open, self.len) = (0, 0);
        bytes
    }
}

/// The `count` lowest bits.
fn lowest(bits: u64, count: usize) -> u64 {
    bits & !u64::MAX.checked_shl(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or(0)
}

/// So many bits from there on, at most 64, and what lies behind them.
fn bits_at(nulls: &NullBuffer, from: usize, count: usize) -> u64 {
    let (bits, at) = (nulls.inner(), nulls.offset() + from);
    match bits.values().get(at / 8..).and_then(<[u8]>::first_chunk::<9>) {
        // Where they begin within a byte, the last of them are in the ninth.
        Some([eight @ .., ninth]) => {
            let (word, shift) = (u64::from_le_bytes(*eight), at % 8);
            word >> shift | u64::from(*ninth) << 1 << (WORD - 1 - shift)
        }
        None => bits.slice(from, count).bit_chunks().iter_padded().next().unwrap_or_default(),
    }
}

fn with_length(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut levels = Vec::new();
    write(&mut levels);
    out.extend_from_slice(&u32::try_from(levels.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.append(&mut levels);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_any_number_lie_side_by_side() {
        let rng = &mut fastrand::Rng::with_seed(1);
        for _ in 0..100 {
            let (mut bits, mut expected) = (Bits::default(), Vec::new());
            for _ in 0..rng.usize(..50) {
                let count = rng.usize(..=64);
                let own = lowest(rng.u64(..), count);
                bits.push(own, count);
                expected.extend((0..count).map(|at| own >> at & 1 == 1));
            }
            assert_eq!(bits.len(), expected.len());
            let bytes = bits.take();
            let is_set = |at: usize| bytes[at / 8] >> (at % 8) & 1 == 1;
            assert_eq!((0..expected.len()).map(is_set).collect::<Vec<_>>(), expected);
        }
    }
}
