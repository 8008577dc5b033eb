//! One column of texts in the making.
//!
//! A row's text is written wider than it is, many bytes at once, and the next one over what was too much. Arrow would
//! look at each offset again; here the type says that they ascend, and that all bytes are ASCII is checked at once.

#![allow(
    unsafe_code,
    reason = "offsets ascend by construction, and lie between ASCII; Arrow's checks of that take 15 % more instructions"
)]

use arrow_array::StringArray;
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

use crate::fields::Fields;
use crate::text::{Span, Texts, wide};

/// How many codes are looked at together.
const RUN: usize = 64;

/// How many bytes may be written beyond what is wanted: as many as a run of codes can stand for at once.
const WIDE: usize = 3 * RUN;

/// Texts, one behind the other.
///
/// What holds between any two calls: `offsets` starts with 0 and never descends, and the last is `end`, which is within
/// `values`. What lies behind it is room.
#[derive(Debug)]
pub(crate) struct TextColumn {
    values: Vec<u8>,
    end: usize,
    offsets: Vec<i32>,
    /// Whether a text was left out because it does not fit.
    is_full: bool,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { values: Vec::new(), end: 0, offsets: vec![0], is_full: false }
    }
}

impl TextColumn {
    /// Makes room for so many rows more, and for so many bytes as far as those are known.
    pub(crate) fn reserve(&mut self, rows: usize, bytes: usize) {
        self.offsets.reserve(rows);
        self.make_room(self.end.saturating_add(bytes));
    }

    /// Whether a text was left out, since a column holds no more than 2 GiB.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Forgets all rows but the first `rows`.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows.saturating_add(1).max(1));
        self.end = self.offsets.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or_default();
        self.is_full = false;
    }

    /// Adds the first `rows` of the fields, which are seldom longer than `USUAL`.
    #[inline(always)]
    pub(crate) fn push_fields<const USUAL: usize>(&mut self, texts: &Texts<'_>, fields: &Fields, rows: usize) {
        let length = fields.first(rows).map(|(_, length)| wide(length)).sum();
        let Some(mut end) = self.grow(length) else {
            return;
        };
        if length == 0 {
            self.offsets.extend(std::iter::repeat_n(offset(end), rows));
            return;
        }
        let (values, text) = (&mut self.values, texts.source());
        self.offsets.extend(fields.first(rows).map(|(start, length)| {
            let span = Span { start, end: start.wrapping_add(length) };
            let (start, length) = (wide(start), wide(length));
            let source = text.get(start..start.wrapping_add(USUAL)).and_then(<[u8]>::first_chunk::<USUAL>);
            let place = values.get_mut(end..end.wrapping_add(USUAL)).and_then(<[u8]>::first_chunk_mut);
            match (source, place) {
                (Some(source), Some(place)) if length <= USUAL => *place = *source,
                // The text ends here, or the field does not lie in it.
                _ => write(values, end, texts.bytes(span)),
            }
            end += length;
            offset(end)
        }));
        self.end = end;
    }

    /// Adds for each code from 1 to 3 the word that it stands for, of at most 16 bytes, and nothing for 0. The first word
    /// has three bytes, as it is the most frequent by far.
    #[inline(always)]
    pub(crate) fn push_codes(&mut self, codes: &[u8], words: [&'static str; 3]) {
        let [first, second, third] = words;
        let windows = ["", first, second, third].map(|word| {
            let mut window = [0; 16];
            for (place, byte) in window.iter_mut().zip(word.bytes()) {
                *place = byte;
            }
            (window, word.len().min(16))
        });
        let word = |code: u8| windows.get(usize::from(code & 3)).copied().unwrap_or_default();
        let Some(mut end) = self.grow(codes.iter().map(|code| word(*code).1).sum()) else {
            return;
        };
        let firsts = repeated(first);
        let (values, offsets) = (&mut self.values, &mut self.offsets);
        for codes in codes.chunks(RUN) {
            let are_first = first.len() == 3 && codes.iter().fold(0, |all, code| all | code) <= 1;
            let place = values.get_mut(end..).and_then(<[u8]>::first_chunk_mut);
            if are_first && let (Some(codes), Some(place)) = (codes.as_array(), place) {
                *place = firsts;
                let (ends, length) = ends_of_threes(codes);
                let start = offset(end);
                offsets.extend_from_slice(&ends.map(|end| start.wrapping_add(i32::from(end))));
                end += usize::from(length);
                continue;
            }
            offsets.extend(codes.iter().map(|code| {
                let (window, length) = word(*code);
                if let Some(place) = values.get_mut(end..end.wrapping_add(16)).and_then(<[u8]>::first_chunk_mut) {
                    *place = window;
                }
                end += length;
                offset(end)
            }));
        }
        self.end = end;
    }

    /// Adds the same text `rows` times.
    pub(crate) fn push_repeated(&mut self, text: &str, rows: usize) {
        let Some(start) = self.grow(text.len().saturating_mul(rows)) else {
            return;
        };
        write(&mut self.values, start, text.repeat(rows).as_bytes());
        self.end = start + text.len() * rows;
        self.offsets.extend((1..=rows).map(|row| offset(start + row * text.len())));
    }

    /// Makes room for texts of this many bytes in all, and for what is written beyond; returns where they start.
    #[inline]
    fn grow(&mut self, length: usize) -> Option<usize> {
        let end = self.end.saturating_add(length);
        if i32::try_from(end).is_err() {
            self.is_full = true;
            return None;
        }
        if length == 0 {
            return Some(end);
        }
        self.make_room(end);
        Some(self.end)
    }

    #[inline]
    fn make_room(&mut self, end: usize) {
        let missing = end.saturating_add(WIDE).saturating_sub(self.values.len());
        if missing > 0 && end > 0 {
            self.values.reserve(missing);
            self.values.resize(self.values.capacity(), 0);
        }
    }

    /// The column as Arrow has it.
    ///
    /// # Errors
    /// Texts were left out, or `nulls` are of another number of rows.
    pub(crate) fn into_array(mut self, nulls: Option<NullBuffer>) -> Result<StringArray, ArrowError> {
        let rows = self.offsets.len().saturating_sub(1);
        if self.is_full || nulls.as_ref().is_some_and(|nulls| nulls.len() != rows) {
            return Err(ArrowError::OffsetOverflowError(self.end));
        }
        self.values.truncate(self.end);
        // What a batch takes in memory is told by its capacity.
        self.values.shrink_to_fit();
        let (offsets, values) = (ScalarBuffer::from(self.offsets), Buffer::from_vec(self.values));
        if !values.is_ascii() {
            return StringArray::try_new(OffsetBuffer::new(offsets), values, nulls);
        }
        // SAFETY: by what the type holds to, there are offsets, they start at 0, and they never descend.
        let offsets = unsafe { OffsetBuffer::new_unchecked(offsets) };
        // SAFETY: the values are ASCII, so that each offset is a character boundary, and the last is their length; there
        // are as many nulls as texts.
        Ok(unsafe { StringArray::new_unchecked(offsets, values, nulls) })
    }
}

