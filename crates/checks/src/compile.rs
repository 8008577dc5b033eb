//! Rules made ready: every predicate and text compiled against one `as_of`, once for each set of params in force.

use std::collections::BTreeSet;

use datafusion::logical_expr::Expr;
use orgsweep_core::table::Origin;
use orgsweep_core::{Source, Sources, Timestamp};

use crate::needs::Needs;
use crate::params::{ParamsByName, changed};
use crate::planning::PredicateCompiler;
use crate::predicate::Predicate;
use crate::scope::Scope;
use crate::template::Template;
use crate::words::Words;
use crate::{CheckTable, Exception, Resource, Rule, RuleError, RuleProblem, RuleSet, Severity};

/// What a run is judged by, beside its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    /// The time from which ages are counted.
    pub as_of: Timestamp,
    /// The optional sources that no account was asked.
    pub unasked: Sources,
}

/// A rule set compiled against one basis: judges chunks, from as many threads as there are.
#[derive(Debug)]
pub struct Checker {
    pub(crate) checks: Vec<Check>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) words: Words,
    pub(crate) basis: Basis,
}

impl Checker {
    /// Compiles every rule of the set.
    ///
    /// # Errors
    /// A predicate or a placeholder names a column that is not there, a predicate is no boolean expression or depends
    /// on when it is asked, or fails whatever the values are; a parameter is used by no predicate.
    pub fn compile(rules: &RuleSet, basis: Basis) -> Result<Self, RuleError> {
        let compiler = PredicateCompiler::new(basis.as_of);
        let compile = |rule: &Rule| {
            let check = Check::compile(&compiler, rules, rule);
            check.map_err(|problem| RuleError::in_check(&rule.file, &rule.id, problem))
        };
        let checks = rules.rules().iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let words = Words::of(&checks);
        Ok(Self { checks, exceptions: rules.exceptions().to_vec(), words, basis })
    }

    /// What each check needs of an account, in the order of the pack.
    pub fn needs(&self) -> impl Iterator<Item = (&str, &Needs)> {
        self.checks.iter().map(|check| (check.id.as_str(), &check.needs))
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
    pub(crate) needs: Needs,
    /// The rule with each set of params that is in force somewhere; the first where no override is.
    pub(crate) variants: Vec<Variant>,
    /// Where which variant is in force: of several scopes that hold, the last one stands.
    pub(crate) overrides: Vec<(Scope, usize)>,
    /// Which of the checker's exceptions are about it.
    pub(crate) exceptions: Vec<usize>,
    /// Indexes of the evidence columns, in the rule's order.
    pub(crate) evidence: Vec<usize>,
    /// `framework:control`, sorted.
    pub(crate) frameworks: Vec<String>,
}

/// A rule with one set of params.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) applies_when: Option<Predicate>,
    pub(crate) fails_when: Predicate,
    pub(crate) notes: Vec<Note>,
    pub(crate) message: Template,
    pub(crate) remediation: Template,
    pub(crate) command: Option<Template>,
}

/// A compiled [`crate::PassNote`].
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) when: Predicate,
    pub(crate) text: String,
}

/// The predicates of a rule, read and not compiled yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) applies_when: Option<Expr>,
    pub(crate) fails_when: Expr,
    pub(crate) notes: Vec<Expr>,
}

impl Draft {
    pub(crate) fn of(compiler: &PredicateCompiler, rule: &Rule) -> Result<Self, RuleProblem> {
        let read = |place, text: &String| compiler.read(rule, place, text);
        Ok(Self {
            applies_when: rule.applies_when.as_ref().map(|text| read("applies_when", text)).transpose()?,
            fails_when: read("fails_when", &rule.fails_when)?,
            notes: rule.pass_notes.iter().map(|note| read("pass_notes.when", &note.when)).collect::<Result<_, _>>()?,
        })
    }
}

impl Check {
    fn compile(compiler: &PredicateCompiler, rules: &RuleSet, rule: &Rule) -> Result<Self, RuleProblem> {
        let base = rules.params_of(rule);
        let mut params = vec![base.clone()];
        let mut overrides = Vec::new();
        for scoped in rules.overrides().iter().filter(|scoped| scoped.check == rule.id) {
            let changed = changed(&base, &scoped.params);
            let known = params.iter().position(|known| *known == changed);
            overrides.push((scoped.scope.clone(), known.unwrap_or(params.len())));
            if known.is_none() {
                params.push(changed);
            }
        }
        let draft = Draft::of(compiler, rule)?;
        let exceptions = rules.exceptions().iter().enumerate().filter(|(_, it)| it.check == rule.id);
        let check = Self {
            overrides,
            exceptions: exceptions.map(|(index, _)| index).collect(),
            ..Self::with_params(compiler, rule, &draft, &params)?
        };
        hold_params(rule, &check.variants)?;
        Ok(check)
    }

