//! Answers of the query protocol, in XML.

use orgsweep_core::PasswordPolicy;

use super::xml::Xml;
use crate::fault::Fault;
use crate::request::{
    AssumedRole, Identity, ListedCertificate, ListedKey, ListedMfaDevice, ListedUser, Output, Reply, Service,
};

const IAM_NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// What most answers fit in, in bytes.
const ANSWER_BYTES: usize = 1024;

/// The answer of a service that speaks the query protocol.
pub(super) fn render(service: Service, reply: Reply) -> Vec<u8> {
    let namespace = if service == Service::Sts { STS_NAMESPACE } else { IAM_NAMESPACE };
    let request_id = reply.request_id;
    match reply.outcome {
        Ok(output) => render_output(namespace, output, &request_id),
        Err(fault) => render_fault(namespace, &fault, &request_id),
    }
}

fn render_fault(namespace: &str, fault: &Fault, request_id: &str) -> Vec<u8> {
    let mut xml = Xml::with_capacity(ANSWER_BYTES);
    xml.root("Error", "Response", namespace, |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", if fault.status >= 500 { "Receiver" } else { "Sender" });
            xml.text("Code", fault.code);
            xml.text("Message", &fault.message);
        });
        xml.text("RequestId", request_id);
    });
    xml.into_bytes()
}

fn render_output(namespace: &str, output: Output, request_id: &str) -> Vec<u8> {
    let size = if let Output::Report(content, _) = &output { content.len() * 3 / 2 } else { 0 };
    let mut xml = Xml::with_capacity(ANSWER_BYTES + size);
    let name = operation_name(&output);
    xml.root(name, "Response", namespace, |xml| {
        let result = format!("{name}Result");
        xml.element(&result, |xml| push_output(xml, output));
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    });
    xml.into_bytes()
}

/// The operation that an output answers. Those of the JSON protocols never come here.
fn operation_name(output: &Output) -> &'static str {
    match output {
        Output::CallerIdentity(_) => "GetCallerIdentity",
        Output::AssumedRole(_) => "AssumeRole",
        Output::AssumedRoot(_) => "AssumeRoot",
        Output::Features(..) => "ListOrganizationsFeatures",
        Output::User(_) => "GetUser",
        Output::LoginProfile(_) => "GetLoginProfile",
        Output::MfaDevices(_) => "ListMFADevices",
        Output::SigningCertificates(_) => "ListSigningCertificates",
        Output::ReportStarted | Output::ReportInProgress | Output::ReportComplete => "GenerateCredentialReport",
        Output::Report(..) => "GetCredentialReport",
        Output::Summary(_) => "GetAccountSummary",
        Output::PasswordPolicy(_) => "GetAccountPasswordPolicy",
        Output::VirtualMfaDevices(..) => "ListVirtualMFADevices",
        Output::Aliases(_) => "ListAccountAliases",
        Output::Users(..) => "ListUsers",
        Output::AccessKeys(..) => "ListAccessKeys",
        Output::Organization(..) | Output::Root(..) | Output::Accounts(..) | Output::Tags(..) | Output::Contact(..) => {
            "Unknown"
        }
    }
}

fn push_output(xml: &mut Xml, output: Output) {
    match output {
        Output::CallerIdentity(identity) => push_identity(xml, &identity),
        Output::AssumedRole(role) => push_assumed_role(xml, &role),
        Output::AssumedRoot(root) => push_credentials(xml, &root),
        Output::Features(organization, features) => {
            xml.text("OrganizationId", &organization);
            xml.element("EnabledFeatures", |xml| features.iter().for_each(|feature| xml.text("member", feature)));
        }
        Output::User(user) => xml.element("User", |xml| push_user(xml, &user)),
        Output::LoginProfile(created_at) => xml.element("LoginProfile", |xml| {
            xml.time("CreateDate", created_at);
            xml.flag("PasswordResetRequired", false);
        }),
        Output::MfaDevices(devices) => push_page(xml, "MFADevices", &devices, None, |xml, (serial, enabled_at)| {
            xml.element("member", |xml| {
                xml.text("SerialNumber", serial);
                xml.time("EnableDate", *enabled_at);
            });
        }),
        Output::SigningCertificates(certificates) => {
            push_page(xml, "Certificates", &certificates, None, push_certificate);
        }
        Output::ReportStarted => {
            xml.text("Description", "No report exists. Starting a new report generation task");
            xml.text("State", "STARTED");
        }
        Output::ReportInProgress => xml.text("State", "INPROGRESS"),
        Output::ReportComplete => xml.text("State", "COMPLETE"),
        Output::Report(content, generated_at) => {
            xml.base64("Content", &content);
            xml.text("ReportFormat", "text/csv");
            xml.time("GeneratedTime", generated_at);
        }
        Output::Summary(entries) => xml.element("SummaryMap", |xml| {
            for (key, value) in entries {
                xml.element("entry", |xml| {
                    xml.text("key", key);
                    xml.number("value", value);
                });
            }
        }),
        Output::PasswordPolicy(policy) => xml.element("PasswordPolicy", |xml| push_password_policy(xml, &policy)),
        Output::VirtualMfaDevices(devices, marker) => {
            push_page(xml, "VirtualMFADevices", &devices, marker, push_mfa_device);
        }
        Output::Aliases(aliases) => {
            push_page(xml, "AccountAliases", &aliases, None, |xml, alias| xml.text("member", alias));
        }
        Output::Users(users, marker) => push_page(xml, "Users", &users, marker, |xml, user| {
            xml.element("member", |xml| push_user(xml, user));
        }),
        Output::AccessKeys(user_name, keys) => {
            if let Some(user_name) = user_name {
                xml.text("UserName", &user_name);
            }
            push_page(xml, "AccessKeyMetadata", &keys, None, push_access_key);
        }
        Output::Organization(..) | Output::Root(..) | Output::Accounts(..) | Output::Tags(..) | Output::Contact(..) => {
        }
    }
}

