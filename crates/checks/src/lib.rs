//! Checks: rules that are data, compiled to predicates, applied to whole batches of accounts.
//!
//! A [`RulePack`] is read from TOML texts; with params, overrides and exceptions it is a [`RuleSet`];
//! [`Checker::compile`] turns that into physical expressions against one `as_of`; [`Checker::evaluate`] judges a
//! [`Chunk`] of accounts and gives rows of `findings` and `check_results`. Pure: texts and batches come in, batches go
//! out. This crate must not know where rule files lie or where tables are written.
//!
//! The path of a rule through the files: `pack` and `parse` read it, `planning`, `template` and `compile` make it
//! ready, `coverage` and `needs` say whether an account answered what it reads, `choice` which params hold for it,
//! `formula` evaluates its predicates, `judge` decides, `cover` looks for an exception, `verdicts` and `findings` write down.

mod access_keys;
mod answers;
mod arithmetic;
mod case;
mod case_rows;
mod cell;
mod choice;
mod compile;
mod compliance;
mod cover;
mod coverage;
mod error;
mod evaluate;
mod evidence;
mod explain;
mod facts;
mod findings;
mod formula;
mod framework;
mod judge;
mod mutants;
mod needs;
mod pack;
mod params;
mod parse;
mod planning;
mod predicate;
mod reason;
mod relative_time;
mod rendering;
mod resource;
mod row_masks;
mod rule;
mod rule_set;
mod scope;
mod scoped;
mod severity;
mod status;
mod tally;
mod template;
mod text_builder;
mod thoroughness;
mod verdicts;
mod words;

#[cfg(test)]
mod fixture;

pub use case::{CaseResult, case_as_of, run_cases};
pub use compile::{Basis, Checker};
pub use compliance::{Compliance, ControlResult};
pub use error::{EvaluateError, RuleError, RuleProblem};
pub use evaluate::{Chunk, Verdicts};
pub use framework::{Control, Framework, UnknownFramework};
pub use mutants::{Survivor, survivors};
pub use needs::Needs;
pub use pack::{RuleFile, RulePack};
pub use params::{ParamsByCheck, ParamsByName};
pub use rule::{Case, CheckTable, Param, PassNote, Resource, Rule};
pub use rule_set::RuleSet;
pub use scope::Scope;
pub use scoped::{Exception, ExceptionUse, Override, parse_exceptions, parse_overrides};
pub use severity::{Severity, UnknownSeverity};
pub use status::Status;
pub use tally::Tally;
pub use thoroughness::{Untried, untried};
