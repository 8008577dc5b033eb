//! Who is started when, until the run is committed: what an operator does, or a scheduler.

use futures::future::join_all;
use orgsweep_sweep::Share;

use crate::invariants::Violation;
use crate::process::{Ending, Job, Process};
use crate::scenario::{Crew, Draws};
use crate::world::World;

/// After so many rounds of doomed processes nothing more happens to them, so that a run comes to its end.
const DOOMED_ROUNDS: u32 = 8;

/// A run that is not committed after so many rounds more, while only AWS fails, never will be.
const QUIET_ROUNDS: u32 = 8;

/// How often a share that somebody sweeps is swept by another worker as well: one in so many.
const DOUBLED_SHARES: u32 = 4;

/// One run, round by round.
pub(crate) struct Campaign<'a> {
    world: &'a World,
    draws: &'a mut Draws,
    /// The shares that some worker has said it covered.
    covered: Vec<Share>,
    pub(crate) processes: u64,
    pub(crate) killed: u64,
}

impl<'a> Campaign<'a> {
    pub(crate) fn new(world: &'a World, draws: &'a mut Draws) -> Self {
        Self { world, draws, covered: Vec::new(), processes: 0, killed: 0 }
    }

    /// Starts processes until one of them has committed the run.
    pub(crate) async fn live_until_committed(&mut self) -> Result<(), Violation> {
        for round in 0..DOOMED_ROUNDS + QUIET_ROUNDS {
            let endings = join_all(self.processes(round).await.into_iter().map(Process::live)).await;
            let mut is_committed = false;
            for ending in endings {
                self.processes += 1;
                match ending {
                    Ending::Broke(told) => return Err(Violation::new("Bounded", told)),
                    Ending::Committed => is_committed = true,
                    Ending::Killed => self.killed += 1,
                    Ending::Done(Job::Sweep(share)) => self.covered.push(share),
                    Ending::Done(_) | Ending::GaveUp(_) => {}
                }
            }
            if is_committed {
                return Ok(());
            }
            tokio::time::sleep(self.draws.pause()).await;
        }
        Err(Violation::new("Exactly once", "the run is never committed"))
    }

    async fn processes(&mut self, round: u32) -> Vec<Process<'a>> {
        let jobs = self.jobs(round < DOOMED_ROUNDS).await;
        let mut processes = Vec::with_capacity(jobs.len());
        for (place, job) in jobs.into_iter().enumerate() {
            let name = format!("round-{round:02}-{place}");
            processes.push(if round < DOOMED_ROUNDS {
                Process::new(self.world, job, name, self.draws)
            } else {
                Process::undisturbed(self.world, job, name, self.draws)
            });
        }
        processes
    }

    /// What is to be done next, each by a process of its own, all at once.
    async fn jobs(&mut self, is_doomed: bool) -> Vec<Job> {
        let crew = self.draws.crew;
        match crew {
            Crew::Rivals if is_doomed => vec![Job::Scan; 2],
            Crew::One | Crew::Rivals => vec![Job::Scan],
            Crew::Shares(of) if self.world.is_planned().await => self.jobs_of_shares(of),
            // A scan that does not get to its end is gone on with in shares.
            Crew::Shares(_) if self.draws.one_in(2) => vec![Job::Scan],
            Crew::Shares(_) => vec![Job::Plan; 1 + usize::from(self.draws.one_in(4))],
        }
    }

    /// Shares that nobody has covered are swept; when all are covered, the run is committed, by one or by two at once.
    fn jobs_of_shares(&mut self, of: u32) -> Vec<Job> {
        let shares: Vec<Share> = (1..=of).filter_map(|number| Share::new(number, of).ok()).collect();
        let open = shares.iter().filter(|share| !self.covered.contains(share));
        let mut jobs: Vec<Job> = open.copied().map(Job::Sweep).collect();
        if jobs.is_empty() {
            return vec![Job::Commit; 1 + usize::from(self.draws.one_in(2))];
        }
        if self.draws.one_in(DOUBLED_SHARES) {
            let place = self.draws.one_of(shares.len());
            jobs.extend(shares.get(place).copied().map(Job::Sweep));
        }
        jobs
    }
}
