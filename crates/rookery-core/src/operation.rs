//! What the management plane orders a shard to do with a client or a message. Each order is
//! answered through its own channel; an answer that nobody waits for any more is no error.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use rookery_codec::{ReasonCode, SubscriptionOptions};

use crate::conn::Action;
use crate::effects::SubscriptionInfo;
use crate::message::Message;
use crate::query::ClientView;
use crate::topic_counts::TopicTable;

/// One order. `None` in an answer: there is no such client.
#[derive(Debug)]
pub enum Operation {
    /// Show a client.
    View {
        /// Client identifier.
        client_id: Box<str>,
        /// The client.
        reply: Sender<Option<ClientView>>,
    },
    /// Subscribe for a client; retained messages are sent as its own SUBSCRIBE would have them.
    Subscribe {
        /// Client identifier.
        client_id: Box<str>,
        /// Topic filters with their options.
        filters: Vec<(Box<str>, SubscriptionOptions)>,
        /// What became of each.
        reply: Sender<Option<Vec<Result<SubscriptionInfo, ReasonCode>>>>,
    },
    /// Unsubscribe for a client.
    Unsubscribe {
        /// Client identifier.
        client_id: Box<str>,
        /// Topic filters.
        filters: Vec<Box<str>>,
        /// What became of each.
        reply: Sender<Option<Vec<ReasonCode>>>,
    },
    /// Give a connected client another Keep Alive.
    KeepAlive {
        /// Client identifier.
        client_id: Box<str>,
        /// Seconds; 0 = none.
        interval_s: u16,
        /// Whether it is connected.
        reply: Sender<bool>,
    },
    /// Show messages on their way to a client.
    Messages {
        /// Client identifier.
        client_id: Box<str>,
        /// Those in flight, else those queued.
        in_flight: bool,
        /// The message behind which to go on.
        after: Option<MessagePlace>,
        /// Most messages.
        limit: usize,
        /// The messages.
        reply: Sender<Option<MessageSlice>>,
    },
    /// Show the answers about a client's topics that are kept.
    AclCache {
        /// Client identifier.
        client_id: Box<str>,
        /// The answers.
        reply: Sender<Option<Vec<KeptAnswer>>>,
    },
    /// Forget retained messages, if they are still those.
    RemoveRetained {
        /// The messages.
        messages: Vec<Arc<Message>>,
        /// How many were there.
        reply: Sender<usize>,
    },
    /// Keep messages as the retained ones of their topics; subscribers are not told.
    Retain {
        /// The messages.
        messages: Vec<Arc<Message>>,
        /// How many there was room for.
        reply: Sender<usize>,
    },
    /// Forget delayed messages that wait on this shard.
    RemoveDelayed {
        /// The messages, each with its time (mono ms).
        messages: Vec<(u64, Arc<Message>)>,
        /// How many were there.
        reply: Sender<usize>,
    },
    /// Count messages of these topics from now on; none: of no topic.
    CountTopics {
        /// The topics.
        topics: Option<Arc<TopicTable>>,
        /// Sent when it holds.
        reply: Sender<()>,
    },
}

/// Where a message lies among those on their way to a client.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MessagePlace {
    /// Its number, counted from the next one to be delivered; falls as messages leave.
    pub index: u32,
    /// What names it.
    pub id: u128,
}

/// A message on its way to a client.
#[derive(Clone, Debug)]
pub struct WaitingMessage {
    /// The message; none while only the log has it.
    pub message: Option<Arc<Message>>,
    /// Its number in the log; 0 = it is not there.
    pub seq: u64,
    /// QoS of the delivery.
    pub qos: u8,
    /// Where it lies.
    pub place: MessagePlace,
    /// Its priority in the queue; 0 in flight.
    pub priority: u8,
}

/// A slice of the messages on their way to a client.
#[derive(Clone, Debug, Default)]
pub struct MessageSlice {
    /// The messages, next first.
    pub messages: Vec<WaitingMessage>,
    /// Whether there are more behind them.
    pub has_more: bool,
}

/// A kept answer about a topic.
#[derive(Clone, Debug)]
pub struct KeptAnswer {
    /// What was asked.
    pub action: Action,
    /// The topic.
    pub topic: Box<str>,
    /// The answer.
    pub is_allowed: bool,
    /// When it was given, ms since 1970.
    pub at_ms: u64,
}
