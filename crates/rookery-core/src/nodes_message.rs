//! What shards and the thread of the lanes tell each other about what all nodes of a cluster have.

use std::sync::Arc;

use rookery_cluster::replica::{Key, What};

use crate::copies::Foreign;
use crate::message::Message;
use crate::pledges::Pledge;

/// What shards and the lanes to other nodes tell each other about replicated retained messages.
#[derive(Debug)]
pub enum ReplicaMessage {
    /// To the lanes: the message of a topic changed here.
    Changed {
        /// The key of the topic.
        key: Key,
        /// How long an acknowledgement waits for the other nodes; none waits.
        wait_ms: Option<u32>,
    },
    /// From the lanes: what another node changed.
    Foreign {
        /// The node.
        peer: u64,
        /// The number under which it wants to know that this is kept.
        number: u64,
        /// The changes.
        entries: Vec<Foreign<Message>>,
    },
    /// To the lanes: that is kept.
    Kept {
        /// The node.
        peer: u64,
        /// The number.
        number: u64,
    },
    /// From the lanes: messages, with the times of their versions, that others have deleted long
    /// ago.
    Outdated(Vec<(Key, u64)>),
    /// From the lanes: another node has had everything up to that time.
    InStep {
        /// Its name.
        node: Box<str>,
        /// The time.
        time: u64,
    },
    /// From the lanes: so many acknowledgements waited in vain for other nodes.
    Unconfirmed(u64),
}

impl ReplicaMessage {
    /// Bytes that wait with it, about.
    pub(crate) fn bytes(&self) -> usize {
        let Self::Foreign { entries, .. } = self else { return size_of::<Self>() };
        let message = |entry: &Foreign<Message>| match &entry.what {
            What::Value(message) => message.size(),
            What::Deleted | What::Absent => 0,
        };
        entries.iter().map(|entry| size_of::<Foreign<Message>>() + message(entry)).sum()
    }
}

/// What shards and the lanes to other nodes tell each other about pledges.
#[derive(Debug)]
pub enum PledgeMessage {
    /// To the lanes: this node keeps one, or does not any more.
    Changed {
        /// Its key.
        key: Key,
        /// How long an acknowledgement waits for the other nodes; none waits.
        wait_ms: Option<u32>,
    },
    /// From the lanes: what another node changed.
    Foreign {
        /// The node.
        peer: u64,
        /// The number under which it wants to know that this is kept.
        number: u64,
        /// The changes.
        entries: Vec<Foreign<Pledge>>,
    },
    /// To the lanes: that is kept.
    Kept {
        /// The node.
        peer: u64,
        /// The number.
        number: u64,
    },
    /// Another node has taken over what this one kept.
    Overtaken(Arc<Pledge>),
    /// This node is to take over what a lost one kept.
    Adopt(Arc<Pledge>),
    /// Other nodes are to know what this one keeps.
    Open,
}

impl PledgeMessage {
    /// Bytes that wait with it, about.
    pub(crate) fn bytes(&self) -> usize {
        let Self::Foreign { entries, .. } = self else { return size_of::<Self>() };
        let message = |entry: &Foreign<Pledge>| match &entry.what {
            What::Value(pledge) => pledge.message().size(),
            What::Deleted | What::Absent => 0,
        };
        entries.iter().map(|entry| size_of::<Foreign<Pledge>>() + message(entry)).sum()
    }
}
