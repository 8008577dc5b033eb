//! What a sweep reads only when it is told to: root sessions, the ids of keys, and tags.

use crate::harness::{Lake, Python, Simulation, Summary, Tap, scan};

const OPTIONAL: [&str; 3] = ["--root-audit", "--key-ids", "--account-tags"];

#[test]
fn what_is_asked_beside_is_in_the_lake_as_the_facts_say() {
    let Some(python) = Python::find() else { return };
    let settings = ["--accounts", "150", "--users-per-account", "8", "--seed", "5"];
    // What is denied is denied to the root user too.
    let denied = ["--deny", "iam:ListAccessKeys=0.1", "--deny", "iam:GetLoginProfile=0.1"];
    let simulation = Simulation::start(&[&settings[..], &denied].concat());
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).args(OPTIONAL).run().expect_one_of(&[0, 3]);
    let summary = Summary::of(&scanned);
    let arguments =
        [lake.path().into_os_string(), summary.run_id().into(), "--truth".into(), simulation.truth().into()];
    let asked = ["--asked", "root_audit", "key_ids", "account_tags"].map(Into::into);
    let said = python.run("compare_lake.py", arguments.into_iter().chain(asked), &Vec::new());
    assert!(said.starts_with("151 accounts and "), "{said}");
}

#[test]
fn what_is_not_wanted_is_not_asked() {
    let simulation = Simulation::start(&["--accounts", "40", "--users-per-account", "4"]);
    let counted = |arguments: &[&str]| {
        let tap = Tap::on(simulation.endpoint());
        let lake = Lake::empty();
        scan(&tap.in_place(&simulation.environment), &lake.path()).args(arguments).run().expect_one_of(&[0, 3]);
        ["Action=AssumeRoot&", "Action=ListAccessKeys&", "ListTagsForResource"].map(|call| tap.count(call))
    };
    assert_eq!(counted(&[]), [0, 0, 0]);
    let [sessions, keys, tags] = counted(&OPTIONAL);
    assert!((30..=40).contains(&sessions) && keys > 60 && tags >= 40, "{sessions} {keys} {tags}");
    let [_, fewer, _] = counted(&["--key-ids", "--key-ids-max", "1"]);
    assert!((30..=41).contains(&fewer), "{fewer} users were asked in 41 accounts");
}

#[test]
fn a_root_audit_where_root_access_is_not_centralized_is_wrong_usage() {
    let simulation = Simulation::start(&["--accounts", "4", "--users-per-account", "1", "--no-central-root-access"]);
    let lake = Lake::empty();
    let scanned = scan(&simulation.environment, &lake.path()).args(["--root-audit"]).run().expect_code(2);
    scanned.expect_error(&["centralized root access", "enable-organizations-root-credentials-management"]);
    assert!(lake.runs().is_empty());
}
