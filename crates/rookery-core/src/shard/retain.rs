//! Retained messages: kept, taken away, over, and changed by other nodes of the cluster.
//!
//! In a cluster every change has a version and goes to the other nodes, see
//! [`crate::retained::Replicated`]; a node alone pays one look at whether there is one.

use std::sync::Arc;

use rookery_cluster::replica::{Key, What};
use rookery_codec::QoS;

use super::Shard;
use super::deliver::Source;
use super::gate::UnstoredRetained;
use crate::copies::Foreign;
use crate::effects::{ReplicaMessage, ShardMessage};
use crate::ids::{MessageId, Now};
use crate::message::Message;
use crate::persist;
use crate::retained::{Changed, SweepCursor};

/// Retained messages looked at in one slice of the search for expired ones.
const SWEEP_SLICE: usize = 1000;
/// Deletions that are forgotten in one slice, of each part.
const PURGE_SLICE: usize = 256;

impl Shard {
    /// Keeps a message as the retained one of its topic and tells nobody; whether there was room.
    pub(super) fn retain_silently(&mut self, now: Now, message: &Arc<Message>) -> bool {
        self.retain(now, &mut Source::of(message));
        self.shared.retained.get(message.topic()).is_some_and(|kept| kept.id == message.id)
    }

    /// MQTT-5.0 section 3.3.1.3: the newest retained message of a topic replaces the older one.
    pub(super) fn retain(&mut self, now: Now, source: &mut Source<'_>) {
        let config = self.config.clone();
        let retainer = &config.retainer;
        if !retainer.enable {
            return;
        }
        if source.parts.payload.is_empty() {
            // What another cluster deletes it tells those that it is linked with by itself.
            if source.origin.is_none_or(|origin| origin.link.is_none()) {
                let age = (source.parts.timestamp_ms, source.parts.id);
                self.shared.links.deletions.note(source.parts.topic, age);
            }
            self.clear_retained(now, source.parts.topic, source.parts.qos);
            return;
        }
        if source.parts.expires_at_ms == 0 && retainer.msg_expiry_interval_s > 0 {
            source.parts.expires_at_ms =
                now.unix_ms + u64::from(retainer.msg_expiry_interval_s) * 1000;
            source.kept = None;
        }
        if !self.has_room_to_retain(source.parts.topic, source.parts.payload.len()) {
            self.metrics().messages_dropped_quota_exceeded.inc();
            return;
        }
        let message = source.keep(&mut self.messages);
        if let Some(replicated) = self.shared.replicated.get().filter(|_| !message.sys) {
            let changed = replicated.insert(&self.shared.retained, message.clone(), now.unix_ms);
            self.store_retained(Some(&message), &changed);
            self.tell_retained(changed.key, message.qos);
            return;
        }
        // What the node says about itself it says again after a restart.
        let is_stored = self.config.durable && !message.sys;
        let (replaced, order) = self.shared.retained.insert_ordered(message.clone());
        if is_stored {
            self.effects.store_ops.push(persist::put_retained(&message, order));
            self.unstored.retained.push_back(UnstoredRetained {
                ticket: self.ticket,
                message,
                replaced,
            });
        }
    }

    fn has_room_to_retain(&self, topic: &str, payload_bytes: usize) -> bool {
        let (retainer, retained) = (&self.config.retainer, &self.shared.retained);
        if payload_bytes > retainer.max_payload_size {
            return false;
        }
        let old_bytes = || retained.get(topic).map(|message| message.payload().len());
        let is_full = (retainer.max_retained_messages != 0
            && retained.len() >= retainer.max_retained_messages
            && old_bytes().is_none())
            || (retainer.max_bytes != 0
                && retained.bytes() >= retainer.max_bytes
                && payload_bytes > old_bytes().unwrap_or_default());
        !is_full
    }

