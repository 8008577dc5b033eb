//! `orgsweep recheck`: a committed run judged again from its tables alone.

use serde_json::{Value, json};

use crate::harness::{Finished, Lake, Orgsweep, Python, Simulation, Summary, scan};

const ROTATED: &str = "access-key-rotated.max_age_days";

/// `orgsweep recheck` on a lake, with its JSON document on standard output. It gets no credentials and no endpoint.
fn recheck(lake: &Lake, arguments: &[&str]) -> Finished {
    Orgsweep::new(["recheck", "--format", "json"]).arg_path("--lake", &lake.path()).args(arguments).run()
}

fn document(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn other_params_give_other_verdicts_without_asking_and_beside_the_sweep() {
    let simulation = Simulation::start(&["--accounts", "60", "--users-per-account", "10"]);
    let lake = Lake::empty();
    let as_of = "2026-11-01T12:00:00Z";
    let swept = scan(&simulation.environment, &lake.path()).args(["--as-of", as_of]).run().expect_one_of(&[0, 3]);
    let sweep = Summary::of(&swept);
    drop(simulation);

    let setting = format!("{ROTATED}=30");
    let again = recheck(&lake, &["--run", sweep.run_id(), "--set", &setting]).expect_code(0);
    let told = document(&again);
    let run_id = told["run_id"].as_str().unwrap();
    assert!(run_id.starts_with(&format!("{}-recheck-", sweep.run_id())), "{run_id}");
    assert_eq!((&told["recheck_of"], &told["as_of"]), (&json!(sweep.run_id()), &json!(as_of)));
    assert_eq!(told["calls"], Value::Null);
    let changes = told["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["check_id"], "access-key-rotated");
    let failed = |counts: &Value| counts["resources_failed"].as_u64().unwrap();
    assert!(failed(&changes[0]["after"]) > failed(&changes[0]["before"]), "{changes:?}");

    // The same recheck is the same run, and no sweep's predecessor.
    let same = recheck(&lake, &["--run", "latest", "--set", &setting]).expect_code(0);
    assert_eq!(document(&same)["run_id"], run_id);
    assert_eq!(lake.committed_runs(), [sweep.run_id(), run_id]);
    let unchanged = document(&recheck(&lake, &[]).expect_code(0));
    assert_eq!((&unchanged["recheck_of"], &unchanged["changes"]), (&json!(sweep.run_id()), &json!([])));

    let Some(python) = Python::find() else { return };
    let old_keys = |run_id: &str, days: u32| {
        let sql = format!(
            "SELECT count(*) FILTER (check_id = 'access-key-rotated' AND status = 'fail'), \
             (SELECT count(*) FROM (SELECT access_key_1_active AS active, access_key_1_last_rotated AS rotated, is_root FROM credentials \
              UNION ALL SELECT access_key_2_active, access_key_2_last_rotated, is_root FROM credentials) \
              WHERE active AND NOT is_root AND rotated < TIMESTAMPTZ '{as_of}' - INTERVAL {days} DAY) FROM findings"
        );
        python.query(&lake, run_id, &sql)
    };
    for (run_id, days) in [(sweep.run_id(), 90), (run_id, 30)] {
        let rows = old_keys(run_id, days);
        assert_eq!(rows[0][0], rows[0][1], "{run_id}: {rows:?}");
        assert!(rows[0][0].as_u64().unwrap() > 0);
    }
}

#[test]
fn what_cannot_be_rechecked_is_refused_with_what_to_do() {
    let simulation = Simulation::start(&["--accounts", "10", "--users-per-account", "2"]);
    let lake = Lake::empty();
    recheck(&lake, &[]).expect_code(2).expect_error(&["no lake"]);
    let sweep = Summary::of(&scan(&simulation.environment, &lake.path()).run().expect_one_of(&[0, 3]));
    let setting = format!("{ROTATED}=30");
    let first = document(&recheck(&lake, &["--set", &setting]).expect_code(0));
    let run_id = first["run_id"].as_str().unwrap();
    recheck(&lake, &["--run", run_id]).expect_code(2).expect_error(&["recheck itself", sweep.run_id()]);
    recheck(&lake, &["--run", "20200101T000000Z-000000"]).expect_code(2).expect_error(&["its newest sweeps are"]);
    let misspelt = format!("{ROTATED}s=30");
    recheck(&lake, &["--set", &misspelt]).expect_code(2).expect_error(&["max_age_days"]);
    recheck(&lake, &["--set", "access-key-rotatd.max_age_days=1"]).expect_code(2).expect_error(&["access-key-rotated"]);
    let resumed = scan(&simulation.environment, &lake.path()).args(["--resume", run_id]).run();
    resumed.expect_code(2).expect_error(&["recheck"]);
}
