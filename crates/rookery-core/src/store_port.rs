//! The store port: what the core asks of durable storage, as data.
//!
//! The store is a set of key-value tables and one log of durable messages, each held once
//! with a reference per session that still wants it. It is asynchronous: a shard hands over
//! the writes of a turn under a ticket, and whatever promises durability (PUBACK, PUBREC,
//! SUBACK …) leaves when the ticket is reported committed.

use std::sync::Arc;

use smallvec::SmallVec;

/// Number of a key-value table.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Table(pub u8);

/// One session's interest in a durable message.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MessageRef {
    /// Durable number of the session.
    pub session: u64,
    /// The caller's flags (QoS, retain), returned at recovery.
    pub flags: u8,
    /// The caller's word (subscription identifier), returned at recovery.
    pub meta: u32,
}

/// One durable write.
#[derive(Clone, Debug)]
pub enum Op {
    /// Sets a table entry.
    Put {
        /// Which table.
        table: Table,
        /// Its key.
        key: Box<[u8]>,
        /// The value.
        value: Box<[u8]>,
    },
    /// Removes a table entry; a missing one is no error.
    Delete {
        /// Which table.
        table: Table,
        /// Its key.
        key: Box<[u8]>,
    },
    /// A durable message, stored once for all sessions in `refs`.
    Publish {
        /// Its number, unique for ever.
        seq: u64,
        /// The encoded message.
        message: Arc<[u8]>,
        /// Who wants it.
        refs: SmallVec<[MessageRef; 1]>,
    },
    /// The message goes to that session under this packet identifier.
    Assign {
        /// Session.
        session: u64,
        /// Message.
        seq: u64,
        /// Packet identifier.
        packet_id: u16,
    },
    /// PUBREC arrived: only the packet identifier is still needed.
    Release {
        /// Session.
        session: u64,
        /// Message.
        seq: u64,
    },
    /// Delivered to or dropped for that session.
    Ack {
        /// Session.
        session: u64,
        /// Message.
        seq: u64,
    },
    /// The session is gone with all its references.
    DropSession {
        /// Session.
        session: u64,
    },
}

/// The writes of one turn. Stored whole or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// Fences writers that lost their right: lower than the highest seen is refused.
    pub epoch: u64,
    /// The writes, applied in order.
    pub ops: Vec<Op>,
}
