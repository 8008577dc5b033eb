//! The view `access_keys`: the rows of `credentials` turned by key slot. Only rows that are told of are; predicates are turned
//! instead, to be asked of `credentials` slot by slot.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray, new_null_array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, IsNotNullExpr, Literal};
use orgsweep_core::table::{self, timestamp_type};

/// Key slots of a row of the credential report.
pub(crate) const SLOTS: usize = 2;

/// What a column of the view is in one slot of a row of `credentials`.
enum Origin {
    Slot,
    Present,
    /// The column of this name.
    Column(String),
}

impl Origin {
    fn of(name: &str, slot: usize) -> Self {
        match name {
            "slot" => Self::Slot,
            "present" => Self::Present,
            name if table::credentials().column(name).is_some() => Self::Column(name.to_owned()),
            // `access_key_id` of the view is `access_key_1_id` and `access_key_2_id`.
            name => Self::Column(format!("access_key_{slot}_{}", name.strip_prefix("access_key_").unwrap_or(name))),
        }
    }
}

/// Two rows for each row of `credentials`: its first slot, then its second.
pub(crate) fn turn_by_slot(credentials: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let rows = credentials.num_rows();
    let by_slot = |name: &str| match (Origin::of(name, 1), Origin::of(name, 2)) {
        (Origin::Column(first), Origin::Column(second)) => {
            alternate(column(credentials, &first)?, column(credentials, &second)?)
        }
        _ => Ok(Arc::new((0..rows).flat_map(|_| [1, 2]).collect::<Int32Array>()) as ArrayRef),
    };
    let columns = table::access_keys().columns.iter().map(|described| match described.name {
        "present" => Ok(Arc::new(present(&by_slot("active")?, &by_slot("last_rotated")?)) as ArrayRef),
        name => by_slot(name),
    });
    RecordBatch::try_new(table::access_keys().schema(), columns.collect::<Result<_, _>>()?)
}

/// An expression over the view as one over `credentials`: what it is in one slot of each row.
pub(crate) fn in_slot(
    expression: &Arc<dyn PhysicalExpr>,
    slot: usize,
) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let schema = table::credentials().schema();
    let column = |name: &str| Ok::<_, DataFusionError>(Arc::new(Column::new_with_schema(name, &schema)?));
    let own = |name: &str| match Origin::of(name, slot) {
        Origin::Column(name) => column(&name).map(|column| column as Arc<dyn PhysicalExpr>),
        Origin::Slot => Ok(Arc::new(Literal::new(ScalarValue::Int32(i32::try_from(slot).ok()))) as _),
        Origin::Present => {
            let (active, dated) = (format!("access_key_{slot}_active"), format!("access_key_{slot}_last_rotated"));
            let is_known = Arc::new(IsNotNullExpr::new(column(&active)?));
            let is_active = Arc::new(BinaryExpr::new(is_known, Operator::And, column(&active)?));
            let is_dated = Arc::new(IsNotNullExpr::new(column(&dated)?));
            Ok(Arc::new(BinaryExpr::new(is_active, Operator::Or, is_dated)) as _)
        }
    };
    let turned = Arc::clone(expression).transform_down(|part| match part.downcast_ref::<Column>() {
        Some(column) => Ok(Transformed::new(own(column.name())?, true, TreeNodeRecursion::Jump)),
        None => Ok(Transformed::no(part)),
    })?;
    Ok(turned.data)
}

/// Values of two columns of one type in turn: the first of one, the first of the other, the second of one.
///
/// arrow's `interleave` and `take` do this as well, by an index for each value, which is slower.
fn alternate(one: &ArrayRef, other: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let nulls = alternate_nulls(one, other);
    let all = 2 * one.len();
    if nulls.as_ref().is_some_and(|nulls| nulls.null_count() == all) {
        return Ok(new_null_array(one.data_type(), all));
    }
    match one.data_type() {
        DataType::Utf8 => alternate_texts(one.as_string(), other.as_string(), nulls),
        DataType::Boolean => Ok(Arc::new(alternate_flags(one.as_boolean(), other.as_boolean()))),
        _ => {
            let [one, other] = [one, other].map(|column| column.as_primitive::<TimestampMillisecondType>().values());
            let values: Vec<i64> = one.iter().zip(other).flat_map(|(one, other)| [*one, *other]).collect();
            Ok(Arc::new(TimestampMillisecondArray::try_new(values.into(), nulls)?.with_data_type(timestamp_type())))
        }
    }
}

