//! Which sources were read for each account, and for those that were not, why: from the `accounts` rows alone, so that
//! a committed run can be checked again.

use arrow_array::{ListArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use orgsweep_core::{Outcome, Source, Sources};

use crate::cell::{item_range, item_texts, lists, str_at, texts};
use crate::needs::Needs;

/// What was not read, account by account.
pub(crate) struct Coverage<'a> {
    unread: Vec<Sources>,
    /// The sources that no account was asked.
    unasked: Sources,
    outcome: &'a StringArray,
    skip_reason: &'a StringArray,
    gaps: &'a ListArray,
    gap_source: &'a StringArray,
    gap_kind: &'a StringArray,
    gap_code: &'a StringArray,
    quarantined: &'a ListArray,
}

impl<'a> Coverage<'a> {
    /// Reads the coverage of every account of the batch, of a run that asked all sources but these.
    pub(crate) fn read(accounts: &'a RecordBatch, unasked: Sources) -> Result<Self, ArrowError> {
        let gaps = lists(accounts, "unanswered")?;
        let mut coverage = Self {
            unread: Vec::new(),
            unasked,
            outcome: texts(accounts, "outcome")?,
            skip_reason: texts(accounts, "skip_reason")?,
            gaps,
            gap_source: item_texts(gaps, "source")?,
            gap_kind: item_texts(gaps, "kind")?,
            gap_code: item_texts(gaps, "code")?,
            quarantined: lists(accounts, "quarantined_rows")?,
        };
        coverage.unread = (0..accounts.num_rows()).map(|account| coverage.unread_sources(account)).collect();
        Ok(coverage)
    }

    /// Whether the account lacks what a check needs.
    pub(crate) fn lacks(&self, account: usize, needs: &Needs) -> bool {
        self.unread.get(account).is_none_or(|unread| needs.lack(*unread, self.unasked))
    }

    /// Whether the source was asked for the account and not read.
    pub(crate) fn is_unread(&self, account: usize, source: Source) -> bool {
        self.unread.get(account).is_none_or(|unread| unread.contains(source))
    }

    /// Whether the source was not read for the account, for whatever reason.
    pub(crate) fn is_missing(&self, account: usize, source: Source) -> bool {
        self.unread.get(account).is_none_or(|unread| unread.union(self.unasked).contains(source))
    }

    /// Number of rows of the account's credential report that could not be understood.
    pub(crate) fn quarantined_rows(&self, account: usize) -> usize {
        usize::try_from(self.quarantined.value_length(account)).unwrap_or_default()
    }

    /// Why the account lacks what a check needs.
    pub(crate) fn reason(&self, account: usize, needs: &Needs) -> String {
        let unread = self.unread.get(account).copied().unwrap_or_default();
        self.reason_for(account, needs.lacking(unread, self.unasked))
    }

    /// Why these sources are missing for the account.
    pub(crate) fn reason_for(&self, account: usize, missing: Sources) -> String {
        let of_account = missing.iter().any(|source| !source.is_of_organization());
        if of_account && self.is_skipped(account) {
            return match str_at(self.skip_reason, account) {
                Some(reason) => format!("not asked: {reason}"),
                None => "not asked".to_owned(),
            };
        }
        let gaps: Vec<_> = self.gaps(account).collect();
        if of_account && let Some((_, kind, code)) = gaps.iter().find(|gap| gap.0 == Some(Source::Role)) {
            return format!("account was not opened: {code} ({kind})");
        }
        let listed = |source: Source| gaps.iter().find(|gap| gap.0 == Some(source));
        let reasons: Vec<_> = missing
            .iter()
            .filter_map(|source| match (listed(source), source.wanted_by()) {
                (Some((_, "not_asked", code)), _) => Some(format!("{source} was not asked: {code} was not read")),
                (Some((_, kind, code)), _) => Some(format!("{source} was not read: {code} ({kind})")),
                // A sweep always asks the summary, so what asks it not is no sweep.
                (None, _) if self.unasked.contains(Source::AccountSummary) => {
                    Some(format!("{source} was not asked: the run is of saved reports"))
                }
                (None, Some(setting)) => Some(format!("{source} was not asked: {setting} is off")),
                (None, None) => None,
            })
            .collect();
        if reasons.is_empty() { "nothing was read of the account".to_owned() } else { reasons.join("; ") }
    }

    /// What was asked of the account and not read. Without the role nothing of it can be; what the organization itself
    /// was asked is there all the same.
    fn unread_sources(&self, account: usize) -> Sources {
        let listed: Sources = self.gaps(account).filter_map(|gap| gap.0).collect();
        // A source that this version has never heard of is one that no rule reads, and yet it was listed.
        let nothing_listed = self.gaps(account).next().is_none();
        let failed = self.outcome.value(account) == Outcome::Failed.as_str();
        let unopened = self.is_skipped(account) || listed.contains(Source::Role) || failed && nothing_listed;
        if unopened { listed.union(of_accounts()) } else { listed }
    }

    fn is_skipped(&self, account: usize) -> bool {
        self.outcome.value(account) == Outcome::Skipped.as_str()
    }

