//! One run swept by several processes: `plan`, `sweep --shard` and `commit`, the parts of a scan.

use std::collections::BTreeMap;

use crate::harness::{Environment, Finished, Lake, Orgsweep, Running, Simulation, Summary, Tap, part, scan};

const NOW: &str = "2026-11-22T10:00:00Z";

/// Segments leave often, and few accounts are asked at once, so that much can happen in mid-sweep.
const SLOWLY: [&str; 4] = ["--set", "journal.roll_age=100ms", "--accounts-in-flight", "6"];

fn simulation(accounts: &str) -> Simulation {
    Simulation::start(&["--accounts", accounts, "--users-per-account", "3", "--profile", "aws", "--now", NOW])
}

/// The tables of one undisturbed scan.
fn undisturbed(environment: &Environment) -> BTreeMap<String, Vec<u8>> {
    let lake = Lake::empty();
    let scanned = scan(environment, &lake.path()).args(["--as-of", NOW]).run();
    lake.table_files(Summary::of(&scanned.expect_one_of(&[0, 3])).run_id())
}

fn plan(environment: &Environment, lake: &Lake) -> serde_json::Value {
    document(&part("plan", environment, &lake.path()).args(["--as-of", NOW]).run().expect_code(0))
}

fn worker(environment: &Environment, lake: &Lake, shard: &str) -> Orgsweep {
    part("sweep", environment, &lake.path()).args(["--run", "latest", "--shard", shard]).args(SLOWLY)
}

fn commit(lake: &Lake) -> Orgsweep {
    // Without any AWS settings: it asks nothing.
    part("commit", &Environment::new(), &lake.path()).args(["--run", "latest"])
}

#[track_caller]
fn document(finished: &Finished) -> serde_json::Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished}"))
}

/// Whether the journal has a segment of this share.
fn has_segment_of(lake: &Lake, share: &str) -> bool {
    let journal = std::fs::read_dir(lake.run_file("journal")).into_iter().flatten().filter_map(Result::ok);
    journal.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(share))
}

#[test]
fn three_workers_one_of_them_killed_and_run_again_commit_the_bytes_of_one_scan() {
    let simulation = simulation("90");
    let environment = &simulation.environment;
    let expected = undisturbed(environment);
    let lake = Lake::empty();
    let planned = plan(environment, &lake);
    let start = |shard| worker(environment, &lake, shard).start();
    let ((first, _one), (mut second, _two), (third, _three)) = (start("1/3"), start("2/3"), start("3/3"));
    second.wait_until("a segment of its own", || has_segment_of(&lake, "s002-of-003-"));
    second.kill();
    let early = commit(&lake).run().expect_code(1);
    let run_id = planned["run_id"].as_str().unwrap().to_owned();
    early.expect_error(&["in no segment", &format!("sweep --lake {} --run {run_id}", lake.path().display())]);
    let again = document(&worker(environment, &lake, "2/3").run().expect_code(0));
    let covered = [first, third].map(Running::finish).map(|ended| document(&ended.expect_code(0)));
    let asked: u64 = covered.iter().chain([&again]).map(|share| share["accounts"].as_u64().unwrap()).sum();
    assert_eq!(asked, planned["to_ask"].as_u64().unwrap());
    assert!(again["earlier"].as_u64().unwrap() > 0, "what was journalled before the kill is not asked again: {again}");

    // Any number may commit at once.
    let ((one, _home), (other, _other_home)) = (commit(&lake).start(), commit(&lake).start());
    for committed in [one.finish(), other.finish()] {
        assert_eq!(Summary::of(&committed.expect_one_of(&[0, 3])).run_id(), run_id);
    }
    lake.expect_tables(&run_id, &expected);
    assert_eq!(lake.committed_runs(), [run_id.as_str()]);
}

#[test]
fn a_second_worker_on_a_share_is_named_and_does_no_harm() {
    let simulation = simulation("60");
    let environment = &simulation.environment;
    let expected = undisturbed(environment);
    let lake = Lake::empty();
    plan(environment, &lake);
    let ((one, _one), (other, _other)) =
        (worker(environment, &lake, "1/1").start(), worker(environment, &lake, "1/1").start());
    let ended = [one, other].map(|running| running.finish().expect_code(0));
    assert!(ended.iter().any(|worker| worker.stderr.contains("another worker")), "{}\n{}", ended[0], ended[1]);
    for worker in &ended {
        assert!(worker.stderr.matches("another worker").count() <= 1, "{worker}");
        assert!(worker.stderr.is_empty() || worker.stderr.contains("s001-of-001-"), "{worker}");
    }
    let run_id = Summary::of(&commit(&lake).run().expect_one_of(&[0, 3])).run_id().to_owned();
    lake.expect_tables(&run_id, &expected);
}

