//! A session's queue and window: what waits, what is in flight, what is read back from the log.

use std::sync::Arc;

use rookery_codec::{ParsedFilter, QoS, parse_filter};

use super::Shard;
use super::gate::GateAction;
use super::groups::log_for_one;
use super::observe::Delivery;
use super::outgoing::{Outgoing, write_publish};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::inflight::Stage;
use crate::message::{Message, MessageParts, Publisher};
use crate::outbox::BY_REFERENCE_MIN;
use crate::session::{Queued, Session};
use crate::store_port::Op;

/// Bodies read from the store at once for one session.
pub(super) const FETCH_MAX: usize = 64;

impl Shard {
    /// A message of QoS 1 or 2, or one for a client that is away: into the window or the queue.
    pub(super) fn enqueue(&mut self, now: Now, slot: u32, item: Queued) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        if let Some(key) = session.conn {
            let Some(conn) = self.conns.get(key.slot) else { return };
            let has_room = session.inflight.len() < usize::from(conn.window);
            if has_room && session.queue.is_empty() && !session.is_fetching && !conn.is_congested {
                self.send_in_flight(now, slot, key, item);
                return;
            }
        } else if !session.outlives_connection() {
            return;
        }
        let zone = session.meta.zone;
        let is_away = session.conn.is_none();
        if is_away && item.qos == 0 && !self.mqtt(zone).mqueue_store_qos0 {
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_qos0_msg.inc();
            if self.observer.is_tracing {
                self.trace_dropped(slot, &item, "dropped_qos0_message_client_is_away");
            }
            self.tell_delivery_dropped(slot, item.message, "qos0_msg");
            return;
        }
        self.queue(slot, item);
    }

    /// Appends to a session's queue; what has to go for it is dropped and counted.
    pub(super) fn queue(&mut self, slot: u32, mut item: Queued) {
        let share =
            self.config.limits.queued_total_bytes / usize::from(self.shared.shards()).max(1);
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let mqtt = {
            let zones = &self.config.zones;
            zones.get(usize::from(session.meta.zone)).or(zones.first()).map(|z| &z.mqtt)
        };
        let max = mqtt.map_or(1000, |m| m.max_mqueue_len);
        let priority =
            mqtt.map_or(0, |m| priority_of(m, item.message.as_ref().map_or("", |m| m.topic())));
        // Bodies on disk need not be in memory, except those that another member may have to get.
        let is_over = self.queued_bytes > share;
        if item.seq != 0 && (is_over || (session.conn.is_none() && item.group.is_none())) {
            item.message = None;
        }
        if is_over && item.seq == 0 {
            self.drop_queued(slot, &item);
            return;
        }
        let (key, seq, bytes) = (session.key, item.seq, item.size());
        let is_unstored = self.is_unstored(key, seq);
        self.queued_bytes += bytes;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.unstored += u32::from(is_unstored);
        let max = if max == 0 { 0 } else { max + session.unstored as usize };
        if let Some(dropped) = session.queue.push(item, priority, max) {
            self.queued_bytes = self.queued_bytes.saturating_sub(dropped.size());
            self.drop_queued(slot, &dropped);
        }
    }

    pub(super) fn drop_queued(&mut self, slot: u32, item: &Queued) {
        self.metrics().delivery_dropped.inc();
        self.metrics().delivery_dropped_queue_full.inc();
        if self.observer.is_tracing {
            self.trace_dropped(slot, item, "dropped_message_queue_is_full");
        }
        if let Some(session) = self.sessions.get_mut(slot) {
            session.dropped += 1;
        }
        if self.rule_engine.told.delivery_dropped {
            self.tell_delivery_dropped(slot, item.message.clone(), "queue_full");
        }
        self.settle_stored(slot, item.seq);
    }

    /// Tells the store that a session needs a message no longer.
    #[inline]
    pub(super) fn settle_stored(&mut self, slot: u32, seq: u64) {
        if seq != 0
            && let Some(session) = self.sessions.get(slot)
        {
            self.effects.store_ops.push(Op::Ack { session: session.durable_id, seq });
        }
    }

    /// Takes a packet identifier and sends.
    pub(super) fn send_in_flight(&mut self, now: Now, slot: u32, key: ConnKey, mut item: Queued) {
        if item.message.as_ref().is_some_and(|m| m.is_expired(now.unix_ms)) {
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_expired.inc();
            if self.observer.is_tracing {
                self.trace_dropped(slot, &item, "dropped_message_expired");
            }
            if let Some(conn) = self.conns.get_mut(key.slot) {
                conn.traffic.dropped_expired();
            }
            self.settle_stored(slot, item.seq);
            self.tell_delivery_dropped(slot, item.message, "expired");
            return;
        }
        let Some(session) = self.sessions.get_mut(slot) else { return };
        // MQTT-5.0 [MQTT-4.3.3-3]: after a crash the same packet identifier must go out again,
        // so a durable QoS 2 message leaves only when its identifier is on disk.
        if item.qos == 2 && item.seq == 0 && session.durable_id != 0 {
            let op = log_for_one(&self.shared, session.durable_id, &mut item);
            self.effects.store_ops.extend(op);
        }
        // Behind such a message others wait too, so that the order stays.
        let is_behind =
            self.conns.get(key.slot).is_some_and(|conn| conn.gate_ticket > self.committed);
        let is_gated = item.seq != 0 && (item.qos == 2 || is_behind);
        let stage = if is_gated { Stage::Gated } else { Stage::Sent };
        let (seq, durable_id) = (item.seq, session.durable_id);
        let Some(packet_id) = session.inflight.free_id() else { return };
        if !is_gated {
            if !self.write_in_flight(now, key, &item, packet_id, false) {
                self.settle_stored(slot, seq);
            } else if let Some(session) = self.sessions.get_mut(slot) {
                session.inflight.push_with_id(packet_id, item, stage);
                if self.observer.is_timing {
                    session.inflight.note_sent(packet_id, now.mono_ms);
                }
                if seq != 0 {
                    self.effects.store_ops.push(Op::Assign { session: durable_id, seq, packet_id });
                }
            }
            return;
        }
        session.inflight.push_with_id(packet_id, item, stage);
        self.effects.store_ops.push(Op::Assign { session: durable_id, seq, packet_id });
        let ticket = self.ticket;
        self.gate(now, key, ticket, GateAction::Publish { packet_id });
    }

    /// Writes a PUBLISH that is in the window already. One that is too large for the client
    /// counts as delivered, MQTT-5.0 [MQTT-3.1.2-25]; then the answer is false.
    pub(super) fn send_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        item: &Queued,
        packet_id: u16,
        dup: bool,
    ) -> bool {
        let Some(slot) = self.conns.get(key.slot).map(|c| c.session) else { return false };
        if self.write_in_flight(now, key, item, packet_id, dup) {
            return true;
        }
        if self.rule_engine.told.delivery_dropped {
            self.tell_delivery_dropped(slot, item.message.clone(), "too_large");
        }
        if packet_id != 0
            && let Some(item) =
                self.sessions.get_mut(slot).and_then(|s| s.inflight.settle(packet_id))
        {
            self.settle_stored(slot, item.seq);
        }
        false
    }

    /// Writes a PUBLISH; false when it is too large for the client.
    #[inline]
    pub(super) fn write_in_flight(
        &mut self,
        now: Now,
        key: ConnKey,
        item: &Queued,
        packet_id: u16,
        dup: bool,
    ) -> bool {
        let Some(message) = &item.message else { return true };
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else {
            return true;
        };
        let qos = item.qos();
        let outgoing = Outgoing {
            topic: message.topic().get(conn.meta.mountpoint.len()..).unwrap_or_default(),
            properties: message.properties(),
            payload: message.payload(),
            expires_at_ms: message.expires_at_ms,
            qos,
            dup: dup && qos != QoS::AtMostOnce,
            retain: item.retain,
            packet_id,
            sub_ids: item.sub_ids.as_slice(),
            by_reference: (message.payload().len() >= BY_REFERENCE_MIN).then(|| message.clone()),
        };
        let written = write_publish(conn, &mut self.pool, now, outgoing);
        let slot = conn.session;
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.effects.dirty.push(key);
        }
        self.count_sent(written, qos, message.topic());
        if self.observer.is_on {
            let delivery = Delivery {
                packet_id,
                dup,
                is_too_large: written.is_none(),
                ..Delivery::of(message, qos, item.retain)
            };
            self.observe_delivery(now, key, delivery);
        }
        if written.is_some() && !dup {
            self.tell_delivered(slot, Some(message), item.qos);
        }
        written.is_some()
    }

    /// Moves messages from the queue into the window as far as there is room.
    #[inline]
    pub(super) fn pump(&mut self, now: Now, slot: u32) {
        let has_work = |session: &Session| {
            !session.queue.is_empty() || session.inflight.waiting() > 0 || session.replays.is_some()
        };
        // After most acknowledgements there is nothing to do.
        if self.sessions.get(slot).is_some_and(has_work) {
            self.pump_all(now, slot);
        }
    }

    #[inline(never)]
    fn pump_all(&mut self, now: Now, slot: u32) {
        let mark = self.high_water();
        loop {
            let Some(session) = self.sessions.get_mut(slot) else { return };
            let Some(key) = session.conn else { return };
            let Some(conn) = self.conns.get_mut(key.slot) else { return };
            if session.is_fetching {
                return;
            }
            if session.inflight.waiting() > 0 {
                if !self.resend_one(now, slot, key, mark) {
                    return;
                }
                continue;
            }
            let Some(front) = session.queue.front() else { break };
            if conn.out.len() > mark {
                conn.is_congested = true;
                return;
            }
            if front.message.is_none() {
                let missing: Vec<u64> = session
                    .queue
                    .iter_mut()
                    .take(FETCH_MAX)
                    .filter(|q| q.message.is_none())
                    .map(|q| q.seq)
                    .collect();
                session.is_fetching = true;
                self.effects.store_reads.push((session.key, missing));
                return;
            }
            if front.qos != 0 && session.inflight.len() >= usize::from(conn.window) {
                return;
            }
            let Some(item) = session.queue.pop() else { return };
            self.queued_bytes = self.queued_bytes.saturating_sub(item.size());
            if item.qos != 0 {
                self.send_in_flight(now, slot, key, item);
                continue;
            }
            if item.message.as_ref().is_some_and(|m| m.is_expired(now.unix_ms)) {
                self.metrics().delivery_dropped.inc();
                self.metrics().delivery_dropped_expired.inc();
                if let Some(conn) = self.conns.get_mut(key.slot) {
                    conn.traffic.dropped_expired();
                }
                if self.rule_engine.told.delivery_dropped {
                    self.tell_delivery_dropped(slot, item.message.clone(), "expired");
                }
            } else {
                self.send_publish(now, key, &item, 0, false);
            }
            self.settle_stored(slot, item.seq);
        }
        if let Some(session) = self.sessions.get(slot)
            && session.replays.is_some()
        {
            self.replay_ready.push_back(session.key);
        }
    }

    /// Sends the next message of an earlier connection again, MQTT-5.0 [MQTT-4.4.0-1]; false when
    /// it has to wait for room, for the peer or for the store.
    pub(super) fn resend_one(&mut self, now: Now, slot: u32, key: ConnKey, mark: usize) -> bool {
        let (Some(session), Some(conn)) =
            (self.sessions.get_mut(slot), self.conns.get_mut(key.slot))
        else {
            return false;
        };
        // MQTT-5.0 [MQTT-3.3.4-9]: the window of this connection may be smaller than the last one's.
        if session.inflight.len() - session.inflight.waiting() >= usize::from(conn.window) {
            return false;
        }
        if conn.out.len() > mark {
            conn.is_congested = true;
            return false;
        }
        let durable_id = session.durable_id;
        let Some(entry) = session.inflight.front_waiting() else { return false };
        let (packet_id, stage, item) = (entry.packet_id, entry.stage, entry.item.clone());
        if item.message.is_none() {
            let missing = session.inflight.missing(FETCH_MAX);
            session.is_fetching = true;
            self.effects.store_reads.push((session.key, missing));
            return false;
        }
        if stage == Stage::Resend {
            session.inflight.set_stage(packet_id, Stage::Sent);
            self.send_publish(now, key, &item, packet_id, true);
            return true;
        }
        // It never left; that its identifier is on disk is not certain either.
        if item.seq == 0 {
            session.inflight.set_stage(packet_id, Stage::Sent);
            self.send_publish(now, key, &item, packet_id, false);
            return true;
        }
        session.inflight.set_stage(packet_id, Stage::Gated);
        self.effects.store_ops.push(Op::Assign { session: durable_id, seq: item.seq, packet_id });
        let ticket = self.ticket;
        self.gate(now, key, ticket, GateAction::Publish { packet_id });
        true
    }

    /// Bodies that the store read for a session; `None` = the log has no such message any more.
    pub fn bodies(&mut self, now: Now, key: SessionKey, bodies: Vec<(u64, Option<Arc<[u8]>>)>) {
        if self.read_for_leaving(key, &bodies) {
            return;
        }
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else { return };
        session.is_fetching = false;
        let session_mountpoint = &*session.meta.mountpoint;
        let bodies: hashbrown::HashMap<u64, Option<Arc<Message>>> = bodies
            .into_iter()
            .map(|(seq, bytes)| (seq, bytes.and_then(|b| Message::from_bytes(&b)).map(Arc::new)))
            .collect();
        let mut lost = Vec::new();
        let mut gained = 0;
        for entry in session
            .inflight
            .iter_mut()
            .filter(|e| e.item.message.is_none() && e.stage != Stage::Released)
        {
            if let Some(Some(message)) = bodies.get(&entry.item.seq) {
                entry.item.message = Some(message.clone());
                restore_sub_ids(session_mountpoint, &session.subscriptions, &mut entry.item);
            } else if bodies.contains_key(&entry.item.seq) {
                lost.push((entry.packet_id, entry.item.seq));
            }
        }
        let mut unreadable = 0;
        for item in session.queue.iter_mut().filter(|q| q.message.is_none()) {
            match bodies.get(&item.seq) {
                Some(Some(message)) => {
                    gained += message.size();
                    item.message = Some(message.clone());
                    restore_sub_ids(session_mountpoint, &session.subscriptions, item);
                }
                Some(None) => {
                    // Nothing to send: an expired stand-in lets the queue pass it in order.
                    let stand_in = unreadable_message(item.seq);
                    gained += stand_in.size();
                    item.message = Some(stand_in);
                    unreadable += 1;
                }
                None => {}
            }
        }
        self.queued_bytes += gained;
        unreadable += lost.len();
        for (packet_id, seq) in lost {
            if let Some(session) = self.sessions.get_mut(key.slot) {
                session.inflight.settle(packet_id);
            }
            self.settle_stored(key.slot, seq);
        }
        if unreadable > 0 {
            self.log_error(format!(
                "{unreadable} durable messages of a session cannot be read from the log"
            ));
        }
        self.depart(now, key.slot);
        self.pump(now, key.slot);
    }

    pub(super) fn log_error(&mut self, text: String) {
        self.effects
            .up
            .push(crate::effects::UpEvent::Log(crate::effects::LogLevel::Error, text.into()));
    }
}

