//! The credential report, typed: what its parser makes, what the journal keeps, and most of `credentials`.
//!
//! A null value means that AWS has none, and the `_reason` column beside it keeps the report's own word for that:
//! `N/A`, `no_information` or `not_supported`.

use super::{Column, Origin, Table, flag, key, text, time};
use crate::Source;

pub(super) fn table() -> Table {
    let mut columns = [
        vec![
            key("account_id", "The account, twelve digits."),
            text("account_name", "The account's name in the organization."),
        ],
        user(),
        password(),
    ]
    .concat();
    columns.extend(access_key_1());
    columns.extend(access_key_2());
    columns.extend(certificates());
    columns
        .push(text("additional_credentials_info", "What the report says of keys and certificates beyond two of each."));
    columns.push(time("report_generated_at", "When AWS made the report that the row is from.").required());
    for column in columns.iter_mut().skip(2) {
        column.origin = Origin::Source(Source::CredentialReport);
    }
    Table::new("credential_report", "One IAM user, or the root user: a row of a credential report, typed.", columns)
}

fn user() -> Vec<Column> {
    vec![
        key("user", "The user's name; `<root_account>` for the root user."),
        key("arn", "The user's ARN."),
        flag("is_root", "Whether this is the root user.").required(),
        time("user_creation_time", "When the user, or the account, was made.").required(),
    ]
}

fn password() -> Vec<Column> {
    vec![
        flag("password_enabled", "Whether there is a password."),
        text("password_enabled_reason", "The report's word where `password_enabled` is null."),
        time("password_last_used", "When the password was last used to sign in."),
        text(
            "password_last_used_reason",
            "The report's word where `password_last_used` is null: `no_information` never used, `N/A` no password.",
        ),
        time("password_last_changed", "When the password was last set."),
        text("password_last_changed_reason", "The report's word where `password_last_changed` is null."),
        time("password_next_rotation", "When the password must be changed."),
        text("password_next_rotation_reason", "The report's word where `password_next_rotation` is null."),
        flag("mfa_active", "Whether an MFA device is active.").required(),
    ]
}

fn access_key_1() -> Vec<Column> {
    vec![
        flag("access_key_1_active", "Whether the first key is there and active.").required(),
        time("access_key_1_last_rotated", "When the first key was made or last changed; an inactive key keeps it."),
        text("access_key_1_last_rotated_reason", "The report's word where `access_key_1_last_rotated` is null."),
        time("access_key_1_last_used_date", "When the first key was last used."),
        text("access_key_1_last_used_date_reason", "The report's word where `access_key_1_last_used_date` is null."),
        text("access_key_1_last_used_region", "The region of that use; null for services without regions."),
        text("access_key_1_last_used_service", "The service of that use."),
    ]
}

fn access_key_2() -> Vec<Column> {
    vec![
        flag("access_key_2_active", "Whether the second key is there and active.").required(),
        time("access_key_2_last_rotated", "When the second key was made or last changed; an inactive key keeps it."),
        text("access_key_2_last_rotated_reason", "The report's word where `access_key_2_last_rotated` is null."),
        time("access_key_2_last_used_date", "When the second key was last used."),
        text("access_key_2_last_used_date_reason", "The report's word where `access_key_2_last_used_date` is null."),
        text("access_key_2_last_used_region", "The region of that use; null for services without regions."),
        text("access_key_2_last_used_service", "The service of that use."),
    ]
}

fn certificates() -> Vec<Column> {
    vec![
        flag("cert_1_active", "Whether the first signing certificate is there and active.").required(),
        time("cert_1_last_rotated", "When the first certificate was made or last changed; an inactive one keeps it."),
        text("cert_1_last_rotated_reason", "The report's word where `cert_1_last_rotated` is null."),
        flag("cert_2_active", "Whether the second signing certificate is there and active.").required(),
        time("cert_2_last_rotated", "When the second certificate was made or last changed; an inactive one keeps it."),
        text("cert_2_last_rotated_reason", "The report's word where `cert_2_last_rotated` is null."),
    ]
}
