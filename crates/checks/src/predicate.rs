//! Predicates as they are evaluated: which rows they hold for, and where they do not say, why.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use orgsweep_core::table;

use crate::CheckTable;
use crate::access_keys::{SLOTS, in_slot};
use crate::formula::Formula;
use crate::parse::one_line;

/// A compiled predicate over the rows of one table.
#[derive(Debug)]
pub(crate) struct Predicate {
    pub(crate) root: Node,
    /// The same, to be asked about many rows at once.
    pub(crate) formula: Formula,
    /// And of the view of key slots, about each slot of rows of `credentials`.
    by_slot: Option<Box<[Formula; SLOTS]>>,
    /// Indexes of the table's columns that its text names, ascending.
    pub(crate) columns: Vec<usize>,
    /// Parameters that its text names.
    pub(crate) params: BTreeSet<String>,
}

/// A predicate, and below it the parts that `and`, `or` and `not` join: where it is null, they tell because of what.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) expression: Arc<dyn PhysicalExpr>,
    /// Indexes of the columns it reads, ascending.
    pub(crate) columns: Vec<usize>,
    /// Empty for what is no `and`, `or` or `not`.
    pub(crate) parts: Vec<Node>,
}

impl Predicate {
    /// Makes a predicate ready for the rows of a table.
    pub(crate) fn new(
        table: CheckTable,
        root: Node,
        columns: Vec<usize>,
        params: BTreeSet<String>,
    ) -> Result<Self, DataFusionError> {
        let in_slot = |slot| Formula::of(&in_slot(&root.expression, slot)?, &table::credentials().schema());
        let by_slot = match table {
            CheckTable::AccessKeys => Some(Box::new([in_slot(1)?, in_slot(2)?])),
            CheckTable::Accounts | CheckTable::Credentials => None,
        };
        let formula = Formula::of(&root.expression, &table.table().schema())?;
        Ok(Self { root, formula, by_slot, columns, params })
    }

    /// Whether it holds, for every row of a batch that has the table's columns in the table's order, or for some of them
    /// and of the others anything. Null as well for a row on whose values it fails, like a division by zero;
    /// [`Predicate::null_columns`] tells them apart.
    pub(crate) fn evaluate(&self, batch: &RecordBatch, among: Option<&BooleanBuffer>) -> BooleanArray {
        self.formula.evaluate(batch, among)
    }

    /// The same for one slot, by its index, of each row of `credentials`.
    pub(crate) fn evaluate_slot(
        &self,
        slot: usize,
        credentials: &RecordBatch,
        among: Option<&BooleanBuffer>,
    ) -> BooleanArray {
        match self.by_slot.as_ref().and_then(|formulas| formulas.get(slot)) {
            Some(formula) => formula.evaluate(credentials, among),
            None => BooleanArray::new_null(credentials.num_rows()),
        }
    }

    /// The columns that are null in this row and for that reason leave the predicate null, ascending. A column that
    /// only speaks where another decided already is not among them.
    ///
    /// # Errors
    /// It fails on the row's values; the text says why, in one line.
    pub(crate) fn null_columns(&self, batch: &RecordBatch, row: usize) -> Result<BTreeSet<usize>, String> {
        let mut columns = BTreeSet::new();
        let found = self.root.find_nulls(&batch.slice(row, 1), &mut columns);
        found.map(|()| columns).map_err(|error| failure(&error))
    }
}

impl Node {
    /// Collects the null columns of a one-row batch below which this is null.
    fn find_nulls(&self, row: &RecordBatch, columns: &mut BTreeSet<usize>) -> Result<(), DataFusionError> {
        if self.expression.evaluate(row)?.into_array(1)?.is_valid(0) {
            return Ok(());
        }
        let mut below = BTreeSet::new();
        self.parts.iter().try_for_each(|part| part.find_nulls(row, &mut below))?;
        if below.is_empty() {
            // What is null as such, like a `case` without an answer, is null because of the columns around it.
            below.extend(self.columns.iter().filter(|index| row.column(**index).is_null(0)));
        }
        columns.append(&mut below);
        Ok(())
    }
}

