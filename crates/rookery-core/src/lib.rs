//! Sessions, routing and delivery of the Rookery broker, without I/O, clock or threads.
//!
//! A [`shard::Shard`] is one worker's whole broker state as a machine: a driver feeds it
//! bytes, ticks, messages of other shards and completions of the store; it answers with
//! [`effects::Effects`] and with bytes in outboxes. What shards share ([`shared::Shared`])
//! is the subscription trie, the retained messages and a few counters.
//!
//! **Invariants.** Nothing here blocks, sleeps, reads a clock or does I/O. What a client sent
//! is bounded before it is kept. A promise of durability leaves only when its ticket is
//! committed.

pub mod access;
pub mod config;
pub mod conn;
pub mod copies;
pub mod effects;
pub mod ids;
pub mod inflight;
pub mod limiter;
pub mod links;
pub mod message;
pub mod message_pool;
pub mod metrics;
pub mod moving;
pub mod mqueue;
mod nodes_message;
pub mod observe;
pub mod operation;
pub mod outbox;
pub mod persist;
pub mod pledges;
mod prefetch;
pub mod query;
pub mod retained;
pub mod rewrite;
pub mod router;
pub mod rules;
pub mod session;
pub mod shadow;
pub mod shard;
pub mod shared;
pub mod slab;
pub mod sorting;
pub mod store_port;
pub mod topic_counts;
pub mod traffic;
pub mod wheel;
