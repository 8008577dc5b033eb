//! The first look at every file: whose report it is and when it was made, so that the reports can be read later in order
//! of their accounts, a few at a time.
//!
//! Of each file only the beginning is read, and nothing of it is kept but a few numbers and its path.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use orgsweep_core::{AccountId, Partition, RunId, Timestamp};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::find::Found;
use super::form::{Form, FormError, Wanted, read, report_in};
use super::head::{HEAD_BYTES, HeadError, Heads};
use super::saved::read_report;

/// A file that is a credential report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedReport {
    /// The file.
    pub path: Box<Path>,
    /// Whose report it is.
    pub account_id: AccountId,
    /// The partition of its ARNs.
    pub partition: Partition,
    /// When AWS made it.
    pub generated_at: Timestamp,
    /// Who says so.
    pub time_origin: TimeOrigin,
    /// The file's size, in bytes as it lies there.
    pub bytes: u64,
    /// When the file was last changed, by which two states of it are told apart.
    modified: Timestamp,
}

impl SavedReport {
    /// Whether a file is still the one that was looked at.
    pub(super) fn is_of(&self, metadata: &Metadata) -> io::Result<bool> {
        Ok(metadata.len() == self.bytes && modified(metadata)? == self.modified)
    }
}

/// Who says when a report was made, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOrigin {
    /// Whoever ingests it.
    Given,
    /// AWS, in the JSON answer.
    Answer,
    /// The file system: when the file was last changed.
    Modified,
}

/// A file that is to be a report and cannot be read as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// What the files are.
#[derive(Debug, Default)]
pub struct Survey {
    /// The reports, in order of their accounts, one for each.
    pub reports: Vec<SavedReport>,
    /// Files that are no reports although they should be, in order.
    pub bad: Vec<BadFile>,
    /// Reports of accounts of which there is a newer one.
    pub superseded: Vec<PathBuf>,
    /// Files of folders that neither are reports nor are named like one.
    pub passed_over: usize,
}

/// Looks at these files, side by side. `generated_at` is when all of the reports were made, where somebody knows better
/// than the files.
#[must_use]
pub fn survey(found: Found, generated_at: Option<Timestamp>) -> Survey {
    let files: Vec<(PathBuf, bool)> = found.files.into_iter().collect();
    let looked = files.into_par_iter().map_init(Heads::default, |heads, (path, must_be_report)| {
        (look_at(&path, generated_at, heads), path, must_be_report)
    });
    let looked: Vec<_> = looked.collect();
    let mut survey = Survey::default();
    for (looked, path, must_be_report) in looked {
        match looked {
            Ok(report) => survey.reports.push(report),
            // What nobody could look into may be a report.
            Err(reason) if must_be_report || reason.is_unreadable() => {
                survey.bad.push(BadFile { path, reason: reason.to_string() });
            }
            Err(_) => survey.passed_over += 1,
        }
    }
    survey.keep_newest();
    survey.hold_partition();
    survey
}

impl Survey {
    /// When the newest of the reports was made; `None` without reports.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.reports.iter().map(|report| report.generated_at).max()
    }

    /// When the oldest of the reports was made; `None` without reports.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        self.reports.iter().map(|report| report.generated_at).min()
    }

    /// The id of the run that these reports are when they are judged at `as_of`; `made_by` is whatever else decides what
    /// the tables say. The same files have the same one, as far as account, time, size and last change of each tell.
    #[must_use]
    pub fn run_id(&self, as_of: Timestamp, made_by: &str) -> RunId {
        let mut hash = Sha256::new();
        hash.update(format!("{made_by}\n{as_of}\n"));
        for report in &self.reports {
            let SavedReport { account_id, generated_at, bytes, modified, .. } = report;
            hash.update(account_id.as_str());
            hash.update(generated_at.millis().to_le_bytes());
            hash.update(bytes.to_le_bytes());
            hash.update(modified.millis().to_le_bytes());
        }
        let hex = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        RunId::ingest(as_of, &hex)
    }

    /// Brings the reports into order and keeps the newest of each account. Of two of the same time one is a copy of the
    /// other, or nobody knows which is to be believed.
    fn keep_newest(&mut self) {
        self.reports.sort_by(|one, other| {
            let key = |report: &SavedReport| (report.account_id, Reverse(report.generated_at));
            key(one).cmp(&key(other)).then_with(|| one.path.cmp(&other.path))
        });
        let mut kept: Vec<SavedReport> = Vec::with_capacity(self.reports.len());
        for report in self.reports.drain(..) {
            match kept.last().filter(|newest| newest.account_id == report.account_id) {
                None => kept.push(report),
                Some(newest) if newest.generated_at > report.generated_at || are_same(newest, &report) => {
                    self.superseded.push(report.path.into());
                }
                Some(newest) => self.bad.push(BadFile {
                    reason: format!(
                        "it is another report of account {} than {}, and of the same time, {}: leave one of them out",
                        newest.account_id,
                        newest.path.display(),
                        newest.generated_at
                    ),
                    path: report.path.into(),
                }),
            }
        }
        self.reports = kept;
    }

    /// An organization never spans two partitions.
    fn hold_partition(&mut self) {
        let Some(partition) = self.reports.first().map(|report| report.partition) else { return };
        let foreign = self.reports.extract_if(.., |report| report.partition != partition);
        self.bad.extend(foreign.map(|report| BadFile {
            reason: format!(
                "it is a report of the partition {}, and others are of {partition}: ingest them apart",
                report.partition
            ),
            path: report.path.into(),
        }));
        self.bad.sort_by(|one, other| one.path.cmp(&other.path));
    }
}

/// Whether both files hold the same report.
fn are_same(one: &SavedReport, other: &SavedReport) -> bool {
    matches!((read_report(one), read_report(other)), (Ok(one), Ok(other)) if one == other)
}

/// Why a file is not taken for a report.
#[derive(Debug, thiserror::Error)]
enum NoReport {
    #[error("it cannot be opened: {0}")]
    Closed(#[from] io::Error),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Head(#[from] HeadError),
}

impl NoReport {
    fn is_unreadable(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Form(FormError::Unreadable(_)))
    }
}

fn look_at(path: &Path, given: Option<Timestamp>, heads: &mut Heads) -> Result<SavedReport, NoReport> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    let wanted = Wanted::Head(HEAD_BYTES as u64);
    let mut head = read(Vec::with_capacity(HEAD_BYTES), &mut file, wanted)?;
    let mut answered = None;
    if Form::of(&head)? != Form::Csv {
        (head, answered) = report_in(&head, file, wanted)?;
    }
    let owner = heads.owner_of(head.get(..HEAD_BYTES).unwrap_or(&head))?;
    let modified = modified(&metadata)?;
    let (generated_at, time_origin) = match (given, answered) {
        (Some(given), _) => (given, TimeOrigin::Given),
        (None, Some(answered)) => (answered, TimeOrigin::Answer),
        // AWS makes reports on whole seconds.
        (None, None) => (modified.whole_seconds(), TimeOrigin::Modified),
    };
    let (path, bytes) = (path.into(), metadata.len());
    Ok(SavedReport {
        path,
        account_id: owner.account_id,
        partition: owner.partition,
        generated_at,
        time_origin,
        bytes,
        modified,
    })
}

fn modified(metadata: &Metadata) -> io::Result<Timestamp> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_millis(0).plus(since))
}
