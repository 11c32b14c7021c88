//! What a caller of a node sees: its settings, what it reports, what can go wrong.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rookery_core::config::BrokerConfig;

/// Kind of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Plain MQTT.
    Tcp,
    /// MQTT over WebSocket.
    WebSocket(WebSocketConfig),
}

/// `listeners.ws.<name>.websocket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// Request path.
    pub path: String,
    /// Sub-protocols taken.
    pub subprotocols: Vec<String>,
    /// Whether a request without a known sub-protocol is refused.
    pub require_subprotocol: bool,
    /// Largest frame in bytes; 0 = no bound of its own (the packet size bound holds).
    pub max_frame_size: usize,
}

/// One listener.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// `tcp:default`, `ws:default`.
    pub id: String,
    /// What it speaks.
    pub kind: ListenerKind,
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Name of the zone.
    pub zone: String,
    /// Prefix of every topic.
    pub mountpoint: String,
    /// Most connections; 0 = no bound.
    pub max_connections: usize,
    /// Accept queue.
    pub backlog: i32,
    /// TCP_NODELAY.
    pub nodelay: bool,
    /// Whether authentication is asked for; without it everybody is admitted.
    pub enable_authn: bool,
}

/// When the log is forced to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before each acknowledgement.
    Always,
    /// In the background, this often.
    Interval(Duration),
    /// When the operating system likes.
    Never,
}

/// `durability.*`.
#[derive(Clone, Debug)]
pub struct DurabilityConfig {
    /// Where the log lies; none = nothing survives (embedded test brokers).
    pub dir: Option<PathBuf>,
    /// Sync policy.
    pub sync: SyncPolicy,
    /// Disk quota in bytes; 0 = none.
    pub max_disk_bytes: u64,
}

/// A node's settings.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Settings of the broker core.
    pub broker: BrokerConfig,
    /// Listeners, in order.
    pub listeners: Vec<ListenerConfig>,
    /// Worker threads; 0 = one per core.
    pub workers: usize,
    /// Durable storage.
    pub durability: DurabilityConfig,
}

/// A listener that stands.
#[derive(Clone, Debug)]
pub struct ListenerInfo {
    /// Its id.
    pub id: String,
    /// The address it got.
    pub bind: SocketAddr,
    /// Connections now.
    pub connections: usize,
    /// Bound on them.
    pub max_connections: usize,
}

/// A message the management plane publishes.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// RETAIN.
    pub retain: bool,
    /// Encoded forwardable properties (MQTT-5.0 section 3.3.2.3); empty for none.
    pub properties: Vec<u8>,
    /// Message Expiry Interval in seconds.
    pub expiry_s: Option<u32>,
    /// Client identifier shown as publisher.
    pub client_id: String,
    /// `$SYS` message of the node itself.
    pub sys: bool,
}

/// What became of a [`PublishRequest`].
#[derive(Clone, Copy, Debug)]
pub struct PublishOutcome {
    /// The message's identity.
    pub id: u128,
    /// Sessions it went to.
    pub matched: usize,
}

/// What a node found in its data directory.
#[derive(Clone, Debug, Default)]
pub struct RecoveryInfo {
    /// Sessions.
    pub sessions: usize,
    /// Retained messages.
    pub retained: usize,
    /// Messages waiting for sessions.
    pub messages: usize,
    /// What was damaged: one line each, for the log and an alarm.
    pub problems: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a node did not start or a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A listener's address is taken or not ours.
    #[error("listener {listener} cannot bind {bind}: {source}")]
    Bind {
        /// Which listener.
        listener: String,
        /// Which address.
        bind: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A setting that only the core can judge (regular expression of a rewrite rule, zone name).
    #[error("{path}: {detail}")]
    Config {
        /// Path of the setting.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// The data directory cannot be used.
    #[error("data directory: {0}")]
    Store(String),
    /// A topic name or filter breaks a rule of MQTT.
    #[error("topic: {0}")]
    Topic(String),
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}
