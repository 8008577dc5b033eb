//! Where things lie: the layout of a lake, its manifests, the journal of a sweep, and the table files of a build.
//!
//! Everything goes through one [`object_store::ObjectStore`], whatever it is; only `durable` knows that a folder on
//! this machine is a special case. This crate knows nothing of AWS, of checks, or of who calls it.

mod carried;
mod commit;
mod durable;
mod error;
#[cfg(test)]
mod fixture;
mod journal;
mod journal_writer;
mod journalled;
mod lake;
pub mod layout;
mod leaf;
mod manifest;
mod merge;
mod open_part;
mod part_bytes;
mod runs;
mod segment;
mod segment_reader;
mod table_reader;
mod table_writer;

pub use commit::{Commit, CommittedFile, CommittedTable, Coverage};
pub use error::{LakeError, LakeErrorKind};
pub use journal::Journal;
pub use journal_writer::{JournalWriter, RollPolicy};
pub use journalled::Journalled;
pub use lake::Lake;
pub use merge::{Merged, MergedRow};
pub use open_part::{ColumnWork, EncodedColumn};
pub use runs::{RunState, Stage};
pub use segment::JournalEntry;
pub use table_reader::TableRows;
pub use table_writer::{DEFAULT_PART_BYTES, Part, TableWriter, encode};
