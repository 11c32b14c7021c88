//! What the broker keeps for a client between its connections, MQTT-5.0 section 4.1.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use rookery_codec::QoS;
use smallvec::SmallVec;

use crate::effects::{ClientInfo, ConnMeta, SharedOrigin};
use crate::ids::{ConnKey, SessionKey};
use crate::inflight::Inflight;
use crate::message::{Message, Publisher};
use crate::moving::Moves;
use crate::mqueue::MessageQueue;
use crate::router::SubOpts;

/// Most bytes of filters whose retained messages a client still gets.
const REPLAY_BYTES_MAX: usize = 4 << 20;

/// A message on its way to one session.
#[derive(Debug, Default, Clone)]
pub struct Queued {
    /// The message; `None` while only its number in the durable log is kept in memory.
    pub message: Option<Arc<Message>>,
    /// Its number in the durable log; 0 = not durable.
    pub seq: u64,
    /// QoS to deliver with.
    pub qos: u8,
    /// RETAIN flag to deliver with.
    pub retain: bool,
    /// Subscription Identifiers to deliver with.
    pub sub_ids: DeliveryIds,
    /// The shared subscription it came through, to pick another member.
    pub group: SharedOrigin,
}

/// Subscription Identifiers of one delivery. Hardly any has some, and windows are full of these:
/// what is not there takes one word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryIds(Option<Box<SmallVec<[u32; 4]>>>);

impl DeliveryIds {
    /// These, in the order in which they are sent.
    #[inline]
    #[must_use]
    pub fn of(ids: &[u32]) -> Self {
        Self((!ids.is_empty()).then(|| Box::new(ids.into())))
    }

    /// All of them.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        self.0.as_deref().map_or(&[], |ids| ids.as_slice())
    }
}

impl FromIterator<u32> for DeliveryIds {
    fn from_iter<T: IntoIterator<Item = u32>>(ids: T) -> Self {
        let ids: SmallVec<[u32; 4]> = ids.into_iter().collect();
        Self::of(&ids)
    }
}

impl Queued {
    /// Bytes this entry holds in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        64 + self.message.as_ref().map_or(0, |m| m.size())
    }

    /// QoS to deliver with.
    #[must_use]
    pub fn qos(&self) -> QoS {
        QoS::from_u8(self.qos).unwrap_or(QoS::AtMostOnce)
    }
}

/// One subscription of a session.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Options as granted.
    pub opts: SubOpts,
    /// Subscription Identifier; 0 = none.
    pub sub_id: u32,
}

/// A will that may still have to be published.
#[derive(Debug, Clone)]
pub struct Will {
    /// The will message, complete.
    pub message: Arc<Message>,
    /// Will Delay Interval in seconds.
    pub delay_s: u32,
    /// When to publish it, ms since 1970; 0 while the client is connected.
    pub due_at_ms: u64,
}

/// What is known of a session's latest connection.
#[derive(Copy, Clone, Debug)]
pub struct Latest {
    /// When it was admitted, ms since 1970.
    pub connected_at_ms: u64,
    /// Keep Alive, seconds.
    pub keep_alive_s: u16,
    /// Clean Start.
    pub clean_start: bool,
}

