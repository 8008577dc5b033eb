//! Which run `latest` means, and what is said where it means none.

use crate::harness::{Environment, Finished, Lake, Simulation, Summary, part, scan};

const SMALL: [&str; 4] = ["--accounts", "12", "--users-per-account", "1"];

/// Begins a run and returns its id.
fn plan(simulation: &Simulation, lake: &Lake, flags: &[&str]) -> String {
    let planned = part("plan", &simulation.environment, &lake.path()).args(flags).run().expect_code(0);
    text_of(&planned, "run_id")
}

fn text_of(finished: &Finished, key: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(&finished.stdout).expect("standard output is JSON");
    document[key].as_str().unwrap_or_else(|| panic!("{key}: {finished}")).to_owned()
}

fn latest(command: &str, environment: &Environment, lake: &Lake) -> Finished {
    let choice = if command == "scan" { "--resume" } else { "--run" };
    part(command, environment, &lake.path()).args([choice, "latest"]).run()
}

#[test]
fn a_planned_run_is_not_dropped_for_a_newer_one_that_is_committed() {
    let simulation = Simulation::start(&SMALL);
    let (environment, lake) = (&simulation.environment, Lake::empty());
    let planned = plan(&simulation, &lake, &[]);
    let scanned = scan(environment, &lake.path()).run().expect_one_of(&[0, 3]);
    assert_eq!(text_of(&latest("sweep", environment, &lake).expect_code(0), "run_id"), planned);
    assert_eq!(text_of(&latest("commit", environment, &lake).expect_one_of(&[0, 3]), "run_id"), planned);

    // Where nothing is left: whoever commits again does no harm, whoever sweeps is told.
    let again = latest("commit", environment, &lake).expect_one_of(&[0, 3]).expect_error(&["committed already"]);
    assert_eq!(text_of(&again, "run_id"), Summary::of(&scanned).run_id());
    latest("sweep", environment, &lake)
        .expect_code(2)
        .expect_error(&["no run to sweep", "every run in it is committed"]);
}

#[test]
fn a_run_that_can_never_have_a_plan_does_not_hide_an_older_one() {
    let simulation = Simulation::start(&SMALL);
    let (environment, lake) = (&simulation.environment, Lake::empty());
    let planned = plan(&simulation, &lake, &[]);
    let unfit = ["--ou", "ou-none-00000000"];
    scan(environment, &lake.path()).args(unfit).run().expect_code(2).expect_error(&["correct --ou"]);
    assert_eq!(lake.runs().len(), 2);
    let resumed = latest("scan", environment, &lake).expect_one_of(&[0, 3]);
    assert_eq!(Summary::of(&resumed).run_id(), planned);
    latest("scan", environment, &lake).expect_code(2).expect_error(&["fit no account", "abandoned.json"]);

    // What needs no list is refused before there is a run.
    let itself = ["--accounts", "111122223333", "--exclude-accounts", "111122223333"];
    scan(environment, &lake.path()).args(itself).run().expect_code(2).expect_error(&["--exclude-accounts"]);
    let itself = ["--ou", "ou-ab12-cdef3456", "--exclude-ou", "ou-ab12-cdef3456"];
    scan(environment, &lake.path()).args(itself).run().expect_code(2).expect_error(&["--exclude-ou"]);
    assert_eq!(lake.runs().len(), 2);
}

#[test]
fn a_newest_run_that_stays_as_it_is_is_told_of_with_the_next_newest() {
    let simulation = Simulation::start(&SMALL);
    let (environment, lake) = (&simulation.environment, Lake::empty());
    let older = plan(&simulation, &lake, &["--run-id", "older"]);
    let newer = plan(&simulation, &lake, &["--run-id", "newer"]);
    let manifest = lake.path().join("_runs").join(&newer).join("run.json");
    std::fs::write(&manifest, "{").unwrap();
    for (command, goes_on) in [("scan", "--resume older"), ("sweep", "--run older"), ("commit", "--run older")] {
        let told = latest(command, environment, &lake).expect_code(2);
        told.expect_error(&["newer/run.json is damaged", "put it back", "an older run", command, goes_on]);
    }
    std::fs::remove_file(&manifest).unwrap();
    let named = scan(environment, &lake.path()).args(["--resume", "newer"]).run().expect_code(2);
    named.expect_error(&["newer", "has no run.json", "put"]);
    let resumed = latest("scan", environment, &lake).expect_one_of(&[0, 3]);
    assert_eq!(Summary::of(&resumed).run_id(), older);
    let left = latest("scan", environment, &lake).expect_code(2).expect_error(&["newer has no run.json"]);
    assert!(!left.stderr.contains("is committed"), "{left}");
}

#[test]
fn a_plan_that_was_killed_before_its_plan_was_written_is_made_by_the_same_command() {
    let simulation = Simulation::start(&SMALL);
    let lake = Lake::empty();
    let named = |more: &[&str]| {
        part("plan", &simulation.environment, &lake.path()).args(["--run-id", "nightly-1"]).args(more).run()
    };
    let first = named(&["--key-ids"]).expect_code(0);
    // What a process leaves that is killed between the two.
    std::fs::remove_file(lake.run_file("plan.json")).unwrap();
    named(&[]).expect_code(2).expect_error(&["nightly-1", "other settings (sweep.key_ids)", "another name"]);
    let otherwise = ["--key-ids", "--as-of", "2026-01-01T00:00:00Z", "--exclude-ou", "ou-ab12-cdef3456"];
    named(&otherwise).expect_code(2).expect_error(&["accounts.exclude_ous", "--as-of"]);
    assert!(!lake.run_file("plan.json").exists());
    let again = named(&["--key-ids"]).expect_code(0);
    for what in ["run_id", "as_of"] {
        assert_eq!(text_of(&again, what), text_of(&first, what));
    }
    assert!(lake.run_file("plan.json").exists());
    named(&["--key-ids"]).expect_code(2).expect_error(&["already", "another name"]);
}

#[test]
fn a_run_has_the_name_that_its_job_gives_it_once() {
    let simulation = Simulation::start(&SMALL);
    let lake = Lake::empty();
    let named = |name| part("plan", &simulation.environment, &lake.path()).args(["--run-id", name]).run();
    assert_eq!(text_of(&named("nightly-1").expect_code(0), "run_id"), "nightly-1");
    named("nightly-1").expect_code(2).expect_error(&["nightly-1", "already", "another name"]);
    for wrong in ["latest", "a/b", "a-recheck-b"] {
        named(wrong).expect_code(2).expect_error(&["cannot name a run"]);
    }
    let run = |command| part(command, &simulation.environment, &lake.path()).args(["--run", "nightly-1"]).run();
    run("sweep").expect_code(0);
    assert_eq!(Summary::of(&run("commit").expect_one_of(&[0, 3])).run_id(), "nightly-1");
    part("recheck", &Environment::new(), &lake.path()).run().expect_code(0);
}
