//! The flags of the parts of a scan: `orgsweep plan`, `orgsweep sweep` and `orgsweep commit`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use orgsweep_core::{RunId, Timestamp};
use orgsweep_sweep::Share;

use super::scan::SEVERITIES;
use super::{AskArgs, PaceArgs, RunChoice, text};
use crate::settings::Assignment;

const PLAN_EXAMPLES: &str = "\
Examples:
  orgsweep plan --lake ./lake
  orgsweep plan --lake ./lake --ou ou-ab12-cdef3456 --key-ids --format json
  orgsweep plan --lake /lake --run-id nightly-20261122      then sweep and commit --run nightly-20261122

Exit codes:
  0  the run has its plan
  1  it has not
  2  wrong usage or settings";

/// Begin a run and write down every account that it must cover.
#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub struct PlanArgs {
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// The time against which ages are judged, as in 2026-11-22T10:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<Timestamp>,
    /// The run's name, 1 to 43 letters, digits and dashes, for jobs that must know it beforehand [default: one made of
    /// the time]
    #[arg(long, value_name = "NAME", value_parser = RunId::parse_name)]
    pub run_id: Option<RunId>,
    /// What the run asks, and by which rules it judges.
    #[command(flatten)]
    pub ask: AskArgs,
}

impl PlanArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        lake(self.lake.as_deref()).chain(self.ask.assignments()).collect()
    }
}

const SWEEP_EXAMPLES: &str = "\
Examples:
  orgsweep sweep --lake ./lake --run latest
  orgsweep sweep --lake ./lake --run 20261122T100000Z-7f3a9c --shard 3/8
  orgsweep sweep --lake /lake --run nightly-20261122 --shards 8    in a Kubernetes Indexed Job or an AWS Batch array job

Each of N shares keeps to an N-th of the quotas that a whole sweep would use. A share that was stopped goes on with the
same command, on any machine.

Exit codes:
  0  every account of the share is in the journal, read or refused
  1  some are not; the same command goes on
  2  wrong usage or settings";

/// Ask the accounts of a run, or a share of them, and journal what they say.
#[derive(Debug, Args)]
#[command(after_help = SWEEP_EXAMPLES)]
pub struct SweepArgs {
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// The run: the newest one that is not committed, or this one
    #[arg(long, value_name = "latest|RUN_ID")]
    pub run: RunChoice,
    /// Which share of the plan.
    #[command(flatten)]
    pub share: ShareArgs,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,
}

impl SweepArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        lake(self.lake.as_deref()).chain(self.pace.assignments()).collect()
    }
}

/// Which share of a plan is swept.
#[derive(Debug, Args)]
pub struct ShareArgs {
    /// Sweep share K of N, from 1/N to N/N [default: the whole plan]
    #[arg(long, value_name = "K/N", conflicts_with = "shards", help_heading = "Share")]
    pub shard: Option<Share>,
    /// Sweep one of N shares: the one whose number, from 0, is in `JOB_COMPLETION_INDEX` or `AWS_BATCH_JOB_ARRAY_INDEX`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(Share::MOST)), help_heading = "Share")]
    pub shards: Option<u32>,
}

const COMMIT_EXAMPLES: &str = "\
Examples:
  orgsweep commit --lake ./lake --run latest
  orgsweep commit --lake ./lake --run 20261122T100000Z-7f3a9c --fail-on high --format json";

/// Build the tables of a run whose accounts are all in the journal, and commit it. Asks AWS nothing.
#[derive(Debug, Args)]
#[command(after_help = format!("{COMMIT_EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub struct CommitArgs {
    /// Folder of the lake [default: orgsweep-lake]
    #[arg(long, value_name = "DIR")]
    pub lake: Option<String>,
    /// The run: the newest one that is not committed, or this one
    #[arg(long, value_name = "latest|RUN_ID")]
    pub run: RunChoice,
    /// Exit with 4 if there are failed findings of this severity or a worse one
    #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(SEVERITIES))]
    pub fail_on: Option<String>,
}

impl CommitArgs {
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        let fail_on = self.fail_on.iter().map(|severity| text("output.fail_on", "--fail-on", severity));
        lake(self.lake.as_deref()).chain(fail_on).collect()
    }
}

fn lake(location: Option<&str>) -> impl Iterator<Item = Assignment> {
    location.map(|location| text("lake.location", "--lake", location)).into_iter()
}
