//! Overrides and exceptions: what holds for some accounts or users alone. Files are TOML, like those of rules.

use orgsweep_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::nearest;
use crate::params::{ParamsByName, fit_values};
use crate::parse::{known_keys, line_at, one_line};
use crate::scope::Scope;
use crate::{RuleError, RuleFile, RulePack, RuleProblem};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Other values for the params of a check, where its scope holds. Of several that do, the last one stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// The check.
    pub check: String,
    /// The params that differ.
    pub params: ParamsByName,
    /// Where.
    pub scope: Scope,
}

/// Findings of one check that somebody answers for, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The check.
    pub check: String,
    /// Which accounts and users.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why it is made.
    pub reason: String,
    /// When it ends: it holds before this time.
    pub expires_at: Timestamp,
}

impl Exception {
    /// Whether it has ended at this time.
    #[must_use]
    pub fn is_expired(&self, as_of: Timestamp) -> bool {
        self.expires_at <= as_of
    }
}

/// What became of an exception in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionUse {
    /// The exception.
    #[serde(flatten)]
    pub exception: Exception,
    /// Whether it had ended by the time that the run judges by, and so covers nothing any more.
    pub expired: bool,
    /// Failed findings that it covers, or would cover had it not ended.
    pub findings: u64,
}

/// An entry as it stands in a file, before it is looked at as a whole.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    check: Option<String>,
    #[serde(default)]
    params: ParamsByName,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    expires: Option<toml::Value>,
    #[serde(flatten)]
    scope: Scope,
}

/// Reads the overrides of one file, and holds them against the pack whose checks they name.
///
/// # Errors
/// No TOML, an unknown key, check or param, a value that cannot be, an entry without a scope.
pub fn parse_overrides(file: &RuleFile, pack: &RulePack) -> Result<Vec<Override>, RuleError> {
    entries(file, "override", &["check", "params"])?
        .into_iter()
        .map(|(place, entry)| {
            read_override(entry, pack).map_err(|problem| RuleError::in_entry(&file.name, place, problem))
        })
        .collect()
}

/// Reads the exceptions of one file, and holds them against the pack whose checks they name.
///
/// # Errors
/// No TOML, an unknown key or check, a value that cannot be, an entry without owner, reason or expiry date.
pub fn parse_exceptions(file: &RuleFile, pack: &RulePack) -> Result<Vec<Exception>, RuleError> {
    entries(file, "exception", &["check", "owner", "reason", "expires"])?
        .into_iter()
        .map(|(place, entry)| {
            read_exception(entry, pack).map_err(|problem| RuleError::in_entry(&file.name, place, problem))
        })
        .collect()
}

/// The entries of a file, each with what errors call it: `exception 2 (root-mfa)`.
fn entries(file: &RuleFile, kind: &str, own_keys: &[&str]) -> Result<Vec<(String, Entry)>, RuleError> {
    let in_file = |problem| RuleError::in_file(&file.name, problem);
    let root: toml::Table = toml::from_str(&file.text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(&file.text, span.start));
        in_file(RuleProblem::Syntax { line, reason: one_line(error.message()) })
    })?;
    known_keys(&root, &[kind], "").map_err(in_file)?;
    let Some(listed) = root.get(kind) else { return Ok(Vec::new()) };
    let listed = listed
        .as_array()
        .ok_or_else(|| in_file(RuleProblem::value(format!("\"{kind}\" must be written as [[{kind}]]"))))?;
    let keys = [own_keys, &Scope::KEYS].concat();
    let entry = |(index, value): (usize, &toml::Value)| {
        let check = value.get("check").and_then(toml::Value::as_str).map_or(String::new(), |it| format!(" ({it})"));
        let place = format!("{kind} {}{check}", index + 1);
        let in_entry = |problem| RuleError::in_entry(&file.name, place.clone(), problem);
        let Some(table) = value.as_table() else {
            let reason = format!("is {value}, where a table is expected: write it as [[{kind}]]");
            return Err(in_entry(RuleProblem::value(reason)));
        };
        known_keys(table, &keys, "").map_err(in_entry)?;
        Scope::hold_keys(table).map_err(in_entry)?;
        let read: Result<Entry, toml::de::Error> = value.clone().try_into();
        let entry = read.map_err(|error| in_entry(RuleProblem::value(one_line(&error.to_string()))))?;
        Ok((place, entry))
    };
    listed.iter().enumerate().map(entry).collect()
}

