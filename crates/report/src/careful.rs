//! The rows that the careful path has read, and those that nobody can read.

use orgsweep_core::QuarantinedRow;

use crate::ReportError;
use crate::reader::Reader;
use crate::row::Row;
use crate::text::{Line, wide};

/// What the careful path made of the lines that it was given.
#[derive(Debug)]
pub(crate) struct Careful<'a> {
    pub(crate) reader: Reader<'a>,
    rows: Vec<(Row, Line)>,
    pub(crate) quarantined: Vec<QuarantinedRow>,
}

impl<'a> Careful<'a> {
    /// Begins with lines that are quarantined already.
    pub(crate) fn new(reader: Reader<'a>, quarantined: Vec<QuarantinedRow>) -> Self {
        Self { reader, rows: Vec::new(), quarantined }
    }

    /// Reads a line and keeps its row; returns by which number, or `None` if the line was set aside.
    ///
    /// # Errors
    /// [`ReportError::CutOff`] if the line has no newline and is not whole.
    #[cold]
    pub(crate) fn read(&mut self, line: Line) -> Result<Option<usize>, ReportError> {
        match self.reader.read_row(line) {
            Ok(row) => {
                self.rows.push((row, line));
                Ok(Some(self.rows.len() - 1))
            }
            Err(defect) if !line.terminated && defect.is_sign_of_cut() => {
                Err(ReportError::CutOff { line: line.number, reason: defect.to_string() })
            }
            Err(defect) => {
                self.quarantined.push(defect.quarantine(line.number, self.reader.texts().bytes(line.span)));
                Ok(None)
            }
        }
    }

    /// The row of this number, and its line.
    pub(crate) fn row(&self, number: u32) -> Option<&(Row, Line)> {
        self.rows.get(wide(number))
    }
}
