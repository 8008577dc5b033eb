//! Planning: SQL text to a physical expression over one table, with every parameter and every `days_ago` a constant.
//!
//! The only file that plans with DataFusion.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, ColumnarValue, Expr, Operator, ScalarUDF, Volatility, create_udf};
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyContext};
use orgsweep_core::{Timestamp, table};

use crate::arithmetic::{checked, constant_parts, without_negation, work_out};
use crate::explain::{explain, refused_part};
use crate::formula::try_without_rows;
use crate::params::ParamsByName;
use crate::predicate::{Node, Predicate, failure};
use crate::{Param, Rule, RuleProblem};

/// The functions that count back from `as_of`, each with its unit in milliseconds.
const AGO: [(&str, i64); 2] = [("days_ago", DAY_MILLIS), ("hours_ago", 60 * 60 * 1000)];

/// Milliseconds of a day; a day of a rule is 24 hours, not a calendar day.
pub(crate) const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn not_constant(function: &str) -> String {
    format!("{function}() takes a number or a parameter, nothing that differs from row to row")
}

/// Compiles predicates against one `as_of`.
pub(crate) struct PredicateCompiler {
    state: SessionState,
    as_of: Timestamp,
}

impl PredicateCompiler {
    /// A compiler for which now is `as_of`.
    pub(crate) fn new(as_of: Timestamp) -> Self {
        let mut functions = SessionStateDefaults::default_scalar_functions();
        functions.extend(AGO.map(|(name, unit)| Arc::new(ago(name, unit, as_of))));
        let state = SessionStateBuilder::new()
            .with_expr_planners(SessionStateDefaults::default_expr_planners())
            .with_scalar_functions(functions)
            .build();
        Self { state, as_of }
    }

    /// The time from which it counts back.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Reads the predicate `text`, which stands under the key `place` of `rule`, as SQL over columns and parameters.
    pub(crate) fn read(&self, rule: &Rule, place: &'static str, text: &str) -> Result<Expr, RuleProblem> {
        let failed = |error: DataFusionError| explain(&error, rule, place);
        let refused = |reason: String| RuleProblem::Predicate { place, reason };
        let expr = self.state.create_logical_expr(text, &planning_schema(rule).map_err(failed)?).map_err(failed)?;
        if let Expr::Alias(alias) = &expr {
            return Err(refused(format!("{:?} stands behind the end of the predicate", alias.name)));
        }
        if let Some(reason) = refused_part(&expr) {
            return Err(refused(reason));
        }
        let varies = |function: &ScalarUDF| function.signature().volatility != Volatility::Immutable;
        match find_function(&expr, varies) {
            None => Ok(expr),
            Some(function) => Err(refused(format!(
                "{function}() gives something else each time; use days_ago(), which counts from the run's as_of"
            ))),
        }
    }

    /// Compiles a predicate that was read, with these values of the rule's parameters.
    pub(crate) fn compile(
        &self,
        rule: &Rule,
        place: &'static str,
        expr: Expr,
        params: &ParamsByName,
    ) -> Result<Predicate, RuleProblem> {
        let failed = |error: DataFusionError| explain(&error, rule, place);
        let refused = |reason: String| RuleProblem::Predicate { place, reason };
        let table = rule.table.table();
        let (named, columns) = references(&expr, rule);
        let schema = DFSchema::try_from(table.schema().as_ref().clone()).map_err(failed)?;
        self.hold_constants(&expr, params, &schema).map_err(refused)?;
        let expr = substitute(expr, params).and_then(|expr| without_negation(expr, &schema)).map_err(failed)?;
        let expr = self.simplify(expr, &schema).map_err(failed)?;
        if let Some(function) = find_function(&expr, |function| AGO.iter().any(|(name, _)| *name == function.name())) {
            return Err(refused(not_constant(&function)));
        }
        let root = self.node(&expr, &schema).map_err(failed)?;
        match root.expression.data_type(schema.as_arrow()).map_err(failed)? {
            DataType::Boolean => {}
            other => return Err(refused(format!("gives {other}, where true or false is expected"))),
        }
        // What fails without a row fails whatever the values are.
        let tried = try_without_rows(&root.expression, schema.as_arrow());
        tried.map_err(|error| refused(format!("fails whatever the values are: {}", failure(&error))))?;
        Predicate::new(rule.table, root, columns, named).map_err(failed)
    }

