//! What holds for some accounts and users alone: overrides, exceptions, and the choice of accounts by unit.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Finished, Lake, Orgsweep, Python, Simulation, Summary, any_keys, scan};

/// Units of the organization that hold accounts, in order of their ids.
fn units(simulation: &Simulation) -> Vec<String> {
    let paths = simulation.facts().into_iter().filter_map(|facts| facts["path"].as_str().map(str::to_owned));
    let mut units: Vec<String> = paths
        .flat_map(|path| path.split('/').map(str::to_owned).collect::<Vec<_>>())
        .filter(|part| part.starts_with("ou-"))
        .collect();
    units.sort();
    units.dedup();
    units
}

/// Accounts below a unit, at whatever depth.
fn below(simulation: &Simulation, unit: &str) -> Vec<String> {
    let is_below = |facts: &Value| facts["path"].as_str().is_some_and(|path| path.split('/').any(|part| part == unit));
    let facts = simulation.facts().into_iter().filter(is_below);
    facts.map(|facts| facts["account_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn accounts_are_chosen_by_unit_at_whatever_depth() {
    let simulation = Simulation::start(&["--accounts", "80", "--users-per-account", "1"]);
    let units = units(&simulation);
    let (unit, other) = (units.first().unwrap(), units.last().unwrap());
    let lake = Lake::empty();
    let chosen = ["--ou", &format!("{unit},{other}"), "--exclude-ou", other];
    let summary = Summary::of(&scan(&simulation.environment, &lake.path()).args(chosen).run().expect_one_of(&[0, 3]));
    let expected = below(&simulation, unit).iter().filter(|id| !below(&simulation, other).contains(*id)).count() as u64;
    let asked = summary.accounts("planned") - summary.accounts("skipped");
    assert!(asked > 0 && asked <= expected && expected - asked <= 3, "{asked} of {expected} accounts were asked");
    let Some(python) = Python::find() else { return };
    let sql = "SELECT skip_reason, count(*) FROM accounts WHERE skip_reason IS NOT NULL GROUP BY 1 ORDER BY 1";
    let reasons = python.query(&lake, summary.run_id(), sql);
    assert!(reasons.iter().any(|row| row[0] == "below no --ou"), "{reasons:?}");

    let nowhere = scan(&simulation.environment, &lake.path()).args(["--ou", "ou-none-here"]).run();
    nowhere.expect_code(2).expect_error(&["ou-none-here", "--ou"]);
}

#[test]
fn overrides_and_exceptions_hold_in_their_scopes_and_show_in_the_tables() {
    let Some(python) = Python::find() else { return };
    let simulation = Simulation::start(&["--accounts", "60", "--users-per-account", "8"]);
    let unit = units(&simulation).remove(0);
    let folder = TempDir::new().unwrap();
    let (overrides, exceptions) = (folder.path().join("overrides.toml"), folder.path().join("exceptions.toml"));
    fs::write(
        &overrides,
        format!(
            "[[override]]\ncheck = \"access-key-rotated\"\nparams = {{ max_age_days = 100000 }}\nous = [\"{unit}\"]\n"
        ),
    )
    .unwrap();
    let entry = |scope: &str, expires: &str| {
        format!(
            "[[exception]]\ncheck = \"user-console-mfa\"\n{scope}\nowner = \"iam@example.com\"\nreason = \"hardware is on its way\"\nexpires = {expires}\n"
        )
    };
    let entries = [
        entry("ous = [\"UNIT\"]".replace("UNIT", &unit).as_str(), "2099-12-31"),
        entry("users = [\"*\"]", "2020-01-01"),
        entry("accounts = [\"000000000000\"]", "2099-12-31"),
    ];
    fs::write(&exceptions, entries.concat()).unwrap();
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path())
        .arg_path("--overrides", &overrides)
        .arg_path("--exceptions", &exceptions)
        .run()
        .expect_one_of(&[0, 3]);
    let summary = Summary::of(&scanned);

    let in_unit = below(&simulation, &unit);
    let listed = in_unit.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT count(*) FILTER (check_id = 'access-key-rotated' AND account_id IN ({listed})), \
         count(*) FILTER (check_id = 'access-key-rotated' AND account_id NOT IN ({listed})), \
         count(*) FILTER (check_id = 'user-console-mfa' AND excepted <> (account_id IN ({listed}))), \
         count(*) FILTER (check_id = 'user-console-mfa' AND exception_owner IS NULL), \
         count(*) FILTER (check_id = 'user-console-mfa' AND excepted), \
         count(*) FILTER (check_id <> 'user-console-mfa' AND exception_owner IS NOT NULL) FROM findings WHERE status = 'fail'"
    );
    let counts = &python.query(&lake, summary.run_id(), &sql)[0];
    assert_eq!(
        (&counts[0], &counts[2], &counts[3], &counts[5]),
        (&json!(0), &json!(0), &json!(0), &json!(0)),
        "{counts}"
    );
    assert!(counts[1].as_u64() > Some(0) && counts[4].as_u64() > Some(0), "{counts}");

    let document: Value = serde_json::from_str(&scanned.stdout).unwrap();
    let uses = document["exceptions"].as_array().unwrap();
    let told: Vec<_> = uses.iter().map(|one| (one["expired"] == true, one["findings"].as_u64() > Some(0))).collect();
    assert_eq!(told, [(false, true), (true, true), (false, false)], "{uses:?}");
    let told = Orgsweep::new(["recheck"]).arg_path("--lake", &lake.path()).arg_path("--exceptions", &exceptions).run();
    let told = told.expect_code(0).stdout;
    assert!(told.contains("has expired") && told.contains("matches no finding"), "{told}");
}

