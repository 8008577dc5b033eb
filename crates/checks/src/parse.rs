//! Reads rule files: TOML text to rules. Knows keys and their shapes; predicates are compiled elsewhere.

use std::collections::BTreeSet;

use crate::error::nearest;
use crate::params::hold_number;
use crate::{Rule, RuleError, RuleFile, RuleProblem};

/// The keys of `[[check]]`, in the order in which a rule is best written.
const CHECK_KEYS: [&str; 17] = [
    "id",
    "title",
    "description",
    "rationale",
    "table",
    "resource",
    "severity",
    "applies_when",
    "fails_when",
    "params",
    "evidence",
    "frameworks",
    "message",
    "remediation",
    "command",
    "pass_notes",
    "case",
];

/// The keys of `[[check.case]]`.
const CASE_KEYS: [&str; 12] = [
    "name",
    "row",
    "rows",
    "unread",
    "quarantined",
    "skipped",
    "params",
    "expect",
    "expect_rows",
    "reason",
    "message",
    "command",
];

/// The keys of one of `pass_notes`.
const PASS_NOTE_KEYS: [&str; 2] = ["when", "text"];

/// Reads the rules of one file.
pub(crate) fn parse_file(file: &RuleFile) -> Result<Vec<Rule>, RuleError> {
    let root: toml::Table = toml::from_str(&file.text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(&file.text, span.start));
        RuleError::in_file(&file.name, RuleProblem::Syntax { line, reason: one_line(error.message()) })
    })?;
    known_keys(&root, &["check"], "").map_err(|problem| RuleError::in_file(&file.name, problem))?;
    let none = toml::Value::Array(Vec::new());
    let Some(checks) = root.get("check").unwrap_or(&none).as_array() else {
        let problem = RuleProblem::value("\"check\" must be written as [[check]]");
        return Err(RuleError::in_file(&file.name, problem));
    };
    if checks.is_empty() {
        return Err(RuleError::in_file(&file.name, RuleProblem::value("holds no check: [[check]] begins one")));
    }
    checks.iter().enumerate().map(|(index, check)| parse_check(file, index, check)).collect()
}

fn parse_check(file: &RuleFile, index: usize, check: &toml::Value) -> Result<Rule, RuleError> {
    let id = check.get("id").and_then(toml::Value::as_str);
    let name = id.map_or_else(|| format!("number {}", index + 1), str::to_owned);
    let in_check = |problem| RuleError::in_check(&file.name, &name, problem);
    check_keys(check).map_err(in_check)?;
    let mut rule: Rule = check
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| in_check(RuleProblem::value(one_line(&error.to_string()))))?;
    rule.file.clone_from(&file.name);
    validate(&rule).map_err(in_check)?;
    Ok(rule)
}

/// Holds every key against the known ones, so that a misspelt one is named with the one that was meant.
fn check_keys(check: &toml::Value) -> Result<(), RuleProblem> {
    let Some(table) = check.as_table() else {
        return Err(RuleProblem::value(format!("is {check}, where a table is expected: write it as [[check]]")));
    };
    known_keys(table, &CHECK_KEYS, "")?;
    let notes = table.get("pass_notes").and_then(toml::Value::as_array);
    for note in notes.into_iter().flatten().filter_map(toml::Value::as_table) {
        known_keys(note, &PASS_NOTE_KEYS, "pass_notes.")?;
    }
    let cases = table.get("case").and_then(toml::Value::as_array);
    for case in cases.into_iter().flatten().filter_map(toml::Value::as_table) {
        known_keys(case, &CASE_KEYS, "case.")?;
    }
    Ok(())
}

/// Holds the keys of a table against the known ones.
pub(crate) fn known_keys(table: &toml::Table, known: &[&str], place: &str) -> Result<(), RuleProblem> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let nearest = nearest(key, known.iter().copied()).map(|near| format!("{place}{near}"));
            Err(RuleProblem::UnknownKey { key: format!("{place}{key}"), nearest })
        }
    }
}

