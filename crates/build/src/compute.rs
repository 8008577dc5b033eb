//! The one bridge from waiting to working: columns are worked on here, not on the threads that wait for the store.

use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::BuildError;

/// However many threads there are, this many chunks fill the memory that a build may take.
const MAX_CHUNKS: usize = 8;

/// Where columns are worked on. What is built is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compute {
    /// On rayon's threads, while the caller waits.
    #[default]
    Rayon,
    /// On the caller's own thread: for simulations, whose clock must not run ahead of the work.
    Inline,
}

impl Compute {
    /// Runs one piece of work to its end.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BuildError> {
        match self {
            Self::Inline => Ok(work()),
            Self::Rayon => {
                let (done, result) = oneshot::channel();
                // Whoever no longer waits does not want the result.
                rayon::spawn(move || drop(done.send(work())));
                result.await.map_err(|_| BuildError::Interrupted)
            }
        }
    }

    /// Applies a function to all items and keeps their order, whatever the order of the work.
    pub(crate) fn map<T: Send, U: Send>(self, items: Vec<T>, function: impl Fn(T) -> U + Send + Sync) -> Vec<U> {
        match self {
            Self::Inline => items.into_iter().map(function).collect(),
            // One item may be the work of all others.
            Self::Rayon => items.into_par_iter().with_max_len(1).map(function).collect(),
        }
    }

    /// Does two pieces of work, side by side where there are threads for them.
    pub(crate) fn both<T: Send, U: Send>(
        self,
        one: impl FnOnce() -> T + Send,
        other: impl FnOnce() -> U + Send,
    ) -> (T, U) {
        match self {
            Self::Inline => (one(), other()),
            Self::Rayon => rayon::join(one, other),
        }
    }

    /// How many chunks are worked on at once: one for each thread, since all wait until their columns are encoded.
    pub(crate) fn window(self) -> usize {
        match self {
            Self::Inline => 1,
            Self::Rayon => rayon::current_num_threads().clamp(1, MAX_CHUNKS),
        }
    }
}
