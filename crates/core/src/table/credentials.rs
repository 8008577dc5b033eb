//! `credentials`: the credential reports of all accounts, with the ids of the access keys where they were asked.

use super::{Column, Table, credential_report, text};
use crate::Source;

pub(super) fn table() -> Table {
    let columns = credential_report().columns.iter().cloned().chain(access_key_ids()).chain([carried()]).collect();
    let doc = "One IAM user, or the root user, of one account: a row of its credential report, typed.";
    Table::new("credentials", doc, columns)
}

fn carried() -> Column {
    text(
        "carried_from",
        "The earlier run that read the row, where `sweep.incremental` carried it over; null where it was fetched.",
    )
}

fn access_key_ids() -> impl Iterator<Item = Column> {
    let columns = [
        text("access_key_1_id", "The first key's id; null without `sweep.key_ids`."),
        text(
            "access_key_1_id_reason",
            "Why the id of a key that is there is null: `over key_ids_max`, `ambiguous`, or `gone`.",
        ),
        text("access_key_2_id", "The second key's id; null without `sweep.key_ids`."),
        text(
            "access_key_2_id_reason",
            "Why the id of a key that is there is null: `over key_ids_max`, `ambiguous`, or `gone`.",
        ),
    ];
    columns.into_iter().map(|column| column.from(Source::AccessKeyIds))
}
