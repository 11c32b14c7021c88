//! PUBLISH from a client: checks, retained and delayed messages, acknowledgement. MQTT-5.0 section 3.3.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rookery_codec::{AckKind, Publish, QoS, ReasonCode, Version, decode_publish};

use super::delayed::Delayed;
use super::deliver::Source;
use super::gate::{GateAction, UnstoredDelayed};
use super::{Fault, Shard, Step};
use crate::access::is_reserved;
use crate::conn::ALIAS_BYTES_MAX;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::{Message, MessageParts};
use crate::persist;

pub(super) const DELAYED: &str = "$delayed/";

/// EMQX's bound of `$delayed`; larger numbers are a time of day in seconds since 1970.
const DELAY_MAX_S: u64 = 42_949_670;

impl Shard {
    /// A PUBLISH of an admitted client.
    #[inline]
    pub(super) fn handle_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        // What waited for answers about its topic was counted when it came.
        let is_new = self.verdicts.is_empty();
        let Some(conn) = self.conns.get_mut(key.slot) else { return Ok(Step::End) };
        let publish = decode_publish(first, body, conn.version)?;
        let (slot, zone, version) = (conn.session, conn.meta.zone, conn.version);
        let has_mountpoint = !conn.meta.mountpoint.is_empty();
        if is_new {
            conn.traffic.received_message(publish.qos);
            self.count_received(publish.qos);
        }
        self.check_publish(zone, &publish)?;
        let mut topic = Cow::Borrowed(publish.topic);
        if version == Version::V5
            && (publish.topic.is_empty() || publish.properties.topic_alias.is_some())
        {
            topic = self.alias_in(key, &publish)?;
        }
        if topic.len() >= self.mqtt(zone).max_topic_levels
            && rookery_codec::levels(&topic) > self.mqtt(zone).max_topic_levels
        {
            return Err(Fault::new(
                ReasonCode::TOPIC_NAME_INVALID,
                "topic deeper than mqtt.max_topic_levels",
            ));
        }
        if !self.rewriter.is_empty() {
            topic = self.rewrite_name(slot, topic);
        }
        if topic.starts_with('$') {
            if topic.starts_with(rookery_links::topics::PREFIX) {
                return self.handle_link(now, key, slot, &topic, &publish);
            }
            if let Some(reason) = self.dollar_objection(now, &topic) {
                return Ok(self.deny_publish(now, key, &publish, reason));
            }
        }
        if publish.properties.payload_format_indicator == Some(1)
            && self.mqtt(zone).strict_mode
            && std::str::from_utf8(publish.payload).is_err()
        {
            // MQTT-5.0 section 3.3.2.3.2.
            return Ok(self.deny_publish(now, key, &publish, ReasonCode::PAYLOAD_FORMAT_INVALID));
        }
        if self.guards(key) && !self.is_authorized(now, key, &topic, &publish, first, body) {
            return Ok(Step::Next);
        }
        if has_mountpoint && let Some(conn) = self.conns.get(key.slot) {
            // `$delayed/<seconds>/` is an order to the broker, not a part of the topic.
            let at = delayed_topic(&topic, 0).map_or(0, |(_, rest)| topic.len() - rest.len());
            let (order, name) = topic.split_at(at);
            topic = Cow::Owned(format!("{order}{}{name}", conn.meta.mountpoint));
        }
        if self.config.hooks.publish {
            return self.defer_publish(now, key, slot, &topic, &publish);
        }
        self.accept_publish(now, key, slot, &topic, &publish)
    }

    #[inline]
    fn count_received(&self, qos: QoS) {
        let metrics = self.metrics();
        metrics.publish_received.inc();
        metrics.messages_received.inc();
        match qos {
            QoS::AtMostOnce => metrics.qos0_received.inc(),
            QoS::AtLeastOnce => metrics.qos1_received.inc(),
            QoS::ExactlyOnce => metrics.qos2_received.inc(),
        }
    }

    /// What the packet alone, or with the settings of its zone, may not say.
    #[inline]
    fn check_publish(&self, zone: u16, publish: &Publish<'_>) -> Result<(), Fault> {
        if !publish.properties.raw.is_empty()
            && !publish.properties.subscription_identifiers.is_empty()
        {
            // MQTT-5.0 [MQTT-3.3.4-6].
            return Err(Fault::new(
                ReasonCode::PROTOCOL_ERROR,
                "Subscription Identifier in a client's PUBLISH",
            ));
        }
        let user_properties_max = self.config.limits.user_properties;
        // Each takes five bytes at least: most packets need no count.
        if publish.properties.raw.len() > 5 * user_properties_max
            && publish.properties.user_properties.len() > user_properties_max
        {
            return Err(Fault::new(
                ReasonCode::QUOTA_EXCEEDED,
                "more User Properties than limits.user_properties",
            ));
        }
        let mqtt = self.mqtt(zone);
        if publish.qos as u8 > mqtt.max_qos_allowed {
            return Err(Fault::new(
                ReasonCode::QOS_NOT_SUPPORTED,
                "QoS above mqtt.max_qos_allowed",
            ));
        }
        if publish.retain && !mqtt.retain_available {
            return Err(Fault::new(
                ReasonCode::RETAIN_NOT_SUPPORTED,
                "mqtt.retain_available is false",
            ));
        }
        Ok(())
    }

    /// Resolves and keeps topic aliases of the client, MQTT-5.0 section 3.3.2.3.4.
    fn alias_in<'a>(&mut self, key: ConnKey, publish: &Publish<'a>) -> Result<Cow<'a, str>, Fault> {
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Cow::Borrowed(publish.topic)) };
        let max = self.mqtt(conn.meta.zone).max_topic_alias;
        let Some(alias) = publish.properties.topic_alias else {
            return Err(Fault::new(
                ReasonCode::PROTOCOL_ERROR,
                "empty topic without a topic alias",
            ));
        };
        if alias > max {
            return Err(Fault::new(
                ReasonCode::TOPIC_ALIAS_INVALID,
                "topic alias above the Topic Alias Maximum",
            ));
        }
        let Some(conn) = self.conns.get_mut(key.slot) else {
            return Ok(Cow::Borrowed(publish.topic));
        };
        let aliases = conn.aliases.get_or_insert_default();
        if publish.topic.is_empty() {
            let known = aliases.inbound.get(&alias);
            let Some(topic) = known else {
                return Err(Fault::new(
                    ReasonCode::PROTOCOL_ERROR,
                    "topic alias that was never set",
                ));
            };
            return Ok(Cow::Owned(topic.to_string()));
        }
        aliases.inbound_bytes += publish.topic.len();
        if let Some(old) = aliases.inbound.insert(alias, publish.topic.into()) {
            aliases.inbound_bytes -= old.len();
        }
        if aliases.inbound_bytes > ALIAS_BYTES_MAX {
            return Err(Fault::new(
                ReasonCode::QUOTA_EXCEEDED,
                "topic aliases hold more than 1 MiB of topics",
            ));
        }
        Ok(Cow::Borrowed(publish.topic))
    }

    fn rewrite_name<'a>(&self, slot: u32, topic: Cow<'a, str>) -> Cow<'a, str> {
        let Some(session) = self.sessions.get(slot) else { return topic };
        let publisher = &session.publisher;
        let rewritten =
            self.rewriter.apply(true, &topic, &publisher.client_id, publisher.username.as_deref());
        match rewritten {
            Some(new) if rookery_codec::check_topic_name(&new).is_ok() => Cow::Owned(new),
            _ => topic,
        }
    }

    /// Why a PUBLISH to a topic with `$` in front cannot be taken.
    pub(super) fn dollar_objection(&self, now: Now, topic: &str) -> Option<ReasonCode> {
        if is_reserved(topic) {
            return Some(ReasonCode::NOT_AUTHORIZED);
        }
        if !topic.starts_with(DELAYED) {
            return None;
        }
        match self.delayed_of(now, topic) {
            Err(reason) => Some(reason),
            Ok(_) => self.is_full_of_delayed().then_some(ReasonCode::QUOTA_EXCEEDED),
        }
    }

    /// When a message to a topic of `$delayed/` goes out (ms since 1970), and to which topic; or why
    /// it never does, whoever sends it.
    pub(super) fn delayed_of<'a>(
        &self,
        now: Now,
        topic: &'a str,
    ) -> Result<(u64, &'a str), ReasonCode> {
        if !self.config.delayed.enable {
            return Err(ReasonCode::TOPIC_NAME_INVALID);
        }
        match delayed_topic(topic, now.unix_ms) {
            None => Err(ReasonCode::TOPIC_NAME_INVALID),
            // A point in time further away than the longest delay is a mistake.
            Some((due_at_ms, _)) if due_at_ms.abs_diff(now.unix_ms) > DELAY_MAX_S * 1000 => {
                Err(ReasonCode::TOPIC_NAME_INVALID)
            }
            Some((_, inner)) if is_reserved(inner) => Err(ReasonCode::NOT_AUTHORIZED),
            Some(delayed) => Ok(delayed),
        }
    }

    /// Whether no more delayed messages are taken: by their number, or for the memory that they
    /// and queues take.
    fn is_full_of_delayed(&self) -> bool {
        let max = self.config.delayed.max_delayed_messages;
        let share =
            self.config.limits.queued_total_bytes / usize::from(self.shared.shards()).max(1);
        (max != 0 && self.shared.delayed.load(Ordering::Relaxed) >= max)
            || self.delayed.bytes() + self.queued_bytes > share
    }

    /// A PUBLISH that is not allowed: v5 is told, 3.x is acknowledged and the message dropped (MQTT-3.1.1 section 3.3.5).
    pub(super) fn deny_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        publish: &Publish<'_>,
        reason: ReasonCode,
    ) -> Step {
        if reason == ReasonCode::NOT_AUTHORIZED {
            self.metrics().publish_auth_error.inc();
        } else {
            self.metrics().publish_error.inc();
        }
        self.metrics().messages_dropped.inc();
        if self.observer.is_tracing {
            let words = reason.name().to_owned();
            self.trace_conn(
                key,
                ("PUBLISH", "cannot_publish_to_topic"),
                Some(publish.topic),
                words,
            );
        }
        if let Some(conn) = self.conns.get_mut(key.slot) {
            conn.traffic.refused_message();
        }
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => {
                self.gate(
                    now,
                    key,
                    0,
                    GateAction::Ack { kind: AckKind::PubAck, packet_id: publish.packet_id, reason },
                );
            }
            QoS::ExactlyOnce => {
                // 3.x learns of no error: the exchange goes on and the message goes nowhere.
                let is_v3 = self.conns.get(key.slot).is_some_and(|c| c.version != Version::V5);
                let before = self.effects.store_ops.len();
                if is_v3 && let Some(slot) = self.conns.get(key.slot).map(|c| c.session) {
                    self.note_awaiting_rel(now, slot, publish.packet_id);
                }
                let ticket = self.ticket_since(before);
                self.gate(
                    now,
                    key,
                    ticket,
                    GateAction::Ack { kind: AckKind::PubRec, packet_id: publish.packet_id, reason },
                );
            }
        }
        Step::Next
    }

    #[inline]
    pub(super) fn accept_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        slot: u32,
        topic: &str,
        publish: &Publish<'_>,
    ) -> Result<Step, Fault> {
        let before = self.effects.store_ops.len();
        if publish.qos != QoS::AtMostOnce
            && !self.open_exchange(now, key, slot, publish.qos, publish.packet_id)?
        {
            return Ok(Step::Next);
        }
        let Some(session) = self.sessions.get(slot) else { return Ok(Step::End) };
        let (publisher, from) = (session.publisher.clone(), session.key);
        let expires_at_ms =
            self.expiry_of(now, session.meta.zone, publish.properties.message_expiry_interval_s);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        if !publish.properties.raw.is_empty() {
            publish.properties.forward_into(&mut scratch);
        }
        let id = self.message_id(now);
        if self.observer.is_spanning {
            self.span_publish(now, slot, id.0, publish, topic, &mut scratch);
        }
        let mut source = Source {
            parts: MessageParts {
                id,
                timestamp_ms: now.unix_ms,
                expires_at_ms,
                seq: 0,
                qos: publish.qos,
                retain: publish.retain,
                sys: false,
                topic,
                properties: &scratch,
                payload: publish.payload,
            },
            publisher: &publisher,
            origin: None,
            kept: None,
            is_last: false,
        };
        let reached = self.take_message(now, &mut source, Some(from));
        self.tell_puback(slot, &mut source, ack_reason(reached));
        self.scratch = scratch;
        self.answer_publish(now, key, publish.qos, publish.packet_id, reached, before);
        Ok(Step::Next)
    }

    /// PUBACK or PUBREC, once everything written since `before` is committed if it promises that, for links as well.
    #[inline]
    pub(super) fn answer_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        qos: QoS,
        packet_id: u16,
        reached: usize,
        before: usize,
    ) {
        let kind = match qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => AckKind::PubAck,
            QoS::ExactlyOnce => AckKind::PubRec,
        };
        let reason = ack_reason(reached);
        let ticket = match std::mem::take(&mut self.link_promise.is_latest) {
            true => self.ticket,
            false => self.promised_ticket(before),
        };
        let action = GateAction::Ack { kind, packet_id, reason };
        if self.nodes.is_told {
            self.gate_behind_nodes(now, key, ticket, action);
        } else {
            self.gate(now, key, ticket, action);
        }
    }

    pub(super) fn expiry_of(&self, now: Now, zone: u16, interval_s: Option<u32>) -> u64 {
        let interval_s = interval_s.unwrap_or_else(|| self.mqtt(zone).message_expiry_interval_s);
        if interval_s == 0 { 0 } else { now.unix_ms + u64::from(interval_s) * 1000 }
    }

    /// Receive Maximum and QoS 2 duplicates; false when the packet is a repetition that was answered.
    pub(super) fn open_exchange(
        &mut self,
        now: Now,
        key: ConnKey,
        slot: u32,
        qos: QoS,
        packet_id: u16,
    ) -> Result<bool, Fault> {
        let Some(conn) = self.conns.get(key.slot) else { return Ok(false) };
        if qos == QoS::AtLeastOnce && conn.version != Version::V5 {
            return Ok(true);
        }
        let awaiting_before = usize::from(conn.awaiting_before);
        let (version, gated, mqtt) = (conn.version, conn.gated as usize, self.mqtt(conn.meta.zone));
        let (receive_maximum, awaiting_max) =
            (usize::from(mqtt.max_inflight.max(1)), mqtt.max_awaiting_rel);
        let Some(session) = self.sessions.get(slot) else { return Ok(false) };
        let awaiting = session.awaiting_rel.as_ref().map_or(0, |ids| ids.len());
        if qos == QoS::ExactlyOnce && self.is_awaiting_rel(slot, packet_id) {
            // MQTT-5.0 [MQTT-4.3.3-10]: the same exchange again, not a new message.
            self.metrics().publish_inuse.inc();
            // What was written for it may still be on its way to the disk if the connection is new.
            let before = self.effects.store_ops.len();
            self.repeat_awaiting_rel(slot, packet_id);
            let ticket = self.ticket_since(before);
            let reason = ReasonCode::SUCCESS;
            self.gate(
                now,
                key,
                ticket,
                GateAction::Ack { kind: AckKind::PubRec, packet_id, reason },
            );
            return Ok(false);
        }
        if version == Version::V5
            && gated + awaiting.saturating_sub(awaiting_before) >= receive_maximum
        {
            self.metrics().messages_dropped_receive_maximum.inc();
            // MQTT-5.0 [MQTT-3.3.4-8]: more than Receive Maximum at once.
            return Err(Fault::new(
                ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
                "more packets in flight than Receive Maximum",
            ));
        }
        if qos != QoS::ExactlyOnce {
            return Ok(true);
        }
        if version == Version::V5 && awaiting_max != 0 && awaiting >= awaiting_max {
            self.metrics().messages_dropped_receive_maximum.inc();
            let reason = ReasonCode::RECEIVE_MAXIMUM_EXCEEDED;
            self.gate(now, key, 0, GateAction::Ack { kind: AckKind::PubRec, packet_id, reason });
            return Ok(false);
        }
        // 3.x cannot be told: what is too much waits, see `has_to_wait`.
        self.note_awaiting_rel(now, slot, packet_id);
        Ok(true)
    }

    /// Whether the client has an inbound QoS 2 exchange open under this identifier.
    pub(super) fn is_awaiting_rel(&self, slot: u32, packet_id: u16) -> bool {
        let ids = self.sessions.get(slot).and_then(|s| s.awaiting_rel.as_ref());
        ids.is_some_and(|ids| ids.contains_key(&packet_id))
    }

    /// Writes the identifier once more, behind whatever was written with it.
    fn repeat_awaiting_rel(&mut self, slot: u32, packet_id: u16) {
        if let Some(durable_id) =
            self.sessions.get(slot).map(|s| s.durable_id).filter(|id| *id != 0)
        {
            self.effects.store_ops.push(persist::put_awaiting_rel(durable_id, packet_id));
        }
    }

    fn note_awaiting_rel(&mut self, now: Now, slot: u32, packet_id: u16) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.awaiting_rel.get_or_insert_default().insert(packet_id, now.mono_ms);
        if session.durable_id != 0 {
            self.effects.store_ops.push(persist::put_awaiting_rel(session.durable_id, packet_id));
        }
    }

    /// Retains, delays or routes a message; returns the number of sessions it reaches.
    #[inline]
    pub(super) fn take_message(
        &mut self,
        now: Now,
        source: &mut Source<'_>,
        from: Option<SessionKey>,
    ) -> usize {
        self.metrics().messages_publish.inc();
        if self.observer.is_tracing {
            self.trace_publish(source, from);
        }
        if let Some(topics) = &self.topics {
            topics.received(source.parts.topic, source.parts.qos);
        }
        if source.parts.topic.starts_with(DELAYED) {
            return match self.delayed_of(now, source.parts.topic) {
                Ok((due_at_ms, topic)) => usize::from(self.delay(now, source, due_at_ms, topic)),
                Err(_) => {
                    self.metrics().messages_dropped.inc();
                    0
                }
            };
        }
        if source.parts.retain {
            let is_clearing = source.parts.payload.is_empty();
            let expires_at_ms = source.parts.expires_at_ms;
            self.retain(now, source);
            if source.parts.expires_at_ms != expires_at_ms {
                // The retainer's own expiry is not for those who get the message now.
                source.parts.expires_at_ms = expires_at_ms;
                source.kept = None;
            }
            if is_clearing && self.config.retainer.stop_publish_clear_msg {
                self.show_rules(now, source, from);
                return 1;
            }
        }
        self.route(now, source, from)
    }

    /// Lets rules see a message that is not passed on.
    fn show_rules(&mut self, now: Now, source: &Source<'_>, from: Option<SessionKey>) {
        let matched = self.cache.matches(&self.shared.router, source.parts.topic).clone();
        if !matched.rules.is_empty() {
            self.run_rules(now, source, from, &matched.rules);
        }
    }

    /// A message that is no packet of a client here: will, delayed, of the node itself.
    pub(super) fn publish_message(
        &mut self,
        now: Now,
        message: Message,
        from: Option<SessionKey>,
    ) -> usize {
        let message = Arc::new(message);
        let mut source = Source::of(&message);
        self.take_message(now, &mut source, from)
    }

    /// `$delayed/<seconds>/<topic>`.
    fn delay(&mut self, now: Now, source: &Source<'_>, due_at_ms: u64, topic: &str) -> bool {
        if self.is_full_of_delayed() {
            self.metrics().messages_dropped.inc();
            return false;
        }
        let parts = MessageParts { topic, ..source.parts.clone() };
        let message =
            Arc::new(Message::new(&parts, source.publisher.clone(), source.origin.cloned()));
        if self.config.durable {
            self.effects.store_ops.push(persist::put_delayed(due_at_ms, &message));
            if message.qos != QoS::AtMostOnce {
                let unstored = UnstoredDelayed { ticket: self.ticket, id: message.id };
                self.unstored.delayed.push_back(unstored);
            }
        }
        self.metrics().messages_delayed.inc();
        self.pledge_delayed(now, due_at_ms, &message);
        self.keep_delayed(now, due_at_ms, message);
        true
    }

    /// Takes a delayed message into the timers (fresh or recovered).
    pub(super) fn keep_delayed(&mut self, now: Now, due_at_ms: u64, message: Arc<Message>) {
        self.shared.delayed.fetch_add(1, Ordering::Relaxed);
        let due_mono_ms = now.mono_ms.saturating_add(due_at_ms.saturating_sub(now.unix_ms));
        self.delayed.push(Delayed { due_mono_ms, message });
    }
}

/// Splits `$delayed/<seconds>/<topic>` into the due time (ms since 1970) and the topic.
fn delayed_topic(topic: &str, unix_ms: u64) -> Option<(u64, &str)> {
    let (seconds, rest) = topic.strip_prefix("$delayed/")?.split_once('/')?;
    let seconds: u64 = seconds.parse().ok()?;
    if rest.is_empty() {
        return None;
    }
    let due =
        if seconds > DELAY_MAX_S { seconds.saturating_mul(1000) } else { unix_ms + seconds * 1000 };
    Some((due, rest))
}

/// What PUBACK and PUBREC of an accepted message say, MQTT-5.0 section 3.4.2.1.
#[inline]
pub(super) fn ack_reason(reached: usize) -> ReasonCode {
    if reached == 0 { ReasonCode::NO_MATCHING_SUBSCRIBERS } else { ReasonCode::SUCCESS }
}
