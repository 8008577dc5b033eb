//! `accounts`: the coverage ledger, and what an account says of itself.

use arrow_schema::{DataType, Field};

use super::{Column, Origin, Table, flag, integer, key, rows, text, texts, time};
use crate::{RootAnswer, Source};

pub(super) fn table() -> Table {
    let columns = [identity(), coverage(), root(), root_row(), password_policy(), contacts()].concat();
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
        key("partition", "The partition that the account is in: `aws`, `aws-cn`, `aws-us-gov`, …."),
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
        tags(),
        flag(
            "root_credentials_management",
            "Whether root credentials of members are managed centrally: the organization's feature `RootCredentialsManagement`.",
        )
        .from(Source::OrganizationFeatures),
        flag(
            "root_sessions",
            "Whether privileged tasks may be done in members as root: the organization's feature `RootSessions`.",
        )
        .from(Source::OrganizationFeatures),
    ]
}

fn tags() -> Column {
    let tag = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, false)];
    let doc = "The account's tags in the organization, by key; null where they were not asked.";
    rows("tags", tag, doc).optional().from(Source::AccountTags)
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
            "Each source that was to be read and was not: its name, the kind of error, and AWS's error code; of the account's own sources `role` alone, where it could not be opened.",
        ),
        time("report_generated_at", "When AWS made the credential report: up to four hours before the sweep.")
            .from(Source::CredentialReport),
        flag(
            "report_older_than_asked",
            "Whether the report is older than the sweep asked for, and AWS gave no newer one.",
        )
        .from(Source::CredentialReport),
        text(
            "report_carried_from",
            "The earlier run that read the report, where `sweep.incremental` carried its rows over; null where it was fetched.",
        )
        .from(Source::CredentialReport),
        integer("report_rows", "Rows of the report that are in `credentials`, the root user's included.")
            .from(Source::CredentialReport),
        integer(
            "report_users",
            "IAM users in the report; null where a row of it could not be understood, which may be another one.",
        )
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

/// Each answer, who gives it, and why there is none where there is none.
fn root() -> Vec<Column> {
    let mfa = [
        flag("root_mfa_enabled", "Whether the root user has MFA."),
        text("root_mfa_enabled_source", "The sources that say so."),
        text("root_mfa_enabled_reason", "Why it is null: `not said`, or `contradicted`."),
    ];
    let virtual_mfa = [
        flag(
            "root_virtual_mfa",
            "Whether the root user has a virtual MFA device; false with MFA on means hardware devices or passkeys alone.",
        ),
        text("root_virtual_mfa_source", "The sources that say so."),
        text("root_virtual_mfa_reason", "Why it is null: `not said`, or `contradicted`."),
    ];
    let access_keys = [
        flag("root_access_keys_present", "Whether the root user has an access key, active or not."),
        text("root_access_keys_present_source", "The sources that say so."),
        text("root_access_keys_present_reason", "Why it is null: `not said`, or `contradicted`."),
    ];
    let password = [
        flag("root_password_present", "Whether the root user has a password."),
        text("root_password_present_source", "The sources that say so."),
        text("root_password_present_reason", "Why it is null: `not said`, or `contradicted`."),
    ];
    let certificates = [
        flag("root_signing_certificates_present", "Whether the root user has a signing certificate, active or not."),
        text("root_signing_certificates_present_source", "The sources that say so."),
        text("root_signing_certificates_present_reason", "Why it is null: `not said`, or `contradicted`."),
    ];
    let answers: [(&'static [Source], [Column; 3]); 5] = [
        (&RootAnswer::MFA_ENABLED, mfa),
        (&RootAnswer::VIRTUAL_MFA, virtual_mfa),
        (&RootAnswer::ACCESS_KEYS, access_keys),
        (&RootAnswer::PASSWORD, password),
        (&RootAnswer::SIGNING_CERTIFICATES, certificates),
    ];
    let columns = answers.into_iter().flat_map(|(sources, columns)| columns.map(|it| it.of(Origin::AnyOf(sources))));
    let doc = "Where these sources contradict each other about the root user: who says what; null where they do not.";
    let contradictions = text("root_contradictions", doc).of(Origin::AllOf(&COMPARED));
    columns.chain([contradictions]).collect()
}

/// The sources that tell of the root user.
const COMPARED: [Source; 7] = [
    Source::CredentialReport,
    Source::AccountSummary,
    Source::VirtualMfaDevices,
    Source::RootLoginProfile,
    Source::RootAccessKeys,
    Source::RootMfaDevices,
    Source::RootSigningCertificates,
];

/// What the root row of the credential report, and the root session, say beyond yes and no.
fn root_row() -> Vec<Column> {
    let report = [
        time("root_password_last_used", "When the root user's password was last used."),
        text("root_password_last_used_reason", "The report's word where that is null, or `no root row`."),
        time("root_password_last_changed", "When the root user's password was last set."),
        text("root_password_last_changed_reason", "The report's word where that is null, or `no root row`."),
        time("root_access_key_1_last_used_date", "When the root user's first key was last used."),
        text("root_access_key_1_last_used_date_reason", "The report's word where that is null, or `no root row`."),
        time("root_access_key_2_last_used_date", "When the root user's second key was last used."),
        text("root_access_key_2_last_used_date_reason", "The report's word where that is null, or `no root row`."),
    ];
    let columns = report.into_iter().map(|column| column.from(Source::CredentialReport));
    let ids = "The ids of the root user's access keys, as the root session tells them; null where there was none.";
    columns.chain([texts("root_access_key_ids", ids).optional().from(Source::RootAccessKeys)]).collect()
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
