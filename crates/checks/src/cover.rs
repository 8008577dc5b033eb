//! Which exception covers a finding, if any does.

use crate::compile::{Check, Checker};
use crate::facts::Facts;
use crate::judge::Found;
use crate::scope::UserView;

/// The exceptions of a checker, looked up for the accounts of a chunk.
pub(crate) struct Covers {
    /// For each exception, which accounts it holds in; what is not known is not covered.
    accounts: Vec<Vec<Option<bool>>>,
}

/// The exception that a finding falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cover {
    /// Its place among the checker's exceptions.
    pub(crate) exception: usize,
    /// Whether it still holds.
    pub(crate) holds: bool,
}

impl Covers {
    pub(crate) fn of(checker: &Checker, facts: &Facts<'_>) -> Self {
        Self { accounts: checker.exceptions.iter().map(|it| facts.scopes.accounts_in(&it.scope)).collect() }
    }

    /// Every exception that a failed finding falls under: those that hold first, each in their order.
    pub(crate) fn all(&self, checker: &Checker, check: &Check, facts: &Facts<'_>, found: Found) -> Vec<Cover> {
        if check.exceptions.is_empty() {
            return Vec::new();
        }
        let users = UserView::of(&facts.rows(check.table).batch);
        let in_scope = |exception: usize| {
            let in_account = self.accounts.get(exception).and_then(|accounts| accounts.get(found.account));
            let scope = checker.exceptions.get(exception).map(|it| &it.scope);
            in_account == Some(&Some(true))
                && scope.is_some_and(|scope| {
                    let row = found.ground.row();
                    !scope.has_users() || row.zip(users.as_ref()).is_some_and(|(row, users)| users.is_in(scope, row))
                })
        };
        let cover = |exception: &usize| {
            let exception = *exception;
            let known = checker.exceptions.get(exception)?;
            in_scope(exception).then(|| Cover { exception, holds: !known.is_expired(checker.basis.as_of) })
        };
        let mut covers: Vec<_> = check.exceptions.iter().filter_map(cover).collect();
        covers.sort_by_key(|cover| !cover.holds);
        covers
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fixture::{Organization, basis, show};
    use crate::{Checker, RuleFile, RulePack, RuleSet, parse_exceptions};

    const ORGANIZATION: &str = r#"
        [[account]]
        row = { ou_path = "o-a/r-a1b2/ou-a1b2-prod/000000000001/" }
        [[account.users]]
        user = "alice"
        access_key_1_active = true
        access_key_1_last_rotated = "-100d"
        [[account.users]]
        user = "ci-deploy"
        access_key_1_active = true
        access_key_1_last_rotated = "-100d"
        [[account]]
        [[account.users]]
        user = "ci-test"
        access_key_1_active = true
        access_key_1_last_rotated = "-100d"
    "#;

    /// What becomes of the three failed findings under an exception with these keys; it is the 22nd of November 2026.
    fn check(keys: &[&str], expected: &Expect) {
        let pack = RulePack::embedded().unwrap().filtered(|rule| rule.id == "access-key-rotated");
        let entry = |keys: &&str| {
            format!("[[exception]]\ncheck = \"access-key-rotated\"\nowner = \"ann\"\nreason = \"so\"\n{keys}\n")
        };
        let text: String = keys.iter().map(entry).collect();
        let exceptions = parse_exceptions(&RuleFile { name: "exceptions.toml".to_owned(), text }, &pack).unwrap();
        let checker = Checker::compile(&RuleSet::from(pack).with_scoped(Vec::new(), exceptions), basis()).unwrap();
        let organization = Organization::read(ORGANIZATION);
        let verdicts = checker.evaluate(&organization.chunk()).unwrap();
        let findings =
            show(&verdicts.findings, &["user", "status", "excepted", "exception_owner", "exception_expires_at"]);
        let results = show(&verdicts.check_results, &["account_id", "status", "failed", "excepted"]);
        let uses = checker.exception_uses(&verdicts.excepted);
        let uses: Vec<_> =
            uses.iter().map(|one| format!("{} findings, expired: {}", one.findings, one.expired)).collect();
        let tally = &verdicts.tallies[0];
        let tally = format!("{} accounts, {} resources excepted", tally.accounts_excepted, tally.resources_excepted);
        expected.assert_eq(&format!("{findings}\n{results}\n{}\n{tally}\n", uses.join("\n")));
    }

    #[test]
    fn an_excepted_finding_stays_failed() {
        check(
            &["expires = 2027-01-31\nusers = [\"ci-*\"]"],
            &expect![[r"
            alice | fail | false | - | -
            ci-deploy | fail | true | ann | 2027-02-01T00:00:00Z
            ci-test | fail | true | ann | 2027-02-01T00:00:00Z

            000000000001 | fail | 2 | 1
            000000000002 | fail | 1 | 1

            2 findings, expired: false
            1 accounts, 2 resources excepted
        "]],
        );
    }

    #[test]
    fn an_expired_exception_covers_nothing_and_says_what_it_would_have() {
        check(
            &["expires = 2026-11-21\nusers = [\"ci-*\"]"],
            &expect![[r"
            alice | fail | false | - | -
            ci-deploy | fail | false | ann | 2026-11-22T00:00:00Z
            ci-test | fail | false | ann | 2026-11-22T00:00:00Z

            000000000001 | fail | 2 | 0
            000000000002 | fail | 1 | 0

            2 findings, expired: true
            0 accounts, 0 resources excepted
        "]],
        );
        check(
            &["expires = 2026-11-22\nusers = [\"ci-*\"]"],
            &expect![[r"
            alice | fail | false | - | -
            ci-deploy | fail | true | ann | 2026-11-23T00:00:00Z
            ci-test | fail | true | ann | 2026-11-23T00:00:00Z

            000000000001 | fail | 2 | 1
            000000000002 | fail | 1 | 1

            2 findings, expired: false
            1 accounts, 2 resources excepted
        "]],
        );
    }

    #[test]
    fn one_that_holds_counts_before_one_that_has_expired() {
        check(
            &["expires = 2026-01-01\nusers = [\"ci-*\"]", "expires = 2027-01-31\naccounts = [\"000000000002\"]"],
            &expect![[r"
                alice | fail | false | - | -
                ci-deploy | fail | false | ann | 2026-01-02T00:00:00Z
                ci-test | fail | true | ann | 2027-02-01T00:00:00Z

                000000000001 | fail | 2 | 0
                000000000002 | fail | 1 | 1

                2 findings, expired: true
                1 findings, expired: false
                1 accounts, 1 resources excepted
            "]],
        );
    }

    #[test]
    fn one_that_matches_nothing_is_counted_as_such_and_what_is_not_known_is_not_covered() {
        check(
            &["expires = 2027-01-31\nusers = [\"nobody\"]", "expires = 2027-01-31\nous = [\"ou-a1b2-prod\"]"],
            &expect![[r"
            alice | fail | true | ann | 2027-02-01T00:00:00Z
            ci-deploy | fail | true | ann | 2027-02-01T00:00:00Z
            ci-test | fail | false | - | -

            000000000001 | fail | 2 | 2
            000000000002 | fail | 1 | 0

            0 findings, expired: false
            2 findings, expired: false
            1 accounts, 2 resources excepted
        "]],
        );
    }
}
