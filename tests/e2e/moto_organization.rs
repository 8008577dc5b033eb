//! A scan of an organization that moto serves and boto3 filled, held against what boto3 reads back.

use std::fs;

use tempfile::TempDir;

use crate::harness::{Lake, Moto, Python, Summary, scan};

#[test]
fn every_row_of_motos_organization_is_what_boto3_reads() {
    let Some(python) = Python::find() else { return };
    let moto = Moto::start(python);
    let lake = Lake::empty();

    let scanned = scan(&moto.environment, &lake.path()).args(["--role-name", "OrganizationAccountAccessRole"]).run();
    let summary = Summary::of(&scanned.expect_code(0));
    assert!(summary.is_committed());
    // Eleven are read; the twelfth is closed, which moto calls suspended.
    assert_eq!(["planned", "swept", "skipped"].map(|outcome| summary.accounts(outcome)), [12, 11, 1]);

    let folder = TempDir::new().unwrap();
    let facts = folder.path().join("facts.jsonl");
    fs::write(&facts, python.run("read_moto.py", [""; 0], &moto.environment)).unwrap();
    let arguments = [lake.path().into_os_string(), summary.run_id().into(), "--moto".into(), facts.into_os_string()];
    let said = python.run("compare_lake.py", arguments, &Vec::new());
    assert!(said.starts_with("12 accounts and 81 credentials agree"), "{said}");
}
