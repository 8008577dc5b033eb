//! The command line: every command and flag, and which setting a flag gives. Values of settings are checked in
//! `settings`, so that a flag and a file are told the same; only what is no setting is checked here.

mod commands;
mod ingest;
mod parts;
mod scan;
mod sim;
mod simulate;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::settings::{Assignment, FILE_VARIABLE, Format, Level, Value};

pub use commands::{ChecksCommand, ComplianceArgs, ConfigCommand, DemoArgs, NewArgs, RecheckArgs, RuleArgs, TestArgs};
pub use ingest::{IngestArgs, ReportForm, SimReportsArgs};
pub use parts::{CommitArgs, PlanArgs, ShareArgs, SweepArgs};
pub use scan::{AskArgs, PaceArgs, RunChoice, ScanArgs};
pub use sim::{SimArgs, SimProfile};
pub use simulate::SimulateArgs;

/// What each exit code means, shown below the help.
const EXIT_CODES: &str = "\
Exit codes:
  0  the run is committed, and every usable account was read
  1  the run is not committed; the message says what goes on with it, if anything does
  2  wrong usage or settings
  3  the run is committed, but some accounts could not be read
  4  the run is committed, and has failed findings of the severity given by --fail-on, and no exception covers them";

const EXAMPLES: &str = "\
Examples:
  orgsweep demo                            a simulated organization, swept and shown; needs no AWS
  orgsweep scan --dry-run                  who you are, which organization, what a sweep would ask
  orgsweep scan --lake ./lake              sweep the organization
  orgsweep scan --fail-on high --format json
  orgsweep plan --lake ./lake              the first of three parts of a scan; `sweep` and `commit` follow
  orgsweep ingest reports/ --lake ./lake   credential reports that you already have, without AWS
  orgsweep compliance --framework cis-5.0  the newest run, control by control
  orgsweep checks show root-mfa            what a check reads, when it fails, and what to do
  orgsweep config show                     every setting, and where its value comes from";

/// Sweeps an AWS Organization for weak credentials into one Parquet lake
#[derive(Debug, Parser)]
#[command(name = "orgsweep", version, max_term_width = 100, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Settings file, instead of config/orgsweep.toml in the working folder
    #[arg(long, global = true, value_name = "FILE", env = FILE_VARIABLE, hide_env_values = true, help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Give any setting a value, as in --set sweep.attempts=3, or a param of a check, as in
    /// --set access-key-rotated.max_age_days=60; can be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = parse_assignment, help_heading = "Settings")]
    pub set: Vec<(String, String)>,
    /// Form of what is printed: lines for people, or one JSON document
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<Format>,
    /// Form of the log on stderr
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub log_format: Option<Format>,
    /// Log more: -v the stages, -vv each account, -vvv each call
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: u8,
    /// Log errors alone, and show no progress
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
}

/// What orgsweep can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sweep the organization and commit what was read
    Scan(Box<ScanArgs>),
    /// Begin a run and write down every account that it must cover; the first of the three parts of a scan
    Plan(Box<PlanArgs>),
    /// Ask the accounts of a run, or a share of them on each of several machines, and journal what they say
    Sweep(SweepArgs),
    /// Build the tables of a run whose accounts are all in the journal, and commit it; asks AWS nothing
    Commit(CommitArgs),
    /// Make a committed run of credential reports that somebody already has; asks AWS nothing
    Ingest(IngestArgs),
    /// Sweep a simulated organization in this process and show the result; needs no AWS and no settings
    Demo(DemoArgs),
    /// Serve a simulated organization over HTTP, for any AWS client
    Sim(SimArgs),
    /// Write the credential reports of a simulated organization into files
    SimReports(SimReportsArgs),
    /// Simulate seeds: a sweep that everything happens to, killed and gone on with, and held to what must be true
    Simulate(SimulateArgs),
    /// Judge a committed run again, by the rules and params of now, without asking AWS
    Recheck(RecheckArgs),
    /// Count the accounts of a committed run by the controls of a framework
    Compliance(ComplianceArgs),
    /// List the checks, show, write or test them
    #[command(subcommand)]
    Checks(ChecksCommand),
    /// Show the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the documentation of the lake's tables: the page docs/tables.md, or with --format json its facts
    Tables,
}

impl Cli {
    /// The settings that the command line gives, each with its flag.
    pub fn assignments(&self) -> Vec<Assignment> {
        let mut assignments = self.global.assignments();
        match &self.command {
            Command::Scan(scan) => assignments.extend(scan.assignments()),
            Command::Plan(plan) => assignments.extend(plan.assignments()),
            Command::Sweep(sweep) => assignments.extend(sweep.assignments()),
            Command::Commit(commit) => assignments.extend(commit.assignments()),
            Command::Demo(demo) => assignments.extend(demo.assignments()),
            Command::Ingest(ingest) => assignments.extend(ingest.assignments()),
            Command::Recheck(recheck) => assignments.extend(recheck.assignments()),
            Command::Compliance(compliance) => assignments.extend(compliance.assignments()),
            Command::Checks(checks) => assignments.extend(checks.assignments()),
            Command::Sim(_) | Command::SimReports(_) | Command::Simulate(_) | Command::Config(_) | Command::Tables => {}
        }
        assignments
    }
}

impl GlobalArgs {
    fn assignments(&self) -> Vec<Assignment> {
        let set = self.set.iter().map(|(key, value)| text(key, "--set", value));
        let format = self.format.map(|format| text("output.format", "--format", &format.as_str()));
        let log_format = self.log_format.map(|format| text("log.format", "--log-format", &format.as_str()));
        let level = self.level().map(|(flag, level)| text("log.level", flag, &level.as_str()));
        set.chain(format).chain(log_format).chain(level).collect()
    }

