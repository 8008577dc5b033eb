//! What patience is for, and where it ends: servers that never come to an end, endpoints that nobody reaches, credentials
//! that fail for a moment.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use orgsweep_core::{AccountId, Call, ErrorKind, Snapshot, Source, Sources};
use orgsweep_lake::Journal;
use orgsweep_sweep::{Progress, Selection, SweepError, survey};
use tokio::time::Instant;

use crate::faulty::{Break, Fault, Request};
use crate::organization::{Attempt, Organization};

/// Breaks each request for which `of` says how.
fn breaking(of: impl Fn(Request) -> Option<Break> + Send + Sync + 'static) -> Fault {
    Arc::new(of)
}

/// An attempt at an organization of so many members, behind a fault.
fn attempt(members: u32, optional: Sources, fault: Fault) -> Attempt {
    let organization = Organization::with(|settings| settings.accounts = members);
    Attempt { fault: Some(fault), optional, ..Attempt::new(&organization) }
}

/// Sweeps; how long that took, and what the journal then says of each account that was opened.
async fn sweep(attempt: &Attempt) -> (Duration, Vec<Snapshot>) {
    let began = Instant::now();
    attempt.sweep().await.expect("the organization can be swept");
    let took = began.elapsed();
    let journal = Journal::open(&attempt.lake(), &attempt.run.run_id).await.expect("the store answers");
    let mut merged = journal.merged().await.expect("the journal reads");
    let mut snapshots = Vec::new();
    while let Some(row) = merged.next().await.expect("the journal reads") {
        snapshots.push(row.entry().expect("the entry reads").snapshot);
    }
    snapshots.retain(|snapshot| snapshot.role.value().is_some());
    assert!(snapshots.len() > 5, "{} accounts were opened", snapshots.len());
    (took, snapshots)
}

