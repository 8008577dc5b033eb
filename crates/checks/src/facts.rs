//! The rows that a chunk's checks read: three tables, with the rows of each account side by side.

use std::ops::Range;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, Field, Schema};
use arrow_select::take::take_record_batch;
use orgsweep_core::Sources;
use orgsweep_core::table::Table;

use crate::access_keys::{SLOTS, turn_by_slot};
use crate::cell::texts;
use crate::compile::Check;
use crate::coverage::Coverage;
use crate::judge::{Found, Judgement};
use crate::scope::ScopeView;
use crate::{CheckTable, Chunk, EvaluateError};

/// The rows of one table, and which of them are whose.
pub(crate) struct Rows {
    /// The rows, sorted by account.
    pub(crate) batch: RecordBatch,
    /// Of a view that is not turned: the rows of `credentials` whose slots are its rows.
    pub(crate) slots_of: Option<RecordBatch>,
    /// Where the rows of each account begin, and behind the last, where they end.
    offsets: Vec<usize>,
}

impl Rows {
    /// Rows that begin here and there.
    pub(crate) fn new(batch: RecordBatch, offsets: Vec<usize>) -> Self {
        Self { batch, slots_of: None, offsets }
    }

    /// The slots of rows of `credentials`, of which none is turned yet.
    fn slots(of: &Self) -> Self {
        Self {
            batch: RecordBatch::new_empty(CheckTable::AccessKeys.table().schema()),
            slots_of: Some(of.batch.clone()),
            offsets: of.offsets.iter().map(|offset| offset * SLOTS).collect(),
        }
    }

    /// The rows of one account.
    pub(crate) fn of(&self, account: usize) -> Range<usize> {
        match (self.offsets.get(account), self.offsets.get(account + 1)) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..0,
        }
    }
}

/// Everything that checks read of some accounts.
pub(crate) struct Facts<'a> {
    /// The rows of `accounts`.
    pub(crate) accounts: Rows,
    /// The rows of `credentials`.
    pub(crate) credentials: Rows,
    /// The view of them by key slot: to judge all of it, and to tell of what [`Facts::take_found`] has turned.
    pub(crate) access_keys: Rows,
    /// For each check the rows that are told of, and maybe others; `None` where that may be all.
    pub(crate) told: Vec<Option<BooleanBuffer>>,
    /// What was not read.
    pub(crate) coverage: Coverage<'a>,
    /// Where the accounts are in the organization, and how they are tagged.
    pub(crate) scopes: ScopeView<'a>,
}

impl<'a> Facts<'a> {
    /// Makes the facts of a chunk, once it proved to be well-formed, of a run that did not ask these sources.
    pub(crate) fn of(chunk: &Chunk<'a>, unasked: Sources) -> Result<Self, EvaluateError> {
        hold_schema(chunk.accounts, CheckTable::Accounts.table())?;
        hold_schema(chunk.credentials, CheckTable::Credentials.table())?;
        hold_order(chunk.accounts)?;
        let offsets = offsets(chunk.accounts, chunk.credentials)?;
        let accounts = Rows::new(chunk.accounts.clone(), (0..=chunk.accounts.num_rows()).collect());
        let credentials = Rows::new(chunk.credentials.clone(), offsets);
        Ok(Self {
            accounts,
            access_keys: Rows::slots(&credentials),
            credentials,
            told: Vec::new(),
            coverage: Coverage::read(chunk.accounts, unasked)?,
            scopes: ScopeView::of(chunk.accounts)?,
        })
    }

    /// Looks at what was found, before it is told: keeps which rows that is, and turns those that are slots.
    pub(crate) fn take_found(&mut self, checks: &[Check], judgements: &mut [Judgement]) -> Result<(), ArrowError> {
        let is_view = |check: &Check| check.table == CheckTable::AccessKeys;
        let told = checks.iter().zip(judgements.iter_mut());
        self.told = told.map(|(check, it)| it.told.take().filter(|_| !is_view(check))).collect();
        let of_slots = checks.iter().zip(judgements).filter(|(check, _)| is_view(check));
        self.turn(of_slots.flat_map(|(_, judgement)| &mut judgement.found).collect())
    }

