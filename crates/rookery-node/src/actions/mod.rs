//! Between rules and actions: what rules have for an action waits here until Python takes it.
//!
//! - [`Actions`]: the buffers of a node, and the descriptor that tells when one has something
//! - [`ActionBuffer`]: the queue of one action ([`keys`](self) keeps the order of each client)
//! - [`Counters`]: what became of the items
//!
//! **Bounds.** An action has [`BufferSpec::max_buffer_bytes`] in memory and
//! [`BufferSpec::max_spill_bytes`] on disk, and what is on its way to disk
//! ([`HAND_OVER_BYTES_MAX`]). What comes on top is dropped and counted; who published it never
//! waits.
//!
//! **Locks.** Each buffer has one for its queue, which is held while items are moved and never
//! while anything else is waited for, and one for its files, which only the thread that has the
//! files and whoever opens or closes the buffer take. Order: files, queue, list of ready buffers.

mod buffer;
mod counters;
mod hub;
mod keys;
mod spill;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

pub use buffer::{ActionBuffer, Batch, Taken};
pub use counters::Counters;
pub use hub::Actions;

use crate::api::NodeError;

/// Most octets of one buffer that are on their way to its files.
pub const HAND_OVER_BYTES_MAX: u64 = 16 << 20;
/// Most octets of the fields that an action wants of one row.
pub const ITEM_BYTES_MAX: usize = 64 << 20;

/// How much an action may keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferSpec {
    /// Most octets in memory, in flight included.
    pub max_buffer_bytes: u64,
    /// Where items go that have no room in memory; none: nowhere.
    pub spill_dir: Option<PathBuf>,
    /// Most octets there.
    pub max_spill_bytes: u64,
    /// How long an item may wait; 0: for ever.
    pub request_ttl_ms: u64,
}

impl BufferSpec {
    fn check(&self, id: &str) -> Result<(), NodeError> {
        let refuse = |setting: &str, detail: &str| {
            let path = format!("actions.{id}.resource_opts.{setting}");
            Err(NodeError::Config { path, detail: detail.into() })
        };
        if self.max_buffer_bytes == 0 {
            return refuse("max_buffer_bytes", "must be more than 0");
        }
        if self.spill_dir.is_some() && self.max_spill_bytes == 0 {
            return refuse("max_spill_bytes", "must be more than 0");
        }
        Ok(())
    }
}

/// The wall clock by which items grow old, as shards read it.
#[must_use]
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
