//! The flags of every command but `orgsweep scan`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use orgsweep_core::Timestamp;
use orgsweep_sim::{Action, PerMille};

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

const SIM_EXAMPLE: &str = "\
The first line of stdout is `listening on http://HOST:PORT`; the lines after it are for a shell's `eval`:
  export AWS_ENDPOINT_URL=http://HOST:PORT
  export AWS_ACCESS_KEY_ID=...

Example:
  orgsweep sim --accounts 1000 --users-per-account 25 --seed 7 --truth truth.jsonl";

/// Serve a simulated organization over HTTP, for any AWS client.
#[derive(Debug, Args)]
#[command(after_help = SIM_EXAMPLE)]
pub struct SimArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Member accounts, besides the management account
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    pub accounts: u32,
    /// IAM users of each account, besides the root user; AWS allows 5000
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub users_per_account: u32,
    /// Another seed, another organization
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How AWS behaves
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t = SimProfile::Instant)]
    pub profile: SimProfile,
    /// The time at which the facts hold and reports are made, as in 2026-11-22T10:00:00Z [default: the clock]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
    /// Write the facts of every account to FILE, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// External id that the scanner role's trust policy asks for [default: none]
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
    /// Name of the scanner role in every member account
    #[arg(long, value_name = "NAME", default_value = "orgsweep-scanner")]
    pub role_name: String,
    /// Deny a call in a share of the accounts, as in iam:GetAccountPasswordPolicy=0.2; without a share, in a fifth; can
    /// be repeated
    #[arg(long, value_name = "ACTION[=SHARE]", value_parser = parse_denied)]
    pub deny: Vec<(Action, PerMille)>,
    /// The organization does not manage its members' root credentials
    #[arg(long)]
    pub no_central_root_access: bool,
}

/// The share of accounts in which a call is denied unless it is said.
const DENIED: f64 = 0.2;

fn parse_denied(given: &str) -> Result<(Action, PerMille), String> {
    let (name, share) = match given.split_once('=') {
        Some((name, share)) => (name, share.parse().map_err(|_| format!("{share:?} is no share, as in 0.2"))?),
        None => (given, DENIED),
    };
    if !(0.0..=1.0).contains(&share) {
        return Err(format!("{share} is no share: a number from 0 to 1 is expected"));
    }
    let action = Action::from_name(name.trim()).ok_or_else(|| {
        let known: Vec<_> = Action::ALL.into_iter().map(Action::name).collect();
        format!("the simulation has no call {name:?} to deny; it has {}", known.join(", "))
    })?;
    // Between 0 and 1, so between 0 and 1000.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to be a share above")]
    Ok((action, PerMille((share * 1000.0).round() as u16)))
}

/// How a simulated organization behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimProfile {
    /// Answers at once, reports are ready when asked for, and there are no quotas
    Instant,
    /// AWS's published quotas and observed latencies
    Aws,
    /// The same, with everything that can go wrong
    Hostile,
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
