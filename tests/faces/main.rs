//! What the simulation's two faces say of one fault: production's client, over the wire, reads each as the in-process
//! face tells it. A sweep in virtual time meets what a sweep over HTTP would.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use orgsweep_aws::{AwsCloud, Server, Timeouts};
use orgsweep_cloud::{AccountContacts, AccountIam, Answered, AssumeRole, Directory, RoleBroker, Session, role_arn};
use orgsweep_core::{ContactType, ErrorKind, Partition};
use orgsweep_sim::{
    CALLER_ACCESS_KEY_ID, CALLER_SECRET_ACCESS_KEY, HostileFault, Hostility, Mix, PerMille, Profile, SimCloud,
    SimSettings, Simulation,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Every request, session or account.
const ALWAYS: PerMille = PerMille(1000);

/// How long the wire is given for what never comes.
const PATIENCE: Duration = Duration::from_millis(300);

/// What became of one call: `answered`, or the kind and the code.
type Outcome = (&'static str, String);

/// One simulation behind the in-process face, an equal one behind the wire.
struct Faces {
    simulation: Arc<Simulation>,
    in_process: SimCloud,
    wire: AwsCloud,
}

impl Faces {
    async fn new(hostility: Hostility) -> Self {
        let mix = Mix { fresh_report: PerMille(0), old_report: PerMille(0), ..Mix::default() };
        let settings = SimSettings {
            accounts: 40,
            mix: mix.readable(),
            profile: Profile { hostility, ..Profile::instant() },
            ..SimSettings::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        tokio::spawn(orgsweep_sim::serve(listener, Arc::new(Simulation::new(&settings))));
        let server = Server {
            endpoint,
            region: "us-east-1".to_owned(),
            access_key_id: CALLER_ACCESS_KEY_ID.to_owned(),
            secret_access_key: CALLER_SECRET_ACCESS_KEY.to_owned(),
        };
        let timeouts = Timeouts { connect: Duration::from_secs(5), read: Duration::from_mins(1) };
        let simulation = Arc::new(Simulation::new(&settings));
        let in_process = SimCloud::new(Arc::clone(&simulation));
        Self { simulation, in_process, wire: AwsCloud::connect_to(&server, timeouts) }
    }

    async fn with(fault: HostileFault) -> Self {
        Self::new(Hostility::NONE.with(fault, ALWAYS)).await
    }

    fn role(&self, index: u32) -> AssumeRole {
        let account = self.simulation.model().account_id(index);
        let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        AssumeRole {
            account,
            role_arn: role_arn(Partition::Aws, account, "orgsweep-scanner"),
            session_name: "faces".to_owned(),
            external_id: None,
            duration: Duration::from_mins(15),
            policy: policy.into(),
        }
    }
}

fn outcome<T>(answered: Answered<T>) -> Outcome {
    answered.map_or_else(|error| (error.kind.as_str(), error.code), |_| ("answered", String::new()))
}

/// What becomes of one call to each service, in the caller's own account.
async fn ask_each_service<C: Directory + AccountIam + AccountContacts>(cloud: &C) -> Vec<Outcome> {
    vec![
        outcome(cloud.caller_identity().await),
        outcome(cloud.list_accounts(None).await),
        outcome(cloud.account_summary(&Session::Caller).await),
        outcome(cloud.generate_report(&Session::Caller).await),
        outcome(cloud.fetch_report(&Session::Caller).await),
        outcome(cloud.alternate_contact(&Session::Caller, ContactType::Security).await),
    ]
}

/// A fault that strikes every request is read alike over both faces, in all services.
async fn check(fault: HostileFault) {
    let faces = Faces::with(fault).await;
    for _ in 0..3 {
        let expected = ask_each_service(&faces.in_process).await;
        assert!(expected.iter().any(|(told, _)| *told != "answered"), "{fault:?} strikes nothing");
        assert_eq!(ask_each_service(&faces.wire).await, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_fault_of_single_requests_is_read_alike() {
    check(HostileFault::Resets).await;
    check(HostileFault::CutBodies).await;
    check(HostileFault::ServerErrors).await;
    check(HostileFault::ProxyErrors).await;
}

#[tokio::test]
async fn a_hang_is_cut_by_the_clients_patience_alone() {
    let faces = Faces::with(HostileFault::Hangs).await;
    assert!(timeout(PATIENCE, faces.in_process.account_summary(&Session::Caller)).await.is_err());
    assert!(timeout(PATIENCE, faces.wire.account_summary(&Session::Caller)).await.is_err());
}

#[tokio::test]
async fn a_slow_body_arrives_whole() {
    let faces = Faces::with(HostileFault::SlowBodies).await;
    let started = Instant::now();
    let (one, other) =
        tokio::join!(faces.in_process.account_summary(&Session::Caller), faces.wire.account_summary(&Session::Caller));
    assert_eq!(one.unwrap().value, other.unwrap().value);
    assert!(started.elapsed() >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_cut_report_arrives_cut_over_both_faces() {
    let faces = Faces::with(HostileFault::CutReports).await;
    faces.in_process.generate_report(&Session::Caller).await.unwrap();
    faces.wire.generate_report(&Session::Caller).await.unwrap();
    let one = faces.in_process.fetch_report(&Session::Caller).await.unwrap().value.content;
    let other = faces.wire.fetch_report(&Session::Caller).await.unwrap().value.content;
    assert_eq!(one, other);
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_is_a_failure_of_its_call_and_tells_its_first_bytes() {
    let faces = Faces::with(HostileFault::Garbage).await;
    let (mut read, mut garbled) = (0, 0);
    for index in 1..=40 {
        let role = faces.role(index);
        let one = Session::Role(Arc::new(faces.in_process.assume_role(&role).await.unwrap().value));
        let other = Session::Role(Arc::new(faces.wire.assume_role(&role).await.unwrap().value));
        let pairs = [
            (failure(faces.in_process.account_summary(&one).await), failure(faces.wire.account_summary(&other).await)),
            (failure(faces.in_process.password_policy(&one).await), failure(faces.wire.password_policy(&other).await)),
            (
                failure(faces.in_process.alternate_contact(&one, ContactType::Billing).await),
                failure(faces.wire.alternate_contact(&other, ContactType::Billing).await),
            ),
        ];
        for (one, other) in pairs {
            assert_eq!(one, other, "account {index}");
            read += usize::from(one.is_none());
            garbled += usize::from(one.is_some());
        }
    }
    assert!(read > 20 && garbled > 5, "{read} {garbled}");
}

/// Kind and code of a failure that tells the first bytes of what came.
fn failure<T>(answered: Answered<T>) -> Option<(ErrorKind, String)> {
    let error = answered.err()?;
    assert!(error.message.contains(r#"it begins with "\x1f\x8b\x08"#), "{error}");
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Fatal, "InvalidAnswer"), "{error}");
    Some((error.kind, error.code))
}

#[tokio::test]
async fn refusals_by_account_session_and_moment_are_read_alike() {
    for fault in [
        HostileFault::ThrottlingStorms,
        HostileFault::DyingSessions,
        HostileFault::NeverComes,
        HostileFault::ExpiringReports,
        HostileFault::LateRoles,
        HostileFault::ClockSkew,
    ] {
        let faces = Faces::with(fault).await;
        for index in 1..=5 {
            let role = faces.role(index);
            let one = sweep_like(&faces.in_process, &role).await;
            assert_eq!(sweep_like(&faces.wire, &role).await, one, "{fault:?} in account {index}");
        }
    }
}

/// What becomes of the role and of the calls for a report, the second time after it may have expired.
async fn sweep_like<C: RoleBroker + AccountIam>(cloud: &C, role: &AssumeRole) -> Vec<Outcome> {
    let session = match cloud.assume_role(role).await {
        Ok(answer) => Session::Role(Arc::new(answer.value)),
        Err(error) => return vec![outcome::<()>(Err(error))],
    };
    vec![
        outcome(cloud.generate_report(&session).await),
        outcome(cloud.fetch_report(&session).await),
        outcome(cloud.fetch_report(&session).await),
        outcome(cloud.generate_report(&session).await),
        outcome(cloud.fetch_report(&session).await),
    ]
}
