//! Where the binary under test is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::workspace;

/// The `orgsweep` binary of the profile that the tests were built with; the one that `ORGSWEEP_BINARY` names, if any.
///
/// A test crate cannot depend on the binary of another package, so cargo is asked for it here, once; where it is up to
/// date, that costs a moment.
pub fn orgsweep() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("ORGSWEEP_BINARY") {
        Some(path) => path.into(),
        None => build(),
    })
}

/// The folder that cargo builds into.
pub fn target_folder() -> PathBuf {
    profile_folder().parent().expect("a profile's folder lies in the target folder").to_owned()
}

fn build() -> PathBuf {
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => panic!("{} names no profile", folder.display()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--package", "orgsweep", "--profile", profile])
        .env("CARGO_TARGET_DIR", target_folder())
        .current_dir(workspace())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "orgsweep does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    folder.join(format!("orgsweep{}", std::env::consts::EXE_SUFFIX))
}

/// `target/<profile>`: cargo puts test binaries into `target/<profile>/deps`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(2).expect("a test lies in target/<profile>/deps").to_owned()
}
