//! From a message to the outboxes and queues of those who subscribed.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

use rookery_codec::{
    ParsedFilter, PublishHead, QoS, Version, encode_publish_head, parse_filter, publish_len,
};
use smallvec::SmallVec;

use super::Shard;
use super::gate::GateAction;
use crate::conn::Conn;
use crate::effects::{ShardMessage, SharedOrigin};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::inflight::Stage;
use crate::message::{Message, MessageParts, Origin, Publisher};
use crate::outbox::{BY_REFERENCE_MIN, BufferPool};
use crate::router::{Matched, PickContext, SharedGroup, SubOpts, Subscriber};
use crate::session::Queued;
use crate::store_port::{MessageRef, Op};

/// Bodies read from the store at once for one session.
const FETCH_MAX: usize = 64;

/// A message being routed: borrowed from the packet it came in until somebody has to keep it.
pub(super) struct Source<'a> {
    pub(super) parts: MessageParts<'a>,
    pub(super) publisher: &'a Arc<Publisher>,
    pub(super) origin: Option<&'a Arc<Origin>>,
    pub(super) kept: Option<Arc<Message>>,
}

impl<'a> Source<'a> {
    /// A source that already is a message.
    pub(super) fn of(message: &'a Arc<Message>) -> Self {
        Self {
            parts: MessageParts {
                id: message.id,
                timestamp_ms: message.timestamp_ms,
                expires_at_ms: message.expires_at_ms,
                seq: message.seq,
                qos: message.qos,
                retain: message.retain,
                sys: message.sys,
                topic: message.topic(),
                properties: message.properties(),
                payload: message.payload(),
            },
            publisher: &message.from,
            origin: message.origin.as_ref(),
            kept: Some(message.clone()),
        }
    }

    /// The message to keep; made once.
    #[inline]
    pub(super) fn keep(&mut self) -> Arc<Message> {
        let Self { parts, publisher, origin, kept } = self;
        kept.get_or_insert_with(|| {
            Arc::new(Message::new(parts, Arc::clone(publisher), origin.map(Arc::clone)))
        })
        .clone()
    }
}

/// What a PUBLISH to one client looks like, before it is bytes.
struct Outgoing<'a> {
    topic: &'a str,
    properties: &'a [u8],
    payload: &'a [u8],
    expires_at_ms: u64,
    qos: QoS,
    dup: bool,
    retain: bool,
    packet_id: u16,
    sub_ids: &'a [u32],
    by_reference: Option<Arc<Message>>,
}

