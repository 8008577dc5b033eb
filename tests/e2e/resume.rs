//! What `scan --resume` takes over from the run that it goes on with.

use crate::harness::{Lake, Simulation, Summary, scan};

#[test]
fn a_resumed_run_keeps_its_settings_and_refuses_flags_that_differ() {
    let settings = ["--accounts", "40", "--users-per-account", "1", "--role-name", "audit"];
    let lake = Lake::empty();
    let denied = Simulation::start(&["--accounts", "40", "--users-per-account", "1"]);
    let stopped = scan(&denied.environment, &lake.path()).args(["--role-name", "audit"]).run();
    stopped.expect_code(1).expect_error(&["audit"]);

    let differing = ["--resume", "latest", "--role-name", "other"];
    let refused = scan(&denied.environment, &lake.path()).args(differing).run();
    refused.expect_code(2).expect_error(&["role.name", "audit", "other"]);

    // The same organization, once the role is deployed. The run still asks for it by the name that it began with.
    let deployed = Simulation::start(&settings);
    let resumed = scan(&deployed.environment, &lake.path()).args(["--resume", "latest"]).run();
    let summary = Summary::of(&resumed.expect_one_of(&[0, 3]));
    assert_eq!(lake.committed_runs(), [summary.run_id()]);
    assert!(summary.accounts("swept") > 20, "{summary:?}");
}
