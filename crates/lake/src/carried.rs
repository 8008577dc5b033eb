//! The reports of a committed run, which a later run need not fetch while AWS cannot have replaced them.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMillisecondType};
use arrow_array::{Array, ListArray, RecordBatch};
use orgsweep_core::{AccountId, ReportFacts, RunId, Timestamp, table};

use crate::{Commit, Lake, LakeError};

/// What is read of `accounts`.
const COLUMNS: [&str; 6] =
    ["account_id", "report_generated_at", "report_rows", "quarantined_rows", "unknown_columns", "report_carried_from"];

impl Lake {
    /// The reports of a run that were understood whole, each with the run that read it. Their rows are in its table
    /// `credentials`.
    ///
    /// # Errors
    /// A file of the run is missing or damaged, or the store fails.
    pub async fn whole_reports(&self, commit: &Commit) -> Result<HashMap<AccountId, ReportFacts>, LakeError> {
        let mut rows = self.columns(commit, table::accounts(), &COLUMNS);
        let mut reports = HashMap::new();
        while let Some(batch) = rows.next().await? {
            let Some(accounts) = Accounts::of(&batch) else { continue };
            reports.extend((0..batch.num_rows()).filter_map(|row| accounts.report(row, &commit.run_id)));
        }
        Ok(reports)
    }
}

/// The columns of a batch; one that another version wrote may lack some, and then carries nothing.
struct Accounts<'a> {
    batch: &'a RecordBatch,
    quarantined: &'a ListArray,
    unknown: &'a ListArray,
}

impl<'a> Accounts<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let list = |name: &str| batch.column_by_name(name)?.as_list_opt::<i32>();
        Some(Self { batch, quarantined: list("quarantined_rows")?, unknown: list("unknown_columns")? })
    }

    fn report(&self, row: usize, run_id: &RunId) -> Option<(AccountId, ReportFacts)> {
        let account = AccountId::parse(&self.text("account_id", row)?).ok()?;
        let generated_at = self.batch.column_by_name("report_generated_at")?;
        let generated_at = generated_at.as_primitive_opt::<TimestampMillisecondType>()?;
        let rows = self.batch.column_by_name("report_rows")?.as_primitive_opt::<Int32Type>()?;
        // A row that could not be understood may be understood another time.
        let is_whole = generated_at.is_valid(row) && rows.is_valid(row) && self.quarantined.value(row).is_empty();
        if !is_whole {
            return None;
        }
        let read_by = self.text("report_carried_from", row).and_then(|id| RunId::parse(&id).ok());
        let unknown = self.unknown.value(row);
        let unknown = unknown.as_string_opt::<i32>()?;
        let report = ReportFacts {
            generated_at: Timestamp::from_millis(generated_at.value(row)),
            older_than_asked: false,
            carried_from: Some(read_by.unwrap_or_else(|| run_id.clone())),
            rows: u32::try_from(rows.value(row)).ok()?,
            quarantined: Vec::new(),
            unknown_columns: unknown.iter().flatten().map(str::to_owned).collect(),
        };
        Some((account, report))
    }

    fn text(&self, name: &str, row: usize) -> Option<String> {
        let column = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    }
}
