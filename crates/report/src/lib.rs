//! The IAM credential report: from the CSV that AWS sends to typed Arrow columns.
//!
//! Pure: bytes in, one batch out. No network, no files, no clock, no async runtime.
//!
//! ```
//! use orgsweep_core::{AccountId, Timestamp};
//! use orgsweep_report::{Origin, parse_report};
//!
//! let csv = "\
//! user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,\
//! mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
//! access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
//! access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
//! cert_1_last_rotated,cert_2_active,cert_2_last_rotated
//! <root_account>,arn:aws:iam::111122223333:root,2019-03-02T08:11:09Z,true,no_information,2026-01-01T00:00:00Z,\
//! not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
//! bob,arn:aws:iam::111122223333:user/bob,2020-01-15T12:30:00Z,maybe,N/A,N/A,\
//! N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
//! ";
//! let origin = Origin {
//!     account_id: AccountId::parse("111122223333")?,
//!     account_name: Some("payments"),
//!     generated_at: Timestamp::parse("2026-11-22T10:00:00Z")?,
//! };
//! let report = parse_report(csv.as_bytes(), &origin)?;
//! assert_eq!(report.credentials.num_rows(), 1);
//! assert_eq!(report.quarantined[0].line, 3);
//! assert_eq!(report.quarantined[0].reason, "password_enabled is \"maybe\", not true, false or not_supported");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read
//!
//! Columns are found by name, in any order; the 22 of every live report must be there, the documented 23rd
//! (`additional_credentials_info`) may be, and others are left out and named. Lines end in LF or CRLF, the last with or
//! without; a byte order mark is skipped; empty lines are no rows.
//!
//! Fields may be quoted as RFC 4180 says. Commas are legal in user names and paths, and nobody documents how AWS
//! writes those, so a row with too many fields is taken apart by what is known of it: see [`parse_report`].
//!
//! # What is not believed
//!
//! A value outside the grammar of its column, a row of another account and a second row of the same user are set aside
//! with their line and the reason ([`ParsedReport::quarantined`]). Every row is in the batch or there, and no row
//! changes how another is read.
//!
//! A last row without newline that is not whole means that the report was cut off, and so that rows may be missing:
//! [`ReportError::CutOff`]. Some cuts leave no trace: one at the end of a row; and one within the last column of the
//! last row if what is left of the value is a value too. In the order in which AWS sends columns the last is
//! `cert_2_last_rotated`, of which no beginning is a value; where the free text of `additional_credentials_info` comes
//! last, any beginning of it is. Compare the number of rows with the account summary's number of users to see those.

#![allow(
    clippy::inline_always,
    clippy::needless_bitwise_bool,
    reason = "what is compiled for wider registers must be inlined, and what is without branches becomes few instructions"
)]

mod arn;
mod blocks;
mod careful;
mod columns;
mod defect;
mod error;
mod fields;
mod header;
mod identity;
mod machine;
mod order;
mod parser;
mod reader;
mod row;
mod scan;
mod split;
mod staged;
mod text;
mod text_column;
mod time_parts;
mod timestamp;
mod value;
mod window;

use std::cell::RefCell;

use arrow_array::RecordBatch;
use orgsweep_core::{AccountId, QuarantinedRow, Timestamp};

pub use error::ReportError;
pub use parser::{Parser, ReadReport};

/// Where a report comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The account that was asked. Rows of any other are set aside.
    pub account_id: AccountId,
    /// Its name in the organization, for the table.
    pub account_name: Option<&'a str>,
    /// When AWS made the report.
    pub generated_at: Timestamp,
}

/// A report that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedReport {
    /// Its rows, of exactly the schema of [`orgsweep_core::table::credentials`], sorted by the bytes of the user name.
    pub credentials: RecordBatch,
    /// The rows that were set aside, by line. Texts are kept up to 4,096 bytes each.
    pub quarantined: Vec<QuarantinedRow>,
    /// The columns that were left out, in the report's order.
    pub unknown_columns: Vec<String>,
}

/// Reads a credential report.
///
/// A row with quotes is read as RFC 4180 says if that gives the right number of good fields. Otherwise, and for a row
/// without quotes that has the wrong number of fields, its commas are taken for part of the user name or path, if the
/// header starts with `user,arn`: the user ends at the first `,arn:`, since names hold no colon; the ARN ends with the
/// user's name; the columns behind it hold no commas, except `additional_credentials_info`, which takes what the
/// others leave. If that fits nowhere, or in two ways, the row is set aside.
///
/// # Errors
/// The report as a whole cannot be read: it is empty, something else, lacks a column, names one twice, or is cut off.
pub fn parse_report(csv: &[u8], origin: &Origin<'_>) -> Result<ParsedReport, ReportError> {
    PARSER.with(|parser| match parser.try_borrow_mut() {
        Ok(mut parser) => parser.read_alone(csv, origin),
        Err(_) => Parser::new().read_alone(csv, origin),
    })
}

thread_local! {
    /// What a small report takes is mostly what a parser needs for itself, so each thread has one. It holds no rows.
    static PARSER: RefCell<Parser> = RefCell::default();
}
