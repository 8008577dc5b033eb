//! The columns of the table in the making: rows come in sixty-four at a time, and one batch goes out.
//!
//! While rows come in, booleans and absences are one byte each; they are packed at the end, when all of them are there.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, TimestampMillisecondArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{ArrowError, DataType};
use orgsweep_core::table::{credential_report, timestamp_type};

use crate::Origin;
use crate::blocks::zeros;
use crate::fields::{CHUNK, Chunk};
use crate::machine::{Machine, Work};
use crate::staged::Staged;
use crate::text::Texts;
use crate::text_column::TextColumn;
use crate::value::Absence;

/// The rows read so far, of one report or of several.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    account_ids: TextColumn,
    account_names: TextColumn,
    have_account_names: Vec<u8>,
    users: TextColumn,
    arns: TextColumn,
    are_root: Vec<u8>,
    user_creation_times: Vec<i64>,
    passwords_enabled: Vec<u8>,
    password_absences: Vec<u8>,
    /// In the order of [`crate::header::TIMES`], as are their absences.
    times: [Vec<i64>; 9],
    time_absences: [Vec<u8>; 9],
    /// In the order of [`crate::header::FLAGS`].
    flags: [Vec<u8>; 5],
    /// In the order of [`crate::header::WORDS`].
    words: [TextColumn; 4],
    have_words: [Vec<u8>; 4],
    infos: TextColumn,
    have_infos: Vec<u8>,
    report_generation_times: Vec<i64>,
}

impl Columns {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.are_root.len()
    }

    fn texts_mut(&mut self) -> impl Iterator<Item = &mut TextColumn> {
        let named = [&mut self.account_ids, &mut self.account_names, &mut self.users, &mut self.arns, &mut self.infos];
        named.into_iter().chain(&mut self.words)
    }

    fn times_mut(&mut self) -> impl Iterator<Item = &mut Vec<i64>> {
        [&mut self.user_creation_times, &mut self.report_generation_times].into_iter().chain(&mut self.times)
    }

    fn bytes_mut(&mut self) -> impl Iterator<Item = &mut Vec<u8>> {
        let named = [
            &mut self.have_account_names,
            &mut self.are_root,
            &mut self.passwords_enabled,
            &mut self.password_absences,
            &mut self.have_infos,
        ];
        named.into_iter().chain(&mut self.time_absences).chain(&mut self.flags).chain(&mut self.have_words)
    }

    /// Makes room for so many rows more, whose users and ARNs have so many bytes.
    pub(crate) fn reserve(&mut self, rows: usize, user_bytes: usize, arn_bytes: usize) {
        self.users.reserve(rows, user_bytes);
        self.arns.reserve(rows, arn_bytes);
        self.texts_mut().for_each(|column| column.reserve(rows, 0));
        self.times_mut().for_each(|column| column.reserve(rows));
        self.bytes_mut().for_each(|column| column.reserve(rows));
    }

    /// Forgets all rows but the first `rows`.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.texts_mut().for_each(|column| column.truncate(rows));
        self.times_mut().for_each(|column| column.truncate(rows));
        self.bytes_mut().for_each(|column| column.truncate(rows));
    }

    /// Adds what differs from row to row.
    #[inline(always)]
    pub(crate) fn push(&mut self, staged: &Staged, texts: &Texts<'_>) {
        let rows = staged.rows;
        self.users.push_fields::<32>(texts, &staged.users, rows);
        self.arns.push_fields::<64>(texts, &staged.arns, rows);
        for (column, values) in self.words.iter_mut().zip(&staged.words) {
            column.push_fields::<16>(texts, values, rows);
        }
        self.infos.push_fields::<64>(texts, &staged.infos, rows);
        extend(&mut self.are_root, &staged.are_root, rows);
        extend(&mut self.user_creation_times, &staged.user_creation_times, rows);
        extend(&mut self.passwords_enabled, &staged.passwords_enabled, rows);
        extend(&mut self.password_absences, &staged.password_absences, rows);
        for (column, values) in self.times.iter_mut().zip(&staged.times) {
            extend(column, values, rows);
        }
        for (column, values) in self.time_absences.iter_mut().zip(&staged.time_absences) {
            extend(column, values, rows);
        }
        for (column, values) in self.flags.iter_mut().zip(&staged.flags) {
            extend(column, values, rows);
        }
        for (column, values) in self.have_words.iter_mut().zip(&staged.have_words) {
            extend(column, values, rows);
        }
        extend(&mut self.have_infos, &staged.have_infos, rows);
    }

    /// Adds what is the same in all of a report's `rows`.
    ///
    /// # Errors
    /// A column holds no more text. The rows are to be taken back then.
    pub(crate) fn push_origin(&mut self, origin: &Origin<'_>, rows: usize) -> Result<(), ArrowError> {
        self.account_ids.push_repeated(origin.account_id.as_str(), rows);
        self.account_names.push_repeated(origin.account_name.unwrap_or_default(), rows);
        let total = self.rows();
        self.have_account_names.resize(total, u8::from(origin.account_name.is_some()));
        self.report_generation_times.resize(total, origin.generated_at.millis());
        match self.texts_mut().find(|column| column.is_full()) {
            Some(_) => Err(ArrowError::OffsetOverflowError(rows)),
            None => Ok(()),
        }
    }

    /// Makes the batch.
    ///
    /// # Errors
    /// Texts that do not fit into a column; columns that do not fit the table.
    #[inline(always)]
    fn into_batch(self) -> Result<RecordBatch, ArrowError> {
        let mut arrays = Arrays { time: timestamp_type(), made: Vec::with_capacity(34) };
        arrays.texts(self.account_ids, None)?;
        arrays.texts(self.account_names, known(&self.have_account_names))?;
        arrays.texts(self.users, None)?;
        arrays.texts(self.arns, None)?;
        arrays.flags(&self.are_root, None);
        arrays.times(self.user_creation_times, None)?;
        arrays.flags(&self.passwords_enabled, absent(&self.password_absences));
        arrays.reasons(&self.password_absences)?;
        let mut times = self.times.into_iter().zip(self.time_absences);
        for (times, absences) in times.by_ref().take(3) {
            arrays.known_times(times, &absences)?;
        }
        let mut flags = self.flags.into_iter();
        arrays.next_flags(&mut flags);
        let mut words = self.words.into_iter().zip(self.have_words);
        for _ in 0..2 {
            arrays.next_flags(&mut flags);
            for (times, absences) in times.by_ref().take(2) {
                arrays.known_times(times, &absences)?;
            }
            for (words, have) in words.by_ref().take(2) {
                arrays.texts(words, known(&have))?;
            }
        }
        for (times, absences) in times {
            arrays.next_flags(&mut flags);
            arrays.known_times(times, &absences)?;
        }
        arrays.texts(self.infos, known(&self.have_infos))?;
        arrays.times(self.report_generation_times, None)?;
        RecordBatch::try_new(credential_report().schema(), arrays.made)
    }
}

