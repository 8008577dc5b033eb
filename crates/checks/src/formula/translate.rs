//! From DataFusion's expressions to a formula.

use std::sync::Arc;

use arrow_schema::{DataType, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};

use super::Part;
use super::asked::Asked;
use super::test::{Relation, Test};

type Expression = Arc<dyn PhysicalExpr>;
/// `None` is what is not known here.
type Translated = Result<Option<Part>, DataFusionError>;

/// Translates expressions over the columns of a schema.
pub(super) struct Translator<'a> {
    pub(super) schema: &'a Schema,
}

/// What stands on one side of a comparison; nothing of it can fail.
#[derive(Clone)]
enum Operand {
    /// Columns by their index, of whole numbers or of points in time as milliseconds.
    Numbers(usize),
    Texts(usize),
    Number(i64),
    Text(String),
    Null,
}

impl Translator<'_> {
    /// The part that an expression of yes and no is; what is not known here DataFusion is asked for.
    pub(super) fn part(&self, expression: &Expression) -> Result<Part, DataFusionError> {
        let known = if let Some(not) = expression.downcast_ref::<NotExpr>() {
            Some(negated(self.part(not.arg())?))
        } else if let Some(binary) = expression.downcast_ref::<BinaryExpr>() {
            self.binary(binary)?
        } else if let Some(case) = expression.downcast_ref::<CaseExpr>() {
            self.case(case, &|then| self.part(then), Part::Constant(None))?
        } else if let Some(is_null) = expression.downcast_ref::<IsNullExpr>() {
            self.is_null(is_null.arg())?
        } else if let Some(is_not_null) = expression.downcast_ref::<IsNotNullExpr>() {
            self.is_null(is_not_null.arg())?.map(negated)
        } else if let Some(list) = expression.downcast_ref::<InListExpr>() {
            self.in_list(list)
        } else {
            self.flag(expression)
        };
        known.map_or_else(|| asked(expression), Ok)
    }

    /// A column or a constant of yes and no.
    fn flag(&self, expression: &Expression) -> Option<Part> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return self.is_flag(expression).then(|| Part::Flag(column.index()));
        }
        match expression.downcast_ref::<Literal>()?.value() {
            ScalarValue::Boolean(value) => Some(Part::Constant(*value)),
            ScalarValue::Null => Some(Part::Constant(None)),
            _ => None,
        }
    }

    fn is_flag(&self, expression: &Expression) -> bool {
        expression.data_type(self.schema).is_ok_and(|data_type| data_type == DataType::Boolean)
    }

    fn binary(&self, binary: &BinaryExpr) -> Translated {
        let (left, right) = (binary.left(), binary.right());
        let parts = || Ok::<_, DataFusionError>(Box::new([self.part(left)?, self.part(right)?]));
        let is_true = |part: Part, value: bool| {
            let when = if value { part } else { negated(part) };
            Part::Case(vec![(when, Part::Constant(Some(true)))], Box::new(Part::Constant(Some(false))))
        };
        Ok(match (binary.op(), self.is_flag(left) && self.is_flag(right)) {
            (Operator::And, _) => Some(Part::And(parts()?)),
            (Operator::Or, _) => Some(Part::Or(parts()?)),
            (Operator::Eq, true) => Some(Part::Equal(parts()?)),
            (Operator::NotEq, true) => Some(negated(Part::Equal(parts()?))),
            (op @ (Operator::IsDistinctFrom | Operator::IsNotDistinctFrom), true) => match self.flag(right) {
                Some(Part::Constant(Some(value))) => {
                    let same = is_true(self.part(left)?, value);
                    Some(if *op == Operator::IsDistinctFrom { negated(same) } else { same })
                }
                _ => None,
            },
            (op, false) => self.compare(left, *op, right)?,
            (_, true) => None,
        })
    }

    /// Compares numbers, points in time or texts. A comparison with what a `case` gives is that `case` of comparisons.
    fn compare(&self, left: &Expression, op: Operator, right: &Expression) -> Translated {
        let then = |left: &Expression, right: &Expression| match self.compare(left, op, right)? {
            Some(part) => Ok(part),
            None => asked(&(Arc::new(BinaryExpr::new(Arc::clone(left), op, Arc::clone(right))) as Expression)),
        };
        let case = |side: &Expression, then: &dyn Fn(&Expression) -> Result<Part, DataFusionError>| match side
            .downcast_ref::<CaseExpr>()
        {
            Some(case) if relation(op).is_some() => self.case(case, then, Part::Constant(None)),
            _ => Ok(None),
        };
        match (self.operand(left), self.operand(right)) {
            (Some(left), Some(right)) => Ok(related(left, op, right)),
            (None, Some(_)) => case(left, &|branch| then(branch, right)),
            (Some(_), None) => case(right, &|branch| then(left, branch)),
            (None, None) => Ok(None),
        }
    }

    /// A `case` whose branches are read by `then`; a row that meets no condition is as said.
    fn case(
        &self,
        case: &CaseExpr,
        then: &dyn Fn(&Expression) -> Result<Part, DataFusionError>,
        absent: Part,
    ) -> Translated {
        let mut branches = Vec::new();
        for (when, result) in case.when_then_expr() {
            let when = match case.expr() {
                None => Some(self.part(when)?),
                Some(base) => self
                    .operand(base)
                    .zip(self.operand(when))
                    .and_then(|(base, when)| related(base, Operator::Eq, when)),
            };
            let Some(when) = when else { return Ok(None) };
            branches.push((when, then(result)?));
        }
        let otherwise = case.else_expr().map_or(Ok(absent), then)?;
        Ok(Some(Part::Case(branches, Box::new(otherwise))))
    }

    fn is_null(&self, expression: &Expression) -> Translated {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return Ok(Some(Part::IsNull(column.index())));
        }
        if self.is_flag(expression) {
            return Ok(Some(Part::Unknown(Box::new(self.part(expression)?))));
        }
        if let Some(case) = expression.downcast_ref::<CaseExpr>() {
            let then = |branch: &Expression| match self.is_null(branch)? {
                Some(part) => Ok(part),
                None => asked(&(Arc::new(IsNullExpr::new(Arc::clone(branch))) as Expression)),
            };
            return self.case(case, &then, Part::Constant(Some(true)));
        }
        Ok(self.operand(expression).map(|operand| match operand {
            Operand::Numbers(index) | Operand::Texts(index) => Part::IsNull(index),
            Operand::Number(_) | Operand::Text(_) => Part::Constant(Some(false)),
            Operand::Null => Part::Constant(Some(true)),
        }))
    }

    fn in_list(&self, list: &InListExpr) -> Option<Part> {
        let (mut numbers, mut texts, mut has_null) = (Vec::new(), Vec::new(), false);
        for item in list.list() {
            match self.operand(item)? {
                Operand::Number(number) => numbers.push(number),
                Operand::Text(text) => texts.push(text),
                Operand::Null => has_null = true,
                Operand::Numbers(_) | Operand::Texts(_) => return None,
            }
        }
        numbers.sort_unstable();
        texts.sort_unstable();
        let test = match self.operand(list.expr())? {
            Operand::Numbers(index) if texts.is_empty() => Test::NumberIn(index, numbers),
            Operand::Texts(index) if numbers.is_empty() => Test::TextIn(index, texts),
            _ => return None,
        };
        // Of what is not in the list, but might be the null in it, nothing is known.
        let part =
            if has_null { Part::Or(Box::new([Part::Test(test), Part::Constant(None)])) } else { Part::Test(test) };
        Some(if list.negated() { negated(part) } else { part })
    }

    fn operand(&self, expression: &Expression) -> Option<Operand> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return match self.schema.fields().get(column.index())?.data_type() {
                DataType::Int32 | DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    Some(Operand::Numbers(column.index()))
                }
                DataType::Utf8 => Some(Operand::Texts(column.index())),
                _ => None,
            };
        }
        if let Some(cast) = expression.downcast_ref::<CastExpr>() {
            // Each number fits, and a point in time is its milliseconds.
            let operand =
                self.operand(cast.expr()).filter(|operand| !matches!(operand, Operand::Texts(_) | Operand::Text(_)));
            return operand.filter(|_| *cast.cast_type() == DataType::Int64);
        }
        match expression.downcast_ref::<Literal>()?.value() {
            ScalarValue::Int32(Some(number)) => Some(Operand::Number(i64::from(*number))),
            ScalarValue::Int64(Some(number)) | ScalarValue::TimestampMillisecond(Some(number), _) => {
                Some(Operand::Number(*number))
            }
            ScalarValue::Utf8(Some(text)) => Some(Operand::Text(text.clone())),
            value if value.is_null() => Some(Operand::Null),
            _ => None,
        }
    }
}

