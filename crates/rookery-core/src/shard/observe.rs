//! Where a shard looks closer: each function here is behind one branch of the message path and
//! is called only while something is traced, timed or spanned.

use std::sync::Arc;

use rookery_codec::{QoS, decode_publish};

use super::Shard;
use super::deliver::Source;
use crate::conn::ConnState;
use crate::effects::UpEvent;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::{Message, MessageParts};
use crate::observe::{
    ObserveConfig, PAYLOAD_BYTES_MAX, SlowRow, SlowStats, SpanEvent, TraceEvent, TraceParent,
    describe, describe_encoded,
};
use crate::session::Queued;

/// No turn takes as long.
const TURN_MS_MAX: u64 = 1000;

/// A PUBLISH that left, or would have.
#[derive(Copy, Clone)]
pub(super) struct Delivery<'a> {
    /// Mountpoint included.
    pub(super) topic: &'a str,
    pub(super) properties: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) timestamp_ms: u64,
    pub(super) id: u128,
    pub(super) sys: bool,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) packet_id: u16,
    /// Sent before.
    pub(super) dup: bool,
    /// It was too large for the client.
    pub(super) is_too_large: bool,
}

impl<'a> Delivery<'a> {
    pub(super) fn at_most_once(parts: &MessageParts<'a>, retain: bool) -> Self {
        Self {
            topic: parts.topic,
            properties: parts.properties,
            payload: parts.payload,
            timestamp_ms: parts.timestamp_ms,
            id: parts.id.0,
            sys: parts.sys,
            qos: QoS::AtMostOnce,
            retain,
            packet_id: 0,
            dup: false,
            is_too_large: false,
        }
    }

    pub(super) fn of(message: &'a Message, qos: QoS, retain: bool) -> Self {
        Self {
            topic: message.topic(),
            properties: message.properties(),
            payload: message.payload(),
            timestamp_ms: message.timestamp_ms,
            id: message.id.0,
            sys: message.sys,
            qos,
            retain,
            packet_id: 0,
            dup: false,
            is_too_large: false,
        }
    }
}

/// Something to tell of a client.
struct Told<'a> {
    tag: &'static str,
    msg: &'static str,
    topic: Option<&'a str>,
    detail: String,
    payload: Option<&'a [u8]>,
}

impl Shard {
    /// Takes other orders; who is traced is found out anew.
    pub(super) fn observe(&mut self, config: &Arc<ObserveConfig>) {
        if Arc::ptr_eq(config, &self.observer.config) {
            return;
        }
        let was_tracing = self.observer.is_tracing;
        self.observer.set(config.clone());
        if !was_tracing && !self.observer.is_tracing {
            return;
        }
        for slot in 0..self.conns.slots() {
            let Some(conn) = self.conns.get(slot) else { continue };
            let session = (conn.state == ConnState::Connected)
                .then(|| self.sessions.get(conn.session))
                .flatten();
            let client_id = session.map_or("", |s| &*s.publisher.client_id);
            let traced = self.observer.mask_of(client_id, Some(conn.meta.peer.ip()));
            if let Some(conn) = self.conns.get_mut(slot) {
                conn.traced = traced;
            }
        }
    }

    /// A new second for what is bounded by seconds.
    pub(super) fn refill_observer(&mut self) {
        self.observer.refill();
    }

    /// Whether events of this turn want the time from the driver.
    #[must_use]
    pub fn is_observing(&self) -> bool {
        self.observer.is_on
    }

    /// The slowest subscriptions of this shard.
    pub(super) fn slow_rows(&mut self, now: Now) -> Vec<SlowRow> {
        self.observer.slow.rows(now.unix_ms)
    }

    /// Marks a connection whose client identifier became known.
    #[cold]
    pub(super) fn mark_traced(&mut self, key: ConnKey, client_id: &str) {
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        conn.traced = self.observer.mask_of(client_id, Some(conn.meta.peer.ip()));
    }

