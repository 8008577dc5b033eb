//! Lines into rows: the fast path for the rows that AWS sends, the careful path for those with quotes or stray commas.
//!
//! A row that neither path understands is set aside and never touches the others.

use memchr::{memchr, memmem};
use orgsweep_core::{AccountId, QuarantinedRow};

use crate::ReportError;
use crate::arn::{MAX_ARN, Owner};
use crate::columns::Columns;
use crate::defect::Defect;
use crate::header::Layout;
use crate::row::Row;
use crate::split::{count_fields, split_around, split_commas, split_quoted};
use crate::text::{Line, Lines, Span, Texts, narrow};
use crate::value::ROOT_USER;

/// Reads the rows of one report.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    texts: Texts<'a>,
    layout: Layout,
    owner: Owner,
    /// The fields of the row at hand; made once.
    bounds: Vec<Span>,
    /// Whether any row needs to be searched for quotes.
    has_quotes: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, layout: Layout, account: AccountId) -> Self {
        Self {
            texts: Texts::new(text),
            bounds: vec![Span::default(); layout.width],
            layout,
            owner: Owner::new(account),
            has_quotes: memchr(b'"', text.as_bytes()).is_some(),
        }
    }

    /// Reads what follows the header; rows that are not understood go to `quarantined`. Empty lines are no rows.
    ///
    /// # Errors
    /// [`ReportError::CutOff`] if the last row has no newline and is not whole.
    pub(crate) fn read_rows(
        &mut self,
        lines: Lines<'_>,
        quarantined: &mut Vec<QuarantinedRow>,
    ) -> Result<Columns, ReportError> {
        let mut columns = Columns::with_capacity(memchr::memchr_iter(b'\n', lines.rest()).count().saturating_add(1));
        for line in lines.filter(|line| line.span.start != line.span.end) {
            match self.read_row(line) {
                Ok(row) => columns.push(&row, line),
                Err(defect) if !line.terminated && defect.is_sign_of_cut() => {
                    return Err(ReportError::CutOff { line: line.number, reason: defect.to_string() });
                }
                Err(defect) => quarantined.push(defect.quarantine(line.number, self.texts.bytes(line.span))),
            }
        }
        Ok(columns)
    }

    /// Gives back the texts that rows point into, and the names of unknown columns.
    pub(crate) fn finish(self) -> (Texts<'a>, Vec<String>) {
        (self.texts, self.layout.unknown)
    }

    #[inline]
    fn read_row(&mut self, line: Line) -> Result<Row, Defect> {
        let bytes = self.texts.bytes(line.span);
        let is_quoted = self.has_quotes && memchr(b'"', bytes).is_some();
        if !is_quoted && split_commas(bytes, line.span.start, &mut self.bounds) {
            return self.parse_row();
        }
        self.read_odd_row(line, is_quoted)
    }

    #[inline]
    fn parse_row(&mut self) -> Result<Row, Defect> {
        Row::parse(&self.texts, &self.bounds, &self.layout, &mut self.owner)
    }

    /// Reads a row with quotes, or with a wrong number of commas: as RFC 4180 says, or else as a row whose stray commas
    /// are in its user, path or free text.
    #[cold]
    fn read_odd_row(&mut self, line: Line, is_quoted: bool) -> Result<Row, Defect> {
        let as_written = if is_quoted { self.read_quoted(line) } else { Err(self.field_count(line)) };
        let Err(defect) = as_written else {
            return as_written;
        };
        // A row whose fields could be told apart knows best what is wrong with it; else the recovery may know more.
        self.recover(line).map_err(|found| if defect.is_about_separators() { found.unwrap_or(defect) } else { defect })
    }

    fn field_count(&self, line: Line) -> Defect {
        Defect::FieldCount { expected: self.layout.width, found: count_fields(self.texts.bytes(line.span)) }
    }

    fn read_quoted(&mut self, line: Line) -> Result<Row, Defect> {
        let fields = split_quoted(self.texts.text(line.span)).ok_or(Defect::Quotes)?;
        if fields.len() != self.layout.width {
            return Err(Defect::FieldCount { expected: self.layout.width, found: fields.len() });
        }
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        let end = self.texts.end();
        for (place, field) in self.bounds.iter_mut().zip(&fields) {
            *place = self.texts.keep(field);
        }
        let row = self.parse_row();
        if row.is_err() {
            self.texts.forget_from(end);
        }
        row
    }

    /// Reads a row with stray commas. IAM names hold no colon, so the first `,arn:` ends the user; the ARN ends with
    /// that user's name; the columns behind it hold no commas, but for the free text, which takes what is left over.
    ///
    /// # Errors
    /// `None` if no end of the ARN leaves the right number of fields; else what is wrong with the first that does. Two
    /// ends that both make a good row are [`Defect::Ambiguous`].
    fn recover(&mut self, line: Line) -> Result<Row, Option<Defect>> {
        if !self.layout.starts_with_user_and_arn() {
            return Err(None);
        }
        let bytes = self.texts.bytes(line.span);
        let comma = memmem::find(bytes, b",arn:").ok_or(None)?;
        let (user, behind) = bytes.split_at_checked(comma).ok_or(None)?;
        let behind = behind.get(1..).unwrap_or_default();
        let arn_end = if user == ROOT_USER { b":root,".to_vec() } else { [b"/", user, b","].concat() };
        let window = behind.get(..MAX_ARN).unwrap_or(behind);
        let ends: Vec<usize> = memmem::find_iter(window, &arn_end).map(|at| at + arn_end.len() - 1).collect();
        let start = line.span.start;
        let user = Span { start, end: start.wrapping_add(narrow(comma)) };
        let mut recovered = Err(None);
        for end in ends {
            let arn = Span { start: user.end + 1, end: user.end + 1 + narrow(end) };
            let rest = Span { start: arn.end + 1, end: line.span.end };
            if !self.split_recovered(user, arn, rest) {
                continue;
            }
            recovered = match (self.parse_row(), recovered) {
                (Ok(_), Ok(_)) => return Err(Some(Defect::Ambiguous)),
                (Ok(row), Err(_)) | (Err(_), Ok(row)) => Ok(row),
                (Err(defect), Err(earlier)) => Err(earlier.or(Some(defect))),
            };
        }
        recovered
    }

    fn split_recovered(&mut self, user: Span, arn: Span, rest: Span) -> bool {
        let bytes = self.texts.bytes(rest);
        let [user_place, arn_place, places @ ..] = self.bounds.as_mut_slice() else {
            return false;
        };
        (*user_place, *arn_place) = (user, arn);
        match self.layout.additional_info {
            Some(free) => split_around(bytes, rest.start, places, free.saturating_sub(2)),
            None => split_commas(bytes, rest.start, places),
        }
    }
}
