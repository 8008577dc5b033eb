//! Measures how near a sweep of the profile `aws` comes to the fastest possible one: virtual time, politeness 1, beside the
//! bound that the simulation reckons from its own quotas and latencies (`crates/sim/src/simulation/bound.rs`).
//!
//!     cargo bench -p orgsweep-benches --bench makespan
//!
//! A cold start lists the accounts first, and took as long as the whole sweep. A warm one knows them, and took until all of
//! them were in the journal.

#![allow(clippy::expect_used, reason = "a bench that cannot run has nothing to report")]

mod virtual_sweep;

use std::time::Duration;

use orgsweep_sim::{Latency, Profile};
use virtual_sweep::{Measured, in_virtual_time, organization, sweep};

const SIZES: [u32; 2] = [10_000, 50_000];

fn main() {
    told_profile(&Profile::aws());
    println!("\n accounts  start       bound       took   ratio      calls  throttled");
    for accounts in SIZES {
        measure(accounts);
    }
}

fn measure(accounts: u32) {
    let bound = organization(accounts, Profile::aws()).bound();
    let cold = in_virtual_time(sweep(&organization(accounts, Profile::aws()), Vec::new()));
    told((accounts, "cold"), bound.listed, cold.took, &cold);
    // The same organization, as it was before that sweep.
    let known = cold.swept.plan.asked().collect();
    let warm = in_virtual_time(sweep(&organization(accounts, Profile::aws()), known));
    told((accounts, "warm"), bound.known, warm.warm_journalled.unwrap_or(Duration::MAX), &warm);
}

fn told((accounts, start): (u32, &str), bound: Duration, took: Duration, measured: &Measured) {
    let calls = measured.tally.requests;
    #[allow(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let throttled = 100.0 * measured.tally.throttled as f64 / calls as f64;
    let (bound, took) = (bound.as_secs_f64(), took.as_secs_f64());
    let ratio = took / bound;
    println!("{accounts:>9}  {start:6} {bound:>8.2} s {took:>8.2} s {ratio:>7.3} {calls:>10} {throttled:>8.3} %");
}

fn told_profile(profile: &Profile) {
    let range = |it: Latency| format!("{} to {} ms", it.least.as_millis(), it.most.as_millis());
    let of = &profile.latencies;
    println!("profile {}: an answer takes", profile.name);
    println!("  AWS Organizations   {}", range(of.organizations));
    println!("  AWS STS             {}", range(of.sts));
    println!("  IAM                 {}", range(of.iam));
    println!("  Account Management  {}", range(of.account));
    println!(
        "  and a report {}, with {} us for each user",
        range(profile.reports.base),
        profile.reports.per_user.as_micros()
    );
    println!("the least and the square of an even fraction of the rest");
}
