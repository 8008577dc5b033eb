//! The simulation: the model, and what changes. One entry, [`Simulation::answer`], serves both faces.
//!
//! A request passes five gates, each in a place of its own: who signs ([`principal`]), whether the quota has room
//! ([`buckets`]), how long the answer takes, whether it is allowed, and what is answered. Between the second and the
//! third stands what goes wrong ([`hostile`]).

mod account;
mod bound;
mod buckets;
mod clock;
mod hostile;
mod iam;
mod listing;
mod organizations;
mod principal;
mod report_desk;
mod root;
mod sts;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use orgsweep_core::{AccountId, Timestamp};
use tokio::time::Instant;

use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::model::Model;
use crate::profile::{Profile, Quota};
use crate::random::{Draw, Topic};
use crate::request::{Operation, Output, Reply, Request, Service};
use crate::settings::SimSettings;
use crate::token::TokenKey;
use buckets::{Buckets, Meter};
use clock::Clock;
use hostile::Disturbance;
use hostile::lasting::clock_skew;
use organizations::listing_start;
use principal::Principal;
use report_desk::ReportDesk;

pub use bound::Bound;
pub use hostile::lasting::LastingFaults;

/// A simulated organization that answers requests.
///
/// What it remembers is small: 40 bytes for each account whose report was ordered, a bucket for each account asked
/// within the last seconds, nothing for sessions.
#[derive(Debug)]
pub struct Simulation {
    model: Model,
    profile: Profile,
    role_name: String,
    external_id: Option<String>,
    clock: Clock,
    token_key: TokenKey,
    buckets: Buckets,
    reports: ReportDesk,
    requests: AtomicU64,
    sessions: AtomicU64,
}

/// What an operation is answered with, before a request id is put on it.
type Outcome = Result<Output, Fault>;

impl Simulation {
    /// The organization that the settings describe, as yet unasked.
    #[must_use]
    pub fn new(settings: &SimSettings) -> Self {
        Self {
            model: Model::new(settings),
            profile: settings.profile.clone(),
            role_name: settings.role_name.trim_start_matches('/').to_owned(),
            external_id: settings.external_id.clone(),
            clock: Clock::new(
                settings.now,
                settings.started_at.unwrap_or_else(Timestamp::now),
                clock_skew(settings.seed, &settings.profile.hostility),
            ),
            token_key: TokenKey::new(settings.seed),
            buckets: Buckets::default(),
            reports: ReportDesk::default(),
            requests: AtomicU64::new(0),
            sessions: AtomicU64::new(0),
        }
    }

