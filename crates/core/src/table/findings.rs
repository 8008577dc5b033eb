//! `findings`: what failed, and what could not be judged.

use arrow_schema::{DataType, Field};

use super::{Table, flag, key, rows, text, texts, time};

pub(super) fn table() -> Table {
    let evidence = vec![Field::new("name", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
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
        rows("evidence", evidence, "The columns that decided, with their values at that time, as text."),
        texts("frameworks", "Controls that the check belongs to, as `framework:control`."),
        text("remediation", "What to do."),
        time(
            "evidence_generated_at",
            "When the report behind the evidence was made; null where the evidence was read during the sweep.",
        ),
        flag("excepted", "Whether an exception covers the finding.").required(),
        key("finding_id", "Stable across runs: the same account, check and resource have the same id."),
    ];
    Table::new("findings", "One check that failed, or could not be decided, on one resource of one account.", columns)
}
