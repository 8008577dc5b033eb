//! Each fault of a hostile AWS by itself, and all of them at once, as the in-process face tells them in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by failing"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use orgsweep_cloud::{
    AccountContacts as _, AccountIam as _, Answered, AssumeRole, AssumeRoot, Directory as _, ReportState,
    RoleBroker as _, Session, role_arn, root_audit_policy_arn, session_policy,
};
use orgsweep_core::{AccountId, ContactType, Partition, Sources, Timestamp};
use orgsweep_sim::{
    Action, HostileFault, Hostility, LastingFaults, Mix, PerMille, Profile, SimCloud, SimSettings, Simulation,
};
use tokio::time::Instant;

const ALWAYS: PerMille = PerMille(1000);
const HALF: PerMille = PerMille(500);
const MEMBERS: u32 = 100;

/// What came of requests: how often each kind and code, or `answered`.
type Outcomes = BTreeMap<String, usize>;

fn cloud_of(hostility: Hostility) -> SimCloud {
    let mix = Mix { fresh_report: PerMille(0), old_report: PerMille(0), ..Mix::default() };
    let profile = Profile { hostility, ..Profile::instant() };
    let settings =
        SimSettings { accounts: MEMBERS, users_per_account: 5, mix: mix.readable(), profile, ..SimSettings::default() };
    SimCloud::new(Arc::new(Simulation::new(&settings)))
}

/// An organization with one fault.
fn cloud(fault: HostileFault, share: PerMille) -> SimCloud {
    cloud_of(Hostility::NONE.with(fault, share))
}

fn account(cloud: &SimCloud, index: u32) -> AccountId {
    cloud.simulation().model().account_id(index)
}

fn role(account: AccountId) -> AssumeRole {
    AssumeRole {
        account,
        role_arn: role_arn(Partition::Aws, account, "orgsweep-scanner"),
        session_name: "orgsweep".to_owned(),
        external_id: None,
        duration: Duration::from_mins(15),
        policy: session_policy(Sources::NONE).into(),
    }
}

async fn open(cloud: &SimCloud, index: u32) -> Session {
    Session::Role(Arc::new(cloud.assume_role(&role(account(cloud, index))).await.unwrap().value))
}

fn outcome<T>(answered: Answered<T>) -> String {
    answered.map_or_else(|error| format!("{} {}", error.kind.as_str(), error.code), |_| "answered".to_owned())
}

/// Asks the management account for its summary so many times.
async fn ask(cloud: &SimCloud, times: usize) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for _ in 0..times {
        *outcomes.entry(outcome(cloud.account_summary(&Session::Caller).await)).or_default() += 1;
    }
    outcomes
}

/// A fault that strikes half of all requests does so, in these words.
async fn check(fault: HostileFault, told: &[&str]) {
    let outcomes = ask(&cloud(fault, HALF), 2000).await;
    let struck: usize = told.iter().map(|told| outcomes.get(*told).copied().unwrap_or_default()).sum();
    assert_eq!(outcomes.len(), told.len() + 1, "{fault:?}: {outcomes:?}");
    assert!((900..1100).contains(&struck) && outcomes["answered"] == 2000 - struck, "{fault:?}: {outcomes:?}");
    assert_eq!(ask(&cloud(fault, HALF), 2000).await, outcomes, "{fault:?} strikes otherwise the second time");
}

