//! The rule pack through the command line.

use std::fs;

use expect_test::expect_file;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Finished, Orgsweep};

fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn the_rule_pack_passes_its_own_cases_and_leaves_nothing_untried() {
    let tested = json(&Orgsweep::new(["checks", "test", "--format", "json"]).run().expect_code(0));
    assert_eq!((&tested["failed"], &tested["untried"]), (&Value::from(0), &Value::Array(Vec::new())));
    assert!(tested["passed"].as_u64().unwrap() > 600);
}

#[test]
fn every_check_is_listed_with_all_that_is_known_of_it() {
    let listed = json(&Orgsweep::new(["checks", "list", "--format", "json"]).run().expect_code(0));
    let checks = listed.as_array().unwrap();
    assert!(checks.len() >= 40, "{} checks", checks.len());
    for check in checks {
        for key in ["id", "title", "severity", "fails_when", "remediation", "sources", "description", "rationale"] {
            assert!(!check[key].is_null(), "{check:#} has no {key}");
        }
        assert!(check["cases"].as_u64().unwrap() >= 5, "{check:#}");
    }
}

#[test]
fn the_controls_of_a_framework_are_listed_with_what_covers_them_or_why_nothing_does() {
    let listed =
        json(&Orgsweep::new(["checks", "list", "--framework", "cis-7.0", "--format", "json"]).run().expect_code(0));
    let controls = listed["controls"].as_array().unwrap();
    let of = |id: &str| controls.iter().find(|it| it["control"]["id"] == id).unwrap();
    assert_eq!(of("2.1.1")["checks"], serde_json::json!(["central-root-access"]));
    assert_eq!(of("2.1.3")["checks"], serde_json::json!([]));
    assert!(of("2.1.3")["control"]["undecided"].is_string());
    let text = Orgsweep::new(["checks", "list", "--framework", "cis-7.0"]).run().expect_code(0).stdout;
    assert!(text.contains("Not decided by orgsweep"), "{text}");
    Orgsweep::new(["checks", "list", "--framework", "cis7"]).run().expect_code(2).expect_error(&["cis-7.0"]);
}

#[test]
fn a_check_is_shown_whole_and_an_unknown_one_with_the_nearest() {
    let shown = Orgsweep::new(["checks", "show", "access-key-rotated"]).run().expect_code(0).stdout;
    for part in ["last_rotated < days_ago(max_age_days)", "max_age_days = 90", "update-access-key", "cis-5.0 1.13"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    let set = ["checks", "show", "access-key-rotated", "--set", "access-key-rotated.max_age_days=30"];
    let set = Orgsweep::new(set).run().expect_code(0).stdout;
    assert!(set.contains("max_age_days = 30 (default 90)"), "{set}");
    Orgsweep::new(["checks", "show", "root-mfaa"]).run().expect_code(2).expect_error(&["root-mfa"]);
}

#[test]
fn a_new_check_holds_as_it_is_written_and_a_case_that_fails_says_which_row_and_what_was_expected() {
    let folder = TempDir::new().unwrap();
    let checks = folder.path().join("checks");
    let new = |id: &str| Orgsweep::new(["checks", "new", id]).arg_path("--dir", &checks).run();
    new("temporary-user").expect_code(0);
    new("temporary-user").expect_code(2).expect_error(&["is there already"]);
    new("root-mfa").expect_code(2).expect_error(&["same id"]);
    new("No Such Id").expect_code(2).expect_error(&["kebab case"]);
    let test = || Orgsweep::new(["checks", "test"]).arg_path("--checks", &checks).run();
    let tested = test().expect_code(0).stdout;
    assert!(!tested.contains("UNTRIED"), "{tested}");

    let file = checks.join("temporary-user.toml");
    let rule = fs::read_to_string(&file).unwrap();
    let broken = rule.replace("expect_rows = [\"pass\", \"fail\"]", "expect_rows = [\"pass\", \"pass\"]");
    assert_ne!(rule, broken);
    fs::write(&file, broken).unwrap();
    let tested = test().expect_code(1).stdout;
    let told =
        r#"check temporary-user, case "one user among others fails the account": row 2: expected pass, got fail"#;
    assert!(tested.contains(told) && tested.contains("temporary-user.toml"), "{tested}");

    // Without its cases the rule still holds, and everything it leaves untried is said.
    let bare = rule.split("[[check.case]]").next().unwrap();
    fs::write(&file, bare).unwrap();
    let tested = test().expect_code(0).stdout;
    assert!(tested.contains("UNTRIED check temporary-user: no case tries a row that is fail"), "{tested}");
    let mutants =
        Orgsweep::new(["checks", "test", "--mutants"]).arg_path("--checks", &checks).run().expect_code(1).stdout;
    assert!(mutants.contains("UNNOTICED check temporary-user"), "{mutants}");
}

#[test]
fn the_published_truth_table_is_what_the_command_prints() {
    let printed = Orgsweep::new(["checks", "truth-table"]).run().expect_code(0);
    expect_file!["../../docs/truth-table.md"].assert_eq(&printed.stdout);
    let data = json(&Orgsweep::new(["checks", "truth-table", "--format", "json"]).run().expect_code(0));
    let cases: usize = data.as_array().unwrap().iter().map(|check| check["cases"].as_array().unwrap().len()).sum();
    assert!(printed.stdout.contains(&format!("{cases} cases.")), "{cases}");
}
