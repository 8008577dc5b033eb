//! Merging segments into one sequence of accounts, in bounded memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufWriter, Seek};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave_record_batch;
use orgsweep_core::AccountId;

use crate::segment::{BATCH_BYTES, SegmentBatch, SegmentEncoder};
use crate::segment_reader::{Place, SegmentReader, damaged};
use crate::{JournalEntry, LakeError, LakeErrorKind};

/// A journal in order of accounts, each once.
#[derive(Debug)]
pub struct Merged {
    cursors: Vec<Cursor>,
    /// The next row of every cursor that has one, smallest account first, and within it the winner.
    next: BinaryHeap<Reverse<Key>>,
    last: Option<AccountId>,
}

/// Smaller account, then more complete, then earlier segment.
type Key = (AccountId, Reverse<u32>, usize);

#[derive(Debug)]
struct Cursor {
    reader: SegmentReader,
    batch: Option<Arc<SegmentBatch>>,
    row: usize,
    account_id: Option<AccountId>,
}

/// One account of a [`Merged`] journal, not decoded yet: that is work for another thread.
#[derive(Debug, Clone)]
pub struct MergedRow {
    /// The account.
    pub account_id: AccountId,
    batch: Arc<SegmentBatch>,
    row: usize,
}

impl MergedRow {
    /// Decodes the entry.
    ///
    /// # Errors
    /// The snapshot was written by a version of orgsweep whose snapshots are other ones.
    pub fn entry(&self) -> Result<JournalEntry, LakeError> {
        self.batch.entry(self.row).map_err(|error| {
            LakeError::corrupt(&format!("the journalled snapshot of account {}", self.account_id), error)
        })
    }

    /// Roughly what the entry takes in memory, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.batch.weight(self.row)
    }

    /// Rows of the account's credential report.
    #[must_use]
    pub fn credential_rows(&self) -> usize {
        self.batch.credential_rows(self.row)
    }
}

impl Merged {
    /// The next account; `None` at the end.
    ///
    /// # Errors
    /// A segment is damaged, in which case the message names it; or the store fails.
    pub async fn next(&mut self) -> Result<Option<MergedRow>, LakeError> {
        while let Some(Reverse((account_id, _, index))) = self.next.pop() {
            let Some(cursor) = self.cursors.get_mut(index) else { continue };
            let row = cursor.batch.clone().map(|batch| MergedRow { account_id, batch, row: cursor.row });
            if let Some((account_id, completeness)) = cursor.advance().await? {
                self.next.push(Reverse((account_id, completeness, index)));
            }
            // Whoever comes second with the same account has lost.
            if self.last.replace(account_id) != Some(account_id) {
                return Ok(row);
            }
        }
        Ok(None)
    }

    async fn over(readers: Vec<SegmentReader>) -> Result<Self, LakeError> {
        let mut cursors = Vec::with_capacity(readers.len());
        let mut next = BinaryHeap::with_capacity(readers.len());
        for (index, reader) in readers.into_iter().enumerate() {
            let mut cursor = Cursor { reader, batch: None, row: 0, account_id: None };
            if let Some((account_id, completeness)) = cursor.advance().await? {
                next.push(Reverse((account_id, completeness, index)));
            }
            cursors.push(cursor);
        }
        Ok(Self { cursors, next, last: None })
    }
}

impl Cursor {
    /// Goes to the next row, into the next batch where one has ended.
    async fn advance(&mut self) -> Result<Option<(AccountId, Reverse<u32>)>, LakeError> {
        self.row += 1;
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.batch.num_rows()) {
            let Some(batch) = self.reader.next_batch().await? else {
                self.batch = None;
                return Ok(None);
            };
            let batch =
                SegmentBatch::new(batch).ok_or_else(|| damaged(self.reader.name(), "its columns are others"))?;
            (self.batch, self.row) = (Some(Arc::new(batch)), 0);
        }
        let key = self.batch.as_ref().and_then(|batch| batch.account_id(self.row).zip(batch.completeness(self.row)));
        let (account_id, completeness) = key.ok_or_else(|| damaged(self.reader.name(), "a row has no account"))?;
        if self.account_id.replace(account_id).is_some_and(|last| last >= account_id) {
            return Err(damaged(self.reader.name(), "its accounts are not in order"));
        }
        Ok(Some((account_id, Reverse(completeness))))
    }
}

/// Merges segments that are given in order of their names, no more than `fan_in` at once: where there are more, each
/// group of neighbours becomes one temporary file first. A group's winner is older than the next group's by name too,
/// so who wins does not depend on the grouping.
pub(crate) async fn merge(mut readers: Vec<SegmentReader>, fan_in: usize) -> Result<Merged, LakeError> {
    while readers.len() > fan_in {
        let mut merged = Vec::with_capacity(readers.len().div_ceil(fan_in));
        let mut rest = readers.into_iter();
        loop {
            let group: Vec<_> = rest.by_ref().take(fan_in).collect();
            if group.is_empty() {
                break;
            }
            merged.push(spill(group).await?);
        }
        readers = merged;
    }
    Merged::over(readers).await
}

/// Merges a group into a temporary file that has no name: it is gone when nobody reads it any more, or is killed.
async fn spill(group: Vec<SegmentReader>) -> Result<SegmentReader, LakeError> {
    let name = match (group.first(), group.last()) {
        (Some(first), Some(last)) => format!("{}..{}", first.name(), last.name()),
        _ => String::new(),
    };
    let mut merged = Merged::over(group).await?;
    let file = tempfile::tempfile().map_err(|error| {
        let folder = std::env::temp_dir();
        let message = format!("cannot merge the journal: no temporary file can be made in {}", folder.display());
        LakeError::file_system(message, error)
    })?;
    let mut encoder = SegmentEncoder::new(BufWriter::new(file)).map_err(unspillable)?;
    let (mut rows, mut weight) = (Vec::new(), 0);
    loop {
        let row = merged.next().await?;
        weight += row.as_ref().map_or(0, MergedRow::weight);
        let ended = row.is_none();
        rows.extend(row);
        if !rows.is_empty() && (ended || weight >= BATCH_BYTES) {
            encoder.write(&gather(&rows).map_err(unspillable)?).map_err(unspillable)?;
            rows.clear();
            weight = 0;
        }
        if ended {
            break;
        }
    }
    let file = encoder.finish().map_err(unspillable)?;
    let (file, size) = finish_file(file)
        .map_err(|error| LakeError::file_system("cannot write a temporary file of the merge".to_owned(), error))?;
    SegmentReader::open(name, Place::Spilled(file), size, None).await
}

fn finish_file(file: BufWriter<File>) -> std::io::Result<(File, u64)> {
    let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    let size = file.stream_position()?;
    Ok((file, size))
}

/// Copies rows of several batches into one.
fn gather(rows: &[MergedRow]) -> Result<RecordBatch, ArrowError> {
    let mut batches: Vec<&SegmentBatch> = Vec::new();
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        let index = batches.iter().position(|batch| std::ptr::eq(*batch, row.batch.as_ref()));
        places.push((index.unwrap_or(batches.len()), row.row));
        if index.is_none() {
            batches.push(&row.batch);
        }
    }
    let batches: Vec<&RecordBatch> = batches.into_iter().map(|batch| &batch.batch).collect();
    interleave_record_batch(&batches, &places)
}

fn unspillable(error: ArrowError) -> LakeError {
    LakeError::new(LakeErrorKind::Unavailable, "cannot write a temporary file of the merge").with_source(error)
}
