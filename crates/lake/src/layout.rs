//! The layout: the path of every object of a lake, relative to its root.
//!
//! Engines read every object of a table's folder, so whatever is not a table file lies below `_runs` or `_staging`.

use object_store::path::Path;
use orgsweep_core::{RunId, Timestamp};

/// The folder of local files that are being written. Nothing in it counts.
pub(crate) const STAGING: &str = "_staging";

/// The folder that holds a folder for each run.
#[must_use]
pub fn runs() -> Path {
    Path::from("_runs")
}

/// `run.json`: what the run is.
#[must_use]
pub fn run_manifest(run_id: &RunId) -> Path {
    in_run(run_id, "run.json")
}

/// `rules.json`: the rules as they are in force in the run.
#[must_use]
pub fn rules_manifest(run_id: &RunId) -> Path {
    in_run(run_id, "rules.json")
}

/// `plan.json`: every account that the run must cover.
#[must_use]
pub fn plan_manifest(run_id: &RunId) -> Path {
    in_run(run_id, "plan.json")
}

/// `seal.json`: the journal segments that the tables are built from.
#[must_use]
pub fn seal_manifest(run_id: &RunId) -> Path {
    in_run(run_id, "seal.json")
}

/// `abandoned.json`: why the run can never have a plan.
#[must_use]
pub fn abandoned_manifest(run_id: &RunId) -> Path {
    in_run(run_id, "abandoned.json")
}

/// `commit.json`: the files of the committed run.
#[must_use]
pub fn commit_manifest(run_id: &RunId) -> Path {
    in_run(run_id, "commit.json")
}

/// `calls.parquet`: how the asking went.
#[must_use]
pub fn calls(run_id: &RunId) -> Path {
    in_run(run_id, "calls.parquet")
}

/// The folder of the run's journal.
#[must_use]
pub fn journal(run_id: &RunId) -> Path {
    in_run(run_id, "journal")
}

/// One segment of the run's journal.
#[must_use]
pub fn journal_segment(run_id: &RunId, segment: &str) -> Path {
    in_run(run_id, &format!("journal/{segment}.arrow"))
}

/// Part `index` of one table of a run, in the partition of the day that the run is `as_of`.
#[must_use]
pub fn table_part(table: &str, as_of: Timestamp, run_id: &RunId, index: u32) -> Path {
    Path::from(format!("{table}/dt={}/run={run_id}/part-{index:05}.parquet", as_of.date()))
}

/// The run that a folder below `_runs` belongs to, and what follows it.
pub(crate) fn run_of(path: &Path) -> Option<(RunId, &str)> {
    let (run_id, rest) = path.as_ref().strip_prefix("_runs/")?.split_once('/')?;
    RunId::parse(run_id).ok().map(|run_id| (run_id, rest))
}

/// The name of the segment that lies at this path.
pub(crate) fn segment_name(path: &Path) -> Option<&str> {
    path.filename()?.strip_suffix(".arrow")
}

fn in_run(run_id: &RunId, rest: &str) -> Path {
    Path::from(format!("_runs/{run_id}/{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_its_place() {
        let run_id = RunId::parse("20261122T100000Z-7f3a9c").unwrap();
        let as_of = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        assert_eq!(
            [
                run_manifest(&run_id),
                rules_manifest(&run_id),
                plan_manifest(&run_id),
                seal_manifest(&run_id),
                journal_segment(&run_id, "a-1-000000"),
                abandoned_manifest(&run_id),
                calls(&run_id),
                commit_manifest(&run_id),
                table_part("findings", as_of, &run_id, 12),
            ]
            .map(String::from),
            [
                "_runs/20261122T100000Z-7f3a9c/run.json",
                "_runs/20261122T100000Z-7f3a9c/rules.json",
                "_runs/20261122T100000Z-7f3a9c/plan.json",
                "_runs/20261122T100000Z-7f3a9c/seal.json",
                "_runs/20261122T100000Z-7f3a9c/journal/a-1-000000.arrow",
                "_runs/20261122T100000Z-7f3a9c/abandoned.json",
                "_runs/20261122T100000Z-7f3a9c/calls.parquet",
                "_runs/20261122T100000Z-7f3a9c/commit.json",
                "findings/dt=2026-11-22/run=20261122T100000Z-7f3a9c/part-00012.parquet",
            ]
        );
    }

    #[test]
    fn a_path_gives_its_run_and_segment_back() {
        let run_id = RunId::parse("r1").unwrap();
        assert_eq!(run_of(&run_manifest(&run_id)), Some((run_id.clone(), "run.json")));
        assert_eq!(segment_name(&journal_segment(&run_id, "w-0-000001")), Some("w-0-000001"));
        assert_eq!(run_of(&Path::from("findings/dt=2026-11-22")), None);
    }
}
