//! `orgsweep checks truth-table`: every case of every check, as a page against which any scanner can be held.

use std::fmt::Write as _;

use orgsweep_checks::{Case, Rule, RuleSet, Status, case_as_of};
use serde_json::{Value as Json, json};

use crate::failure::{Failure, Outcome};
use crate::render::print;
use crate::settings::Format;

const INTRODUCTION: &str = "\
# Truth table

<!-- Made by `cargo run -- checks truth-table > docs/truth-table.md`. Change config/checks/ instead. -->

What each check says of what it may meet: every side of every threshold, every word that a credential report has for a
missing value, the root user and others, and sources that were not read. `orgsweep checks test` holds the rules to it, and any
other scanner can be held to it too; `orgsweep checks truth-table --format json` gives the same as data.

Each case is one account with these rows of the check's table ([tables.md](tables.md) has the columns); columns that are
left out are null. Times are relative to the time by which the run judges, AS_OF: `-90d-1s` is 90 days and a second before it. Where a
case gives several rows, the verdicts of the rows follow that of the account.
";

/// Prints the page, or the same facts as JSON.
///
/// # Errors
/// Where stdout is gone.
pub fn print_truth_table(rules: &RuleSet, format: Format) -> Result<Outcome, Failure> {
    match format {
        Format::Text => print(&page(rules))?,
        Format::Json => {
            let checks = rules.rules().iter().map(|rule| facts(rule, rules)).collect::<Vec<_>>();
            print(&format!("{:#}\n", Json::Array(checks)))?;
        }
    }
    Ok(Outcome::Done)
}

fn page(rules: &RuleSet) -> String {
    let as_of = case_as_of().to_string();
    let cases: usize = rules.rules().iter().map(|rule| rule.cases.len()).sum();
    let mut page = INTRODUCTION.replace("AS_OF", &as_of);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "\n{} checks, {cases} cases.", rules.rules().len());
    for rule in rules.rules() {
        let _ = writeln!(page, "\n## `{}`\n\n{}. Severity {}.\n", rule.id, rule.title, rule.severity);
        let _ = writeln!(page, "- judges `{}`", rule.table.table().name);
        if let Some(applies_when) = &rule.applies_when {
            let _ = writeln!(page, "- applies when `{}`", on_one_line(applies_when));
        }
        let _ = writeln!(page, "- fails when `{}`", on_one_line(&rule.fails_when));
        for (name, value) in rules.params_of(rule) {
            let value = value.to_string();
            let _ = writeln!(page, "- `{name}` = {}", if value.is_empty() { "nothing" } else { &value });
        }
        page.push_str("\n| case | given | says |\n|---|---|---|\n");
        for case in &rule.cases {
            page.push_str(&row(case));
        }
    }
    page
}

fn row(case: &Case) -> String {
    let given: Vec<_> = case.given().iter().map(|part| format!("`{}`", escaped(part))).collect();
    let given = if given.is_empty() { "no rows".to_owned() } else { given.join("<br>") };
    let rows: Vec<&str> = case.expect_rows.iter().flatten().map(|status| status.as_str()).collect();
    let rows = if rows.len() > 1 { format!(" ({})", rows.join(", ")) } else { String::new() };
    let told = [&case.reason, &case.message].into_iter().flatten();
    let says = [format!("**{}**{rows}", case.expect)].into_iter().chain(told.map(|text| escaped(text)));
    format!("| {} | {given} | {} |\n", escaped(&case.name), says.collect::<Vec<_>>().join("<br>"))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What would end a cell, or be taken for HTML.
fn escaped(text: &str) -> String {
    on_one_line(text).replace('|', "\\|").replace('<', "&lt;")
}

fn facts(rule: &Rule, rules: &RuleSet) -> Json {
    let cases: Vec<Json> = rule.cases.iter().map(case_facts).collect();
    json!({
        "check": rule.id, "title": rule.title, "severity": rule.severity, "table": rule.table, "as_of": case_as_of(),
        "applies_when": rule.applies_when, "fails_when": rule.fails_when, "params": rules.params_of(rule),
        "frameworks": rule.frameworks, "cases": cases,
    })
}

/// A case with its rows in one list, however they were given.
fn case_facts(case: &Case) -> Json {
    let rows: Vec<_> = case.row.iter().chain(&case.rows).collect();
    let rows_expected: Option<&Vec<Status>> = case.expect_rows.as_ref();
    json!({
        "case": case.name, "rows": rows, "params": case.params, "unread": case.unread, "skipped": case.skipped,
        "rows_not_understood": case.quarantined, "expect": case.expect, "expect_rows": rows_expected,
        "reason": case.reason, "message": case.message,
    })
}
