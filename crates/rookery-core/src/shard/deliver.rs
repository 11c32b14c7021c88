//! From a message to the outboxes and queues of those who subscribed.

use std::sync::Arc;

use rookery_codec::QoS;
use smallvec::SmallVec;

use super::Shard;
use super::observe::Delivery;
use super::outgoing::{Outgoing, write_publish};
use crate::effects::{ShardMessage, SharedOrigin};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::{Message, MessageParts, Origin, Publisher};
use crate::message_pool::MessagePool;
use crate::outbox::BY_REFERENCE_MIN;
use crate::router::{LINKS_SHARD, Matched, SharedGroup, SubOpts, Subscriber};
use crate::session::{DeliveryIds, Queued};
use crate::store_port::{MessageRef, Op};

/// A message being routed: borrowed from the packet it came in until somebody has to keep it.
pub(super) struct Source<'a> {
    pub(super) parts: MessageParts<'a>,
    pub(super) publisher: &'a Arc<Publisher>,
    pub(super) origin: Option<&'a Arc<Origin>>,
    pub(super) kept: Option<Arc<Message>>,
    /// Whoever keeps it next is the last one who does.
    pub(super) is_last: bool,
}

impl<'a> Source<'a> {
    /// A source that already is a message.
    pub(super) fn of(message: &'a Arc<Message>) -> Self {
        Self {
            parts: message.parts(),
            publisher: &message.from,
            origin: message.origin.as_ref(),
            kept: Some(message.clone()),
            is_last: false,
        }
    }

    /// The message to keep; made once.
    #[inline]
    pub(super) fn keep(&mut self, pool: &mut MessagePool) -> Arc<Message> {
        let message = match self.kept.take() {
            Some(kept) => kept,
            None => {
                let origin = self.origin.map(Arc::clone);
                pool.make(&self.parts, Arc::clone(self.publisher), origin)
            }
        };
        if !self.is_last {
            self.kept = Some(message.clone());
        }
        message
    }
}

/// Packs what the store keeps of one session's interest: the QoS of the delivery and its RETAIN
/// flag, and the [mark](SharedGroup::mark) of the shared subscription it came through (0: none).
pub(super) fn message_ref(durable_id: u64, qos: u8, retain: bool, group: u32) -> MessageRef {
    MessageRef { session: durable_id, flags: qos | u8::from(retain) << 2, meta: group }
}

impl Shard {
    /// Delivers to everybody who subscribed; returns to how many sessions.
    pub(super) fn route(
        &mut self,
        now: Now,
        source: &mut Source<'_>,
        from: Option<SessionKey>,
    ) -> usize {
        let matched = self.cache.matches(&self.shared.router, source.parts.topic).clone();
        if !matched.rules.is_empty() {
            self.run_rules(now, source, from, &matched.rules);
        }
        self.route_matched(now, source, from, &matched)
    }

    /// The same without rules, with the match known.
    #[inline]
    pub(super) fn route_matched(
        &mut self,
        now: Now,
        source: &mut Source<'_>,
        from: Option<SessionKey>,
        matched: &Arc<Matched>,
    ) -> usize {
        if matched.is_empty() {
            if !source.parts.sys {
                self.metrics().messages_dropped.inc();
                self.metrics().messages_dropped_no_subscribers.inc();
                if self.observer.is_tracing {
                    self.trace_drop(None, source.parts.topic, "dropped_message_no_subscribers");
                }
                if let Some(topics) = &self.topics {
                    topics.dropped(source.parts.topic);
                }
                self.tell_dropped(source, from, "no_subscribers");
            }
            return 0;
        }
        self.route_to(now, source, from, matched)
    }

    /// The same when somebody is subscribed.
    #[inline]
    pub(super) fn route_to(
        &mut self,
        now: Now,
        source: &mut Source<'_>,
        from: Option<SessionKey>,
        matched: &Arc<Matched>,
    ) -> usize {
        let mut picks = self.pick_members(source, matched);
        if source.parts.qos != QoS::AtMostOnce && self.config.durable {
            self.log_durably(source, matched, &mut picks, from);
        }
        source.is_last = matched.targets.len() == 1 && picks.is_empty();
        let mut start = 0;
        for (shard, targets) in matched.by_shard() {
            #[allow(clippy::cast_possible_truncation)]
            let end = start + targets.len() as u32;
            if shard == self.index {
                for target in targets {
                    let ids = matched.sub_ids(target);
                    self.deliver_one(now, target.key, target.opts, ids, source, from, None);
                    if target.durable_id != 0 {
                        self.drop_claim_of_gone(target.key, target.durable_id, source.parts.seq);
                    }
                }
            } else if shard == LINKS_SHARD {
                self.send_to_links(source, matched, (start, end));
            } else {
                self.announce_unstored(shard, source.parts.seq);
                let (message, matched) = (source.keep(&mut self.messages), matched.clone());
                self.forward(
                    shard,
                    ShardMessage::Deliver { message, matched, range: (start, end) },
                );
            }
            start = end;
        }
        let mut reached = matched.targets.len();
        for (member, group) in picks {
            reached += 1;
            self.hand_to_member(now, source, &member, group, from);
        }
        reached
    }

