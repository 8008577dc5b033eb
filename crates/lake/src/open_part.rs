//! One Parquet file while it is written: its columns are encoded each by itself, on whatever threads the caller has.
//!
//! Rows are handed out as work, column by column; what comes back encoded goes into the file in the columns' order. So
//! the bytes depend on the rows alone, and not on who encoded which column when. Row groups end by their number of
//! rows, and files where row groups do. Knows no store.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::DataType;
use bytes::Bytes;
use orgsweep_core::table::Table;
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::LakeError;
use crate::leaf::{LeafChunk, LeafPlan, LeafWriter};
use crate::part_bytes::PartBytes;

/// A file that grows by row groups.
pub(crate) struct OpenPart {
    table: &'static Table,
    file: SerializedFileWriter<PartBytes>,
    /// What the leaves of each column are.
    plans: Vec<Vec<LeafPlan>>,
    /// Rows of the row group in the making.
    group_rows: usize,
    /// Its columns, unless they are being worked on.
    columns: Vec<Column>,
    /// All rows so far.
    rows: u64,
}

/// A column of a row group. A list or a struct has a writer for each leaf.
struct Column {
    leaves: Vec<LeafWriter>,
}

/// The next rows of one column.
pub struct ColumnWork {
    table: &'static str,
    column: Column,
    arrays: Vec<ArrayRef>,
    ends_group: bool,
}

/// A column whose rows are encoded.
pub struct EncodedColumn(Encoded);

enum Encoded {
    Growing(Column),
    Ended(Vec<LeafChunk>),
}

impl ColumnWork {
    /// Encodes the rows, and compresses what makes a page full.
    ///
    /// # Errors
    /// The values are not of the column's type.
    pub fn encode(self) -> Result<EncodedColumn, LakeError> {
        let table = self.table;
        self.encoded().map_err(|error| LakeError::unencodable(table, error))
    }

    fn encoded(self) -> Result<EncodedColumn> {
        let Self { mut column, arrays, ends_group, .. } = self;
        for array in &arrays {
            for leaf in &mut column.leaves {
                leaf.write(array)?;
            }
        }
        if !ends_group {
            return Ok(EncodedColumn(Encoded::Growing(column)));
        }
        let chunks = column.leaves.into_iter().map(LeafWriter::close);
        Ok(EncodedColumn(Encoded::Ended(chunks.collect::<Result<_>>()?)))
    }
}

impl OpenPart {
    /// A file without rows, whose row groups will have `group_rows` rows at most.
    pub(crate) fn begin(table: &'static Table, properties: WriterProperties, group_rows: usize) -> Result<Self> {
        let schema = ArrowSchemaConverter::new().convert(&table.schema())?;
        let mut plans = vec![Vec::new(); table.columns.len()];
        for (index, leaf) in schema.columns().iter().enumerate() {
            if let Some(column) = plans.get_mut(schema.get_column_root_idx(index)) {
                column.push(LeafPlan::of(table, leaf, group_rows)?);
            }
        }
        let file = SerializedFileWriter::new(PartBytes::default(), schema.root_schema_ptr(), Arc::new(properties))?;
        Ok(Self { table, file, plans, group_rows: 0, columns: Vec::new(), rows: 0 })
    }

    /// Takes rows from the queue until it is empty, or the row group has `full` rows and so ends. It ends as well where
    /// the table does, behind the queue.
    pub(crate) fn next_work(
        &mut self,
        queue: &mut VecDeque<RecordBatch>,
        full: usize,
        table_ends: bool,
    ) -> Result<Vec<ColumnWork>> {
        if self.columns.is_empty() {
            self.columns = self.begin_group()?;
        }
        let mut batches = Vec::with_capacity(queue.len());
        while self.group_rows < full
            && let Some(batch) = queue.pop_front()
        {
            hold_types(self.table, &batch)?;
            let rows = batch.num_rows().min(full - self.group_rows);
            if rows < batch.num_rows() {
                queue.push_front(batch.slice(rows, batch.num_rows() - rows));
            }
            self.group_rows += rows;
            batches.push(batch.slice(0, rows));
        }
        let ends_group = self.group_rows >= full || (table_ends && queue.is_empty());
        let columns = self.columns.drain(..).enumerate().map(|(index, column)| ColumnWork {
            table: self.table.name,
            column,
            arrays: batches.iter().filter_map(|batch| batch.columns().get(index)).cloned().collect(),
            ends_group,
        });
        Ok(columns.collect())
    }

