//! A recheck: the committed tables of a sweep judged again, by other rules or params, without asking AWS.

use std::sync::Arc;

use orgsweep_checks::Checker;
use orgsweep_core::Run;
use orgsweep_lake::{Commit, CommittedTable, Lake};

use crate::assemble::assemble;
use crate::chunk::{ChunkLimits, judge_chunk};
use crate::committed::{CommittedChunk, CommittedChunks};
use crate::tables::Tables;
use crate::{BuildError, BuildOptions};

/// Judges the committed tables of `sweep` again and commits what the checks say as `run`, whose `accounts` and
/// `credentials` are the files of the sweep. A recheck that is committed already is returned as it is.
///
/// # Errors
/// The lake fails, the tables of the sweep are damaged or of another version, or the checks cannot be evaluated.
/// Nothing is committed then, and the same call later goes on to the same bytes.
pub async fn recheck_run(
    lake: &Lake,
    run: &Run,
    sweep: &Commit,
    checker: &Arc<Checker>,
    options: &BuildOptions,
) -> Result<Commit, BuildError> {
    if let Some(commit) = lake.read_commit(&run.run_id).await? {
        return Ok(commit);
    }
    let chunks = CommittedChunks::new(lake, sweep, ChunkLimits::STANDARD);
    let tables = Tables::of_recheck(checker, options.part_bytes);
    let judge = {
        let checker = Arc::clone(checker);
        move |chunk: &CommittedChunk| judge_chunk(&checker, chunk)
    };
    let mut built = assemble((lake, run), tables, chunks, options.compute, judge).await?;
    let judged = |table: &&CommittedTable| built.tables.iter().any(|written| written.name == table.name);
    let facts: Vec<CommittedTable> = sweep.tables.iter().filter(|table| !judged(table)).cloned().collect();
    built.tables.splice(0..0, facts);
    let asked = (&sweep.caller, sweep.organization.as_ref());
    Ok(lake.write_commit(built.commit(run, asked, sweep.coverage, checker)).await?)
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use orgsweep_core::{RunId, table};
    use orgsweep_lake::{CommittedFile, Coverage};

    use super::*;
    use crate::fixture::{
        Dying, checker, journal, lake, lenient_checker, many, options, plan, rows, run, swept, table_files, text,
    };
    use crate::{Compute, build_run};

    const INLINE: Compute = Compute::Inline;

    async fn sweep(store: &Arc<InMemory>, accounts: u64) -> Commit {
        journal(&lake(store), "w", &[many(accounts)]).await;
        build_run(&lake(store), &run(), &plan(0..accounts, &[5]), &checker(), &options(INLINE)).await.unwrap()
    }

    fn recheck(rules: &str) -> Run {
        let sweep = run();
        Run { run_id: RunId::recheck(&sweep.run_id, rules), recheck_of: Some(sweep.run_id.clone()), ..sweep }
    }

    #[tokio::test]
    async fn the_same_rules_say_the_same_again() {
        let store = Arc::new(InMemory::new());
        let sweep = sweep(&store, 700).await;
        let run = recheck("same");
        let again = recheck_run(&lake(&store), &run, &sweep, &checker(), &options(Compute::Rayon)).await.unwrap();
        for table in [table::findings(), table::check_results()] {
            assert!(text(&rows(&store, &sweep, table).await) == text(&rows(&store, &again, table).await));
        }
        assert_eq!((&again.checks, again.coverage, again.as_of), (&sweep.checks, sweep.coverage, sweep.as_of));
    }

    #[tokio::test]
    async fn other_rules_say_something_else_of_the_same_facts() {
        let store = Arc::new(InMemory::new());
        let sweep = sweep(&store, 30).await;
        let run = recheck("lenient");
        let again = recheck_run(&lake(&store), &run, &sweep, &lenient_checker(), &options(INLINE)).await.unwrap();
        let failed = |commit: &Commit| {
            let checks = commit.checks.iter();
            checks.map(|check| format!("{} {}", check["check_id"], check["accounts_failed"])).collect::<Vec<_>>()
        };
        assert_eq!(failed(&sweep), [r#""mfa" 26"#, r#""password-length" 23"#]);
        assert_eq!(failed(&again), [r#""mfa" 26"#, r#""password-length" 0"#]);
        assert_eq!(again.recheck_of.as_ref(), Some(&sweep.run_id));
        for table in ["accounts", "credentials"] {
            assert!(again.files(table).eq(sweep.files(table)));
        }
        let names: Vec<_> = again.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["accounts", "credentials", "findings", "check_results"]);
        assert_eq!(lake(&store).read_commit(&sweep.run_id).await.unwrap(), Some(sweep));
    }

    #[tokio::test]
    async fn a_recheck_that_is_killed_is_made_again_to_the_same_bytes() {
        let undisturbed = Arc::new(InMemory::new());
        let commit = sweep(&undisturbed, 260).await;
        let before = table_files(&undisturbed).await.len();
        let run = recheck("killed");
        recheck_run(&lake(&undisturbed), &run, &commit, &checker(), &options(INLINE)).await.unwrap();
        let expected = table_files(&undisturbed).await;
        // The parts, and the commit.
        for died_after in 0..=expected.len() - before {
            let store = Arc::new(InMemory::new());
            let commit = sweep(&store, 260).await;
            let dying = lake_over(&store, died_after);
            recheck_run(&dying, &run, &commit, &checker(), &options(INLINE)).await.unwrap_err();
            recheck_run(&lake(&store), &run, &commit, &checker(), &options(INLINE)).await.unwrap();
            assert!(table_files(&store).await == expected, "after {died_after} puts");
        }
    }

    fn lake_over(store: &Arc<InMemory>, puts: usize) -> Lake {
        Lake::over(Dying::after(store, puts), "dying")
    }

    #[tokio::test]
    async fn tables_that_do_not_belong_together_are_refused() {
        let store = Arc::new(InMemory::new());
        let mut commit = sweep(&store, 30).await;
        let none: &[CommittedFile] = &[];
        commit.tables[0] = CommittedTable::new("accounts", none.to_vec());
        let error = recheck_run(&lake(&store), &recheck("a"), &commit, &checker(), &options(INLINE)).await.unwrap_err();
        let message =
            "the run is damaged: its table credentials has rows of account \"000000000000\" where there should be none";
        assert_eq!(error.to_string(), message);
        commit.tables[0] = CommittedTable::new("accounts", commit.files("check_results").cloned().collect());
        let error = recheck_run(&lake(&store), &recheck("a"), &commit, &checker(), &options(INLINE)).await.unwrap_err();
        assert!(error.to_string().contains("does not have the columns of this version"), "{error}");
        assert_eq!(lake(&store).read_commit(&recheck("a").run_id).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_run_without_accounts_is_rechecked_too() {
        let store = Arc::new(InMemory::new());
        journal(&lake(&store), "w", &[vec![swept(1, &["anna"])]]).await;
        let sweep = build_run(&lake(&store), &run(), &plan([], &[]), &checker(), &options(INLINE)).await.unwrap();
        let again = recheck_run(&lake(&store), &recheck("b"), &sweep, &checker(), &options(INLINE)).await.unwrap();
        assert_eq!((again.coverage, again.tables[2].rows), (Coverage::default(), 0));
    }
}
