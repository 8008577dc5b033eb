//! The flags of `orgsweep ingest` and `orgsweep sim-reports`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use orgsweep_core::Timestamp;

use super::scan::SEVERITIES;
use super::{RuleArgs, text};
use crate::settings::Assignment;

const EXAMPLES: &str = "\
Examples:
  orgsweep ingest reports/ --lake ./lake
  orgsweep ingest 'archive/2024-03/*.csv.gz' --lake ./lake --generated-at 2024-03-01T06:00:00Z
  aws iam get-credential-report --output json > report.json && orgsweep ingest report.json --lake ./lake

A report is CSV as AWS sends it, or the JSON answer of the AWS CLI, as it is or compressed with gzip or zstd; its form is told
by its content. Whose it is say the ARNs in it. When it was made says --generated-at, else the JSON answer, else the time at
which the file was last changed. Of several reports of one account the newest counts. The same files, judged by the same rules
at the same time, are the same run: what was stopped goes on with the same command.

Exit codes:
  0  the run is committed, and every report was read
  1  the run is not committed; the message names every file that cannot be read
  2  wrong usage or settings, or no file where one is named
  3  the run is committed, but some reports could not be read, or only in part
  4  the run is committed, and has failed findings of the severity given by --fail-on, and no exception covers them";

/// Make a committed run of credential reports that somebody already has.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct IngestArgs {
    /// Credential reports: files, folders with all that lies in them, and patterns like 'reports/**/*.csv.gz'
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// When the reports were made, as in 2026-11-22T10:00:00Z [default: what the JSON answer says, or the file's last change]
    #[arg(long, value_name = "TIME")]
    pub generated_at: Option<Timestamp>,
    /// The time against which ages are judged, as in 2026-11-22T10:00:00Z [default: when the newest report was made]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Timestamp>,
    /// Commit without the files that cannot be read as reports, and exit with 3
    #[arg(long)]
    pub skip_bad: bool,
    /// Exit with 4 if there are failed findings of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(SEVERITIES))]
    pub fail_on: Option<String>,
    /// Which rules judge.
    #[command(flatten)]
    pub rules: RuleArgs,
}

impl IngestArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let lake = self.lake.iter().map(|lake| text("lake.location", "--lake", lake));
        let fail_on = self.fail_on.iter().map(|severity| text("output.fail_on", "--fail-on", severity));
        lake.chain(fail_on).chain(self.rules.assignments()).collect()
    }
}

const SIM_REPORTS_EXAMPLES: &str = "\
Examples:
  orgsweep sim-reports reports --accounts 50 && orgsweep ingest reports
  orgsweep sim-reports large --accounts 817 --users-per-account 5000";

/// Write the credential reports of a simulated organization into files.
#[derive(Debug, Args)]
#[command(after_help = SIM_REPORTS_EXAMPLES)]
pub struct SimReportsArgs {
    /// Folder that the files are written to, ACCOUNT.csv; it is made, and must not be there yet
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Accounts of the organization, the management account among them
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub accounts: u32,
    /// IAM users of each account, besides the root user; AWS allows 5000
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub users_per_account: u32,
    /// Another seed, another organization
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The time at which the facts hold and reports are made, as in 2026-11-22T10:00:00Z [default: the clock]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
    /// Make what benchmarks read: every fifth user has a finding, and no name has a comma or a quote
    #[arg(long)]
    pub measured: bool,
    /// What the files hold
    #[arg(long, value_enum, value_name = "FORM", default_value_t = ReportForm::Csv)]
    pub form: ReportForm,
}

/// What a file of a report holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// CSV as AWS sends it; the file's last change is when the report was made
    Csv,
    /// The answer of `aws iam get-credential-report --output json`
    Json,
}
