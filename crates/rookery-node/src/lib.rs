//! Listeners, reactor threads and wiring of a Rookery node.
//!
//! One thread per worker, each with its own epoll instance and its own
//! [`rookery_core::shard::Shard`]. A turn reads what is ready, lets the shard handle it,
//! and ends with one write per touched connection and one wake-up per touched thread.
//!
//! **Invariants.** Worker threads never wait for anything but epoll: the store, other
//! workers and the management plane are reached through queues. Nothing here knows Python.

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!(
    "Rookery runs on Linux (x86_64, aarch64) only: its reactor is built on epoll and eventfd. \
     Use a Linux machine, container or virtual machine."
);

mod accept;
pub mod actions;
pub mod api;
mod bind;
pub mod cluster;
mod completion;
mod dial;
mod flush;
mod forwarded;
mod guard;
mod inbox;
mod layers;
mod learn;
mod linger;
pub mod links;
mod listen;
mod listeners;
mod node;
mod outlet;
mod peer;
pub mod plugins;
mod recover;
mod scan;
mod shipping;
mod socket;
mod standing;
mod tls;
mod transport;
mod up;
mod worker;

pub use node::{
    AclSubject, MessagePage, MessageQuery, MessageRow, MessageSort, MessageWindow, Node,
    OutputSpec, Page, RuleSpec, TopicQuery,
};
pub use peer::{HookPeer, Hookpoint};
