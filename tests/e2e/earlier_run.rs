//! A scan that takes over from the last one: its accounts to begin with, and its reports where AWS cannot have replaced
//! them.

use crate::harness::{Lake, Python, Simulation, Summary, scan};

const NOW: &str = "2026-11-22T10:00:00Z";

#[test]
fn a_scan_begins_with_the_last_ones_accounts_and_carries_its_reports_over() {
    let settings = ["--accounts", "60", "--users-per-account", "4", "--seed", "3", "--now", NOW];
    let simulation = Simulation::start(&settings);
    let lake = Lake::empty();
    let scanned = |flags: &[&str]| {
        let scanned = scan(&simulation.environment, &lake.path()).args(["--as-of", NOW]).args(flags).run();
        Summary::of(&scanned.expect_one_of(&[0, 3]))
    };
    let first = scanned(&[]);
    let second = scanned(&["--warm-start", "--incremental"]);
    assert_eq!(lake.committed_runs().len(), 2);
    for table in ["accounts", "credentials", "findings", "check_results"] {
        assert_eq!(first.rows(table), second.rows(table), "{table}");
    }
    let Some(python) = Python::find() else { return };
    let sql = "SELECT count(*), count(carried_from), min(carried_from) FROM credentials";
    let told = python.query(&lake, second.run_id(), sql);
    assert_eq!(told[0][0], told[0][1]);
    assert_eq!(told[0][2], first.run_id());
}

#[test]
fn without_an_earlier_run_there_is_nothing_to_take_over_and_the_scan_says_so() {
    let simulation = Simulation::start(&["--accounts", "5", "--users-per-account", "2"]);
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).args(["--warm-start", "--incremental"]).run();
    let finished = scanned.expect_one_of(&[0, 3]).expect_error(&["no committed run of this organization"]);
    assert!(Summary::of(&finished).is_committed());
}
