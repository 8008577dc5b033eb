//! Rows of `credentials`: the reports of many accounts as one batch, each account's rows in order of their users, with
//! the ids of their access keys.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{
    Array, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array, new_null_array,
};
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use orgsweep_core::{KeyIds, RunId, Snapshot, Timestamp, table};

use crate::columns::texts;
use crate::key_match::{GONE, Match, Slot, match_keys};

/// Why the id of a key is not known that was not asked for.
const OVER_THE_LIMIT: &str = "over key_ids_max";

/// One account's report, and the ids of its keys where they were asked.
pub(crate) struct Report<'a> {
    pub(crate) rows: RecordBatch,
    pub(crate) key_ids: Option<&'a KeyIds>,
    /// The run that read it, where it is carried over from there.
    pub(crate) carried_from: Option<&'a RunId>,
}

impl<'a> Report<'a> {
    /// The report of an account, whose rows these are.
    pub(crate) fn of(rows: RecordBatch, snapshot: &'a Snapshot) -> Self {
        let carried_from = snapshot.report.value().and_then(|report| report.carried_from.as_ref());
        Self { rows, key_ids: snapshot.key_ids.value(), carried_from }
    }
}

/// The report with another name of the account.
pub(crate) fn renamed(report: &RecordBatch, name: Option<&str>) -> Result<RecordBatch, ArrowError> {
    let place = report.schema().index_of("account_name")?;
    let mut columns = report.columns().to_vec();
    if let Some(column) = columns.get_mut(place) {
        *column = texts((0..report.num_rows()).map(|_| name));
    }
    RecordBatch::try_new(report.schema(), columns)
}

/// The batch of these reports, which stand in order of their accounts.
pub(crate) fn to_batch(reports: Vec<Report<'_>>) -> Result<RecordBatch, ArrowError> {
    let with_ids = |report: Report<'_>| {
        let carried_from = report.carried_from;
        with_key_ids(&sort_by_user(report.rows)?, report.key_ids, carried_from)
    };
    let reports = reports.into_iter().map(with_ids).collect::<Result<Vec<_>, _>>()?;
    concat_batches(&table::credentials().schema(), &reports)
}

/// AWS promises no order of users, and two tellings of the same facts must give the same table.
fn sort_by_user(report: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let users = text_column(&report, "user")?;
    if users.iter().is_sorted() {
        return Ok(report);
    }
    let mut order: Vec<(Option<&str>, u32)> = users.iter().zip(0..).collect();
    order.sort_unstable();
    let order: UInt32Array = order.into_iter().map(|(_, row)| row).collect::<Vec<u32>>().into();
    take_record_batch(&report, &order)
}

/// The report's rows, behind them the ids of their keys, which are null where nobody asked, and where they come from.
fn with_key_ids(
    report: &RecordBatch,
    key_ids: Option<&KeyIds>,
    carried_from: Option<&RunId>,
) -> Result<RecordBatch, ArrowError> {
    let mut columns = report.columns().to_vec();
    match key_ids {
        None => columns.extend((0..4).map(|_| new_null_array(&DataType::Utf8, report.num_rows()))),
        Some(key_ids) => {
            let matched = matched_keys(report, key_ids)?;
            for slot in [0, 1] {
                let of_slot = || matched.iter().map(move |slots| slots.get(slot).copied().flatten());
                columns.push(texts(of_slot().map(|key| key.and_then(Result::ok))));
                columns.push(texts(of_slot().map(|key| key.and_then(Result::err))));
            }
        }
    }
    columns.push(texts((0..report.num_rows()).map(|_| carried_from.map(RunId::as_str))));
    RecordBatch::try_new(table::credentials().schema(), columns)
}

