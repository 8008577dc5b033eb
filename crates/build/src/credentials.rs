//! Rows of `credentials`: the reports of many accounts as one batch, each account's rows in order of their users.

use arrow_array::{Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use orgsweep_core::table;

/// The batch of these reports, which stand in order of their accounts.
pub(crate) fn to_batch(reports: Vec<RecordBatch>) -> Result<RecordBatch, ArrowError> {
    let reports = reports.into_iter().map(sort_by_user).collect::<Result<Vec<_>, _>>()?;
    concat_batches(&table::credentials().schema(), &reports)
}

/// AWS promises no order of users, and two tellings of the same facts must give the same table.
fn sort_by_user(report: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let users = report.column_by_name("user").and_then(|users| users.as_any().downcast_ref::<StringArray>());
    let users = users.ok_or_else(|| ArrowError::SchemaError("a report has no column user".to_owned()))?;
    if users.iter().is_sorted() {
        return Ok(report);
    }
    let mut order: Vec<(Option<&str>, u32)> = users.iter().zip(0..).collect();
    order.sort_unstable();
    let order: UInt32Array = order.into_iter().map(|(_, row)| row).collect::<Vec<u32>>().into();
    take_record_batch(&report, &order)
}
