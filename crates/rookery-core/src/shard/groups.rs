//! Shared subscriptions: choosing a member, and another one when it leaves. MQTT-5.0 section 4.8.2.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

use rookery_codec::QoS;
use smallvec::SmallVec;

use super::Shard;
use super::deliver::{Source, message_ref};
use crate::effects::ShardMessage;
use crate::ids::{Now, SessionKey};
use crate::inflight::Stage;
use crate::message::Message;
use crate::router::{Matched, PickContext, SharedGroup, Subscriber};
use crate::session::Queued;
use crate::store_port::Op;

impl Shard {
    #[inline]
    pub(super) fn pick_members(
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

    pub(super) fn pick_context(&mut self, client_id: &str, topic: &str) -> PickContext {
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

    pub(super) fn hand_to_member(
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
            let is_gone =
                self.sessions.get_checked16(member.key.slot, member.key.generation).is_none();
            if is_gone && !self.travel.moved.contains_key(&member.key) {
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
            self.announce_unstored(member.key.shard, source.parts.seq);
            let message = source.keep(&mut self.messages);
            self.forward(
                member.key.shard,
                ShardMessage::DeliverShared { message, member: *member, group },
            );
        }
    }

    /// The member that was picked has left meanwhile: another one gets the message.
    pub(super) fn give_to_next(
        &mut self,
        source: &mut Source<'_>,
        gone: &Subscriber,
        group: &Arc<SharedGroup>,
    ) {
        let item = Queued {
            message: Some(source.keep(&mut self.messages)),
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

    /// Gives shared messages of a leaving member to others: QoS 1 not acknowledged and everything
    /// not sent, never QoS 2 that was sent. MQTT-5.0 [MQTT-4.8.2-4], [MQTT-4.8.2-5]. If bodies
    /// are only in the log, nothing has moved yet and the answer is what has to.
    pub(super) fn redispatch_shared(&mut self, slot: u32, session_ends: bool) -> VecDeque<Queued> {
        let Some(key) = self.sessions.get(slot).map(|s| s.key) else { return VecDeque::new() };
        self.set_shared_presence(slot, false);
        let Some(session) = self.sessions.get_mut(slot) else { return VecDeque::new() };
        let may_go = |item: &Queued| {
            (item.message.is_some() || session_ends)
                && item.group.as_ref().is_some_and(|g| {
                    let here = if session_ends { g.len() > 1 } else { g.connected() > 0 };
                    here || g.has_remotes()
                })
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
        let moving: VecDeque<Queued> = moving.into_iter().chain(queued).collect();
        if moving.iter().any(|item| item.message.is_none()) {
            return moving;
        }
        for item in moving {
            self.give_away(durable_id, key, item);
        }
        VecDeque::new()
    }

    /// Finds another member for a shared message.
    pub(super) fn give_away(&mut self, leaver_id: u64, leaver: SessionKey, item: Queued) {
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
            let qos = member.opts.delivery_qos(message.qos) as u8;
            let reference = message_ref(member.durable_id, qos, false, group.mark());
            self.effects.store_ops.push(Op::Publish {
                seq,
                message: message.to_bytes(),
                refs: smallvec::smallvec![reference],
                is_moved: true,
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
    let group = item.group.as_ref().map_or(0, |group| group.mark());
    let refs = smallvec::smallvec![message_ref(durable_id, item.qos, item.retain, group)];
    let op = Op::Publish { seq: item.seq, message: copy.to_bytes(), refs, is_moved: false };
    item.message = Some(copy);
    Some(op)
}
