//! What enters the journal, and when: a failure is an account's own only if the caller is not its cause.
//!
//! Refused accounts wait here until another account is opened after them. Where the last accounts were all refused, or
//! were lost on the way, the gate is in doubt, and the sweep has to show that the caller's way into an account still works.
//! Where it does not, the refusals are dropped, and a resumed sweep asks those accounts again. An account that AWS answered
//! something is no sign of a network that is gone, however many: one endpoint may be blocked, and all else be read.
//!
//! Root sessions are held to the same: accounts that refuse one wait until another account grants one.

use std::collections::VecDeque;
use std::time::Duration;

use orgsweep_cloud::ApiError;
use orgsweep_core::{AccountId, Call, ErrorKind, Reading};
use orgsweep_lake::JournalEntry;
use tokio::time::Instant;

use crate::error::SweepError;
use crate::visit::{Lost, Opening, Visited};

/// So many refusals are held until somebody shows that the role still works: a hundred snapshots weigh nothing, and
/// one proof for each hundred costs nothing.
const HELD: usize = 100;

/// So many refusals before any account was opened are the role's fault, not the accounts'.
const REFUSED_FROM_THE_START: usize = 1_000;

/// So many accounts that were opened last may show that the role works: one of them may have been closed since.
pub(crate) const WITNESSES: usize = 3;

/// So many accounts in a row that AWS was not reached for, after all attempts for each: there is no network.
const LOST_IN_A_ROW: usize = 20;

/// So long after a refusal an opening has mostly answered it, and a proof costs one request.
const LONG: Duration = Duration::from_millis(500);

/// Holds back what may be the caller's fault.
#[derive(Default)]
pub(crate) struct Gate {
    root: RootGate,
    held: Vec<(Instant, JournalEntry)>,
    /// The accounts that were opened last, the latest at the end.
    witnesses: VecDeque<AccountId>,
    members_asked: bool,
    /// Accounts in a row of which everything was lost.
    lost: usize,
    /// Accounts in a row of which something was lost.
    lost_in_part: usize,
    last_error: Option<ApiError>,
}

impl Gate {
    /// A gate for a sweep in which root sessions were granted already, or were not.
    pub(crate) fn new(root_session_granted: bool) -> Self {
        Self { root: RootGate { granted: root_session_granted, ..RootGate::default() }, ..Self::default() }
    }

    /// Takes one visited account; what may enter the journal now comes back.
    ///
    /// # Errors
    /// Where so many accounts in a row were not reached that there can be no network, or so many refused a root session
    /// and none granted one that the caller must be the cause.
    pub(crate) fn pass(&mut self, visited: Visited, caller: &str) -> Result<Vec<JournalEntry>, SweepError> {
        let entries = self.pass_role(visited)?;
        self.root.pass(entries, caller)
    }

    /// Whether root sessions were refused, and none was granted to this worker.
    pub(crate) fn is_root_in_doubt(&self) -> bool {
        !self.root.held.is_empty()
    }

    /// Root sessions were granted to another: the refusals are the accounts' own.
    pub(crate) fn root_proven(&mut self) -> Vec<JournalEntry> {
        self.root.granted = true;
        std::mem::take(&mut self.root.held)
    }

    /// At the end of a sweep: nothing, unless root sessions were refused and none was granted.
    pub(crate) fn end(self, caller: &str) -> Result<(), SweepError> {
        if self.root.held.is_empty() { Ok(()) } else { Err(self.root.refused(caller)) }
    }

    fn pass_role(&mut self, visited: Visited) -> Result<Vec<JournalEntry>, SweepError> {
        let Visited { entry, opening, answered_at, lost, room } = visited;
        // It is the journal's now; what waits here would keep others from their reports.
        drop(room);
        self.members_asked |= !matches!(opening, Opening::Own);
        let entries = match opening {
            Opening::Own | Opening::Unreached => vec![entry],
            Opening::Opened => {
                if self.witnesses.len() == WITNESSES {
                    self.witnesses.pop_front();
                }
                self.witnesses.push_back(entry.snapshot.account.id);
                // Accounts end in another order than they were opened in: only a refusal that came before this opening
                // is answered by it.
                let (earlier, later): (Vec<_>, Vec<_>) =
                    std::mem::take(&mut self.held).into_iter().partition(|(refused_at, _)| *refused_at < answered_at);
                self.held = later;
                earlier.into_iter().map(|(_, held)| held).chain([entry]).collect()
            }
            Opening::Refused(error) => {
                self.last_error = Some(error);
                self.held.push((answered_at, entry));
                return Ok(Vec::new());
            }
        };
        self.count_lost(lost)?;
        Ok(entries)
    }

    fn count_lost(&mut self, lost: Lost) -> Result<(), SweepError> {
        match lost {
            Lost::Nothing => (self.lost, self.lost_in_part) = (0, 0),
            Lost::InPart(error) => {
                self.lost = 0;
                self.lost_in_part += 1;
                self.last_error = Some(error);
            }
            Lost::Whole(error) => {
                self.lost += 1;
                if self.lost >= LOST_IN_A_ROW {
                    return Err(SweepError::Unreachable { accounts: self.lost, source: Box::new(error) });
                }
                self.last_error = Some(error);
            }
        }
        Ok(())
    }