/// What serde's types cannot say.
fn validate(rule: &Rule) -> Result<(), RuleProblem> {
    if !is_kebab_case(&rule.id) {
        return Err(RuleProblem::value(format!("id {:?} is not kebab case, like access-key-rotated", rule.id)));
    }
    for (key, text) in [("title", &rule.title), ("remediation", &rule.remediation), ("fails_when", &rule.fails_when)] {
        if text.trim().is_empty() {
            return Err(RuleProblem::value(format!("{key} is empty")));
        }
    }
    if rule.resource == crate::Resource::Root && rule.table != crate::CheckTable::Accounts {
        return Err(RuleProblem::value("resource = \"root\" is for table accounts; elsewhere the row says what it is"));
    }
    let table = rule.table.table();
    for column in &rule.evidence {
        if table.column(column).is_none() {
            return Err(unknown_column("evidence", rule, column));
        }
    }
    hold_case_names(rule)?;
    for (param, value) in &rule.params {
        hold_number(param, value)?;
        if table.column(param).is_some() {
            return Err(RuleProblem::ParamIsColumn { param: param.clone(), table: table.name });
        }
        if !is_snake_case(param) {
            return Err(RuleProblem::value(format!("parameter {param:?} is not snake case, like max_age_days")));
        }
    }
    Ok(())
}

/// Two cases of one name could not be told apart where one of them fails.
fn hold_case_names(rule: &Rule) -> Result<(), RuleProblem> {
    let mut names = BTreeSet::new();
    match rule.cases.iter().find(|case| !names.insert(&case.name)) {
        None => Ok(()),
        Some(case) => Err(RuleProblem::value(format!("two cases are named {:?}; names are unique", case.name))),
    }
}

/// The problem of a column, named under the key `place`, that the rule's table does not have.
pub(crate) fn unknown_column(place: &str, rule: &Rule, column: &str) -> RuleProblem {
    let table = rule.table.table();
    let known = table.columns.iter().map(|known| known.name).chain(rule.params.keys().map(String::as_str));
    RuleProblem::UnknownColumn {
        place: place.to_owned(),
        table: table.name,
        column: column.to_owned(),
        nearest: nearest(column, known),
    }
}

/// `text` with its lines joined.
pub(crate) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn is_kebab_case(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.split('-').all(word)
}

