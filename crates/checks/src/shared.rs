//! What several predicates of a table have in common, as when a user's key was last used: worked out once for a chunk, as
//! columns behind those of the table.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, Column, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};
use orgsweep_core::table::Table;

use crate::predicate::{Narrow, Predicate};

/// The parts that predicates of one table share.
#[derive(Debug)]
pub(crate) struct SharedParts {
    parts: Vec<Arc<dyn PhysicalExpr>>,
    /// A column for each.
    fields: Vec<Arc<Field>>,
}

impl SharedParts {
    /// Finds what these predicates of a table share, and lets them read it in place of working it out.
    pub(crate) fn take_out(table: &Table, predicates: Vec<&mut Predicate>) -> Result<Self, DataFusionError> {
        let mut seen: Vec<(Arc<dyn PhysicalExpr>, usize)> = Vec::new();
        for predicate in &predicates {
            for part in choices(&predicate.root.expression) {
                match seen.iter_mut().find(|(known, _)| known.as_ref() == part.as_ref()) {
                    Some((_, times)) => *times += 1,
                    None => seen.push((part, 1)),
                }
            }
        }
        let parts: Vec<_> = seen.into_iter().filter(|(_, times)| *times > 1).map(|(part, _)| part).collect();
        let schema = table.schema();
        for predicate in predicates {
            let read = with_shared(&predicate.root.expression, &parts, table.columns.len())?;
            predicate.narrow = Narrow::new(&read, &columns(&read))?;
        }
        let fields = parts
            .iter()
            .enumerate()
            .map(|(place, part)| Ok(Arc::new(Field::new(format!("shared_{place}"), part.data_type(&schema)?, true))));
        Ok(Self { fields: fields.collect::<Result<_, DataFusionError>>()?, parts })
    }

    /// The rows of a table with what is shared of them.
    pub(crate) fn beside(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let part = |part: &Arc<dyn PhysicalExpr>| part.evaluate(batch)?.into_array(batch.num_rows());
        let parts = self.parts.iter().map(part).collect::<Result<Vec<_>, _>>();
        let parts = parts.map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let fields = batch.schema_ref().fields().iter().chain(&self.fields).cloned();
        let columns = batch.columns().iter().cloned().chain(parts).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
    }
}

/// The `case`s of an expression that cannot fail, whatever the values are, each once. What may fail on a row is worked
/// out where it is asked, so that no predicate fails for another's sake.
fn choices(expression: &Arc<dyn PhysicalExpr>) -> Vec<Arc<dyn PhysicalExpr>> {
    let mut found = Vec::new();
    // The closure cannot fail, so that there is no error to look at.
    let _ = expression.apply(|part| {
        if part.is::<CaseExpr>() && cannot_fail(part) {
            if !found.contains(part) {
                found.push(Arc::clone(part));
            }
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

fn cannot_fail(expression: &Arc<dyn PhysicalExpr>) -> bool {
    let compares = |operator: &Operator| {
        use Operator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
        matches!(operator, And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq)
    };
    let is_safe = |part: &Arc<dyn PhysicalExpr>| {
        part.is::<CaseExpr>()
            || part.is::<Column>()
            || part.is::<Literal>()
            || part.is::<IsNullExpr>()
            || part.is::<IsNotNullExpr>()
            || part.is::<NotExpr>()
            || part.downcast_ref::<BinaryExpr>().is_some_and(|binary| compares(binary.op()))
    };
    !expression.exists(|part| Ok(!is_safe(part))).unwrap_or(true)
}

/// The expression with a column in the place of each of these parts; the first is behind the table's columns.
fn with_shared(
    expression: &Arc<dyn PhysicalExpr>,
    parts: &[Arc<dyn PhysicalExpr>],
    first: usize,
) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let replaced = Arc::clone(expression).transform_down(|part| {
        match parts.iter().position(|shared| shared.as_ref() == part.as_ref()) {
            Some(place) => {
                let column = Column::new(&format!("shared_{place}"), first + place);
                Ok(Transformed::new(Arc::new(column) as Arc<dyn PhysicalExpr>, true, TreeNodeRecursion::Jump))
            }
            None => Ok(Transformed::no(part)),
        }
    })?;
    Ok(replaced.data)
}

/// The indexes of the columns that an expression reads, ascending.
fn columns(expression: &Arc<dyn PhysicalExpr>) -> Vec<usize> {
    let mut columns = BTreeSet::new();
    let _ = expression.apply(|part| {
        columns.extend(part.downcast_ref::<Column>().map(Column::index));
        Ok(TreeNodeRecursion::Continue)
    });
    columns.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::fixture::basis;
    use crate::{Checker, RulePack};

    #[test]
    fn when_something_was_last_used_is_worked_out_once_for_all_checks() {
        let checker = Checker::compile(&RulePack::embedded().unwrap().into(), basis()).unwrap();
        let shared: Vec<String> = checker.shared.credentials.parts.iter().map(ToString::to_string).collect();
        let used = |name: &str| shared.iter().any(|part| part.contains(&format!("{name}@")));
        assert_eq!(shared.len(), 3, "{shared:#?}");
        assert!(
            used("password_last_used") && used("access_key_1_last_used_date") && used("access_key_2_last_used_date")
        );
    }
}
