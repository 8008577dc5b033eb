//! Parts of predicates that DataFusion is asked for: functions, patterns, arithmetic, and whatever else may fail.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, Schema};
use arrow_select::filter::filter_record_batch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

use super::truths::{Truths, all_rows, rows_in, set_row};

/// An expression over a batch of just the columns it reads: a table has many, and rows are picked from each of them.
#[derive(Debug)]
pub(super) struct Asked {
    expression: Arc<dyn PhysicalExpr>,
    columns: Vec<usize>,
}

/// What became of one row.
type Outcome = Result<Option<bool>, Failed>;

/// The expression fails on a row's values.
#[derive(Debug, Clone, Copy)]
struct Failed;

impl Asked {
    /// Takes an expression over a table's columns.
    pub(super) fn new(expression: &Arc<dyn PhysicalExpr>) -> Result<Self, DataFusionError> {
        let mut columns = BTreeSet::new();
        expression.apply(|part| {
            columns.extend(part.downcast_ref::<Column>().map(Column::index));
            Ok(TreeNodeRecursion::Continue)
        })?;
        let columns: Vec<usize> = columns.into_iter().collect();
        let narrowed = Arc::clone(expression).transform(|part| {
            let Some(column) = part.downcast_ref::<Column>() else { return Ok(Transformed::no(part)) };
            let place = columns.iter().position(|index| *index == column.index()).unwrap_or(usize::MAX);
            Ok(Transformed::yes(Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>))
        })?;
        Ok(Self { expression: narrowed.data, columns })
    }

    /// What it says of some rows; those on whose values it fails are null, and added to the failed ones.
    pub(super) fn answer(&self, batch: &RecordBatch, asked: &[u64], failed: &mut [u64]) -> Truths {
        let mut outcomes = Vec::new();
        if let Ok(rows) = self.pick(batch, asked) {
            self.evaluate_by_halves(&rows, &mut outcomes);
        }
        let mut truths = Truths::constant(None, asked.len());
        for (row, outcome) in rows_in(asked).zip(outcomes.into_iter().chain(std::iter::repeat(Err(Failed)))) {
            match outcome {
                Ok(Some(true)) => set_row(&mut truths.yes, row),
                Ok(Some(false)) => set_row(&mut truths.no, row),
                Ok(None) => {}
                Err(Failed) => set_row(failed, row),
            }
        }
        truths
    }

    /// The rows that are asked about.
    fn pick(&self, batch: &RecordBatch, asked: &[u64]) -> Result<RecordBatch, ArrowError> {
        let (narrow, rows) = (batch.project(&self.columns)?, batch.num_rows());
        if asked == all_rows(rows) {
            return Ok(narrow);
        }
        let picked = BooleanBuffer::new(asked.to_vec().into(), 0, rows);
        filter_record_batch(&narrow, &BooleanArray::new(picked, None))
    }

    /// Finds the rows on which it fails, so that the others keep their answer. A row's own answer does not depend on the
    /// rows beside it: rows together are never spared an evaluation that one of them needs alone.
    fn evaluate_by_halves(&self, batch: &RecordBatch, outcomes: &mut Vec<Outcome>) {
        let rows = batch.num_rows();
        match holds(&self.expression, batch) {
            Ok(answers) => outcomes.extend(answers.iter().map(Ok)),
            Err(_) if rows < 2 => outcomes.extend((0..rows).map(|_| Err(Failed))),
            Err(_) => {
                let half = rows / 2;
                self.evaluate_by_halves(&batch.slice(0, half), outcomes);
                self.evaluate_by_halves(&batch.slice(half, rows - half), outcomes);
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

/// Evaluates an expression on no rows.
///
/// # Errors
/// It fails whatever the values are.
pub(crate) fn try_without_rows(expression: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<(), DataFusionError> {
    let asked = Asked::new(expression)?;
    let no_rows = RecordBatch::new_empty(Arc::new(schema.project(&asked.columns)?));
    holds(&asked.expression, &no_rows).map(drop)
}

/// Whether an expression holds for every row, unless it fails on one of them.
pub(super) fn holds(expression: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray, DataFusionError> {
    let values = expression.evaluate(batch)?.into_array(batch.num_rows())?;
    let held = values.as_boolean_opt().cloned();
    held.ok_or_else(|| DataFusionError::Execution(format!("a predicate gave {}", values.data_type())))
}
