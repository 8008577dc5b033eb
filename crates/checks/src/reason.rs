//! Why a resource could not be judged, in words that stay the same from run to run.

use orgsweep_core::table::Origin;
use orgsweep_core::{Source, Sources};

use crate::cell::text_at;
use crate::compile::Check;
use crate::facts::Facts;
use crate::judge::{Found, Ground};
use crate::predicate::Predicate;

/// Why the resource could not be judged; `None` where it failed.
pub(crate) fn reason(check: &Check, facts: &Facts<'_>, found: Found) -> Option<String> {
    let nulls = |predicate: &Predicate, row| nulls(predicate, row, check, facts, found.account);
    let variant = check.variants.get(found.variant)?;
    match found.ground {
        Ground::Failed(_) => None,
        Ground::Unread => Some(facts.coverage.reason(found.account, &check.needs)),
        Ground::Quarantined => Some(match facts.coverage.quarantined_rows(found.account) {
            1 => "1 row of the credential report could not be understood".to_owned(),
            count => format!("{count} rows of the credential report could not be understood"),
        }),
        Ground::Undecided(_) => Some(undecided(facts, found.account)),
        Ground::NullApplies(row) => Some(nulls(variant.applies_when.as_ref().unwrap_or(&variant.fails_when), row)),
        Ground::NullFails(row) => Some(nulls(&variant.fails_when, row)),
    }
}

/// Why nobody knows which params are in force in an account.
fn undecided(facts: &Facts<'_>, account: usize) -> String {
    let why = if facts.coverage.is_missing(account, Source::AccountTags) {
        facts.coverage.reason_for(account, [Source::AccountTags].into_iter().collect())
    } else {
        "ou_path is null".to_owned()
    };
    format!("an override may hold here: {why}")
}

/// Names the columns for which a predicate is null in this row, with the report's own word where it has one and the
/// sources that might have said more, or says how the predicate fails on the row's values.
fn nulls(predicate: &Predicate, row: usize, check: &Check, facts: &Facts<'_>, account: usize) -> String {
    let batch = &facts.rows(check.table).batch;
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
            let words: Vec<_> = word.into_iter().chain(silent_sources(check, facts, account, name)).collect();
            if words.is_empty() { format!("{name} is null") } else { format!("{name} is null ({})", words.join("; ")) }
        })
        .collect();
    if texts.is_empty() { "the predicate is null".to_owned() } else { texts.join(", ") }
}

/// Which sources were asked for a column that several can fill, and not read.
fn silent_sources(check: &Check, facts: &Facts<'_>, account: usize, column: &str) -> Option<String> {
    let column = check.table.table().column(column)?;
    let Origin::AnyOf(sources) = column.origin else { return None };
    let silent: Sources = sources.iter().copied().filter(|source| facts.coverage.is_unread(account, *source)).collect();
    (!silent.is_empty()).then(|| facts.coverage.reason_for(account, silent))
}
