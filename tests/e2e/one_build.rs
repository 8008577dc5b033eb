//! The demo and the tests share one build: whoever has seen the one does not wait minutes more for the other.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::workspace;

#[test]
fn the_tests_need_no_crate_of_the_binary_in_another_form() {
    let binary = features(&["--package", "orgsweep", "--edges", "normal,build"]);
    let everything = features(&["--workspace", "--edges", "normal,build,dev"]);
    let crates: BTreeSet<&str> = binary.iter().map(|line| name_of(line)).collect();
    let differing: Vec<&String> = everything
        .difference(&binary)
        .filter(|line| crates.contains(name_of(line)) && !line.starts_with("orgsweep"))
        .collect();
    // What a crate is built with is the sum of what is asked of it: one more feature, and all that stands on it is
    // built twice.
    assert!(differing.is_empty(), "let the binary ask for these features too: {differing:#?}");
}

/// Every crate in the tree with its version and features.
fn features(tree: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--prefix", "none", "--format", "{p} {f}"])
        .args(tree)
        .current_dir(workspace())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines().map(|line| line.trim_end_matches(" (*)").trim().to_owned()).collect()
}

fn name_of(line: &str) -> &str {
    // Name and version, so that two versions of a crate are two crates.
    line.match_indices(' ').nth(1).map_or(line, |(end, _)| &line[..end])
}
