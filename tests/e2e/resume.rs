//! What `scan --resume` takes over from the run that it goes on with.

use std::fs;

use tempfile::TempDir;

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

#[test]
fn rules_that_changed_since_a_run_began_are_told_of_and_do_not_count() {
    let settings = ["--accounts", "12", "--users-per-account", "1", "--role-name", "audit"];
    let folder = TempDir::new().unwrap();
    let exceptions = folder.path().join("exceptions.toml");
    let entry = |check: &str| {
        format!("[[exception]]\ncheck = \"{check}\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2099-12-31\n")
    };
    let resumed_after = |edited: &str| {
        let lake = Lake::empty();
        fs::write(&exceptions, entry("root-mfa")).unwrap();
        let denied = Simulation::start(&settings[..4]);
        let stopped = scan(&denied.environment, &lake.path()).args(["--role-name", "audit"]);
        stopped.arg_path("--exceptions", &exceptions).run().expect_code(1);
        fs::write(&exceptions, edited).unwrap();
        let deployed = Simulation::start(&settings);
        let resumed = scan(&deployed.environment, &lake.path()).args(["--resume", "latest"]);
        resumed.arg_path("--exceptions", &exceptions).run().expect_one_of(&[0, 3])
    };
    let same = resumed_after(&entry("root-mfa"));
    assert!(!same.stderr.contains("goes on by the rules"), "{}", same.stderr);
    let edited = resumed_after(&entry("user-mfa"));
    assert!(edited.stderr.contains("goes on by the rules"), "{}", edited.stderr);
    let document: serde_json::Value = serde_json::from_str(&edited.stdout).unwrap();
    assert_eq!(document["exceptions"][0]["check"], "root-mfa");
    let broken = resumed_after("[[exception]]\n");
    assert!(broken.stderr.contains("those of now cannot be used"), "{}", broken.stderr);
}