    /// Turns the rows of `credentials` with slots that were found, and lets what was found be at its rows in the view.
    fn turn(&mut self, mut found: Vec<&mut Found>) -> Result<(), ArrowError> {
        let Some(credentials) = &self.access_keys.slots_of else { return Ok(()) };
        let mut users: Vec<_> = found.iter().filter_map(|found| Some(found.ground.row()? / SLOTS)).collect();
        users.sort_unstable();
        users.dedup();
        for found in &mut found {
            if let Some(row) = found.ground.row() {
                let place = users.partition_point(|user| *user < row / SLOTS);
                found.ground = found.ground.at(place * SLOTS + row % SLOTS);
            }
        }
        let rows: UInt64Array = users.iter().filter_map(|user| u64::try_from(*user).ok()).collect();
        self.access_keys.batch = turn_by_slot(&take_record_batch(credentials, &rows)?)?;
        Ok(())
    }

    /// The rows that a check of this table judges.
    pub(crate) fn rows(&self, table: CheckTable) -> &Rows {
        match table {
            CheckTable::Accounts => &self.accounts,
            CheckTable::Credentials => &self.credentials,
            CheckTable::AccessKeys => &self.access_keys,
        }
    }

    /// The rows that are told of by the check at this place, and maybe others; `None` where that may be all.
    pub(crate) fn told(&self, place: usize) -> Option<&BooleanBuffer> {
        self.told.get(place)?.as_ref()
    }

    /// Number of accounts.
    pub(crate) fn len(&self) -> usize {
        self.accounts.batch.num_rows()
    }
}

/// Predicates read columns by position, so names and types must be the table's; nullability and metadata may differ.
fn hold_schema(batch: &RecordBatch, table: &'static Table) -> Result<(), EvaluateError> {
    let (schema, wanted) = (batch.schema(), table.schema());
    let same = |(left, right): (&Field, &Field)| {
        left.name() == right.name() && left.data_type().equals_datatype(right.data_type())
    };
    let pairs = schema.fields().iter().map(AsRef::as_ref).zip(wanted.fields().iter().map(AsRef::as_ref));
    if schema.fields().len() == wanted.fields().len() && pairs.into_iter().all(same) {
        return Ok(());
    }
    Err(EvaluateError::Schema { table: table.name, found: describe(&schema), expected: describe(&wanted) })
}

fn describe(schema: &Schema) -> String {
    let columns: Vec<_> =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    columns.join(", ")
}

fn hold_order(accounts: &RecordBatch) -> Result<(), EvaluateError> {
    let ids = texts(accounts, "account_id")?;
    for row in 1..accounts.num_rows() {
        if ids.value(row - 1) >= ids.value(row) {
            return Err(EvaluateError::Unsorted { account: ids.value(row).to_owned() });
        }
    }
    Ok(())
}

/// Where the credentials of each account begin, in one pass over both.
fn offsets(accounts: &RecordBatch, credentials: &RecordBatch) -> Result<Vec<usize>, EvaluateError> {
    let (ids, owners) = (texts(accounts, "account_id")?, texts(credentials, "account_id")?);
    let rows = credentials.num_rows();
    let mut offsets = Vec::with_capacity(accounts.num_rows() + 1);
    let mut row = 0;
    offsets.push(row);
    for account in 0..accounts.num_rows() {
        while row < rows && owners.value(row) == ids.value(account) {
            row += 1;
        }
        offsets.push(row);
    }
    if row < rows {
        return Err(EvaluateError::Stranger { account: owners.value(row).to_owned() });
    }
    Ok(offsets)
}
