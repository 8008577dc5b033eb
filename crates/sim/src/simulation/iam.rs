//! IAM: reports, summary, policy, devices, users and keys.

use super::listing::cut_page;
use super::principal::Principal;
use super::report_desk::{Making, Order, Shelf};
use super::{Outcome, Simulation};
use crate::environment::CALLER_USER_NAME;
use crate::fault::Fault;
use crate::model::{KeyFacts, MfaDevice, UserFacts};
use crate::report::write_report;
use crate::request::{AssignmentStatus, ListedKey, ListedMfaDevice, ListedUser, Output, PageRequest, Service};

/// What AWS says of the states of a report: its code says all.
const UNKNOWN: &str = "Unknown";

impl Simulation {
    pub(super) fn generate_report(&self, index: u32) -> Outcome {
        if self.never_comes(index) {
            return Ok(Output::ReportInProgress);
        }
        let now = self.now();
        let takes = self.report_duration(index);
        let generated_at = self.generation_time(now, takes);
        let making = Making { takes, generated_at, capacity: self.profile.reports.capacity };
        match self.reports.order(index, self.model.earlier_report(index), now, making) {
            Order::Started => Ok(Output::ReportStarted),
            Order::InProgress => Ok(Output::ReportInProgress),
            Order::Complete => Ok(Output::ReportComplete),
            Order::NoCapacity => Err(Fault::no_capacity()),
        }
    }

    pub(super) fn fetch_report(&self, index: u32) -> Outcome {
        if self.never_comes(index) {
            return Err(Fault::new(404, "ReportInProgress", UNKNOWN));
        }
        let now = self.now();
        if self.report_expires(index) {
            self.reports.expire_once(index, now.instant);
        }
        match self.reports.look(index, self.model.earlier_report(index), now) {
            Shelf::Ready(generated_at) => {
                let mut content = Vec::new();
                write_report(&self.model, index, generated_at, &mut content);
                Ok(Output::Report(content, generated_at))
            }
            Shelf::InProgress => Err(Fault::new(404, "ReportInProgress", UNKNOWN)),
            Shelf::Expired => Err(Fault::new(410, "ReportExpired", UNKNOWN)),
            Shelf::Empty => Err(Fault::new(410, "ReportNotPresent", UNKNOWN)),
        }
    }

    pub(super) fn account_summary(&self, index: u32) -> Output {
        let posture = self.model.posture(index);
        let root = posture.root;
        let users = self.model.users(index);
        let in_use = users.iter().filter(|user| user.is_there() && user.mfa.is_some()).map(|_| 1).sum();
        let iam_users: u64 = users.iter().filter(|user| user.is_there() && !user.is_root).map(|_| 1).sum();
        let mut summary = vec![
            ("AccessKeysPerUserQuota", 2),
            ("AccountAccessKeysPresent", u64::from(root.has_access_key)),
            ("AccountMFAEnabled", u64::from(root.has_mfa)),
            ("AccountSigningCertificatesPresent", u64::from(root.has_certificate)),
            ("GlobalEndpointTokenVersion", 1),
            ("Groups", 3),
            ("GroupsQuota", 300),
            ("MFADevices", in_use + u64::from(posture.has_unassigned_mfa)),
            ("MFADevicesInUse", in_use),
            ("Policies", 5),
            ("Providers", 1),
            ("Roles", 12),
            ("RolesQuota", 1000),
            ("ServerCertificates", 0),
            ("SigningCertificatesPerUserQuota", 2),
            ("Users", iam_users),
            ("UsersQuota", 5000),
        ];
        if root.password_is_said {
            summary.push(("AccountPasswordPresent", u64::from(root.has_password)));
        }
        Output::Summary(summary)
    }

    pub(super) fn password_policy(&self, index: u32) -> Outcome {
        self.model.password_policy(index).map(Output::PasswordPolicy).ok_or_else(|| {
            let account = self.model.account_id(index);
            let message = format!("The Password Policy with domain name {account} cannot be found.");
            Fault::new(404, "NoSuchEntity", message)
        })
    }

