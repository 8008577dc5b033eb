//! Requests of the query protocol: form fields, `Action` and `Version` among them.

use std::borrow::Cow;
use std::str::FromStr;

use super::Understood;
use crate::fault::Fault;
use crate::request::{AssignmentStatus, AssumeRoleInput, AssumeRootInput, Operation, PageRequest, Service};

/// The version that says that IAM is asked.
const IAM_VERSION: &str = "2010-05-08";

/// The version that says that AWS STS is asked.
const STS_VERSION: &str = "2011-06-15";

/// The fields of a form.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Form<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|field| field.0 == name).map(|field| field.1.as_ref())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn number<T: FromStr>(&self, name: &str, service: Service) -> Result<Option<T>, Fault> {
        let parse = |text: &str| text.parse().map_err(|_| Fault::invalid(service, format!("{name} is not a number")));
        self.get(name).map(parse).transpose()
    }

    fn page(&self) -> Result<PageRequest, Fault> {
        Ok(PageRequest { marker: self.text("Marker"), max_items: self.number("MaxItems", Service::Iam)? })
    }
}

/// Understands the fields of a form.
pub(super) fn parse(fields: &[u8]) -> Understood {
    let form = Form(form_urlencoded::parse(fields).collect());
    let Some(action) = form.get("Action") else {
        let fault = Fault::new(400, "MissingAction", "The request must contain the parameter Action");
        return Understood { service: Service::Iam, operation: Err(fault) };
    };
    let (service, operation) = match form.get("Version") {
        Some(IAM_VERSION) => (Service::Iam, parse_iam(action, &form)),
        Some(STS_VERSION) => (Service::Sts, parse_sts(action, &form)),
        version => (Service::Iam, Err(unknown_action(action, version.unwrap_or("NO_VERSION_SPECIFIED")))),
    };
    Understood { service, operation }
}

fn parse_sts(action: &str, form: &Form<'_>) -> Result<Operation, Fault> {
    match action {
        "GetCallerIdentity" => Ok(Operation::GetCallerIdentity),
        "AssumeRole" => Ok(Operation::AssumeRole(AssumeRoleInput {
            role_arn: form.text("RoleArn").unwrap_or_default(),
            session_name: form.text("RoleSessionName").unwrap_or_default(),
            external_id: form.text("ExternalId"),
            duration_seconds: form.number("DurationSeconds", Service::Sts)?,
            policy: form.text("Policy"),
        })),
        "AssumeRoot" => Ok(Operation::AssumeRoot(AssumeRootInput {
            target_principal: form.text("TargetPrincipal").unwrap_or_default(),
            task_policy_arn: form.text("TaskPolicyArn.arn").unwrap_or_default(),
            duration_seconds: form.number("DurationSeconds", Service::Sts)?,
        })),
        _ => Err(unknown_action(action, STS_VERSION)),
    }
}

fn parse_iam(action: &str, form: &Form<'_>) -> Result<Operation, Fault> {
    match action {
        "GenerateCredentialReport" => Ok(Operation::GenerateCredentialReport),
        "GetCredentialReport" => Ok(Operation::GetCredentialReport),
        "GetAccountSummary" => Ok(Operation::GetAccountSummary),
        "GetAccountPasswordPolicy" => Ok(Operation::GetAccountPasswordPolicy),
        "ListAccountAliases" => Ok(Operation::ListAccountAliases),
        "ListVirtualMFADevices" => Ok(Operation::ListVirtualMfaDevices(assignment_status(form)?, form.page()?)),
        "ListUsers" => Ok(Operation::ListUsers(form.page()?)),
        "ListAccessKeys" => Ok(Operation::ListAccessKeys(form.text("UserName"))),
        "ListOrganizationsFeatures" => Ok(Operation::ListOrganizationsFeatures),
        "GetUser" => Ok(Operation::GetUser),
        "GetLoginProfile" => Ok(Operation::GetLoginProfile),
        "ListMFADevices" => Ok(Operation::ListMfaDevices),
        "ListSigningCertificates" => Ok(Operation::ListSigningCertificates),
        _ => Err(unknown_action(action, IAM_VERSION)),
    }
}

fn assignment_status(form: &Form<'_>) -> Result<AssignmentStatus, Fault> {
    match form.get("AssignmentStatus") {
        None | Some("Any") => Ok(AssignmentStatus::Any),
        Some("Assigned") => Ok(AssignmentStatus::Assigned),
        Some("Unassigned") => Ok(AssignmentStatus::Unassigned),
        Some(other) => {
            let message = format!("Value '{other}' at 'assignmentStatus' is none of Any, Unassigned, Assigned");
            Err(Fault::invalid(Service::Iam, message))
        }
    }
}

fn unknown_action(action: &str, version: &str) -> Fault {
    Fault::new(400, "InvalidAction", format!("Could not find operation {action} for version {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(fields: &str) -> &'static str {
        parse(fields.as_bytes()).operation.unwrap_err().code
    }

    #[test]
    fn a_role_is_asked_for_with_all_its_parameters() {
        let fields = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws&RoleSessionName=me%40home\
                      &ExternalId=a+b&DurationSeconds=900&Policy=%7B%7D";
        let expected = AssumeRoleInput {
            role_arn: "arn:aws".to_owned(),
            session_name: "me@home".to_owned(),
            external_id: Some("a b".to_owned()),
            duration_seconds: Some(900),
            policy: Some("{}".to_owned()),
        };
        assert_eq!(parse(fields.as_bytes()).operation, Ok(Operation::AssumeRole(expected)));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_awss_code() {
        assert_eq!(code(""), "MissingAction");
        assert_eq!(code("Action=DeleteUser&Version=2010-05-08"), "InvalidAction");
        assert_eq!(code("Action=GetAccountSummary&Version=2011-06-15"), "InvalidAction");
        assert_eq!(code("Action=GetAccountSummary"), "InvalidAction");
        assert_eq!(code("Action=ListUsers&Version=2010-05-08&MaxItems=many"), "ValidationError");
        assert_eq!(code("Action=ListVirtualMFADevices&Version=2010-05-08&AssignmentStatus=Some"), "ValidationError");
    }
}
