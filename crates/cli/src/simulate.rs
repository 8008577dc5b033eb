//! `orgsweep simulate`: seeds of a sweep that everything happens to, on every core, and what does not hold.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use orgsweep_simulate::{Held, Scenario, SimulateError, Simulated, Simulator, Violation};
use serde::Serialize;
use tracing::subscriber::{NoSubscriber, with_default};

use crate::args::SimulateArgs;
use crate::failure::{Failure, Outcome};
use crate::logging::Screen;
use crate::render::print;
use crate::settings::{Format, Level, Loaded};
use crate::simulation::profile;

/// Seeds that are named when they do not hold: who mends one looks at one.
const NAMED: usize = 20;

/// What many seeds came to.
#[derive(Debug, Default, Serialize)]
struct Sum {
    seeds: u64,
    processes: u64,
    killed: u64,
    requests: u64,
    accounts_whole: u64,
    accounts_told: u64,
    reports_carried: u64,
    simulated_seconds: f64,
    broken: Vec<Broken>,
}

/// A seed that does not hold.
#[derive(Debug, Serialize)]
struct Broken {
    seed: u64,
    invariant: &'static str,
    told: String,
}

impl Sum {
    fn count(&mut self, seed: u64, ended: Result<Held, Violation>) {
        self.seeds += 1;
        match ended {
            Ok(held) => {
                self.processes += held.processes;
                self.killed += held.killed;
                self.requests += held.requests;
                self.accounts_whole += held.whole;
                self.accounts_told += held.told;
                self.reports_carried += held.carried;
                self.simulated_seconds += held.took.as_secs_f64();
            }
            Err(Violation { invariant, told }) => self.broken.push(Broken { seed, invariant, told }),
        }
    }

    fn outcome(&self) -> Outcome {
        if self.broken.is_empty() { Outcome::Done } else { Outcome::Broken }
    }
}

/// Simulates the seeds that are asked for.
///
/// # Errors
/// A simulation cannot be made, or the result cannot be printed.
pub fn simulate(args: &SimulateArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let scenario = Scenario {
        accounts: args.accounts - 1,
        users_per_account: args.users_per_account,
        profile: profile(args.profile),
    };
    let simulator = Simulator::new(scenario).map_err(Failure::not_committed)?;
    // What a simulated sweep warns of is what was done to it.
    let logs = loaded.config.log.level > Level::Warn;
    let one = |seed| {
        let simulate = || simulator.simulate(seed);
        if logs { simulate() } else { with_default(NoSubscriber::default(), simulate) }
    };
    let started = Instant::now();
    match (args.seed, args.seeds.clone()) {
        (Some(seed), _) => {
            let simulated = one(seed).map_err(Failure::not_committed)?;
            show(seed, (simulated, started.elapsed()), loaded.config.output.format)
        }
        (None, seeds) => {
            let seeds = seeds.unwrap_or(0..1);
            let bar = bar(screen, seeds.end - seeds.start);
            let sum = simulate_all(seeds, &bar, one).map_err(Failure::not_committed)?;
            bar.finish_and_clear();
            told(&sum, started.elapsed(), loaded.config.output.format)?;
            Ok(sum.outcome())
        }
    }
}

/// Simulates every seed, on as many threads as there are cores.
fn simulate_all(
    seeds: std::ops::Range<u64>,
    bar: &ProgressBar,
    one: impl Fn(u64) -> Result<Simulated, SimulateError> + Sync,
) -> Result<Sum, SimulateError> {
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let work = || -> Result<(), SimulateError> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            let simulated = one(seed)?;
            sum.lock().unwrap_or_else(PoisonError::into_inner).count(seed, simulated.ended);
            bar.inc(1);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working.into_iter().try_for_each(|thread| match thread.join() {
            Ok(worked) => worked,
            Err(died) => std::panic::resume_unwind(died),
        })
    })?;
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.broken.sort_by_key(|broken| broken.seed);
    Ok(sum)
}

fn bar(screen: &Screen, seeds: u64) -> ProgressBar {
    if !screen.is_terminal || screen.quiet || screen.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} seeds, {eta} left");
    let bar = screen.bars.add(ProgressBar::new(seeds));
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// One seed, event by event.
fn show(seed: u64, (simulated, took): (Simulated, Duration), format: Format) -> Result<Outcome, Failure> {
    let Simulated { trace, ended } = simulated;
    let mut sum = Sum::default();
    sum.count(seed, ended);
    match format {
        Format::Json => {
            let events: Vec<_> = trace.events.iter().map(|event| (event.after.as_secs_f64(), &event.what)).collect();
            let document = serde_json::json!({ "seed": seed, "events": events, "sum": &sum });
            print(&format!("{document:#}\n"))?;
        }
        Format::Text => {
            print(&trace.to_string())?;
            told(&sum, took, format)?;
        }
    }
    Ok(sum.outcome())
}

fn told(sum: &Sum, took: Duration, format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => print(&text(sum, took)),
        Format::Json => {
            let document = serde_json::to_string_pretty(sum).map_err(Failure::not_committed)?;
            print(&format!("{document}\n"))
        }
    }
}

fn text(sum: &Sum, took: Duration) -> String {
    let count = HumanCount;
    let broken = sum.broken.iter().take(NAMED);
    let mut lines: Vec<String> =
        broken.map(|it| format!("seed {}: {} does not hold: {}", it.seed, it.invariant, it.told)).collect();
    let more = sum.broken.len().saturating_sub(NAMED);
    if more > 0 {
        lines.push(format!("and {more} seeds more that do not hold"));
    }
    let held = sum.seeds.saturating_sub(u64::try_from(sum.broken.len()).unwrap_or_default());
    lines.push(format!("{} of {} seeds hold in {:.1} s", count(held), count(sum.seeds), took.as_secs_f64()));
    lines.push(format!("  {} processes, {} of them killed", count(sum.processes), count(sum.killed)));
    lines.push(format!("  {} accounts read as if nothing had happened", count(sum.accounts_whole)));
    lines.push(format!("  {} accounts say what kept them from it, which lasts", count(sum.accounts_told)));
    lines.push(format!("  {} reports are carried over from earlier runs", count(sum.reports_carried)));
    let hours = sum.simulated_seconds / 3600.0;
    lines.push(format!("  {} requests, {hours:.1} hours by the simulation's clock", count(sum.requests)));
    lines.push(String::new());
    lines.join("\n")
}
