//! Reading one segment, batch by batch: at any time its footer and one batch are in memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::vec;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, MetadataVersion, root_as_footer};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

use crate::segment::{self, FOOTER_KEY, FORMAT};
use crate::{LakeError, LakeErrorKind};

/// What is read from the end of a segment to find its footer. Few footers are longer.
const TAIL_BYTES: u64 = 16 * 1024;

/// The footer's length and the magic word, which end every IPC file.
const TRAILER_BYTES: usize = 10;

/// Where a segment lies.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the lake.
    Object { store: Arc<dyn ObjectStore>, path: Path },
    /// In a nameless file of this machine, where a merge of many segments keeps what it has merged so far.
    Spilled(File),
}

impl Place {
    async fn read(&mut self, range: Range<u64>) -> Result<Bytes, LakeError> {
        match self {
            Self::Object { store, path } => {
                store.get_range(path, range).await.map_err(|error| LakeError::store("read", path, error))
            }
            // Just written, so it comes from memory: not worth another thread.
            Self::Spilled(file) => read_file(file, &range).map_err(|error| {
                LakeError::file_system("cannot read a temporary file of the merge back".to_owned(), error)
            }),
        }
    }
}

fn read_file(file: &mut File, range: &Range<u64>) -> std::io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(std::io::Error::other)?;
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

/// A segment that is being read.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    name: String,
    place: Place,
    size: u64,
    blocks: vec::IntoIter<(Block, String)>,
    decoder: FileDecoder,
}

impl SegmentReader {
    /// Reads the footer of a segment of `size` bytes; `columns` are the ones to decode, all of them if `None`.
    pub(crate) async fn open(
        name: String,
        mut place: Place,
        size: u64,
        columns: Option<Vec<usize>>,
    ) -> Result<Self, LakeError> {
        if size == 0 {
            return Err(damaged(&name, "it is empty"));
        }
        let mut tail = place.read(size.saturating_sub(TAIL_BYTES)..size).await?;
        let footer_length = footer_length(&tail).ok_or_else(|| damaged(&name, "it has no end"))?;
        let needed = footer_length + TRAILER_BYTES;
        if needed > tail.len() {
            let start = u64::try_from(needed).ok().and_then(|needed| size.checked_sub(needed));
            let start = start.ok_or_else(|| damaged(&name, "its footer is longer than itself"))?;
            tail = place.read(start..size).await?;
        }
        let footer = tail.len().checked_sub(needed).and_then(|start| tail.get(start..start + footer_length));
        let blocks = footer.ok_or("its footer is cut off").and_then(read_footer);
        let blocks = blocks.map_err(|reason| damaged(&name, reason))?;
        let decoder = FileDecoder::new(segment::schema(), MetadataVersion::V5);
        let decoder = match columns {
            Some(columns) => decoder.with_projection(columns),
            None => decoder,
        };
        Ok(Self { name, place, size, blocks: blocks.into_iter(), decoder })
    }

    /// What the segment is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The next batch; `None` at the end.
    pub(crate) async fn next_batch(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        let Some((block, digest)) = self.blocks.next() else { return Ok(None) };
        let range = range_of(&block).filter(|range| !range.is_empty() && range.end <= self.size);
        let range = range.ok_or_else(|| damaged(&self.name, "its footer points nowhere"))?;
        let bytes = self.place.read(range).await?;
        if format!("{:x}", Sha256::digest(&bytes)) != digest {
            return Err(damaged(&self.name, "the checksum of a batch does not hold"));
        }
        let batch = self.decoder.read_record_batch(&block, &Buffer::from(bytes));
        batch.map_err(|error| LakeError::corrupt(&format!("journal segment {}", self.name), error))
    }
}

/// The error of a segment that cannot be right.
pub(crate) fn damaged(segment: &str, reason: &str) -> LakeError {
    let message = format!("journal segment {segment} is damaged: {reason}");
    LakeError::new(LakeErrorKind::Corrupt, message)
}

fn footer_length(tail: &[u8]) -> Option<usize> {
    let trailer = tail.last_chunk::<TRAILER_BYTES>()?;
    read_footer_length(*trailer).ok()
}

/// The batches' places, each with its digest.
fn read_footer(footer: &[u8]) -> Result<Vec<(Block, String)>, &'static str> {
    let footer = root_as_footer(footer).map_err(|_| "its footer cannot be read")?;
    let mut metadata = footer.custom_metadata().into_iter().flatten();
    let digests = metadata.find(|entry| entry.key() == Some(FOOTER_KEY)).and_then(|entry| entry.value());
    let mut digests = digests.ok_or("it was not written by orgsweep")?.split(' ');
    if digests.next() != Some(FORMAT) {
        return Err("it was written by another version of orgsweep");
    }
    let blocks = footer.recordBatches().into_iter().flatten().copied();
    let blocks: Vec<_> = blocks.zip(digests.by_ref().map(str::to_owned)).collect();
    match (digests.next(), footer.recordBatches().map_or(0, |all| all.len()) == blocks.len()) {
        (None, true) => Ok(blocks),
        _ => Err("its footer contradicts itself"),
    }
}

fn range_of(block: &Block) -> Option<Range<u64>> {
    let start = u64::try_from(block.offset()).ok()?;
    let metadata = u64::try_from(block.metaDataLength()).ok()?;
    let body = u64::try_from(block.bodyLength()).ok()?;
    Some(start..start.checked_add(metadata)?.checked_add(body)?)
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, BooleanArray, ListArray, StringArray, StructArray, UInt32Array, new_null_array};
    use arrow_buffer::OffsetBuffer;
    use arrow_schema::{DataType, Field, Fields, Schema};
    use object_store::memory::InMemory;
    use orgsweep_core::table;

    use super::*;
    use crate::segment::SegmentEncoder;

    /// A batch with one account, whose report has one row that is null in every column.
    fn nulls() -> RecordBatch {
        let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
        let fields: Fields = table::credential_report().schema().fields().iter().map(nullable).collect();
        let columns = fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        let rows: ArrayRef = Arc::new(StructArray::new(fields.clone(), columns, None));
        let item = Arc::new(Field::new("item", DataType::Struct(fields), false));
        let report = ListArray::new(Arc::clone(&item), OffsetBuffer::from_lengths([1]), rows, None);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["000000000001"])),
            Arc::new(UInt32Array::from(vec![1])),
            Arc::new(BooleanArray::from(vec![true])),
            Arc::new(StringArray::from(vec!["{}"])),
            Arc::new(report),
        ];
        let mut fields: Vec<_> = segment::schema().fields().to_vec();
        if let Some(last) = fields.last_mut() {
            *last = Arc::new(Field::new("credentials", DataType::List(item), true));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[tokio::test]
    async fn a_report_that_is_no_report_is_an_error_that_names_the_segment_and_not_an_account_without_one() {
        let mut encoder = SegmentEncoder::new(Vec::new()).unwrap();
        encoder.write(&nulls()).unwrap();
        let bytes = encoder.finish().unwrap();
        let size = u64::try_from(bytes.len()).unwrap();
        let (store, path) = (Arc::new(InMemory::new()), Path::from("one"));
        store.put(&path, bytes.into()).await.unwrap();
        let place = Place::Object { store, path };
        let mut reader = SegmentReader::open("one".to_owned(), place, size, None).await.unwrap();
        let error = reader.next_batch().await.unwrap_err();
        assert_eq!(error.kind(), LakeErrorKind::Corrupt);
        assert_eq!(error.to_string(), "journal segment one is damaged, or was not written by orgsweep");
    }
}
