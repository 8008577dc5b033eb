//! What a person reads at the end: coverage first, then the worst findings, then where the lake is.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use console::{Style, style};
use indicatif::{HumanBytes, HumanCount};
use orgsweep_checks::{ExceptionUse, Severity};
use tracing::warn;

use crate::failure::Failure;
use crate::settings::Format;
use crate::summary::{Counts, Summary};

/// Accounts named in the coverage; the others are counted.
const ACCOUNTS_SHOWN: usize = 10;

/// Files named of each kind; the others are counted.
const FILES_SHOWN: usize = 10;

/// Prints to stdout.
///
/// # Errors
/// Where stdout is gone, unless its reader left on purpose, as `head` does.
pub fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::not_committed(error)),
        _ => Ok(()),
    }
}

/// Prints a summary in the form that was asked for.
///
/// # Errors
/// As [`print()`].
pub fn summary(summary: &Summary, format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => print(&text(summary)),
        Format::Json => {
            // Whoever reads the document may not look at each exception; whoever reads the log should be told.
            idle_exceptions(summary).for_each(|told| warn!("{told}"));
            let document = serde_json::to_string_pretty(summary).map_err(Failure::not_committed)?;
            print(&format!("{document}\n"))
        }
    }
}

/// A severity's colour, on a terminal.
pub fn paint(severity: Severity, text: &str) -> String {
    let paint = match severity {
        Severity::Critical => Style::new().red().bold(),
        Severity::High => Style::new().red(),
        Severity::Medium => Style::new().yellow(),
        Severity::Low | Severity::Informational => Style::new().dim(),
    };
    paint.apply_to(text).to_string()
}

fn text(summary: &Summary) -> String {
    let mut text = String::new();
    coverage(&mut text, summary);
    ingest(&mut text, summary);
    findings(&mut text, summary);
    exceptions(&mut text, summary);
    changes(&mut text, summary);
    lake(&mut text, summary);
    text
}

fn coverage(text: &mut String, summary: &Summary) {
    let counts = &summary.coverage;
    let (asked, failed) = (summary.asked(), counts.failed);
    let headline = format!("{} of {} accounts read", HumanCount(asked - failed), HumanCount(asked));
    let mut gaps = Vec::new();
    if failed > 0 {
        gaps.push(format!("{} could not be", HumanCount(failed)));
    }
    if counts.partial > 0 {
        gaps.push(format!("{} only in part", HumanCount(counts.partial)));
    }
    // Writing to a string cannot fail.
    let _ = if gaps.is_empty() {
        writeln!(text, "{}", style(format!("{headline}.")).bold().green())
    } else {
        writeln!(text, "{}", style(format!("{headline}; {}:", gaps.join(", "))).bold().yellow())
    };
    for unread in summary.unread.iter().take(ACCOUNTS_SHOWN) {
        let name = unread.account_name.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {}  {name:<24}  {}", unread.account_id, unread.reason);
    }
    let more = (failed + counts.partial).saturating_sub(u64::try_from(ACCOUNTS_SHOWN).unwrap_or(u64::MAX));
    if more > 0 {
        let _ = writeln!(text, "  and {} more: `outcome` and `unanswered` in the table accounts", HumanCount(more));
    }
    if counts.skipped > 0 {
        let reasons = summary.skipped.iter().map(|(reason, count)| format!("{reason} ({})", HumanCount(*count)));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "{} more not asked: {reasons}.", HumanCount(counts.skipped));
    }
}

/// Which reports the run was made of, and which not.
fn ingest(text: &mut String, summary: &Summary) {
    let Some(it) = &summary.ingest else { return };
    let count = |count: usize| HumanCount(u64::try_from(count).unwrap_or(u64::MAX));
    // Writing to a string cannot fail.
    if let (Some(oldest), Some(newest)) = (it.oldest_report, it.newest_report) {
        let made = if oldest == newest { format!("at {newest}") } else { format!("from {oldest} to {newest}") };
        let reports = if it.reports == 1 { "report" } else { "reports" };
        let _ = writeln!(text, "{} {reports}, made {made}, {}.", count(it.reports), HumanBytes(it.file_bytes));
    }
    if it.dated_by_file > 0 {
        let dated = count(it.dated_by_file);
        let _ = writeln!(text, "  {dated} of them are dated by their file's last change; --generated-at knows better");
    }
    for path in it.superseded.iter().take(FILES_SHOWN) {
        let _ = writeln!(text, "  {path} is left out: there is a newer report of its account");
    }
    for file in it.left_out.iter().take(FILES_SHOWN) {
        let _ = writeln!(text, "  {}", style(format!("{} cannot be read: {}", file.path, file.reason)).yellow());
    }
    let shown = |files: usize| files.saturating_sub(FILES_SHOWN);
    let more = shown(it.superseded.len()) + shown(it.left_out.len());
    if more > 0 {
        let _ = writeln!(text, "  and {} more, which --format json names", count(more));
    }
    if it.passed_over > 0 {
        let _ = writeln!(text, "  {} other files in the folders are no reports", count(it.passed_over));
    }
}

