//! Which runs a lake has, in which order they began, and how far each has come.

use std::collections::BTreeMap;

use orgsweep_core::{RunId, Timestamp};

use crate::{Lake, LakeError, layout};

/// A run of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// The run.
    pub run_id: RunId,
    /// How far it has come.
    pub stage: Stage,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It left something, and no `run.json`: nobody knows what it is.
    Unknown,
    /// It has begun, and is not committed.
    Begun,
    /// It has begun, and can never have a plan.
    Abandoned,
    /// It is committed.
    Committed,
}

/// What there is of a run.
#[derive(Debug, Default)]
struct Found {
    /// By its id, or by the store where somebody named it.
    began_at: Option<Timestamp>,
    /// When the store says so: of two runs that began in the same second the later one is the newer.
    written_at: Option<Timestamp>,
    is_abandoned: bool,
    is_committed: bool,
    /// More than the rules, which are written before `run.json`.
    has_more: bool,
}

impl Lake {
    /// Every run of the lake, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn runs(&self) -> Result<Vec<RunState>, LakeError> {
        // One listing of everything costs less than two questions for each run: a committed run is few objects.
        let mut found: BTreeMap<RunId, Found> = BTreeMap::new();
        for object in self.list(&layout::runs()).await? {
            if let Some((run_id, file)) = layout::run_of(&object.location) {
                let run = found.entry(run_id.clone()).or_default();
                match file {
                    "run.json" => {
                        let written_at = Timestamp::from_millis(object.last_modified.timestamp_millis());
                        run.began_at = Some(run_id.began_at().unwrap_or(written_at));
                        run.written_at = Some(written_at);
                    }
                    "rules.json" => {}
                    "abandoned.json" => run.is_abandoned = true,
                    "commit.json" => (run.is_committed, run.has_more) = (true, true),
                    _ => run.has_more = true,
                }
            }
        }
        // Those that began and were written at once stay in the order of their ids.
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, found)| (found.began_at, found.written_at));
        Ok(found.into_iter().filter_map(|(run_id, found)| found.state(run_id)).collect())
    }

    /// The sweeps that are neither committed nor abandoned, newest first: `latest` means the first of them to whoever
    /// goes on with a run.
    ///
    /// # Errors
    /// The store fails.
    pub async fn uncommitted(&self) -> Result<Vec<RunId>, LakeError> {
        Ok(self.newest(Stage::Begun).await?.filter(|run_id| !run_id.is_ingest()).collect())
    }

    /// The committed sweeps, newest first. Saved reports say nothing that a sweep could go on from.
    ///
    /// # Errors
    /// The store fails.
    pub async fn swept(&self) -> Result<Vec<RunId>, LakeError> {
        Ok(self.newest(Stage::Committed).await?.filter(|run_id| !run_id.is_ingest()).collect())
    }

    /// The newest committed sweep, or run of saved reports: the one that `latest` means to whoever reads. A recheck is
    /// never that one, however new: it knows nothing newer than its sweep.
    ///
    /// # Errors
    /// The store fails.
    pub async fn latest_committed(&self) -> Result<Option<RunId>, LakeError> {
        Ok(self.newest(Stage::Committed).await?.next())
    }

    async fn newest(&self, stage: Stage) -> Result<impl Iterator<Item = RunId>, LakeError> {
        let runs = self.runs().await?.into_iter().rev().filter(move |run| run.stage == stage);
        Ok(runs.map(|run| run.run_id).filter(|run_id| !run_id.is_recheck()))
    }
}

