//! A run some of whose files were damaged: it goes on where it can, and the error says what to do where it cannot.

use std::fs;
use std::path::PathBuf;

use crate::harness::{Environment, Finished, Lake, Simulation, Summary, part, scan};

const NOW: &str = "2026-11-22T10:00:00Z";

fn simulation() -> Simulation {
    Simulation::start(&["--accounts", "40", "--users-per-account", "2", "--profile", "aws", "--now", NOW])
}

/// A run that is swept and not committed, its journal in several segments.
fn swept(environment: &Environment) -> Lake {
    let lake = Lake::empty();
    part("plan", environment, &lake.path()).args(["--as-of", NOW]).run().expect_code(0);
    let often = ["--run", "latest", "--set", "journal.roll_age=100ms", "--accounts-in-flight", "8"];
    part("sweep", environment, &lake.path()).args(often).run().expect_code(0);
    assert!(lake.journal_segments() > 2);
    lake
}

/// The segments of its journal, in order.
fn segments(lake: &Lake) -> Vec<PathBuf> {
    let folder = fs::read_dir(lake.run_file("journal")).expect("the run has a journal");
    let mut segments: Vec<_> = folder.map(|entry| entry.expect("the folder can be read").path()).collect();
    segments.sort();
    segments
}

fn cut(segment: &PathBuf) -> String {
    let whole = fs::read(segment).unwrap();
    fs::write(segment, &whole[..whole.len() / 2]).unwrap();
    segment.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Fails unless the error names a way on that is not the same command again.
#[track_caller]
fn expect_advice(finished: Finished, words: &[&str]) {
    let finished = finished.expect_one_of(&[1, 2]).expect_error(words);
    assert!(!finished.stderr.contains("Go on with:"), "{finished}");
}

#[test]
fn damaged_and_stray_segments_are_named_and_their_accounts_asked_again() {
    let simulation = simulation();
    let environment = &simulation.environment;
    let undisturbed = Lake::empty();
    let scanned = scan(environment, &undisturbed.path()).args(["--as-of", NOW]).run().expect_one_of(&[0, 3]);
    let expected = undisturbed.table_files(Summary::of(&scanned).run_id());

    let lake = swept(environment);
    let damaged = cut(&segments(&lake)[1]);
    fs::write(lake.run_file("journal").join("stray.arrow"), "hello").unwrap();
    let commit = || part("commit", &Environment::new(), &lake.path()).args(["--run", "latest"]).run();
    // What cannot be read is not there: the run is not covered, and sweeping goes on with it.
    commit().expect_code(1).expect_error(&[&damaged, "stray", "in no segment", "Go on with: orgsweep sweep"]);
    let again = part("sweep", environment, &lake.path()).args(["--run", "latest"]).run().expect_code(0);
    again.expect_error(&[&damaged, "stray", "asked again"]);
    let committed = commit().expect_one_of(&[0, 3]).expect_error(&[&damaged, "stray"]);
    lake.expect_tables(Summary::of(&committed).run_id(), &expected);
}

#[test]
fn a_segment_that_is_damaged_after_the_seal_is_an_error_that_says_what_to_do() {
    let simulation = simulation();
    let lake = swept(&simulation.environment);
    let all = segments(&lake);
    let names: Vec<_> = all.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let seal = lake.run_file("seal.json");
    fs::write(&seal, serde_json::json!({ "segments": names }).to_string()).unwrap();
    let whole = fs::read(&all[0]).unwrap();
    let damaged = cut(&all[0]);
    let run = |command, choice| part(command, &simulation.environment, &lake.path()).args([choice, "latest"]).run();
    let words = [damaged.as_str(), "sealed", "put the segment back", "begin a new scan"];
    expect_advice(run("commit", "--run"), &words);
    expect_advice(run("scan", "--resume"), &words);
    fs::remove_file(&all[0]).unwrap();
    for (command, choice) in [("commit", "--run"), ("scan", "--resume"), ("sweep", "--run")] {
        expect_advice(run(command, choice), &words);
    }
    fs::write(&all[0], whole).unwrap();
    let sealed = fs::read(&seal).unwrap();
    fs::write(&seal, "{").unwrap();
    for (command, choice) in [("commit", "--run"), ("scan", "--resume"), ("sweep", "--run")] {
        expect_advice(run(command, choice), &["seal.json is damaged", "put it back"]);
    }
    fs::write(&seal, sealed).unwrap();
    run("commit", "--run").expect_one_of(&[0, 3]);
}

#[test]
fn a_damaged_plan_is_deleted_and_made_anew_and_what_was_read_counts() {
    let simulation = simulation();
    let lake = swept(&simulation.environment);
    fs::write(lake.run_file("plan.json"), "{").unwrap();
    let run = |command, choice| part(command, &simulation.environment, &lake.path()).args([choice, "latest"]).run();
    for (command, choice) in [("commit", "--run"), ("scan", "--resume"), ("sweep", "--run")] {
        expect_advice(run(command, choice), &["plan.json is damaged", "delete it"]);
    }
    fs::remove_file(lake.run_file("plan.json")).unwrap();
    let summary = Summary::of(&run("scan", "--resume").expect_one_of(&[0, 3]));
    assert_eq!(summary.rows("accounts"), 41);
}
