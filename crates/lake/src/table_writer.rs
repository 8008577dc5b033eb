//! One table of a run as Parquet: sorted batches go in, files come out, each small enough for one put.
//!
//! The bytes depend on the rows and the part size alone, so whoever builds a run builds the same files: nothing of the
//! machine, the time, or the library's version goes into them.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use object_store::PutPayload;
use object_store::path::Path;
use orgsweep_core::table::Table;
use orgsweep_core::{Run, RunId};
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;

use crate::leaf::is_sorted_by_user;
use crate::open_part::{ColumnWork, EncodedColumn, OpenPart};
use crate::part_bytes::PartBytes;
use crate::{CommittedFile, Lake, LakeError, LakeErrorKind, layout};

/// The size at which a table's next file is begun. A part is in memory whole while it is put; one part holds 600,000
/// credentials.
pub const DEFAULT_PART_BYTES: usize = 16 << 20;

/// Rows of one row group: what a writer holds uncompressed, and what a reader can skip.
const ROW_GROUP_ROWS: usize = 131_072;

/// Rows of small parts are taken to be of this size, so that a part's one row group does not outgrow it.
const LEAST_ROW_BYTES: usize = 16;

/// In the form that readers parse, `<application> version <version>`; the version is that of the layout, since the
/// program's would change the bytes.
const CREATED_BY: &str = "orgsweep version 1";

/// The columns by which rows of a table are sorted, those that it has of these, in this order.
const SORT_COLUMNS: [&str; 2] = ["account_id", "user"];

/// One finished file of a table, not yet in the lake.
#[derive(Debug)]
pub struct Part {
    table: &'static Table,
    index: u32,
    rows: u64,
    bytes: PartBytes,
}

/// Encodes one table. It touches no store: [`Lake::put_part`] does.
#[derive(Debug)]
pub struct TableWriter {
    table: &'static Table,
    limits: PartLimits,
    index: u32,
    part: Option<OpenPart>,
    queue: VecDeque<RecordBatch>,
    ends: bool,
}

/// Where row groups and parts end.
#[derive(Debug, Clone, Copy)]
struct PartLimits {
    group_rows: usize,
    /// A part ends with the row group that takes it to so many encoded bytes.
    part_bytes: usize,
}

impl TableWriter {
    /// A writer whose parts end with the row group that takes them to `part_bytes` encoded bytes.
    #[must_use]
    pub fn new(table: &'static Table, part_bytes: usize) -> Self {
        let group_rows = (part_bytes / LEAST_ROW_BYTES).clamp(1, ROW_GROUP_ROWS);
        Self::with_limits(table, PartLimits { group_rows, part_bytes })
    }

    /// A writer of one part, however large, for a table that is rarely read: its row groups are small, and so is what is
    /// held of them.
    #[must_use]
    pub fn of_one_part(table: &'static Table) -> Self {
        Self::with_limits(table, PartLimits { group_rows: ROW_GROUP_ROWS / 8, part_bytes: usize::MAX })
    }

    fn with_limits(table: &'static Table, limits: PartLimits) -> Self {
        Self { table, limits, index: 0, part: None, queue: VecDeque::new(), ends: false }
    }

