//! Decides: one check over all accounts of a chunk, in one pass over the predicates' results.

use std::ops::Range;

use arrow_buffer::BooleanBuffer;

use crate::Status;
use crate::answers::Answers;
use crate::choice::{Choice, Chosen};
use crate::compile::Check;
use crate::facts::{Facts, Rows};
use crate::row_masks::RowMasks;

/// What one check says of every account.
pub(crate) struct Judgement {
    /// In the order of the accounts.
    pub(crate) accounts: Vec<AccountVerdict>,
    /// What is to be told, sorted by account, then by row.
    pub(crate) found: Vec<Found>,
    /// The rows of the check's table that are told of, and maybe others; `None` where they were not told apart.
    pub(crate) told: Option<BooleanBuffer>,
}

/// What one check says of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountVerdict {
    pub(crate) status: Status,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) unknown: u32,
    /// The first of the check's notes on passes that holds for everything that passed.
    pub(crate) note: Option<usize>,
}

/// One resource that failed, or could not be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Index of the account.
    pub(crate) account: usize,
    /// Index of the check's variant that was in force.
    pub(crate) variant: usize,
    pub(crate) ground: Ground,
}

/// Why a resource is among what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// A source that the check reads was not read; the resource is the account.
    Unread,
    /// Rows of the report could not be understood; the resource is the account.
    Quarantined,
    /// It is not known which params are in force for this row, and they would decide otherwise.
    Undecided(usize),
    /// `applies_when` is null for this row, or fails on its values.
    NullApplies(usize),
    /// `fails_when` is null for this row, or fails on its values.
    NullFails(usize),
    /// `fails_when` is true for this row.
    Failed(usize),
}

impl Ground {
    /// The status of the resource.
    pub(crate) fn status(self) -> Status {
        if matches!(self, Self::Failed(_)) { Status::Fail } else { Status::Unknown }
    }

    /// The row of the check's table that is meant; `None` where it is the account as a whole.
    pub(crate) fn row(self) -> Option<usize> {
        match self {
            Self::Unread | Self::Quarantined => None,
            Self::Undecided(row) | Self::NullApplies(row) | Self::NullFails(row) | Self::Failed(row) => Some(row),
        }
    }

    /// The same of another row.
    pub(crate) fn at(self, row: usize) -> Self {
        match self {
            Self::Unread | Self::Quarantined => self,
            Self::Undecided(_) => Self::Undecided(row),
            Self::NullApplies(_) => Self::NullApplies(row),
            Self::NullFails(_) => Self::NullFails(row),
            Self::Failed(_) => Self::Failed(row),
        }
    }
}

/// What one check says of every row of its table.
pub(crate) struct RowJudge<'a> {
    choice: Choice<'a>,
    /// In the order of the check's variants, of which there is at least one.
    answers: Vec<Answers>,
}

/// What a check says of one row.
pub(crate) struct RowVerdict {
    pub(crate) status: Status,
    variant: usize,
    ground: Option<Ground>,
}

impl<'a> RowJudge<'a> {
    /// Evaluates every variant of the check on all rows.
    pub(crate) fn of(check: &'a Check, facts: &'a Facts<'_>) -> Self {
        let rows = facts.rows(check.table);
        Self {
            choice: Choice::of(check, &facts.scopes, rows),
            answers: check.variants.iter().map(|variant| Answers::of(variant, rows)).collect(),
        }
    }

    /// What the check says of one row of one account.
    pub(crate) fn verdict(&self, account: usize, row: usize) -> RowVerdict {
        let variant = match self.choice.at(account, row) {
            Chosen::Variant(variant) => Some(variant),
            // Where all that may be in force say the same, it makes no difference which one is.
            Chosen::OneOf(possible) => {
                let statuses = || possible.iter().map(|variant| self.status(*variant, row));
                let first = statuses().next();
                statuses().all(|status| Some(status) == first).then(|| possible.first().copied()).flatten()
            }
        };
        let Some((variant, answers)) = variant.and_then(|variant| Some((variant, self.answers.get(variant)?))) else {
            return RowVerdict { status: Status::Unknown, variant: 0, ground: Some(Ground::Undecided(row)) };
        };
        let status = answers.status(row);
        RowVerdict { status, variant, ground: answers.ground(row, status) }
    }

    /// The answers of all rows as bits, where one variant is in force for all of them.
    fn masks(&self) -> Option<(&Answers, RowMasks)> {
        let answers = self.answers.first().filter(|_| matches!(self.choice, Choice::First))?;
        Some((answers, answers.masks()))
    }

    fn status(&self, variant: usize, row: usize) -> Option<Status> {
        self.answers.get(variant).map(|answers| answers.status(row))
    }

    /// Which of the notes of a variant hold for a row that passed.
    fn notes(&self, row: usize, variant: usize) -> impl Iterator<Item = bool> {
        self.answers.get(variant).into_iter().flat_map(move |answers| answers.notes(row))
    }
}