impl Found {
    /// How far the run has come; `None` where nothing of it counts.
    fn state(self, run_id: RunId) -> Option<RunState> {
        let stage = match self {
            Self { began_at: None, has_more: false, .. } => return None,
            Self { began_at: None, .. } => Stage::Unknown,
            Self { is_committed: true, .. } => Stage::Committed,
            Self { is_abandoned: true, .. } => Stage::Abandoned,
            _ => Stage::Begun,
        };
        Some(RunState { run_id, stage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{commit, lake, run};

    #[tokio::test]
    async fn latest_is_the_newest_sweep_that_is_or_is_not_committed() {
        let lake = lake();
        for run_id in ["20261122T100000Z-000001", "20261122T100001Z-000000", "20261123T000000Z-000000"] {
            lake.create_run(&run(run_id), "{}").await.unwrap();
        }
        let (first, second) = (run("20261122T100000Z-000001"), run("20261122T100001Z-000000"));
        lake.write_commit(commit(&first, 1)).await.unwrap();
        lake.write_commit(commit(&second, 1)).await.unwrap();
        for (rules, is_committed) in [("aaaaaaaaaaaa", true), ("bbbbbbbbbbbb", false)] {
            let recheck = run(RunId::recheck(&second.run_id, rules).as_str());
            lake.create_run(&recheck, "{}").await.unwrap();
            if is_committed {
                lake.write_commit(commit(&recheck, 1)).await.unwrap();
            }
        }
        let stages: Vec<_> = lake.runs().await.unwrap().iter().map(|run| run.stage).collect();
        assert_eq!(stages, [Stage::Committed, Stage::Committed, Stage::Committed, Stage::Begun, Stage::Begun]);
        let (swept, uncommitted) = ([second.run_id.clone(), first.run_id], [run("20261123T000000Z-000000").run_id]);
        assert_eq!(lake.swept().await.unwrap(), swept);
        assert_eq!(lake.latest_committed().await.unwrap(), Some(second.run_id));
        assert_eq!(lake.uncommitted().await.unwrap(), uncommitted);

        let saved = run("20261124T000000Z-ingest-aaaaaaaaaaaa");
        lake.create_run(&saved, "{}").await.unwrap();
        assert_eq!(lake.uncommitted().await.unwrap(), uncommitted);
        lake.write_commit(commit(&saved, 1)).await.unwrap();
        assert_eq!(
            (lake.uncommitted().await.unwrap(), lake.swept().await.unwrap()),
            (uncommitted.into(), swept.into())
        );
        assert_eq!(lake.latest_committed().await.unwrap(), Some(saved.run_id));
    }

    #[tokio::test]
    async fn a_run_that_somebody_named_stands_where_it_was_begun() {
        let lake = lake();
        for run_id in ["nightly", "20000101T000000Z-000000", "29990101T000000Z-000000"] {
            lake.create_run(&run(run_id), "{}").await.unwrap();
        }
        let newest: Vec<_> = lake.uncommitted().await.unwrap();
        let newest: Vec<_> = newest.iter().map(RunId::as_str).collect();
        assert_eq!(newest, ["29990101T000000Z-000000", "nightly", "20000101T000000Z-000000"]);
    }

    #[tokio::test]
    async fn an_abandoned_run_is_passed_over_until_somebody_commits_it_all_the_same() {
        let (lake, run) = (lake(), run("r1"));
        lake.create_run(&run, "{}").await.unwrap();
        lake.abandon_run(&run.run_id, "no account").await.unwrap();
        lake.abandon_run(&run.run_id, "another reason").await.unwrap();
        let stage = async || lake.runs().await.unwrap().first().map(|run| run.stage);
        assert_eq!((stage().await, lake.uncommitted().await.unwrap()), (Some(Stage::Abandoned), vec![]));
        lake.write_commit(commit(&run, 1)).await.unwrap();
        assert_eq!(stage().await, Some(Stage::Committed));
    }

    #[tokio::test]
    async fn what_has_no_manifest_is_named_once_there_is_something_to_lose() {
        let lake = lake();
        let path = |name: &str| object_store::path::Path::from(format!("_runs/r1/{name}"));
        lake.create(&path("rules.json"), "{}".into()).await.unwrap();
        assert_eq!(lake.runs().await.unwrap(), []);
        lake.create(&path("plan.json"), "{}".into()).await.unwrap();
        assert_eq!(lake.runs().await.unwrap().first().map(|run| run.stage), Some(Stage::Unknown));
        assert_eq!(lake.uncommitted().await.unwrap(), []);
    }
}
