//! Showing that the caller's way into the accounts still works, when the last ones all failed.

use orgsweep_cloud::ApiError;
use orgsweep_core::{AccountId, Call, ErrorKind};

use crate::ask::Asker;
use crate::error::SweepError;
use crate::gate::Gate;
use crate::run::Sweeper;
use crate::session::OpenAccount;

/// Accounts that an earlier attempt settled are tried in turn, as some of them may be settled refusals.
const EARLIER_ACCOUNTS: usize = 20;

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
    let own = sweeper.caller.account_id;
    let mut earlier: Vec<AccountId> = sweeper.settled.iter().copied().filter(|account| *account != own).collect();
    earlier.sort_unstable();
    let candidates = match gate.witness() {
        Some(witness) => vec![witness],
        None => earlier.into_iter().take(EARLIER_ACCOUNTS).collect(),
    };
    for account in candidates {
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

fn asker(sweeper: &Sweeper) -> Asker<'_> {
    Asker::new(&sweeper.pace, &sweeper.settings.patience, &sweeper.progress, sweeper.settings.seed)
}

fn out_of_reach(error: ApiError) -> SweepError {
    match error.kind {
        ErrorKind::Expired => SweepError::CallerExpired(Box::new(error)),
        _ => SweepError::Unreachable { accounts: 1, source: Box::new(error) },
    }
}
