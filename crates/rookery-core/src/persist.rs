//! How durable state looks in the store's tables. Values carry a version byte; fields are only added.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rookery_cluster::replica::{Key, Version};
use rookery_codec::Fields;

use crate::message::{Message, put_text};
use crate::retained::Past;
use crate::router::SubOpts;
use crate::session::{Latest, Session, Subscription, Will};
use crate::store_port::{Op, Table};

/// Facts about the node: heartbeat.
pub const META: Table = Table(0);
/// Client identifier → session.
pub const SESSIONS: Table = Table(1);
/// Durable session number and filter → options.
pub const SUBSCRIPTIONS: Table = Table(2);
/// Topic name → retained message.
pub const RETAINED: Table = Table(3);
/// Client identifier → will.
pub const WILLS: Table = Table(4);
/// Message id → delayed message.
pub const DELAYED: Table = Table(5);
/// Durable session number and packet identifier of an inbound QoS 2 PUBLISH.
pub const AWAITING_REL: Table = Table(6);

/// Key of a topic → version of the deletion of its retained message.
pub const RETAINED_DELETIONS: Table = Table(10);

/// Key in [`META`] of the time up to which deletions may have been forgotten.
const META_PURGED: &[u8] = b"retained_purged";
/// In front of a node's name in [`META`]: until when it had all that is retained here.
const META_IN_STEP: &[u8] = b"retained_in_step/";
/// The first octet of a retained message that has a version in front; of others it is the
/// message's own.
const WITH_VERSION: u8 = 3;

/// Key in [`META`] of a number that no other store has.
pub const META_STORE: &[u8] = b"store";
/// Key in [`META`] of the time the node was last known to run, ms since 1970.
pub const META_ALIVE: &[u8] = b"alive";

/// A session as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Client identifier.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Its number.
    pub durable_id: u64,
    /// Session Expiry Interval, seconds.
    pub expiry_s: u32,
    /// Created, ms since 1970.
    pub created_at_ms: u64,
    /// Disconnected, ms since 1970; 0 = was connected.
    pub disconnected_at_ms: u64,
    /// Connects so far.
    pub generation: u64,
    /// Zone name index at the time.
    pub zone: u16,
    /// Protocol level.
    pub proto_ver: u8,
    /// Topic prefix.
    pub mountpoint: String,
    /// Listener.
    pub listener: String,
    /// Its latest connection; none in records of versions that did not keep it.
    pub latest: Option<LatestConnection>,
    /// See [`crate::moving::Moves::took`].
    pub took: u64,
}

/// What management shows of a client that is away about its latest connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestConnection {
    /// Admitted, ms since 1970.
    pub connected_at_ms: u64,
    /// Keep Alive, seconds.
    pub keep_alive_s: u16,
    /// Clean Start as sent.
    pub clean_start: bool,
    /// Its address.
    pub peer: Option<SocketAddr>,
    /// Name of its zone.
    pub zone: String,
}

const IS_CLEAN_START: u8 = 1;
const HAS_V4: u8 = 2;
const HAS_V6: u8 = 4;
/// The zone that every node has; its name is not written.
const DEFAULT_ZONE: &str = "default";

/// Writes a session's record; `zone` is the name of its zone.
#[must_use]
pub fn put_session(session: &Session, zone: &str) -> Op {
    let mut value = Vec::with_capacity(128);
    value.push(1);
    value.extend_from_slice(&session.durable_id.to_le_bytes());
    value.extend_from_slice(&session.expiry_s.to_le_bytes());
    value.extend_from_slice(&session.created_at_ms.to_le_bytes());
    value.extend_from_slice(&session.disconnected_at_ms.to_le_bytes());
    value.extend_from_slice(&session.generation.to_le_bytes());
    value.extend_from_slice(&u32::from(session.meta.zone).to_le_bytes());
    value.push(session.proto_ver);
    put_text(&mut value, session.publisher.username.as_deref());
    put_text(&mut value, Some(&session.meta.mountpoint));
    put_text(&mut value, Some(&session.meta.listener));
    if let Some(latest) = session.latest() {
        put_latest(&mut value, session, latest, zone);
        if let Some(moves) = &session.moves {
            value.extend_from_slice(&moves.took.to_le_bytes());
        }
    }
    Op::Put {
        table: SESSIONS,
        key: session.publisher.client_id.as_bytes().into(),
        value: value.into(),
    }
}

