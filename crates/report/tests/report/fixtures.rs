//! Each report in `fixtures/` gives the rows that stand beside it in `<name>.rows`.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect_file;
use orgsweep_report::{Origin, parse_report};

use crate::rows::{ACCOUNT, cell, origin, parse, rows, users};

/// A report of the `fixtures` folder.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

fn check(name: &str, account: &str) {
    let report = parse_report(&fixture(&format!("{name}.csv")), &origin(account)).unwrap();
    assert_eq!((report.quarantined, report.unknown_columns), (vec![], vec![]));
    let mut text = String::new();
    for row in rows(&report.credentials) {
        for cell in row {
            writeln!(text, "{cell}").unwrap();
        }
        text.push('\n');
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{name}.rows"));
    expect_file![golden].assert_eq(&text);
}

#[test]
fn todays_report_is_read() {
    check("shape-2026", ACCOUNT);
}

#[test]
fn a_report_of_2017_is_read() {
    check("shape-2017", ACCOUNT);
}

#[test]
fn the_documented_23rd_column_is_read() {
    check("additional-column", ACCOUNT);
}

#[test]
fn quoted_commas_are_read() {
    check("commas-quoted", ACCOUNT);
}

#[test]
fn unquoted_commas_are_read() {
    check("commas-unquoted", ACCOUNT);
}

#[test]
fn a_report_of_moto_is_read() {
    check("moto-5.2", "712645352133");
}

#[test]
fn commas_give_the_same_rows_quoted_or_not() {
    assert_eq!(parse(fixture("commas-quoted.csv")).unwrap(), parse(fixture("commas-unquoted.csv")).unwrap());
}

#[test]
fn every_row_carries_its_account_and_the_reports_age() {
    let origin = Origin { account_name: Some("payments"), ..origin(ACCOUNT) };
    let batch = parse_report(&fixture("shape-2026.csv"), &origin).unwrap().credentials;
    for row in 0..batch.num_rows() {
        let expected =
            [("account_id", ACCOUNT), ("account_name", "payments"), ("report_generated_at", "2026-11-22T10:00:00Z")];
        for (column, value) in expected {
            assert_eq!(cell(batch.column_by_name(column).unwrap(), row), value);
        }
    }
    let unnamed = parse(fixture("shape-2026.csv")).unwrap().credentials;
    assert_eq!(unnamed.column_by_name("account_name").unwrap().null_count(), unnamed.num_rows());
}

#[test]
fn rows_are_sorted_by_the_bytes_of_the_user() {
    assert_eq!(users(&parse(fixture("commas-unquoted.csv")).unwrap()), ["<root_account>", "doe,jane", "plain", "x@y"]);
}
