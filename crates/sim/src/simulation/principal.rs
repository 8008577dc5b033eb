//! Who asks, and what they may ask for.

use orgsweep_core::Timestamp;

use super::Simulation;
use crate::action::Action;
use crate::environment::{CALLER_ACCESS_KEY_ID, CALLER_USER_NAME};
use crate::fault::Fault;
use crate::request::{Identity, Operation, Service, Signer};
use crate::token::Claims;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Principal {
    /// The caller, an IAM user of the management account who may ask for everything.
    Caller,
    /// A session of the scanner role, or of a root user.
    Session(Claims),
}

impl Principal {
    /// The account whose credentials sign.
    pub(super) fn index(&self) -> u32 {
        match self {
            Self::Caller => 0,
            Self::Session(claims) => claims.index,
        }
    }

    /// Whether this is a root session.
    pub(super) fn is_root(&self) -> bool {
        matches!(self, Self::Session(claims) if claims.is_root)
    }
}

impl Simulation {
    /// Whose credentials these are, if anybody's, and if they still hold at this time.
    pub(super) fn authenticate(&self, signer: &Signer, service: Service, now: Timestamp) -> Result<Principal, Fault> {
        let Some(access_key_id) = signer.access_key_id.as_deref() else {
            return Err(Fault::unsigned(service));
        };
        match signer.session_token.as_deref() {
            None if access_key_id == CALLER_ACCESS_KEY_ID => Ok(Principal::Caller),
            None => Err(Fault::unknown_credentials(service)),
            Some(token) => {
                let claims = self.token_key.open(access_key_id, token);
                let claims = claims.ok_or_else(|| Fault::unknown_credentials(service))?;
                if claims.expires_at <= now { Err(Fault::expired(service)) } else { Ok(Principal::Session(claims)) }
            }
        }
    }

    /// Refuses what the principal may not ask for.
    pub(super) fn authorize(&self, principal: &Principal, operation: &Operation) -> Result<(), Fault> {
        let Principal::Session(claims) = principal else {
            return Ok(());
        };
        let service = operation.service();
        match operation.action() {
            Some(action) => self.authorize_action(claims, action, service),
            None if *operation == Operation::GetCallerIdentity => Ok(()),
            None if service == Service::Organizations => {
                Err(Fault::denied(service, "You don't have permissions to access this resource."))
            }
            None => {
                let prefix = if service == Service::Iam { "iam" } else { "sts" };
                Err(self.refusal(principal, service, &format!("{prefix}:{}", operation.name()), "*"))
            }
        }
    }

    fn authorize_action(&self, claims: &Claims, action: Action, service: Service) -> Result<(), Fault> {
        let principal = Principal::Session(claims.clone());
        if self.is_closed(claims.index, self.elapsed()) {
            return Err(self.refusal(&principal, service, action.name(), "* because the account is closed"));
        }
        if self.model.standing(claims.index).denied_calls.contains(action) {
            return Err(self.refusal(
                &principal,
                service,
                action.name(),
                "* with an explicit deny in a service control policy",
            ));
        }
        if !claims.allowed.contains(action) {
            return Err(self.refusal(
                &principal,
                service,
                action.name(),
                "* because no session policy allows the action",
            ));
        }
        Ok(())
    }

    /// The refusal of an action, in AWS's words.
    pub(super) fn refusal(&self, principal: &Principal, service: Service, action: &str, resource: &str) -> Fault {
        let arn = self.identity(principal).arn;
        Fault::denied(service, format!("User: {arn} is not authorized to perform: {action} on resource: {resource}"))
    }

    /// Who a principal is.
    pub(super) fn identity(&self, principal: &Principal) -> Identity {
        let account_id = self.model.account_id(principal.index());
        let partition = self.model.partition();
        match principal {
            Principal::Caller => Identity {
                user_id: self.model.unique_id("AIDA", 0, 0),
                account_id,
                arn: format!("arn:{partition}:iam::{account_id}:user/{CALLER_USER_NAME}"),
            },
            Principal::Session(claims) if claims.is_root => Identity {
                user_id: account_id.to_string(),
                account_id,
                arn: format!("arn:{partition}:iam::{account_id}:root"),
            },
            Principal::Session(claims) => {
                let session = &claims.session_name;
                let role = self.role_name.rsplit('/').next().unwrap_or_default();
                Identity {
                    user_id: format!("{}:{session}", self.model.unique_id("AROA", claims.index, 0)),
                    account_id,
                    arn: format!("arn:{partition}:sts::{account_id}:assumed-role/{role}/{session}"),
                }
            }
        }
    }
}
