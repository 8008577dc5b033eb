//! One cell of a batch: reading columns by name, and a value as text.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{
    Array, BooleanArray, Int32Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use orgsweep_core::Timestamp;

/// The cell as text: timestamps as RFC 3339, `None` for null.
pub(crate) fn text_at(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row).to_owned()),
        DataType::Boolean => Some(column.as_boolean().value(row).to_string()),
        DataType::Int32 => Some(column.as_primitive::<Int32Type>().value(row).to_string()),
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Timestamp(TimeUnit::Millisecond, _) => time_at(column, row).map(|time| time.to_string()),
        DataType::List(_) => texts_at(column.as_list(), row).map(|texts| texts.join(", ")),
        _ => arrow_cast::display::array_value_to_string(column, row).ok(),
    }
}

/// Writes the cell as [`text_at`] tells it, behind what is there; false, and nothing, for null.
pub(crate) fn push_text(column: &dyn Array, row: usize, text: &mut String) -> bool {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return str_at(texts, row).inspect(|value| text.push_str(value)).is_some();
    }
    text_at(column, row).inspect(|value| text.push_str(value)).is_some()
}

/// The texts of a list; `None` for a list of anything else.
fn texts_at(list: &ListArray, row: usize) -> Option<Vec<&str>> {
    let texts = list.values().as_string_opt::<i32>()?;
    Some(item_range(list, row).map(|item| texts.value(item)).collect())
}

/// The cell as a point in time; `None` for null and for columns that hold none.
pub(crate) fn time_at(column: &dyn Array, row: usize) -> Option<Timestamp> {
    let times = column.as_primitive_opt::<TimestampMillisecondType>()?;
    times.is_valid(row).then(|| Timestamp::from_millis(times.value(row)))
}

/// The cell as yes or no; `None` for null and for columns that hold neither.
pub(crate) fn flag_at(column: &dyn Array, row: usize) -> Option<bool> {
    let flags = column.as_boolean_opt()?;
    flags.is_valid(row).then(|| flags.value(row))
}

/// The cell as a whole number; `None` for null and for columns that hold none.
pub(crate) fn number_at(column: &dyn Array, row: usize) -> Option<i64> {
    if column.is_null(row) {
        return None;
    }
    let short = column.as_primitive_opt::<Int32Type>().map(|numbers| i64::from(numbers.value(row)));
    short.or_else(|| column.as_primitive_opt::<Int64Type>().map(|numbers| numbers.value(row)))
}

/// The text, or `None` for null.
pub(crate) fn str_at(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The column of texts that has this name.
pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, ArrowError> {
    typed(batch, name, |column| column.as_string_opt::<i32>())
}

/// The column of flags that has this name.
pub(crate) fn flags<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, ArrowError> {
    typed(batch, name, |column| column.as_boolean_opt())
}

/// The column of times that has this name.
pub(crate) fn times<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a TimestampMillisecondArray, ArrowError> {
    typed(batch, name, |column| column.as_primitive_opt::<TimestampMillisecondType>())
}

/// The column of integers that has this name.
pub(crate) fn integers<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int32Array, ArrowError> {
    typed(batch, name, |column| column.as_primitive_opt::<Int32Type>())
}

/// The column of lists that has this name.
pub(crate) fn lists<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ListArray, ArrowError> {
    typed(batch, name, |column| column.as_list_opt::<i32>())
}

/// The texts that the items of a list of structs have under this name.
pub(crate) fn item_texts<'a>(list: &'a ListArray, name: &str) -> Result<&'a StringArray, ArrowError> {
    let items: Option<&StructArray> = list.values().as_struct_opt();
    let column = items.and_then(|items| items.column_by_name(name)).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ArrowError::SchemaError(format!("list items have no text {name:?}")))
}

fn typed<'a, T>(
    batch: &'a RecordBatch,
    name: &str,
    cast: impl Fn(&'a dyn Array) -> Option<&'a T>,
) -> Result<&'a T, ArrowError> {
    let column = batch.column_by_name(name).and_then(|column| cast(column.as_ref()));
    column.ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name:?} of the type expected")))
}

/// The positions of a list's items among the items of all lists; none where the list is null.
pub(crate) fn item_range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offset = |index: usize| list.value_offsets().get(index).and_then(|offset| usize::try_from(*offset).ok());
    if list.is_null(row) {
        return 0..0;
    }
    offset(row).unwrap_or_default()..offset(row + 1).unwrap_or_default()
}