impl Work for Columns {
    type Output = Result<RecordBatch, ArrowError>;

    #[inline(always)]
    fn run(self, _: &impl Machine) -> Self::Output {
        self.into_batch()
    }
}

/// The arrays made so far, in the table's order.
struct Arrays {
    time: DataType,
    made: Vec<ArrayRef>,
}

impl Arrays {
    fn add(&mut self, array: impl Array + 'static) {
        self.made.push(Arc::new(array));
    }

    fn texts(&mut self, texts: TextColumn, nulls: Option<NullBuffer>) -> Result<(), ArrowError> {
        self.add(texts.into_array(nulls)?);
        Ok(())
    }

    fn flags(&mut self, values: &[u8], nulls: Option<NullBuffer>) {
        self.add(BooleanArray::new(pack(values, |zeros| !zeros), nulls));
    }

    fn next_flags(&mut self, flags: &mut impl Iterator<Item = Vec<u8>>) {
        self.flags(&flags.next().unwrap_or_default(), None);
    }

    #[inline(always)]
    fn known_times(&mut self, times: Vec<i64>, absences: &[u8]) -> Result<(), ArrowError> {
        self.times(times, absent(absences))?;
        self.reasons(absences)
    }

    fn times(&mut self, values: Vec<i64>, nulls: Option<NullBuffer>) -> Result<(), ArrowError> {
        let array = TimestampMillisecondArray::try_new(values.into(), nulls)?;
        self.add(array.with_data_type(self.time.clone()));
        Ok(())
    }

    #[inline(always)]
    fn reasons(&mut self, absences: &[u8]) -> Result<(), ArrowError> {
        let words = [Absence::NotApplicable, Absence::NoInformation, Absence::NotSupported].map(Absence::as_str);
        let mut column = TextColumn::default();
        column.reserve(absences.len(), 0);
        column.push_codes(absences, words);
        self.texts(column, known(absences))
    }
}

/// Which values are there, if not all are: those whose byte is not 0.
fn known(bytes: &[u8]) -> Option<NullBuffer> {
    Some(NullBuffer::new(pack(bytes, |zeros| !zeros))).filter(|nulls| nulls.null_count() > 0)
}

/// Which values are there, if not all are: those whose absence is 0.
fn absent(absences: &[u8]) -> Option<NullBuffer> {
    Some(NullBuffer::new(pack(absences, |zeros| zeros))).filter(|nulls| nulls.null_count() > 0)
}

/// A bit for each byte, by the bits of those that are 0 in each block.
#[inline(always)]
fn pack(bytes: &[u8], bits: impl Fn(u64) -> u64) -> BooleanBuffer {
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut words = Vec::with_capacity(blocks.len() + 1);
    words.extend(blocks.iter().map(|block| bits(zeros(block)).to_le()));
    if !rest.is_empty() {
        let mut last = [0; 64];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        words.push((bits(zeros(&last)) & !(u64::MAX << rest.len())).to_le());
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, bytes.len())
}

/// Adds the rows of a chunk that there are.
#[inline(always)]
fn extend<T: Copy>(column: &mut Vec<T>, values: &Chunk<T>, rows: usize) {
    // Nearly every chunk is a whole one, of which the compiler knows the size.
    match values.get(..rows) {
        Some(values) if rows < CHUNK => column.extend_from_slice(values),
        _ => column.extend_from_slice(values),
    }
}
