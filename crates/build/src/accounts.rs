//! Rows of `accounts`: what the plan, the organization and the snapshots say, column by column in the table's order.
//!
//! This is the only place that maps a snapshot to columns. What was not read is null.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use orgsweep_core::{
    Account, AccountSummary, Contact, ContactType, Gap, ListedKey, OrgPath, Organization, OrganizationFeatures,
    Outcome, Partition, PasswordPolicy, Plan, Reading, ReportFacts, RootAnswer, RootPosture, RunId, SkipReason,
    Snapshot, Source, Tag, table,
};

use crate::columns::{
    flags, integers, optional_struct_lists, optional_text_lists, struct_lists, text_lists, texts, times,
};
use crate::report_view::{Moment, ReportView, RootReport};

/// What the plan says of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct Household {
    organization: Option<Organization>,
    features: Reading<OrganizationFeatures>,
    /// The partition of accounts whose own ARN is not known: an organization never spans two.
    partition: String,
}

impl Household {
    pub(crate) fn of(plan: &Plan) -> Self {
        let partition = partition_of(&plan.caller.arn).unwrap_or("aws");
        Self {
            organization: plan.organization.clone(),
            features: plan.features.clone(),
            partition: partition.to_owned(),
        }
    }

    /// The same, in the partition that somebody knows better than the caller.
    pub(crate) fn in_partition(mut self, partition: Option<Partition>) -> Self {
        if let Some(partition) = partition {
            partition.as_str().clone_into(&mut self.partition);
        }
        self
    }
}

fn partition_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(1).filter(|partition| !partition.is_empty())
}

