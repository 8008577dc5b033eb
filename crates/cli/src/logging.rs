//! Logs go to stderr, around the line of progress that may stand there.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::settings::{Format, Log};

/// stderr, shared by logs and progress.
#[derive(Debug, Clone)]
pub struct Screen {
    /// What draws on it.
    pub bars: MultiProgress,
    /// Whether somebody watches.
    pub is_terminal: bool,
    /// Whether nothing but errors is wanted.
    pub quiet: bool,
    /// Whether whoever reads it expects JSON.
    pub json: bool,
}

/// Starts logging, and gives the screen that progress may be drawn on.
pub fn start(log: Log, quiet: bool) -> Screen {
    let screen = Screen {
        bars: MultiProgress::new(),
        is_terminal: io::stderr().is_terminal(),
        quiet,
        json: log.format == Format::Json,
    };
    let level = log.level.as_str();
    // What the libraries warn of comes back to orgsweep as an error, and is told there.
    let filter = EnvFilter::new(format!(
        "{},orgsweep={level},orgsweep_sweep={level},orgsweep_build={level},orgsweep_lake={level}",
        others(&level)
    ));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(screen.clone()).with_target(false);
    match log.format {
        Format::Text => subscriber.with_ansi(screen.is_terminal).init(),
        Format::Json => subscriber.json().init(),
    }
    screen
}

fn others(level: &str) -> &str {
    match level {
        "trace" => "debug",
        "debug" => "warn",
        _ => "error",
    }
}

impl<'a> MakeWriter<'a> for Screen {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
