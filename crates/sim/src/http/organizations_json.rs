//! AWS Organizations on the wire: JSON 1.1, the operation in `X-Amz-Target`.

use orgsweep_core::{Account, OrgPath, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::model::{AccountFacts, Model};
use crate::request::{DescribedOrganization, Operation, Output};

const TARGET_PREFIX: &str = "AWSOrganizationsV20161128.";

#[derive(Debug, Default, Deserialize)]
struct PageInput {
    #[serde(rename = "NextToken", default)]
    next_token: Option<String>,
    #[serde(rename = "MaxResults", default)]
    max_results: Option<u64>,
    #[serde(rename = "ResourceId", default)]
    resource_id: Option<String>,
}

/// Understands a request by its target and body.
pub(super) fn parse(target: &str, body: &[u8]) -> Result<Operation, Fault> {
    let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or_default();
    let is_known = matches!(operation, "DescribeOrganization" | "ListAccounts" | "ListRoots" | "ListTagsForResource");
    if !is_known {
        return Err(Fault::new(400, "UnknownOperationException", format!("Unknown operation {target}")));
    }
    let input = if body.is_empty() { Ok(PageInput::default()) } else { serde_json::from_slice(body) };
    let input: PageInput =
        input.map_err(|_| Fault::new(400, "SerializationException", "The body is not as expected"))?;
    Ok(match operation {
        "DescribeOrganization" => Operation::DescribeOrganization,
        "ListRoots" => Operation::ListRoots,
        "ListTagsForResource" => Operation::ListTagsForResource {
            resource_id: input.resource_id.unwrap_or_default(),
            next_token: input.next_token,
        },
        _ => Operation::ListAccounts { next_token: input.next_token, max_results: input.max_results },
    })
}

/// The body of an answer.
pub(super) fn render(outcome: Result<Output, Fault>) -> Vec<u8> {
    let body = match outcome {
        Ok(Output::Accounts(accounts, next_token)) => return page_json(&accounts, next_token.as_deref()),
        Ok(Output::Organization(described)) => organization_json(&described),
        Ok(Output::Tags(tags, next_token)) => tags_json(&tags, next_token),
        Ok(Output::Root(id, arn)) => {
            let policies = json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]);
            json!({"Roots": [{"Id": id, "Arn": arn, "Name": "Root", "PolicyTypes": policies}]})
        }
        Ok(_) => json!({}),
        Err(fault) => {
            let mut body = Map::new();
            body.insert("__type".to_owned(), fault.code.into());
            body.insert("Message".to_owned(), fault.message.into());
            body.extend(fault.detail.map(|(name, value)| (name.to_owned(), Value::from(value))));
            Value::Object(body)
        }
    };
    body.to_string().into_bytes()
}

fn tags_json(tags: &[Tag], next_token: Option<String>) -> Value {
    let tags: Vec<Value> = tags.iter().map(|tag| json!({"Key": tag.key, "Value": tag.value})).collect();
    let mut body = json!({"Tags": tags});
    if let (Some(token), Some(body)) = (next_token, body.as_object_mut()) {
        body.insert("NextToken".to_owned(), token.into());
    }
    body
}

fn organization_json(described: &DescribedOrganization) -> Value {
    json!({"Organization": {
        "Id": described.organization.id,
        "Arn": described.arn,
        "FeatureSet": "ALL",
        "MasterAccountId": described.organization.management_account_id,
        "MasterAccountArn": described.management_account_arn,
        "MasterAccountEmail": described.management_account_email,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PageJson<'a> {
    accounts: Vec<AccountJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountJson<'a> {
    id: &'a str,
    arn: Option<&'a str>,
    email: Option<&'a str>,
    name: Option<&'a str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    paths: Vec<&'a str>,
    joined_method: Option<&'a str>,
    /// Seconds since 1970.
    joined_timestamp: Option<i64>,
}

fn page_json(accounts: &[AccountFacts], next_token: Option<&str>) -> Vec<u8> {
    let page =
        PageJson { accounts: accounts.iter().map(|account| account_json(&account.listed)).collect(), next_token };
    // Texts and numbers alone always have a JSON form.
    serde_json::to_vec(&page).unwrap_or_default()
}

fn account_json(account: &Account) -> AccountJson<'_> {
    AccountJson {
        id: account.id.as_str(),
        arn: account.arn.as_deref(),
        email: account.email.as_deref(),
        name: account.name.as_deref(),
        state: account.state.as_str(),
        status: Model::retired_status(account.state),
        paths: account.path.iter().map(OrgPath::as_str).collect(),
        joined_method: account.joined_method.as_deref(),
        joined_timestamp: account.joined_at.map(|time| time.millis().div_euclid(1000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimSettings;

    #[test]
    fn a_page_is_asked_for_by_token_and_size() {
        let body = br#"{"NextToken":"abc","MaxResults":5}"#;
        let expected = Operation::ListAccounts { next_token: Some("abc".to_owned()), max_results: Some(5) };
        assert_eq!(parse("AWSOrganizationsV20161128.ListAccounts", body), Ok(expected));
        assert_eq!(parse("AWSOrganizationsV20161128.ListRoots", b""), Ok(Operation::ListRoots));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_awss_code() {
        let code = |target: &str, body: &[u8]| parse(target, body).unwrap_err().code;
        assert_eq!(code("AWSOrganizationsV20161128.CloseAccount", b"{}"), "UnknownOperationException");
        assert_eq!(code("ListAccounts", b"{}"), "UnknownOperationException");
        assert_eq!(code("AWSOrganizationsV20161128.ListAccounts", b"{"), "SerializationException");
        assert_eq!(code("AWSOrganizationsV20161128.ListAccounts", br#"{"MaxResults":"x"}"#), "SerializationException");
    }

    #[test]
    fn an_account_is_written_with_state_status_and_paths() {
        let model = Model::new(&SimSettings::default());
        let page: Value = serde_json::from_slice(&page_json(&[model.account(1)], Some("next"))).unwrap();
        let body = &page["Accounts"][0];
        for name in ["Id", "Arn", "Email", "Name", "State", "Status", "Paths", "JoinedMethod", "JoinedTimestamp"] {
            assert!(body.get(name).is_some(), "{name} in {body}");
        }
        assert_eq!((&page["NextToken"], body["Paths"].as_array().map(Vec::len)), (&Value::from("next"), Some(1)));
    }
}
