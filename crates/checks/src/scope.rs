//! Where an override or an exception holds: in which accounts, and for which users.

use std::collections::BTreeMap;

use arrow_array::{Array, ListArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use orgsweep_core::{AccountId, OrgPath};
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::RuleProblem;
use crate::access_keys::SLOTS;
use crate::cell::{item_range, item_texts, lists, str_at, texts};
use crate::facts::Rows;
use crate::resource::ROOT_USER;

/// A set of accounts, and of users in them. Every key that is given must match; of the values of one key, one must.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Organizational units, at whatever depth below them, or the id of the root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ous: Vec<String>,
    /// Accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountId>,
    /// Tags of accounts: each of these keys, with a value like this one. `*` and `?` stand for other characters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Names of users, with `*` and `?`. The root user is meant by its own name alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Paths of users, such as `/service/*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_paths: Vec<String>,
}

impl Scope {
    /// The keys of a scope in a file.
    pub(crate) const KEYS: [&str; 5] = ["ous", "accounts", "tags", "users", "user_paths"];

    /// Whether it is everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it tells users of one account apart.
    pub(crate) fn has_users(&self) -> bool {
        !self.users.is_empty() || !self.user_paths.is_empty()
    }

    /// Refuses keys that stand in a file and name nothing: read as keys that are not there, they would mean everything.
    pub(crate) fn hold_keys(table: &toml::Table) -> Result<(), RuleProblem> {
        let is_empty = |value: &toml::Value| match value {
            toml::Value::Array(items) => items.is_empty(),
            toml::Value::Table(pairs) => pairs.is_empty(),
            _ => false,
        };
        match Self::KEYS.into_iter().find(|key| table.get(*key).is_some_and(is_empty)) {
            None => Ok(()),
            Some(key) => Err(RuleProblem::value(format!("{key} is empty: name what is meant, or leave the key out"))),
        }
    }

    /// What serde's types cannot say.
    pub(crate) fn validate(&self) -> Result<(), RuleProblem> {
        match self.ous.iter().find(|unit| !unit.starts_with("ou-") && !unit.starts_with("r-")) {
            None => Ok(()),
            Some(unit) => {
                let reason = format!("{unit:?} in ous is no id of an organizational unit, like ou-ab12-cdef3456");
                Err(RuleProblem::value(reason))
            }
        }
    }

    /// Whether the account is in it; `None` where that is not known.
    fn holds_account(&self, view: &ScopeView<'_>, account: usize) -> Option<bool> {
        let listed = self.accounts.is_empty()
            || self.accounts.iter().any(|wanted| wanted.as_str() == view.account_id.value(account));
        let parts = [Some(listed), self.holds_unit(view, account), self.holds_tags(view, account)];
        if parts.contains(&Some(false)) { Some(false) } else { parts.iter().all(Option::is_some).then_some(true) }
    }

    fn holds_unit(&self, view: &ScopeView<'_>, account: usize) -> Option<bool> {
        if self.ous.is_empty() {
            return Some(true);
        }
        let path = OrgPath::new(str_at(view.ou_path, account)?.to_owned());
        Some(self.ous.iter().any(|unit| path.is_below(unit)))
    }

    fn holds_tags(&self, view: &ScopeView<'_>, account: usize) -> Option<bool> {
        if self.tags.is_empty() {
            return Some(true);
        }
        let tags = view.tags(account)?;
        Some(self.tags.iter().all(|(key, pattern)| {
            tags.iter().any(|(known, value)| known == key && WildMatch::new(pattern).matches(value))
        }))
    }

    /// Whether the user is in it, given that the account is.
    fn holds_user(&self, user: &str, arn: &str) -> bool {
        let named = self.users.is_empty()
            || self
                .users
                .iter()
                .any(|pattern| if user == ROOT_USER { pattern == user } else { WildMatch::new(pattern).matches(user) });
        named && (self.user_paths.is_empty() || self.user_paths.iter().any(|it| path_matches(it, user, arn)))
    }
}

/// Whether the path of a user, from slash to slash, is like the pattern; one without the last slash will do.
fn path_matches(pattern: &str, user: &str, arn: &str) -> bool {
    let Some(path) = arn.split_once(":user").and_then(|(_, rest)| rest.strip_suffix(user)) else { return false };
    let pattern = WildMatch::new(pattern);
    pattern.matches(path) || pattern.matches(path.trim_end_matches('/'))
}

/// What scopes look at in the accounts of a chunk.
pub(crate) struct ScopeView<'a> {
    account_id: &'a StringArray,
    ou_path: &'a StringArray,
    tags: &'a ListArray,
    tag_key: &'a StringArray,
    tag_value: &'a StringArray,
}

impl<'a> ScopeView<'a> {
    pub(crate) fn of(accounts: &'a RecordBatch) -> Result<Self, ArrowError> {
        let tags = lists(accounts, "tags")?;
        Ok(Self {
            account_id: texts(accounts, "account_id")?,
            ou_path: texts(accounts, "ou_path")?,
            tags,
            tag_key: item_texts(tags, "key")?,
            tag_value: item_texts(tags, "value")?,
        })
    }

