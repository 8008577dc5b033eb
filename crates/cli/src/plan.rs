//! `orgsweep plan`: the first part of a scan. It lists the accounts, asks none of them, and leaves a run with its plan.

use orgsweep_aws::AwsCloud;
use orgsweep_core::{Plan, Run};
use orgsweep_lake::Lake;
use orgsweep_sweep::{Progress, Share, survey};
use serde_json::json;

use crate::args::PlanArgs;
use crate::draft::Draft;
use crate::dry_run::{skips, whom};
use crate::failure::{Failure, GoOn, Outcome};
use crate::logging::Screen;
use crate::render::print;
use crate::settings::{Format, Loaded};
use crate::sweeping;
use crate::wiring::{connection, selection, sweep_settings};

/// Begins a run of the organization that the standard AWS settings point at.
///
/// # Errors
/// Exit code 2 for wrong settings, 1 where the accounts cannot be listed; no run is begun then.
pub async fn plan(args: &PlanArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let draft = Draft::new(loaded, args.as_of)?;
    let lake = Lake::open_or_create(&draft.config.lake).await.map_err(Failure::not_committed)?;
    let draft = draft.named(&lake, args.run_id.clone(), args.as_of).await?;
    let config = &draft.config;
    let cloud = AwsCloud::connect(&connection(config)).await.map_err(Failure::not_committed)?;
    if !screen.quiet && screen.is_terminal && !screen.json {
        eprintln!("Listing the organization's accounts, up to twenty a call");
    }
    let listed = survey(&cloud, &sweep_settings(config), &selection(config), &Progress::default()).await;
    let plan = listed.map_err(sweeping::failure)?;
    let run = draft.begin(&lake, &plan.caller, plan.organization.as_ref()).await?;
    let stands = lake.offer_plan(&run.run_id, &plan).await.map_err(Failure::not_committed)?;
    let plan = stands.unwrap_or(plan);
    match config.output.format {
        Format::Text => print(&text(&lake, &run, &plan))?,
        Format::Json => print(&format!("{:#}\n", document(&lake, &run, &plan)))?,
    }
    Ok(Outcome::Done)
}

fn text(lake: &Lake, run: &Run, plan: &Plan) -> String {
    let location = lake.location();
    let sweep = GoOn::sweep(location, &run.run_id, Share::WHOLE);
    let commit = GoOn::commit(location, &run.run_id);
    format!(
        "Run            {run}\n{whom}Lake           {location}\n\n\
         Now sweep it, on one machine or, as share 1/N to N/N, on N of them; then commit it:\n  {sweep}\n  {sweep} --shard 1/N\n  {commit}\n",
        run = run.run_id,
        whom = whom(plan, "to ask"),
        sweep = sweep.command(),
        commit = commit.command(),
    )
}

fn document(lake: &Lake, run: &Run, plan: &Plan) -> serde_json::Value {
    json!({
        "run_id": run.run_id,
        "committed": false,
        "as_of": run.as_of,
        "lake": lake.address("").trim_end_matches('/'),
        "caller": plan.caller,
        "organization": plan.organization,
        "accounts": plan.accounts.len(),
        "to_ask": plan.asked().count(),
        "skipped": skips(plan).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    })
}
