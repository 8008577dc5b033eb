//! Ctrl-C and SIGTERM: the first stops the asking, the second ends the program.

use orgsweep_core::RunId;
use orgsweep_sweep::Stop;
use tokio::signal::unix::{SignalKind, signal};

/// Watches for signals on behalf of a run.
///
/// # Errors
/// Where the process cannot listen for signals.
pub fn watch(stop: &Stop, run_id: &RunId) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (stop, run_id) = (stop.clone(), run_id.clone());
    tokio::spawn(async move {
        let mut first = true;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !first {
                eprintln!("stopped at once; go on with: orgsweep scan --resume {run_id}");
                std::process::exit(1);
            }
            first = false;
            stop.stop();
        }
    });
    Ok(())
}
