//! What a shard wants done: collected during a turn, carried out by the driver at its end.

use std::sync::Arc;

use crate::ids::{ConnKey, SessionKey};
use crate::message::Message;
use crate::router::Matched;

mod command;
mod connection;
mod event;
mod question;

pub use command::*;
pub use connection::*;
pub use event::*;
pub use question::*;

pub use crate::nodes_message::{PledgeMessage, ReplicaMessage};

/// Where a shared subscription's message came from, to pick another member later.
pub type SharedOrigin = Option<Arc<crate::router::SharedGroup>>;

/// What shards and the node tell each other. Values only, no borrowed data.
#[derive(Debug)]
pub enum ShardMessage {
    /// Deliver to a range of the match result's targets, all of the receiving shard.
    Deliver {
        /// The message.
        message: Arc<Message>,
        /// The match result made where it was published.
        matched: Arc<Matched>,
        /// First and one past the last target.
        range: (u32, u32),
    },
    /// Deliver to one member of a shared group, chosen by the sender.
    DeliverShared {
        /// The message.
        message: Arc<Message>,
        /// The member.
        member: crate::router::Subscriber,
        /// Its group.
        group: Arc<crate::router::SharedGroup>,
    },
    /// The store may still refuse the message of this number, which comes next.
    Unstored(u64),
    /// The store has taken such messages, or refused them.
    Settled {
        /// Their numbers.
        seqs: Box<[u64]>,
        /// It took them.
        is_stored: bool,
    },
    /// A message of another node: for those who subscribed here, and nobody else.
    FromNode {
        /// The message.
        message: Arc<Message>,
        /// Share name and topic filter if one member of a shared subscription gets it.
        group: Option<Box<(Box<str>, Box<str>)>>,
    },
    /// Other nodes have taken what was sent to them up to this turn.
    NodesTook(u64),
    /// They have not taken what was sent to them in this turn, and it is not waited for any more; up to
    /// it they have.
    NodesMissed(u64),
    /// About retained messages that all nodes of the cluster have.
    Replica(Box<ReplicaMessage>),
    /// A session moves between nodes.
    Move(Box<crate::moving::Move>),
    /// To another node: a message for a session that lives there by now.
    Following(Box<crate::moving::Following>),
    /// From another node: the same.
    Follow {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Box<crate::moving::copy::CopiedMessage>,
    },
    /// About wills and delayed messages that another node may have to publish.
    Pledge(Box<PledgeMessage>),
    /// About sessions that two nodes keep.
    Shadow(Box<crate::shadow::ShadowMessage>),
    /// Somebody answered a question.
    Answer(Answer),
    /// An order of the management plane.
    Command(Command),
    /// New settings.
    Config(Arc<crate::config::BrokerConfig>),
    /// Other rules.
    Rules(Arc<crate::rules::RuleSet>),
}

impl ShardMessage {
    /// Bytes that wait with it, about: a message counts for each shard it is sent to.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let message = match self {
            Self::Deliver { message, .. }
            | Self::DeliverShared { message, .. }
            | Self::FromNode { message, .. } => message.size(),
            Self::Command(Command::Publish { message, .. }) => message.size(),
            Self::Answer(Answer { verdict: Verdict::Replace(message), .. }) => message.size(),
            Self::Move(step) => step.step.bytes(),
            Self::Following(following) => following.item.size(),
            Self::Follow { message, .. } => message.message.as_ref().map_or(0, |m| m.size()),
            Self::Answer(_)
            | Self::Command(_)
            | Self::Config(_)
            | Self::Rules(_)
            | Self::Unstored(_)
            | Self::NodesTook(_)
            | Self::NodesMissed(_) => 0,
            Self::Settled { seqs, .. } => size_of_val(&**seqs),
            Self::Replica(message) => message.bytes(),
            Self::Pledge(message) => message.bytes(),
            Self::Shadow(message) => message.bytes(),
        };
        size_of::<Self>() + message
    }
}

/// A message that linked clusters want, each a copy.
#[derive(Debug)]
pub struct ForLinks {
    /// The message.
    pub message: Arc<Message>,
    /// The match result made where it was published.
    pub matched: Arc<Matched>,
    /// First and one past the last target: their slots are the numbers of the links.
    pub range: (u32, u32),
}

/// The effects of one turn.
#[derive(Debug, Default)]
pub struct Effects {
    /// Connections whose outbox gained bytes.
    pub dirty: Vec<ConnKey>,
    /// Connections to close: after flushing what the outbox holds (true) or at once.
    pub close: Vec<(ConnKey, bool)>,
    /// Connections to hand to another shard with all bytes not consumed.
    pub migrate: Vec<(ConnKey, u16)>,
    /// Connections whose reading may go on after it was held back.
    pub resume: Vec<ConnKey>,
    /// Messages to other shards, by index; the last entry is the management plane's inbox.
    pub to_shards: Vec<Vec<ShardMessage>>,
    /// Messages to other nodes of the cluster.
    pub to_nodes: Vec<ShardMessage>,
    /// Messages to linked clusters.
    pub to_links: Vec<ForLinks>,
    /// The ticket that waits until the links have them; 0: none does.
    pub links_ticket: u64,
    /// Durable writes of this turn.
    pub store_ops: Vec<crate::store_port::Op>,
    /// What the node that keeps this one's sessions is shown before them.
    pub shown: Vec<crate::shadow::Shown>,
    /// Bodies of durable messages wanted: session, log numbers.
    pub store_reads: Vec<(SessionKey, Vec<u64>)>,
    /// Events.
    pub up: Vec<UpEvent>,
    /// What rules have for actions on connectors.
    pub(crate) actions: Vec<crate::rules::run::ForAction>,
}