    fn node(&self, expr: &Expr, schema: &DFSchema) -> Result<Node, DataFusionError> {
        let parts: Vec<&Expr> = match expr {
            Expr::Not(inner) => vec![inner],
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => vec![left, right],
            _ => Vec::new(),
        };
        let read = expr.column_refs().into_iter().filter_map(|column| schema.maybe_index_of_column(column));
        let columns: BTreeSet<usize> = read.collect();
        Ok(Node {
            expression: checked(self.state.create_physical_expr(expr.clone(), schema)?)?,
            columns: columns.into_iter().collect(),
            parts: parts.into_iter().map(|part| self.node(part, schema)).collect::<Result<_, _>>()?,
        })
    }

    /// Refuses sums of params and numbers that overflow; those that nobody can work out yet are left to the simplifier.
    fn hold_constants(&self, expr: &Expr, params: &ParamsByName, schema: &DFSchema) -> Result<(), String> {
        let is_constant = |part: &Expr| part.column_refs().iter().all(|column| params.contains_key(column.name()));
        let no_rows = RecordBatch::new_empty(Arc::new(Schema::empty()));
        for part in constant_parts(expr, is_constant) {
            let named = part.column_refs().into_iter().map(|column| column.name().to_owned()).collect::<BTreeSet<_>>();
            let planned = substitute(part, params).and_then(|part| self.state.create_physical_expr(part, schema));
            let Ok(planned) = planned else { continue };
            if let Err(error) = work_out(planned, &no_rows) {
                let named: Vec<_> =
                    named.iter().filter_map(|name| Some(format!("{name} = {}", params.get(name)?))).collect();
                let with = if named.is_empty() { String::new() } else { format!(" with {}", named.join(", ")) };
                return Err(format!("fails whatever the values are{with}: {}", failure(&error)));
            }
        }
        Ok(())
    }

    fn simplify(&self, expr: Expr, schema: &DFSchema) -> Result<Expr, DataFusionError> {
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(Arc::clone(self.state.config_options()))
            .build();
        let simplifier = ExprSimplifier::new(context);
        simplifier.simplify(simplifier.coerce(expr, schema)?)
    }
}

/// `days_ago(n)`: `as_of` minus `n` units. The simplifier turns it into a constant, since nothing in it varies.
fn ago(name: &'static str, unit: i64, as_of: Timestamp) -> ScalarUDF {
    let subtract = move |arguments: &[ColumnarValue]| match arguments {
        [ColumnarValue::Scalar(ScalarValue::Int64(Some(count)))] => {
            let time = as_of.millis().saturating_sub(count.saturating_mul(unit));
            Ok(ColumnarValue::Scalar(ScalarValue::TimestampMillisecond(Some(time), Some("UTC".into()))))
        }
        _ => Err(DataFusionError::Plan(not_constant(name))),
    };
    let arguments = vec![DataType::Int64];
    create_udf(name, arguments, table::timestamp_type(), Volatility::Immutable, Arc::new(subtract))
}

/// The columns of the rule's table and, behind them, its parameters, so that the planner resolves both.
fn planning_schema(rule: &Rule) -> Result<DFSchema, DataFusionError> {
    let columns = rule.table.table().schema();
    let params = rule.params.iter().map(|(name, value)| Arc::new(Field::new(name, literal(value).data_type(), false)));
    DFSchema::try_from(Schema::new(columns.fields().iter().cloned().chain(params).collect::<Vec<_>>()))
}

fn literal(value: &Param) -> ScalarValue {
    match value {
        Param::Flag(value) => ScalarValue::Boolean(Some(*value)),
        Param::Integer(value) => ScalarValue::Int64(Some(*value)),
        Param::Text(value) => ScalarValue::Utf8(Some(value.clone())),
        Param::List(values) => ScalarValue::Utf8(Some(values.join(","))),
    }
}

/// The parameters that the predicate names, and the indexes of the columns it reads.
fn references(expr: &Expr, rule: &Rule) -> (BTreeSet<String>, Vec<usize>) {
    let names: BTreeSet<&str> = expr.column_refs().into_iter().map(Column::name).collect();
    let params = rule.params.keys().filter(|param| names.contains(param.as_str())).cloned().collect();
    let columns = rule.table.table().columns.iter().enumerate();
    (params, columns.filter(|(_, column)| names.contains(column.name)).map(|(index, _)| index).collect())
}

