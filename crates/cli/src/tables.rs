//! `orgsweep tables`: the documentation of the lake's tables, made from the schema in `core`.

use std::fmt::Write as _;

use orgsweep_core::table::{self, Column, Table};
use serde_json::{Value as Json, json};

use crate::failure::{Failure, Outcome};
use crate::render::print;
use crate::settings::Format;

const INTRODUCTION: &str = "\
# Tables

<!-- Made by `cargo run -- tables > docs/tables.md`. Change crates/core/src/table/ instead. -->

A committed run has one folder in each of the four tables below, `<table>/dt=YYYY-MM-DD/run=<run_id>/`, and lists its
files in `_runs/<run_id>/commit.json`. Rows are sorted by account, then by user or check. Points in time are milliseconds, UTC.
*Source* names what is asked of the account for a column; where that was not answered the column is null, the source, or
`role` where the account was not opened at all, is listed in `accounts.unanswered`, and every check that reads it is
`unknown`.
";

/// Prints the page, or the same facts as JSON.
///
/// # Errors
/// Where stdout is gone.
pub fn print_tables(format: Format) -> Result<Outcome, Failure> {
    match format {
        Format::Text => print(&page())?,
        Format::Json => print(&format!("{:#}\n", Json::Array(all().map(facts).collect())))?,
    }
    Ok(Outcome::Done)
}

fn all() -> impl Iterator<Item = &'static Table> {
    table::committed().into_iter().chain([table::calls(), table::access_keys()])
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in all() {
        // Writing to a string cannot fail.
        let _ = write!(page, "\n## `{}`\n\n{}\n\n", table.name, table.doc);
        page.push_str("| column | type | null | source | meaning |\n|---|---|---|---|---|\n");
        for column in &table.columns {
            page.push_str(&row(column));
        }
    }
    page
}

fn row(column: &Column) -> String {
    let null = if column.nullable { "yes" } else { "" };
    let source = column.source.map_or(String::new(), |source| format!("`{source}`"));
    let meaning = column.doc.replace('|', "\\|");
    format!("| `{}` | {} | {null} | {source} | {meaning} |\n", column.name, table::type_name(&column.data_type))
}

fn facts(table: &Table) -> Json {
    let columns = table.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "type": table::type_name(&column.data_type),
            "nullable": column.nullable,
            "source": column.source.map(orgsweep_core::Source::as_str),
            "doc": column.doc,
        })
    });
    json!({ "name": table.name, "doc": table.doc, "columns": columns.collect::<Vec<_>>() })
}
