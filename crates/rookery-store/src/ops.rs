//! What a caller writes, which is the core's store port, and the answers to it.

use std::sync::Arc;

pub use rookery_core::store_port::{Batch, MessageRef, Op, Outcome, Table};

use crate::error::{CommitError, StoreError};

/// A message read back: `None` when no session needs it any more.
pub type ReadResult = Result<Option<Arc<[u8]>>, StoreError>;

/// Where the store reports what became of submitted work.
///
/// Called on the store's own threads, which serve every shard: an implementation queues
/// and wakes, it does not work and does not block.
pub trait Completion: Send + Sync + 'static {
    /// Up to and including `ticket`, every batch of `shard` is stored as the sync policy
    /// promises, except those for which an error was reported; an error concerns that one
    /// ticket and is always reported before a later ticket's success.
    fn committed(&self, shard: u16, ticket: u64, result: Result<(), CommitError>);

    /// The store begins to refuse batches for want of room or for a failing disk. Called once,
    /// until [`accepting`](Self::accepting) was.
    fn refusing(&self, error: CommitError) {
        let _ = error;
    }

    /// What was refused would find room again.
    fn accepting(&self) {}

    /// Answers [`Store::read_async`](crate::Store::read_async), in the order of its `seqs`.
    fn read_done(&self, shard: u16, token: u64, messages: Vec<(u64, ReadResult)>);

    /// Something went wrong that no single ticket can be told about, such as a background
    /// sync that failed after its batches were completed.
    fn degraded(&self, error: StoreError) {
        let _ = error;
    }
}