#[test]
fn a_plan_asks_no_account_and_either_a_scan_or_its_parts_go_on_with_what_is_left() {
    let simulation = simulation("40");
    let tap = Tap::on(simulation.endpoint());
    let environment = tap.in_place(&simulation.environment);
    let expected = undisturbed(&simulation.environment);

    let lake = Lake::empty();
    let planned = plan(&environment, &lake);
    assert_eq!((planned["accounts"].as_u64(), tap.count("AssumeRole")), (Some(41), 0));
    assert!(tap.count("ListAccounts") > 0);
    let resumed = scan(&environment, &lake.path()).args(["--resume", "latest"]).run();
    let summary = Summary::of(&resumed.expect_one_of(&[0, 3]));
    assert_eq!(summary.run_id(), planned["run_id"]);
    lake.expect_tables(summary.run_id(), &expected);

    // The other way round: what a killed scan left.
    let lake = Lake::empty();
    let (mut killed, _home) = scan(&environment, &lake.path()).args(["--as-of", NOW]).args(SLOWLY).start();
    killed.wait_until("the first segment", || lake.journal_segments() > 0);
    killed.kill();
    let asked_before = tap.count("DescribeOrganization");
    let swept = part("sweep", &environment, &lake.path()).args(["--run", "latest"]).run().expect_code(0);
    assert_eq!(document(&swept)["share"], "1/1");
    // The sweep of a run with a plan does not ask what stands in it.
    assert_eq!(tap.count("DescribeOrganization"), asked_before);
    let run_id = Summary::of(&commit(&lake).run().expect_one_of(&[0, 3])).run_id().to_owned();
    lake.expect_tables(&run_id, &expected);
}

#[test]
fn a_run_that_is_committed_is_said_to_be_so_with_the_same_exit_code() {
    let simulation = Simulation::start(&["--accounts", "30", "--users-per-account", "1", "--now", NOW]);
    let lake = Lake::empty();
    commit(&Lake::empty()).run().expect_code(2);
    plan(&simulation.environment, &lake);
    part("sweep", &simulation.environment, &lake.path()).args(["--run", "latest"]).run().expect_code(0);
    let first = commit(&lake).args(["--fail-on", "low"]).run().expect_code(4);
    assert!(!first.stderr.contains("committed already"), "{first}");
    let second = commit(&lake).args(["--fail-on", "low"]).run().expect_code(4).expect_error(&["committed already"]);
    let (first, second) = (document(&first), document(&second));
    assert_eq!((&first["findings"], &first["coverage"]), (&second["findings"], &second["coverage"]));
    let run_id = first["run_id"].as_str().unwrap();
    let swept = part("sweep", &simulation.environment, &lake.path()).args(["--run", run_id]).run().expect_code(0);
    assert_eq!(document(&swept)["committed"], true);
}

#[test]
fn the_service_that_starts_a_worker_numbers_its_share_and_settings_are_the_runs() {
    let simulation = Simulation::start(&["--accounts", "30", "--users-per-account", "1", "--now", NOW]);
    let lake = Lake::empty();
    plan(&simulation.environment, &lake);
    let numbered = || part("sweep", &simulation.environment, &lake.path()).args(["--run", "latest", "--shards", "2"]);
    numbered().run().expect_code(2).expect_error(&["neither is set", "--shard K/2"]);
    let unsaid = part("sweep", &simulation.environment, &lake.path()).args(["--run", "latest"]);
    let unsaid = unsaid.env("JOB_COMPLETION_INDEX", "0").run().expect_code(2);
    unsaid.expect_error(&["JOB_COMPLETION_INDEX is 0", "--shards N", "--shard 1/1"]);
    assert!(!lake.run_file("journal").exists(), "a worker that does not know its share asks nothing");
    numbered().env("JOB_COMPLETION_INDEX", "2").run().expect_code(2).expect_error(&["0 to 1"]);
    let both = numbered().env("JOB_COMPLETION_INDEX", "0").env("AWS_BATCH_JOB_ARRAY_INDEX", "1");
    both.run().expect_code(2).expect_error(&["unset one"]);
    let differing = numbered().env("JOB_COMPLETION_INDEX", "0").args(["--set", "role.name=other"]);
    differing.run().expect_code(2).expect_error(&["role.name", "other"]);
    let first = document(&numbered().env("JOB_COMPLETION_INDEX", "0").run().expect_code(0));
    let second = document(&numbered().env("AWS_BATCH_JOB_ARRAY_INDEX", "1").run().expect_code(0));
    assert_eq!((&first["share"], &second["share"]), (&"1/2".into(), &"2/2".into()));
    commit(&lake).run().expect_one_of(&[0, 3]);
}
