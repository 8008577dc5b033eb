//! What must hold of a committed run, whatever happened on the way. The invariants are those of `ARCHITECTURE.md`.
//!
//! Each account is held against the model (`truth.rs`): what was read, and could be, is as the model has it, and all else
//! is `unknown`. Where nothing lasting is wrong with an account its rows are besides, cell by cell, those of a run
//! that nothing happened to; and where that holds of all accounts, the files are the same to the byte.

use std::collections::BTreeSet;
use std::fmt;

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use orgsweep_core::AccountId;
use orgsweep_sim::Simulation;

use crate::committed::{Committed, all_objects, text};
use crate::truth::Truth;
use crate::world::World;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// Where it does not hold.
    pub told: String,
}

impl Violation {
    pub(crate) fn new(invariant: &'static str, told: impl Into<String>) -> Self {
        Self { invariant, told: told.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not hold: {}", self.invariant, self.told)
    }
}

/// What a run that holds came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Accounts that read as they would have undisturbed.
    pub(crate) whole: u64,
    /// Accounts that something lasting was wrong with, which say so.
    pub(crate) told: u64,
}

/// Holds a disturbed run against the model, and against an undisturbed run.
pub(crate) fn hold(disturbed: &Committed, undisturbed: &Committed, truth: Truth<'_>) -> Result<Extent, Violation> {
    exactly_once(disturbed, truth.simulation)?;
    exactly_its_files(disturbed)?;
    let mut extent = Extent::default();
    for index in 0..truth.simulation.model().accounts() {
        truth.hold(disturbed, index)?;
        let account = truth.simulation.model().account_id(index);
        match (Pair { disturbed, undisturbed, account }).differs() {
            None => extent.whole += 1,
            Some(_) if !truth.simulation.lasting(index).is_none() => extent.told += 1,
            Some(difference) => {
                let told = format!("nothing lasting was wrong with account {account}, and {difference}");
                return Err(Violation::new("Deterministic", told));
            }
        }
    }
    if extent.told == 0 && disturbed.files != undisturbed.files {
        return Err(Violation::new("Deterministic", "every row is the same, and the files are not"));
    }
    Ok(extent)
}

/// A run that is committed is never touched again: not by one that takes over from it either.
pub(crate) async fn stays_as_it_was(earlier: &World, now: &World) -> Result<(), Violation> {
    let now: BTreeSet<_> = all_objects(&now.objects).await.into_iter().collect();
    match all_objects(&earlier.objects).await.into_iter().find(|object| !now.contains(object)) {
        None => Ok(()),
        Some((path, _)) => Err(Violation::new(
            "Exactly once",
            format!("{path} of the run before is not what it was when that was committed"),
        )),
    }
}

/// Each account of the organization has one row, and one verdict for each check.
fn exactly_once(run: &Committed, simulation: &Simulation) -> Result<(), Violation> {
    let model = simulation.model();
    let expected: BTreeSet<AccountId> = (0..model.accounts()).map(|index| model.account_id(index)).collect();
    let found: BTreeSet<AccountId> = run.accounts().collect();
    if expected != found {
        let (missing, strange) = (expected.difference(&found).count(), found.difference(&expected).count());
        return Err(Violation::new(
            "Exactly once",
            format!("{missing} accounts are missing and {strange} are strange"),
        ));
    }
    let checks = run.commit.checks.len();
    for account in found {
        let rows = run.rows("accounts", account).len();
        let verdicts = run.rows("check_results", account);
        let checked: BTreeSet<_> = verdicts.iter().filter_map(|row| text(row, "check_id")).collect();
        if rows != 1 || verdicts.len() != checks || checked.len() != checks {
            let told =
                format!("account {account} has {rows} rows, and {} verdicts for {checks} checks", verdicts.len());
            return Err(Violation::new("Exactly once", told));
        }
        let users: BTreeSet<_> = run.rows("credentials", account).iter().filter_map(|row| text(row, "user")).collect();
        if users.len() != run.rows("credentials", account).len() {
            return Err(Violation::new("Exactly once", format!("a user of account {account} has two rows")));
        }
    }
    Ok(())
}

/// Readers that know nothing of `commit.json` read every file of a table's folder: there are none but the run's.
fn exactly_its_files(run: &Committed) -> Result<(), Violation> {
    let listed: BTreeSet<&str> =
        run.commit.tables.iter().flat_map(|table| &table.files).map(|file| file.path.as_str()).collect();
    let there: BTreeSet<&str> = run.files.iter().map(|(name, _)| name.as_str()).collect();
    if listed == there {
        return Ok(());
    }
    Err(Violation::new("Exactly once", format!("commit.json lists {listed:?}, and there are {there:?}")))
}

/// One account in both runs.
struct Pair<'a> {
    disturbed: &'a Committed,
    undisturbed: &'a Committed,
    account: AccountId,
}

impl Pair<'_> {
    /// The first cell in which the runs differ, if there is one.
    fn differs(&self) -> Option<String> {
        self.disturbed.tables.keys().find_map(|table| {
            let (ours, theirs) = self.rows(table);
            if ours.len() != theirs.len() {
                return Some(format!("{table} has {} rows of it instead of {}", ours.len(), theirs.len()));
            }
            ours.iter().zip(theirs).find_map(|(ours, theirs)| {
                let column = first_difference(ours, theirs)?;
                Some(format!("{table}.{column} differs: {}", shown(ours, theirs, &column)))
            })
        })
    }

    fn rows(&self, table: &str) -> (&[RecordBatch], &[RecordBatch]) {
        (self.disturbed.rows(table, self.account), self.undisturbed.rows(table, self.account))
    }
}

