//! Rows collected column by column, and the batch of the `credentials` table that they become.
//!
//! While rows come in, texts are spans and absences one byte; Arrow arrays are made in one go at the end, in table
//! order, each with exactly the room it needs.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::ArrowError;
use orgsweep_core::table::credential_report;

use crate::Origin;
use crate::row::Row;
use crate::text::{Line, Span, Texts, wide};
use crate::value::{Absence, Known};

/// The values of one column that AWS may leave out, and beside each the word for its absence.
#[derive(Debug, Default)]
struct KnownColumn<T> {
    values: Vec<T>,
    absences: Vec<Option<Absence>>,
}

impl<T: Copy + Default> KnownColumn<T> {
    fn reserve(&mut self, rows: usize) {
        self.values.reserve_exact(rows);
        self.absences.reserve_exact(rows);
    }

    #[inline]
    fn push(&mut self, value: Known<T>) {
        self.values.push(value.unwrap_or_default());
        self.absences.push(value.err());
    }
}

/// The rows of one report, as they were read.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    lines: Vec<Line>,
    users: Vec<Span>,
    arns: Vec<Span>,
    are_root: Vec<bool>,
    user_creation_times: Vec<i64>,
    passwords_enabled: KnownColumn<bool>,
    times: [KnownColumn<i64>; 9],
    flags: [Vec<bool>; 5],
    words: [Vec<Option<Span>>; 4],
    additional_infos: Vec<Option<Span>>,
}

impl Columns {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        let mut columns = Self::default();
        columns.lines.reserve_exact(rows);
        columns.users.reserve_exact(rows);
        columns.arns.reserve_exact(rows);
        columns.are_root.reserve_exact(rows);
        columns.user_creation_times.reserve_exact(rows);
        columns.passwords_enabled.reserve(rows);
        columns.times.iter_mut().for_each(|column| column.reserve(rows));
        columns.flags.iter_mut().for_each(|column| column.reserve_exact(rows));
        columns.words.iter_mut().for_each(|column| column.reserve_exact(rows));
        columns.additional_infos.reserve_exact(rows);
        columns
    }

    #[inline]
    pub(crate) fn push(&mut self, row: &Row, line: Line) {
        self.lines.push(line);
        self.users.push(row.user);
        self.arns.push(row.arn);
        self.are_root.push(row.is_root);
        self.user_creation_times.push(row.user_creation_time);
        self.passwords_enabled.push(row.password_enabled);
        for (column, time) in self.times.iter_mut().zip(row.times) {
            column.push(time);
        }
        for (column, flag) in self.flags.iter_mut().zip(row.flags) {
            column.push(flag);
        }
        for (column, word) in self.words.iter_mut().zip(row.words) {
            column.push(word);
        }
        self.additional_infos.push(row.additional_info);
    }

    /// The users, row by row.
    pub(crate) fn users(&self) -> &[Span] {
        &self.users
    }

    /// The user of the row at `index`.
    pub(crate) fn user(&self, index: u32) -> Option<Span> {
        self.users.get(wide(index)).copied()
    }

    /// The line that the row at `index` was read from.
    pub(crate) fn line(&self, index: u32) -> Option<Line> {
        self.lines.get(wide(index)).copied()
    }

    /// Makes the batch. `kept` are the indexes of its rows, in order; all rows as they stand if it is `None`.
    ///
    /// # Errors
    /// Texts that do not fit into a column, which is 2 GiB; columns that do not fit the table.
    pub(crate) fn into_batch(
        self,
        texts: &Texts<'_>,
        origin: &Origin<'_>,
        kept: Option<&[u32]>,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = kept.map_or(self.users.len(), <[u32]>::len);
        let mut arrays = Arrays { texts, kept, utc: Arc::from("UTC"), made: Vec::with_capacity(34) };
        arrays.constant(Some(origin.account_id.as_str()), rows)?;
        arrays.constant(origin.account_name, rows)?;
        arrays.texts(&self.users);
        arrays.texts(&self.arns);
        arrays.flags(self.are_root);
        arrays.times(self.user_creation_times)?;
        arrays.known_flags(self.passwords_enabled);
        let [password_used, password_changed, password_rotation, times @ ..] = self.times;
        let [mfa, key_1, key_2, cert_1, cert_2] = self.flags;
        for column in [password_used, password_changed, password_rotation] {
            arrays.known_times(column)?;
        }
        arrays.flags(mfa);
        let [rotated_1, used_1, rotated_2, used_2, cert_rotated_1, cert_rotated_2] = times;
        let [region_1, service_1, region_2, service_2] = self.words;
        let keys = [(key_1, rotated_1, used_1, region_1, service_1), (key_2, rotated_2, used_2, region_2, service_2)];
        for (active, rotated, used, region, service) in keys {
            arrays.flags(active);
            arrays.known_times(rotated)?;
            arrays.known_times(used)?;
            arrays.optional_texts(&region);
            arrays.optional_texts(&service);
        }
        for (active, rotated) in [(cert_1, cert_rotated_1), (cert_2, cert_rotated_2)] {
            arrays.flags(active);
            arrays.known_times(rotated)?;
        }
        arrays.optional_texts(&self.additional_infos);
        arrays.times_of(vec![origin.generated_at.millis(); rows], None)?;
        RecordBatch::try_new(credential_report().schema(), arrays.made)
    }
}