/// One account of the plan, with what came of it.
pub(crate) struct AccountRow<'a> {
    pub(crate) account: &'a Account,
    pub(crate) told: Told<'a>,
    /// Its report, where it was read.
    pub(crate) report: Option<&'a ReportView>,
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

    /// The sources that were not read. Where the account could not be opened that is the one to tell: its others were
    /// never asked, for that reason.
    fn gaps(&self, household: &'a Household) -> Vec<Gap<'a>> {
        let mut gaps = self.snapshot().map(Snapshot::gaps).unwrap_or_default();
        if gaps.iter().any(|(source, ..)| *source == Source::Role) {
            gaps.retain(|(source, ..)| *source == Source::Role);
        }
        let features = household.features.gap();
        gaps.extend(features.map(|(kind, code)| (Source::OrganizationFeatures, kind, code)));
        gaps
    }

    /// Users of the report; not known where one of its rows may be another one.
    fn report_users(&self) -> Option<i32> {
        let all_understood = self.report()?.quarantined.is_empty();
        i32::try_from(self.report?.users).ok().filter(|_| all_understood)
    }

    /// A time of the report's root row; that there is no such row is said by a word too.
    fn root_moment(&self, of: fn(&RootReport) -> &Moment) -> Moment {
        match self.report.map(|report| report.root.as_ref()) {
            None => Moment::default(),
            Some(None) => Moment { time: None, reason: Some("no root row".to_owned()) },
            Some(Some(root)) => of(root).clone(),
        }
    }

    fn root(&self) -> Option<RootPosture> {
        let row = self.report.and_then(|report| report.root.as_ref()).map(|root| root.row);
        self.snapshot().map(|snapshot| RootPosture::of(snapshot, row))
    }

    fn root_keys(&self) -> Option<&'a Vec<ListedKey>> {
        self.snapshot()?.root_audit.access_keys.value()
    }

    fn tags(&self) -> Option<&'a Vec<Tag>> {
        self.snapshot()?.tags.value()
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
pub(crate) fn to_batch(rows: &[AccountRow<'_>], household: &Household) -> Result<RecordBatch, ArrowError> {
    let mut columns = identity(rows, household)?;
    columns.extend(coverage(rows, household)?);
    columns.extend(root(rows));
    columns.extend(root_row(rows)?);
    columns.extend(password_policy(rows));
    columns.extend(ContactType::ALL.into_iter().flat_map(|contact| contact_columns(rows, contact)));
    RecordBatch::try_new(table::accounts().schema(), columns)
}

fn identity(rows: &[AccountRow<'_>], household: &Household) -> Result<Vec<ArrayRef>, ArrowError> {
    let organization = household.organization.as_ref();
    let accounts = || rows.iter().map(|row| row.account);
    let alias = |row: &AccountRow<'_>| row.snapshot().and_then(|snapshot| snapshot.alias.value().cloned().flatten());
    let is_management = |account: &Account| organization.map(|known| known.management_account_id == account.id);
    let partition =
        |account: &Account| account.arn.as_deref().and_then(partition_of).unwrap_or(&household.partition).to_owned();
    let feature =
        |is_on: fn(&OrganizationFeatures) -> bool| flags(rows.iter().map(|_| household.features.value().map(is_on)));
    Ok(vec![
        texts(accounts().map(|account| Some(account.id.as_str()))),
        texts(accounts().map(|account| account.name.as_ref())),
        texts(accounts().map(|account| account.email.as_ref())),
        texts(accounts().map(|account| account.arn.as_ref())),
        texts(rows.iter().map(alias)),
        texts(accounts().map(|account| Some(partition(account)))),
        texts(accounts().map(|_| organization.map(|known| &known.id))),
        texts(accounts().map(|account| account.path.as_ref().map(OrgPath::as_str))),
        texts(accounts().map(|account| account.path.as_ref().and_then(|path| path.ou_ids().last()))),
        flags(accounts().map(is_management)),
        texts(accounts().map(|account| Some(account.state.as_str()))),
        texts(accounts().map(|account| account.joined_method.as_ref())),
        times(accounts().map(|account| account.joined_at)),
        tags(rows)?,
        feature(|features| features.root_credentials_management),
        feature(|features| features.root_sessions),
    ])
}

fn tags(rows: &[AccountRow<'_>]) -> Result<ArrayRef, ArrowError> {
    let all = || rows.iter().filter_map(AccountRow::tags).flatten();
    let columns = vec![texts(all().map(|tag| Some(&tag.key))), texts(all().map(|tag| Some(&tag.value)))];
    optional_struct_lists(table::accounts(), "tags", rows.iter().map(|row| row.tags().map(Vec::len)), columns)
}

fn coverage(rows: &[AccountRow<'_>], household: &Household) -> Result<Vec<ArrayRef>, ArrowError> {
    let report = || rows.iter().map(AccountRow::report);
    Ok(vec![
        texts(rows.iter().map(|row| Some(row.outcome().as_str()))),
        texts(rows.iter().map(AccountRow::skip_reason)),
        unanswered(rows, household)?,
        times(report().map(|report| report.map(|report| report.generated_at))),
        flags(report().map(|report| report.map(|report| report.older_than_asked))),
        texts(report().map(|report| report?.carried_from.as_ref().map(RunId::as_str))),
        integers(report().map(|report| report.map(|report| i32::try_from(report.rows).unwrap_or(i32::MAX)))),
        integers(rows.iter().map(AccountRow::report_users)),
        quarantined_rows(rows)?,
        unknown_columns(rows)?,
        integers(rows.iter().map(|row| row.summary()?.users.and_then(|users| i32::try_from(users).ok()))),
    ])
}

fn unanswered(rows: &[AccountRow<'_>], household: &Household) -> Result<ArrayRef, ArrowError> {
    let gaps: Vec<_> = rows.iter().map(|row| row.gaps(household)).collect();
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

/// Each answer about the root user, who gives it, and why there is none.
fn root(rows: &[AccountRow<'_>]) -> Vec<ArrayRef> {
    let postures: Vec<_> = rows.iter().map(AccountRow::root).collect();
    let answers: [fn(&RootPosture) -> &RootAnswer; 5] = [
        |posture| &posture.mfa_enabled,
        |posture| &posture.virtual_mfa,
        |posture| &posture.access_keys_present,
        |posture| &posture.password_present,
        |posture| &posture.signing_certificates_present,
    ];
    let columns = answers.into_iter().flat_map(|answer| {
        let of = || postures.iter().map(move |posture| posture.as_ref().map(answer));
        [
            flags(of().map(|answer| answer?.value())),
            texts(of().map(|answer| answer?.source())),
            texts(of().map(|answer| answer?.reason())),
        ]
    });
    let contradictions = texts(postures.iter().map(|posture| posture.as_ref()?.contradictions()));
    columns.chain([contradictions]).collect()
}

fn root_row(rows: &[AccountRow<'_>]) -> Result<Vec<ArrayRef>, ArrowError> {
    let moments: [fn(&RootReport) -> &Moment; 4] = [
        |root| &root.password_last_used,
        |root| &root.password_last_changed,
        |root| &root.key_1_last_used,
        |root| &root.key_2_last_used,
    ];
    let columns = moments.into_iter().flat_map(|of| {
        let all: Vec<Moment> = rows.iter().map(|row| row.root_moment(of)).collect();
        [times(all.iter().map(|moment| moment.time)), texts(all.iter().map(|moment| moment.reason.as_ref()))]
    });
    let ids = texts(rows.iter().filter_map(AccountRow::root_keys).flatten().map(|key| Some(&key.id)));
    let lengths = rows.iter().map(|row| row.root_keys().map(Vec::len));
    let ids = optional_text_lists(table::accounts(), "root_access_key_ids", lengths, ids)?;
    Ok(columns.chain([ids]).collect())
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
