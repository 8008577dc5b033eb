//! A scan that is killed at any moment, in the sweep or in the build, is resumed to the bytes of an undisturbed one.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::{Environment, Lake, Simulation, Summary, scan};

const NOW: &str = "2026-11-22T10:00:00Z";

/// When a scan is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So many segments of the journal are there.
    Segments(usize),
    /// This object of the run is there.
    Object(&'static str),
    /// A file of this table is there.
    Table(&'static str),
}

impl Moment {
    fn has_come(self, lake: &Lake) -> bool {
        match self {
            Self::Segments(count) => lake.journal_segments() >= count,
            Self::Object(name) => lake.runs().len() == 1 && lake.run_file(name).exists(),
            Self::Table(name) => has_file(&lake.path().join(name)),
        }
    }
}

/// Whether there is a file somewhere below the folder.
fn has_file(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).any(|path| path.is_file() || has_file(&path))
}

#[test]
fn a_scan_killed_at_any_of_ten_moments_is_resumed_to_the_same_bytes() {
    let settings = ["--accounts", "40", "--users-per-account", "3", "--profile", "aws", "--now", NOW];
    let simulation = Simulation::start(&settings);
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).args(["--as-of", NOW]).run();
    let expected = lake.table_files(Summary::of(&scanned.expect_one_of(&[0, 3])).run_id());
    let moments = [
        Moment::Object("run.json"),
        Moment::Object("plan.json"),
        Moment::Segments(1),
        Moment::Segments(3),
        Moment::Segments(6),
        Moment::Segments(9),
        Moment::Object("seal.json"),
        Moment::Table("credentials"),
        Moment::Table("check_results"),
        Moment::Object("commit.json"),
    ];
    // Three at a time: what one waits for costs the others nothing.
    std::thread::scope(|scope| {
        for some in moments.chunks(moments.len().div_ceil(3)) {
            let (environment, expected) = (&simulation.environment, &expected);
            scope.spawn(move || some.iter().for_each(|moment| check(environment, *moment, expected)));
        }
    });
}

/// Kills a scan at a moment, resumes it, and holds its tables to what is expected.
fn check(environment: &Environment, moment: Moment, expected: &BTreeMap<String, Vec<u8>>) {
    let lake = Lake::empty();
    // Few accounts at once, so that the sweep is long enough to be hit.
    let slowly = ["--set", "journal.roll_age=100ms", "--accounts-in-flight", "8", "--as-of", NOW];
    let (mut running, _home) = scan(environment, &lake.path()).args(slowly).start();
    running.wait_until(&format!("{moment:?}"), || moment.has_come(&lake));
    running.kill();
    let [run_id] = lake.runs().try_into().expect("one run was started");
    let was_committed = !lake.committed_runs().is_empty();
    let in_sweep = matches!(moment, Moment::Segments(_) | Moment::Object("run.json" | "plan.json"));
    assert!(!(in_sweep && was_committed), "{moment:?}: the run was over before it was killed");
    let resumed = scan(environment, &lake.path()).args(["--resume", "latest"]).run();
    if was_committed {
        resumed.expect_code(2).expect_error(&["no run to resume"]);
    } else {
        assert_eq!(Summary::of(&resumed.expect_one_of(&[0, 3])).run_id(), run_id, "{moment:?}");
    }
    assert_eq!(lake.committed_runs(), [run_id.as_str()], "{moment:?}");
    lake.expect_tables(&run_id, expected);
}
