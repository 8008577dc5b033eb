//! A cell of a table, as the model has it and as a row has it.

use std::collections::BTreeMap;
use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef};
use arrow_cast::display::array_value_to_string;
use orgsweep_core::Timestamp;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Flag(bool),
    Number(i64),
    Time(Timestamp),
    /// A text; a list is one as well, as it is shown.
    Text(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Cell {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The cells of a row, by column.
#[derive(Debug, Default)]
pub(super) struct Row(BTreeMap<String, Cell>);

impl Row {
    pub(super) fn set(&mut self, column: impl Into<String>, cell: impl Into<Cell>) {
        self.0.insert(column.into(), cell.into());
    }

    pub(super) fn get(&self, column: &str) -> Option<&Cell> {
        self.0.get(column)
    }
}

/// The cell in a column of one row.
pub(super) fn read(column: &ArrayRef) -> Cell {
    if column.is_empty() || column.is_null(0) {
        return Cell::Null;
    }
    if let Some(flags) = column.as_boolean_opt() {
        return flags.value(0).into();
    }
    if let Some(numbers) = column.as_primitive_opt::<Int32Type>() {
        return numbers.value(0).into();
    }
    if let Some(times) = column.as_primitive_opt::<TimestampMillisecondType>() {
        return Timestamp::from_millis(times.value(0)).into();
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return texts.value(0).into();
    }
    array_value_to_string(column, 0).unwrap_or_else(|error| error.to_string()).into()
}
