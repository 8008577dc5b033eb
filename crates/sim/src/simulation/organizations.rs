//! AWS Organizations: the organization, its root, its accounts.

use super::listing::PageStart;
use super::{Outcome, Simulation};
use crate::fault::Fault;
use crate::random::{Draw, Topic};
use crate::request::{DescribedOrganization, Output, Service};

/// The largest page of `ListAccounts`.
const PAGE: u32 = 20;

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

    /// Whether AWS answers with an empty page, and a token, before the page that starts here. The second page always
    /// has one before it, so that every organization of some size shows one.
    fn has_empty_page(&self, start: u32) -> bool {
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
