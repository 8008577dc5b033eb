//! Lines into fields: at every comma, by RFC 4180, or around one field that may hold commas itself.
//!
//! Knows separators, and nothing of what the fields mean.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memrchr_iter};

use crate::text::{Span, narrow};

/// Splits `line` at every comma. `base` is the offset of its first byte; `bounds` has a place for each field.
///
/// Returns whether the line has exactly as many fields as places. If not, `bounds` holds nothing of use.
#[inline]
pub(crate) fn split_commas(line: &[u8], base: u32, bounds: &mut [Span]) -> bool {
    let mut cursor = Cursor { places: bounds.iter_mut(), start: base };
    let (words, rest) = line.as_chunks::<8>();
    let mut at = base;
    for word in words {
        if !cursor.end_fields(at, commas_in(u64::from_le_bytes(*word))) {
            return false;
        }
        at = at.wrapping_add(8);
    }
    let mut last = [0; 8];
    for (byte, filler) in rest.iter().zip(&mut last) {
        *filler = *byte;
    }
    cursor.end_fields(at, commas_in(u64::from_le_bytes(last)))
        && cursor.end_field(base.wrapping_add(narrow(line.len())))
        && cursor.places.next().is_none()
}

struct Cursor<'b> {
    places: std::slice::IterMut<'b, Span>,
    start: u32,
}

impl Cursor<'_> {
    /// Ends a field at each comma of a word whose first byte is at `at`. Returns whether there were places enough.
    #[inline]
    fn end_fields(&mut self, at: u32, mut commas: u64) -> bool {
        while commas != 0 {
            if !self.end_field(at.wrapping_add(commas.trailing_zeros() / 8)) {
                return false;
            }
            commas &= commas - 1;
        }
        true
    }

    #[inline]
    fn end_field(&mut self, end: u32) -> bool {
        let Some(place) = self.places.next() else {
            return false;
        };
        *place = Span { start: self.start, end };
        self.start = end.wrapping_add(1);
        true
    }
}

/// The high bit of every byte of `word`, whose first byte is the lowest, that is a comma.
///
/// After the xor a comma is a zero byte. Adding `0x7f` to the low seven bits carries into the high bit of every byte
/// that is not zero and never beyond, so the answer is exact, unlike that of the shorter well-known formula.
#[inline]
fn commas_in(word: u64) -> u64 {
    const COMMAS: u64 = u64::from_le_bytes([b','; 8]);
    const LOW_BITS: u64 = u64::from_le_bytes([0x7f; 8]);
    let zeros = word ^ COMMAS;
    !(((zeros & LOW_BITS) + LOW_BITS) | zeros | LOW_BITS)
}

/// How many fields there are if every comma separates.
pub(crate) fn count_fields(line: &[u8]) -> usize {
    memchr_iter(b',', line).count().saturating_add(1)
}

/// Splits as RFC 4180 says: a field that starts with a double quote ends at the next one that is not doubled. Quotes
/// inside a field that does not start with one are part of it.
///
/// Returns `None` if a quoted field is not closed, or goes on behind its closing quote.
pub(crate) fn split_quoted(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, behind) = if let Some(body) = rest.strip_prefix('"') {
            unquote(body).map(|(field, behind)| (Cow::Owned(field), behind))?
        } else {
            let (field, behind) = rest.split_at(memchr(b',', rest.as_bytes()).unwrap_or(rest.len()));
            (Cow::Borrowed(field), behind)
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None => return behind.is_empty().then_some(fields),
        }
    }
}

/// The field whose opening quote was just passed, and what stands behind its closing quote.
fn unquote(body: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = body;
    loop {
        let (part, behind) = rest.split_once('"')?;
        field.push_str(part);
        match behind.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, behind)),
        }
    }
}