/// Why an expression failed on values, in one line that is the same each time.
pub(crate) fn failure(error: &DataFusionError) -> String {
    let reason = match error.find_root() {
        DataFusionError::ArrowError(error, _) => error.to_string(),
        DataFusionError::Execution(reason) => reason.clone(),
        other => other.strip_backtrace(),
    };
    // A backtrace, where there is one, stands behind this mark in the texts that errors were made with.
    one_line(reason.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use orgsweep_core::table;

    use super::*;
    use crate::fixture::{Organization, as_of, rule};
    use crate::planning::PredicateCompiler;

    /// Accounts with as many users as each number says.
    fn accounts(users: &[i32]) -> RecordBatch {
        let account = |users: &i32| format!("[[account]]\nrow = {{ iam_users = {users} }}\n");
        Organization::read(&users.iter().map(account).collect::<String>()).accounts
    }

    fn compiled(predicate: &str) -> Predicate {
        let (compiler, rule) = (PredicateCompiler::new(as_of()), rule("accounts", predicate));
        let read = compiler.read(&rule, "fails_when", predicate).unwrap();
        compiler.compile(&rule, "fails_when", read, &rule.params).unwrap()
    }

    #[test]
    fn only_the_rows_that_fail_are_null_whatever_stands_beside_them() {
        let predicates = [
            "10 / iam_users > 3",
            "iam_users <> 0 and 10 / iam_users > 3",
            "iam_users = 0 or 10 / iam_users > 3",
            "iam_users > 1 and 10 / (iam_users - 2) > 3",
            "case when iam_users = 0 then false else 10 / (iam_users - 2) > 3 end",
            "cast(concat(iam_users, case when iam_users = 1 then 'x' else '' end) as int) > 2",
        ];
        let batch = accounts(&[0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 12]);
        let mut failing = 0;
        for text in predicates {
            let predicate = compiled(text);
            let together = predicate.evaluate(&batch, None);
            for size in [1, 2, 3, 5] {
                let slices = (0..batch.num_rows()).step_by(size);
                let slices = slices.map(|start| batch.slice(start, size.min(batch.num_rows() - start)));
                let apart: Vec<_> =
                    slices.flat_map(|slice| predicate.evaluate(&slice, None).iter().collect::<Vec<_>>()).collect();
                assert_eq!(together.iter().collect::<Vec<_>>(), apart, "{text}, {size} rows at a time");
            }
            failing += together.null_count();
        }
        assert!(failing > 0);
    }

    #[test]
    fn arithmetic_that_overflows_fails_and_does_not_wrap_around() {
        let row = "[[account]]\nrow = { report_users = 2147483647, iam_users = 1, report_rows = -2147483648 }";
        let batch = Organization::read(row).accounts;
        for text in [
            "report_users + iam_users > 5",
            "report_rows - iam_users > 5",
            "report_users * 2 > 5 and report_users * report_users > 5",
            "-report_rows > 5",
            "not (report_users + iam_users > 5)",
            "case when report_users + iam_users > 5 then true else false end",
        ] {
            let predicate = compiled(text);
            assert!(predicate.evaluate(&batch, None).is_null(0), "{text}");
            let reason = predicate.null_columns(&batch, 0).unwrap_err();
            assert!(reason.starts_with("Arithmetic overflow: "), "{reason}");
        }
        assert!(compiled("report_users + cast(iam_users as bigint) > 5").evaluate(&batch, None).value(0));
        assert!(compiled("-iam_users < 0").evaluate(&batch, None).value(0));
    }

    #[test]
    fn a_failure_is_told_in_one_line() {
        let reason = |predicate: &str| compiled(predicate).null_columns(&accounts(&[0]), 0).unwrap_err();
        expect!["Divide by zero error"].assert_eq(&reason("1 / iam_users = 1"));
        expect!["Cast error: Cannot cast string 'of 0' to value of Int32 type"]
            .assert_eq(&reason("cast(concat('of ', iam_users) as int) = iam_users"));
        let of_many_lines = reason("repeat('[', iam_users + 1) ~ repeat('[', iam_users + 1)");
        assert!(of_many_lines.contains("unclosed character class") && !of_many_lines.contains('\n'));
    }

    #[test]
    fn no_rows_have_no_answers() {
        let none = RecordBatch::new_empty(table::accounts().schema());
        assert_eq!(compiled("1 / iam_users = 1").evaluate(&none, None).len(), 0);
    }
}
