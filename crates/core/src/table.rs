//! The tables: order, names, types and meaning of every column stand here, and nowhere else.
//!
//! Schemas, the docs page, the golden file and the rule engine's knowledge of where a column comes from are all made
//! from these lists.

mod access_keys;
mod accounts;
mod calls;
mod check_results;
mod credential_report;
mod credentials;
mod findings;

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::{Source, Sources};

/// Where the value of a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is known without asking the account.
    Plan,
    /// The answer of one source.
    Source(Source),
    /// What all say that say anything: there for whoever reads one of these sources.
    AnyOf(&'static [Source]),
    /// A comparison of sources: it needs every one that is asked at all.
    AllOf(&'static [Source]),
}

impl Origin {
    /// Every source that has a part in the value.
    #[must_use]
    pub fn sources(self) -> Sources {
        match self {
            Self::Plan => Sources::NONE,
            Self::Source(source) => [source].into_iter().collect(),
            Self::AnyOf(sources) | Self::AllOf(sources) => sources.iter().copied().collect(),
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its Arrow type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Where its value comes from.
    pub origin: Origin,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

/// One table of the lake.
#[derive(Debug)]
pub struct Table {
    /// Its name, also that of its folder.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Its columns in order.
    pub columns: Vec<Column>,
    schema: SchemaRef,
}

impl Table {
    fn new(name: &'static str, doc: &'static str, columns: Vec<Column>) -> Self {
        let fields: Fields =
            columns.iter().map(|column| Field::new(column.name, column.data_type.clone(), column.nullable)).collect();
        Self { name, doc, columns, schema: Arc::new(Schema::new(fields)) }
    }

    /// The table's Arrow schema.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A function for each table, so that its columns are listed once for the whole program.
macro_rules! tables {
    ($($name:ident: $doc:literal;)*) => {$(
        #[doc = $doc]
        #[must_use]
        pub fn $name() -> &'static Table {
            static TABLE: LazyLock<Table> = LazyLock::new($name::table);
            &TABLE
        }
    )*};
}

tables! {
    accounts: "One row for each account of the plan: the coverage ledger, and the account's own facts.";
    credential_report: "One row for each row of a credential report: what is known before any key has an id. Not written.";
    credentials: "One row for each IAM user, and for the root user, of each account.";
    findings: "One row for each resource that failed a check, or could not be judged.";
    check_results: "One row for each account and check.";
    calls: "One row for each call that a run made of an account, beside the run's manifests.";
    access_keys: "The rows of `credentials` turned by key slot: what key checks read. Not written.";
}

/// The tables of a committed run, in the order in which they are documented and committed.
#[must_use]
pub fn committed() -> [&'static Table; 4] {
    [accounts(), credentials(), findings(), check_results()]
}

impl Column {
    fn required(mut self) -> Self {
        self.nullable = false;
        self
    }

    fn from(self, source: Source) -> Self {
        self.of(Origin::Source(source))
    }

    fn of(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    fn optional(mut self) -> Self {
        self.nullable = true;
        self
    }
}

/// The type of every point in time: milliseconds, since Athena rejects finer ones.
#[must_use]
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// A type as the docs name it: `string`, `boolean`, `int`, `bigint`, `timestamp`, `array<…>`, `struct<…>`, which are
/// also Athena's names.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Timestamp(TimeUnit::Millisecond, _) => "timestamp".to_owned(),
        DataType::List(item) => format!("array<{}>", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| format!("{}:{}", field.name(), type_name(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn column(name: &'static str, data_type: DataType, doc: &'static str) -> Column {
    Column { name, data_type, nullable: true, origin: Origin::Plan, doc }
}

fn text(name: &'static str, doc: &'static str) -> Column {
    column(name, DataType::Utf8, doc)
}

fn key(name: &'static str, doc: &'static str) -> Column {
    text(name, doc).required()
}

fn flag(name: &'static str, doc: &'static str) -> Column {
    column(name, DataType::Boolean, doc)
}

fn integer(name: &'static str, doc: &'static str) -> Column {
    column(name, DataType::Int32, doc)
}

fn count(name: &'static str, doc: &'static str) -> Column {
    column(name, DataType::Int64, doc).required()
}

fn time(name: &'static str, doc: &'static str) -> Column {
    column(name, timestamp_type(), doc)
}

/// A list of structs. Items are never null.
fn rows(name: &'static str, fields: Vec<Field>, doc: &'static str) -> Column {
    column(name, DataType::List(item(DataType::Struct(fields.into()))), doc).required()
}

fn texts(name: &'static str, doc: &'static str) -> Column {
    column(name, DataType::List(item(DataType::Utf8)), doc).required()
}

fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_column_is_documented() {
        for table in committed().into_iter().chain([calls(), access_keys()]) {
            for (index, column) in table.columns.iter().enumerate() {
                assert!(column.doc.ends_with('.'), "{}.{}", table.name, column.name);
                let first = table.columns.iter().position(|other| other.name == column.name);
                assert_eq!(first, Some(index), "{}.{}", table.name, column.name);
            }
        }
    }
}
