//! `orgsweep scan --dry-run`: what a sweep would ask, without asking any account.

use std::fmt::Write as _;

use orgsweep_aws::AwsCloud;
use orgsweep_cloud::session_policy;
use orgsweep_core::{AccountId, Call, Decision, Plan, Source};
use orgsweep_sweep::{Progress, SweepSettings, survey};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::render::print;
use crate::settings::{Config, Format};
use crate::sweeping;
use crate::wiring::{connection, optional_sources, selection, sweep_settings};

/// Calls of one account: the role, the report asked for, made and fetched, the summary, the virtual MFA devices unless
/// root has no MFA, the policy, the alias, and three contacts. Each further look at a report in the making is one more.
const CALLS_AN_ACCOUNT: usize = 11;

/// Calls of a root audit: the session, the password, keys, MFA devices and signing certificates.
const CALLS_A_ROOT_AUDIT: usize = 1 + Call::AS_ROOT.len();

/// Calls once for all: the caller, the organization, its features.
const FIRST_CALLS: usize = 3;

/// Accounts of one page of `ListAccounts`.
const ACCOUNTS_A_PAGE: usize = 20;

/// What a sweep would do.
struct Forecast {
    plan: Plan,
    asked: usize,
    calls_an_account: usize,
    calls: usize,
    role_arn: Option<String>,
}

/// Says who the caller is, which organization is asked, and how.
///
/// # Errors
/// As a sweep's discovery; nothing is committed either way.
pub async fn dry_run(config: &Config) -> Result<Outcome, Failure> {
    let cloud = AwsCloud::connect(&connection(config)).await.map_err(Failure::not_committed)?;
    let settings = sweep_settings(config);
    let surveyed = survey(&cloud, &settings, &selection(config), &Progress::default()).await;
    let forecast = Forecast::new(surveyed.map_err(sweeping::failure)?, &settings);
    match config.output.format {
        Format::Text => print(&forecast.text(config))?,
        Format::Json => print(&format!("{:#}\n", forecast.json(config)))?,
    }
    Ok(Outcome::Done)
}

impl Forecast {
    fn new(plan: Plan, settings: &SweepSettings) -> Self {
        let asked = plan.asked().count();
        let pages = plan.accounts.len().div_ceil(ACCOUNTS_A_PAGE);
        let own = plan.caller.account_id;
        // The first member stands for all; the role's ARN differs in nothing but the account.
        let member = plan.asked().map(|account| account.id).find(|id| *id != own);
        let role_arn = member.map(|member: AccountId| settings.role.arn(&plan.caller, member));
        let wants = |source, calls| if settings.optional.contains(source) { calls } else { 0 };
        let calls_an_account =
            CALLS_AN_ACCOUNT + wants(Source::RootSession, CALLS_A_ROOT_AUDIT) + wants(Source::AccountTags, 1);
        Self { asked, calls_an_account, calls: FIRST_CALLS + pages + asked * calls_an_account, role_arn, plan }
    }

    fn text(&self, config: &Config) -> String {
        let plan = &self.plan;
        let mut text = whom(plan, "would be asked");
        // Writing to a string cannot fail.
        match &self.role_arn {
            Some(arn) => {
                let _ = writeln!(text, "Role           {arn} and the like");
            }
            None => text.push_str("Role           none: only the caller's own account would be asked\n"),
        }
        let external_id = if config.role.external_id.is_some() { "set" } else { "none" };
        let _ = writeln!(text, "External id    {external_id}");
        let _ = writeln!(
            text,
            "Session        {} for {}",
            config.role.session_name,
            humantime::format_duration(config.role.session_duration)
        );
        let _ = writeln!(text, "Session policy {}", session_policy(optional_sources(config)));
        let _ =
            writeln!(text, "Calls          about {}, {} an account{}", self.calls, self.calls_an_account, more(config));
        let _ = writeln!(text, "In accounts    {}", actions(&in_account(config)));
        if config.sweep.optional.root_audit {
            let task = "the task policy IAMAuditRootUserCredentials";
            let _ = writeln!(text, "As root        sts:AssumeRoot with {task}, then {}", actions(&Call::AS_ROOT));
        }
        text.push_str("\nNo role was assumed, and nothing was written.\n");
        text
    }

    fn json(&self, config: &Config) -> serde_json::Value {
        json!({
            "dry_run": true,
            "caller": self.plan.caller,
            "organization": self.plan.organization,
            "accounts": self.plan.accounts.len(),
            "accounts_asked": self.asked,
            "skipped": skips(&self.plan).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "role_arn": self.role_arn,
            "external_id_set": config.role.external_id.is_some(),
            "session_name": config.role.session_name,
            "session_duration_seconds": config.role.session_duration.as_secs(),
            "session_policy": session_policy(optional_sources(config)),
            "calls": self.calls,
            "calls_an_account": self.calls_an_account,
            "calls_for_key_ids_at_most": if config.sweep.optional.key_ids { config.sweep.optional.key_ids_max } else { 0 },
            "calls_in_accounts": in_account(config).iter().map(|call| call.action()).collect::<Vec<_>>(),
            "calls_as_root": if config.sweep.optional.root_audit { Call::AS_ROOT.map(Call::action).to_vec() } else { Vec::new() },
        })
    }
}

/// What is asked of an account for each user whose keys are listed.
fn more(config: &Config) -> String {
    let most = config.sweep.optional.key_ids_max;
    if config.sweep.optional.key_ids {
        format!(", and up to {most} more for the ids of its keys")
    } else {
        String::new()
    }
}

/// The calls made in an account.
fn in_account(config: &Config) -> Vec<Call> {
    let wanted = |call: &Call| *call != Call::ListAccessKeys || config.sweep.optional.key_ids;
    Call::IN_ACCOUNT.into_iter().filter(wanted).collect()
}

fn actions(calls: &[Call]) -> String {
    calls.iter().map(|call| call.action()).collect::<Vec<_>>().join(", ")
}

/// Who asks, which organization, and how many of its accounts.
pub fn whom(plan: &Plan, asked: &str) -> String {
    let organization = match &plan.organization {
        Some(it) => format!("{}, management account {}", it.id, it.management_account_id),
        None => "unknown: organizations:DescribeOrganization is not allowed".to_owned(),
    };
    let (listed, to_ask) = (plan.accounts.len(), plan.asked().count());
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "Caller         {}", plan.caller.arn);
    let _ = writeln!(text, "Organization   {organization}");
    let _ = writeln!(text, "Accounts       {listed} listed, {to_ask} {asked}, {} not", listed - to_ask);
    for (reason, count) in skips(plan) {
        let _ = writeln!(text, "               {count} not asked: {reason}");
    }
    text
}

/// How many accounts are not asked, by reason.
pub fn skips(plan: &Plan) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for planned in plan.accounts.iter() {
        if let Decision::Skip(reason) = &planned.decision {
            *counts.entry(reason.to_string()).or_insert(0) += 1;
        }
    }
    counts.into_iter().collect()
}
