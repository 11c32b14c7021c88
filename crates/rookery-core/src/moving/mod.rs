//! Sessions on their way from one node of a cluster to another.
//!
//! A client that connects may have its session on another node. The node it came to asks the others
//! ([`MoveStep::Ask`]) while the client waits. Who has the session ends the connection, says that it
//! comes and sends a [copy](copy::SessionCopy). The asking node stores the copy, lets the client in
//! and confirms ([`MoveStep::Taken`]); only then the other one forgets the session, and hands on what
//! came for it meanwhile. So there is always one at least, and of two the one with the higher epoch
//! (the generation of its latest connect) stays: nodes that meet tell each other what they have
//! ([`MoveStep::Held`]).
//!
//! **Once.** While two nodes have subscriptions of the session a message may reach both. The new one
//! remembers what it got ([`Seen`]) until the old one has nothing more to hand on.

pub mod copy;

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashSet;

use crate::ids::MessageId;
use crate::message::{Message, MessageParts};
use crate::mqueue::MessageQueue;
use crate::session::Queued;

/// Something that a node tells about a session.
#[derive(Debug)]
pub struct Move {
    /// Whom it goes to or comes from; none: all, or the lanes of this node themselves.
    pub node: Option<Arc<str>>,
    /// What it is.
    pub step: MoveStep,
}

/// Steps of a move. `ask` is a number of the asking node; 0: no client waits.
#[derive(Debug)]
pub enum MoveStep {
    /// Whoever has the session of this client gives it up.
    Ask {
        /// The number.
        ask: u64,
        /// That of the connect, or of the session that stays.
        epoch: u64,
        /// The session is to end instead of moving.
        is_clean: bool,
        /// Of two equal epochs the receiver's is the higher one.
        is_above: bool,
        /// The client.
        client_id: Arc<str>,
    },
    /// There is none here, or none any more.
    Nothing {
        /// The number.
        ask: u64,
    },
    /// The same client connects here, with a higher epoch.
    Refused {
        /// The number.
        ask: u64,
        /// The client.
        client_id: Arc<str>,
    },
    /// It is here and will come.
    Coming {
        /// The number.
        ask: u64,
    },
    /// The session, as [`copy::SessionCopy`] encodes it.
    Copy {
        /// The number.
        ask: u64,
        /// The client.
        client_id: Arc<str>,
        /// The session.
        bytes: Vec<u8>,
    },
    /// Nobody waits for the session any more: it stays where it is.
    GiveUp {
        /// The number.
        ask: u64,
        /// The client.
        client_id: Arc<str>,
    },
    /// The session is stored with this epoch: the receiver forgets its own.
    Taken {
        /// The client.
        client_id: Arc<str>,
        /// The epoch.
        epoch: u64,
    },
    /// It is forgotten; little is still handed on.
    Forgotten {
        /// The client.
        client_id: Arc<str>,
    },
    /// Sessions that there are.
    Held {
        /// The shard they belong to.
        shard: u16,
        /// Where to go on; none: these were the last ones.
        next: Option<u32>,
        /// Of two equal epochs the receiver's is the higher one.
        is_above: bool,
        /// Clients and epochs.
        items: Vec<(Arc<str>, u64)>,
    },
    /// The next ones may be told.
    List {
        /// Of this shard.
        shard: u16,
        /// From this place on.
        from: u32,
    },
    /// The session of a client that is away may come: the receiver asks for it.
    Offer {
        /// The client.
        client_id: Arc<str>,
    },
    /// Offer such sessions to a node. Of the management plane.
    Leave {
        /// At most that many.
        most: u32,
    },
    /// Everybody has answered, or was waited for long enough. Of the lanes.
    Settled {
        /// The number.
        ask: u64,
        /// The client.
        client_id: Arc<str>,
        /// Nodes that did not answer.
        silent: Vec<Arc<str>>,
    },
}

impl MoveStep {
    /// Bytes that wait with it, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Copy { bytes, .. } => bytes.len(),
            Self::Held { items, .. } => items.len() * 32,
            _ => 0,
        }
    }
}

/// A message for a session that lives on another node by now.
#[derive(Debug)]
pub struct Following {
    /// The node.
    pub node: Arc<str>,
    /// The client.
    pub client_id: Arc<str>,
    /// The message and how to deliver it.
    pub item: Queued,
}

/// What a session remembers of moving; sessions of a lone node have none.
#[derive(Debug, Default)]
pub struct Moves {
    /// The highest epoch of a copy that this session has taken in; [`AWAITS`]: none, but whatever an
    /// older one holds belongs to it; 0: an older one is void.
    pub took: u64,
    /// What it got, while it may get it a second time.
    pub seen: Option<Box<Seen>>,
    /// The lost node that it was on: it went on here without that one's consent.
    pub from: Option<Arc<str>>,
    /// It is being given to another node.
    pub departure: Option<Box<Departure>>,
}

/// See [`Moves::took`]; no connect has this epoch.
pub const AWAITS: u64 = 1;

/// A session that is being given to another node. It stays as it is until that one confirms.
#[derive(Debug)]
pub struct Departure {
    /// The node.
    pub to: Arc<str>,
    /// Number of its question.
    pub ask: u64,
    /// The queue as the copy has it; what came later is in the session's own.
    pub kept: Option<MessageQueue>,
    /// The other node has it.
    pub is_confirmed: bool,
}

/// Most messages that are remembered.
const SEEN_MAX: usize = 65_536;

/// Messages that a session got since it came from another node.
#[derive(Debug, Default)]
pub struct Seen {
    known: HashSet<(MessageId, u64)>,
    order: VecDeque<(MessageId, u64)>,
    /// When it is forgotten (mono ms); 0 = not known yet.
    pub until_ms: u64,
}

impl Seen {
    /// Notes a message; false when it was noted before.
    pub fn note(&mut self, parts: &MessageParts<'_>, publisher: &str) -> bool {
        self.note_name((parts.id, name_of(publisher, parts.topic)))
    }

    fn note_name(&mut self, name: (MessageId, u64)) -> bool {
        if !self.known.insert(name) {
            return false;
        }
        self.order.push_back(name);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// What was noted, oldest first: a session that moves on may still get it again.
    pub fn names(&self) -> impl Iterator<Item = (MessageId, u64)> {
        self.order.iter().copied()
    }

    /// The same of a message that is kept.
    pub fn note_message(&mut self, message: &Message) -> bool {
        self.note(&message.parts(), &message.from.client_id)
    }
}

impl FromIterator<(MessageId, u64)> for Seen {
    fn from_iter<T: IntoIterator<Item = (MessageId, u64)>>(names: T) -> Self {
        let mut seen = Self::default();
        for name in names {
            seen.note_name(name);
        }
        seen
    }
}

/// Numbers of messages are unique on one node only.
fn name_of(publisher: &str, topic: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    (publisher, topic).hash(&mut hasher);
    hasher.finish()
}
