//! Rules made ready: every predicate and text compiled against one `as_of`.

use std::collections::BTreeSet;

use orgsweep_core::{Source, Timestamp};

use crate::coverage::Sources;
use crate::planning::PredicateCompiler;
use crate::predicate::Predicate;
use crate::template::Template;
use crate::{CheckTable, Resource, Rule, RuleError, RulePack, RuleProblem, Severity};

/// A rule pack compiled against one `as_of`: judges chunks, from as many threads as there are.
#[derive(Debug)]
pub struct Checker {
    pub(crate) checks: Vec<Check>,
}

impl Checker {
    /// Compiles every rule of the pack; `as_of` is the time from which `days_ago` counts.
    ///
    /// # Errors
    /// A predicate or a placeholder names a column that is not there, a predicate is no boolean expression or depends
    /// on when it is asked, or fails whatever the values are; a parameter is used by no predicate.
    pub fn compile(pack: &RulePack, as_of: Timestamp) -> Result<Self, RuleError> {
        let compiler = PredicateCompiler::new(as_of);
        let compile = |rule: &Rule| {
            Check::compile(&compiler, rule, as_of).map_err(|problem| RuleError::in_check(&rule.file, &rule.id, problem))
        };
        Ok(Self { checks: pack.rules().iter().map(compile).collect::<Result<_, _>>()? })
    }
}

/// One compiled rule.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) table: CheckTable,
    pub(crate) resource: Resource,
    /// What must have been read before the predicates mean anything.
    pub(crate) sources: Sources,
    pub(crate) applies_when: Option<Predicate>,
    pub(crate) fails_when: Predicate,
    pub(crate) note: Option<Note>,
    pub(crate) message: Template,
    pub(crate) remediation: Template,
    /// Indexes of the evidence columns, in the rule's order.
    pub(crate) evidence: Vec<usize>,
    /// `framework:control`, sorted.
    pub(crate) frameworks: Vec<String>,
}

/// A compiled [`crate::PassNote`].
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) when: Predicate,
    pub(crate) text: String,
}

impl Check {
    fn compile(compiler: &PredicateCompiler, rule: &Rule, as_of: Timestamp) -> Result<Self, RuleProblem> {
        let predicate = |place, text: &String| compiler.compile(rule, place, text);
        let applies_when = rule.applies_when.as_ref().map(|text| predicate("applies_when", text)).transpose()?;
        let fails_when = predicate("fails_when", &rule.fails_when)?;
        let note = rule
            .pass_note
            .as_ref()
            .map(|note| predicate("pass_note.when", &note.when).map(|when| Note { when, text: note.text.clone() }));
        let note = note.transpose()?;
        hold_params(rule, [applies_when.as_ref(), Some(&fails_when), note.as_ref().map(|note| &note.when)])?;
        Ok(Self {
            id: rule.id.clone(),
            title: rule.title.clone(),
            severity: rule.severity,
            table: rule.table,
            resource: rule.resource,
            sources: sources(rule, [applies_when.as_ref(), Some(&fails_when)]),
            applies_when,
            fails_when,
            note,
            message: Template::compile(rule, "message", rule.message.as_ref().unwrap_or(&rule.title), as_of)?,
            remediation: Template::compile(rule, "remediation", &rule.remediation, as_of)?,
            evidence: rule.evidence.iter().filter_map(|name| column_index(rule, name)).collect(),
            frameworks: frameworks(rule),
        })
    }

    /// Whether quarantined rows of the report may hide resources from the check.
    pub(crate) fn judges_report_rows(&self) -> bool {
        self.table.source() == Some(Source::CredentialReport)
    }
}

fn hold_params(rule: &Rule, predicates: [Option<&Predicate>; 3]) -> Result<(), RuleProblem> {
    let used: BTreeSet<&String> = predicates.into_iter().flatten().flat_map(|predicate| &predicate.params).collect();
    match rule.params.keys().find(|param| !used.contains(param)) {
        None => Ok(()),
        Some(param) => Err(RuleProblem::UnusedParam { param: param.clone() }),
    }
}

/// The sources of the columns that decide, and of the table's rows themselves.
fn sources(rule: &Rule, predicates: [Option<&Predicate>; 2]) -> Sources {
    let columns = &rule.table.table().columns;
    let read = predicates.into_iter().flatten().flat_map(|predicate| &predicate.columns);
    let of_columns = read.filter_map(|index| columns.get(*index)?.source);
    of_columns.chain(rule.table.source()).collect()
}

fn column_index(rule: &Rule, name: &str) -> Option<usize> {
    rule.table.table().columns.iter().position(|column| column.name == name)
}

fn frameworks(rule: &Rule) -> Vec<String> {
    let controls = rule
        .frameworks
        .iter()
        .flat_map(|(framework, controls)| controls.iter().map(move |control| format!("{framework}:{control}")));
    let mut controls: Vec<_> = controls.collect();
    controls.sort_unstable();
    controls
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{as_of, pack};

    fn check(keys: &str, expected: &Expect) {
        let keys = format!("table = \"accounts\"\nevidence = []\n{keys}");
        expected.assert_eq(&Checker::compile(&pack(&keys), as_of()).unwrap_err().to_string());
    }

    #[test]
    fn a_wrong_column_is_named_with_file_check_predicate_and_the_nearest_column() {
        check(
            "fails_when = \"root_mfa_enable\"",
            &expect![[
                r#"the.toml: check the-check: fails_when: table accounts has no column "root_mfa_enable"; did you mean "root_mfa_enabled"?"#
            ]],
        );
        check(
            "applies_when = \"root_mfa_enable\"\nfails_when = \"root_mfa_enabled\"",
            &expect![[
                r#"the.toml: check the-check: applies_when: table accounts has no column "root_mfa_enable"; did you mean "root_mfa_enabled"?"#
            ]],
        );
        check(
            "fails_when = \"root_mfa_enabled\"\nmessage = \"{acount_id}\"",
            &expect![[
                r#"the.toml: check the-check: message: table accounts has no column "acount_id"; did you mean "account_id"?"#
            ]],
        );
        check(
            "fails_when = \"root_mfa_enabled\"\npass_note = { when = \"xyzzy\", text = \"\" }",
            &expect![[r#"the.toml: check the-check: pass_note.when: table accounts has no column "xyzzy""#]],
        );
    }

    #[test]
    fn a_parameter_that_decides_nothing_is_an_error() {
        check(
            "fails_when = \"root_mfa_enabled\"\nparams = { max_days = 3 }",
            &expect![[r#"the.toml: check the-check: no predicate uses the parameter "max_days"; use it or remove it"#]],
        );
    }

    #[test]
    fn a_check_reads_the_sources_of_its_predicates_and_of_its_table() {
        let sources = |keys: &str| {
            let checker = Checker::compile(&pack(&format!("evidence = []\n{keys}")), as_of()).unwrap();
            Source::ALL.into_iter().filter(|source| checker.checks[0].sources.contains(*source)).collect::<Vec<_>>()
        };
        let both = "table = \"accounts\"\napplies_when = \"root_virtual_mfa\"\nfails_when = \"security_contact_set\"";
        assert_eq!(sources(both), [Source::VirtualMfaDevices, Source::SecurityContact]);
        assert_eq!(sources("table = \"credentials\"\nfails_when = \"account_id = ''\""), [Source::CredentialReport]);
        assert_eq!(sources("table = \"accounts\"\nfails_when = \"ou_id is null\""), []);
    }
}