    /// Whether it is time for a proof, while the sweep goes on.
    pub(crate) fn is_full(&self) -> bool {
        let limit = if self.witnesses.is_empty() { REFUSED_FROM_THE_START } else { HELD };
        self.held.len() >= limit || self.lost_in_part >= HELD
    }

    /// Whether a refusal has waited long for an opening to answer it, in a sweep that has opened some: none may come for a
    /// while, as where the accounts of an earlier run are through and the list goes on.
    pub(crate) fn is_kept_waiting(&self) -> bool {
        self.witnesses.len() == WITNESSES
            && self.held.first().is_some_and(|(refused_at, _)| refused_at.elapsed() >= LONG)
    }

    /// Whether the last accounts failed in a way that may be the caller's fault.
    pub(crate) fn is_in_doubt(&self) -> bool {
        !self.held.is_empty() || self.lost > 0 || self.lost_in_part > 0
    }

    /// Whether any member account was asked.
    pub(crate) fn members_asked(&self) -> bool {
        self.members_asked
    }

    /// Member accounts that could be opened in this sweep, the latest first.
    pub(crate) fn witnesses(&self) -> Vec<AccountId> {
        self.witnesses.iter().rev().copied().collect()
    }

    /// The role works: the refusals are the accounts' own.
    pub(crate) fn proven(&mut self) -> Vec<JournalEntry> {
        (self.lost, self.lost_in_part) = (0, 0);
        std::mem::take(&mut self.held).into_iter().map(|(_, entry)| entry).collect()
    }

    /// What the failures mean if the role does not work.
    pub(crate) fn disproven(self, role: &str, caller: &str) -> SweepError {
        let (refused, role) = (self.held.len(), role.to_owned());
        match self.last_error {
            None => SweepError::Stopped,
            Some(error) if refused == 0 => {
                SweepError::Unreachable { accounts: self.lost.max(self.lost_in_part), source: Box::new(error) }
            }
            Some(error) if !self.witnesses.is_empty() => {
                SweepError::RefusedInARow { role, refused, source: Box::new(error) }
            }
            Some(error) => {
                SweepError::NoMemberOpened { role, caller: caller.to_owned(), refused, source: Box::new(error) }
            }
        }
    }
}

/// Holds back accounts that refused a root session, until one is granted.
#[derive(Default)]
struct RootGate {
    granted: bool,
    held: Vec<JournalEntry>,
}

impl RootGate {
    fn pass(&mut self, entries: Vec<JournalEntry>, caller: &str) -> Result<Vec<JournalEntry>, SweepError> {
        let mut passed = Vec::with_capacity(entries.len());
        for entry in entries {
            match &entry.snapshot.root_audit.session {
                Reading::Refused(refusal) if refusal.kind == ErrorKind::Denied && !self.granted => {
                    self.held.push(entry);
                }
                Reading::Read(()) => {
                    self.granted = true;
                    passed.append(&mut self.held);
                    passed.push(entry);
                }
                _ => passed.push(entry),
            }
        }
        if self.held.len() >= HELD { Err(self.refused(caller)) } else { Ok(passed) }
    }

    fn refused(&self, caller: &str) -> SweepError {
        let code = match self.held.last().map(|entry| &entry.snapshot.root_audit.session) {
            Some(Reading::Refused(refusal)) => refusal.code.clone(),
            _ => String::new(),
        };
        let source = ApiError::new(Call::AssumeRoot, ErrorKind::Denied, code, "");
        SweepError::NoRootSession { caller: caller.to_owned(), refused: self.held.len(), source: Box::new(source) }
    }
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{Account, AccountState, Refusal, RootAudit, Snapshot, Source, Sources};

    use super::*;

