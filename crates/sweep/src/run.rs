//! The sweep itself, as a pipeline: list, visit, journal.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orgsweep_cloud::Cloud;
use orgsweep_core::{Account, AccountId, Decision, Plan, ReportFacts, Run, Timestamp};
use orgsweep_lake::{Journal, JournalWriter, Lake, RollPolicy};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;
use tracing::warn;

use crate::counted_writer::CountedWriter;
use crate::discover::{Discovered, Listing, Selection};
use crate::error::SweepError;
use crate::gate::Gate;
use crate::pace::Pace;
use crate::progress::Progress;
use crate::proof::{root_sessions_are_granted, way_in_still_works};
use crate::rival::Lookout;
use crate::settings::SweepSettings;
use crate::share::Share;
use crate::stop::Stop;
use crate::sweeper::Sweeper;
use crate::visit::{Visited, visit};

/// Accounts listed ahead of being opened: two pages, so that listing is never what visiting waits for.
const LISTED_AHEAD: usize = 40;

/// Snapshots on their way to the journal: enough to ride out one write, few enough to weigh nothing.
const VISITED_AHEAD: usize = 64;

/// A sweep, ready to run. Everything it needs is here; nothing is read from elsewhere later.
pub struct Sweep {
    /// What is asked.
    pub cloud: Arc<dyn Cloud>,
    /// Who asks, as [`identify`](crate::identify) found it.
    pub discovered: Discovered,
    /// Where the journal lies.
    pub lake: Lake,
    /// The run that is swept, or resumed.
    pub run: Run,
    /// The plan that an earlier attempt wrote.
    pub plan: Option<Plan>,
    /// What of the plan is swept; anything but the whole needs a plan.
    pub share: Share,
    /// Accounts of an earlier run, which are visited while the list is still read: it confirms them, or it does not, and
    /// then what was read of them is left out. None where there is a plan.
    pub warm: Vec<Account>,
    /// Reports of an earlier run that are not fetched again: the build takes their rows from there.
    pub carried: Arc<HashMap<AccountId, ReportFacts>>,
    /// Which accounts are asked; a plan that is there outranks it.
    pub selection: Selection,
    /// How it is asked.
    pub settings: SweepSettings,
    /// When journal segments are closed.
    pub roll: RollPolicy,
    /// The name that this process writes segments under, after that of its share. No other process has it.
    pub worker: String,
    /// When this process began, which its segments are named for as well.
    pub began_at: Timestamp,
    /// Where progress is counted.
    pub progress: Arc<Progress>,
    /// How it is stopped.
    pub stop: Stop,
}

/// A sweep that has covered its share of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The plan. Each account that the share asks is in the journal.
    pub plan: Plan,
}

/// How the stages of a sweep tell each other that it ends.
#[derive(Default)]
struct End {
    /// The list failed: nothing more is visited.
    halt: Stop,
    /// Every listed account was visited.
    covered: AtomicBool,
}

impl Sweep {
    /// Covers the share: afterwards each account that it asks is in the journal, read or refused.
    ///
    /// # Errors
    /// When it ends early; what was read is in the journal all the same, and the run can be resumed.
    pub async fn run(mut self) -> Result<Swept, SweepError> {
        let earlier = Journal::open(&self.lake, &self.run.run_id).await?;
        if earlier.is_sealed()
            && let Some(plan) = self.plan.take()
        {
            // A build has already begun on the journal: what is asked now would come too late for it.
            return Ok(Swept { plan });
        }
        let quota_share = self.settings.patience.quota_share().map(|share| share * self.share.of_quotas());
        let pace = Arc::new(Pace::new(quota_share));
        let journalled = earlier.journalled().await?;
        for (segment, reason) in &journalled.damaged {
            warn!(segment, reason, "a segment of the journal cannot be read; the accounts in it are asked again");
        }
        let sweeper = Arc::new(Sweeper::new(&self, journalled, &pace));
        let plan = self.plan.take();
        let (prefix, worker) = (self.share.prefix(), self.worker());
        let lookout = Lookout {
            lake: &self.lake,
            run_id: &self.run.run_id,
            prefix: &prefix,
            own: &worker,
            earlier: earlier.segments().map(str::to_owned).collect(),
            every: self.roll.max_age,
        };
        let (to_visit, listed) = mpsc::channel(LISTED_AHEAD);
        let (to_journal, visited) = mpsc::channel(VISITED_AHEAD);
        let end = End::default();
        // A stage that fails closes its channels, and so ends the stages after it; the journal keeps what it has.
        let stages = Box::pin(async {
            tokio::join!(
                self.list(plan, &pace, to_visit, &end),
                self.visit(Arc::clone(&sweeper), listed, to_journal, &end),
                self.journal(&sweeper, visited, &end),
            )
        });
        let (plan, visits, journal) = tokio::select! {
            biased;
            ended = stages => ended,
            never = lookout.keep() => match never {},
        };
        first_cause([journal.err(), visits.err()], plan)
    }