    /// The rule with these predicates, once for each of these sets of params, the first of them in force everywhere.
    pub(crate) fn with_params(
        compiler: &PredicateCompiler,
        rule: &Rule,
        draft: &Draft,
        params: &[ParamsByName],
    ) -> Result<Self, RuleProblem> {
        let variant = |params: &ParamsByName| Variant::compile(compiler, (rule, params), draft);
        let variants = params.iter().map(variant).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id: rule.id.clone(),
            title: rule.title.clone(),
            severity: rule.severity,
            table: rule.table,
            resource: rule.resource,
            needs: needs(rule, &variants),
            variants,
            overrides: Vec::new(),
            exceptions: Vec::new(),
            evidence: rule.evidence.iter().filter_map(|name| column_index(rule, name)).collect(),
            frameworks: frameworks(rule),
        })
    }

    /// Whether quarantined rows of the report may hide resources from the check.
    pub(crate) fn judges_report_rows(&self) -> bool {
        self.table.source() == Some(Source::CredentialReport)
    }
}

impl Variant {
    fn compile(
        compiler: &PredicateCompiler,
        (rule, params): (&Rule, &ParamsByName),
        draft: &Draft,
    ) -> Result<Self, RuleProblem> {
        let predicate = |place, expr: &Expr| compiler.compile(rule, place, expr.clone(), params);
        let template = |place, text: &String| Template::compile(compiler, (rule, params), place, text);
        let notes = draft
            .notes
            .iter()
            .zip(&rule.pass_notes)
            .map(|(when, note)| Ok(Note { when: predicate("pass_notes.when", when)?, text: note.text.clone() }));
        Ok(Self {
            applies_when: draft.applies_when.as_ref().map(|expr| predicate("applies_when", expr)).transpose()?,
            fails_when: predicate("fails_when", &draft.fails_when)?,
            notes: notes.collect::<Result<_, _>>()?,
            message: template("message", rule.message.as_ref().unwrap_or(&rule.title))?,
            remediation: template("remediation", &rule.remediation)?,
            command: rule.command.as_ref().map(|text| template("command", text)).transpose()?,
        })
    }

    /// The predicates that decide.
    fn deciding(&self) -> impl Iterator<Item = &Predicate> {
        self.applies_when.iter().chain([&self.fails_when])
    }
}

fn hold_params(rule: &Rule, variants: &[Variant]) -> Result<(), RuleProblem> {
    let predicates = variants.iter().flat_map(|it| it.deciding().chain(it.notes.iter().map(|note| &note.when)));
    let used: BTreeSet<&String> = predicates.flat_map(|predicate| &predicate.params).collect();
    match rule.params.keys().find(|param| !used.contains(param)) {
        None => Ok(()),
        Some(param) => Err(RuleProblem::UnusedParam { param: param.clone() }),
    }
}

/// The sources of the columns that decide, and of the table's rows themselves.
fn needs(rule: &Rule, variants: &[Variant]) -> Needs {
    let columns = &rule.table.table().columns;
    let read = variants.iter().flat_map(Variant::deciding).flat_map(|predicate| &predicate.columns);
    let of_columns = read.filter_map(|index| Some(columns.get(*index)?.origin));
    Needs::of(of_columns.chain(rule.table.source().map(Origin::Source)))
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
    use crate::fixture::{basis, pack};

    fn check(keys: &str, expected: &Expect) {
        let keys = format!("table = \"accounts\"\nevidence = []\n{keys}");
        expected.assert_eq(&Checker::compile(&pack(&keys).into(), basis()).unwrap_err().to_string());
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
            "fails_when = \"root_mfa_enabled\"\npass_notes = [{ when = \"xyzzy\", text = \"\" }]",
            &expect![[r#"the.toml: check the-check: pass_notes.when: table accounts has no column "xyzzy""#]],
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
            let checker = Checker::compile(&pack(&format!("evidence = []\n{keys}")).into(), basis()).unwrap();
            checker.checks[0].needs.all.iter().collect::<Vec<_>>()
        };
        let both =
            "table = \"accounts\"\napplies_when = \"password_policy_set\"\nfails_when = \"security_contact_set\"";
        assert_eq!(sources(both), [Source::PasswordPolicy, Source::SecurityContact]);
        assert_eq!(sources("table = \"credentials\"\nfails_when = \"account_id = ''\""), [Source::CredentialReport]);
        assert_eq!(sources("table = \"accounts\"\nfails_when = \"ou_id is null\""), []);
    }
}