/// The arrays made so far, in the table's order.
struct Arrays<'t> {
    texts: &'t Texts<'t>,
    kept: Option<&'t [u32]>,
    utc: Arc<str>,
    made: Vec<ArrayRef>,
}

impl Arrays<'_> {
    /// The values in table order; they are only moved if the rows are.
    fn in_order<T: Copy>(&self, values: Vec<T>) -> Vec<T> {
        match self.kept {
            None => values,
            Some(kept) => kept.iter().filter_map(|index| values.get(wide(*index)).copied()).collect(),
        }
    }

    fn add(&mut self, array: impl arrow_array::Array + 'static) {
        self.made.push(Arc::new(array));
    }

    fn constant(&mut self, value: Option<&str>, rows: usize) -> Result<(), ArrowError> {
        let array = match value {
            None => StringArray::new_null(rows),
            Some(value) => {
                let bytes = value.len().checked_mul(rows).filter(|bytes| i32::try_from(*bytes).is_ok());
                bytes.ok_or_else(|| ArrowError::OffsetOverflowError(value.len().saturating_mul(rows)))?;
                let offsets = OffsetBuffer::from_repeated_length(value.len(), rows);
                StringArray::try_new(offsets, value.repeat(rows).into_bytes().into(), None)?
            }
        };
        self.add(array);
        Ok(())
    }

    fn texts(&mut self, spans: &[Span]) {
        let texts = self.texts;
        let length = spans.iter().map(|span| wide(span.end - span.start)).sum();
        let mut builder = StringBuilder::with_capacity(spans.len(), length);
        match self.kept {
            None => spans.iter().for_each(|span| builder.append_value(texts.text(*span))),
            Some(kept) => {
                let spans = kept.iter().filter_map(|index| spans.get(wide(*index)));
                spans.for_each(|span| builder.append_value(texts.text(*span)));
            }
        }
        self.add(builder.finish());
    }

    fn optional_texts(&mut self, spans: &[Option<Span>]) {
        let texts = self.texts;
        let length = spans.iter().flatten().map(|span| wide(span.end - span.start)).sum();
        let mut builder = StringBuilder::with_capacity(spans.len(), length);
        let text = |span: &Option<Span>| span.map(|span| texts.text(span));
        match self.kept {
            None => spans.iter().for_each(|span| builder.append_option(text(span))),
            Some(kept) => {
                let spans = kept.iter().filter_map(|index| spans.get(wide(*index)));
                spans.for_each(|span| builder.append_option(text(span)));
            }
        }
        self.add(builder.finish());
    }

    fn flags(&mut self, values: Vec<bool>) {
        let values = self.in_order(values);
        self.add(BooleanArray::new(BooleanBuffer::from(values), None));
    }

    fn known_flags(&mut self, column: KnownColumn<bool>) {
        let (values, absences) = (self.in_order(column.values), self.in_order(column.absences));
        self.add(BooleanArray::new(BooleanBuffer::from(values), validity(&absences)));
        self.reasons(&absences);
    }

    fn times(&mut self, values: Vec<i64>) -> Result<(), ArrowError> {
        let values = self.in_order(values);
        self.times_of(values, None)
    }

    fn known_times(&mut self, column: KnownColumn<i64>) -> Result<(), ArrowError> {
        let (values, absences) = (self.in_order(column.values), self.in_order(column.absences));
        self.times_of(values, validity(&absences))?;
        self.reasons(&absences);
        Ok(())
    }

    fn times_of(&mut self, values: Vec<i64>, nulls: Option<NullBuffer>) -> Result<(), ArrowError> {
        let array = TimestampMillisecondArray::try_new(values.into(), nulls)?;
        self.add(array.with_timezone(Arc::clone(&self.utc)));
        Ok(())
    }

    fn reasons(&mut self, absences: &[Option<Absence>]) {
        let length = absences.iter().flatten().map(|absence| absence.as_str().len()).sum();
        let mut builder = StringBuilder::with_capacity(absences.len(), length);
        for absence in absences {
            builder.append_option(absence.map(Absence::as_str));
        }
        self.add(builder.finish());
    }
}

/// Which values are there; `None` if all are.
fn validity(absences: &[Option<Absence>]) -> Option<NullBuffer> {
    let is_known = |index: usize| absences.get(index).is_some_and(Option::is_none);
    let known = BooleanBuffer::collect_bool(absences.len(), is_known);
    Some(NullBuffer::new(known)).filter(|nulls| nulls.null_count() > 0)
}
