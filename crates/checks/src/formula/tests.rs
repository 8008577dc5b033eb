//! Formulas held against DataFusion: random expressions over random columns, a row's answer being the one it has alone.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, IsNotNullExpr, IsNullExpr, Literal, NotExpr, in_list,
};
use expect_test::expect;
use fastrand::Rng;
use orgsweep_core::table::timestamp_type;

use super::asked::holds;
use super::{Formula, Part};
use crate::fixture::basis;
use crate::{Checker, RulePack};

type Expression = Arc<dyn PhysicalExpr>;

const TEXTS: [&str; 12] =
    ["", "a", "ab", "b", "N/A", "no_information", "no_informatics", "eightlet", "eightlets", "eightletx", "ä", "aa"];
const NUMBERS: [i64; 8] = [-1, 0, 1, 2, 7, 40, i32::MAX as i64, i32::MIN as i64];
const COMPARISONS: [Operator; 6] =
    [Operator::Eq, Operator::NotEq, Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq];
/// Columns of each type that [`schema`] has.
const COLUMNS: usize = 2;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flag,
    Text,
    Short,
    Long,
    Time,
}

const KINDS: [Kind; 5] = [Kind::Flag, Kind::Text, Kind::Short, Kind::Long, Kind::Time];

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Self::Flag => DataType::Boolean,
            Self::Text => DataType::Utf8,
            Self::Short => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Time => timestamp_type(),
        }
    }

    fn column(self, rng: &mut Rng) -> Expression {
        let index = KINDS.iter().position(|kind| *kind == self).unwrap() * COLUMNS + rng.usize(0..COLUMNS);
        Arc::new(Column::new(&format!("c{index}"), index))
    }

    fn literal(self, rng: &mut Rng) -> Expression {
        let value = (!rng.u8(..).is_multiple_of(8)).then(|| *rng.choice(&NUMBERS).unwrap());
        let value = match self {
            Self::Flag => ScalarValue::Boolean(value.map(|value| value > 0)),
            Self::Text => ScalarValue::Utf8(value.and_then(|_| rng.choice(TEXTS)).map(str::to_owned)),
            Self::Short => ScalarValue::Int32(value.map(|value| i32::try_from(value).unwrap())),
            Self::Long => ScalarValue::Int64(value),
            Self::Time => ScalarValue::TimestampMillisecond(value, Some("UTC".into())),
        };
        Arc::new(Literal::new(value))
    }

    /// Values of which some are null, or all, or none.
    fn values(self, rng: &mut Rng, rows: usize) -> ArrayRef {
        let nulls = *rng.choice(&[0.0, 0.1, 0.6, 1.0]).unwrap();
        let numbers: Vec<_> = (0..rows).map(|_| (rng.f64() >= nulls).then(|| *rng.choice(&NUMBERS).unwrap())).collect();
        match self {
            Self::Flag => Arc::new(numbers.iter().map(|it| it.map(|it| it > 0)).collect::<BooleanArray>()),
            Self::Text => {
                Arc::new(numbers.iter().map(|it| it.and_then(|_| rng.choice(TEXTS))).collect::<StringArray>())
            }
            Self::Short => {
                Arc::new(numbers.iter().map(|it| it.map(|it| i32::try_from(it).unwrap())).collect::<Int32Array>())
            }
            Self::Long => Arc::new(numbers.into_iter().collect::<Int64Array>()),
            Self::Time => {
                Arc::new(numbers.into_iter().collect::<TimestampMillisecondArray>().with_data_type(timestamp_type()))
            }
        }
    }
}

fn schema() -> Schema {
    let kinds = KINDS.iter().flat_map(|kind| [kind; COLUMNS]);
    let fields = kinds.enumerate().map(|(index, kind)| Field::new(format!("c{index}"), kind.data_type(), true));
    Schema::new(fields.collect::<Vec<_>>())
}

/// Rows that begin somewhere inside of their columns' buffers.
fn batch(rng: &mut Rng, rows: usize) -> RecordBatch {
    let before = rng.usize(0..70);
    let columns = KINDS.iter().flat_map(|kind| [kind; COLUMNS]).map(|kind| kind.values(rng, before + rows));
    RecordBatch::try_new(Arc::new(schema()), columns.collect()).unwrap().slice(before, rows)
}

