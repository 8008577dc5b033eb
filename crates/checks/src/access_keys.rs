//! The view `access_keys`: the rows of `credentials` turned by key slot.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, UInt64Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use orgsweep_core::table;

/// Key slots of a row of the credential report.
pub(crate) const SLOTS: usize = 2;

/// Two rows for each row of `credentials`: its first slot, then its second.
pub(crate) fn turn_by_slot(credentials: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let rows = credentials.num_rows();
    let twice: UInt64Array = (0u64..).take(rows).flat_map(|row| [row, row]).collect();
    let alternating: Vec<_> = (0..rows).flat_map(|row| [(0, row), (1, row)]).collect();
    let by_slot = |name: &str| -> Result<ArrayRef, ArrowError> {
        let first = column(credentials, &format!("access_key_1_{name}"))?;
        let second = column(credentials, &format!("access_key_2_{name}"))?;
        interleave(&[first.as_ref(), second.as_ref()], &alternating)
    };
    let columns = table::access_keys().columns.iter().map(|described| match described.name {
        "slot" => Ok(Arc::new((0..rows).flat_map(|_| [1, 2]).collect::<Int32Array>()) as ArrayRef),
        "present" => Ok(Arc::new(present(&by_slot("active")?, &by_slot("last_rotated")?)) as ArrayRef),
        name => match credentials.column_by_name(name) {
            Some(shared) => take(shared.as_ref(), &twice, None),
            // `access_key_id` of the view is `access_key_1_id` and `access_key_2_id`.
            None => by_slot(name.strip_prefix("access_key_").unwrap_or(name)),
        },
    });
    RecordBatch::try_new(table::access_keys().schema(), columns.collect::<Result<_, _>>()?)
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
    use crate::fixture::{Organization, show};

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
    fn no_users_have_no_slots() {
        let empty = RecordBatch::new_empty(table::credentials().schema());
        assert_eq!(turn_by_slot(&empty).unwrap().num_rows(), 0);
    }
}