    /// Source, kind and code of each gap of the account.
    fn gaps(&self, account: usize) -> impl Iterator<Item = (Option<Source>, &'a str, &'a str)> {
        let (source, kind, code) = (self.gap_source, self.gap_kind, self.gap_code);
        item_range(self.gaps, account)
            .map(move |item| (Source::from_name(source.value(item)), kind.value(item), code.value(item)))
    }
}

/// Every source that an account is asked, optional ones included.
fn of_accounts() -> Sources {
    Source::ALL.into_iter().filter(|source| !source.is_of_organization()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use orgsweep_core::table::Origin;

    use super::*;
    use crate::fixture::Organization;

    /// Whether an account with these keys lacks the summary or the virtual devices, and why.
    fn check(account: &str, expected: &Expect) {
        let organization = Organization::read(&format!("[[account]]\n{account}"));
        let unasked = Source::ROOT_AUDIT.into_iter().collect();
        let coverage = Coverage::read(&organization.accounts, unasked).unwrap();
        let needs = Needs::of([Source::AccountSummary, Source::VirtualMfaDevices].map(Origin::Source));
        let text = if coverage.lacks(0, &needs) { coverage.reason(0, &needs) } else { "all was read".to_owned() };
        expected.assert_eq(&text);
    }

    #[test]
    fn a_gap_of_another_source_is_no_gap() {
        check("", &expect!["all was read"]);
        check(r#"gaps = [["password_policy", "denied", "AccessDenied"]]"#, &expect!["all was read"]);
        check(r#"gaps = [["a_source_to_come", "denied", "AccessDenied"]]"#, &expect!["all was read"]);
    }

    #[test]
    fn each_gap_says_why() {
        check(
            r#"gaps = [["account_summary", "transient", "ServiceFailure"]]"#,
            &expect!["account_summary was not read: ServiceFailure (transient)"],
        );
        check(
            r#"gaps = [["account_summary", "denied", "AccessDenied"], ["virtual_mfa_devices", "not_asked", "account_summary"]]"#,
            &expect![
                "account_summary was not read: AccessDenied (denied); virtual_mfa_devices was not asked: account_summary was not read"
            ],
        );
    }

    #[test]
    fn without_the_role_nothing_was_read() {
        check(
            r#"gaps = [["role", "denied", "AccessDenied"], ["account_summary", "not_asked", "role"]]"#,
            &expect!["account was not opened: AccessDenied (denied)"],
        );
        check(r#"gaps = [["role", "transient", "Timeout"]]"#, &expect!["account was not opened: Timeout (transient)"]);
    }

    #[test]
    fn an_account_that_was_not_asked_says_so() {
        check(r#"skipped = "state is CLOSED""#, &expect!["not asked: state is CLOSED"]);
    }

    const EITHER: [Source; 2] = [Source::AccountSummary, Source::RootAccessKeys];

    /// Why an account lacks these sources.
    fn lacks(account: &str, origin: Origin, expected: &Expect) {
        let organization = Organization::read(&format!("[[account]]\n{account}"));
        let unasked = Source::ROOT_AUDIT.into_iter().collect();
        let coverage = Coverage::read(&organization.accounts, unasked).unwrap();
        let needs = Needs::of([origin]);
        let text = if coverage.lacks(0, &needs) { coverage.reason(0, &needs) } else { "all was read".to_owned() };
        expected.assert_eq(&text);
    }

    #[test]
    fn what_the_organization_was_asked_is_there_for_accounts_that_were_not() {
        let features = Origin::Source(Source::OrganizationFeatures);
        lacks(r#"skipped = "state is CLOSED""#, features, &expect!["all was read"]);
        lacks(
            "skipped = \"state is CLOSED\"\ngaps = [[\"organization_features\", \"denied\", \"AccessDenied\"]]",
            features,
            &expect!["organization_features was not read: AccessDenied (denied)"],
        );
    }

    #[test]
    fn a_run_of_saved_reports_asks_nothing_else() {
        let organization = Organization::read("[[account]]\n");
        let unasked = Source::ALL.into_iter().filter(|source| *source != Source::CredentialReport).collect();
        let coverage = Coverage::read(&organization.accounts, unasked).unwrap();
        let check = |origin: Origin, expected: &Expect| {
            let needs = Needs::of([origin]);
            let text = if coverage.lacks(0, &needs) { coverage.reason(0, &needs) } else { "all was read".to_owned() };
            expected.assert_eq(&text);
        };
        check(Origin::AnyOf(&[Source::CredentialReport, Source::AccountSummary]), &expect!["all was read"]);
        check(
            Origin::Source(Source::PasswordPolicy),
            &expect!["password_policy was not asked: the run is of saved reports"],
        );
        check(
            Origin::AnyOf(&EITHER),
            &expect![
                "account_summary was not asked: the run is of saved reports; root_access_keys was not asked: the run is of saved reports"
            ],
        );
    }

    #[test]
    fn what_settings_do_not_want_says_which_one() {
        lacks(
            "",
            Origin::Source(Source::RootAccessKeys),
            &expect!["root_access_keys was not asked: sweep.root_audit is off"],
        );
        lacks("", Origin::AnyOf(&EITHER), &expect!["all was read"]);
        lacks(
            r#"gaps = [["account_summary", "denied", "AccessDenied"]]"#,
            Origin::AnyOf(&EITHER),
            &expect!["account_summary was not read: AccessDenied (denied)"],
        );
    }
}