/// The ids of both keys of every row.
fn matched_keys<'a>(report: &RecordBatch, key_ids: &'a KeyIds) -> Result<Vec<[Option<Match<'a>>; 2]>, ArrowError> {
    let users = text_column(report, "user")?;
    let is_root = flag_column(report, "is_root")?;
    let generated_at = time_column(report, "report_generated_at")?;
    let slots = [slots(report, 1)?, slots(report, 2)?];
    let row = |row: usize| {
        let [first, second] = &slots;
        let slots = [first.at(row), second.at(row)];
        let nobodys = |why: &'static str| slots.map(|slot| slot.is_taken().then_some(Err(why)));
        match key_ids.by_user.get(users.value(row)) {
            // Root keys are known from the root session alone, and stand in `accounts`.
            _ if is_root.value(row) => [None, None],
            None => nobodys(OVER_THE_LIMIT),
            Some(None) => nobodys(GONE),
            Some(Some(listed)) => match_keys(slots, listed, Timestamp::from_millis(generated_at.value(row))),
        }
    };
    Ok((0..report.num_rows()).map(row).collect())
}

/// The columns of one key slot.
struct SlotColumns<'a> {
    active: &'a BooleanArray,
    rotated: &'a TimestampMillisecondArray,
}

impl SlotColumns<'_> {
    fn at(&self, row: usize) -> Slot {
        Slot {
            active: self.active.is_valid(row) && self.active.value(row),
            rotated: self.rotated.is_valid(row).then(|| Timestamp::from_millis(self.rotated.value(row))),
        }
    }
}

fn slots(report: &RecordBatch, slot: u8) -> Result<SlotColumns<'_>, ArrowError> {
    Ok(SlotColumns {
        active: flag_column(report, &format!("access_key_{slot}_active"))?,
        rotated: time_column(report, &format!("access_key_{slot}_last_rotated"))?,
    })
}

fn text_column<'a>(report: &'a RecordBatch, name: &str) -> Result<&'a StringArray, ArrowError> {
    report.column_by_name(name).and_then(|column| column.as_string_opt()).ok_or_else(|| missing(name))
}

fn flag_column<'a>(report: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, ArrowError> {
    report.column_by_name(name).and_then(|column| column.as_boolean_opt()).ok_or_else(|| missing(name))
}

fn time_column<'a>(report: &'a RecordBatch, name: &str) -> Result<&'a TimestampMillisecondArray, ArrowError> {
    let column = report.column_by_name(name);
    column.and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("a report has no column {name} of its type"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use orgsweep_core::ListedKey;

    use super::*;
    use crate::fixture::parsed;

    #[test]
    fn a_key_has_its_id_or_the_reason_why_it_has_none() {
        let time = "2026-01-01T00:00:00Z";
        let row = |user: &str, first: &str, second: &str| {
            let arn = if user.starts_with('<') { "root".to_owned() } else { format!("user/{user}") };
            format!(
                "{user},arn:aws:iam::000000000001:{arn},{time},false,N/A,N/A,N/A,false,{first},N/A,N/A,N/A,{second},N/A,N/A,N/A,false,N/A,false,N/A"
            )
        };
        let (key, none) = (format!("true,{time}"), "false,N/A");
        let rows = [
            row("<root_account>", &key, none),
            row("ann", &key, none),
            row("ben", &key, none),
            row("cat", none, &key),
            row("dan", none, none),
        ];
        let listed = ListedKey {
            id: "AKIA1".to_owned(),
            status: "Active".to_owned(),
            created_at: Some(Timestamp::parse(time).unwrap()),
        };
        let by_user = BTreeMap::from([("ann".to_owned(), Some(vec![listed])), ("ben".to_owned(), None)]);
        let report = Report { rows: parsed(&rows.join("\n")), key_ids: Some(&KeyIds { by_user }), carried_from: None };
        let batch = to_batch(vec![report]).unwrap();
        let column = |name: &str| {
            let texts = text_column(&batch, name).unwrap();
            texts.iter().map(|text| text.unwrap_or("-").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(column("access_key_1_id"), ["-", "AKIA1", "-", "-", "-"]);
        assert_eq!(column("access_key_1_id_reason"), ["-", "-", "gone", "-", "-"]);
        assert_eq!(column("access_key_2_id_reason"), ["-", "-", "-", "over key_ids_max", "-"]);
    }
}
