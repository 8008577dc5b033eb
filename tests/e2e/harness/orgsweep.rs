//! Runs of the binary under test.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Environment, Finished, Running, binary};

/// A run of `orgsweep` to be: nothing of the tester's own environment reaches it.
pub struct Orgsweep {
    command: Command,
    // Home and working folder; they go away with the run.
    folder: TempDir,
}

impl Orgsweep {
    /// `orgsweep` with these arguments.
    pub fn new<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let mut command = Command::new(binary::orgsweep());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(folder.path());
        Self { command, folder }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds a flag with a path.
    pub fn arg_path(self, flag: &str, path: &Path) -> Self {
        self.args([OsStr::new(flag), path.as_os_str()])
    }

    /// Adds variables.
    pub fn envs(mut self, environment: &Environment) -> Self {
        self.command.envs(environment.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Adds a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Finished {
        Running::start(&mut self.command).finish()
    }

    /// Starts it. Its home goes away with the second value.
    pub fn start(mut self) -> (Running, TempDir) {
        (Running::start(&mut self.command), self.folder)
    }
}

/// `orgsweep scan` into a lake, with its JSON document on standard output.
pub fn scan(environment: &Environment, lake: &Path) -> Orgsweep {
    part("scan", environment, lake)
}

/// `orgsweep scan`, or a part of it, with its JSON document on standard output.
pub fn part(command: &str, environment: &Environment, lake: &Path) -> Orgsweep {
    Orgsweep::new([command, "--format", "json"]).arg_path("--lake", lake).envs(environment)
}
