//! One table of a run as Parquet: sorted batches go in, files come out, each small enough for one put.
//!
//! The bytes depend on the batches and the part size alone, so whoever builds a run builds the same files: nothing
//! of the machine, the time, or the library's version goes into them.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use object_store::path::Path;
use object_store::{PutPayload, PutPayloadMut};
use orgsweep_core::table::Table;
use orgsweep_core::{Run, RunId};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::{CommittedFile, Lake, LakeError, LakeErrorKind, layout};

/// The size at which a table's next file is begun. A part is held whole until its put, and two tables may be as
/// large as this at once; one part holds the credentials of about 20,000 accounts.
pub const DEFAULT_PART_BYTES: usize = 32 << 20;

/// Rows of one row group: what a writer holds uncompressed, and what a reader can skip.
const ROW_GROUP_ROWS: usize = 131_072;

/// Uncompressed bytes at which a page ends. Consumers want at most 1 MB (Amazon Security Lake's rule for custom
/// sources), and the writer looks only every 1,024 rows, so it is told half of that.
const DATA_PAGE_BYTES: usize = 512 * 1024;

/// Dictionaries are pages too.
const DICTIONARY_PAGE_BYTES: usize = 900_000;

/// The level that all published figures are made with; higher ones cost more time than they save bytes.
const ZSTD_LEVEL: i32 = 3;

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
    payload: PutPayload,
}

/// Encodes one table. It touches no store: [`Lake::put_part`] does.
#[derive(Debug)]
pub struct TableWriter {
    table: &'static Table,
    part_bytes: usize,
    index: u32,
    rows: u64,
    writer: Option<ArrowWriter<PartBytes>>,
}

impl TableWriter {
    /// A writer whose parts end once they have `part_bytes` encoded bytes.
    #[must_use]
    pub fn new(table: &'static Table, part_bytes: usize) -> Self {
        Self { table, part_bytes, index: 0, rows: 0, writer: None }
    }

    /// Takes the next rows, and returns the part that they made full.
    ///
    /// # Errors
    /// The columns are not the table's.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<Option<Part>, LakeError> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.begin()?,
        };
        writer.write(batch).map_err(|error| self.unencodable(error))?;
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        if writer.bytes_written() + writer.in_progress_size() >= self.part_bytes {
            return self.end(writer).map(Some);
        }
        self.writer = Some(writer);
        Ok(None)
    }

    /// Ends the table, and returns its last part. A table without rows has one part without rows, so that every
    /// reader finds its columns.
    ///
    /// # Errors
    /// The rows cannot be encoded.
    pub fn finish(mut self) -> Result<Option<Part>, LakeError> {
        match self.writer.take() {
            Some(writer) => self.end(writer).map(Some),
            None if self.index == 0 => {
                let writer = self.begin()?;
                self.end(writer).map(Some)
            }
            None => Ok(None),
        }
    }

    fn begin(&self) -> Result<ArrowWriter<PartBytes>, LakeError> {
        let begun = properties(self.table).and_then(|properties| {
            // The embedded Arrow schema would tell readers nothing that the Parquet types do not.
            let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
            ArrowWriter::try_new_with_options(PartBytes::default(), self.table.schema(), options)
        });
        begun.map_err(|error| self.unencodable(error))
    }

    fn end(&mut self, writer: ArrowWriter<PartBytes>) -> Result<Part, LakeError> {
        let bytes = writer.into_inner().map_err(|error| self.unencodable(error))?;
        let part = Part { table: self.table, index: self.index, rows: self.rows, payload: bytes.0.freeze() };
        self.index += 1;
        self.rows = 0;
        Ok(part)
    }

    fn unencodable(&self, error: ParquetError) -> LakeError {
        let message = format!("rows of the table {} cannot be encoded", self.table.name);
        LakeError::new(LakeErrorKind::Invalid, message).with_source(error)
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
        match self.create_same(&path, part.payload).await {
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
        self.replace(&path, part.payload).await.map(|()| file)
    }
}

impl Part {
    fn file(&self, path: &Path) -> CommittedFile {
        let bytes = u64::try_from(self.payload.content_length()).unwrap_or(u64::MAX);
        CommittedFile { path: path.to_string(), rows: self.rows, bytes }
    }
}

fn properties(table: &Table) -> Result<WriterProperties, ParquetError> {
    let schema = ArrowSchemaConverter::new().convert(&table.schema())?;
    let place = |name: &str| schema.columns().iter().position(|column| column.path().string() == name);
    let sorting = SORT_COLUMNS.iter().filter(|name| table.name == "credentials" || **name == "account_id");
    let sorting = sorting.filter_map(|name| i32::try_from(place(name)?).ok());
    let sorting = sorting.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false });
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(DATA_PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_PAGE_BYTES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(sorting.collect()))
        .set_created_by(CREATED_BY.to_owned())
        .build())
}

/// A growing file in blocks, so that growing never copies, nor holds twice, what is already there.
#[derive(Debug, Default)]
struct PartBytes(PutPayloadMut);

impl Write for PartBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatchReader;
    use arrow_select::concat::concat_batches;
    use bytes::Bytes;
    use orgsweep_core::{AccountId, Caller, Sources, table};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};

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

    fn write(batches: &[RecordBatch], part_bytes: usize) -> Vec<Part> {
        let mut writer = TableWriter::new(table::credentials(), part_bytes);
        let mut parts: Vec<Part> = batches.iter().filter_map(|batch| writer.write(batch).unwrap()).collect();
        parts.extend(writer.finish().unwrap());
        parts
    }

    fn batches(accounts: u64) -> Vec<RecordBatch> {
        (0..accounts).map(|account| credentials(account, &["<root_account>", "anna", "ben"])).collect()
    }

    #[test]
    fn what_is_read_back_has_the_table_s_types_and_rows() {
        let batches = batches(3);
        let [part] = write(&batches, DEFAULT_PART_BYTES).try_into().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(part.payload)).unwrap().build().unwrap();
        assert_eq!(reader.schema().fields(), table::credentials().schema().fields());
        let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        let schema = table::credentials().schema();
        assert_eq!(concat_batches(&schema, &read).unwrap(), concat_batches(&schema, &batches).unwrap());
    }

    #[test]
    fn the_file_says_how_it_is_sorted_and_nothing_of_who_wrote_it() {
        let [part] = write(&batches(3), DEFAULT_PART_BYTES).try_into().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(part.payload)).unwrap();
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
            let part = TableWriter::new(table, DEFAULT_PART_BYTES).finish().unwrap().unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(part.payload)).unwrap();
            assert_eq!(reader.schema().fields(), table.schema().fields(), "{}", table.name);
            assert_eq!((part.rows, reader.metadata().file_metadata().num_rows()), (0, 0));
        }
    }

    #[test]
    fn a_full_part_is_followed_by_another() {
        let parts = write(&batches(5), 1);
        assert_eq!(
            parts.iter().map(|part| (part.index, part.rows)).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4].map(|i| (i, 3))
        );
    }

    #[test]
    fn a_table_is_cut_into_row_groups() {
        let users: Vec<String> = (0..1000).map(|number| format!("{number}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let batches: Vec<_> = (0..140).map(|account| credentials(account, &users)).collect();
        let [part] = write(&batches, DEFAULT_PART_BYTES).try_into().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(part.payload)).unwrap();
        let groups: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [131_072, 8_928]);
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
            let part = TableWriter::new(table::calls(), DEFAULT_PART_BYTES).finish().unwrap().unwrap();
            assert_eq!(lake.put_calls(&run_id(), part).await.unwrap().path, "_runs/r1/calls.parquet");
        }
    }
}
