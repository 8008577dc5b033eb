//! Reading a journal: which accounts it has, and all of it in order of accounts.
//!
//! Before tables are built the journal is sealed: the segments that can be read are written down, once. Segments that a
//! resumed or a slower worker adds later no longer change what is built, so whoever builds gets the same bytes. A segment
//! that is damaged before counts as not there, and its accounts are asked again; one that is damaged after is an error.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use orgsweep_core::{AccountId, RunId, Snapshot};
use serde::{Deserialize, Serialize};

use crate::manifest::to_json;
use crate::merge::{self, Merged};
use crate::segment::{self, STANDING_COLUMNS};
use crate::segment_reader::{Place, SegmentReader, damaged};
use crate::{Journalled, Lake, LakeError, LakeErrorKind, layout};

/// Segments merged at once: each holds one decoded batch, 256 KiB or one account, so this times that is what a merge
/// takes. More segments are merged in several passes.
const FAN_IN: usize = 64;

/// The journal of one run, as it was when it was opened.
#[derive(Debug)]
pub struct Journal {
    lake: Lake,
    run_id: RunId,
    segments: Vec<Segment>,
    sealed: bool,
}

#[derive(Debug)]
struct Segment {
    name: String,
    bytes: u64,
}

/// `seal.json`: the segments that the tables are built from.
#[derive(Debug, Serialize, Deserialize)]
struct Seal {
    segments: Vec<String>,
}

impl Journal {
    /// Lists the run's segments: those of the seal once there is one, all of them before.
    ///
    /// # Errors
    /// A sealed segment is missing, the seal is damaged, or the store fails.
    pub async fn open(lake: &Lake, run_id: &RunId) -> Result<Self, LakeError> {
        let seal: Option<Seal> = lake.find(&layout::seal_manifest(run_id)).await?;
        let listed = lake.list(&layout::journal(run_id)).await?;
        let mut segments: Vec<Segment> = listed
            .iter()
            .filter_map(|object| {
                let name = layout::segment_name(&object.location)?.to_owned();
                Some(Segment { name, bytes: object.size })
            })
            .collect();
        segments.sort_by(|one, other| one.name.cmp(&other.name));
        let sealed = seal.is_some();
        if let Some(seal) = seal {
            let mut missing: HashSet<&str> = seal.segments.iter().map(String::as_str).collect();
            segments.retain(|segment| missing.remove(segment.name.as_str()));
            if let Some(name) = seal.segments.iter().find(|name| missing.contains(name.as_str())) {
                let gone = damaged(name, "it is not in the lake");
                return Err(LakeError::sealed(run_id, gone));
            }
        }
        Ok(Self { lake: lake.clone(), run_id: run_id.clone(), segments, sealed })
    }

