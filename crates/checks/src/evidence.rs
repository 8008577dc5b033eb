//! The column `evidence` of findings: the values that a verdict rests on, as text and as what they are.

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int64Array, ListArray, RecordBatch, StructArray,
    TimestampMillisecondArray, UInt32Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use orgsweep_core::Timestamp;
use orgsweep_core::table::{self, timestamp_type};

use crate::CheckTable;
use crate::cell::Cells;
use crate::compile::Check;
use crate::facts::Facts;
use crate::text_builder::TextBuilder;
use crate::words::{CheckWords, Words};

/// Bytes of a value as text, about: what room is made for.
const TEXT_BYTES: usize = 16;

/// The column, growing.
pub(crate) struct EvidenceBuilder<'a> {
    accounts: Vec<Cells<'a>>,
    credentials: Vec<Cells<'a>>,
    access_keys: Vec<Cells<'a>>,
    names: Vec<u32>,
    values: TextBuilder,
    flags: Vec<bool>,
    numbers: Vec<i64>,
    times: Vec<i64>,
    is_flag: Vec<bool>,
    is_number: Vec<bool>,
    is_time: Vec<bool>,
    /// Where the items of each finding end.
    ends: Vec<usize>,
}

impl<'a> EvidenceBuilder<'a> {
    /// The column of findings that have so many items together.
    pub(crate) fn new(facts: &'a Facts<'a>, items: usize) -> Self {
        Self {
            accounts: cells(&facts.accounts.batch),
            credentials: cells(&facts.credentials.batch),
            access_keys: cells(&facts.access_keys.batch),
            names: Vec::with_capacity(items),
            values: TextBuilder::with_capacity(items, TEXT_BYTES),
            flags: Vec::with_capacity(items),
            numbers: Vec::with_capacity(items),
            times: Vec::with_capacity(items),
            is_flag: Vec::with_capacity(items),
            is_number: Vec::with_capacity(items),
            is_time: Vec::with_capacity(items),
            ends: vec![0],
        }
    }

    /// Adds a finding of a check: its items are the check's columns of one row of its table, if it is about a row.
    pub(crate) fn push(&mut self, check: &Check, words: &CheckWords, row: Option<usize>) {
        if let Some(row) = row {
            self.push_items(check, words, row);
        }
        self.ends.push(self.names.len());
    }

    fn push_items(&mut self, check: &Check, words: &CheckWords, row: usize) {
        let cells = match check.table {
            CheckTable::Accounts => &self.accounts,
            CheckTable::Credentials => &self.credentials,
            CheckTable::AccessKeys => &self.access_keys,
        };
        for (column, name) in check.evidence.iter().zip(&words.evidence) {
            let Some(cells) = cells.get(*column).copied() else { continue };
            let is_there = cells.push_text(row, self.values.text());
            self.values.end_if(is_there);
            let (flag, number, time) = (cells.flag(row), cells.number(row), cells.time(row));
            self.names.push(*name);
            self.flags.push(flag.unwrap_or_default());
            self.numbers.push(number.unwrap_or_default());
            self.times.push(time.map_or(0, Timestamp::millis));
            self.is_flag.push(flag.is_some());
            self.is_number.push(number.is_some());
            self.is_time.push(time.is_some());
        }
    }

    /// The column of all findings.
    pub(crate) fn finish(self, words: &Words) -> Result<ListArray, ArrowError> {
        let column = table::findings().column("evidence").map(|column| &column.data_type);
        let Some(DataType::List(item)) = column else {
            return Err(ArrowError::SchemaError("evidence is no list".to_owned()));
        };
        let DataType::Struct(fields) = item.data_type() else {
            return Err(ArrowError::SchemaError(format!("evidence is a list of {}", item.data_type())));
        };
        let there = |is: Vec<bool>| Some(NullBuffer::from(is));
        let names = UInt32Array::from(self.names);
        let times = TimestampMillisecondArray::try_new(self.times.into(), there(self.is_time))?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(DictionaryArray::<UInt32Type>::try_new(names, Arc::clone(&words.evidence))?),
            Arc::new(self.values.finish()?),
            Arc::new(BooleanArray::new(self.flags.into(), there(self.is_flag))),
            Arc::new(Int64Array::try_new(self.numbers.into(), there(self.is_number))?),
            Arc::new(times.with_data_type(timestamp_type())),
        ];
        let built = |(field, column): (&Arc<Field>, &ArrayRef)| {
            field.as_ref().clone().with_data_type(column.data_type().clone())
        };
        let fields: Vec<Field> = fields.iter().zip(&columns).map(built).collect();
        let items = StructArray::try_new(fields.into(), columns, None)?;
        let item = Arc::new(item.as_ref().clone().with_data_type(items.data_type().clone()));
        ListArray::try_new(item, offsets(&self.ends)?, Arc::new(items), None)
    }
}

fn cells(batch: &RecordBatch) -> Vec<Cells<'_>> {
    batch.columns().iter().map(|column| Cells::of(column)).collect()
}

/// Offsets of lists that end there.
pub(crate) fn offsets(ends: &[usize]) -> Result<OffsetBuffer<i32>, ArrowError> {
    let offset = |end: &usize| i32::try_from(*end).map_err(|_| ArrowError::OffsetOverflowError(*end));
    let ends = ends.iter().map(offset).collect::<Result<Vec<_>, _>>()?;
    Ok(OffsetBuffer::new(ScalarBuffer::from(ends)))
}
