//! Showing that the caller's way into the accounts still works, when the last ones all failed.
//!
//! A worker may have a share in which every account refuses for good, so what others opened counts as well.

use orgsweep_cloud::ApiError;
use orgsweep_core::{AccountId, Call, ErrorKind};
use orgsweep_lake::{Journal, Journalled};

use crate::ask::Asker;
use crate::error::SweepError;
use crate::gate::{Gate, WITNESSES};
use crate::session::OpenAccount;
use crate::sweeper::Sweeper;

/// Accounts that an earlier attempt or another worker opened are tried in turn, then accounts of other shares, as some
/// of them may refuse as well.
pub(crate) const EARLIER_ACCOUNTS: usize = 20;

/// Whether what the gate doubts is the accounts' own doing.
///
/// # Errors
/// Where AWS is out of reach, or the caller's own credentials do not hold.
pub(crate) async fn way_in_still_works(gate: &Gate, sweeper: &Sweeper) -> Result<bool, SweepError> {
    if !gate.members_asked() {
        let asker = asker(sweeper);
        let answer = asker.ask(Call::GetCallerIdentity, "", || sweeper.cloud.caller_identity()).await;
        return answer.map(|_| true).map_err(out_of_reach);
    }
    for account in candidates(gate, sweeper).await? {
        let role_arn = sweeper.settings.role.arn(&sweeper.caller, account);
        match OpenAccount::member(asker(sweeper), account, role_arn, sweeper).open().await {
            Ok(_) => return Ok(true),
            Err(error) if error.kind == ErrorKind::Denied => {}
            Err(error) if error.kind == ErrorKind::Expired => return Err(SweepError::CallerExpired(Box::new(error))),
            Err(error) => return Err(out_of_reach(error)),
        }
    }
    Ok(false)
}

impl Sweeper {
    /// What is in the journal now, by whomever.
    async fn journalled(&self) -> Result<Journalled, SweepError> {
        Ok(Journal::open(&self.lake, &self.run_id).await?.journalled().await?)
    }

    /// Whether somebody must have been granted a root session to journal this: nothing else lets an account in that is
    /// opened and settled, but for the two that are asked for none.
    pub(crate) fn shows_root_session(&self, journalled: &Journalled) -> bool {
        let has_none = |account: &AccountId| *account == self.caller.account_id || Some(*account) == self.management;
        journalled.opened.intersection(&journalled.settled).any(|account| !has_none(account))
    }
}

/// Accounts that may show that the role works: those that were opened last, and others where these are few.
async fn candidates(gate: &Gate, sweeper: &Sweeper) -> Result<Vec<AccountId>, SweepError> {
    let mut candidates = gate.witnesses();
    if candidates.len() == WITNESSES {
        return Ok(candidates);
    }
    // Other workers may have opened accounts since this one began.
    let opened = sweeper.journalled().await?.opened;
    let mut others: Vec<AccountId> = opened.iter().copied().collect();
    others.sort_unstable();
    others.extend(sweeper.elsewhere.iter().copied().filter(|account| !opened.contains(account)));
    others.retain(|account| *account != sweeper.caller.account_id && !candidates.contains(account));
    others.truncate(EARLIER_ACCOUNTS);
    candidates.append(&mut others);
    Ok(candidates)
}

/// Whether root sessions are granted elsewhere: to whoever journalled what there is, or now, in accounts of other shares.
///
/// # Errors
/// Where the journal cannot be read, or the caller's own credentials do not hold.
pub(crate) async fn root_sessions_are_granted(sweeper: &Sweeper) -> Result<bool, SweepError> {
    if sweeper.shows_root_session(&sweeper.journalled().await?) {
        return Ok(true);
    }
    let has_one =
        |account: &&AccountId| **account != sweeper.caller.account_id && Some(**account) != sweeper.management;
    for account in sweeper.elsewhere.iter().filter(has_one) {
        match OpenAccount::root(asker(sweeper), *account, sweeper).open().await {
            Ok(_) => return Ok(true),
            Err(error) if error.kind == ErrorKind::Expired => return Err(SweepError::CallerExpired(Box::new(error))),
            Err(_) => {}
        }
    }
    Ok(false)
}

fn asker(sweeper: &Sweeper) -> Asker<'_> {
    Asker::new(&sweeper.pace, &sweeper.settings.patience, &sweeper.progress, sweeper.settings.seed)
}

fn out_of_reach(error: ApiError) -> SweepError {
    match error.kind {
        ErrorKind::Expired => SweepError::CallerExpired(Box::new(error)),
        _ => SweepError::Unreachable { accounts: 1, source: Box::new(error) },
    }
}