/// Judges every account by `check`.
pub(crate) fn judge(check: &Check, facts: &Facts<'_>) -> Judgement {
    let rows = facts.rows(check.table);
    let judge = RowJudge::of(check, facts);
    let masks = judge.masks();
    let mut found = Vec::new();
    let accounts = (0..facts.len())
        .map(|account| {
            if facts.coverage.lacks(account, &check.needs) {
                found.push(Found { account, variant: 0, ground: Ground::Unread });
                return AccountVerdict { status: Status::Unknown, passed: 0, failed: 0, unknown: 1, note: None };
            }
            let quarantined = check.judges_report_rows() && facts.coverage.quarantined_rows(account) > 0;
            if quarantined {
                found.push(Found { account, variant: 0, ground: Ground::Quarantined });
            }
            let unknown = u32::from(quarantined);
            match &masks {
                Some((answers, masks)) => {
                    let rows = rows.of(account);
                    let told = masks.told(&rows).into_iter().filter_map(|row| answers.ground(row, answers.status(row)));
                    found.extend(told.map(|ground| Found { account, variant: 0, ground }));
                    count_account(masks, &rows, unknown)
                }
                None => judge_account(&judge, rows, account, unknown, &mut found),
            }
        })
        .collect();
    Judgement { accounts, found, told: masks.map(|(_, masks)| masks.into_told()) }
}

/// Counts what one account's rows did, all under the same variant; `unknown` resources are known of already.
fn count_account(masks: &RowMasks, rows: &Range<usize>, unknown: u32) -> AccountVerdict {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let counts = masks.counts(rows);
    let (passed, failed, unknown) = (number(counts.passed), number(counts.failed), unknown + number(counts.unknown));
    let note = if passed > 0 { masks.note(rows) } else { None };
    AccountVerdict { status: Status::of_account(failed, unknown, passed), passed, failed, unknown, note }
}

