//! Comparisons of what columns hold: of numbers and points in time 64 at a time, without a branch; of texts for those rows
//! that are asked about and have one.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};

use super::truths::{Mask, Truths, WORD, bits_in, common, rows_in, valid_words};

/// A question about the values of one row, in columns by their index. Null where a column is.
#[derive(Debug)]
pub(super) enum Test {
    /// A whole number, or a point in time as milliseconds, is this to a constant.
    Number(usize, Relation, i64),
    /// So is a text.
    Text(usize, Relation, String),
    /// A number is one of these, which are sorted.
    NumberIn(usize, Vec<i64>),
    /// So is a text.
    TextIn(usize, Vec<String>),
    /// Two columns of numbers, or of points in time, are this to each other.
    Numbers(usize, Relation, usize),
    /// So are two columns of texts.
    Texts(usize, Relation, usize),
}

/// How two values are to each other. Whatever else SQL asks is the opposite of one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    Equal,
    Greater,
}

impl Relation {
    /// The same, told from the other side.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::Equal => Self::Equal,
            Self::Greater => Self::Less,
        }
    }

    /// Whether two values that compare like this are so related.
    pub(super) fn is(self, ordering: Ordering) -> bool {
        ordering
            == match self {
                Self::Less => Ordering::Less,
                Self::Equal => Ordering::Equal,
                Self::Greater => Ordering::Greater,
            }
    }
}

impl Test {
    /// The answers for the rows that are asked about; `None` for a batch without these columns.
    pub(super) fn answer(&self, batch: &RecordBatch, asked: &[u64]) -> Option<Truths> {
        let column = |index: &usize| batch.columns().get(*index);
        match self {
            Self::Number(index, relation, constant) => {
                let (column, constant) = (column(index)?, *constant);
                match relation {
                    Relation::Less => numbers(column, asked, |number| number < constant),
                    Relation::Equal => numbers(column, asked, |number| number == constant),
                    Relation::Greater => numbers(column, asked, |number| number > constant),
                }
            }
            Self::Text(index, Relation::Equal, constant) => {
                let constant = Constant::new(constant.as_bytes());
                texts(column(index)?, asked, |texts, start, end| constant.is_at(texts, start, end))
            }
            Self::Text(index, relation, constant) => texts(column(index)?, asked, |texts, start, end| {
                texts.get(start..end).is_some_and(|text| relation.is(text.cmp(constant.as_bytes())))
            }),
            Self::NumberIn(index, list) => numbers(column(index)?, asked, |number| list.binary_search(&number).is_ok()),
            Self::TextIn(index, list) => {
                let is_listed = |text: &[u8]| list.binary_search_by(|item| item.as_bytes().cmp(text)).is_ok();
                texts(column(index)?, asked, |texts, start, end| texts.get(start..end).is_some_and(is_listed))
            }
            Self::Numbers(one, relation, other) => {
                let (one, other) = (column(one)?, column(other)?);
                pairs((one, other), asked, |row| Some(relation.is(number_at(one, row)?.cmp(&number_at(other, row)?))))
            }
            Self::Texts(one, relation, other) => {
                let (one, other) = (column(one)?, column(other)?);
                let (left, right): (&StringArray, &StringArray) = (one.as_string_opt()?, other.as_string_opt()?);
                pairs((one, other), asked, |row| Some(relation.is(text_at(left, row)?.cmp(text_at(right, row)?))))
            }
        }
    }
}

fn numbers(column: &ArrayRef, asked: &[u64], holds: impl Fn(i64) -> bool) -> Option<Truths> {
    let bits = match column.data_type() {
        DataType::Int32 => bits(column.as_primitive::<Int32Type>().values(), asked, |number| holds(i64::from(*number))),
        DataType::Int64 => bits(column.as_primitive::<Int64Type>().values(), asked, |number| holds(*number)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            bits(column.as_primitive::<TimestampMillisecondType>().values(), asked, |millis| holds(*millis))
        }
        _ => return None,
    };
    Some(Truths::of_bits(bits.into_iter(), valid_words(column)))
}

