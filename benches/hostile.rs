//! Measures what hostility costs: 2,000 accounts in virtual time, calm and with a tenth of all calls failing in some way.
//!
//!     cargo bench -p orgsweep-benches --bench hostile
//!
//! Both sweeps are built, and every account is held against the model, source by source and cell by cell. The bench fails
//! unless all was read that can be, as it is, with at most 1.35 times the calls of the calm run.
//!
//! About 0.3 of the calm run's calls an account are looks at reports that were not ready yet. They are meant: the first look
//! is where seven reports of ten are, as to wait for the last ones delays all others.

#![allow(clippy::expect_used, reason = "a bench that cannot run has nothing to report")]

mod virtual_sweep;

use std::process::ExitCode;
use std::sync::Arc;

use orgsweep_sim::{Profile, Simulation};
use orgsweep_simulate::{Coverage, Swept};
use virtual_sweep::{Measured, in_virtual_time, organization, run, sweep};

const ACCOUNTS: u32 = 2_000;

/// What hostility may cost in calls.
const MOST_CALLS: f64 = 1.35;

/// Accounts that are named which differ from the model.
const NAMED: usize = 10;

fn main() -> ExitCode {
    println!("{ACCOUNTS} accounts      calls  throttled    retried    whole  partial   failed       took");
    let (calm, calm_coverage) = measure("calm", &organization(ACCOUNTS, Profile::aws()));
    let hostile = organization(ACCOUNTS, Profile::hostile());
    let (swept, coverage) = measure("hostile", &hostile);
    #[allow(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let ratio = swept.tally.requests as f64 / calm.tally.requests as f64;
    println!("calls, hostile over calm: {ratio:.3}");
    let lost = calm.tally.swept.saturating_sub(swept.tally.swept);
    println!("accounts read whole when calm and not when hostile: {lost}");
    println!("accounts of which something cannot be read, however often it is asked for: {}", lasting(&hostile));
    told_coverage("calm", &calm_coverage);
    told_coverage("hostile", &coverage);
    if calm_coverage.is_whole() && coverage.is_whole() && ratio <= MOST_CALLS {
        ExitCode::SUCCESS
    } else {
        println!("failed: all that can be read must be read, with at most {MOST_CALLS} times the calls");
        ExitCode::FAILURE
    }
}

/// Sweeps the organization, and holds what came of it against the model.
fn measure(name: &str, simulation: &Arc<Simulation>) -> (Measured, Coverage) {
    let measured = in_virtual_time(sweep(simulation, Vec::new()));
    told(name, &measured);
    let (lake, plan) = (&measured.lake, &measured.swept.plan);
    let swept = Swept { lake, run: &run(), plan, simulation };
    let coverage = in_virtual_time(swept.measure()).expect("what is swept can be built");
    (measured, coverage)
}

fn lasting(simulation: &Arc<Simulation>) -> usize {
    (0..simulation.model().accounts()).filter(|index| !simulation.lasting(*index).is_none()).count()
}

fn told(name: &str, measured: &Measured) {
    let (tally, took) = (measured.tally, measured.took.as_secs_f64());
    println!(
        "{name:13} {:>10} {:>10} {:>10} {:>8} {:>8} {:>8} {took:>8.1} s",
        tally.requests, tally.throttled, tally.retried, tally.swept, tally.partial, tally.failed,
    );
}

fn told_coverage(name: &str, coverage: &Coverage) {
    let Coverage { readable, read, passing, passing_read, differing } = coverage;
    println!(
        "{name}: read {read} of {readable} readable facts, and {passing_read} of {passing} that come or go meanwhile"
    );
    for told in differing.iter().take(NAMED) {
        println!("  {told}");
    }
    if differing.len() > NAMED {
        println!("  and {} accounts more", differing.len() - NAMED);
    }
}