    fn level(&self) -> Option<(&'static str, Level)> {
        match self.verbose {
            _ if self.quiet => Some(("-q", Level::Error)),
            0 => None,
            1 => Some(("-v", Level::Info)),
            2 => Some(("-vv", Level::Debug)),
            _ => Some(("-vvv", Level::Trace)),
        }
    }
}

/// The assignment of a text, which `settings` reads as whatever type the setting takes.
fn text(key: &str, flag: &str, value: &str) -> Assignment {
    Assignment { key: key.to_owned(), flag: flag.to_owned(), value: Value::Text(value.to_owned()) }
}

/// The assignment of a list, unless it is empty: a flag that is not given says nothing.
fn list(key: &str, flag: &str, items: &[String]) -> Option<Assignment> {
    let value = Value::List(items.to_vec());
    (!items.is_empty()).then(|| Assignment { key: key.to_owned(), flag: flag.to_owned(), value })
}

fn parse_assignment(given: &str) -> Result<(String, String), String> {
    match given.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("KEY=VALUE is expected, as in sweep.attempts=3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::settings::{Sources, load};

    fn assignments(line: &str) -> Vec<(String, String)> {
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        cli.assignments().into_iter().map(|it| (format!("{} {}", it.flag, it.key), it.value.to_string())).collect()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_setting_names_a_setting_and_takes_its_type() {
        let line = "orgsweep -v --log-format json --format json --set sweep.attempts=3 scan --lake L \
            --accounts 111122223333,222233334444 --accounts 333344445555 --exclude-accounts 444455556666 --role-name r \
            --external-id xyz --session-name me --session-duration 1h --partition aws-cn --region cn-north-1 \
            --max-report-age 1h --politeness 1 --no-pacing --accounts-in-flight 7 --fail-on high --checks a --checks b \
            --overrides o.toml --exceptions e.toml --ou ou-a-b,ou-a-c --exclude-ou ou-a-d --root-audit --key-ids \
            --key-ids-max 7 --account-tags --incremental --warm-start";
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        let loaded = load(&Sources::of_flags(cli.assignments())).unwrap();
        assert_eq!(loaded.config.accounts.include.len(), 3);
        assert_eq!(loaded.config.checks.dirs.len(), 2);
        assert_eq!((loaded.config.sweep.attempts, loaded.config.sweep.pacing), (3, false));
        assert!(loaded.config.sweep.incremental && loaded.config.sweep.warm_start);
        assert_eq!((loaded.config.accounts.ous.len(), loaded.config.accounts.exclude_ous.len()), (2, 1));
        let it = &loaded.config.sweep.optional;
        assert_eq!((it.root_audit, it.key_ids, it.key_ids_max, it.account_tags), (true, true, 7, true));
        assert_eq!((loaded.config.checks.overrides.len(), loaded.config.checks.exceptions.len()), (1, 1));
        assert_eq!(loaded.origin("sweep.pacing").map(ToString::to_string).as_deref(), Some("flag --no-pacing"));
    }

    #[test]
    fn flags_that_are_not_given_say_nothing() {
        assert_eq!(assignments("orgsweep scan"), []);
        assert_eq!(assignments("orgsweep -q sim"), [("-q log.level".to_owned(), r#""error""#.to_owned())]);
        let level = ("-vv log.level".to_owned(), r#""debug""#.to_owned());
        assert_eq!(assignments("orgsweep checks list -vv"), [level]);
    }

    #[test]
    fn the_parts_of_a_scan_take_its_flags_where_they_have_a_use() {
        let keys = |line| assignments(line).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys("orgsweep plan --role-name r"), ["--role-name role.name"]);
        assert_eq!(keys("orgsweep sweep --run latest --no-pacing"), ["--no-pacing sweep.pacing"]);
        assert_eq!(keys("orgsweep commit --run latest --fail-on low"), ["--fail-on output.fail_on"]);
        let ingest = ["--lake lake.location", "--fail-on output.fail_on", "--checks checks.dirs"];
        assert_eq!(keys("orgsweep ingest a b.csv --lake L --fail-on low --checks c"), ingest);
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "orgsweep",
            "orgsweep scan --set role.name",
            "orgsweep scan --resume",
            "orgsweep scan --resume ../x",
            "orgsweep scan --as-of yesterday",
            "orgsweep scan --dry-run --resume latest",
            "orgsweep demo --accounts 0",
            "orgsweep -q -v scan",
            "orgsweep simulate",
            "orgsweep simulate --seeds 5..5",
            "orgsweep sim --profile kind",
            "orgsweep sim --fault floods",
            "orgsweep sim --fault resets=2",
            "orgsweep sim --deny iam:DeleteUser",
            "orgsweep sim --deny iam:GetAccountSummary=2",
            "orgsweep compliance",
            "orgsweep plan --resume latest",
            "orgsweep sweep",
            "orgsweep sweep --run latest --shard 9/8",
            "orgsweep sweep --run latest --shard 1/8 --shards 8",
            "orgsweep sweep --run latest --shards 0",
            "orgsweep sweep --run latest --role-name r",
            "orgsweep commit",
            "orgsweep ingest",
            "orgsweep ingest reports --generated-at yesterday",
            "orgsweep ingest reports --role-name r",
            "orgsweep sim-reports",
        ] {
            assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{line}");
        }
    }
}
