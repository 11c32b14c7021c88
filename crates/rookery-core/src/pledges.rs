//! What a node has promised to publish later, known to all nodes of a cluster: wills and delayed messages.
//!
//! The node in a pledge's version is the one that keeps it. When that one is lost another one
//! takes the pledge over by writing it again, and publishes it when it is due. Whoever publishes or
//! discards it deletes it. So one that was overtaken learns that from the version.

use std::sync::Arc;

use rookery_cluster::replica::{HybridClock, Key, Version, What, key_of};
use rookery_codec::Fields;

use crate::copies::{Copies, Foreign, Told};
use crate::ids::MessageId;
use crate::message::Message;
use crate::persist;
use crate::session::Will;

/// Deletions are remembered this long: whoever hears of one later has been away for longer than
/// it takes until others take over.
const DELETIONS_MS: u64 = 3_600_000;
/// Deletions that are forgotten in one slice, of each part.
const PURGE_SLICE: usize = 1000;

/// What is to be published.
#[derive(Debug, Clone)]
pub enum Pledge {
    /// A client's will.
    Will(Will),
    /// A delayed message and when it is due, ms since 1970.
    Delayed(u64, Arc<Message>),
}

impl Pledge {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &Arc<Message> {
        match self {
            Self::Will(will) => &will.message,
            Self::Delayed(_, message) => message,
        }
    }

    /// The key of it.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Will(will) => key_of_will(&will.message.from.client_id),
            Self::Delayed(_, message) => key_of_delayed(message.id),
        }
    }

    /// The inverse of [`Told::encode_into`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut r = Fields(bytes);
        match r.u8()? {
            WILL => Some(Self::Will(persist::decode_will(r.0)?)),
            DELAYED => {
                let (due_at_ms, message) = persist::read_delayed(r.0)?;
                Some(Self::Delayed(due_at_ms, Arc::new(message)))
            }
            _ => None,
        }
    }

    /// It waits for a time, not for the end of a connection.
    #[must_use]
    pub const fn is_due_some_time(&self) -> bool {
        match self {
            Self::Will(will) => will.due_at_ms != 0,
            Self::Delayed(..) => true,
        }
    }
}

const WILL: u8 = 1;
const DELAYED: u8 = 2;

impl Told for Pledge {
    fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::Will(will) => {
                out.push(WILL);
                persist::encode_will(will, out);
            }
            Self::Delayed(due_at_ms, message) => {
                out.push(DELAYED);
                persist::encode_delayed(*due_at_ms, message, out);
            }
        }
    }
}

/// The key of a client's will.
#[must_use]
pub fn key_of_will(client_id: &str) -> Key {
    key_of(&format!("w/{client_id}"))
}

/// The key of a delayed message.
#[must_use]
pub fn key_of_delayed(id: MessageId) -> Key {
    key_of(&format!("d/{:x}", id.0))
}

/// All pledges of the cluster.
#[derive(Debug)]
pub struct Pledges(Copies<Pledge>);

impl Pledges {
    /// Of a node that knows of none yet.
    #[must_use]
    pub fn new(node: &str) -> Self {
        Self(Copies::new(node))
    }

    /// What other nodes are told from.
    #[must_use]
    pub const fn copies(&self) -> &Copies<Pledge> {
        &self.0
    }

    /// This node keeps a pledge from now on.
    pub fn keep(&self, pledge: Pledge, unix_ms: u64) -> Key {
        let key = pledge.key();
        let version = self.0.next(unix_ms);
        self.0.part(&key).set(key, version, What::Value(Arc::new(pledge)), unix_ms);
        key
    }

    /// This node has kept one since its message was made, unless more is known of it.
    pub fn keep_since(&self, pledge: Pledge, unix_ms: u64) -> Option<Key> {
        let key = pledge.key();
        let mut part = self.0.part(&key);
        if part.get(&key).is_some() {
            return None;
        }
        let time = HybridClock::at(pledge.message().timestamp_ms);
        self.0.clock().see(time);
        let version = Version { time, node: self.0.node().clone() };
        part.set(key, version, What::Value(Arc::new(pledge)), unix_ms);
        Some(key)
    }

    /// A pledge is kept no more, if this node keeps it; or whoever does.
    pub fn release(&self, key: &Key, is_mine_only: bool, unix_ms: u64) -> bool {
        let mut part = self.0.part(key);
        let is_meant = match part.get(key) {
            Some((version, What::Value(_))) => !is_mine_only || version.node == *self.0.node(),
            _ => false,
        };
        if is_meant {
            let version = self.0.next(unix_ms);
            part.set(*key, version, What::Deleted, unix_ms);
        }
        is_meant
    }

    /// Whether this node keeps a pledge, as far as is known; of one that nobody knows it does.
    #[must_use]
    pub fn is_mine(&self, key: &Key) -> bool {
        match self.0.part(key).get(key) {
            Some((version, What::Value(_))) => version.node == *self.0.node(),
            Some(_) => false,
            None => true,
        }
    }

    /// Whether the client of a will is connected to another node, as far as is known.
    #[must_use]
    pub fn has_client_elsewhere(&self, key: &Key) -> bool {
        match self.0.part(key).get(key) {
            Some((version, What::Value(pledge))) => {
                version.node != *self.0.node() && !pledge.is_due_some_time()
            }
            _ => false,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.each().map(|part| part.values()).sum()
    }

    /// Takes over what another node changed; what was kept before, and whether by this node.
    pub fn apply(&self, foreign: &Foreign<Pledge>, unix_ms: u64) -> Option<Overtaken> {
        let Foreign { key, version, what } = foreign;
        self.0.clock().see(version.time);
        let mut part = self.0.part(key);
        if !part.is_news(key, version, matches!(what, What::Deleted)) {
            return None;
        }
        let was_mine = matches!(
            part.get(key),
            Some((version, What::Value(_))) if version.node == *self.0.node()
        );
        let is_mine = version.node == *self.0.node();
        let was = part.set(*key, self.0.foreign(version), what.clone(), unix_ms);
        let was = match was {
            Some(What::Value(pledge)) => Some(pledge),
            _ => None,
        };
        Some(Overtaken { was: was.filter(|_| was_mine), is_mine })
    }

    /// Pledges that another node keeps and that this one is to take over.
    pub fn of(&self, nodes: &[String], is_wanted: impl Fn(&Key) -> bool) -> Vec<Arc<Pledge>> {
        let mut found = Vec::new();
        for part in self.0.each() {
            part.each(|key, version, what| {
                if let What::Value(pledge) = what
                    && nodes.iter().any(|node| **node == *version.node)
                    && is_wanted(key)
                {
                    found.push(pledge.clone());
                }
            });
        }
        found
    }

    /// Forgets old deletions, a slice.
    pub fn purge(&self, unix_ms: u64) {
        self.0.purge(unix_ms.saturating_sub(DELETIONS_MS), PURGE_SLICE, unix_ms);
    }
}

/// What another node's change of a pledge means here.
#[derive(Debug)]
pub struct Overtaken {
    /// What this node kept until now.
    pub was: Option<Arc<Pledge>>,
    /// It says that this node keeps it, which it does not know: an earlier start of it did.
    pub is_mine: bool,
}
