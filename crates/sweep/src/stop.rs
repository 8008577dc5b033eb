//! How a sweep is told to stop asking.

use tokio::sync::watch;

/// A switch that is off until somebody stops the sweep. Clones share it.
#[derive(Debug, Clone)]
pub struct Stop {
    sender: watch::Sender<bool>,
}

impl Stop {
    /// A switch that is off.
    #[must_use]
    pub fn new() -> Self {
        Self { sender: watch::Sender::new(false) }
    }

    /// Switches it on, for good.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.sender.borrow()
    }

    /// Ends when it is on.
    pub async fn stopped(&self) {
        let mut receiver = self.sender.subscribe();
        // This fails only when the sender is gone, and `self` holds it.
        let _ = receiver.wait_for(|stopped| *stopped).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
