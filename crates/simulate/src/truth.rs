//! What a run must have come to by the model itself: every cell of `accounts` and `credentials`, and every verdict.
//!
//! Nothing of it comes from a run: the facts are the model's, what can be read of them says the model as well, and the
//! verdicts are reckoned here once more, from the facts and not from the tables. A run is only asked what it says it
//! did not read, and that is held against what it may have missed.

mod account_row;
mod cell;
mod credential_rows;
mod known;
mod readable;
mod root_answers;
mod verdicts;

use arrow_array::RecordBatch;
use orgsweep_core::{RunId, Source, Sources};
use orgsweep_sim::Simulation;

use crate::committed::{AccountRows, Committed, text};
use crate::invariants::Violation;
use cell::Row;
use known::{Known, gaps};
use readable::Missed;

/// The organization that a run is of, and what the run asked of it.
#[derive(Clone, Copy)]
pub(crate) struct Truth<'a> {
    pub(crate) simulation: &'a Simulation,
    /// The optional sources that it asks.
    pub(crate) optional: Sources,
    /// The run whose reports it may carry over, and the organization as it was then.
    pub(crate) carried: Option<(&'a RunId, &'a Simulation)>,
}

impl Truth<'_> {
    /// Holds what a run says of an account against the model.
    pub(crate) fn hold(self, run: &Committed, index: u32) -> Result<(), Violation> {
        self.hold_rows(run.account(self.simulation.model().account_id(index)), index)
    }

    /// Holds these rows of an account against the model.
    pub(crate) fn hold_rows(self, rows: AccountRows<'_>, index: u32) -> Result<(), Violation> {
        self.hold_account(rows, index).map_err(|told| {
            let (account, lasting) = (self.simulation.model().account_id(index), self.simulation.lasting(index));
            let lasting = if lasting.is_none() { "nothing lasting".to_owned() } else { format!("{lasting:?}") };
            Violation::new("Truth", format!("account {account}, with {lasting} wrong with it: {told}"))
        })
    }

    /// The sources of an account that whoever asks for them can read, whenever that is; and those that the run may have
    /// read or not, since something of the account comes or goes while the simulation runs.
    pub(crate) fn readable(self, index: u32) -> (Sources, Sources) {
        if self.simulation.model().standing(index).state.is_usable() {
            Missed::of(self, index, false).readable()
        } else {
            (Sources::NONE, Sources::NONE)
        }
    }

    /// The sources that a run says it did not read of an account; all, where it does not say.
    pub(crate) fn unread(rows: AccountRows<'_>) -> Sources {
        let unread = rows.accounts.first().and_then(|row| gaps(row).ok());
        match unread {
            // Behind the role lies everything.
            Some(unread) if !unread.contains(Source::Role) => unread,
            _ => Source::ALL.into_iter().collect(),
        }
    }

    fn hold_account(self, rows: AccountRows<'_>, index: u32) -> Result<(), String> {
        let [row] = rows.accounts else { return Err(format!("it has {} rows", rows.accounts.len())) };
        let known = Known::of(self, index, row)?;
        differs("accounts", row, &account_row::expected(&known))?;
        let credentials = rows.credentials;
        let expected = credential_rows::expected(&known);
        if credentials.len() != expected.len() {
            return Err(format!("credentials has {} rows of it instead of {}", credentials.len(), expected.len()));
        }
        for (row, expected) in credentials.iter().zip(&expected) {
            differs("credentials", row, expected)?;
        }
        rows.check_results.iter().try_for_each(|row| verdict_differs(row, &known))
    }
}

/// The first cell of a row that is not what it should be. A column that nobody knows the truth of is one, too.
fn differs(table: &str, row: &RecordBatch, expected: &Row) -> Result<(), String> {
    for (field, column) in row.schema().fields().iter().zip(row.columns()) {
        let name = field.name();
        if account_row::IS_HELD_ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let found = cell::read(column);
        let should = expected.get(name).ok_or_else(|| format!("nobody knows the truth of {table}.{name}"))?;
        if found != *should {
            return Err(format!("{table}.{name} is {found} instead of {should}"));
        }
    }
    Ok(())
}

fn verdict_differs(row: &RecordBatch, known: &Known<'_>) -> Result<(), String> {
    let check = text(row, "check_id").unwrap_or_default();
    let (status, reason) = (text(row, "status").unwrap_or_default(), text(row, "reason").unwrap_or_default());
    let should = verdicts::expected(&check, known).ok_or_else(|| format!("nobody knows the verdict of {check}"))?;
    if status != should.as_str() {
        return Err(format!("{check} is {status} instead of {}", should.as_str()));
    }
    if status == "unknown" && reason.is_empty() {
        return Err(format!("{check} is unknown without a reason"));
    }
    Ok(())
}
