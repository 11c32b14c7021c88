//! What became of the items of an action.

use rookery_core::rules::sink::{DropReason, Outcome};

/// Counters of one action under EMQX's names.
///
/// **Invariant:** `matched` is the sum of `success`, `failed`, [`Counters::dropped`], `queuing` and
/// `inflight`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Items that were offered.
    pub matched: u64,
    /// Items that were sent.
    pub success: u64,
    /// Items that were tried in vain.
    pub failed: u64,
    /// No room in memory or on disk.
    pub dropped_queue_full: u64,
    /// Waited too long.
    pub dropped_expired: u64,
    /// There was no such action any more.
    pub dropped_resource_not_found: u64,
    /// The action was stopped.
    pub dropped_resource_stopped: u64,
    /// Everything else: a file that could not be read back.
    pub dropped_other: u64,
    /// Items that wait.
    pub queuing: u64,
    /// Items that were taken and have not ended.
    pub inflight: u64,
    /// Attempts after the first one; who sends counts them.
    pub retried: u64,
    /// Messages that came in from the other side; who receives counts them.
    pub received: u64,
    /// Octets in memory.
    pub queuing_bytes: u64,
    /// Octets on disk.
    pub spilled_bytes: u64,
}

impl Counters {
    /// Items that were given up, for whatever reason.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped_queue_full
            + self.dropped_expired
            + self.dropped_resource_not_found
            + self.dropped_resource_stopped
            + self.dropped_other
    }

    /// `count` items have ended.
    pub(super) const fn end(&mut self, outcome: Outcome, count: u64) {
        let counter = match outcome {
            Outcome::Success => &mut self.success,
            Outcome::Failed => &mut self.failed,
            Outcome::Dropped(DropReason::QueueFull) => &mut self.dropped_queue_full,
            Outcome::Dropped(DropReason::Expired) => &mut self.dropped_expired,
            Outcome::Dropped(DropReason::ResourceNotFound) => &mut self.dropped_resource_not_found,
            Outcome::Dropped(DropReason::ResourceStopped) => &mut self.dropped_resource_stopped,
            Outcome::Dropped(DropReason::Other) => &mut self.dropped_other,
        };
        *counter += count;
    }
}
