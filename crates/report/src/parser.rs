//! Reports to columns, one after another: the header remembered, the rows recognized, ordered and read, and those that
//! are not understood given to the careful path.

use std::borrow::Cow;

use arrow_array::RecordBatch;
use orgsweep_core::QuarantinedRow;

use crate::careful::Careful;
use crate::columns::Columns;
use crate::defect::Defect;
use crate::fields::CHUNK;
use crate::header::Layout;
use crate::identity::{Beginning, beginning_of};
use crate::machine::{Machine, Work, with_all_it_has};
use crate::order::{Key, Order};
use crate::reader::Reader;
use crate::scan::Scan;
use crate::staged::Staged;
use crate::text::{Lines, Span, decode, narrow, trimmed, wide};
use crate::window::window;
use crate::{Origin, ParsedReport, ReportError};

/// How many rows ahead the text is asked for when rows are recognized, and how many bytes: the user and most of the ARN.
const AHEAD: u32 = 8;
const BEGINNING: usize = 128;

/// How many bytes of a row are asked for before its columns are read. Few have more.
const ROW: usize = 256;

/// Reads reports one after another, and makes one batch of as many as are wanted.
///
/// It keeps what it needs in memory from report to report, and remembers the header, so that small reports are read at
/// nearly the speed of large ones. For a single report there is [`crate::parse_report`].
#[derive(Debug, Default)]
pub struct Parser {
    /// The header line of the last report, newline included.
    header: Vec<u8>,
    layout: Option<Layout>,
    scan: Scan,
    order: Order,
    staged: Box<Staged>,
    columns: Columns,
    /// How many rows the last batch had.
    usual_rows: usize,
    is_careful: bool,
}

/// What a [`Parser`] says of a report whose rows it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadReport {
    /// How many rows came of it. They stand behind those of earlier reports, sorted by the bytes of the user name.
    pub rows: usize,
    /// The rows that were set aside, by line. Texts are kept up to 4,096 bytes each.
    pub quarantined: Vec<QuarantinedRow>,
    /// The columns that were left out, in the report's order.
    pub unknown_columns: Vec<String>,
}

impl Parser {
    /// A parser that holds no rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A parser that takes the careful path for every row: slow, and for tests to hold the fast one against.
    #[doc(hidden)]
    #[must_use]
    pub fn careful() -> Self {
        Self { is_careful: true, ..Self::default() }
    }

