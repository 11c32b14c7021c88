//! Messages of a link on their way: what waits, what is under way, one connection.

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_codec::{QoS, ReasonCode};
use rookery_core::message::Message;
use rookery_links::message::LinkMessage;

use super::client::{Client, Event, Hello};
use super::counters::Counters;
use super::line::{Destination, Line};
use super::reason::Reason;
use super::spool::Place;

/// Octets in the buffers of a connection above which messages wait outside of it.
const UNSENT_MAX: usize = 256 << 10;
/// Between attempts to connect.
const RECONNECT_MS: u64 = 5000;
/// What a message costs beside its own octets.
const ITEM_BYTES: usize = 64;

/// A message that waits, or is under way.
struct Item {
    message: Arc<Message>,
    since_ms: u64,
    /// It tells what is retained here.
    is_state: bool,
    /// Where it stands on disk.
    place: Option<Place>,
}

impl Item {
    fn bytes(&self) -> usize {
        self.message.size() + ITEM_BYTES
    }
}

/// What the connections of a link have in common.
pub(super) struct Terms {
    /// Where messages go.
    pub(super) topic: String,
    pub(super) retry_interval_ms: u64,
    pub(super) max_inflight: usize,
    pub(super) request_ttl_ms: Option<u64>,
    pub(super) health_check_interval_ms: u64,
    /// Properties of a packet that tells what is retained here.
    pub(super) state: Vec<u8>,
}

/// One connection and its messages, in order.
pub(super) struct Forwarder {
    pub(super) line: Line,
    waiting: VecDeque<Item>,
    /// Of those that wait: how many are not on disk.
    unkept: usize,
    under_way: VecDeque<(u16, u64, Item)>,
    bytes: usize,
    /// Messages on disk that the other side has.
    pub(super) settled: Vec<Place>,
    has_stood: bool,
    /// A connection that stood is gone.
    pub(super) is_lost: bool,
    connect_at_ms: u64,
    /// It moves to its own server as soon as nothing is under way.
    is_leaving: bool,
    /// Why the last attempt failed, until one succeeds.
    pub(super) reason: Option<Reason>,
}