    pub(super) fn virtual_mfa_devices(&self, index: u32, status: AssignmentStatus, page: &PageRequest) -> Outcome {
        let mut devices = Vec::new();
        if status != AssignmentStatus::Unassigned {
            let users = self.model.users(index);
            let with_device = users.into_iter().filter(|user| user.is_there() && user.mfa == Some(MfaDevice::Virtual));
            devices.extend(with_device.map(|user| self.assigned_device(index, user)));
            // AWS promises no order. By serial number, root's device is found on whatever page its name falls.
            devices.sort_by(|one, other| one.serial_number.cmp(&other.serial_number));
        }
        if status != AssignmentStatus::Assigned && self.model.posture(index).has_unassigned_mfa {
            devices.push(ListedMfaDevice { serial_number: self.serial_number(index, "left-over"), user: None });
        }
        let (devices, marker) = cut_page(devices, page).map_err(|message| Fault::invalid(Service::Iam, message))?;
        Ok(Output::VirtualMfaDevices(devices, marker))
    }

    pub(super) fn list_users(&self, index: u32, page: &PageRequest) -> Outcome {
        let users = self.model.users(index).into_iter().filter(|user| user.is_there() && !user.is_root).collect();
        let (users, marker) = cut_page(users, page).map_err(|message| Fault::invalid(Service::Iam, message))?;
        let users = users.into_iter().map(|user| self.listed_user(index, user)).collect();
        Ok(Output::Users(users, marker))
    }

    pub(super) fn list_access_keys(&self, principal: &Principal, user_name: Option<String>) -> Outcome {
        if principal.is_root() {
            let root = self.root_user(principal)?.facts;
            let keys = self.listed_keys(principal.index(), &root, None);
            return Ok(Output::AccessKeys(None, keys));
        }
        let user_name = match (user_name, principal) {
            (Some(name), _) => name,
            (None, Principal::Caller) => CALLER_USER_NAME.to_owned(),
            (None, Principal::Session(_)) => {
                let message = "Must specify userName when calling with non-User credentials";
                return Err(Fault::invalid(Service::Iam, message));
            }
        };
        let users = self.model.users(principal.index());
        // IAM user names are unique whatever their case, and found whatever their case.
        let is_asked =
            |user: &UserFacts| user.is_there() && !user.is_root && user.name.eq_ignore_ascii_case(&user_name);
        let Some(user) = users.into_iter().find(is_asked) else {
            let message = format!("The user with name {user_name} cannot be found.");
            return Err(Fault::new(404, "NoSuchEntity", message));
        };
        let keys = self.listed_keys(principal.index(), &user, Some(&user.name));
        Ok(Output::AccessKeys(Some(user.name), keys))
    }

    fn listed_keys(&self, index: u32, user: &UserFacts, user_name: Option<&String>) -> Vec<ListedKey> {
        let listed = |(slot, key): (u32, &Option<KeyFacts>)| {
            key.as_ref().map(|key| ListedKey {
                user_name: user_name.cloned(),
                id: self.model.access_key_id(index, user, slot),
                active: key.active,
                created_at: key.last_rotated,
            })
        };
        (0..).zip(&user.keys).filter_map(listed).collect()
    }

    pub(super) fn listed_user(&self, index: u32, user: UserFacts) -> ListedUser {
        ListedUser { id: self.model.user_id(index, &user), facts: user }
    }

    fn assigned_device(&self, index: u32, user: UserFacts) -> ListedMfaDevice {
        let name = if user.is_root { "root-account-mfa-device" } else { user.name.as_str() };
        ListedMfaDevice { serial_number: self.serial_number(index, name), user: Some(self.listed_user(index, user)) }
    }

    pub(super) fn serial_number(&self, index: u32, device: &str) -> String {
        format!("arn:{}:iam::{}:mfa/{device}", self.model.partition(), self.model.account_id(index))
    }
}
