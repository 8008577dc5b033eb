//! `orgsweep checks`: what is checked, and whether the rule files' own cases hold.

use std::fmt::Write as _;

use console::style;
use orgsweep_checks::{CaseResult, Checker, Rule, run_cases};
use orgsweep_core::Timestamp;
use serde_json::{Value as Json, json};

use crate::args::ChecksCommand;
use crate::failure::{Failure, Outcome};
use crate::render::{paint, print};
use crate::rules;
use crate::settings::{Config, Format};

/// Lists the checks, or tests them.
///
/// # Errors
/// Exit code 2 where a rule file cannot be used.
pub fn checks(command: &ChecksCommand, config: &Config) -> Result<Outcome, Failure> {
    let pack = rules::load(&config.checks)?;
    match command {
        ChecksCommand::List(_) => {
            // A list of checks that could not be run would be no list of checks.
            Checker::compile(&pack, Timestamp::now()).map_err(Failure::usage)?;
            match config.output.format {
                Format::Text => print(&listed(pack.rules()))?,
                Format::Json => print(&format!("{:#}\n", Json::Array(pack.rules().iter().map(facts).collect())))?,
            }
            Ok(Outcome::Done)
        }
        ChecksCommand::Test(_) => {
            let results = run_cases(&pack).map_err(Failure::usage)?;
            match config.output.format {
                Format::Text => print(&tested(pack.rules(), &results))?,
                Format::Json => print(&format!("{:#}\n", Json::Array(results.iter().map(case_facts).collect())))?,
            }
            let all_hold = results.iter().all(|result| result.passed);
            Ok(if all_hold { Outcome::Done } else { Outcome::CasesFailed })
        }
    }
}

fn listed(rules: &[Rule]) -> String {
    let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let mut text = String::new();
    for rule in rules {
        let severity = paint(rule.severity, &format!("{:<13}", rule.severity.to_string()));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{severity} {:widest$}  {}", rule.id, rule.title);
        let _ = writeln!(text, "{:13} {:widest$}  {}", "", "", style(controls(rule)).dim());
    }
    let _ = writeln!(text, "\n{} checks. `--format json` gives predicates, params and remediations.", rules.len());
    text
}

fn controls(rule: &Rule) -> String {
    let frameworks = rule.frameworks.iter().map(|(framework, ids)| format!("{framework} {}", ids.join(", ")));
    frameworks.collect::<Vec<_>>().join(" · ")
}

fn facts(rule: &Rule) -> Json {
    json!({
        "id": rule.id, "title": rule.title, "table": rule.table.table().name, "severity": rule.severity.to_string(),
        "applies_when": rule.applies_when, "fails_when": rule.fails_when, "frameworks": rule.frameworks,
        "params": rule.params.iter().map(|(name, value)| (name.clone(), Json::String(value.to_string()))).collect::<serde_json::Map<_, _>>(),
        "evidence": rule.evidence, "remediation": rule.remediation, "cases": rule.cases.len(),
    })
}

fn tested(rules: &[Rule], results: &[CaseResult]) -> String {
    let mut text = String::new();
    for result in results.iter().filter(|result| !result.passed) {
        let _ = writeln!(text, "{} {result}", style("FAILED").red().bold());
    }
    for rule in rules.iter().filter(|rule| rule.cases.is_empty()) {
        let _ = writeln!(text, "{} {}: check {} has no cases", style("UNTESTED").yellow().bold(), rule.file, rule.id);
    }
    let failed = results.iter().filter(|result| !result.passed).count();
    let _ = writeln!(text, "{} cases passed, {failed} failed", results.len() - failed);
    text
}

fn case_facts(result: &CaseResult) -> Json {
    json!({ "passed": result.passed, "case": result.to_string() })
}
