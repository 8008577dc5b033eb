//! Predicates as formulas of our own: evaluated over whole columns with 64 rows a word, in SQL's three-valued logic.
//!
//! What a formula cannot say is a part that DataFusion is asked for, about those rows alone that need its answer. A row
//! is asked the same parts as if it were alone, from left to right: `and`, `or` and `case` spare a row what is behind
//! its answer, and no other row changes that. So a row on whose values a part fails, fails, whatever stands beside it.

mod asked;
mod test;
mod translate;
mod truths;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::Schema;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;

use asked::Asked;
use test::Test;
use translate::Translator;
use truths::{Mask, Truths, all_rows, common, is_empty, valid_words, without, words_of};

pub(crate) use asked::try_without_rows;

/// A predicate made ready for whole batches.
#[derive(Debug)]
pub(crate) struct Formula {
    root: Part,
}

/// A part of a formula: an expression that is true, false or null. Columns are named by their index.
#[derive(Debug)]
enum Part {
    Constant(Option<bool>),
    /// The column itself, which is of yes and no.
    Flag(usize),
    /// Whether the column is null.
    IsNull(usize),
    Test(Test),
    Not(Box<Part>),
    And(Box<[Part; 2]>),
    Or(Box<[Part; 2]>),
    /// Whether two parts say the same.
    Equal(Box<[Part; 2]>),
    /// Whether a part is null.
    Unknown(Box<Part>),
    Case(Vec<(Part, Part)>, Box<Part>),
    Asked(Asked),
}

impl Formula {
    /// Translates an expression over batches of this schema.
    pub(crate) fn of(expression: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Self, DataFusionError> {
        Ok(Self { root: Translator { schema }.part(expression)? })
    }

    /// Whether it holds, for every row of a batch, or for some of them, and of the others anything. Null as well for a
    /// row on whose values it fails, like a division by zero.
    pub(crate) fn evaluate(&self, batch: &RecordBatch, among: Option<&BooleanBuffer>) -> BooleanArray {
        let rows = batch.num_rows();
        let asked: Mask = among.map_or_else(|| all_rows(rows), |among| words_of(among).collect());
        let mut evaluation = Evaluation { batch, failed: vec![0; asked.len()] };
        let truths = evaluation.answer(&self.root, &asked);
        truths.forget(&evaluation.failed).into_array(rows)
    }
}

/// A formula on its way over a batch.
struct Evaluation<'a> {
    batch: &'a RecordBatch,
    /// The rows on whose values a part failed.
    failed: Mask,
}

impl Evaluation<'_> {
    /// What a part says of the rows that are asked about.
    fn answer(&mut self, part: &Part, asked: &[u64]) -> Truths {
        let nothing = || Truths::constant(None, asked.len());
        if is_empty(asked) {
            return nothing();
        }
        match part {
            Part::Constant(answer) => Truths::constant(*answer, asked.len()),
            Part::Flag(index) => {
                let flags = self.batch.columns().get(*index).and_then(|column| column.as_boolean_opt());
                flags.map_or_else(nothing, Truths::of_array)
            }
            Part::IsNull(index) => match self.batch.columns().get(*index) {
                Some(column) => Truths::of_bits(valid_words(column), std::iter::repeat(u64::MAX)).inverted(),
                None => nothing(),
            },
            Part::Test(test) => test.answer(self.batch, asked).unwrap_or_else(nothing),
            Part::Not(part) => self.answer(part, asked).inverted(),
            Part::And(parts) => self.both(parts, asked),
            Part::Or(parts) => self.either(parts, asked),
            Part::Equal(parts) => {
                let [one, other] = parts.each_ref().map(|part| self.answer(part, asked));
                one.equal(&other)
            }
            Part::Unknown(part) => self.answer(part, asked).are_null(),
            Part::Case(branches, otherwise) => self.case(branches, otherwise, asked),
            Part::Asked(part) => part.answer(self.batch, asked, &mut self.failed),
        }
    }

    /// The second part is asked where the first is not false.
    fn both(&mut self, [first, second]: &[Part; 2], asked: &[u64]) -> Truths {
        let mut truths = self.answer(first, asked);
        let others = self.answer(second, &without(asked, &truths.no));
        truths.yes.iter_mut().zip(others.yes).for_each(|(yes, other)| *yes &= other);
        truths.no.iter_mut().zip(others.no).for_each(|(no, other)| *no |= other);
        truths
    }

    /// The second part is asked where the first is not true.
    fn either(&mut self, [first, second]: &[Part; 2], asked: &[u64]) -> Truths {
        let mut truths = self.answer(first, asked);
        let others = self.answer(second, &without(asked, &truths.yes));
        truths.yes.iter_mut().zip(others.yes).for_each(|(yes, other)| *yes |= other);
        truths.no.iter_mut().zip(others.no).for_each(|(no, other)| *no &= other);
        truths
    }

    fn case(&mut self, branches: &[(Part, Part)], otherwise: &Part, asked: &[u64]) -> Truths {
        let mut truths = Truths::constant(None, asked.len());
        let mut rest = asked.to_vec();
        for (when, then) in branches {
            // A condition that is null is not met.
            let taken = common(&rest, &self.answer(when, &rest).yes);
            truths.fill(&taken, &self.answer(then, &taken));
            rest = without(&rest, &taken);
        }
        truths.fill(&rest, &self.answer(otherwise, &rest));
        truths
    }
}
