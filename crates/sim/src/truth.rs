//! The truth file: the facts of every account as JSON lines, made from the model and not from what the faces render,
//! so that a test can hold a sweep against it.

use std::io::{self, Write};

use orgsweep_core::{OrganizationFeatures, PasswordPolicy, Tag, Timestamp};
use serde::Serialize;

use crate::action::Action;
use crate::model::{CertificateFacts, ContactFacts, KeyFacts, MfaDevice, Model, Posture, UserFacts};

/// Writes one JSON object a line for every account, in the order in which AWS Organizations lists them.
///
/// # Errors
/// Those of the writer.
pub fn write_truth(model: &Model, mut out: impl Write) -> io::Result<()> {
    for index in 0..model.accounts() {
        serde_json::to_writer(&mut out, &account_truth(model, index))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[derive(Serialize)]
struct AccountTruth {
    account_id: String,
    name: Option<String>,
    email: Option<String>,
    arn: Option<String>,
    state: &'static str,
    path: Option<String>,
    joined_method: Option<String>,
    joined_at: Option<Timestamp>,
    is_management: bool,
    role: &'static str,
    denied_calls: Vec<&'static str>,
    alias: Option<String>,
    summary: SummaryTruth,
    root_virtual_mfa: bool,
    root_audit: Option<RootAuditTruth>,
    features: OrganizationFeatures,
    tags: Vec<Tag>,
    password_policy: Option<PasswordPolicy>,
    contacts: ContactsTruth,
    report_generated_at: Option<Timestamp>,
    users: Vec<UserTruth>,
}

#[derive(Serialize)]
struct SummaryTruth {
    users: u32,
    root_mfa_enabled: bool,
    root_access_keys_present: bool,
    root_password_present: Option<bool>,
    root_signing_certificates_present: bool,
}

/// What a root session tells; there is none in the management account, nor where the feature is off.
#[derive(Serialize)]
struct RootAuditTruth {
    has_password: bool,
    has_mfa: bool,
    has_virtual_mfa: bool,
    access_key_ids: Vec<String>,
    signing_certificates: usize,
}

#[derive(Serialize)]
struct ContactsTruth {
    billing: Option<ContactTruth>,
    operations: Option<ContactTruth>,
    security: Option<ContactTruth>,
}

#[derive(Serialize)]
struct ContactTruth {
    name: String,
    title: String,
    email: String,
    phone: String,
}

#[derive(Serialize)]
struct UserTruth {
    user: String,
    arn: String,
    is_root: bool,
    /// Whether the user was deleted since the report was made, which still has a row of it.
    deleted: bool,
    user_creation_time: Timestamp,
    password_enabled: Option<bool>,
    password_last_used: Option<Timestamp>,
    password_last_used_reason: Option<&'static str>,
    password_last_changed: Option<Timestamp>,
    password_last_changed_reason: Option<&'static str>,
    password_next_rotation: Option<Timestamp>,
    password_next_rotation_reason: Option<&'static str>,
    mfa_active: bool,
    access_keys: [KeyTruth; 2],
    certs: [CertificateTruth; 2],
}

#[derive(Serialize)]
struct KeyTruth {
    id: Option<String>,
    active: bool,
    last_rotated: Option<Timestamp>,
    last_used_date: Option<Timestamp>,
    last_used_region: Option<String>,
    last_used_service: Option<&'static str>,
}

#[derive(Serialize)]
struct CertificateTruth {
    active: bool,
    last_rotated: Option<Timestamp>,
}

fn account_truth(model: &Model, index: u32) -> AccountTruth {
    let account = model.account(index);
    let posture = model.posture(index);
    let standing = account.standing;
    let listed = account.listed;
    AccountTruth {
        account_id: listed.id.to_string(),
        name: listed.name,
        email: listed.email,
        arn: listed.arn,
        state: listed.state.as_str(),
        path: listed.path.map(|path| path.as_str().to_owned()),
        joined_method: listed.joined_method,
        joined_at: listed.joined_at,
        is_management: account.is_management,
        role: standing.role.as_str(),
        denied_calls: standing.denied_calls.iter().map(Action::name).collect(),
        summary: summary_truth(model, index, &posture),
        root_virtual_mfa: posture.root.has_virtual_mfa,
        root_audit: root_audit_truth(model, index),
        features: model.features(),
        tags: model.tags(index),
        alias: posture.alias,
        password_policy: posture.password_policy,
        contacts: contacts_truth(posture.contacts),
        report_generated_at: model.fresh_report(index),
        users: model.users(index).into_iter().map(|user| user_truth(model, index, user)).collect(),
    }
}

fn summary_truth(model: &Model, index: u32, posture: &Posture) -> SummaryTruth {
    let is_counted = |user: &UserFacts| !user.is_root && user.is_there();
    SummaryTruth {
        users: model.users(index).iter().filter(|user| is_counted(user)).map(|_| 1).sum(),
        root_mfa_enabled: posture.root.has_mfa,
        root_access_keys_present: posture.root.has_access_key,
        root_password_present: posture.root.password_is_said.then_some(posture.root.has_password),
        root_signing_certificates_present: posture.root.has_certificate,
    }
}

fn root_audit_truth(model: &Model, index: u32) -> Option<RootAuditTruth> {
    let can_be_audited = index > 0 && model.features().root_credentials_management;
    let root = model.users(index).into_iter().next().filter(|_| can_be_audited)?;
    let keys = (0..).zip(&root.keys).filter(|(_, key)| key.is_some());
    Some(RootAuditTruth {
        has_password: root.password_enabled,
        has_mfa: root.mfa.is_some(),
        has_virtual_mfa: root.mfa == Some(MfaDevice::Virtual),
        access_key_ids: keys.map(|(slot, _)| model.access_key_id(index, &root, slot)).collect(),
        signing_certificates: root.certificates.iter().flatten().count(),
    })
}

fn contacts_truth(contacts: [Option<ContactFacts>; 3]) -> ContactsTruth {
    let [billing, operations, security] = contacts.map(|contact| {
        contact.map(|contact| ContactTruth {
            name: contact.name,
            title: contact.title,
            email: contact.email,
            phone: contact.phone,
        })
    });
    ContactsTruth { billing, operations, security }
}

fn user_truth(model: &Model, index: u32, user: UserFacts) -> UserTruth {
    let is_earlier = model.fresh_report(index).is_some();
    let ids = [0, 1].map(|slot| model.access_key_id(index, &user, slot));
    let mut keys = user.keys.clone().into_iter().zip(ids).map(|(key, id)| key_truth(key, id));
    UserTruth {
        deleted: !user.is_there(),
        mfa_active: user.has_mfa_in_report(is_earlier),
        access_keys: std::array::from_fn(|_| keys.next().unwrap_or_else(|| key_truth(None, String::new()))),
        user: user.name,
        arn: user.arn,
        is_root: user.is_root,
        user_creation_time: user.created_at,
        password_enabled: Some(user.password_enabled),
        password_last_used: user.password_last_used.time(),
        password_last_used_reason: user.password_last_used.reason(),
        password_last_changed: user.password_last_changed.time(),
        password_last_changed_reason: user.password_last_changed.reason(),
        password_next_rotation: user.password_next_rotation.time(),
        password_next_rotation_reason: user.password_next_rotation.reason(),
        certs: user.certificates.map(certificate_truth),
    }
}

fn key_truth(key: Option<KeyFacts>, id: String) -> KeyTruth {
    let id = key.as_ref().map(|_| id);
    let last_rotated = key.as_ref().map(|key| key.last_rotated);
    let active = key.as_ref().is_some_and(|key| key.active);
    let last_use = key.and_then(|key| key.last_use);
    KeyTruth {
        id,
        active,
        last_rotated,
        last_used_date: last_use.as_ref().map(|last_use| last_use.date),
        last_used_service: last_use.as_ref().map(|last_use| last_use.service),
        last_used_region: last_use.and_then(|last_use| last_use.region).map(|region| region.to_string()),
    }
}

fn certificate_truth(certificate: Option<CertificateFacts>) -> CertificateTruth {
    CertificateTruth {
        active: certificate.is_some_and(|certificate| certificate.active),
        last_rotated: certificate.map(|certificate| certificate.last_rotated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimSettings;

    #[test]
    fn every_account_has_a_line_with_every_key_of_the_format() {
        let model = Model::new(&SimSettings { accounts: 60, users_per_account: 3, ..SimSettings::default() });
        let mut out = Vec::new();
        write_truth(&model, &mut out).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 61);
        for (index, line) in lines.iter().enumerate() {
            assert_eq!(line["account_id"], model.account_id(u32::try_from(index).unwrap()).to_string());
            assert_eq!(line["users"].as_array().unwrap().len(), 4);
            assert_eq!(line["users"][0]["user"], "<root_account>");
            assert_eq!(line["users"][0]["password_next_rotation_reason"], "not_supported");
            assert_eq!(line["users"][1]["access_keys"].as_array().unwrap().len(), 2);
        }
        assert_eq!(lines[0]["is_management"], true);
        assert!(lines.iter().any(|line| line["role"] != "granted" && line["state"] == "ACTIVE"));
        assert!(lines.iter().any(|line| line["denied_calls"] != serde_json::json!([])));
    }
}