/// Versions that do not know this part stop in front of it.
fn put_latest(value: &mut Vec<u8>, session: &Session, latest: Latest, zone: &str) {
    value.extend_from_slice(&latest.connected_at_ms.to_le_bytes());
    value.extend_from_slice(&latest.keep_alive_s.to_le_bytes());
    let clean_start = if latest.clean_start { IS_CLEAN_START } else { 0 };
    match session.meta.known_peer() {
        None => value.push(clean_start),
        Some(SocketAddr::V4(peer)) => {
            value.push(clean_start | HAS_V4);
            value.extend_from_slice(&peer.ip().octets());
            value.extend_from_slice(&peer.port().to_le_bytes());
        }
        Some(SocketAddr::V6(peer)) => {
            value.push(clean_start | HAS_V6);
            value.extend_from_slice(&peer.ip().octets());
            value.extend_from_slice(&peer.port().to_le_bytes());
        }
    }
    put_text(value, (zone != DEFAULT_ZONE).then_some(zone));
}

fn read_latest(r: &mut Fields<'_>) -> Option<LatestConnection> {
    let (connected_at_ms, keep_alive_s, flags) = (r.u64()?, r.u16()?, r.u8()?);
    let ip: Option<IpAddr> = if flags & HAS_V4 != 0 {
        Some(<[u8; 4]>::try_from(r.take(4)?).ok()?.into())
    } else if flags & HAS_V6 != 0 {
        Some(<[u8; 16]>::try_from(r.take(16)?).ok()?.into())
    } else {
        None
    };
    let peer = match ip {
        Some(ip) => Some(SocketAddr::new(ip, r.u16()?)),
        None => None,
    };
    let zone = r.text()?.unwrap_or(DEFAULT_ZONE).to_owned();
    let clean_start = flags & IS_CLEAN_START != 0;
    Some(LatestConnection { connected_at_ms, keep_alive_s, clean_start, peer, zone })
}

/// Reads a session's record; `None` when it is not one.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn read_session(key: &[u8], value: &[u8]) -> Option<SessionRecord> {
    let mut r = Fields(value);
    (r.u8()? == 1).then_some(())?;
    Some(SessionRecord {
        client_id: std::str::from_utf8(key).ok()?.to_owned(),
        durable_id: r.u64()?,
        expiry_s: r.u32()?,
        created_at_ms: r.u64()?,
        disconnected_at_ms: r.u64()?,
        generation: r.u64()?,
        zone: r.u32()? as u16,
        proto_ver: r.u8()?,
        username: r.text()?.map(str::to_owned),
        mountpoint: r.text()?.unwrap_or_default().to_owned(),
        listener: r.text()?.unwrap_or_default().to_owned(),
        latest: if r.0.is_empty() { None } else { Some(read_latest(&mut r)?) },
        took: if r.0.is_empty() { 0 } else { r.u64()? },
    })
}

/// Removes a session's record.
#[must_use]
pub fn delete_session(client_id: &str) -> Op {
    Op::Delete { table: SESSIONS, key: client_id.as_bytes().into() }
}

fn subscription_key(durable_id: u64, filter: &str) -> Box<[u8]> {
    [&durable_id.to_be_bytes(), filter.as_bytes()].concat().into()
}

/// Writes a subscription.
#[must_use]
pub fn put_subscription(durable_id: u64, filter: &str, subscription: Subscription) -> Op {
    let mut value = vec![1, subscription.opts.bits()];
    value.extend_from_slice(&subscription.sub_id.to_le_bytes());
    Op::Put { table: SUBSCRIPTIONS, key: subscription_key(durable_id, filter), value: value.into() }
}

/// Removes a subscription.
#[must_use]
pub fn delete_subscription(durable_id: u64, filter: &str) -> Op {
    Op::Delete { table: SUBSCRIPTIONS, key: subscription_key(durable_id, filter) }
}

