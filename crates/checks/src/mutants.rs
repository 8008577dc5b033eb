//! What the cases of a rule would not notice: each predicate is changed a little, in every way that matters, and a
//! change after which all cases still hold is a survivor. A rule without survivors is pinned down by its cases.

use std::fmt;

use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{Between, InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use crate::case::{case_as_of, run_rule};
use crate::compile::Draft;
use crate::planning::PredicateCompiler;
use crate::{Param, Rule, RuleError, RulePack};

/// A change of a rule that none of its cases notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// The check.
    pub check_id: String,
    /// The predicate: `applies_when` or `fails_when`.
    pub place: &'static str,
    /// What it was changed to.
    pub change: String,
}

impl fmt::Display for Survivor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check {}: no case notices that {} is changed: {}", self.check_id, self.place, self.change)
    }
}

/// Changes every rule of the pack in every way, and lists what no case notices.
///
/// # Errors
/// A rule that does not compile, and a case that cannot be made into rows.
pub fn survivors(pack: &RulePack) -> Result<Vec<Survivor>, RuleError> {
    let compiler = PredicateCompiler::new(case_as_of());
    let mut found = Vec::new();
    for rule in pack.rules() {
        let failed = |problem| RuleError::in_check(&rule.file, &rule.id, problem);
        let draft = Draft::of(&compiler, rule).map_err(failed)?;
        run_rule(&compiler, rule, &draft).map_err(failed)?;
        for (place, change, mutant) in mutants_of(rule, &draft) {
            // A change that is no predicate any more is one that nobody could make.
            let Ok(results) = run_rule(&compiler, rule, &mutant) else { continue };
            if results.iter().all(|result| result.passed) {
                found.push(Survivor { check_id: rule.id.clone(), place, change });
            }
        }
    }
    Ok(found)
}

fn mutants_of(rule: &Rule, draft: &Draft) -> Vec<(&'static str, String, Draft)> {
    let fails = mutants(rule, &draft.fails_when)
        .into_iter()
        .map(|(change, expr)| ("fails_when", change, Draft { fails_when: expr, ..draft.clone() }));
    let applies = draft
        .applies_when
        .iter()
        .flat_map(|expr| mutants(rule, expr))
        .map(|(change, expr)| ("applies_when", change, Draft { applies_when: Some(expr), ..draft.clone() }));
    let always = draft
        .applies_when
        .iter()
        .map(|_| ("applies_when", "it is left out".to_owned(), Draft { applies_when: None, ..draft.clone() }));
    fails.chain(applies).chain(always).collect()
}

/// Every expression that is this one with one node of it changed.
fn mutants(rule: &Rule, expr: &Expr) -> Vec<(String, Expr)> {
    let mut nodes = Vec::new();
    let collected = expr.apply(|node| {
        nodes.push(node.clone());
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(collected.is_ok(), "the closure cannot fail");
    let mut mutants = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        for changed in changes(rule, node) {
            let change = format!("{changed} for {node}");
            mutants.extend(replaced(expr, place, changed).ok().map(|mutant| (change, mutant)));
        }
    }
    mutants
}

/// The expression with the node at this place, counted from the root down, replaced.
fn replaced(expr: &Expr, place: usize, by: Expr) -> Result<Expr, DataFusionError> {
    let (mut at, mut by) = (0, Some(by));
    let replaced = expr.clone().transform_down(|node| {
        let here = at == place;
        at += 1;
        match by.take_if(|_| here) {
            Some(by) => Ok(Transformed::new(by, true, TreeNodeRecursion::Stop)),
            None => Ok(Transformed::no(node)),
        }
    })?;
    Ok(replaced.data)
}

/// What a node could be mistaken for.
fn changes(rule: &Rule, node: &Expr) -> Vec<Expr> {
    match node {
        Expr::BinaryExpr(binary) => binary_changes(binary),
        Expr::Not(inner) => vec![(**inner).clone()],
        Expr::IsNull(inner) => vec![Expr::IsNotNull(inner.clone())],
        Expr::IsNotNull(inner) => vec![Expr::IsNull(inner.clone())],
        Expr::Column(column) => match (rule.params.get(column.name()), rule.table.table().column(column.name())) {
            (Some(Param::Integer(_)), _) => vec![plus(node, 1), plus(node, -1)],
            (Some(Param::Flag(_)), _) => vec![Expr::Not(Box::new(node.clone()))],
            (None, Some(column)) if column.data_type == DataType::Boolean => vec![Expr::Not(Box::new(node.clone()))],
            _ => Vec::new(),
        },
        Expr::Literal(ScalarValue::Int64(Some(_)), _) => vec![plus(node, 1), plus(node, -1)],
        Expr::Literal(ScalarValue::Boolean(Some(value)), _) => vec![literal(!*value)],
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => vec![literal(format!("{text}~"))],
        Expr::InList(list) => in_list_changes(list),
        Expr::Between(between) => {
            vec![Expr::Between(Between { negated: !between.negated, ..between.clone() })]
        }
        Expr::Case(case) => case_changes(case),
        Expr::ScalarFunction(function) if function.name() == "coalesce" => function.args.clone(),
        Expr::ScalarFunction(function) => unwrapped(function),
        _ => Vec::new(),
    }
}

fn binary_changes(binary: &BinaryExpr) -> Vec<Expr> {
    let with = |op: Operator| Expr::BinaryExpr(BinaryExpr { op, ..binary.clone() });
    let sides = || vec![(*binary.left).clone(), (*binary.right).clone()];
    match binary.op {
        Operator::And => [sides(), vec![with(Operator::Or)]].concat(),
        Operator::Or => [sides(), vec![with(Operator::And)]].concat(),
        Operator::Lt => vec![with(Operator::LtEq), with(Operator::Gt)],
        Operator::LtEq => vec![with(Operator::Lt), with(Operator::GtEq)],
        Operator::Gt => vec![with(Operator::GtEq), with(Operator::Lt)],
        Operator::GtEq => vec![with(Operator::Gt), with(Operator::LtEq)],
        Operator::Eq => vec![with(Operator::NotEq)],
        Operator::NotEq => vec![with(Operator::Eq)],
        _ => Vec::new(),
    }
}

fn in_list_changes(list: &InList) -> Vec<Expr> {
    let flipped = Expr::InList(InList { negated: !list.negated, ..list.clone() });
    let shorter = (0..list.list.len()).filter(|_| list.list.len() > 1).map(|left_out| {
        let kept = list.list.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, item)| item.clone());
        Expr::InList(InList { list: kept.collect(), ..list.clone() })
    });
    shorter.chain([flipped]).collect()
}

