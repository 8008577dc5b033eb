//! What must be true of any input, and what the parser says of this one.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use orgsweep_core::{AccountId, QuarantinedRow, Timestamp};
use orgsweep_report::{Origin, Parser, ReportError, parse_report};

/// A report as any of the three ways of reading it tells of it.
type Told = Result<(RecordBatch, Vec<QuarantinedRow>, Vec<String>), (&'static str, String)>;

/// Parsers that go from input to input, so that one may leave something behind for the next.
pub(crate) struct Holder {
    fast: Parser,
    careful: Parser,
    origin: Origin<'static>,
}

impl Default for Holder {
    fn default() -> Self {
        let origin = Origin {
            account_id: AccountId::parse("111122223333").unwrap(),
            account_name: Some("payments"),
            generated_at: Timestamp::from_millis(0),
        };
        Self { fast: Parser::new(), careful: Parser::careful(), origin }
    }
}

impl Holder {
    /// Holds the input; what is said of it leaves out whatever differs without a reason in the code.
    pub(crate) fn hold(&mut self, input: &[u8]) -> String {
        let told = match parse_report(input, &self.origin) {
            Ok(report) => Ok((report.credentials, report.quarantined, report.unknown_columns)),
            Err(error) => Err(tell(&error)),
        };
        assert_eq!(told, read(&mut self.fast, input, &self.origin), "a parser that has read before");
        assert_eq!(told, read(&mut self.careful, input, &self.origin), "the careful path");
        match told {
            Ok((batch, quarantined, unknown)) => {
                assert_eq!(batch.num_rows() + quarantined.len(), rows_in(input), "rows in are rows out");
                assert!(quarantined.is_sorted_by_key(|row| row.line));
                check(&batch);
                say(&batch, &quarantined, &unknown)
            }
            Err((code, message)) => format!("{code} {}", kind_of(&message)),
        }
    }
}

fn tell(error: &ReportError) -> (&'static str, String) {
    (error.code(), error.to_string())
}

fn read(parser: &mut Parser, input: &[u8], origin: &Origin<'_>) -> Told {
    let report = parser.read(input, origin).map_err(|error| tell(&error));
    let batch = parser.finish().map_err(|error| tell(&error))?;
    let report = report?;
    assert_eq!(report.rows, batch.num_rows());
    Ok((batch, report.quarantined, report.unknown_columns))
}

/// How many rows there are to account for: every line behind the header that is not empty.
fn rows_in(input: &[u8]) -> usize {
    let lines = input.split(|byte| *byte == b'\n').skip(1);
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty()).count()
}

/// Looks at all that Arrow would have checked, and at the order of users.
fn check(batch: &RecordBatch) {
    for column in batch.columns() {
        column.to_data().validate_full().unwrap();
    }
    let users = batch.column_by_name("user").unwrap().as_string::<i32>();
    assert!(users.iter().is_sorted_by(|left, right| left < right));
}

/// How many rows there are, roughly; which columns have values and absences; and why rows were set aside.
fn say(batch: &RecordBatch, quarantined: &[QuarantinedRow], unknown: &[String]) -> String {
    let rows = batch.num_rows().next_power_of_two();
    let nulls = batch.columns().iter().map(|column| match column.null_count() {
        0 => 'a',
        nulls if nulls == column.len() => 'n',
        _ => 's',
    });
    let nulls: String = nulls.collect();
    let reasons: BTreeSet<String> = quarantined.iter().map(|row| kind_of(&row.reason)).collect();
    format!("{rows} {nulls} {} {reasons:?}", unknown.len())
}

/// A message without the values and numbers in it.
fn kind_of(message: &str) -> String {
    let words = message.split('"').step_by(2);
    words.flat_map(str::chars).filter(|letter| !letter.is_ascii_digit()).collect()
}
