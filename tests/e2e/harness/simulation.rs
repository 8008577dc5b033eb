//! `orgsweep sim`: the simulated organization, in a process of its own.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Environment, Orgsweep, Running};

/// What any AWS client needs before it can make a call.
const NEEDED: [&str; 4] = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"];

/// A simulated organization that answers over HTTP until this goes away.
pub struct Simulation {
    _running: Running,
    folder: TempDir,
    /// The variables that it told its clients to set.
    pub environment: Environment,
}

impl Simulation {
    /// Starts `orgsweep sim` with these settings, on a free port.
    pub fn start(settings: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let (mut running, _home) = Orgsweep::new(["sim", "--listen", "127.0.0.1:0", "--truth"])
            .args([truth_in(folder.path())])
            .args(settings)
            .start();
        let first = running.next_line().unwrap_or_default();
        let Some(endpoint) = first.strip_prefix("listening on ") else {
            panic!("{first:?} is not where the simulation listens: {}", running.finish());
        };
        let mut environment = Environment::new();
        while NEEDED.iter().any(|name| !environment.iter().any(|(known, _)| known == name)) {
            let Some(line) = running.next_line() else {
                panic!("the simulation ended after {environment:?}: {}", running.finish());
            };
            let assignment = line.strip_prefix("export ").and_then(|assignment| assignment.split_once('='));
            let (name, value) = assignment.unwrap_or_else(|| panic!("{line:?} sets no variable"));
            environment.push((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()));
        }
        assert!(environment.contains(&("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned())), "{environment:?}");
        Self { _running: running, folder, environment }
    }

    /// The file with the facts of every account.
    pub fn truth(&self) -> PathBuf {
        truth_in(self.folder.path())
    }

    /// The facts of every account, in the order in which they are listed.
    pub fn facts(&self) -> Vec<serde_json::Value> {
        let truth = std::fs::read_to_string(self.truth()).expect("the facts can be read");
        truth.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        let (_, endpoint) = self.environment.iter().find(|(name, _)| name == NEEDED[0]).expect("it has an endpoint");
        endpoint
    }
}

fn truth_in(folder: &Path) -> PathBuf {
    folder.join("truth.jsonl")
}
