//! The same reports, read by the `csv` crate and chrono, give the same rows.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use orgsweep_core::table::credential_report;
use proptest::prelude::*;

use crate::fixtures::fixture;
use crate::model::{Quoting, report, wide_report};
use crate::rows::{Row, parse, rows};

/// Reads a report without any knowledge of how this crate does it.
fn read_plainly(csv: &[u8]) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(csv);
    let mut rows: Vec<Row> = reader.deserialize().map(|record| read_row(&record.unwrap())).collect();
    rows.sort_by(|left, right| left[0].cmp(&right[0]));
    rows
}

fn read_row(record: &BTreeMap<String, String>) -> Row {
    let mut cells = BTreeMap::new();
    let schema = credential_report().schema();
    let known = record.iter().filter(|(column, _)| schema.field_with_name(column).is_ok());
    for (column, value) in known {
        let is_absent = ["N/A", "no_information", "not_supported"].contains(&value.as_str());
        if is_absent {
            cells.insert(format!("{column}_reason"), value.clone());
        } else if !value.is_empty() {
            cells.insert(column.clone(), plain_value(column, value));
        }
    }
    cells.insert("is_root".to_owned(), (record["user"] == "<root_account>").to_string());
    let columns = schema.fields().iter().map(|field| field.name());
    columns.filter_map(|column| cells.get(column).map(|value| format!("{column}: {value}"))).collect()
}

fn plain_value(column: &str, value: &str) -> String {
    if column.ends_with("_active") || column == "password_enabled" {
        value.to_lowercase()
    } else if ["user", "arn", "additional_credentials_info"].contains(&column)
        || column.contains("_last_used_") && !column.ends_with("_date")
    {
        value.to_owned()
    } else {
        let time = DateTime::parse_from_rfc3339(value).unwrap().with_timezone(&Utc);
        time.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

#[test]
fn the_fixtures_that_a_plain_reader_understands_are_read_alike() {
    for name in ["shape-2026.csv", "shape-2017.csv", "additional-column.csv", "commas-quoted.csv"] {
        let csv = fixture(name);
        assert_eq!(rows(&parse(&csv).unwrap().credentials), read_plainly(&csv), "{name}");
    }
}

proptest! {
    #[test]
    fn any_report_without_stray_commas_is_read_alike(
        report in report(),
        quoting in prop::sample::select(vec![Quoting::Needed, Quoting::Always]),
    ) {
        let csv = report.write(quoting, "\n") + "\n";
        prop_assert_eq!(rows(&parse(&csv).unwrap().credentials), read_plainly(csv.as_bytes()));
    }
}

proptest! {
    // Long reports take long to make.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_long_report_in_any_form_is_read_alike(
        report in wide_report(),
        quoting in prop::sample::select(vec![Quoting::Needed, Quoting::Always]),
        newline in prop::sample::select(vec!["\n", "\r\n"]),
        is_ended in any::<bool>(),
    ) {
        let end = if is_ended || report.rows.is_empty() { newline } else { "" };
        let csv = format!("{}{end}", report.write(quoting, newline));
        prop_assert_eq!(rows(&parse(&csv).unwrap().credentials), read_plainly(csv.as_bytes()));
    }
}
