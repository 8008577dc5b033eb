//! `orgsweep demo`: needs no AWS, no settings and no network, and shows the whole.

use std::fs;

use tempfile::TempDir;

use crate::harness::{Orgsweep, Python};

#[test]
fn the_demo_shows_coverage_findings_and_a_query_that_runs() {
    let folder = TempDir::new().unwrap();
    let shown = Orgsweep::new(["demo"]).current_dir(folder.path()).run().expect_one_of(&[0, 3]);
    for word in ["accounts read", "critical", "orgsweep-demo", "read_parquet"] {
        assert!(shown.stdout.contains(word), "{word} is not in {shown}");
    }
    assert!(folder.path().join("orgsweep-demo/_runs").is_dir());

    // A second demo starts over.
    let lake = folder.path().join("elsewhere");
    fs::create_dir(&lake).unwrap();
    for _ in 0..2 {
        let small = Orgsweep::new(["demo", "--accounts", "20", "--lake", "elsewhere"]).current_dir(folder.path());
        small.run().expect_one_of(&[0, 3]);
        assert_eq!(fs::read_dir(lake.join("_runs")).unwrap().count(), 1);
    }

    let Some(python) = Python::find() else { return };
    let mut script = python.script("run_query.py", &Vec::new());
    script.current_dir(folder.path());
    let mut running = crate::harness::Running::start(&mut script);
    running.write_input(&shown.stdout);
    running.finish().expect_code(0);
}
