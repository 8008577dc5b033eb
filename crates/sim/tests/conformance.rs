//! The in-process face against what AWS does: states, quotas, pages, refusals and expiry, in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by failing"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use orgsweep_cloud::{
    AccountContacts as _, AccountIam as _, Answered, ApiError, AssumeRole, AssumeRoot, Directory as _, ReportState,
    RoleBroker as _, RootIam as _, Session, role_arn, root_audit_policy_arn, session_policy,
};
use orgsweep_core::{Account, AccountId, ContactType, ErrorKind, OrganizationFeatures, Partition, Sources, Timestamp};
use orgsweep_sim::{
    Action, Mix, PerMille, Profile, ReportMaking, RoleStanding, SimCloud, SimSettings, Simulation, Unreadable,
};

fn settings() -> SimSettings {
    let unasked = Mix { fresh_report: PerMille(0), old_report: PerMille(0), ..Mix::default() };
    SimSettings { accounts: 100, users_per_account: 5, mix: unasked.readable(), ..SimSettings::default() }
}

fn cloud(settings: &SimSettings) -> SimCloud {
    SimCloud::new(Arc::new(Simulation::new(settings)))
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
    let account = cloud.simulation().model().account_id(index);
    Session::Role(Arc::new(cloud.assume_role(&role(account)).await.unwrap().value))
}

async fn refused(cloud: &SimCloud, request: AssumeRole) -> (ErrorKind, String) {
    let error = cloud.assume_role(&request).await.unwrap_err();
    (error.kind, error.code)
}

fn refusal<T: std::fmt::Debug>(answered: Answered<T>) -> (ErrorKind, String) {
    let ApiError { kind, code, request_id, .. } = answered.unwrap_err();
    assert!(request_id.is_some());
    (kind, code)
}

fn code(kind: ErrorKind, code: &str) -> (ErrorKind, String) {
    (kind, code.to_owned())
}

async fn list_all(cloud: &SimCloud) -> (Vec<Account>, usize) {
    let (mut accounts, mut empty_pages, mut token) = (Vec::new(), 0, None);
    loop {
        let page = cloud.list_accounts(token.as_deref()).await.unwrap().value;
        assert!(page.accounts.len() <= 20);
        empty_pages += usize::from(page.accounts.is_empty());
        accounts.extend(page.accounts);
        token = page.next_token;
        if token.is_none() {
            return (accounts, empty_pages);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_listing_holds_every_account_once_over_pages_of_which_some_are_empty() {
    let cloud = cloud(&settings());
    let (accounts, empty_pages) = list_all(&cloud).await;
    let ids: HashSet<AccountId> = accounts.iter().map(|account| account.id).collect();
    assert_eq!((accounts.len(), ids.len()), (101, 101));
    assert!(empty_pages >= 1);
    let caller = cloud.caller_identity().await.unwrap().value;
    let organization = cloud.describe_organization().await.unwrap().value;
    assert_eq!((caller.account_id, organization.management_account_id), (accounts[0].id, accounts[0].id));
    assert!(caller.arn.ends_with(":user/orgsweep"));
    assert_eq!(refusal(cloud.list_accounts(Some("20")).await), code(ErrorKind::Fatal, "InvalidInputException"));
}

#[tokio::test(start_paused = true)]
async fn an_instant_report_is_absent_then_started_then_there() {
    let cloud = cloud(&settings());
    let session = open(&cloud, 1).await;
    assert_eq!(refusal(cloud.fetch_report(&session).await), code(ErrorKind::Absent, "ReportNotPresent"));
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Started);
    let report = cloud.fetch_report(&session).await.unwrap().value;
    assert_eq!(report.content.split(|byte| *byte == b'\n').count(), 7);
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Complete);
    assert_eq!(cloud.fetch_report(&session).await.unwrap().value, report);
}

#[tokio::test(start_paused = true)]
async fn a_report_takes_its_time_and_is_made_anew_after_four_hours() {
    let cloud = cloud(&SimSettings { profile: Profile::aws(), ..settings() });
    let session = Session::Caller;
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Started);
    assert_eq!(refusal(cloud.fetch_report(&session).await), code(ErrorKind::NotReady, "ReportInProgress"));
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::InProgress);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let first = cloud.fetch_report(&session).await.unwrap().value;
    tokio::time::sleep(Duration::from_hours(4)).await;
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Started);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = cloud.fetch_report(&session).await.unwrap().value;
    assert!(second.generated_at.since(first.generated_at) >= Duration::from_hours(4));
    tokio::time::sleep(Duration::from_hours(25)).await;
    assert_eq!(refusal(cloud.fetch_report(&session).await), code(ErrorKind::Absent, "ReportExpired"));
}

