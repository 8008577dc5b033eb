//! `orgsweep`: the binary. It wires the rooms together and holds no logic of theirs.

#![allow(unreachable_pub, reason = "in a binary `pub` marks what a module offers its siblings")]

mod allocator;
mod args;
mod checks;
mod commit;
mod committing;
mod compliance;
mod config_show;
mod continued;
mod demo;
mod deploy;
mod deploy_machines;
mod draft;
mod dry_run;
mod failure;
mod ingest;
mod last_run;
mod logging;
mod new_check;
mod peak;
mod plan;
mod progress;
mod recheck;
mod render;
mod rules;
mod scan;
mod settings;
mod share;
mod show_check;
mod signals;
mod sim_reports;
mod simulate;
mod simulation;
mod stored;
mod summary;
mod sweep;
mod sweeping;
mod tables;
mod truth_table;
mod unread;
mod wiring;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use failure::{Failure, Outcome};
use logging::Screen;
use settings::{Format, Loaded, Sources};

fn main() -> ExitCode {
    failure::exit(run(&Cli::parse()))
}

fn run(cli: &Cli) -> Result<Outcome, Failure> {
    let sources = match cli.command {
        // A demo is the same everywhere, whatever the machine is set up for.
        Command::Demo(_) => Sources::of_flags(cli.assignments()),
        _ => Sources::of_process(cli.global.config.as_deref(), cli.assignments()),
    };
    let loaded = settings::load(&sources).map_err(Failure::usage)?;
    let screen = logging::start(loaded.config.log, cli.global.quiet);
    let json = loaded.config.output.format == Format::Json;
    obey(cli, &loaded, &screen).map_err(|failure| failure.told_as_json(json))
}

fn obey(cli: &Cli, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Scan(args) if args.dry_run => block_on(dry_run::dry_run(&loaded.config)),
        Command::Scan(args) => block_on(scan::scan(args, loaded, screen)),
        Command::Plan(args) => block_on(plan::plan(args, loaded, screen)),
        Command::Sweep(args) => block_on(sweep::sweep(args, loaded, screen)),
        Command::Commit(args) => block_on(commit::commit(args, loaded, screen)),
        Command::Demo(args) => block_on(demo::demo(args, loaded, screen)),
        Command::Sim(args) => block_on(simulation::serve(args)),
        Command::Simulate(args) => simulate::simulate(args, loaded, screen),
        Command::SimReports(args) => sim_reports::sim_reports(args),
        Command::Ingest(args) => block_on(ingest::ingest(args, loaded, screen)),
        Command::Recheck(args) => block_on(recheck::recheck(args, loaded)),
        Command::Compliance(args) => block_on(compliance::compliance(args, loaded)),
        Command::Checks(args) => checks::checks(args, &loaded.config),
        Command::Config(_) => config_show::show(loaded),
        Command::Tables => tables::print_tables(loaded.config.output.format),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::not_committed(anyhow::Error::new(error)))?;
    let done = runtime.block_on(work);
    // What counts was waited for; a write or a parse that hangs must not hold up the end.
    runtime.shutdown_background();
    done
}
