//! What a run takes over from an earlier one: accounts to begin with, and reports that AWS cannot have replaced.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use orgsweep_core::{AccountId, Run, RunId, table};
use orgsweep_lake::Commit;

use crate::organization::{Attempt, Organization};

/// As long as AWS serves a report without making another.
const NOT_REPLACED_FOR: Duration = Duration::from_hours(4);

#[tokio::test(start_paused = true)]
async fn what_the_list_does_not_confirm_is_left_out_of_a_warm_start_and_what_is_new_joins() {
    let cold = Attempt::new(&crate::aws(60));
    let plan = cold.sweep().await.expect("the organization can be swept").plan;
    cold.commit().await;
    let mut warm: Vec<_> = plan.asked().collect();
    let mut gone = warm.remove(5);
    gone.id = AccountId::from_number(9);
    warm.push(gone);
    warm[7].name = Some("its name of yesterday".to_owned());
    let attempt = Attempt { warm, ..Attempt::new(&crate::aws(60)) };
    attempt.sweep().await.expect("the organization can be swept");
    attempt.commit().await;
    assert!(attempt.table_bytes().await == cold.table_bytes().await, "a warm start reads other facts");
}

/// The rows of a run's credentials, each without where it came from; and where each came from.
async fn credentials(attempt: &Attempt, commit: &Commit) -> (Vec<RecordBatch>, Vec<Option<String>>) {
    let (mut rows, mut from) = (Vec::new(), Vec::new());
    let mut table = attempt.lake().rows(commit, table::credentials());
    while let Some(mut batch) = table.next().await.expect("the table reads") {
        let last = batch.remove_column(batch.num_columns() - 1);
        from.extend(last.as_string::<i32>().iter().map(|run| run.map(str::to_owned)));
        rows.extend((0..batch.num_rows()).map(|row| batch.slice(row, 1)));
    }
    (rows, from)
}

/// Sweeps the organization again into the same lake, carrying over what is younger than `age`.
async fn sweep_again(
    organization: &Organization,
    last: (&Attempt, &Commit),
    salt: u32,
    age: Duration,
) -> (Attempt, Commit) {
    let (last, commit) = last;
    let as_of = last.run.as_of;
    let mut carried = last.lake().whole_reports(commit).await.expect("the table reads");
    carried.retain(|_, report| report.generated_at > as_of.minus(age));
    let run = Run { run_id: RunId::new(as_of, salt), carry_from: Some(commit.run_id.clone()), ..last.run.clone() };
    let attempt =
        Attempt { run, carried: Arc::new(carried), store: Arc::clone(&last.store), ..Attempt::new(organization) };
    attempt.sweep().await.expect("the organization can be swept");
    let commit = attempt.commit().await;
    (attempt, commit)
}

#[tokio::test(start_paused = true)]
async fn reports_that_cannot_have_been_replaced_are_carried_over_and_say_so() {
    let organization = crate::aws(60);
    let first = Attempt::new(&organization);
    first.sweep().await.expect("the organization can be swept");
    let commit = first.commit().await;
    let (fetched, from) = credentials(&first, &commit).await;
    assert!(from.iter().all(Option::is_none) && fetched.len() > 300, "{} rows", fetched.len());

    let (second, second_commit) = sweep_again(&organization, (&first, &commit), 2, NOT_REPLACED_FOR).await;
    let (carried, from) = credentials(&second, &second_commit).await;
    assert!(carried == fetched, "a report that is carried over is another one");
    assert!(from.iter().all(|from| from.as_deref() == Some(first.run.run_id.as_str())), "{from:?}");
    let (before, after) = (first.progress.tally().requests, second.progress.tally().requests);
    assert!(after + 50 < before, "{after} requests instead of {before}");

    // Carried over twice, a row still names the run that read it.
    let (third, third_commit) = sweep_again(&organization, (&second, &second_commit), 3, NOT_REPLACED_FOR).await;
    assert!(credentials(&third, &third_commit).await == (carried, from));
}

#[tokio::test(start_paused = true)]
async fn reports_that_may_have_been_replaced_are_fetched() {
    let organization = crate::aws(60);
    let first = Attempt::new(&organization);
    first.sweep().await.expect("the organization can be swept");
    let commit = first.commit().await;
    let (second, commit) = sweep_again(&organization, (&first, &commit), 2, Duration::from_mins(30)).await;
    let (_, from) = credentials(&second, &commit).await;
    let carried = from.iter().flatten().count();
    assert!(carried > 0 && carried < from.len(), "{carried} of {} rows are carried over", from.len());
}

#[tokio::test(start_paused = true)]
async fn a_report_without_rows_is_fetched_since_there_is_nothing_to_carry_over() {
    let organization = crate::aws(30);
    let first = Attempt::new(&organization);
    first.sweep().await.expect("the organization can be swept");
    let commit = first.commit().await;
    let as_of = first.run.as_of;
    let mut carried = first.lake().whole_reports(&commit).await.expect("it reads");
    for facts in carried.values_mut() {
        facts.rows = 0;
    }
    assert!(carried.len() > 10);
    let run = Run { run_id: RunId::new(as_of, 2), carry_from: Some(commit.run_id.clone()), ..first.run.clone() };
    let carried = Arc::new(carried);
    let second = Attempt { run, carried, store: Arc::clone(&first.store), ..Attempt::new(&organization) };
    second.sweep().await.expect("the organization can be swept");
    let commit = second.commit().await;
    let (rows, from) = credentials(&second, &commit).await;
    assert!(from.iter().all(Option::is_none) && rows.len() > 100, "{} rows", rows.len());
}
