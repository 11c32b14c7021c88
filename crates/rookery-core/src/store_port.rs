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
    /// Sets or removes a key of which several writers hand over changes: one with a lower `order`
    /// than was applied to the key before changes nothing.
    Ordered {
        /// The place of the change among all changes since the store was opened.
        order: u64,
        /// Where the key lives.
        table: Table,
        /// The key.
        key: Box<[u8]>,
        /// The new value; none removes the key.
        value: Option<Box<[u8]>>,
    },
    /// One message, stored once, wanted by the sessions in `refs`.
    Publish {
        /// Never used twice.
        seq: u64,
        /// The message as the caller wants it back.
        message: Arc<[u8]>,
        /// Who wants it; at most one entry for a session.
        refs: SmallVec<[MessageRef; 1]>,
        /// It takes the place of what an operation behind it removes: a message that was accepted
        /// before goes on to somebody else.
        is_moved: bool,
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
    /// Whether the operation can only shrink what has to be kept.
    #[must_use]
    pub fn frees(&self) -> bool {
        matches!(
            self,
            Self::Delete { .. }
                | Self::Ordered { value: None, .. }
                | Self::Release { .. }
                | Self::Ack { .. }
                | Self::DropSession { .. }
        )
    }

    /// Whether the operation is carried out even if the batch it came in is refused: it frees,
    /// which nothing else would do for a full store; or it assigns what a message needs to be
    /// delivered and then freed; or it moves a message that was accepted before.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.frees() || matches!(self, Self::Assign { .. } | Self::Publish { is_moved: true, .. })
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is stored.
    Stored,
    /// There was no room: only what [passes](Op::passes) is stored.
    Freed,
    /// Nothing of it is stored. What passes follows with the next batch that is stored or freed.
    Refused,
}

/// Operations that are stored all together or, but for those that [pass](Op::passes), not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The writer's term of ownership. A batch with a lower epoch than the highest the store
    /// has seen is refused.
    pub epoch: u64,
    /// Applied in this order. May be empty: then only the epoch is raised.
    pub ops: Vec<Op>,
}