    fn tell(&mut self, mask: u64, key: Option<ConnKey>, session: Option<u32>, told: Told<'_>) {
        if mask == 0 {
            return;
        }
        if !self.observer.may_emit() {
            self.metrics().observe_dropped.inc();
            return;
        }
        let conn = key.and_then(|key| self.conns.get(key.slot));
        let publisher = session.and_then(|slot| self.sessions.get(slot)).map(|s| &s.publisher);
        let payload = told.payload.map(|p| p.get(..PAYLOAD_BYTES_MAX).unwrap_or(p).into());
        let event = TraceEvent {
            at_us: 0,
            traces: self.observer.ids(mask),
            tag: told.tag,
            msg: told.msg,
            client_id: publisher.map_or_else(Arc::default, |p| p.client_id.clone()),
            username: publisher.and_then(|p| p.username.clone()),
            peer: conn.map(|conn| conn.meta.peer),
            topic: told.topic.map(Box::from),
            detail: told.detail.into(),
            payload,
            payload_len: told.payload.map_or(0, <[u8]>::len),
        };
        self.effects.up.push(UpEvent::Trace(Box::new(event)));
    }

    /// A packet of an admitted client came.
    #[cold]
    pub(super) fn trace_received(&mut self, key: ConnKey, first: u8, body: &[u8]) {
        let Some(conn) = self.conns.get(key.slot) else { return };
        let (mut mask, version, slot) = (conn.traced, conn.version, conn.session);
        if !matches!(conn.state, ConnState::Connected | ConnState::Exchanging) {
            return;
        }
        let session = (conn.state == ConnState::Connected).then_some(slot);
        let publish =
            (first >> 4 == 3).then(|| decode_publish(first, body, version).ok()).flatten();
        if let Some(publish) = &publish {
            mask |= self.observer.mask_of_topic(publish.topic);
        }
        if mask == 0 {
            return;
        }
        let told = Told {
            tag: "MQTT",
            msg: "mqtt_packet_received",
            topic: publish.as_ref().map(|p| p.topic),
            detail: describe(first, body, version),
            payload: publish.as_ref().map(|p| p.payload),
        };
        self.tell(mask, Some(key), session, told);
    }

    /// The CONNECT of a client whose identifier is settled: it goes on here.
    #[cold]
    pub(super) fn trace_connect(&mut self, key: ConnKey, client_id: &Arc<str>, words: String) {
        self.mark_traced(key, client_id);
        let mask = self.conns.get(key.slot).map_or(0, |conn| conn.traced);
        let told = Told {
            tag: "MQTT",
            msg: "mqtt_packet_received",
            topic: None,
            detail: words,
            payload: None,
        };
        self.tell(mask, Some(key), None, told);
        if let Some(UpEvent::Trace(event)) = self.effects.up.last_mut()
            && mask != 0
            && event.client_id.is_empty()
        {
            event.client_id = client_id.clone();
        }
    }

    /// A client was let in.
    #[cold]
    pub(super) fn trace_admitted(&mut self, key: ConnKey, client_id: &str, is_superuser: bool) {
        // Authentication may have given it another client identifier, and another shard.
        self.mark_traced(key, client_id);
        let detail = format!("success, is_superuser={is_superuser}");
        self.trace_conn(key, ("AUTHN", "authentication_result"), None, detail);
    }

    /// A packet that is no PUBLISH was put into the outbox of a traced client.
    #[cold]
    pub(super) fn trace_sent(&mut self, key: ConnKey, bytes: &[u8]) {
        let Some(conn) = self.conns.get(key.slot) else { return };
        let (mask, version) = (conn.traced, conn.version);
        let session = (conn.state == ConnState::Connected).then_some(conn.session);
        let Some(detail) = describe_encoded(bytes, version) else { return };
        let told =
            Told { tag: "MQTT", msg: "mqtt_packet_sent", topic: None, detail, payload: None };
        self.tell(mask, Some(key), session, told);
    }

    /// Something happened to the connection of a traced client.
    #[cold]
    pub(super) fn trace_conn(
        &mut self,
        key: ConnKey,
        (tag, msg): (&'static str, &'static str),
        topic: Option<&str>,
        detail: String,
    ) {
        let Some(conn) = self.conns.get(key.slot) else { return };
        let mut mask = conn.traced;
        let is_admitted = !conn.state.is_before_admission();
        let session = is_admitted.then_some(conn.session);
        if let Some(topic) = topic {
            mask |= self.observer.mask_of_filter(topic);
        }
        self.tell(mask, Some(key), session, Told { tag, msg, topic, detail, payload: None });
    }

    /// A client may do something with a topic, or may not.
    #[cold]
    pub(super) fn trace_ruling(
        &mut self,
        key: ConnKey,
        action: &'static str,
        topic: &str,
        may: bool,
    ) {
        let msg = if may {
            "authorization_permission_allowed"
        } else {
            "authorization_permission_denied"
        };
        self.trace_conn(key, ("AUTHZ", msg), Some(topic), action.to_owned());
    }

