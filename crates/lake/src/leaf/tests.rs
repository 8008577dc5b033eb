//! Any rows of any table are read back as they were, by the reader that everybody uses; and what pages say of their
//! values is true.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use fastrand::Rng;
use object_store::PutPayload;
use orgsweep_core::table::{self, Table, timestamp_type};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::open_part::{ColumnWork, OpenPart};

/// How the values of a column come.
#[derive(Clone, Copy)]
enum Kind {
    /// All the same.
    Constant,
    /// A few, in runs.
    Few,
    /// All different.
    Any,
}

/// The values of one column: every second one, or so, of as many as the kind has.
struct Draw<'r> {
    rng: &'r mut Rng,
    kind: Kind,
    nulls: bool,
    last: u64,
}

impl Draw<'_> {
    fn next(&mut self) -> Option<u64> {
        if self.nulls && self.rng.bool() {
            return None;
        }
        match self.kind {
            Kind::Constant => {}
            Kind::Few if self.rng.u8(..8) > 0 => {}
            Kind::Few => self.last = self.rng.u64(..9),
            Kind::Any => self.last = self.rng.u64(..) >> self.rng.u32(..64),
        }
        Some(self.last)
    }
}

fn array(field: &Field, len: usize, rng: &mut Rng) -> ArrayRef {
    let kind = [Kind::Constant, Kind::Few, Kind::Any][rng.usize(..3)];
    let nulls = field.is_nullable() && rng.u8(..4) > 0;
    if let DataType::List(item) = field.data_type() {
        // Some lists are longer than a word has bits.
        let longest = if len < 600 && rng.bool() { 200 } else { 4 };
        let lengths: Vec<usize> = (0..len).map(|_| rng.usize(..longest)).collect();
        let items = array(item, lengths.iter().sum(), rng);
        // Behind a null may lie items all the same.
        let there = nulls.then(|| (0..len).map(|_| rng.bool()).collect::<Vec<bool>>().into());
        return Arc::new(ListArray::new(item.clone(), OffsetBuffer::from_lengths(lengths), items, there));
    }
    if let DataType::Struct(fields) = field.data_type() {
        let columns = fields.iter().map(|field| array(field, len, rng)).collect();
        return Arc::new(StructArray::new(fields.clone(), columns, None));
    }
    let all_null = nulls && rng.u8(..4) == 0;
    let mut draw = Draw { rng, kind, nulls, last: 0 };
    let values = (0..len).map(|_| draw.next().filter(|_| !all_null));
    match field.data_type() {
        DataType::Boolean => {
            Arc::new(fill(values, BooleanBuilder::new(), |to, it| to.append_option(it.map(|it| it % 2 == 1))))
        }
        DataType::Int32 => Arc::new(fill(values, Int32Builder::new(), |to, it| to.append_option(it.map(low)))),
        DataType::Int64 => {
            Arc::new(fill(values, Int64Builder::new(), |to, it| to.append_option(it.map(u64::cast_signed))))
        }
        DataType::Utf8 => Arc::new(fill(values, StringBuilder::new(), |to, it| to.append_option(it.map(text)))),
        other => {
            assert_eq!(other, &timestamp_type());
            let builder = TimestampMillisecondBuilder::new().with_data_type(timestamp_type());
            Arc::new(fill(values, builder, |to, it| to.append_option(it.map(u64::cast_signed))))
        }
    }
}

fn fill<B: arrow_array::builder::ArrayBuilder>(
    values: impl Iterator<Item = Option<u64>>,
    mut builder: B,
    append: impl Fn(&mut B, Option<u64>),
) -> ArrayRef {
    values.for_each(|value| append(&mut builder, value));
    builder.finish()
}

fn low(number: u64) -> i32 {
    let [one, two, three, four, ..] = number.to_le_bytes();
    i32::from_le_bytes([one, two, three, four])
}

fn text(number: u64) -> String {
    if number.is_multiple_of(7) {
        String::new()
    } else {
        format!("Äpfel-{number}-{}", "x".repeat((number % 90) as usize))
    }
}

