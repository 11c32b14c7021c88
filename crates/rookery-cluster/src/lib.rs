//! What nodes of a cluster tell each other, as state machines: bytes and facts in, bytes and facts
//! out.
//!
//! - [`frame`]: what is on the wire between two nodes, bounded.
//! - [`auth`]: how two nodes that share a secret find out that they do.
//! - [`lane`]: a stream of messages in order, with credits, that goes on after a cut.
//! - [`replica`]: a map that all nodes hold, and that becomes equal again after any cut.
//! - [`moves`]: how a session gets from one node to another, and who is waited for.
//! - [`shadow`]: how a second node keeps the sessions of a node.
//! - [`routes`]: how a node learns which topic filters another one has subscribers for.
//!
//! Nothing here reads a clock, does I/O or knows a socket: a driver does, and a simulation can.
#![forbid(unsafe_code)]

pub mod auth;
pub mod frame;
pub mod lane;
pub mod moves;
pub mod replica;
pub mod routes;
pub mod shadow;
