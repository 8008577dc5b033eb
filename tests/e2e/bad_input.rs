//! Bad input: each with an error that says what to do, and the right exit code.

use std::fs;

use tempfile::TempDir;

use crate::harness::{Environment, Lake, Orgsweep, Simulation, Stub, any_keys, scan};

/// Nothing listens on port 1.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn without_credentials_nothing_is_asked() {
    let lake = Lake::empty();
    let mut environment: Environment = any_keys(NOWHERE);
    environment.retain(|(name, _)| !name.contains("KEY"));
    scan(&environment, &lake.path()).run().expect_code(1).expect_error(&["credentials"]);
    assert!(lake.runs().is_empty(), "a run that could never begin leaves nothing behind");
}

#[test]
fn where_nobody_listens_the_error_says_what_to_look_at() {
    let lake = Lake::empty();
    let quick = ["--set", "sweep.attempts=2"];
    scan(&any_keys(NOWHERE), &lake.path()).args(quick).run().expect_code(1).expect_error(&["AWS_ENDPOINT_URL"]);
    assert!(lake.committed_runs().is_empty());
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_one_wherever_it_stands() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("orgsweep.toml");
    fs::write(&file, "[sweep]\npoliteness = 0.5\npolitness = 0.5\n").unwrap();
    let with_file = Orgsweep::new(["config", "show", "--config"]).args([&file]);
    with_file.run().expect_code(2).expect_error(&["sweep.politness", "sweep.politeness", "orgsweep.toml:3"]);

    let with_variable = Orgsweep::new(["config", "show"]).env("ORGSWEEP_SWEEP_POLITNESS", "0.5");
    with_variable.run().expect_code(2).expect_error(&["ORGSWEEP_SWEEP_POLITNESS", "ORGSWEEP_SWEEP_POLITENESS"]);

    let with_flag = Orgsweep::new(["scan", "--politness", "0.5"]);
    with_flag.run().expect_code(2).expect_error(&["--politness", "--politeness"]);
}

#[test]
fn a_lake_that_cannot_be_written_is_named_before_anything_is_asked() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("taken");
    fs::write(&file, "not a folder").unwrap();
    // Were anything asked, the error would name the endpoint.
    let scanned = scan(&any_keys(NOWHERE), &file.join("lake")).run().expect_code(1);
    scanned.expect_error(&[&file.display().to_string()]);
}

#[test]
fn a_run_that_is_not_there_cannot_be_resumed() {
    let simulation = Simulation::start(&["--accounts", "2", "--users-per-account", "1"]);
    let lake = Lake::empty();
    let run_id = "20200101T000000Z-000000";
    let nowhere = scan(&simulation.environment, &lake.path()).args(["--resume", run_id]).run();
    nowhere.expect_code(2).expect_error(&["no lake"]);
    fs::create_dir(lake.path()).unwrap();
    let resumed = scan(&simulation.environment, &lake.path()).args(["--resume", run_id]).run();
    resumed.expect_code(2).expect_error(&[run_id]);
    let latest = scan(&simulation.environment, &lake.path()).args(["--resume", "latest"]).run();
    latest.expect_code(2).expect_error(&["resume"]);
    assert!(lake.committed_runs().is_empty());
}

#[test]
fn a_role_that_is_denied_everywhere_stops_the_run_and_names_role_and_trust_policy() {
    // A few members, and so many that the sweep gives up before it has asked them all.
    for members in ["40", "400"] {
        let simulation = Simulation::start(&["--accounts", members, "--users-per-account", "1"]);
        let lake = Lake::empty();
        let scanned = scan(&simulation.environment, &lake.path()).args(["--role-name", "no-such-role"]).run();
        scanned.expect_code(1).expect_error(&["no-such-role", "trust policy", "--resume"]);
        assert!(lake.committed_runs().is_empty());
        assert_eq!(lake.runs().len(), 1, "the run is there to be gone on with");
    }
}

#[test]
fn a_rule_file_with_a_wrong_column_is_refused_with_file_check_and_column() {
    let folder = TempDir::new().unwrap();
    let rule = r#"
[[check]]
id = "too-curious"
title = "Shoe sizes are known"
table = "accounts"
severity = "low"
fails_when = "shoe_size is null"
evidence = []
remediation = "Measure."
"#;
    fs::write(folder.path().join("mine.toml"), rule).unwrap();
    let lake = Lake::empty();
    let scanned = scan(&any_keys(NOWHERE), &lake.path()).arg_path("--checks", folder.path()).run();
    scanned.expect_code(2).expect_error(&["mine.toml", "too-curious", "shoe_size"]);
    let tested = Orgsweep::new(["checks", "test"]).arg_path("--checks", folder.path()).run();
    tested.expect_code(2).expect_error(&["shoe_size"]);
}

#[test]
fn an_empty_account_list_is_an_error_and_never_an_empty_lake() {
    let stub = Stub::start();
    let lake = Lake::empty();
    scan(&stub.environment, &lake.path()).run().expect_code(1).expect_error(&["lists no accounts", "AWS_PROFILE"]);
    assert!(lake.committed_runs().is_empty());
}
