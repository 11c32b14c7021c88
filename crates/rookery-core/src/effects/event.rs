//! What a shard tells of clients and sessions.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_codec::ReasonCode;

use super::{AskId, CloseCause, PeerCertificate, Question};
use crate::message::Message;

/// A client as management and hooks see it.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Client identifier.
    pub client_id: Arc<str>,
    /// User name.
    pub username: Option<Arc<str>>,
    /// Whether a connection stands.
    pub connected: bool,
    /// Its address, if it is known.
    pub peer: Option<SocketAddr>,
    /// Its listener.
    pub listener: Option<Arc<str>>,
    /// 3, 4 or 5.
    pub proto_ver: u8,
    /// Keep alive in seconds, if it is known.
    pub keepalive_s: Option<u16>,
    /// Clean Start as sent, if it is known.
    pub clean_start: Option<bool>,
    /// Session expiry interval in seconds.
    pub expiry_interval_s: u32,
    /// When the session was made, ms since 1970.
    pub created_at_ms: u64,
    /// When the latest connection was made; 0 when that is not known.
    pub connected_at_ms: u64,
    /// When it was lost; 0 while connected.
    pub disconnected_at_ms: u64,
    /// Rises with every connect of this client identifier on this node: orders notices.
    pub generation: u64,
    /// Subscriptions.
    pub subscriptions: u32,
    /// Messages in flight to the client.
    pub inflight: u32,
    /// Messages queued.
    pub mqueue: u32,
    /// Messages dropped from the queue.
    pub mqueue_dropped: u64,
    /// QoS 2 packets waiting for PUBREL.
    pub awaiting_rel: u32,
    /// Whether the session is on disk.
    pub durable: bool,
    /// Its certificate.
    pub cert: Option<Arc<PeerCertificate>>,
    /// Attributes that authentication gave it.
    pub client_attrs: Vec<(Box<str>, Box<str>)>,
    /// Authentication said that nothing is denied to it.
    pub is_superuser: bool,
    /// The zone of its listener, while that is known.
    pub zone: Option<Arc<str>>,
    /// What stands before every topic of it.
    pub mountpoint: Arc<str>,
}

/// One subscription of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionInfo {
    /// As the client wrote it, `$share/…` included.
    pub topic: Box<str>,
    /// Granted QoS.
    pub qos: u8,
    /// No local.
    pub nl: bool,
    /// Retain as published.
    pub rap: bool,
    /// Retain handling.
    pub rh: u8,
}

/// What became of a session.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SessionEvent {
    /// It was made.
    Created,
    /// A client came back to it.
    Resumed,
    /// A connection with Clean Start ended it.
    Discarded,
    /// Another connection of the same client took it.
    TakenOver,
    /// It is gone.
    Terminated,
}

/// What goes up to the management plane, in batches.
#[derive(Clone, Debug)]
pub enum UpEvent {
    /// A CONNECT was read (`client.connect`).
    Connect(Box<ClientInfo>),
    /// A CONNACK was sent (`client.connack`).
    ConnAck {
        /// Client identifier, as far as known.
        client_id: Box<str>,
        /// Its address.
        peer: SocketAddr,
        /// Its listener.
        listener: Arc<str>,
        /// What it says.
        reason: ReasonCode,
    },
    /// Something became of a session.
    Session(SessionEvent, Box<ClientInfo>),
    /// A PUBLISH of QoS 1 gets its PUBACK (`message.puback`).
    PubAck {
        /// The publisher.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
        /// What PUBACK says.
        reason: ReasonCode,
    },
    /// A message was sent to a client (`message.delivered`).
    Delivered {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
        /// QoS it was sent with.
        qos: u8,
    },
    /// A client acknowledged a message (`message.acked`).
    Acked {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
    },
    /// A message went to nobody (`message.dropped`).
    Dropped {
        /// The message.
        message: Arc<Message>,
        /// Why, EMQX's word.
        reason: &'static str,
    },
    /// A message for one client was dropped (`delivery.dropped`).
    DeliveryDropped {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
        /// Why, EMQX's word.
        reason: &'static str,
    },
    /// A client was admitted (after CONNACK success).
    Connected(Box<ClientInfo>),
    /// An admitted client is gone.
    Disconnected(Box<ClientInfo>, CloseCause),
    /// A CONNECT was refused or a connection ended before it.
    Refused {
        /// Its address.
        peer: SocketAddr,
        /// Its listener.
        listener: Arc<str>,
        /// Client identifier, as far as known.
        client_id: Box<str>,
        /// Why.
        cause: CloseCause,
        /// What to do about it or where the protocol was broken.
        detail: &'static str,
    },
    /// A client came and went more often than `flapping_detect` takes.
    Flapping {
        /// Client identifier.
        client_id: Arc<str>,
        /// User name.
        username: Option<Arc<str>>,
        /// Its address.
        peer: SocketAddr,
    },
    /// The node has nearly as many clients as it may, or no longer.
    Crowded {
        /// Number of this turn, odd when it begins: those of several shards may come out of order.
        turn: u64,
        /// Connected clients.
        connected: usize,
        /// Most that may be.
        max: usize,
    },
    /// A subscription was made.
    Subscribed(Arc<str>, SubscriptionInfo),
    /// A subscription was ended.
    Unsubscribed(Arc<str>, Box<str>),
    /// A message for an in-process subscriber.
    Delivery {
        /// Its slot (given by `Node::subscribe`).
        slot: u32,
        /// The message.
        message: Arc<Message>,
        /// Granted QoS.
        qos: u8,
    },
    /// A question.
    Ask(AskId, Question),
    /// The certificates of a listener were read again.
    Certificates {
        /// The listener.
        listener: Arc<str>,
        /// Whether the new ones are in use; if not, the old ones stay.
        is_taken: bool,
        /// One line: what was found, or what is wrong with which file.
        detail: Box<str>,
    },
    /// Something happened to what is traced.
    Trace(Box<crate::observe::TraceEvent>),
    /// A span ended.
    Span(Box<crate::observe::SpanEvent>),
    /// A line for the log: level (EMQX's words) and text.
    Log(LogLevel, Box<str>),
    /// It stands otherwise with some link to another cluster, see `Node::links_status`.
    Links,
    /// The store begins to refuse what needs room in it, or takes it again. Told once each.
    Store {
        /// Whether it takes writes from now on.
        accepts: bool,
        /// Why it does not; empty when it does.
        detail: Box<str>,
    },
}

impl UpEvent {
    /// Sets when it happened, where that is told to the microsecond.
    pub fn set_time(&mut self, unix_us: u64) {
        match self {
            Self::Trace(event) => event.at_us = unix_us,
            Self::Span(event) => event.end_us = unix_us,
            _ => {}
        }
    }
}

/// Level of a log line.
#[derive(Copy, Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Ordinary life.
    Info,
    /// Something an operator should see.
    Warning,
    /// Something failed.
    Error,
}
