//! Rows of `accounts`: what the plan, the organization and the snapshots say, column by column in the table's order.
//!
//! This is the only place that maps a snapshot to columns. What was not read is null.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use orgsweep_core::{
    Account, AccountSummary, Contact, ContactType, OrgPath, Organization, Outcome, PasswordPolicy, Reading,
    ReportFacts, SkipReason, Snapshot, Source, table,
};

use crate::columns::{flags, integers, struct_lists, text_lists, texts, times};

/// One account of the plan, with what came of it.
pub(crate) struct AccountRow<'a> {
    pub(crate) account: &'a Account,
    pub(crate) told: Told<'a>,
}

/// What came of an account.
pub(crate) enum Told<'a> {
    /// It was asked, and this was learned.
    Asked(&'a Snapshot),
    /// It was not asked.
    Skipped(&'a SkipReason),
}

impl<'a> AccountRow<'a> {
    pub(crate) fn outcome(&self) -> Outcome {
        self.snapshot().map_or(Outcome::Skipped, Snapshot::outcome)
    }

    fn snapshot(&self) -> Option<&'a Snapshot> {
        match self.told {
            Told::Asked(snapshot) => Some(snapshot),
            Told::Skipped(_) => None,
        }
    }

    fn skip_reason(&self) -> Option<String> {
        match self.told {
            Told::Asked(_) => None,
            Told::Skipped(reason) => Some(reason.to_string()),
        }
    }

    /// The sources that were not read. Where the account could not be opened that is the one to tell: the others were
    /// never asked, for that reason.
    fn gaps(&self) -> Vec<(Source, &'a str, &'a str)> {
        let mut gaps = self.snapshot().map(Snapshot::gaps).unwrap_or_default();
        if gaps.iter().any(|(source, ..)| *source == Source::Role) {
            gaps.retain(|(source, ..)| *source == Source::Role);
        }
        gaps
    }

    fn report(&self) -> Option<&'a ReportFacts> {
        self.snapshot()?.report.value()
    }

    fn summary(&self) -> Option<&'a AccountSummary> {
        self.snapshot()?.summary.value()
    }

    fn password_policy(&self) -> Option<&'a PasswordPolicy> {
        self.snapshot()?.password_policy.value()?.as_ref()
    }

    fn contact(&self, contact: ContactType) -> Option<&'a Option<Contact>> {
        self.snapshot()?.contact(contact).value()
    }
}

