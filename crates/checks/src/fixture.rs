//! Rules and batches for the tests of this crate.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use orgsweep_core::{Timestamp, table};
use serde::Deserialize;

use crate::case::optional_sources;
use crate::case_rows::{CaseRow, accounts_of, batch_of, unanswered};
use crate::cell::text_at;
use crate::{Basis, Case, Chunk, Rule, RuleFile, RulePack, Status};

/// The `as_of` of the tests.
pub(crate) fn as_of() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

/// What the tests judge by: all optional sources are left out.
pub(crate) fn basis() -> Basis {
    Basis { as_of: as_of(), unasked: optional_sources() }
}

/// A rule `the-check` with this one predicate and nothing else of note.
pub(crate) fn rule(table: &str, fails_when: &str) -> Rule {
    let pack = pack(&format!("table = \"{table}\"\nfails_when = '''{fails_when}'''\nevidence = []"));
    pack.rules()[0].clone()
}

/// A pack of the one rule `the-check`, with the keys that are given and harmless ones for the rest.
pub(crate) fn pack(keys: &str) -> RulePack {
    let text = format!(
        "[[check]]\nid = \"the-check\"\ntitle = \"All is well\"\nseverity = \"low\"\nremediation = \"Act.\"\n{keys}\n"
    );
    RulePack::parse(vec![RuleFile { name: "the.toml".to_owned(), text }]).unwrap()
}

/// Some accounts: the two batches of a chunk.
pub(crate) struct Organization {
    pub(crate) accounts: RecordBatch,
    pub(crate) credentials: RecordBatch,
}

#[derive(Deserialize)]
struct Accounts {
    account: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    #[serde(default)]
    row: toml::Table,
    #[serde(default)]
    users: Vec<toml::Table>,
    /// Source, kind and code.
    #[serde(default)]
    gaps: Vec<[String; 3]>,
    #[serde(default)]
    quarantined: u32,
    #[serde(default)]
    skipped: Option<String>,
}

impl Organization {
    /// Reads `[[account]]` tables; the accounts are numbered from 000000000001.
    pub(crate) fn read(text: &str) -> Self {
        let accounts: Accounts = toml::from_str(text).unwrap();
        let accounts = accounts.account;
        let cases: Vec<_> = accounts.iter().map(Account::coverage).collect();
        let rows = accounts.iter().enumerate().map(|(case, account)| CaseRow { case, row: 0, values: &account.row });
        let batch = accounts_of(&cases, &rows.collect::<Vec<_>>(), as_of()).map_err(|misfit| misfit.reason).unwrap();
        let gaps: Vec<Vec<[&str; 3]>> = accounts
            .iter()
            .map(|account| account.gaps.iter().map(|gap| gap.each_ref().map(String::as_str)).collect())
            .collect();
        let index = batch.schema().index_of("unanswered").unwrap();
        let mut columns = batch.columns().to_vec();
        columns[index] = unanswered(batch.column(index).data_type(), &gaps).unwrap();
        let users = accounts.iter().enumerate().flat_map(|(case, account)| {
            account.users.iter().enumerate().map(move |(row, values)| CaseRow { case, row, values })
        });
        let credentials = batch_of(table::credentials(), &users.collect::<Vec<_>>(), as_of());
        Self {
            accounts: RecordBatch::try_new(batch.schema(), columns).unwrap(),
            credentials: credentials.map_err(|misfit| misfit.reason).unwrap(),
        }
    }

    pub(crate) fn chunk(&self) -> Chunk<'_> {
        Chunk { accounts: &self.accounts, credentials: &self.credentials }
    }
}

impl Account {
    /// The part of an account that cases can say too; gaps come later, since cases know only denied ones.
    fn coverage(&self) -> Case {
        let role = self.gaps.iter().any(|gap| gap[0] == "role");
        Case {
            name: String::new(),
            row: None,
            rows: Vec::new(),
            unread: role.then_some(orgsweep_core::Source::Role).into_iter().collect(),
            quarantined: self.quarantined,
            skipped: self.skipped.clone(),
            expect: Status::Unknown,
            expect_rows: None,
            reason: None,
            message: None,
            command: None,
            params: std::collections::BTreeMap::new(),
        }
    }
}

/// The columns named, row by row, with ` | ` between them.
pub(crate) fn show(batch: &RecordBatch, columns: &[&str]) -> String {
    let cell = |row: usize, name: &&str| {
        let column = batch.column_by_name(name).unwrap();
        let text = match column.as_list_opt::<i32>() {
            Some(list) => arrow_cast::display::array_value_to_string(list, row).ok(),
            None => text_at(column, row),
        };
        text.unwrap_or_else(|| "-".to_owned())
    };
    let line = |row| columns.iter().map(|name| cell(row, name)).collect::<Vec<_>>().join(" | ") + "\n";
    (0..batch.num_rows()).map(line).collect()
}