/// Packs what the store keeps of one session's interest.
pub(super) fn message_ref(durable_id: u64, qos: u8, retain: bool) -> MessageRef {
    MessageRef { session: durable_id, flags: qos | u8::from(retain) << 2, meta: 0 }
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
        if matched.is_empty() {
            if !source.parts.sys {
                self.metrics().messages_dropped.inc();
                self.metrics().messages_dropped_no_subscribers.inc();
            }
            return 0;
        }
        let mut picks = self.pick_members(source, &matched);
        if source.parts.qos != QoS::AtMostOnce && self.config.durable {
            self.log_durably(source, &matched, &mut picks, from);
        }
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
            } else {
                let (message, matched) = (source.keep(), matched.clone());
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

    #[inline]
    fn pick_members(
        &mut self,
        source: &Source<'_>,
        matched: &Matched,
    ) -> SmallVec<[(Subscriber, Arc<SharedGroup>); 1]> {
        let mut picks = SmallVec::new();
        if matched.groups.is_empty() {
            return picks;
        }
        let context = self.pick_context(&source.publisher.client_id, source.parts.topic);
        for group in &matched.groups {
            if let Some(member) = group.group.pick(self.config.shared_strategy, context, &[]) {
                picks.push((member, group.group.clone()));
            }
        }
        picks
    }

    fn pick_context(&mut self, client_id: &str, topic: &str) -> PickContext {
        static HASHER: OnceLock<RandomState> = OnceLock::new();
        let hasher = HASHER.get_or_init(RandomState::new);
        self.messages_made += 1;
        let needs_hashes = self.config.shared_strategy != crate::config::SharedStrategy::RoundRobin;
        let hash = |text: &str| if needs_hashes { hasher.hash_one(text) } else { 0 };
        PickContext {
            publisher_hash: hash(client_id),
            topic_hash: hash(topic),
            random: if needs_hashes { hasher.hash_one(self.messages_made) } else { 0 },
            local_shard: self.index,
        }
    }

    /// Puts the message into the durable log if a durable session gets it with QoS 1 or 2.
    fn log_durably(
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
        let (qos, retain) = (source.parts.qos as u8, source.parts.retain);
        let wanted = |durable_id: u64, opts: SubOpts, key: SessionKey| {
            let is_echo = opts.no_local() && from == Some(key);
            (durable_id != 0 && opts.qos() != QoS::AtMostOnce && !is_echo).then(|| {
                message_ref(
                    durable_id,
                    qos.min(opts.qos() as u8),
                    retain && opts.retain_as_published(),
                )
            })
        };
        let targets = matched.targets.iter().filter_map(|t| wanted(t.durable_id, t.opts, t.key));
        let mut refs: SmallVec<[MessageRef; 1]> = targets.collect();
        for (member, _) in picks {
            // The store keeps one claim of a session on a message: a second copy lives in memory only.
            if refs.iter().any(|r| r.session == member.durable_id) {
                member.durable_id = 0;
            } else {
                refs.extend(wanted(member.durable_id, member.opts, member.key));
            }
        }
        if refs.is_empty() {
            return;
        }
        source.parts.seq = self.shared.next_seq();
        source.kept = None;
        let message = source.keep();
        self.metrics().messages_persisted.inc();
        self.effects.store_ops.push(Op::Publish {
            seq: message.seq,
            message: message.to_bytes(),
            refs,
        });
    }

    #[inline]
    fn forward(&mut self, shard: u16, message: ShardMessage) {
        self.metrics().messages_forward.inc();
        if let Some(inbox) = self.effects.to_shards.get_mut(usize::from(shard)) {
            inbox.push(message);
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
    fn drop_claim_of_gone(&mut self, key: SessionKey, durable_id: u64, seq: u64) {
        if seq != 0 && self.sessions.get_checked16(key.slot, key.generation).is_none() {
            self.effects.store_ops.push(Op::Ack { session: durable_id, seq });
        }
    }

    fn hand_to_member(
        &mut self,
        now: Now,
        source: &mut Source<'_>,
        member: &Subscriber,
        group: Arc<SharedGroup>,
        from: Option<SessionKey>,
    ) {
        if member.key.shard == self.index {
            let id = [member.sub_id];
            let ids = if member.sub_id == 0 { &[][..] } else { &id[..] };
            if self.sessions.get_checked16(member.key.slot, member.key.generation).is_none() {
                self.give_to_next(source, member, &group);
                return;
            }
            let seq = source.parts.seq;
            if member.durable_id == 0 {
                source.parts.seq = 0;
            }
            self.deliver_one(now, member.key, member.opts, ids, source, from, Some(group));
            source.parts.seq = seq;
        } else {
            let message = source.keep();
            self.forward(
                member.key.shard,
                ShardMessage::DeliverShared { message, member: *member, group },
            );
        }
    }

    /// The member that was picked has left meanwhile: another one gets the message.
    fn give_to_next(
        &mut self,
        source: &mut Source<'_>,
        gone: &Subscriber,
        group: &Arc<SharedGroup>,
    ) {
        let item = Queued {
            message: Some(source.keep()),
            seq: if gone.durable_id == 0 { 0 } else { source.parts.seq },
            group: Some(group.clone()),
            ..Queued::default()
        };
        self.give_away(gone.durable_id, gone.key, item);
    }

    /// A shared message for a member of this shard, or on its way to another one.
    pub(super) fn deliver_to_member(
        &mut self,
        now: Now,
        message: &Arc<Message>,
        member: &Subscriber,
        group: Arc<SharedGroup>,
    ) {
        let mut source = Source::of(message);
        self.hand_to_member(now, &mut source, member, group, None);
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
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else { return };
        let has_older = session.queue.has_at_most_once();
        let published = source.parts.qos;
        let is_durable = session.durable_id != 0 && published.min(opts.qos()) != QoS::AtMostOnce;
        let seq = if is_durable { source.parts.seq } else { 0 };
        let zone = session.meta.zone;
        let conn_key = session.conn;
        if from == Some(key) && (opts.no_local() || self.ignores_loop(zone, key.slot)) {
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_no_local.inc();
            self.settle_stored(key.slot, seq);
            return;
        }
        let qos = if self.mqtt(zone).upgrade_qos {
            published.max(opts.qos())
        } else {
            published.min(opts.qos())
        };
        let retain = source.parts.retain && opts.retain_as_published();
        if qos == QoS::AtMostOnce
            && !has_older
            && let Some(conn_key) = conn_key
        {
            self.send_at_most_once(now, conn_key, source, sub_ids, retain);
            return;
        }
        let item = Queued {
            message: Some(source.keep()),
            seq,
            qos: qos as u8,
            retain,
            sub_ids: SmallVec::from_slice(sub_ids),
            group,
        };
        self.enqueue(now, key.slot, item);
    }

    fn ignores_loop(&self, zone: u16, slot: u32) -> bool {
        // MQTT 5 has No Local for it; the setting is for 3.x clients.
        self.mqtt(zone).ignore_loop_deliver
            && self.sessions.get(slot).is_some_and(|s| s.proto_ver < 5)
    }

    #[inline]
    fn send_at_most_once(
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
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_qos0_msg.inc();
            return;
        }
        let by_reference = (source.parts.payload.len() >= BY_REFERENCE_MIN).then(|| source.keep());
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
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.effects.dirty.push(key);
        }
        self.count_sent(written, QoS::AtMostOnce);
    }

    #[inline]
    fn count_sent(&mut self, written: Option<usize>, qos: QoS) {
        let Some(bytes) = written else {
            self.metrics().delivery_dropped.inc();
            self.metrics().delivery_dropped_too_large.inc();
            return;
        };
        self.outbox_bytes += bytes;
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

    /// A message of QoS 1 or 2, or one for a client that is away: into the window or the queue.
    fn enqueue(&mut self, now: Now, slot: u32, item: Queued) {
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
        self.queued_bytes += item.size();
        if let Some(dropped) = session.queue.push(item, priority, max) {
            self.queued_bytes = self.queued_bytes.saturating_sub(dropped.size());
            self.drop_queued(slot, &dropped);
        }
    }

    fn drop_queued(&mut self, slot: u32, item: &Queued) {
        self.metrics().delivery_dropped.inc();
        self.metrics().delivery_dropped_queue_full.inc();
        if let Some(session) = self.sessions.get_mut(slot) {
            session.dropped += 1;
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
            self.settle_stored(slot, item.seq);
            return;
        }
        let Some(session) = self.sessions.get_mut(slot) else { return };
        // MQTT-5.0 [MQTT-4.3.3-3]: after a crash the same packet identifier must go out again,
        // so a durable QoS 2 message leaves only when its identifier is on disk.
        if item.qos == 2 && item.seq == 0 && session.durable_id != 0 {
            let op = log_for_one(&self.shared, session.durable_id, &mut item);
            self.effects.store_ops.extend(op);
        }
        let is_gated = item.seq != 0 && item.qos == 2;
        let stage = if is_gated { Stage::Gated } else { Stage::Sent };
        let seq = item.seq;
        let Some(packet_id) = session.inflight.free_id() else { return };
        if !is_gated {
            if self.write_in_flight(now, key, &item, packet_id, false)
                && let Some(session) = self.sessions.get_mut(slot)
            {
                session.inflight.push_with_id(packet_id, item, stage);
            } else {
                self.settle_stored(slot, seq);
            }
            return;
        }
        session.inflight.push_with_id(packet_id, item, stage);
        let durable_id = session.durable_id;
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
    fn write_in_flight(
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
            sub_ids: &item.sub_ids,
            by_reference: (message.payload().len() >= BY_REFERENCE_MIN).then(|| message.clone()),
        };
        let written = write_publish(conn, &mut self.pool, now, outgoing);
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.effects.dirty.push(key);
        }
        self.count_sent(written, qos);
        written.is_some()
    }

    /// Moves messages from the queue into the window as far as there is room.
    pub(super) fn pump(&mut self, now: Now, slot: u32) {
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
    fn resend_one(&mut self, now: Now, slot: u32, key: ConnKey, mark: usize) -> bool {
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
        self.pump(now, key.slot);
    }

    fn log_error(&mut self, text: String) {
        self.effects
            .up
            .push(crate::effects::UpEvent::Log(crate::effects::LogLevel::Error, text.into()));
    }

    /// Gives shared messages of a leaving member to others: QoS 1 not acknowledged and everything
    /// not sent, never QoS 2 that was sent. MQTT-5.0 [MQTT-4.8.2-4], [MQTT-4.8.2-5].
    pub(super) fn redispatch_shared(&mut self, slot: u32, session_ends: bool) {
        let Some(key) = self.sessions.get(slot).map(|s| s.key) else { return };
        self.set_shared_presence(slot, false);
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let may_go = |item: &Queued| {
            item.message.is_some()
                && item
                    .group
                    .as_ref()
                    .is_some_and(|g| if session_ends { g.len() > 1 } else { g.connected() > 0 })
        };
        let mut moving = Vec::new();
        let is_unsent = |stage| matches!(stage, Stage::Gated | Stage::Unsent);
        let ids: Vec<u16> = session
            .inflight
            .iter_mut()
            .filter(|e| (e.item.qos == 1 || is_unsent(e.stage)) && may_go(&e.item))
            .map(|e| e.packet_id)
            .collect();
        for id in ids {
            moving.extend(session.inflight.settle(id));
        }
        let durable_id = session.durable_id;
        let queued = session.queue.extract(may_go);
        self.queued_bytes = self.queued_bytes.saturating_sub(queued.iter().map(Queued::size).sum());
        for item in moving.into_iter().chain(queued) {
            self.give_away(durable_id, key, item);
        }
    }

    /// Finds another member for a shared message.
    fn give_away(&mut self, leaver_id: u64, leaver: SessionKey, item: Queued) {
        if item.seq != 0 {
            self.effects.store_ops.push(Op::Ack { session: leaver_id, seq: item.seq });
        }
        let (Some(message), Some(group)) = (item.message, item.group) else { return };
        let context = self.pick_context(&message.from.client_id, message.topic());
        let Some(member) = group.pick(self.config.shared_strategy, context, &[leaver]) else {
            return;
        };
        let mut message = message;
        if member.durable_id != 0 && message.qos != QoS::AtMostOnce && self.config.durable {
            let seq = self.shared.next_seq();
            message = Arc::new(message.with(message.topic(), message.retain, seq));
            let reference = message_ref(
                member.durable_id,
                (message.qos as u8).min(member.opts.qos() as u8),
                false,
            );
            self.effects.store_ops.push(Op::Publish {
                seq,
                message: message.to_bytes(),
                refs: smallvec::smallvec![reference],
            });
        }
        // Through the inbox even if the member is here: the caller is in the middle of ending a session.
        self.forward(member.key.shard, ShardMessage::DeliverShared { message, member, group });
    }
}

/// Writes a message that only memory holds into the log, for one session: a retained one, or the
/// second copy that a shared subscription brings.
pub(super) fn log_for_one(
    shared: &crate::shared::Shared,
    durable_id: u64,
    item: &mut Queued,
) -> Option<Op> {
    let message = item.message.as_ref()?;
    item.seq = shared.next_seq();
    let copy = Arc::new(message.with(message.topic(), message.retain, item.seq));
    let refs = smallvec::smallvec![message_ref(durable_id, item.qos, item.retain)];
    let op = Op::Publish { seq: item.seq, message: copy.to_bytes(), refs };
    item.message = Some(copy);
    Some(op)
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
    if item.sub_ids.is_empty() {
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

/// Encodes into the outbox; `None` when the client's Maximum Packet Size forbids it.
#[inline]
fn write_publish(
    conn: &mut Conn,
    pool: &mut BufferPool,
    now: Now,
    outgoing: Outgoing<'_>,
) -> Option<usize> {
    let is_v5 = conn.version == Version::V5;
    let mut head = PublishHead {
        version: conn.version,
        dup: outgoing.dup,
        qos: outgoing.qos,
        retain: outgoing.retain,
        topic: outgoing.topic,
        packet_id: outgoing.packet_id,
        topic_alias: None,
        message_expiry_interval_s: None,
        subscription_identifiers: &[],
        properties: &[],
    };
    let len = outgoing.payload.len();
    if is_v5 {
        head.properties = outgoing.properties;
        head.subscription_identifiers = outgoing.sub_ids;
        if outgoing.expires_at_ms != 0 {
            let left_ms = outgoing.expires_at_ms.saturating_sub(now.unix_ms);
            head.message_expiry_interval_s =
                Some(u32::try_from(left_ms.div_ceil(1000)).unwrap_or(u32::MAX));
        }
        let max =
            if conn.packet_size_max == 0 { usize::MAX } else { conn.packet_size_max as usize };
        if let Some(aliases) = conn.aliases.as_mut().filter(|a| a.outbound_max > 0) {
            alias_out(aliases, &mut head, len, max);
        }
        if max != usize::MAX && publish_len(&head, len) > max {
            return None;
        }
    }
    let before = conn.out.len();
    let out = conn.out.writer(pool);
    encode_publish_head(&head, len, out);
    match outgoing.by_reference {
        Some(message) => conn.out.push_payload(message),
        None => out.extend_from_slice(outgoing.payload),
    }
    Some(conn.out.len() - before)
}

/// Uses or sets an outbound topic alias, MQTT-5.0 section 3.3.2.3.4.
fn alias_out(
    aliases: &mut crate::conn::Aliases,
    head: &mut PublishHead<'_>,
    len: usize,
    max: usize,
) {
    if let Some(&alias) = aliases.outbound.get(head.topic) {
        head.topic_alias = Some(alias);
        head.topic = "";
        return;
    }
    let next = u16::try_from(aliases.outbound.len()).map_or(u16::MAX, |n| n.saturating_add(1));
    if next <= aliases.outbound_max {
        head.topic_alias = Some(next);
        if max != usize::MAX && publish_len(head, len) > max {
            // It fits only without, or not at all: then the client never learns the alias.
            head.topic_alias = None;
            return;
        }
        aliases.outbound.insert(head.topic.into(), next);
    }
}