/// An expression of yes and no; with parts that fail on some values if it `may_fail`.
struct Maker<'a> {
    rng: &'a mut Rng,
    may_fail: bool,
}

impl Maker<'_> {
    fn flag(&mut self, depth: usize) -> Expression {
        let Some(below) = depth.checked_sub(1) else {
            return if self.rng.u8(..) < 200 { Kind::Flag.column(self.rng) } else { Kind::Flag.literal(self.rng) };
        };
        match self.rng.u8(0..11) {
            0 | 1 => binary(self.flag(below), Operator::And, self.flag(below)),
            2 | 3 => binary(self.flag(below), Operator::Or, self.flag(below)),
            4 => Arc::new(NotExpr::new(self.flag(below))),
            5 => self.case(Kind::Flag, below),
            6 => self.is_null(below),
            7 => self.is_listed(below),
            8 => {
                let op = *self.rng.choice(&[Operator::Eq, Operator::NotEq, Operator::Lt]).unwrap();
                binary(self.flag(below), op, self.flag(below))
            }
            9 => {
                let op = *self.rng.choice(&[Operator::IsDistinctFrom, Operator::IsNotDistinctFrom]).unwrap();
                binary(self.flag(below), op, Kind::Flag.literal(self.rng))
            }
            _ => {
                let (kind, op) = (*self.rng.choice(&KINDS[1..]).unwrap(), *self.rng.choice(&COMPARISONS).unwrap());
                binary(self.value(kind, below), op, self.value(kind, below.min(1)))
            }
        }
    }

    fn value(&mut self, kind: Kind, depth: usize) -> Expression {
        match (kind, depth.checked_sub(1)) {
            (Kind::Flag, _) => self.flag(depth),
            (Kind::Long, Some(_)) if self.may_fail && self.rng.bool() => {
                let op = *self.rng.choice(&[Operator::Divide, Operator::Modulo]).unwrap();
                binary(Kind::Long.literal(self.rng), op, Kind::Long.column(self.rng))
            }
            (Kind::Long, Some(_)) if self.rng.bool() => {
                let from = *self.rng.choice(&[Kind::Short, Kind::Time, Kind::Long]).unwrap();
                let to = Arc::new(Field::new("cast", DataType::Int64, true));
                Arc::new(CastExpr::new_with_target_field(from.column(self.rng), to, None))
            }
            (kind, Some(below)) if self.rng.bool() => self.case(kind, below),
            (kind, _) if self.rng.bool() => kind.column(self.rng),
            (kind, _) => kind.literal(self.rng),
        }
    }

    fn case(&mut self, kind: Kind, below: usize) -> Expression {
        let base = self.rng.bool().then(|| *self.rng.choice(&KINDS).unwrap());
        let branches = (0..self.rng.usize(1..4)).map(|_| {
            let when = match base {
                Some(kind) => self.value(kind, below.min(1)),
                None => self.flag(below),
            };
            (when, self.value(kind, below))
        });
        let branches = branches.collect();
        let otherwise = self.rng.bool().then(|| self.value(kind, below));
        let base = base.map(|kind| self.value(kind, below.min(1)));
        Arc::new(CaseExpr::try_new(base, branches, otherwise).unwrap())
    }

    fn is_null(&mut self, below: usize) -> Expression {
        let kind = *self.rng.choice(&KINDS).unwrap();
        let of = self.value(kind, below);
        if self.rng.bool() { Arc::new(IsNullExpr::new(of)) } else { Arc::new(IsNotNullExpr::new(of)) }
    }

    fn is_listed(&mut self, below: usize) -> Expression {
        let kind = *self.rng.choice(&KINDS).unwrap();
        let of = self.value(kind, below.min(1));
        let list = (0..self.rng.usize(1..6)).map(|_| kind.literal(self.rng)).collect();
        in_list(of, list, &self.rng.bool(), &schema()).unwrap()
    }
}

fn binary(left: Expression, op: Operator, right: Expression) -> Expression {
    Arc::new(BinaryExpr::new(left, op, right))
}