/// Reads a subscription: session number, filter, options.
#[must_use]
pub fn read_subscription(key: &[u8], value: &[u8]) -> Option<(u64, String, Subscription)> {
    let mut k = Fields(key);
    let durable_id = u64::from_be_bytes(k.take(8)?.try_into().ok()?);
    let filter = std::str::from_utf8(k.0).ok()?.to_owned();
    let mut r = Fields(value);
    (r.u8()? == 1).then_some(())?;
    let opts = SubOpts::from_bits(r.u8()?);
    Some((durable_id, filter, Subscription { opts, sub_id: r.u32()? }))
}

/// Writes a retained message. Every shard may: `order` is the change's place among all changes
/// of retained messages.
#[must_use]
pub fn put_retained(message: &Message, order: u64) -> Op {
    Op::Ordered {
        order,
        table: RETAINED,
        key: message.topic().as_bytes().into(),
        value: Some(Box::from(&*message.to_bytes())),
    }
}

/// Removes a retained message.
#[must_use]
pub fn delete_retained(topic: &str, order: u64) -> Op {
    Op::Ordered { order, table: RETAINED, key: topic.as_bytes().into(), value: None }
}

/// The same in a cluster.
#[must_use]
pub fn put_retained_version(message: &Message, version: &Version, order: u64) -> Op {
    let mut value = vec![WITH_VERSION];
    put_version(&mut value, version);
    message.encode_into(&mut value);
    let key = message.topic().as_bytes().into();
    Op::Ordered { order, table: RETAINED, key, value: Some(value.into()) }
}

/// Reads a retained message, and its version if it has one.
#[must_use]
pub fn read_retained(value: &[u8]) -> Option<(Message, Option<Version>)> {
    match value.split_first() {
        Some((&WITH_VERSION, rest)) => {
            let mut r = Fields(rest);
            let version = read_version(&mut r)?;
            Some((Message::from_bytes(r.0)?, Some(version)))
        }
        _ => Some((Message::from_bytes(value)?, None)),
    }
}

fn put_version(out: &mut Vec<u8>, version: &Version) {
    out.extend_from_slice(&version.time.to_le_bytes());
    put_text(out, Some(&version.node));
}

fn read_version(r: &mut Fields<'_>) -> Option<Version> {
    Some(Version { time: r.u64()?, node: r.text()??.into() })
}

/// Remembers that a retained message was deleted.
#[must_use]
pub fn put_retained_deletion(key: &Key, version: &Version, order: u64) -> Op {
    let mut value = vec![1];
    put_version(&mut value, version);
    let (table, key) = (RETAINED_DELETIONS, key[..].into());
    Op::Ordered { order, table, key, value: Some(value.into()) }
}

/// Forgets that.
#[must_use]
pub fn delete_retained_deletion(key: &Key, order: u64) -> Op {
    Op::Ordered { order, table: RETAINED_DELETIONS, key: key[..].into(), value: None }
}

/// Reads a deletion.
#[must_use]
pub fn read_retained_deletion(key: &[u8], value: &[u8]) -> Option<(Key, Version)> {
    let mut r = Fields(value);
    (r.u8()? == 1).then_some(())?;
    Some((key.try_into().ok()?, read_version(&mut r)?))
}

/// Gives a store a number of its own.
#[must_use]
pub fn put_store_id(id: u64) -> Op {
    put_time(META_STORE.into(), id)
}

fn put_time(key: Box<[u8]>, time: u64) -> Op {
    Op::Put { table: META, key, value: Box::new(time.to_le_bytes()) }
}

/// Notes up to which time deletions may have been forgotten.
#[must_use]
pub fn put_retained_purged(time: u64) -> Op {
    put_time(META_PURGED.into(), time)
}

/// Notes until when a node had all that is retained here.
#[must_use]
pub fn put_retained_in_step(node: &str, time: u64) -> Op {
    put_time([META_IN_STEP, node.as_bytes()].concat().into(), time)
}

