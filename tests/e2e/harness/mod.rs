//! What the tests stand on: the binary, the servers it is run against, and the readers of what it wrote.

mod binary;
mod lake;
mod moto;
mod orgsweep;
mod process;
mod python;
mod simulation;
mod stub;
mod summary;
mod tap;

pub use lake::Lake;
pub use moto::Moto;
pub use orgsweep::{Orgsweep, part, scan};
pub use process::{Finished, Running};
pub use python::Python;
pub use simulation::Simulation;
pub use stub::Stub;
pub use summary::Summary;
pub use tap::Tap;

/// Variables that a program is given beside the clean environment: endpoint, keys, region.
pub type Environment = Vec<(String, String)>;

/// The root of the workspace.
pub fn workspace() -> &'static std::path::Path {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Variables that let any AWS client speak to a server that checks no keys.
pub fn any_keys(endpoint: &str) -> Environment {
    let pairs = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