/// What DataFusion says of each row, null where it fails.
fn by_halves(expression: &Expression, batch: &RecordBatch) -> Vec<Option<bool>> {
    let (rows, half) = (batch.num_rows(), batch.num_rows() / 2);
    match holds(expression, batch) {
        Ok(answers) => answers.iter().collect(),
        Err(_) if rows < 2 => vec![None; rows],
        Err(_) => [batch.slice(0, half), batch.slice(half, rows - half)]
            .iter()
            .flat_map(|part| by_halves(expression, part))
            .collect(),
    }
}

/// Holds formulas of this many random expressions against DataFusion; tells how many ask nothing of it, and how many fail.
fn check(expressions: u64, may_fail: bool) -> (usize, usize) {
    let (mut own, mut failing) = (0, 0);
    for seed in 0..expressions {
        let mut rng = Rng::with_seed(seed);
        let depth = rng.usize(0..5);
        let expression = Maker { rng: &mut rng, may_fail }.flag(depth);
        let formula = Formula::of(&expression, &schema()).unwrap();
        own += usize::from(formula.asked().is_empty());
        for rows in [0, 1, 63, 64, 65, 1000] {
            let batch = batch(&mut rng, rows);
            let expected = by_halves(&expression, &batch);
            failing += usize::from(holds(&expression, &batch).is_err());
            let answers = formula.evaluate(&batch, None);
            assert_eq!(answers.iter().collect::<Vec<_>>(), expected, "seed {seed}, {rows} rows: {expression}");
            let among = BooleanBuffer::collect_bool(rows, |_| rng.bool());
            let answers = formula.evaluate(&batch, Some(&among));
            for row in among.set_indices() {
                let answer = answers.slice(row, 1).iter().next().unwrap();
                assert_eq!(answer, expected[row], "seed {seed}, row {row} of {rows}: {expression}");
            }
        }
    }
    (own, failing)
}

#[test]
fn a_formula_says_what_datafusion_says() {
    let (own, failing) = check(1500, false);
    assert!(own > 1000 && failing == 0, "{own} of 1500 ask nothing, {failing} fail");
}

#[test]
fn a_row_fails_where_it_would_fail_alone() {
    let (_, failing) = check(1500, true);
    assert!(failing > 200, "{failing} fail");
}

#[test]
fn of_the_rules_that_come_with_orgsweep_datafusion_is_asked_for_what_no_formula_says() {
    let checker = Checker::compile(&RulePack::embedded().unwrap().into(), basis()).unwrap();
    let predicates = checker.checks.iter().flat_map(|check| &check.variants).flat_map(|variant| {
        variant.applies_when.iter().chain([&variant.fails_when]).chain(variant.notes.iter().map(|note| &note.when))
    });
    let asked: Vec<_> = predicates.flat_map(|predicate| predicate.formula.asked()).collect();
    expect![[r"
        abs(CAST(last_rotated@1 AS Int64) - CAST(user_creation_time@0 AS Int64)) / 1000 <= 300
        lower(btrim(billing_contact_email@1)) = lower(btrim(account_email@0))
        lower(btrim(operations_contact_email@1)) = lower(btrim(account_email@0))
        lower(btrim(security_contact_email@1)) = lower(btrim(account_email@0))"]]
    .assert_eq(&asked.join("\n"));
}

impl Formula {
    /// The parts that DataFusion is asked for.
    fn asked(&self) -> Vec<String> {
        let mut asked = Vec::new();
        collect_asked(&self.root, &mut asked);
        asked
    }
}

fn collect_asked(part: &Part, asked: &mut Vec<String>) {
    match part {
        Part::Constant(_) | Part::Flag(_) | Part::IsNull(_) | Part::Test(_) => {}
        Part::Not(part) | Part::Unknown(part) => collect_asked(part, asked),
        Part::And(parts) | Part::Or(parts) | Part::Equal(parts) => {
            parts.iter().for_each(|part| collect_asked(part, asked));
        }
        Part::Case(branches, otherwise) => {
            branches.iter().flat_map(|(when, then)| [when, then]).for_each(|part| collect_asked(part, asked));
            collect_asked(otherwise, asked);
        }
        Part::Asked(part) => asked.push(part.to_string()),
    }
}
