//! Paths into files: what the paths of a command mean, before any file is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The endings of files that are reports, or claim to be.
const ENDINGS: [&str; 2] = [".csv", ".json"];

/// The endings of compressed files.
const COMPRESSED: [&str; 4] = [".gz", ".gzip", ".zst", ".zstd"];

/// The files that the paths mean, each once, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The files; for each, whether it must be a report: one that was named, or whose name ends like one.
    pub files: BTreeMap<PathBuf, bool>,
}

/// A path that means nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotFound {
    /// There is no such file.
    #[error("{} cannot be read: name files, folders or patterns of credential reports", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not a pattern.
    #[error("{pattern:?} is no pattern of file names")]
    Pattern {
        /// The text.
        pattern: String,
        /// Why not.
        source: glob::PatternError,
    },
    /// A pattern, or a folder, has no files.
    #[error("{} has no files: name files, folders or patterns of credential reports", path.display())]
    Nothing {
        /// The pattern or folder.
        path: PathBuf,
    },
}

/// Finds the files that these paths mean: a file is itself, a folder all files at whatever depth, hidden ones left out, and
/// whatever else has `*`, `?` or `[` in it is a pattern.
///
/// # Errors
/// A path, or a folder below it, that cannot be read; one that has no files.
pub fn find_reports(paths: &[PathBuf]) -> Result<Found, NotFound> {
    let mut found = Found::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(path, &mut found)?,
            Ok(_) => found.add(path.clone(), true),
            Err(_) if is_pattern(path) => expand(path, &mut found)?,
            Err(source) => return Err(NotFound::Unreadable { path: path.clone(), source }),
        }
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, path: PathBuf, must_be_report: bool) {
        *self.files.entry(path).or_default() |= must_be_report;
    }
}

fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?', '[']))
}

fn expand(path: &Path, found: &mut Found) -> Result<(), NotFound> {
    let pattern = path.to_string_lossy().into_owned();
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let matches = glob::glob_with(&pattern, options).map_err(|source| NotFound::Pattern { pattern, source })?;
    let mut any = false;
    for file in matches {
        let file = file.map_err(|error| {
            let path = error.path().to_owned();
            NotFound::Unreadable { path, source: error.into() }
        })?;
        any = true;
        if file.is_dir() { walk(&file, found)? } else { found.add(file, true) }
    }
    if any { Ok(()) } else { Err(NotFound::Nothing { path: path.to_owned() }) }
}

/// Adds what lies in a folder. Links to files are followed, and links to folders too, each folder once.
fn walk(folder: &Path, found: &mut Found) -> Result<(), NotFound> {
    let (mut seen, mut any) = (BTreeSet::new(), false);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |source| NotFound::Unreadable { path: folder.clone(), source };
        if !seen.insert(fs::canonicalize(&folder).map_err(unreadable)?) {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() || kind.is_symlink() && path.is_dir() {
                folders.push(path);
            } else {
                let must_be_report = ends_like_a_report(&path);
                found.add(path, must_be_report);
                any = true;
            }
        }
    }
    if any { Ok(()) } else { Err(NotFound::Nothing { path: folder.to_owned() }) }
}

/// Whether a file's name says that it is a report.
fn ends_like_a_report(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let unpacked = COMPRESSED.into_iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    ENDINGS.into_iter().any(|ending| unpacked.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("2024/03")).unwrap();
        for name in ["a.csv", "b.CSV.gz", "notes.txt", ".hidden.csv", "2024/03/c.csv.zst", "2024/03/d"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    fn check(root: &Path, paths: &[&str], expected: &[&str]) {
        let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
        let told = match find_reports(&paths) {
            Err(error) => vec![error.to_string().replace(&format!("{}/", root.display()), "")],
            Ok(found) => {
                let named = |(path, must): (&PathBuf, &bool)| {
                    format!("{}{}", path.strip_prefix(root).unwrap().display(), if *must { "" } else { "?" })
                };
                found.files.iter().map(named).collect()
            }
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_folder_is_all_that_lies_in_it_and_what_is_named_must_be_a_report() {
        let folder = folder();
        let all = ["2024/03/c.csv.zst", "2024/03/d?", "a.csv", "b.CSV.gz", "notes.txt?"];
        check(folder.path(), &[""], &all);
        check(
            folder.path(),
            &["", "notes.txt"],
            &["2024/03/c.csv.zst", "2024/03/d?", "a.csv", "b.CSV.gz", "notes.txt"],
        );
        check(folder.path(), &["2024"], &["2024/03/c.csv.zst", "2024/03/d?"]);
        check(folder.path(), &["*.csv", "a.csv"], &["a.csv"]);
        check(folder.path(), &["**/*.csv*"], &["2024/03/c.csv.zst", "a.csv"]);
        check(folder.path(), &["20*"], &["2024/03/c.csv.zst", "2024/03/d?"]);
    }

    #[test]
    fn a_path_that_means_nothing_is_named() {
        let folder = folder();
        let advice = "name files, folders or patterns of credential reports";
        check(folder.path(), &["e.csv"], &[&format!("e.csv cannot be read: {advice}")]);
        check(folder.path(), &["*.tsv"], &[&format!("*.tsv has no files: {advice}")]);
        fs::create_dir(folder.path().join("empty")).unwrap();
        check(folder.path(), &["empty"], &[&format!("empty has no files: {advice}")]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_a_circle_ends() {
        let folder = folder();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("2024/again")).unwrap();
        check(
            folder.path(),
            &["2024"],
            &["2024/03/c.csv.zst", "2024/03/d?", "2024/again/a.csv", "2024/again/b.CSV.gz", "2024/again/notes.txt?"],
        );
    }
}
