//! Lanes between the nodes of a cluster, on one thread.
//!
//! Workers hand what other nodes get to an [`Outlet`], once per turn; the thread ([`carrier`]) frames
//! it into a lane per publisher, keeps it until the other node has it, and brings what comes from
//! there to the workers. Sessions move over them as well ([`moves`]), and a second node keeps them
//! ([`partner`], [`shadows`]; [`orphans`] and [`adopted`] when a node is lost). It keeps the routes of the others in the trie and tells them those of this
//! node. Who the others are it is told: it finds nobody by itself.
//!
//! **Bounds.** A lane holds `LaneLimits::queue_bytes`; a full one makes publishers wait for
//! [`STALL_MS`], then what is for that node is dropped and counted, so that one node that hangs does not stop
//! the others. Before it is authenticated a connection gets a buffer of a kilobyte, three seconds, and
//! one of [`STRANGERS_MAX`] places.

mod adopted;
mod carrier;
mod control;
mod expected;
mod incoming;
mod linked;
mod moves;
mod numbers;
mod orphans;
mod outlet;
mod partner;
mod peer;
mod replicated;
mod sending;
mod shadows;
mod socket;
mod stored;
mod turns;

use std::net::SocketAddr;

pub use control::Cluster;

pub use crate::tls::mutual::MutualTlsConfig;
pub(crate) use outlet::{Outlet, Sent, Shipped};

/// Lanes to each peer.
pub(crate) const LANES: u16 = 2;
/// A connection on which nothing comes for this long gets a question.
pub(crate) const PING_MS: u64 = 1000;
/// A connection on which nothing comes for this long is gone.
pub(crate) const SILENCE_MS: u64 = 4000;
/// How long the other side may take to show who it is.
pub(crate) const HANDSHAKE_MS: u64 = 3000;
/// Connections that have not shown who they are.
pub(crate) const STRANGERS_MAX: usize = 64;
/// How long a full lane holds publishers back.
pub(crate) const STALL_MS: u64 = 5000;
/// How long an acknowledgement waits for other nodes: for longer than it takes to find out that one is
/// lost, and to have its sessions go on elsewhere.
pub(crate) const WAIT_MS: u64 = 12_000;
/// How often a peer is told what it should know of the routes here, and how often retained messages
/// are compared.
pub(crate) const DIGEST_MS: u64 = 5000;

/// What a node of a cluster is to the others.
#[derive(Clone)]
pub struct ClusterConfig {
    /// Its name.
    pub name: String,
    /// Rises with every start.
    pub incarnation: u64,
    /// Where it takes lanes; port 0: any.
    pub bind: String,
    /// What every node of the cluster knows, and nobody else.
    pub secret: Vec<u8>,
    /// How long a client that connects waits for nodes that may have its session.
    pub takeover: std::time::Duration,
    /// Certificates of the lanes; none: they are not encrypted.
    pub tls: Option<MutualTlsConfig>,
}

impl std::fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterConfig")
            .field("name", &self.name)
            .field("incarnation", &self.incarnation)
            .field("bind", &self.bind)
            .field("takeover", &self.takeover)
            .finish_non_exhaustive()
    }
}

/// Another node that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPeer {
    /// Its name.
    pub name: String,
    /// That of its present start.
    pub incarnation: u64,
    /// Where it takes lanes.
    pub address: SocketAddr,
}

/// Who else keeps the sessions of this node.
#[derive(Clone, Debug, Default)]
pub struct PartnerStatus {
    /// Its name; empty: nobody does.
    pub name: String,
    /// It has all of them; acknowledgements wait for it.
    pub is_whole: bool,
    /// Since when that is so or not so, ms since 1970; 0: since the start.
    pub since_ms: u64,
    /// Changes on their way there and not kept.
    pub lag: u64,
    /// Bytes of them.
    pub lag_bytes: u64,
    /// Times that acknowledgements left without it because it was late.
    pub unconfirmed: u64,
    /// Times that a copy was given up.
    pub restarts: u64,
    /// Why the last one was: a code, a colon, a text. Empty: all is well.
    pub last_error: String,
}

/// How it stands with another node.
#[derive(Clone, Debug, Default)]
pub struct PeerStatus {
    /// Its name.
    pub name: String,
    /// That of its present start.
    pub incarnation: u64,
    /// Every lane stands, in both directions.
    pub is_connected: bool,
    /// Since when that is so or not so, ms since 1970.
    pub since_ms: u64,
    /// Topic filters that it has subscribers for.
    pub routes: u64,
    /// Messages for it.
    pub sent: u64,
    /// Messages from it.
    pub received: u64,
    /// Messages that were sent again after a cut.
    pub resent: u64,
    /// Messages that were dropped instead of sent.
    pub dropped: u64,
    /// Bytes that wait for it.
    pub queued_bytes: u64,
    /// What went wrong last: a code, a colon, a text. Empty: nothing.
    pub last_error: String,
}