/// A priority of `mqtt.mqueue_priorities`, shifted so that the default fits below or above all of them.
fn priority_of(mqtt: &crate::config::MqttConfig, topic: &str) -> u8 {
    if mqtt.mqueue_priorities.is_empty() {
        return 0;
    }
    let found = mqtt.mqueue_priorities.iter().find(|(t, _)| t == topic).map(|(_, p)| *p);
    found.unwrap_or(if mqtt.mqueue_default_lowest { 0 } else { u8::MAX })
}

/// Subscription identifiers are not stored with queued messages: the session's subscriptions
/// tell them. A shared one counts only if no other explains the message.
fn restore_sub_ids(
    mountpoint: &str,
    subscriptions: &hashbrown::HashMap<Box<str>, crate::session::Subscription>,
    item: &mut Queued,
) {
    let Some(topic) = item.message.as_ref().and_then(|m| m.topic().strip_prefix(mountpoint)) else {
        return;
    };
    let ids = |shared: bool| {
        let matching = subscriptions.iter().filter(move |(text, s)| {
            s.sub_id != 0
                && parse_filter(text).is_ok_and(|parsed| {
                    matches!(parsed, ParsedFilter::Shared { .. }) == shared
                        && rookery_codec::filter_matches(parsed.filter(), topic)
                })
        });
        matching.map(|(_, s)| s.sub_id)
    };
    item.sub_ids = ids(false).collect();
    if item.sub_ids.as_slice().is_empty() {
        item.sub_ids = ids(true).take(1).collect();
    }
}

/// Stands for a message whose bytes are damaged: expired, so that nobody gets it.
fn unreadable_message(seq: u64) -> Arc<Message> {
    let parts = MessageParts {
        id: crate::ids::MessageId(0),
        timestamp_ms: 0,
        expires_at_ms: 1,
        seq,
        qos: QoS::AtMostOnce,
        retain: false,
        sys: true,
        topic: "",
        properties: &[],
        payload: &[],
    };
    Arc::new(Message::new(
        &parts,
        Arc::new(Publisher { client_id: "".into(), username: None }),
        None,
    ))
}
