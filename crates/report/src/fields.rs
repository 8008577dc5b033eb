//! One column of up to sixty-four rows: its fields read in whole words and, where values differ in form, form by form.
//!
//! What nearly all reports hold is read here; a field that is not understood marks its row for the careful path, and
//! nothing is ever refused.

use crate::blocks::zeros;
use crate::machine::Machine;
use crate::text::{Span, wide};
use crate::timestamp::{Times, is_utc};
use crate::value::{Absence, is_word_byte};
use crate::window::{all, window, window_in};

/// How many rows are read together: as many as there are bits in a word.
pub(crate) const CHUNK: usize = 64;

/// One value for each row of a chunk.
pub(crate) type Chunk<T> = [T; CHUNK];

/// A bit for each row of a chunk.
pub(crate) type Rows = u64;

/// The fields of one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// Where each begins.
    pub(crate) starts: Chunk<u32>,
    /// How many bytes each has.
    pub(crate) lengths: Chunk<u32>,
}

impl Default for Fields {
    fn default() -> Self {
        Self { starts: [0; CHUNK], lengths: [0; CHUNK] }
    }
}

impl Fields {
    /// The first `rows` fields.
    #[inline(always)]
    pub(crate) fn first(&self, rows: usize) -> impl ExactSizeIterator<Item = (u32, u32)> {
        let (starts, lengths) = (self.starts.get(..rows), self.lengths.get(..rows));
        let places = starts.unwrap_or_default().iter().zip(lengths.unwrap_or_default());
        places.map(|(start, length)| (*start, *length))
    }

    /// Puts another field in the place at `index`.
    pub(crate) fn put(&mut self, index: usize, field: Span) {
        if let (Some(start), Some(length)) = (self.starts.get_mut(index), self.lengths.get_mut(index)) {
            (*start, *length) = (field.start, field.length());
        }
    }

    #[inline(always)]
    fn start(&self, index: usize) -> u32 {
        self.starts.get(index & (CHUNK - 1)).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn at(&self, index: usize) -> (u32, u32) {
        let at = |values: &Chunk<u32>| values.get(index & (CHUNK - 1)).copied().unwrap_or_default();
        (at(&self.starts), at(&self.lengths))
    }
}

/// What makes capitals small, and leaves small letters as they are.
const SMALL: u32 = u32::from_le_bytes([0x20; 4]);

/// The first `rows` rows of a chunk.
#[inline(always)]
pub(crate) fn up_to(rows: usize) -> Rows {
    if rows >= CHUNK { Rows::MAX } else { !(Rows::MAX << rows) }
}

/// Reads booleans; returns the rows that are to be read carefully.
#[inline(always)]
pub(crate) fn read_flags(text: &[u8], fields: &Fields, rows: usize, values: &mut Chunk<u8>) -> Rows {
    let (firsts, seconds) = overlapping_heads(text, &fields.starts, rows);
    let mut known = [0; CHUNK];
    let words = firsts.iter().zip(&seconds).zip(&fields.lengths);
    for (((first, second), length), (value, known)) in words.zip(values.iter_mut().zip(&mut known)) {
        let (first, second) = (first | SMALL, second | SMALL);
        let is_true = (first == u32::from_le_bytes(*b"true")) & (*length == 4);
        let is_false =
            (first == u32::from_le_bytes(*b"fals")) & (second == u32::from_le_bytes(*b"alse")) & (*length == 5);
        *value = u8::from(is_true);
        *known = u8::from(is_true | is_false);
    }
    zeros(&known) & up_to(rows)
}

/// The first bytes of each of the first `rows` fields, and what follows them.
#[inline(always)]
fn heads<const N: usize>(text: &[u8], starts: &Chunk<u32>, rows: usize) -> Chunk<[u8; N]> {
    let mut heads = [[0; N]; CHUNK];
    if rows < CHUNK {
        for (start, head) in starts.iter().zip(&mut heads).take(rows) {
            *head = window(text, *start);
        }
        return heads;
    }
    // Nearly every chunk is a whole one, of which the compiler knows the size.
    for (starts, heads) in starts.as_chunks::<8>().0.iter().zip(heads.as_chunks_mut::<8>().0) {
        for (start, head) in starts.iter().zip(heads) {
            *head = window(text, *start);
        }
    }
    heads
}

/// The first four bytes of each of the first `rows` fields, and the four from the second on.
#[inline(always)]
fn overlapping_heads(text: &[u8], starts: &Chunk<u32>, rows: usize) -> (Chunk<u32>, Chunk<u32>) {
    let (mut firsts, mut seconds) = ([0; CHUNK], [0; CHUNK]);
    let read = |start: u32, first: &mut u32, second: &mut u32| {
        let word = u64::from_le_bytes(window(text, start));
        (*first, *second) = (low_half(word), low_half(word >> 8));
    };
    if rows < CHUNK {
        let places = firsts.iter_mut().zip(&mut seconds);
        starts.iter().zip(places).take(rows).for_each(|(start, (first, second))| read(*start, first, second));
        return (firsts, seconds);
    }
    let places = firsts.as_chunks_mut::<8>().0.iter_mut().zip(seconds.as_chunks_mut::<8>().0);
    for (starts, (firsts, seconds)) in starts.as_chunks::<8>().0.iter().zip(places) {
        for (start, (first, second)) in starts.iter().zip(firsts.iter_mut().zip(seconds)) {
            read(*start, first, second);
        }
    }
    (firsts, seconds)
}

#[inline(always)]
fn low_half(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// What is said in the place of values, in [codes](Absence::code), and 0 where there is a value.
pub(crate) type Absences = Chunk<u8>;

/// Reads booleans that may be absent.
#[inline(always)]
pub(crate) fn read_known_flags(
    text: &[u8],
    fields: &Fields,
    rows: usize,
    values: &mut Chunk<u8>,
    absences: &mut Absences,
) -> Rows {
    let others = read_flags(text, fields, rows, values);
    *absences = [0; CHUNK];
    let mut odd = 0;
    for index in Each(others) {
        odd |= read_absence(text, fields, index, absences);
    }
    odd
}

/// Reads one of the words for an absence; returns its row if it is none.
#[inline]
fn read_absence(text: &[u8], fields: &Fields, index: usize, absences: &mut Absences) -> Rows {
    let (start, length) = fields.at(index);
    let absence = Absence::parse(Span { start, end: start.wrapping_add(length) }.of(text));
    if let Some(place) = absences.get_mut(index) {
        *place = absence.map_or(0, Absence::code);
    }
    u64::from(absence.is_none()) << index
}

/// The rows of a chunk that are named by bits, in their order.
struct Each(Rows);

impl Iterator for Each {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let index = (self.0 != 0).then(|| wide(self.0.trailing_zeros()));
        self.0 &= self.0.wrapping_sub(1);
        index
    }
}

/// Reads columns of times.
pub(crate) struct ReadTimes<'r, M> {
    pub(crate) text: &'r [u8],
    /// How many rows there are.
    pub(crate) rows: usize,
    /// Room for those of one column.
    pub(crate) read: &'r mut Times,
    pub(crate) machine: &'r M,
}

