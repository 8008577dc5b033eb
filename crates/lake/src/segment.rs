//! One segment of a journal: an Arrow IPC file with a row for each account, in order of account id.
//!
//! The snapshot is JSON, the report's rows are a list of structs with the columns of the `credentials` table. The
//! rows lie in small batches, so that a reader of many segments holds little of each, and the footer keeps the
//! SHA-256 of each batch, since IPC itself does not notice a flipped bit. Nothing here touches a store.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock};

use arrow_array::builder::{BooleanBuilder, StringBuilder, UInt32Builder};
use arrow_array::{
    Array, ArrayRef, BooleanArray, ListArray, RecordBatch, StringArray, StructArray, UInt32Array, new_empty_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use orgsweep_core::{AccountId, Snapshot, table};
use sha2::{Digest, Sha256};

use crate::{LakeError, LakeErrorKind};

/// How much of a segment a reader decodes at once. A merge holds this for each of its segments.
pub(crate) const BATCH_BYTES: usize = 256 * 1024;

/// What a row of `credentials` weighs in memory, roughly: 32 columns, half of them text or times.
const CREDENTIAL_ROW_BYTES: usize = 512;

/// Segments live for minutes, so the fastest level is the right one.
const ZSTD_LEVEL: i32 = 1;

/// The footer entry that holds [`FORMAT`] and the digests of the batches, parted by blanks.
pub(crate) const FOOTER_KEY: &str = "orgsweep";

/// The layout of segments that this version writes and reads.
pub(crate) const FORMAT: &str = "1";

/// Where each column stands.
const ACCOUNT_ID: usize = 0;
const COMPLETENESS: usize = 1;
const SETTLED: usize = 2;
const SNAPSHOT: usize = 3;
const CREDENTIALS: usize = 4;

/// What a sweep journals of one account.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// What was learned, beside the report's rows.
    pub snapshot: Snapshot,
    /// The report's rows, with the columns of `credentials`; `None` where no report was read.
    pub credentials: Option<RecordBatch>,
}

/// An entry on its way into a segment.
#[derive(Debug, Clone)]
pub(crate) struct SegmentRow {
    pub(crate) account_id: AccountId,
    completeness: u32,
    settled: bool,
    snapshot: String,
    credentials: Option<RecordBatch>,
}

impl SegmentRow {
    /// Brings an entry into the form that it is written in.
    pub(crate) fn new(entry: JournalEntry) -> Result<Self, LakeError> {
        let account_id = entry.snapshot.account.id;
        let invalid = |reason: Box<dyn Error + Send + Sync>| {
            let message = format!("the snapshot of account {account_id} cannot be journalled");
            LakeError::new(LakeErrorKind::Invalid, message).with_source(reason)
        };
        let rows = entry.credentials;
        if rows.as_ref().is_some_and(|rows| rows.schema().fields() != table::credential_report().schema().fields()) {
            return Err(invalid("its report's columns are not those of the credentials table".into()));
        }
        Ok(Self {
            account_id,
            completeness: entry.snapshot.completeness(),
            settled: entry.snapshot.is_settled(),
            snapshot: serde_json::to_string(&entry.snapshot).map_err(|error| invalid(error.into()))?,
            credentials: rows,
        })
    }

    /// Roughly what it takes in memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let rows = self.credentials.as_ref().map_or(0, RecordBatch::get_array_memory_size);
        self.snapshot.len() + rows
    }
}