fn read_override(entry: Entry, pack: &RulePack) -> Result<Override, RuleProblem> {
    let Entry { check, params, scope, .. } = entry;
    let rule = rule_of(check.as_deref(), pack)?;
    hold_scope(&scope, rule)?;
    if scope.is_everything() {
        let reason = "names no accounts or users: set [checks.params] in orgsweep.toml for all of them";
        return Err(RuleProblem::value(reason));
    }
    if params.is_empty() {
        return Err(RuleProblem::value("has no params, so that it changes nothing"));
    }
    let params = fit_values(&rule.params, &params)?;
    Ok(Override { check: rule.id.clone(), params, scope })
}

fn read_exception(entry: Entry, pack: &RulePack) -> Result<Exception, RuleProblem> {
    let Entry { check, owner, reason, expires, scope, .. } = entry;
    let rule = rule_of(check.as_deref(), pack)?;
    hold_scope(&scope, rule)?;
    for (key, text) in [("owner", &owner), ("reason", &reason)] {
        if text.trim().is_empty() {
            let told = format!("has no {key}; an exception needs an owner, a reason and a date on which it expires");
            return Err(RuleProblem::value(told));
        }
    }
    let expires_at = expiry(expires.as_ref())?;
    Ok(Exception { check: rule.id.clone(), scope, owner, reason, expires_at })
}

fn rule_of<'a>(check: Option<&str>, pack: &'a RulePack) -> Result<&'a crate::Rule, RuleProblem> {
    let Some(check) = check else { return Err(RuleProblem::value("names no check")) };
    pack.rule(check).ok_or_else(|| {
        let near = nearest(check, pack.rules().iter().map(|rule| rule.id.as_str()));
        RuleProblem::UnknownCheck { check: check.to_owned(), nearest: near }
    })
}

fn hold_scope(scope: &Scope, rule: &crate::Rule) -> Result<(), RuleProblem> {
    scope.validate()?;
    if scope.has_users() && rule.table.source().is_none() {
        let reason = format!("check {} judges accounts, not users: leave users and user_paths out", rule.id);
        return Err(RuleProblem::value(reason));
    }
    Ok(())
}

