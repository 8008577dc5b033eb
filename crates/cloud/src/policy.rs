//! The inline session policy: what an assumed session may do, whatever its role could.

use orgsweep_core::Call;

/// The version of the policy language.
pub const POLICY_VERSION: &str = "2012-10-17";

/// The session policy that allows just the calls made inside an account. AWS takes 2,048 characters at most.
#[must_use]
pub fn session_policy() -> String {
    let actions = Call::IN_ACCOUNT.map(|call| format!("{:?}", call.action())).join(",");
    format!(
        r#"{{"Version":"{POLICY_VERSION}","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_policy_fits_and_names_every_call_once() {
        let policy = session_policy();
        assert!(policy.len() < 2048, "{} characters", policy.len());
        for call in Call::IN_ACCOUNT {
            assert_eq!(policy.matches(&format!("\"{}\"", call.action())).count(), 1, "{call}");
        }
    }
}