/// Sorts rows by account, keeps the more complete of two of one account, or the earlier, and encodes them.
pub(crate) fn encode(rows: &[SegmentRow]) -> Result<Vec<u8>, LakeError> {
    let mut order: Vec<&SegmentRow> = rows.iter().collect();
    // The sort keeps the order of equals, so the earlier of two equals stays the earlier.
    order.sort_by_key(|row| (row.account_id, std::cmp::Reverse(row.completeness)));
    order.dedup_by_key(|row| row.account_id);
    let mut encoder = SegmentEncoder::new(Vec::new()).map_err(unencodable)?;
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let mut weight = 0;
        let length = rest.iter().take_while(|row| {
            let fits = weight < BATCH_BYTES;
            weight += row.weight();
            fits
        });
        let (batch, after) = rest.split_at(length.count().clamp(1, rest.len()));
        encoder.write(&to_batch(batch).map_err(unencodable)?).map_err(unencodable)?;
        rest = after;
    }
    encoder.finish().map_err(unencodable)
}

fn unencodable(error: ArrowError) -> LakeError {
    LakeError::new(LakeErrorKind::Invalid, "a journal segment cannot be encoded").with_source(error)
}

/// The columns of a segment.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("account_id", DataType::Utf8, false),
            Field::new("completeness", DataType::UInt32, false),
            Field::new("settled", DataType::Boolean, false),
            Field::new("snapshot", DataType::Utf8, false),
            Field::new("credentials", DataType::List(credential_item()), true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

fn credential_item() -> FieldRef {
    let columns = table::credential_report().schema().fields().clone();
    Arc::new(Field::new("item", DataType::Struct(columns), false))
}

fn to_batch(rows: &[&SegmentRow]) -> Result<RecordBatch, ArrowError> {
    let mut account_ids = StringBuilder::new();
    let mut completeness = UInt32Builder::new();
    let mut settled = BooleanBuilder::new();
    let mut snapshots = StringBuilder::new();
    for row in rows {
        account_ids.append_value(row.account_id.as_str());
        completeness.append_value(row.completeness);
        settled.append_value(row.settled);
        snapshots.append_value(&row.snapshot);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(account_ids.finish()),
        Arc::new(completeness.finish()),
        Arc::new(settled.finish()),
        Arc::new(snapshots.finish()),
        Arc::new(credential_lists(rows)?),
    ];
    RecordBatch::try_new(schema(), columns)
}

fn credential_lists(rows: &[&SegmentRow]) -> Result<ListArray, ArrowError> {
    let reports: Vec<StructArray> =
        rows.iter().filter_map(|row| row.credentials.clone()).map(StructArray::from).collect();
    let reports: Vec<&dyn Array> = reports.iter().map(|report| report as &dyn Array).collect();
    let item = credential_item();
    let values =
        if reports.is_empty() { new_empty_array(item.data_type()) } else { arrow_select::concat::concat(&reports)? };
    let lengths = rows.iter().map(|row| row.credentials.as_ref().map_or(0, RecordBatch::num_rows));
    let present: Vec<bool> = rows.iter().map(|row| row.credentials.is_some()).collect();
    ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, Some(NullBuffer::from(present)))
}

/// Writes batches as a segment.
pub(crate) struct SegmentEncoder<W: Write> {
    writer: FileWriter<Hashed<W>>,
    digests: String,
}

impl<W: Write> SegmentEncoder<W> {
    pub(crate) fn new(output: W) -> Result<Self, ArrowError> {
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::ZSTD))?
            .try_with_compression_level(Some(ZSTD_LEVEL))?;
        let output = Hashed { output, hash: Sha256::new() };
        let mut writer = FileWriter::try_new_with_options(output, &schema(), options)?;
        writer.get_mut().hash.reset();
        Ok(Self { writer, digests: FORMAT.to_owned() })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.writer.write(batch)?;
        let digest = self.writer.get_mut().hash.finalize_reset();
        write!(self.digests, " {digest:x}").map_err(|error| ArrowError::ExternalError(error.into()))
    }

    pub(crate) fn finish(mut self) -> Result<W, ArrowError> {
        self.writer.write_metadata(FOOTER_KEY, self.digests);
        Ok(self.writer.into_inner()?.output)
    }
}

