//! Columns made of rows: a closure for each column says where its values are found.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, ListArray, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef};
use orgsweep_core::Timestamp;
use orgsweep_core::table::Table;

pub(crate) fn texts<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(crate) fn flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

pub(crate) fn integers(values: impl Iterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.collect::<Int32Array>())
}

pub(crate) fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect::<Int64Array>())
}

pub(crate) fn times(values: impl Iterator<Item = Option<Timestamp>>) -> ArrayRef {
    let values = values.map(|time| time.map(Timestamp::millis));
    Arc::new(values.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

/// A list of texts in each row.
pub(crate) fn text_lists(
    table: &Table,
    column: &str,
    lengths: impl Iterator<Item = usize>,
    texts: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let list = ListArray::try_new(item(table, column)?, OffsetBuffer::from_lengths(lengths), texts, None)?;
    Ok(Arc::new(list))
}

/// A list of texts in each row, or null.
pub(crate) fn optional_text_lists(
    table: &Table,
    column: &str,
    lengths: impl Iterator<Item = Option<usize>>,
    texts: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let (offsets, nulls) = optional_lists(lengths);
    Ok(Arc::new(ListArray::try_new(item(table, column)?, offsets, texts, Some(nulls))?))
}

/// A list of structs in each row, or null; `columns` are the fields of all items, one after the other.
pub(crate) fn optional_struct_lists(
    table: &Table,
    column: &str,
    lengths: impl Iterator<Item = Option<usize>>,
    columns: Vec<ArrayRef>,
) -> Result<ArrayRef, ArrowError> {
    let item = item(table, column)?;
    let (offsets, nulls) = optional_lists(lengths);
    let items = structs(&item, column, columns)?;
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(items), Some(nulls))?))
}

fn optional_lists(lengths: impl Iterator<Item = Option<usize>>) -> (OffsetBuffer<i32>, NullBuffer) {
    let lengths: Vec<Option<usize>> = lengths.collect();
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|length| length.unwrap_or_default()));
    (offsets, lengths.iter().map(Option::is_some).collect())
}

/// A list of structs in each row; `columns` are the fields of all items, one after the other.
pub(crate) fn struct_lists(
    table: &Table,
    column: &str,
    lengths: impl Iterator<Item = usize>,
    columns: Vec<ArrayRef>,
) -> Result<ArrayRef, ArrowError> {
    let item = item(table, column)?;
    let items = structs(&item, column, columns)?;
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(items), None)?))
}

fn structs(item: &FieldRef, column: &str, columns: Vec<ArrayRef>) -> Result<StructArray, ArrowError> {
    let DataType::Struct(fields) = item.data_type() else {
        return Err(ArrowError::SchemaError(format!("{column} is no list of structs")));
    };
    StructArray::try_new(fields.clone(), columns, None)
}

fn item(table: &Table, column: &str) -> Result<FieldRef, ArrowError> {
    match table.column(column).map(|column| &column.data_type) {
        Some(DataType::List(item)) => Ok(Arc::clone(item)),
        _ => Err(ArrowError::SchemaError(format!("{column} is no list"))),
    }
}
