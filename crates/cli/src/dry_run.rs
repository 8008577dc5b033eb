//! `orgsweep scan --dry-run`: what a sweep would ask, without asking any account.

use std::fmt::Write as _;

use orgsweep_aws::AwsCloud;
use orgsweep_cloud::session_policy;
use orgsweep_core::{AccountId, Call, Decision, Plan};
use orgsweep_sweep::{Progress, RoleSettings, survey};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::render::print;
use crate::scan::sweep_failure;
use crate::settings::{Config, Format};
use crate::wiring::{connection, selection, sweep_settings};

/// Calls of one account: the role, the report asked for, made and fetched, the summary, the virtual MFA devices where
/// root has MFA, the policy, the alias, and three contacts. Each further look at a report in the making is one more.
const CALLS_AN_ACCOUNT: usize = 11;

/// Accounts of one page of `ListAccounts`.
const ACCOUNTS_A_PAGE: usize = 20;

/// What a sweep would do.
struct Forecast {
    plan: Plan,
    asked: usize,
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
    let forecast = Forecast::new(surveyed.map_err(sweep_failure)?, &settings.role);
    match config.output.format {
        Format::Text => print(&forecast.text(config))?,
        Format::Json => print(&format!("{:#}\n", forecast.json(config)))?,
    }
    Ok(Outcome::Done)
}

impl Forecast {
    fn new(plan: Plan, role: &RoleSettings) -> Self {
        let asked = plan.asked().count();
        let pages = plan.accounts.len().div_ceil(ACCOUNTS_A_PAGE);
        let own = plan.caller.account_id;
        // The first member stands for all; the role's ARN differs in nothing but the account.
        let member = plan.asked().map(|account| account.id).find(|id| *id != own);
        let role_arn = member.map(|member: AccountId| role.arn(&plan.caller, member));
        Self { asked, calls: 2 + pages + asked * CALLS_AN_ACCOUNT, role_arn, plan }
    }

    fn text(&self, config: &Config) -> String {
        let plan = &self.plan;
        let organization = match &plan.organization {
            Some(it) => format!("{}, management account {}", it.id, it.management_account_id),
            None => "unknown: organizations:DescribeOrganization is not allowed".to_owned(),
        };
        let skipped = plan.accounts.len() - self.asked;
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "Caller         {}", plan.caller.arn);
        let _ = writeln!(text, "Organization   {organization}");
        let _ = writeln!(
            text,
            "Accounts       {} listed, {} would be asked, {skipped} not",
            plan.accounts.len(),
            self.asked
        );
        for (reason, count) in skips(plan) {
            let _ = writeln!(text, "               {count} not asked: {reason}");
        }
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
        let _ = writeln!(text, "Session policy {}", session_policy());
        let _ = writeln!(text, "Calls          about {}, {CALLS_AN_ACCOUNT} an account", self.calls);
        let _ = writeln!(text, "In accounts    {}", Call::IN_ACCOUNT.map(Call::action).join(", "));
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
            "session_policy": session_policy(),
            "calls": self.calls,
            "calls_an_account": CALLS_AN_ACCOUNT,
        })
    }
}

/// How many accounts are not asked, by reason.
fn skips(plan: &Plan) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for planned in &plan.accounts {
        if let Decision::Skip(reason) = &planned.decision {
            *counts.entry(reason.to_string()).or_insert(0) += 1;
        }
    }
    counts.into_iter().collect()
}
