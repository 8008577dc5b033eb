//! Batches as text, for every test that compares rows.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch};
use orgsweep_core::table::credential_report;
use orgsweep_core::{AccountId, Timestamp};
use orgsweep_report::{Origin, ParsedReport, Parser, ReadReport, ReportError, parse_report};

/// The account of most fixtures and of every made-up row.
pub(crate) const ACCOUNT: &str = "111122223333";

/// One row: the columns that are not null, each as `name: value`, without those that are the same in every row.
pub(crate) type Row = Vec<String>;

/// Parses a report of [`ACCOUNT`], without an account name.
pub(crate) fn parse(csv: impl AsRef<[u8]>) -> Result<ParsedReport, ReportError> {
    parse_report(csv.as_ref(), &origin(ACCOUNT))
}

/// The same by the careful path alone.
pub(crate) fn parse_carefully(csv: impl AsRef<[u8]>) -> Result<ParsedReport, ReportError> {
    let mut parser = Parser::careful();
    let report = parser.read(csv.as_ref(), &origin(ACCOUNT))?;
    let ReadReport { quarantined, unknown_columns, .. } = report;
    Ok(ParsedReport { credentials: parser.finish()?, quarantined, unknown_columns })
}

/// Holds that the fast and the careful path say the same of a report, whatever that is.
pub(crate) fn check_both_ways(csv: impl AsRef<[u8]>) {
    let (fast, careful) = (parse(csv.as_ref()), parse_carefully(csv.as_ref()));
    let told = |report: Result<ParsedReport, ReportError>| report.map_err(|error| (error.code(), error.to_string()));
    assert_eq!(told(fast), told(careful));
}

/// An origin whose account has no name.
pub(crate) fn origin(account: &str) -> Origin<'static> {
    let generated_at = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
    Origin { account_id: AccountId::parse(account).unwrap(), account_name: None, generated_at }
}

/// The rows of a batch of the credentials table.
pub(crate) fn rows(batch: &RecordBatch) -> Vec<Row> {
    assert_eq!(batch.schema(), credential_report().schema());
    (0..batch.num_rows()).map(|row| cells(batch, row)).collect()
}

fn cells(batch: &RecordBatch, row: usize) -> Row {
    let schema = batch.schema();
    let shown = schema.fields().iter().zip(batch.columns()).filter(|(field, array)| {
        array.is_valid(row) && !["account_id", "account_name", "report_generated_at"].contains(&field.name().as_str())
    });
    shown.map(|(field, array)| format!("{}: {}", field.name(), cell(array, row))).collect()
}

/// One value, as text.
pub(crate) fn cell(array: &dyn Array, row: usize) -> String {
    if let Some(texts) = array.as_string_opt::<i32>() {
        texts.value(row).to_owned()
    } else if let Some(flags) = array.as_boolean_opt() {
        flags.value(row).to_string()
    } else {
        Timestamp::from_millis(array.as_primitive::<TimestampMillisecondType>().value(row)).to_string()
    }
}

/// The users of the rows, in their order.
pub(crate) fn users(report: &ParsedReport) -> Vec<String> {
    let users = report.credentials.column_by_name("user").unwrap();
    (0..users.len()).map(|row| cell(users, row)).collect()
}
