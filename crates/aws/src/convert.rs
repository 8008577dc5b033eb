//! From the SDK's values to orgsweep's.

use aws_smithy_types::DateTime;
use orgsweep_cloud::ApiError;
use orgsweep_core::{AccountId, Call, ErrorKind, Timestamp};

/// A time as the tables keep it; one that does not fit is no time.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    time.to_millis().ok().map(Timestamp::from_millis)
}

/// A field that an answer must have.
pub(crate) fn required<T>(call: Call, field: &str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| invalid_answer(call, format!("the answer has no {field}")))
}

/// An account id out of an answer.
pub(crate) fn account_id(call: Call, text: Option<&str>) -> Result<AccountId, ApiError> {
    let text = required(call, "account id", text)?;
    AccountId::parse(text).map_err(|error| invalid_answer(call, error.to_string()))
}

/// An answer that came and cannot be right.
pub(crate) fn invalid_answer(call: Call, message: String) -> ApiError {
    ApiError::new(call, ErrorKind::Fatal, "InvalidAnswer", message)
}
