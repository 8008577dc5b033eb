//! `commit.json`: what a committed run consists of. Readers trust exactly the files that it lists.

use orgsweep_core::{Caller, Organization, Outcome, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// The layout of manifests and tables that this version writes.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// A committed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The layout that the run was written in.
    pub format_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The time against which every age was judged.
    pub as_of: Timestamp,
    /// When the run was committed.
    pub committed_at: Timestamp,
    /// The version of orgsweep that started the run.
    pub orgsweep_version: String,
    /// SHA-256 of the rules as they were in force, in hexadecimal.
    pub rule_pack_sha256: String,
    /// The run whose committed tables this one judged again: its `accounts` and `credentials` are that run's files.
    /// `None` for a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recheck_of: Option<RunId>,
    /// Who asked.
    pub caller: Caller,
    /// Of which organization; `None` where the caller may not describe it.
    pub organization: Option<Organization>,
    /// How much of the plan was read.
    pub coverage: Coverage,
    /// The tables, in the order in which they are documented.
    pub tables: Vec<CommittedTable>,
    /// What came of each check, in rule order: the tallies of whoever evaluated them.
    pub checks: Vec<serde_json::Value>,
    /// What became of each exception, in their order.
    #[serde(default)]
    pub exceptions: Vec<serde_json::Value>,
}

impl Commit {
    /// The format version that this crate writes, for whoever makes a commit.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;

    /// The files of one table, in order; none if there is no such table.
    pub fn files(&self, table: &str) -> impl Iterator<Item = &CommittedFile> {
        self.tables.iter().filter(move |committed| committed.name == table).flat_map(|committed| &committed.files)
    }
}

/// How many accounts the plan has, and what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Accounts in the plan: the sum of the other four.
    pub planned: u64,
    /// Read whole.
    pub swept: u64,
    /// Read with gaps.
    pub partial: u64,
    /// Asked, and nothing was read.
    pub failed: u64,
    /// Not asked.
    pub skipped: u64,
}

impl Coverage {
    /// Counts one account more.
    pub fn count(&mut self, outcome: Outcome) {
        self.planned += 1;
        match outcome {
            Outcome::Swept => self.swept += 1,
            Outcome::Partial => self.partial += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Skipped => self.skipped += 1,
        }
    }
}

/// One table of a committed run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedTable {
    /// The table's name.
    pub name: String,
    /// Rows in all files.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The files, in the order of their rows.
    pub files: Vec<CommittedFile>,
}

impl CommittedTable {
    /// A table of these files.
    #[must_use]
    pub fn new(name: &str, files: Vec<CommittedFile>) -> Self {
        let rows = files.iter().map(|file| file.rows).sum();
        let bytes = files.iter().map(|file| file.bytes).sum();
        Self { name: name.to_owned(), rows, bytes, files }
    }
}

/// One file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedFile {
    /// Where it lies, relative to the lake.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
}
