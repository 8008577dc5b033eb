//! IAM as a root session sees it: the root user's own credentials, in answers that name no user.

use super::principal::Principal;
use super::{Outcome, Simulation};
use crate::fault::Fault;
use crate::model::MfaDevice;
use crate::request::{ListedCertificate, ListedUser, Output, Service};

impl Simulation {
    /// The root user of the session's account. Sessions of the scanner role would have to name a user, and orgsweep
    /// asks these calls of no other.
    pub(super) fn root_user(&self, principal: &Principal) -> Result<ListedUser, Fault> {
        let root = self.model.users(principal.index()).into_iter().next().filter(|_| principal.is_root());
        let message = "Must specify userName when calling with non-User credentials";
        let root = root.ok_or_else(|| Fault::invalid(Service::Iam, message))?;
        Ok(self.listed_user(principal.index(), root))
    }

    pub(super) fn root_login_profile(&self, principal: &Principal) -> Outcome {
        let root = self.root_user(principal)?.facts;
        if !root.password_enabled {
            return Err(Fault::new(404, "NoSuchEntity", "Login Profile for User null cannot be found."));
        }
        Ok(Output::LoginProfile(root.password_last_changed.time().unwrap_or(root.created_at)))
    }

    pub(super) fn root_mfa_devices(&self, principal: &Principal) -> Outcome {
        let root = self.root_user(principal)?.facts;
        let index = principal.index();
        let account = self.model.account_id(index);
        let serial = root.mfa.map(|device| match device {
            MfaDevice::Virtual => self.serial_number(index, "root-account-mfa-device"),
            // A passkey has an ARN of its own kind, a hardware token has none.
            MfaDevice::Hardware if index.is_multiple_of(2) => {
                format!("arn:{}:iam::{account}:u2f/root/key-{index}", self.model.partition())
            }
            MfaDevice::Hardware => format!("GAHT{index:08}"),
        });
        Ok(Output::MfaDevices(serial.into_iter().map(|serial| (serial, root.created_at)).collect()))
    }

    pub(super) fn root_certificates(&self, principal: &Principal) -> Outcome {
        let root = self.root_user(principal)?.facts;
        let listed = |(place, certificate): (u32, &crate::model::CertificateFacts)| ListedCertificate {
            id: self.model.unique_id("CERT", principal.index(), place),
            active: certificate.active,
            uploaded_at: certificate.last_rotated,
        };
        let certificates = (0..).zip(root.certificates.iter().flatten()).map(listed);
        Ok(Output::SigningCertificates(certificates.collect()))
    }
}
