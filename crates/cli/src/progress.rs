//! What a person sees while a sweep runs: one live line on a terminal, a plain line now and then elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use orgsweep_sweep::{Progress, Tally};
use tokio::task::JoinHandle;

use crate::logging::Screen;

/// Fast enough to look alive, slow enough to cost nothing.
const REDRAW: Duration = Duration::from_millis(200);

/// Off a terminal, a line this often says that the sweep is alive without filling a log.
const PLAIN_LINE: Duration = Duration::from_secs(15);

/// Shows progress until it is dropped.
pub struct Shown {
    task: Option<JoinHandle<()>>,
    bar: Option<ProgressBar>,
}

impl Shown {
    /// Starts showing.
    pub fn start(screen: &Screen, progress: &Arc<Progress>) -> Self {
        if screen.quiet {
            return Self { task: None, bar: None };
        }
        let progress = Arc::clone(progress);
        if screen.is_terminal && !screen.json {
            let bar = screen.bars.add(ProgressBar::new(0).with_style(bar_style()));
            let task = tokio::spawn(draw(bar.clone(), progress));
            Self { task: Some(task), bar: Some(bar) }
        } else {
            Self { task: Some(tokio::spawn(write_lines(progress, screen.json))), bar: None }
        }
    }
}

impl Shown {
    /// The accounts are read; this comes now.
    pub fn turn_to(&mut self, work: &'static str) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        if let Some(bar) = &self.bar {
            bar.set_style(ProgressStyle::default_spinner());
            bar.set_message(work);
            bar.enable_steady_tick(REDRAW);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar_style() -> ProgressStyle {
    let line = "{spinner} {pos} of {len} accounts{prefix} {wide_bar} {msg}";
    ProgressStyle::with_template(line).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

async fn draw(bar: ProgressBar, progress: Arc<Progress>) {
    let started = Instant::now();
    let mut tick = tokio::time::interval(REDRAW);
    loop {
        tick.tick().await;
        let tally = progress.tally();
        bar.set_length(tally.to_ask());
        bar.set_position(tally.done());
        bar.set_prefix(so_far(&tally));
        bar.set_message(details(&tally, started.elapsed()));
        bar.tick();
    }
}

async fn write_lines(progress: Arc<Progress>, json: bool) {
    let started = Instant::now();
    let mut tick = tokio::time::interval(PLAIN_LINE);
    tick.tick().await;
    loop {
        tick.tick().await;
        let tally = progress.tally();
        let (done, to_ask) = (HumanCount(tally.done()), HumanCount(tally.to_ask()));
        let details = details(&tally, started.elapsed());
        let comma = if details.is_empty() { "" } else { ", " };
        let line = format!("{done} of {to_ask} accounts{}{comma}{details}", so_far(&tally));
        if json {
            eprintln!("{}", serde_json::json!({ "level": "INFO", "message": line, "done": tally.done() }));
        } else {
            eprintln!("{line}");
        }
    }
}

fn so_far(tally: &Tally) -> &'static str {
    if tally.all_listed { "" } else { " so far" }
}

/// What stands behind the count of accounts: only what is not zero.
fn details(tally: &Tally, elapsed: Duration) -> String {
    let counts = [
        (tally.in_flight, "in flight"),
        (tally.failed + tally.partial, "with gaps"),
        (tally.awaiting_report, "reports awaited"),
        (tally.throttled, "throttled"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> = counts.map(|(count, what)| format!("{} {what}", HumanCount(count))).collect();
    let read = tally.done().saturating_sub(tally.earlier);
    if let Some(rate) = read.checked_div(elapsed.as_secs().max(1)).filter(|_| read > 0) {
        parts.push(format!("{rate}/s"));
    }
    parts.extend(time_left(tally, read, elapsed).map(|left| format!("{:#} left", HumanDuration(left))));
    parts.join(", ")
}

/// Guessed from the accounts read so far; nothing before a twentieth of them is.
fn time_left(tally: &Tally, read: u64, elapsed: Duration) -> Option<Duration> {
    let left = tally.to_ask().saturating_sub(tally.done());
    let enough = read > 0 && tally.all_listed && read.saturating_mul(20) >= tally.to_ask();
    let left = u32::try_from(left).ok().filter(|left| enough && *left > 0)?;
    let read = u32::try_from(read).ok()?;
    Some(elapsed / read * left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Tally = Tally {
        known: 0,
        skipped: 0,
        earlier: 0,
        in_flight: 0,
        swept: 0,
        partial: 0,
        failed: 0,
        journalled: 0,
        awaiting_report: 0,
        requests: 0,
        throttled: 0,
        retried: 0,
        waited_ms: 0,
        all_listed: false,
    };

    #[track_caller]
    fn check(tally: Tally, seconds: u64, expected: &str) {
        assert_eq!(details(&tally, Duration::from_secs(seconds)), expected);
    }

    #[test]
    fn zeros_are_not_shown() {
        check(NOTHING, 3, "");
        check(Tally { known: 10, in_flight: 4, ..NOTHING }, 3, "4 in flight");
    }

    #[test]
    fn rate_and_time_left_come_from_what_this_attempt_read() {
        let tally = Tally { known: 1000, earlier: 600, swept: 190, failed: 10, all_listed: true, ..NOTHING };
        check(tally, 10, "10 with gaps, 20/s, 10s left");
    }

    #[test]
    fn while_accounts_are_still_listed_no_time_is_promised() {
        check(Tally { known: 40, swept: 20, ..NOTHING }, 2, "10/s");
    }
}
