//! The careful path: one line into one row, also if it has quotes or stray commas, or what is wrong with it.
//!
//! It alone knows what is allowed in a row; whatever reads faster asks it about all that looks odd.

use memchr::{memchr, memmem};
use orgsweep_core::AccountId;

use crate::arn::{MAX_ARN, Owner};
use crate::defect::Defect;
use crate::header::Layout;
use crate::row::Row;
use crate::split::{count_fields, split_around, split_commas, split_quoted};
use crate::text::{Line, Span, Texts, narrow};
use crate::value::ROOT_USER;

/// Reads the rows of one report.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    texts: Texts<'a>,
    layout: &'a Layout,
    owner: Owner,
    /// The fields of the row at hand; made once, if there is such a row.
    bounds: Vec<Span>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8], layout: &'a Layout, account: AccountId) -> Self {
        Self { texts: Texts::new(text), bounds: Vec::new(), layout, owner: Owner::new(account) }
    }

    /// The texts that rows point into.
    #[inline]
    pub(crate) fn texts(&self) -> &Texts<'a> {
        &self.texts
    }

    /// The account, and what is known by now of its ARNs.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read_row(&mut self, line: Line) -> Result<Row, Defect> {
        self.bounds.resize(self.layout.width, Span::default());
        let bytes = self.texts.bytes(line.span);
        let is_quoted = memchr(b'"', bytes).is_some();
        if !is_quoted && split_commas(bytes, line.span.start, &mut self.bounds) {
            return self.parse_row();
        }
        self.read_odd_row(line, is_quoted)
    }

    #[inline]
    fn parse_row(&mut self) -> Result<Row, Defect> {
        Row::parse(&self.texts, &self.bounds, self.layout, &mut self.owner)
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
