//! The flags of every command but `orgsweep scan` and `orgsweep sim`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::scan::SEVERITIES;
use super::{RunChoice, list, text};
use crate::settings::Assignment;

/// Sweep a simulated organization in this process and show the result.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder of the demo's lake; what an earlier demo left in it is deleted
    #[arg(long, value_name = "DIR", default_value = "orgsweep-demo")]
    pub lake: String,
    /// Accounts of the organization, the management account among them
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub accounts: u32,
    /// Another seed, another organization
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl DemoArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        vec![text("lake.location", "--lake", &self.lake)]
    }
}

/// What is checked, and whether the rules hold what they promise.
#[derive(Debug, Subcommand)]
pub enum ChecksCommand {
    /// List every check with its severity and the controls it covers
    List(ListArgs),
    /// Show one check: what it reads, its predicates and params, what to do, and its cases
    Show(ShowArgs),
    /// Write a rule file for a check of your own, with comments and cases to fill in
    New(NewArgs),
    /// Run the cases inside the rule files, and say what they leave untried; exits with 1 if one fails
    Test(TestArgs),
    /// Print the truth table: every case of every check (the page docs/truth-table.md, or with --format json its facts)
    TruthTable(RuleArgs),
}

/// Which rule files are read.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// Folder of your own rule files, added to orgsweep's; can be repeated
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<String>,
    /// File of overrides: other params in some organizational units, accounts or users; can be repeated
    #[arg(long, value_name = "FILE")]
    pub overrides: Vec<String>,
    /// File of exceptions: findings that somebody answers for, for a time; can be repeated
    #[arg(long, value_name = "FILE")]
    pub exceptions: Vec<String>,
}

impl RuleArgs {
    pub(super) fn assignments(&self) -> impl Iterator<Item = Assignment> {
        let lists = [
            list("checks.dirs", "--checks", &self.checks),
            list("checks.overrides", "--overrides", &self.overrides),
            list("checks.exceptions", "--exceptions", &self.exceptions),
        ];
        lists.into_iter().flatten()
    }
}

/// List the checks.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which rule files are read.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// List the controls of this framework with the checks that cover them, as in cis-7.0
    #[arg(long, value_name = "ID")]
    pub framework: Option<String>,
}

/// Show one check.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The check
    #[arg(value_name = "ID")]
    pub id: String,
    /// Which rule files are read.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// Write a rule file.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The id of the check, in kebab case
    #[arg(value_name = "ID")]
    pub id: String,
    /// Folder that the file is written to; it is made if it is missing
    #[arg(long, value_name = "DIR", default_value = "checks")]
    pub dir: PathBuf,
}

/// Test the rule files.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Which rule files are read.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Change each predicate a little, in every way that matters, and tell the changes that no case notices; exits with 1
    /// if there is one
    #[arg(long)]
    pub mutants: bool,
}

impl ChecksCommand {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        match self {
            Self::List(list) => list.rules.assignments().collect(),
            Self::Show(show) => show.rules.assignments().collect(),
            Self::Test(test) => test.rules.assignments().collect(),
            Self::TruthTable(rules) => rules.assignments().collect(),
            Self::New(_) => Vec::new(),
        }
    }
}

const COMPLIANCE_EXAMPLES: &str = "\
Examples:
  orgsweep compliance --lake ./lake --framework cis-5.0
  orgsweep compliance --lake ./lake --framework fsbp --run 20261122T100000Z-7f3a9c --format json";

/// Count the accounts of a committed run by the controls of a framework.
#[derive(Debug, Args)]
#[command(after_help = COMPLIANCE_EXAMPLES)]
pub struct ComplianceArgs {
    /// The framework, as in cis-5.0; `orgsweep checks list` names those there are
    #[arg(long, value_name = "ID")]
    pub framework: String,
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// The run: the newest committed sweep, or this one
    #[arg(long, value_name = "latest|RUN_ID", default_value = "latest")]
    pub run: RunChoice,
}

impl ComplianceArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        self.lake.iter().map(|lake| text("lake.location", "--lake", lake)).collect()
    }
}

const RECHECK_EXAMPLES: &str = "\
Examples:
  orgsweep recheck --lake ./lake --set access-key-rotated.max_age_days=30
  orgsweep recheck --lake ./lake --run 20261122T100000Z-7f3a9c --checks ./checks";

/// Judge a committed run again, by the rules and params of now, without asking AWS.
#[derive(Debug, Args)]
#[command(after_help = RECHECK_EXAMPLES)]
pub struct RecheckArgs {
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// The run: the newest committed sweep, or this one
    #[arg(long, value_name = "latest|RUN_ID", default_value = "latest")]
    pub run: RunChoice,
    /// Exit with 4 if there are failed findings of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(SEVERITIES))]
    pub fail_on: Option<String>,
    /// Which rules judge.
    #[command(flatten)]
    pub rules: RuleArgs,
}

impl RecheckArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let lake = self.lake.iter().map(|lake| text("lake.location", "--lake", lake));
        let fail_on = self.fail_on.iter().map(|severity| text("output.fail_on", "--fail-on", severity));
        lake.chain(fail_on).chain(self.rules.assignments()).collect()
    }
}

/// Show the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting, its value, and where that was given
    Show,
}
