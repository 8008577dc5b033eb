//! How a command ends: exit codes, and the one place where an error and its causes are printed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use orgsweep_build::BuildError;
use orgsweep_core::RunId;
use orgsweep_lake::{LakeError, LakeErrorKind};
use orgsweep_sweep::Share;

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
    /// A simulation found that something does not hold.
    Broken,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::CasesFailed | Self::Broken => 1,
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
    go_on: Option<GoOn>,
    /// An older run, where the newest one stays as it is.
    older: Option<GoOn>,
    /// Whether whoever reads stdout waits for a JSON document.
    json: bool,
}

/// A run that can be gone on with, and by which command.
#[derive(Debug, Clone)]
pub struct GoOn {
    run_id: RunId,
    command: String,
}

impl GoOn {
    /// By a scan.
    pub fn scan(lake: &str, run_id: &RunId) -> Self {
        Self { run_id: run_id.clone(), command: format!("orgsweep scan --lake {} --resume {run_id}", quoted(lake)) }
    }

    /// By a sweep of this share.
    pub fn sweep(lake: &str, run_id: &RunId, share: Share) -> Self {
        let whole = format!("orgsweep sweep --lake {} --run {run_id}", quoted(lake));
        let command = if share.is_whole() { whole } else { format!("{whole} --shard {share}") };
        Self { run_id: run_id.clone(), command }
    }

    /// By a commit, as all accounts are in the journal.
    pub fn commit(lake: &str, run_id: &RunId) -> Self {
        Self { run_id: run_id.clone(), command: format!("orgsweep commit --lake {} --run {run_id}", quoted(lake)) }
    }

    /// By ingesting the same reports again.
    pub fn ingest(paths: &[PathBuf], lake: &str, run_id: &RunId) -> Self {
        let paths: Vec<String> = paths.iter().map(|path| quoted(&path.display().to_string())).collect();
        let lake = quoted(lake);
        let command = format!("orgsweep ingest {} --lake {lake}, and the flags it had", paths.join(" "));
        Self { run_id: run_id.clone(), command }
    }

    /// The command.
    pub fn command(&self) -> &str {
        &self.command
    }
}

impl Failure {
    /// Wrong usage, settings or rule files: exit code 2.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: error.into(), go_on: None, older: None, json: false }
    }

    /// Nothing is committed: exit code 1.
    pub fn not_committed(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 1, error: error.into(), go_on: None, older: None, json: false }
    }

    /// The run that it was about can be gone on with; whoever is nearest to what failed says how. What is damaged stays
    /// so, and says itself what to do.
    #[must_use]
    pub fn resumable(mut self, go_on: GoOn) -> Self {
        if !self.error.chain().any(is_damage) {
            self.go_on.get_or_insert(go_on);
        }
        self
    }

    /// Where nothing goes on with the run that it was about, this older one is there.
    #[must_use]
    pub fn or_older(mut self, older: Option<GoOn>) -> Self {
        // A network that is down has nothing to do with the run.
        if self.code == 2 || self.error.chain().any(is_damage) {
            self.older = older;
        }
        self
    }

    /// Whoever reads stdout waits for a JSON document.
    #[must_use]
    pub fn told_as_json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// Whether it says that nothing is committed, and how to go on.
    #[cfg(test)]
    pub fn is_resumable(&self) -> bool {
        self.go_on.is_some()
    }

    /// What is wrong, and why.
    pub fn message(&self) -> String {
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

/// Whether the lake holds something that cannot be right, which no second attempt mends.
fn is_damage(cause: &(dyn std::error::Error + 'static)) -> bool {
    let of_build = cause.downcast_ref::<BuildError>();
    match (cause.downcast_ref::<LakeError>(), of_build) {
        (Some(error), _) | (None, Some(BuildError::Lake(error))) => error.kind() == LakeErrorKind::Corrupt,
        (None, of_build) => matches!(of_build, Some(BuildError::NotCarried { .. })),
    }
}

/// A word of a command line that can be pasted into a shell as it is.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:,@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        // Between single quotes a shell takes everything as it is but a single quote.
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Prints what is left to say, and turns the end into an exit code.
pub fn exit(end: Result<Outcome, Failure>) -> ExitCode {
    match end {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(failure) => {
            tell(&failure);
            ExitCode::from(failure.code)
        }
    }
}

/// Prints what failed, and how to go on.
pub fn tell(failure: &Failure) {
    let message = failure.message();
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell if stderr is gone.
    let _ = writeln!(stderr, "error: {message}");
    // Wrong usage stays wrong when it is resumed.
    let go_on = failure.go_on.as_ref().filter(|_| failure.code == 1);
    if let Some(go_on) = go_on {
        let told = "Nothing is committed, and what was read is kept. Go on with:";
        let _ = writeln!(stderr, "{told} {}", go_on.command());
    } else if let Some(older) = &failure.older {
        let _ = writeln!(stderr, "An older run is not committed either. Go on with that one: {}", older.command());
    }
    if failure.json {
        let run_id = go_on.map(|go_on| &go_on.run_id);
        let document = serde_json::json!({
            "committed": false, "run_id": run_id, "exit_code": failure.code, "error": message,
        });
        let _ = writeln!(std::io::stdout().lock(), "{document:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_printed_can_be_pasted() {
        let run_id = RunId::parse("r1").unwrap();
        assert_eq!(GoOn::scan("./lake", &run_id).command(), "orgsweep scan --lake ./lake --resume r1");
        assert_eq!(GoOn::commit("my lake", &run_id).command(), "orgsweep commit --lake 'my lake' --run r1");
        for (word, safe) in [("it's $HOME", r"'it'\''s $HOME'"), ("", "''"), ("~/lake", "'~/lake'"), ("ä", "'ä'")] {
            assert_eq!(quoted(word), safe);
        }
    }
}
