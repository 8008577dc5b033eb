//! AWS Account Management: alternate contacts.

use orgsweep_core::ContactType;

use super::principal::Principal;
use super::{Outcome, Simulation};
use crate::fault::Fault;
use crate::request::{Output, Service};

impl Simulation {
    /// The contact of the account that signs, or of the account named: a member, asked about by the management
    /// account, which may not name itself.
    pub(super) fn alternate_contact(
        &self,
        principal: &Principal,
        contact_type: &str,
        account_id: Option<&str>,
    ) -> Outcome {
        let denied =
            || Fault::denied(Service::Account, "User is not authorized to perform: account:GetAlternateContact");
        let contact = ContactType::ALL.into_iter().find(|contact| contact.as_wire() == contact_type);
        // AWS answers a type that does not exist as if it were not allowed.
        let contact = contact.ok_or_else(denied)?;
        let index = match (account_id, principal) {
            (None, _) => principal.index(),
            (Some(id), Principal::Caller) => self.find_account(id).filter(|index| *index > 0).ok_or_else(denied)?,
            (Some(_), Principal::Session(_)) => return Err(denied()),
        };
        self.model.contact(index, contact).map(|facts| Output::Contact(contact, facts)).ok_or_else(|| {
            let message = "No contact of the inputted alternate contact type found.";
            Fault::new(404, "ResourceNotFoundException", message)
        })
    }
}
