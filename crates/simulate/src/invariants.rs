//! What must hold of a committed run, whatever happened on the way. The invariants are those of `ARCHITECTURE.md`.
//!
//! The measure is a run of the same organization that nothing happened to. An account that nothing lasting happened to
//! must read as it does there, cell by cell; any other account must read so as well, or say `unknown` and why.

use std::collections::BTreeSet;
use std::fmt;

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use orgsweep_core::AccountId;
use orgsweep_sim::Simulation;

use crate::committed::{Committed, text};

/// Columns of `accounts` that say how much was read; they differ where something was not.
const OF_COVERAGE: [&str; 2] = ["outcome", "unanswered"];

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

/// Holds a disturbed run against an undisturbed one.
pub(crate) fn hold(
    disturbed: &Committed,
    undisturbed: &Committed,
    simulation: &Simulation,
) -> Result<Extent, Violation> {
    exactly_once(disturbed, simulation)?;
    exactly_its_files(disturbed)?;
    let mut extent = Extent::default();
    for index in 0..simulation.model().accounts() {
        let account = simulation.model().account_id(index);
        let pair = Pair { disturbed, undisturbed, account };
        match pair.differs() {
            None => extent.whole += 1,
            Some(difference) if simulation.lasting(index).is_none() => {
                let told =
                    format!("nothing lasting was wrong with account {account}, and {difference}{}", pair.unanswered());
                return Err(Violation::new("Truth", told));
            }
            Some(_) => {
                pair.is_unknown_where_it_differs()?;
                extent.told += 1;
            }
        }
    }
    if extent.told == 0 && disturbed.files != undisturbed.files {
        return Err(Violation::new("Deterministic", "every row is the same, and the files are not"));
    }
    Ok(extent)
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
                let column = first_difference(ours, theirs, |_, _| false)?;
                Some(format!("{table}.{column} differs: {}", shown(ours, theirs, &column)))
            })
        })
    }

    /// Whether each cell that differs is empty, and each verdict that does is `unknown`, with a reason.
    fn is_unknown_where_it_differs(&self) -> Result<(), Violation> {
        let wrong = |told: String| Err(Violation::new("Truth", format!("account {}: {told}", self.account)));
        let (accounts, theirs) = self.rows("accounts");
        let contradicted = |row: &RecordBatch, column: &str| {
            // Of sources that contradict each other the one that is left may be believed.
            text(row, &format!("{column}_reason")).as_deref() == Some("contradicted")
        };
        for (ours, theirs) in accounts.iter().zip(theirs) {
            let may_differ = |column: &str, value: &dyn Array| {
                let may = OF_COVERAGE.contains(&column) || says_how_it_is_known(column);
                value.is_null(0) || may || contradicted(theirs, column)
            };
            if let Some(column) = first_difference(ours, theirs, may_differ) {
                return wrong(format!(
                    "accounts.{column} is neither the truth nor empty: {}",
                    shown(ours, theirs, &column)
                ));
            }
        }
        let (credentials, theirs) = self.rows("credentials");
        if !credentials.is_empty() && credentials.len() != theirs.len() {
            return wrong(format!("credentials has {} rows of it instead of {}", credentials.len(), theirs.len()));
        }
        for (ours, theirs) in credentials.iter().zip(theirs) {
            let may_differ = |column: &str, ours: &dyn Array| ours.is_null(0) || says_how_it_is_known(column);
            if let Some(column) = first_difference(ours, theirs, may_differ) {
                return wrong(format!("credentials.{column} is not the truth: {}", shown(ours, theirs, &column)));
            }
        }
        let (verdicts, theirs) = self.rows("check_results");
        for (ours, theirs) in verdicts.iter().zip(theirs) {
            let status = text(ours, "status");
            let is_told = status.as_deref() == Some("unknown") && text(ours, "reason").is_some();
            let should = text(theirs, "status");
            if !is_told && status != should && should.as_deref() != Some("unknown") {
                let check = text(ours, "check_id");
                return wrong(format!("{check:?} is {status:?} instead of {should:?} or unknown with a reason"));
            }
        }
        Ok(())
    }

    /// What the account says was not answered.
    fn unanswered(&self) -> String {
        let (ours, theirs) = self.rows("accounts");
        match (ours.first(), theirs.first()) {
            (Some(ours), Some(theirs)) => format!("; unanswered: {}", shown(ours, theirs, "unanswered")),
            _ => String::new(),
        }
    }

    fn rows(&self, table: &str) -> (&[RecordBatch], &[RecordBatch]) {
        (self.disturbed.rows(table, self.account), self.undisturbed.rows(table, self.account))
    }
}

/// The first column in which two rows differ and may not.
fn first_difference(
    ours: &RecordBatch,
    theirs: &RecordBatch,
    may_differ: impl Fn(&str, &dyn Array) -> bool,
) -> Option<String> {
    let schema = ours.schema();
    let columns = schema.fields().iter().zip(ours.columns()).zip(theirs.columns());
    columns
        .filter(|((_, ours), theirs)| ours != theirs)
        .find(|((field, ours), _)| !may_differ(field.name(), ours))
        .map(|((field, _), _)| field.name().clone())
}

/// Whether a column says by whom a fact is known, or why it is not.
fn says_how_it_is_known(column: &str) -> bool {
    column.ends_with("_source") || column.ends_with("_reason")
}

fn shown(ours: &RecordBatch, theirs: &RecordBatch, column: &str) -> String {
    let value = |row: &RecordBatch| {
        let array = row.column_by_name(column)?;
        if array.is_null(0) { Some("null".to_owned()) } else { array_value_to_string(array, 0).ok() }
    };
    format!("{} instead of {}", value(ours).unwrap_or_default(), value(theirs).unwrap_or_default())
}
