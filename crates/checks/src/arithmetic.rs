//! Arithmetic that fails where it would overflow. DataFusion lets sums wrap around, and a wrapped sum may pass.

use std::sync::Arc;

use arrow_array::RecordBatch;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::BinaryExpr as PhysicalBinaryExpr;

/// Whether the operator is one whose results DataFusion wraps around.
fn wraps(op: Operator) -> bool {
    matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply)
}

/// The expression with sums, differences and products that fail where they overflow.
pub(crate) fn checked(expression: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let transformed = expression.transform_up(|node| {
        let Some(binary) = node.downcast_ref::<PhysicalBinaryExpr>().filter(|binary| wraps(*binary.op())) else {
            return Ok(Transformed::no(node));
        };
        let (left, right) = (Arc::clone(binary.left()), Arc::clone(binary.right()));
        let checked = PhysicalBinaryExpr::new(left, *binary.op(), right).with_fail_on_overflow(true);
        Ok(Transformed::yes(Arc::new(checked) as Arc<dyn PhysicalExpr>))
    })?;
    Ok(transformed.data)
}

/// The expression with `-x` written as `0 - x`, which [`checked`] checks.
pub(crate) fn without_negation(expr: Expr, schema: &DFSchema) -> Result<Expr, DataFusionError> {
    let transformed = expr.transform_up(|node| match node {
        Expr::Negative(inner) if inner.get_type(schema)?.is_signed_integer() => {
            let zero = lit(0i64).cast_to(&inner.get_type(schema)?, schema)?;
            Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(zero), Operator::Minus, inner))))
        }
        node => Ok(Transformed::no(node)),
    })?;
    Ok(transformed.data)
}

/// The sums, differences and products of constants alone, the innermost first, which planning would work out, and wrap.
pub(crate) fn constant_parts(expr: &Expr, is_constant: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    let mut parts = Vec::new();
    // The closure cannot fail, so that there is no error to look at.
    let _ = expr.apply(|node| {
        if matches!(node, Expr::BinaryExpr(binary) if wraps(binary.op)) && is_constant(node) {
            parts.push(node.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    parts.reverse();
    parts
}

/// Works out an expression that reads no column.
///
/// # Errors
/// It overflows.
pub(crate) fn work_out(expression: Arc<dyn PhysicalExpr>, no_rows: &RecordBatch) -> Result<(), DataFusionError> {
    checked(expression)?.evaluate(no_rows).map(drop)
}
