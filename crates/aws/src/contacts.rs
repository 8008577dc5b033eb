//! What is asked of AWS Account Management inside an account.

use async_trait::async_trait;
use aws_sdk_account::types::AlternateContactType;
use orgsweep_cloud::{AccountContacts, Answer, Answered, Session};
use orgsweep_core::{Call, Contact, ContactType, ErrorKind};

use crate::AwsCloud;
use crate::convert::required;
use crate::error::answered;

#[async_trait]
impl AccountContacts for AwsCloud {
    async fn alternate_contact(&self, session: &Session, contact: ContactType) -> Answered<Option<Contact>> {
        let call = Call::GetAlternateContact;
        let wire = match contact {
            ContactType::Billing => AlternateContactType::Billing,
            ContactType::Operations => AlternateContactType::Operations,
            ContactType::Security => AlternateContactType::Security,
        };
        let sent =
            self.account.ask(session, |account| account.get_alternate_contact().alternate_contact_type(wire).send());
        match answered(call, sent.await) {
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
