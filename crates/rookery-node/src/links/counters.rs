//! Counters of a link.

/// What became of messages, since they were set to zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    pub(super) matched: u64,
    pub(super) success: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
    pub(super) retried: u64,
}
