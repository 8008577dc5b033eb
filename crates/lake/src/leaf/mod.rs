//! One leaf of a column, from Arrow to the pages of a Parquet column chunk.
//!
//! arrow-rs writes every type there is, with every option, and asks for each value again what it is. The lake's tables
//! know seven types and repeat themselves a lot, so what is the same as before costs a comparison here, validity goes
//! into levels eight values at a time, and a thread has one compressor for all its columns. What is written is read
//! back by arrow-rs in tests, and by other engines end to end.

mod bounds;
mod column;
mod delta;
mod dictionary;
mod hybrid;
mod levels;
mod numbers;
mod pages;
mod plan;
#[cfg(test)]
mod tests;
mod texts;
mod values;

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field};
use parquet::errors::{ParquetError, Result};

use self::levels::Levels;
pub(crate) use self::pages::LeafChunk;
use self::pages::{NewPage, Pages};
pub(crate) use self::plan::{LeafPlan, is_sorted_by_user};
use self::values::Values;

/// Rows between two looks at a page's size.
const STEP_ROWS: usize = 1024;

/// The same where a row is a list, which may be long.
const STEP_LISTS: usize = 64;

/// Rows of a page at most: what a reader decodes for one row.
const PAGE_ROWS: usize = 20 * STEP_ROWS;

/// Uncompressed bytes at which a page ends. Consumers want at most 1 MB (Amazon Security Lake's rule for custom
/// sources), and the size is looked at only now and then, so it is half of that.
const PAGE_BYTES: usize = 512 * 1024;

/// One leaf of a column of one row group, growing.
pub(crate) struct LeafWriter {
    place: Place,
    levels: Levels,
    values: Values,
    /// Rows of the page in the making.
    rows: usize,
    /// Its values that are not null.
    there: usize,
    pages: Pages,
}

/// Where a leaf lies in its column.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The column is the leaf.
    Column,
    /// The items of the column's lists are.
    Items,
    /// A field of the items, which are structs.
    Field(usize),
}

impl LeafWriter {
    /// The leaves of a column, in Parquet's order, by their plans.
    pub(crate) fn of_column(field: &Field, plans: &[LeafPlan]) -> Result<Vec<Self>> {
        let new = |(index, plan)| Ok(Self::new(place(field, index)?, field.is_nullable(), plan));
        plans.iter().enumerate().map(new).collect()
    }

    fn new(place: Place, is_nullable: bool, plan: &LeafPlan) -> Self {
        let described = &plan.described;
        Self {
            place,
            levels: Levels::new(described.max_def_level(), described.max_rep_level(), is_nullable),
            values: Values::new(plan),
            rows: 0,
            there: 0,
            pages: Pages::new(plan),
        }
    }

    /// Adds rows of the column.
    pub(crate) fn write(&mut self, column: &ArrayRef) -> Result<()> {
        let step = if matches!(self.place, Place::Column) { STEP_ROWS } else { STEP_LISTS };
        self.values.begin_array();
        let mut from = 0;
        while from < column.len() {
            let rows = from..column.len().min(from + step - self.rows % step);
            from = rows.end;
            self.rows += rows.len();
            self.extend(column, rows);
            if self.rows.is_multiple_of(step) && (self.rows >= PAGE_ROWS || self.values.bytes() >= PAGE_BYTES) {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn extend(&mut self, column: &ArrayRef, rows: Range<usize>) {
        if matches!(self.place, Place::Column) {
            self.levels.extend(column, &rows);
            return self.extend_values(column, rows);
        }
        let lists = column.as_list::<i32>();
        let items = match self.place {
            Place::Field(index) => lists.values().as_struct().column(index),
            _ => lists.values(),
        };
        let offset = |row: usize| lists.offsets().get(row).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
        // Lists that are there lie side by side, but for items that nothing refers to.
        let mut open = offset(rows.start)..offset(rows.start);
        for row in rows {
            let list = lists.is_valid(row).then(|| offset(row)..offset(row + 1));
            self.levels.push_list(items, list.as_ref());
            let Some(list) = list else { continue };
            if list.start != open.end {
                self.extend_values(items, std::mem::replace(&mut open, list.start..list.start));
            }
            open.end = list.end;
        }
        self.extend_values(items, open);
    }

    fn extend_values(&mut self, values: &dyn Array, rows: Range<usize>) {
        let nulls = values.nulls().map_or(0, |nulls| nulls.slice(rows.start, rows.len()).null_count());
        self.there += rows.len() - nulls;
        self.values.extend(values, rows);
    }

    fn end_page(&mut self) -> Result<()> {
        let (levels, mut body) = (self.levels.len(), Vec::new());
        self.levels.end(&mut body);
        let (encoding, bounds) = self.values.end_page(&mut body);
        let nulls = (levels - std::mem::take(&mut self.there)) as u64;
        self.pages.push(NewPage { body, encoding, rows: std::mem::take(&mut self.rows), levels, nulls, bounds })
    }

    /// Ends the column chunk.
    pub(crate) fn close(mut self) -> Result<LeafChunk> {
        if self.rows > 0 {
            self.end_page()?;
        }
        let (dictionary, filter) = match self.values {
            Values::Texts(mut texts) => {
                texts.close_dictionary();
                (texts.dictionary, LeafPlan::folded(texts.filter))
            }
            _ => (None, None),
        };
        self.pages.end(dictionary.as_ref(), filter)
    }
}

/// Where the leaf with this index lies.
fn place(field: &Field, index: usize) -> Result<Place> {
    match field.data_type() {
        DataType::List(item) if item.is_nullable() => {
            Err(ParquetError::NYI(format!("{}: items of lists are never null", field.name())))
        }
        DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => Ok(Place::Field(index)),
        DataType::List(_) => Ok(Place::Items),
        _ => Ok(Place::Column),
    }
}
