//! `orgsweep compliance`: the accounts of a committed run, counted by the controls of a framework.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::anyhow;
use console::style;
use orgsweep_build::{Compute, comply};
use orgsweep_checks::{Basis, Checker, Compliance, ControlResult, Framework, Status};
use orgsweep_core::Run;
use orgsweep_lake::{Commit, Lake};
use serde_json::{Value as Json, json};

use crate::args::ComplianceArgs;
use crate::checks::{framework, heading, undecided_listed};
use crate::failure::{Failure, Outcome};
use crate::render::print;
use crate::settings::{Format, Loaded};
use crate::stored;

/// Judges a committed run by the checks of a framework, with the params that the framework's own numbers are, and prints
/// how its accounts stand.
///
/// # Errors
/// Exit code 2 where there is no such framework or run, or a flag gives a param; 1 where the lake cannot be read.
pub async fn compliance(args: &ComplianceArgs, loaded: &Loaded) -> Result<Outcome, Failure> {
    if let Some(param) = loaded.flagged_params().next() {
        let told = "compliance judges by the framework's own numbers: leave it out, or judge by it with recheck";
        return Err(Failure::usage(anyhow!("--set {param}: {told}")));
    }
    let config = &loaded.config;
    let framework = framework(&args.framework)?;
    let lake = Lake::open(&config.lake).await.map_err(Failure::usage)?;
    let (run, commit) = stored::committed(&lake, &args.run).await?;
    // A limit that somebody set for himself is none of the framework's.
    let rules = stored::rules(&lake, &run).await?.by_default(|rule| rule.frameworks.contains_key(&framework.id));
    let basis = Basis { as_of: run.as_of, unasked: run.unasked };
    let checker = Arc::new(Checker::compile(&rules, basis).map_err(Failure::usage)?);
    let compliance = Compliance::new(&framework, rules.rules());
    let counted = comply(&lake, &commit, &checker, compliance, Compute::default()).await;
    let results = counted.map_err(Failure::not_committed)?.finish();
    match config.output.format {
        Format::Text => print(&text(&framework, &run, &commit, &results))?,
        Format::Json => print(&format!("{:#}\n", document(&framework, &run, &commit, &results)))?,
    }
    Ok(Outcome::Done)
}

fn text(framework: &Framework, run: &Run, commit: &Commit, results: &[ControlResult]) -> String {
    let mut text = heading(framework);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "run {}, as of {}: {} accounts", run.run_id, run.as_of, commit.coverage.planned);
    let widest = results.iter().map(|result| result.control.id.len()).max().unwrap_or_default().max("control".len());
    let columns = ["passed", "failed", "unknown", "n/a"].map(|column| format!("{column:>8}")).concat();
    let heading = format!("{:widest$}  {:<8}{columns}   what should hold", "control", "status");
    let _ = writeln!(text, "\n{}", style(heading).bold());
    let (decided, undecided): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.status.is_some());
    for result in &decided {
        let counts = [result.passed, result.failed, result.unknown, result.not_applicable];
        let counts = counts.map(|count| format!("{count:>8}")).concat();
        let excepted = if result.excepted > 0 { format!(" ({} excepted)", result.excepted) } else { String::new() };
        let (control, status) = (&result.control, painted(result.status));
        let title = style(format!("{}{excepted}", control.title)).dim();
        let _ = writeln!(text, "{:widest$}  {status}{counts}   {title}", control.id);
    }
    let of = |status: Status| decided.iter().filter(|result| result.status == Some(status)).count();
    let _ = writeln!(
        text,
        "\n{} controls: {} passed, {} failed, {} unknown, {} not applicable, {} not decided. Numbers are accounts.",
        results.len(),
        of(Status::Pass),
        of(Status::Fail),
        of(Status::Unknown),
        of(Status::NotApplicable),
        undecided.len()
    );
    text + &undecided_listed(undecided.iter().map(|result| &result.control), widest)
}

fn painted(status: Option<Status>) -> String {
    let (word, paint) = match status {
        Some(Status::Pass) => ("pass", console::Style::new().green()),
        Some(Status::Fail) => ("fail", console::Style::new().red()),
        Some(Status::Unknown) => ("unknown", console::Style::new().yellow()),
        Some(Status::NotApplicable) | None => ("n/a", console::Style::new().dim()),
    };
    paint.apply_to(format!("{word:<8}")).to_string()
}

fn document(framework: &Framework, run: &Run, commit: &Commit, results: &[ControlResult]) -> Json {
    json!({
        "framework": framework.id, "name": framework.name, "scope": framework.scope, "source": framework.source,
        "partial": framework.partial, "run_id": run.run_id, "recheck_of": run.recheck_of, "as_of": run.as_of,
        "coverage": commit.coverage, "controls": results,
    })
}