/// Splits at every comma but those of the field at index `free`: that one takes whatever the fields before and behind
/// it leave over. Otherwise like [`split_commas`].
pub(crate) fn split_around(line: &[u8], base: u32, bounds: &mut [Span], free: usize) -> bool {
    let Some((before, [place, behind @ ..])) = bounds.split_at_mut_checked(free) else {
        return false;
    };
    let from = match before.len() {
        0 => Some(0),
        fields => memchr_iter(b',', line).nth(fields - 1).map(|comma| comma + 1),
    };
    let to = match behind.len() {
        0 => Some(line.len()),
        fields => memrchr_iter(b',', line).nth(fields - 1),
    };
    let (Some(from), Some(to)) = (from, to) else {
        return false;
    };
    if from > to {
        return false;
    }
    let offset = |index: usize| base.wrapping_add(narrow(index));
    *place = Span { start: offset(from), end: offset(to) };
    let left = from.checked_sub(1).is_none_or(|end| split_commas(line.get(..end).unwrap_or_default(), base, before));
    let right = line.get(to..).and_then(|rest| rest.get(1..));
    left && right.is_none_or(|right| split_commas(right, offset(to + 1), behind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fields as each way of splitting sees them, for as many places as `fields`.
    fn check(line: &str, fields: Option<&[&str]>, places: usize, split: impl Fn(&[u8], u32, &mut [Span]) -> bool) {
        let text = format!("before,{line},behind");
        let mut bounds = vec![Span::default(); places];
        let whole = split(line.as_bytes(), 7, &mut bounds);
        let found: Option<Vec<_>> =
            whole.then(|| bounds.iter().map(|span| std::str::from_utf8(span.of(text.as_bytes())).unwrap()).collect());
        assert_eq!(found.as_deref(), fields, "{line:?}");
    }

    #[test]
    fn a_line_is_split_at_commas_if_the_count_is_right() {
        check("", Some(&[""]), 1, split_commas);
        check("a", None, 2, split_commas);
        check(",", Some(&["", ""]), 2, split_commas);
        check("abcdefg,hijklmnop,", Some(&["abcdefg", "hijklmnop", ""]), 3, split_commas);
        check("abcdefg,hijklmnop,", None, 2, split_commas);
        check("abcdefg,hijklmnop,", None, 4, split_commas);
    }

    #[test]
    fn one_field_may_take_what_the_others_leave() {
        let free = |at: usize| move |line: &[u8], base: u32, bounds: &mut [Span]| split_around(line, base, bounds, at);
        check("a,b,c,d", Some(&["a", "b", "c,d"]), 3, free(2));
        check("a,b,c,d", Some(&["a,b", "c", "d"]), 3, free(0));
        check("a,b,c,d", Some(&["a", "b,c", "d"]), 3, free(1));
        check("a,,d", Some(&["a", "", "d"]), 3, free(1));
        check("a,d", None, 3, free(1));
        check("a,b", Some(&["a,b"]), 1, free(0));
        check("a,b", None, 2, free(2));
    }

    #[test]
    fn quotes_are_read_as_rfc_4180_says() {
        let check = |line: &str, expected: Option<&[&str]>| {
            let fields = split_quoted(line);
            let fields: Option<Vec<&str>> = fields.as_ref().map(|fields| fields.iter().map(AsRef::as_ref).collect());
            assert_eq!(fields.as_deref(), expected, "{line:?}");
        };
        check("", Some(&[""]));
        check(r#""a,b",c"#, Some(&["a,b", "c"]));
        check(r#""a""b","""""#, Some(&["a\"b", "\""]));
        check(r#"a"b,"","#, Some(&["a\"b", "", ""]));
        check(r#""a"b"#, None);
        check(r#"a,"b"#, None);
        check(r#"""#, None);
    }

    proptest! {
        #[test]
        fn commas_are_found_eight_bytes_at_a_time_and_one_by_one_alike(line in "[,\\-+\u{0}\u{7f}äa-c]{0,40}") {
            let fields: Vec<&str> = line.split(',').collect();
            prop_assert_eq!(count_fields(line.as_bytes()), fields.len());
            check(&line, Some(&fields), fields.len(), split_commas);
            check(&line, None, fields.len() + 1, split_commas);
            check(&line, None, fields.len() - 1, split_commas);
        }

        #[test]
        fn bytes_that_only_resemble_commas_are_left_alone(bytes in any::<[u8; 8]>()) {
            let expected = bytes.map(|byte| if byte == b',' { 0x80 } else { 0 });
            prop_assert_eq!(commas_in(u64::from_le_bytes(bytes)), u64::from_le_bytes(expected));
        }
    }
}
