//! What a run takes over from an earlier one: reports that AWS cannot have replaced, and the accounts to begin with.

use std::collections::HashMap;
use std::time::Duration;

use orgsweep_core::{Account, AccountId, Decision, Plan, ReportFacts, Run, RunId, Timestamp};
use orgsweep_lake::{Commit, Lake, LakeError, LakeErrorKind};
use tracing::{info, warn};

use crate::discover::Selection;

/// AWS makes a credential report every four hours at most.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
const NOT_REPLACED_FOR: Duration = Duration::from_hours(4);

/// The accounts of an earlier plan that this selection would ask too.
#[must_use]
pub fn warm_of_plan(plan: &Plan, selection: &Selection) -> Vec<Account> {
    let accounts = plan.accounts.iter().map(|planned| planned.account);
    accounts.filter(|account| selection.decide(account) == Decision::Ask).collect()
}

/// The reports that a process which begins `now` carries over. A run that is gone on with is judged anew.
///
/// # Errors
/// The lake fails.
pub async fn carried_reports(
    lake: &Lake,
    run: &Run,
    now: Timestamp,
) -> Result<HashMap<AccountId, ReportFacts>, LakeError> {
    let Some(run_id) = &run.carry_from else { return Ok(HashMap::new()) };
    let (mut reports, last) = match last_reports(lake, run_id).await {
        Ok(last) => last,
        Err(error) if matches!(error.kind(), LakeErrorKind::NotFound | LakeErrorKind::Corrupt) => {
            warn!(from = %run_id, %error, "no more reports are carried over from this run: the others are fetched");
            return Ok(HashMap::new());
        }
        Err(error) => return Err(error),
    };
    let newest = reports.values().map(|report| report.generated_at).max();
    let latest = last.now(newest, now).max(run.as_of);
    let oldest = latest.minus(NOT_REPLACED_FOR);
    let of_last = reports.len();
    // One from the future would never grow old.
    reports.retain(|_, report| report.generated_at > oldest && report.generated_at <= latest);
    info!(from = %run_id, reports = reports.len(), of = of_last, "reports that AWS cannot have replaced are carried over");
    Ok(reports)
}

/// The whole reports of a committed run, and its clocks.
async fn last_reports(lake: &Lake, run_id: &RunId) -> Result<(HashMap<AccountId, ReportFacts>, Clocks), LakeError> {
    let run = lake.read_run(run_id).await?;
    let Some(commit) = lake.read_commit(run_id).await? else { return Err(lake.not_committed(run_id)) };
    let Commit { as_of, committed_at, .. } = commit;
    let clocks = Clocks { as_of, started_at: run.started_at, committed_at };
    Ok((lake.whole_reports(&commit).await?, clocks))
}

/// When a run was made: by the clock, and by the time that it was told to judge by.
///
/// As a rule the two are one. They are not where somebody sweeps a simulated organization whose time stands still, which
/// lies in the past or in the future of the clock; there the age of a report is that by `as_of`, and what the clock has
/// counted since. Nor where somebody judges a real organization by another time; there the clock alone is right.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    as_of: Timestamp,
    started_at: Timestamp,
    committed_at: Timestamp,
}

impl Clocks {
    /// What time it is `now` where the reports were made, of which the newest one is given.
    fn now(self, newest: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let Self { as_of, started_at, committed_at } = self;
        let differ = as_of.since(started_at).max(started_at.since(as_of)) > NOT_REPLACED_FOR;
        // AWS makes no report after the run that reads it: then `as_of` was not its time.
        let is_possible = newest.is_none_or(|newest| newest <= as_of.plus(committed_at.since(started_at)));
        if differ && is_possible { as_of.plus(now.since(started_at)) } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + hours * 3_600_000)
    }

    /// A run that took an hour, begun at hour 0 and judged by `as_of`.
    fn clocks(as_of: i64) -> Clocks {
        Clocks { as_of: hours(as_of), started_at: hours(0), committed_at: hours(1) }
    }

    #[test]
    fn a_report_grows_old_by_the_clock_whatever_a_run_judges_by() {
        let now = |as_of, newest, now| clocks(as_of).now(Some(hours(newest)), hours(now));
        assert_eq!(now(0, 1, 5), hours(5), "an organization of now");
        assert_eq!(now(-100, -101, 5), hours(-95), "a simulated one, whose time stands still in the past");
        assert_eq!(now(100, 99, 5), hours(105), "or in the future");
        assert_eq!(now(-100, -1, 5), hours(5), "one of now, judged by a time long past");
        assert_eq!(now(-2, -3, 5), hours(5), "or by one that may as well be the clock's");
        assert_eq!(now(0, 1, -9), hours(-9), "a clock that was set back carries nothing from its future");
        assert_eq!(clocks(0).now(None, hours(5)), hours(5));
    }
}
