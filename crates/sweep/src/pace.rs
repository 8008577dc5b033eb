//! Keeping to AWS's quotas, each where AWS counts it.
//!
//! Organizations and STS count in the caller's account, whichever member is opened; IAM and Account Management count in
//! the member that is asked. Each such scope has a bucket of its own, which starts at the published quota and slows down
//! where AWS throttles all the same.

use std::sync::atomic::AtomicBool;

use orgsweep_core::Call;
use tokio::sync::Semaphore;

use crate::breaker::Breakers;
use crate::bucket::{Bucket, Quota};
use crate::retries::RetryBudget;

/// `ListAccounts`: 8 a second, bursts of 12, for each account; AWS Organizations User Guide, "Quotas and service
/// limits".
const LIST_ACCOUNTS: Quota = Quota { per_second: 8.0, burst: 12.0 };

/// `DescribeOrganization`: 1 a second, bursts of 2; same page.
const DESCRIBE_ORGANIZATION: Quota = Quota { per_second: 1.0, burst: 2.0 };

/// `ListTagsForResource`: 10 a second, bursts of 15; same page.
const LIST_TAGS: Quota = Quota { per_second: 10.0, burst: 15.0 };

/// `AssumeRole` and its siblings: 600 a second for each account and region; IAM User Guide, "IAM and AWS STS
/// quotas". No burst is published; a second's worth is spread over its second.
const STS: Quota = Quota { per_second: 600.0, burst: 30.0 };

/// IAM, in each member. AWS publishes no quota. The calls of an ordinary visit fit into the burst, even at half of it;
/// hundreds of `ListAccessKeys` do not, and go at the rate.
const MEMBER_IAM: Quota = Quota { per_second: 20.0, burst: 20.0 };

/// `GetAlternateContact`, in each member: 10 a second, bursts of 15; AWS Account Management Reference Guide, "Quotas".
/// In China it is 3 and 5, which the three calls of a visit fit into.
const MEMBER_CONTACTS: Quota = Quota { per_second: 10.0, burst: 15.0 };

/// Requests on their way at once. At AWS's latencies its quotas let some 450 through; each takes some tens of kilobytes and
/// a connection.
const REQUESTS_IN_FLIGHT: usize = 600;

/// The quotas that are counted in the caller's account, and what else all accounts share.
pub(crate) struct Pace {
    share: Option<f64>,
    list_accounts: Bucket,
    describe_organization: Bucket,
    list_tags: Bucket,
    sts: Bucket,
    /// Room for requests on their way.
    pub(crate) requests: Semaphore,
    /// What retries are taken from.
    pub(crate) retries: RetryBudget,
    /// Which calls reach AWS for nobody.
    pub(crate) breakers: Breakers,
    /// Whether it was told that the caller's own credentials do not hold.
    pub(crate) caller_in_doubt: AtomicBool,
}

impl Pace {
    /// Takes this share of the published quotas; `None` keeps to none of them.
    pub(crate) fn new(share: Option<f64>) -> Self {
        let bucket = |quota: Quota| Bucket::new(quota, share);
        Self {
            share,
            list_accounts: bucket(LIST_ACCOUNTS),
            describe_organization: bucket(DESCRIBE_ORGANIZATION),
            list_tags: bucket(LIST_TAGS),
            sts: bucket(STS),
            requests: Semaphore::new(REQUESTS_IN_FLIGHT),
            retries: RetryBudget::default(),
            breakers: Breakers::default(),
            caller_in_doubt: AtomicBool::new(false),
        }
    }

    /// The bucket of a call that is counted in the caller's account.
    pub(crate) fn bucket(&self, call: Call) -> Option<&Bucket> {
        match call {
            Call::ListAccounts => Some(&self.list_accounts),
            Call::DescribeOrganization => Some(&self.describe_organization),
            Call::ListTagsForResource => Some(&self.list_tags),
            // AWS publishes no quota for AssumeRoot; that of its siblings is the nearest there is.
            Call::AssumeRole | Call::AssumeRoot | Call::GetCallerIdentity => Some(&self.sts),
            _ => None,
        }
    }
}

/// The quotas that are counted in one member.
pub(crate) struct MemberPace {
    iam: Bucket,
    contacts: Bucket,
}

impl MemberPace {
    /// Those of a member that nothing was asked yet.
    pub(crate) fn new(pace: &Pace) -> Self {
        Self { iam: Bucket::new(MEMBER_IAM, pace.share), contacts: Bucket::new(MEMBER_CONTACTS, pace.share) }
    }

    /// The bucket of a call that is made with the member's own credentials.
    pub(crate) fn bucket(&self, call: Call) -> &Bucket {
        match call {
            Call::GetAlternateContact => &self.contacts,
            _ => &self.iam,
        }
    }
}
