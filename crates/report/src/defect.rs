//! What is wrong with one row, in words that name the column and the value, and the row as it is kept.
//!
//! Texts from outside are shortened here, so that a hostile report cannot fill the ledger.

use orgsweep_core::QuarantinedRow;

/// How much of a row is kept, in bytes: IAM's longest names and paths make rows of less than half of this.
pub(crate) const MAX_ROW_TEXT: usize = 4096;

/// How much of a value a reason shows, in bytes: enough to recognize any legal user name.
const MAX_VALUE_TEXT: usize = 80;

/// Why a row could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Defect {
    /// A value that the column cannot hold.
    #[error("{column} is {value:?}, not {expected}")]
    Value { column: &'static str, value: String, expected: &'static str },
    /// Too few fields, or too many without a way to tell which commas separate.
    #[error("the number of fields is {found}, where the header names {expected} columns")]
    FieldCount { expected: usize, found: usize },
    /// Double quotes that do not pair up.
    #[error("a quoted field is not closed, or goes on behind its closing quote")]
    Quotes,
    /// Commas that can be read as separators in more than one way.
    #[error("the commas in it can be read in more than one way")]
    Ambiguous,
    /// Bytes that are no text.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// A row of another account.
    #[error("arn is {arn:?}, which is not in account {account}")]
    OtherAccount { arn: String, account: String },
    /// A user who already has a row.
    #[error("user {user:?} is already on line {line}")]
    RepeatedUser { user: String, line: u32 },
}

impl Defect {
    /// The value of a column, from bytes of the report.
    #[cold]
    pub(crate) fn value(column: &'static str, value: &[u8], expected: &'static str) -> Self {
        Self::Value { column, value: excerpt(value), expected }
    }

    /// The ARN of another account.
    #[cold]
    pub(crate) fn other_account(arn: &[u8], account: &str) -> Self {
        Self::OtherAccount { arn: excerpt(arn), account: account.to_owned() }
    }

    /// A second row of a user.
    #[cold]
    pub(crate) fn repeated_user(user: &str, line: u32) -> Self {
        Self::RepeatedUser { user: excerpt(user.as_bytes()), line }
    }

    /// Whether cutting off a good row can leave this behind. A row that is whole, but has no place here, was not cut.
    pub(crate) fn is_sign_of_cut(&self) -> bool {
        !matches!(self, Self::OtherAccount { .. } | Self::RepeatedUser { .. })
    }

    /// Whether the row's values could not even be told apart.
    pub(crate) fn is_about_separators(&self) -> bool {
        matches!(self, Self::FieldCount { .. } | Self::Quotes)
    }

    /// The row as the account's ledger keeps it.
    pub(crate) fn quarantine(&self, line: u32, text: &[u8]) -> QuarantinedRow {
        QuarantinedRow { line, text: shortened(text, MAX_ROW_TEXT), reason: self.to_string() }
    }
}

/// The beginning of a value or text, marked where something was left out.
pub(crate) fn excerpt(value: &[u8]) -> String {
    let mut text = shortened(value, MAX_VALUE_TEXT);
    if text.len() < value.len() {
        text.push('…');
    }
    text
}

/// The text's first `limit` bytes at most, whole characters only; bytes that are no text become `U+FFFD`.
fn shortened(text: &[u8], limit: usize) -> String {
    // Four bytes more than the limit, so that a character across it is seen whole and then left out.
    let beginning = text.get(..limit.saturating_add(4)).unwrap_or(text);
    let mut text = String::from_utf8_lossy(beginning).into_owned();
    text.truncate(text.floor_char_boundary(limit));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_row_is_cut_between_characters() {
        let long = "ä".repeat(MAX_ROW_TEXT);
        let row = Defect::NotUtf8.quarantine(7, format!("x{long}").as_bytes());
        assert_eq!((row.line, row.text.len()), (7, MAX_ROW_TEXT - 1));
        assert!(row.text.ends_with('ä'));
        assert_eq!(Defect::NotUtf8.quarantine(7, long.as_bytes()).text.len(), MAX_ROW_TEXT);
    }

    #[test]
    fn a_reason_names_column_and_value_and_stays_short() {
        let defect = Defect::value("mfa_active", &[b'x'; 9_999], "true or false");
        assert_eq!(defect.to_string(), format!("mfa_active is \"{}…\", not true or false", "x".repeat(MAX_VALUE_TEXT)));
        let defect = Defect::value("mfa_active", b"\xff\n", "true or false");
        assert_eq!(defect.to_string(), "mfa_active is \"\u{fffd}\\n\", not true or false");
    }
}
