//! The column `evidence` of findings: the values that a verdict rests on, as text and as what they are.

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, BooleanBuilder, Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use orgsweep_core::table::{self, timestamp_type};

use crate::cell::{flag_at, number_at, push_text, time_at};

/// The column, growing.
pub(crate) struct EvidenceBuilder {
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

impl EvidenceBuilder {
    pub(crate) fn new() -> Self {
        Self {
            names: StringBuilder::new(),
            values: StringBuilder::new(),
            flags: BooleanBuilder::new(),
            numbers: Int64Builder::new(),
            times: TimestampMillisecondBuilder::new().with_data_type(timestamp_type()),
            ends: vec![0],
            text: String::new(),
        }
    }

    /// Adds a finding: its items are these columns of one row, if it is about a row.
    pub(crate) fn push(
        &mut self,
        batch: &RecordBatch,
        columns: &[usize],
        row: Option<usize>,
    ) -> Result<(), ArrowError> {
        if let Some(row) = row {
            for index in columns {
                self.push_item(batch.schema_ref().field(*index).name(), batch.column(*index), row);
            }
        }
        let end = i32::try_from(self.names.len());
        self.ends.push(end.map_err(|_| ArrowError::OffsetOverflowError(self.names.len()))?);
        Ok(())
    }

    fn push_item(&mut self, name: &str, column: &dyn Array, row: usize) {
        self.names.append_value(name);
        self.text.clear();
        let is_there = push_text(column, row, &mut self.text);
        self.values.append_option(is_there.then_some(self.text.as_str()));
        self.flags.append_option(flag_at(column, row));
        self.numbers.append_option(number_at(column, row));
        self.times.append_option(time_at(column, row).map(orgsweep_core::Timestamp::millis));
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
