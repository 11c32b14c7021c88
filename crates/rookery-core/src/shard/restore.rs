//! What a shard takes back after a restart.

use std::sync::Arc;

use rookery_codec::{ParsedFilter, parse_filter};

use super::Shard;
use crate::effects::ConnMeta;
use crate::ids::{Now, SessionKey};
use crate::inflight::{Inflight, Stage};
use crate::message::{Message, Publisher};
use crate::moving::Moves;
use crate::mqueue::MessageQueue;
use crate::persist::{self, SessionRecord};
use crate::session::{DeliveryIds, Queued, Session, Subscription, Will};

/// A durable message that waits for a session.
#[derive(Copy, Clone, Debug)]
pub struct RestoredMessage {
    /// Number in the durable log.
    pub seq: u64,
    /// QoS in bits 0–1, RETAIN in bit 2.
    pub flags: u8,
    /// Packet identifier it was sent under.
    pub packet_id: Option<u16>,
    /// PUBREC was received.
    pub released: bool,
    /// Mark of the shared subscription it came through; 0 = none.
    pub group: u32,
}

/// A session as recovery found it.
#[derive(Debug)]
pub struct RestoredSession {
    /// Its record.
    pub record: SessionRecord,
    /// Its subscriptions.
    pub subscriptions: Vec<(String, Subscription)>,
    /// Its messages, oldest first.
    pub messages: Vec<RestoredMessage>,
    /// Inbound QoS 2 packet identifiers.
    pub awaiting_rel: Vec<u16>,
    /// Its will.
    pub will: Option<Will>,
}

impl Shard {
    /// Takes a session back. `alive_at_ms` is when the node was last known to run: the time
    /// from which a session that was connected then counts as lost.
    pub fn restore_session(&mut self, now: Now, restored: RestoredSession, alive_at_ms: u64) {
        let record = restored.record;
        let (slot, generation) = self.sessions.next_key();
        #[allow(clippy::cast_possible_truncation)]
        let key = SessionKey { shard: self.index, generation: generation as u16, slot };
        let latest = record.latest.as_ref();
        let connected_at_ms = latest.map_or(0, |latest| latest.connected_at_ms);
        // Whoever came after the last sign of life was there until the end.
        let seen_at_ms = record.created_at_ms.max(connected_at_ms);
        let lost_at_ms = alive_at_ms.max(seen_at_ms).min(now.unix_ms);
        let disconnected_at_ms =
            if record.disconnected_at_ms == 0 { lost_at_ms } else { record.disconnected_at_ms };
        let meta = self.meta_of(&record);
        let client_id: Arc<str> = record.client_id.as_str().into();
        let username = record.username.as_deref().map(Arc::from);
        let mut session = Session {
            key,
            publisher: Arc::new(Publisher { client_id: client_id.clone(), username }),
            durable_id: record.durable_id,
            expiry_s: record.expiry_s,
            conn: None,
            meta: Arc::new(meta),
            proto_ver: record.proto_ver,
            clean_start: latest.is_some_and(|latest| latest.clean_start),
            keep_alive_s: latest.map_or(0, |latest| latest.keep_alive_s),
            subscriptions: hashbrown::HashMap::new(),
            inflight: Inflight::default(),
            queue: MessageQueue::default(),
            awaiting_rel: None,
            will: restored.will.map(Box::new),
            replays: None,
            generation: record.generation,
            created_at_ms: record.created_at_ms,
            connected_at_ms,
            disconnected_at_ms,
            dropped: 0,
            unstored: 0,
            subscribed_ticket: 0,
            is_recorded: true,
            is_fetching: false,
            timer_ms: 0,
            moves: (record.took != 0)
                .then(|| Box::new(Moves { took: record.took, ..Moves::default() })),
        };
        if !restored.awaiting_rel.is_empty() {
            let ids = restored.awaiting_rel.iter().map(|id| (*id, now.mono_ms)).collect();
            session.awaiting_rel = Some(Box::new(ids));
        }
        self.restore_messages(&mut session, &restored.messages);
        self.sessions.insert(session);
        self.clients.insert(client_id, slot);
        self.shared.sessions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (text, subscription) in restored.subscriptions {
            if let Ok(parsed) = parse_filter(&text) {
                self.install_restored(slot, &text, parsed, subscription);
            }
        }
        self.restore_groups(slot, &restored.messages);
        self.arm_restored(now, slot);
    }

