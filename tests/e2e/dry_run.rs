//! `scan --dry-run`: what would be asked, without asking any account.

use crate::harness::{Lake, Orgsweep, Simulation, Tap};

#[test]
fn a_dry_run_says_what_would_be_asked_and_assumes_no_role() {
    let simulation = Simulation::start(&["--accounts", "45", "--users-per-account", "1"]);
    let tap = Tap::on(simulation.endpoint());
    let lake = Lake::empty();
    let dry_run = Orgsweep::new(["scan", "--dry-run", "--role-name", "security/audit"]);
    let dry_run = dry_run.arg_path("--lake", &lake.path()).envs(&tap.in_place(&simulation.environment));
    let told = dry_run.run().expect_code(0);

    for word in
        ["arn:aws:", "o-", "46", "role/security/audit", "iam:GetCredentialReport", "account:GetAlternateContact"]
    {
        assert!(told.stdout.contains(word), "{word} is not in {told}");
    }
    assert_eq!((tap.count("Action=GetCallerIdentity"), tap.count("Action=AssumeRole")), (1, 0));
    assert_eq!(tap.count("CredentialReport"), 0);
    assert!(lake.runs().is_empty(), "a dry run is no run");
}
