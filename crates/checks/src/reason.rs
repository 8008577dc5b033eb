//! Why a resource could not be judged, in words that stay the same from run to run.

use arrow_array::RecordBatch;

use crate::cell::text_at;
use crate::compile::Check;
use crate::facts::Facts;
use crate::judge::{Found, Ground};
use crate::predicate::Predicate;

/// Why the resource could not be judged; `None` where it failed.
pub(crate) fn reason(check: &Check, facts: &Facts<'_>, found: Found) -> Option<String> {
    let rows = &facts.rows(check.table).batch;
    match found.ground {
        Ground::Failed(_) => None,
        Ground::Unread => Some(facts.coverage.reason(found.account, check.sources)),
        Ground::Quarantined => Some(match facts.coverage.quarantined_rows(found.account) {
            1 => "1 row of the credential report could not be understood".to_owned(),
            count => format!("{count} rows of the credential report could not be understood"),
        }),
        Ground::NullApplies(row) => Some(nulls(check.applies_when.as_ref().unwrap_or(&check.fails_when), rows, row)),
        Ground::NullFails(row) => Some(nulls(&check.fails_when, rows, row)),
    }
}

/// Names the columns for which a predicate is null in this row, with the report's own word where it has one, or says
/// how the predicate fails on the row's values.
fn nulls(predicate: &Predicate, batch: &RecordBatch, row: usize) -> String {
    let columns = match predicate.null_columns(batch, row) {
        Ok(columns) => columns,
        Err(reason) => return format!("predicate failed: {reason}"),
    };
    let schema = batch.schema_ref();
    let names = columns.into_iter().filter_map(|index| schema.fields().get(index)).map(|field| field.name());
    let texts: Vec<_> = names
        .filter(|name| name.strip_suffix("_reason").is_none_or(|of| schema.column_with_name(of).is_none()))
        .map(|name| {
            let word = batch.column_by_name(&format!("{name}_reason")).and_then(|column| text_at(column, row));
            word.map_or_else(|| format!("{name} is null"), |word| format!("{name} is null ({word})"))
        })
        .collect();
    if texts.is_empty() { "the predicate is null".to_owned() } else { texts.join(", ") }
}