    /// The facts behind the answers.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How fast the simulation is, and what it allows.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// How many requests were answered, those refused included.
    #[must_use]
    pub fn requests_answered(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Answers one request, after as long as the profile says.
    pub async fn answer(&self, request: Request) -> Reply {
        let number = self.next_number();
        let Request { signer, operation } = request;
        let admitted = self.admit(&signer, &operation);
        let disturbance = match &admitted {
            Ok(principal) => self.disturbance(number, principal, &operation),
            Err(_) => Disturbance::default(),
        };
        let latency = self.latency(&operation, admitted.as_ref().map_or(0, Principal::index));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let outcome = match (admitted, &disturbance.refusal) {
            (Ok(_), Some(refusal)) => Err(refusal.clone()),
            (Ok(principal), None) => disturbance.strike(self.perform(&principal, operation)),
            (Err(fault), _) => Err(fault),
        };
        Reply { request_id: self.request_id(number), outcome, delivery: disturbance.delivery }
    }

    /// Answers a request that was not understood.
    #[must_use]
    pub fn refuse(&self, fault: Fault) -> Reply {
        Reply { request_id: self.request_id(self.next_number()), outcome: Err(fault), delivery: Delivery::Whole }
    }

    fn next_number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// The id of the request of this number.
    fn request_id(&self, number: u64) -> String {
        let mut draw = Draw::new(self.model.seed() ^ number.rotate_left(32), Topic::RequestId, 0, 0);
        let (high, low) = (draw.bits(), draw.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            0x8000 | low >> 48 & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }

    /// How long an answer takes to an operation in the account with this index. It depends on the seed, the operation
    /// and the account, so that the fastest possible sweep can be reckoned beforehand.
    #[must_use]
    pub fn latency(&self, operation: &Operation, index: u32) -> Duration {
        let latencies = &self.profile.latencies;
        let (latency, service) = match operation.service() {
            _ if matches!(operation, Operation::AssumeRoot(_)) => (latencies.root_session, 2),
            Service::Organizations => (latencies.organizations, 1),
            Service::Sts => (latencies.sts, 2),
            Service::Iam => (latencies.iam, 3),
            Service::Account => (latencies.account, 4),
        };
        let (item, place) = match operation {
            Operation::ListAccounts { next_token, .. } => (0, listing_start(next_token.as_deref())),
            Operation::AssumeRole(input) => (1, self.role_account_index(&input.role_arn).unwrap_or(0)),
            Operation::AssumeRoot(input) => (2, self.root_account_index(&input.target_principal).unwrap_or(0)),
            Operation::ListTagsForResource { resource_id, .. } => (3, self.find_account(resource_id).unwrap_or(0)),
            Operation::GetAlternateContact { contact_type, .. } => (contact_type.bytes().map(u32::from).sum(), index),
            _ => (operation.action().map_or(0, |action| 16 + action as u32), index),
        };
        latency.draw(&mut Draw::new(self.model.seed(), Topic::Latency, place, service << 16 | item))
    }

    /// How long the report of the account with this index is in the making.
    #[must_use]
    pub fn report_duration(&self, index: u32) -> Duration {
        let making = &self.profile.reports;
        let mut draw = Draw::new(self.model.seed(), Topic::Latency, index, 5 << 16);
        making.base.draw(&mut draw) + making.per_user.saturating_mul(self.model.users_per_account())
    }

    /// Who asks, if their credentials are good and their quota has room.
    fn admit(&self, signer: &crate::request::Signer, operation: &Operation) -> Result<Principal, Fault> {
        let service = operation.service();
        let now = Instant::now();
        let principal = self.authenticate(signer, service, self.clock.of_credentials(now))?;
        if let Some((meter, account, quota)) = self.quota(&principal, operation)
            && !self.buckets.take(meter, account, quota, now)
        {
            return Err(Fault::throttled(service));
        }
        Ok(principal)
    }

    /// The bucket that an operation is charged to.
    fn quota(&self, principal: &Principal, operation: &Operation) -> Option<(Meter, u32, Quota)> {
        let quotas = &self.profile.quotas;
        let (meter, quota) = match operation {
            Operation::ListAccounts { .. } => (Meter::ListAccounts, quotas.list_accounts),
            Operation::DescribeOrganization => (Meter::DescribeOrganization, quotas.describe_organization),
            Operation::ListRoots => (Meter::ListRoots, quotas.list_roots),
            Operation::ListTagsForResource { .. } => (Meter::ListTags, quotas.list_tags),
            Operation::GetCallerIdentity | Operation::AssumeRole(_) => (Meter::Sts, quotas.sts),
            // Its quota is not published, and STS's own does not count it.
            Operation::AssumeRoot(_) => return None,
            Operation::GetAlternateContact { .. } => (Meter::AlternateContact, quotas.alternate_contact),
            _ => (Meter::Iam, quotas.iam),
        };
        let account = match operation {
            Operation::GetAlternateContact { account_id: Some(id), .. } => self.find_account(id),
            _ => None,
        };
        quota.map(|quota| (meter, account.unwrap_or(principal.index()), quota))
    }

    fn perform(&self, principal: &Principal, operation: Operation) -> Outcome {
        self.authorize(principal, &operation)?;
        let index = principal.index();
        match operation {
            Operation::GetCallerIdentity => Ok(Output::CallerIdentity(self.identity(principal))),
            Operation::AssumeRole(input) => self.assume_role(principal, &input),
            Operation::AssumeRoot(input) => self.assume_root(principal, &input),
            Operation::ListTagsForResource { resource_id, next_token } => {
                self.list_tags(&resource_id, next_token.as_deref())
            }
            Operation::ListOrganizationsFeatures => Ok(self.list_features()),
            Operation::DescribeOrganization => Ok(self.describe_organization()),
            Operation::ListRoots => Ok(self.list_roots()),
            Operation::ListAccounts { next_token, max_results } => {
                self.list_accounts(next_token.as_deref(), max_results)
            }
            Operation::GenerateCredentialReport => self.generate_report(index),
            Operation::GetCredentialReport => self.fetch_report(index),
            Operation::GetAccountSummary => Ok(self.account_summary(index)),
            Operation::GetAccountPasswordPolicy => self.password_policy(index),
            Operation::ListVirtualMfaDevices(status, page) => self.virtual_mfa_devices(index, status, &page),
            Operation::ListAccountAliases => Ok(Output::Aliases(self.model.posture(index).alias.into_iter().collect())),
            Operation::ListUsers(page) => self.list_users(index, &page),
            Operation::ListAccessKeys(user_name) => self.list_access_keys(principal, user_name),
            Operation::GetUser => Ok(Output::User(Box::new(self.root_user(principal)?))),
            Operation::GetLoginProfile => self.root_login_profile(principal),
            Operation::ListMfaDevices => self.root_mfa_devices(principal),
            Operation::ListSigningCertificates => self.root_certificates(principal),
            Operation::GetAlternateContact { contact_type, account_id } => {
                self.alternate_contact(principal, &contact_type, account_id.as_deref())
            }
        }
    }

    /// The index of the account that has this id.
    fn find_account(&self, id: &str) -> Option<u32> {
        AccountId::parse(id).ok().and_then(|id| self.model.index_of(id))
    }

    /// The instant, and the time that reports go by.
    fn now(&self) -> report_desk::Moment {
        let instant = Instant::now();
        report_desk::Moment { instant, time: self.clock.of_facts(instant) }
    }

    /// When a report that is ordered now will say that it was made.
    fn generation_time(&self, now: report_desk::Moment, takes: Duration) -> Timestamp {
        self.clock.of_facts(now.instant + takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Signer;
    use crate::{CALLER_ACCESS_KEY_ID, Mix};

    #[test]
    fn request_ids_are_uuids_and_the_same_in_every_simulation() {
        let (one, two) = (Simulation::new(&SimSettings::default()), Simulation::new(&SimSettings::default()));
        let next = |simulation: &Simulation| simulation.refuse(Fault::throttled(Service::Iam)).request_id;
        let ids: Vec<String> = (0..3).map(|_| next(&one)).collect();
        assert_eq!(ids, [next(&two), next(&two), next(&two)]);
        assert!(ids[0] != ids[1] && ids[0].len() == 36 && ids[0].as_bytes()[14] == b'4', "{ids:?}");
        assert_eq!(one.requests_answered(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_as_long_as_the_profile_says() {
        let simulation = Simulation::new(&SimSettings { profile: Profile::aws(), ..SimSettings::default() });
        let signer = Signer { access_key_id: Some(CALLER_ACCESS_KEY_ID.to_owned()), session_token: None };
        let start = Instant::now();
        let request = Request { signer, operation: Operation::GetCallerIdentity };
        assert!(simulation.answer(request).await.outcome.is_ok());
        let took = start.elapsed();
        assert!((Duration::from_millis(50)..Duration::from_millis(102)).contains(&took), "{took:?}");
    }

    #[test]
    fn a_report_takes_one_to_five_seconds_and_longer_with_more_users() {
        let settings = SimSettings { profile: Profile::aws(), mix: Mix::default(), ..SimSettings::default() };
        let small = Simulation::new(&settings);
        let large = Simulation::new(&SimSettings { users_per_account: 5000, ..settings });
        for index in 0..100 {
            let (few, many) = (small.report_duration(index), large.report_duration(index));
            assert!(few >= Duration::from_secs(1) && few < many && many <= Duration::from_secs(5), "{few:?} {many:?}");
        }
    }
}
