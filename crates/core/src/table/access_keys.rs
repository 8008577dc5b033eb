//! `access_keys`: `credentials` turned by key slot, the view that key checks read.

use super::{Origin, Table, flag, integer, key, text, time};
use crate::Source;

pub(super) fn table() -> Table {
    let mut columns = vec![
        key("account_id", "The account, twelve digits."),
        key("user", "The user's name; `<root_account>` for the root user."),
        key("arn", "The user's ARN."),
        flag("is_root", "Whether this is the root user.").required(),
        time("user_creation_time", "When the user was made."),
        flag("password_enabled", "Whether the user has a password as well."),
        text("password_enabled_reason", "The report's word where `password_enabled` is null."),
        integer("slot", "Key slot of the report, 1 or 2. Slots may swap between two reports.").required(),
        flag("active", "Whether there is an active key in the slot."),
        flag("present", "Whether there is a key in the slot, active or not."),
        time("last_rotated", "When the key was made or last changed; kept while the key is inactive."),
        text("last_rotated_reason", "The report's word where `last_rotated` is null."),
        time("last_used_date", "When the key was last used."),
        text("last_used_date_reason", "The report's word where `last_used_date` is null."),
        text("last_used_region", "The region of the last use; null for services without regions."),
        text("last_used_service", "The service of the last use."),
    ];
    for column in &mut columns {
        if column.name != "account_id" {
            column.origin = Origin::Source(Source::CredentialReport);
        }
    }
    let ids = [
        text("access_key_id", "The key's id; null without `sweep.key_ids`."),
        text(
            "access_key_id_reason",
            "Why the id of a key that is there is null: `over key_ids_max`, `ambiguous`, or `gone`.",
        ),
    ];
    columns.extend(ids.into_iter().map(|column| column.from(Source::AccessKeyIds)));
    Table::new("access_keys", "One key slot of one user: `credentials`, turned. A view; it is not written.", columns)
}