    fn begin_group(&self) -> Result<Vec<Column>> {
        let schema = self.table.schema();
        let columns = schema.fields().iter().zip(&self.plans);
        columns.map(|(field, plans)| Ok(Column { leaves: LeafWriter::of_column(field, plans)? })).collect()
    }

    /// Takes back the columns that were worked on, in their order; returns whether that ended a row group.
    pub(crate) fn take_back(&mut self, columns: Vec<EncodedColumn>) -> Result<bool> {
        let mut chunks = Vec::new();
        for EncodedColumn(encoded) in columns {
            match encoded {
                Encoded::Growing(column) => self.columns.push(column),
                Encoded::Ended(leaves) => chunks.extend(leaves),
            }
        }
        if chunks.is_empty() {
            return Ok(false);
        }
        let mut group = self.file.next_row_group()?;
        for LeafChunk { pages, close } in chunks {
            group.append_column(&Bytes::from(pages.concat()), close)?;
        }
        group.close()?;
        self.rows += u64::try_from(std::mem::take(&mut self.group_rows)).unwrap_or(u64::MAX);
        Ok(true)
    }

    /// Whether rows came that no row group holds yet.
    pub(crate) fn is_in_a_group(&self) -> bool {
        self.group_rows > 0
    }

    /// Bytes of the row groups that have ended.
    pub(crate) fn bytes(&self) -> usize {
        self.file.bytes_written()
    }

    /// Ends the file: its rows and its bytes.
    pub(crate) fn finish(self) -> Result<(u64, PartBytes)> {
        Ok((self.rows, self.file.into_inner()?))
    }

    /// As [`OpenPart::finish`], with the bytes in memory.
    #[cfg(test)]
    pub(crate) fn end(self) -> Result<(u64, object_store::PutPayload)> {
        let (rows, bytes) = self.finish()?;
        Ok((rows, bytes.into_payload()?))
    }
}

/// Columns are those of the table, whose texts may come with a dictionary.
fn hold_types(table: &Table, batch: &RecordBatch) -> Result<()> {
    let (wanted, schema) = (table.schema(), batch.schema());
    let are_as_many = wanted.fields().len() == schema.fields().len();
    match wanted.fields().iter().zip(schema.fields()).find(|(wanted, own)| !fits(wanted.data_type(), own.data_type())) {
        None if are_as_many => Ok(()),
        None => Err(ParquetError::General(format!("rows of {} columns", schema.fields().len()))),
        Some((wanted, own)) => {
            let told = format!("{} is {}, not {}", own.name(), own.data_type(), wanted.data_type());
            Err(ParquetError::General(told))
        }
    }
}

fn fits(wanted: &DataType, own: &DataType) -> bool {
    match (wanted, own) {
        (DataType::Utf8, DataType::Dictionary(key, text)) => **key == DataType::UInt32 && **text == DataType::Utf8,
        (DataType::List(wanted), DataType::List(own)) => fits(wanted.data_type(), own.data_type()),
        (DataType::Struct(wanted), DataType::Struct(own)) => {
            wanted.len() == own.len()
                && wanted.iter().zip(own).all(|(wanted, own)| fits(wanted.data_type(), own.data_type()))
        }
        _ => wanted == own,
    }
}

impl fmt::Debug for OpenPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OpenPart")
            .field("table", &self.table.name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
