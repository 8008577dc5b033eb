//! What is written down about the tables is what they are. `UPDATE_EXPECT=1` writes it anew.

use std::fmt::Write;

use arrow_schema::{DataType, Field, TimeUnit};
use expect_test::expect_file;
use orgsweep_core::table;

use crate::harness::Orgsweep;

#[test]
fn the_tables_have_the_columns_of_the_golden_file() {
    let mut text = String::new();
    for table in table::committed().into_iter().chain([table::calls()]) {
        writeln!(text, "{}", table.name).unwrap();
        for field in table.schema().fields() {
            writeln!(text, "  {}", describe(field)).unwrap();
        }
    }
    expect_file!["../golden/tables.schema.txt"].assert_eq(&text);
}

#[test]
fn the_page_about_the_tables_is_what_the_command_prints() {
    let printed = Orgsweep::new(["tables"]).run().expect_code(0);
    expect_file!["../../docs/tables.md"].assert_eq(&printed.stdout);
}

/// A column as pyarrow prints it, so that `open_lake.py` can hold the files against the golden file as text.
fn describe(field: &Field) -> String {
    let needed = if field.is_nullable() { "" } else { " not null" };
    format!("{}: {}{needed}", field.name(), describe_type(field.data_type()))
}

fn describe_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Timestamp(TimeUnit::Millisecond, Some(zone)) => format!("timestamp[ms, tz={zone}]"),
        DataType::List(item) => format!("list<{}>", describe(item)),
        DataType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| describe(field)).collect();
            format!("struct<{}>", fields.join(", "))
        }
        other => panic!("{other} is a type that no table has had so far: say how pyarrow prints it"),
    }
}
