//! `orgsweep compliance`: the accounts of a run by the controls of a framework.

use std::fs;

use serde_json::Value;

use crate::harness::{Finished, Lake, Orgsweep, Python, Simulation, Summary, scan};

fn compliance(lake: &Lake, arguments: &[&str]) -> Finished {
    Orgsweep::new(["compliance", "--format", "json"]).arg_path("--lake", &lake.path()).args(arguments).run()
}

fn control<'a>(document: &'a Value, id: &str) -> &'a Value {
    document["controls"].as_array().unwrap().iter().find(|control| control["id"] == id).unwrap()
}

#[test]
fn a_framework_counts_every_account_by_its_own_numbers_whatever_the_run_was_set_to() {
    let simulation = Simulation::start(&["--accounts", "60", "--users-per-account", "6"]);
    let lake = Lake::empty();
    let setting = ["--set", "access-key-rotated.max_age_days=1"];
    let scanned = scan(&simulation.environment, &lake.path()).args(setting).run().expect_one_of(&[0, 3]);
    let run_id = Summary::of(&scanned).run_id().to_owned();
    let told: Value =
        serde_json::from_str(&compliance(&lake, &["--framework", "cis-5.0"]).expect_code(0).stdout).unwrap();
    assert_eq!(told["run_id"], run_id.as_str());
    let controls = told["controls"].as_array().unwrap();
    assert_eq!(controls.len(), 21);
    for control in controls {
        let of = |name: &str| control[name].as_u64().unwrap();
        let counted = of("passed") + of("failed") + of("unknown") + of("not_applicable");
        let is_decided = control.get("undecided").is_none();
        assert_eq!((counted, control["status"].is_null()), (if is_decided { 61 } else { 0 }, !is_decided), "{control}");
    }
    let Some(python) = Python::find() else { return };
    let sql = "SELECT count(*) FILTER (status = 'fail' AND check_id = 'access-key-rotated'), \
               count(*) FILTER (status = 'fail' AND check_id = 'user-console-mfa') FROM check_results";
    let of_run = python.query(&lake, &run_id, sql);
    let failed = |id: &str| control(&told, id)["failed"].as_u64().unwrap();
    assert!(failed("1.13") < of_run[0][0].as_u64().unwrap(), "CIS asks for 90 days, the run for one");
    assert_eq!(failed("1.9"), of_run[0][1].as_u64().unwrap());
}

#[test]
fn a_param_on_the_command_line_and_a_damaged_rules_json_are_refused() {
    let simulation = Simulation::start(&["--accounts", "3", "--users-per-account", "1"]);
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).run().expect_one_of(&[0, 3]);
    let run_id = Summary::of(&scanned).run_id().to_owned();
    let flags = ["--framework", "cis-5.0", "--set", "access-key-rotatd.max_age_days=banana"];
    let words = ["access-key-rotatd.max_age_days", "the framework's own numbers"];
    compliance(&lake, &flags).expect_code(2).expect_error(&words);

    let rules = lake.path().join("_runs").join(&run_id).join("rules.json");
    fs::write(rules, "{").unwrap();
    let words = ["rules.json", run_id.as_str(), "damaged"];
    compliance(&lake, &["--framework", "cis-5.0"]).expect_code(2).expect_error(&words);
}

#[test]
fn every_framework_is_counted_and_an_unknown_one_is_answered_with_those_there_are() {
    let simulation = Simulation::start(&["--accounts", "12", "--users-per-account", "2"]);
    let lake = Lake::empty();
    compliance(&lake, &["--framework", "fsbp"]).expect_code(2).expect_error(&["no lake"]);
    scan(&simulation.environment, &lake.path()).run().expect_one_of(&[0, 3]);
    let frameworks = [
        "cis-1.2",
        "cis-1.4",
        "cis-1.5",
        "cis-2.0",
        "cis-3.0",
        "cis-4.0",
        "cis-5.0",
        "cis-6.0",
        "cis-7.0",
        "fsbp",
        "pci-dss-4.0.1",
        "nist-800-53r5",
    ];
    for framework in frameworks {
        let counted = compliance(&lake, &["--framework", framework]).expect_code(0);
        let told: Value = serde_json::from_str(&counted.stdout).unwrap();
        assert!(told["controls"].as_array().is_some_and(|controls| !controls.is_empty()), "{framework}");
    }
    compliance(&lake, &["--framework", "cis-8.0"]).expect_code(2).expect_error(&["cis-7.0", "pci-dss-4.0.1"]);
}