    /// What is known of the latest connection of a session.
    fn meta_of(&self, record: &SessionRecord) -> ConnMeta {
        let peer = record.latest.as_ref().and_then(|latest| latest.peer);
        ConnMeta {
            peer: peer.unwrap_or(ConnMeta::NOWHERE),
            local: ConnMeta::NOWHERE,
            listener: record.listener.as_str().into(),
            zone: self.zone_of(record),
            mountpoint: record.mountpoint.as_str().into(),
            is_local: false,
            enable_authn: true,
            quick_deny_anonymous: false,
            rates: None,
            cert: None,
            handover: None,
        }
    }

    /// The settings may have other zones now: the name tells which one it was. A zone that is gone
    /// leaves its sessions to the first one.
    fn zone_of(&self, record: &SessionRecord) -> u16 {
        let Some(latest) = &record.latest else { return record.zone };
        let index = self.config.zones.iter().position(|zone| zone.name == latest.zone);
        index.and_then(|index| u16::try_from(index).ok()).unwrap_or(0)
    }

    /// Ties messages to the shared subscriptions they came through, as far as the session still
    /// has them: should it end, other members get what it did not.
    fn restore_groups(&mut self, slot: u32, messages: &[RestoredMessage]) {
        let marks: hashbrown::HashMap<u64, u32> =
            messages.iter().filter(|m| m.group != 0).map(|m| (m.seq, m.group)).collect();
        let Some(session) = self.sessions.get_mut(slot).filter(|_| !marks.is_empty()) else {
            return;
        };
        let mountpoint = &session.meta.mountpoint;
        let groups = session.subscriptions.keys().filter_map(|text| match parse_filter(text) {
            Ok(ParsedFilter::Shared { group, filter }) => {
                self.shared.router.shared_group(group, &format!("{mountpoint}{filter}"))
            }
            _ => None,
        });
        let groups: Vec<_> = groups.collect();
        let group_of = |seq: u64| {
            let mark = marks.get(&seq)?;
            groups.iter().find(|group| group.mark() == *mark).cloned()
        };
        let in_flight = session.inflight.iter_mut().map(|entry| &mut entry.item);
        for item in in_flight.chain(session.queue.iter_mut()) {
            item.group = group_of(item.seq);
        }
    }

    fn restore_messages(&mut self, session: &mut Session, messages: &[RestoredMessage]) {
        for message in messages {
            let item = Queued {
                message: None,
                seq: message.seq,
                qos: message.flags & 3,
                retain: message.flags & 4 != 0,
                sub_ids: DeliveryIds::default(),
                group: None,
            };
            match message.packet_id {
                Some(id) => {
                    let stage = if message.released { Stage::Released } else { Stage::Sent };
                    session.inflight.push_with_id(id, item, stage);
                }
                None => {
                    self.queued_bytes += item.size();
                    session.queue.push(item, 0, 0);
                }
            }
        }
    }

    fn arm_restored(&mut self, now: Now, slot: u32) {
        let learn_until_ms = self.learn_until_ms(now);
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let lost_at_ms = session.disconnected_at_ms;
        if let Some(will) = session.will.as_mut().filter(|w| w.due_at_ms == 0) {
            // The connection was lost together with the node.
            will.due_at_ms =
                (lost_at_ms + u64::from(will.delay_s.min(session.expiry_s)) * 1000).max(1);
        }
        if let Some(will) = session.will.as_mut() {
            will.due_at_ms = will.due_at_ms.max(learn_until_ms);
        }
        self.arm_session(now, slot);
    }

    /// Publishes the will of a client whose session ended with the node.
    pub fn restore_will(&mut self, now: Now, client_id: &str, will: &Will) {
        let learn_until_ms = self.learn_until_ms(now);
        if learn_until_ms > 0 {
            let due_at_ms = will.due_at_ms.max(learn_until_ms);
            self.await_will(now, Will { due_at_ms, ..will.clone() });
            return;
        }
        self.effects.store_ops.push(persist::delete_will(client_id));
        let mut message = will.message.with(will.message.topic(), will.message.retain, 0);
        if message.expires_at_ms != 0 {
            message.expires_at_ms += now.unix_ms;
        }
        message.timestamp_ms = now.unix_ms;
        self.publish_kept(now, &Arc::new(message));
    }

    /// Takes a delayed message back.
    pub fn restore_delayed(&mut self, now: Now, due_at_ms: u64, message: Message) {
        let due_at_ms = due_at_ms.max(self.learn_until_ms(now));
        self.keep_delayed(now, due_at_ms, Arc::new(message));
    }
}
