//! Which accounts there are: the organization's list, page by page, and what the filters make of it.

use std::collections::HashSet;

use orgsweep_cloud::{ApiError, Cloud};
use orgsweep_core::{
    Account, AccountId, Call, Caller, Decision, ErrorKind, Organization, OrganizationFeatures, Plan, PlannedAccount,
    Reading, SkipReason, Source,
};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::ask::Asker;
use crate::error::SweepError;
use crate::others::reading;
use crate::pace::Pace;
use crate::pages::{ENDLESS_LIST, Pages, REPEATED_PAGE};
use crate::progress::Progress;
use crate::settings::SweepSettings;

/// Which accounts are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these; all where empty.
    pub include: Vec<AccountId>,
    /// Not these.
    pub exclude: Vec<AccountId>,
    /// Only those below one of these organizational units, at whatever depth; all where empty.
    pub units: Vec<String>,
    /// None that are below one of these.
    pub exclude_units: Vec<String>,
}

impl Selection {
    /// Whether it can be decided on the account at all: without its path nobody knows which units it is below.
    fn can_decide(&self, account: &Account) -> bool {
        account.path.is_some() || (self.units.is_empty() && self.exclude_units.is_empty())
    }

    /// Whether the account is asked, and why not.
    #[must_use]
    pub fn decide(&self, account: &Account) -> Decision {
        let is_below =
            |units: &[String]| account.path.as_ref().is_some_and(|path| units.iter().any(|unit| path.is_below(unit)));
        if !self.include.is_empty() && !self.include.contains(&account.id) {
            Decision::Skip(SkipReason::NotSelected)
        } else if self.exclude.contains(&account.id) {
            Decision::Skip(SkipReason::Excluded)
        } else if !self.units.is_empty() && !is_below(&self.units) {
            Decision::Skip(SkipReason::NotInUnits)
        } else if is_below(&self.exclude_units) {
            Decision::Skip(SkipReason::InExcludedUnit)
        } else if !account.state.is_usable() {
            Decision::Skip(SkipReason::State(account.state))
        } else {
            Decision::Ask
        }
    }
}

/// Says who asks, which organization is asked, and which of its accounts, and asks no account anything.
///
/// # Errors
/// As a sweep's discovery.
pub async fn survey(
    cloud: &dyn Cloud,
    settings: &SweepSettings,
    selection: &Selection,
    progress: &Progress,
) -> Result<Plan, SweepError> {
    let discovered = identify(cloud, settings, progress).await?;
    let pace = Pace::new(settings.patience.quota_share());
    // Nobody visits the accounts, so nobody receives them.
    let (to_visit, mut listed) = mpsc::channel(1);
    let drain = async { while listed.recv().await.is_some() {} };
    let list = async {
        let plan = Listing { pace: &pace, settings, cloud, selection, warm: HashSet::new(), progress }
            .plan(&discovered, &to_visit)
            .await;
        drop(to_visit);
        plan
    };
    let (plan, ()) = tokio::join!(list, drain);
    plan
}

/// Who asks, and which organization is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Who asks.
    pub caller: Caller,
    /// The organization; `None` where the caller may not describe it.
    pub organization: Option<Organization>,
    /// What of centralized root access is on.
    pub features: Reading<OrganizationFeatures>,
}

/// Asks AWS who the caller is, which organization they are in, and what of centralized root access is on there.
///
/// # Errors
/// Where AWS cannot be asked at all, the caller is in no organization, or a root audit is wanted where it cannot be.
pub async fn identify(
    cloud: &dyn Cloud,
    settings: &SweepSettings,
    progress: &Progress,
) -> Result<Discovered, SweepError> {
    let pace = Pace::new(settings.patience.quota_share());
    let patience = settings.patience.for_first_contact();
    let asker = Asker::new(&pace, &patience, progress, settings.seed).at_first_contact();
    let caller = ask_caller(&asker, cloud).await?;
    let organization = match asker.ask(Call::DescribeOrganization, "", || cloud.describe_organization()).await {
        Ok(organization) => Some(organization),
        Err(error) if error.kind == ErrorKind::Denied => {
            warn!(%error, "the organization could not be described; its id and management account stay unknown");
            None
        }
        Err(error) => return Err(not_listed(error)),
    };
    let features = ask_features(&asker, cloud).await;
    let is_off = features.value().is_some_and(|features| !features.root_credentials_management);
    if is_off && settings.optional.contains(Source::RootSession) {
        return Err(SweepError::RootAuditOff);
    }
    Ok(Discovered { caller, organization, features })
}

/// Who the caller is.
///
/// # Errors
/// AWS does not say.
pub(crate) async fn ask_caller(asker: &Asker<'_>, cloud: &dyn Cloud) -> Result<Caller, SweepError> {
    asker.ask(Call::GetCallerIdentity, "", || cloud.caller_identity()).await.map_err(caller_unknown)
}

/// What of centralized root access is on; a failure of the first of these calls says nothing of the others.
async fn ask_features(asker: &Asker<'_>, cloud: &dyn Cloud) -> Reading<OrganizationFeatures> {
    reading(asker.ask(Call::ListOrganizationsFeatures, "", || cloud.organization_features()).await)
}

/// The organization's list of accounts, and what is made of it.
pub(crate) struct Listing<'a> {
    pub(crate) pace: &'a Pace,
    pub(crate) settings: &'a SweepSettings,
    pub(crate) cloud: &'a dyn Cloud,
    pub(crate) selection: &'a Selection,
    /// Accounts that are on their way already.
    pub(crate) warm: HashSet<AccountId>,
    pub(crate) progress: &'a Progress,
}