/// The codes with which this source was not read.
fn gaps(snapshots: &[Snapshot], of: Source) -> Vec<&str> {
    let gaps = snapshots.iter().flat_map(Snapshot::gaps);
    gaps.filter_map(|(source, _, code)| (source == of).then_some(code)).collect()
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_nobody_reaches_costs_every_account_its_source_and_not_the_run() {
    let fault = breaking(|request| {
        let unreached = Break::Error(ErrorKind::Transient, "ConnectionFailed");
        (request.call == Call::GetAlternateContact).then_some(unreached)
    });
    let attempt = attempt(400, Sources::NONE, fault);
    let (took, snapshots) = sweep(&attempt).await;
    assert!(took < Duration::from_mins(3), "{took:?}");
    let lost = gaps(&snapshots, Source::SecurityContact);
    assert_eq!(lost.iter().filter(|code| **code == "ConnectionFailed").count(), snapshots.len());
    assert!(gaps(&snapshots, Source::CredentialReport).len() * 10 < snapshots.len());
    // Once it is known that nobody gets through, each account tries once.
    let tried: Vec<u32> = snapshots
        .iter()
        .flat_map(|it| &it.calls)
        .filter(|it| it.call.ends_with("SECURITY"))
        .map(|it| it.attempts)
        .collect();
    assert!(tried.iter().filter(|attempts| **attempts == 1).count() * 2 > tried.len(), "{tried:?}");
    let coverage = attempt.commit().await.coverage;
    assert_eq!((coverage.swept, coverage.partial), (0, snapshots.len() as u64), "{coverage:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_names_the_same_page_for_ever_is_not_read_for_ever() {
    let fault = breaking(|request| {
        let endless = matches!(request.call, Call::ListVirtualMFADevices | Call::ListTagsForResource);
        endless.then_some(Break::SamePage)
    });
    let tags = [Source::AccountTags].into_iter().collect();
    let (took, snapshots) = sweep(&attempt(12, tags, fault)).await;
    assert!(took < Duration::from_mins(1), "{took:?}");
    for source in [Source::VirtualMfaDevices, Source::AccountTags] {
        let lost = gaps(&snapshots, source);
        assert!(lost.len() > 1 && lost.iter().all(|code| *code == "RepeatedPage"), "{source}: {lost:?}");
        let calls = snapshots.iter().flat_map(|it| &it.calls).filter(|call| call.call == source.call().action());
        for call in calls {
            assert_eq!(
                (call.outcome.as_str(), call.code.as_deref(), call.attempts),
                ("fatal", Some("RepeatedPage"), 2)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_organization_whose_list_comes_to_no_end_is_told_and_not_listed_for_ever() {
    for (page, code) in [(Break::SamePage, "RepeatedPage"), (Break::NewPage, "EndlessList")] {
        // The first page is as it should be, so that there are accounts to visit.
        let listed = AtomicU32::new(0);
        let fault = breaking(move |request| {
            let lists = request.call == Call::ListAccounts && listed.fetch_add(1, Ordering::Relaxed) > 0;
            lists.then_some(page)
        });
        let attempt = attempt(30, Sources::NONE, fault);
        let swept = attempt.sweep().await.expect_err("the list has no end");
        let planned = survey(&*attempt.cloud(), &attempt.settings(), &Selection::default(), &Progress::default()).await;
        for error in [swept, planned.expect_err("the list has no end")] {
            let SweepError::NotListed { hint, source } = &error else { panic!("{error:?}") };
            assert_eq!((source.call, source.code.as_str()), (Call::ListAccounts, code));
            assert!(hint.contains("comes to no end; check AWS_ENDPOINT_URL"), "{hint}");
        }
        let plan = attempt.lake().read_plan(&attempt.run.run_id).await.expect("the store answers");
        assert!(plan.is_none(), "what did not end is no plan, so that nothing can be committed");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_hangs_an_account_has_one_deadline_and_says_so() {
    let hanging = [Call::ListAccountAliases, Call::GetLoginProfile, Call::GetCredentialReport];
    for hangs in hanging {
        let fault = breaking(move |request| (request.call == hangs).then_some(Break::Hang));
        let audit = Source::ROOT_AUDIT.into_iter().collect();
        let attempt = Attempt { account_deadline: Duration::from_secs(40), ..attempt(12, audit, fault) };
        let (took, snapshots) = sweep(&attempt).await;
        assert!((39..=42).contains(&took.as_secs()), "{hangs}: {took:?}");
        let late = snapshots.iter().filter(|it| it.gaps().iter().any(|(_, _, code)| *code == "AccountDeadline"));
        let members = snapshots.len() - usize::from(hangs == Call::GetLoginProfile);
        assert_eq!(late.count(), members, "{hangs}");
        if hangs == Call::ListAccountAliases {
            // What comes after it has no time of its own.
            let root = gaps(&snapshots, Source::RootSession);
            assert!(root.len() + 1 == members && root.iter().all(|code| *code == "AccountDeadline"), "{root:?}");
        }
        attempt.commit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_nobody_can_read_is_in_the_ledger_with_its_beginning() {
    let page = Break::Report("<html>the proxy's page");
    let fault = breaking(move |request| (request.call == Call::GetCredentialReport).then_some(page));
    let (_, snapshots) = sweep(&attempt(12, Sources::NONE, fault)).await;
    let calls = snapshots.iter().flat_map(|it| &it.calls).filter(|it| it.call == Call::GetCredentialReport.action());
    assert_eq!(calls.clone().count(), snapshots.len());
    // Some accounts deny the call.
    for call in calls.filter(|call| call.outcome != "denied") {
        assert_eq!((call.outcome.as_str(), call.code.as_deref()), ("fatal", Some("ReportNotRecognized")));
        assert!(call.message.as_ref().is_some_and(|told| told.contains("<html>the proxy")), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_comes_empty_is_fetched_again() {
    let seen = Mutex::new(HashSet::new());
    let once = breaking(move |request| {
        let first = request.call == Call::GetCredentialReport && seen.lock().unwrap().insert(request.account);
        first.then_some(Break::Report(""))
    });
    let (_, snapshots) = sweep(&attempt(12, Sources::NONE, once)).await;
    assert!(!gaps(&snapshots, Source::CredentialReport).contains(&"ReportEmpty"));
    let always = breaking(|request| (request.call == Call::GetCredentialReport).then_some(Break::Report(" ")));
    let (_, snapshots) = sweep(&attempt(12, Sources::NONE, always)).await;
    assert!(
        snapshots
            .iter()
            .flat_map(Snapshot::gaps)
            .any(|gap| gap == (Source::CredentialReport, "transient", "ReportEmpty"))
    );
}

#[tokio::test(start_paused = true)]
async fn callers_credentials_that_fail_for_half_a_minute_change_nothing() {
    let organization = Organization::with(|settings| settings.accounts = 12);
    let undisturbed = Attempt::new(&organization);
    undisturbed.sweep().await.expect("the organization can be swept");
    undisturbed.commit().await;
    for code in ["CredentialsUnavailable", "InvalidClientTokenId", "SignatureDoesNotMatch"] {
        let (failed, began) = (Arc::new(AtomicU32::new(0)), OnceLock::new());
        let counted = Arc::clone(&failed);
        let fault = breaking(move |request| {
            let by_caller = request.account.is_none() || request.call == Call::AssumeRole;
            let fails =
                by_caller && request.before > 10 && began.get_or_init(Instant::now).elapsed() < Duration::from_secs(30);
            counted.fetch_add(u32::from(fails), Ordering::Relaxed);
            fails.then_some(Break::Error(ErrorKind::Expired, code))
        });
        let attempt = Attempt { fault: Some(fault), ..Attempt::new(&organization) };
        attempt.sweep().await.expect("the credentials hold again");
        attempt.commit().await;
        assert!(failed.load(Ordering::Relaxed) > 3);
        assert!(attempt.table_bytes().await == undisturbed.table_bytes().await, "{code} left something behind");
    }
}

#[tokio::test(start_paused = true)]
async fn one_account_that_is_closed_after_it_was_opened_does_not_make_the_role_wrong() {
    // Eight accounts open, all others refuse; when the way in is to be proven, the account that is tried first refuses.
    let state = Mutex::new((Vec::<AccountId>::new(), None));
    let fault = breaking(move |request| {
        let account = request.account.filter(|_| request.call == Call::AssumeRole)?;
        let (asked, closed) = &mut *state.lock().unwrap();
        let refuses = if asked.contains(&account) {
            *closed.get_or_insert(account) == account
        } else {
            asked.push(account);
            asked.len() > 8
        };
        refuses.then_some(Break::Error(ErrorKind::Denied, "AccessDenied"))
    });
    let attempt = attempt(40, Sources::NONE, fault);
    attempt.sweep().await.expect("two others that were opened are still open");
    assert!(attempt.commit().await.coverage.failed > 20);
}
