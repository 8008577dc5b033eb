//! A scan that takes over from the last one: its accounts to begin with, and its reports where AWS cannot have replaced
//! them.

use std::fs;

use orgsweep_core::Timestamp;

use crate::harness::{Lake, Python, Simulation, Summary, Tap, part, scan};

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

/// Lets so many hours pass since a run: its times are set back.
fn let_hours_pass(lake: &Lake, run_id: &str, hours: i64) {
    for (file, key) in [("run.json", "started_at"), ("commit.json", "committed_at")] {
        let path = lake.path().join("_runs").join(run_id).join(file);
        let mut manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let time = Timestamp::parse(manifest[key].as_str().unwrap()).unwrap();
        manifest[key] = Timestamp::from_millis(time.millis() - hours * 3_600_000).to_string().into();
        fs::write(path, manifest.to_string()).unwrap();
    }
}

#[test]
fn reports_grow_old_by_the_clock_though_every_run_judges_by_the_same_time() {
    let simulation = Simulation::start(&["--accounts", "30", "--users-per-account", "2", "--now", NOW]);
    let tap = Tap::on(simulation.endpoint());
    let environment = tap.in_place(&simulation.environment);
    let lake = Lake::empty();
    let begun = |command: &str| part(command, &environment, &lake.path()).args(["--as-of", NOW]);
    let fetched = |run: &dyn Fn()| {
        let before = tap.count("Action=GetCredentialReport");
        run();
        tap.count("Action=GetCredentialReport") - before
    };
    begun("scan").run().expect_one_of(&[0, 3]);
    let all = fetched(&|| drop(begun("scan").run().expect_one_of(&[0, 3])));
    let incremental = |command: &str| begun(command).args(["--incremental"]).run();
    // Both begin while the reports are young; the second one is swept when they are not any more.
    incremental("plan").expect_code(0);
    let young = fetched(&|| drop(incremental("scan").expect_one_of(&[0, 3])));
    assert!(all > 20 && young < all / 4, "{young} of {all} are fetched");
    lake.committed_runs().iter().for_each(|run| let_hours_pass(&lake, run, 5));
    let resumed = fetched(&|| {
        part("sweep", &environment, &lake.path()).args(["--run", "latest"]).run().expect_code(0);
    });
    assert_eq!(resumed, all, "a run that is swept late fetches what has grown old");
    let old = fetched(&|| drop(incremental("scan").expect_one_of(&[0, 3])));
    assert_eq!(old, all, "and so does one that begins late");
}

#[test]
fn the_last_run_of_another_organization_is_passed_over_and_what_carries_nothing_says_so() {
    let [ours, others] = ["3", "4"].map(|seed| Simulation::start(&["--accounts", "10", "--seed", seed, "--now", NOW]));
    let lake = Lake::empty();
    let scanned = |simulation: &Simulation, flags: &[&str]| {
        let scanned = scan(&simulation.environment, &lake.path()).args(["--as-of", NOW]).args(flags).run();
        scanned.expect_one_of(&[0, 3])
    };
    let run_json = |run_id: &str| -> serde_json::Value {
        let text = fs::read_to_string(lake.path().join("_runs").join(run_id).join("run.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let first = Summary::of(&scanned(&ours, &[])).run_id().to_owned();
    scanned(&others, &["--incremental"]).expect_error(&["no committed run of this organization to carry"]);
    let again = scanned(&ours, &["--incremental", "--warm-start"]);
    assert!(!again.stderr.contains("no committed run"), "{again}");
    assert_eq!(run_json(Summary::of(&again).run_id())["carry_from"], first.as_str());
    scanned(&ours, &["--incremental", "--key-ids"]).expect_error(&["--incremental", "--key-ids"]);

    // Where units choose, nobody is asked before the list says where they are.
    let unit = ["--warm-start", "--exclude-ou", "ou-none-00000000"];
    scanned(&ours, &unit).expect_error(&["--warm-start does nothing"]);

    // The run to carry from goes away between the plan and the sweep.
    let planned = part("plan", &ours.environment, &lake.path()).args(["--as-of", NOW, "--incremental"]);
    let planned: serde_json::Value = serde_json::from_str(&planned.run().expect_code(0).stdout).unwrap();
    let from = run_json(planned["run_id"].as_str().unwrap())["carry_from"].as_str().unwrap().to_owned();
    fs::remove_dir_all(lake.path().join("_runs").join(&from)).unwrap();
    let resumed = scan(&ours.environment, &lake.path()).args(["--resume", "latest"]).run().expect_one_of(&[0, 3]);
    resumed.expect_error(&[&from, "no more reports are carried over"]);
}
