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
use orgsweep_core::{AccountId, RunId, Sources};
use orgsweep_sim::Simulation;

use crate::committed::{Committed, text};
use crate::invariants::Violation;
use cell::Row;
use known::Known;

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
        let account = self.simulation.model().account_id(index);
        self.hold_account(run, index, account).map_err(|told| {
            let lasting = self.simulation.lasting(index);
            let lasting = if lasting.is_none() { "nothing lasting".to_owned() } else { format!("{lasting:?}") };
            Violation::new("Truth", format!("account {account}, with {lasting} wrong with it: {told}"))
        })
    }

    fn hold_account(self, run: &Committed, index: u32, account: AccountId) -> Result<(), String> {
        let row = run.rows("accounts", account).first().ok_or("it has no row")?;
        let known = Known::of(self, index, row)?;
        differs("accounts", row, &account_row::expected(&known))?;
        let credentials = run.rows("credentials", account);
        let expected = credential_rows::expected(&known);
        if credentials.len() != expected.len() {
            return Err(format!("credentials has {} rows of it instead of {}", credentials.len(), expected.len()));
        }
        for (row, expected) in credentials.iter().zip(&expected) {
            differs("credentials", row, expected)?;
        }
        run.rows("check_results", account).iter().try_for_each(|row| verdict_differs(row, &known))
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
