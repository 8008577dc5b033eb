//! The values of one page, growing: encoded as they come, nulls left out.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, BooleanArray, StringArray};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;

use super::bounds::{Bounds, Value};
use super::delta::Deltas;
use super::dictionary::{Dictionary, Seen};
use super::plan::{LeafPlan, Values as Planned};
use super::texts::{AlikeTexts, PlainTexts};

/// Uncompressed bytes at which a dictionary, and the page that took it there, end: dictionaries are pages too.
const DICTIONARY_BYTES: usize = 900_000;

/// The values of a page, and what the column chunk keeps beside its pages.
#[derive(Debug)]
pub(super) enum Values {
    Flags { bits: BooleanBufferBuilder },
    Narrow { deltas: Deltas<false>, bounds: Option<(i64, i64)> },
    Wide { deltas: Deltas<true>, bounds: Option<(i64, i64)> },
    Texts(Box<Texts>),
}

/// The texts of a page.
#[derive(Debug)]
pub(super) struct Texts {
    open: OpenTexts,
    pub(super) filter: Option<Sbbf>,
    /// The chunk's dictionary, unless it is open.
    pub(super) dictionary: Option<Dictionary>,
}

#[derive(Debug)]
enum OpenTexts {
    Keys(Dictionary),
    Alike(AlikeTexts),
    Plain(PlainTexts),
}

impl Values {
    pub(super) fn new(plan: &LeafPlan) -> Self {
        let texts = |open| Self::Texts(Box::new(Texts { open, filter: plan.new_filter(), dictionary: None }));
        match plan.values {
            Planned::Flags => Self::Flags { bits: BooleanBufferBuilder::new(0) },
            Planned::Narrow => Self::Narrow { deltas: Deltas::default(), bounds: None },
            Planned::Wide => Self::Wide { deltas: Deltas::default(), bounds: None },
            Planned::Few => texts(OpenTexts::Keys(Dictionary::default())),
            Planned::Alike => texts(OpenTexts::Alike(AlikeTexts::default())),
            Planned::Plain => texts(OpenTexts::Plain(PlainTexts::default())),
        }
    }

    /// Adds those of these rows that are not null.
    pub(super) fn extend(&mut self, values: &dyn Array, rows: Range<usize>) {
        match self {
            Self::Flags { bits } => extend_flags(bits, values.as_boolean(), &rows),
            Self::Narrow { deltas, bounds } => {
                let numbers = values.as_primitive::<Int32Type>().values();
                let number = |row| numbers.get(row).copied().map_or(0, i64::from);
                each_valid(values, rows, |row| push_number(deltas, bounds, number(row)));
            }
            Self::Wide { deltas, bounds } => {
                let numbers = match values.data_type() {
                    DataType::Int64 => values.as_primitive::<Int64Type>().values(),
                    _ => values.as_primitive::<TimestampMillisecondType>().values(),
                };
                let number = |row| numbers.get(row).copied().unwrap_or_default();
                each_valid(values, rows, |row| push_number(deltas, bounds, number(row)));
            }
            Self::Texts(texts) => texts.extend(values.as_string(), rows),
        }
    }

    /// Bytes of the page so far, about.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Flags { bits } => bits.len() / 8,
            Self::Narrow { deltas, .. } => deltas.bytes(),
            Self::Wide { deltas, .. } => deltas.bytes(),
            Self::Texts(texts) => texts.open.bytes(),
        }
    }

    /// Writes the page's values and begins the next page: how they are encoded, and between which they lie.
    pub(super) fn end_page(&mut self, out: &mut Vec<u8>) -> (Encoding, Option<Bounds>) {
        match self {
            Self::Flags { bits } => {
                let flags = bits.finish();
                out.extend_from_slice(flags.values());
                (Encoding::PLAIN, bounds_of_flags(flags.count_set_bits(), flags.len()))
            }
            Self::Narrow { deltas, bounds } => {
                deltas.end(out);
                (Encoding::DELTA_BINARY_PACKED, bounds_of_numbers(bounds))
            }
            Self::Wide { deltas, bounds } => {
                deltas.end(out);
                (Encoding::DELTA_BINARY_PACKED, bounds_of_numbers(bounds))
            }
            Self::Texts(texts) => texts.end_page(out),
        }
    }
}