/// Judges one account whose sources were read; `unknown` resources are known of already.
fn judge_account(
    judge: &RowJudge<'_>,
    rows: &Rows,
    account: usize,
    mut unknown: u32,
    found: &mut Vec<Found>,
) -> AccountVerdict {
    let (mut passed, mut failed) = (0, 0);
    let mut notes: Option<Vec<bool>> = None;
    for row in rows.of(account) {
        let RowVerdict { status, variant, ground } = judge.verdict(account, row);
        match status {
            Status::NotApplicable => {}
            Status::Pass => {
                passed += 1;
                let own = judge.notes(row, variant);
                notes = Some(match notes {
                    None => own.collect(),
                    Some(before) => before.into_iter().zip(own).map(|(before, own)| before && own).collect(),
                });
            }
            Status::Fail => failed += 1,
            Status::Unknown => unknown += 1,
        }
        found.extend(ground.map(|ground| Found { account, variant, ground }));
    }
    let note = notes.and_then(|notes| notes.iter().position(|holds| *holds));
    AccountVerdict { status: Status::of_account(failed, unknown, passed), passed, failed, unknown, note }
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;
    use expect_test::expect;

    use crate::fixture::{Organization, basis, pack, show};
    use crate::{Checker, Chunk, RulePack, Verdicts, run_cases};

    const RESULT: [&str; 6] = ["account_id", "status", "reason", "passed", "failed", "unknown"];
    const FINDING: [&str; 5] = ["account_id", "status", "user", "message", "reason"];

    /// Accounts with 2, 0, 50 and 0 users, and one whose summary was not read.
    const USERS: &str = r#"
        [[account]]
        row = { iam_users = 2 }
        [[account]]
        row = { iam_users = 0 }
        [[account]]
        row = { iam_users = 50 }
        [[account]]
        row = { iam_users = 0, state = "CLOSED" }
        [[account]]
        row = { iam_users = 0 }
        gaps = [["account_summary", "denied", "AccessDenied"]]
    "#;

    /// What the rule says of [`USERS`], so many accounts at a time.
    fn chunked(pack: &RulePack, size: usize) -> Verdicts {
        let checker = Checker::compile(&pack.clone().into(), basis()).unwrap();
        let Organization { accounts, credentials } = Organization::read(USERS);
        let parts = (0..accounts.num_rows()).step_by(size).map(|start| {
            let accounts = accounts.slice(start, size.min(accounts.num_rows() - start));
            checker.evaluate(&Chunk { accounts: &accounts, credentials: &credentials }).unwrap()
        });
        parts.reduce(|whole, part| join(whole, &part)).unwrap()
    }

    fn join(mut whole: Verdicts, part: &Verdicts) -> Verdicts {
        let concat = |one: &RecordBatch, other: &RecordBatch| {
            arrow_select::concat::concat_batches(&one.schema(), [one, other]).unwrap()
        };
        whole.findings = concat(&whole.findings, &part.findings);
        whole.check_results = concat(&whole.check_results, &part.check_results);
        whole.tallies.iter_mut().zip(&part.tallies).for_each(|(sum, tally)| *sum += tally);
        whole
    }

    fn shown(verdicts: &Verdicts) -> String {
        format!("{}\n{}", show(&verdicts.check_results, &RESULT), show(&verdicts.findings, &FINDING))
    }

    #[test]
    fn a_row_on_which_a_predicate_fails_is_unknown_and_the_others_keep_their_verdict() {
        let pack = pack("table = \"accounts\"\nfails_when = \"100 / iam_users > 3\"\nevidence = [\"iam_users\"]");
        let whole = chunked(&pack, 5);
        expect![[r#"
            000000000001 | fail | - | 0 | 1 | 0
            000000000002 | unknown | predicate failed: Divide by zero error | 0 | 0 | 1
            000000000003 | pass | - | 1 | 0 | 0
            000000000004 | unknown | predicate failed: Divide by zero error | 0 | 0 | 1
            000000000005 | unknown | account_summary was not read: AccessDenied (denied) | 0 | 0 | 1

            000000000001 | fail | - | All is well | -
            000000000002 | unknown | - | "All is well" could not be judged: predicate failed: Divide by zero error | predicate failed: Divide by zero error
            000000000004 | unknown | - | "All is well" could not be judged: predicate failed: Divide by zero error | predicate failed: Divide by zero error
            000000000005 | unknown | - | "All is well" could not be judged: account_summary was not read: AccessDenied (denied) | account_summary was not read: AccessDenied (denied)
        "#]].assert_eq(&shown(&whole));
        let tally = &whole.tallies[0];
        let accounts = (tally.accounts_passed, tally.accounts_failed, tally.accounts_unknown);
        assert_eq!((accounts, tally.resources_failed, tally.resources_unknown), ((1, 1, 3), 1, 3));
        for size in 1..5 {
            let parts = chunked(&pack, size);
            assert_eq!(parts.findings, whole.findings);
            assert_eq!(parts.check_results, whole.check_results);
            assert_eq!(parts.tallies, whole.tallies);
        }
    }

    #[test]
    fn a_failing_applies_when_is_unknown_and_a_false_one_spares_its_row() {
        let failing = "applies_when = \"100 / iam_users > 3\"\nfails_when = \"state = 'CLOSED'\"";
        let guarded = "applies_when = \"iam_users > 0\"\nfails_when = \"100 / iam_users > 3\"";
        let results = |predicates: &str| {
            let pack = pack(&format!("table = \"accounts\"\nevidence = []\n{predicates}"));
            show(&chunked(&pack, 5).check_results, &RESULT)
        };
        expect![[r"
            000000000001 | pass | - | 1 | 0 | 0
            000000000002 | unknown | predicate failed: Divide by zero error | 0 | 0 | 1
            000000000003 | not_applicable | - | 0 | 0 | 0
            000000000004 | unknown | predicate failed: Divide by zero error | 0 | 0 | 1
            000000000005 | unknown | account_summary was not read: AccessDenied (denied) | 0 | 0 | 1
        "]]
        .assert_eq(&results(failing));
        expect![[r"
            000000000001 | fail | - | 0 | 1 | 0
            000000000002 | not_applicable | - | 0 | 0 | 0
            000000000003 | pass | - | 1 | 0 | 0
            000000000004 | not_applicable | - | 0 | 0 | 0
            000000000005 | unknown | account_summary was not read: AccessDenied (denied) | 0 | 0 | 1
        "]]
        .assert_eq(&results(guarded));
    }

    #[test]
    fn a_failing_note_is_no_note() {
        let pack = pack(
            "table = \"accounts\"\nfails_when = \"iam_users > 2\"\nevidence = []\n\
             pass_notes = [{ when = \"100 / iam_users > 3\", text = \"few users\" }]",
        );
        expect![[r"
            000000000001 | pass | few users | 1 | 0 | 0
            000000000002 | pass | - | 1 | 0 | 0
            000000000003 | fail | - | 0 | 1 | 0
            000000000004 | pass | - | 1 | 0 | 0
            000000000005 | unknown | account_summary was not read: AccessDenied (denied) | 0 | 0 | 1
        "]]
        .assert_eq(&show(&chunked(&pack, 5).check_results, &RESULT));
    }

    #[test]
    fn one_user_of_many_on_whom_a_predicate_fails_is_one_unknown_resource() {
        let pack = pack("table = \"credentials\"\nfails_when = \"1 / (length(\\\"user\\\") - 3) = 1\"\nevidence = []");
        let users = "[[account]]\nusers = [{ user = \"abel\" }, { user = \"bob\" }, { user = \"carol\" }]";
        let checker = Checker::compile(&pack.into(), basis()).unwrap();
        expect![[r#"
            000000000001 | fail | - | 1 | 1 | 1

            000000000001 | fail | abel | All is well | -
            000000000001 | unknown | bob | "All is well" could not be judged: predicate failed: Divide by zero error | predicate failed: Divide by zero error
        "#]].assert_eq(&shown(&checker.evaluate(&Organization::read(users).chunk()).unwrap()));
    }

    #[test]
    fn a_case_can_expect_a_failing_predicate() {
        let pack = pack(
            "table = \"accounts\"\nfails_when = \"100 / iam_users > 3\"\nevidence = []\n\
             [[check.case]]\nname = \"none\"\nrow = { iam_users = 0 }\nexpect = \"unknown\"\nreason = \"predicate failed: Divide by zero error\"",
        );
        assert!(run_cases(&pack).unwrap().iter().all(|result| result.passed));
    }
}
