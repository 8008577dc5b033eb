//! The inline session policy: what an assumed session may do, whatever its role could.

use orgsweep_core::{Call, Source, Sources};

/// The version of the policy language.
pub const POLICY_VERSION: &str = "2012-10-17";

/// The session policy that allows just the calls that a sweep of these optional sources makes inside an account. AWS
/// takes 2,048 characters at most.
#[must_use]
pub fn session_policy(optional: Sources) -> String {
    let is_made = |call: &Call| *call != Call::ListAccessKeys || optional.contains(Source::AccessKeyIds);
    let actions = Call::IN_ACCOUNT.into_iter().filter(is_made).map(|call| format!("{:?}", call.action()));
    let actions = actions.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"Version":"{POLICY_VERSION}","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_policy_fits_and_names_every_call_once() {
        let policy = session_policy([Source::AccessKeyIds].into_iter().collect());
        assert!(policy.len() < 2048, "{} characters", policy.len());
        for call in Call::IN_ACCOUNT {
            assert_eq!(policy.matches(&format!("\"{}\"", call.action())).count(), 1, "{call}");
        }
    }

    #[test]
    fn keys_may_be_listed_only_where_their_ids_are_wanted() {
        assert!(!session_policy(Sources::NONE).contains("ListAccessKeys"));
    }
}