    /// Whether the segments are fixed: the sweep is over, and what is left to do is to build.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The segments' names, in order. Each begins with the worker that wrote it.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map(|segment| segment.name.as_str())
    }

    /// The worker that wrote the segment of this name.
    #[must_use]
    pub fn worker_of(segment: &str) -> &str {
        // A name ends in the moment at which its writer started, and in a number.
        segment.rsplitn(3, '-').nth(2).unwrap_or_default()
    }

    /// Fixes the segments that the tables are built from: those of this journal that can be read, unless another fixed
    /// them first. `journalled` is what was read of them.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub async fn seal(mut self, journalled: &Journalled) -> Result<Self, LakeError> {
        if self.sealed {
            return Ok(self);
        }
        self.segments.retain(|segment| !journalled.damaged.contains_key(&segment.name));
        let path = layout::seal_manifest(&self.run_id);
        let seal = Seal { segments: self.segments().map(str::to_owned).collect() };
        let stands = self.lake.create_first(&path, to_json(&path, &seal)?, || seal).await?;
        if self.segments().eq(stands.segments.iter().map(String::as_str)) {
            Ok(Self { sealed: true, ..self })
        } else {
            Self::open(&self.lake, &self.run_id).await
        }
    }

    /// Reads which accounts the journal has, one segment at a time.
    ///
    /// # Errors
    /// A sealed segment is damaged, in which case the message names it; or the store fails.
    pub async fn journalled(&self) -> Result<Journalled, LakeError> {
        let mut standings: HashMap<AccountId, (u32, bool)> = HashMap::new();
        let mut damaged = BTreeMap::new();
        for segment in &self.segments {
            match self.standings(segment).await {
                Ok(found) => {
                    for (account_id, found) in found {
                        // The more complete snapshot is the one that would be built, so it decides; of two that are as
                        // complete both are settled or neither.
                        let stands = standings.entry(account_id).or_default();
                        *stands = (*stands).max(found);
                    }
                }
                Err(error) if error.kind() == LakeErrorKind::Corrupt && !self.sealed => {
                    damaged.insert(segment.name.clone(), error.to_string());
                }
                Err(error) if error.kind() == LakeErrorKind::Corrupt => {
                    return Err(LakeError::sealed(&self.run_id, error));
                }
                Err(error) => return Err(error),
            }
        }
        let those = |is: fn(&(u32, bool)) -> bool| {
            standings.iter().filter(|(_, standing)| is(standing)).map(|(account_id, _)| *account_id).collect()
        };
        let settled = those(|(_, settled)| *settled);
        let opened = those(|(completeness, _)| Snapshot::is_opened(*completeness));
        Ok(Journalled { seen: standings.into_keys().collect(), settled, opened, damaged })
    }

    /// What a segment says of its accounts: of all of them, or of none where any of it is damaged.
    async fn standings(&self, segment: &Segment) -> Result<Vec<(AccountId, (u32, bool))>, LakeError> {
        let mut reader = self.reader(segment, Some(STANDING_COLUMNS.to_vec())).await?;
        let mut standings = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            let found = segment::standings(&batch);
            standings.extend(found.ok_or_else(|| damaged(reader.name(), "its columns are others"))?);
        }
        Ok(standings)
    }

    /// Reads all of the journal in order of accounts, each once: the more complete snapshot of two, then the one of
    /// the smaller segment name. What is in memory does not depend on how long the journal is.
    ///
    /// # Errors
    /// A segment is damaged, in which case the message names it; the store fails; or the machine's folder for temporary
    /// files cannot be written.
    pub async fn merged(&self) -> Result<Merged, LakeError> {
        self.merged_within(FAN_IN).await
    }

    async fn merged_within(&self, fan_in: usize) -> Result<Merged, LakeError> {
        let mut readers = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            readers.push(self.reader(segment, None).await?);
        }
        merge::merge(readers, fan_in).await
    }

    /// Deletes a committed run's journal.
    ///
    /// # Errors
    /// The store fails.
    pub async fn delete(lake: &Lake, run_id: &RunId) -> Result<(), LakeError> {
        lake.delete(&layout::journal(run_id)).await
    }

    async fn reader(&self, segment: &Segment, columns: Option<Vec<usize>>) -> Result<SegmentReader, LakeError> {
        let path = layout::journal_segment(&self.run_id, &segment.name);
        let place = Place::Object { store: Arc::clone(self.lake.store()), path };
        SegmentReader::open(segment.name.clone(), place, segment.bytes, columns).await
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;
    use orgsweep_core::{ErrorKind, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{entry, lake, run_id, time};
    use crate::{JournalEntry, JournalWriter, RollPolicy};

    /// Writes each group of entries as one segment, all in order of their names.
    async fn write(lake: &Lake, segments: &[Vec<JournalEntry>]) {
        for (index, entries) in segments.iter().enumerate() {
            let started_at = Timestamp::from_millis(time().millis() + i64::try_from(index).unwrap());
            let policy = RollPolicy { max_bytes: usize::MAX, ..RollPolicy::default() };
            let mut writer = JournalWriter::new(lake, &run_id(), ("w", started_at), policy);
            for entry in entries {
                writer.push(entry.clone()).await.unwrap();
            }
            writer.flush().await.unwrap();
        }
    }

    async fn seal(journal: Journal) -> Journal {
        let journalled = journal.journalled().await.unwrap();
        journal.seal(&journalled).await.unwrap()
    }

    async fn read(journal: &Journal, fan_in: usize) -> Vec<JournalEntry> {
        let mut merged = journal.merged_within(fan_in).await.unwrap();
        let mut entries = Vec::new();
        while let Some(row) = merged.next().await.unwrap() {
            let entry = row.entry().unwrap();
            assert_eq!(row.account_id, entry.snapshot.account.id);
            assert_eq!(row.credential_rows(), entry.credentials.as_ref().map_or(0, RecordBatch::num_rows));
            entries.push(entry);
        }
        entries
    }

    fn winners(segments: &[Vec<JournalEntry>]) -> Vec<JournalEntry> {
        let mut winners: BTreeMap<AccountId, &JournalEntry> = BTreeMap::new();
        for entry in segments.iter().flatten() {
            let stands = winners.entry(entry.snapshot.account.id).or_insert(entry);
            if entry.snapshot.completeness() > stands.snapshot.completeness() {
                *stands = entry;
            }
        }
        winners.into_values().cloned().collect()
    }

    fn any_entry() -> impl Strategy<Value = JournalEntry> {
        let users = proptest::option::of(proptest::collection::vec("[a-zA-Z0-9+=,.@_-]{1,64}", 0..4));
        let kind = prop_oneof![Just(ErrorKind::Denied), Just(ErrorKind::Transient)];
        (0..12u64, users, 0..4usize, kind).prop_map(|(account, users, lost, kind)| {
            let users: Option<Vec<&str>> = users.as_ref().map(|users| users.iter().map(String::as_str).collect());
            entry(account, users.as_deref(), lost, kind)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_read_equals_what_was_written(
            segments in proptest::collection::vec(proptest::collection::vec(any_entry(), 0..6), 0..9),
            fan_in in 2..10usize,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                let lake = lake();
                write(&lake, &segments).await;
                let journal = Journal::open(&lake, &run_id()).await.unwrap();
                let winners = winners(&segments);
                assert_eq!(read(&journal, fan_in).await, winners);
                let seen = winners.iter().map(|entry| entry.snapshot.account.id).collect();
                let settled = winners.iter().filter(|entry| entry.snapshot.is_settled());
                let settled = settled.map(|entry| entry.snapshot.account.id).collect();
                let opened = winners.iter().filter(|entry| entry.snapshot.role.value().is_some());
                let opened = opened.map(|entry| entry.snapshot.account.id).collect();
                let journalled = Journalled { seen, settled, opened, damaged: BTreeMap::new() };
                assert_eq!(journal.journalled().await.unwrap(), journalled);
            });
        }
    }

    #[tokio::test]
    async fn many_segments_of_many_batches_are_merged_in_passes() {
        let users: Vec<String> = (0..400).map(|number| format!("user-{number}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let segments: Vec<Vec<JournalEntry>> = (0..150u64)
            .map(|segment| {
                // Neighbours share accounts, and some segments have accounts larger than a batch.
                let users = if segment % 50 == 0 { &users[..] } else { &users[..2] };
                (segment..segment + 4).map(|account| entry(account, Some(users), 0, ErrorKind::Denied)).collect()
            })
            .collect();
        let lake = lake();
        write(&lake, &segments).await;
        let journal = Journal::open(&lake, &run_id()).await.unwrap();
        assert_eq!(journal.segments().count(), 150);
        let expected = winners(&segments);
        assert!(read(&journal, FAN_IN).await == expected && read(&journal, 2).await == expected);
    }

    #[tokio::test]
    async fn a_segment_names_its_worker() {
        let lake = lake();
        write(&lake, &[vec![entry(1, None, 0, ErrorKind::Denied)]]).await;
        let journal = Journal::open(&lake, &run_id()).await.unwrap();
        assert_eq!(journal.segments().map(Journal::worker_of).collect::<Vec<_>>(), ["w"]);
        assert_eq!(Journal::worker_of("s003-of-008-host-1-7f-01a202b2c500-000012"), "s003-of-008-host-1-7f");
        assert_eq!(Journal::worker_of("stray"), "");
    }

    #[tokio::test]
    async fn a_journal_without_segments_is_empty() {
        let journal = Journal::open(&lake(), &run_id()).await.unwrap();
        assert_eq!(
            (read(&journal, FAN_IN).await, journal.journalled().await.unwrap()),
            (vec![], Journalled::default())
        );
    }

    #[tokio::test]
    async fn a_sealed_journal_no_longer_grows() {
        let lake = lake();
        let (first, second) = (entry(1, None, 0, ErrorKind::Transient), entry(1, Some(&["a"]), 0, ErrorKind::Denied));
        write(&lake, &[vec![first.clone()]]).await;
        let other = Journal::open(&lake, &run_id()).await.unwrap();
        let sealed = seal(Journal::open(&lake, &run_id()).await.unwrap()).await;
        write(&lake, &[vec![], vec![second]]).await;
        let objects = lake.list(&layout::journal(&run_id())).await.unwrap();
        assert_eq!((objects.len(), sealed.is_sealed()), (2, true));
        for journal in [sealed, seal(other).await, Journal::open(&lake, &run_id()).await.unwrap()] {
            assert!(journal.is_sealed());
            assert_eq!(read(&journal, FAN_IN).await, std::slice::from_ref(&first));
        }
    }

    #[tokio::test]
    async fn whoever_seals_second_takes_the_first_seal() {
        let lake = lake();
        write(&lake, &[vec![entry(1, None, 0, ErrorKind::Transient)]]).await;
        let first = Journal::open(&lake, &run_id()).await.unwrap();
        write(&lake, &[vec![], vec![entry(2, None, 0, ErrorKind::Transient)]]).await;
        let second = Journal::open(&lake, &run_id()).await.unwrap();
        let first = seal(first).await;
        assert_eq!(seal(second).await.segments().collect::<Vec<_>>(), first.segments().collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_damaged_segment_counts_as_not_there_until_the_seal_and_is_an_error_after_it() {
        let lake = lake();
        let [one, two] = [1, 2].map(|account| entry(account, Some(&["a"]), 0, ErrorKind::Denied));
        write(&lake, &[vec![one.clone()], vec![two]]).await;
        let names: Vec<String> = Journal::open(&lake, &run_id()).await.unwrap().segments().map(str::to_owned).collect();
        let path = |name: &str| layout::journal_segment(&run_id(), name);
        let whole = lake.read(&path(&names[1])).await.unwrap();
        lake.replace(&path(&names[1]), whole.slice(..whole.len() / 2).into()).await.unwrap();
        lake.create(&path("stray"), "hello".into()).await.unwrap();
        let journal = Journal::open(&lake, &run_id()).await.unwrap();
        let journalled = journal.journalled().await.unwrap();
        assert_eq!(journalled.damaged.keys().collect::<Vec<_>>(), ["stray", &names[1]]);
        assert_eq!(journalled.seen, HashSet::from([one.snapshot.account.id]));
        let sealed = journal.seal(&journalled).await.unwrap();
        assert_eq!(sealed.segments().collect::<Vec<_>>(), [&names[0]]);
        assert_eq!(read(&sealed, FAN_IN).await, [one]);

        lake.replace(&path(&names[0]), "hello".into()).await.unwrap();
        let error = Journal::open(&lake, &run_id()).await.unwrap().journalled().await.unwrap_err();
        assert!(error.kind() == LakeErrorKind::Corrupt && error.to_string().contains(&names[0]), "{error}");
        lake.delete(&layout::journal(&run_id())).await.unwrap();
        let error = Journal::open(&lake, &run_id()).await.unwrap_err();
        assert!(error.kind() == LakeErrorKind::Corrupt && error.to_string().contains(&names[0]), "{error}");
    }

    #[tokio::test]
    async fn a_deleted_journal_is_gone_and_may_be_deleted_again() {
        let lake = lake();
        write(&lake, &[vec![entry(1, None, 0, ErrorKind::Denied)]]).await;
        Journal::delete(&lake, &run_id()).await.unwrap();
        Journal::delete(&lake, &run_id()).await.unwrap();
        assert_eq!(Journal::open(&lake, &run_id()).await.unwrap().segments().count(), 0);
    }

    #[tokio::test]
    async fn whatever_is_damaged_the_segment_is_named_and_no_other_entry_comes_out() {
        let lake = lake();
        let good = entry(1, Some(&["<root_account>", "anna"]), 0, ErrorKind::Denied);
        write(&lake, &[vec![good.clone()]]).await;
        let name = Journal::open(&lake, &run_id()).await.unwrap().segments().next().unwrap().to_owned();
        let path = layout::journal_segment(&run_id(), &name);
        let whole = lake.read(&path).await.unwrap().to_vec();
        let cuts = (0..whole.len()).step_by(97).map(|length| whole[..length].to_vec());
        let flips = (0..whole.len()).step_by(13).map(|place| {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x20;
            bytes
        });
        let mut errors = 0;
        for damaged in cuts.chain(flips) {
            lake.replace(&path, damaged.into()).await.unwrap();
            let journal = Journal::open(&lake, &run_id()).await.unwrap();
            let row = match journal.merged().await {
                Ok(mut merged) => merged.next().await,
                Err(error) => Err(error),
            };
            match row {
                Ok(row) => assert_eq!(row.unwrap().entry().unwrap(), good),
                Err(error) => {
                    assert_eq!(error.kind(), LakeErrorKind::Corrupt);
                    assert!(error.to_string().contains(&name), "{error}");
                    errors += 1;
                }
            }
        }
        assert!(errors > 10);
    }
}
