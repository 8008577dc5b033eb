//! One run swept by several workers: the same bytes as one worker's, whoever sees what first.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use orgsweep_core::{AccountId, Call, ErrorKind, Plan, Source, Sources};
use orgsweep_sweep::{Share, SweepError};
use tokio::time::Instant;

use crate::aws;
use crate::faulty::{Break, Fault};
use crate::organization::{Attempt, Organization};

fn share(number: u32, of: u32) -> Share {
    Share::new(number, of).expect("there is such a share")
}

/// A worker of the run that `first` began.
fn worker(organization: &Organization, first: &Attempt, share: Share, seed: u64) -> Attempt {
    Attempt {
        store: Arc::clone(&first.store),
        share,
        seed,
        worker: format!("worker-{seed}"),
        fault: first.fault.clone(),
        optional: first.optional,
        ..Attempt::new(organization)
    }
}

/// The bytes of the run that one worker sweeps alone.
async fn undisturbed(organization: &Organization) -> Vec<(String, Vec<u8>)> {
    let attempt = Attempt::new(organization);
    attempt.sweep().await.expect("the organization can be swept");
    attempt.commit().await;
    attempt.table_bytes().await
}

fn accounts_of(share: Share, plan: &Plan) -> HashSet<AccountId> {
    share.of_plan(plan).map(|account| account.id).collect()
}

/// This call is denied in these accounts.
fn denied(call: Call, accounts: HashSet<AccountId>) -> Fault {
    Arc::new(move |request| {
        let is_denied = request.call == call && request.account.is_some_and(|account| accounts.contains(&account));
        is_denied.then_some(Break::Error(ErrorKind::Denied, "AccessDenied"))
    })
}

#[tokio::test(start_paused = true)]
async fn three_workers_at_once_come_to_the_bytes_of_one() {
    let expected = undisturbed(&aws(60)).await;
    let organization = aws(60);
    let first = Attempt::new(&organization);
    first.plan().await;
    let workers: Vec<_> = (1..=3).map(|it| worker(&organization, &first, share(it, 3), it.into())).collect();
    for swept in join_all(workers.iter().map(Attempt::sweep)).await {
        swept.expect("the share can be swept");
    }
    first.commit().await;
    assert!(first.table_bytes().await == expected, "three workers differ from one");
}

