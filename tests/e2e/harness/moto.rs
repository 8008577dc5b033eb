//! moto: somebody else's idea of AWS, served over HTTP.

use super::{Environment, Python, Running, any_keys};

/// A moto server with an organization of twelve accounts, until this goes away.
pub struct Moto {
    _running: Running,
    /// The variables for its clients.
    pub environment: Environment,
}

impl Moto {
    /// Starts it on a free port, and fills it through boto3.
    pub fn start(python: Python) -> Self {
        let mut running = Running::start(&mut python.script("serve_moto.py", &Environment::new()));
        let first = running.next_line().unwrap_or_default();
        let Some(endpoint) = first.strip_prefix("listening on ") else {
            panic!("{first:?} is not where moto listens: {}", running.finish());
        };
        let environment = any_keys(endpoint);
        python.run("seed_moto.py", [""; 0], &environment);
        Self { _running: running, environment }
    }
}