/// A client's session.
#[derive(Debug)]
pub struct Session {
    /// Its place.
    pub key: SessionKey,
    /// Client identifier and user name, shared with every message it publishes.
    pub publisher: Arc<Publisher>,
    /// Number on disk; 0 = it ends with its connection.
    pub durable_id: u64,
    /// Session Expiry Interval in seconds.
    pub expiry_s: u32,
    /// Its connection.
    pub conn: Option<ConnKey>,
    /// The connection's description, kept for management after it is gone.
    pub meta: Arc<ConnMeta>,
    /// Protocol level of the latest connection.
    pub proto_ver: u8,
    /// Clean Start of the latest connection, see [`Session::latest`].
    pub clean_start: bool,
    /// Keep Alive of the latest connection, seconds, see [`Session::latest`].
    pub keep_alive_s: u16,
    /// Subscriptions by the filter as the client wrote it.
    pub subscriptions: HashMap<Box<str>, Subscription>,
    /// Outbound messages not settled.
    pub inflight: Inflight,
    /// Outbound messages waiting for room in the window or for the client.
    pub queue: MessageQueue,
    /// Inbound QoS 2 packet identifiers waiting for PUBREL, with the time they came (mono ms).
    pub awaiting_rel: Option<Box<HashMap<u16, u64>>>,
    /// The will.
    pub will: Option<Box<Will>>,
    /// Retained messages still to be delivered to new subscriptions.
    pub replays: Option<Box<Replays>>,
    /// Of the latest connect: rises with every connect of this client identifier, orders notices.
    pub generation: u64,
    /// When it was made, ms since 1970.
    pub created_at_ms: u64,
    /// When the latest connection was admitted; 0 when nothing is known of it, for an older version
    /// wrote the session's record.
    pub connected_at_ms: u64,
    /// When the connection was lost; 0 while connected.
    pub disconnected_at_ms: u64,
    /// Messages dropped from its queue.
    pub dropped: u64,
    /// Messages in its queue, or that were, of which it is not known yet whether the store takes them.
    pub unstored: u32,
    /// Ticket of the write of its latest subscription; `u64::MAX` = the store refused one.
    pub subscribed_ticket: u64,
    /// Its record is on disk for certain, be it an older one.
    pub is_recorded: bool,
    /// A read of message bodies from the store is under way.
    pub is_fetching: bool,
    /// When its timer fires (mono ms); 0 = none is armed.
    pub timer_ms: u64,
    /// What it remembers of moving between nodes.
    pub moves: Option<Box<Moves>>,
}

/// New subscriptions of a session that still get retained messages.
#[derive(Debug, Default)]
pub struct Replays {
    queue: VecDeque<Replay>,
    /// Bytes of their filters.
    bytes: usize,
}

impl Replays {
    /// Adds some; of more than `max`, or of too long ones, the oldest go.
    pub fn extend(&mut self, replays: Vec<Replay>, max: usize) {
        self.bytes += replays.iter().map(|replay| replay.filter.len()).sum::<usize>();
        self.queue.extend(replays);
        while self.queue.len() > max || (self.bytes > REPLAY_BYTES_MAX && self.queue.len() > 1) {
            self.pop();
        }
    }

    /// The next one.
    pub fn front_mut(&mut self) -> Option<&mut Replay> {
        self.queue.front_mut()
    }

    /// Takes it out; whether there are more.
    pub fn pop(&mut self) -> bool {
        if let Some(replay) = self.queue.pop_front() {
            self.bytes -= replay.filter.len();
        }
        !self.queue.is_empty()
    }
}

/// A new subscription that still gets retained messages.
#[derive(Debug)]
pub struct Replay {
    /// The filter to read, without `$share` and the like.
    pub filter: Box<str>,
    /// Where the read stands.
    pub cursor: crate::retained::RetainedCursor,
    /// Its subscription.
    pub subscription: Subscription,
}

impl Session {
    /// Its latest connection, as far as that is known.
    #[must_use]
    pub fn latest(&self) -> Option<Latest> {
        let Self { connected_at_ms, keep_alive_s, clean_start, .. } = *self;
        (connected_at_ms != 0).then_some(Latest { connected_at_ms, keep_alive_s, clean_start })
    }

    /// The row for management and hooks.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn info(&self) -> ClientInfo {
        let latest = self.latest();
        ClientInfo {
            client_id: self.publisher.client_id.clone(),
            username: self.publisher.username.clone(),
            connected: self.conn.is_some(),
            peer: self.meta.known_peer(),
            listener: Some(self.meta.listener.clone()),
            proto_ver: self.proto_ver,
            keepalive_s: latest.map(|latest| latest.keep_alive_s),
            clean_start: latest.map(|latest| latest.clean_start),
            expiry_interval_s: self.expiry_s,
            created_at_ms: self.created_at_ms,
            connected_at_ms: self.connected_at_ms,
            disconnected_at_ms: self.disconnected_at_ms,
            generation: self.generation,
            subscriptions: self.subscriptions.len() as u32,
            inflight: self.inflight.len() as u32,
            mqueue: self.queue.len() as u32,
            mqueue_dropped: self.dropped,
            awaiting_rel: self.awaiting_rel.as_ref().map_or(0, |a| a.len() as u32),
            durable: self.durable_id != 0,
            cert: self.meta.cert.clone(),
            client_attrs: Vec::new(),
            is_superuser: false,
            zone: None,
            mountpoint: self.meta.mountpoint.clone(),
        }
    }

    /// Whether a queued message may be kept for the client while it is away.
    #[must_use]
    pub fn outlives_connection(&self) -> bool {
        self.expiry_s > 0
    }
}
