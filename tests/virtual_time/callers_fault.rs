//! What fails for the caller stops the run and never becomes a row of an account.

use orgsweep_core::{Call, ErrorKind};
use orgsweep_sweep::SweepError;

use crate::faulty::{Fault, fault};
use crate::organization::{Attempt, Organization};

/// Sweeps 12 accounts behind a fault, which must end the sweep as `expected` says; without the fault it then goes on
/// to the bytes of an undisturbed one.
async fn check(fault: Fault, expected: fn(&SweepError) -> bool) {
    let organization = Organization::with(|settings| settings.accounts = 12);
    let undisturbed = Attempt::new(&organization);
    undisturbed.sweep().await.expect("the organization can be swept");
    undisturbed.commit().await;

    let attempt = Attempt { fault: Some(fault), ..Attempt::new(&organization) };
    let error = attempt.sweep().await.expect_err("the fault ends the sweep");
    assert!(expected(&error), "{error:?}");
    let mended = Attempt { fault: None, ..attempt };
    mended.sweep().await.expect("without the fault the run goes on");
    mended.commit().await;
    assert!(mended.table_bytes().await == undisturbed.table_bytes().await, "the fault left something behind");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_lost_in_mid_sweep_leaves_no_partial_rows() {
    let lost = fault(|_, before| (before > 60).then_some((ErrorKind::Transient, "ConnectionFailed")));
    check(lost, |error| matches!(error, SweepError::Unreachable { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn where_sts_never_answers_nothing_is_committed() {
    let broken = fault(|call, _| (call == Call::AssumeRole).then_some((ErrorKind::Transient, "ServiceUnavailable")));
    check(broken, |error| matches!(error, SweepError::Unreachable { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_the_caller_loses_is_no_accounts_refusal() {
    let revoked =
        fault(|call, before| (call == Call::AssumeRole && before > 30).then_some((ErrorKind::Denied, "AccessDenied")));
    check(revoked, |error| matches!(error, SweepError::RefusedInARow { .. } | SweepError::NoMemberOpened { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_permission_lost_while_earlier_accounts_still_wait_for_their_reports_is_noticed() {
    let organization = Organization::new(60, orgsweep_sim::Profile::aws());
    let revoked =
        fault(|call, before| (call == Call::AssumeRole && before > 60).then_some((ErrorKind::Denied, "AccessDenied")));
    let attempt = Attempt { fault: Some(revoked), ..Attempt::new(&organization) };
    let error = attempt.sweep().await.expect_err("the fault ends the sweep");
    assert!(matches!(error, SweepError::RefusedInARow { .. }), "{error:?}");
    let mended = Attempt { fault: None, ..attempt };
    mended.sweep().await.expect("without the fault the run goes on");
    let coverage = mended.commit().await.coverage;
    assert_eq!((coverage.swept, coverage.partial, coverage.failed, coverage.skipped), organization.expected_coverage());
}

#[tokio::test(start_paused = true)]
async fn keys_that_die_in_mid_sweep_are_the_callers() {
    let dead = fault(|call, before| {
        (call == Call::AssumeRole && before > 30).then_some((ErrorKind::Expired, "InvalidClientTokenId"))
    });
    check(dead, |error| matches!(error, SweepError::CallerExpired(_))).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_dropped_now_and_then_changes_nothing() {
    let organization = Organization::with(|settings| settings.accounts = 12);
    let undisturbed = Attempt::new(&organization);
    undisturbed.sweep().await.expect("the organization can be swept");
    undisturbed.commit().await;
    let dropped = fault(|_, before| (before % 7 == 3).then_some((ErrorKind::Transient, "ConnectionFailed")));
    let attempt = Attempt { fault: Some(dropped), ..Attempt::new(&organization) };
    attempt.sweep().await.expect("what fails in passing is asked again");
    attempt.commit().await;
    assert!(attempt.table_bytes().await == undisturbed.table_bytes().await);
}

#[tokio::test(start_paused = true)]
async fn refusals_that_are_left_at_the_end_count_once_the_role_is_shown_to_work() {
    // Many enough for one that is refused for certain, asked again at last, when all others are settled.
    let organization = Organization::with(|settings| settings.accounts = 60);
    let attempt = Attempt::new(&organization);
    attempt.sweep().await.expect("the organization can be swept");
    let coverage = attempt.commit().await.coverage;
    assert_eq!((coverage.swept, coverage.partial, coverage.failed, coverage.skipped), organization.expected_coverage());
    assert!(coverage.failed > 0, "{coverage:?}");
}