#[test]
fn an_excepted_finding_does_not_change_the_exit_code() {
    let simulation = Simulation::start(&["--accounts", "4", "--users-per-account", "3"]);
    let folder = TempDir::new().unwrap();
    let listed = Orgsweep::new(["checks", "list", "--format", "json"]).run().expect_code(0);
    let checks: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    let entry = |check: &Value| {
        format!("[[exception]]\ncheck = {}\nowner = \"ann\"\nreason = \"test\"\nexpires = 2099-12-31\n", check["id"])
    };
    let all: String = checks.iter().map(entry).collect();
    let exceptions = folder.path().join("all.toml");
    fs::write(&exceptions, all).unwrap();
    let lake = Lake::empty();
    let counted = scan(&simulation.environment, &lake.path()).args(["--fail-on", "informational"]).run();
    counted.expect_code(4);
    let excepted = Orgsweep::new(["recheck", "--fail-on", "informational"]).arg_path("--lake", &lake.path());
    excepted.arg_path("--exceptions", &exceptions).run().expect_code(0);
}

/// The refusal of a file of this kind, which comes before anything is asked.
fn refused(flag: &str, text: &str) -> Finished {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mine.toml");
    fs::write(&file, text).unwrap();
    let lake = Lake::empty();
    scan(&any_keys("http://127.0.0.1:1"), &lake.path()).arg_path(flag, &file).run().expect_code(2)
}

#[test]
fn a_file_that_cannot_be_is_refused_before_anything_is_asked() {
    let whole = "[[exception]]\ncheck = \"root-mfa\"\nowner = \"ann\"\nreason = \"so\"\n";
    refused("--exceptions", whole).expect_error(&["mine.toml", "exception 1 (root-mfa)", "no expires"]);
    refused("--exceptions", &whole.replace("root-mfa", "rot-mfa")).expect_error(&["rot-mfa", "root-mfa"]);
    let scoped = "[[override]]\ncheck = \"access-key-rotated\"\nparams = { max_age_days = 1 }\n";
    refused("--overrides", scoped).expect_error(&["names no accounts or users"]);
    refused("--overrides", &format!("{scoped}tags = {{ env = \"prod\" }}\n")).expect_error(&["--account-tags"]);
    refused("--overrides", "[[override").expect_error(&["mine.toml", "line 1"]);
}

#[test]
fn a_time_long_before_the_reports_is_told_of() {
    let simulation = Simulation::start(&["--accounts", "5", "--users-per-account", "1"]);
    let told = "more than a day newer than the time by which the run judges";
    let now = scan(&simulation.environment, &Lake::empty().path()).run().expect_one_of(&[0, 3]);
    assert!(!now.stderr.contains(told), "{}", now.stderr);
    let past = scan(&simulation.environment, &Lake::empty().path()).args(["--as-of", "2020-01-01T00:00:00Z"]).run();
    past.expect_one_of(&[0, 3]).expect_error(&[told, "accounts"]);
}
