//! `orgsweep ingest`: credential reports in files become a committed run, without AWS.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Finished, Lake, Orgsweep, Python, Simulation, Summary, scan};

const NOW: &str = "2026-11-22T10:00:00Z";

/// Reports of a simulated organization in a folder, `ACCOUNT.csv` or `ACCOUNT.json`.
struct Reports(TempDir);

impl Reports {
    fn write(accounts: &str, settings: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let command = ["sim-reports", "--accounts", accounts, "--now", NOW, "--seed", "9"];
        let written = Orgsweep::new(command).args(settings).args([folder.path().join("reports")]).run();
        written.expect_code(0);
        Self(folder)
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("reports")
    }

    /// The files, in order of their accounts.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

/// `orgsweep ingest` into a lake, with its JSON document on standard output. It gets no credentials and no endpoint.
fn ingest(lake: &Lake, arguments: &[&Path]) -> Orgsweep {
    Orgsweep::new(["ingest", "--format", "json"]).arg_path("--lake", &lake.path()).args(arguments)
}

fn document(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn the_credentials_are_those_of_a_sweep_of_the_same_organization() {
    let settings = ["--accounts", "60", "--users-per-account", "20", "--seed", "9", "--now", NOW];
    let simulation = Simulation::start(&settings);
    let swept = Lake::empty();
    scan(&simulation.environment, &swept.path()).args(["--as-of", NOW]).run().expect_one_of(&[0, 3]);
    let reports = Reports::write("61", &["--users-per-account", "20"]);
    let lake = Lake::empty();
    let ingested = ingest(&lake, &[&reports.folder()]).args(["--as-of", NOW]).run().expect_code(0);
    let summary = Summary::of(&ingested);
    let told = document(&ingested);
    assert_eq!((summary.accounts("planned"), summary.accounts("swept")), (61, 61));
    assert_eq!(
        (&told["calls"], &told["ingest"]["reports"], &told["quarantined_rows"]),
        (&Value::Null, &json!(61), &json!(0))
    );
    assert!(told["ingest"]["csv_bytes"].as_u64().unwrap() > 100_000);

    let Some(python) = Python::find() else { return };
    let sweep = format!("read_parquet('{}/credentials/*/*/*.parquet')", swept.path().display());
    let facts = "* EXCLUDE (account_name, dt, run)";
    let sql = format!(
        "SELECT (SELECT count(*) FROM {sweep}), \
         (SELECT count(*) FROM (SELECT {facts} FROM {sweep} EXCEPT ALL SELECT {facts} FROM credentials)), \
         (SELECT count(*) FROM (SELECT {facts} FROM credentials WHERE account_id IN (SELECT account_id FROM {sweep}) \
          EXCEPT ALL SELECT {facts} FROM {sweep})), \
         (SELECT count(account_name) FROM credentials)"
    );
    let rows = python.query(&lake, summary.run_id(), &sql);
    assert!(rows[0][0].as_u64().unwrap() > 1000, "{rows:?}");
    assert_eq!((&rows[0][1], &rows[0][2], &rows[0][3]), (&json!(0), &json!(0), &json!(0)), "{rows:?}");
}

#[test]
fn what_the_reports_do_not_say_is_unknown_and_never_passed() {
    let reports = Reports::write("40", &["--users-per-account", "3"]);
    let lake = Lake::empty();
    let summary = Summary::of(&ingest(&lake, &[&reports.folder()]).run().expect_code(0));
    let Some(python) = Python::find() else { return };
    let sql = "SELECT count(*), count(*) FILTER (status = 'unknown'), \
        count(*) FILTER (reason LIKE '%was not asked: the run is of saved reports%') FROM check_results \
        WHERE check_id LIKE 'password-policy-%' OR check_id LIKE '%-contact' OR check_id IN \
        ('root-sources-agree', 'report-complete', 'central-root-access', 'root-hardware-mfa')";
    let rows = python.query(&lake, summary.run_id(), sql);
    assert!(rows[0][0].as_u64().unwrap() > 10 * 40, "{rows:?}");
    assert_eq!(rows[0][0], rows[0][1], "{rows:?}");
    let of_plan =
        "SELECT DISTINCT check_id, status FROM check_results WHERE check_id LIKE 'account-%' AND status = 'pass'";
    assert_eq!(python.query(&lake, summary.run_id(), of_plan), Vec::<Value>::new());
    let read =
        "SELECT count(*) > 0 FROM check_results WHERE check_id = 'access-key-rotated' AND status IN ('pass', 'fail')";
    assert_eq!(python.query(&lake, summary.run_id(), read), [json!([true])]);
    for command in [&["recheck"][..], &["compliance", "--framework", "cis-5.0"]] {
        Orgsweep::new(command).arg_path("--lake", &lake.path()).run().expect_code(0);
    }
}

#[test]
fn every_form_of_the_same_reports_gives_the_same_rows() {
    let reports = Reports::write("6", &["--form", "json", "--users-per-account", "40"]);
    let plain = Lake::empty();
    let summary = Summary::of(&ingest(&plain, &[&reports.folder()]).run().expect_code(0));
    let expected = summary.rows("credentials");

    let csv = Reports::write("6", &["--users-per-account", "40"]);
    let mixed = TempDir::new().unwrap();
    let folder = mixed.path().join("2026/11");
    fs::create_dir_all(&folder).unwrap();
    let packed = [csv.files(), reports.files()].concat();
    let name = |index: usize, name: &str| fs::File::create(folder.join(format!("{index}{name}"))).unwrap();
    let bytes = |index: usize| fs::read(&packed[index]).unwrap();
    let gzip = |file, bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap();
    };
    gzip(name(0, ".csv.gz"), &bytes(0));
    zstd::stream::copy_encode(&*bytes(1), name(1, ".csv.zst"), 3).unwrap();
    // A name may say nothing, or something else.
    gzip(name(2, ".csv"), &bytes(2));
    name(3, "").write_all(&bytes(3)).unwrap();
    name(4, ".json").write_all(&bytes(10)).unwrap();
    zstd::stream::copy_encode(&*bytes(11), name(5, ".json.zst"), 3).unwrap();
    name(6, " notes.txt").write_all(b"The reports of November.\n").unwrap();

    let lake = Lake::empty();
    let ingested = ingest(&lake, &[mixed.path()]).args(["--generated-at", NOW]).run().expect_code(0);
    assert_eq!(Summary::of(&ingested).rows("credentials"), expected);
    let told = document(&ingested);
    assert_eq!((&told["ingest"]["reports"], &told["ingest"]["passed_over"]), (&json!(6), &json!(1)));
    assert_eq!((&told["as_of"], &told["ingest"]["dated_by_file"]), (&json!(NOW), &json!(0)));
    let pattern = mixed.path().join("**/*.zst");
    let two = ingest(&Lake::empty(), &[&pattern]).run().expect_code(0);
    assert_eq!(Summary::of(&two).accounts("planned"), 2);
}

#[test]
fn the_answer_of_the_aws_cli_is_a_report() {
    let Some(python) = Python::find() else { return };
    let simulation = Simulation::start(&["--accounts", "3", "--users-per-account", "7", "--now", NOW]);
    let printed = python.run("save_report.py", [""; 0], &simulation.environment);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.json");
    fs::write(&file, printed).unwrap();
    let ingested = ingest(&Lake::empty(), &[&file]).run().expect_code(0);
    assert_eq!(Summary::of(&ingested).rows("credentials"), 8);
    let told = document(&ingested);
    assert_eq!((&told["as_of"], &told["ingest"]["dated_by_file"]), (&json!(NOW), &json!(0)));
}

#[test]
fn the_same_files_are_the_same_run_with_the_same_bytes_and_archives_stand_where_their_day_is() {
    let reports = Reports::write("30", &[]);
    let [first, second] = [Lake::empty(), Lake::empty()];
    let run = Summary::of(&ingest(&first, &[&reports.folder()]).run().expect_code(0));
    let again = Summary::of(&ingest(&second, &[&reports.folder()]).run().expect_code(0));
    assert_eq!(run.run_id(), again.run_id());
    second.expect_tables(again.run_id(), &first.table_files(run.run_id()));
    assert!(run.run_id().starts_with("20261122T100000Z-ingest-"), "{}", run.run_id());

    let twice = document(&ingest(&first, &[&reports.folder()]).run().expect_code(0));
    assert_eq!((&twice["run_id"], &twice["ingest"]["csv_bytes"]), (&json!(run.run_id()), &Value::Null));
    let older = ["--generated-at", "2024-03-01T06:00:00Z"];
    let archived = Summary::of(&ingest(&first, &[&reports.folder()]).args(older).run().expect_code(0));
    assert_eq!(first.committed_runs(), [archived.run_id(), run.run_id()]);
    let latest = Orgsweep::new(["recheck", "--format", "json"]).arg_path("--lake", &first.path()).run().expect_code(0);
    assert_eq!(document(&latest)["recheck_of"], run.run_id());
}

#[test]
fn of_an_account_the_newest_report_counts_and_two_of_one_time_are_refused() {
    let reports = Reports::write("2", &["--form", "json"]);
    let file = &reports.files()[0];
    let text = fs::read_to_string(file).unwrap();
    let older = reports.folder().join("older.json");
    fs::write(&older, text.replace("2026-11-22", "2026-11-21").replace("2026-11-21T0", "2026-11-20T0")).unwrap();
    fs::copy(file, reports.folder().join("copy.json")).unwrap();
    let ingested = ingest(&Lake::empty(), &[&reports.folder()]).run().expect_code(0);
    assert_eq!(Summary::of(&ingested).accounts("planned"), 2);
    assert_eq!(document(&ingested)["ingest"]["superseded"].as_array().unwrap().len(), 2);

    let lake = Lake::empty();
    let other = Reports::write("2", &["--users-per-account", "3"]);
    let both = [&*reports.folder(), &*other.folder()];
    let refused = ingest(&lake, &both).args(["--generated-at", NOW]).run().expect_code(1);
    refused.expect_error(&["another report of account", "of the same time", "leave one of them out"]);
    assert!(lake.runs().is_empty());
}

#[test]
fn a_bad_file_among_good_ones_stops_it_by_name_and_can_be_left_out() {
    let reports = Reports::write("4", &["--users-per-account", "50"]);
    let bad = reports.folder().join("error.csv");
    fs::write(&bad, "<html>Request blocked</html>\n").unwrap();
    let utf_16 = reports.folder().join("from-powershell.json");
    fs::write(&utf_16, b"\xff\xfe{\0}\0").unwrap();
    let lake = Lake::empty();
    let refused = ingest(&lake, &[&reports.folder()]).run().expect_code(1);
    refused.expect_error(&["error.csv", "not a credential report", "from-powershell.json", "UTF-8", "--skip-bad"]);
    assert!(lake.runs().is_empty(), "what can be seen before the run begins leaves no run");

    let skipped = ingest(&lake, &[&reports.folder()]).args(["--skip-bad"]).run().expect_code(3);
    let summary = Summary::of(&skipped);
    assert_eq!((summary.accounts("planned"), summary.accounts("swept")), (4, 4));
    let left_out = document(&skipped)["ingest"]["left_out"].clone();
    assert_eq!(left_out.as_array().unwrap().len(), 2, "{left_out}");
    assert_eq!(left_out[0]["path"], bad.display().to_string());
}

#[test]
fn a_report_that_broke_off_is_an_account_that_failed() {
    let reports = Reports::write("4", &["--users-per-account", "50"]);
    let file = &reports.files()[1];
    let csv = fs::read(file).unwrap();
    fs::write(file, &csv[..csv.len() - 40]).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let lake = Lake::empty();
    let refused = ingest(&lake, &[&reports.folder()]).args(["--generated-at", NOW]).run().expect_code(1);
    refused.expect_error(&[name, "cut off in line", "--skip-bad"]);
    assert!(lake.committed_runs().is_empty());
    let [run_id] = <[String; 1]>::try_from(lake.runs()).unwrap();
    for command in [&["scan", "--resume", &run_id][..], &["commit", "--run", &run_id]] {
        let gone_on = Orgsweep::new(command).arg_path("--lake", &lake.path()).run().expect_code(2);
        gone_on.expect_error(&["ingest the same files again"]);
    }

    let arguments = ["--skip-bad", "--generated-at", NOW];
    let skipped = ingest(&lake, &[&reports.folder()]).args(arguments).run().expect_code(3);
    let summary = Summary::of(&skipped);
    assert_eq!((summary.run_id(), summary.accounts("failed"), summary.accounts("swept")), (run_id.as_str(), 1, 3));
    let told = document(&skipped);
    assert_eq!(told["unread"][0]["reason"], "credential_report: ReportCutOff (fatal)");
    assert_eq!(told["unread"][0]["account_id"].as_str().unwrap(), name.trim_end_matches(".csv"));
}

#[test]
fn a_row_of_another_account_is_set_aside_and_told() {
    let reports = Reports::write("1", &["--users-per-account", "5"]);
    let file = &reports.files()[0];
    let mut csv = fs::read_to_string(file).unwrap();
    let stray = csv.lines().last().unwrap().replace(file.file_stem().unwrap().to_str().unwrap(), "999988887777");
    csv = format!("{csv}\n{stray}");
    fs::write(file, csv).unwrap();
    let ingested = ingest(&Lake::empty(), &[file]).run().expect_code(3);
    let told = document(&ingested);
    assert_eq!((&told["coverage"]["partial"], &told["quarantined_rows"]), (&json!(1), &json!(1)));
}

#[test]
fn paths_that_mean_nothing_are_wrong_usage() {
    let folder = TempDir::new().unwrap();
    let lake = Lake::empty();
    let missing = folder.path().join("missing.csv");
    for path in [&missing, &folder.path().join("*.csv"), &folder.path().to_owned()] {
        let refused = ingest(&lake, &[path]).run().expect_code(2);
        refused.expect_error(&[&path.display().to_string(), "name files, folders or patterns"]);
    }
    fs::write(folder.path().join("notes"), "nothing").unwrap();
    ingest(&lake, &[folder.path()]).run().expect_code(2).expect_error(&["none of the 1 files is a credential report"]);
    assert!(!lake.path().exists(), "no lake is made for nothing");
}
