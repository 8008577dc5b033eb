//! The straight line from a journal to a committed run.

use std::sync::Arc;

use orgsweep_checks::Checker;
use orgsweep_core::{AccountId, Plan, Run, RunId, table};
use orgsweep_lake::{Commit, DEFAULT_PART_BYTES, Journal, Journalled, Lake, TableRows};

use crate::BuildError;
use crate::accounts::Household;
use crate::assemble::{Built, assemble};
use crate::chunk::{ChunkLimits, Chunks, Context, PlannedChunk, build_chunk};
use crate::compute::Compute;
use crate::tables::Tables;

/// What may differ between two builds.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// Encoded bytes at which a table's next file is begun. Two builds of one run must agree on it.
    pub part_bytes: usize,
    /// Commit although accounts of the plan are not in the journal; they are `failed` then, with the code `NotAsked`.
    pub allow_missing: bool,
    /// Where columns are worked on.
    pub compute: Compute,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { part_bytes: DEFAULT_PART_BYTES, allow_missing: false, compute: Compute::default() }
    }
}

/// Builds a run's tables from its plan and journal and commits it. A run that is committed already, by whomever, is
/// returned as it is.
///
/// # Errors
/// The journal does not cover the plan, the lake fails, or the checks cannot be evaluated. Nothing is committed then,
/// and the same call later goes on to the same bytes.
pub async fn build_run(
    lake: &Lake,
    run: &Run,
    plan: &Plan,
    checker: &Arc<Checker>,
    options: &BuildOptions,
) -> Result<Commit, BuildError> {
    let commit = build_tables(lake, run, plan, checker, options).await?;
    let commit = lake.write_commit(commit).await?;
    clear_journal(lake, &run.run_id).await;
    Ok(commit)
}

/// Builds a run's tables, and returns the commit that is to be written; that of a run that is committed already, by
/// whomever, stands.
///
/// # Errors
/// As [`build_run`].
pub async fn build_tables(
    lake: &Lake,
    run: &Run,
    plan: &Plan,
    checker: &Arc<Checker>,
    options: &BuildOptions,
) -> Result<Commit, BuildError> {
    let built = match lake.read_commit(&run.run_id).await? {
        Some(commit) => Ok(commit),
        None => Build { lake, run, plan, checker, options }.run().await,
    };
    match built {
        Ok(commit) => Ok(commit),
        // Another builder may have committed and deleted the journal that this one was reading.
        Err(error) => lake.read_commit(&run.run_id).await?.ok_or(error),
    }
}

/// Deletes the journal of a committed run. What is left of it takes space and does no harm.
pub async fn clear_journal(lake: &Lake, run_id: &RunId) {
    if let Err(error) = Journal::delete(lake, run_id).await {
        tracing::warn!(%run_id, error = &error as &dyn std::error::Error, "journal was not deleted");
    }
}

/// One build of one run.
#[derive(Clone, Copy)]
struct Build<'a> {
    lake: &'a Lake,
    run: &'a Run,
    plan: &'a Plan,
    checker: &'a Arc<Checker>,
    options: &'a BuildOptions,
}

