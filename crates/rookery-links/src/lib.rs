//! What linked clusters tell each other, as state machines: bytes and facts in, bytes and facts out.
//!
//! It is EMQX's link protocol over MQTT 5, so that either side may be an EMQX cluster.
//!
//! - [`term`]: Erlang's external term format, bounded.
//! - [`operation`]: what the route topic and the response topic carry.
//! - [`message`]: how a message looks that crosses a link.
//! - [`filters`]: which part of a subscription a link is interested in.
//! - [`sender`]: tells the other cluster what is subscribed here.
//! - [`receiver`]: takes what the other clusters tell, and [`table`] keeps it.
//!
//! Nothing here reads a clock, does I/O or knows a socket: a driver does, and a simulation can.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic))]

pub mod filters;
pub mod message;
pub mod operation;
pub mod receiver;
pub mod sender;
pub mod table;
pub mod term;
pub mod topics;
mod write;
