//! What a trace is about, and one line of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use smallvec::SmallVec;

/// A trace that runs.
#[derive(Clone, Debug)]
pub struct TraceConfig {
    /// Its number: never used again for another one.
    pub id: u32,
    /// What it is about.
    pub of: TraceMatch,
}

/// What a trace is about.
#[derive(Clone, Debug)]
pub enum TraceMatch {
    /// A client.
    ClientId(Box<str>),
    /// Messages whose topic matches a filter.
    Topic(Box<str>),
    /// Clients of an address.
    IpAddress(IpAddr),
}

/// Something that happened to what is traced.
#[derive(Clone, Debug)]
pub struct TraceEvent {
    /// When, microseconds since 1970; the driver sets it.
    pub at_us: u64,
    /// The traces it belongs to.
    pub traces: SmallVec<[u32; 2]>,
    /// The part of the broker: `MQTT`, `PUBLISH`, `AUTHN`, `AUTHZ`, `CONNECTION`.
    pub tag: &'static str,
    /// What happened.
    pub msg: &'static str,
    /// The client.
    pub client_id: Arc<str>,
    /// Its user name.
    pub username: Option<Arc<str>>,
    /// Its address.
    pub peer: Option<SocketAddr>,
    /// The topic, if it is about one.
    pub topic: Option<Box<str>>,
    /// The packet, or why.
    pub detail: Box<str>,
    /// The beginning of the payload, if there is one.
    pub payload: Option<Box<[u8]>>,
    /// Bytes of the whole payload.
    pub payload_len: usize,
}
