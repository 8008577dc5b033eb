//! The same facts, settings and time give the same bytes.

use crate::harness::{Lake, Simulation, Summary, scan};

const NOW: &str = "2026-11-22T10:00:00Z";

#[test]
fn two_sweeps_of_the_same_facts_write_the_same_bytes() {
    // Two servers, so that nothing that one remembers is in the answers.
    let [first, second] = [(); 2].map(|()| {
        let settings = ["--accounts", "120", "--users-per-account", "10", "--seed", "9", "--now", NOW];
        let simulation = Simulation::start(&settings);
        let lake = Lake::empty();
        let scanned = scan(&simulation.environment, &lake.path()).args(["--as-of", NOW]).run();
        let summary = Summary::of(&scanned.expect_one_of(&[0, 3]));
        lake.table_files(summary.run_id())
    });
    assert!(first.len() >= 4, "{:?}", first.keys());
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        // Not assert_eq, which would print the bytes.
        assert!(bytes == &second[name], "{name} differs");
    }
}
