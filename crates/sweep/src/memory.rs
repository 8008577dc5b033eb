//! How many bytes of credential reports are held at a time, of all accounts.
//!
//! How large a report is shows only when it is there, so room is taken beforehand for one as large as any that was seen
//! lately, twice over: reports come as Base64 in XML, and their columns stand beside them for a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room is counted in this many bytes.
const UNIT: usize = 1024;

/// Room for a report while none was seen: 600 users.
const FIRST_GUESS: usize = 512 * UNIT;

/// Less than this is never taken: an account's other answers want room as well.
const LEAST: usize = 16 * UNIT;

/// How much larger than its bytes a report is while it is being read.
const IN_THE_READING: usize = 2;

/// Room for reports.
pub(crate) struct ReportMemory {
    all: u32,
    room: Arc<Semaphore>,
    expected: AtomicUsize,
}

/// Room that is taken, for as long as it lives.
pub(crate) struct Room {
    _permit: Option<OwnedSemaphorePermit>,
}

impl ReportMemory {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let all = units(bytes).max(1);
        Self { all, room: Arc::new(Semaphore::new(all as usize)), expected: AtomicUsize::new(FIRST_GUESS) }
    }

    /// Waits for the room that a report may want. However large, one report at a time is always let in.
    pub(crate) async fn take(&self) -> Room {
        let wanted = units(self.expected.load(Ordering::Relaxed)).min(self.all);
        // It fails only where the semaphore is closed, and nobody closes it.
        Room { _permit: Arc::clone(&self.room).acquire_many_owned(wanted).await.ok() }
    }

    /// A report came that has this many bytes.
    pub(crate) fn seen(&self, bytes: usize) {
        let size = (bytes * IN_THE_READING).max(LEAST);
        let expected = self.expected.load(Ordering::Relaxed);
        // What was large once is forgotten slowly. Two threads that do this at once lose one step, which is no harm.
        self.expected.store(size.max(expected - expected / 16), Ordering::Relaxed);
    }
}

/// Whole units for so many bytes, as many as a semaphore can count.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(u32::MAX >> 4)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// How many reports find room at once.
    fn check(memory: &ReportMemory, expected: usize) {
        let rooms: Vec<_> = std::iter::from_fn(|| memory.take().now_or_never()).collect();
        assert_eq!(rooms.len(), expected);
    }

    #[test]
    fn as_many_reports_find_room_as_their_size_lets_in() {
        let memory = ReportMemory::new(8 << 20);
        check(&memory, 16);
        (0..100).for_each(|_| memory.seen(10_000));
        check(&memory, (8 << 20) / (20 * 1024));
        memory.seen(2 << 20);
        check(&memory, 2);
    }

    #[test]
    fn a_report_larger_than_all_room_is_let_in_alone() {
        let memory = ReportMemory::new(64 << 10);
        memory.seen(3 << 20);
        check(&memory, 1);
    }
}
