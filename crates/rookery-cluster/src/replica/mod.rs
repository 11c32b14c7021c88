//! A map that every node of a cluster holds in full: each changes its own copy at once, and the copies
//! become equal again whatever was cut, lost or doubled between them.
//!
//! - [`Version`]: which of two changes of a key is the later one, the same everywhere.
//! - [`Replica`]: what one node holds, with sums over it that tell where two nodes differ.
//! - [`ReplicaFrame`]: what two nodes tell each other about it.
//! - [`ReplicaSender`]: tells one other node what it does not have.
//!
//! The later change of a key wins (last writer). A deletion is a change as well: it is kept for a
//! while, so that a node that was away does not bring back what was deleted meanwhile.

mod frames;
mod map;
mod sender;
mod version;

pub use frames::{
    Bits, Entry, EntryOf, ReplicaFrame, Space, Sums, entries, put_deleted, put_value, put_version,
};
pub use map::{Replica, What};
pub use sender::{Heard, ReplicaError, ReplicaSender, ReplicaSource, answer};
pub use version::{HybridClock, Key, Version, key_of};

/// Parts of a replica that have a sum of their own: by the first octet of the key.
pub const GROUPS: usize = 256;