fn case_changes(case: &datafusion::logical_expr::Case) -> Vec<Expr> {
    let branches = case.when_then_expr.len();
    let shorter = (0..branches).filter(|_| branches > 1).map(|left_out| {
        let mut case = case.clone();
        case.when_then_expr.remove(left_out);
        Expr::Case(case)
    });
    let without_else = case.else_expr.iter().map(|_| {
        let mut case = case.clone();
        case.else_expr = None;
        Expr::Case(case)
    });
    let of_else = case.else_expr.iter().map(|otherwise| (**otherwise).clone());
    let of_branches = case.when_then_expr.iter().map(|(_, then)| (**then).clone());
    shorter.chain(without_else).chain(of_else).chain(of_branches).collect()
}

/// What a function of one argument, such as `lower`, leaves as it is.
fn unwrapped(function: &ScalarFunction) -> Vec<Expr> {
    match (function.name(), function.args.as_slice()) {
        ("days_ago" | "hours_ago", _) => Vec::new(),
        (_, [argument]) => vec![argument.clone()],
        _ => Vec::new(),
    }
}

fn plus(expr: &Expr, by: i64) -> Expr {
    Expr::BinaryExpr(BinaryExpr { left: Box::new(expr.clone()), op: Operator::Plus, right: Box::new(literal(by)) })
}

fn literal(value: impl Into<ScalarValue>) -> Expr {
    Expr::Literal(value.into(), None)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::pack;

    /// The survivors of a rule with these cases.
    fn survive(cases: &str) -> String {
        let pack = pack(&format!(
            "table = \"access_keys\"\napplies_when = \"active\"\nfails_when = \"last_rotated < days_ago(max_days)\"\n\
             params = {{ max_days = 90 }}\nevidence = []\n{cases}"
        ));
        let survivors = survivors(&pack).unwrap();
        survivors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_rule_that_its_cases_pin_down_has_no_survivors() {
        let case = |row: &str, expect: &str| {
            format!("[[check.case]]\nname = \"{expect}\"\nrow = {{ {row} }}\nexpect = \"{expect}\"\n")
        };
        let young = case("active = true, last_rotated = \"-90d\"", "pass");
        let old = case("active = true, last_rotated = \"-90d-1s\"", "fail");
        let inactive = case("active = false, last_rotated = \"-100d\"", "not_applicable");
        assert_eq!(survive(&[young.clone(), old.clone(), inactive].concat()), "");
        expect!["check the-check: no case notices that applies_when is changed: it is left out"]
            .assert_eq(&survive(&[old, young].concat()));
    }

    #[test]
    fn the_cases_of_the_embedded_rules_notice_every_change() {
        let survivors = survivors(&RulePack::embedded().unwrap()).unwrap();
        let told: Vec<_> = survivors.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "{} survivors\n{}", told.len(), told.join("\n"));
    }
}
