//! The fastest possible sweep of a simulated organization: reckoned from quotas and latencies, not from how anybody sweeps.

use std::time::Duration;

use super::Simulation;
use crate::model::RoleStanding;
use crate::profile::Quota;
use crate::request::{AssumeRoleInput, Operation};

/// How long `GenerateCredentialReport` does not make another report.
const FRESH_FOR: Duration = Duration::from_hours(4);

/// When the last account can be read at the earliest, and why not earlier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bound {
    /// Nobody is faster who has to list the accounts first: over all accounts, the latest of when its page can be there, or
    /// its turn at `AssumeRole`, whichever is later, and its own chain of calls after that.
    pub listed: Duration,
    /// Nobody is faster who knows the accounts already: all turns at `AssumeRole`, and the longest chain.
    pub known: Duration,
    /// The longest chain of calls that an account takes.
    pub longest_chain: Duration,
    /// Accounts that can be opened.
    pub accounts: u32,
}

impl Simulation {
    /// The bound of this organization, for whoever asks each account for its report and nothing is shared.
    #[must_use]
    pub fn bound(&self) -> Bound {
        let quotas = &self.profile.quotas;
        let mut bound = Bound::default();
        let mut pages = 0;
        for index in 0..self.model.accounts() {
            if index.is_multiple_of(super::organizations::PAGE) {
                // An empty page before it is a request as well.
                pages += 1 + u32::from(self.has_empty_page(index));
            }
            let standing = self.model.standing(index);
            if !standing.state.is_usable() || (index > 0 && standing.role != RoleStanding::Granted) {
                continue;
            }
            let page = earliest(quotas.list_accounts, pages);
            bound.accounts += 1;
            // However the quota is spread, the account that is opened n-th is opened after n requests' worth of it.
            let turn = spread(quotas.sts, bound.accounts);
            let chain = self.chain(index);
            bound.listed = bound.listed.max(page.max(turn) + chain);
            bound.longest_chain = bound.longest_chain.max(chain);
        }
        bound.known = spread(quotas.sts, bound.accounts) + bound.longest_chain;
        bound
    }

    /// The calls of an account that wait for one another: its role, the report that is there, and where that is none or
    /// too old, the order of another, its making, and fetching it.
    fn chain(&self, index: u32) -> Duration {
        let opened = if index == 0 { Duration::ZERO } else { self.opening(index) };
        let fetch = self.latency(&Operation::GetCredentialReport, index);
        let is_fresh = self.model.earlier_report(index).is_some_and(|made| self.model.now().since(made) < FRESH_FOR);
        if is_fresh {
            return opened + fetch;
        }
        // A request for a report may be on its way while the report is made.
        let order = self.latency(&Operation::GenerateCredentialReport, index);
        opened + fetch + order + self.report_duration(index).max(fetch)
    }

    fn opening(&self, index: u32) -> Duration {
        let (partition, account) = (self.model.partition(), self.model.account_id(index));
        let role_arn = format!("arn:{partition}:iam::{account}:role/{}", self.role_name);
        let input = AssumeRoleInput {
            role_arn,
            session_name: String::new(),
            external_id: None,
            duration_seconds: None,
            policy: None,
        };
        self.latency(&Operation::AssumeRole(input), 0)
    }
}

/// When the n-th request of a bucket can be made that is full at the start.
fn earliest(quota: Option<Quota>, number: u32) -> Duration {
    let Some(quota) = quota else { return Duration::ZERO };
    Duration::from_secs_f64(((f64::from(number) - quota.burst) / quota.per_second).max(0.0))
}

/// When the n-th request has its turn at a quota's rate.
fn spread(quota: Option<Quota>, number: u32) -> Duration {
    quota.map_or(Duration::ZERO, |quota| Duration::from_secs_f64(f64::from(number) / quota.per_second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, SimSettings};

    #[test]
    fn a_large_organization_is_bound_by_its_list_and_a_known_one_by_assume_role() {
        let settings = SimSettings { accounts: 9_999, profile: Profile::aws(), ..SimSettings::default() };
        let bound = Simulation::new(&settings).bound();
        // 500 pages and some empty ones, at 8 a second after a burst of 12.
        assert!((Duration::from_secs(66)..Duration::from_secs(74)).contains(&bound.listed), "{bound:?}");
        assert!(bound.known > Duration::from_secs(16) && bound.known < Duration::from_secs(21), "{bound:?}");
        assert!(bound.longest_chain < Duration::from_secs(4), "{bound:?}");
    }

    #[test]
    fn without_quotas_and_latencies_there_is_no_bound() {
        let bound = Simulation::new(&SimSettings::default()).bound();
        assert_eq!((bound.listed, bound.known), (Duration::ZERO, Duration::ZERO));
        assert!(bound.accounts > 150);
    }
}
