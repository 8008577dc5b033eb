//! `orgsweep checks show`: one check, whole.

use std::fmt::Write as _;

use anyhow::anyhow;
use console::style;
use orgsweep_checks::{Checker, Needs, Param, Rule, RuleSet};
use orgsweep_core::Sources;
use serde_json::json;

use crate::checks::{controls, facts};
use crate::failure::{Failure, Outcome};
use crate::render::{paint, print};
use crate::settings::{Format, nearest_name};

/// Prints everything that a rule says, and what it reads.
///
/// # Errors
/// Exit code 2 where there is no such check.
pub fn show(id: &str, rules: &RuleSet, checker: &Checker, format: Format) -> Result<Outcome, Failure> {
    let rule = rules.pack().rule(id).ok_or_else(|| unknown(id, rules))?;
    let needs = checker.needs().find(|(check, _)| *check == id).map(|(_, needs)| needs);
    match format {
        Format::Text => print(&text(rule, rules, needs))?,
        Format::Json => {
            let mut document = facts(rule, rules, needs);
            if let Some(object) = document.as_object_mut() {
                object.insert("cases".to_owned(), json!(rule.cases));
            }
            print(&format!("{document:#}\n"))?;
        }
    }
    Ok(Outcome::Done)
}

fn unknown(id: &str, rules: &RuleSet) -> Failure {
    let near = nearest_name(id, rules.rules().iter().map(|rule| rule.id.clone()));
    let advice = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "`orgsweep checks list` names those there are".to_owned(),
    };
    Failure::usage(anyhow!("there is no check {id}; {advice}"))
}

fn text(rule: &Rule, rules: &RuleSet, needs: Option<&Needs>) -> String {
    let mut text =
        format!("{}  {}\n{}\n", style(&rule.id).bold(), paint(rule.severity, rule.severity.as_str()), rule.title);
    for paragraph in [&rule.description, &rule.rationale].into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{}", paragraph.trim());
    }
    let applies = rule.applies_when.as_deref().unwrap_or("every row").trim();
    let _ = writeln!(text, "\n{} {}", label("Judges"), rule.table.table().name);
    let _ = writeln!(text, "{} {}", label("Reads"), sources(needs));
    let _ = writeln!(text, "{} {}", label("Applies when"), indented(applies));
    let _ = writeln!(text, "{} {}", label("Fails when"), indented(rule.fails_when.trim()));
    for (name, value) in rules.params_of(rule) {
        let default = rule.params.get(&name).filter(|default| **default != value);
        let default = default.map_or_else(String::new, |default| format!(" (default {})", shown(default)));
        let _ = writeln!(text, "{} {name} = {}{default}", label("Param"), shown(&value));
    }
    let _ = writeln!(text, "{} {}", label("Shows"), indented(&rule.evidence.join(", ")));
    let _ = writeln!(text, "{} {}", label("Covers"), indented(&controls(rule)));
    let _ = writeln!(text, "\n{}\n{}", style("What to do").bold(), rule.remediation.trim());
    if let Some(command) = &rule.command {
        let _ = writeln!(text, "\n{}", style(command.trim()).dim());
    }
    let _ = writeln!(text, "\n{}", style(format!("{} cases", rule.cases.len())).bold());
    for case in &rule.cases {
        let _ = writeln!(text, "  {:<15} {}", case.expect.as_str(), case.name);
    }
    text
}

fn label(text: &str) -> String {
    style(format!("{text:<13}")).dim().to_string()
}

/// Lines after the first stand below it.
fn indented(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(&format!("\n{:14}", ""))
}

fn shown(param: &Param) -> String {
    let text = param.to_string();
    if text.is_empty() { "nothing".to_owned() } else { text }
}

fn sources(needs: Option<&Needs>) -> String {
    let Some(needs) = needs else { return String::new() };
    let names = |sources: &Sources| sources.iter().map(|source| source.to_string()).collect::<Vec<_>>().join(", ");
    let all = (!needs.all.is_empty()).then(|| names(&needs.all));
    let any = needs.any.iter().map(|group| format!("one of {}", names(group)));
    let compared = (!needs.compared.is_empty()).then(|| format!("all that are asked of {}", names(&needs.compared)));
    let parts: Vec<_> = all.into_iter().chain(any).chain(compared).collect();
    if parts.is_empty() {
        "nothing but the organization's list of accounts".to_owned()
    } else {
        parts.join(";\n              ")
    }
}
