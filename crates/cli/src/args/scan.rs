//! The flags of `orgsweep scan`.

use std::str::FromStr;

use clap::Args;
use clap::builder::PossibleValuesParser;
use orgsweep_core::{InvalidRunId, RunId, Timestamp};

use super::{list, text};
use crate::settings::{Assignment, Value};

const EXAMPLES: &str = "\
Examples:
  orgsweep scan --dry-run
  orgsweep scan --lake ./lake --accounts 111122223333,444455556666
  orgsweep scan --exclude-accounts @retired.txt --external-id 7f3a9c
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
    pub resume: Option<Resume>,
    /// Say who the caller is, what would be asked and how often, and ask no account
    #[arg(long, conflicts_with = "resume")]
    pub dry_run: bool,
    /// The time against which ages are judged, as in 2026-11-22T10:00:00Z [default: now]
    // No setting: a time that stands in a file is forgotten there, and then every later run judges by it.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Timestamp>,
    /// Exit with 4 if there are failed findings of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(SEVERITIES))]
    pub fail_on: Option<String>,
    /// Folder of your own rule files, added to orgsweep's; can be repeated
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<String>,

    /// Ask these accounts and no others: ids, or @FILE with one id a line; can be repeated
    #[arg(long, value_name = "ID,..", value_delimiter = ',', help_heading = "Accounts")]
    pub accounts: Vec<String>,
    /// Leave these accounts out: ids, or @FILE with one id a line; can be repeated
    #[arg(long, value_name = "ID,..", value_delimiter = ',', help_heading = "Accounts")]
    pub exclude_accounts: Vec<String>,

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
    /// Share of AWS's published quotas to start at, above 0 and up to 1 [default: 0.5]
    #[arg(long, value_name = "SHARE", help_heading = "Pace")]
    pub politeness: Option<String>,
    /// Do not pace calls at all: for a simulated organization without quotas
    #[arg(long, help_heading = "Pace")]
    pub no_pacing: bool,
    /// Accounts in flight at once, 1 to 10000 [default: 512]
    #[arg(long, value_name = "N", help_heading = "Pace")]
    pub accounts_in_flight: Option<String>,
}

/// The severities that `--fail-on` takes, least first.
const SEVERITIES: [&str; 5] = ["informational", "low", "medium", "high", "critical"];

impl ScanArgs {
    /// The settings that these flags give.
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let texts = [
            ("lake.location", "--lake", &self.lake),
            ("output.fail_on", "--fail-on", &self.fail_on),
            ("role.name", "--role-name", &self.role_name),
            ("role.external_id", "--external-id", &self.external_id),
            ("role.session_name", "--session-name", &self.session_name),
            ("role.session_duration", "--session-duration", &self.session_duration),
            ("aws.partition", "--partition", &self.partition),
            ("aws.region", "--region", &self.region),
            ("sweep.max_report_age", "--max-report-age", &self.max_report_age),
            ("sweep.politeness", "--politeness", &self.politeness),
            ("sweep.accounts_in_flight", "--accounts-in-flight", &self.accounts_in_flight),
        ];
        let texts = texts.into_iter().filter_map(|(key, flag, value)| value.as_deref().map(|it| text(key, flag, it)));
        let lists = [
            list("accounts.include", "--accounts", &self.accounts),
            list("accounts.exclude", "--exclude-accounts", &self.exclude_accounts),
            list("checks.dirs", "--checks", &self.checks),
        ];
        let pacing = self.no_pacing.then(|| Assignment {
            key: "sweep.pacing".to_owned(),
            flag: "--no-pacing".to_owned(),
            value: Value::Flag(false),
        });
        texts.chain(lists.into_iter().flatten()).chain(pacing).collect()
    }
}

/// Which run is gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// The newest that is not committed.
    Latest,
    /// This one.
    Run(RunId),
}

impl FromStr for Resume {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" { Ok(Self::Latest) } else { RunId::parse(text).map(Self::Run) }
    }
}
