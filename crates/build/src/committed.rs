//! Chunks of a committed run: its `accounts` and `credentials` read side by side, a few accounts at a time.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use orgsweep_core::table;
use orgsweep_lake::{Commit, Lake, LakeError, TableRows};

use crate::BuildError;
use crate::assemble::ChunkSource;
use crate::chunk::ChunkLimits;

/// Neighbouring accounts with the rows of their reports.
pub(crate) struct CommittedChunk {
    pub(crate) accounts: RecordBatch,
    /// In order, in as many batches as they were read in.
    pub(crate) credentials: Vec<RecordBatch>,
}

/// Walks the two tables of a committed run.
pub(crate) struct CommittedChunks {
    accounts: Cursor,
    credentials: Cursor,
    limits: ChunkLimits,
}

impl CommittedChunks {
    pub(crate) fn new(lake: &Lake, commit: &Commit, limits: ChunkLimits) -> Self {
        let cursor = |table| Cursor::new(lake.rows(commit, table));
        Self { accounts: cursor(table::accounts()), credentials: cursor(table::credentials()), limits }
    }
}

impl ChunkSource for CommittedChunks {
    type Chunk = CommittedChunk;

    async fn next_chunk(&mut self) -> Result<Option<CommittedChunk>, BuildError> {
        let Some(accounts) = self.accounts.peek().await? else {
            let left = self.credentials.peek().await?;
            return left.map_or(Ok(None), |left| Err(BuildError::stray(account_of(left, 0))));
        };
        let accounts = accounts.clone();
        let (mut taken, mut credential_rows, mut credentials) = (0, 0, Vec::new());
        while taken < accounts.num_rows().min(self.limits.accounts) && credential_rows < self.limits.credential_rows {
            let account = account_of(&accounts, taken);
            taken += 1;
            while let Some(rows) = self.credentials.take_of(account).await? {
                credential_rows += rows.num_rows();
                credentials.push(rows);
            }
        }
        self.accounts.drop_first(taken);
        Ok(Some(CommittedChunk { accounts: accounts.slice(0, taken), credentials }))
    }
}

/// The rows of a table, of which some of a batch may be left.
pub(crate) struct Cursor {
    rows: TableRows,
    rest: Option<RecordBatch>,
}

impl Cursor {
    pub(crate) fn new(rows: TableRows) -> Self {
        Self { rows, rest: None }
    }

    /// Passes over the accounts before this one, and takes all of its rows.
    pub(crate) async fn skip_to(&mut self, account: &str) -> Result<Vec<RecordBatch>, BuildError> {
        while let Some(next) = self.peek().await? {
            let before = (0..next.num_rows()).take_while(|row| account_of(next, *row) < account).count();
            if before == 0 {
                break;
            }
            self.drop_first(before);
        }
        let mut rows = Vec::new();
        while let Some(more) = self.take_of(account).await? {
            rows.push(more);
        }
        Ok(rows)
    }

    /// The rows that come next, at least one; `None` at the end.
    async fn peek(&mut self) -> Result<Option<&RecordBatch>, LakeError> {
        while self.rest.as_ref().is_none_or(|rest| rest.num_rows() == 0) {
            self.rest = self.rows.next().await?;
            if self.rest.is_none() {
                return Ok(None);
            }
        }
        Ok(self.rest.as_ref())
    }

    /// Takes rows off the front of those that were seen.
    fn drop_first(&mut self, count: usize) {
        self.rest = self.rest.take().map(|rest| rest.slice(count, rest.num_rows().saturating_sub(count)));
    }

    /// Takes what is next of this account, as far as it is read; `None` once there is no more.
    async fn take_of(&mut self, account: &str) -> Result<Option<RecordBatch>, BuildError> {
        let Some(next) = self.peek().await? else { return Ok(None) };
        let first = account_of(next, 0);
        if first < account {
            // To pass over it would leave every later account without its rows.
            return Err(BuildError::stray(first));
        }
        let count = (0..next.num_rows()).take_while(|row| account_of(next, *row) == account).count();
        let taken = (count > 0).then(|| next.slice(0, count));
        self.drop_first(count);
        Ok(taken)
    }
}

/// The account of a row: both tables begin with its id.
pub(crate) fn account_of(batch: &RecordBatch, row: usize) -> &str {
    batch.column(0).as_string_opt::<i32>().map_or("", |ids| if row < ids.len() { ids.value(row) } else { "" })
}