    fn clear_retained(&mut self, now: Now, topic: &str, qos: QoS) {
        if let Some(replicated) = self.shared.replicated.get() {
            let removed = replicated.remove(&self.shared.retained, topic, None, now.unix_ms);
            if let Some(changed) = removed {
                self.store_retained(None, &changed);
                self.tell_retained(changed.key, qos);
            }
            return;
        }
        let removed = self.shared.retained.remove_if(topic, |_| true);
        if let (Some((_, order)), true) = (removed, self.config.durable) {
            self.effects.store_ops.push(persist::delete_retained(topic, order));
        }
    }

    /// Forgets a retained message, unless another one took its place.
    pub(super) fn remove_retained(&mut self, now: Now, message: &Message) -> bool {
        let is_removed = self.take_out_retained(now, message);
        if is_removed && !message.sys {
            let age = (now.unix_ms.max(message.timestamp_ms), self.message_id(now));
            self.shared.links.deletions.note(message.topic(), age);
        }
        is_removed
    }

    fn take_out_retained(&mut self, now: Now, message: &Message) -> bool {
        if let Some(replicated) = self.shared.replicated.get().filter(|_| !message.sys) {
            let (topic, id) = (message.topic(), Some(message.id));
            let removed = replicated.remove(&self.shared.retained, topic, id, now.unix_ms);
            let Some(changed) = removed else { return false };
            self.store_retained(None, &changed);
            self.tell_retained(changed.key, QoS::AtMostOnce);
            return true;
        }
        let is_meant = |kept: &Message| kept.id == message.id;
        let Some((_, order)) = self.shared.retained.remove_if(message.topic(), is_meant) else {
            return false;
        };
        if self.config.durable && !message.sys {
            self.effects.store_ops.push(persist::delete_retained(message.topic(), order));
        }
        true
    }

    /// Writes a change with its version.
    fn store_retained(&mut self, message: Option<&Message>, changed: &Changed) {
        if !self.config.durable {
            return;
        }
        let Changed { key, version, order, old, was_deleted } = changed;
        let ops = &mut self.effects.store_ops;
        match (message, old) {
            (Some(message), _) => {
                ops.push(persist::put_retained_version(message, version, *order));
                if *was_deleted {
                    ops.push(persist::delete_retained_deletion(key, *order));
                }
            }
            (None, old) => {
                if let Some(old) = old {
                    ops.push(persist::delete_retained(old.topic(), *order));
                }
                ops.push(persist::put_retained_deletion(key, version, *order));
            }
        }
    }

    /// Lets other nodes know; an acknowledgement waits for them.
    fn tell_retained(&mut self, key: Key, qos: QoS) {
        let wait_ms = (qos != QoS::AtMostOnce).then_some(self.config.retainer.ack_timeout_ms);
        let changed = ReplicaMessage::Changed { key, wait_ms: wait_ms.filter(|ms| *ms > 0) };
        self.send_replica(changed, wait_ms.is_some_and(|ms| ms > 0));
    }

    /// Takes a message out that is over.
    pub(super) fn expire_retained(&mut self, now: Now, message: &Message) {
        let is_it = |kept: &Message| kept.id == message.id;
        let Some((_, order)) = self.shared.retained.remove_if(message.topic(), is_it) else {
            return;
        };
        self.note_expired(now, message, order);
    }

    fn note_expired(&mut self, now: Now, message: &Message, order: u64) {
        if let Some(replicated) = self.shared.replicated.get() {
            replicated.expired(message, now.unix_ms);
        }
        if self.config.durable {
            self.effects.store_ops.push(persist::delete_retained(message.topic(), order));
        }
    }

    /// Takes expired retained messages out and forgets old deletions, a slice per call. One shard
    /// does it for the node.
    pub fn sweep_retained(&mut self, now: Now) {
        let mut over = Vec::new();
        let more = self.shared.retained.sweep(
            &mut self.sweep,
            SWEEP_SLICE,
            |message| message.is_expired(now.unix_ms),
            &mut over,
        );
        if !more {
            self.sweep = SweepCursor::default();
        }
        for (message, order) in over {
            self.note_expired(now, &message, order);
        }
        self.purge_deletions(now);
        self.purge_pledges(now);
    }