impl Texts {
    fn extend(&mut self, values: &StringArray, rows: Range<usize>) {
        let Self { open, filter, .. } = self;
        let text = |row: usize| values.value(row).as_bytes();
        let mut filter = |text: &[u8]| {
            if let Some(filter) = filter {
                filter.insert(text);
            }
        };
        match open {
            OpenTexts::Keys(dictionary) => each_valid(values, rows, |row| {
                if dictionary.push(text(row)) == Seen::Never {
                    filter(text(row));
                }
            }),
            OpenTexts::Alike(texts) => each_valid(values, rows, |row| {
                texts.push(text(row));
                filter(text(row));
            }),
            OpenTexts::Plain(texts) => each_valid(values, rows, |row| {
                texts.push(text(row));
                filter(text(row));
            }),
        }
    }

    fn end_page(&mut self, out: &mut Vec<u8>) -> (Encoding, Option<Bounds>) {
        let told = match &mut self.open {
            OpenTexts::Keys(dictionary) => (Encoding::RLE_DICTIONARY, dictionary.end_page(out)),
            OpenTexts::Alike(texts) => (Encoding::DELTA_BYTE_ARRAY, texts.end(out)),
            OpenTexts::Plain(texts) => {
                texts.end(out);
                (Encoding::DELTA_LENGTH_BYTE_ARRAY, None)
            }
        };
        if matches!(&self.open, OpenTexts::Keys(dictionary) if dictionary.bytes() >= DICTIONARY_BYTES) {
            self.close_dictionary();
        }
        told
    }

    /// No further page uses the dictionary.
    pub(super) fn close_dictionary(&mut self) {
        match std::mem::replace(&mut self.open, OpenTexts::Alike(AlikeTexts::default())) {
            OpenTexts::Keys(dictionary) => self.dictionary = Some(dictionary),
            open => self.open = open,
        }
    }
}

impl OpenTexts {
    fn bytes(&self) -> usize {
        match self {
            Self::Keys(dictionary) if dictionary.bytes() >= DICTIONARY_BYTES => usize::MAX,
            Self::Keys(dictionary) => dictionary.page_bytes(),
            Self::Alike(texts) => texts.bytes(),
            Self::Plain(texts) => texts.bytes(),
        }
    }
}

/// Does something for each of these rows that is not null.
fn each_valid(values: &dyn Array, rows: Range<usize>, mut act: impl FnMut(usize)) {
    match values.nulls() {
        None => rows.for_each(act),
        Some(nulls) => {
            let there = nulls.inner().slice(rows.start, rows.len());
            there.set_indices().for_each(|row| act(rows.start + row));
        }
    }
}

fn extend_flags(bits: &mut BooleanBufferBuilder, flags: &BooleanArray, rows: &Range<usize>) {
    let own = flags.values();
    match flags.nulls() {
        None => bits.append_buffer(&own.slice(rows.start, rows.len())),
        Some(nulls) => {
            let there = nulls.inner().slice(rows.start, rows.len());
            there.set_slices().for_each(|(from, to)| bits.append_buffer(&own.slice(rows.start + from, to - from)));
        }
    }
}

fn bounds_of_flags(set: usize, all: usize) -> Option<Bounds> {
    (all > 0).then_some(Bounds { least: Value::Flag(set == all), greatest: Value::Flag(set > 0) })
}

fn push_number<const WIDE: bool>(deltas: &mut Deltas<WIDE>, bounds: &mut Option<(i64, i64)>, number: i64) {
    let (least, greatest) = bounds.get_or_insert((number, number));
    *least = number.min(*least);
    *greatest = number.max(*greatest);
    deltas.push(number);
}

fn bounds_of_numbers(bounds: &mut Option<(i64, i64)>) -> Option<Bounds> {
    bounds.take().map(|(least, greatest)| Bounds { least: Value::Number(least), greatest: Value::Number(greatest) })
}