    /// A message is about to be retained, delayed or routed.
    #[cold]
    pub(super) fn trace_publish(&mut self, source: &Source<'_>, from: Option<SessionKey>) {
        if source.parts.sys {
            return;
        }
        let session = from.filter(|from| from.shard == self.index).map(|from| from.slot);
        let key = session.and_then(|slot| self.sessions.get(slot)).and_then(|s| s.conn);
        let of_conn = key.and_then(|key| self.conns.get(key.slot)).map_or(0, |conn| conn.traced);
        let mask = of_conn
            | self.observer.mask_of(&source.publisher.client_id, None)
            | self.observer.mask_of_topic(source.parts.topic);
        let told = Told {
            tag: "PUBLISH",
            msg: "publish_to",
            topic: Some(source.parts.topic),
            detail: format!("Q{}, R{}", source.parts.qos as u8, u8::from(source.parts.retain)),
            payload: Some(source.parts.payload),
        };
        self.tell(mask, key, session, told);
        if mask != 0
            && let Some(UpEvent::Trace(event)) = self.effects.up.last_mut()
            && event.client_id.is_empty()
        {
            event.client_id = source.publisher.client_id.clone();
        }
    }

    /// A message was not delivered to a session, or to nobody at all.
    #[cold]
    pub(super) fn trace_drop(&mut self, slot: Option<u32>, topic: &str, msg: &'static str) {
        let session = slot.and_then(|slot| self.sessions.get(slot));
        let key = session.and_then(|s| s.conn);
        let mask = session.map_or(0, |s| {
            let peer = s.meta.known_peer().map(|peer| peer.ip());
            self.observer.mask_of(&s.publisher.client_id, peer)
        }) | self.observer.mask_of_topic(topic);
        let told =
            Told { tag: "PUBLISH", msg, topic: Some(topic), detail: String::new(), payload: None };
        self.tell(mask, key, slot, told);
    }

    /// A queued or in-flight message was dropped.
    #[cold]
    pub(super) fn trace_dropped(&mut self, slot: u32, item: &Queued, msg: &'static str) {
        let message = item.message.clone();
        self.trace_drop(Some(slot), message.as_ref().map_or("", |m| m.topic()), msg);
    }

    /// A PUBLISH was put into an outbox (or was too large for it).
    #[cold]
    pub(super) fn observe_delivery(&mut self, now: Now, key: ConnKey, delivery: Delivery<'_>) {
        let Some(conn) = self.conns.get(key.slot) else { return };
        let (slot, traced) = (conn.session, conn.traced);
        if self.observer.is_tracing {
            self.trace_delivery(key, slot, traced, delivery);
        }
        if delivery.is_too_large || delivery.sys {
            return;
        }
        if self.observer.is_timing {
            self.time_sent(now, slot, delivery);
        }
        if self.observer.is_spanning {
            self.span_delivery(slot, delivery);
        }
    }

    fn trace_delivery(&mut self, key: ConnKey, slot: u32, traced: u64, delivery: Delivery<'_>) {
        let mask = traced | self.observer.mask_of_topic(delivery.topic);
        if mask == 0 {
            return;
        }
        let (tag, msg) = if delivery.is_too_large {
            ("PUBLISH", "dropped_message_too_large_for_the_client")
        } else {
            ("MQTT", "mqtt_packet_sent")
        };
        let number = match delivery.packet_id {
            0 => String::new(),
            id => format!(", PacketId={id}"),
        };
        let detail = format!(
            "PUBLISH(Q{}, R{}, D{}, Topic={}{number}, PayloadLength={})",
            delivery.qos as u8,
            u8::from(delivery.retain),
            u8::from(delivery.dup),
            delivery.topic,
            delivery.payload.len(),
        );
        let told =
            Told { tag, msg, topic: Some(delivery.topic), detail, payload: Some(delivery.payload) };
        self.tell(mask, Some(key), Some(slot), told);
    }

    /// Slow subscriptions: what is known when a message leaves.
    fn time_sent(&mut self, now: Now, slot: u32, delivery: Delivery<'_>) {
        let Some(slow) = self.observer.config.slow_subs else { return };
        if delivery.packet_id != 0
            && let Some(session) = self.sessions.get_mut(slot)
        {
            session.inflight.note_sent(delivery.packet_id, now.mono_ms);
        }
        let is_over = match slow.stats_type {
            SlowStats::Whole => delivery.qos == QoS::AtMostOnce,
            SlowStats::Internal => !delivery.dup,
            SlowStats::Response => false,
        };
        if is_over && !delivery.retain {
            let latency_ms = now.unix_ms.saturating_sub(delivery.timestamp_ms);
            self.note_slow(now, slot, delivery.topic, delivery.timestamp_ms, latency_ms);
        }
    }

