//! The JSON document of `scan --format json`: the one place that knows its keys.

use serde_json::Value;

use super::Finished;

/// What a scan said of itself.
#[derive(Debug)]
pub struct Summary(Value);

impl Summary {
    /// Reads the one document on standard output.
    #[track_caller]
    pub fn of(finished: &Finished) -> Self {
        let document = serde_json::from_str(&finished.stdout);
        Self(document.unwrap_or_else(|error| panic!("standard output is no JSON document: {error}; {finished}")))
    }

    /// The run's id.
    #[track_caller]
    pub fn run_id(&self) -> &str {
        self.text("/run_id")
    }

    /// Whether the run is committed.
    #[track_caller]
    pub fn is_committed(&self) -> bool {
        self.at("/committed").as_bool().expect("committed is a boolean")
    }

    /// Accounts of the plan by outcome: `accounts` (all), `swept`, `partial`, `failed`, `skipped`.
    #[track_caller]
    pub fn accounts(&self, outcome: &str) -> u64 {
        self.at(&format!("/coverage/{outcome}")).as_u64().expect("coverage counts accounts")
    }

    /// The rows of a table.
    #[track_caller]
    pub fn rows(&self, table: &str) -> u64 {
        let tables = self.at("/tables").as_array().expect("tables are a list");
        let table = tables.iter().find(|entry| entry["name"] == table).expect("the table is listed");
        table["rows"].as_u64().expect("rows are a number")
    }

    /// The query for `DuckDB` over the committed files.
    #[track_caller]
    pub fn query(&self) -> &str {
        self.text("/duckdb_query")
    }

    #[track_caller]
    fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().expect("a text")
    }

    #[track_caller]
    fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("the document has no {pointer}: {:#}", self.0))
    }
}
