//! Ctrl-C: what is there is kept, and the way on is said.

use crate::harness::{Lake, Simulation, Summary, scan};

#[test]
fn an_interrupted_sweep_keeps_what_it_has_and_says_how_to_go_on() {
    let settings = ["--accounts", "300", "--users-per-account", "3", "--profile", "aws"];
    let simulation = Simulation::start(&settings);
    let lake = Lake::empty();
    let often = ["--set", "journal.roll_age=100ms"];
    let (mut running, _home) = scan(&simulation.environment, &lake.path()).args(often).start();
    running.wait_until("the first segment of the journal", || lake.journal_segments() > 0);
    running.interrupt();
    let stopped = running.finish().expect_code(1).expect_error(&["--resume"]);
    assert!(lake.committed_runs().is_empty(), "{stopped}");
    assert!(lake.journal_segments() > 0);

    let resumed = scan(&simulation.environment, &lake.path()).args(["--resume", "latest"]).run();
    let summary = Summary::of(&resumed.expect_one_of(&[0, 3]));
    assert_eq!((summary.rows("accounts"), lake.committed_runs().len()), (301, 1));
}