    const CALLER: &str = "arn:aws:iam::000000000001:user/caller";

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
        let refusal = error(ErrorKind::Denied).refusal();
        let mut snapshot = Snapshot::unopened(account, refusal, Sources::NONE, Vec::new());
        if matches!(opening, Opening::Own | Opening::Opened) {
            snapshot.role = Reading::Read(());
        }
        let unreached = matches!(opening, Opening::Unreached);
        let lost = if unreached { Lost::Whole(error(ErrorKind::Transient)) } else { Lost::Nothing };
        Visited {
            entry: JournalEntry { snapshot, credentials: None },
            opening,
            answered_at: Instant::now(),
            lost,
            room: None,
        }
    }

    fn error(kind: ErrorKind) -> ApiError {
        ApiError::new(Call::AssumeRole, kind, "Code", "")
    }

    fn refused(number: u64) -> Visited {
        visited(number, Opening::Refused(error(ErrorKind::Denied)))
    }

    /// How many entries came out for each visited account, and how many are held at the end, in doubt.
    fn check(visits: Vec<Visited>, passed: &[usize], held: usize) {
        let mut gate = Gate::default();
        let counts: Vec<usize> = visits.into_iter().map(|visited| gate.pass(visited, CALLER).unwrap().len()).collect();
        assert_eq!(counts, passed);
        assert_eq!(gate.is_in_doubt(), held > 0);
        assert_eq!(gate.proven().len(), held);
    }

    #[test]
    fn a_refusal_waits_until_another_account_is_opened() {
        check(vec![refused(1), refused(2), visited(3, Opening::Opened), refused(4)], &[0, 0, 3, 0], 1);
        check(vec![refused(1), visited(2, Opening::Opened)], &[0, 2], 0);
    }

    #[test]
    fn an_account_that_was_opened_before_a_refusal_says_nothing_of_it() {
        let opened_before = visited(1, Opening::Opened);
        let refused_after = refused(2);
        check(vec![refused_after, opened_before], &[0, 1], 1);
    }

    #[test]
    fn where_no_member_was_opened_the_role_is_named() {
        let mut gate = Gate::default();
        assert_eq!(gate.pass(visited(1, Opening::Own), CALLER).unwrap().len(), 1);
        assert!(gate.pass(refused(2), CALLER).unwrap().is_empty());
        let error = gate.disproven("scanner", CALLER);
        assert!(matches!(error, SweepError::NoMemberOpened { refused: 1, .. }), "{error:?}");
    }

    #[test]
    fn where_members_were_opened_before_the_caller_is_suspected() {
        let mut gate = Gate::default();
        gate.pass(visited(1, Opening::Opened), CALLER).unwrap();
        gate.pass(refused(2), CALLER).unwrap();
        let error = gate.disproven("scanner", CALLER);
        assert!(matches!(error, SweepError::RefusedInARow { refused: 1, .. }), "{error:?}");
    }

    #[test]
    fn an_account_that_was_lost_on_the_way_leaves_doubt_until_another_is_not() {
        let mut gate = Gate::default();
        gate.pass(visited(1, Opening::Unreached), CALLER).unwrap();
        assert!(gate.is_in_doubt());
        gate.pass(visited(2, Opening::Opened), CALLER).unwrap();
        assert!(!gate.is_in_doubt());
    }

    #[test]
    fn a_network_that_is_gone_ends_the_sweep() {
        let mut gate = Gate::default();
        let results: Vec<bool> =
            (0..LOST_IN_A_ROW).map(|_| gate.pass(visited(1, Opening::Unreached), CALLER).is_ok()).collect();
        assert_eq!(results.iter().filter(|passed| **passed).count(), LOST_IN_A_ROW - 1);
    }

    #[test]
    fn an_endpoint_that_is_out_of_reach_is_no_network_that_is_gone() {
        let mut gate = Gate::default();
        for number in 1..=HELD as u64 {
            assert!(!gate.is_full());
            let lost = Lost::InPart(error(ErrorKind::Transient));
            assert_eq!(gate.pass(Visited { lost, ..visited(number, Opening::Opened) }, CALLER).unwrap().len(), 1);
            assert!(gate.is_in_doubt());
        }
        assert!(gate.is_full());
        assert!(gate.proven().is_empty() && !gate.is_full() && !gate.is_in_doubt());
        let last = HELD as u64;
        assert_eq!(gate.witnesses(), [last, last - 1, last - 2].map(AccountId::from_number));
    }

    /// An account that was opened, and its root session granted or refused.
    fn audited(number: u64, granted: bool) -> Visited {
        let mut visited = visited(number, Opening::Opened);
        let refusal = Refusal { kind: ErrorKind::Denied, code: "AccessDenied".to_owned() };
        let session = if granted { Reading::Read(()) } else { Reading::Refused(refusal) };
        visited.entry.snapshot.root_audit = RootAudit::unopened(session, Source::RootSession);
        visited
    }

    #[test]
    fn a_refused_root_session_waits_until_one_is_granted() {
        let mut gate = Gate::default();
        let mut pass = |visited| gate.pass(visited, CALLER).unwrap().len();
        assert_eq!([pass(audited(1, false)), pass(audited(2, true)), pass(audited(3, false))], [0, 2, 1]);
        gate.end(CALLER).unwrap();
    }

    #[test]
    fn where_no_root_session_is_granted_the_caller_is_told() {
        let mut gate = Gate::new(false);
        assert_eq!(gate.pass(audited(1, false), CALLER).unwrap().len(), 0);
        let error = gate.end(CALLER).unwrap_err();
        assert!(matches!(error, SweepError::NoRootSession { refused: 1, .. }), "{error:?}");
        let mut gate = Gate::default();
        let results = (0..HELD).map(|_| gate.pass(audited(1, false), CALLER).is_ok());
        assert_eq!(results.filter(|passed| *passed).count(), HELD - 1);
        let mut resumed = Gate::new(true);
        assert_eq!(resumed.pass(audited(1, false), CALLER).unwrap().len(), 1);
    }
}
