//! The least and the greatest value of a page, and of a column chunk: what readers prune by.

use parquet::basic::Type;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// A value that can be compared with others of its column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Flag(bool),
    Number(i64),
    Text(Vec<u8>),
}

/// The least and the greatest of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: Value,
    pub(super) greatest: Value,
}

impl Bounds {
    /// Those of both.
    pub(super) fn widen(bounds: &mut Option<Self>, other: &Self) {
        match bounds {
            None => *bounds = Some(other.clone()),
            Some(bounds) => {
                if other.least < bounds.least {
                    bounds.least = other.least.clone();
                }
                if other.greatest > bounds.greatest {
                    bounds.greatest = other.greatest.clone();
                }
            }
        }
    }
}

impl Value {
    /// As Parquet writes it.
    pub(super) fn to_bytes(&self, physical: Type) -> Vec<u8> {
        match self {
            Self::Flag(flag) => vec![u8::from(*flag)],
            Self::Number(number) => {
                let width = if physical == Type::INT32 { 4 } else { 8 };
                number.to_le_bytes().into_iter().take(width).collect()
            }
            Self::Text(text) => text.clone(),
        }
    }

    fn flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }

    fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    fn text(&self) -> Option<ByteArray> {
        if let Self::Text(text) = self { Some(text.clone().into()) } else { None }
    }
}

/// The statistics of a column chunk.
pub(super) fn statistics(bounds: Option<&Bounds>, nulls: u64, physical: Type) -> Statistics {
    let ends = (bounds.map(|it| &it.least), bounds.map(|it| &it.greatest));
    match physical {
        Type::BOOLEAN => of(ends, Value::flag, nulls).into(),
        Type::INT32 => of(ends, |value| value.number().and_then(|it| i32::try_from(it).ok()), nulls).into(),
        Type::INT64 => of(ends, Value::number, nulls).into(),
        _ => of(ends, Value::text, nulls).into(),
    }
}

fn of<T>(
    (least, greatest): (Option<&Value>, Option<&Value>),
    value: impl Fn(&Value) -> Option<T>,
    nulls: u64,
) -> ValueStatistics<T> {
    ValueStatistics::new(least.and_then(&value), greatest.and_then(&value), None, Some(nulls), false)
}
