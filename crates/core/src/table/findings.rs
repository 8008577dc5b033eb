//! `findings`: what failed, and what could not be judged.

use arrow_schema::{DataType, Field};

use super::{Table, column, flag, key, rows, text, texts, time, timestamp_type};

pub(super) fn table() -> Table {
    let evidence = vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("number", DataType::Int64, true),
        Field::new("time", timestamp_type(), true),
    ];
    let columns = vec![
        key("account_id", "The account, twelve digits."),
        text("account_name", "The account's name in the organization."),
        key("check_id", "The check."),
        key("severity", "`critical`, `high`, `medium`, `low` or `informational`."),
        key("status", "`fail` or `unknown`."),
        key("resource_type", "`account`, `user`, `root` or `access_key`."),
        key("resource_id", "The account's or user's ARN; for a key, the user's ARN and `#access_key_` with the slot."),
        text("user", "The user, where the resource is one or belongs to one."),
        key("message", "What is wrong, or why it is not known, in one sentence."),
        text("reason", "Why the status is unknown; null where it failed."),
        rows(
            "evidence",
            evidence,
            "The columns that decided, with their values: as text, and as a flag, a number or a time where they are one.",
        ),
        texts("frameworks", "Controls that the check belongs to, as `framework:control`."),
        text("remediation", "What to do."),
        text(
            "command",
            "The commands that do it, for a shell with the AWS CLI and credentials that may do so in the account.",
        ),
        time(
            "evidence_generated_at",
            "When the report behind the evidence was made; null where the evidence was read during the sweep.",
        ),
        column(
            "evidence_age_seconds",
            DataType::Int64,
            "How old that report was at the time by which the run judges, in seconds.",
        ),
        flag("excepted", "Whether an exception covers the finding.").required(),
        text("exception_owner", "Who answers for the exception that covers the finding, or did until it expired."),
        text("exception_reason", "Why it was made."),
        time("exception_expires_at", "When it ends, or ended."),
        key("finding_id", "Stable across runs: the same account, check and resource have the same id."),
    ];
    Table::new("findings", "One check that failed, or could not be decided, on one resource of one account.", columns)
}
