//! Which variant of a check is in force for which row: what overrides say of accounts and of users.

use crate::compile::Check;
use crate::facts::Rows;
use crate::scope::{Scope, ScopeView, UserView};

/// The variants in force.
pub(crate) enum Choice<'a> {
    /// The first one, everywhere.
    First,
    /// What the scopes of the check's overrides say.
    Scoped(Scoped<'a>),
}

/// The overrides of one check, looked up for the accounts of a chunk.
pub(crate) struct Scoped<'a> {
    /// In the order of the overrides.
    places: Vec<Place<'a>>,
    users: Option<UserView<'a>>,
}

struct Place<'a> {
    scope: &'a Scope,
    variant: usize,
    /// Which accounts are in the scope; `None` where that is not known.
    accounts: Vec<Option<bool>>,
}

/// The variant for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// This one.
    Variant(usize),
    /// One of these: it is not known what scopes the account is in.
    OneOf(Vec<usize>),
}

impl<'a> Choice<'a> {
    /// Looks up the overrides of a check, of which `rows` are judged.
    pub(crate) fn of(check: &'a Check, view: &ScopeView<'_>, rows: &'a Rows) -> Self {
        if check.overrides.is_empty() {
            return Self::First;
        }
        let place = |(scope, variant): &'a (Scope, usize)| Place {
            scope,
            variant: *variant,
            accounts: view.accounts_in(scope),
        };
        Self::Scoped(Scoped { places: check.overrides.iter().map(place).collect(), users: UserView::of_rows(rows) })
    }

    /// The variant for one row of one account.
    pub(crate) fn at(&self, account: usize, row: usize) -> Chosen {
        match self {
            Self::First => Chosen::Variant(0),
            Self::Scoped(scoped) => scoped.at(account, row),
        }
    }
}

impl Scoped<'_> {
    fn at(&self, account: usize, row: usize) -> Chosen {
        let mut possible = Vec::new();
        for place in self.places.iter().rev() {
            let holds_user =
                !place.scope.has_users() || self.users.as_ref().is_some_and(|users| users.is_in(place.scope, row));
            match (place.accounts.get(account).copied().flatten(), holds_user) {
                (_, false) | (Some(false), true) => {}
                (Some(true), true) => return one_of(possible, place.variant),
                (None, true) => possible.push(place.variant),
            }
        }
        one_of(possible, 0)
    }
}

/// The variant that holds for certain where none of the possible ones does, or all of them.
fn one_of(mut possible: Vec<usize>, last: usize) -> Chosen {
    if possible.is_empty() {
        return Chosen::Variant(last);
    }
    possible.push(last);
    Chosen::OneOf(possible)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use orgsweep_core::Source;

    use crate::fixture::{Organization, basis, show};
    use crate::{Checker, RuleFile, RulePack, RuleSet, parse_overrides};

    const ORGANIZATION: &str = r#"
        [[account]]
        row = { ou_path = "o-a/r-a1b2/ou-a1b2-prod/000000000001/", tags = { env = "prod" } }
        [[account.users]]
        user = "alice"
        access_key_1_active = true
        access_key_1_last_rotated = "-40d"
        [[account.users]]
        user = "ci-deploy"
        arn = "arn:aws:iam::000000000001:user/service/ci-deploy"
        access_key_1_active = true
        access_key_1_last_rotated = "-40d"
        [[account]]
        gaps = [["account_tags", "denied", "AccessDeniedException"]]
        row = { ou_path = "o-a/r-a1b2/ou-a1b2-dev/000000000002/" }
        [[account.users]]
        user = "bob"
        access_key_1_active = true
        access_key_1_last_rotated = "-40d"
    "#;

    /// What the check of keys, whose own limit is 90 days, says of the organization under these overrides.
    fn check(overrides: &str, expected: &Expect) {
        let pack = RulePack::embedded().unwrap().filtered(|rule| rule.id == "access-key-rotated");
        let file = RuleFile { name: "overrides.toml".to_owned(), text: overrides.to_owned() };
        let overrides = parse_overrides(&file, &pack).unwrap();
        let rules = RuleSet::from(pack).with_scoped(overrides, Vec::new());
        let mut basis = basis();
        basis.unasked = basis.unasked.without([Source::AccountTags].into_iter().collect());
        let organization = Organization::read(ORGANIZATION);
        let verdicts = Checker::compile(&rules, basis).unwrap().evaluate(&organization.chunk()).unwrap();
        let results = show(&verdicts.check_results, &["account_id", "status", "passed", "failed", "unknown", "reason"]);
        let findings = show(&verdicts.findings, &["user", "status", "message"]);
        expected.assert_eq(&format!("{results}\n{findings}"));
    }

    #[test]
    fn an_override_holds_in_its_scope_alone() {
        check(
            "[[override]]\ncheck = \"access-key-rotated\"\nparams = { max_age_days = 30 }\nous = [\"ou-a1b2-prod\"]",
            &expect![[r"
                000000000001 | fail | 0 | 2 | 0 | -
                000000000002 | pass | 1 | 0 | 0 | -

                alice | fail | Access key 1 of user alice in account 000000000001 was last rotated 40 days ago, on 2026-10-13
                ci-deploy | fail | Access key 1 of user ci-deploy in account 000000000001 was last rotated 40 days ago, on 2026-10-13
            "]],
        );
    }

    #[test]
    fn of_several_that_hold_the_last_one_stands() {
        check(
            r#"
            [[override]]
            check = "access-key-rotated"
            params = { max_age_days = 30 }
            ous = ["r-a1b2"]
            [[override]]
            check = "access-key-rotated"
            params = { max_age_days = 60 }
            user_paths = ["/service/"]
            "#,
            &expect![[r"
                000000000001 | fail | 1 | 1 | 0 | -
                000000000002 | fail | 0 | 1 | 0 | -

                alice | fail | Access key 1 of user alice in account 000000000001 was last rotated 40 days ago, on 2026-10-13
                bob | fail | Access key 1 of user bob in account 000000000002 was last rotated 40 days ago, on 2026-10-13
            "]],
        );
    }

    #[test]
    fn where_it_is_not_known_whether_one_holds_the_verdict_is_unknown_unless_it_makes_no_difference() {
        let tagged = |days: u32| {
            format!(
                "[[override]]\ncheck = \"access-key-rotated\"\nparams = {{ max_age_days = {days} }}\ntags = {{ env = \"prod\" }}"
            )
        };
        check(
            &tagged(30),
            &expect![[r#"
            000000000001 | fail | 0 | 2 | 0 | -
            000000000002 | unknown | 0 | 0 | 1 | an override may hold here: account_tags was not read: AccessDeniedException (denied)

            alice | fail | Access key 1 of user alice in account 000000000001 was last rotated 40 days ago, on 2026-10-13
            ci-deploy | fail | Access key 1 of user ci-deploy in account 000000000001 was last rotated 40 days ago, on 2026-10-13
            bob | unknown | "Active access keys are rotated" could not be judged: an override may hold here: account_tags was not read: AccessDeniedException (denied)
        "#]],
        );
        check(
            &tagged(60),
            &expect![[r"
            000000000001 | pass | 2 | 0 | 0 | -
            000000000002 | pass | 1 | 0 | 0 | -

        "]],
        );
    }
}
