//! `check_results`: a verdict for every account and check, so that a pass is provable without a row for each.

use arrow_schema::DataType;

use super::{Table, column, count, key, text, time};

pub(super) fn table() -> Table {
    let columns = vec![
        key("account_id", "The account, twelve digits."),
        text("account_name", "The account's name in the organization."),
        key("check_id", "The check."),
        key("severity", "`critical`, `high`, `medium`, `low` or `informational`."),
        key("status", "`pass`, `fail`, `unknown` or `not_applicable`."),
        text("reason", "Why the status is unknown, or a word on a pass that deserves one."),
        count("passed", "Resources that passed."),
        count("failed", "Resources that failed; as many rows of `findings` are `fail`."),
        count("unknown", "Resources that could not be judged; as many rows of `findings` are `unknown`."),
        count("excepted", "Resources that failed and are covered by an exception."),
        time(
            "evidence_generated_at",
            "When the report behind the verdict was made; null where it was read during the sweep, or not at all.",
        ),
        column(
            "evidence_age_seconds",
            DataType::Int64,
            "How old that report was at the time by which the run judges, in seconds.",
        ),
    ];
    Table::new(
        "check_results",
        "One check on one account. Every account of the plan has a row for every check.",
        columns,
    )
}
