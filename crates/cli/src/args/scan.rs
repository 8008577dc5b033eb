//! The flags of `orgsweep scan`, those that its parts share included.

use std::str::FromStr;

use clap::Args;
use clap::builder::PossibleValuesParser;
use orgsweep_core::{InvalidRunId, RunId, Timestamp};

use super::{RuleArgs, list, text};
use crate::settings::{Assignment, Value};

const EXAMPLES: &str = "\
Examples:
  orgsweep scan --dry-run
  orgsweep scan --lake ./lake --accounts 111122223333,444455556666
  orgsweep scan --exclude-accounts @retired.txt --external-id 7f3a9c
  orgsweep scan --ou ou-ab12-cdef3456 --root-audit --key-ids
  orgsweep scan --overrides overrides.toml --exceptions exceptions.toml
  orgsweep scan --resume latest

AWS credentials, profile, region and endpoint are those of the AWS CLI: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, ...";

/// Sweep the organization and commit what was read.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub struct ScanArgs {
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// Go on with a run that was not committed: the newest one, or this one
    #[arg(long, value_name = "latest|RUN_ID")]
    pub resume: Option<RunChoice>,
    /// Say who the caller is, what would be asked and how often, and ask no account
    #[arg(long, conflicts_with = "resume")]
    pub dry_run: bool,
    /// The time against which ages are judged, as in 2026-11-22T10:00:00Z; reports are of now all the same, so a time
    /// long past makes things look younger than they are [default: now]
    // No setting: a time that stands in a file is forgotten there, and then every later run judges by it.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Timestamp>,
    /// Ask the accounts of the last committed run at once, while the organization is still listed; not where --ou or
    /// --exclude-ou choose
    #[arg(long, help_heading = "Pace", conflicts_with = "resume")]
    pub warm_start: bool,
    /// Exit with 4 if there are failed findings of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(SEVERITIES))]
    pub fail_on: Option<String>,
    /// What it asks, and by which rules it judges.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// What a run asks, and by which rules it judges.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// Which rules judge.
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Ask these accounts and no others: ids, or @FILE with one id a line; can be repeated
    #[arg(long, value_name = "ID,..", value_delimiter = ',', help_heading = "Accounts")]
    pub accounts: Vec<String>,
    /// Leave these accounts out: ids, or @FILE with one id a line; can be repeated
    #[arg(long, value_name = "ID,..", value_delimiter = ',', help_heading = "Accounts")]
    pub exclude_accounts: Vec<String>,
    /// Ask only accounts below these organizational units, at whatever depth: ids like ou-ab12-cdef3456; the others are
    /// listed all the same, and stand in the lake as skipped
    #[arg(long, value_name = "ID,..", value_delimiter = ',', help_heading = "Accounts")]
    pub ou: Vec<String>,
    /// Leave out the accounts below these organizational units
    #[arg(long, value_name = "ID,..", value_delimiter = ',', help_heading = "Accounts")]
    pub exclude_ou: Vec<String>,

    /// What is asked beside.
    #[command(flatten)]
    pub optional: OptionalArgs,

    /// Role that is assumed in each account, a path before it allowed [default: orgsweep-scanner]
    #[arg(long, value_name = "NAME", help_heading = "Role")]
    pub role_name: Option<String>,
    /// External id that the role's trust policy asks for
    #[arg(long, value_name = "ID", help_heading = "Role")]
    pub external_id: Option<String>,
    /// Name that each account's audit trail shows for the session [default: orgsweep]
    #[arg(long, value_name = "NAME", help_heading = "Role")]
    pub session_name: Option<String>,
    /// How long a session holds, 15m to 12h [default: 15m]
    #[arg(long, value_name = "DURATION", help_heading = "Role")]
    pub session_duration: Option<String>,
    /// Partition of role ARNs [default: the caller's]
    #[arg(long, value_name = "PARTITION", help_heading = "Role")]
    pub partition: Option<String>,
    /// Region whose STS is asked [default: that of the AWS settings]
    #[arg(long, value_name = "REGION", help_heading = "Role")]
    pub region: Option<String>,

    /// Take credential reports that AWS has made up to this long ago [default: 4h]
    #[arg(long, value_name = "DURATION", help_heading = "Pace")]
    pub max_report_age: Option<String>,
    /// Carry reports over from the last committed run where AWS cannot have replaced them, instead of fetching them; not
    /// with --key-ids
    #[arg(long, help_heading = "Pace")]
    pub incremental: bool,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// How fast accounts are asked: each attempt at a run may have its own pace.
