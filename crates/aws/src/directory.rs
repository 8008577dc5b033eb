//! Who the caller is, and which accounts the organization has.

use async_trait::async_trait;
use aws_sdk_organizations::types::Account as SdkAccount;
use orgsweep_cloud::{AccountPage, Answer, Answered, ApiError, Directory, TagPage};
use orgsweep_core::{
    Account, AccountId, AccountState, Call, Caller, ErrorKind, OrgPath, Organization, OrganizationFeatures, Tag,
};

use crate::AwsCloud;
use crate::convert::{account_id, required, timestamp};
use crate::error::answered;

/// The largest page that AWS gives.
const ACCOUNTS_A_PAGE: i32 = 20;

#[async_trait]
impl Directory for AwsCloud {
    async fn caller_identity(&self) -> Answered<Caller> {
        let call = Call::GetCallerIdentity;
        let Answer { value, request_id } = answered(call, self.sts.get_caller_identity().send().await)?;
        let caller = Caller {
            account_id: account_id(call, value.account())?,
            arn: required(call, "ARN", value.arn())?.to_owned(),
        };
        Ok(Answer { value: caller, request_id })
    }

    async fn describe_organization(&self) -> Answered<Organization> {
        let call = Call::DescribeOrganization;
        let Answer { value, request_id } = answered(call, self.organizations.describe_organization().send().await)?;
        let described = required(call, "organization", value.organization())?;
        let organization = Organization {
            id: required(call, "organization id", described.id())?.to_owned(),
            management_account_id: account_id(call, described.master_account_id())?,
        };
        Ok(Answer { value: organization, request_id })
    }

    async fn list_accounts(&self, next_token: Option<&str>) -> Answered<AccountPage> {
        let call = Call::ListAccounts;
        let request = self.organizations.list_accounts().max_results(ACCOUNTS_A_PAGE);
        let result = request.set_next_token(next_token.map(str::to_owned)).send().await;
        let Answer { value, request_id } = answered(call, result)?;
        let accounts = value.accounts().iter().map(|listed| account(call, listed)).collect::<Result<_, _>>()?;
        let page = AccountPage { accounts, next_token: value.next_token().map(str::to_owned) };
        Ok(Answer { value: page, request_id })
    }

    async fn organization_features(&self) -> Answered<OrganizationFeatures> {
        match answered(Call::ListOrganizationsFeatures, self.iam.of_caller().list_organizations_features().send().await)
        {
            Ok(Answer { value, request_id }) => {
                let is_on = |name: &str| value.enabled_features().iter().any(|feature| feature.as_str() == name);
                let features = OrganizationFeatures {
                    root_credentials_management: is_on("RootCredentialsManagement"),
                    root_sessions: is_on("RootSessions"),
                };
                Ok(Answer { value: features, request_id })
            }
            Err(error) if error.kind == ErrorKind::Absent => {
                Ok(Answer { value: OrganizationFeatures::default(), request_id: error.request_id })
            }
            Err(error) => Err(error),
        }
    }

    async fn account_tags(&self, account: AccountId, next_token: Option<&str>) -> Answered<TagPage> {
        let request = self.organizations.list_tags_for_resource().resource_id(account.as_str());
        let result = request.set_next_token(next_token.map(str::to_owned)).send().await;
        let Answer { value, request_id } = answered(Call::ListTagsForResource, result)?;
        let tags = value.tags().iter().map(|tag| Tag { key: tag.key().to_owned(), value: tag.value().to_owned() });
        let page = TagPage { tags: tags.collect(), next_token: value.next_token().map(str::to_owned) };
        Ok(Answer { value: page, request_id })
    }
}

fn account(call: Call, listed: &SdkAccount) -> Result<Account, ApiError> {
    Ok(Account {
        id: account_id(call, listed.id())?,
        arn: listed.arn().map(str::to_owned),
        name: listed.name().map(str::to_owned),
        email: listed.email().map(str::to_owned),
        state: state(listed),
        path: listed.paths().first().map(|path| OrgPath::new(path.clone())),
        joined_method: listed.joined_method().map(|method| method.as_str().to_owned()),
        joined_at: listed.joined_timestamp().and_then(timestamp),
    })
}

/// `State`, or the older `Status` where AWS does not give it.
fn state(listed: &SdkAccount) -> AccountState {
    let state = listed.state().map(|state| AccountState::from_wire(state.as_str()));
    match state {
        Some(state) if state != AccountState::Unknown => state,
        _ => listed.status().map_or(AccountState::Unknown, |status| AccountState::from_wire(status.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_organizations::types::{AccountState as SdkState, AccountStatus};

    use super::*;

    #[track_caller]
    fn check(given: Option<SdkState>, status: Option<AccountStatus>, expected: AccountState) {
        assert_eq!(state(&SdkAccount::builder().set_state(given).set_status(status).build()), expected);
    }

    #[test]
    fn state_outranks_status_and_either_may_be_missing() {
        check(Some(SdkState::Closed), Some(AccountStatus::Suspended), AccountState::Closed);
        check(None, Some(AccountStatus::PendingClosure), AccountState::PendingClosure);
        check(Some(SdkState::from("NEW_WORD")), Some(AccountStatus::Active), AccountState::Active);
        check(None, None, AccountState::Unknown);
    }
}