    /// The name that segments are written under.
    fn worker(&self) -> String {
        format!("{}{}", self.share.prefix(), self.worker)
    }

    /// Sends the accounts to ask on their way, and writes the plan, unless it is there, when all are known.
    async fn list(
        &self,
        plan: Option<Plan>,
        pace: &Pace,
        to_visit: mpsc::Sender<Account>,
        end: &End,
    ) -> Result<Plan, SweepError> {
        let plan = match plan {
            Some(plan) => self.replay(&plan, to_visit).await.map(|()| plan),
            None => self.list_whole(pace, to_visit).await,
        };
        if plan.is_err() {
            end.halt.stop();
        }
        plan
    }

    async fn list_whole(&self, pace: &Pace, to_visit: mpsc::Sender<Account>) -> Result<Plan, SweepError> {
        if !self.share.is_whole() {
            return Err(SweepError::NoPlan);
        }
        let listing = Listing {
            pace,
            settings: &self.settings,
            cloud: &*self.cloud,
            selection: &self.selection,
            warm: self.warm.iter().map(|account| account.id).collect(),
            progress: &self.progress,
        };
        let both = async { tokio::try_join!(listing.plan(&self.discovered, &to_visit), self.send_warm(&to_visit)) };
        let (plan, ()) = stoppable(&self.stop, both).await?;
        Ok(self.lake.offer_plan(&self.run.run_id, &plan).await?.unwrap_or(plan))
    }

    /// Sends the accounts of an earlier run on their way.
    async fn send_warm(&self, to_visit: &mpsc::Sender<Account>) -> Result<(), SweepError> {
        for account in &self.warm {
            to_visit.send(account.clone()).await.map_err(|_| SweepError::Stopped)?;
        }
        Ok(())
    }

    /// A plan that is there already takes the place of the list.
    async fn replay(&self, plan: &Plan, to_visit: mpsc::Sender<Account>) -> Result<(), SweepError> {
        if self.share.is_whole() {
            let skipped = plan.accounts.iter().filter(|planned| planned.decision != Decision::Ask);
            skipped.for_each(|_| self.progress.account_listed(true));
        }
        self.share.of_plan(plan).for_each(|_| self.progress.account_listed(false));
        self.progress.all_listed();
        for account in self.share.of_plan(plan) {
            to_visit.send(account).await.map_err(|_| SweepError::Stopped)?;
        }
        Ok(())
    }

    /// Visits accounts as they come, so many at a time that settings allow.
    async fn visit(
        &self,
        sweeper: Arc<Sweeper>,
        mut listed: mpsc::Receiver<Account>,
        to_journal: mpsc::Sender<Visited>,
        end: &End,
    ) -> Result<(), SweepError> {
        let mut visits = JoinSet::new();
        let mut more = true;
        while more || !visits.is_empty() {
            let room = more && visits.len() < self.settings.accounts_in_flight;
            tokio::select! {
                biased;
                () = self.stop.stopped() => return Err(SweepError::Stopped),
                () = end.halt.stopped() => return Err(SweepError::Stopped),
                Some(ended) = visits.join_next(), if !visits.is_empty() => ended_well(ended)?,
                account = listed.recv(), if room => match account {
                    Some(account) if sweeper.settled.contains(&account.id) => self.progress.account_read_earlier(),
                    Some(account) => {
                        visits.spawn(visit_one(Arc::clone(&sweeper), account, to_journal.clone()));
                    }
                    None => more = false,
                },
            }
        }
        end.covered.store(true, Ordering::Release);
        Ok(())
    }

