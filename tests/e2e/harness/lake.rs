//! A lake as a folder: which runs there are, and which files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The folders of the committed tables.
pub const TABLES: [&str; 4] = ["accounts", "credentials", "findings", "check_results"];

/// A place for a lake; it goes away with this.
pub struct Lake(TempDir);

impl Lake {
    /// A place where no lake is yet.
    pub fn empty() -> Self {
        Self(TempDir::new().expect("a folder can be made"))
    }

    /// The folder.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("lake")
    }

    /// The ids of all runs, committed or not.
    pub fn runs(&self) -> Vec<String> {
        let mut runs = names(&self.path().join("_runs"));
        runs.sort();
        runs
    }

    /// The ids of the committed runs.
    pub fn committed_runs(&self) -> Vec<String> {
        let is_committed = |run: &String| self.path().join("_runs").join(run).join("commit.json").exists();
        self.runs().into_iter().filter(is_committed).collect()
    }

    /// Segments of the journals of all runs.
    pub fn journal_segments(&self) -> usize {
        let journals = self.runs().into_iter().map(|run| self.path().join("_runs").join(run).join("journal"));
        journals.map(|journal| files_below(&journal).len()).sum()
    }

    /// A file of the one run that the lake has.
    pub fn run_file(&self, name: &str) -> PathBuf {
        let [run_id] = self.runs().try_into().expect("the lake has one run");
        self.path().join("_runs").join(run_id).join(name)
    }

    /// Fails the test unless the tables of this run have just these bytes.
    #[track_caller]
    pub fn expect_tables(&self, run_id: &str, expected: &BTreeMap<String, Vec<u8>>) {
        let tables = self.table_files(run_id);
        assert_eq!(tables.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &tables {
            // Not assert_eq, which would print the bytes.
            assert!(bytes == &expected[name], "{name} differs");
        }
    }

    /// Every file of the tables with its content, by its path without the run's id.
    pub fn table_files(&self, run_id: &str) -> BTreeMap<String, Vec<u8>> {
        let lake = self.path();
        let files = TABLES.iter().flat_map(|table| files_below(&lake.join(table)));
        let entry = |path: PathBuf| {
            let name = path.strip_prefix(&lake).expect("the file is in the lake").display().to_string();
            (name.replace(run_id, "RUN"), fs::read(path).expect("the file can be read"))
        };
        files.map(entry).collect()
    }
}

/// Every file below a folder; none where the folder is not there.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