/// The batch of these accounts, in their order.
pub(crate) fn to_batch(
    rows: &[AccountRow<'_>],
    organization: Option<&Organization>,
) -> Result<RecordBatch, ArrowError> {
    let mut columns = identity(rows, organization);
    columns.extend(coverage(rows)?);
    columns.extend(root(rows));
    columns.extend(password_policy(rows));
    columns.extend(ContactType::ALL.into_iter().flat_map(|contact| contact_columns(rows, contact)));
    RecordBatch::try_new(table::accounts().schema(), columns)
}

fn identity(rows: &[AccountRow<'_>], organization: Option<&Organization>) -> Vec<ArrayRef> {
    let accounts = || rows.iter().map(|row| row.account);
    let alias = |row: &AccountRow<'_>| row.snapshot().and_then(|snapshot| snapshot.alias.value().cloned().flatten());
    let is_management = |account: &Account| organization.map(|known| known.management_account_id == account.id);
    vec![
        texts(accounts().map(|account| Some(account.id.as_str()))),
        texts(accounts().map(|account| account.name.as_ref())),
        texts(accounts().map(|account| account.email.as_ref())),
        texts(accounts().map(|account| account.arn.as_ref())),
        texts(rows.iter().map(alias)),
        texts(accounts().map(|_| organization.map(|known| &known.id))),
        texts(accounts().map(|account| account.path.as_ref().map(OrgPath::as_str))),
        texts(accounts().map(|account| account.path.as_ref().and_then(|path| path.ou_ids().last()))),
        flags(accounts().map(is_management)),
        texts(accounts().map(|account| Some(account.state.as_str()))),
        texts(accounts().map(|account| account.joined_method.as_ref())),
        times(accounts().map(|account| account.joined_at)),
    ]
}

fn coverage(rows: &[AccountRow<'_>]) -> Result<Vec<ArrayRef>, ArrowError> {
    let report = || rows.iter().map(AccountRow::report);
    Ok(vec![
        texts(rows.iter().map(|row| Some(row.outcome().as_str()))),
        texts(rows.iter().map(AccountRow::skip_reason)),
        unanswered(rows)?,
        times(report().map(|report| report.map(|report| report.generated_at))),
        flags(report().map(|report| report.map(|report| report.older_than_asked))),
        integers(report().map(|report| report.map(|report| i32::try_from(report.rows).unwrap_or(i32::MAX)))),
        quarantined_rows(rows)?,
        unknown_columns(rows)?,
        integers(rows.iter().map(|row| row.summary()?.users.and_then(|users| i32::try_from(users).ok()))),
    ])
}

fn unanswered(rows: &[AccountRow<'_>]) -> Result<ArrayRef, ArrowError> {
    let gaps: Vec<_> = rows.iter().map(AccountRow::gaps).collect();
    let all = || gaps.iter().flatten();
    let columns = vec![
        texts(all().map(|(source, ..)| Some(source.as_str()))),
        texts(all().map(|(_, kind, _)| Some(kind))),
        texts(all().map(|(.., code)| Some(code))),
    ];
    struct_lists(table::accounts(), "unanswered", gaps.iter().map(Vec::len), columns)
}

fn quarantined_rows(rows: &[AccountRow<'_>]) -> Result<ArrayRef, ArrowError> {
    let lists = || rows.iter().map(|row| row.report().map_or(&[][..], |report| &report.quarantined));
    let all = || lists().flatten();
    let columns = vec![
        integers(all().map(|row| Some(i32::try_from(row.line).unwrap_or(i32::MAX)))),
        texts(all().map(|row| Some(&row.text))),
        texts(all().map(|row| Some(&row.reason))),
    ];
    struct_lists(table::accounts(), "quarantined_rows", lists().map(<[_]>::len), columns)
}

fn unknown_columns(rows: &[AccountRow<'_>]) -> Result<ArrayRef, ArrowError> {
    let lists = || rows.iter().map(|row| row.report().map_or(&[][..], |report| &report.unknown_columns));
    text_lists(table::accounts(), "unknown_columns", lists().map(<[_]>::len), texts(lists().flatten().map(Some)))
}

fn root(rows: &[AccountRow<'_>]) -> Vec<ArrayRef> {
    let summary = |value: fn(&AccountSummary) -> Option<bool>| flags(rows.iter().map(|row| value(row.summary()?)));
    let root_virtual_mfa = |row: &AccountRow<'_>| row.snapshot()?.root_virtual_mfa.value().copied();
    vec![
        summary(|summary| summary.root_mfa_enabled),
        flags(rows.iter().map(root_virtual_mfa)),
        summary(|summary| summary.root_access_keys_present),
        summary(|summary| summary.root_password_present),
        summary(|summary| summary.root_signing_certificates_present),
    ]
}

fn password_policy(rows: &[AccountRow<'_>]) -> Vec<ArrayRef> {
    let is_set = |row: &AccountRow<'_>| match &row.snapshot()?.password_policy {
        Reading::Read(policy) => Some(policy.is_some()),
        _ => None,
    };
    let flag = |value: fn(&PasswordPolicy) -> bool| flags(rows.iter().map(|row| row.password_policy().map(value)));
    let number =
        |value: fn(&PasswordPolicy) -> Option<i32>| integers(rows.iter().map(|row| value(row.password_policy()?)));
    vec![
        flags(rows.iter().map(is_set)),
        number(|policy| policy.minimum_password_length),
        flag(|policy| policy.require_symbols),
        flag(|policy| policy.require_numbers),
        flag(|policy| policy.require_uppercase),
        flag(|policy| policy.require_lowercase),
        flag(|policy| policy.allow_users_to_change_password),
        flag(|policy| policy.expire_passwords),
        number(|policy| policy.max_password_age),
        number(|policy| policy.password_reuse_prevention),
        flags(rows.iter().map(|row| row.password_policy()?.hard_expiry)),
    ]
}

fn contact_columns(rows: &[AccountRow<'_>], contact: ContactType) -> [ArrayRef; 4] {
    let text =
        |value: fn(&Contact) -> Option<&String>| texts(rows.iter().map(|row| value(row.contact(contact)?.as_ref()?)));
    [
        flags(rows.iter().map(|row| row.contact(contact).map(Option::is_some))),
        text(|contact| contact.name.as_ref()),
        text(|contact| contact.title.as_ref()),
        text(|contact| contact.email.as_ref()),
    ]
}
