//! One cell of a batch: reading columns by name, and a value as text.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMillisecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use orgsweep_core::Timestamp;

/// A column whose type was looked up once, for all of its cells.
#[derive(Clone, Copy)]
pub(crate) enum Cells<'a> {
    Texts(&'a StringArray),
    Flags(&'a BooleanArray),
    Short(&'a Int32Array),
    Long(&'a Int64Array),
    Times(&'a TimestampMillisecondArray),
    Other(&'a dyn Array),
}

impl<'a> Cells<'a> {
    /// The cells of a column.
    pub(crate) fn of(column: &'a dyn Array) -> Self {
        match column.data_type() {
            DataType::Utf8 => Self::Texts(column.as_string()),
            DataType::Boolean => Self::Flags(column.as_boolean()),
            DataType::Int32 => Self::Short(column.as_primitive()),
            DataType::Int64 => Self::Long(column.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Self::Times(column.as_primitive()),
            _ => Self::Other(column),
        }
    }

    /// Writes the cell as text behind what is there, timestamps as RFC 3339; false, and nothing, for null.
    pub(crate) fn push_text(self, row: usize, text: &mut String) -> bool {
        match self {
            Self::Texts(texts) => str_at(texts, row).map(|value| text.push_str(value)),
            Self::Flags(_) => self.flag(row).map(|flag| text.push_str(if flag { "true" } else { "false" })),
            Self::Short(_) | Self::Long(_) => self.number(row).map(|number| push_number(number, text)),
            Self::Times(_) => self.time(row).map(|time| time.push_to(text)),
            Self::Other(column) => other_text(column, row).map(|value| text.push_str(&value)),
        }
        .is_some()
    }

    /// The cell as a point in time; `None` for null and for columns that hold none.
    pub(crate) fn time(self, row: usize) -> Option<Timestamp> {
        let Self::Times(times) = self else { return None };
        times.is_valid(row).then(|| Timestamp::from_millis(times.value(row)))
    }

    /// The cell as yes or no; `None` for null and for columns that hold neither.
    pub(crate) fn flag(self, row: usize) -> Option<bool> {
        let Self::Flags(flags) = self else { return None };
        flags.is_valid(row).then(|| flags.value(row))
    }

    /// The cell as a whole number; `None` for null and for columns that hold none.
    pub(crate) fn number(self, row: usize) -> Option<i64> {
        match self {
            Self::Short(numbers) => numbers.is_valid(row).then(|| i64::from(numbers.value(row))),
            Self::Long(numbers) => numbers.is_valid(row).then(|| numbers.value(row)),
            _ => None,
        }
    }
}

/// Writes a number behind what is there; most have one digit.
pub(crate) fn push_number(number: i64, text: &mut String) {
    match u8::try_from(number) {
        Ok(digit @ 0..10) => text.push(char::from(b'0' + digit)),
        _ => {
            // Writing into a text does not fail.
            let _ = write!(text, "{number}");
        }
    }
}

/// The cell as [`Cells::push_text`] tells it.
pub(crate) fn text_at(column: &dyn Array, row: usize) -> Option<String> {
    let mut text = String::new();
    Cells::of(column).push_text(row, &mut text).then_some(text)
}

fn other_text(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    match column.as_list_opt() {
        Some(list) => texts_at(list, row).map(|texts| texts.join(", ")),
        None => arrow_cast::display::array_value_to_string(column, row).ok(),
    }
}

/// The texts of a list; `None` for a list of anything else.
fn texts_at(list: &ListArray, row: usize) -> Option<Vec<&str>> {
    let texts = list.values().as_string_opt::<i32>()?;
    Some(item_range(list, row).map(|item| texts.value(item)).collect())
}

/// The text, or `None` for null.
pub(crate) fn str_at(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The column that has this name.
pub(crate) fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    typed(batch, name, Some)
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
    cast: impl Fn(&'a ArrayRef) -> Option<&'a T>,
) -> Result<&'a T, ArrowError> {
    let column = batch.column_by_name(name).and_then(cast);
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