fn is_snake_case(text: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    starts && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::{RuleFile, RulePack};

    const RULE: &str = r#"
[[check]]
id = "keys-old"
title = "Keys are young"
table = "access_keys"
severity = "low"
fails_when = "last_rotated < days_ago(max_days)"
params = { max_days = 90 }
evidence = ["last_rotated"]
remediation = "Rotate it."
"#;

    /// Reads the rule with `old` replaced by `new`, and holds the error against `expected`.
    fn check(old: &str, new: &str, expected: &Expect) {
        assert!(RULE.contains(old), "{old}");
        let file = RuleFile { name: "keys.toml".to_owned(), text: RULE.replace(old, new) };
        expected.assert_eq(&RulePack::parse(vec![file]).unwrap_err().to_string());
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_one() {
        check(
            "severity",
            "sevrity",
            &expect![[r#"keys.toml: check keys-old: unknown key "sevrity"; did you mean "severity"?"#]],
        );
        check(
            "remediation = \"Rotate it.\"",
            "remediation = \"Rotate it.\"\n[[check.case]]\nname = \"x\"\nexpected = \"pass\"",
            &expect![[r#"keys.toml: check keys-old: unknown key "case.expected"; did you mean "case.expect"?"#]],
        );
        check("[[check]]", "[[chek]]", &expect![[r#"keys.toml: unknown key "chek"; did you mean "check"?"#]]);
    }

    #[test]
    fn a_missing_key_and_a_wrong_value_name_the_key() {
        check("severity = \"low\"", "", &expect!["keys.toml: check keys-old: missing field `severity`"]);
        check(
            "\"low\"",
            "\"urgent\"",
            &expect![[
                "keys.toml: check keys-old: unknown variant `urgent`, expected one of `informational`, `low`, `medium`, `high`, `critical` in `severity`"
            ]],
        );
        check(
            "keys-old",
            "Keys Old",
            &expect![[r#"keys.toml: check Keys Old: id "Keys Old" is not kebab case, like access-key-rotated"#]],
        );
        check(
            "evidence = [\"last_rotated\"]",
            "evidence = [\"last_rotatd\"]",
            &expect![[
                r#"keys.toml: check keys-old: evidence: table access_keys has no column "last_rotatd"; did you mean "last_rotated"?"#
            ]],
        );
    }

    #[test]
    fn a_file_without_checks_and_two_cases_of_one_name_are_errors() {
        for text in ["", "# Nothing yet.", "check = []"] {
            let file = RuleFile { name: "keys.toml".to_owned(), text: text.to_owned() };
            expect!["keys.toml: holds no check: [[check]] begins one"]
                .assert_eq(&RulePack::parse(vec![file]).unwrap_err().to_string());
        }
        let case = "\n[[check.case]]\nname = \"x\"\nexpect = \"pass\"".repeat(2);
        check(
            "remediation = \"Rotate it.\"",
            &format!("remediation = \"Rotate it.\"{case}"),
            &expect![[r#"keys.toml: check keys-old: two cases are named "x"; names are unique"#]],
        );
        let file = RuleFile { name: "keys.toml".to_owned(), text: "check = [1]".to_owned() };
        expect!["keys.toml: check number 1: is 1, where a table is expected: write it as [[check]]"]
            .assert_eq(&RulePack::parse(vec![file]).unwrap_err().to_string());
        check(
            "{ max_days = 90 }",
            "{ max_days = -1 }",
            &expect!["keys.toml: check keys-old: param max_days cannot be -1: 0 or more is expected"],
        );
    }

    #[test]
    fn controls_are_those_of_their_framework_each_once() {
        let frameworks = |listed: &str, expected: &Expect| {
            let rule = format!("remediation = \"Rotate it.\"\nframeworks = {{ {listed} }}");
            check("remediation = \"Rotate it.\"", &rule, expected);
        };
        frameworks(
            "\"cis-5.0\" = [\"9.99\"]",
            &expect![[r#"keys.toml: check keys-old: cis-5.0 has no control "9.99""#]],
        );
        frameworks(
            "\"cis-5.0\" = [\"1.13 \"]",
            &expect![[r#"keys.toml: check keys-old: cis-5.0 has no control "1.13 "; did you mean "1.13"?"#]],
        );
        frameworks(
            "\"cis-5.0\" = [\"1.13\", \"1.13\"]",
            &expect![[r#"keys.toml: check keys-old: frameworks.cis-5.0 names "1.13" twice"#]],
        );
        frameworks("\"cis-5.0\" = []", &expect!["keys.toml: check keys-old: frameworks.cis-5.0 names no control"]);
        frameworks(
            "\"CIS-5.0\" = [\"1.13\"]",
            &expect![[
                r#"keys.toml: check keys-old: "CIS-5.0" is no id of a framework, like cis-5.0 or our-house; did you mean "cis-5.0"?"#
            ]],
        );
        frameworks(
            "\"our house\" = [\"1\"]",
            &expect![[r#"keys.toml: check keys-old: "our house" is no id of a framework, like cis-5.0 or our-house"#]],
        );
        frameworks(
            "\"our-house\" = [\" 1\"]",
            &expect![[
                r#"keys.toml: check keys-old: frameworks.our-house names " 1": blanks around an id are none of it"#
            ]],
        );
    }

    #[test]
    fn a_framework_of_ones_own_has_the_controls_that_its_rules_name() {
        let own = "remediation = \"Rotate it.\"\nframeworks = { our-house = [\"K-1\"], \"cis-9.9\" = [\"1\"] }";
        let file = RuleFile { name: "keys.toml".to_owned(), text: RULE.replace("remediation = \"Rotate it.\"", own) };
        RulePack::parse(vec![file]).unwrap();
    }

    #[test]
    fn a_control_id_is_a_text_so_that_1_10_is_not_1_1() {
        check(
            "remediation = \"Rotate it.\"",
            "remediation = \"Rotate it.\"\nframeworks = { \"cis-5.0\" = [1.10] }",
            &expect![[
                "keys.toml: check keys-old: invalid type: floating point `1.1`, expected a string in `frameworks.cis-5.0`"
            ]],
        );
    }

    #[test]
    fn a_parameter_cannot_hide_a_column() {
        check(
            "{ max_days = 90 }",
            "{ max_days = 90, slot = 1 }",
            &expect![[
                r#"keys.toml: check keys-old: the parameter "slot" has the name of a column of table access_keys; give it another"#
            ]],
        );
    }

    #[test]
    fn what_is_no_toml_is_named_with_its_line() {
        check("\"low\"", "low", &expect!["keys.toml: line 6: string values must be quoted, expected literal string"]);
    }
}
