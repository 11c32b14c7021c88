//! Links to other clusters, on one thread.
//!
//! Workers hand what linked clusters want to a [`LinkOutlet`], once per turn; the thread
//! ([`driver`]) keeps it for each link within bounds and sends it over a pool of MQTT 5 connections,
//! the messages of one publisher over one of them. Another connection of each link tells what is
//! subscribed here. What other clusters tell comes in as from any client, see
//! `rookery_core::shard`.
//!
//! **Bounds.** A link keeps [`LinkConfig::buffer_bytes_max`] octets; what is older than
//! [`LinkConfig::request_ttl_ms`], or finds no room, is dropped and counted. The thread waits for
//! nothing but its descriptors: names are looked up elsewhere.

mod client;
mod control;
mod counters;
mod deletions;
mod driver;
mod keeping;
mod line;
mod link;
mod pool;
mod probe;
mod reason;
mod resolve;
mod retained;
mod scout;
mod socket;
mod spool;
mod tls;

use std::sync::Arc;

use rookery_core::effects::ForLinks;
use rookery_links::sender::OwnWishes;

pub use control::Links;
pub(crate) use control::OfNode;
pub(crate) use driver::Order;

use crate::outlet::Load;

/// A connection on which nothing came for this long gets a question.
const PING_MS: u64 = 1500;
/// A connection on which nothing came for this long is gone.
const SILENCE_MS: u64 = 4500;
/// How long the other side may take for CONNACK and SUBACK.
const ADMISSION_MS: u64 = 5000;

/// What a worker has for linked clusters from one turn.
pub(crate) struct ToLinks {
    pub(crate) worker: u16,
    /// Acknowledgements wait until links that keep messages have these, under this number; 0: none
    /// does.
    pub(crate) ticket: u64,
    pub(crate) messages: Vec<ForLinks>,
}

impl Load for ToLinks {
    /// Nothing but news of subscriptions is none.
    fn load(&self) -> Option<usize> {
        let bytes = |item: &ForLinks| item.message.size() + size_of::<ForLinks>();
        let is_something = !self.messages.is_empty() || self.ticket != 0;
        is_something.then(|| self.messages.iter().map(bytes).sum())
    }
}

/// The inbox of the links' thread.
pub(crate) type LinkOutlet = crate::outlet::Outlet<ToLinks, Order>;

/// A link to another cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// The name of the other cluster.
    pub name: String,
    /// Whether it is switched on.
    pub enable: bool,
    /// Where the other cluster takes clients; tried in turn.
    pub servers: Vec<(String, u16)>,
    /// What client identifiers begin with.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
    /// TLS; none: plain.
    pub tls: Option<LinkTls>,
    /// What this cluster wants of the other one.
    pub topics: Vec<String>,
    /// Connections for messages.
    pub pool_size: usize,
    /// A message that was not acknowledged for so long is sent again, over a new connection.
    pub retry_interval_ms: u64,
    /// Messages under way on a connection; 0: as many as the other side takes.
    pub max_inflight: usize,
    /// Most octets that wait.
    pub buffer_bytes_max: usize,
    /// What waits for longer is dropped; none: never.
    pub request_ttl_ms: Option<u64>,
    /// How long an attempt to connect may take.
    pub connect_timeout_ms: u64,
    /// How often a connection that stands with another server than its own looks for that one.
    pub health_check_interval_ms: u64,
    /// Whether the messages of a publisher keep their order.
    pub order_by_client: bool,
    /// Who may speak for the other cluster: its user name.
    pub accept_username: Option<String>,
    /// The Common Name of its certificate.
    pub accept_cert_cn: Option<String>,
    /// What its client identifiers begin with.
    pub accept_clientid_prefix: Option<String>,
    /// Rules and hooks see what comes over it.
    pub show_to_rules: bool,
    /// Both clusters retain what either retains of the linked topics, if the other one agrees.
    pub sync_retained: bool,
    /// Most octets of messages with QoS 1 and 2 that are kept on disk until the other side has them,
    /// if that one agrees; 0: none are.
    pub store_bytes_max: u64,
    /// What was kept for longer is dropped.
    pub store_age_ms: u64,
}

impl LinkConfig {
    fn wishes(&self) -> OwnWishes {
        OwnWishes { store: self.store_bytes_max > 0, retained: self.sync_retained }
    }
}

impl std::fmt::Debug for LinkConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkConfig")
            .field("name", &self.name)
            .field("enable", &self.enable)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

/// TLS of a link.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkTls {
    /// Whom the other side's certificate has to be signed by; none: the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// The certificate shown, with its chain.
    pub cert_pem: Option<Vec<u8>>,
    /// Its key.
    pub key_pem: Option<Vec<u8>>,
    /// Whether the other side's certificate is checked.
    pub verify: bool,
    /// The name that it has to carry; none: the host.
    pub server_name: Option<String>,
}

/// How it stands with a link.
#[derive(Clone, Debug, Default)]
pub struct LinkStatus {
    /// The name of the other cluster.
    pub name: String,
    /// `connected`, `connecting` or `disconnected`.
    pub status: &'static str,
    /// What is wrong: a code, a colon, a text.
    pub reason: Option<String>,
    /// Since when that is so, ms since 1970.
    pub since_ms: u64,
    /// Where the actor stands that tells what is subscribed here.
    pub replication: &'static str,
    /// The address in use.
    pub server: Option<String>,
    /// Connections for messages that stand.
    pub pool_connected: usize,
    /// Routes of the other cluster that are known here.
    pub routes: usize,
    /// Routes of this cluster that are known there.
    pub sent_routes: usize,
    /// Messages that the other cluster wanted.
    pub matched: u64,
    /// Of them: taken over there.
    pub success: u64,
    /// Refused there.
    pub failed: u64,
    /// Dropped here: too old, or no room.
    pub dropped: u64,
    /// Sent again.
    pub retried: u64,
    /// Waiting.
    pub queuing: u64,
    /// Sent and not acknowledged.
    pub inflight: u64,
    /// Octets that wait or are not acknowledged.
    pub queued_bytes: u64,
    /// Messages that came over the link.
    pub received: u64,
    /// Messages that came and were not taken.
    pub refused: u64,
    /// Messages on disk.
    pub stored: u64,
    /// Octets of the files that they are in.
    pub stored_bytes: u64,
    /// When the oldest of them came, ms since 1970; none: there is none.
    pub stored_since_ms: Option<u64>,
    /// Whether messages are kept on disk while it is down: `agreed`, `not_agreed`, or `failed`, a
    /// colon, a text; none: they are not to be.
    pub store: Option<String>,
}

/// Who this cluster is to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Me {
    pub(crate) cluster: Arc<str>,
    pub(crate) node: Arc<str>,
    pub(crate) incarnation: u64,
}