impl<M: Machine> ReadTimes<'_, M> {
    /// Reads times that may be absent, in milliseconds since the Unix epoch.
    #[inline(always)]
    pub(crate) fn read(&mut self, fields: &Fields, values: &mut Chunk<i64>, absences: &mut Absences) -> Rows {
        mark_not_applicable(self.text, fields, self.rows, absences);
        let rows = up_to(self.rows);
        let (short, long) = (having(fields, 20) & rows, having(fields, 25) & rows);
        *values = [0; CHUNK];
        let mut odd = self.read_present(fields, short | long, long, values);
        for index in Each(zeros(absences) & !short & !long & rows) {
            odd |= read_absence(self.text, fields, index, absences);
        }
        odd
    }

    /// Reads times that are there, some of which are written in the longer form.
    #[inline(always)]
    fn read_present(&mut self, fields: &Fields, times: Rows, long: Rows, values: &mut Chunk<i64>) -> Rows {
        let (mut odd, spare) = (0, &mut [0; 32]);
        let mut count = 0;
        for index in Each(times & !long) {
            let window = window_in(self.text, fields.start(index), spare);
            let (parts, is_bad) = self.machine.parts(window, b'Z');
            odd |= u64::from(is_bad) << index;
            self.read.put(count, index, parts);
            count += 1;
        }
        for index in Each(long) {
            let window = window_in(self.text, fields.start(index), spare);
            let (parts, is_bad) = self.machine.parts(window, b'+');
            odd |= u64::from(is_bad | !is_utc(window)) << index;
            self.read.put(count, index, parts);
            count += 1;
        }
        odd | self.read.read_into(count, values)
    }
}

/// The rows of fields of this length.
#[inline(always)]
fn having(fields: &Fields, length: u32) -> Rows {
    let mut others = [0; CHUNK];
    for (other, found) in others.iter_mut().zip(&fields.lengths) {
        *other = u8::from(*found != length);
    }
    zeros(&others)
}

/// Marks the fields that are `N/A`, as most are, with its code, which is 1, and others with 0.
#[inline(always)]
fn mark_not_applicable(text: &[u8], fields: &Fields, rows: usize, marks: &mut Chunk<u8>) {
    let words = heads(text, &fields.starts, rows).map(u32::from_le_bytes);
    for ((word, length), mark) in words.iter().zip(&fields.lengths).zip(marks) {
        *mark = u8::from((*length == 3) & (word & 0x00ff_ffff == u32::from_le_bytes(*b"N/A\0")));
    }
}

/// Checks regions and services, and makes the fields of those that are absent empty.
#[inline(always)]
pub(crate) fn read_words(text: &[u8], fields: &mut Fields, rows: usize, present: &mut Chunk<u8>) -> Rows {
    let mut absent = [0; CHUNK];
    mark_not_applicable(text, fields, rows, &mut absent);
    for ((absent, present), length) in absent.iter().zip(present).zip(&mut fields.lengths) {
        *present = absent ^ 1;
        *length = if *absent == 0 { *length } else { 0 };
    }
    let mut odd = 0;
    for index in Each(zeros(&absent) & up_to(rows)) {
        let (start, length) = fields.at(index);
        let window: [u8; 32] = window(text, start);
        // By their bytes the other two words for an absence could be names; `no_…` and `not_…` are left to the careful path.
        let [_, _, third, fourth, ..] = window;
        let is_absence = ((length == 14) & (third == b'_')) | ((length == 13) & (fourth == b'_'));
        let is_word = (length.wrapping_sub(1) < 32) & !is_absence & all(&window, length, is_word_byte);
        odd |= u64::from(!is_word) << index;
    }
    odd
}
