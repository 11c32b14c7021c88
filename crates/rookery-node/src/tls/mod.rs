//! TLS of listeners: reading certificates and keys, handshakes, and what changes while they stand.
//!
//! Everything cryptographic is rustls; this module decides what it is given and says in words
//! what it refuses.

pub(crate) mod explain;
mod facts;
mod files;
mod keys;
mod load;
pub(crate) mod mutual;
pub(crate) mod server;
pub(crate) mod session;
mod suites;
mod verify;
pub(crate) mod watch;
