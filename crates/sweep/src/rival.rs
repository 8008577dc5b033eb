//! Another worker on the same share: noticed by its segments, told once, and otherwise left alone, as the merge takes
//! one of two attempts.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use orgsweep_core::RunId;
use orgsweep_lake::{Journal, Lake};
use tracing::{debug, warn};

/// Looks for another worker.
pub(crate) struct Lookout<'a> {
    pub(crate) lake: &'a Lake,
    pub(crate) run_id: &'a RunId,
    /// What the names of all workers of the share begin with.
    pub(crate) prefix: &'a str,
    /// This worker.
    pub(crate) own: &'a str,
    /// The segments that were there when this worker began.
    pub(crate) earlier: HashSet<String>,
    /// How often it looks: no more often than segments come.
    pub(crate) every: Duration,
}

impl Lookout<'_> {
    /// Warns of the first other worker whose segment appears, and never ends.
    pub(crate) async fn keep(&self) -> Infallible {
        loop {
            tokio::time::sleep(self.every).await;
            match Journal::open(self.lake, self.run_id).await {
                Ok(journal) => {
                    if let Some(rival) = self.rival(journal.segments()) {
                        warn!(
                            worker = rival,
                            "another worker sweeps the same share of this run: nothing is lost or doubled, but one of the two works in vain"
                        );
                        std::future::pending::<()>().await;
                    }
                }
                // Whoever writes the journal fails as well, and ends the sweep.
                Err(error) => debug!(%error, "the journal was not looked at"),
            }
        }
    }

    fn rival<'s>(&self, segments: impl Iterator<Item = &'s str>) -> Option<&'s str> {
        let later = segments.filter(|segment| !self.earlier.contains(*segment));
        first_rival(later, self.prefix, self.own)
    }
}

fn first_rival<'s>(segments: impl Iterator<Item = &'s str>, prefix: &str, own: &str) -> Option<&'s str> {
    segments.map(Journal::worker_of).find(|worker| worker.starts_with(prefix) && *worker != own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_worker_of_the_same_share_is_a_rival() {
        let segments = |names: &[&str]| -> Vec<String> {
            names.iter().map(|worker| format!("{worker}-01a202b2c500-000000")).collect()
        };
        let rival = |names: &[&str]| {
            let segments = segments(names);
            first_rival(segments.iter().map(String::as_str), "s001-of-002-", "s001-of-002-me").map(str::to_owned)
        };
        assert_eq!(rival(&["s001-of-002-me", "s002-of-002-you", "s001-of-0020-it"]), None);
        let other = "s001-of-002-other-host-17";
        assert_eq!(rival(&["s001-of-002-me", other]).as_deref(), Some(other));
    }
}
