//! Runs the cases inside rules: each case is an account of its own, and the rule judges them all in one chunk.

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use orgsweep_core::{Source, Sources, Timestamp};

use crate::case_rows::{CaseRow, MisfitValue, account_id, accounts_of, batch_of};
use crate::compile::{Check, Draft};
use crate::coverage::Coverage;
use crate::facts::{Facts, Rows};
use crate::judge::{Found, Judgement, RowJudge, judge};
use crate::params::{ParamsByName, set};
use crate::planning::PredicateCompiler;
use crate::reason::reason;
use crate::rendering::Rendering;
use crate::rule::render;
use crate::scope::ScopeView;
use crate::{Basis, Case, CheckTable, Checker, EvaluateError, Rule, RuleError, RulePack, RuleProblem, Status};

/// The `as_of` of every case, in milliseconds since the epoch: 2026-01-01T00:00:00Z.
const CASE_AS_OF: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// The time from which the relative times of cases count.
#[must_use]
pub fn case_as_of() -> Timestamp {
    CASE_AS_OF
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The rule file.
    pub file: String,
    /// The check.
    pub check_id: String,
    /// The case's name.
    pub case: String,
    /// The row that was judged otherwise than expected, from 1; `None` where it is the account, or all is well.
    pub row: Option<usize>,
    /// The rows of the case, or the row that is meant, as they are given.
    pub given: String,
    /// What the case expects.
    pub expected: String,
    /// What the check says.
    pub got: String,
    /// Whether they are the same.
    pub passed: bool,
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: check {}, case {:?}: ", self.file, self.check_id, self.case)?;
        if self.passed {
            return write!(f, "{}, as expected", self.got);
        }
        if let Some(row) = self.row {
            write!(f, "row {row}: ")?;
        }
        write!(f, "expected {}, got {}; given {}", self.expected, self.got, self.given)
    }
}

/// The sources that a run leaves out unless it is told otherwise: those that no case has.
pub(crate) fn optional_sources() -> Sources {
    Source::ALL.into_iter().filter(|source| source.wanted_by().is_some()).collect()
}

/// Compiles the pack and runs every case of every rule, in the order of the pack.
///
/// # Errors
/// A rule that does not compile, and a case that cannot be made into rows.
pub fn run_cases(pack: &RulePack) -> Result<Vec<CaseResult>, RuleError> {
    let compiler = PredicateCompiler::new(CASE_AS_OF);
    // What only a whole checker holds, such as a parameter that nothing uses, is held first.
    Checker::compile(&pack.clone().into(), Basis { as_of: CASE_AS_OF, unasked: optional_sources() })?;
    let mut results = Vec::new();
    for rule in pack.rules() {
        let of_rule = Draft::of(&compiler, rule).and_then(|draft| run_rule(&compiler, rule, &draft));
        results.extend(of_rule.map_err(|problem| RuleError::in_check(&rule.file, &rule.id, problem))?);
    }
    Ok(results)
}

