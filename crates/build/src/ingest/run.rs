//! The straight line from saved reports to a committed run.

use std::sync::Arc;

use orgsweep_checks::Checker;
use orgsweep_core::{Caller, Plan, Reading, Run};
use orgsweep_lake::{Commit, Lake};

use super::saved::{Counts, SavedChunks, planned, read_chunk};
use super::survey::{BadFile, SavedReport};
use crate::accounts::Household;
use crate::assemble::assemble;
use crate::chunk::{ChunkLimits, Context, build_rows};
use crate::tables::Tables;
use crate::{BuildError, BuildOptions};

/// How reports are ingested.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// How the tables are built.
    pub build: BuildOptions,
    /// Commit although some reports cannot be read; their accounts are `failed` then.
    pub skip_bad: bool,
}

/// A run that was made of saved reports.
#[derive(Debug)]
pub struct Ingested {
    /// The run.
    pub commit: Commit,
    /// Bytes of CSV that were parsed; `None` where the run was committed before.
    pub csv_bytes: Option<u64>,
    /// Reports that could not be read whole.
    pub bad: Vec<BadFile>,
}

/// Builds a run's tables from these reports, which stand in order of their accounts, each account once, and commits it. A
/// run that is committed already is returned as it is.
///
/// # Errors
/// Reports cannot be read, all of which are named, unless they may be left out; the lake fails; or the checks cannot be
/// evaluated. Nothing is committed then, and the same call later goes on to the same bytes.
pub async fn ingest_run(
    lake: &Lake,
    run: &Run,
    reports: Vec<SavedReport>,
    checker: &Arc<Checker>,
    options: &IngestOptions,
) -> Result<Ingested, BuildError> {
    if let Some(commit) = lake.read_commit(&run.run_id).await? {
        return Ok(Ingested { commit, csv_bytes: None, bad: Vec::new() });
    }
    let partition = reports.first().map(|report| report.partition);
    let plan = lake.write_plan(&run.run_id, &plan_of(&reports)).await?;
    let household = Household::of(&plan).in_partition(partition);
    drop(plan);
    let context = Context { checker: Arc::clone(checker), household };
    let tables = Tables::of_reports(checker, options.build.part_bytes);
    let counts = Arc::new(Counts::default());
    let work = {
        let (context, counts) = (Arc::new(context), Arc::clone(&counts));
        move |chunk: &Vec<SavedReport>| {
            let (planned, entries): (Vec<_>, Vec<_>) = read_chunk(chunk, &counts).into_iter().unzip();
            build_rows(&context, &planned.iter().collect::<Vec<_>>(), entries.into_iter().map(Some).collect())
        }
    };
    let chunks = SavedChunks::new(reports, ChunkLimits::STANDARD);
    let built = assemble((lake, run), tables, chunks, options.build.compute, work).await?;
    let bad = counts.bad();
    if !bad.is_empty() && !options.skip_bad {
        return Err(BuildError::BadReports { bad });
    }
    let coverage = built.sums.coverage;
    let commit = built.commit(run, (&Caller::nobody(), None), coverage, checker);
    Ok(Ingested { commit: lake.write_commit(commit).await?, csv_bytes: Some(counts.csv_bytes()), bad })
}

/// Every account of which there is a report.
fn plan_of(reports: &[SavedReport]) -> Plan {
    let accounts = reports.iter().map(|report| planned(report.account_id)).collect();
    Plan::new(Caller::nobody(), None, Reading::Unwanted, accounts)
}
