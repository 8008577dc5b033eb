//! `orgsweep commit`: the last part of a scan. It needs the lake alone, and any number may run it at once.

use std::time::Instant;

use anyhow::anyhow;
use orgsweep_core::{AccountId, RunId};
use orgsweep_lake::{Commit, Journal, Lake};
use orgsweep_sweep::Share;
use tracing::warn;

use crate::allocator;
use crate::args::{CommitArgs, RunChoice};
use crate::committing::{Committing, sum_up};
use crate::continued::{Chosen, Continued, chosen, newest};
use crate::failure::{Failure, GoOn, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::settings::{Format, Loaded};
use crate::signals::Signals;
use crate::stored;

/// Accounts that a message names.
const NAMED: usize = 5;

/// Commits a run, or says that it is committed already; either way its summary is printed.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn commit(args: &CommitArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let started = Instant::now();
    // The text of a plan, too, is large, and needed for a moment.
    allocator::keep_nothing();
    let lake = Lake::open(&loaded.config.lake).await.map_err(Failure::usage)?;
    let Chosen { run_id, older } = chosen_for_commit(&lake, &args.run).await?;
    let earlier =
        if run_id.is_recheck() { None } else { lake.read_commit(&run_id).await.map_err(Failure::not_committed)? };
    let commit = if let Some(commit) = earlier {
        if !screen.quiet && !screen.json {
            eprintln!("Run {run_id} is committed already.");
        }
        commit
    } else {
        let committed = async {
            let continued = Continued::open(&lake, &run_id, loaded).await?;
            Box::pin(commit_run(&lake, &continued, screen)).await
        };
        let older = older.map(|older| GoOn::commit(lake.location(), &older));
        committed.await.map_err(|failure| failure.or_older(older))?
    };
    Ok(sum_up(&lake, &commit, &loaded.config, (None, started)).await)
}

/// The newest run that is not committed; where all are, the newest of them, so that a commit may be repeated.
async fn chosen_for_commit(lake: &Lake, choice: &RunChoice) -> Result<Chosen, Failure> {
    if *choice == RunChoice::Latest && newest(lake).await?.is_none() {
        let committed = lake.swept().await.map_err(Failure::not_committed)?;
        if let Some(run_id) = committed.into_iter().next() {
            return Ok(Chosen { run_id, older: None });
        }
    }
    chosen(lake, choice, "commit").await
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
        let in_passing = hold_covered(lake, run_id, &asked, &sweep_first).await?;
        if in_passing > 0 {
            let command = sweep_first.command();
            warn!(
                accounts = in_passing,
                "some accounts failed in passing and are committed as they are: `{command}` would have asked them again first"
            );
        }
        Committing { lake, run, plan, checker, config, signals: &signals }.commit().await
    };
    match committed.await {
        Ok(commit) => Ok(commit),
        // Another may have committed and deleted the journal that this one was about to read.
        Err(failure) => stored::commit_after_all(lake, run_id).await.ok_or(failure.resumable(go_on)),
    }
}

/// Refuses a run with accounts that are in no segment yet. How many failed in passing, so that a sweep would ask them
/// again, is returned.
async fn hold_covered(lake: &Lake, run_id: &RunId, asked: &[AccountId], sweep_first: &GoOn) -> Result<usize, Failure> {
    let journal = Journal::open(lake, run_id).await.map_err(Failure::not_committed)?;
    if journal.is_sealed() {
        // An earlier build found it covered, and what is built is fixed: a sweep would ask nothing.
        return Ok(0);
    }
    let journalled = journal.journalled().await.map_err(Failure::not_committed)?;
    for (segment, reason) in &journalled.damaged {
        warn!(segment, reason, "a segment of the journal cannot be read, and does not count");
    }
    let missing: Vec<&AccountId> = asked.iter().filter(|account| !journalled.seen.contains(account)).collect();
    if missing.is_empty() {
        return Ok(journalled.unsettled().count());
    }
    let named: Vec<&str> = missing.iter().take(NAMED).map(|account| account.as_str()).collect();
    let more = if missing.len() > NAMED { ", …" } else { "" };
    let told = anyhow!(
        "{} of the {} accounts that run {run_id} asks are in no segment of its journal yet ({}{more})",
        missing.len(),
        asked.len(),
        named.join(", "),
    );
    Err(Failure::not_committed(told).resumable(sweep_first.clone()))
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{Account, AccountState, ErrorKind, Refusal, Snapshot, Sources, Timestamp};
    use orgsweep_lake::{JournalEntry, JournalWriter, RollPolicy};

    use super::*;

    /// An account whose role was refused for good, or was not answered in passing.
    fn unopened(number: u64, kind: ErrorKind) -> JournalEntry {
        let account = Account {
            id: AccountId::from_number(number),
            arn: None,
            name: None,
            email: None,
            state: AccountState::Active,
            path: None,
            joined_method: None,
            joined_at: None,
        };
        let refusal = Refusal { kind, code: "Code".to_owned() };
        JournalEntry { snapshot: Snapshot::unopened(account, refusal, Sources::NONE, Vec::new()), credentials: None }
    }

    #[tokio::test]
    async fn accounts_in_no_segment_are_named_and_those_that_failed_in_passing_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(&folder.path().display().to_string()).await.unwrap();
        let run_id = RunId::parse("r1").unwrap();
        let mut writer = JournalWriter::new(&lake, &run_id, ("w", Timestamp::now()), RollPolicy::default());
        for (number, kind) in [(1, ErrorKind::Denied), (2, ErrorKind::Transient), (3, ErrorKind::Transient)] {
            writer.push(unopened(number, kind)).await.unwrap();
        }
        writer.flush().await.unwrap();
        let asked = |last: u64| (1..=last).map(AccountId::from_number).collect::<Vec<_>>();
        let sweep_first = GoOn::sweep("lake", &run_id, Share::WHOLE);
        assert_eq!(hold_covered(&lake, &run_id, &asked(3), &sweep_first).await.unwrap(), 2);
        let told = hold_covered(&lake, &run_id, &asked(4), &sweep_first).await.unwrap_err().message();
        assert_eq!(told, "1 of the 4 accounts that run r1 asks are in no segment of its journal yet (000000000004)");
        let told = hold_covered(&lake, &run_id, &asked(99), &sweep_first).await.unwrap_err().message();
        assert!(told.ends_with("(000000000004, 000000000005, 000000000006, 000000000007, 000000000008, …)"), "{told}");
        let journal = Journal::open(&lake, &run_id).await.unwrap();
        let journalled = journal.journalled().await.unwrap();
        journal.seal(&journalled).await.unwrap();
        assert_eq!(hold_covered(&lake, &run_id, &asked(4), &sweep_first).await.unwrap(), 0);
    }
}
