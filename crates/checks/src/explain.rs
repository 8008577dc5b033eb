//! What DataFusion says of a predicate that cannot be one, in words of rules: a column, a function, a row.

use datafusion::common::SchemaError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;

use crate::parse::{one_line, unknown_column};
use crate::{Rule, RuleProblem};

/// Why a predicate cannot look at anything but its row.
const ONE_ROW: &str = "a predicate sees one row of its table at a time";

/// What DataFusion says, as a problem of the rule.
pub(crate) fn explain(error: &DataFusionError, rule: &Rule, place: &'static str) -> RuleProblem {
    let reason = match error.find_root() {
        DataFusionError::SchemaError(schema_error, _) => match schema_error.as_ref() {
            SchemaError::FieldNotFound { field, .. } => return unknown_column(place, rule, field.name()),
            other => other.to_string(),
        },
        DataFusionError::SQL(parser_error, _) => parser_error.to_string(),
        // Of functions that read like it, DataFusion names another one each time.
        DataFusionError::Plan(reason) => reason.split(" Did you mean").next().unwrap_or_default().to_owned(),
        // No window functions are registered.
        DataFusionError::Internal(reason) if reason.starts_with("No functions registered") => windows(),
        DataFusionError::Internal(reason) => format!("cannot be planned: {reason}"),
        other => other.strip_backtrace(),
    };
    RuleProblem::Predicate { place, reason: reworded(&without_guess(&one_line(&reason))) }
}

/// The first part of a predicate that is none of a row's values, if there is one, as the reason to refuse it.
pub(crate) fn refused_part(expr: &Expr) -> Option<String> {
    let mut found = None;
    // The closure cannot fail, so that there is no error to look at.
    let _ = expr.apply(|node| {
        found = match node {
            Expr::InSubquery(_) | Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => {
                Some(subqueries())
            }
            Expr::WindowFunction(_) | Expr::AggregateFunction(_) => Some(windows()),
            Expr::Placeholder(placeholder) => {
                Some(format!("{} stands for no value: name a column or a parameter", placeholder.id))
            }
            _ => None,
        };
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

fn subqueries() -> String {
    format!("subqueries are not allowed: {ONE_ROW}")
}

fn windows() -> String {
    format!("window functions and aggregates are not allowed: {ONE_ROW}")
}

/// What DataFusion words for somebody who has tables and functions of his own.
fn reworded(reason: &str) -> String {
    if let Some(function) = reason.strip_prefix("Invalid function '").and_then(|rest| rest.strip_suffix('\'')) {
        return format!("there is no function {function}() of one row's values; aggregates are not allowed");
    }
    if reason.starts_with("table '") && reason.ends_with("' not found") {
        return subqueries();
    }
    reason.to_owned()
}

/// DataFusion guesses at the function that was meant, another one each time, and rarely the right one.
fn without_guess(reason: &str) -> String {
    reason.split_once(". Did you mean").map_or(reason, |(reason, _)| reason).trim_end_matches('.').to_owned()
}
