//! From the SDK's errors to what the caller can do about them.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use orgsweep_cloud::{Answer, Answered, ApiError};
use orgsweep_core::{Call, ErrorKind};

/// An SDK result in the seam's terms.
pub(crate) fn answered<T, E>(call: Call, result: Result<T, SdkError<E, HttpResponse>>) -> Answered<T>
where
    T: RequestId,
    E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
{
    match result {
        Ok(value) => {
            let request_id = value.request_id().map(str::to_owned);
            Ok(Answer { value, request_id })
        }
        Err(error) => Err(api_error(call, &error)),
    }
}

fn api_error<E>(call: Call, error: &SdkError<E, HttpResponse>) -> ApiError
where
    E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let service = context.err();
            let Some(code) = service.code() else { return without_code(call, context.raw(), &chain(error)) };
            let kind = kind_of(call, code, status);
            let mut api_error = ApiError::new(call, kind, code, service.message().unwrap_or_default());
            api_error.request_id = service.request_id().map(str::to_owned);
            api_error
        }
        SdkError::TimeoutError(_) => ApiError::new(call, ErrorKind::Transient, "Timeout", chain(error)),
        SdkError::DispatchFailure(failure) => {
            if failure.is_timeout() {
                ApiError::new(call, ErrorKind::Transient, "Timeout", chain(error))
            } else if failure.is_user() {
                ApiError::new(call, ErrorKind::Fatal, "InvalidRequest", chain(error))
            } else if failure.is_io() {
                ApiError::new(call, ErrorKind::Transient, "ConnectionFailed", chain(error))
            } else if is_for_want_of_credentials(error) {
                ApiError::new(call, ErrorKind::Expired, "CredentialsUnavailable", chain(error))
            } else {
                // Such as a connection that was closed before its answer was whole.
                ApiError::new(call, ErrorKind::Transient, "ConnectionFailed", chain(error))
            }
        }
        SdkError::ResponseError(context) => {
            if context.raw().body().bytes().is_none() {
                // The head came, and the connection was lost before the body was whole.
                return ApiError::new(call, ErrorKind::Transient, "ConnectionFailed", chain(error));
            }
            without_code(call, context.raw(), &chain(error))
        }
        _ => ApiError::new(call, ErrorKind::Fatal, "InvalidRequest", chain(error)),
    }
}

/// How much of an answer that nobody can read is told, in bytes: enough to know whose it is.
const EXCERPT: usize = 80;

/// An answer that is none of AWS's: a proxy's page, a load balancer's, or some other server's.
fn without_code(call: Call, answer: &HttpResponse, told: &str) -> ApiError {
    let status = answer.status().as_u16();
    let kind = match status {
        429 => ErrorKind::Throttled,
        500.. => ErrorKind::Transient,
        _ => ErrorKind::Fatal,
    };
    let mut message = format!("HTTP {status}, and the answer is none of AWS's: {told}");
    if let Some(beginning) = beginning(call, answer.body().bytes().unwrap_or_default()) {
        message = format!("{message}; it begins with \"{beginning}\"");
    }
    ApiError::new(call, kind, "InvalidAnswer", message)
}

/// The first bytes of an answer, printable; `None` where it is empty, or where it might hold credentials.
fn beginning(call: Call, body: &[u8]) -> Option<String> {
    let opens_a_session = matches!(call, Call::AssumeRole | Call::AssumeRoot);
    let beginning = body.get(..EXCERPT).unwrap_or(body);
    (!opens_a_session && !beginning.is_empty()).then(|| beginning.escape_ascii().to_string())
}

