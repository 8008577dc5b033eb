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

impl Ingested {
    /// A run that was committed before.
    #[must_use]
    pub fn before(commit: Commit) -> Self {
        Self { commit, csv_bytes: None, bad: Vec::new() }
    }
}

/// Builds a run's tables from these reports, which stand in order of their accounts, each account once, and returns the
/// commit that is to be written; that of a run that is committed already stands.
///
/// # Errors
/// Reports cannot be read, all of which are named, unless they may be left out; the lake fails; or the checks cannot be
/// evaluated. The same call later goes on to the same bytes.
pub async fn ingest_tables(
    lake: &Lake,
    run: &Run,
    reports: Vec<SavedReport>,
    checker: &Arc<Checker>,
    options: &IngestOptions,
) -> Result<Ingested, BuildError> {
    if let Some(commit) = lake.read_commit(&run.run_id).await? {
        return Ok(Ingested::before(commit));
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
    Ok(Ingested { commit, csv_bytes: Some(counts.csv_bytes()), bad })
}

/// Every account of which there is a report.
fn plan_of(reports: &[SavedReport]) -> Plan {
    let accounts = reports.iter().map(|report| planned(report.account_id)).collect();
    Plan::new(Caller::nobody(), None, Reading::Unwanted, accounts)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use object_store::memory::InMemory;
    use orgsweep_core::table;
    use orgsweep_lake::Coverage;

    use super::*;
    use crate::fixture::{Dying, HEADER, checker, lake, options, rows, run, table_files, text, time};
    use crate::{Compute, Survey, find_reports, survey};

    const INLINE: Compute = Compute::Inline;

    /// Reports of this many accounts, each with some users.
    fn reports(partition: &str, accounts: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=accounts {
            let rest = "true,no_information,2026-01-01T00:00:00Z,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
            let user = |name: String, resource: String| {
                format!("\n{name},arn:{partition}:iam::{number:012}:{resource},2020-01-01T00:00:00Z,{rest}")
            };
            let users = (0..number % 50).map(|at| user(format!("u{at:02}"), format!("user/u{at:02}")));
            let all = [user("<root_account>".to_owned(), "root".to_owned())].into_iter().chain(users);
            // The order of names is not that of accounts.
            let path = folder.path().join(format!("{}-{number}.csv", number % 7));
            fs::write(path, format!("{HEADER}{}", all.collect::<String>())).unwrap();
        }
        folder
    }

    fn look(folder: &Path) -> Survey {
        survey(find_reports(&[folder.to_owned()]).unwrap(), Some(time()))
    }

    async fn ingest(lake: &Lake, folder: &Path, compute: Compute, skip_bad: bool) -> Result<Ingested, BuildError> {
        let options = IngestOptions { build: options(compute), skip_bad };
        let ingested = ingest_tables(lake, &run(), look(folder).reports, &checker(), &options).await?;
        Ok(Ingested { commit: lake.write_commit(ingested.commit).await?, ..ingested })
    }

    #[tokio::test]
    async fn an_ingest_that_is_killed_is_made_again_to_the_same_bytes_on_any_number_of_threads() {
        let folder = reports("aws", 300);
        let undisturbed = Arc::new(InMemory::new());
        let first = ingest(&lake(&undisturbed), folder.path(), Compute::Rayon, false).await.unwrap();
        let expected = table_files(&undisturbed).await;
        assert!(first.commit.files("credentials").count() > 1);
        assert_eq!(first.commit.coverage, Coverage { planned: 300, swept: 300, ..Coverage::default() });
        // The plan, the parts, the commit.
        for died_after in 0..expected.len() + 2 {
            let store = Arc::new(InMemory::new());
            let dying = Lake::over(Dying::after(&store, died_after), "dying");
            let compute = if died_after % 2 == 0 { INLINE } else { Compute::Rayon };
            ingest(&dying, folder.path(), compute, false).await.unwrap_err();
            let again = ingest(&lake(&store), folder.path(), compute, false).await.unwrap();
            assert!(table_files(&store).await == expected, "after {died_after} puts");
            assert_eq!((&again.commit.tables, &again.commit.checks), (&first.commit.tables, &first.commit.checks));
        }
        let again = ingest(&lake(&undisturbed), folder.path(), INLINE, false).await.unwrap();
        assert_eq!((again.commit, again.csv_bytes), (first.commit, None));
    }

    #[tokio::test]
    async fn all_reports_that_cannot_be_read_whole_are_named_and_failed_where_they_may_be() {
        let (folder, store) = (reports("aws", 9), Arc::new(InMemory::new()));
        for name in ["1-1.csv", "3-3.csv"] {
            let path = folder.path().join(name);
            let csv = fs::read(&path).unwrap();
            fs::write(&path, &csv[..csv.len() - 30]).unwrap();
        }
        let error = ingest(&lake(&store), folder.path(), INLINE, false).await.unwrap_err();
        let BuildError::BadReports { bad } = &error else { panic!("{error}") };
        assert!(bad[0].path.ends_with("1-1.csv") && bad[1].path.ends_with("3-3.csv") && bad.len() == 2, "{error}");
        assert!(error.to_string().starts_with("2 reports cannot be read whole:\n"), "{error}");
        assert_eq!(lake(&store).read_commit(&run().run_id).await.unwrap(), None);
        let anyway = ingest(&lake(&store), folder.path(), INLINE, true).await.unwrap();
        assert_eq!(anyway.commit.coverage, Coverage { planned: 9, swept: 7, failed: 2, ..Coverage::default() });
        assert_eq!(&anyway.bad, bad);
    }

    #[tokio::test]
    async fn accounts_are_in_the_partition_of_their_reports_and_nothing_else_is_known_of_them() {
        let (folder, store) = (reports("aws-us-gov", 1), Arc::new(InMemory::new()));
        let ingested = ingest(&lake(&store), folder.path(), INLINE, false).await.unwrap();
        let accounts = text(&rows(&store, &ingested.commit, table::accounts()).await);
        let known: Vec<&str> = accounts.lines().filter(|line| !line.starts_with("root_")).collect();
        let expected = [
            "account_id: 000000000001",
            "partition: aws-us-gov",
            "state: UNKNOWN",
            "outcome: swept",
            "report_generated_at: 2026-11-22T10:00:00Z",
            "report_older_than_asked: false",
            "report_rows: 2",
            "report_users: 1",
            "",
        ];
        assert_eq!(known, expected);
    }

    #[test]
    fn reports_of_two_partitions_are_of_two_organizations() {
        let (one, other) = (reports("aws", 2), reports("aws-cn", 4));
        let found = find_reports(&[one.path().to_owned(), other.path().join("[34]*.csv")]).unwrap();
        let surveyed = survey(found, Some(time()));
        assert_eq!((surveyed.reports.len(), surveyed.bad.len()), (2, 2));
        assert_eq!(
            surveyed.bad[0].reason,
            "it is a report of the partition aws-cn, and others are of aws: ingest them apart"
        );
    }

    #[tokio::test]
    async fn a_file_that_changes_in_between_is_told() {
        let (folder, store) = (reports("aws", 2), Arc::new(InMemory::new()));
        let looked = look(folder.path());
        fs::write(folder.path().join("2-2.csv"), format!("{HEADER}\n")).unwrap();
        let options = IngestOptions::default();
        let error = ingest_tables(&lake(&store), &run(), looked.reports, &checker(), &options).await.unwrap_err();
        assert!(error.to_string().contains("2-2.csv: it was changed while the reports were read"), "{error}");
    }
}
