//! `orgsweep commit`: the last part of a scan. It needs the lake alone, and any number may run it at once.

use std::time::Instant;

use anyhow::anyhow;
use orgsweep_core::AccountId;
use orgsweep_lake::{Commit, Journal, Lake};
use orgsweep_sweep::Share;
use tracing::warn;

use crate::args::CommitArgs;
use crate::committing::{Committing, sum_up};
use crate::continued::{Continued, chosen};
use crate::failure::{Failure, GoOn, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::settings::{Format, Loaded};
use crate::signals::Signals;

/// Accounts that a message names.
const NAMED: usize = 5;

/// Commits a run, or says that it is committed already; either way its summary is printed.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn commit(args: &CommitArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let lake = Lake::open(&loaded.config.lake).await.map_err(Failure::usage)?;
    let run_id = chosen(&lake, &args.run).await?;
    let earlier =
        if run_id.is_recheck() { None } else { lake.read_commit(&run_id).await.map_err(Failure::not_committed)? };
    let commit = if let Some(commit) = earlier {
        if !screen.quiet && !screen.json {
            eprintln!("Run {run_id} is committed already.");
        }
        commit
    } else {
        let continued = Continued::open(&lake, &run_id, loaded).await?;
        Box::pin(commit_run(&lake, &continued, screen)).await?
    };
    Ok(sum_up(&lake, &commit, &loaded.config, (None, started)).await)
}

async fn commit_run(lake: &Lake, continued: &Continued, screen: &Screen) -> Result<Commit, Failure> {
    let Continued { run, plan, config, checker } = continued;
    let (location, run_id) = (lake.location(), &run.run_id);
    let signals = Signals::watch(config.output.format == Format::Json)?;
    let go_on = GoOn::commit(location, run_id);
    signals.run_begins(go_on.clone());
    let sweep_first = GoOn::sweep(location, run_id, Share::WHOLE);
    let Some(plan) = plan else {
        let told = anyhow!("run {run_id} has no plan yet: nobody knows which accounts it must cover");
        return Err(Failure::not_committed(told).resumable(sweep_first));
    };
    let mut shown = Shown::start(screen, &std::sync::Arc::default());
    shown.turn_to("checking, and writing the tables");
    let asked: Vec<AccountId> = plan.asked().map(|account| account.id).collect();
    let committed = async {
        hold_covered(lake, continued, &asked, &sweep_first).await?;
        Committing { lake, run, plan, checker, config, signals: &signals }.commit().await
    };
    committed.await.map_err(|failure| failure.resumable(go_on))
}

/// Refuses a run with accounts that are in no segment yet, and warns of those that would be asked again.
async fn hold_covered(
    lake: &Lake,
    continued: &Continued,
    asked: &[AccountId],
    sweep_first: &GoOn,
) -> Result<(), Failure> {
    let run_id = &continued.run.run_id;
    let journal = Journal::open(lake, run_id).await.map_err(Failure::not_committed)?;
    if journal.is_sealed() {
        // An earlier build found it covered. What is built is fixed.
        return Ok(());
    }
    let journalled = journal.journalled().await.map_err(Failure::not_committed)?;
    let missing: Vec<&AccountId> = asked.iter().filter(|account| !journalled.seen.contains(account)).collect();
    if !missing.is_empty() {
        let named: Vec<&str> = missing.iter().take(NAMED).map(|account| account.as_str()).collect();
        let more = if missing.len() > NAMED { ", …" } else { "" };
        let told = anyhow!(
            "{} of the {} accounts that run {run_id} asks are in no segment of its journal yet ({}{more})",
            missing.len(),
            asked.len(),
            named.join(", "),
        );
        return Err(Failure::not_committed(told).resumable(sweep_first.clone()));
    }
    let unsettled = journalled.unsettled().count();
    if unsettled > 0 {
        warn!(
            accounts = unsettled,
            "some accounts failed in passing and are committed as they are; `{}` would have asked them again first",
            sweep_first.command()
        );
    }
    Ok(())
}