/// Puts the values of parameters in place of their names; in `column in (name)` each text of a list by itself.
fn substitute(expr: Expr, params: &ParamsByName) -> Result<Expr, DataFusionError> {
    let value_of = |expr: &Expr| match expr {
        Expr::Column(column) => params.get(column.name()),
        _ => None,
    };
    let text = |text: &String| Expr::Literal(ScalarValue::Utf8(Some(text.clone())), None);
    let substituted = expr.transform_down(|node| match node {
        Expr::InList(InList { expr, list, negated }) => {
            let items = list.into_iter().flat_map(|item| match value_of(&item) {
                Some(Param::List(values)) => values.iter().map(text).collect(),
                _ => vec![item],
            });
            Ok(Transformed::yes(Expr::InList(InList { expr, list: items.collect(), negated })))
        }
        node => Ok(match value_of(&node).map(literal) {
            Some(value) => Transformed::yes(Expr::Literal(value, None)),
            None => Transformed::no(node),
        }),
    })?;
    Ok(substituted.data)
}

/// The name of the first function in the predicate that `is_meant`.
fn find_function(expr: &Expr, is_meant: impl Fn(&ScalarUDF) -> bool) -> Option<String> {
    let mut found = None;
    // The closure cannot fail, so that there is no error to look at.
    let _ = expr.apply(|node| match node {
        Expr::ScalarFunction(function) if is_meant(&function.func) => {
            found = Some(function.name().to_owned());
            Ok(TreeNodeRecursion::Stop)
        }
        _ => Ok(TreeNodeRecursion::Continue),
    });
    found
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{as_of, rule};

    /// Compiles `predicate` over `credentials` with the parameters `days`, `name` and `names`.
    fn compiled(predicate: &str) -> Result<Predicate, RuleProblem> {
        let mut rule = rule("credentials", predicate);
        rule.params.insert("days".to_owned(), Param::Integer(90));
        rule.params.insert("name".to_owned(), Param::Text("alice".to_owned()));
        rule.params.insert("names".to_owned(), Param::List(vec!["ann".to_owned(), "ben".to_owned()]));
        let compiler = PredicateCompiler::new(as_of());
        let read = compiler.read(&rule, "fails_when", predicate)?;
        compiler.compile(&rule, "fails_when", read, &rule.params)
    }

    fn check(predicate: &str, expected: &Expect) {
        let text = match compiled(predicate) {
            Ok(predicate) => predicate.root.expression.to_string(),
            Err(problem) => problem.to_string(),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn days_ago_and_parameters_are_constants_once_compiled() {
        check("access_key_1_last_rotated < days_ago(days)", &expect!["access_key_1_last_rotated@16 < 1787565600000"]);
        check(
            "access_key_1_last_rotated < days_ago(days + 10)",
            &expect!["access_key_1_last_rotated@16 < 1786701600000"],
        );
        check("\"user\" = name", &expect!["user@2 = alice"]);
        check("password_last_used < hours_ago(2)", &expect!["password_last_used@8 < 1795334400000"]);
    }

    #[test]
    fn a_list_is_each_of_its_texts_or_all_of_them_with_commas() {
        check("\"user\" in (names)", &expect!["user@2 = ann OR user@2 = ben"]);
        check(
            "names <> '' and \"user\" not in ('x', names)",
            &expect!["user@2 != x AND user@2 != ann AND user@2 != ben"],
        );
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_the_nearest_one() {
        check(
            "mfa_activ",
            &expect![[r#"fails_when: table credentials has no column "mfa_activ"; did you mean "mfa_active"?"#]],
        );
        check(
            "access_key_1_last_rotated < days_ago(dais)",
            &expect![[r#"fails_when: table credentials has no column "dais"; did you mean "days"?"#]],
        );
    }

    #[test]
    fn what_cannot_be_a_predicate_says_why_in_one_line() {
        check("mfa_active and", &expect!["fails_when: sql parser error: Expected: an expression, found: EOF"]);
        check(
            "mfa_active is_root",
            &expect![
                "fails_when: sql parser error: Expected: end of expression, found: is_root at Line: 1, Column: 12"
            ],
        );
        check("\"user\"", &expect!["fails_when: gives Utf8, where true or false is expected"]);
        check(
            "mfa_active < 3",
            &expect!["fails_when: Cannot infer common argument type for comparison operation Boolean < Int64"],
        );
        check(
            "mfa_active and count(is_root) > 1",
            &expect!["fails_when: there is no function count() of one row's values; aggregates are not allowed"],
        );
        check(
            "password_last_used < now()",
            &expect![
                "fails_when: now() gives something else each time; use days_ago(), which counts from the run's as_of"
            ],
        );
        check(
            "password_last_used < days_ago(length(arn))",
            &expect!["fails_when: days_ago() takes a number or a parameter, nothing that differs from row to row"],
        );
        check(
            "password_last_used < days_ago('soon')",
            &expect![
                "fails_when: Failed to coerce arguments to satisfy a call to 'days_ago' function: coercion from Utf8 to the signature Exact(Int64) failed"
            ],
        );
        check("null", &expect!["fails_when: gives Null, where true or false is expected"]);
    }

    #[test]
    fn what_looks_beyond_one_row_is_refused_in_our_own_words() {
        let windows = "fails_when: window functions and aggregates are not allowed: a predicate sees one row of its table at a time";
        for predicate in ["row_number() over () > 1", "sum(is_root) over () > 1"] {
            assert_eq!(compiled(predicate).unwrap_err().to_string(), windows, "{predicate}");
        }
        let subqueries = "fails_when: subqueries are not allowed: a predicate sees one row of its table at a time";
        for predicate in [
            "mfa_active in (select true)",
            "mfa_active = (select true)",
            "exists (select true)",
            "exists (select 1 from credentials)",
            "is_root = any(select true)",
        ] {
            assert_eq!(compiled(predicate).unwrap_err().to_string(), subqueries, "{predicate}");
        }
        check("is_root = ?", &expect!["fails_when: ? stands for no value: name a column or a parameter"]);
    }

    #[test]
    fn a_constant_that_overflows_is_refused_with_its_params() {
        check(
            "length(arn) > days * 200000000000000000",
            &expect![
                "fails_when: fails whatever the values are with days = 90: Arithmetic overflow: Overflow happened on: 90 * 200000000000000000"
            ],
        );
        check(
            "length(arn) > 9223372036854775807 + 1",
            &expect![
                "fails_when: fails whatever the values are: Arithmetic overflow: Overflow happened on: 9223372036854775807 + 1"
            ],
        );
        check(
            "password_last_used < days_ago(days * 200000000000000000)",
            &expect![
                "fails_when: fails whatever the values are with days = 90: Arithmetic overflow: Overflow happened on: 90 * 200000000000000000"
            ],
        );
        check(
            "length(arn) > -(days * 200000000000000000)",
            &expect![
                "fails_when: fails whatever the values are with days = 90: Arithmetic overflow: Overflow happened on: 90 * 200000000000000000"
            ],
        );
        check("length(arn) > days * 60 - 1", &expect!["character_length(arn@3) > 5399"]);
    }

    #[test]
    fn what_fails_whatever_the_values_are_is_refused() {
        check("length(\"user\") = 1 / 0", &expect!["fails_when: fails whatever the values are: Divide by zero error"]);
        check(
            "mfa_active and length(\"user\") = cast('many' as int)",
            &expect!["fails_when: Arrow error: Cast error: Cannot cast string 'many' to value of Int32 type"],
        );
        check(
            "\"user\" ~ '['",
            &expect!["fails_when: External error: regex parse error: [ ^ error: unclosed character class"],
        );
    }

    #[test]
    fn what_may_fail_on_values_is_a_predicate() {
        check(
            "10 / (length(\"user\") - length(\"user\")) = 1",
            &expect!["10 / CAST(character_length(user@2) - character_length(user@2) AS Int64) = 1"],
        );
        check(
            "100 / coalesce(length(arn), 0) > 3",
            &expect![
                "100 / CASE WHEN CAST(character_length(arn@3) AS Int64) IS NOT NULL THEN CAST(character_length(arn@3) AS Int64) ELSE 0 END > 3"
            ],
        );
    }

    #[test]
    fn a_predicate_knows_its_columns_and_parameters() {
        let predicate = compiled("mfa_active and is_root or access_key_1_last_rotated < days_ago(days)").unwrap();
        let names = table::credentials().columns.iter().map(|column| column.name).collect::<Vec<_>>();
        let read: Vec<_> = predicate.columns.iter().map(|index| names[*index]).collect();
        assert_eq!(read, ["is_root", "mfa_active", "access_key_1_last_rotated"]);
        assert_eq!(predicate.params.into_iter().collect::<Vec<_>>(), ["days"]);
    }
}