/// Flags of the first slots and of the second ones in turn.
pub(crate) fn alternate_flags(one: &BooleanArray, other: &BooleanArray) -> BooleanArray {
    BooleanArray::new(alternate_bits(one.values(), other.values()), alternate_nulls(one, other))
}

fn alternate_nulls(one: &dyn Array, other: &dyn Array) -> Option<NullBuffer> {
    let valid = |column: &dyn Array| match column.nulls() {
        Some(nulls) => nulls.inner().clone(),
        None => BooleanBuffer::new_set(column.len()),
    };
    let has_nulls = one.null_count() + other.null_count() > 0;
    has_nulls.then(|| NullBuffer::new(alternate_bits(&valid(one), &valid(other))))
}

fn alternate_bits(one: &BooleanBuffer, other: &BooleanBuffer) -> BooleanBuffer {
    let (ones, others) = (one.bit_chunks(), other.bit_chunks());
    let words = ones.iter_padded().zip(others.iter_padded()).flat_map(|(one, other)| {
        let half = |shift: u32| spread(one >> shift) | spread(other >> shift) << 1;
        [half(0), half(u32::BITS)]
    });
    BooleanBuffer::new(words.collect(), 0, 2 * one.len())
}

/// The low 32 bits with a gap behind each.
fn spread(word: u64) -> u64 {
    [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ]
    .into_iter()
    .fold(word & u64::from(u32::MAX), |word, (shift, mask)| (word | word << shift) & mask)
}

fn alternate_texts(one: &StringArray, other: &StringArray, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
    let mut texts = Vec::with_capacity(one.value_data().len() + other.value_data().len());
    let mut offsets = Vec::with_capacity(2 * one.len() + 1);
    offsets.push(0);
    for row in 0..one.len() {
        for column in [one, other] {
            texts.extend_from_slice(column.value(row).as_bytes());
            offsets.push(i32::try_from(texts.len()).map_err(|_| ArrowError::OffsetOverflowError(texts.len()))?);
        }
    }
    Ok(Arc::new(StringArray::try_new(OffsetBuffer::new(offsets.into()), texts.into(), nulls)?))
}