    /// Takes the next rows, for [`TableWriter::next_work`].
    pub fn push(&mut self, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.queue.push_back(batch);
        }
    }

    /// No rows follow those that were pushed. A table without rows has one part without rows, so that every reader finds
    /// its columns.
    pub fn end(&mut self) {
        self.ends = true;
    }

    /// What is to be encoded now, for each column; nothing once no rows are left. Whoever takes it encodes all of it, and
    /// brings it to [`TableWriter::take_back`] in its order before he asks again.
    ///
    /// # Errors
    /// The table has a column that Parquet has no type for.
    pub fn next_work(&mut self) -> Result<Vec<ColumnWork>, LakeError> {
        let in_a_group = self.part.as_ref().is_some_and(OpenPart::is_in_a_group);
        if self.queue.is_empty() && !(self.ends && in_a_group) {
            return Ok(Vec::new());
        }
        let part = self.part.take();
        let mut part = part.map_or_else(|| self.begin(), Ok)?;
        let work = part.next_work(&mut self.queue, self.limits.group_rows, self.ends);
        self.part = Some(part);
        work.map_err(|error| LakeError::unencodable(self.table.name, error))
    }

    /// Takes back what was worked on, and returns the part that it made full.
    ///
    /// # Errors
    /// The columns do not fit each other.
    pub fn take_back(&mut self, columns: Vec<EncodedColumn>) -> Result<Option<Part>, LakeError> {
        let Some(part) = &mut self.part else { return Ok(None) };
        let ended_group = part.take_back(columns).map_err(|error| LakeError::unencodable(self.table.name, error))?;
        if ended_group && part.bytes() >= self.limits.part_bytes { self.end_part() } else { Ok(None) }
    }

    /// The table's last part, when all work is done.
    ///
    /// # Errors
    /// The file cannot be ended.
    pub fn last_part(mut self) -> Result<Option<Part>, LakeError> {
        if self.index == 0 && self.part.is_none() {
            self.part = Some(self.begin()?);
        }
        self.end_part()
    }

    fn begin(&self) -> Result<OpenPart, LakeError> {
        let part = properties(self.table)
            .and_then(|properties| OpenPart::begin(self.table, properties, self.limits.group_rows));
        part.map_err(|error| LakeError::unencodable(self.table.name, error))
    }

    fn end_part(&mut self) -> Result<Option<Part>, LakeError> {
        let Some(part) = self.part.take() else { return Ok(None) };
        let (rows, bytes) = part.finish().map_err(|error| LakeError::unencodable(self.table.name, error))?;
        let part = Part { table: self.table, index: self.index, rows, bytes };
        self.index += 1;
        Ok(Some(part))
    }
}

/// Encodes what several writers have been given, and returns the parts that became full, writer by writer. `map` applies
/// a function to all items and keeps their order; the columns of all tables are one list for it.
///
/// # Errors
/// Rows that cannot be encoded.
pub fn encode<'w>(
    writers: impl IntoIterator<Item = &'w mut TableWriter>,
    map: impl Fn(Vec<ColumnWork>) -> Vec<Result<EncodedColumn, LakeError>>,
) -> Result<Vec<Vec<Part>>, LakeError> {
    let mut writers: Vec<&mut TableWriter> = writers.into_iter().collect();
    let mut parts: Vec<Vec<Part>> = writers.iter().map(|_| Vec::new()).collect();
    loop {
        let work = writers.iter_mut().map(|writer| writer.next_work()).collect::<Result<Vec<_>, _>>()?;
        let columns: Vec<usize> = work.iter().map(Vec::len).collect();
        let mut encoded = map(work.into_iter().flatten().collect()).into_iter();
        if encoded.len() == 0 {
            return Ok(parts);
        }
        for ((writer, parts), columns) in writers.iter_mut().zip(&mut parts).zip(columns) {
            let columns = encoded.by_ref().take(columns).collect::<Result<Vec<_>, _>>()?;
            parts.extend(writer.take_back(columns)?);
        }
    }
}

impl Lake {
    /// Puts a part where it belongs, once.
    ///
    /// # Errors
    /// Another part lies there whose bytes are not the same, in which case the message says what to do; or the store
    /// fails.
    pub async fn put_part(&self, run: &Run, part: Part) -> Result<CommittedFile, LakeError> {
        let path = layout::table_part(part.table.name, run.as_of, &run.run_id, part.index);
        let file = part.file(&path);
        match self.create_same(&path, part.payload()?).await {
            Err(error) if error.kind() == LakeErrorKind::AlreadyExists => {
                let message = format!(
                    "{path} is already in the lake with other rows, by another version or under other settings: \
                     delete the folders run={} of every table, and build the run again",
                    run.run_id
                );
                Err(LakeError::new(LakeErrorKind::AlreadyExists, message).with_source(error))
            }
            other => other.map(|()| file),
        }
    }