/// A page of members, and where the next one starts.
fn push_page<T>(xml: &mut Xml, name: &str, items: &[T], marker: Option<String>, push: impl Fn(&mut Xml, &T)) {
    xml.flag("IsTruncated", marker.is_some());
    if let Some(marker) = marker {
        xml.text("Marker", &marker);
    }
    xml.element(name, |xml| items.iter().for_each(|item| push(xml, item)));
}

fn push_identity(xml: &mut Xml, identity: &Identity) {
    xml.text("Arn", &identity.arn);
    xml.text("UserId", &identity.user_id);
    xml.text("Account", identity.account_id.as_str());
}

fn push_assumed_role(xml: &mut Xml, role: &AssumedRole) {
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &role.identity.user_id);
        xml.text("Arn", &role.identity.arn);
    });
    push_credentials(xml, role);
    if let Some(percent) = role.packed_policy_percent {
        xml.number("PackedPolicySize", percent);
    }
}

fn push_credentials(xml: &mut Xml, role: &AssumedRole) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &role.access_key_id);
        xml.text("SecretAccessKey", &role.secret_access_key);
        xml.text("SessionToken", &role.session_token);
        xml.time("Expiration", role.expires_at);
    });
}

fn push_password_policy(xml: &mut Xml, policy: &PasswordPolicy) {
    let flags = [
        ("AllowUsersToChangePassword", Some(policy.allow_users_to_change_password)),
        ("ExpirePasswords", Some(policy.expire_passwords)),
        ("HardExpiry", policy.hard_expiry),
        ("RequireLowercaseCharacters", Some(policy.require_lowercase)),
        ("RequireNumbers", Some(policy.require_numbers)),
        ("RequireSymbols", Some(policy.require_symbols)),
        ("RequireUppercaseCharacters", Some(policy.require_uppercase)),
    ];
    let numbers = [
        ("MaxPasswordAge", policy.max_password_age),
        ("MinimumPasswordLength", policy.minimum_password_length),
        ("PasswordReusePrevention", policy.password_reuse_prevention),
    ];
    for (name, flag) in flags {
        if let Some(flag) = flag {
            xml.flag(name, flag);
        }
    }
    for (name, number) in numbers {
        if let Some(number) = number {
            xml.number(name, number);
        }
    }
}

fn push_mfa_device(xml: &mut Xml, device: &ListedMfaDevice) {
    xml.element("member", |xml| {
        xml.text("SerialNumber", &device.serial_number);
        if let Some(user) = &device.user {
            xml.time("EnableDate", user.facts.created_at);
            xml.element("User", |xml| push_user(xml, user));
        }
    });
}

/// The root user has neither a path nor a name.
fn push_user(xml: &mut Xml, listed: &ListedUser) {
    let user = &listed.facts;
    if !user.is_root {
        xml.text("Path", user.path);
        xml.text("UserName", &user.name);
    }
    xml.text("UserId", &listed.id);
    xml.text("Arn", &user.arn);
    xml.time("CreateDate", user.created_at);
    if let Some(time) = user.password_last_used.time() {
        xml.time("PasswordLastUsed", time);
    }
}

fn push_access_key(xml: &mut Xml, key: &ListedKey) {
    xml.element("member", |xml| {
        if let Some(user_name) = &key.user_name {
            xml.text("UserName", user_name);
        }
        xml.text("AccessKeyId", &key.id);
        xml.text("Status", if key.active { "Active" } else { "Inactive" });
        xml.time("CreateDate", key.created_at);
    });
}

fn push_certificate(xml: &mut Xml, certificate: &ListedCertificate) {
    xml.element("member", |xml| {
        xml.text("CertificateId", &certificate.id);
        xml.text("CertificateBody", "-----BEGIN CERTIFICATE-----");
        xml.text("Status", if certificate.active { "Active" } else { "Inactive" });
        xml.time("UploadDate", certificate.uploaded_at);
    });
}
