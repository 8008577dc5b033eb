//! The report as text: decoded once, cut into lines, and lent out as spans.
//!
//! Knows lines and bytes, and nothing of columns.

use std::borrow::Cow;

use memchr::memchr;
use orgsweep_core::QuarantinedRow;

use crate::ReportError;
use crate::defect::Defect;

/// The largest report that is read, in bytes. AWS's are below 4 MB (5,000 users and the root user), so this only
/// keeps every offset, those of unquoted rows included, within 32 bits.
const MAX_REPORT_BYTES: usize = 1 << 30;

/// The byte order mark that some editors put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without a byte order mark.
///
/// # Errors
/// There is too much of it, or nothing but blanks.
pub(crate) fn trimmed(csv: &[u8]) -> Result<&[u8], ReportError> {
    if csv.len() > MAX_REPORT_BYTES {
        return Err(ReportError::TooLarge { bytes: csv.len(), limit: MAX_REPORT_BYTES });
    }
    let csv = csv.strip_prefix(BYTE_ORDER_MARK).unwrap_or(csv);
    if csv.trim_ascii_start().is_empty() {
        return Err(ReportError::Empty);
    }
    Ok(csv)
}

/// The text with every line that is not UTF-8 left empty, so that the others keep their numbers; and those lines.
///
/// # Errors
/// As [`trimmed`] has them; or the header, or a last line without a newline, is no text.
#[cold]
pub(crate) fn decode(csv: &[u8]) -> Result<(Cow<'_, [u8]>, Vec<QuarantinedRow>), ReportError> {
    let csv = trimmed(csv)?;
    if std::str::from_utf8(csv).is_ok() {
        return Ok((Cow::Borrowed(csv), Vec::new()));
    }
    let mut decoded = Vec::with_capacity(csv.len());
    let mut quarantined = Vec::new();
    for line in Lines::new(csv) {
        let bytes = line.span.of(csv);
        match std::str::from_utf8(bytes) {
            Ok(_) => decoded.extend_from_slice(bytes),
            Err(_) if line.number == 1 => return Err(ReportError::NotUtf8),
            Err(_) if !line.terminated => {
                return Err(ReportError::CutOff { line: line.number, reason: Defect::NotUtf8.to_string() });
            }
            Err(_) => quarantined.push(Defect::NotUtf8.quarantine(line.number, bytes)),
        }
        if line.terminated {
            decoded.push(b'\n');
        }
    }
    Ok((Cow::Owned(decoded), quarantined))
}

/// A stretch of [`Texts`], or of one text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first byte.
    pub(crate) start: u32,
    /// The byte behind the last.
    pub(crate) end: u32,
}

impl Span {
    /// The bytes of `text` that the span names; none where it reaches beyond.
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(wide(self.start)..wide(self.end)).unwrap_or_default()
    }

    /// How many bytes it has.
    #[inline]
    pub(crate) fn length(self) -> u32 {
        self.end.wrapping_sub(self.start)
    }

    fn moved_back(self, by: u32) -> Self {
        Self { start: self.start.wrapping_sub(by), end: self.end.wrapping_sub(by) }
    }
}

/// An offset as an index. Offsets are below [`MAX_REPORT_BYTES`], so nothing is lost on any machine that runs this.
pub(crate) fn wide(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// An index as an offset; see [`wide`].
pub(crate) fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The report's text, and behind it, in one space of offsets, the fields that had to be unquoted.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    source: &'a [u8],
    source_end: u32,
    unquoted: String,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(source: &'a [u8]) -> Self {
        Self { source, source_end: narrow(source.len()), unquoted: String::new() }
    }

    /// The report itself.
    #[inline]
    pub(crate) fn source(&self) -> &'a [u8] {
        self.source
    }

    /// Keeps a field that does not stand in the report in this form.
    pub(crate) fn keep(&mut self, field: &str) -> Span {
        let start = self.end();
        self.unquoted.push_str(field);
        Span { start, end: self.end() }
    }

    /// Where the next kept field will start.
    pub(crate) fn end(&self) -> u32 {
        self.source_end.saturating_add(narrow(self.unquoted.len()))
    }

    /// Forgets the fields kept since [`Texts::end`] was `end`.
    pub(crate) fn forget_from(&mut self, end: u32) {
        self.unquoted.truncate(wide(end.saturating_sub(self.source_end)));
    }

    /// The bytes that the span names.
    #[inline]
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        if span.start < self.source_end {
            span.of(self.source)
        } else {
            span.moved_back(self.source_end).of(self.unquoted.as_bytes())
        }
    }

    /// The text that the span names. Spans lie between separators, which are ASCII, so they hold whole characters.
    pub(crate) fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }
}

