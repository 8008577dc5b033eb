//! How fast the simulated AWS is, and what it allows. A profile is data.

use std::str::FromStr;
use std::time::Duration;

use crate::hostility::Hostility;
use crate::random::Draw;

/// A rate limit: a bucket of `burst` tokens that fills at `per_second`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Requests a second, in the long run.
    pub per_second: f64,
    /// Requests at once, after a pause.
    pub burst: f64,
}

/// The rate limits, each counted in the account named; `None` for no limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quotas {
    /// `ListAccounts`, in the caller's account.
    pub list_accounts: Option<Quota>,
    /// `DescribeOrganization`, in the caller's account.
    pub describe_organization: Option<Quota>,
    /// `ListRoots`, in the caller's account.
    pub list_roots: Option<Quota>,
    /// `ListTagsForResource`, in the caller's account.
    pub list_tags: Option<Quota>,
    /// All of STS, in the caller's account.
    pub sts: Option<Quota>,
    /// All of IAM, in the account that is asked.
    pub iam: Option<Quota>,
    /// `GetAlternateContact`, in the account that is asked about.
    pub alternate_contact: Option<Quota>,
}

/// How long an answer takes: from `least` to `most`, short times being likelier than long ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Never faster.
    pub least: Duration,
    /// Never slower.
    pub most: Duration,
}

impl Latency {
    /// No time at all.
    pub const NONE: Self = Self { least: Duration::ZERO, most: Duration::ZERO };

    /// From `least` to `most` milliseconds.
    #[must_use]
    pub const fn millis(least: u64, most: u64) -> Self {
        Self { least: Duration::from_millis(least), most: Duration::from_millis(most) }
    }

    /// Draws one: `least` and the square of an even fraction of the rest, so that the median lies at a quarter.
    pub(crate) fn draw(&self, draw: &mut Draw) -> Duration {
        let fraction = draw.fraction();
        self.least + self.most.saturating_sub(self.least).mul_f64(fraction * fraction)
    }
}

/// How long answers take, by service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latencies {
    /// AWS Organizations.
    pub organizations: Latency,
    /// AWS STS.
    pub sts: Latency,
    /// `AssumeRoot` of AWS STS.
    pub root_session: Latency,
    /// IAM.
    pub iam: Latency,
    /// AWS Account Management.
    pub account: Latency,
}

/// How credential reports are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMaking {
    /// How long a report of no users takes.
    pub base: Latency,
    /// What each user adds.
    pub per_user: Duration,
    /// How many are made at once; beyond it, `GenerateCredentialReport` answers `LimitExceeded`. `None` for no limit.
    pub capacity: Option<usize>,
}

/// How fast the simulated AWS is, and what it allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// The rate limits.
    pub quotas: Quotas,
    /// How long answers take.
    pub latencies: Latencies,
    /// How credential reports are made.
    pub reports: ReportMaking,
    /// What goes wrong.
    pub hostility: Hostility,
}

/// A text that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a profile of the simulation; known are instant, aws and hostile")]
pub struct UnknownProfile {
    text: String,
}

impl Profile {
    /// No limits, no latency; a report is there as soon as it was asked for.
    #[must_use]
    pub fn instant() -> Self {
        let latencies = Latencies {
            organizations: Latency::NONE,
            sts: Latency::NONE,
            root_session: Latency::NONE,
            iam: Latency::NONE,
            account: Latency::NONE,
        };
        let reports = ReportMaking { base: Latency::NONE, per_user: Duration::ZERO, capacity: None };
        Self { name: "instant", quotas: Quotas::default(), latencies, reports, hostility: Hostility::NONE }
    }

    /// AWS as published and observed.
    ///
    /// Quotas of Organizations: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>;
    /// of STS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>; of Account Management:
    /// <https://docs.aws.amazon.com/accounts/latest/reference/quotas.html>. IAM publishes none; latencies and the
    /// time and capacity of report making are what observers tell, rounded.
    #[must_use]
    pub fn aws() -> Self {
        let quota = |per_second, burst| Some(Quota { per_second, burst });
        let quotas = Quotas {
            list_accounts: quota(8.0, 12.0),
            describe_organization: quota(1.0, 2.0),
            list_roots: quota(1.0, 2.0),
            list_tags: quota(10.0, 15.0),
            sts: quota(600.0, 600.0),
            iam: quota(10.0, 20.0),
            alternate_contact: quota(10.0, 15.0),
        };
        let latencies = Latencies {
            organizations: Latency::millis(80, 200),
            sts: Latency::millis(50, 100),
            root_session: Latency::millis(600, 900),
            iam: Latency::millis(40, 120),
            account: Latency::millis(60, 180),
        };
        let reports = ReportMaking {
            base: Latency::millis(1000, 3000),
            per_user: Duration::from_micros(400),
            capacity: Some(2000),
        };
        Self { name: "aws", quotas, latencies, reports, hostility: Hostility::NONE }
    }

    /// AWS as it never is all at once: the quotas and latencies of [`Profile::aws`], and every fault there is.
    #[must_use]
    pub fn hostile() -> Self {
        Self { name: "hostile", hostility: Hostility::hostile(), ..Self::aws() }
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    /// `instant`, `aws` or `hostile`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "instant" => Ok(Self::instant()),
            "aws" => Ok(Self::aws()),
            "hostile" => Ok(Self::hostile()),
            _ => Err(UnknownProfile { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Topic;

    #[test]
    fn profiles_are_found_by_name() {
        assert_eq!("aws".parse(), Ok(Profile::aws()));
        assert_eq!("instant".parse(), Ok(Profile::instant()));
        assert_eq!("hostile".parse(), Ok(Profile::hostile()));
        let error = "kind".parse::<Profile>().unwrap_err();
        assert!(error.to_string().ends_with("known are instant, aws and hostile"), "{error}");
    }

    #[test]
    fn a_latency_stays_between_its_bounds() {
        let latency = Latency::millis(40, 120);
        let mut draw = Draw::new(7, Topic::Latency, 0, 0);
        let mut drawn: Vec<Duration> = (0..1000).map(|_| latency.draw(&mut draw)).collect();
        drawn.sort();
        assert!(drawn[0] >= latency.least && drawn[999] <= latency.most);
        assert!((Duration::from_millis(55)..Duration::from_millis(65)).contains(&drawn[500]), "{:?}", drawn[500]);
        assert_eq!(Latency::NONE.draw(&mut draw), Duration::ZERO);
    }
}