/// Which values do hold; of words without a row that is asked about none does.
fn bits<T>(values: &[T], asked: &[u64], holds: impl Fn(&T) -> bool) -> Mask {
    let word = |values: &[T]| values.iter().rev().fold(0, |bits, value| bits << 1 | u64::from(holds(value)));
    values.chunks(WORD).zip(asked).map(|(values, asked)| if *asked == 0 { 0 } else { word(values) }).collect()
}

/// Asks about texts by where they begin and end among all of a column's.
fn texts(column: &ArrayRef, asked: &[u64], holds: impl Fn(&[u8], usize, usize) -> bool) -> Option<Truths> {
    let column: &StringArray = column.as_string_opt()?;
    let valid: Mask = valid_words(column).collect();
    let (offsets, bytes) = (column.value_offsets(), column.value_data());
    let text = |offsets: &[i32], bit: usize| {
        let (start, end) = (offsets.get(bit)?, offsets.get(bit + 1)?);
        Some((usize::try_from(*start).ok()?, usize::try_from(*end).ok()?))
    };
    let word = |(place, (asked, valid)): (usize, (&u64, &u64))| {
        let offsets = offsets.get(place * WORD..).unwrap_or_default();
        let holding = |bit: &usize| text(offsets, *bit).is_some_and(|(start, end)| holds(bytes, start, end));
        bits_in(asked & valid).filter(holding).fold(0, |bits, bit| bits | 1 << bit)
    };
    let bits: Mask = asked.iter().zip(&valid).enumerate().map(word).collect();
    Some(Truths::of_bits(bits.into_iter(), valid.into_iter()))
}

/// A text to compare others with. Most are short: eight bytes are one comparison and no call.
struct Constant<'a> {
    text: &'a [u8],
    head: u64,
    mask: u64,
}

impl<'a> Constant<'a> {
    fn new(text: &'a [u8]) -> Self {
        let (mut head, mut mask) = ([0; 8], [0; 8]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(text) {
            (*head, *mask) = (*byte, u8::MAX);
        }
        Self { text, head: u64::from_le_bytes(head), mask: u64::from_le_bytes(mask) }
    }

    /// Whether it is what stands between start and end.
    fn is_at(&self, texts: &[u8], start: usize, end: usize) -> bool {
        if end.wrapping_sub(start) != self.text.len() {
            return false;
        }
        match texts.get(start..).and_then(|texts| texts.first_chunk()) {
            Some(head) if (u64::from_le_bytes(*head) ^ self.head) & self.mask != 0 => false,
            Some(_) if self.text.len() <= 8 => true,
            _ => texts.get(start..end) == Some(self.text),
        }
    }
}

/// Looks row by row at two columns, where both have a value.
fn pairs((one, other): (&ArrayRef, &ArrayRef), asked: &[u64], holds: impl Fn(usize) -> Option<bool>) -> Option<Truths> {
    let valid: Mask = valid_words(one).zip(valid_words(other)).map(|(one, other)| one & other).collect();
    let mut bits = vec![0; valid.len()];
    for row in rows_in(&common(&valid, asked)) {
        if let Some(word) = bits.get_mut(row / WORD) {
            *word |= u64::from(holds(row)?) << (row % WORD);
        }
    }
    Some(Truths::of_bits(bits.into_iter(), valid.into_iter()))
}

fn number_at(column: &ArrayRef, row: usize) -> Option<i64> {
    match column.data_type() {
        DataType::Int32 => column.as_primitive::<Int32Type>().values().get(row).copied().map(i64::from),
        DataType::Int64 => column.as_primitive::<Int64Type>().values().get(row).copied(),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().values().get(row).copied()
        }
        _ => None,
    }
}

fn text_at(column: &StringArray, row: usize) -> Option<&str> {
    (row < column.len()).then(|| column.value(row))
}
