//! What is asked of AWS Account Management inside an account.

use async_trait::async_trait;
use aws_sdk_account::config::{Builder, IdentityCache};
use aws_sdk_account::types::AlternateContactType;
use orgsweep_cloud::{AccountContacts, Answer, Answered, Session};
use orgsweep_core::{Call, Contact, ContactType, ErrorKind};

use crate::convert::required;
use crate::error::answered;
use crate::{AwsCloud, sdk_credentials};

fn signed_by(session: &Session) -> Builder {
    match sdk_credentials(session) {
        None => Builder::new(),
        Some(credentials) => Builder::new().credentials_provider(credentials).identity_cache(IdentityCache::no_cache()),
    }
}

#[async_trait]
impl AccountContacts for AwsCloud {
    async fn alternate_contact(&self, session: &Session, contact: ContactType) -> Answered<Option<Contact>> {
        let call = Call::GetAlternateContact;
        let wire = match contact {
            ContactType::Billing => AlternateContactType::Billing,
            ContactType::Operations => AlternateContactType::Operations,
            ContactType::Security => AlternateContactType::Security,
        };
        let request = self.account.get_alternate_contact().alternate_contact_type(wire);
        match answered(call, request.customize().config_override(signed_by(session)).send().await) {
            Ok(Answer { value, request_id }) => {
                let found = required(call, "alternate contact", value.alternate_contact())?;
                let contact = Contact {
                    name: found.name().map(str::to_owned),
                    title: found.title().map(str::to_owned),
                    email: found.email_address().map(str::to_owned),
                };
                Ok(Answer { value: Some(contact), request_id })
            }
            Err(error) if error.kind == ErrorKind::Absent => Ok(Answer { value: None, request_id: error.request_id }),
            Err(error) => Err(error),
        }
    }
}