    /// Puts the run's `calls.parquet`, in the place of what an earlier build may have left: it says how the asking
    /// went, which no two sweeps agree on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_calls(&self, run_id: &RunId, part: Part) -> Result<CommittedFile, LakeError> {
        let path = layout::calls(run_id);
        let file = part.file(&path);
        self.replace(&path, part.payload()?).await.map(|()| file)
    }
}

impl Part {
    fn file(&self, path: &Path) -> CommittedFile {
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        CommittedFile { path: path.to_string(), rows: self.rows, bytes }
    }

    /// What is put. Just written, so it comes from memory: not worth another thread.
    fn payload(self) -> Result<PutPayload, LakeError> {
        let message = format!("cannot read a temporary file of the table {} back", self.table.name);
        self.bytes.into_payload().map_err(|error| LakeError::file_system(message, error))
    }
}

fn properties(table: &Table) -> Result<WriterProperties, ParquetError> {
    let schema = ArrowSchemaConverter::new().convert(&table.schema())?;
    let place = |name: &str| schema.columns().iter().position(|column| column.path().string() == name);
    let sorting = SORT_COLUMNS.iter().filter(|name| is_sorted_by_user(table) || **name == "account_id");
    let sorting = sorting.filter_map(|name| i32::try_from(place(name)?).ok());
    let sorting = sorting.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false });
    let properties = WriterProperties::builder().set_sorting_columns(Some(sorting.collect()));
    Ok(properties.set_created_by(CREATED_BY.to_owned()).build())
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatchReader;
    use arrow_select::concat::concat_batches;
    use bytes::Bytes;
    use orgsweep_core::{AccountId, Caller, Sources, table};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
    use parquet::file::page_index::column_index::ColumnIndexMetaData;
    use parquet::file::properties::ReaderProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::serialized_reader::ReadOptionsBuilder;

    use super::*;
    use crate::fixture::{credentials, lake, run_id, time};

    fn run() -> Run {
        Run {
            run_id: run_id(),
            as_of: time(),
            started_at: time(),
            caller: Caller {
                account_id: AccountId::from_number(1),
                arn: "arn:aws:iam::000000000001:user/a".to_owned(),
            },
            organization: None,
            orgsweep_version: String::new(),
            rule_pack_sha256: String::new(),
            unasked: Sources::NONE,
            recheck_of: None,
            carry_from: None,
            settings: serde_json::Map::new(),
        }
    }

    /// Encodes the batches, so many at a time.
    fn write_in(mut writer: TableWriter, batches: &[RecordBatch], at_a_time: usize) -> Vec<Part> {
        let inline = |work: Vec<ColumnWork>| work.into_iter().map(ColumnWork::encode).collect();
        let mut parts = Vec::new();
        for batches in batches.chunks(at_a_time) {
            for batch in batches {
                writer.push(batch.clone());
            }
            parts.extend(encode([&mut writer], inline).unwrap().into_iter().flatten());
        }
        writer.end();
        parts.extend(encode([&mut writer], inline).unwrap().into_iter().flatten());
        parts.extend(writer.last_part().unwrap());
        parts
    }

    fn write(batches: &[RecordBatch], part_bytes: usize) -> Vec<Part> {
        write_in(TableWriter::new(table::credentials(), part_bytes), batches, 1)
    }

    fn batches(accounts: u64) -> Vec<RecordBatch> {
        (0..accounts).map(|account| credentials(account, &["<root_account>", "anna", "ben"])).collect()
    }

    #[test]
    fn what_is_read_back_has_the_table_s_types_and_rows() {
        let batches = batches(3);
        let [part] = write(&batches, DEFAULT_PART_BYTES).try_into().unwrap();
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(Bytes::from(part.payload().unwrap())).unwrap().build().unwrap();
        assert_eq!(reader.schema().fields(), table::credentials().schema().fields());
        let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        let schema = table::credentials().schema();
        assert_eq!(concat_batches(&schema, &read).unwrap(), concat_batches(&schema, &batches).unwrap());
    }

    #[test]
    fn rows_of_other_types_are_refused() {
        let rows = credentials(1, &["anna"]);
        let mut columns = rows.columns().to_vec();
        columns[2] = columns[4].clone();
        let fields: Vec<_> = columns
            .iter()
            .zip(rows.schema().fields())
            .map(|(column, field)| arrow_schema::Field::new(field.name(), column.data_type().clone(), true))
            .collect();
        let mut writer = TableWriter::new(table::credentials(), DEFAULT_PART_BYTES);
        writer.push(RecordBatch::try_new(std::sync::Arc::new(arrow_schema::Schema::new(fields)), columns).unwrap());
        let error = writer.next_work().err().unwrap();
        let told = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
        assert!(told.contains("user is Boolean, not Utf8"), "{error}: {told}");
    }

    #[test]
    fn the_file_says_how_it_is_sorted_and_nothing_of_who_wrote_it() {
        let [part] = write(&batches(3), DEFAULT_PART_BYTES).try_into().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(part.payload().unwrap())).unwrap();
        let metadata = reader.metadata();
        let file = metadata.file_metadata();
        assert_eq!((file.created_by(), file.key_value_metadata()), (Some(CREATED_BY), None));
        let group = metadata.row_group(0);
        let sorted: Vec<_> = group.sorting_columns().unwrap().iter().map(|column| column.column_idx).collect();
        assert_eq!(sorted, [0, 2]);
        assert!(group.columns().iter().all(|column| column.statistics().is_some()));
        let times = file.schema_descr().columns().iter().filter(|column| column.name().ends_with("_rotated"));
        for time in times {
            let text = format!("{:?}", time.logical_type_ref());
            assert!(text.contains("MILLIS") && text.contains("is_adjusted_to_u_t_c: true"), "{text}");
        }
    }

    #[test]
    fn every_table_can_be_written_and_read_without_rows() {
        for table in table::committed().into_iter().chain([table::calls()]) {
            let [part] = write_in(TableWriter::new(table, DEFAULT_PART_BYTES), &[], 1).try_into().unwrap();
            assert_eq!(part.rows, 0, "{}", table.name);
            let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(part.payload().unwrap())).unwrap();
            assert_eq!(reader.schema().fields(), table.schema().fields(), "{}", table.name);
            assert_eq!(reader.metadata().file_metadata().num_rows(), 0, "{}", table.name);
        }
    }

    #[test]
    fn parts_and_row_groups_end_at_the_same_rows_however_many_come_at_a_time() {
        let limits = |group_rows, part_bytes| PartLimits { group_rows, part_bytes };
        let cut = |limits: PartLimits, at_a_time: usize| {
            let parts = write_in(TableWriter::with_limits(table::credentials(), limits), &batches(5), at_a_time);
            let told = |part: Part| (part.index, part.rows, Bytes::from(part.payload().unwrap()));
            parts.into_iter().map(told).collect::<Vec<_>>()
        };
        for at_a_time in 1..=5 {
            let rows = |limits| cut(limits, at_a_time).iter().map(|(_, rows, _)| *rows).collect::<Vec<_>>();
            assert_eq!(rows(limits(4, 1)), [4, 4, 4, 3]);
            assert_eq!(rows(limits(5, 1)), [5, 5, 5]);
            assert_eq!(rows(limits(4, usize::MAX)), [15]);
            assert_eq!(cut(limits(4, 1), at_a_time), cut(limits(4, 1), 1));
        }
    }

    #[test]
    fn a_table_is_cut_into_row_groups() {
        let users: Vec<String> = (0..1000).map(|number| format!("{number}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let batches: Vec<_> = (0..140).map(|account| credentials(account, &users)).collect();
        let [part] = write(&batches, DEFAULT_PART_BYTES).try_into().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(part.payload().unwrap())).unwrap();
        let groups: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [131_072, 8_928]);
    }

    /// The pages of a column that hold rows of the pages in which the account may be, and all of its pages.
    fn pages_of(metadata: &ParquetMetaData, column: usize, account: &str) -> (usize, usize) {
        let index = metadata.column_index().unwrap();
        let ColumnIndexMetaData::BYTE_ARRAY(accounts) = &index[0][0] else { panic!("account ids are texts") };
        let account = account.as_bytes();
        let holds =
            |page: usize| accounts.min_value(page).unwrap() <= account && account <= accounts.max_value(page).unwrap();
        let starts: Vec<_> = metadata.offset_index().unwrap()[0][0]
            .page_locations()
            .iter()
            .enumerate()
            .map(|(page, location)| (location.first_row_index, holds(page)))
            .collect();
        let locations = metadata.offset_index().unwrap()[0][column].page_locations();
        let is_read = |page: usize| {
            let first = locations[page].first_row_index;
            let behind = locations.get(page + 1).map_or(i64::MAX, |next| next.first_row_index);
            let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([i64::MAX]);
            starts.iter().zip(ends).any(|((start, holds), end)| *holds && *start < behind && first < end)
        };
        ((0..locations.len()).filter(|page| is_read(*page)).count(), locations.len())
    }

    #[test]
    fn one_account_is_found_without_reading_the_others() {
        let users: Vec<String> = (0..1000).map(|number| format!("user-{number:04}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let batches: Vec<_> = (0..100).map(|account| credentials(account, &users)).collect();
        let [part] = write(&batches, DEFAULT_PART_BYTES).try_into().unwrap();
        let bytes = Bytes::from(part.payload().unwrap());
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Required)
            .parse_and_finish(&bytes)
            .unwrap();
        let account = AccountId::from_number(42);
        for (column, described) in metadata.row_group(0).columns().iter().enumerate() {
            let (read, pages) = pages_of(&metadata, column, account.as_str());
            assert!(read <= 2 && pages >= 5, "{}: {read} of {pages} pages", described.column_path());
        }
        let properties = ReaderProperties::builder().set_read_bloom_filter(true).build();
        let options = ReadOptionsBuilder::new().with_reader_properties(properties).build();
        let reader = SerializedFileReader::new_with_options(bytes, options).unwrap();
        let group = reader.get_row_group(0).unwrap();
        let finds = |column: usize, value: &str| group.get_column_bloom_filter(column).unwrap().check(&value);
        let absent = AccountId::from_number(100_042);
        assert!(finds(0, account.as_str()) && !finds(0, absent.as_str()));
        assert!(finds(2, "user-0007") && !finds(2, "somebody-else"));
    }

    #[tokio::test]
    async fn the_same_part_is_put_once_and_another_is_refused() {
        let lake = lake();
        for _ in 0..2 {
            let [part] = write(&batches(3), DEFAULT_PART_BYTES).try_into().unwrap();
            let file = lake.put_part(&run(), part).await.unwrap();
            assert_eq!((file.path.as_str(), file.rows), ("credentials/dt=2026-11-22/run=r1/part-00000.parquet", 9));
        }
        let [part] = write(&batches(2), DEFAULT_PART_BYTES).try_into().unwrap();
        let error = lake.put_part(&run(), part).await.unwrap_err();
        assert_eq!(error.kind(), LakeErrorKind::AlreadyExists);
        assert!(error.to_string().starts_with("credentials/dt=2026-11-22/run=r1/part-00000.parquet is already"));
    }

    #[tokio::test]
    async fn calls_are_replaced() {
        let lake = lake();
        for _ in 0..2 {
            let [part] = write_in(TableWriter::new(table::calls(), DEFAULT_PART_BYTES), &[], 1).try_into().unwrap();
            assert_eq!(lake.put_calls(&run_id(), part).await.unwrap().path, "_runs/r1/calls.parquet");
        }
    }
}
