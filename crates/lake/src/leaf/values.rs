//! The values of one page, growing: encoded as they come, nulls left out.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType, UInt32Type};
use arrow_array::{Array, BooleanArray, DictionaryArray, StringArray};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;

use super::bounds::{Bounds, Value};
use super::column::TextColumn;
use super::dictionary::Dictionary;
use super::numbers::Numbers;
use super::plan::{LeafPlan, Values as Planned};
use super::texts::{AlikeTexts, PlainTexts};

/// Uncompressed bytes at which a dictionary, and the page that took it there, end: dictionaries are pages too.
const DICTIONARY_BYTES: usize = 900_000;

/// The values of a page, and what the column chunk keeps beside its pages.
#[derive(Debug)]
pub(super) enum Values {
    Flags { bits: BooleanBufferBuilder },
    Narrow(Numbers<false>),
    Wide(Numbers<true>),
    Texts(Box<Texts>),
}

/// The texts of a page.
#[derive(Debug)]
pub(super) struct Texts {
    open: OpenTexts,
    pub(super) filter: Option<Sbbf>,
    /// The chunk's dictionary, unless it is open.
    pub(super) dictionary: Option<Dictionary>,
    /// The keys that texts of an array's own dictionary have in the chunk's, as far as they came.
    keys_here: Vec<Option<u32>>,
    /// Whether it is asked between which texts those of a page lie.
    has_bounds: bool,
}

#[derive(Debug)]
enum OpenTexts {
    Keys(Dictionary),
    Alike(AlikeTexts),
    Plain(PlainTexts),
}

impl Values {
    pub(super) fn new(plan: &LeafPlan) -> Self {
        let texts = |open| {
            let (filter, has_bounds) = (plan.new_filter(), plan.has_bounds);
            Self::Texts(Box::new(Texts { open, filter, dictionary: None, keys_here: Vec::new(), has_bounds }))
        };
        match plan.values {
            Planned::Flags => Self::Flags { bits: BooleanBufferBuilder::new(0) },
            Planned::Narrow => Self::Narrow(Numbers::default()),
            Planned::Wide => Self::Wide(Numbers::default()),
            Planned::Few => texts(OpenTexts::Keys(Dictionary::default())),
            Planned::Alike => texts(OpenTexts::Alike(AlikeTexts::new(plan.has_bounds))),
            Planned::Plain => texts(OpenTexts::Plain(PlainTexts::default())),
        }
    }

    /// Adds those of these rows that are not null.
    pub(super) fn extend(&mut self, values: &dyn Array, rows: Range<usize>) {
        match self {
            Self::Flags { bits } => extend_flags(bits, values.as_boolean(), &rows),
            Self::Narrow(numbers) => {
                numbers.extend(values.as_primitive::<Int32Type>().values(), values.nulls(), rows);
            }
            Self::Wide(numbers) => {
                let wide: &[i64] = match values.data_type() {
                    DataType::Int64 => values.as_primitive::<Int64Type>().values(),
                    _ => values.as_primitive::<TimestampMillisecondType>().values(),
                };
                numbers.extend(wide, values.nulls(), rows);
            }
            Self::Texts(texts) => match values.data_type() {
                DataType::Dictionary(..) => texts.extend_coded(values.as_dictionary(), rows),
                _ => texts.extend(values.as_string(), rows),
            },
        }
    }

    /// Another array follows, whose dictionary, if it has one, is not that of the last.
    pub(super) fn begin_array(&mut self) {
        if let Self::Texts(texts) = self {
            texts.keys_here.clear();
        }
    }

    /// Bytes of the page so far, about.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Flags { bits } => bits.len() / 8,
            Self::Narrow(numbers) => numbers.bytes(),
            Self::Wide(numbers) => numbers.bytes(),
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
            Self::Narrow(numbers) => (Encoding::DELTA_BINARY_PACKED, numbers.end(out)),
            Self::Wide(numbers) => (Encoding::DELTA_BINARY_PACKED, numbers.end(out)),
            Self::Texts(texts) => texts.end_page(out),
        }
    }
}

impl Texts {
    fn extend(&mut self, values: &StringArray, rows: Range<usize>) {
        let (column, filter) = (TextColumn::of(values), &mut self.filter);
        match &mut self.open {
            // It has each text once.
            OpenTexts::Keys(dictionary) => {
                return dictionary.extend(column, rows, |text| look_up(filter, text));
            }
            OpenTexts::Alike(texts) => texts.extend(column, rows.clone()),
            OpenTexts::Plain(texts) => texts.extend(column, rows.clone()),
        }
        if filter.is_some() {
            column.each(rows, |row| look_up(filter, column.text(&column.place(row))));
        }
    }

    /// Adds texts that come with a dictionary: each is looked up when it comes first, and not again.
    fn extend_coded(&mut self, coded: &DictionaryArray<UInt32Type>, rows: Range<usize>) {
        let texts = coded.values().as_string::<i32>();
        let keys = coded.keys().slice(rows.start, rows.len());
        let Self { open: OpenTexts::Keys(dictionary), keys_here, filter, .. } = self else {
            let texts: StringArray = keys.iter().map(|key| key.map(|key| texts.value(key as usize))).collect();
            return self.extend(&texts, 0..rows.len());
        };
        keys_here.resize(texts.len(), None);
        for key in keys.iter().flatten() {
            let key = key as usize;
            if let Some(here @ None) = keys_here.get_mut(key) {
                *here = Some(dictionary.key_of(texts.value(key).as_bytes(), |text| look_up(filter, text)));
            }
        }
        let here = |key: u32| keys_here.get(key as usize).copied().flatten().unwrap_or_default();
        match keys.nulls() {
            None => dictionary.extend_by_keys(keys.values().iter().map(|key| here(*key))),
            Some(_) => dictionary.extend_by_keys(keys.iter().flatten().map(here)),
        }
    }

    fn end_page(&mut self, out: &mut Vec<u8>) -> (Encoding, Option<Bounds>) {
        let told = match &mut self.open {
            OpenTexts::Keys(dictionary) => (Encoding::RLE_DICTIONARY, dictionary.end_page(self.has_bounds, out)),
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
        match std::mem::replace(&mut self.open, OpenTexts::Alike(AlikeTexts::new(self.has_bounds))) {
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

/// Lets readers look a text up.
fn look_up(filter: &mut Option<Sbbf>, text: &[u8]) {
    if let Some(filter) = filter {
        filter.insert(text);
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
