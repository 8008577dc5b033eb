//! AWS Organizations: the organization, its root, its accounts and their tags; and IAM's features for it.

use super::listing::PageStart;
use super::{Outcome, Simulation};
use crate::fault::Fault;
use crate::random::{Draw, Topic};
use crate::request::{DescribedOrganization, Output, Service};

/// The largest page of `ListAccounts`.
pub(super) const PAGE: u32 = 20;

/// Tags of one page. AWS says no number; this one is small, so that paging shows.
const TAGS_A_PAGE: usize = 3;

/// One in this many pages is preceded by an empty one.
const PAGES_PER_EMPTY_PAGE: u64 = 8;

impl Simulation {
    pub(super) fn describe_organization(&self) -> Output {
        let management = self.model.account(0).listed;
        let organization = self.model.organization();
        Output::Organization(DescribedOrganization {
            arn: self.model.organizations_arn(&format!("organization/{}", organization.id)),
            management_account_arn: management.arn.unwrap_or_default(),
            management_account_email: management.email.unwrap_or_default(),
            organization,
        })
    }

    pub(super) fn list_roots(&self) -> Output {
        let root = self.model.root_id();
        let arn = self.model.organizations_arn(&format!("root/{}/{root}", self.model.organization().id));
        Output::Root(root.to_owned(), arn)
    }

    pub(super) fn list_accounts(&self, next_token: Option<&str>, max_results: Option<u64>) -> Outcome {
        let most = match max_results.map(u32::try_from) {
            None => PAGE,
            Some(Ok(most)) if (1..=PAGE).contains(&most) => most,
            Some(_) => return Err(invalid_input("MIN_MAX_VALUE", "MaxResults must be from 1 to 20.")),
        };
        let start = match next_token {
            None => PageStart::FIRST,
            Some(token) => PageStart::parse(token).ok_or_else(invalid_token)?,
        };
        let accounts = self.model.accounts();
        if !start.is_behind_empty_page && self.has_empty_page(start.index) {
            let next = PageStart { is_behind_empty_page: true, ..start };
            return Ok(Output::Accounts(Vec::new(), Some(next.token())));
        }
        let end = start.index.saturating_add(most).min(accounts);
        let page = (start.index..end).map(|index| self.model.account(index)).collect();
        let next = (end < accounts).then(|| PageStart { index: end, is_behind_empty_page: false }.token());
        Ok(Output::Accounts(page, next))
    }

    pub(super) fn list_tags(&self, resource_id: &str, next_token: Option<&str>) -> Outcome {
        let Some(index) = self.find_account(resource_id) else {
            let message = "You specified a target that does not exist.";
            return Err(Fault::new(400, "TargetNotFoundException", message));
        };
        let start = match next_token {
            None => PageStart::FIRST,
            Some(token) => PageStart::parse(token).ok_or_else(invalid_token)?,
        };
        let tags = self.model.tags(index);
        let from = usize::try_from(start.index).unwrap_or(usize::MAX);
        let end = from.saturating_add(TAGS_A_PAGE);
        let next = u32::try_from(end).ok().filter(|_| end < tags.len());
        let next = next.map(|index| PageStart { index, is_behind_empty_page: false }.token());
        Ok(Output::Tags(tags.into_iter().skip(from).take(TAGS_A_PAGE).collect(), next))
    }

    pub(super) fn list_features(&self) -> Output {
        let features = self.model.features();
        let named = [
            (features.root_credentials_management, "RootCredentialsManagement"),
            (features.root_sessions, "RootSessions"),
        ];
        let enabled = named.into_iter().filter(|(is_on, _)| *is_on).map(|(_, name)| name).collect();
        Output::Features(self.model.organization().id, enabled)
    }

    /// Whether AWS answers with an empty page, and a token, before the page that starts here. The second page always
    /// has one before it, so that every organization of some size shows one.
    pub(super) fn has_empty_page(&self, start: u32) -> bool {
        if start == 0 || !start.is_multiple_of(PAGE) {
            return false;
        }
        let mut draw = Draw::new(self.model.seed(), Topic::EmptyPage, start / PAGE, 0);
        start == PAGE || draw.below(PAGES_PER_EMPTY_PAGE) == 0
    }
}

/// The account that the page of this token starts with.
pub(super) fn listing_start(next_token: Option<&str>) -> u32 {
    next_token.and_then(PageStart::parse).unwrap_or(PageStart::FIRST).index
}

fn invalid_token() -> Fault {
    invalid_input("INVALID_NEXT_TOKEN", "You provided an invalid pagination token.")
}

fn invalid_input(reason: &'static str, message: &'static str) -> Fault {
    Fault { detail: Some(("Reason", reason)), ..Fault::invalid(Service::Organizations, message) }
}