    /// Slow subscriptions: the client has a message of QoS 1 or 2.
    #[cold]
    pub(super) fn time_settled(&mut self, now: Now, slot: u32, item: &Queued, sent_ms: u32) {
        let Some(slow) = self.observer.config.slow_subs else { return };
        let Some(message) = item.message.as_ref().filter(|m| !m.sys && !item.retain) else {
            return;
        };
        #[allow(clippy::cast_possible_truncation)] // the difference of two clocks of 32 bits
        let latency_ms = match slow.stats_type {
            SlowStats::Whole => now.unix_ms.saturating_sub(message.timestamp_ms),
            SlowStats::Response if sent_ms != 0 => {
                u64::from((now.mono_ms as u32).wrapping_sub(sent_ms))
            }
            SlowStats::Internal | SlowStats::Response => return,
        };
        self.note_slow(now, slot, message.topic(), message.timestamp_ms, latency_ms);
    }

    fn note_slow(&mut self, now: Now, slot: u32, topic: &str, made_ms: u64, latency_ms: u64) {
        let Some(slow) = self.observer.config.slow_subs else { return };
        let Some(session) = self.sessions.get(slot) else { return };
        // What is older than the session did not wait for this client. The clocks of two shards
        // differ by as long as a turn takes.
        let is_older = made_ms + TURN_MS_MAX < session.created_at_ms;
        if latency_ms > slow.threshold_ms && !is_older {
            let client_id = session.publisher.client_id.clone();
            self.observer.slow.note(now.unix_ms, &client_id, topic, latency_ms);
        }
    }

    /// A message of a client begins a span: its properties carry it from here on.
    #[cold]
    pub(super) fn span_publish(
        &mut self,
        now: Now,
        slot: u32,
        message_id: u128,
        publish: &rookery_codec::Publish<'_>,
        topic: &str,
        properties: &mut Vec<u8>,
    ) {
        let Some(config) = self.observer.config.spans else { return };
        let Some(session) = self.sessions.get(slot) else { return };
        let client_id = session.publisher.client_id.clone();
        let found = TraceParent::find(properties);
        let is_wanted = match found {
            Some(parent) => parent.is_sampled,
            None => config.trace_all && (self.observer.random() >> 32) < config.share,
        };
        if !is_wanted {
            return;
        }
        if !self.observer.may_emit() {
            self.metrics().observe_dropped.inc();
            return;
        }
        let [span_id, high, low] = [0; 3].map(|_| self.observer.random());
        let (trace_id, parent_id) = match found {
            Some(parent) => (parent.trace_id, parent.span_id),
            None => (u128::from(high) << 64 | u128::from(low), 0),
        };
        TraceParent { trace_id, span_id, is_sampled: true }.put(properties);
        self.effects.up.push(UpEvent::Span(Box::new(SpanEvent {
            trace_id,
            span_id,
            parent_id,
            name: "mqtt.publish",
            start_ms: now.unix_ms,
            end_us: 0,
            client_id,
            topic: topic.into(),
            qos: publish.qos as u8,
            retain: publish.retain,
            payload_len: publish.payload.len(),
            message_id,
        })));
    }

    fn span_delivery(&mut self, slot: u32, delivery: Delivery<'_>) {
        let Some(parent) = TraceParent::find(delivery.properties).filter(|p| p.is_sampled) else {
            return;
        };
        let Some(session) = self.sessions.get(slot) else { return };
        let client_id = session.publisher.client_id.clone();
        if !self.observer.may_emit() {
            self.metrics().observe_dropped.inc();
            return;
        }
        let span_id = self.observer.random();
        self.effects.up.push(UpEvent::Span(Box::new(SpanEvent {
            trace_id: parent.trace_id,
            span_id,
            parent_id: parent.span_id,
            name: "mqtt.deliver",
            start_ms: delivery.timestamp_ms,
            end_us: 0,
            client_id,
            topic: delivery.topic.into(),
            qos: delivery.qos as u8,
            retain: delivery.retain,
            payload_len: delivery.payload.len(),
            message_id: delivery.id,
        })));
    }
}