    /// Puts the message into the durable log if a durable session gets it with QoS 1 or 2.
    pub(super) fn log_durably(
        &mut self,
        source: &mut Source<'_>,
        matched: &Matched,
        picks: &mut [(Subscriber, Arc<SharedGroup>)],
        from: Option<SessionKey>,
    ) {
        if source.parts.seq != 0
            || (matched.durable == 0 && picks.iter().all(|(m, _)| m.durable_id == 0))
        {
            return;
        }
        let (published, retain) = (source.parts.qos, source.parts.retain);
        let wanted = |durable_id: u64, opts: SubOpts, key: SessionKey, group: u32| {
            let is_echo = opts.no_local() && from == Some(key);
            let qos = opts.delivery_qos(published);
            (durable_id != 0 && qos != QoS::AtMostOnce && !is_echo).then(|| {
                message_ref(durable_id, qos as u8, retain && opts.retain_as_published(), group)
            })
        };
        let targets = matched.targets.iter();
        let targets = targets.filter_map(|t| wanted(t.durable_id, t.opts, t.key, 0));
        let mut refs: SmallVec<[MessageRef; 1]> = targets.collect();
        for (member, group) in picks {
            // The store keeps one claim of a session on a message: a second copy lives in memory only.
            if refs.iter().any(|r| r.session == member.durable_id) {
                member.durable_id = 0;
            } else {
                refs.extend(wanted(member.durable_id, member.opts, member.key, group.mark()));
            }
        }
        if refs.is_empty() {
            return;
        }
        source.parts.seq = self.shared.next_seq();
        source.kept = None;
        let message = source.keep(&mut self.messages);
        self.metrics().messages_persisted.inc();
        if !self.is_moving {
            self.note_unstored(message.seq);
        }
        self.effects.store_ops.push(Op::Publish {
            seq: message.seq,
            message: message.to_bytes(),
            refs,
            is_moved: self.is_moving,
        });
    }

    #[inline]
    pub(super) fn forward(&mut self, shard: u16, message: ShardMessage) {
        self.metrics().messages_forward.inc();
        match self.effects.to_shards.get_mut(usize::from(shard)) {
            Some(inbox) => inbox.push(message),
            None => self.send_to_nodes(message),
        }
    }

    /// Targets of a message that was published on another shard.
    pub(super) fn deliver_forwarded(
        &mut self,
        now: Now,
        message: &Arc<Message>,
        matched: &Matched,
        range: (u32, u32),
    ) {
        let mut source = Source::of(message);
        for target in matched.targets.get(range.0 as usize..range.1 as usize).unwrap_or_default() {
            let ids = matched.sub_ids(target);
            self.deliver_one(now, target.key, target.opts, ids, &mut source, None, None);
            if target.durable_id != 0 {
                self.drop_claim_of_gone(target.key, target.durable_id, source.parts.seq);
            }
        }
    }

    /// A durable session ended while a message for it was on its way: nobody else would take
    /// its claim on that message out of the store.
    pub(super) fn drop_claim_of_gone(&mut self, key: SessionKey, durable_id: u64, seq: u64) {
        if seq != 0 && self.sessions.get_checked16(key.slot, key.generation).is_none() {
            self.effects.store_ops.push(Op::Ack { session: durable_id, seq });
        }
    }

    /// One message for one session: out now, queued, or dropped and counted.
    #[allow(clippy::too_many_arguments)]
    #[inline]
    pub(super) fn deliver_one(
        &mut self,
        now: Now,
        key: SessionKey,
        opts: SubOpts,
        sub_ids: &[u32],
        source: &mut Source<'_>,
        from: Option<SessionKey>,
        group: SharedOrigin,
    ) {
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else {
            if !self.travel.moved.is_empty() {
                self.deliver_to_moved(key, opts, sub_ids, source, group);
            }
            return;
        };
        let is_from_elsewhere = session.moves.as_ref().is_some_and(|moves| moves.seen.is_some());
        let has_older = session.queue.has_at_most_once();
        let published = source.parts.qos;
        let qos = opts.delivery_qos(published);
        // What was published with QoS 0 was promised to nobody, whatever it is delivered with.
        let is_durable =
            session.durable_id != 0 && published != QoS::AtMostOnce && qos != QoS::AtMostOnce;
        let seq = if is_durable { source.parts.seq } else { 0 };
        let zone = session.meta.zone;
        let conn_key = session.conn;
        if from == Some(key) && (opts.no_local() || self.ignores_loop(zone, key.slot)) {
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_no_local.inc();
            if self.observer.is_tracing {
                self.trace_drop(Some(key.slot), source.parts.topic, "dropped_message_no_local");
            }
            if self.rule_engine.told.delivery_dropped {
                let message = source.keep(&mut self.messages);
                self.tell_delivery_dropped(key.slot, Some(message), "no_local");
            }
            self.settle_stored(key.slot, seq);
            return;
        }
        if is_from_elsewhere
            && group.is_none()
            && !self.is_first(now, key.slot, &source.parts, &source.publisher.client_id)
        {
            self.settle_stored(key.slot, seq);
            return;
        }
        let retain = source.parts.retain && opts.retain_as_published();
        if qos == QoS::AtMostOnce
            && !has_older
            && let Some(conn_key) = conn_key
        {
            self.send_at_most_once(now, conn_key, source, sub_ids, retain);
            return;
        }
        let item = Queued {
            message: Some(source.keep(&mut self.messages)),
            seq,
            qos: qos as u8,
            retain,
            sub_ids: DeliveryIds::of(sub_ids),
            group,
        };
        self.enqueue(now, key.slot, item);
    }