/// A day as such is the last one on which the exception holds; a point in time is its end.
fn expiry(value: Option<&toml::Value>) -> Result<Timestamp, RuleProblem> {
    let missing = "has no expires; an exception needs an owner, a reason and a date on which it expires";
    let value = value.ok_or_else(|| RuleProblem::value(missing))?;
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(time) => time.to_string(),
        other => other.to_string(),
    };
    let day = Timestamp::parse(&format!("{text}T00:00:00Z")).ok();
    let end = day.map(|day| Timestamp::from_millis(day.millis().saturating_add(DAY)));
    end.or_else(|| Timestamp::parse(&text).ok())
        .ok_or_else(|| RuleProblem::value(format!("expires is {text}, where a date like 2027-03-31 is expected")))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn file(text: &str) -> RuleFile {
        RuleFile { name: "my.toml".to_owned(), text: text.to_owned() }
    }

    fn exception(keys: &str, expected: &Expect) {
        let pack = RulePack::embedded().unwrap();
        let told = match parse_exceptions(&file(&format!("[[exception]]\n{keys}")), &pack) {
            Ok(exceptions) => format!("{:?}", exceptions.iter().map(|it| it.expires_at).collect::<Vec<_>>()),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&told);
    }

    const WHOLE: &str = "check = \"root-mfa\"\nowner = \"ann@example.com\"\nreason = \"migrating\"\n";

    #[test]
    fn an_exception_holds_to_the_end_of_its_last_day() {
        exception(&format!("{WHOLE}expires = 2027-03-31"), &expect!["[2027-04-01T00:00:00Z]"]);
        exception(&format!("{WHOLE}expires = \"2027-03-31\""), &expect!["[2027-04-01T00:00:00Z]"]);
        exception(&format!("{WHOLE}expires = 2027-03-31T12:00:00Z"), &expect!["[2027-03-31T12:00:00Z]"]);
    }

    #[test]
    fn an_exception_without_owner_reason_or_expiry_is_an_error() {
        exception(
            WHOLE,
            &expect![
                "my.toml: exception 1 (root-mfa): has no expires; an exception needs an owner, a reason and a date on which it expires"
            ],
        );
        exception(
            "check = \"root-mfa\"\nowner = \"ann\"\nexpires = 2027-03-31",
            &expect![
                "my.toml: exception 1 (root-mfa): has no reason; an exception needs an owner, a reason and a date on which it expires"
            ],
        );
        exception(
            "check = \"root-mfa\"\nreason = \"so\"\nexpires = 2027-03-31",
            &expect![
                "my.toml: exception 1 (root-mfa): has no owner; an exception needs an owner, a reason and a date on which it expires"
            ],
        );
        exception(
            &format!("{WHOLE}expires = \"soon\""),
            &expect!["my.toml: exception 1 (root-mfa): expires is soon, where a date like 2027-03-31 is expected"],
        );
    }

    #[test]
    fn what_nobody_knows_is_named_with_the_nearest() {
        exception(
            "check = \"rot-mfa\"",
            &expect![[r#"my.toml: exception 1 (rot-mfa): there is no check "rot-mfa"; did you mean "root-mfa"?"#]],
        );
        exception(
            &format!("{WHOLE}expire = 2027-03-31"),
            &expect![[r#"my.toml: exception 1 (root-mfa): unknown key "expire"; did you mean "expires"?"#]],
        );
        exception(
            &format!("{WHOLE}expires = 2027-03-31\nusers = [\"a\"]"),
            &expect![
                "my.toml: exception 1 (root-mfa): check root-mfa judges accounts, not users: leave users and user_paths out"
            ],
        );
        exception(
            &format!("{WHOLE}expires = 2027-03-31\naccounts = [\"123\"]"),
            &expect![[
                r#"my.toml: exception 1 (root-mfa): "123" is not an AWS account id: twelve digits are expected"#
            ]],
        );
        exception(
            &format!("{WHOLE}expires = 2027-03-31\nous = [\"prod\"]"),
            &expect![[
                r#"my.toml: exception 1 (root-mfa): "prod" in ous is no id of an organizational unit, like ou-ab12-cdef3456"#
            ]],
        );
    }

    #[test]
    fn a_key_of_a_scope_that_names_nothing_is_an_error_and_not_everything() {
        let check = |key: &str, empty: &str| {
            let told =
                format!("my.toml: exception 1 (user-mfa): {key} is empty: name what is meant, or leave the key out");
            let text = WHOLE.replace("root-mfa", "user-mfa");
            let pack = RulePack::embedded().unwrap();
            let text = format!("[[exception]]\n{text}expires = 2030-01-01\n{key} = {empty}\n");
            assert_eq!(parse_exceptions(&file(&text), &pack).unwrap_err().to_string(), told);
            let text = format!(
                "[[override]]\ncheck = \"user-mfa\"\n{key} = {empty}\n{other}\n",
                other = if key == "ous" { "users = [\"ci\"]" } else { "ous = [\"ou-ab12-prod\"]" }
            );
            let told = told.replace("exception", "override");
            assert_eq!(parse_overrides(&file(&text), &pack).unwrap_err().to_string(), told);
        };
        for key in ["ous", "accounts", "users", "user_paths"] {
            check(key, "[]");
        }
        check("tags", "{}");
    }

    #[test]
    fn an_entry_that_is_no_table_is_an_error() {
        let pack = RulePack::embedded().unwrap();
        let told = parse_exceptions(&file("exception = [1, 2]"), &pack).unwrap_err().to_string();
        expect!["my.toml: exception 1: is 1, where a table is expected: write it as [[exception]]"].assert_eq(&told);
    }

    #[test]
    fn an_override_changes_params_that_are_there_in_a_scope_that_is_one() {
        let pack = RulePack::embedded().unwrap();
        let check = |keys: &str, expected: &Expect| {
            let told = parse_overrides(&file(&format!("[[override]]\ncheck = \"access-key-rotated\"\n{keys}")), &pack);
            expected.assert_eq(&told.map_or_else(|error| error.to_string(), |found| format!("{} found", found.len())));
        };
        check("params = { max_age_days = 30 }\nous = [\"ou-ab12-prod\"]", &expect!["1 found"]);
        check(
            "params = { max_age_days = 30 }",
            &expect![
                "my.toml: override 1 (access-key-rotated): names no accounts or users: set [checks.params] in orgsweep.toml for all of them"
            ],
        );
        check(
            "ous = [\"ou-ab12-prod\"]",
            &expect!["my.toml: override 1 (access-key-rotated): has no params, so that it changes nothing"],
        );
        check(
            "params = { max_age_day = 30 }\nous = [\"ou-ab12-prod\"]",
            &expect![[
                r#"my.toml: override 1 (access-key-rotated): unknown key "max_age_day"; did you mean "max_age_days"?"#
            ]],
        );
        check(
            "params = { max_age_days = \"x\" }\nous = [\"ou-ab12-prod\"]",
            &expect![
                "my.toml: override 1 (access-key-rotated): param max_age_days cannot be x: its default is 90, and its type stays"
            ],
        );
    }
}
