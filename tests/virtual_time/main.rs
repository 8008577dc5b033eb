//! The real sweep and build against the in-process simulation, under a paused clock: minutes of waiting in a moment,
//! and the same every time. Nothing here starts a process or opens a socket.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

mod callers_fault;
mod earlier_runs;
mod faulty;
mod nothing_unknown_passes;
mod organization;
mod patience;
mod shards;

use std::time::Duration;

use organization::{Attempt, Organization};
use orgsweep_core::AccountState;
use orgsweep_sweep::SweepError;

/// An organization on AWS's quotas and latencies.
fn aws(members: u32) -> Organization {
    Organization::new(members, orgsweep_sim::Profile::aws())
}

#[tokio::test(start_paused = true)]
async fn every_account_of_the_plan_is_in_the_lake_read_or_not() {
    let organization = aws(120);
    let attempt = Attempt::new(&organization);
    attempt.sweep().await.expect("the organization can be swept");
    let commit = attempt.commit().await;
    let coverage = commit.coverage;
    assert_eq!(coverage.planned, 121);
    assert_eq!(coverage.swept + coverage.partial + coverage.failed + coverage.skipped, 121);
    let expected = organization.expected_coverage();
    assert_eq!((coverage.swept, coverage.partial, coverage.failed, coverage.skipped), expected);
    let checks = commit.checks.len() as u64;
    let results = commit.tables.iter().find(|table| table.name == "check_results").expect("it is committed");
    assert_eq!(results.rows, 121 * checks, "each account has one verdict for each check");
}

#[tokio::test(start_paused = true)]
async fn the_order_in_which_accounts_answer_changes_no_byte() {
    let mut bytes = Vec::new();
    for seed in [1, 2] {
        let organization = aws(60);
        let attempt = Attempt { seed, ..Attempt::new(&organization) };
        attempt.sweep().await.expect("the organization can be swept");
        attempt.commit().await;
        bytes.push(attempt.table_bytes().await);
    }
    assert_eq!(bytes[0].len(), 4);
    assert!(bytes[0] == bytes[1], "two sweeps of the same facts differ");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_is_stopped_at_any_moment_goes_on_to_the_same_bytes() {
    let organization = aws(60);
    let undisturbed = Attempt::new(&organization);
    undisturbed.sweep().await.expect("the organization can be swept");
    undisturbed.commit().await;
    let expected = undisturbed.table_bytes().await;
    for millis in [0, 150, 900, 1_700, 2_500, 4_000] {
        let organization = aws(60);
        let attempt = Attempt::new(&organization);
        let stopped = attempt.sweep_until(Duration::from_millis(millis)).await;
        assert!(matches!(stopped, Err(SweepError::Stopped)), "{millis} ms: {stopped:?}");
        attempt.sweep().await.expect("a stopped sweep can be resumed");
        attempt.commit().await;
        assert!(attempt.table_bytes().await == expected, "stopped after {millis} ms, the lake differs");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_role_is_nowhere_nothing_is_settled_and_a_resume_asks_again() {
    let organization = aws(30);
    let wrong = Attempt { role: "no-such-role".to_owned(), ..Attempt::new(&organization) };
    let refused = wrong.sweep().await.expect_err("no member can be opened");
    assert!(matches!(refused, SweepError::NoMemberOpened { .. }), "{refused:?}");
    let told = refused.to_string();
    assert!(told.contains("no-such-role") && told.contains("trust policy"), "{told}");
    let right = Attempt { role: "orgsweep-scanner".to_owned(), ..wrong };
    right.sweep().await.expect("with the right role the run goes on");
    let coverage = right.commit().await.coverage;
    let (swept, ..) = organization.expected_coverage();
    assert_eq!(coverage.swept, swept);
}

#[tokio::test(start_paused = true)]
async fn an_external_id_that_is_asked_for_opens_the_accounts() {
    let organization = Organization::with(|settings| settings.external_id = Some("ext-42".to_owned()));
    let without = Attempt::new(&organization);
    assert!(matches!(without.sweep().await, Err(SweepError::NoMemberOpened { .. })));
    let with = Attempt { external_id: Some("ext-42".to_owned()), ..without };
    with.sweep().await.expect("the external id opens them");
}

#[tokio::test(start_paused = true)]
async fn accounts_that_cannot_be_used_are_planned_and_not_asked() {
    let organization = aws(120);
    let attempt = Attempt::new(&organization);
    let plan = attempt.sweep().await.expect("the organization can be swept").plan;
    let closed = plan.accounts.iter().filter(|planned| planned.account.state == AccountState::Closed);
    assert!(closed.clone().count() > 0, "the simulated organization has a closed account");
    let asked: Vec<_> = plan.asked().map(|account| account.id).collect();
    assert!(closed.into_iter().all(|planned| !asked.contains(&planned.account.id)));
}

#[tokio::test(start_paused = true)]
async fn quotas_are_kept_so_that_almost_nothing_is_throttled() {
    let organization = aws(400);
    let attempt = Attempt::new(&organization);
    attempt.sweep().await.expect("the organization can be swept");
    let tally = attempt.progress.tally();
    assert!(tally.requests > 4_000, "{tally:?}");
    assert!(tally.throttled * 100 <= tally.requests, "{tally:?}");
}
