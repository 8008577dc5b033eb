//! Python: the clients and readers that know nothing of orgsweep, in a virtual environment that is made once.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::{Environment, Finished, Lake, Running, binary};

/// The scripts, and what they need.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");
const REQUIREMENTS: &str = include_str!("../../requirements.txt");

/// The oldest Python for which the pinned packages are made.
const OLDEST: (u32, u32) = (3, 10);

/// The interpreter of the virtual environment.
#[derive(Clone, Copy)]
pub struct Python(&'static Path);

impl Python {
    /// The interpreter; `None`, said aloud, where this machine has no Python for it. Under `CI=true` that fails.
    pub fn find() -> Option<Self> {
        static INTERPRETER: OnceLock<Option<PathBuf>> = OnceLock::new();
        let interpreter = INTERPRETER.get_or_init(|| {
            let version = system_version()?;
            Some(environment_for(&version))
        });
        if interpreter.is_none() {
            let missing = format!("python3 ({}.{} or later) is not installed", OLDEST.0, OLDEST.1);
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{missing}");
            eprintln!("skipped: {missing}");
        }
        interpreter.as_deref().map(Self)
    }

    /// A script of `tests/python`, to be started.
    pub fn script(self, name: &str, environment: &Environment) -> Command {
        let mut command = Command::new(self.0);
        command
            // Nothing of the tester's own Python, and no compiled files among the sources.
            .args(["-B", "-E"])
            .arg(Path::new(SCRIPTS).join(name))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a script to its end, which must be a good one; returns what it printed.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(
        self,
        name: &str,
        arguments: impl IntoIterator<Item = S>,
        environment: &Environment,
    ) -> String {
        let finished: Finished = Running::start(self.script(name, environment).args(arguments)).finish();
        assert_eq!(finished.code, Some(0), "{name}: {finished}");
        finished.stdout
    }

    /// The rows that a SQL query over a committed run's tables gives, each as an array.
    #[track_caller]
    pub fn query(self, lake: &Lake, run_id: &str, sql: &str) -> Vec<serde_json::Value> {
        let arguments = [lake.path().into_os_string(), run_id.into(), sql.into()];
        let rows = self.run("query_run.py", arguments, &Vec::new());
        serde_json::from_str(&rows).expect("the rows are a JSON array")
    }
}

/// What `python3` says of its version, where it is new enough.
fn system_version() -> Option<String> {
    let output = Command::new("python3").arg("--version").output().ok().filter(|output| output.status.success())?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = version.strip_prefix("Python ")?.split('.').map(str::parse);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    ((major, minor) >= OLDEST).then_some(version)
}

/// The virtual environment for these requirements and this Python, made if it is not there.
fn environment_for(version: &str) -> PathBuf {
    let target = binary::target_folder();
    let digest = Sha256::digest(format!("{version}\n{REQUIREMENTS}"));
    let name = digest.iter().take(6).fold("e2e-venv-".to_owned(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    });
    let folder = target.join(name);
    let (interpreter, complete) = (folder.join("bin/python"), folder.join("complete"));
    // Held to the end of the function, so that of several test processes one makes it and the others wait.
    let lock = File::create(target.join("e2e-venv.lock")).expect("the target folder can be written");
    lock.lock().expect("a lock can be held");
    if !complete.exists() {
        let _ = fs::remove_dir_all(&folder);
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements.txt");
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        succeed(
            Command::new(&interpreter)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
                .arg(requirements),
        );
        fs::write(complete, version).expect("the virtual environment can be written");
    }
    interpreter
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}
