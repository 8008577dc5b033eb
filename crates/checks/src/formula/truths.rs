//! Answers to a question about every row of a batch: yes, no or null, as two bits a row, 64 rows a word.

use std::iter::repeat;

use arrow_array::{Array, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};

/// Rows of a word.
pub(super) const WORD: usize = 64;

/// One bit a row. Bits behind the last row are clear in a mask of rows that are asked about, and anything elsewhere.
pub(super) type Mask = Vec<u64>;

/// The rows that say yes and those that say no; those in neither are null. Of rows that were not asked about they may
/// say anything.
#[derive(Debug)]
pub(super) struct Truths {
    pub(super) yes: Mask,
    pub(super) no: Mask,
}

impl Truths {
    /// The same for all rows.
    pub(super) fn constant(answer: Option<bool>, words: usize) -> Self {
        let all = |holds: bool| vec![if holds { u64::MAX } else { 0 }; words];
        Self { yes: all(answer == Some(true)), no: all(answer == Some(false)) }
    }

    /// Yes or no as the bits say, for rows that have a value.
    pub(super) fn of_bits(bits: impl Iterator<Item = u64>, valid: impl Iterator<Item = u64>) -> Self {
        let (yes, no) = bits.zip(valid).map(|(bits, valid)| (bits & valid, !bits & valid)).unzip();
        Self { yes, no }
    }

    /// The answers of an array, row by row.
    pub(super) fn of_array(answers: &BooleanArray) -> Self {
        Self::of_bits(words_of(answers.values()), valid_words(answers))
    }

    /// No for yes and yes for no.
    pub(super) fn inverted(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }

    /// Whether each row is null, which never is.
    pub(super) fn are_null(self) -> Self {
        let known: Mask = self.yes.iter().zip(&self.no).map(|(yes, no)| yes | no).collect();
        Self { yes: known.iter().map(|known| !known).collect(), no: known }
    }

    /// What both say, for rows of which both know.
    pub(super) fn equal(&self, other: &Self) -> Self {
        let pairs = || self.yes.iter().zip(&self.no).zip(other.yes.iter().zip(&other.no));
        Self {
            yes: pairs().map(|((yes, no), (other_yes, other_no))| yes & other_yes | no & other_no).collect(),
            no: pairs().map(|((yes, no), (other_yes, other_no))| yes & other_no | no & other_yes).collect(),
        }
    }

    /// Takes over what others say of some rows, of which nothing is known yet.
    pub(super) fn fill(&mut self, rows: &[u64], others: &Self) {
        let pairs = [(&mut self.yes, &others.yes), (&mut self.no, &others.no)];
        for (own, others) in pairs {
            own.iter_mut().zip(others).zip(rows).for_each(|((own, other), rows)| *own |= other & rows);
        }
    }

    /// Null for these rows.
    pub(super) fn forget(self, rows: &[u64]) -> Self {
        Self { yes: without(&self.yes, rows), no: without(&self.no, rows) }
    }

    /// As many answers as there are rows.
    pub(super) fn into_array(self, rows: usize) -> BooleanArray {
        let known: Mask = self.yes.iter().zip(&self.no).map(|(yes, no)| yes | no).collect();
        let nulls = NullBuffer::new(BooleanBuffer::new(known.into(), 0, rows));
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        BooleanArray::new(BooleanBuffer::new(self.yes.into(), 0, rows), nulls)
    }
}

/// All of so many rows.
pub(super) fn all_rows(rows: usize) -> Mask {
    let mut mask = vec![u64::MAX; rows.div_ceil(WORD)];
    if let Some(last) = mask.last_mut() {
        *last >>= (WORD - rows % WORD) % WORD;
    }
    mask
}

/// The rows that are in the first alone.
pub(super) fn without(mask: &[u64], rows: &[u64]) -> Mask {
    mask.iter().zip(rows).map(|(mask, rows)| mask & !rows).collect()
}

/// The rows that are in both.
pub(super) fn common(one: &[u64], other: &[u64]) -> Mask {
    one.iter().zip(other).map(|(one, other)| one & other).collect()
}

/// Whether there is no row in it.
pub(super) fn is_empty(mask: &[u64]) -> bool {
    mask.iter().all(|word| *word == 0)
}

/// The rows of a mask, ascending.
pub(super) fn rows_in(mask: &[u64]) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(place, word)| bits_in(*word).map(move |bit| place * WORD + bit))
}

/// The places of the bits that are set.
pub(super) fn bits_in(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then_some(word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        bit
    })
}

/// Bits from wherever they begin, 64 at a time.
pub(super) fn words_of(bits: &BooleanBuffer) -> impl Iterator<Item = u64> {
    let chunks = bits.bit_chunks();
    chunks.iter().chain([chunks.remainder_bits()]).take(bits.len().div_ceil(WORD))
}

/// Which rows of a column have a value.
pub(super) fn valid_words(column: &dyn Array) -> impl Iterator<Item = u64> {
    let nulls = column.nulls().map(|nulls| words_of(nulls.inner()));
    nulls.into_iter().flatten().chain(repeat(u64::MAX)).take(column.len().div_ceil(WORD))
}

/// Puts a row into a mask.
pub(super) fn set_row(mask: &mut [u64], row: usize) {
    if let Some(word) = mask.get_mut(row / WORD) {
        *word |= 1 << (row % WORD);
    }
}
