//! What management wants of a shard.

use super::{ClientInfo, SubscriptionInfo};
use crate::message::Message;

/// Orders of the management plane; each is answered through its reply channel.
#[derive(Debug)]
pub enum Command {
    /// End a client's connection and session.
    Kick {
        /// Client identifier.
        client_id: Box<str>,
        /// Whether such a client was there.
        reply: std::sync::mpsc::Sender<bool>,
    },
    /// End a client's connection as `BrokerConfig::redirect` says; its session stays.
    Move {
        /// Client identifier.
        client_id: Box<str>,
        /// Whether it was connected.
        reply: std::sync::mpsc::Sender<bool>,
    },
    /// A page of clients in slot order.
    Clients {
        /// First slot to look at.
        from_slot: u32,
        /// Most rows.
        limit: usize,
        /// Rows and the slot to go on from.
        reply: std::sync::mpsc::Sender<(Vec<ClientInfo>, Option<u32>)>,
    },
    /// One client.
    Client {
        /// Client identifier.
        client_id: Box<str>,
        /// The row.
        reply: std::sync::mpsc::Sender<Option<ClientInfo>>,
    },
    /// A client's subscriptions: filter, QoS, no local, retain as published, retain handling.
    Subscriptions {
        /// Client identifier.
        client_id: Box<str>,
        /// The rows.
        reply: std::sync::mpsc::Sender<Option<Vec<SubscriptionInfo>>>,
    },
    /// What the rules say about a connected client.
    CheckAcl {
        /// Client identifier.
        client_id: Box<str>,
        /// What it would do.
        action: crate::conn::Action,
        /// Topic name or filter.
        topic: Box<str>,
        /// The decision; none when it is not connected.
        reply: std::sync::mpsc::Sender<Option<crate::access::Explanation>>,
    },
    /// Forget kept answers about a client, or about all.
    PurgeAclCache {
        /// Client identifier.
        client_id: Option<Box<str>>,
    },
    /// The slowest subscriptions.
    SlowSubs {
        /// They are forgotten with that.
        forget: bool,
        /// The rows.
        reply: std::sync::mpsc::Sender<Vec<crate::observe::SlowRow>>,
    },
    /// Something about one client or message.
    Operate(Box<crate::operation::Operation>),
    /// Publish for the node itself.
    Publish {
        /// The message; retain flag honoured.
        message: Box<Message>,
        /// Number of sessions that match, once the store has it.
        reply: Option<std::sync::mpsc::Sender<usize>>,
    },
    /// Run rules on an event that happened elsewhere, or on what a source brought in.
    Happen {
        /// What happened.
        what: Box<crate::rules::Happening>,
        /// Number of rules that had a result.
        reply: Option<std::sync::mpsc::Sender<usize>>,
    },
    /// Tell every client goodbye (0x8B) and close; wills of a graceful stop are not sent, they stay pending.
    Shutdown {
        /// Sent when every connection was told.
        reply: std::sync::mpsc::Sender<()>,
    },
}
