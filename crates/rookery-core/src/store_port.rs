//! The store port: what the core asks of durable storage, as data.
//!
//! The store is a set of key-value tables and one log of durable messages, each held once
//! with a reference per session that still wants it. It is asynchronous: a shard hands over
//! the writes of a turn under a ticket, and whatever promises durability (PUBACK, PUBREC,
//! SUBACK …) leaves when the ticket is reported committed.

use std::sync::Arc;

use smallvec::SmallVec;

/// A key-value table; the caller chooses the numbers and what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table(pub u8);

/// One session's claim on a stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRef {
    /// The session, by the number its owner gave it.
    pub session: u64,
    /// Opaque; returned by recovery.
    pub flags: u8,
    /// Opaque; returned by recovery.
    pub meta: u32,
}

/// One change of the stored state.
///
/// An `Assign`, `Release` or `Ack` of a reference that is unknown changes nothing, so a
/// `Publish` has to be submitted before anything about it is (by any shard).
#[derive(Debug, Clone)]
pub enum Op {
    /// Sets a key.
    Put {
        /// Where the key lives.
        table: Table,
        /// The key.
        key: Box<[u8]>,
        /// Replaces the value that was there.
        value: Box<[u8]>,
    },
    /// Removes a key; an unknown one is no error.
    Delete {
        /// Where the key lives.
        table: Table,
        /// The key.
        key: Box<[u8]>,
    },
    /// One message, stored once, wanted by the sessions in `refs`.
    Publish {
        /// Never used twice.
        seq: u64,
        /// The message as the caller wants it back.
        message: Arc<[u8]>,
        /// Who wants it; at most one entry for a session.
        refs: SmallVec<[MessageRef; 1]>,
    },
    /// The packet identifier under which the message goes to that session.
    Assign {
        /// The session.
        session: u64,
        /// The message.
        seq: u64,
        /// Its packet identifier there.
        packet_id: u16,
    },
    /// The receiver owns the message (PUBREC); only the packet identifier is still needed.
    Release {
        /// The session.
        session: u64,
        /// The message.
        seq: u64,
    },
    /// The message is delivered to that session, or dropped for it.
    Ack {
        /// The session.
        session: u64,
        /// The message.
        seq: u64,
    },
    /// The session is gone, and every reference it held.
    DropSession {
        /// The session.
        session: u64,
    },
}

impl Op {
    /// Whether the operation can only shrink what has to be kept. Such operations are
    /// accepted when the quota or the queue is full: nothing else would empty them.
    #[must_use]
    pub fn frees(&self) -> bool {
        matches!(
            self,
            Self::Delete { .. }
                | Self::Release { .. }
                | Self::Ack { .. }
                | Self::DropSession { .. }
        )
    }
}

/// Operations that are stored all together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The writer's term of ownership. A batch with a lower epoch than the highest the store
    /// has seen is refused.
    pub epoch: u64,
    /// Applied in this order. May be empty: then only the epoch is raised.
    pub ops: Vec<Op>,
}