#[tokio::test(start_paused = true)]
async fn with_a_fixed_time_every_new_report_is_made_at_that_time() {
    let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
    let cloud = cloud(&SimSettings { now: Some(now), profile: Profile::aws(), ..settings() });
    cloud.generate_report(&Session::Caller).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(cloud.fetch_report(&Session::Caller).await.unwrap().value.generated_at, now);
}

#[tokio::test(start_paused = true)]
async fn beyond_its_capacity_aws_refuses_to_make_more_reports() {
    let mut profile = Profile::aws();
    profile.reports = ReportMaking { capacity: Some(1), ..profile.reports };
    let cloud = cloud(&SimSettings { profile, ..settings() });
    let (one, two) = (open(&cloud, 1).await, open(&cloud, 2).await);
    assert!(cloud.generate_report(&one).await.is_ok());
    assert_eq!(refusal(cloud.generate_report(&two).await), code(ErrorKind::Throttled, "LimitExceeded"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(cloud.generate_report(&two).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn quotas_are_counted_where_aws_counts_them() {
    let cloud = cloud(&SimSettings { profile: Profile::aws(), ..settings() });
    let (one, two) = (open(&cloud, 1).await, open(&cloud, 2).await);
    let asked = (0..60).map(|_| {
        let (cloud, session) = (cloud.clone(), one.clone());
        tokio::spawn(async move { cloud.account_summary(&session).await })
    });
    let mut throttled = 0;
    for task in asked.collect::<Vec<_>>() {
        if let Err(error) = task.await.unwrap() {
            assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Throttled, "Throttling"));
            throttled += 1;
        }
    }
    assert_eq!(throttled, 40, "of 60 at once, the burst of 20 passes");
    assert!(cloud.account_summary(&two).await.is_ok(), "another account has a quota of its own");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(cloud.account_summary(&one).await.is_ok(), "the bucket fills again");
}

#[tokio::test(start_paused = true)]
async fn a_listing_as_fast_as_it_can_is_held_to_eight_pages_a_second() {
    let cloud = cloud(&SimSettings { profile: Profile::aws(), ..settings() });
    let mut throttled = 0;
    for _ in 0..10 {
        let pages = (0..12).map(|_| {
            let cloud = cloud.clone();
            tokio::spawn(async move { cloud.list_accounts(None).await.is_err() })
        });
        for page in pages.collect::<Vec<_>>() {
            throttled += usize::from(page.await.unwrap());
        }
    }
    assert!(throttled > 60, "{throttled}");
}

#[tokio::test(start_paused = true)]
async fn a_denied_role_a_closed_account_a_stranger_and_a_missing_role_all_look_the_same() {
    let certain = Mix { unreadable: Unreadable::default(), ..Mix::default() };
    let cloud = cloud(&SimSettings { mix: certain, ..settings() });
    let model = cloud.simulation().model();
    let denied = code(ErrorKind::Denied, "AccessDenied");
    let mut refusals = 0;
    for index in 1..model.accounts() {
        if model.standing(index).role != RoleStanding::Granted {
            assert_eq!(refused(&cloud, role(model.account_id(index))).await, denied);
            refusals += 1;
        }
    }
    assert!(refusals >= 2);
    assert_eq!(refused(&cloud, role(AccountId::parse("111122223333").unwrap())).await, denied);
    assert_eq!(refused(&cloud, role(model.account_id(0))).await, denied);
    let opened = (1..model.accounts()).find(|index| model.standing(*index).role == RoleStanding::Granted).unwrap();
    let other_role = AssumeRole {
        role_arn: role_arn(Partition::Aws, model.account_id(opened), "admin"),
        ..role(model.account_id(opened))
    };
    assert_eq!(refused(&cloud, other_role).await, denied);
}

#[tokio::test(start_paused = true)]
async fn an_external_id_is_asked_for_where_one_is_set() {
    let cloud = cloud(&SimSettings { external_id: Some("open sesame".to_owned()), ..settings() });
    let account = cloud.simulation().model().account_id(1);
    let with = |external_id: Option<&str>| AssumeRole { external_id: external_id.map(str::to_owned), ..role(account) };
    let denied = code(ErrorKind::Denied, "AccessDenied");
    assert_eq!(refused(&cloud, with(None)).await, denied);
    assert_eq!(refused(&cloud, with(Some("open barley"))).await, denied);
    assert!(cloud.assume_role(&with(Some("open sesame"))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn parameters_that_no_role_can_be_assumed_with_are_refused() {
    let cloud = cloud(&settings());
    let request = role(cloud.simulation().model().account_id(1));
    let invalid = code(ErrorKind::Fatal, "ValidationError");
    for seconds in [899, 3601, 43_201] {
        let request = AssumeRole { duration: Duration::from_secs(seconds), ..request.clone() };
        assert_eq!(refused(&cloud, request).await, invalid, "{seconds} s");
    }
    for session_name in ["x", "with blank", &"x".repeat(65)] {
        let request = AssumeRole { session_name: session_name.to_owned(), ..request.clone() };
        assert_eq!(refused(&cloud, request).await, invalid, "{session_name}");
    }
    let long = AssumeRole { policy: " ".repeat(2049).into(), ..request.clone() };
    assert_eq!(refused(&cloud, long).await, invalid);
    let malformed = AssumeRole { policy: "{}".into(), ..request };
    assert_eq!(refused(&cloud, malformed).await, code(ErrorKind::Fatal, "MalformedPolicyDocument"));
}

#[tokio::test(start_paused = true)]
async fn a_session_policy_cuts_what_the_role_allows() {
    let cloud = cloud(&settings());
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetAccount*","Resource":"*"}}"#;
    let request = AssumeRole { policy: policy.into(), ..role(cloud.simulation().model().account_id(1)) };
    let session = Session::Role(Arc::new(cloud.assume_role(&request).await.unwrap().value));
    assert!(cloud.account_summary(&session).await.is_ok());
    assert_eq!(refusal(cloud.account_alias(&session).await), code(ErrorKind::Denied, "AccessDenied"));
    let contact = cloud.alternate_contact(&session, ContactType::Security).await;
    assert_eq!(refusal(contact), code(ErrorKind::Denied, "AccessDeniedException"));
}

#[tokio::test(start_paused = true)]
async fn a_service_control_policy_denies_one_call_and_leaves_the_others() {
    let all_denied = Unreadable { call_denied: PerMille(1000), ..Unreadable::NONE };
    let cloud = cloud(&SimSettings { mix: Mix { unreadable: all_denied, ..Mix::default() }, ..settings() });
    let model = cloud.simulation().model();
    for index in 1..=10 {
        let session = open(&cloud, index).await;
        let denied = model.standing(index).denied_calls.iter().next().unwrap().name();
        let answers = [
            ("iam:GetAccountSummary", cloud.account_summary(&session).await.err()),
            ("iam:GetAccountPasswordPolicy", cloud.password_policy(&session).await.err()),
            ("iam:ListVirtualMFADevices", cloud.virtual_mfa_devices(&session, None).await.err()),
            ("iam:ListAccountAliases", cloud.account_alias(&session).await.err()),
            ("account:GetAlternateContact", cloud.alternate_contact(&session, ContactType::Billing).await.err()),
        ];
        for (action, error) in answers {
            let kind = error.map(|error| error.kind);
            assert_eq!(kind, (action == denied).then_some(ErrorKind::Denied), "{action} in account {index}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_belong_to_one_account_and_run_out() {
    let cloud = cloud(&settings());
    let account = cloud.simulation().model().account_id(1);
    let one = cloud.assume_role(&role(account)).await.unwrap().value;
    let two = cloud.assume_role(&role(cloud.simulation().model().account_id(2))).await.unwrap().value;
    let mixed = orgsweep_cloud::Credentials { session_token: two.session_token, ..one.clone() };
    let answered = cloud.account_summary(&Session::Role(Arc::new(mixed))).await;
    assert_eq!(refusal(answered), code(ErrorKind::Expired, "InvalidClientTokenId"));
    let session = Session::Role(Arc::new(one));
    tokio::time::sleep(Duration::from_secs(890)).await;
    assert!(cloud.account_summary(&session).await.is_ok());
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(refusal(cloud.account_summary(&session).await), code(ErrorKind::Expired, "ExpiredToken"));
    let contact = cloud.alternate_contact(&session, ContactType::Security).await;
    assert_eq!(refusal(contact), code(ErrorKind::Expired, "ExpiredTokenException"));
}

#[tokio::test(start_paused = true)]
async fn every_account_answers_with_the_models_facts() {
    let cloud = cloud(&SimSettings { users_per_account: 150, ..settings() });
    let model = cloud.simulation().model();
    for index in 0..=100 {
        let session = if index == 0 { Session::Caller } else { open(&cloud, index).await };
        let posture = model.posture(index);
        let summary = cloud.account_summary(&session).await.unwrap().value;
        assert_eq!(summary.users, Some(150));
        assert_eq!(summary.root_mfa_enabled, Some(posture.root.has_mfa));
        assert_eq!(summary.root_password_present.is_some(), posture.root.password_is_said);
        assert_eq!(cloud.password_policy(&session).await.unwrap().value, posture.password_policy);
        assert_eq!(cloud.account_alias(&session).await.unwrap().value, posture.alias);
        let (mut has_root_device, mut marker) = (false, None);
        loop {
            let page = cloud.virtual_mfa_devices(&session, marker.as_deref()).await.unwrap().value;
            has_root_device |= page.has_root_device;
            marker = page.next_marker;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(has_root_device, posture.root.has_virtual_mfa);
        for (contact, facts) in ContactType::ALL.into_iter().zip(&posture.contacts) {
            let found = cloud.alternate_contact(&session, contact).await.unwrap().value;
            assert_eq!(found.and_then(|found| found.email), facts.as_ref().map(|facts| facts.email.clone()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_from_before_is_served_without_asking_for_one() {
    let mix = Mix { fresh_report: PerMille(1000), ..Mix::default() }.readable();
    let cloud = cloud(&SimSettings { mix, ..settings() });
    let session = open(&cloud, 3).await;
    let report = cloud.fetch_report(&session).await.unwrap().value;
    assert_eq!(Some(report.generated_at), cloud.simulation().model().earlier_report(3));
    assert_eq!(cloud.generate_report(&session).await.unwrap().value, ReportState::Complete);
    assert_eq!(cloud.fetch_report(&session).await.unwrap().value, report);
}

fn root(account: AccountId) -> AssumeRoot {
    AssumeRoot { account, task_policy_arn: root_audit_policy_arn(Partition::Aws), duration: Duration::from_mins(15) }
}

#[tokio::test(start_paused = true)]
async fn a_root_session_tells_of_root_credentials_and_of_nothing_else() {
    let cloud = cloud(&settings());
    let model = cloud.simulation().model();
    for index in 1..=100 {
        let opened = cloud.assume_root(&root(model.account_id(index))).await.unwrap().value;
        let session = Session::Role(Arc::new(opened));
        let facts = model.root_facts(index);
        assert_eq!(cloud.root_has_password(&session).await.unwrap().value, facts.has_password);
        assert_eq!(cloud.root_access_keys(&session).await.unwrap().value.is_empty(), !facts.has_access_key);
        let devices = cloud.root_mfa_devices(&session).await.unwrap().value;
        assert_eq!(!devices.is_empty(), facts.has_mfa);
        assert_eq!(devices.iter().any(|serial| serial.contains(":mfa/")), facts.has_virtual_mfa);
        let certificates = cloud.root_signing_certificates(&session).await.unwrap().value;
        assert_eq!(certificates > 0, facts.has_certificate);
        let summary = cloud.account_summary(&session).await;
        assert_eq!(refusal(summary), code(ErrorKind::Denied, "AccessDenied"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_root_session_needs_a_member_the_feature_and_the_callers_credentials() {
    let cloud = cloud(&settings());
    let model = cloud.simulation().model();
    let denied = code(ErrorKind::Denied, "AccessDenied");
    assert_eq!(refusal(cloud.assume_root(&root(model.account_id(0))).await), denied);
    assert_eq!(refusal(cloud.assume_root(&root(AccountId::from_number(7))).await), denied);
    let other_task =
        AssumeRoot { task_policy_arn: "arn:aws:iam::aws:policy/x".to_owned(), ..root(model.account_id(1)) };
    assert_eq!(refusal(cloud.assume_root(&other_task).await), code(ErrorKind::Fatal, "ValidationError"));
    let scanner = open(&cloud, 1).await;
    assert_eq!(refusal(cloud.root_mfa_devices(&scanner).await), code(ErrorKind::Denied, "AccessDenied"));

    let features = OrganizationFeatures::default();
    let without = self::cloud(&SimSettings { features, ..settings() });
    assert_eq!(without.organization_features().await.unwrap().value, features);
    let refused = without.assume_root(&root(model.account_id(1))).await.unwrap_err();
    assert!(refused.message.contains("Root credentials management feature is not enabled"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn tags_come_page_by_page() {
    let cloud = cloud(&settings());
    let model = cloud.simulation().model();
    let mut pages = 0;
    for index in 0..=100 {
        let (mut tags, mut token) = (Vec::new(), None);
        loop {
            let page = cloud.account_tags(model.account_id(index), token.as_deref()).await.unwrap().value;
            tags.extend(page.tags);
            token = page.next_token;
            pages += 1;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(tags, model.tags(index));
    }
    assert!(pages > 110, "{pages}");
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_a_user_have_ids_and_a_deleted_user_has_none() {
    let mix = Mix { fresh_report: PerMille(1000), changed_since_report: PerMille(1000), ..Mix::default() }.readable();
    let cloud = cloud(&SimSettings { mix, ..settings() });
    let model = cloud.simulation().model();
    let mut deleted = 0;
    for index in 1..=100 {
        let account = model.account_id(index);
        let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}"#;
        let request = AssumeRole { policy: policy.into(), ..role(account) };
        let session = Session::Role(Arc::new(cloud.assume_role(&request).await.unwrap().value));
        for user in model.users(index).into_iter().filter(|user| !user.is_root) {
            let listed = cloud.access_keys(&session, &user.name).await.unwrap().value;
            let expected = user.is_there().then(|| user.keys.iter().flatten().count());
            assert_eq!(listed.map(|keys| keys.len()), expected);
            deleted += usize::from(!user.is_there());
        }
        let users = model.users(index).iter().filter(|user| !user.is_root && user.is_there()).count();
        assert_eq!(cloud.account_summary(&session).await.unwrap().value.users, i64::try_from(users).ok());
    }
    assert!(deleted > 10, "{deleted}");
}

#[tokio::test(start_paused = true)]
async fn an_action_can_be_denied_in_a_share_of_the_members() {
    let denied = vec![(Action::GetAccountPasswordPolicy, PerMille(200))];
    let mix = Mix { unreadable: Unreadable { denied, ..Unreadable::NONE }, ..Mix::default() };
    let cloud = cloud(&SimSettings { accounts: 1000, mix, ..settings() });
    let model = cloud.simulation().model();
    let is_denied = |index: &u32| model.standing(*index).denied_calls.contains(Action::GetAccountPasswordPolicy);
    assert!((150..250).contains(&(1..=1000).filter(is_denied).count()));
    assert!(!is_denied(&0), "service control policies do not touch the management account");
}
