//! The flags of every command but `orgsweep scan`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use orgsweep_core::Timestamp;

use super::{list, text};
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
}

/// How a simulated organization behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimProfile {
    /// Answers at once, reports are ready when asked for, and there are no quotas
    Instant,
    /// AWS's published quotas and observed latencies
    Aws,
}

/// List the checks, or test them against their own cases.
#[derive(Debug, Subcommand)]
pub enum ChecksCommand {
    /// List every check with its severity, what it reads and the controls it covers
    List(RuleArgs),
    /// Run the cases inside the rule files; exits with 1 if one fails
    Test(RuleArgs),
}

/// Which rule files are read.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// Folder of your own rule files, added to orgsweep's; can be repeated
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<String>,
}

impl ChecksCommand {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let (Self::List(rules) | Self::Test(rules)) = self;
        list("checks.dirs", "--checks", &rules.checks).into_iter().collect()
    }
}

/// Show the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting, its value, and where that was given
    Show,
}
