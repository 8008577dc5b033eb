//! How a command ends: exit codes, and the one place where an error and its causes are printed.

use std::io::Write as _;
use std::process::ExitCode;

use orgsweep_core::RunId;

/// How a command ended that did what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is well.
    Done,
    /// The run is committed, but some accounts could not be read.
    Gaps,
    /// The run is committed, and has findings of the severity that `--fail-on` names.
    Findings,
    /// Cases of the rule pack failed.
    CasesFailed,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::CasesFailed => 1,
            Self::Gaps => 3,
            Self::Findings => 4,
        }
    }
}

/// A command that did not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
    /// The run that can be resumed, and whether JSON was asked for.
    run: Option<(RunId, bool)>,
}

impl Failure {
    /// Wrong usage, settings or rule files: exit code 2.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: error.into(), run: None }
    }

    /// Nothing is committed: exit code 1.
    pub fn not_committed(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 1, error: error.into(), run: None }
    }

    /// The run that it was about can be gone on with.
    #[must_use]
    pub fn resumable(mut self, run_id: &RunId, json: bool) -> Self {
        self.run = Some((run_id.clone(), json));
        self
    }

    fn message(&self) -> String {
        let mut message = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            if !message.contains(&cause) {
                message = format!("{message}\n  because {cause}");
            }
        }
        message
    }
}

/// Prints what is left to say, and turns the end into an exit code.
pub fn exit(end: Result<Outcome, Failure>) -> ExitCode {
    let failure = match end {
        Ok(outcome) => return ExitCode::from(outcome.code()),
        Err(failure) => failure,
    };
    let message = failure.message();
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell if stderr is gone.
    let _ = writeln!(stderr, "error: {message}");
    if let Some((run_id, json)) = &failure.run {
        let _ = writeln!(
            stderr,
            "Nothing is committed, and what was read is kept. Go on with: orgsweep scan --resume {run_id}"
        );
        if *json {
            let document = serde_json::json!({
                "committed": false, "run_id": run_id, "exit_code": failure.code, "error": message,
            });
            let _ = writeln!(std::io::stdout().lock(), "{document:#}");
        }
    }
    ExitCode::from(failure.code)
}
