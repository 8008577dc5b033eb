//! An account's tags in the organization, asked with the caller's own credentials.

use orgsweep_cloud::ApiError;
use orgsweep_core::{AccountId, Call, Tag};

use crate::pages::Pages;
use crate::session::OpenAccount;

/// Reads every page of the account's tags, and brings them in order of their keys.
///
/// # Errors
/// That of the first page that is not answered, or that comes again.
pub(crate) async fn collect_tags(account: &OpenAccount<'_>, id: AccountId) -> Result<Vec<Tag>, ApiError> {
    let cloud = account.cloud();
    let mut tags = Vec::new();
    let mut pages = Pages::of(Call::ListTagsForResource);
    loop {
        let from = pages.token();
        let ask = || async move { cloud.account_tags(id, from).await };
        let page = account.asker().ask(Call::ListTagsForResource, "", ask).await?;
        tags.extend(page.tags);
        if !account.asker().turn(&mut pages, page.next_token)? {
            tags.sort_unstable();
            return Ok(tags);
        }
    }
}
