//! A sweep that is killed half-way, and gone on with.

use crate::harness::{Lake, Python, Simulation, Summary, scan};

#[test]
fn a_killed_sweep_is_resumed_into_one_run_with_each_account_once() {
    let settings = ["--accounts", "300", "--users-per-account", "3", "--seed", "5", "--profile", "aws"];
    let simulation = Simulation::start(&settings);
    let lake = Lake::empty();

    let often = ["--set", "journal.roll_age=100ms"];
    let (mut running, _home) = scan(&simulation.environment, &lake.path()).args(often).start();
    running.wait_until("the first segment of the journal", || lake.journal_segments() > 0);
    running.kill();
    let [run_id] = lake.runs().try_into().expect("one run was started");
    assert!(lake.committed_runs().is_empty(), "the sweep was over before it was killed");

    let resumed = scan(&simulation.environment, &lake.path()).args(["--resume", "latest"]).run();
    let summary = Summary::of(&resumed.expect_one_of(&[0, 3]));
    assert_eq!(summary.run_id(), run_id);
    assert_eq!(lake.committed_runs(), [run_id.as_str()]);
    assert_eq!(lake.runs(), [run_id.as_str()]);
    assert_eq!((summary.rows("accounts"), summary.accounts("planned")), (301, 301));

    let Some(python) = Python::find() else { return };
    let arguments = [lake.path().into_os_string(), run_id.into(), "--truth".into(), simulation.truth().into()];
    python.run("compare_lake.py", arguments, &Vec::new());
}
