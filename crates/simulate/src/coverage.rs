//! How much of what can be read a sweep has read: account by account and source by source, by the model.

use std::sync::Arc;

use arrow_array::RecordBatch;
use orgsweep_build::{BuildOptions, Compute, build_run};
use orgsweep_checks::{Basis, Checker, RulePack, RuleSet};
use orgsweep_core::table::{self, Table};
use orgsweep_core::{AccountId, Plan, Run, Source, Sources};
use orgsweep_lake::{Commit, Lake, LakeError, TableRows};
use orgsweep_sim::Simulation;

use crate::committed::{AccountRows, account_of};
use crate::error::SimulateError;
use crate::truth::Truth;

/// A run that is swept, of an organization whose facts stand still at the run's `as_of`.
#[derive(Debug, Clone, Copy)]
pub struct Swept<'a> {
    /// Where its journal lies.
    pub lake: &'a Lake,
    /// The run, which carries no reports over.
    pub run: &'a Run,
    /// What was to be asked.
    pub plan: &'a Plan,
    /// What was asked.
    pub simulation: &'a Simulation,
}

/// How much was read. A fact is what one source has to say of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Facts that nothing but passing faults keeps anybody from.
    pub readable: u64,
    /// Of these, those that were read, and stand in the tables as the model has them.
    pub read: u64,
    /// Facts beside these that may be read or not, as the moment has it: of accounts that are closed meanwhile, or whose
    /// roles appear, or whose report is always in the making.
    pub passing: u64,
    /// Of these, those that were read.
    pub passing_read: u64,
    /// For each account that does not stand in the tables as it must: what differs.
    pub differing: Vec<String>,
}

impl Coverage {
    /// Whether all was read that can be, and nothing otherwise than it is.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.read == self.readable && self.differing.is_empty()
    }
}

impl Swept<'_> {
    /// Builds the run's tables, commits them, and holds every account in them against the model.
    ///
    /// # Errors
    /// The tables cannot be built or read. What differs from the model is no error here.
    pub async fn measure(&self) -> Result<Coverage, SimulateError> {
        let Self { lake, run, plan, simulation } = self;
        let rules: RuleSet = RulePack::embedded()?.into();
        let checker = Arc::new(Checker::compile(&rules, Basis { as_of: run.as_of, unasked: run.unasked })?);
        let options = BuildOptions { compute: Compute::Inline, ..BuildOptions::default() };
        let commit = build_run(lake, run, plan, &checker, &options).await?;
        let optional: Sources = Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect();
        let truth = Truth { simulation, optional: optional.without(run.unasked), carried: None };
        let rows = |table| Rows::of(lake, &commit, table);
        let mut tables = [rows(table::accounts()), rows(table::credentials()), rows(table::check_results())];
        let model = simulation.model();
        let mut accounts: Vec<(AccountId, u32)> =
            (0..model.accounts()).map(|index| (model.account_id(index), index)).collect();
        accounts.sort_unstable();
        let mut coverage = Coverage::default();
        for (account, index) in accounts {
            let [accounts, credentials, check_results] = &mut tables;
            let (accounts, credentials) = (accounts.take(account).await?, credentials.take(account).await?);
            let check_results = check_results.take(account).await?;
            let rows = AccountRows { accounts: &accounts, credentials: &credentials, check_results: &check_results };
            coverage.count(truth, rows, index);
        }
        Ok(coverage)
    }
}

impl Coverage {
    fn count(&mut self, truth: Truth<'_>, rows: AccountRows<'_>, index: u32) {
        let (readable, passing) = truth.readable(index);
        let unread = Truth::unread(rows);
        let read = readable.without(unread);
        self.readable += many(readable);
        self.passing += many(passing);
        self.passing_read += many(passing.without(unread));
        match truth.hold_rows(rows, index) {
            Ok(()) => self.read += many(read),
            Err(violation) => {
                // Where nothing is missing some fact is another one, and nobody can say which to trust.
                self.read += if read == readable { 0 } else { many(read) };
                self.differing.push(violation.told);
            }
        }
    }
}

fn many(sources: Sources) -> u64 {
    sources.iter().map(|_| 1).sum()
}

/// A table's rows, account by account in the order in which they stand.
struct Rows {
    table: TableRows,
    batch: Option<RecordBatch>,
    next: usize,
}

impl Rows {
    fn of(lake: &Lake, commit: &Commit, table: &'static Table) -> Self {
        Self { table: lake.rows(commit, table), batch: None, next: 0 }
    }

    /// The rows of this account, each a batch of its own. Those of accounts before it are passed over.
    async fn take(&mut self, account: AccountId) -> Result<Vec<RecordBatch>, LakeError> {
        let mut taken = Vec::new();
        loop {
            let Some(batch) = self.batch.as_ref().filter(|batch| self.next < batch.num_rows()) else {
                self.next = 0;
                self.batch = self.table.next().await?;
                if self.batch.is_none() {
                    return Ok(taken);
                }
                continue;
            };
            match account_of(batch, self.next) {
                Some(of) if of > account => return Ok(taken),
                Some(of) if of == account => taken.push(batch.slice(self.next, 1)),
                _ => {}
            }
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_sim::Profile;

    use super::*;
    use crate::{Scenario, Simulator};

    /// What a sweep of a hostile organization covers that tries a call so often.
    async fn check(attempts: u32, is_whole: bool) -> Coverage {
        let scenario = Scenario { accounts: 59, users_per_account: 3, profile: Profile::hostile() };
        let world = Simulator::new(scenario).unwrap().swept(7, attempts).await;
        let (lake, run) = (world.lake(), &world.run);
        let plan = lake.read_plan(&run.run_id).await.unwrap().unwrap();
        let swept = Swept { lake: &lake, run, plan: &plan, simulation: &world.simulation };
        let coverage = swept.measure().await.unwrap();
        assert_eq!(coverage.is_whole(), is_whole, "{coverage:?}");
        assert!(coverage.readable > 400 && coverage.passing > 0, "{coverage:?}");
        coverage
    }

    #[tokio::test(start_paused = true)]
    async fn patience_reads_all_that_can_be_read() {
        check(20, true).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_have_been_read_and_was_not_is_named() {
        let coverage = check(1, false).await;
        assert!(coverage.read < coverage.readable, "{coverage:?}");
        assert!(coverage.differing.iter().any(|told| told.ends_with("and could have been")), "{coverage:?}");
    }
}