    fn purge_deletions(&mut self, now: Now) {
        let Some(replicated) = self.shared.replicated.get() else { return };
        let keep_ms = u64::from(self.config.retainer.deletion_expiry_s) * 1000;
        let before_ms = now.unix_ms.saturating_sub(keep_ms);
        let (gone, purged) = replicated.purge(before_ms, PURGE_SLICE, now.unix_ms);
        if gone.is_empty() || !self.config.durable {
            return;
        }
        let order = || self.shared.retained.next_change();
        let ops = gone.iter().map(|key| persist::delete_retained_deletion(key, order()));
        self.effects.store_ops.extend(ops);
        self.effects.store_ops.push(persist::put_retained_purged(purged));
    }

    /// Something about replicated messages from the lanes.
    pub(super) fn hear_replica(&mut self, now: Now, message: ReplicaMessage) {
        match message {
            ReplicaMessage::Foreign { peer, number, entries } => {
                let before = self.effects.store_ops.len();
                for entry in entries {
                    self.take_foreign(now, entry);
                }
                match self.ticket_since(before) {
                    0 => self.send_replica(ReplicaMessage::Kept { peer, number }, false),
                    ticket => self.nodes.unstored.push_back((ticket, peer, number)),
                }
            }
            ReplicaMessage::Outdated(keys) => self.drop_outdated(&keys),
            ReplicaMessage::InStep { node, time } => {
                if self.config.durable {
                    self.effects.store_ops.push(persist::put_retained_in_step(&node, time));
                }
            }
            ReplicaMessage::Unconfirmed(count) => {
                self.metrics().retained_unconfirmed.add(count);
            }
            // These go to the lanes.
            ReplicaMessage::Changed { .. } | ReplicaMessage::Kept { .. } => {}
        }
    }

    /// Another node's change. What is over or has no room here is known, but not kept.
    fn take_foreign(&mut self, now: Now, mut foreign: Foreign<Message>) {
        let Some(replicated) = self.shared.replicated.get() else { return };
        if let What::Value(message) = &foreign.what {
            let has_room = self.config.retainer.enable
                && self.has_room_to_retain(message.topic(), message.payload().len());
            if !has_room {
                self.metrics().messages_dropped_quota_exceeded.inc();
            }
            if !has_room || message.is_expired(now.unix_ms) {
                foreign.what = What::Absent;
            }
        }
        let Some(changed) = replicated.apply(&self.shared.retained, &foreign, now.unix_ms) else {
            return;
        };
        match (&foreign.what, &changed.old) {
            (What::Value(message), _) => self.store_retained(Some(message), &changed),
            (What::Deleted, old) => {
                if let Some(old) = old {
                    let age = (foreign.version.unix_ms(), MessageId(old.id.0.saturating_add(1)));
                    self.shared.links.deletions.note(old.topic(), age);
                }
                self.store_retained(None, &changed);
            }
            (What::Absent, Some(old)) if self.config.durable => {
                let delete = persist::delete_retained(old.topic(), changed.order);
                self.effects.store_ops.push(delete);
            }
            (What::Absent, _) => {}
        }
    }

    fn drop_outdated(&mut self, keys: &[(Key, u64)]) {
        let Some(replicated) = self.shared.replicated.get() else { return };
        for (key, time) in keys {
            let dropped = replicated.drop_outdated(&self.shared.retained, key, *time);
            if let (Some((message, order)), true) = (dropped, self.config.durable) {
                self.effects.store_ops.push(persist::delete_retained(message.topic(), order));
            }
        }
    }

    /// What other nodes sent is stored: they are told.
    pub(super) fn confirm_foreign(&mut self, ticket: u64) {
        while self.nodes.unstored.front().is_some_and(|(needed, ..)| *needed <= ticket) {
            let Some((_, peer, number)) = self.nodes.unstored.pop_front() else { return };
            self.send_replica(ReplicaMessage::Kept { peer, number }, false);
        }
    }

    fn send_replica(&mut self, message: ReplicaMessage, is_waited_for: bool) {
        if is_waited_for {
            self.wait_for_nodes();
        }
        self.effects.to_nodes.push(ShardMessage::Replica(Box::new(message)));
    }
}