fn batch(table: &Table, len: usize, rng: &mut Rng) -> RecordBatch {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| array(field, len, rng)).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

/// The same rows, some of whose texts come with a dictionary.
fn coded(column: &ArrayRef, rng: &mut Rng) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8 if rng.bool() => {
            let coded = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
            arrow_cast::cast(column, &coded).unwrap()
        }
        DataType::List(item) => {
            let list = column.as_list::<i32>();
            let items = coded(list.values(), rng);
            let item = Arc::new(item.as_ref().clone().with_data_type(items.data_type().clone()));
            Arc::new(ListArray::new(item, list.offsets().clone(), items, list.nulls().cloned()))
        }
        DataType::Struct(fields) => {
            let columns: Vec<ArrayRef> = column.as_struct().columns().iter().map(|it| coded(it, rng)).collect();
            let field = |(own, column): (&Arc<Field>, &ArrayRef)| {
                own.as_ref().clone().with_data_type(column.data_type().clone())
            };
            let fields: Vec<Field> = fields.iter().zip(&columns).map(field).collect();
            Arc::new(StructArray::new(fields.into(), columns, None))
        }
        _ => column.clone(),
    }
}

fn with_dictionaries(rows: &RecordBatch, rng: &mut Rng) -> RecordBatch {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, column)| {
        let column = coded(column, rng);
        (field.name().clone(), column, field.is_nullable())
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// A file of these rows, which come in stretches that are not its row groups.
fn file(table: &'static Table, rows: &RecordBatch, group_rows: usize, rng: &mut Rng) -> Bytes {
    let mut part = OpenPart::begin(table, WriterProperties::default(), group_rows).unwrap();
    let mut queue = std::collections::VecDeque::new();
    let mut from = 0;
    while from < rows.num_rows() {
        let len = rng.usize(1..=rows.num_rows() - from);
        queue.push_back(with_dictionaries(&rows.slice(from, len), rng));
        from += len;
        while !queue.is_empty() {
            let work = part.next_work(&mut queue, group_rows, from == rows.num_rows()).unwrap();
            part.take_back(work.into_iter().map(|work| ColumnWork::encode(work).unwrap()).collect()).unwrap();
        }
    }
    let (written, payload): (u64, PutPayload) = part.end().unwrap();
    assert_eq!(written, rows.num_rows() as u64);
    payload.into()
}

fn metadata(file: &Bytes) -> ParquetMetaData {
    ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required).parse_and_finish(file).unwrap()
}