/// A key is there if it is active, or inactive with a date: only of an absent key the report gives neither.
fn present(active: &ArrayRef, last_rotated: &ArrayRef) -> BooleanArray {
    let every = || BooleanBuffer::new_set(active.len());
    let is_active = active.as_boolean_opt().map_or_else(every, |flags| match flags.nulls() {
        Some(valid) => flags.values() & valid.inner(),
        None => flags.values().clone(),
    });
    let is_dated = last_rotated.nulls().map_or_else(every, |valid| valid.inner().clone());
    BooleanArray::new(&is_active | &is_dated, None)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name:?}")))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::{Organization, as_of, rule, show};
    use crate::planning::PredicateCompiler;

    #[test]
    fn each_user_has_two_slots_and_an_inactive_key_is_present() {
        let organization = Organization::read(
            r#"
            [[account]]
            [[account.users]]
            is_root = true
            access_key_1_last_rotated_reason = "N/A"
            access_key_2_last_rotated_reason = "N/A"
            [[account.users]]
            user = "ci"
            access_key_1_active = true
            access_key_1_last_rotated = "-400d"
            access_key_1_last_used_date_reason = "N/A"
            access_key_2_active = false
            access_key_2_last_rotated = "-10d"
            access_key_2_last_used_date = "-1d"
            access_key_2_last_used_region = "eu-west-1"
            access_key_2_last_used_service = "s3"
            [[account]]
            [[account.users]]
            user = "bo"
            access_key_2_active = true
            "#,
        );
        let keys = turn_by_slot(&organization.credentials).unwrap();
        let columns = [
            "account_id",
            "user",
            "is_root",
            "slot",
            "active",
            "present",
            "last_rotated",
            "last_rotated_reason",
            "last_used_date",
            "last_used_date_reason",
            "last_used_region",
            "last_used_service",
        ];
        expect![[r"
            000000000001 | <root_account> | true | 1 | false | false | - | N/A | - | - | - | -
            000000000001 | <root_account> | true | 2 | false | false | - | N/A | - | - | - | -
            000000000001 | ci | false | 1 | true | true | 2025-10-18T10:00:00Z | - | - | N/A | - | -
            000000000001 | ci | false | 2 | false | true | 2026-11-12T10:00:00Z | - | 2026-11-21T10:00:00Z | - | eu-west-1 | s3
            000000000002 | bo | false | 1 | false | false | - | - | - | - | - | -
            000000000002 | bo | false | 2 | true | true | - | - | - | - | - | -
        "]].assert_eq(&show(&keys, &columns));
    }

    #[test]
    fn bits_are_in_turn() {
        let bit = |seed: usize| move |index: usize| (index * index + seed).is_multiple_of(3);
        for length in (0..9).chain(60..70).chain([127, 128, 129, 1000]) {
            let whole = [1, 2].map(|seed| BooleanBuffer::collect_bool(length + 3, bit(seed)));
            let [one, other] = whole.map(|bits| bits.slice(3, length));
            let expected =
                (0..length).flat_map(|index| [one.value(index), other.value(index)]).collect::<BooleanBuffer>();
            assert_eq!(alternate_bits(&one, &other), expected);
        }
    }

    #[test]
    fn no_users_have_no_slots() {
        let empty = RecordBatch::new_empty(table::credentials().schema());
        assert_eq!(turn_by_slot(&empty).unwrap().num_rows(), 0);
    }

    /// Users with keys of all sorts.
    fn users() -> Organization {
        let flags = ["", "access_key_N_active = true\n", "access_key_N_active = false\n"];
        let dates = ["", "access_key_N_last_rotated = \"-100d\"\n", "access_key_N_last_rotated_reason = \"N/A\"\n"];
        let last_used = [
            "",
            "access_key_N_last_used_date = \"-1d\"\naccess_key_N_last_used_region = \"eu-west-1\"\n",
            "access_key_N_last_used_date_reason = \"N/A\"\naccess_key_N_id = \"AKIA\"\n",
        ];
        let keys: Vec<String> = flags
            .iter()
            .flat_map(|flag| dates.map(|date| format!("{flag}{date}")))
            .flat_map(|key| last_used.map(|used| format!("{key}{used}")))
            .collect();
        let user = |(index, first): (usize, &String)| {
            let second = &keys[index * 7 % keys.len()];
            let name = format!("[[account.users]]\nuser = \"user-{index:02}\"\nuser_creation_time = \"-100d\"\n");
            name + &first.replace('N', "1").replace("1/A", "N/A") + &second.replace('N', "2").replace("2/A", "N/A")
        };
        let users: String = keys.iter().enumerate().map(user).collect();
        Organization::read(&format!("[[account]]\n{users}"))
    }

    #[test]
    fn a_predicate_says_of_slots_what_it_says_of_the_view() {
        let credentials = users().credentials;
        let view = turn_by_slot(&credentials).unwrap();
        let columns = table::access_keys().columns.iter().map(|column| format!("\"{}\" is null", column.name));
        let predicates = [
            "present",
            "active",
            "not present and active is null",
            "slot = 2 and last_rotated < days_ago(30)",
            "case slot when 1 then active else last_used_region = 'eu-west-1' end",
            "slot in (2, 3, 4, 5, 6) or length(access_key_id) > slot",
            "\"user\" like '%1%' and last_used_date_reason = 'N/A'",
            "1 / (slot - 1) = 1 or last_rotated is null",
            "active and 10 / (length(access_key_id) - 4) > slot",
            "cast(last_rotated as bigint) = cast(user_creation_time as bigint)",
        ];
        let (compiler, mut failing) = (PredicateCompiler::new(as_of()), 0);
        for text in predicates.map(str::to_owned).into_iter().chain(columns) {
            let rule = rule("access_keys", &text);
            let read = compiler.read(&rule, "fails_when", &text).unwrap();
            let predicate = compiler.compile(&rule, "fails_when", read, &rule.params).unwrap();
            let [first, second] = [0, 1].map(|slot| predicate.evaluate_slot(slot, &credentials, None));
            assert_eq!(alternate_flags(&first, &second), predicate.evaluate(&view, None), "{text}");
            failing += (0..view.num_rows()).filter(|row| predicate.null_columns(&view, *row).is_err()).count();
        }
        assert!(failing > 0);
    }
}
