//! Retained messages for new subscriptions, in slices and only as fast as the client takes them.

use std::sync::Arc;

use rookery_codec::QoS;

use super::Shard;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::Message;
use crate::session::{Queued, Replay};

/// Messages handed out per turn.
const SLICE: usize = 256;
/// Messages read from the retained store at once.
const READ: usize = 32;

impl Shard {
    /// Queues reads of retained messages for a client.
    pub(super) fn start_replays(&mut self, key: ConnKey, replays: Vec<Replay>) {
        if replays.is_empty() {
            return;
        }
        let Some(slot) = self.conns.get(key.slot).map(|c| c.session) else { return };
        let max = self.config.limits.filters_per_packet.max(1);
        let Some(session) = self.sessions.get_mut(slot) else { return };
        // A client that subscribes without end and takes nothing: its oldest wishes go first.
        session.replays.get_or_insert_default().extend(replays, 2 * max);
        self.replay_ready.push_back(session.key);
    }

    /// Goes on with replays that have room.
    pub(super) fn replay_slice(&mut self, now: Now) {
        let mut budget = SLICE;
        while budget > 0 {
            let Some(key) = self.replay_ready.pop_front() else { return };
            let used = self.replay_for(now, key);
            budget = budget.saturating_sub(used.max(1));
        }
    }

    /// One read for one session; it comes back when the client made room (`pump`).
    fn replay_for(&mut self, now: Now, key: SessionKey) -> usize {
        let mark = self.high_water() / 2;
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else { return 0 };
        let Some(conn_key) = session.conn else {
            // The client is gone; MQTT sends retained messages on subscribing, not on reconnecting.
            session.replays = None;
            return 0;
        };
        let Some(conn) = self.conns.get_mut(conn_key.slot) else { return 0 };
        if conn.out.len() > mark {
            conn.is_congested = true;
            return 0;
        }
        let room = usize::from(conn.window).saturating_sub(session.inflight.len());
        let Some(replay) = session.replays.as_mut().and_then(|r| r.front_mut()) else {
            session.replays = None;
            return 0;
        };
        let qos_max = replay.subscription.opts.qos();
        if qos_max != QoS::AtMostOnce && (room == 0 || !session.queue.is_empty()) {
            return 0;
        }
        let limit = if qos_max == QoS::AtMostOnce { READ } else { READ.min(room) };
        let mut found: Vec<Arc<Message>> = Vec::new();
        let subscription = replay.subscription;
        let more = self.shared.retained.scan(&replay.filter, &mut replay.cursor, limit, &mut found);
        if !more && session.replays.as_mut().is_some_and(|replays| !replays.pop()) {
            session.replays = None;
        }
        let has_more = session.replays.is_some();
        let count = found.len();
        for message in found {
            self.send_retained(now, key, conn_key, &message, subscription);
        }
        if has_more {
            self.replay_ready.push_back(key);
        }
        count + 1
    }

    fn send_retained(
        &mut self,
        now: Now,
        key: SessionKey,
        conn_key: ConnKey,
        message: &Arc<Message>,
        subscription: crate::session::Subscription,
    ) {
        if message.is_expired(now.unix_ms) {
            self.expire_retained(now, message);
            return;
        }
        let qos = message.qos.min(subscription.opts.qos());
        let sub_ids = (subscription.sub_id != 0).then_some(subscription.sub_id);
        // MQTT-5.0 [MQTT-3.3.1-8]: RETAIN is 1 on messages sent because of a new subscription.
        let item = Queued {
            message: Some(message.clone()),
            seq: 0,
            qos: qos as u8,
            retain: true,
            sub_ids: sub_ids.into_iter().collect(),
            group: None,
        };
        if qos == QoS::AtMostOnce {
            self.send_publish(now, conn_key, &item, 0, false);
        } else {
            self.send_in_flight(now, key.slot, conn_key, item);
        }
    }
}