#[derive(Debug, Args)]
pub struct PaceArgs {
    /// Share of AWS's published quotas to start at, above 0 and up to 1 [default: 0.5]
    #[arg(long, value_name = "SHARE", help_heading = "Pace")]
    pub politeness: Option<String>,
    /// Do not pace calls at all: for a simulated organization without quotas
    #[arg(long, help_heading = "Pace")]
    pub no_pacing: bool,
    /// Accounts in flight at once, 1 to 10000 [default: 2000]
    #[arg(long, value_name = "N", help_heading = "Pace")]
    pub accounts_in_flight: Option<String>,
}

/// What is asked beside what every sweep asks.
#[derive(Debug, Args)]
pub struct OptionalArgs {
    /// Audit the root user of each member in a root session; needs centralized root access
    #[arg(long, help_heading = "Sources")]
    pub root_audit: bool,
    /// List the ids of access keys, so that findings name the key to act on; a call for each user with a key
    #[arg(long, help_heading = "Sources")]
    pub key_ids: bool,
    /// Users of one account whose keys are listed at most [default: 100]
    #[arg(long, value_name = "N", help_heading = "Sources")]
    pub key_ids_max: Option<String>,
    /// List the tags of accounts, for overrides and exceptions by tag; a call for each account
    #[arg(long, help_heading = "Sources")]
    pub account_tags: bool,
}

/// The severities that `--fail-on` takes, least first.
pub(super) const SEVERITIES: [&str; 5] = ["informational", "low", "medium", "high", "critical"];

impl ScanArgs {
    /// The settings that these flags give.
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let texts = [("lake.location", "--lake", &self.lake), ("output.fail_on", "--fail-on", &self.fail_on)];
        let warm = switch("sweep.warm_start", "--warm-start", self.warm_start.then_some(true));
        given(texts).chain(warm).chain(self.ask.assignments()).collect()
    }
}

impl AskArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let texts = [
            ("role.name", "--role-name", &self.role_name),
            ("role.external_id", "--external-id", &self.external_id),
            ("role.session_name", "--session-name", &self.session_name),
            ("role.session_duration", "--session-duration", &self.session_duration),
            ("aws.partition", "--partition", &self.partition),
            ("aws.region", "--region", &self.region),
            ("sweep.max_report_age", "--max-report-age", &self.max_report_age),
            ("sweep.key_ids_max", "--key-ids-max", &self.optional.key_ids_max),
        ];
        let lists = [
            list("accounts.include", "--accounts", &self.accounts),
            list("accounts.exclude", "--exclude-accounts", &self.exclude_accounts),
            list("accounts.ous", "--ou", &self.ou),
            list("accounts.exclude_ous", "--exclude-ou", &self.exclude_ou),
        ];
        let switches = [
            switch("sweep.root_audit", "--root-audit", self.optional.root_audit.then_some(true)),
            switch("sweep.key_ids", "--key-ids", self.optional.key_ids.then_some(true)),
            switch("sweep.incremental", "--incremental", self.incremental.then_some(true)),
            switch("sweep.account_tags", "--account-tags", self.optional.account_tags.then_some(true)),
        ];
        let asked = given(texts).chain(lists.into_iter().flatten()).chain(switches.into_iter().flatten());
        asked.chain(self.pace.assignments()).chain(self.rules.assignments()).collect()
    }
}

impl PaceArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let texts = [
            ("sweep.politeness", "--politeness", &self.politeness),
            ("sweep.accounts_in_flight", "--accounts-in-flight", &self.accounts_in_flight),
        ];
        given(texts).chain(switch("sweep.pacing", "--no-pacing", self.no_pacing.then_some(false))).collect()
    }
}

/// The assignments of the texts that are given.
fn given<const N: usize>(texts: [(&str, &str, &Option<String>); N]) -> impl Iterator<Item = Assignment> {
    texts.map(|(key, flag, value)| value.as_deref().map(|value| text(key, flag, value))).into_iter().flatten()
}

fn switch(key: &str, flag: &str, value: Option<bool>) -> Option<Assignment> {
    value.map(|value| Assignment { key: key.to_owned(), flag: flag.to_owned(), value: Value::Flag(value) })
}

/// Which run of a lake is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunChoice {
    /// The newest of those that will do.
    Latest,
    /// This one.
    Run(RunId),
}

impl FromStr for RunChoice {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" { Ok(Self::Latest) } else { RunId::parse(text).map(Self::Run) }
    }
}