fn findings(text: &mut String, summary: &Summary) {
    let failing: Vec<_> = summary.findings.iter().filter(|check| check.resources_failed > 0).collect();
    let widest = failing.iter().map(|check| check.check_id.len()).max().unwrap_or_default();
    if failing.is_empty() {
        text.push_str("\nNo check failed on anything that was read.\n");
    } else {
        let heading = format!("Failed checks     findings   accounts   {:widest$} what should hold", "check");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{}", style(heading).bold());
    }
    for check in failing {
        let severity = paint(check.severity, &format!("{:<13}", check.severity.to_string()));
        let findings = HumanCount(check.resources_failed).to_string();
        let accounts = HumanCount(check.accounts_failed).to_string();
        let excepted = match check.resources_excepted {
            0 => String::new(),
            excepted => format!(" ({} excepted)", HumanCount(excepted)),
        };
        let title = style(format!("{}{excepted}", check.title)).dim();
        let _ = writeln!(text, "  {severity} {findings:>10} {accounts:>10}   {:<widest$} {title}", check.check_id);
    }
    let unknown: u64 = summary.findings.iter().map(|check| check.accounts_unknown).sum();
    if unknown > 0 {
        let counted = HumanCount(unknown);
        let _ = writeln!(text, "  {counted} verdicts are unknown, never passed: `reason` in the table check_results");
    }
    for gap in &summary.organization_unread {
        let _ = writeln!(text, "  for every account alike, {gap}");
    }
}

fn exceptions(text: &mut String, summary: &Summary) {
    for told in idle_exceptions(summary) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}", style(told).yellow());
    }
}

/// Exceptions that do not do what whoever made them may think.
fn idle_exceptions(summary: &Summary) -> impl Iterator<Item = String> {
    let idle = summary.exceptions.iter().filter(|one| one.expired || one.findings == 0);
    idle.map(|ExceptionUse { exception, expired, findings }| {
        let what = match (expired, findings) {
            (_, 0) => "matches no finding".to_owned(),
            (_, 1) => "has expired: the finding that it covered counts again".to_owned(),
            (_, count) => format!("has expired: the {} findings that it covered count again", HumanCount(*count)),
        };
        // It ends with the last millisecond of its last day.
        let last = exception.expires_at.minus(Duration::from_millis(1)).date();
        format!("the exception of {} by {}, to {last}, {what}", exception.check, exception.owner)
    })
}

/// What a recheck says that its sweep did not.
fn changes(text: &mut String, summary: &Summary) {
    let Some(sweep) = &summary.recheck_of else { return };
    // Writing to a string cannot fail.
    let _ = if summary.changes.is_empty() {
        writeln!(text, "\nNo check says anything else than in run {sweep}.")
    } else {
        writeln!(text, "\n{}", style(format!("What changed since run {sweep}")).bold())
    };
    let counts = |counts: Option<Counts>| match counts {
        None => "no such check".to_owned(),
        Some(it) => {
            format!("{} findings, {} unknown", HumanCount(it.resources_failed), HumanCount(it.accounts_unknown))
        }
    };
    for change in &summary.changes {
        let _ = writeln!(text, "  {}: {} → {}", change.check_id, counts(change.before), counts(change.after));
    }
}

fn lake(text: &mut String, summary: &Summary) {
    let rows = |name: &str| summary.tables.iter().find(|table| table.name == name).map_or(0, |table| table.rows);
    let bytes = summary.tables.iter().map(|table| table.bytes).sum();
    let _ = writeln!(text, "\n{} {}", style("Lake").bold(), summary.lake);
    let requests = match &summary.calls {
        Some(calls) => format!("{} requests", HumanCount(calls.requests)),
        None => "no request".to_owned(),
    };
    let _ = writeln!(
        text,
        "  run {}: {} accounts, {} credential rows, {} findings, {} in {:.1} s and {requests}",
        summary.run_id,
        HumanCount(rows("accounts")),
        HumanCount(rows("credentials")),
        HumanCount(rows("findings")),
        HumanBytes(bytes),
        summary.seconds,
    );
    let _ = writeln!(text, "\n{}\n{}", style("Ask DuckDB").bold(), summary.duckdb_query);
}