    /// How many rows it holds.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.rows()
    }

    /// Reads a report as [`crate::parse_report`] does, and holds its rows.
    ///
    /// # Errors
    /// The report as a whole cannot be read, or the rows held by now have 2 GiB of text in one column. No row of the
    /// report is held then.
    pub fn read(&mut self, csv: &[u8], origin: &Origin<'_>) -> Result<ReadReport, ReportError> {
        let before = self.columns.rows();
        let report = with_all_it_has(Read { parser: self, before, csv, origin });
        if report.is_err() {
            self.columns.truncate(before);
        }
        report
    }

    /// Gives out the rows of all reports since the last time, in the order in which those were read: one batch of the
    /// schema of [`orgsweep_core::table::credential_report`].
    ///
    /// # Errors
    /// The columns do not make such a batch: a mistake in this crate.
    pub fn finish(&mut self) -> Result<RecordBatch, ReportError> {
        let columns = std::mem::take(&mut self.columns);
        self.usual_rows = columns.rows();
        Ok(with_all_it_has(columns)?)
    }

    /// Reads a report into a batch of its own. It must hold no rows.
    pub(crate) fn read_alone(&mut self, csv: &[u8], origin: &Origin<'_>) -> Result<ParsedReport, ReportError> {
        // The report before this one says nothing of how large it is.
        self.usual_rows = 0;
        let ReadReport { quarantined, unknown_columns, .. } = self.read(csv, origin)?;
        Ok(ParsedReport { credentials: self.finish()?, quarantined, unknown_columns })
    }

    #[inline(always)]
    fn read_behind(
        &mut self,
        before: usize,
        csv: &[u8],
        origin: &Origin<'_>,
        machine: &impl Machine,
    ) -> Result<ReadReport, ReportError> {
        let mut text = Cow::Borrowed(trimmed(csv)?);
        let mut quarantined = Vec::new();
        // Whatever the header is, a report that is no text is told as such.
        let body = self.read_header(&text).or_else(|error| decode(csv).and(Err(error)))?;
        self.scan.read(&text, body, self.width(), machine);
        if !self.scan.is_ascii() && std::str::from_utf8(&text).is_err() {
            (text, quarantined) = decode(csv)?;
            let body = self.read_header(&text)?;
            self.scan.read(&text, body, self.width(), machine);
        }
        let layout = self.layout.as_ref().ok_or(ReportError::Empty)?;
        let text = text.as_ref();
        let careful = Careful::new(Reader::new(text, layout, origin.account_id), quarantined);
        let mut reading = Reading { text, layout, scan: &mut self.scan, careful };
        let (user_bytes, arn_bytes) = reading.recognize(&mut self.order, self.is_careful)?;
        loop {
            self.order.sort(|row| reading.name(row));
            let rows = self.order.kept.len();
            let room = if before == 0 { rows.max(self.usual_rows) } else { rows };
            self.columns.reserve(room, user_bytes, arn_bytes);
            let are_all_read = reading.read_columns(&self.order.kept, &mut self.staged, &mut self.columns, machine)?;
            if are_all_read & reading.read_repeated(&self.order)? {
                break;
            }
            // A row that was set aside was in the way of its neighbours, and perhaps of another of the same user.
            self.columns.truncate(before);
            self.order.retain(|row| !reading.scan.is_set_aside(row));
        }
        let rows = self.order.kept.len();
        self.columns.push_origin(origin, rows)?;
        reading.quarantine_repeated(&self.order);
        let mut quarantined = reading.careful.quarantined;
        quarantined.sort_by_key(|row| row.line);
        Ok(ReadReport { rows, quarantined, unknown_columns: layout.unknown.clone() })
    }

    /// How many columns the header names.
    fn width(&self) -> u32 {
        self.layout.as_ref().map_or(0, |layout| narrow(layout.width))
    }

    /// Finds the columns, unless the header is that of the last report; returns where the next line starts.
    fn read_header(&mut self, text: &[u8]) -> Result<u32, ReportError> {
        let is_known = self.layout.is_some() && text.starts_with(&self.header);
        if !is_known {
            self.layout = None;
            let mut lines = Lines::new(text);
            let header = lines.next().ok_or(ReportError::Empty)?;
            let names = std::str::from_utf8(header.span.of(text)).map_err(|_| ReportError::NotUtf8)?;
            self.layout = Some(Layout::parse(header, names)?);
            text.get(..text.len() - lines.rest().len()).unwrap_or_default().clone_into(&mut self.header);
        }
        Ok(narrow(self.header.len()))
    }
}

/// A report to read.
struct Read<'r> {
    parser: &'r mut Parser,
    before: usize,
    csv: &'r [u8],
    origin: &'r Origin<'r>,
}

impl Work for Read<'_> {
    type Output = Result<ReadReport, ReportError>;

    #[inline(always)]
    fn run(self, machine: &impl Machine) -> Self::Output {
        self.parser.read_behind(self.before, self.csv, self.origin, machine)
    }
}

/// A report that is being read.
struct Reading<'r> {
    text: &'r [u8],
    layout: &'r Layout,
    scan: &'r mut Scan,
    careful: Careful<'r>,
}