#[tokio::test(start_paused = true)]
async fn what_strikes_single_requests_is_told_in_the_words_of_production() {
    check(HostileFault::Resets, &["transient ConnectionFailed"]).await;
    check(HostileFault::CutBodies, &["transient ConnectionFailed"]).await;
    check(HostileFault::ProxyErrors, &["transient InvalidAnswer"]).await;
    check(HostileFault::ServerErrors, &["transient InternalFailure", "transient ServiceFailure"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_throttles_four_of_five_requests_for_five_seconds_in_one_account() {
    let cloud = cloud(HostileFault::ThrottlingStorms, HALF);
    let two = loop {
        if let Ok(role) = cloud.assume_role(&role(account(&cloud, 2))).await {
            break Session::Role(Arc::new(role.value));
        }
    };
    let (mut storms, mut apart) = (0, 0);
    for _ in 0..100 {
        let throttled = ask(&cloud, 500).await.get("throttled Throttling").copied().unwrap_or_default();
        assert!(throttled == 0 || (350..450).contains(&throttled), "{throttled}");
        storms += usize::from(throttled > 0);
        let mut elsewhere = 0;
        for _ in 0..20 {
            elsewhere += usize::from(cloud.password_policy(&two).await.is_err());
        }
        apart += usize::from((throttled > 0) != (elsewhere > 0));
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert!((30..70).contains(&storms) && apart > 20, "{storms} {apart}");
    assert_eq!(outcome(cloud.list_accounts(None).await), "answered");
}

#[tokio::test(start_paused = true)]
async fn without_capacity_nobody_gets_a_report_made_and_it_comes_back_within_three_minutes() {
    let cloud = cloud(HostileFault::NoCapacity, ALWAYS);
    let mut refused = 0;
    for _ in 0..360 {
        let session = open(&cloud, 2).await;
        let one = outcome(cloud.generate_report(&Session::Caller).await);
        let two = outcome(cloud.generate_report(&session).await);
        assert_eq!(one, two);
        assert!(one == "answered" || one == "throttled LimitExceeded", "{one}");
        refused += u32::from(one != "answered");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!((60..=240).contains(&refused), "{refused} of 360 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_is_lost_was_carried_out() {
    for fault in [HostileFault::Resets, HostileFault::CutBodies] {
        let cloud = cloud(fault, HALF);
        while cloud.generate_report(&Session::Caller).await.is_ok() {}
        let fetched = loop {
            match cloud.fetch_report(&Session::Caller).await {
                Err(error) if error.code == "ConnectionFailed" => {}
                other => break other,
            }
        };
        assert_eq!(outcome(fetched), "answered");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_has_no_end_and_a_slow_body_has_one() {
    let hanging = cloud(HostileFault::Hangs, ALWAYS);
    let day = Duration::from_hours(24);
    assert!(tokio::time::timeout(day, hanging.account_summary(&Session::Caller)).await.is_err());
    let slow = cloud(HostileFault::SlowBodies, ALWAYS);
    for _ in 0..50 {
        let start = Instant::now();
        assert_eq!(outcome(slow.account_summary(&Session::Caller).await), "answered");
        assert!((5..=20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_report_ends_within_a_row() {
    let cloud = cloud(HostileFault::CutReports, ALWAYS);
    cloud.generate_report(&Session::Caller).await.unwrap();
    let report = cloud.fetch_report(&Session::Caller).await.unwrap().value;
    let mut whole = Vec::new();
    orgsweep_sim::write_report(cloud.simulation().model(), 0, report.generated_at, &mut whole);
    for _ in 0..200 {
        let cut = cloud.fetch_report(&Session::Caller).await.unwrap().value.content;
        assert!(cut.len() < whole.len() && whole.starts_with(&cut));
        let mut lines = cut.split(|byte| *byte == b'\n');
        assert_eq!(lines.next().unwrap(), orgsweep_sim::REPORT_HEADER.trim_end().as_bytes());
        let last = lines.next_back().unwrap();
        assert!(!last.is_empty() && last.split(|byte| *byte == b',').count() < 22, "{last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_is_what_the_same_calls_of_the_same_accounts_always_answer() {
    let cloud = cloud(HostileFault::Garbage, HALF);
    let mut garbled = 0;
    for index in 0..=MEMBERS {
        let session = if index == 0 { Session::Caller } else { open(&cloud, index).await };
        let faults = cloud.simulation().lasting(index);
        assert!(faults.garbled.iter().count() <= 2);
        for _ in 0..3 {
            let answers = [
                (Action::GetAccountSummary, outcome(cloud.account_summary(&session).await)),
                (Action::GetAccountPasswordPolicy, outcome(cloud.password_policy(&session).await)),
                (Action::ListVirtualMfaDevices, outcome(cloud.virtual_mfa_devices(&session, None).await)),
                (Action::ListAccountAliases, outcome(cloud.account_alias(&session).await)),
                (Action::GetAlternateContact, outcome(cloud.alternate_contact(&session, ContactType::Billing).await)),
            ];
            for (action, answer) in answers {
                let expected = if faults.garbled.contains(action) { "fatal InvalidAnswer" } else { "answered" };
                assert_eq!(answer, expected, "{action:?} in account {index}");
                garbled += usize::from(answer != "answered");
            }
        }
    }
    assert!(garbled > 60, "{garbled}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_dies_early_was_promised_its_whole_time() {
    let cloud = cloud(HostileFault::DyingSessions, ALWAYS);
    let credentials = cloud.assume_role(&role(account(&cloud, 1))).await.unwrap().value;
    assert!(credentials.expires_at.since(Timestamp::now()) > Duration::from_mins(14));
    let session = Session::Role(Arc::new(credentials));
    tokio::time::sleep(Duration::from_millis(190)).await;
    assert_eq!(outcome(cloud.account_summary(&session).await), "answered");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(outcome(cloud.account_summary(&session).await), "expired ExpiredToken");
    assert_eq!(outcome(cloud.account_summary(&open(&cloud, 1).await).await), "answered");
}

#[tokio::test(start_paused = true)]
async fn a_report_that_never_comes_is_in_the_making_for_ever() {
    let cloud = cloud(HostileFault::NeverComes, HALF);
    for index in 1..=20 {
        let session = open(&cloud, index).await;
        cloud.generate_report(&session).await.unwrap();
        let never_comes = cloud.simulation().lasting(index).never_comes;
        let (state, fetched) =
            (cloud.generate_report(&session).await.unwrap().value, cloud.fetch_report(&session).await);
        let expected = if never_comes { ReportState::InProgress } else { ReportState::Complete };
        assert_eq!((state, fetched.is_err()), (expected, never_comes), "account {index}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_expires_between_two_calls_is_made_once_more() {
    let cloud = cloud(HostileFault::ExpiringReports, ALWAYS);
    let session = open(&cloud, 1).await;
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Started);
    assert_eq!(outcome(cloud.fetch_report(&session).await), "absent ReportExpired");
    assert_eq!(outcome(cloud.fetch_report(&session).await), "absent ReportExpired");
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Started);
    assert_eq!(outcome(cloud.fetch_report(&session).await), "answered");
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Complete);
}

#[tokio::test(start_paused = true)]
async fn an_account_is_closed_at_its_moment_and_all_is_refused_from_then_on() {
    let cloud = cloud(HostileFault::Closures, ALWAYS);
    let closed_after = cloud.simulation().lasting(1).closed_after.unwrap();
    assert!(closed_after < Duration::from_mins(1));
    let session = open(&cloud, 1).await;
    tokio::time::sleep(closed_after.saturating_sub(Duration::from_millis(2))).await;
    assert_eq!(outcome(cloud.account_summary(&session).await), "answered");
    tokio::time::sleep(Duration::from_millis(4)).await;
    assert_eq!(outcome(cloud.account_summary(&session).await), "denied AccessDenied");
    let contact = cloud.alternate_contact(&session, ContactType::Billing).await;
    assert_eq!(outcome(contact), "denied AccessDeniedException");
    assert_eq!(outcome(cloud.assume_role(&role(account(&cloud, 1))).await), "denied AccessDenied");
    let task_policy_arn = root_audit_policy_arn(Partition::Aws);
    let root = AssumeRoot { account: account(&cloud, 1), task_policy_arn, duration: Duration::from_mins(15) };
    assert_eq!(outcome(cloud.assume_root(&root).await), "denied AccessDenied");
}

#[tokio::test(start_paused = true)]
async fn a_late_role_is_refused_until_its_moment() {
    let cloud = cloud(HostileFault::LateRoles, ALWAYS);
    let role_after = cloud.simulation().lasting(3).role_after.unwrap();
    tokio::time::sleep(role_after.saturating_sub(Duration::from_millis(2))).await;
    assert_eq!(outcome(cloud.assume_role(&role(account(&cloud, 3))).await), "denied AccessDenied");
    tokio::time::sleep(Duration::from_millis(4)).await;
    assert_eq!(outcome(cloud.assume_role(&role(account(&cloud, 3))).await), "answered");
    assert!(cloud.simulation().elapsed() >= role_after);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_moves_what_is_said_of_expiry_and_not_how_long_a_session_lives() {
    let cloud = cloud(HostileFault::ClockSkew, ALWAYS);
    let credentials = cloud.assume_role(&role(account(&cloud, 1))).await.unwrap().value;
    let promised = credentials.expires_at.since(Timestamp::now());
    assert!((11 * 60..=19 * 60).contains(&promised.as_secs()) && promised.as_secs().abs_diff(900) > 5, "{promised:?}");
    let session = Session::Role(Arc::new(credentials));
    tokio::time::sleep(Duration::from_secs(895)).await;
    assert_eq!(outcome(cloud.account_summary(&session).await), "answered");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(outcome(cloud.account_summary(&session).await), "expired ExpiredToken");
}

#[tokio::test(start_paused = true)]
async fn about_a_tenth_of_all_calls_to_a_hostile_aws_fail_in_passing() {
    let cloud = cloud_of(Hostility::hostile());
    let mut failed = 0;
    for _ in 0..20_000 {
        let asked = cloud.account_summary(&Session::Caller);
        failed += usize::from(!matches!(tokio::time::timeout(Duration::from_mins(1), asked).await, Ok(Ok(_))));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!((1600..2400).contains(&failed), "{failed} of 20,000");
}

#[test]
fn each_lasting_fault_holds_in_one_or_two_accounts_of_a_hundred() {
    let profile = Profile::hostile();
    let simulation = Simulation::new(&SimSettings { accounts: 20_000, profile, ..SimSettings::default() });
    assert!(simulation.lasting(0).is_none(), "the management account is spared");
    let count = |has: fn(&LastingFaults) -> bool| (1..=20_000).filter(|index| has(&simulation.lasting(*index))).count();
    let counts = [
        count(|faults| faults.never_comes),
        count(|faults| faults.closed_after.is_some()),
        count(|faults| faults.role_after.is_some()),
        count(|faults| faults.garbled.iter().next().is_some()),
    ];
    assert!(counts.iter().all(|count| (200..=480).contains(count)), "{counts:?}");
    assert!(
        simulation.lasting(7)
            == Simulation::new(&SimSettings { profile: Profile::hostile(), ..SimSettings::default() }).lasting(7)
    );
}
