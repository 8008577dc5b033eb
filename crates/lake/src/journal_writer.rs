//! Writing a journal: entries are gathered and leave as segments, by size and by age.
//!
//! An entry counts when the segment that holds it is in the lake, and not before; the writer says which do.

use std::time::Duration;

use object_store::PutPayload;
use orgsweep_core::{AccountId, RunId, Timestamp};
use tokio::time::Instant;

use crate::segment::{self, SegmentRow};
use crate::{JournalEntry, Lake, LakeError, LakeErrorKind, layout};

/// When gathered entries become a segment.
#[derive(Debug, Clone)]
pub struct RollPolicy {
    /// As soon as they take this many bytes of memory.
    pub max_bytes: usize,
    /// As soon as the oldest of them has waited this long.
    pub max_age: Duration,
}

impl Default for RollPolicy {
    /// Eight mebibytes, which a put carries at once; two seconds, which is what a kill may cost.
    fn default() -> Self {
        Self { max_bytes: 8 << 20, max_age: Duration::from_secs(2) }
    }
}

/// The one writer of one process's segments of a run's journal.
#[derive(Debug)]
pub struct JournalWriter {
    lake: Lake,
    run_id: RunId,
    prefix: String,
    policy: RollPolicy,
    sequence: u32,
    rows: Vec<SegmentRow>,
    bytes: usize,
    oldest: Option<Instant>,
}

impl JournalWriter {
    /// A writer whose segments are named for a worker, whatever of it may stand in a name, and for the moment when it
    /// began: a process that goes on with the run writes beside its predecessor and never over it.
    #[must_use]
    pub fn new(lake: &Lake, run_id: &RunId, (worker, began_at): (&str, Timestamp), policy: RollPolicy) -> Self {
        let in_name = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let worker: String = worker.chars().map(in_name).collect();
        Self {
            lake: lake.clone(),
            run_id: run_id.clone(),
            // Twelve hexadecimal digits sort by time for the next 8,900 years.
            prefix: format!("{worker}-{:012x}", began_at.millis()),
            policy,
            sequence: 0,
            rows: Vec::new(),
            bytes: 0,
            oldest: None,
        }
    }

    /// Takes an entry. If that makes enough for a segment it is written, and its accounts are returned: they are
    /// durable.
    ///
    /// # Errors
    /// The entry cannot be written, or the store fails; then nothing gathered is lost, and a later call tries again.
    pub async fn push(&mut self, entry: JournalEntry) -> Result<Vec<AccountId>, LakeError> {
        let row = SegmentRow::new(entry)?;
        self.bytes += row.weight();
        self.rows.push(row);
        self.oldest.get_or_insert_with(Instant::now);
        if self.bytes >= self.policy.max_bytes { self.flush().await } else { self.roll_if_due().await }
    }

    /// When the oldest entry will have waited long enough; `None` while there is none. Call
    /// [`JournalWriter::roll_if_due`] then.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.oldest.map(|oldest| oldest + self.policy.max_age)
    }

    /// Writes what has been gathered if the oldest of it has waited long enough, and returns its accounts: they are
    /// durable.
    ///
    /// # Errors
    /// As [`JournalWriter::push`].
    pub async fn roll_if_due(&mut self) -> Result<Vec<AccountId>, LakeError> {
        match self.due() {
            Some(due) if due <= Instant::now() => self.flush().await,
            _ => Ok(Vec::new()),
        }
    }

    /// Writes what has been gathered and returns its accounts: they are durable.
    ///
    /// # Errors
    /// As [`JournalWriter::push`].
    pub async fn flush(&mut self) -> Result<Vec<AccountId>, LakeError> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        // Encoding is milliseconds for a whole segment, less than a trip to another thread is worth.
        let payload = PutPayload::from(segment::encode(&self.rows)?);
        loop {
            let path = layout::journal_segment(&self.run_id, &format!("{}-{:06}", self.prefix, self.sequence));
            match self.lake.create_same(&path, payload.clone()).await {
                // A writer of the same name and millisecond was here: its segment stays, ours takes the next number.
                Err(error) if error.kind() == LakeErrorKind::AlreadyExists => self.sequence += 1,
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        self.sequence += 1;
        self.bytes = 0;
        self.oldest = None;
        Ok(self.rows.drain(..).map(|row| row.account_id).collect())
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::ErrorKind;

    use super::*;
    use crate::Journal;
    use crate::fixture::{entry, lake, report, run_id, time};

    fn writer(lake: &Lake, policy: RollPolicy) -> JournalWriter {
        JournalWriter::new(lake, &run_id(), ("host.a/0", time()), policy)
    }

    fn small(account: u64) -> JournalEntry {
        entry(account, Some(&["anna"]), 0, ErrorKind::Denied)
    }

    async fn segments(lake: &Lake) -> Vec<String> {
        Journal::open(lake, &run_id()).await.unwrap().segments().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn an_entry_counts_once_its_segment_is_there() {
        let lake = lake();
        let mut writer = writer(&lake, RollPolicy::default());
        assert_eq!(writer.push(small(2)).await.unwrap(), []);
        assert_eq!(writer.push(small(1)).await.unwrap(), []);
        assert_eq!(segments(&lake).await, [""; 0]);
        assert_eq!(writer.flush().await.unwrap(), [2, 1].map(AccountId::from_number));
        assert_eq!(writer.flush().await.unwrap(), []);
        assert_eq!(segments(&lake).await, ["host-a-0-01a202b2c500-000000"]);
    }

    #[tokio::test]
    async fn entries_leave_by_size() {
        let lake = lake();
        let policy = RollPolicy { max_bytes: 2 * SegmentRow::new(small(1)).unwrap().weight(), ..RollPolicy::default() };
        let mut writer = writer(&lake, policy);
        let mut durable = Vec::new();
        for account in 1..=5 {
            durable.push(writer.push(small(account)).await.unwrap().len());
        }
        assert_eq!((durable, segments(&lake).await.len()), (vec![0, 2, 0, 2, 0], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn entries_leave_by_age() {
        let lake = lake();
        let mut writer = writer(&lake, RollPolicy { max_age: Duration::from_secs(2), ..RollPolicy::default() });
        assert_eq!(writer.due(), None);
        writer.push(small(1)).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(writer.push(small(2)).await.unwrap(), []);
        assert_eq!(writer.roll_if_due().await.unwrap(), []);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(writer.due(), Some(Instant::now()));
        assert_eq!(writer.roll_if_due().await.unwrap().len(), 2);
        assert_eq!((writer.due(), writer.roll_if_due().await.unwrap().len()), (None, 0));
    }

    #[tokio::test]
    async fn two_writers_of_one_name_and_moment_overwrite_nothing() {
        let lake = lake();
        let (mut one, mut other) = (writer(&lake, RollPolicy::default()), writer(&lake, RollPolicy::default()));
        one.push(small(1)).await.unwrap();
        one.flush().await.unwrap();
        other.push(small(2)).await.unwrap();
        other.flush().await.unwrap();
        assert_eq!(segments(&lake).await.len(), 2);
        assert_eq!(Journal::open(&lake, &run_id()).await.unwrap().journalled().await.unwrap().settled.len(), 2);
    }

    #[tokio::test]
    async fn a_report_with_other_columns_is_refused() {
        let mut writer = writer(&lake(), RollPolicy::default());
        let rows = report(1, &["anna"]).project(&[0, 1]).unwrap();
        let error = writer.push(JournalEntry { credentials: Some(rows), ..small(1) }).await.unwrap_err();
        assert_eq!(error.to_string(), "the snapshot of account 000000000001 cannot be journalled");
    }
}
