//! The one bridge from waiting to working: columns are worked on here, not on the threads that wait for the store.

use std::pin::Pin;
use std::task::{Context, Poll};

use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::BuildError;

/// However many threads there are, this many chunks at each step of a build fill the memory that it may take.
const MAX_CHUNKS: usize = 6;

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
    /// Begins a piece of work, whether or not its result is waited for yet.
    pub(crate) fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Working<T> {
        let (done, result) = oneshot::channel();
        // Whoever no longer waits does not want the result.
        let work = move || drop(done.send(work()));
        match self {
            Self::Inline => work(),
            Self::Rayon => rayon::spawn(work),
        }
        Working(result)
    }

    /// Applies a function to all items and keeps their order, whatever the order of the work.
    pub(crate) fn map<T: Send, U: Send>(self, items: Vec<T>, function: impl Fn(T) -> U + Send + Sync) -> Vec<U> {
        match self {
            Self::Inline => items.into_iter().map(function).collect(),
            // One item may be the work of all others.
            Self::Rayon => items.into_par_iter().with_max_len(1).map(function).collect(),
        }
    }

    /// How many chunks are built at once: one for each thread.
    pub(crate) fn at_once(self) -> usize {
        match self {
            Self::Inline => 1,
            Self::Rayon => rayon::current_num_threads().clamp(1, MAX_CHUNKS),
        }
    }

    /// How many chunks are written at once: two for each thread, so that threads seldom wait for the last column of all.
    pub(crate) fn window(self) -> usize {
        match self {
            Self::Inline => 1,
            Self::Rayon => (2 * self.at_once()).min(MAX_CHUNKS),
        }
    }
}

/// The result of a piece of work that has begun.
#[derive(Debug)]
pub(crate) struct Working<T>(oneshot::Receiver<T>);

impl<T> Future for Working<T> {
    type Output = Result<T, BuildError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| BuildError::Interrupted)
    }
}
