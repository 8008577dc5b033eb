//! What is denied in an account is unknown there, for exactly the checks that read it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Lake, Python, Simulation, Summary, scan};

#[test]
fn a_password_policy_that_is_denied_in_a_fifth_of_the_accounts_is_unknown_in_exactly_those() {
    let Some(python) = Python::find() else { return };
    let settings = ["--accounts", "250", "--users-per-account", "3", "--deny", "iam:GetAccountPasswordPolicy"];
    let simulation = Simulation::start(&settings);
    let lake = Lake::empty();
    let summary = Summary::of(&scan(&simulation.environment, &lake.path()).run().expect_code(3));
    let (mut denied, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
    for facts in simulation.facts() {
        let id = facts["account_id"].as_str().unwrap().to_owned();
        let is_opened = facts["is_management"] == true || facts["role"] == "granted";
        let is_asked = !["SUSPENDED", "CLOSED", "PENDING_ACTIVATION"].contains(&facts["state"].as_str().unwrap());
        let calls = facts["denied_calls"].as_array().unwrap();
        if !(is_opened && is_asked) {
            unreadable.insert(id);
        } else if calls.contains(&json!("iam:GetAccountPasswordPolicy")) {
            denied.insert(id);
        }
    }
    assert!((30..=70).contains(&denied.len()), "{} of 251 accounts are denied", denied.len());
    let query = |condition: &str| {
        let sql = format!(
            "SELECT account_id, min(reason) FROM check_results WHERE status = 'unknown' AND {condition} GROUP BY 1 ORDER BY 1"
        );
        python.query(&lake, summary.run_id(), &sql)
    };
    let ids = |rows: &[serde_json::Value]| rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    let on_policy = query("check_id LIKE 'password-policy-%'");
    let expected: BTreeSet<String> = denied.union(&unreadable).cloned().collect();
    assert_eq!(ids(&on_policy), expected);
    for row in on_policy.iter().filter(|row| denied.contains(row[0].as_str().unwrap())) {
        assert_eq!(row[1], "password_policy was not read: AccessDenied (denied)");
    }
    let on_users: BTreeSet<String> = ids(&query("check_id = 'user-console-mfa'"));
    assert_eq!(on_users, unreadable, "a denied password policy leaves what is known of users as it is");
    let checks = python.query(
        &lake,
        summary.run_id(),
        "SELECT check_id, count(*) FROM check_results WHERE check_id LIKE 'password-policy-%' AND status = 'unknown' \
         GROUP BY 1",
    );
    assert!(checks.len() > 8 && checks.iter().all(|row| row[1] == json!(expected.len())), "{checks:?}");
}
