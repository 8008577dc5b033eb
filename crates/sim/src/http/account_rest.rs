//! AWS Account Management on the wire: REST with JSON bodies, the operation in the path.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::request::{Operation, Output};

#[derive(Debug, Deserialize)]
struct ContactInput {
    #[serde(rename = "AlternateContactType")]
    contact_type: String,
    #[serde(rename = "AccountId", default)]
    account_id: Option<String>,
}

/// Understands a request by its path and body.
pub(super) fn parse(path: &str, body: &[u8]) -> Result<Operation, Fault> {
    if path != "/getAlternateContact" {
        return Err(Fault::new(404, "UnknownOperationException", format!("Unknown operation {path}")));
    }
    let input: ContactInput = serde_json::from_slice(body)
        .map_err(|_| Fault::new(400, "ValidationException", "AlternateContactType is needed"))?;
    Ok(Operation::GetAlternateContact { contact_type: input.contact_type, account_id: input.account_id })
}

/// The body of an answer.
pub(super) fn render(outcome: Result<Output, Fault>) -> Vec<u8> {
    let body: Value = match outcome {
        Ok(Output::Contact(contact, facts)) => json!({"AlternateContact": {
            "AlternateContactType": contact.as_wire(),
            "Name": facts.name,
            "Title": facts.title,
            "EmailAddress": facts.email,
            "PhoneNumber": facts.phone,
        }}),
        Ok(_) => json!({}),
        Err(fault) => json!({"message": fault.message}),
    };
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_asked_for_by_type_and_account() {
        let body = br#"{"AlternateContactType":"SECURITY","AccountId":"111122223333"}"#;
        let account_id = Some("111122223333".to_owned());
        let expected = Operation::GetAlternateContact { contact_type: "SECURITY".to_owned(), account_id };
        assert_eq!(parse("/getAlternateContact", body), Ok(expected));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_awss_code() {
        assert_eq!(parse("/deleteAlternateContact", b"{}").unwrap_err().code, "UnknownOperationException");
        assert_eq!(parse("/getAlternateContact", b"{}").unwrap_err().code, "ValidationException");
    }
}
