//! What the environment says of the machine and of its place among others: variables that are nobody's settings.

use std::ffi::OsString;

/// The variables that number the machines of one job from 0: that of a Kubernetes Indexed Job, and that of an AWS Batch
/// array job.
pub const INDEX_VARIABLES: [&str; 2] = ["JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX"];

/// The variable in which containers and shells find their machine's name.
const HOST_VARIABLE: &str = "HOSTNAME";

/// The machine that the program runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its name, if it is told.
    pub host: Option<String>,
    /// Which of [`INDEX_VARIABLES`] are set, and to what.
    pub indexes: Vec<(&'static str, String)>,
}

impl Machine {
    /// The machine that this environment tells of.
    pub fn of_environment(environment: &[(OsString, OsString)]) -> Self {
        let value_of = |name: &str| {
            let found = environment.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
        };
        let indexes = INDEX_VARIABLES.into_iter().filter_map(|name| Some((name, value_of(name)?)));
        Self { host: value_of(HOST_VARIABLE), indexes: indexes.collect() }
    }
}
