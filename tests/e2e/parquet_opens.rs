//! The lake as its users open it: pyarrow and `DuckDB`.

use std::path::Path;

use crate::harness::{Lake, Python, Simulation, Summary, scan};

#[test]
fn pyarrow_and_duckdb_open_a_committed_run() {
    let Some(python) = Python::find() else { return };
    let simulation = Simulation::start(&["--accounts", "60", "--users-per-account", "8", "--seed", "3"]);
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).run().expect_one_of(&[0, 3]);
    let summary = Summary::of(&scanned);
    assert_eq!(summary.rows("accounts"), 61);

    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/tables.schema.txt");
    let [golden_flag, query_flag] = ["--golden", "--query"].map(Into::into);
    let (folder, run_id) = (lake.path().into_os_string(), summary.run_id().into());
    let arguments = [folder, run_id, golden_flag, golden.into(), query_flag, summary.query().into()];
    python.run("open_lake.py", arguments, &Vec::new());
}
