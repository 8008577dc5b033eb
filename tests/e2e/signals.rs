//! Ctrl-C and SIGTERM: what is there is kept, the way on is said, and the program ends in time, whatever hangs.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Lake, Orgsweep, Running, Simulation, Summary, Tap, part, scan};

const OFTEN: [&str; 2] = ["--set", "journal.roll_age=100ms"];

/// What is promised.
const IN_TIME: Duration = Duration::from_secs(5);

/// An organization on AWS's latencies, so that a sweep takes a while.
fn aws(accounts: &str) -> Simulation {
    Simulation::start(&["--accounts", accounts, "--users-per-account", "3", "--profile", "aws"])
}

#[test]
fn an_interrupted_sweep_keeps_what_it_has_and_says_how_to_go_on() {
    let simulation = aws("300");
    let lake = Lake::empty();
    let (mut running, _home) = scan(&simulation.environment, &lake.path()).args(OFTEN).start();
    running.wait_until("the first segment of the journal", || lake.journal_segments() > 0);
    running.interrupt();
    let stopped = running.finish().expect_code(1).expect_error(&["--resume"]);
    assert!(lake.committed_runs().is_empty(), "{stopped}");
    assert!(lake.journal_segments() > 0);

    let resumed = scan(&simulation.environment, &lake.path()).args(["--resume", "latest"]).run();
    let summary = Summary::of(&resumed.expect_one_of(&[0, 3]));
    assert_eq!((summary.rows("accounts"), lake.committed_runs().len()), (301, 1));
}

#[test]
fn calls_that_hang_hold_up_no_end() {
    let simulation = aws("120");
    let tap = Tap::on(simulation.endpoint());
    let environment = tap.in_place(&simulation.environment);
    let lake = Lake::empty();
    let (mut running, _home) = scan(&environment, &lake.path()).args(OFTEN).start();
    running.wait_until("the first segment of the journal", || lake.journal_segments() > 0);
    tap.hang();
    let segments = lake.journal_segments();
    expect_end(running, &["stopped", "scan --lake", "--resume"]);
    assert!(lake.journal_segments() >= segments);

    // Nobody is answered any more: whoever starts now hangs in the first call.
    let (mut hanging, _home) = part("sweep", &environment, &lake.path()).args(["--run", "latest"]).start();
    let asked = tap.count("GetCallerIdentity");
    hanging.wait_until("the first call", || tap.count("GetCallerIdentity") > asked);
    expect_end(hanging, &["stopped", "sweep --lake"]);

    let resumed = scan(&simulation.environment, &lake.path()).args(["--resume", "latest"]).run();
    assert_eq!(Summary::of(&resumed.expect_one_of(&[0, 3])).rows("accounts"), 121);
}

/// A seal that whoever opens it waits for: its writer never comes.
fn seal_that_hangs(lake: &Lake) -> PathBuf {
    let seal = lake.run_file("seal.json");
    assert!(Command::new("mkfifo").arg(&seal).status().expect("mkfifo can be started").success());
    seal
}

#[test]
fn a_store_that_hangs_holds_up_no_end_and_a_second_signal_waits_for_nothing() {
    let simulation = Simulation::start(&["--accounts", "20", "--users-per-account", "1"]);
    let tap = Tap::on(simulation.endpoint());
    let environment = tap.in_place(&simulation.environment);
    let lake = Lake::empty();
    part("plan", &environment, &lake.path()).run().expect_code(0);
    let seal = seal_that_hangs(&lake);
    for signals in [1, 2] {
        let asked = tap.count("GetCallerIdentity");
        let sweep = part("sweep", &environment, &lake.path()).args(["--run", "latest"]);
        let (mut hanging, _home) = sweep.start();
        // It asks who it is, and then opens the journal.
        hanging.wait_until("its first call", || tap.count("GetCallerIdentity") > asked);
        if signals == 2 {
            hanging.interrupt();
        }
        let started = Instant::now();
        expect_end(hanging, &["stopped", "sweep --lake"]);
        assert!(signals == 1 || started.elapsed() < IN_TIME / 2, "{:?}", started.elapsed());
    }
    std::fs::remove_file(seal).unwrap();
    let resumed = scan(&environment, &lake.path()).args(["--resume", "latest"]).run();
    assert_eq!(Summary::of(&resumed.expect_one_of(&[0, 3])).rows("accounts"), 21);
}

