//! `accounts`: the coverage ledger, and what an account says of itself.

use arrow_schema::{DataType, Field};

use super::{Column, Table, flag, integer, key, rows, text, texts, time};
use crate::Source;

pub(super) fn table() -> Table {
    let columns = [identity(), coverage(), root(), password_policy(), contacts()].concat();
    let doc = "One account of the plan. Every account of the plan has a row, whatever came of it.";
    Table::new("accounts", doc, columns)
}

fn identity() -> Vec<Column> {
    vec![
        key("account_id", "The account, twelve digits."),
        text("account_name", "The account's name in the organization."),
        text("account_email", "The root user's e-mail address."),
        text("account_arn", "The account's ARN in the organization."),
        text("account_alias", "The account's IAM alias; null where it has none.").from(Source::AccountAlias),
        text("organization_id", "The organization, `o-…`; null where it could not be described."),
        text("ou_path", "Place in the organization: `o-…/r-…/ou-…/<account id>/`, as AWS sends it."),
        text("ou_id", "The organizational unit that holds the account; null directly below the root."),
        flag(
            "is_management",
            "Whether this is the management account; null where the organization could not be described.",
        ),
        key(
            "state",
            "`ACTIVE`, `PENDING_CLOSURE`, `SUSPENDED`, `CLOSED`, `PENDING_ACTIVATION`, or `UNKNOWN` where AWS gave none.",
        ),
        text("joined_method", "`INVITED` or `CREATED`."),
        time("joined_at", "When the account joined the organization."),
    ]
}

fn coverage() -> Vec<Column> {
    let gap = vec![
        Field::new("source", DataType::Utf8, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("code", DataType::Utf8, false),
    ];
    let quarantined = vec![
        Field::new("line", DataType::Int32, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("reason", DataType::Utf8, false),
    ];
    vec![
        key(
            "outcome",
            "`swept`: all was read; `partial`: some was; `failed`: nothing was; `skipped`: it was not asked.",
        ),
        text("skip_reason", "Why a skipped account was not asked."),
        rows(
            "unanswered",
            gap,
            "Each source that was not read: its name, the kind of error, and AWS's error code; `role` alone for an account that could not be opened.",
        ),
        time("report_generated_at", "When AWS made the credential report: up to four hours before the sweep.")
            .from(Source::CredentialReport),
        flag(
            "report_older_than_asked",
            "Whether the report is older than the sweep asked for, and AWS gave no newer one.",
        )
        .from(Source::CredentialReport),
        integer("report_rows", "Rows of the report that are in `credentials`, the root user's included.")
            .from(Source::CredentialReport),
        rows(
            "quarantined_rows",
            quarantined,
            "Rows of the report that could not be understood: line (the header is 1), text, and what is wrong.",
        ),
        texts("unknown_columns", "Columns of the report that orgsweep does not know and left out."),
        integer("iam_users", "Number of IAM users by `GetAccountSummary`.").from(Source::AccountSummary),
    ]
}

fn root() -> Vec<Column> {
    let summary = Source::AccountSummary;
    vec![
        flag("root_mfa_enabled", "Whether the root user has MFA.").from(summary),
        flag("root_virtual_mfa", "Whether a virtual MFA device is assigned to the root user; false with MFA on means a hardware device or passkey.").from(Source::VirtualMfaDevices),
        flag("root_access_keys_present", "Whether the root user has an access key.").from(summary),
        flag("root_password_present", "Whether the root user has a password; null where AWS does not say.").from(summary),
        flag("root_signing_certificates_present", "Whether the root user has a signing certificate.").from(summary),
    ]
}

fn password_policy() -> Vec<Column> {
    let columns = vec![
        flag(
            "password_policy_set",
            "Whether the account has a password policy of its own; without one AWS's default holds.",
        ),
        integer("minimum_password_length", "Shortest password allowed, in characters; null without a policy."),
        flag("require_symbols", "Whether a symbol is needed."),
        flag("require_numbers", "Whether a digit is needed."),
        flag("require_uppercase_characters", "Whether an upper-case letter is needed."),
        flag("require_lowercase_characters", "Whether a lower-case letter is needed."),
        flag("allow_users_to_change_password", "Whether users may change their own password."),
        flag("expire_passwords", "Whether passwords expire."),
        integer("max_password_age", "Days until a password expires; null where it does not."),
        integer("password_reuse_prevention", "How many earlier passwords may not be used again; null where any may."),
        flag("hard_expiry", "Whether a user whose password expired needs an administrator."),
    ];
    columns.into_iter().map(|column| column.from(Source::PasswordPolicy)).collect()
}

fn contacts() -> Vec<Column> {
    let billing = [
        flag("billing_contact_set", "Whether there is a billing contact."),
        text("billing_contact_name", "Their name."),
        text("billing_contact_title", "Their title."),
        text("billing_contact_email", "Their e-mail address."),
    ];
    let operations = [
        flag("operations_contact_set", "Whether there is an operations contact."),
        text("operations_contact_name", "Their name."),
        text("operations_contact_title", "Their title."),
        text("operations_contact_email", "Their e-mail address."),
    ];
    let security = [
        flag("security_contact_set", "Whether there is a security contact."),
        text("security_contact_name", "Their name."),
        text("security_contact_title", "Their title."),
        text("security_contact_email", "Their e-mail address."),
    ];
    let sources = [Source::BillingContact, Source::OperationsContact, Source::SecurityContact];
    let by_source = sources.into_iter().zip([billing, operations, security]);
    by_source.flat_map(|(source, columns)| columns.map(|column| column.from(source))).collect()
}