impl Listing<'_> {
    /// Reads the list to its end, sends the accounts that are asked on their way, and returns the whole plan.
    ///
    /// # Errors
    /// Where a page could not be had, the list is empty, or the selection does not fit it.
    pub(crate) async fn plan(
        &self,
        discovered: &Discovered,
        to_visit: &mpsc::Sender<Account>,
    ) -> Result<Plan, SweepError> {
        let mut seen = HashSet::new();
        let mut planned = Vec::new();
        let mut pages = Pages::of(Call::ListAccounts);
        loop {
            let token = pages.token();
            // Patience is for each page: listing waits while accounts are visited, for as long as that takes.
            let asker = Asker::new(self.pace, &self.settings.patience, self.progress, self.settings.seed);
            let page = asker.ask(Call::ListAccounts, "", || self.cloud.list_accounts(token)).await;
            let page = page.map_err(not_listed)?;
            debug!(accounts = page.accounts.len(), more = page.next_token.is_some(), "page of accounts");
            for account in page.accounts {
                // An account that moves while the list is read can be on two pages.
                if !seen.insert(account.id) {
                    continue;
                }
                if !self.selection.can_decide(&account) {
                    return Err(SweepError::NoPath { account: account.id });
                }
                let decision = self.selection.decide(&account);
                self.progress.account_listed(decision != Decision::Ask);
                let is_new = decision == Decision::Ask && !self.warm.contains(&account.id);
                if is_new && to_visit.send(account.clone()).await.is_err() {
                    return Err(SweepError::Stopped);
                }
                planned.push(PlannedAccount { account, decision });
            }
            if !pages.turn(page.next_token).map_err(not_listed)? {
                break;
            }
        }
        check_selection(&seen, &planned, self.selection)?;
        self.progress.all_listed();
        let features = self.features(&discovered.features).await;
        let Discovered { caller, organization, .. } = discovered.clone();
        Ok(Plan::new(caller, organization, features, planned))
    }

    /// The features of the organization. What failed in passing at the start is asked again, with all patience, since the
    /// plan keeps it for the whole run.
    async fn features(&self, told: &Reading<OrganizationFeatures>) -> Reading<OrganizationFeatures> {
        let features = if told.is_settled() {
            told.clone()
        } else {
            let asker = Asker::new(self.pace, &self.settings.patience, self.progress, self.settings.seed);
            ask_features(&asker, self.cloud).await
        };
        if let Some((kind, code)) = features.gap() {
            warn!(kind, code, "nobody knows whether root access is centralized; checks that ask for it stay unknown");
        }
        features
    }
}

fn check_selection(
    seen: &HashSet<AccountId>,
    planned: &[PlannedAccount],
    selection: &Selection,
) -> Result<(), SweepError> {
    if planned.is_empty() {
        return Err(SweepError::NoAccounts);
    }
    let missing = |ids: &[AccountId]| ids.iter().filter(|id| !seen.contains(id)).copied().collect::<Vec<_>>();
    let accounts = missing(&selection.include);
    if !accounts.is_empty() {
        return Err(SweepError::NotInOrganization { accounts });
    }
    let is_empty = |unit: &&String| {
        !planned.iter().any(|planned| planned.account.path.as_ref().is_some_and(|path| path.is_below(unit)))
    };
    let units: Vec<String> = selection.units.iter().filter(is_empty).cloned().collect();
    if !units.is_empty() {
        return Err(SweepError::NotInUnits { units });
    }
    for unit in selection.exclude_units.iter().filter(is_empty) {
        warn!(unit, "--exclude-ou names an organizational unit that no account is below");
    }
    for account in missing(&selection.exclude) {
        warn!(%account, "--exclude-accounts names an account that the organization does not list");
    }
    if planned.iter().all(|planned| planned.decision != Decision::Ask) {
        return Err(SweepError::NothingToAsk { skipped: planned.len() });
    }
    Ok(())
}

fn caller_unknown(source: ApiError) -> SweepError {
    let hint = match source.kind {
        ErrorKind::Denied => "check what AWS_PROFILE or AWS_ACCESS_KEY_ID name; AWS refused it",
        ErrorKind::Expired => {
            "AWS does not accept the caller's credentials; renew them (`aws sso login`), or check AWS_PROFILE"
        }
        _ => "check the network, AWS_REGION, AWS_ENDPOINT_URL and HTTPS_PROXY",
    };
    SweepError::CallerUnknown { hint, source: Box::new(source) }
}

fn not_listed(source: ApiError) -> SweepError {
    let hint = match (source.kind, source.code.as_str()) {
        (_, "AWSOrganizationsNotInUseException") => {
            "the caller's account is in no organization; point AWS_PROFILE at the management account or at a delegated administrator"
        }
        (_, REPEATED_PAGE | ENDLESS_LIST) => {
            "the list comes to no end; check AWS_ENDPOINT_URL, and any proxy on the way: what answers there is hardly AWS"
        }
        (ErrorKind::Denied, _) => {
            "run orgsweep in the management account, or in a delegated administrator, with organizations:ListAccounts and organizations:DescribeOrganization allowed"
        }
        (ErrorKind::Expired, _) => "the caller's credentials have run out; renew them (`aws sso login`)",
        (ErrorKind::Throttled, _) => "AWS throttles the listing; resume later, or with a lower --politeness",
        _ => "check the network, AWS_ENDPOINT_URL and HTTPS_PROXY",
    };
    SweepError::NotListed { hint, source: Box::new(source) }
}
