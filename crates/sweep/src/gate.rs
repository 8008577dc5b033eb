//! What enters the journal, and when: a refusal is an account's answer only if the caller is not its cause.
//!
//! Refused accounts wait here until another account has been opened. If none ever is, the role or the caller is at
//! fault, the refusals are dropped, and a resumed sweep asks those accounts again.

use orgsweep_cloud::ApiError;
use orgsweep_lake::JournalEntry;

use crate::error::SweepError;
use crate::visit::{Opening, Visited};

/// So many refusals in a row are the caller's fault: no organizational unit without the role is this large, or
/// then the sweep is better run without it.
const REFUSED_IN_A_ROW: usize = 1_000;

/// So many accounts in a row that AWS was not reached for, after all attempts for each: there is no network.
const UNREACHED_IN_A_ROW: usize = 20;

/// Holds refusals back.
pub(crate) struct Gate {
    role: String,
    caller: String,
    member_opened: bool,
    held: Vec<JournalEntry>,
    last_refusal: Option<ApiError>,
    unreached: usize,
}

impl Gate {
    /// `member_opened`: whether an earlier attempt at this run opened a member account.
    pub(crate) fn new(role: String, caller: String, member_opened: bool) -> Self {
        Self { role, caller, member_opened, held: Vec::new(), last_refusal: None, unreached: 0 }
    }

    /// Takes one visited account; what may enter the journal now comes back.
    ///
    /// # Errors
    /// Where so many accounts in a row were refused or not reached that the caller must be the cause.
    pub(crate) fn pass(&mut self, visited: Visited) -> Result<Vec<JournalEntry>, SweepError> {
        let Visited { entry, opening } = visited;
        match opening {
            Opening::Own => Ok(vec![entry]),
            Opening::Opened => {
                self.member_opened = true;
                self.unreached = 0;
                let mut entries = std::mem::take(&mut self.held);
                entries.push(entry);
                Ok(entries)
            }
            Opening::Refused(error) => {
                self.unreached = 0;
                self.held.push(entry);
                self.last_refusal = Some(error.clone());
                if self.held.len() < REFUSED_IN_A_ROW { Ok(Vec::new()) } else { Err(self.all_refused(error)) }
            }
            Opening::Unreached(error) => {
                self.unreached += 1;
                if self.unreached < UNREACHED_IN_A_ROW {
                    return Ok(vec![entry]);
                }
                Err(SweepError::Unreachable { accounts: self.unreached, source: Box::new(error) })
            }
        }
    }

    /// The end of the sweep; the refusals that were held back come back, if any member was opened.
    ///
    /// # Errors
    /// Where no member account could be opened at all.
    pub(crate) fn close(mut self) -> Result<Vec<JournalEntry>, SweepError> {
        match self.last_refusal.take() {
            Some(error) if !self.member_opened => Err(self.all_refused(error)),
            _ => Ok(self.held),
        }
    }

    fn all_refused(&self, source: ApiError) -> SweepError {
        let (role, refused, source) = (self.role.clone(), self.held.len(), Box::new(source));
        if self.member_opened {
            SweepError::RefusedInARow { role, refused, source }
        } else {
            SweepError::NoMemberOpened { role, caller: self.caller.clone(), refused, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{Account, AccountId, AccountState, Call, ErrorKind, Reading, Snapshot};

    use super::*;

    fn visited(number: u64, opening: Opening) -> Visited {
        let account = Account {
            id: AccountId::from_number(number),
            arn: None,
            name: None,
            email: None,
            state: AccountState::Active,
            path: None,
            joined_method: None,
            joined_at: None,
        };
        let mut snapshot = Snapshot::unopened(account, error(ErrorKind::Denied).refusal(), Vec::new());
        if matches!(opening, Opening::Own | Opening::Opened) {
            snapshot.role = Reading::Read(());
        }
        Visited { entry: JournalEntry { snapshot, credentials: None }, opening }
    }

    fn error(kind: ErrorKind) -> ApiError {
        ApiError::new(Call::AssumeRole, kind, "Code", "")
    }

    fn refused(number: u64) -> Visited {
        visited(number, Opening::Refused(error(ErrorKind::Denied)))
    }

    fn gate() -> Gate {
        Gate::new("scanner".to_owned(), "arn:aws:iam::000000000001:user/caller".to_owned(), false)
    }

    /// How many entries came out for each visited account, and at the end.
    fn check(visits: Vec<Visited>, passed: &[usize], closed: Option<usize>) {
        let mut gate = gate();
        let counts: Vec<usize> = visits.into_iter().map(|visited| gate.pass(visited).unwrap().len()).collect();
        assert_eq!(counts, passed);
        assert_eq!(gate.close().ok().map(|entries| entries.len()), closed);
    }

    #[test]
    fn a_refusal_waits_until_another_account_is_opened() {
        check(vec![refused(1), refused(2), visited(3, Opening::Opened), refused(4)], &[0, 0, 3, 0], Some(1));
    }

    #[test]
    fn where_no_member_is_opened_no_refusal_is_an_answer() {
        check(vec![visited(1, Opening::Own), refused(2)], &[1, 0], None);
    }

    #[test]
    fn a_network_that_is_gone_ends_the_sweep() {
        let mut gate = gate();
        let results: Vec<bool> = (0..UNREACHED_IN_A_ROW)
            .map(|_| gate.pass(visited(1, Opening::Unreached(error(ErrorKind::Transient)))).is_ok())
            .collect();
        assert_eq!(results.iter().filter(|passed| **passed).count(), UNREACHED_IN_A_ROW - 1);
    }
}
