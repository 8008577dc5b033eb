//! The exit codes that tell a script how a scan went. Bad input has its own module.

use crate::harness::{Lake, Simulation, Summary, scan};

#[test]
fn findings_that_are_bad_enough_outrank_accounts_that_were_not_read() {
    let simulation = Simulation::start(&["--accounts", "60", "--users-per-account", "5"]);
    let lake = Lake::empty();
    let summary = Summary::of(&scan(&simulation.environment, &lake.path()).run().expect_code(3));
    assert!(summary.is_committed());
    assert!(summary.accounts("failed") + summary.accounts("partial") > 0);

    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).args(["--fail-on", "low"]).run().expect_code(4);
    let again = Summary::of(&scanned);
    assert!(again.is_committed());
    assert_eq!(again.accounts("failed"), summary.accounts("failed"));
}

#[test]
fn accounts_that_are_filtered_out_are_skipped_and_counted_apart() {
    let simulation = Simulation::start(&["--accounts", "10", "--users-per-account", "1"]);
    let truth = std::fs::read_to_string(simulation.truth()).unwrap();
    let facts = truth.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let readable = facts.filter(|facts| {
        facts["role"] == "granted" && facts["state"] == "ACTIVE" && facts["denied_calls"] == serde_json::json!([])
    });
    let ids: Vec<String> = readable.map(|facts| facts["account_id"].as_str().unwrap().to_owned()).take(3).collect();

    let lake = Lake::empty();
    let filters = ["--accounts", &ids.join(","), "--exclude-accounts", &ids[2]];
    let summary = Summary::of(&scan(&simulation.environment, &lake.path()).args(filters).run().expect_code(0));
    let counted = ["planned", "swept", "skipped", "failed"].map(|outcome| summary.accounts(outcome));
    assert_eq!(counted, [11, 2, 9, 0]);
    assert_eq!(summary.rows("accounts"), 11, "those that were not asked have their row too");
}