    /// The tags of the account; `None` where they were not read.
    fn tags(&self, account: usize) -> Option<Vec<(&str, &str)>> {
        let items = item_range(self.tags, account);
        self.tags
            .is_valid(account)
            .then(|| items.map(|item| (self.tag_key.value(item), self.tag_value.value(item))).collect())
    }

    /// Which accounts are in the scope, account by account.
    pub(crate) fn accounts_in(&self, scope: &Scope) -> Vec<Option<bool>> {
        (0..self.account_id.len()).map(|account| scope.holds_account(self, account)).collect()
    }
}

/// Names and ARNs of the users of a table, for scopes that tell them apart.
pub(crate) struct UserView<'a> {
    user: &'a StringArray,
    arn: &'a StringArray,
    /// How many rows there are of each.
    each: usize,
}

impl<'a> UserView<'a> {
    /// The users of a table's rows; `None` for a table that has none.
    pub(crate) fn of(rows: &'a RecordBatch) -> Option<Self> {
        Some(Self { user: texts(rows, "user").ok()?, arn: texts(rows, "arn").ok()?, each: 1 })
    }

    /// The users of rows, also where these are slots that are not turned.
    pub(crate) fn of_rows(rows: &'a Rows) -> Option<Self> {
        match &rows.slots_of {
            Some(credentials) => Some(Self { each: SLOTS, ..Self::of(credentials)? }),
            None => Self::of(&rows.batch),
        }
    }

    /// Whether the row's user is in the scope, given that its account is.
    pub(crate) fn is_in(&self, scope: &Scope, row: usize) -> bool {
        let row = row / self.each;
        scope.holds_user(self.user.value(row), self.arn.value(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Organization;

    fn scope(text: &str) -> Scope {
        toml::from_str(text).unwrap()
    }

    /// Whether an account with this path and these tags is in the scope.
    fn check(text: &str, row: &str, expected: Option<bool>) {
        let accounts = Organization::read(&format!("[[account]]\nrow = {{ {row} }}")).accounts;
        assert_eq!(ScopeView::of(&accounts).unwrap().accounts_in(&scope(text)), [expected], "{text}");
    }

    const ROW: &str = r#"ou_path = "o-a/r-a1b2/ou-a1b2-prod/ou-a1b2-pci/000000000001/""#;

    #[test]
    fn a_unit_holds_what_is_below_it_at_whatever_depth() {
        check(r#"ous = ["ou-a1b2-prod"]"#, ROW, Some(true));
        check(r#"ous = ["ou-a1b2-dev", "ou-a1b2-pci"]"#, ROW, Some(true));
        check(r#"ous = ["ou-a1b2-dev"]"#, ROW, Some(false));
        check(r#"ous = ["ou-a1b2-prod"]"#, "", None);
    }

    #[test]
    fn every_key_must_match_and_what_is_not_known_matters_only_where_it_decides() {
        check(r#"accounts = ["000000000001"]"#, ROW, Some(true));
        check("ous = [\"ou-a1b2-prod\"]\naccounts = [\"000000000002\"]", ROW, Some(false));
        check("tags = { env = \"prod\" }", ROW, None);
        check("tags = { env = \"prod\" }\naccounts = [\"000000000002\"]", ROW, Some(false));
        check("", ROW, Some(true));
    }

    #[test]
    fn tags_match_by_key_and_value_with_wildcards() {
        let tags = "tags = { env = \"prod-eu\", team = \"web\" }";
        check("tags = { env = \"prod-*\" }", tags, Some(true));
        check("tags = { env = \"prod-*\", team = \"data\" }", tags, Some(false));
        check("tags = { owner = \"*\" }", tags, Some(false));
        check("tags = { env = \"*\" }", "tags = { }", Some(false));
    }

    #[test]
    fn users_are_told_apart_by_name_and_path() {
        let holds = |text: &str, user: &str, path: &str| {
            scope(text).holds_user(user, &format!("arn:aws:iam::000000000001:user{path}{user}"))
        };
        assert!(holds(r#"users = ["ci-*"]"#, "ci-deploy", "/"));
        assert!(!holds(r#"users = ["ci-*"]"#, "alice", "/"));
        assert!(holds(r#"user_paths = ["/service/*"]"#, "ci", "/service/build/"));
        assert!(holds(r#"user_paths = ["/service"]"#, "ci", "/service/"));
        assert!(!holds(r#"user_paths = ["/service/*"]"#, "ci", "/"));
        assert!(!holds(r#"users = ["*"]"#, ROOT_USER, ""));
        assert!(holds(r#"users = ["<root_account>"]"#, ROOT_USER, ""));
        assert!(!holds("users = [\"ci\"]\nuser_paths = [\"/a/\"]", "ci", "/b/"));
    }
}