impl Forwarder {
    /// A connection that belongs to one of the servers.
    pub(super) fn new(hello: Hello, home: usize) -> Self {
        Self {
            line: Line::new(hello, home),
            waiting: VecDeque::new(),
            unkept: 0,
            under_way: VecDeque::new(),
            bytes: 0,
            settled: Vec::new(),
            has_stood: false,
            is_lost: false,
            connect_at_ms: 0,
            is_leaving: false,
            reason: None,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// How many of its messages are on disk.
    pub(super) fn kept(&self) -> u64 {
        let under_way = self.under_way.iter().map(|(_, _, item)| item);
        let all = under_way.chain(&self.waiting);
        all.filter(|item| item.place.is_some()).count() as u64
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, message: Arc<Message>, is_state: bool, now_ms: u64) {
        self.put(Item { message, since_ms: now_ms, is_state, place: None });
    }

    /// A message that is on disk.
    pub(super) fn push_kept(&mut self, message: Arc<Message>, place: Place, now_ms: u64) {
        self.put(Item { message, since_ms: now_ms, is_state: false, place: Some(place) });
    }

    fn put(&mut self, item: Item) {
        self.bytes += item.bytes();
        self.unkept += usize::from(item.place.is_none());
        self.waiting.push_back(item);
    }

    /// Gives up every message with QoS 1 and 2 in order: those that are not on disk are told to `keep`.
    pub(super) fn give_up(&mut self, mut keep: impl FnMut(&Message)) {
        let under_way = self.under_way.drain(..).map(|(_, _, item)| item);
        let all: Vec<Item> = under_way.chain(self.waiting.drain(..)).collect();
        self.unkept = 0;
        for item in all {
            if item.message.qos == QoS::AtMostOnce {
                self.unkept += 1;
                self.waiting.push_back(item);
                continue;
            }
            self.bytes -= item.bytes();
            if item.place.is_none() && !item.is_state {
                keep(&item.message);
            }
        }
    }

    /// The other side is there: the next attempt need not wait.
    pub(super) fn hurry(&mut self, now_ms: u64) {
        self.connect_at_ms = self.connect_at_ms.min(now_ms);
    }

    /// Ends the connection, to begin another one at once.
    pub(super) fn begin_anew(&mut self, now_ms: u64) {
        if self.line.is_ready() {
            self.has_stood = false;
            self.line.close();
            self.connect_at_ms = now_ms;
        }
    }

    /// How many messages wait that are not on disk.
    pub(super) const fn unkept(&self) -> usize {
        self.unkept
    }

    /// Drops a message that is not on disk: the one that waits longest, or the latest one behind
    /// others that are; whether there was one.
    pub(super) fn drop_one(&mut self, counters: &mut Counters) -> bool {
        let is_unkept = |item: &Item| item.place.is_none();
        let at = match self.waiting.front() {
            Some(first) if is_unkept(first) => Some(0),
            _ if self.unkept > 0 => self.waiting.iter().rposition(is_unkept),
            _ => None,
        };
        let Some(item) = at.and_then(|at| self.waiting.remove(at)) else { return false };
        self.bytes -= item.bytes();
        self.unkept -= 1;
        counters.dropped += 1;
        true
    }

    /// Everything that is due: connecting, what is too old, sending.
    pub(super) fn tick(
        &mut self,
        to: &Destination,
        terms: &Terms,
        now_ms: u64,
        counters: &mut Counters,
        scratch: &mut Vec<u8>,
    ) {
        if self.line.is_idle() && now_ms >= self.connect_at_ms {
            self.connect_at_ms = now_ms + RECONNECT_MS;
            let begun = self.line.begin(to, now_ms);
            self.note(begun, counters);
        }
        let watched = self.line.watch(to, now_ms);
        self.note(watched, counters);
        self.spread(to, terms, now_ms);
        self.expire(terms, now_ms, counters);
        let is_stuck = self
            .under_way
            .front()
            .is_some_and(|(_, sent_at_ms, _)| now_ms >= sent_at_ms + terms.retry_interval_ms);
        if is_stuck {
            // A packet is not sent twice on a connection, MQTT-5.0 [MQTT-4.4.0-1].
            self.line.close();
            let text = "a message was not acknowledged in time";
            self.lose(Reason::new("timed_out", text), counters);
            self.connect_at_ms = now_ms;
        }
        self.send(terms, now_ms, counters, scratch);
        let flushed = self.line.flush(to, now_ms);
        self.note(flushed, counters);
    }

    /// Goes back to its own server when that answers again.
    fn spread(&mut self, to: &Destination, terms: &Terms, now_ms: u64) {
        self.is_leaving |= self.line.may_go_home(to, now_ms, terms.health_check_interval_ms);
        self.is_leaving &= self.line.is_ready();
        if self.is_leaving && self.under_way.is_empty() && self.line.unsent() == 0 {
            self.is_leaving = false;
            self.line.go_home();
            self.connect_at_ms = now_ms;
        }
    }

    fn expire(&mut self, terms: &Terms, now_ms: u64, counters: &mut Counters) {
        let Some(ttl_ms) = terms.request_ttl_ms else { return };
        // What is on disk has an age of its own.
        let is_late = |item: &Item| item.place.is_none() && now_ms >= item.since_ms + ttl_ms;
        while self.waiting.front().is_some_and(is_late) {
            self.drop_one(counters);
        }
    }

    fn send(&mut self, terms: &Terms, now_ms: u64, counters: &mut Counters, scratch: &mut Vec<u8>) {
        if self.is_leaving {
            return;
        }
        let Some(client) = self.line.ready() else { return };
        let window = match terms.max_inflight {
            0 => usize::from(client.window),
            most => most.min(usize::from(client.window)),
        };
        while self.under_way.len() < window && client.unsent() < UNSENT_MAX {
            let Some(item) = self.waiting.pop_front() else { return };
            self.unkept -= usize::from(item.place.is_none());
            let qos = item.message.qos.min(QoS::AtLeastOnce);
            match write(client, terms, &item, qos, scratch) {
                None => {
                    self.bytes -= item.bytes();
                    self.settled.extend(item.place);
                    counters.failed += 1;
                }
                Some(0) => {
                    self.bytes -= item.bytes();
                    counters.success += 1;
                }
                Some(packet_id) => self.under_way.push_back((packet_id, now_ms, item)),
            }
        }
    }

    /// Takes what came.
    pub(super) fn serve(&mut self, to: &Destination, now_ms: u64, counters: &mut Counters) {
        let mut events = Vec::new();
        let served = self.line.serve(to, now_ms, &mut events);
        for event in events {
            match event {
                Event::Ready => {
                    self.has_stood = true;
                    self.reason = None;
                }
                Event::Acknowledged { packet_id, reason } => {
                    self.acknowledged(packet_id, reason, counters);
                }
                Event::Message { .. } => {}
            }
        }
        self.note(served, counters);
    }

    fn acknowledged(&mut self, packet_id: u16, reason: ReasonCode, counters: &mut Counters) {
        let Some(at) = self.under_way.iter().position(|(id, ..)| *id == packet_id) else { return };
        let Some((_, _, item)) = self.under_way.remove(at) else { return };
        self.bytes -= item.bytes();
        self.settled.extend(item.place);
        if reason.is_error() {
            counters.failed += 1;
            if reason == ReasonCode::NOT_AUTHORIZED {
                self.reason = Some(Reason::not_authorized());
            }
        } else {
            counters.success += 1;
            self.reason = None;
        }
    }

    fn note(&mut self, result: Result<(), Reason>, counters: &mut Counters) {
        if let Err(reason) = result {
            self.lose(reason, counters);
        }
    }

    /// What was under way is sent again, in front of what waits.
    fn lose(&mut self, reason: Reason, counters: &mut Counters) {
        self.reason = Some(reason);
        self.is_lost |= std::mem::take(&mut self.has_stood);
        counters.retried += self.under_way.len() as u64;
        while let Some((_, _, item)) = self.under_way.pop_back() {
            self.unkept += usize::from(item.place.is_none());
            self.waiting.push_front(item);
        }
    }

    /// When [`Forwarder::tick`] has something to do, unless something comes.
    pub(super) fn due_ms(&self, terms: &Terms) -> u64 {
        let connect = if self.line.is_idle() { self.connect_at_ms } else { u64::MAX };
        let ttl = terms.request_ttl_ms.zip(self.waiting.front());
        let ttl = ttl.filter(|(_, item)| item.place.is_none());
        let ttl = ttl.map_or(u64::MAX, |(ttl_ms, item)| item.since_ms + ttl_ms);
        let retry = self.under_way.front();
        let retry = retry.map_or(u64::MAX, |(_, sent_ms, _)| sent_ms + terms.retry_interval_ms);
        connect.min(ttl).min(retry).min(self.line.due_ms())
    }
}

/// Appends a message to what goes out; its identifier, none if the other side takes none so large.
fn write(
    client: &mut Client,
    terms: &Terms,
    item: &Item,
    qos: QoS,
    scratch: &mut Vec<u8>,
) -> Option<u16> {
    scratch.clear();
    let message = &item.message;
    let properties = if item.is_state { &*terms.state } else { &[] };
    let lifetime_ms = message.expires_at_ms.checked_sub(message.timestamp_ms);
    let expiry = lifetime_ms.filter(|_| message.expires_at_ms != 0);
    LinkMessage {
        id: message.id.0.to_be_bytes(),
        qos,
        from: Some(&message.from.client_id),
        username: message.from.username.as_deref(),
        retain: message.retain,
        sys: message.sys,
        topic: message.topic(),
        payload: message.payload(),
        timestamp_ms: message.timestamp_ms,
        expiry_interval_s: expiry.map(|ms| u32::try_from(ms / 1000).unwrap_or(u32::MAX)),
        properties: message.properties().into(),
    }
    .encode_into(scratch);
    // With the head of the packet.
    let head = terms.topic.len() + properties.len() + 16;
    let is_taken = scratch.len() + head <= client.packet_bytes_max;
    is_taken.then(|| client.publish(qos, &terms.topic, properties, scratch))
}
