//! The grammar of single values: booleans, times, words, names, and the report's three words for "none".
//!
//! Whatever is not in the grammar is `None`; the caller says in which column.

use crate::timestamp::parse_millis;

/// The report's words for a value that is not there. AWS means different things by them, so the tables keep which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// `N/A`.
    NotApplicable,
    /// `no_information`.
    NoInformation,
    /// `not_supported`.
    NotSupported,
}

impl Absence {
    /// The word as AWS writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "N/A",
            Self::NoInformation => "no_information",
            Self::NotSupported => "not_supported",
        }
    }

    /// A number for it; 0 stands for a value that is there.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::NotApplicable => 1,
            Self::NoInformation => 2,
            Self::NotSupported => 3,
        }
    }

    /// Reads one of the three words, in capitals or not.
    #[inline]
    pub(crate) fn parse(field: &[u8]) -> Option<Self> {
        let word = match field.len() {
            3 if field == b"N/A" => return Some(Self::NotApplicable),
            3 => Self::NotApplicable,
            13 => Self::NotSupported,
            14 => Self::NoInformation,
            _ => return None,
        };
        field.eq_ignore_ascii_case(word.as_str().as_bytes()).then_some(word)
    }
}

/// A value, or the report's word for its absence.
pub(crate) type Known<T> = Result<T, Absence>;

/// Reads `true` or `false`. AWS sends lower case and documents upper case; either is taken.
#[inline]
pub(crate) fn parse_flag(field: &[u8]) -> Option<bool> {
    match field {
        b"true" => Some(true),
        b"false" => Some(false),
        _ if field.eq_ignore_ascii_case(b"true") => Some(true),
        _ if field.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Reads a boolean that AWS may leave out.
#[inline]
pub(crate) fn parse_known_flag(field: &[u8]) -> Option<Known<bool>> {
    parse_flag(field).map(Ok).or_else(|| Absence::parse(field).map(Err))
}

/// Reads a time that AWS may leave out, in milliseconds since the Unix epoch.
#[inline]
pub(crate) fn parse_known_time(field: &[u8]) -> Option<Known<i64>> {
    match field.first() {
        Some(b'0'..=b'9') => parse_millis(field).map(Ok),
        _ => Absence::parse(field).map(Err),
    }
}

/// The longest region or service name that is believed, in bytes; AWS's own stay below 30.
const MAX_WORD: usize = 64;

/// Whether the field is a region or service namespace (`us-gov-west-1`, `s3`), or a word for its absence.
#[inline]
pub(crate) fn parse_known_word(field: &[u8]) -> Option<Known<()>> {
    if let Some(absence) = Absence::parse(field) {
        return Some(Err(absence));
    }
    let is_word = (1..=MAX_WORD).contains(&field.len()) && field.iter().copied().all(is_word_byte);
    is_word.then_some(Ok(()))
}

/// Whether the name of a region or service may hold this byte.
#[inline]
pub(crate) fn is_word_byte(byte: u8) -> bool {
    is_within(byte | 0x20, b'a', b'z') | is_within(byte, b'0', b'9') | is_within(byte, b'-', b'.') | (byte == b'_')
}

/// What the report calls the root user. No IAM user can have this name.
pub(crate) const ROOT_USER: &[u8] = b"<root_account>";

/// The longest name of an IAM user, in characters.
pub(crate) const MAX_USER_NAME: usize = 64;

/// Whether IAM allows this name for a user: `[A-Za-z0-9_+=,.@-]{1,64}`, as `CreateUser` documents it.
#[inline]
pub(crate) fn is_user_name(field: &[u8]) -> bool {
    (1..=MAX_USER_NAME).contains(&field.len()) && field.iter().copied().all(is_user_name_byte)
}

/// Whether the name of a user may hold this byte.
#[inline]
pub(crate) fn is_user_name_byte(byte: u8) -> bool {
    // Ranges, and no branches: many bytes are asked at once. From `+` to `.` there are `+,-.`, from `@` to `Z` also `@`.
    is_within(byte, b'a', b'z')
        | is_within(byte, b'@', b'Z')
        | is_within(byte, b'0', b'9')
        | is_within(byte, b'+', b'.')
        | (byte == b'=')
        | (byte == b'_')
}

#[inline]
fn is_within(byte: u8, first: u8, last: u8) -> bool {
    byte.wrapping_sub(first) <= last - first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_words_are_read_in_any_case_and_kept_in_one() {
        for word in ["N/A", "no_information", "not_supported"] {
            for text in [word.to_owned(), word.to_uppercase(), word.to_lowercase()] {
                assert_eq!(Absence::parse(text.as_bytes()).map(Absence::as_str), Some(word));
                assert_eq!(parse_known_time(text.as_bytes()), Absence::parse(word.as_bytes()).map(Err));
                assert_eq!(parse_known_flag(text.as_bytes()), Absence::parse(word.as_bytes()).map(Err));
                assert_eq!(parse_known_word(text.as_bytes()), Absence::parse(word.as_bytes()).map(Err));
            }
            for end in 0..word.len() {
                assert_eq!(Absence::parse(word.as_bytes().get(..end).unwrap()), None);
            }
        }
        assert_eq!(Absence::parse(b"n/b"), None);
    }

    #[test]
    fn booleans_are_read_in_any_case_and_nothing_else_is_one() {
        for (text, expected) in [("true", true), ("TRUE", true), ("True", true), ("false", false), ("FALSE", false)] {
            assert_eq!(parse_flag(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["", "t", "yes", "1", "truee", " true", "N/A", "not_supported"] {
            assert_eq!(parse_flag(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_word_is_a_plain_name() {
        for text in ["s3", "us-gov-west-1", "execute-api", "EC2"] {
            assert_eq!(parse_known_word(text.as_bytes()), Some(Ok(())), "{text}");
        }
        for text in ["", "a b", "N/", "ä", "\"s3\"", &"x".repeat(MAX_WORD + 1)] {
            assert_eq!(parse_known_word(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ranges_hold_the_bytes_that_they_are_meant_for() {
        for byte in 0..=u8::MAX {
            let is_plain = byte.is_ascii_alphanumeric();
            assert_eq!(is_user_name_byte(byte), is_plain || b"_+=,.@-".contains(&byte), "{byte}");
            assert_eq!(is_word_byte(byte), is_plain || b"-_.".contains(&byte), "{byte}");
        }
    }

    #[test]
    fn user_names_are_those_iam_allows() {
        for text in ["a", "doe,jane", "+=,.@-_", &"x".repeat(64)] {
            assert!(is_user_name(text.as_bytes()), "{text}");
        }
        for text in ["", "a b", "a/b", "a:b", "ä", "<root_account>", "a\"b", &"x".repeat(65)] {
            assert!(!is_user_name(text.as_bytes()), "{text}");
        }
    }
}
