//! Errors as AWS answers them, and what each code means to a caller.

use std::borrow::Cow;

use orgsweep_core::ErrorKind;

use crate::request::Service;

/// An error that AWS would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The code, as the service that answers spells it.
    pub code: &'static str,
    /// The message.
    pub message: Cow<'static, str>,
    /// A member that the service adds to its JSON, as AWS Organizations does with `Reason` or `Type`.
    pub detail: Option<(&'static str, &'static str)>,
}

impl Fault {
    /// A fault of this status, code and message.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// A request without credentials.
    #[must_use]
    pub fn unsigned(service: Service) -> Self {
        let message = "Request is missing Authentication Token";
        match service {
            Service::Sts | Service::Iam => Self::new(403, "MissingAuthenticationToken", message),
            Service::Organizations => Self::new(400, "MissingAuthenticationTokenException", message),
            Service::Account => Self::new(403, "MissingAuthenticationTokenException", message),
        }
    }

    /// An access key id that nobody has, or a session token that does not belong to it.
    #[must_use]
    pub fn unknown_credentials(service: Service) -> Self {
        let message = "The security token included in the request is invalid.";
        match service {
            Service::Sts | Service::Iam => Self::new(403, "InvalidClientTokenId", message),
            Service::Organizations => Self::new(400, "UnrecognizedClientException", message),
            Service::Account => Self::new(403, "UnrecognizedClientException", message),
        }
    }

    /// Credentials that ran out.
    #[must_use]
    pub fn expired(service: Service) -> Self {
        let message = "The security token included in the request is expired";
        match service {
            Service::Sts | Service::Iam => Self::new(403, "ExpiredToken", message),
            Service::Organizations => Self::new(400, "ExpiredTokenException", message),
            Service::Account => Self::new(403, "ExpiredTokenException", message),
        }
    }

    /// What the credentials do not allow.
    #[must_use]
    pub fn denied(service: Service, message: impl Into<Cow<'static, str>>) -> Self {
        match service {
            Service::Sts | Service::Iam => Self::new(403, "AccessDenied", message),
            Service::Organizations => Self::new(400, "AccessDeniedException", message),
            Service::Account => Self::new(403, "AccessDeniedException", message),
        }
    }

    /// Too many requests.
    #[must_use]
    pub fn throttled(service: Service) -> Self {
        match service {
            Service::Sts | Service::Iam => Self::new(400, "Throttling", "Rate exceeded"),
            Service::Organizations => Self {
                detail: Some(("Type", "RATE_EXCEEDED")),
                ..Self::new(
                    400,
                    "TooManyRequestsException",
                    "AWS Organizations can't complete your request: too many requests",
                )
            },
            Service::Account => Self::new(429, "TooManyRequestsException", "Too Many Requests"),
        }
    }

    /// A failure of the service itself, in one of the two words for it where it has two.
    #[must_use]
    pub fn broken(service: Service, is_unhandled: bool) -> Self {
        let message = "The request processing has failed because of an unknown error, exception or failure.";
        match service {
            Service::Sts | Service::Iam if is_unhandled => Self::new(500, "InternalFailure", message),
            Service::Sts | Service::Iam => Self::new(500, "ServiceFailure", message),
            Service::Organizations => Self::new(500, "ServiceException", message),
            Service::Account => Self::new(500, "InternalServerException", message),
        }
    }

    /// No capacity to make another report.
    #[must_use]
    pub fn no_capacity() -> Self {
        Self::new(409, "LimitExceeded", "No more capacity to launch new report generation tasks")
    }

    /// A parameter that cannot be.
    #[must_use]
    pub fn invalid(service: Service, message: impl Into<Cow<'static, str>>) -> Self {
        match service {
            Service::Sts | Service::Iam => Self::new(400, "ValidationError", message),
            Service::Organizations => Self::new(400, "InvalidInputException", message),
            Service::Account => Self::new(400, "ValidationException", message),
        }
    }
}

/// What a code means to the caller: the table by which production reads AWS's answers.
#[must_use]
pub fn kind_of(code: &str, status: u16) -> ErrorKind {
    match code {
        // `LimitExceeded` is how GenerateCredentialReport says that AWS has no capacity for now.
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "LimitExceeded" => ErrorKind::Throttled,
        "ReportInProgress" => ErrorKind::NotReady,
        "ReportNotPresent" | "ReportExpired" | "NoSuchEntity" | "ResourceNotFoundException" => ErrorKind::Absent,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AccountNotManagementOrDelegatedAdministratorException" => ErrorKind::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => ErrorKind::Expired,
        _ if status >= 500 => ErrorKind::Transient,
        _ => ErrorKind::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: [Service; 4] = [Service::Sts, Service::Organizations, Service::Iam, Service::Account];

    #[test]
    fn every_service_spells_its_faults_so_that_they_mean_the_same() {
        let check = |expected: ErrorKind, fault: fn(Service) -> Fault| {
            for service in SERVICES {
                let fault = fault(service);
                assert_eq!(kind_of(fault.code, fault.status), expected, "{fault:?}");
            }
        };
        check(ErrorKind::Expired, Fault::unsigned);
        check(ErrorKind::Expired, Fault::unknown_credentials);
        check(ErrorKind::Denied, |service| Fault::denied(service, ""));
        check(ErrorKind::Expired, Fault::expired);
        check(ErrorKind::Throttled, Fault::throttled);
        check(ErrorKind::Fatal, |service| Fault::invalid(service, ""));
        check(ErrorKind::Transient, |service| Fault::broken(service, false));
        check(ErrorKind::Transient, |service| Fault::broken(service, true));
        check(ErrorKind::Throttled, |_| Fault::no_capacity());
    }

    #[test]
    fn a_broken_server_is_transient_and_the_reports_states_are_told_apart() {
        assert_eq!(kind_of("ServiceFailure", 500), ErrorKind::Transient);
        assert_eq!(kind_of("ReportInProgress", 404), ErrorKind::NotReady);
        assert_eq!(kind_of("ReportExpired", 410), ErrorKind::Absent);
        assert_eq!(kind_of("LimitExceeded", 409), ErrorKind::Throttled);
    }
}