/// Runs the cases of a rule with these predicates. Cases of the same params are judged together.
pub(crate) fn run_rule(
    compiler: &PredicateCompiler,
    rule: &Rule,
    draft: &Draft,
) -> Result<Vec<CaseResult>, RuleProblem> {
    let mut results: Vec<Option<CaseResult>> = vec![None; rule.cases.len()];
    let mut distinct: Vec<&ParamsByName> = rule.cases.iter().map(|case| &case.params).collect();
    distinct.sort_by_key(|params| format!("{params:?}"));
    distinct.dedup();
    for own in distinct {
        let chosen: Vec<usize> = (0..rule.cases.len())
            .filter(|index| rule.cases.get(*index).is_some_and(|case| case.params == *own))
            .collect();
        let cases = chosen.iter().filter_map(|index| rule.cases.get(*index).cloned()).collect();
        let part = Rule { cases, ..rule.clone() };
        let params = case_params(&part, own)?;
        let check = Check::with_params(compiler, rule, draft, &[params])?;
        for (index, result) in chosen.into_iter().zip(run_part(&part, &check)?) {
            if let Some(place) = results.get_mut(index) {
                *place = Some(result);
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// The rule's params with those that a case gives.
fn case_params(rule: &Rule, own: &ParamsByName) -> Result<ParamsByName, RuleProblem> {
    let mut params = rule.params.clone();
    for (name, value) in own {
        set(&mut params, name, value).map_err(|problem| RuleProblem::Case {
            case: rule.cases.first().map(|case| case.name.clone()).unwrap_or_default(),
            reason: problem.to_string(),
        })?;
    }
    Ok(params)
}

/// Runs cases that all have the params that the check was compiled with.
fn run_part(rule: &Rule, check: &Check) -> Result<Vec<CaseResult>, RuleProblem> {
    let named = |misfit: MisfitValue| RuleProblem::Case {
        case: rule.cases.get(misfit.case).map(|case| case.name.clone()).unwrap_or_default(),
        reason: misfit.reason,
    };
    let nothing = toml::Table::new();
    let account_rows = account_rows(rule, &nothing).map_err(named)?;
    let accounts = accounts_of(&rule.cases, &account_rows, CASE_AS_OF).map_err(named)?;
    let own = match rule.table {
        CheckTable::Accounts => None,
        table => Some(rows_of(rule, table).map_err(named)?),
    };
    let unreadable = |error: ArrowError| broken(&error.into());
    let coverage = Coverage::read(&accounts, optional_sources()).map_err(unreadable)?;
    let scopes = ScopeView::of(&accounts).map_err(unreadable)?;
    let empty =
        |table: CheckTable| Rows::new(RecordBatch::new_empty(table.table().schema()), vec![0; rule.cases.len() + 1]);
    let (credentials, access_keys) = match (rule.table, own) {
        (CheckTable::Credentials, Some(rows)) => (rows, empty(CheckTable::AccessKeys)),
        (CheckTable::AccessKeys, Some(rows)) => (empty(CheckTable::Credentials), rows),
        _ => (empty(CheckTable::Credentials), empty(CheckTable::AccessKeys)),
    };
    let offsets = (0..=rule.cases.len()).collect();
    let accounts = Rows::new(accounts.clone(), offsets);
    let facts = Facts { accounts, credentials, access_keys, told: Vec::new(), coverage, scopes };
    let judgement = judge(check, &facts);
    let outcome = Outcomes { rule, check, facts: &facts, judgement, rows: RowJudge::of(check, &facts) };
    Ok(rule.cases.iter().enumerate().map(|(index, case)| outcome.of_case(index, case)).collect())
}

/// The row of `accounts` of each case: its own for a rule on accounts, else one that says nothing.
fn account_rows<'a>(rule: &'a Rule, nothing: &'a toml::Table) -> Result<Vec<CaseRow<'a>>, MisfitValue> {
    let row = |(index, case): (usize, &'a Case)| {
        let mut rows = case.all_rows();
        let own = if rule.table == CheckTable::Accounts { rows.next() } else { None };
        if rule.table == CheckTable::Accounts && rows.next().is_some() {
            return Err(MisfitValue { case: index, reason: "an account has one row, not several".to_owned() });
        }
        Ok(CaseRow { case: index, row: 0, values: own.unwrap_or(nothing) })
    };
    rule.cases.iter().enumerate().map(row).collect()
}

/// The rows of all cases in the rule's own table, and which of them are whose.
fn rows_of(rule: &Rule, table: CheckTable) -> Result<Rows, MisfitValue> {
    let mut rows = Vec::new();
    let mut offsets = vec![0];
    for (index, case) in rule.cases.iter().enumerate() {
        rows.extend(case.all_rows().enumerate().map(|(row, values)| CaseRow { case: index, row, values }));
        offsets.push(rows.len());
    }
    Ok(Rows::new(batch_of(table.table(), &rows, CASE_AS_OF)?, offsets))
}

fn broken(error: &EvaluateError) -> RuleProblem {
    let source = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    RuleProblem::value(format!("{error}{source}"))
}

/// What the check said of all cases of its rule.
struct Outcomes<'a> {
    rule: &'a Rule,
    check: &'a Check,
    facts: &'a Facts<'a>,
    judgement: Judgement,
    rows: RowJudge<'a>,
}

impl Outcomes<'_> {
    fn of_case(&self, index: usize, case: &Case) -> CaseResult {
        let status = self.judgement.accounts.get(index).map_or(Status::Unknown, |verdict| verdict.status);
        let reason = self.reason(index, status);
        let got = with_reason(status, case.reason.as_ref().and(reason.as_deref()));
        let expected = with_reason(case.expect, case.reason.as_deref());
        let given: Vec<_> = case.all_rows().map(render).collect();
        let result = CaseResult {
            file: self.rule.file.clone(),
            check_id: self.rule.id.clone(),
            case: case.name.clone(),
            row: None,
            given: if given.is_empty() { "no rows".to_owned() } else { given.join(", ") },
            passed: got == expected,
            expected,
            got,
        };
        if !result.passed {
            return result;
        }
        let result = self.hold_rows(index, case, result);
        let result = if result.passed { self.hold_text(index, ("message", &case.message), result) } else { result };
        if result.passed { self.hold_text(index, ("command", &case.command), result) } else { result }
    }

    /// The result, unless the first finding has another text under this key.
    fn hold_text(&self, index: usize, (key, text): (&str, &Option<String>), result: CaseResult) -> CaseResult {
        let Some(expected) = text else { return result };
        let failed = |found: &&Found| found.account == index && found.ground.status() == Status::Fail;
        let first = self.judgement.found.iter().find(failed);
        let got = first.and_then(|found| {
            let variant = self.check.variants.get(found.variant)?;
            let (batch, row) = (&self.facts.rows(self.rule.table).batch, found.ground.row()?);
            let told = match key {
                "command" => {
                    let command = variant.command.as_ref().map(|command| Rendering::of(command, batch, None).at(row));
                    command.unwrap_or_default().trim().to_owned()
                }
                _ => Rendering::of(&variant.message, batch, None).at(row),
            };
            // Each case is an account of its own; what it expects is written as if it were the first.
            Some(told.replace(account_id(index).as_str(), account_id(0).as_str()))
        });
        let got = got.unwrap_or_else(|| "no finding".to_owned());
        CaseResult {
            passed: got == expected.trim(),
            expected: format!("the {key} {expected:?}"),
            got: if got == expected.trim() { result.got.clone() } else { format!("{got:?}") },
            ..result
        }
    }

    /// The result, unless a row was judged otherwise than `expect_rows` says.
    fn hold_rows(&self, index: usize, case: &Case, result: CaseResult) -> CaseResult {
        let Some(expected) = &case.expect_rows else { return result };
        let rows = self.facts.rows(self.rule.table).of(index);
        let got: Vec<_> = rows.map(|row| self.rows.verdict(index, row).status).collect();
        let wanted = |row: usize| expected.get(row).copied();
        match (0..got.len().max(expected.len())).find(|row| wanted(*row) != got.get(*row).copied()) {
            None => result,
            Some(row) => CaseResult {
                row: Some(row + 1),
                given: case.all_rows().nth(row).map_or_else(|| "no row".to_owned(), render),
                expected: wanted(row).map_or("nothing", Status::as_str).to_owned(),
                got: got.get(row).copied().map_or("nothing", Status::as_str).to_owned(),
                passed: false,
                ..result
            },
        }
    }

    /// The reason that `check_results` would give, as far as it is about what was found first.
    fn reason(&self, index: usize, status: Status) -> Option<String> {
        let verdict = self.judgement.accounts.get(index)?;
        match status {
            Status::Unknown => {
                let found = self.judgement.found.iter().find(|found| found.account == index)?;
                reason(self.check, self.facts, *found)
            }
            Status::Pass => {
                let notes = &self.check.variants.first()?.notes;
                verdict.note.and_then(|note| notes.get(note)).map(|note| note.text.clone())
            }
            Status::Fail | Status::NotApplicable => None,
        }
    }
}

fn with_reason(status: Status, reason: Option<&str>) -> String {
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} ({reason})"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::pack;

    /// Runs the cases of a rule on keys of more than 90 days.
    fn check(cases: &str, expected: &Expect) {
        let pack = pack(&format!(
            "table = \"access_keys\"\nfails_when = \"last_rotated < days_ago(90)\"\nevidence = []\n{cases}"
        ));
        let text = match run_cases(&pack) {
            Ok(results) => results.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn every_case_of_the_embedded_rules_passes() {
        let pack = RulePack::embedded().unwrap();
        let results = run_cases(&pack).unwrap();
        let failed: Vec<_> = results.iter().filter(|result| !result.passed).map(ToString::to_string).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        for rule in pack.rules() {
            assert!(rule.cases.len() >= 5, "{} has few cases", rule.id);
        }
    }

    #[test]
    fn a_failing_case_names_case_row_expected_and_got() {
        check(
            "[[check.case]]\nname = \"old\"\nrow = { slot = 2, last_rotated = \"-90d\" }\nexpect = \"fail\"",
            &expect![[
                r#"the.toml: check the-check, case "old": expected fail, got pass; given { last_rotated = "-90d", slot = 2 }"#
            ]],
        );
        check(
            "[[check.case]]\nname = \"two\"\nrows = [{ last_rotated = \"-91d\" }, { last_rotated = \"-1d\" }]\n\
             expect = \"fail\"\nexpect_rows = [\"fail\", \"fail\"]",
            &expect![[
                r#"the.toml: check the-check, case "two": row 2: expected fail, got pass; given { last_rotated = "-1d" }"#
            ]],
        );
        check(
            "[[check.case]]\nname = \"why\"\nrow = {}\nexpect = \"unknown\"\nreason = \"no idea\"",
            &expect![[
                r#"the.toml: check the-check, case "why": expected unknown (no idea), got unknown (last_rotated is null); given {}"#
            ]],
        );
    }

    #[test]
    fn a_case_of_a_message_or_a_command_tells_what_it_is_instead() {
        let case = |text: &str| {
            format!(
                "command = \"{{if slot = 1}}delete {{slot}}{{end}}\"\n[[check.case]]\nname = \"old\"\n\
                 row = {{ slot = 1, last_rotated = \"-91d\" }}\nexpect = \"fail\"\n{text}"
            )
        };
        let passed = expect![[r#"the.toml: check the-check, case "old": fail, as expected"#]];
        check(&case("command = \"delete 1\""), &passed);
        check(
            &case("command = \"delete 1\"").replace("slot = 1,", "slot = 2,").replace("\"delete 1\"", "\"\""),
            &passed,
        );
        check(
            &case("command = \"delete 2\""),
            &expect![[
                r#"the.toml: check the-check, case "old": expected the command "delete 2", got "delete 1"; given { last_rotated = "-91d", slot = 1 }"#
            ]],
        );
        check(
            &case("message = \"All is lost\""),
            &expect![[
                r#"the.toml: check the-check, case "old": expected the message "All is lost", got "All is well"; given { last_rotated = "-91d", slot = 1 }"#
            ]],
        );
    }

    #[test]
    fn a_passing_case_says_what_was_expected() {
        check(
            "[[check.case]]\nname = \"young\"\nrow = { last_rotated = \"-1d\" }\nexpect = \"pass\"",
            &expect![[r#"the.toml: check the-check, case "young": pass, as expected"#]],
        );
    }

    #[test]
    fn a_case_that_cannot_be_rows_is_an_error() {
        let case = |row: &str| format!("[[check.case]]\nname = \"odd\"\nrow = {{ {row} }}\nexpect = \"pass\"");
        check(
            &case("last_rotatd = \"-1d\""),
            &expect![[
                r#"error: the.toml: check the-check: case "odd": table access_keys has no column "last_rotatd"; did you mean "last_rotated"?"#
            ]],
        );
        check(
            &case("last_rotated = \"long ago\""),
            &expect![[
                r#"error: the.toml: check the-check: case "odd": last_rotated: "long ago" is not a timestamp like 2026-11-22T10:00:00Z"#
            ]],
        );
        check(
            &case("active = 1"),
            &expect![[r#"error: the.toml: check the-check: case "odd": active = 1 is no true or false"#]],
        );
    }
}
