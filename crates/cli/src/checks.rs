//! `orgsweep checks`: what is checked, and whether the rule files' own cases hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use console::style;
use orgsweep_checks::{
    Basis, CaseResult, Checker, Control, Framework, Needs, Rule, RulePack, RuleSet, case_as_of, run_cases, survivors,
    untried,
};
use orgsweep_core::Sources;
use serde_json::{Value as Json, json};

use crate::args::{ChecksCommand, TestArgs};
use crate::failure::{Failure, Outcome};
use crate::render::{paint, print};
use crate::settings::{Config, Format};
use crate::show_check::show;
use crate::{new_check, rules, truth_table};

/// Lists, shows, writes or tests the checks.
///
/// # Errors
/// Exit code 2 where a rule file cannot be used.
pub fn checks(command: &ChecksCommand, config: &Config) -> Result<Outcome, Failure> {
    if let ChecksCommand::New(args) = command {
        return new_check::write(args);
    }
    let rules = rules::load(&config.checks)?;
    // Checks that could not be run would be none.
    let basis = Basis { as_of: case_as_of(), unasked: Sources::NONE };
    let checker = Checker::compile(&rules, basis).map_err(Failure::usage)?;
    let format = config.output.format;
    match command {
        ChecksCommand::List(args) => match &args.framework {
            None => list(&rules, &checker, format),
            Some(id) => list_controls(id, &rules, &checker, format),
        },
        ChecksCommand::Show(args) => show(&args.id, &rules, &checker, format),
        ChecksCommand::Test(args) => test(rules.pack(), args, format),
        ChecksCommand::TruthTable(_) => truth_table::print_truth_table(&rules, format),
        ChecksCommand::New(_) => Ok(Outcome::Done),
    }
}

fn list(rules: &RuleSet, checker: &Checker, format: Format) -> Result<Outcome, Failure> {
    match format {
        Format::Text => print(&listed(rules.rules()))?,
        Format::Json => print(&format!("{:#}\n", Json::Array(all_facts(rules, checker, |_| true))))?,
    }
    Ok(Outcome::Done)
}

fn listed(rules: &[Rule]) -> String {
    let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let mut text = String::new();
    for rule in rules {
        let severity = paint(rule.severity, &format!("{:<13}", rule.severity.to_string()));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{severity} {:widest$}  {}", rule.id, rule.title);
        if !rule.frameworks.is_empty() {
            let _ = writeln!(text, "{:13} {:widest$}  {}", "", "", style(controls(rule)).dim());
        }
    }
    let cases: usize = rules.iter().map(|rule| rule.cases.len()).sum();
    let _ = writeln!(text, "\n{} checks, {cases} cases. `checks show ID` tells all of one of them.", rules.len());
    if let Ok(frameworks) = Framework::embedded() {
        let ids: Vec<_> = frameworks.iter().map(|framework| framework.id.as_str()).collect();
        let _ = writeln!(text, "`checks list --framework ID` tells what covers each control: {}.", ids.join(", "));
    }
    text
}

/// The controls that a check covers, framework by framework.
pub fn controls(rule: &Rule) -> String {
    let frameworks = rule.frameworks.iter().map(|(framework, ids)| format!("{framework} {}", ids.join(", ")));
    frameworks.collect::<Vec<_>>().join(" · ")
}

fn list_controls(id: &str, rules: &RuleSet, checker: &Checker, format: Format) -> Result<Outcome, Failure> {
    let framework = framework(id)?;
    let by_control = framework.checks_by_control(rules.rules());
    match format {
        Format::Text => print(&controls_listed(&framework, &by_control))?,
        Format::Json => {
            let controls = by_control.iter().map(|(control, checks)| {
                let checks: Vec<_> = checks.iter().map(|rule| &rule.id).collect();
                json!({ "control": control, "checks": checks })
            });
            let controls = controls.collect::<Vec<_>>();
            let covers = |rule: &Rule| rule.frameworks.contains_key(&framework.id);
            let document = json!({
                "framework": framework.id, "name": framework.name, "scope": framework.scope,
                "source": framework.source, "partial": framework.partial, "controls": controls,
                "checks": all_facts(rules, checker, covers),
            });
            print(&format!("{document:#}\n"))?;
        }
    }
    Ok(Outcome::Done)
}

/// The framework of this id.
///
/// # Errors
/// Exit code 2 where there is none.
pub fn framework(id: &str) -> Result<Framework, Failure> {
    let all = Framework::embedded().map_err(Failure::usage)?;
    Framework::find(all, id).map_err(Failure::usage)
}

/// The name of a framework, and which part of it is listed.
pub fn heading(framework: &Framework) -> String {
    let heading = format!("{}: {}", framework.name, framework.scope);
    let mut text = format!("{}\n", style(heading).bold());
    if let Some(partial) = &framework.partial {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{partial}");
    }
    text
}

