//! A local lake as a folder: what is in it is its owner's, and no secret is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::{Lake, Simulation, scan};

#[test]
fn a_local_lake_is_for_its_owner_alone_and_holds_no_secret() {
    let simulation =
        Simulation::start(&["--accounts", "20", "--users-per-account", "2", "--external-id", "between-us"]);
    let lake = Lake::empty();
    let external_id = ["--external-id", "between-us"];
    scan(&simulation.environment, &lake.path()).args(external_id).run().expect_one_of(&[0, 3]);

    let (_, secret) = simulation.environment.iter().find(|(name, _)| name == "AWS_SECRET_ACCESS_KEY").unwrap();
    visit(&lake.path(), &mut |path| {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, wanted, "{} is {mode:o}", path.display());
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(path).unwrap();
            assert!(!text.contains(secret) && !text.contains("SessionToken"), "{} has a secret", path.display());
        }
    });
}

fn visit(path: &Path, look: &mut impl FnMut(&Path)) {
    look(path);
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            visit(&entry.unwrap().path(), look);
        }
    }
}