/// An offset as Arrow has it. [`TextColumn::grow`] has seen that it fits.
#[inline(always)]
fn offset(end: usize) -> i32 {
    i32::try_from(end).unwrap_or(i32::MAX)
}

/// For each code of 0 or 1, how many bytes there are up to it, itself included, where 1 stands for three; and how many in all.
#[inline(always)]
fn ends_of_threes(codes: &[u8; RUN]) -> ([u8; RUN], u8) {
    let (mut ends, mut before) = ([0; RUN], 0);
    for (ends, codes) in ends.as_chunks_mut().0.iter_mut().zip(codes.as_chunks().0) {
        // Each byte of the product is the sum of those up to it; none is above 3 * 64, so that nothing is carried.
        let sums = u64::from_le_bytes(*codes).wrapping_mul(u64::from_le_bytes([3; 8]));
        *ends = sums.wrapping_add(u64::from_le_bytes([before; 8])).to_le_bytes();
        [.., before] = *ends;
    }
    (ends, before)
}

/// A word of three bytes, as often as a run has codes.
fn repeated(word: &str) -> [u8; WIDE] {
    let mut texts = [0; WIDE];
    for (place, byte) in texts.iter_mut().zip(word.bytes().cycle()) {
        *place = byte;
    }
    texts
}

#[cold]
fn write(values: &mut [u8], start: usize, field: &[u8]) {
    if let Some(place) = values.get_mut(start..start.wrapping_add(field.len())) {
        place.copy_from_slice(field);
    }
}
