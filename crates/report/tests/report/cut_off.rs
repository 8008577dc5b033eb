//! Reports cut off at every byte: an error, or whole rows from the beginning.

use orgsweep_report::ReportError;

use crate::fixtures::fixture;
use crate::rows::{Row, parse, rows};

/// Cuts a report of [`crate::rows::ACCOUNT`] everywhere. A cut leaves no trace at the end of a row, and `last_field`
/// says whether it leaves none within the last field of a row.
fn check(name: &str, hidden_in_last_field: bool) {
    let csv = fixture(name);
    let header_end = csv.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in 0..csv.len() {
        let cut = &csv[..end];
        let line = cut.rsplit(|byte| *byte == b'\n').next().unwrap();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let next = csv[end..].first();
        let is_row_end = line.is_empty() || matches!(next, Some(b'\n' | b'\r'));
        let fields = line.split(|byte| *byte == b',').count();
        let hidden = end >= header_end && (is_row_end || (hidden_in_last_field && fields == 23));
        match parse(cut) {
            Ok(report) => {
                assert!(hidden, "{name} cut at {end} is not told from a whole report");
                assert_eq!(report.quarantined, []);
                let complete = cut.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty()).count();
                assert_eq!(report.credentials.num_rows(), complete, "{name} cut at {end}");
                if is_row_end {
                    assert_each_is_among(&rows(&report.credentials), &rows(&parse(&csv).unwrap().credentials));
                }
            }
            Err(ReportError::CutOff { .. }) => assert!(!hidden, "{name} cut at {end} is whole"),
            Err(error) => assert!(end < header_end, "{name} cut at {end}: {error}"),
        }
    }
}

fn assert_each_is_among(some: &[Row], all: &[Row]) {
    for row in some {
        assert!(all.contains(row), "{row:?}");
    }
}

#[test]
fn in_the_order_of_aws_only_a_cut_at_the_end_of_a_row_is_hidden() {
    for name in ["shape-2026.csv", "shape-2017.csv", "commas-quoted.csv", "commas-unquoted.csv"] {
        check(name, false);
    }
}

#[test]
fn a_cut_in_free_text_at_the_end_is_hidden() {
    check("additional-column.csv", true);
}

#[test]
fn a_bad_last_row_is_a_cut_only_without_its_newline() {
    let whole = String::from_utf8(fixture("shape-2026.csv")).unwrap();
    let broken = whole.strip_suffix("T00:00:00Z").unwrap();
    let error = parse(broken).unwrap_err();
    assert_eq!(error.code(), "ReportCutOff");
    assert_eq!(
        error.to_string(),
        "the credential report is cut off in line 6: cert_2_last_rotated is \"2026-01-01\", not a time like \
         2026-11-22T10:00:00Z, N/A, no_information or not_supported; fetch it again"
    );
    let report = parse(format!("{broken}\n")).unwrap();
    assert_eq!((report.credentials.num_rows(), report.quarantined.len()), (4, 1));
}

#[test]
fn a_whole_last_row_of_another_account_or_a_second_one_is_not_a_cut() {
    let whole = String::from_utf8(fixture("shape-2026.csv")).unwrap();
    let last = whole.lines().last().unwrap();
    for odd in [last.to_owned(), last.replace("111122223333", "999999999999")] {
        let report = parse(format!("{whole}\n{odd}")).unwrap();
        assert_eq!((report.credentials.num_rows(), report.quarantined.len()), (5, 1));
    }
}
