//! The tables: order, names, types and meaning of every column stand here, and nowhere else.
//!
//! Schemas, the docs page, the golden file and the rule engine's knowledge of where a column comes from are all made
//! from these lists.

mod accounts;
mod calls;
mod check_results;
mod credentials;
mod findings;

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::Source;

/// One column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its Arrow type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// The source whose answer it holds; `None` for what is known without asking the account.
    pub source: Option<Source>,
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

/// The four tables that a run commits, and `calls`, which lies beside the run's manifests.
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

mod access_keys {
    //! The view behind [`super::access_keys`].

    use super::{Table, flag, integer, key, text, time};
    use crate::Source;

    pub(super) fn table() -> Table {
        let mut columns = vec![
            key("account_id", "The account, twelve digits."),
            key("user", "The user's name; `<root_account>` for the root user."),
            key("arn", "The user's ARN."),
            flag("is_root", "Whether this is the root user.").required(),
            time("user_creation_time", "When the user was made."),
            integer("slot", "Key slot of the report, 1 or 2. Slots may swap between two reports.").required(),
            flag("active", "Whether there is an active key in the slot."),
            flag("present", "Whether there is a key in the slot, active or not."),
            time("last_rotated", "When the key was made or last changed; kept while the key is inactive."),
            text("last_rotated_reason", "The report's word where `last_rotated` is null."),
            time("last_used_date", "When the key was last used."),
            text("last_used_date_reason", "The report's word where `last_used_date` is null."),
            text("last_used_region", "The region of the last use; null for services without regions."),
            text("last_used_service", "The service of the last use."),
        ];
        for column in columns.iter_mut() {
            if column.name != "account_id" {
                column.source = Some(Source::CredentialReport);
            }
        }
        Table::new(
            "access_keys",
            "One key slot of one user: `credentials`, turned. A view; it is not written.",
            columns,
        )
    }
}

impl Column {
    fn required(mut self) -> Self {
        self.nullable = false;
        self
    }

    fn from(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }
}

/// The type of every point in time: milliseconds, since Athena rejects finer ones.
#[must_use]
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

fn column(name: &'static str, data_type: DataType, doc: &'static str) -> Column {
    Column { name, data_type, nullable: true, source: None, doc }
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
