//! Inline session policies: which of the known actions one leaves.

use serde::Deserialize;

use crate::action::Actions;

/// What is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedPolicy {
    /// Not JSON, or not of a policy's shape.
    #[error("The policy is not in the valid JSON format.")]
    NotJson,
    /// A version that does not exist.
    #[error("The policy version is not one of 2012-10-17 and 2008-10-17.")]
    Version,
    /// No statement.
    #[error("The policy has no statement.")]
    NoStatement,
    /// A statement without its parts.
    #[error("Every statement needs an Effect of Allow or Deny, an Action and a Resource.")]
    Statement,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Version", default)]
    version: Option<String>,
    #[serde(rename = "Statement")]
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "Effect")]
    effect: Option<String>,
    #[serde(rename = "Action")]
    action: Option<OneOrMany<String>>,
    #[serde(rename = "Resource")]
    resource: Option<OneOrMany<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// The known actions that the policy leaves: those allowed and not denied. Resources are not looked at, and neither
/// are conditions.
///
/// # Errors
/// A text that is no policy.
pub(crate) fn allowed_actions(policy: &str) -> Result<Actions, MalformedPolicy> {
    let document: Document = serde_json::from_str(policy).map_err(|_| MalformedPolicy::NotJson)?;
    if !matches!(document.version.as_deref(), None | Some("2012-10-17" | "2008-10-17")) {
        return Err(MalformedPolicy::Version);
    }
    let statements = document.statement.as_slice();
    if statements.is_empty() {
        return Err(MalformedPolicy::NoStatement);
    }
    let (mut allowed, mut denied) = (Actions::NONE, Actions::NONE);
    for statement in statements {
        let patterns = statement.action.as_ref().map(OneOrMany::as_slice).unwrap_or_default();
        let has_resource = statement.resource.as_ref().is_some_and(|resource| !resource.as_slice().is_empty());
        if patterns.is_empty() || !has_resource {
            return Err(MalformedPolicy::Statement);
        }
        let named = Actions::matching(|action| patterns.iter().any(|pattern| matches(pattern, action.name())));
        match statement.effect.as_deref() {
            Some("Allow") => allowed = allowed.union(named),
            Some("Deny") => denied = denied.union(named),
            _ => return Err(MalformedPolicy::Statement),
        }
    }
    Ok(allowed.without(denied))
}

/// Whether a pattern, in which `*` stands for any text and `?` for one character, matches a name, whatever the case.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at_pattern, mut at_name) = (0, 0);
    // Where to go on when a later part does not fit: behind the last star, with one more character given to it.
    let mut last_star = None;
    while let Some(letter) = name.get(at_name) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                last_star = Some((at_pattern + 1, at_name));
                at_pattern += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(letter) => {
                at_pattern += 1;
                at_name += 1;
            }
            _ => {
                let Some((behind_star, given)) = last_star else { return false };
                last_star = Some((behind_star, given + 1));
                at_pattern = behind_star;
                at_name = given + 1;
            }
        }
    }
    pattern.get(at_pattern..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{Call, Sources};

    use super::*;
    use crate::action::Action;

    #[test]
    fn orgsweeps_own_session_policy_leaves_just_its_calls() {
        let allowed = allowed_actions(&orgsweep_cloud::session_policy(Sources::NONE)).unwrap();
        let made = Call::IN_ACCOUNT.into_iter().filter(|call| *call != Call::ListAccessKeys);
        let expected: Vec<_> = made.filter_map(|call| Action::from_name(call.action())).collect();
        assert_eq!(allowed, Actions::matching(|action| expected.contains(&action)));
    }

    #[test]
    fn wildcards_match_and_a_denial_outweighs() {
        let policy = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"IAM:*","Resource":"*"},
            {"Effect":"Deny","Action":["iam:Get*Report","iam:List?sers","iam:*MFADevices"],"Resource":["*"]}]}"#;
        let allowed = allowed_actions(policy).unwrap();
        let names: Vec<&str> = Action::ALL.into_iter().filter(|one| allowed.contains(*one)).map(Action::name).collect();
        assert_eq!(
            names,
            [
                "iam:GenerateCredentialReport",
                "iam:GetAccountSummary",
                "iam:GetAccountPasswordPolicy",
                "iam:ListAccountAliases",
                "iam:ListAccessKeys",
                "iam:GetUser",
                "iam:GetLoginProfile",
                "iam:ListSigningCertificates"
            ]
        );
    }

    #[test]
    fn a_single_statement_needs_no_list() {
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        assert_eq!(allowed_actions(policy), Ok(Actions::all()));
    }

    #[test]
    fn what_is_no_policy_is_malformed() {
        let check = |policy: &str, expected| assert_eq!(allowed_actions(policy), Err(expected), "{policy}");
        check("", MalformedPolicy::NotJson);
        check("{}", MalformedPolicy::NotJson);
        check(r#"{"Version":"2012-10-17","Statement":[]}"#, MalformedPolicy::NoStatement);
        check(r#"{"Version":"2026-01-01","Statement":[]}"#, MalformedPolicy::Version);
        check(r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#, MalformedPolicy::Statement);
        check(r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#, MalformedPolicy::Statement);
        check(r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#, MalformedPolicy::Statement);
    }

    #[test]
    fn a_pattern_matches_the_whole_name() {
        assert!(matches("iam:*Report", "iam:GetCredentialReport"));
        assert!(matches("*:*:*", "a:b:c") && matches("**", "") && matches("a*b*c", "aXbXbc"));
        assert!(!matches("iam:Get", "iam:GetUser") && !matches("iam:GetUser", "iam:Get") && !matches("", "a"));
    }
}
