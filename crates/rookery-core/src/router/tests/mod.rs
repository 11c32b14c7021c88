//! The router against a list of filters, and what it keeps when everything has gone.

mod cache;
mod model;
mod routes;
mod rules;
mod shared;
mod tree;

use super::*;

fn key(session: u32) -> SessionKey {
    SessionKey { shard: (session % 3) as u16, generation: 1, slot: session }
}

fn subscriber(session: u32) -> Subscriber {
    Subscriber { key: key(session), ..Subscriber::default() }
}

fn matched_sessions(router: &Router, topic: &str) -> Vec<u32> {
    router.matches(topic).targets.iter().map(|target| target.key.slot).collect()
}
