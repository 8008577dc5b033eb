//! Measures what hostility costs: 2,000 accounts in virtual time, calm and with a tenth of all calls failing in some way.
//!
//!     cargo bench -p orgsweep-benches --bench hostile

#![allow(clippy::expect_used, reason = "a bench that cannot run has nothing to report")]

mod virtual_sweep;

use std::sync::Arc;

use orgsweep_sim::{Profile, Simulation};
use virtual_sweep::{Measured, in_virtual_time, organization, sweep};

const ACCOUNTS: u32 = 2_000;

fn main() {
    println!("{ACCOUNTS} accounts      calls  throttled    retried    whole  partial   failed       took");
    let calm = in_virtual_time(sweep(&organization(ACCOUNTS, Profile::aws()), Vec::new()));
    told("calm", &calm);
    let hostile = organization(ACCOUNTS, Profile::hostile());
    let swept = in_virtual_time(sweep(&hostile, Vec::new()));
    told("hostile", &swept);
    #[allow(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let ratio = swept.tally.requests as f64 / calm.tally.requests as f64;
    println!("calls, hostile over calm: {ratio:.3}");
    let lost = calm.tally.swept.saturating_sub(swept.tally.swept);
    println!("accounts read whole when calm and not when hostile: {lost}");
    println!("accounts of which something cannot be read, however often it is asked for: {}", lasting(&hostile));
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
