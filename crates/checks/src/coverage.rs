//! Which sources were read for each account, and for those that were not, why: from the `accounts` rows alone, so that
//! a committed run can be checked again.

use arrow_array::{Array, ListArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use orgsweep_core::{Outcome, Source};

use crate::cell::{item_texts, lists, str_at, texts};

/// A set of sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sources(u32);

impl Sources {
    /// Every source, those to come included.
    const ALL: Self = Self(u32::MAX);

    pub(crate) fn insert(&mut self, source: Source) {
        let position = Source::ALL.iter().position(|known| *known == source);
        // A source that is in no list would be one that is never read.
        self.0 |= position.and_then(|bit| 1u32.checked_shl(u32::try_from(bit).ok()?)).unwrap_or(u32::MAX);
    }

    pub(crate) fn contains(self, source: Source) -> bool {
        let mut one = Self::default();
        one.insert(source);
        self.meets(one)
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<Source> for Sources {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        sources.into_iter().fold(Self::default(), |mut set, source| {
            set.insert(source);
            set
        })
    }
}

/// What was not read, account by account.
pub(crate) struct Coverage<'a> {
    unread: Vec<Sources>,
    outcome: &'a StringArray,
    skip_reason: &'a StringArray,
    gaps: &'a ListArray,
    gap_source: &'a StringArray,
    gap_kind: &'a StringArray,
    gap_code: &'a StringArray,
    quarantined: &'a ListArray,
}

impl<'a> Coverage<'a> {
    /// Reads the coverage of every account of the batch.
    pub(crate) fn read(accounts: &'a RecordBatch) -> Result<Self, ArrowError> {
        let gaps = lists(accounts, "unanswered")?;
        let mut coverage = Self {
            unread: Vec::new(),
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

    /// Whether one of these sources was not read for the account.
    pub(crate) fn lacks(&self, account: usize, sources: Sources) -> bool {
        self.unread.get(account).is_none_or(|unread| unread.meets(sources))
    }

    /// Number of rows of the account's credential report that could not be understood.
    pub(crate) fn quarantined_rows(&self, account: usize) -> usize {
        usize::try_from(self.quarantined.value_length(account)).unwrap_or_default()
    }

    /// Why the account lacks one of these sources.
    pub(crate) fn reason(&self, account: usize, sources: Sources) -> String {
        if self.is_skipped(account) {
            return match str_at(self.skip_reason, account) {
                Some(reason) => format!("not asked: {reason}"),
                None => "not asked".to_owned(),
            };
        }
        let gaps: Vec<_> = self.gaps(account).collect();
        if let Some((_, kind, code)) = gaps.iter().find(|gap| gap.0 == Some(Source::Role)) {
            return format!("account was not opened: {code} ({kind})");
        }
        let reasons: Vec<_> = gaps
            .into_iter()
            .filter_map(|(source, kind, code)| Some((source.filter(|source| sources.contains(*source))?, kind, code)))
            .map(|(source, kind, code)| match kind {
                "not_asked" => format!("{source} was not asked: {code} was not read"),
                _ => format!("{source} was not read: {code} ({kind})"),
            })
            .collect();
        if reasons.is_empty() { "nothing was read of the account".to_owned() } else { reasons.join("; ") }
    }

    fn unread_sources(&self, account: usize) -> Sources {
        let mut unread = Sources::default();
        let mut nothing_listed = true;
        for (source, _, _) in self.gaps(account) {
            nothing_listed = false;
            match source {
                // Without the role nothing of the account can be read.
                Some(Source::Role) => return Sources::ALL,
                Some(source) => unread.insert(source),
                // A source that this version has never heard of is one that no rule reads.
                None => {}
            }
        }
        let failed = self.outcome.value(account) == Outcome::Failed.as_str();
        if self.is_skipped(account) || failed && nothing_listed { Sources::ALL } else { unread }
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

/// The positions of a list's items among the items of all lists.
fn item_range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offset = |index: usize| list.value_offsets().get(index).and_then(|offset| usize::try_from(*offset).ok());
    if list.is_null(row) {
        return 0..0;
    }
    offset(row).unwrap_or_default()..offset(row + 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::Organization;

    /// Whether an account with these keys lacks the summary or the virtual devices, and why.
    fn check(account: &str, expected: &Expect) {
        let organization = Organization::read(&format!("[[account]]\n{account}"));
        let coverage = Coverage::read(&organization.accounts).unwrap();
        let sources = [Source::AccountSummary, Source::VirtualMfaDevices].into_iter().collect();
        let text = if coverage.lacks(0, sources) { coverage.reason(0, sources) } else { "all was read".to_owned() };
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
}
