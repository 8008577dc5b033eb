//! The manifests of a run, as JSON: `run.json`, `rules.json`, `plan.json`, `seal.json`, `commit.json`, `abandoned.json`.
//!
//! Each is written once. Whoever comes second is given what the first one wrote.

use std::io::{self, Write};

use object_store::path::Path;
use object_store::{PutPayload, PutPayloadMut};
use orgsweep_core::{Plan, Run, RunId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Commit, Lake, LakeError, LakeErrorKind, layout};

/// How many runs an error names, newest first, to whoever mistyped one.
const NAMED_RUNS: usize = 5;

impl Lake {
    /// Writes `rules.json`, then `run.json`: from here on the run can be resumed, by the same rules. `rules` is JSON
    /// whose meaning is not known here.
    ///
    /// # Errors
    /// There is such a run already, or the store fails.
    pub async fn create_run(&self, run: &Run, rules: &str) -> Result<(), LakeError> {
        self.create_same(&layout::rules_manifest(&run.run_id), format!("{rules}\n").into()).await?;
        let path = layout::run_manifest(&run.run_id);
        self.create(&path, to_json(&path, run)?).await
    }

    /// Reads `rules.json`, as it was given to [`Lake::create_run`].
    ///
    /// # Errors
    /// The run has no such file, it is no text, or the store fails.
    pub async fn read_rules(&self, run_id: &RunId) -> Result<String, LakeError> {
        let path = layout::rules_manifest(run_id);
        let bytes = self.read(&path).await?;
        String::from_utf8(bytes.into()).map_err(|error| LakeError::corrupt(path.as_ref(), error))
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// There is no such run, in which case the message names the newest ones; the file is damaged; the store fails.
    pub async fn read_run(&self, run_id: &RunId) -> Result<Run, LakeError> {
        match self.find(&layout::run_manifest(run_id)).await? {
            Some(run) => Ok(run),
            None => Err(self.no_such_run(run_id).await?),
        }
    }

    /// Writes `plan.json` and returns the plan that stands: this one, or the one that another wrote first.
    ///
    /// # Errors
    /// The plan that stands is damaged, or the store fails.
    pub async fn write_plan(&self, run_id: &RunId, plan: &Plan) -> Result<Plan, LakeError> {
        Ok(self.offer_plan(run_id, plan).await?.unwrap_or_else(|| plan.clone()))
    }

    /// Writes `plan.json`, and returns the plan that stands where another wrote one first. For plans that are too large
    /// to be there twice.
    ///
    /// # Errors
    /// As [`Lake::write_plan`].
    pub async fn offer_plan(&self, run_id: &RunId, plan: &Plan) -> Result<Option<Plan>, LakeError> {
        let path = layout::plan_manifest(run_id);
        self.offer(&path, plan_json(&path, plan)?).await
    }

    /// Reads `plan.json`; `None` while discovery has not ended.
    ///
    /// # Errors
    /// The file is damaged, or the store fails.
    pub async fn read_plan(&self, run_id: &RunId) -> Result<Option<Plan>, LakeError> {
        self.find(&layout::plan_manifest(run_id)).await
    }

    /// Writes `commit.json` and returns the commit that stands: this one, or the one that another wrote first.
    ///
    /// # Errors
    /// The commit that stands is damaged, or the store fails.
    pub async fn write_commit(&self, commit: Commit) -> Result<Commit, LakeError> {
        let path = layout::commit_manifest(&commit.run_id);
        self.create_first(&path, to_json(&path, &commit)?, || commit).await
    }

    /// Reads `commit.json`; `None` while the run is not committed.
    ///
    /// # Errors
    /// The file is damaged, or the store fails.
    pub async fn read_commit(&self, run_id: &RunId) -> Result<Option<Commit>, LakeError> {
        self.find(&layout::commit_manifest(run_id)).await
    }

    /// The error of a run that is wanted as a committed one, and is none.
    #[must_use]
    pub fn not_committed(&self, run_id: &RunId) -> LakeError {
        let message = format!("run {run_id} is not among the committed runs of the lake at {}", self.location());
        LakeError::new(LakeErrorKind::NotFound, message)
    }

    /// Writes `abandoned.json`: the run can never have a plan, for this reason, and `latest` passes it over.
    ///
    /// # Errors
    /// The store fails.
    pub async fn abandon_run(&self, run_id: &RunId, reason: &str) -> Result<(), LakeError> {
        let path = layout::abandoned_manifest(run_id);
        match self.create(&path, to_json(&path, &serde_json::json!({ "reason": reason }))?).await {
            Err(error) if error.kind() != LakeErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    async fn no_such_run(&self, run_id: &RunId) -> Result<LakeError, LakeError> {
        let runs = self.runs().await?;
        if runs.iter().any(|run| run.run_id == *run_id) {
            let path = layout::run_manifest(run_id);
            let message = format!(
                "run {run_id} in the lake at {} has no run.json, so that nobody knows what it asks: put {path} back from a \
                 copy; without one begin a new scan, and delete the folder it is in",
                self.location()
            );
            return Ok(LakeError::new(LakeErrorKind::Corrupt, message));
        }
        // Rechecks are named after their sweeps, and would hide them.
        let sweeps = runs.iter().rev().filter(|run| !run.run_id.is_recheck());
        let newest: Vec<_> = sweeps.take(NAMED_RUNS).map(|run| run.run_id.as_str()).collect();
        let known = match newest.as_slice() {
            [] => "it holds no runs".to_owned(),
            newest => format!("its newest sweeps are {}", newest.join(", ")),
        };
        let message = format!("run {run_id} is not in the lake at {}: {known}", self.location());
        Ok(LakeError::new(LakeErrorKind::NotFound, message))
    }

    /// Writes a manifest, or reads the one that another wrote first.
    pub(crate) async fn create_first<T: DeserializeOwned>(
        &self,
        path: &Path,
        payload: PutPayload,
        manifest: impl FnOnce() -> T,
    ) -> Result<T, LakeError> {
        Ok(self.offer(path, payload).await?.unwrap_or_else(manifest))
    }

    /// Writes a manifest; the one that another wrote first, if there is one, comes back.
    async fn offer<T: DeserializeOwned>(&self, path: &Path, payload: PutPayload) -> Result<Option<T>, LakeError> {
        match self.create(path, payload).await {
            Ok(()) => Ok(None),
            Err(error) if error.kind() == LakeErrorKind::AlreadyExists => {
                from_json(path, &self.read(path).await?).map(Some)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a manifest, if it is there.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, LakeError> {
        match self.read(path).await {
            Ok(bytes) => from_json(path, &bytes).map(Some),
            Err(error) if error.kind() == LakeErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn to_json<T: Serialize>(path: &Path, manifest: &T) -> Result<PutPayload, LakeError> {
    let mut json = serde_json::to_vec_pretty(manifest).map_err(|error| unwritable(path, error))?;
    json.push(b'\n');
    Ok(json.into())
}

/// A plan with each account on a line of its own: as easy to read and to search as indented JSON, and a third of it,
/// which counts at 50,000 accounts.
fn plan_json(path: &Path, plan: &Plan) -> Result<PutPayload, LakeError> {
    let mut json = Blocks::default();
    write_json(&mut json, plan).map_err(|error| unwritable(path, serde_json::Error::io(error)))?;
    Ok(json.0.freeze())
}

fn write_json(json: &mut Blocks, plan: &Plan) -> io::Result<()> {
    let caller = serde_json::to_string(&plan.caller)?;
    let organization = serde_json::to_string(&plan.organization)?;
    let features = serde_json::to_string(&plan.features)?;
    write!(json, "{{\n  \"caller\": {caller},\n  \"organization\": {organization},\n")?;
    write!(json, "  \"features\": {features},\n  \"accounts\": [")?;
    for (index, account) in plan.accounts.iter().enumerate() {
        json.write_all(if index == 0 { "\n    " } else { ",\n    " }.as_bytes())?;
        serde_json::to_writer(&mut *json, &account)?;
    }
    json.write_all(b"\n  ]\n}\n")
}

/// Bytes in blocks, so that growing never holds twice what is already there.
#[derive(Default)]
struct Blocks(PutPayloadMut);

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwritable(path: &Path, error: serde_json::Error) -> LakeError {
    LakeError::new(LakeErrorKind::Invalid, format!("{path} cannot be written as JSON")).with_source(error)
}

fn from_json<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, LakeError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let advice = match path.filename() {
            Some("plan.json") => {
                "put it back from a copy, or delete it and go on with the run, which lists the accounts again"
            }
            Some("commit.json") => "put it back from a copy, without which nobody knows which files the run has",
            _ => "put it back from a copy; without one begin a new scan, and delete the folder it is in",
        };
        LakeError::corrupt_manifest(path.as_ref(), advice, error)
    })
}

#[cfg(test)]
mod tests {
    use orgsweep_core::{
        Account, AccountId, AccountState, Caller, Decision, Organization, OrganizationFeatures, PlannedAccount,
        Reading, SkipReason,
    };

    use super::*;
    use crate::fixture::{commit, lake, run};

    fn plan(accounts: &[u64]) -> Plan {
        let caller = Caller { account_id: AccountId::from_number(1), arn: "arn:aws:iam::1:user/a".to_owned() };
        let organization =
            Organization { id: "o-aa111bb222".to_owned(), management_account_id: AccountId::from_number(1) };
        let accounts = accounts.iter().map(|number| PlannedAccount {
            account: Account {
                id: AccountId::from_number(*number),
                arn: None,
                name: Some("Ünïcode, \"quoted\"\n".to_owned()),
                email: None,
                state: AccountState::Active,
                path: None,
                joined_method: None,
                joined_at: None,
            },
            decision: if number % 2 == 0 { Decision::Ask } else { Decision::Skip(SkipReason::Excluded) },
        });
        let features = Reading::Read(OrganizationFeatures::default());
        Plan::new(caller, Some(organization), features, accounts.collect())
    }

    #[tokio::test]
    async fn a_run_is_created_once_and_read_back() {
        let (lake, run) = (lake(), run("r1"));
        lake.create_run(&run, "{}").await.unwrap();
        assert_eq!(lake.read_run(&run.run_id).await.unwrap(), run);
        assert_eq!(lake.read_rules(&run.run_id).await.unwrap(), "{}\n");
        let error = lake.create_run(&run, "{}").await.unwrap_err();
        assert_eq!(error.kind(), LakeErrorKind::AlreadyExists);
    }

    #[tokio::test]
    async fn an_unknown_run_is_answered_with_the_newest() {
        let (lake, unknown) = (lake(), RunId::parse("r9").unwrap());
        let error = lake.read_run(&unknown).await.unwrap_err();
        assert_eq!(error.to_string(), "run r9 is not in the lake at memory: it holds no runs");
        for run_id in ["r1", "r2", "r3", "r4", "r5", "r6"] {
            lake.create_run(&run(run_id), "{}").await.unwrap();
        }
        let error = lake.read_run(&unknown).await.unwrap_err();
        assert_eq!(error.kind(), LakeErrorKind::NotFound);
        assert_eq!(error.to_string(), "run r9 is not in the lake at memory: its newest sweeps are r6, r5, r4, r3, r2");
    }

    #[tokio::test]
    async fn the_first_plan_stands() {
        let (lake, run_id) = (lake(), RunId::parse("r1").unwrap());
        assert_eq!(lake.read_plan(&run_id).await.unwrap(), None);
        for written in [plan(&[2, 1, 4]), plan(&[2, 1, 4]), plan(&[7]), plan(&[])] {
            assert_eq!(lake.write_plan(&run_id, &written).await.unwrap(), plan(&[1, 2, 4]));
        }
        assert_eq!(lake.read_plan(&run_id).await.unwrap(), Some(plan(&[1, 2, 4])));
        assert_eq!(lake.offer_plan(&run_id, &plan(&[7])).await.unwrap(), Some(plan(&[1, 2, 4])));
        assert_eq!(lake.offer_plan(&RunId::parse("r2").unwrap(), &plan(&[7])).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_plan_without_accounts_is_read_back_too() {
        let (lake, run_id) = (lake(), RunId::parse("r1").unwrap());
        lake.write_plan(&run_id, &plan(&[])).await.unwrap();
        assert_eq!(lake.read_plan(&run_id).await.unwrap(), Some(plan(&[])));
    }

    #[tokio::test]
    async fn the_first_commit_stands() {
        let (lake, run) = (lake(), run("r1"));
        let first = lake.write_commit(commit(&run, 10)).await.unwrap();
        let second = lake.write_commit(commit(&run, 20)).await.unwrap();
        assert_eq!((&first, lake.read_commit(&run.run_id).await.unwrap().as_ref()), (&second, Some(&first)));
        assert_eq!(lake.table_files(&first, "findings"), ["memory/findings/part-00000.parquet"]);
    }

    #[tokio::test]
    async fn a_damaged_manifest_is_named() {
        let (lake, run_id) = (lake(), RunId::parse("r1").unwrap());
        lake.create(&layout::plan_manifest(&run_id), "{".into()).await.unwrap();
        let error = lake.read_plan(&run_id).await.unwrap_err();
        assert_eq!(error.kind(), LakeErrorKind::Corrupt);
        let told = error.to_string();
        assert!(
            told.starts_with("_runs/r1/plan.json is damaged, or was not written by orgsweep: put it back"),
            "{told}"
        );
        assert!(told.ends_with("delete it and go on with the run, which lists the accounts again"), "{told}");
    }
}