/// Reads what [`META`] has about replicated messages.
pub fn read_retained_meta(key: &[u8], value: &[u8], past: &mut Past) -> Option<()> {
    let time = || value.try_into().ok().map(u64::from_le_bytes);
    if key == META_PURGED {
        past.purged = time()?;
    } else if let Some(node) = key.strip_prefix(META_IN_STEP) {
        past.in_step.insert(std::str::from_utf8(node).ok()?.into(), time()?);
    }
    Some(())
}

/// Writes a will.
#[must_use]
pub fn put_will(client_id: &str, will: &Will) -> Op {
    let mut value = Vec::new();
    encode_will(will, &mut value);
    Op::Put { table: WILLS, key: client_id.as_bytes().into(), value: value.into() }
}

/// Appends a will as it is stored.
pub fn encode_will(will: &Will, out: &mut Vec<u8>) {
    out.push(1);
    out.extend_from_slice(&will.delay_s.to_le_bytes());
    out.extend_from_slice(&will.due_at_ms.to_le_bytes());
    will.message.encode_into(out);
}

/// The inverse of [`encode_will`].
#[must_use]
pub fn decode_will(value: &[u8]) -> Option<Will> {
    let mut r = Fields(value);
    (r.u8()? == 1).then_some(())?;
    let delay_s = r.u32()?;
    let due_at_ms = r.u64()?;
    Some(Will { message: Arc::new(Message::from_bytes(r.0)?), delay_s, due_at_ms })
}

/// Removes a will.
#[must_use]
pub fn delete_will(client_id: &str) -> Op {
    Op::Delete { table: WILLS, key: client_id.as_bytes().into() }
}

/// Reads a will: client identifier, will.
#[must_use]
pub fn read_will(key: &[u8], value: &[u8]) -> Option<(String, Will)> {
    Some((std::str::from_utf8(key).ok()?.to_owned(), decode_will(value)?))
}

/// Writes a delayed message.
#[must_use]
pub fn put_delayed(due_at_ms: u64, message: &Message) -> Op {
    let mut value = Vec::new();
    encode_delayed(due_at_ms, message, &mut value);
    Op::Put { table: DELAYED, key: message.id.0.to_be_bytes().into(), value: value.into() }
}

/// Appends a delayed message as it is stored.
pub fn encode_delayed(due_at_ms: u64, message: &Message, out: &mut Vec<u8>) {
    out.push(1);
    out.extend_from_slice(&due_at_ms.to_le_bytes());
    message.encode_into(out);
}

/// Removes a delayed message.
#[must_use]
pub fn delete_delayed(message: &Message) -> Op {
    Op::Delete { table: DELAYED, key: message.id.0.to_be_bytes().into() }
}

/// Reads a delayed message: due time, message.
#[must_use]
pub fn read_delayed(value: &[u8]) -> Option<(u64, Message)> {
    let mut r = Fields(value);
    (r.u8()? == 1).then_some(())?;
    let due_at_ms = r.u64()?;
    Some((due_at_ms, Message::from_bytes(r.0)?))
}

fn awaiting_rel_key(durable_id: u64, packet_id: u16) -> Box<[u8]> {
    [&durable_id.to_be_bytes()[..], &packet_id.to_be_bytes()].concat().into()
}

/// Notes an inbound QoS 2 packet identifier.
#[must_use]
pub fn put_awaiting_rel(durable_id: u64, packet_id: u16) -> Op {
    Op::Put {
        table: AWAITING_REL,
        key: awaiting_rel_key(durable_id, packet_id),
        value: Box::new([1]),
    }
}

/// Forgets an inbound QoS 2 packet identifier.
#[must_use]
pub fn delete_awaiting_rel(durable_id: u64, packet_id: u16) -> Op {
    Op::Delete { table: AWAITING_REL, key: awaiting_rel_key(durable_id, packet_id) }
}

/// Reads an inbound QoS 2 packet identifier.
#[must_use]
pub fn read_awaiting_rel(key: &[u8]) -> Option<(u64, u16)> {
    let mut r = Fields(key);
    let durable_id = u64::from_be_bytes(r.take(8)?.try_into().ok()?);
    Some((durable_id, u16::from_be_bytes(r.take(2)?.try_into().ok()?)))
}