impl Reading<'_> {
    /// Finds out whose the rows are. Rows that cannot be read are left out. Returns how many bytes the users and the ARNs
    /// have that were recognized.
    #[inline(always)]
    fn recognize(&mut self, order: &mut Order, is_careful: bool) -> Result<(usize, usize), ReportError> {
        order.clear();
        let (user, arn) = (self.layout.user, self.layout.arn);
        let (mut user_bytes, mut arn_bytes) = (0, 0);
        let mut beginning = Beginning::of(self.careful.reader.owner());
        for row in 0..self.scan.rows() {
            let place = self.scan.place(row);
            self.scan.fetch(self.text, row.wrapping_add(AHEAD), BEGINNING);
            if !is_careful && !place.is_odd() {
                let (user, arn) = (place.field(self.scan, user), place.field(self.scan, arn));
                if let Some(beginning) = beginning.recognize(self.text, user, arn) {
                    order.push(Key { beginning, row }, |row| self.name(row));
                    user_bytes += wide(user.length());
                    arn_bytes += wide(arn.length());
                    continue;
                }
            }
            if let Some(user) = self.read_carefully(row)? {
                let name = self.careful.reader.texts().bytes(user);
                let key = Key { beginning: beginning_of(&window(name, 0), narrow(name.len())), row };
                order.push(key, |row| self.name(row));
            }
            beginning = Beginning::of(self.careful.reader.owner());
        }
        Ok((user_bytes, arn_bytes))
    }

    /// Lets the careful path answer for a row; returns its user, or `None` if it was set aside.
    #[cold]
    fn read_carefully(&mut self, row: u32) -> Result<Option<Span>, ReportError> {
        let Some(line) = self.scan.take(row, self.text) else {
            return Ok(None);
        };
        let Some(number) = self.careful.read(line)? else {
            return Ok(None);
        };
        let number = narrow(number);
        self.scan.answer(row, number);
        Ok(self.careful.row(number).map(|(row, _)| row.user))
    }

    /// The user's whole name.
    fn name(&self, row: u32) -> &[u8] {
        self.careful.reader.texts().bytes(self.user(row))
    }

    fn user(&self, row: u32) -> Span {
        let place = self.scan.place(row);
        match place.answer() {
            Some(number) => self.careful.row(number).map(|(row, _)| row.user).unwrap_or_default(),
            None => place.field(self.scan, self.layout.user),
        }
    }

    /// Reads the rows, in this order, into the columns. Returns whether they could all be read.
    #[inline(always)]
    fn read_columns(
        &mut self,
        rows: &[u32],
        staged: &mut Staged,
        columns: &mut Columns,
        machine: &impl Machine,
    ) -> Result<bool, ReportError> {
        let mut are_all_read = true;
        for rows in rows.chunks(CHUNK) {
            for row in rows {
                self.scan.fetch(self.text, *row, ROW);
            }
            staged.turn(self.scan, rows, self.layout.width);
            staged.read(self.text, self.layout, machine);
            if staged.odd != 0 {
                are_all_read &= self.put_odd(rows, staged)?;
            }
            columns.push(staged, self.careful.reader.texts());
        }
        Ok(are_all_read)
    }

    /// Puts the odd ones of `rows` in their places. Returns whether they could all be read.
    #[cold]
    fn put_odd(&mut self, rows: &[u32], staged: &mut Staged) -> Result<bool, ReportError> {
        let mut are_all_read = true;
        let mut odd = staged.odd;
        while odd != 0 {
            let index = usize::try_from(odd.trailing_zeros()).unwrap_or_default();
            odd &= odd - 1;
            let Some(row) = rows.get(index).copied() else {
                continue;
            };
            if !self.scan.place(row).is_odd() {
                self.read_carefully(row)?;
            }
            match self.scan.place(row).answer().and_then(|number| self.careful.row(number)) {
                Some((row, _)) => staged.put(index, row),
                None => are_all_read = false,
            }
        }
        Ok(are_all_read)
    }

    /// Reads the rows whose user has a row already: they may have more against them. Returns whether they could be read.
    fn read_repeated(&mut self, order: &Order) -> Result<bool, ReportError> {
        let mut are_all_read = true;
        for (row, _) in &order.repeated {
            if !self.scan.place(*row).is_odd() {
                are_all_read &= self.read_carefully(*row)?.is_some();
            }
        }
        Ok(are_all_read)
    }

    fn quarantine_repeated(&mut self, order: &Order) {
        for (repeated, first) in &order.repeated {
            let (place, first) = (self.scan.place(*repeated), self.scan.place(*first));
            let span = match place.answer().and_then(|number| self.careful.row(number)) {
                Some((_, line)) => line.span,
                None => self.scan.span(*repeated).unwrap_or_default(),
            };
            let texts = self.careful.reader.texts();
            let defect = Defect::repeated_user(texts.text(self.user(*repeated)), first.line);
            let row = defect.quarantine(place.line, texts.bytes(span));
            self.careful.quarantined.push(row);
        }
    }
}
