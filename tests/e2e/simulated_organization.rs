//! The simulated organization as boto3 sees it, and as a scan brings it into the lake: both agree with its own facts.

use crate::harness::{Lake, Python, Simulation, Summary, Tap, scan};

#[test]
fn boto3_finds_what_the_facts_say_by_every_call() {
    let Some(python) = Python::find() else { return };
    let simulation = Simulation::start(&["--accounts", "60", "--users-per-account", "6", "--seed", "11"]);
    let said = python.run("walk_sim.py", [simulation.truth()], &simulation.environment);
    assert!(said.starts_with("61 accounts agree"), "{said}");
}

#[test]
fn what_aws_refuses_is_refused() {
    let Some(python) = Python::find() else { return };
    let settings =
        ["--accounts", "30", "--users-per-account", "2", "--external-id", "between-us", "--role-name", "audit"];
    let simulation = Simulation::start(&settings);
    let truth = simulation.truth().into_os_string();
    let arguments = [truth, "--external-id".into(), "between-us".into(), "--role-name".into(), "audit".into()];
    python.run("walk_guards.py", arguments, &simulation.environment);
}

#[test]
fn a_report_goes_through_every_state() {
    let Some(python) = Python::find() else { return };
    let simulation = Simulation::start(&["--accounts", "30", "--users-per-account", "2", "--profile", "aws"]);
    python.run("walk_report_states.py", [simulation.truth()], &simulation.environment);
}

#[test]
fn every_row_of_a_thousand_accounts_is_true_and_so_is_every_verdict_by_a_plain_reading_of_cis() {
    let Some(python) = Python::find() else { return };
    let simulation =
        Simulation::start(&["--accounts", "1000", "--users-per-account", "25", "--seed", "7", "--profile", "instant"]);
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).run().expect_one_of(&[0, 3]);
    let summary = Summary::of(&scanned);
    let said = compare(python, &simulation, &lake, &summary);
    assert!(said.starts_with("1001 accounts and "), "{said}");
    let said = read_plainly(python, &simulation, &lake, &summary);
    assert!(said.starts_with("1001 accounts agree on 23023 verdicts"), "{said}");
}

#[test]
fn a_plain_reading_of_cis_agrees_where_calls_are_denied() {
    let Some(python) = Python::find() else { return };
    let calls = ["GetAccountSummary", "GetCredentialReport", "ListVirtualMFADevices", "GetAccountPasswordPolicy"];
    let denied = calls.map(|call| format!("--deny=iam:{call}=0.3"));
    let mut settings = vec!["--accounts", "120", "--users-per-account", "6", "--seed", "3", "--no-central-root-access"];
    settings.extend(denied.iter().map(String::as_str));
    let simulation = Simulation::start(&settings);
    let lake = Lake::empty();
    let summary = Summary::of(&scan(&simulation.environment, &lake.path()).run().expect_code(3));
    let said = read_plainly(python, &simulation, &lake, &summary);
    assert!(said.starts_with("121 accounts agree on 2783 verdicts"), "{said}");
}

#[test]
fn a_role_with_another_name_and_an_external_id_is_assumed_with_them() {
    let Some(python) = Python::find() else { return };
    let settings = ["--external-id", "between-us", "--role-name", "security/audit"];
    let simulation = Simulation::start(&[&["--accounts", "60", "--users-per-account", "3"][..], &settings].concat());
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).args(settings).run().expect_one_of(&[0, 3]);
    compare(python, &simulation, &lake, &Summary::of(&scanned));
}

#[test]
fn an_account_takes_ten_calls_or_so_and_every_session_may_make_just_those() {
    let simulation = Simulation::start(&["--accounts", "100", "--users-per-account", "1"]);
    let tap = Tap::on(simulation.endpoint());
    let lake = Lake::empty();
    scan(&tap.in_place(&simulation.environment), &lake.path()).run().expect_one_of(&[0, 3]);

    let requests = tap.count("POST /");
    assert!((500..=1212).contains(&requests), "{requests} requests for 101 accounts");
    let assumed = tap.count("Action=AssumeRole&");
    assert!((90..=100).contains(&assumed), "{assumed} roles were assumed in 100 members");
    assert_eq!(tap.count("&Policy=%7B"), assumed, "each with an inline session policy");
}

/// Holds every row of a run against the facts. Returns what the comparison said.
fn compare(python: Python, simulation: &Simulation, lake: &Lake, summary: &Summary) -> String {
    let arguments =
        [lake.path().into_os_string(), summary.run_id().into(), "--truth".into(), simulation.truth().into()];
    python.run("compare_lake.py", arguments, &Vec::new())
}

/// Holds the verdicts of a run against what plain Python makes of the same reports and answers.
fn read_plainly(python: Python, simulation: &Simulation, lake: &Lake, summary: &Summary) -> String {
    let arguments = [lake.path().into_os_string(), summary.run_id().into()];
    python.run("cis_reading.py", arguments, &simulation.environment)
}
