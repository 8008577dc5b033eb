//! The column `evidence` of findings: the values that a verdict rests on, as text and as what they are.

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, BooleanBuilder, Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use orgsweep_core::Timestamp;
use orgsweep_core::table::{self, timestamp_type};

use crate::CheckTable;
use crate::cell::Cells;
use crate::facts::Facts;

/// Bytes of a name or a value, about: what room is made for.
const TEXT_BYTES: usize = 16;

/// The column, growing.
pub(crate) struct EvidenceBuilder<'a> {
    accounts: NamedCells<'a>,
    credentials: NamedCells<'a>,
    access_keys: NamedCells<'a>,
    names: StringBuilder,
    values: StringBuilder,
    flags: BooleanBuilder,
    numbers: Int64Builder,
    times: TimestampMillisecondBuilder,
    /// Where the items of each finding end.
    ends: Vec<i32>,
    /// The text being made.
    text: String,
}

/// The columns of a table and their names.
type NamedCells<'a> = Vec<(&'a str, Cells<'a>)>;

impl<'a> EvidenceBuilder<'a> {
    /// The column of findings that have so many items together.
    pub(crate) fn new(facts: &'a Facts<'a>, items: usize) -> Self {
        Self {
            accounts: named_cells(&facts.accounts.batch),
            credentials: named_cells(&facts.credentials.batch),
            access_keys: named_cells(&facts.access_keys.batch),
            names: StringBuilder::with_capacity(items, items * TEXT_BYTES),
            values: StringBuilder::with_capacity(items, items * TEXT_BYTES),
            flags: BooleanBuilder::with_capacity(items),
            numbers: Int64Builder::with_capacity(items),
            times: TimestampMillisecondBuilder::with_capacity(items).with_data_type(timestamp_type()),
            ends: vec![0],
            text: String::new(),
        }
    }

    /// Adds a finding: its items are these columns of one row of the table, if it is about a row.
    pub(crate) fn push(&mut self, table: CheckTable, columns: &[usize], row: Option<usize>) -> Result<(), ArrowError> {
        for column in columns {
            let cells = match table {
                CheckTable::Accounts => &self.accounts,
                CheckTable::Credentials => &self.credentials,
                CheckTable::AccessKeys => &self.access_keys,
            };
            if let (Some((name, cells)), Some(row)) = (cells.get(*column).copied(), row) {
                self.push_item(name, cells, row);
            }
        }
        let end = i32::try_from(self.names.len());
        self.ends.push(end.map_err(|_| ArrowError::OffsetOverflowError(self.names.len()))?);
        Ok(())
    }

    fn push_item(&mut self, name: &str, cells: Cells<'a>, row: usize) {
        self.names.append_value(name);
        self.text.clear();
        let is_there = cells.push_text(row, &mut self.text);
        self.values.append_option(is_there.then_some(self.text.as_str()));
        self.flags.append_option(cells.flag(row));
        self.numbers.append_option(cells.number(row));
        self.times.append_option(cells.time(row).map(Timestamp::millis));
    }

    /// The column of all findings.
    pub(crate) fn finish(mut self) -> Result<ListArray, ArrowError> {
        let column = table::findings().column("evidence").map(|column| &column.data_type);
        let Some(DataType::List(item)) = column else {
            return Err(ArrowError::SchemaError("evidence is no list".to_owned()));
        };
        let DataType::Struct(fields) = item.data_type() else {
            return Err(ArrowError::SchemaError(format!("evidence is a list of {}", item.data_type())));
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.names.finish()),
            Arc::new(self.values.finish()),
            Arc::new(self.flags.finish()),
            Arc::new(self.numbers.finish()),
            Arc::new(self.times.finish()),
        ];
        let items = StructArray::try_new(fields.clone(), columns, None)?;
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        ListArray::try_new(Arc::clone(item), ends, Arc::new(items), None)
    }
}

fn named_cells(batch: &RecordBatch) -> NamedCells<'_> {
    let fields = batch.schema_ref().fields().iter().map(|field| field.name().as_str());
    fields.zip(batch.columns().iter().map(|column| Cells::of(column))).collect()
}