impl Build<'_> {
    async fn run(self) -> Result<Commit, BuildError> {
        let journal = Journal::open(self.lake, &self.run.run_id).await?;
        let journalled = journal.journalled().await?;
        if !self.options.allow_missing {
            self.refuse_uncovered(&journalled)?;
        }
        // From here on the segments are fixed, so that a build that is killed is built again to the same bytes.
        let journal = journal.seal(&journalled).await?;
        drop(journalled);
        let built = self.write_tables(&journal).await?;
        let (plan, coverage) = (self.plan, built.sums.coverage);
        let asked = (&plan.caller, plan.organization.as_ref());
        Ok(built.commit(self.run, asked, coverage, self.checker))
    }

    fn refuse_uncovered(self, journalled: &Journalled) -> Result<(), BuildError> {
        let asked = self.plan.asked().map(|account| account.id);
        let missing: Vec<AccountId> = asked.filter(|account_id| !journalled.seen.contains(account_id)).collect();
        if missing.is_empty() { Ok(()) } else { Err(BuildError::not_covered(missing)) }
    }

    /// The credentials of the run whose reports are carried over, as far as they are a report's own; `None` where it
    /// is gone, which matters only if a report was.
    async fn carried(self) -> Result<Option<TableRows>, BuildError> {
        let Some(run_id) = &self.run.carry_from else { return Ok(None) };
        let Some(commit) = self.lake.read_commit(run_id).await? else { return Ok(None) };
        let columns: Vec<&str> = table::credential_report().columns.iter().map(|column| column.name).collect();
        Ok(Some(self.lake.columns(&commit, table::credentials(), &columns)))
    }

    async fn write_tables(self, journal: &Journal) -> Result<Built, BuildError> {
        let context = Context { checker: Arc::clone(self.checker), household: Household::of(self.plan) };
        let context = Arc::new(context);
        let tables = Tables::of_sweep(self.checker, self.options.part_bytes);
        let chunks =
            Chunks::new(self.plan, journal.merged().await?, self.carried().await?, ChunkLimits::STANDARD).await?;
        let build = move |chunk: &PlannedChunk| build_chunk(&context, chunk);
        assemble((self.lake, self.run), tables, chunks, self.options.compute, build).await
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use futures::TryStreamExt;
    use object_store::ObjectStore;
    use object_store::memory::InMemory;
    use object_store::path::Path;
    use orgsweep_core::table;
    use orgsweep_lake::{Coverage, JournalEntry};

    use super::*;
    use crate::fixture::{
        Dying, checker, failed, journal, lake, many, options, partial, plan, rows, run, swept, table_files, text,
    };

    const INLINE: Compute = Compute::Inline;

    async fn build(store: &Arc<InMemory>, plan: &Plan, options: &BuildOptions) -> Result<Commit, BuildError> {
        build_run(&lake(store), &run(), plan, &checker(), options).await
    }

    #[tokio::test]
    async fn accounts_say_what_came_of_each() {
        let store = Arc::new(InMemory::new());
        let entries = [partial(1, &["anna"]), swept(2, &["<root_account>", "ben"]), failed(3), swept(5, &["nobody"])];
        journal(&lake(&store), "w", &[entries.to_vec()]).await;
        let commit = build(&store, &plan(1..=4, &[4]), &BuildOptions::default()).await.unwrap();
        assert_eq!(commit.coverage, Coverage { planned: 4, swept: 1, partial: 1, failed: 1, skipped: 1 });
        expect_file!["../expected/accounts.txt"].assert_eq(&text(&rows(&store, &commit, table::accounts()).await));
    }

    #[tokio::test]
    async fn every_account_and_check_has_a_result_and_the_tallies_add_up() {
        let store = Arc::new(InMemory::new());
        let entries = [partial(1, &["anna"]), swept(2, &["<root_account>", "ben"]), failed(3)];
        journal(&lake(&store), "w", &[entries.to_vec()]).await;
        let commit = build(&store, &plan(1..=4, &[4]), &BuildOptions::default()).await.unwrap();
        let names: Vec<_> = commit.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
        assert_eq!(names, [("accounts", 4), ("credentials", 3), ("findings", 8), ("check_results", 8)]);
        let accounts = |check: &serde_json::Value| {
            let of = |status: &str| check[format!("accounts_{status}")].as_u64().unwrap();
            of("passed") + of("failed") + of("unknown") + of("not_applicable")
        };
        assert_eq!(commit.checks.iter().map(accounts).collect::<Vec<_>>(), [4, 4]);
    }

    #[tokio::test]
    async fn the_bytes_depend_on_the_facts_alone() {
        let entries = many(1200);
        let mut shuffled = entries.clone();
        shuffled.reverse();
        let by_segments = |entries: &[JournalEntry], size| entries.chunks(size).map(<[_]>::to_vec).collect::<Vec<_>>();
        let mut built = Vec::new();
        for (segments, compute) in [(by_segments(&entries, 300), INLINE), (by_segments(&shuffled, 70), Compute::Rayon)]
        {
            let store = Arc::new(InMemory::new());
            journal(&lake(&store), "w", &segments).await;
            let commit = build(&store, &plan(0..1200, &[]), &options(compute)).await.unwrap();
            assert!(commit.files("credentials").count() > 1);
            built.push(table_files(&store).await);
        }
        assert!(built[0] == built[1]);
    }

    #[tokio::test]
    async fn a_build_that_is_killed_is_built_again_to_the_same_bytes() {
        let (plan, segments) = (plan(0..260, &[5]), [many(260)]);
        let undisturbed = Arc::new(InMemory::new());
        journal(&lake(&undisturbed), "w", &segments).await;
        let commit = build(&undisturbed, &plan, &options(INLINE)).await.unwrap();
        let expected = table_files(&undisturbed).await;
        // The seal, the parts, the calls, the commit.
        let puts = expected.len() + 3;
        for died_after in 0..puts {
            let store = Arc::new(InMemory::new());
            journal(&lake(&store), "w", &segments).await;
            let dying = Lake::over(Dying::after(&store, died_after), "dying");
            build_run(&dying, &run(), &plan, &checker(), &options(INLINE)).await.unwrap_err();
            if died_after > 0 {
                // A sweep that goes on meanwhile learns more; what is built was fixed before.
                journal(&lake(&store), "x", &[vec![swept(3, &["late"])]]).await;
            }
            let again = build(&store, &plan, &options(INLINE)).await.unwrap();
            assert!(table_files(&store).await == expected, "after {died_after} puts");
            assert_eq!((&again.tables, &again.checks), (&commit.tables, &commit.checks));
        }
    }

    #[tokio::test]
    async fn a_committed_run_stays_as_it_is_and_has_no_journal() {
        let store = Arc::new(InMemory::new());
        journal(&lake(&store), "w", &[vec![failed(1)]]).await;
        let first = build(&store, &plan([1], &[]), &options(INLINE)).await.unwrap();
        let second = build(&store, &plan([1, 2], &[]), &options(INLINE)).await.unwrap();
        assert_eq!(first, second);
        let left: Vec<_> = store.list(Some(&Path::from("_runs"))).try_collect().await.unwrap();
        let left: Vec<_> = left.iter().map(|object| object.location.as_ref()).collect();
        assert_eq!(left, ["_runs/r1/calls.parquet", "_runs/r1/commit.json", "_runs/r1/seal.json"]);
    }

    #[tokio::test]
    async fn a_plan_that_is_not_covered_is_not_built() {
        let store = Arc::new(InMemory::new());
        journal(&lake(&store), "w", &[vec![failed(2)]]).await;
        let error = build(&store, &plan(1..=9, &[9]), &options(INLINE)).await.unwrap_err();
        let message = "7 accounts of the plan are not in the journal (000000000001, 000000000003, 000000000004, \
                       000000000005, 000000000006, …): resume the sweep";
        assert_eq!(error.to_string(), message);
        assert!(table_files(&store).await.is_empty());
        assert!(!Journal::open(&lake(&store), &run().run_id).await.unwrap().is_sealed());
        let anyway = BuildOptions { allow_missing: true, ..options(INLINE) };
        let commit = build(&store, &plan(1..=9, &[9]), &anyway).await.unwrap();
        assert_eq!(commit.coverage, Coverage { planned: 9, failed: 8, skipped: 1, ..Coverage::default() });
    }

    #[tokio::test]
    async fn a_plan_without_accounts_has_empty_tables() {
        let store = Arc::new(InMemory::new());
        let commit = build(&store, &plan([], &[]), &BuildOptions::default()).await.unwrap();
        let files: Vec<_> = commit.tables.iter().map(|table| (table.rows, table.files.len())).collect();
        assert_eq!(files, [(0, 1); 4]);
    }
}