/// The first column in which two rows differ.
fn first_difference(ours: &RecordBatch, theirs: &RecordBatch) -> Option<String> {
    let schema = ours.schema();
    let mut columns = schema.fields().iter().zip(ours.columns()).zip(theirs.columns());
    columns.find(|((_, ours), theirs)| ours != theirs).map(|((field, _), _)| field.name().clone())
}

fn shown(ours: &RecordBatch, theirs: &RecordBatch, column: &str) -> String {
    let value = |row: &RecordBatch| {
        let array = row.column_by_name(column)?;
        if array.is_null(0) { Some("null".to_owned()) } else { array_value_to_string(array, 0).ok() }
    };
    format!("{} instead of {}", value(ours).unwrap_or_default(), value(theirs).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringArray};
    use bytes::Bytes;
    use orgsweep_core::Sources;
    use orgsweep_sim::Profile;

    use super::*;
    use crate::{Scenario, Simulator};

    /// What is said of an undisturbed run that was tampered with like this.
    async fn check(tamper: impl FnOnce(&mut Committed, AccountId), expected: Option<(&str, &str)>) {
        let scenario = Scenario { accounts: 19, users_per_account: 3, profile: Profile::instant() };
        let simulator = Simulator::new(scenario).unwrap();
        let (undisturbed, simulation) = simulator.undisturbed(7).await;
        let (mut disturbed, _) = simulator.undisturbed(7).await;
        tamper(&mut disturbed, simulation.model().account_id(3));
        let truth = Truth { simulation: &simulation, optional: Sources::NONE, carried: None };
        match (hold(&disturbed, &undisturbed, truth), expected) {
            (Ok(extent), None) => assert_eq!(extent, Extent { whole: 20, told: 0 }),
            (Err(violation), Some((invariant, told))) => {
                assert_eq!(violation.invariant, invariant, "{violation}");
                assert!(violation.told.contains(told), "{violation}");
            }
            (held, expected) => panic!("{held:?} instead of {expected:?}"),
        }
    }

    fn rows<'a>(run: &'a mut Committed, table: &str, account: AccountId) -> &'a mut Vec<RecordBatch> {
        run.tables.get_mut(table).unwrap().get_mut(&account).unwrap()
    }

    /// Gives a column of one row another text.
    fn say(row: &mut RecordBatch, column: &str, word: &str) {
        let place = row.schema().index_of(column).unwrap();
        let mut columns = row.columns().to_vec();
        columns[place] = Arc::new(StringArray::from(vec![word])) as ArrayRef;
        *row = RecordBatch::try_new(row.schema(), columns).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_nothing_happened_to_holds() {
        check(|_, _| {}, None).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_is_missing_or_doubled_is_noticed() {
        let lose = |run: &mut Committed, account| drop(run.tables.get_mut("accounts").unwrap().remove(&account));
        check(lose, Some(("Exactly once", "1 accounts are missing"))).await;
        let double = |run: &mut Committed, account| {
            let rows = rows(run, "accounts", account);
            rows.push(rows[0].clone());
        };
        check(double, Some(("Exactly once", "has 2 rows"))).await;
        let lose = |run: &mut Committed, account| drop(rows(run, "check_results", account).pop());
        check(lose, Some(("Exactly once", "verdicts"))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_fact_or_a_verdict_that_is_another_one_is_noticed() {
        let rename = |run: &mut Committed, account| say(&mut rows(run, "accounts", account)[0], "account_alias", "x");
        check(rename, Some(("Truth", "accounts.account_alias"))).await;
        let lose = |run: &mut Committed, account| drop(rows(run, "credentials", account).pop());
        check(lose, Some(("Truth", "credentials has"))).await;
        let judge = |run: &mut Committed, account| say(&mut rows(run, "check_results", account)[0], "status", "x");
        check(judge, Some(("Truth", "is x instead of"))).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_of_both_runs_alike_and_is_not_the_models_is_noticed() {
        let scenario = Scenario { accounts: 19, users_per_account: 3, profile: Profile::instant() };
        let simulator = Simulator::new(scenario).unwrap();
        let (mut run, simulation) = simulator.undisturbed(7).await;
        let truth = Truth { simulation: &simulation, optional: Sources::NONE, carried: None };
        let account = simulation.model().account_id(3);
        let is_unknown = |row: &&mut RecordBatch| text(row, "status").as_deref() == Some("unknown");
        for rows in run.tables.get_mut("check_results").unwrap().values_mut() {
            rows.iter_mut().filter(is_unknown).for_each(|row| say(row, "reason", ""));
        }
        let told = (0..20).find_map(|index| truth.hold(&run, index).err()).unwrap().told;
        assert!(told.ends_with("unknown without a reason"), "{told}");
        say(&mut rows(&mut run, "credentials", account)[1], "arn", "arn:aws:iam::000000000001:user/other");
        let told = truth.hold(&run, 3).unwrap_err().told;
        assert!(told.contains("credentials.arn is"), "{told}");
        say(&mut rows(&mut run, "accounts", account)[0], "report_carried_from", "r1");
        let told = truth.hold(&run, 3).unwrap_err().told;
        assert!(told.contains("carried over, and none was to be"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_another_one_or_nobodys_is_noticed() {
        check(|run, _| run.files[0].1 = Bytes::new(), Some(("Deterministic", "the files are not"))).await;
        let stray = |run: &mut Committed, _| run.files.push(("accounts/stray.parquet".to_owned(), Bytes::new()));
        check(stray, Some(("Exactly once", "stray"))).await;
    }
}
