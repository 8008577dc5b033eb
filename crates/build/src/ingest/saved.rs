//! Saved reports into chunks: which accounts are built together, and each file read and parsed where the chunk is built, on
//! whichever thread that is.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::vec;

use orgsweep_core::{
    Account, AccountId, AccountState, Decision, ErrorKind, PlannedAccount, Reading, Refusal, ReportFacts, Snapshot,
};
use orgsweep_lake::JournalEntry;
use orgsweep_report::{Origin, ParsedReport, ReportError, parse_report};

use super::form::{Form, FormError, Wanted, read, report_in};
use super::survey::{BadFile, SavedReport};
use crate::BuildError;
use crate::assemble::ChunkSource;
use crate::chunk::ChunkLimits;

/// A guess at a row of a report, in bytes, from which a file's size tells how many rows its chunk gets. Too low a guess
/// makes chunks smaller.
const ROW_BYTES: u64 = 256;

/// How much smaller compressed reports are: their rows are alike.
const COMPRESSED_BY: u64 = 8;

/// Reports in order of their accounts, chunk by chunk. No file is touched here, so that all threads read.
pub(super) struct SavedChunks {
    reports: vec::IntoIter<SavedReport>,
    limits: ChunkLimits,
}

impl SavedChunks {
    pub(super) fn new(reports: Vec<SavedReport>, limits: ChunkLimits) -> Self {
        Self { reports: reports.into_iter(), limits }
    }
}

impl ChunkSource for SavedChunks {
    type Chunk = Vec<SavedReport>;

    async fn next_chunk(&mut self) -> Result<Option<Self::Chunk>, BuildError> {
        let most = u64::try_from(self.limits.credential_rows).unwrap_or(u64::MAX).saturating_mul(ROW_BYTES);
        let (mut chunk, mut bytes) = (Vec::new(), 0_u64);
        while chunk.len() < self.limits.accounts && bytes < most {
            let Some(report) = self.reports.next() else { break };
            bytes = bytes.saturating_add(unpacked_bytes(&report));
            chunk.push(report);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

/// A guess at how large the report is once it is unpacked.
fn unpacked_bytes(report: &SavedReport) -> u64 {
    let is_plain = report.path.extension().is_some_and(|ending| ending == "csv");
    if is_plain { report.bytes } else { report.bytes.saturating_mul(COMPRESSED_BY) }
}

/// What reading the reports came to, counted by all threads.
#[derive(Debug, Default)]
pub(super) struct Counts {
    csv_bytes: AtomicU64,
    bad: Mutex<Vec<BadFile>>,
}

impl Counts {
    /// Bytes of CSV that were parsed.
    pub(super) fn csv_bytes(&self) -> u64 {
        self.csv_bytes.load(Ordering::Relaxed)
    }

    /// The reports that could not be read, in order of their files.
    pub(super) fn bad(&self) -> Vec<BadFile> {
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner).clone();
        bad.sort_by(|one, other| one.path.cmp(&other.path));
        bad
    }
}

/// An account of which nothing is known but its id.
pub(super) fn planned(account_id: AccountId) -> PlannedAccount {
    let account = Account {
        id: account_id,
        arn: None,
        name: None,
        email: None,
        state: AccountState::Unknown,
        path: None,
        joined_method: None,
        joined_at: None,
    };
    PlannedAccount { account, decision: Decision::Ask }
}

/// Reads a chunk's reports. One that cannot be read is an account whose report was not read, and counted.
pub(super) fn read_chunk(chunk: &[SavedReport], counts: &Counts) -> Vec<(PlannedAccount, JournalEntry)> {
    let entry = |report: &SavedReport| {
        let planned = planned(report.account_id);
        let (reading, credentials) = match parse(report, counts) {
            Ok(parsed) => {
                let (facts, credentials) = facts_of(report, parsed);
                (Reading::Read(facts), Some(credentials))
            }
            Err(unread) => {
                let bad = BadFile { path: PathBuf::from(&*report.path), reason: unread.to_string() };
                counts.bad.lock().unwrap_or_else(PoisonError::into_inner).push(bad);
                (Reading::Refused(unread.refusal()), None)
            }
        };
        let snapshot = Snapshot::of_report(planned.account.clone(), reading);
        (planned, JournalEntry { snapshot, credentials })
    };
    chunk.iter().map(entry).collect()
}

/// Why a report could not be read whole.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("{0}")]
    Report(#[from] ReportError),
}

impl Unread {
    fn refusal(&self) -> Refusal {
        let code = match self {
            Self::Form(_) => "ReportUnreadable",
            Self::Report(error) => error.code(),
        };
        Refusal { kind: ErrorKind::Fatal, code: code.to_owned() }
    }
}

fn parse(report: &SavedReport, counts: &Counts) -> Result<ParsedReport, Unread> {
    let csv = read_report(report)?;
    counts.csv_bytes.fetch_add(u64::try_from(csv.len()).unwrap_or_default(), Ordering::Relaxed);
    let origin = Origin { account_id: report.account_id, account_name: None, generated_at: report.generated_at };
    Ok(parse_report(&csv, &origin)?)
}

/// The CSV in a report's file.
///
/// # Errors
/// The file cannot be read or unpacked, or is no longer the one that was looked at.
pub(super) fn read_report(report: &SavedReport) -> Result<Vec<u8>, FormError> {
    let file = File::open(&report.path)?;
    if !report.is_of(&file.metadata()?)? {
        return Err(FormError::Changed);
    }
    let expected = usize::try_from(report.bytes.min(MOST_EXPECTED)).unwrap_or_default();
    let bytes = read(Vec::with_capacity(expected + 1), file, Wanted::Whole)?;
    if Form::of(&bytes)? == Form::Csv {
        return Ok(bytes);
    }
    Ok(report_in(&bytes, io::empty(), Wanted::Whole)?.0)
}

/// Room that is made for a file before its first byte is read.
const MOST_EXPECTED: u64 = 16 << 20;

fn facts_of(report: &SavedReport, parsed: ParsedReport) -> (ReportFacts, arrow_array::RecordBatch) {
    let ParsedReport { credentials, quarantined, unknown_columns } = parsed;
    let facts = ReportFacts {
        generated_at: report.generated_at,
        older_than_asked: false,
        carried_from: None,
        rows: u32::try_from(credentials.num_rows()).unwrap_or(u32::MAX),
        quarantined,
        unknown_columns,
    };
    (facts, credentials)
}
