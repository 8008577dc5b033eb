//! The calls of an account beside its report: posture, policy, alias, contacts.

use orgsweep_cloud::{ApiError, Session};
use orgsweep_core::{AccountSummary, Call, Contact, ContactType, PasswordPolicy, Reading};

use crate::pages::Pages;
use crate::session::OpenAccount;

/// What the other calls told.
pub(crate) struct Others {
    pub(crate) summary: Reading<AccountSummary>,
    pub(crate) root_virtual_mfa: Reading<bool>,
    pub(crate) password_policy: Reading<Option<PasswordPolicy>>,
    pub(crate) alias: Reading<Option<String>>,
    pub(crate) contacts: [Reading<Option<Contact>>; 3],
}

/// Makes the calls one after another, so that no account sees more than this one and its report's at a time.
pub(crate) async fn collect_others(account: &OpenAccount<'_>) -> Others {
    let cloud = account.cloud();
    let call = Call::GetAccountSummary;
    let summary = account.ask(call, "", |session: Session| async move { cloud.account_summary(&session).await }).await;
    let summary = reading(summary);
    let root_virtual_mfa = match &summary {
        // Without MFA there is no device to look for.
        Reading::Read(AccountSummary { root_mfa_enabled: Some(false), .. }) => Reading::Read(false),
        _ => reading(collect_root_virtual_mfa(account).await),
    };
    let call = Call::GetAccountPasswordPolicy;
    let policy = account.ask(call, "", |session: Session| async move { cloud.password_policy(&session).await }).await;
    let call = Call::ListAccountAliases;
    let alias = account.ask(call, "", |session: Session| async move { cloud.account_alias(&session).await }).await;
    let [billing, operations, security] = ContactType::ALL;
    Others {
        summary,
        root_virtual_mfa,
        password_policy: reading(policy),
        alias: reading(alias),
        contacts: [
            collect_contact(account, billing).await,
            collect_contact(account, operations).await,
            collect_contact(account, security).await,
        ],
    }
}

async fn collect_root_virtual_mfa(account: &OpenAccount<'_>) -> Result<bool, ApiError> {
    let cloud = account.cloud();
    let call = Call::ListVirtualMFADevices;
    let mut pages = Pages::of(call);
    loop {
        let from = pages.token();
        let ask = |session: Session| async move { cloud.virtual_mfa_devices(&session, from).await };
        let page = account.ask(call, "", ask).await?;
        if page.has_root_device {
            return Ok(true);
        }
        if !account.asker().turn(&mut pages, page.next_marker)? {
            return Ok(false);
        }
    }
}

async fn collect_contact(account: &OpenAccount<'_>, contact: ContactType) -> Reading<Option<Contact>> {
    let cloud = account.cloud();
    let ask = |session: Session| async move { cloud.alternate_contact(&session, contact).await };
    reading(account.ask(Call::GetAlternateContact, contact.as_wire(), ask).await)
}

/// What the journal keeps of an answer.
pub(crate) fn reading<T>(result: Result<T, ApiError>) -> Reading<T> {
    match result {
        Ok(value) => Reading::Read(value),
        Err(error) => Reading::Refused(error.refusal()),
    }
}
