//! Sessions of this node that another node keeps as well, and sessions of a lost node that go on here.
//!
//! Everything that goes into the store about sessions goes to another node in the same order, which
//! writes it to a store beside its own: the *shadow*. See `docs/internals/sessions-in-a-cluster.md`.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::message::Message;
use crate::moving::copy::SessionCopy;
use crate::persist::{AWAITING_REL, SESSIONS, SUBSCRIPTIONS, SessionRecord};
use crate::store_port::{MessageRef, Op};

/// Whether another node keeps it as well: sessions and their messages. Retained messages, wills and
/// delayed messages are on all nodes anyhow.
#[must_use]
pub fn is_shared(op: &Op) -> bool {
    match op {
        Op::Put { table, .. } | Op::Delete { table, .. } => {
            matches!(*table, SESSIONS | SUBSCRIPTIONS | AWAITING_REL)
        }
        Op::Ordered { .. } => false,
        Op::Publish { .. }
        | Op::Assign { .. }
        | Op::Release { .. }
        | Op::Ack { .. }
        | Op::DropSession { .. } => true,
    }
}

/// One operation of a listing of what there is.
#[derive(Debug)]
pub enum Listed {
    /// As it is.
    Op(Op),
    /// A message that is in the store alone, and one session's claim on it.
    Stored {
        /// Its number.
        seq: u64,
        /// The claim.
        claim: MessageRef,
    },
}

/// What a shard shows another node in one turn, before the writes of the turn.
#[derive(Debug)]
pub enum Shown {
    /// From this turn on every write of this shard is shown.
    Open,
    /// Some of its sessions.
    Slice {
        /// How they are made.
        ops: Vec<Listed>,
        /// Where to go on; none: these were the last ones.
        next: Option<u32>,
    },
}

/// A session of a lost node as its shadow has it.
#[derive(Debug)]
pub struct Adopted {
    /// The node.
    pub node: Arc<str>,
    /// Its record there.
    pub record: SessionRecord,
    /// All the rest.
    pub copy: SessionCopy,
    /// Told when it is stored here.
    pub stored: Sender<()>,
}

/// About shadows, to a shard.
#[derive(Debug)]
pub enum ShadowMessage {
    /// The writes of this shard are shown to another node from now on.
    Open,
    /// Show some sessions.
    List {
        /// From this place on.
        from: u32,
    },
    /// A session goes on here.
    Adopt(Box<Adopted>),
    /// A message that was on its way to a lost node: those of its sessions that are here get it.
    Orphan {
        /// The message.
        message: Arc<Message>,
        /// The lost node.
        node: Arc<str>,
    },
    /// Say when everything before this is stored, with the node and number that are given.
    Mark(Mark),
}

/// Messages of another node that an acknowledgement there waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The other node.
    pub peer: u64,
    /// The lane they came on.
    pub lane: u16,
    /// The number of their batch.
    pub seq: u64,
}

impl ShadowMessage {
    /// Bytes that wait with it, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Orphan { message, .. } => message.size(),
            Self::Adopt(adopted) => {
                let copy = &adopted.copy;
                let flying = copy.inflight.iter().map(|(.., copied)| copied);
                let all = flying.chain(copy.queue.iter().map(|(_, copied)| copied));
                all.filter_map(|copied| copied.message.as_ref()).map(|m| m.size()).sum()
            }
            Self::Open | Self::List { .. } | Self::Mark(_) => 0,
        }
    }
}
