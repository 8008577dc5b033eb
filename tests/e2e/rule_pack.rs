//! The rule pack through the command line.

use crate::harness::Orgsweep;

#[test]
fn the_rule_pack_passes_its_own_cases() {
    Orgsweep::new(["checks", "test"]).run().expect_code(0);
}

#[test]
fn the_first_eight_checks_are_listed_with_their_controls() {
    let listed = Orgsweep::new(["checks", "list", "--format", "json"]).run().expect_code(0);
    let document: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let checks = document.as_array().unwrap();
    assert!(checks.len() >= 8, "{listed}");
    for check in checks {
        assert!(check["frameworks"].as_object().is_some_and(|controls| !controls.is_empty()), "{check:#}");
    }
}