#[test]
fn the_same_signal_twice_at_one_moment_is_one() {
    let simulation = Simulation::start(&["--accounts", "20", "--users-per-account", "1"]);
    let tap = Tap::on(simulation.endpoint());
    let environment = tap.in_place(&simulation.environment);
    let lake = Lake::empty();
    part("plan", &environment, &lake.path()).run().expect_code(0);
    // So that the program is still there at the second signal.
    seal_that_hangs(&lake);
    let answered = tap.answered();
    let (mut hanging, _home) = part("sweep", &environment, &lake.path()).args(["--run", "latest"]).start();
    // It is told who it is, and then opens the journal.
    hanging.wait_until("the answer to its first call", || tap.answered() > answered);
    std::thread::sleep(Duration::from_millis(500));
    // As `timeout` does, which signals the process and then its group.
    hanging.terminate_twice();
    let ended = hanging.finish().expect_code(1).expect_error(&["did not come to its end in time"]);
    assert!(!ended.stderr.contains("stopped at once"), "{ended}");
}

#[test]
fn a_signal_after_the_commit_does_not_say_that_nothing_is_committed() {
    let simulation = Simulation::start(&["--accounts", "20", "--users-per-account", "1"]);
    let lake = Lake::empty();
    let run_id = ["--run-id", "one"];
    part("plan", &simulation.environment, &lake.path()).args(run_id).run().expect_code(0);
    // So much lies in the journal that to delete it takes a while.
    let journal = lake.run_file("journal");
    std::fs::create_dir_all(&journal).unwrap();
    (0..4000).for_each(|number| std::fs::write(journal.join(format!("{number}.left")), "x").unwrap());
    let (mut running, _home) = scan(&simulation.environment, &lake.path()).args(["--resume", "one"]).start();
    running.wait_until("the commit", || lake.run_file("commit.json").exists());
    running.terminate();
    let ended = running.finish();
    assert!(!ended.stderr.contains("Nothing is committed"), "{ended}");
    let ended = ended.expect_one_of(&[0, 1, 3]);
    assert!(ended.code != Some(1) || ended.stderr.contains("the run is committed"), "{ended}");
}

#[test]
fn a_signal_after_the_commit_of_an_ingest_does_not_say_so_either() {
    let folder = tempfile::TempDir::new().unwrap();
    let reports = folder.path().join("reports");
    Orgsweep::new(["sim-reports", "--accounts", "40"]).args([&reports]).run().expect_code(0);
    let lake = Lake::empty();
    let ingest = Orgsweep::new(["ingest", "--format", "json"]).arg_path("--lake", &lake.path()).args([&reports]);
    let (mut running, _home) = ingest.start();
    running.wait_until("the commit", || !lake.committed_runs().is_empty());
    running.terminate();
    let ended = running.finish();
    assert!(!ended.stderr.contains("Nothing is committed"), "{ended}");
    let ended = ended.expect_one_of(&[0, 1]);
    assert!(ended.code != Some(1) || ended.stderr.contains("committed"), "{ended}");
}

/// Sends SIGTERM, and expects the program to end in time, with exit code 1 and these words.
#[track_caller]
fn expect_end(running: Running, words: &[&str]) {
    running.terminate();
    let sent = Instant::now();
    let ended = running.finish().expect_code(1).expect_error(words);
    assert!(sent.elapsed() < IN_TIME, "{:?}: {ended}", sent.elapsed());
}
