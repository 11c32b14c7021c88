//! What all shards of a node share.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::access::{Compiled, Crowd, LoginBackoff};
use crate::ids::SessionKey;
use crate::links::Links;
use crate::message::Message;
use crate::metrics::Metrics;
use crate::pledges::Pledges;
use crate::retained::{Past, Replicated, Retained};
use crate::router::Router;

/// State common to the shards of one node.
#[derive(Debug)]
pub struct Shared {
    /// Subscriptions of the whole node.
    pub router: Router,
    /// Retained messages of the whole node.
    pub retained: Retained<Message>,
    /// Their versions, once the node is one of a cluster.
    pub replicated: OnceLock<Replicated>,
    /// What nodes of the cluster have promised to publish later.
    pub pledges: OnceLock<Pledges>,
    /// What the store knew of versions when the node started.
    pub past: Mutex<Past>,
    /// One set of counters per shard; the last one belongs to the management plane.
    pub metrics: Vec<Metrics>,
    /// Delayed messages waiting on all shards.
    pub delayed: AtomicUsize,
    /// Sessions of all shards.
    pub sessions: AtomicUsize,
    /// Connected clients of all shards.
    pub connected: AtomicUsize,
    /// Other nodes of the cluster that run.
    pub other_nodes: AtomicUsize,
    /// The lanes to other nodes are open.
    pub is_clustered: AtomicBool,
    /// Whether they are nearly as many as there may be.
    pub crowd: Crowd,
    /// Rules and bans, ready to use.
    pub compiled: Compiled,
    /// Failed logins.
    pub backoff: LoginBackoff,
    /// What linked clusters want.
    pub links: Links,
    exclusive: Mutex<HashMap<Box<str>, SessionKey>>,
    /// Key of the hash that places clients.
    placement: [u64; 2],
    shards: u16,
    next_seq: AtomicU64,
    next_durable_id: AtomicU64,
}

impl Shared {
    /// State for `shards` shards; the counters go on from what recovery found.
    #[must_use]
    pub fn new(shards: u16, next_seq: u64, next_durable_id: u64) -> Self {
        Self {
            router: Router::default(),
            retained: Retained::default(),
            replicated: OnceLock::new(),
            pledges: OnceLock::new(),
            past: Mutex::default(),
            metrics: (0..=shards).map(|_| Metrics::default()).collect(),
            delayed: AtomicUsize::new(0),
            sessions: AtomicUsize::new(0),
            connected: AtomicUsize::new(0),
            other_nodes: AtomicUsize::new(0),
            is_clustered: AtomicBool::new(false),
            crowd: Crowd::default(),
            compiled: Compiled::default(),
            backoff: LoginBackoff::default(),
            links: Links::default(),
            exclusive: Mutex::default(),
            placement: [0, 1].map(|n| std::hash::RandomState::new().hash_one(n)),
            shards,
            next_seq: AtomicU64::new(next_seq.max(1)),
            next_durable_id: AtomicU64::new(next_durable_id.max(1)),
        }
    }

    /// Places clients in a way that can be repeated, for simulations.
    #[must_use]
    pub fn with_placement(mut self, key: u64) -> Self {
        self.placement = [key, key];
        self
    }

    /// Where the chance that rules are given begins at a shard.
    #[must_use]
    pub(crate) fn seed(&self, shard: u16) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        (self.placement, shard).hash(&mut hasher);
        hasher.finish()
    }

    /// Number of shards.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// The shard that owns a client's session. The hash is keyed, so clients cannot choose their shard.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn shard_of(&self, client_id: &str) -> u16 {
        if self.shards == 1 {
            return 0;
        }
        let mut hasher = std::hash::DefaultHasher::new();
        (self.placement, client_id).hash(&mut hasher);
        (hasher.finish() % u64::from(self.shards)) as u16
    }

    /// A number for a durable message, unique for ever.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq.fetch_add(1, Ordering::Relaxed)
    }

    /// A number for a durable session, unique for ever.
    #[must_use]
    pub fn next_durable_id(&self) -> u64 {
        self.next_durable_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes an exclusive subscription; false when another session holds it.
    pub fn take_exclusive(&self, topic: &str, key: SessionKey) -> bool {
        let mut held = self.exclusive.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match held.get(topic) {
            Some(holder) => *holder == key,
            None => {
                held.insert(topic.into(), key);
                true
            }
        }
    }

    /// Gives an exclusive subscription back.
    pub fn release_exclusive(&self, topic: &str, key: SessionKey) {
        let mut held = self.exclusive.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if held.get(topic) == Some(&key) {
            held.remove(topic);
        }
    }
}
