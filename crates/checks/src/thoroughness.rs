//! What a rule's cases leave untried: sources that are never absent, words that the report has and no row shows, the
//! root user, rows that could not be understood. Thresholds are the business of `mutants`.

use std::fmt;

use orgsweep_core::table::{Column, Origin};
use orgsweep_core::{Source, Sources};

use crate::case::optional_sources;
use crate::compile::{Basis, Checker};
use crate::needs::Needs;
use crate::{Case, CheckTable, Rule, RuleError, RulePack, Status, case_as_of};

/// The report's words for a value that it does not have.
const REPORT_WORDS: [&str; 3] = ["N/A", "no_information", "not_supported"];

/// The word for a report without a root row, in the columns that hold that row.
const NO_ROOT_ROW: &str = "no root row";

/// The words for a question about root that nobody answers, or several answer differently.
const ROOT_WORDS: [&str; 2] = ["not said", "contradicted"];

/// Something that no case of a rule tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untried {
    /// The check.
    pub check_id: String,
    /// What should be tried.
    pub what: String,
}

impl fmt::Display for Untried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check {}: no case tries {}", self.check_id, self.what)
    }
}

/// What the cases of each rule leave untried, in the order of the pack.
///
/// # Errors
/// A rule that does not compile.
pub fn untried(pack: &RulePack) -> Result<Vec<Untried>, RuleError> {
    let basis = Basis { as_of: case_as_of(), unasked: optional_sources() };
    let checker = Checker::compile(&pack.clone().into(), basis)?;
    let mut found = Vec::new();
    for (rule, check) in pack.rules().iter().zip(&checker.checks) {
        let columns = rule.table.table().columns.iter().enumerate();
        let deciding = check.variants.first().into_iter().flat_map(|variant| {
            variant.applies_when.iter().chain([&variant.fails_when]).flat_map(|predicate| &predicate.columns)
        });
        let deciding: Vec<usize> = deciding.copied().collect();
        let read = columns.filter(|(index, _)| deciding.contains(index)).map(|(_, column)| column);
        let missing = [
            statuses(rule),
            absences(rule, &check.needs),
            report_rows(rule),
            read.flat_map(|column| words(rule, column)).collect(),
        ];
        found.extend(missing.concat().into_iter().map(|what| Untried { check_id: rule.id.clone(), what }));
    }
    Ok(found)
}

/// A failure, a pass, and what is neither.
fn statuses(rule: &Rule) -> Vec<String> {
    let expects = |wanted: Status| {
        rule.cases.iter().any(|case| case.expect == wanted || case.expect_rows.iter().flatten().any(|it| *it == wanted))
    };
    let wanted = [Status::Fail, Status::Pass, Status::Unknown];
    let untried = wanted.into_iter().filter(|status| !expects(*status));
    let applies = rule.applies_when.is_some() && !expects(Status::NotApplicable);
    untried.chain(applies.then_some(Status::NotApplicable)).map(|status| format!("a row that is {status}")).collect()
}

/// Each source that it needs absent, and the account not opened and not asked.
fn absences(rule: &Rule, needs: &Needs) -> Vec<String> {
    let unread = |case: &Case| case.unread.iter().copied().collect::<Sources>();
    let lacks = |sources: Sources| rule.cases.iter().any(|case| sources.is_within(unread(case)));
    let one = |source: Source| [source].into_iter().collect::<Sources>();
    let single = needs.all.union(needs.compared).iter().filter(|source| !lacks(one(*source)));
    let single = single.map(|source| format!("that {source} was not read"));
    let groups = needs.any.iter().map(|group| group.without(optional_sources())).filter(|group| !lacks(*group));
    let groups = groups.map(|group| {
        let names: Vec<_> = group.iter().map(Source::as_str).collect();
        format!("that none of {} was read", names.join(", "))
    });
    let unopened = (!lacks(one(Source::Role))).then(|| "that the account could not be opened".to_owned());
    let skipped = rule.cases.iter().all(|case| case.skipped.is_none());
    let skipped = skipped.then(|| "that the account was not asked".to_owned());
    single.chain(groups).chain(unopened).chain(skipped).collect()
}

/// What rules on rows of the credential report must try beside.
fn report_rows(rule: &Rule) -> Vec<String> {
    if rule.table == CheckTable::Accounts {
        return Vec::new();
    }
    let root = |case: &Case| case.all_rows().any(|row| row.get("is_root").and_then(toml::Value::as_bool) == Some(true));
    let tried = [
        (rule.cases.iter().any(root), "the root user"),
        (rule.cases.iter().any(|case| !root(case) && case.all_rows().next().is_some()), "an IAM user"),
        (rule.cases.iter().any(|case| case.quarantined > 0), "a row that could not be understood"),
        (rule.cases.iter().any(|case| case.all_rows().next().is_none()), "an account without users"),
    ];
    tried.into_iter().filter(|(is_tried, _)| !is_tried).map(|(_, what)| what.to_owned()).collect()
}

/// Every word that can stand where a column that decides has no value.
fn words(rule: &Rule, column: &Column) -> Vec<String> {
    let reason = format!("{}_reason", column.name);
    if rule.table.table().column(&reason).is_none() {
        return Vec::new();
    }
    let words: Vec<&str> = match column.origin {
        Origin::AnyOf(_) => ROOT_WORDS.to_vec(),
        _ if rule.table == CheckTable::Accounts => REPORT_WORDS.into_iter().chain([NO_ROOT_ROW]).collect(),
        _ => REPORT_WORDS.to_vec(),
    };
    let is_tried = |word: &str| {
        let mut rows = rule.cases.iter().flat_map(Case::all_rows);
        rows.any(|row| row.get(&reason).and_then(toml::Value::as_str) == Some(word))
    };
    words.into_iter().filter(|word| !is_tried(word)).map(|word| format!("{reason} = {word:?}")).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::pack;

    #[test]
    fn what_nobody_tried_is_listed() {
        let pack = pack(
            "table = \"access_keys\"\napplies_when = \"active\"\nfails_when = \"last_rotated < days_ago(90)\"\nevidence = []\n\
             [[check.case]]\nname = \"old\"\nrow = { active = true, last_rotated = \"-91d\" }\nexpect = \"fail\"\n\
             [[check.case]]\nname = \"dateless\"\nrow = { active = true, last_rotated_reason = \"N/A\" }\nexpect = \"unknown\"",
        );
        let told: Vec<_> = untried(&pack).unwrap().iter().map(ToString::to_string).collect();
        expect![[r#"
            check the-check: no case tries a row that is pass
            check the-check: no case tries a row that is not_applicable
            check the-check: no case tries that credential_report was not read
            check the-check: no case tries that the account could not be opened
            check the-check: no case tries that the account was not asked
            check the-check: no case tries the root user
            check the-check: no case tries a row that could not be understood
            check the-check: no case tries an account without users
            check the-check: no case tries last_rotated_reason = "no_information"
            check the-check: no case tries last_rotated_reason = "not_supported"
        "#]]
        .assert_eq(&(told.join("\n") + "\n"));
    }

    #[test]
    fn the_cases_of_the_embedded_rules_leave_nothing_untried() {
        let told: Vec<_> = untried(&RulePack::embedded().unwrap()).unwrap().iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}