struct Hashed<W> {
    output: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// A batch of a segment, decoded: each column under its own type.
#[derive(Debug)]
pub(crate) struct SegmentBatch {
    pub(crate) batch: RecordBatch,
    account_ids: StringArray,
    completeness: UInt32Array,
    snapshots: StringArray,
    credentials: ListArray,
}

impl SegmentBatch {
    /// Takes a batch with the columns of [`schema`]; `None` if it has others.
    pub(crate) fn new(batch: RecordBatch) -> Option<Self> {
        Some(Self {
            account_ids: column(&batch, ACCOUNT_ID)?,
            completeness: column(&batch, COMPLETENESS)?,
            snapshots: column(&batch, SNAPSHOT)?,
            credentials: column(&batch, CREDENTIALS)?,
            batch,
        })
    }

    pub(crate) fn account_id(&self, row: usize) -> Option<AccountId> {
        AccountId::parse(value(&self.account_ids, row)?).ok()
    }

    pub(crate) fn completeness(&self, row: usize) -> Option<u32> {
        (row < self.completeness.len()).then(|| self.completeness.value(row))
    }

    /// Roughly what a row takes in memory, in bytes.
    pub(crate) fn weight(&self, row: usize) -> usize {
        let snapshot = value(&self.snapshots, row).map_or(0, str::len);
        snapshot + self.credential_rows(row) * CREDENTIAL_ROW_BYTES
    }

    /// Rows of the account's credential report.
    pub(crate) fn credential_rows(&self, row: usize) -> usize {
        self.report(row).map_or(0, |rows| rows.len())
    }

    /// The entry that a row holds.
    pub(crate) fn entry(&self, row: usize) -> Result<JournalEntry, Box<dyn Error + Send + Sync>> {
        let snapshot = serde_json::from_str(value(&self.snapshots, row).unwrap_or_default())?;
        let credentials = self.report(row).map(|rows| to_credentials(&rows)).transpose()?;
        Ok(JournalEntry { snapshot, credentials })
    }

    fn report(&self, row: usize) -> Option<ArrayRef> {
        (row < self.credentials.len() && self.credentials.is_valid(row)).then(|| self.credentials.value(row))
    }
}

/// The rows of a report as a batch of `credentials`. A report that is there and cannot be read must not pass for none.
fn to_credentials(rows: &ArrayRef) -> Result<RecordBatch, ArrowError> {
    let Some(rows) = rows.as_any().downcast_ref::<StructArray>() else {
        return Err(ArrowError::SchemaError(format!("credentials are {}, not structs", rows.data_type())));
    };
    // The table's own schema, so that readers may compare it by pointer.
    RecordBatch::try_new(table::credential_report().schema(), rows.columns().to_vec())
}

/// The columns that [`standings`] reads.
pub(crate) const STANDING_COLUMNS: [usize; 3] = [ACCOUNT_ID, COMPLETENESS, SETTLED];

/// The account of each row, how complete its snapshot is, and whether that is settled, from a batch that has just
/// [`STANDING_COLUMNS`]; `None` if it has others.
pub(crate) fn standings(batch: &RecordBatch) -> Option<Vec<(AccountId, (u32, bool))>> {
    let (account_ids, completeness): (StringArray, UInt32Array) = (column(batch, 0)?, column(batch, 1)?);
    let settled: BooleanArray = column(batch, 2)?;
    let account_ids = account_ids.iter().map(|text| AccountId::parse(text?).ok());
    let standings = completeness.iter().zip(settled.iter()).map(|(completeness, settled)| completeness.zip(settled));
    account_ids.zip(standings).map(|(account_id, standing)| account_id.zip(standing)).collect()
}

fn column<A: Array + Clone + 'static>(batch: &RecordBatch, index: usize) -> Option<A> {
    batch.columns().get(index)?.as_any().downcast_ref::<A>().cloned()
}

fn value(texts: &StringArray, row: usize) -> Option<&str> {
    (row < texts.len()).then(|| texts.value(row))
}
