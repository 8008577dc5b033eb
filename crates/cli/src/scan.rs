//! `orgsweep scan`: the whole straight line, in one process. Plan, sweep, commit.

use std::sync::Arc;
use std::time::Instant;

use orgsweep_aws::AwsCloud;
use orgsweep_checks::Checker;
use orgsweep_cloud::Cloud;
use orgsweep_core::{Plan, Run};
use orgsweep_lake::Lake;
use orgsweep_sweep::{Discovered, Progress, Share};

use crate::args::ScanArgs;
use crate::committing::{Committing, sum_up};
use crate::continued::{Chosen, Continued, chosen};
use crate::draft::Draft;
use crate::failure::{Failure, GoOn, Outcome};
use crate::logging::Screen;
use crate::progress::Shown;
use crate::settings::{Config, Format, Loaded, Machine};
use crate::signals::Signals;
use crate::stored;
use crate::sweeping::Sweeping;
use crate::wiring::connection;

/// Where a scan begins: with a run of its own, or with one that an earlier command left.
enum Start {
    New(Box<Draft>),
    Resumed(Box<Continued>),
}

/// Sweeps the organization that the standard AWS settings point at, or goes on with a run.
///
/// # Errors
/// See the exit codes in the command's help.
pub async fn scan(args: &ScanArgs, loaded: &Loaded, screen: &Screen) -> Result<Outcome, Failure> {
    let location = &loaded.config.lake;
    if let Some(resume) = &args.resume {
        let lake = Lake::open(location).await.map_err(Failure::usage)?;
        let Chosen { run_id, older } = chosen(&lake, resume, "resume").await?;
        let resumed = async {
            let continued = Continued::resumed(&lake, &run_id, loaded, args.as_of).await?;
            connected(&lake, Start::Resumed(Box::new(continued)), (loaded, screen)).await
        };
        let older = older.map(|older| GoOn::scan(location, &older));
        resumed.await.map_err(|failure| failure.or_older(older))
    } else {
        let draft = Box::new(Draft::new(loaded, args.as_of)?);
        let lake = Lake::open_or_create(location).await.map_err(Failure::not_committed)?;
        connected(&lake, Start::New(draft), (loaded, screen)).await
    }
}

async fn connected(lake: &Lake, start: Start, (loaded, screen): (&Loaded, &Screen)) -> Result<Outcome, Failure> {
    let cloud = AwsCloud::connect(&connection(start.config())).await.map_err(Failure::not_committed)?;
    Box::pin(straight_line(Arc::new(cloud), lake, start, (&loaded.machine, screen))).await
}

/// A sweep of this cloud into a new run, for whoever brings a cloud of their own.
///
/// # Errors
/// As [`scan`].
pub async fn scan_cloud(
    cloud: Arc<dyn Cloud>,
    lake: &Lake,
    loaded: &Loaded,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    straight_line(cloud, lake, Start::New(Box::new(Draft::new(loaded, None)?)), (&loaded.machine, screen)).await
}

async fn straight_line(
    cloud: Arc<dyn Cloud>,
    lake: &Lake,
    start: Start,
    (machine, screen): (&Machine, &Screen),
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let config = start.config().clone();
    let signals = Signals::watch(config.output.format == Format::Json)?;
    let progress = Arc::new(Progress::default());
    let sweeping =
        Sweeping { cloud, lake, config: &config, machine, signals: &signals, progress: &progress, share: Share::WHOLE };

    let discovered = sweeping.discover(start.plan()).await?;
    let (run, plan, checker) = start.begin(lake, &discovered).await?;
    let go_on = GoOn::scan(lake.location(), &run.run_id);
    signals.run_begins(go_on.clone());

    let mut shown = Shown::start(screen, &progress);
    let ended = async {
        // Accounts are asked while others are still listed, so the sweep makes the plan where there is none.
        let plan = sweeping.sweep(&run, plan, discovered).await?;
        shown.turn_to("checking, and writing the tables");
        Committing { lake, run: &run, plan: &plan, checker: &checker, config: &config, signals: &signals }
            .commit()
            .await
    };
    let commit = match Box::pin(ended).await {
        Ok(commit) => commit,
        // Another may have committed meanwhile, and deleted the journal that this one was about to read.
        Err(failure) => stored::commit_after_all(lake, &run.run_id).await.ok_or(failure.resumable(go_on))?,
    };
    drop(shown);
    Ok(sum_up(lake, &commit, &config, (Some(progress.tally()), started)).await)
}

impl Start {
    fn config(&self) -> &Config {
        match self {
            Self::New(draft) => &draft.config,
            Self::Resumed(continued) => &continued.config,
        }
    }

    fn plan(&self) -> Option<&Plan> {
        match self {
            Self::New(_) => None,
            Self::Resumed(continued) => continued.plan.as_ref(),
        }
    }

    /// The run, from where AWS has answered.
    async fn begin(self, lake: &Lake, discovered: &Discovered) -> Result<(Run, Option<Plan>, Arc<Checker>), Failure> {
        match self {
            Self::New(draft) => {
                let run = draft.begin(lake, &discovered.caller, discovered.organization.as_ref()).await?;
                Ok((run, None, draft.checker))
            }
            Self::Resumed(continued) => {
                continued.refuse_elsewhere(discovered)?;
                Ok((continued.run, continued.plan, continued.checker))
            }
        }
    }
}
