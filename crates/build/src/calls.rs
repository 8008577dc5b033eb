//! Rows of `calls`: how the asking went, in order of accounts and of calls.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use orgsweep_core::{Snapshot, table};

use crate::columns::{counts, texts};

/// The batch of all calls of these snapshots.
pub(crate) fn to_batch(snapshots: &[&Snapshot]) -> Result<RecordBatch, ArrowError> {
    let calls = || snapshots.iter().flat_map(|snapshot| &snapshot.calls);
    let accounts =
        snapshots.iter().flat_map(|snapshot| snapshot.calls.iter().map(|_| Some(snapshot.account.id.as_str())));
    let columns = vec![
        texts(accounts),
        texts(calls().map(|call| Some(&call.call))),
        texts(calls().map(|call| Some(&call.outcome))),
        texts(calls().map(|call| call.code.as_ref())),
        texts(calls().map(|call| call.message.as_ref())),
        texts(calls().map(|call| call.request_id.as_ref())),
        counts(calls().map(|call| u64::from(call.attempts))),
        counts(calls().map(|call| u64::from(call.throttled))),
        counts(calls().map(|call| u64::from(call.retried))),
        counts(calls().map(|call| u64::try_from(call.waited.as_millis()).unwrap_or(u64::MAX))),
    ];
    RecordBatch::try_new(table::calls().schema(), columns)
}