fn read(file: &Bytes, selection: Option<RowSelection>) -> RecordBatch {
    let options =
        parquet::arrow::arrow_reader::ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let mut reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).unwrap();
    if let Some(selection) = selection {
        reader = reader.with_row_selection(selection);
    }
    let schema = reader.schema().clone();
    let batches: Vec<_> = reader.build().unwrap().map(std::result::Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

#[test]
fn rows_of_every_table_are_read_back_as_they_were() {
    for seed in 0..20 {
        let rng = &mut Rng::with_seed(seed);
        for table in table::committed().into_iter().chain([table::calls()]) {
            let len = if seed == 0 { 25_000 } else { rng.usize(1..3000) };
            let rows = batch(table, len, rng);
            let file = file(table, &rows, if seed == 0 { 22_000 } else { rng.usize(1..4000) }, rng);
            assert_eq!(read(&file, None).columns(), rows.columns(), "{} of seed {seed}", table.name);
            // A reader that wants the rows in the middle finds them by the pages' places.
            let (skip, take) = (len / 3, len / 3);
            let middle = RowSelection::from(vec![RowSelector::skip(skip), RowSelector::select(take)]);
            assert_eq!(
                read(&file, Some(middle)).columns(),
                rows.slice(skip, take).columns(),
                "{} of seed {seed}",
                table.name
            );
        }
    }
}

/// Texts that are all different and all long: pages end by their bytes, and the dictionary by its own.
#[test]
fn a_dictionary_that_grows_too_large_is_left() {
    let table = table::findings();
    let rng = &mut Rng::with_seed(1);
    let rows = batch(table, 40_000, rng);
    let texts: ArrayRef =
        Arc::new(arrow_array::StringArray::from_iter_values((0..40_000).map(|it| format!("{it:090}"))));
    let columns = rows.columns().iter().zip(&table.columns);
    let columns = columns.map(|(own, column)| if column.name == "check_id" { texts.clone() } else { own.clone() });
    let rows = RecordBatch::try_new(table.schema(), columns.collect()).unwrap();
    let file = file(table, &rows, 40_000, rng);
    let metadata = metadata(&file);
    let column = metadata.row_group(0).columns().iter().find(|it| it.column_path().string() == "check_id").unwrap();
    let encodings: Vec<_> = column.encodings().collect();
    assert!(
        encodings.contains(&Encoding::RLE_DICTIONARY) && encodings.contains(&Encoding::DELTA_BYTE_ARRAY),
        "{encodings:?}"
    );
    let first_page = usize::try_from(column.data_page_offset() - column.dictionary_page_offset().unwrap()).unwrap();
    assert!(first_page < 900_000 + 1024 * 94, "{first_page}");
    assert_eq!(read(&file, None).columns(), rows.columns());
}

#[test]
fn pages_tell_between_which_values_theirs_lie() {
    let table = table::credentials();
    let rng = &mut Rng::with_seed(7);
    let rows = batch(table, 50_000, rng);
    let metadata = metadata(&file(table, &rows, 50_000, rng));
    for (index, column) in rows.columns().iter().enumerate() {
        let offsets = metadata.offset_index().unwrap()[0][index].page_locations();
        let starts = offsets.iter().map(|page| usize::try_from(page.first_row_index).unwrap());
        let ends = starts.clone().skip(1).chain([rows.num_rows()]);
        for (page, (start, end)) in starts.zip(ends).enumerate() {
            let values = column.slice(start, end - start);
            let told = told(&metadata.column_index().unwrap()[0][index], page);
            assert_eq!(
                told,
                (lies_between(&values), i64::try_from(values.null_count()).unwrap()),
                "{}",
                table.columns[index].name
            );
        }
    }
}

/// The least and the greatest value of a page, and its nulls, as its index says.
fn told(index: &ColumnIndexMetaData, page: usize) -> (Option<(String, String)>, i64) {
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let ends = match index {
        ColumnIndexMetaData::BOOLEAN(index) => {
            index.min_value(page).zip(index.max_value(page)).map(|(one, other)| (one.to_string(), other.to_string()))
        }
        ColumnIndexMetaData::INT64(index) => {
            index.min_value(page).zip(index.max_value(page)).map(|(one, other)| (one.to_string(), other.to_string()))
        }
        ColumnIndexMetaData::BYTE_ARRAY(index) => {
            index.min_value(page).zip(index.max_value(page)).map(|(one, other)| (text(one), text(other)))
        }
        other => panic!("{other:?}"),
    };
    (ends, index.null_count(page).unwrap())
}

/// The least and the greatest of these values.
fn lies_between(values: &ArrayRef) -> Option<(String, String)> {
    fn ends<T: Ord + ToString>(values: impl Iterator<Item = T>) -> Option<(String, String)> {
        let mut values: Vec<T> = values.collect();
        values.sort();
        Some((values.first()?.to_string(), values.last()?.to_string()))
    }
    match values.data_type() {
        DataType::Boolean => ends(values.as_boolean().iter().flatten()),
        DataType::Utf8 => ends(values.as_string::<i32>().iter().flatten()),
        _ => ends(values.as_primitive::<arrow_array::types::TimestampMillisecondType>().iter().flatten()),
    }
}

#[test]
fn a_type_that_no_table_has_is_refused() {
    let schema = arrow_schema::Schema::new(vec![Field::new("share", DataType::Float64, false)]);
    let schema = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let plan: Result<LeafPlan> = LeafPlan::of(table::credentials(), &schema.column(0), 10);
    assert!(plan.unwrap_err().to_string().contains("share: no column of the lake has the type DOUBLE"));
}