fn controls_listed(framework: &Framework, by_control: &[(&Control, Vec<&Rule>)]) -> String {
    let widest = framework.controls.iter().map(|control| control.id.len()).max().unwrap_or_default();
    let mut text = heading(framework) + "\n";
    let (decided, undecided): (Vec<_>, Vec<_>) = by_control.iter().partition(|(_, checks)| !checks.is_empty());
    for (control, checks) in &decided {
        let ids: Vec<_> = checks.iter().map(|rule| rule.id.as_str()).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:widest$}  {}", control.id, control.title);
        let _ = writeln!(text, "{:widest$}  {}", "", style(ids.join(", ")).dim());
    }
    text + &undecided_listed(undecided.iter().map(|(control, _)| *control), widest)
}

/// The controls that orgsweep cannot decide, each with the reason.
pub fn undecided_listed<'a>(controls: impl Iterator<Item = &'a Control>, widest: usize) -> String {
    let mut text = String::new();
    for control in controls {
        if text.is_empty() {
            text = format!("\n{}\n", style("Not decided by orgsweep").bold());
        }
        let why = control.undecided.as_deref().unwrap_or("No check of these rules covers it.");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:widest$}  {}", control.id, control.title);
        let _ = writeln!(text, "{:widest$}  {}", "", style(why).dim());
    }
    text
}

/// All that is known of the checks that are wanted.
fn all_facts(rules: &RuleSet, checker: &Checker, is_wanted: impl Fn(&Rule) -> bool) -> Vec<Json> {
    let needs: BTreeMap<&str, &Needs> = checker.needs().collect();
    let wanted = rules.rules().iter().filter(|rule| is_wanted(rule));
    wanted.map(|rule| facts(rule, rules, needs.get(rule.id.as_str()).copied())).collect()
}

/// All that is known of a check, its cases by number alone.
pub fn facts(rule: &Rule, rules: &RuleSet, needs: Option<&Needs>) -> Json {
    let params: serde_json::Map<String, Json> =
        rules.params_of(rule).into_iter().map(|(name, value)| (name, json!(value))).collect();
    let sources = needs.map(|needs| {
        let any: Vec<Vec<_>> = needs.any.iter().map(|group| group.iter().collect()).collect();
        let (all, compared) = (needs.all.iter().collect::<Vec<_>>(), needs.compared.iter().collect::<Vec<_>>());
        json!({ "all": all, "any": any, "compared": compared })
    });
    json!({
        "id": rule.id, "title": rule.title, "description": rule.description, "rationale": rule.rationale,
        "severity": rule.severity, "table": rule.table, "resource": rule.resource, "sources": sources,
        "applies_when": rule.applies_when, "fails_when": rule.fails_when, "params": params,
        "frameworks": rule.frameworks, "evidence": rule.evidence, "message": rule.message,
        "remediation": rule.remediation, "command": rule.command, "file": rule.file, "cases": rule.cases.len(),
    })
}

fn test(pack: &RulePack, args: &TestArgs, format: Format) -> Result<Outcome, Failure> {
    let results = run_cases(pack).map_err(Failure::usage)?;
    let untried: Vec<String> = untried(pack).map_err(Failure::usage)?.iter().map(ToString::to_string).collect();
    let survivors = if args.mutants {
        Some(survivors(pack).map_err(Failure::usage)?.iter().map(ToString::to_string).collect::<Vec<_>>())
    } else {
        None
    };
    match format {
        Format::Text => print(&tested(pack, &results, &untried, survivors.as_deref()))?,
        Format::Json => {
            let failed = results.iter().filter(|result| !result.passed).count();
            let document = json!({
                "passed": results.len() - failed, "failed": failed,
                "cases": results.iter().map(case_facts).collect::<Vec<_>>(),
                "untried": untried, "unnoticed_changes": survivors,
            });
            print(&format!("{document:#}\n"))?;
        }
    }
    let all_hold = results.iter().all(|result| result.passed) && survivors.is_none_or(|found| found.is_empty());
    Ok(if all_hold { Outcome::Done } else { Outcome::CasesFailed })
}

fn tested(pack: &RulePack, results: &[CaseResult], untried: &[String], survivors: Option<&[String]>) -> String {
    let mut text = String::new();
    for result in results.iter().filter(|result| !result.passed) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {result}", style("FAILED").red().bold());
    }
    for what in untried {
        let _ = writeln!(text, "{} {what}", style("UNTRIED").yellow().bold());
    }
    for survivor in survivors.unwrap_or_default() {
        let _ = writeln!(text, "{} {survivor}", style("UNNOTICED").red().bold());
    }
    let failed = results.iter().filter(|result| !result.passed).count();
    let passed = results.len() - failed;
    let _ = writeln!(text, "{passed} cases of {} checks passed, {failed} failed", pack.rules().len());
    if let Some(survivors) = survivors {
        let _ = writeln!(text, "changes of predicates that no case notices: {}", survivors.len());
    }
    text
}

fn case_facts(result: &CaseResult) -> Json {
    json!({
        "check": result.check_id, "case": result.case, "passed": result.passed, "row": result.row,
        "given": result.given, "expected": result.expected, "got": result.got, "file": result.file,
    })
}