#[tokio::test(start_paused = true)]
async fn two_workers_on_one_share_lose_and_double_nothing() {
    let expected = undisturbed(&aws(60)).await;
    let organization = aws(60);
    let first = Attempt::new(&organization);
    let plan = first.plan().await;
    let shares = [share(1, 2), share(1, 2), share(2, 2)];
    let workers: Vec<_> = (1..).zip(shares).map(|(seed, share)| worker(&organization, &first, share, seed)).collect();
    for swept in join_all(workers.iter().map(Attempt::sweep)).await {
        swept.expect("the share can be swept");
    }
    let done: u64 = workers.iter().map(|worker| worker.progress.tally().done()).sum();
    assert_eq!(done, (plan.asked().count() + accounts_of(shares[0], &plan).len()) as u64);
    first.commit().await;
    assert!(first.table_bytes().await == expected, "two workers on one share differ from one");
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_stopped_is_gone_on_with_while_the_others_run() {
    let expected = undisturbed(&aws(60)).await;
    for millis in [100, 1_000, 2_000] {
        let organization = aws(60);
        let first = Attempt::new(&organization);
        first.plan().await;
        let [stopped, again, other] =
            [(1, 1), (1, 2), (2, 3)].map(|(number, seed)| worker(&organization, &first, share(number, 2), seed));
        let one = async {
            let ended = stopped.sweep_until(Duration::from_millis(millis)).await;
            assert!(matches!(ended, Err(SweepError::Stopped)), "{millis} ms: {ended:?}");
            again.sweep().await
        };
        let (one, other) = tokio::join!(one, other.sweep());
        one.and(other).expect("both shares can be swept");
        first.commit().await;
        assert!(first.table_bytes().await == expected, "stopped after {millis} ms, the lake differs");
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_in_which_every_account_refuses_is_no_reason_to_call_the_role_wrong() {
    let organization = aws(60);
    let planned = Attempt::new(&organization).plan().await;
    let refusing = share(2, 3);
    let fault = denied(Call::AssumeRole, accounts_of(refusing, &planned));
    // The worker is the first one, the last one, and one among others.
    for order in [vec![vec![2], vec![1, 3]], vec![vec![1, 3], vec![2]], vec![vec![1, 2, 3]]] {
        let first = Attempt { fault: Some(Arc::clone(&fault)), ..Attempt::new(&organization) };
        let plan = first.plan().await;
        for together in &order {
            let workers: Vec<_> =
                together.iter().map(|it| worker(&organization, &first, share(*it, 3), (*it).into())).collect();
            for swept in join_all(workers.iter().map(Attempt::sweep)).await {
                swept.unwrap_or_else(|error| panic!("{order:?}: {error:?}"));
            }
        }
        let coverage = first.commit().await.coverage;
        let own = u64::from(accounts_of(refusing, &plan).contains(&organization.management_account()));
        assert!(coverage.failed >= accounts_of(refusing, &plan).len() as u64 - own, "{coverage:?}");
        assert!(coverage.swept > 20, "{coverage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_have_opened_shows_that_the_role_works() {
    let organization = aws(60);
    let planned = Attempt::new(&organization).plan().await;
    // Only two accounts open at all, so that a worker is not likely to come upon them by itself.
    let mut refusing: HashSet<AccountId> = planned.asked().map(|account| account.id).collect();
    let opening: Vec<AccountId> = share(3, 3).of_plan(&planned).map(|account| account.id).skip(3).take(2).collect();
    refusing.retain(|account| !opening.contains(account));
    let first = Attempt { fault: Some(denied(Call::AssumeRole, refusing)), ..Attempt::new(&organization) };
    let plan = first.plan().await;
    let workers: Vec<_> = (1..=3).map(|it| worker(&organization, &first, share(it, 3), it.into())).collect();
    let swept = join_all(workers.iter().map(Attempt::sweep)).await;
    // Whoever was through before the two were journalled could not know; the same command then goes on.
    for (worker, swept) in workers.iter().zip(swept) {
        if let Err(error) = swept {
            assert!(matches!(error, SweepError::NoMemberOpened { .. }), "{error:?}");
            worker.sweep().await.expect("by now somebody has opened an account");
        }
    }
    let coverage = first.commit().await.coverage;
    assert_eq!(coverage.failed + coverage.skipped + 3, plan.accounts.len() as u64, "{coverage:?}");
}

#[tokio::test(start_paused = true)]
async fn where_the_role_is_nowhere_every_share_says_so_and_settles_nothing() {
    let organization = aws(30);
    let first = Attempt::new(&organization);
    let plan = first.plan().await;
    for number in 1..=2 {
        let wrong = Attempt { role: "no-such-role".to_owned(), ..worker(&organization, &first, share(number, 2), 1) };
        let refused = wrong.sweep().await.expect_err("no member can be opened");
        assert!(matches!(refused, SweepError::NoMemberOpened { .. }), "{refused:?}");
        let right = worker(&organization, &first, share(number, 2), 2);
        right.sweep().await.expect("with the right role the share goes on");
        let own = accounts_of(share(number, 2), &plan).contains(&organization.management_account());
        assert_eq!(right.progress.tally().earlier, u64::from(own), "only the caller's own account was settled");
    }
    first.commit().await;
}

#[tokio::test(start_paused = true)]
async fn a_share_that_grants_no_root_session_looks_at_others_before_the_caller_is_told() {
    let audit: Sources = Source::ROOT_AUDIT.into_iter().collect();
    let organization = aws(60);
    let planned = Attempt::new(&organization).plan().await;
    let refusing = share(2, 3);
    let everywhere = planned.asked().map(|account| account.id).collect();
    let first =
        Attempt { fault: Some(denied(Call::AssumeRoot, everywhere)), optional: audit, ..Attempt::new(&organization) };
    first.plan().await;
    let refused = worker(&organization, &first, refusing, 4).sweep().await.expect_err("no root session is granted");
    assert!(matches!(refused, SweepError::NoRootSession { .. }), "{refused:?}");

    let elsewhere = denied(Call::AssumeRoot, accounts_of(refusing, &planned));
    let first = Attempt { fault: Some(elsewhere), ..first };
    // The refusing share comes first, so that no journal shows it anything.
    for number in [2, 1, 3] {
        let swept = worker(&organization, &first, share(number, 3), number.into()).sweep().await;
        swept.unwrap_or_else(|error| panic!("share {number}: {error:?}"));
    }
    first.commit().await;
}

#[tokio::test(start_paused = true)]
async fn a_share_of_a_plan_that_is_not_there_is_refused() {
    let organization = aws(10);
    let attempt = Attempt { share: share(1, 2), ..Attempt::new(&organization) };
    assert!(matches!(attempt.sweep().await, Err(SweepError::NoPlan)));
}

#[tokio::test(start_paused = true)]
async fn a_share_keeps_to_its_part_of_the_quotas() {
    let organization = aws(2_000);
    let first = Attempt::new(&organization);
    let plan = first.plan().await;
    let hundredth = worker(&organization, &first, share(7, 100), 1);
    let started = Instant::now();
    hundredth.sweep().await.expect("the share can be swept");
    // Half of 600 AssumeRole a second, for a hundred workers, is three for each.
    let asked = u32::try_from(accounts_of(share(7, 100), &plan).len()).expect("it is a small share");
    assert!(started.elapsed() >= Duration::from_secs(u64::from(asked - 1)) / 3, "{:?}", started.elapsed());
}
