//! Why a whole report could not be read. What is wrong with a single row is a [`crate::defect::Defect`].

use arrow_schema::ArrowError;

/// Why a report counts as not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// There is no text at all, or nothing but blanks.
    #[error("the credential report is empty")]
    Empty,
    /// The header is not UTF-8 text.
    #[error("the credential report's header is not UTF-8 text")]
    NotUtf8,
    /// The first line names none of the columns of a credential report: another file, or an error page.
    #[error("this is not a credential report: it starts with {start:?} where the names of the columns are expected")]
    NotAReport {
        /// The beginning of the text.
        start: String,
    },
    /// The header lacks a column that every report has.
    #[error("the credential report's header has no column {column:?}")]
    MissingColumn {
        /// The first missing column, in the order in which AWS sends them.
        column: &'static str,
    },
    /// The header names a column twice, so that its values cannot be told apart.
    #[error("the credential report's header names the column {column:?} twice")]
    DuplicateColumn {
        /// The column.
        column: String,
    },
    /// The text ends within its header or within its last row: rows that should follow may be missing.
    #[error("the credential report is cut off in line {line}: {reason}; fetch it again")]
    CutOff {
        /// The last line; the header is line 1.
        line: u32,
        /// What is wrong with that line.
        reason: String,
    },
    /// The text, or a column made from it, does not fit into an Arrow column.
    #[error("the credential report has {bytes} bytes, more than can be read at once; at most {limit} are expected")]
    TooLarge {
        /// The report's size.
        bytes: usize,
        /// The largest size that is read.
        limit: usize,
    },
    /// The columns do not make a batch of the `credentials` table: a mistake in this crate.
    #[error("the columns of the credential report do not fit the credentials table")]
    Columns(#[from] ArrowError),
}

impl ReportError {
    /// A stable name for the tables and for callers that only count: `ReportCutOff`, `ReportColumnMissing`, ….
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "ReportEmpty",
            Self::NotUtf8 => "ReportNotUtf8",
            Self::NotAReport { .. } => "ReportNotRecognized",
            Self::MissingColumn { .. } => "ReportColumnMissing",
            Self::DuplicateColumn { .. } => "ReportColumnDuplicate",
            Self::CutOff { .. } => "ReportCutOff",
            Self::TooLarge { .. } => "ReportTooLarge",
            Self::Columns(_) => "ReportColumnsInvalid",
        }
    }
}
