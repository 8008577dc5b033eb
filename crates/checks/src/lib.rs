//! Checks: rules that are data, compiled to predicates, applied to whole batches of accounts.
//!
//! A [`RulePack`] is read from TOML texts; [`Checker::compile`] turns it into physical expressions against one `as_of`;
//! [`Checker::evaluate`] judges a [`Chunk`] of accounts and gives rows of `findings` and `check_results`. Pure: texts
//! and batches come in, batches go out. This crate must not know where rule files lie or where tables are written.
//!
//! The path of a rule through the files: `pack` and `parse` read it, `predicate`, `template` and `compile` make it
//! ready, `coverage` says which sources each account answered, `judge` decides, `verdicts` and `findings` write down.

mod access_keys;
mod case;
mod case_rows;
mod cell;
mod compile;
mod coverage;
mod error;
mod evaluate;
mod facts;
mod findings;
mod judge;
mod pack;
mod params;
mod parse;
mod planning;
mod predicate;
mod reason;
mod relative_time;
mod resource;
mod rule;
mod severity;
mod status;
mod tally;
mod template;
mod verdicts;

#[cfg(test)]
mod fixture;

pub use case::{CaseResult, case_as_of, run_cases};
pub use compile::Checker;
pub use error::{EvaluateError, RuleError, RuleProblem};
pub use evaluate::{Chunk, Verdicts};
pub use pack::{RuleFile, RulePack};
pub use rule::{Case, CheckTable, Param, PassNote, Resource, Rule};
pub use severity::{Severity, UnknownSeverity};
pub use status::Status;
pub use tally::Tally;
