//! Cases as rows: TOML values to batches of `accounts` and of the table that a rule judges.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMillisecondArray, new_empty_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef, Fields};
use orgsweep_core::table::{Column, Table, accounts};
use orgsweep_core::{AccountId, Outcome, Source, Timestamp};
use toml::Value;

use crate::Case;
use crate::error::nearest;
use crate::relative_time::parse_time;

/// A row of a case, with the account that the case is.
pub(crate) struct CaseRow<'a> {
    /// Position of the case among the rule's cases.
    pub(crate) case: usize,
    /// Position of the row in its case.
    pub(crate) row: usize,
    /// What the case says of it.
    pub(crate) values: &'a toml::Table,
}

/// A value that does not fit its column, and the case that has it.
pub(crate) struct MisfitValue {
    pub(crate) case: usize,
    pub(crate) reason: String,
}

/// The account that a case is.
pub(crate) fn account_id(case: usize) -> AccountId {
    AccountId::from_number(u64::try_from(case).unwrap_or_default() + 1)
}

/// The rows as a batch of `table`. Columns that a row does not name are null, or where the table has no null, the
/// plainest value there is.
pub(crate) fn batch_of(table: &Table, rows: &[CaseRow<'_>], as_of: Timestamp) -> Result<RecordBatch, MisfitValue> {
    for row in rows {
        if let Some(unknown) = row.values.keys().find(|key| table.column(key).is_none()) {
            let near = nearest(unknown, table.columns.iter().map(|column| column.name));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            let reason = format!("table {} has no column {unknown:?}{hint}", table.name);
            return Err(MisfitValue { case: row.case, reason });
        }
    }
    let columns = table.columns.iter().map(|column| column_of(column, rows, as_of)).collect::<Result<_, _>>()?;
    // Every column was made in the table's type, so what is left to fail is an empty list of rows and cases.
    RecordBatch::try_new(table.schema(), columns).map_err(|error| misfit(rows, &error))
}

/// One row of `accounts` for each case: what the case says of the account, and what of it was read.
pub(crate) fn accounts_of(cases: &[Case], rows: &[CaseRow<'_>], as_of: Timestamp) -> Result<RecordBatch, MisfitValue> {
    let batch = batch_of(accounts(), rows, as_of)?;
    let columns = accounts().columns.iter().zip(batch.columns()).map(|(column, given)| match column.name {
        "outcome" => Ok(Arc::new(cases.iter().map(|case| Some(outcome(case))).collect::<StringArray>()) as ArrayRef),
        "skip_reason" => Ok(Arc::new(cases.iter().map(|case| case.skipped.clone()).collect::<StringArray>()) as _),
        "unanswered" => {
            let gaps: Vec<_> = cases.iter().map(|case| case.unread.iter().copied().map(denied).collect()).collect();
            unanswered(&column.data_type, &gaps)
        }
        "quarantined_rows" => quarantined(&column.data_type, cases),
        _ => Ok(Arc::clone(given)),
    });
    let columns = columns.collect::<Result<_, ArrowError>>();
    let batch = columns.and_then(|columns| RecordBatch::try_new(accounts().schema(), columns));
    batch.map_err(|error| misfit(rows, &error))
}

fn misfit(rows: &[CaseRow<'_>], error: &ArrowError) -> MisfitValue {
    MisfitValue { case: rows.first().map_or(0, |row| row.case), reason: error.to_string() }
}

fn column_of(column: &Column, rows: &[CaseRow<'_>], as_of: Timestamp) -> Result<ArrayRef, MisfitValue> {
    let cells = || {
        rows.iter().map(|row| {
            let given = row.values.get(column.name).cloned();
            (row.case, given.or_else(|| if column.nullable { None } else { plainest(column, row) }))
        })
    };
    let wrong = |case, value: &Value, wanted: &str| MisfitValue {
        case,
        reason: format!("{} = {value} is no {wanted}", column.name),
    };
    Ok(match &column.data_type {
        DataType::Utf8 => Arc::new(collect::<StringArray, _>(cells(), |case, value| {
            value.as_str().map(str::to_owned).ok_or_else(|| wrong(case, &value, "text"))
        })?),
        DataType::Boolean => Arc::new(collect::<BooleanArray, _>(cells(), |case, value| {
            value.as_bool().ok_or_else(|| wrong(case, &value, "true or false"))
        })?),
        DataType::Int32 => Arc::new(collect::<Int32Array, _>(cells(), |case, value| {
            let number = value.as_integer().and_then(|number| i32::try_from(number).ok());
            number.ok_or_else(|| wrong(case, &value, "32-bit integer"))
        })?),
        DataType::Int64 => Arc::new(collect::<Int64Array, _>(cells(), |case, value| {
            value.as_integer().ok_or_else(|| wrong(case, &value, "integer"))
        })?),
        DataType::Timestamp(_, zone) => {
            let times = collect::<TimestampMillisecondArray, _>(cells(), |case, value| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let time = parse_time(&text, as_of).map(Timestamp::millis);
                time.map_err(|reason| MisfitValue { case, reason: format!("{}: {reason}", column.name) })
            })?;
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        _ => lists_of(column, cells())?,
    })
}

/// Columns of lists: texts as a list of texts, tags as a table of keys with values. What is not given is empty, or null
/// where that may be.
fn lists_of(column: &Column, cells: impl Iterator<Item = (usize, Option<Value>)>) -> Result<ArrayRef, MisfitValue> {
    let DataType::List(item) = &column.data_type else {
        let reason = format!("{} has a type that cases cannot write", column.name);
        return Err(MisfitValue { case: 0, reason });
    };
    let mut items: Vec<[String; 2]> = Vec::new();
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for (case, value) in cells {
        let given = match &value {
            None => Vec::new(),
            Some(Value::Array(texts)) if *item.data_type() == DataType::Utf8 => {
                texts.iter().filter_map(Value::as_str).map(|text| [text.to_owned(), String::new()]).collect()
            }
            Some(Value::Table(tags)) if column.name == "tags" => {
                tags.iter().filter_map(|(key, tag)| Some([key.clone(), tag.as_str()?.to_owned()])).collect()
            }
            Some(_) => {
                let reason = format!("{} cannot be given like this; say unread, quarantined or skipped", column.name);
                return Err(MisfitValue { case, reason });
            }
        };
        lengths.push(given.len());
        valid.push(value.is_some() || !column.nullable);
        items.extend(given);
    }
    let field = |index: usize| {
        Arc::new(items.iter().map(|item| item.get(index).map(String::as_str)).collect::<StringArray>()) as ArrayRef
    };
    let values = match item.data_type() {
        DataType::Utf8 => Ok(field(0)),
        DataType::Struct(fields) if column.name == "tags" => {
            StructArray::try_new(fields.clone(), vec![field(0), field(1)], None).map(|tags| Arc::new(tags) as ArrayRef)
        }
        other => Ok(new_empty_array(other)),
    };
    let nulls = column.nullable.then(|| NullBuffer::from(valid));
    let list = values
        .and_then(|values| ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, nulls));
    list.map(|list| Arc::new(list) as ArrayRef).map_err(|error| MisfitValue { case: 0, reason: error.to_string() })
}

fn collect<A, T>(
    cells: impl Iterator<Item = (usize, Option<Value>)>,
    read: impl Fn(usize, Value) -> Result<T, MisfitValue>,
) -> Result<A, MisfitValue>
where
    A: FromIterator<Option<T>>,
{
    cells.map(|(case, value)| value.map(|value| read(case, value)).transpose()).collect()
}

/// What stands in a column that has no null and that the case does not name.
fn plainest(column: &Column, row: &CaseRow<'_>) -> Option<Value> {
    let id = account_id(row.case);
    let is_root = row.values.get("is_root").and_then(Value::as_bool) == Some(true);
    let user = row.values.get("user").and_then(Value::as_str);
    let user = user.map_or_else(|| format!("user-{}", row.row + 1), str::to_owned);
    let text = |text: &str| Some(Value::String(text.to_owned()));
    match (column.name, &column.data_type) {
        ("account_id", _) => text(id.as_str()),
        ("user", _) if is_root => text("<root_account>"),
        ("user", _) => text(&user),
        ("arn", _) if is_root => Some(Value::String(format!("arn:aws:iam::{id}:root"))),
        ("arn", _) => Some(Value::String(format!("arn:aws:iam::{id}:user/{user}"))),
        ("state", _) => text("ACTIVE"),
        ("partition", _) => text("aws"),
        (_, DataType::Utf8) => text(""),
        (_, DataType::Boolean) => Some(Value::Boolean(false)),
        (_, DataType::Int32 | DataType::Int64) => Some(Value::Integer(1)),
        (_, DataType::Timestamp(..)) => text("+0s"),
        _ => None,
    }
}

fn outcome(case: &Case) -> &'static str {
    let outcome = if case.skipped.is_some() {
        Outcome::Skipped
    } else if case.unread.contains(&Source::Role) {
        Outcome::Failed
    } else if !case.unread.is_empty() || case.quarantined > 0 {
        Outcome::Partial
    } else {
        Outcome::Swept
    };
    outcome.as_str()
}

/// A source that a case says was not read: it was denied, since why makes no difference to a verdict.
fn denied(source: Source) -> [&'static str; 3] {
    [source.as_str(), "denied", "AccessDenied"]
}

/// The column `unanswered` from source, kind and code of every gap, account by account.
pub(crate) fn unanswered(data_type: &DataType, gaps: &[Vec<[&str; 3]>]) -> Result<ArrayRef, ArrowError> {
    let column =
        |index: usize| Arc::new(gaps.iter().flatten().map(|gap| gap.get(index)).collect::<StringArray>()) as ArrayRef;
    structs(data_type, gaps.iter().map(Vec::len).collect(), (0..3).map(column).collect())
}

fn quarantined(data_type: &DataType, cases: &[Case]) -> Result<ArrayRef, ArrowError> {
    let lengths: Vec<_> = cases.iter().map(|case| usize::try_from(case.quarantined).unwrap_or_default()).collect();
    let rows: usize = lengths.iter().sum();
    let lines: Int32Array = std::iter::repeat_n(Some(2), rows).collect();
    let texts: StringArray = std::iter::repeat_n(Some(""), rows).collect();
    structs(data_type, lengths, vec![Arc::new(lines), Arc::new(texts.clone()), Arc::new(texts)])
}

fn structs(data_type: &DataType, lengths: Vec<usize>, columns: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
    let DataType::List(item) = data_type else {
        return Err(ArrowError::SchemaError(format!("a list was expected, not {data_type}")));
    };
    let fields = match item.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    };
    list(item, lengths, Arc::new(StructArray::try_new(fields, columns, None)?))
}

fn list(item: &FieldRef, lengths: Vec<usize>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let list = ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, None)?;
    Ok(Arc::new(list))
}
