//! Holds `config/deploy/` against the calls that a sweep can make and the settings it starts from: tests alone.

#![cfg(test)]

use std::collections::BTreeSet;

use orgsweep_cloud::root_audit_policy_arn;
use orgsweep_core::{Call, Partition};
use serde_json::Value as Json;

use crate::settings::{Config, Sources, load};

const SCANNER_ROLE: &str = include_str!("../../../config/deploy/scanner-role.yaml");
const SCANNER_MODULE: &str = include_str!("../../../config/deploy/terraform/scanner-role/main.tf");
const SCANNER_VARIABLES: &str = include_str!("../../../config/deploy/terraform/scanner-role/variables.tf");
const SCANNER_POLICY: &str = include_str!("../../../config/deploy/scanner-policy.json");
const SCANNER_TRUST: &str = include_str!("../../../config/deploy/scanner-trust.json");
const CALLER_POLICY: &str = include_str!("../../../config/deploy/caller-policy.json");

fn defaults() -> Config {
    load(&Sources::of_flags(Vec::new())).unwrap().config
}

fn actions_of(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| call.action().to_owned()).collect()
}

/// The actions that a JSON policy allows. Each must be there once, and every statement must be an `Allow`.
fn allowed_by(policy: &str) -> BTreeSet<String> {
    let policy: Json = serde_json::from_str(policy).unwrap();
    let mut actions = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        let single = std::slice::from_ref(&statement["Action"]);
        for action in statement["Action"].as_array().map_or(single, Vec::as_slice) {
            let action = action.as_str().unwrap();
            assert!(actions.insert(action.to_owned()), "{action} is there twice");
        }
    }
    actions
}

/// The value of `key` in the block of the template that begins with the line `block:`.
fn template_value(block: &str, key: &str) -> &'static str {
    let after = SCANNER_ROLE.lines().skip_while(|line| line.trim() != format!("{block}:")).skip(1);
    let mut values = after.filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
    values.next().unwrap()
}

/// The calls that only `sweep.key_ids` makes.
const FOR_KEY_IDS: Call = Call::ListAccessKeys;

/// The calls that every sweep makes in an account.
fn always() -> BTreeSet<String> {
    let calls: Vec<Call> = Call::IN_ACCOUNT.into_iter().filter(|call| *call != FOR_KEY_IDS).collect();
    actions_of(&calls)
}

/// The actions that stand in these items of a list, each once.
fn listed<'a>(items: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let actions: Vec<_> = items.filter(|item| item.split_once(':').is_some_and(is_action)).map(str::to_owned).collect();
    let set: BTreeSet<String> = actions.iter().cloned().collect();
    assert_eq!(set.len(), actions.len(), "{actions:?}");
    set
}

#[test]
fn the_role_allows_the_calls_made_in_an_account_and_no_others() {
    // The template's only list of actions is that of the permissions policy: `- service:Action` lines.
    let template = listed(SCANNER_ROLE.lines().filter_map(|line| line.trim().strip_prefix("- ")));
    assert_eq!(template, always());
    let (before, after) = SCANNER_ROLE.split_once("- MayListAccessKeys\n").unwrap();
    assert!(!before.contains(FOR_KEY_IDS.action()) && after.contains("Action: iam:ListAccessKeys\n"));
    assert_eq!(allowed_by(SCANNER_POLICY), actions_of(&Call::IN_ACCOUNT));
}

#[test]
fn the_terraform_module_makes_the_same_role() {
    let quoted = SCANNER_MODULE.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    assert_eq!(listed(quoted), always());
    assert!(SCANNER_MODULE.contains("key_id_actions = var.list_access_keys ? [\"iam:ListAccessKeys\"] : []"));
    // Of the trust policy and of the permissions, and of nothing else.
    assert_eq!(SCANNER_MODULE.matches(" Action ").count(), 2);
    assert_eq!(SCANNER_MODULE.matches("resource \"").count(), 2);
    // A pattern of the template is one of the module too.
    for pattern in SCANNER_ROLE.lines().filter_map(|line| line.trim().strip_prefix("AllowedPattern: ")) {
        assert!(SCANNER_VARIABLES.contains(&format!("regex({pattern}, ")), "{pattern}");
    }
}

fn is_action((service, name): (&str, &str)) -> bool {
    service.bytes().all(|byte| byte.is_ascii_lowercase()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[test]
fn the_template_grants_nothing_by_other_means() {
    for word in ["ManagedPolicyArns", "NotAction", "NotResource", "NotPrincipal", "PermissionsBoundary"] {
        assert!(!SCANNER_ROLE.contains(word), "{word}");
    }
    // One `Action` is the trust policy's, the others those of the permissions.
    assert_eq!(SCANNER_ROLE.matches("Action:").count(), 3);
    assert!(SCANNER_ROLE.contains("            Action: sts:AssumeRole\n"));
}

#[test]
fn the_caller_may_make_every_call_and_no_others() {
    let mut calls: Vec<_> = Call::AS_CALLER.into_iter().chain(Call::IN_ACCOUNT).collect();
    // AWS answers it without any permission: IAM User Guide, GetCallerIdentity.
    calls.retain(|call| *call != Call::GetCallerIdentity);
    assert_eq!(allowed_by(CALLER_POLICY), actions_of(&calls));
}

#[test]
fn the_caller_may_open_root_sessions_to_audit_alone() {
    let policy: Json = serde_json::from_str(CALLER_POLICY).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let statement = statements.iter().find(|statement| statement["Action"] == Call::AssumeRoot.action()).unwrap();
    let allowed = statement["Condition"]["StringLike"]["sts:TaskPolicyArn"].as_str().unwrap();
    assert_eq!(allowed.replacen('*', "aws", 1), root_audit_policy_arn(Partition::Aws));
}

#[test]
fn the_trust_policies_let_the_caller_in_and_ask_for_the_external_id() {
    assert_eq!(allowed_by(SCANNER_TRUST), actions_of(&[Call::AssumeRole]));
    for text in [SCANNER_TRUST, SCANNER_ROLE] {
        for word in ["aws:PrincipalArn", "sts:ExternalId", ":root\""] {
            assert!(text.contains(word), "{word}");
        }
    }
}

#[test]
fn the_role_is_the_one_that_the_default_settings_assume() {
    let role = defaults().role;
    assert_eq!(template_value("RoleName", "Default"), role.name);
    assert!(SCANNER_VARIABLES.contains(&format!("default     = \"{}\"", role.name)));
    assert!(CALLER_POLICY.contains(&format!("\"arn:*:iam::*:role/{}\"", role.name)));
    let longest: u64 = template_value("MaxSessionDuration", "Default").parse().unwrap();
    assert!(role.session_duration.as_secs() <= longest);
}