/// One line of a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Its number; the header is 1.
    pub(crate) number: u32,
    /// Its text, without its newline.
    pub(crate) span: Span,
    /// Whether a newline follows it; only the last line may have none.
    pub(crate) terminated: bool,
}

/// The lines of a text, which end in LF or CRLF. The last needs no end, and nothing follows the last newline.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    start: u32,
    number: u32,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, start: 0, number: 0 }
    }

    /// What no line was made of yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    #[inline]
    fn next(&mut self) -> Option<Line> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest, terminated) = match memchr(b'\n', self.rest).and_then(|end| self.rest.split_at_checked(end)) {
            Some((line, rest)) => (line, rest.get(1..).unwrap_or_default(), true),
            None => (self.rest, self.rest.get(self.rest.len()..).unwrap_or_default(), false),
        };
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        let span = Span { start: self.start, end: self.start.wrapping_add(narrow(content.len())) };
        self.number = self.number.wrapping_add(1);
        self.start = self.start.wrapping_add(narrow(line.len())).wrapping_add(u32::from(terminated));
        self.rest = rest;
        Some(Line { number: self.number, span, terminated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u32, &str, bool)]) {
        let lines = Lines::new(text.as_bytes());
        let texts = Texts::new(text.as_bytes());
        let found: Vec<_> = lines.map(|line| (line.number, texts.text(line.span), line.terminated)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn lines_end_in_either_newline_or_with_the_text() {
        check("", &[]);
        check("a", &[(1, "a", false)]);
        check("a\n", &[(1, "a", true)]);
        check("a\r\n\nb\r", &[(1, "a", true), (2, "", true), (3, "b", false)]);
        check("\n\r\n", &[(1, "", true), (2, "", true)]);
        check("a\rb\n", &[(1, "a\rb", true)]);
    }

    #[test]
    fn kept_fields_lie_behind_the_report() {
        let mut texts = Texts::new(b"report");
        let end = texts.end();
        let (first, second) = (texts.keep("a\"b"), texts.keep(""));
        assert_eq!((texts.text(first), texts.bytes(second)), ("a\"b", b"".as_slice()));
        assert_eq!(texts.text(Span { start: 2, end: 6 }), "port");
        texts.forget_from(end);
        assert_eq!((texts.end(), texts.text(first)), (end, ""));
    }

    #[test]
    fn a_line_that_is_no_text_leaves_an_empty_line() {
        let (text, quarantined) = decode(b"\xef\xbb\xbfa\nb\xff\r\nc").unwrap();
        assert_eq!(text, b"a\n\nc".as_slice());
        let reason = "it is not UTF-8 text".to_owned();
        assert_eq!(quarantined, [QuarantinedRow { line: 2, text: "b\u{fffd}".to_owned(), reason }]);
    }

    #[test]
    fn a_last_line_that_is_no_text_is_a_report_cut_off() {
        assert_eq!(decode(b"a\nb\xc3").unwrap_err().code(), "ReportCutOff");
        assert_eq!(decode(b"a\xc3\nb").unwrap_err().code(), "ReportNotUtf8");
    }

    #[test]
    fn blanks_alone_are_an_empty_report() {
        for csv in [b"".as_slice(), b"\xef\xbb\xbf", b" \r\n\n"] {
            assert_eq!(decode(csv).unwrap_err().code(), "ReportEmpty");
        }
    }
}