    /// The session lives on another node by now: it gets the message there.
    #[cold]
    pub(super) fn deliver_to_moved(
        &mut self,
        key: SessionKey,
        opts: SubOpts,
        sub_ids: &[u32],
        source: &mut Source<'_>,
        group: SharedOrigin,
    ) {
        let client_id = self.travel.moved.get(&key).map(|moved| &moved.client_id);
        if opts.no_local() && client_id == Some(&source.publisher.client_id) {
            return;
        }
        let qos = opts.delivery_qos(source.parts.qos) as u8;
        let retain = source.parts.retain && opts.retain_as_published();
        self.follow(key, |shard| Queued {
            message: Some(source.keep(&mut shard.messages)),
            seq: 0,
            qos,
            retain,
            sub_ids: DeliveryIds::of(sub_ids),
            group,
        });
    }

    pub(super) fn ignores_loop(&self, zone: u16, slot: u32) -> bool {
        // MQTT 5 has No Local for it; the setting is for 3.x clients.
        self.mqtt(zone).ignore_loop_deliver
            && self.sessions.get(slot).is_some_and(|s| s.proto_ver < 5)
    }

    #[inline]
    pub(super) fn send_at_most_once(
        &mut self,
        now: Now,
        key: ConnKey,
        source: &mut Source<'_>,
        sub_ids: &[u32],
        retain: bool,
    ) {
        let mark = self.high_water();
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        if conn.out.len() > mark {
            conn.is_congested = true;
            let slot = conn.session;
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_qos0_msg.inc();
            if self.observer.is_tracing {
                let msg = "dropped_qos0_message_client_reads_too_slowly";
                self.trace_drop(Some(slot), source.parts.topic, msg);
            }
            if self.rule_engine.told.delivery_dropped {
                let message = source.keep(&mut self.messages);
                self.tell_delivery_dropped(slot, Some(message), "qos0_msg");
            }
            return;
        }
        let by_reference = (source.parts.payload.len() >= BY_REFERENCE_MIN)
            .then(|| source.keep(&mut self.messages));
        let outgoing = Outgoing {
            topic: source.parts.topic.get(conn.meta.mountpoint.len()..).unwrap_or_default(),
            properties: source.parts.properties,
            payload: source.parts.payload,
            expires_at_ms: source.parts.expires_at_ms,
            qos: QoS::AtMostOnce,
            dup: false,
            retain,
            packet_id: 0,
            sub_ids,
            by_reference,
        };
        let written = write_publish(conn, &mut self.pool, now, outgoing);
        let slot = conn.session;
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.effects.dirty.push(key);
        }
        self.count_sent(written, QoS::AtMostOnce, source.parts.topic);
        if self.observer.is_on {
            let is_too_large = written.is_none();
            let delivery =
                Delivery { is_too_large, ..Delivery::at_most_once(&source.parts, retain) };
            self.observe_delivery(now, key, delivery);
        }
        if self.rule_engine.told.delivered && written.is_some() {
            let message = source.keep(&mut self.messages);
            self.tell_delivered(slot, Some(&message), 0);
        }
    }

    #[inline]
    pub(super) fn count_sent(&mut self, written: Option<usize>, qos: QoS, topic: &str) {
        let Some(bytes) = written else {
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_too_large.inc();
            return;
        };
        self.outbox_bytes += bytes;
        if let Some(topics) = &self.topics {
            topics.sent(topic, qos);
        }
        let metrics = self.metrics();
        metrics.packets_sent.inc();
        metrics.publish_sent.inc();
        metrics.messages_sent.inc();
        match qos {
            QoS::AtMostOnce => metrics.qos0_sent.inc(),
            QoS::AtLeastOnce => metrics.qos1_sent.inc(),
            QoS::ExactlyOnce => metrics.qos2_sent.inc(),
        }
    }

    /// The outbox mark of one connection; lower while all of them together hold too much.
    #[inline]
    pub(super) fn high_water(&self) -> usize {
        let limits = &self.config.limits;
        let share = limits.outbox_total_bytes / usize::from(self.shared.shards()).max(1);
        if self.outbox_bytes > share {
            limits.outbox_high_water_bytes.min(64 * 1024)
        } else {
            limits.outbox_high_water_bytes
        }
    }
}
