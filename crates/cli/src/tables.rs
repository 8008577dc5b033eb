//! `orgsweep tables`: the documentation of the lake's tables, made from the schema in `core`.

use std::fmt::Write as _;

use orgsweep_core::Source;
use orgsweep_core::table::{self, Column, Origin, Table};
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
`unknown`. *Any of* several sources fills a column where all that answer say the same; *all of* them are compared, as far
as they are asked at all: `root_session` and the sources after it only with `--root-audit`, `access_key_ids` only with
`--key-ids`, `account_tags` only with `--account-tags`. A recheck (`recheck_of` in its `commit.json`) has files of its own
for `findings` and `check_results` alone; the other two tables are those of its sweep.
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
    let source = origin(column.origin, "`");
    let meaning = column.doc.replace('|', "\\|");
    format!("| `{}` | {} | {null} | {source} | {meaning} |\n", column.name, table::type_name(&column.data_type))
}

/// Where a column comes from; each name of a source stands between two of `quote`.
fn origin(origin: Origin, quote: &str) -> String {
    let named: Vec<String> = origin.sources().iter().map(|source| format!("{quote}{source}{quote}")).collect();
    let named = named.join(", ");
    match origin {
        Origin::Plan | Origin::Source(_) => named,
        Origin::AnyOf(_) => format!("any of {named}"),
        Origin::AllOf(_) => format!("all of {named}"),
    }
}

fn facts(table: &Table) -> Json {
    let columns = table.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "type": table::type_name(&column.data_type),
            "nullable": column.nullable,
            "sources": column.origin.sources().iter().map(Source::as_str).collect::<Vec<_>>(),
            "sources_needed": match column.origin {
                Origin::Plan => None,
                Origin::Source(_) => Some("all"),
                Origin::AnyOf(_) => Some("any"),
                Origin::AllOf(_) => Some("all that are asked"),
            },
            "doc": column.doc,
        })
    });
    json!({ "name": table.name, "doc": table.doc, "columns": columns.collect::<Vec<_>>() })
}