fn asked(expression: &Expression) -> Result<Part, DataFusionError> {
    Ok(Part::Asked(Asked::new(expression)?))
}

fn negated(part: Part) -> Part {
    Part::Not(Box::new(part))
}

/// The relation that an operator asks for, or its opposite.
fn relation(op: Operator) -> Option<(Relation, bool)> {
    match op {
        Operator::Eq => Some((Relation::Equal, true)),
        Operator::NotEq => Some((Relation::Equal, false)),
        Operator::Lt => Some((Relation::Less, true)),
        Operator::GtEq => Some((Relation::Less, false)),
        Operator::Gt => Some((Relation::Greater, true)),
        Operator::LtEq => Some((Relation::Greater, false)),
        _ => None,
    }
}

fn related(left: Operand, op: Operator, right: Operand) -> Option<Part> {
    use Operand::{Null, Number, Numbers, Text, Texts};
    let (relation, holds) = relation(op)?;
    let part = match (left, right) {
        (Null, _) | (_, Null) => Part::Constant(None),
        (Number(left), Number(right)) => Part::Constant(Some(relation.is(left.cmp(&right)))),
        (Text(left), Text(right)) => Part::Constant(Some(relation.is(left.cmp(&right)))),
        (Numbers(index), Number(number)) => Part::Test(Test::Number(index, relation, number)),
        (Number(number), Numbers(index)) => Part::Test(Test::Number(index, relation.flipped(), number)),
        (Texts(index), Text(text)) => Part::Test(Test::Text(index, relation, text)),
        (Text(text), Texts(index)) => Part::Test(Test::Text(index, relation.flipped(), text)),
        (Numbers(left), Numbers(right)) => Part::Test(Test::Numbers(left, relation, right)),
        (Texts(left), Texts(right)) => Part::Test(Test::Texts(left, relation, right)),
        (Number(_) | Numbers(_), Text(_) | Texts(_)) | (Text(_) | Texts(_), Number(_) | Numbers(_)) => return None,
    };
    Some(if holds { part } else { negated(part) })
}