/// Whether the request was never sent, since there were no credentials to sign it with.
fn is_for_want_of_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(cause) = source {
        if cause.is::<CredentialsError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// What an error code means for the caller. The codes stand in AWS's API references; `LimitExceeded` is IAM's word
/// for having no capacity to make a report.
fn kind_of(call: Call, code: &str, status: u16) -> ErrorKind {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete" => ErrorKind::Throttled,
        "LimitExceeded" if call == Call::GenerateCredentialReport => ErrorKind::Throttled,
        "ReportNotPresent" | "ReportExpired" | "NoSuchEntity" | "ResourceNotFoundException" => ErrorKind::Absent,
        // Without these two, no feature of centralized root access can be on: the answer is that none is.
        "ServiceAccessNotEnabledException" | "OrganizationNotInAllFeaturesModeException"
            if call == Call::ListOrganizationsFeatures =>
        {
            ErrorKind::Absent
        }
        "ReportInProgress" => ErrorKind::NotReady,
        // Credentials that AWS does not know are as good as run out: new ones may do.
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "TokenRefreshRequired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => ErrorKind::Expired,
        "AccessDenied"
        | "AccessDeniedException"
        | "AccountNotManagementOrDelegatedAdministratorException"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "OptInRequired"
        | "RegionDisabledException" => ErrorKind::Denied,
        "ServiceFailure"
        | "ServiceException"
        | "InternalFailure"
        | "InternalError"
        | "InternalServerException"
        | "ServiceUnavailable"
        | "RequestTimeout"
        | "RequestTimeoutException" => ErrorKind::Transient,
        _ if status == 429 => ErrorKind::Throttled,
        _ if status >= 500 => ErrorKind::Transient,
        _ if status == 403 => ErrorKind::Denied,
        _ => ErrorKind::Fatal,
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Wrappers of the SDK often repeat their source's words.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(call: Call, code: &str, status: u16, kind: ErrorKind) {
        assert_eq!(kind_of(call, code, status), kind, "{code} ({status})");
    }

    #[test]
    fn a_code_outranks_its_status() {
        check(Call::GetCredentialReport, "ReportInProgress", 404, ErrorKind::NotReady);
        check(Call::GetCredentialReport, "ReportExpired", 410, ErrorKind::Absent);
        check(Call::GetAccountSummary, "Throttling", 400, ErrorKind::Throttled);
        check(Call::GetAlternateContact, "ResourceNotFoundException", 400, ErrorKind::Absent);
    }

    #[test]
    fn a_limit_is_capacity_only_where_a_report_is_asked_for() {
        check(Call::GenerateCredentialReport, "LimitExceeded", 409, ErrorKind::Throttled);
        check(Call::GetAccountSummary, "LimitExceeded", 409, ErrorKind::Fatal);
    }

    #[test]
    fn an_organization_without_trusted_access_has_no_features_on() {
        let call = Call::ListOrganizationsFeatures;
        check(call, "ServiceAccessNotEnabledException", 400, ErrorKind::Absent);
        check(call, "OrganizationNotInAllFeaturesModeException", 400, ErrorKind::Absent);
        check(call, "AccountNotManagementOrDelegatedAdministratorException", 400, ErrorKind::Denied);
        check(call, "OrganizationNotFoundException", 400, ErrorKind::Fatal);
    }

    #[test]
    fn credentials_that_aws_does_not_know_are_renewed_and_no_answer_of_the_account() {
        check(Call::AssumeRole, "InvalidClientTokenId", 403, ErrorKind::Expired);
        check(Call::ListAccounts, "UnrecognizedClientException", 400, ErrorKind::Expired);
    }

    #[test]
    fn what_nobody_can_read_is_told_by_its_printable_beginning_unless_it_might_be_secret() {
        let told = |call, body: &[u8]| beginning(call, body);
        assert_eq!(told(Call::GetAccountSummary, b"\x1f\x8b<\"\n"), Some(r#"\x1f\x8b<\"\n"#.to_owned()));
        assert_eq!(told(Call::GetAccountSummary, &[b'a'; 999]), Some("a".repeat(EXCERPT)));
        assert_eq!(told(Call::GetAccountSummary, b""), None);
        assert_eq!(told(Call::AssumeRole, b"<Credentials>"), None);
    }

    #[test]
    fn an_unheard_of_code_goes_by_its_status() {
        check(Call::ListAccounts, "Odd", 502, ErrorKind::Transient);
        check(Call::ListAccounts, "Odd", 429, ErrorKind::Throttled);
        check(Call::ListAccounts, "Odd", 403, ErrorKind::Denied);
        check(Call::ListAccounts, "Odd", 400, ErrorKind::Fatal);
    }
}
