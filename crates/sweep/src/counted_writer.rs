//! A journal's writer that counts the accounts which no kill can lose any more.

use orgsweep_core::AccountId;
use orgsweep_lake::{JournalEntry, JournalWriter, LakeError};

use crate::progress::Progress;

/// The writer, and where it counts.
pub(crate) struct CountedWriter<'a> {
    writer: JournalWriter,
    progress: &'a Progress,
}

impl<'a> CountedWriter<'a> {
    pub(crate) fn new(writer: JournalWriter, progress: &'a Progress) -> Self {
        Self { writer, progress }
    }

    /// Takes entries, and writes a segment when there is enough for one.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn push(&mut self, entries: Vec<JournalEntry>) -> Result<(), LakeError> {
        for entry in entries {
            let durable = self.writer.push(entry).await?;
            self.count(&durable);
        }
        Ok(())
    }

    /// Writes what has waited long enough.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn roll_if_due(&mut self) -> Result<(), LakeError> {
        let durable = self.writer.roll_if_due().await?;
        self.count(&durable);
        Ok(())
    }

    /// Writes what there is.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn flush(&mut self) -> Result<(), LakeError> {
        let durable = self.writer.flush().await?;
        self.count(&durable);
        Ok(())
    }

    fn count(&self, durable: &[AccountId]) {
        self.progress.accounts_journalled(durable.len());
    }
}