    /// Writes what was visited, and closes segments in time.
    async fn journal(
        &self,
        sweeper: &Sweeper,
        mut visited: mpsc::Receiver<Visited>,
        end: &End,
    ) -> Result<(), SweepError> {
        let worker = self.worker();
        let writer = JournalWriter::new(&self.lake, &self.run.run_id, (&worker, self.began_at), self.roll.clone());
        let mut writer = CountedWriter::new(writer, &self.progress);
        let gated = self.journal_all(sweeper, &mut visited, &mut writer).await;
        // What was read is kept, however the sweep ends.
        let flushed = writer.flush().await;
        let gate = gated?;
        flushed?;
        if !end.covered.load(Ordering::Acquire) {
            return Err(SweepError::Stopped);
        }
        self.settle(gate, sweeper, &mut writer).await
    }

    /// Writes accounts as they come, until no more come; the gate holds back what is in doubt then.
    async fn journal_all(
        &self,
        sweeper: &Sweeper,
        visited: &mut mpsc::Receiver<Visited>,
        writer: &mut CountedWriter<'_>,
    ) -> Result<Gate, SweepError> {
        let mut gate = Gate::new(sweeper.root_granted);
        let mut tick = tokio::time::interval(self.roll.max_age);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut idle = false;
            tokio::select! {
                biased;
                visited = visited.recv() => match visited {
                    Some(visited) => writer.push(gate.pass(visited, &sweeper.caller.arn)?).await?,
                    None => return Ok(gate),
                },
                _ = tick.tick() => {
                    writer.roll_if_due().await?;
                    idle = gate.is_kept_waiting();
                }
            }
            if gate.is_full() || idle {
                gate = self.prove(gate, sweeper, writer).await?;
            }
        }
    }

    /// Settles what the gate is in doubt about when every account was visited.
    async fn settle(
        &self,
        mut gate: Gate,
        sweeper: &Sweeper,
        writer: &mut CountedWriter<'_>,
    ) -> Result<(), SweepError> {
        if gate.is_in_doubt() {
            gate = self.prove(gate, sweeper, writer).await?;
        }
        if gate.is_root_in_doubt() && stoppable(&self.stop, root_sessions_are_granted(sweeper)).await? {
            writer.push(gate.root_proven()).await?;
            writer.flush().await?;
        }
        gate.end(&sweeper.caller.arn)
    }

    /// Writes what the gate held back, once it is shown that the caller is not the cause of its failure.
    async fn prove(
        &self,
        mut gate: Gate,
        sweeper: &Sweeper,
        writer: &mut CountedWriter<'_>,
    ) -> Result<Gate, SweepError> {
        if !stoppable(&self.stop, way_in_still_works(&gate, sweeper)).await? {
            return Err(gate.disproven(&sweeper.settings.role.name, &sweeper.caller.arn));
        }
        writer.push(gate.proven()).await?;
        writer.flush().await?;
        Ok(gate)
    }
}

async fn visit_one(
    sweeper: Arc<Sweeper>,
    account: Account,
    to_journal: mpsc::Sender<Visited>,
) -> Result<(), SweepError> {
    sweeper.progress.account_opened();
    let visited = visit(&sweeper, account).await?;
    sweeper.progress.account_ended(visited.entry.snapshot.outcome());
    to_journal.send(visited).await.map_err(|_| SweepError::Stopped)
}

fn ended_well(ended: Result<Result<(), SweepError>, JoinError>) -> Result<(), SweepError> {
    ended.unwrap_or_else(|died| Err(SweepError::Defect { message: died.to_string() }))
}

/// The error that made the sweep end, and not one that followed from it.
fn first_cause(errors: [Option<SweepError>; 2], plan: Result<Plan, SweepError>) -> Result<Swept, SweepError> {
    let mut stopped = false;
    for error in errors.into_iter().flatten() {
        match error {
            SweepError::Stopped => stopped = true,
            cause => return Err(cause),
        }
    }
    match plan {
        Ok(_) if stopped => Err(SweepError::Stopped),
        plan => plan.map(|plan| Swept { plan }),
    }
}

/// Does the work unless the sweep is stopped first.
async fn stoppable<T>(stop: &Stop, work: impl Future<Output = Result<T, SweepError>>) -> Result<T, SweepError> {
    tokio::select! {
        biased;
        () = stop.stopped() => Err(SweepError::Stopped),
        result = work => result,
    }
}
