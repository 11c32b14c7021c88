//! Wills and delayed messages in a cluster: every node knows them, and takes over those of a node that
//! is lost. See [`crate::pledges`].

use std::sync::Arc;

use rookery_cluster::replica::{Key, What};
use rookery_codec::QoS;

use super::Shard;
use crate::copies::Foreign;
use crate::effects::{PledgeMessage, ShardMessage};
use crate::ids::Now;
use crate::message::Message;
use crate::persist;
use crate::pledges::{Overtaken, Pledge, Pledges, key_of_delayed, key_of_will};
use crate::session::Will;

/// After a start others may have published what was due meanwhile: for so long they are heard first.
const LEARN_MS: u64 = 10_000;
/// Wills of clients of other nodes that are published in one tick.
const WILLS_SLICE: usize = 1000;

impl Shard {
    /// Other nodes know of a session's will from now on.
    pub(super) fn pledge_will(&mut self, now: Now, slot: u32) {
        let Some(pledges) = self.shared.pledges.get() else { return };
        let Some(session) = self.sessions.get(slot) else { return };
        let Some(will) = session.will.as_deref() else { return };
        let mut will = will.clone();
        // Without a session there is nothing to wait for.
        will.delay_s = will.delay_s.min(session.expiry_s);
        let key = pledges.keep(Pledge::Will(will), now.unix_ms);
        self.tell_pledge(key, QoS::AtMostOnce);
    }

    /// A client's will is decided: by this node, or by its coming here.
    pub(super) fn release_will(&mut self, now: Now, client_id: &str, is_mine_only: bool) {
        if self.shared.pledges.get().is_some() {
            self.release_pledge(now, &key_of_will(client_id), is_mine_only);
        }
    }

    /// Other nodes know of a delayed message.
    pub(super) fn pledge_delayed(&mut self, now: Now, due_at_ms: u64, message: &Arc<Message>) {
        let Some(pledges) = self.shared.pledges.get() else { return };
        let key = pledges.keep(Pledge::Delayed(due_at_ms, message.clone()), now.unix_ms);
        self.tell_pledge(key, message.qos);
    }

    /// A delayed message is published or taken back.
    pub(super) fn release_delayed(&mut self, now: Now, message: &Message) {
        if self.shared.pledges.get().is_some() {
            self.release_pledge(now, &key_of_delayed(message.id), true);
        }
    }

    pub(super) fn release_pledge(&mut self, now: Now, key: &Key, is_mine_only: bool) {
        let Some(pledges) = self.shared.pledges.get() else { return };
        if pledges.release(key, is_mine_only, now.unix_ms) {
            self.tell_pledge(*key, QoS::AtMostOnce);
        }
    }

    fn tell_pledge(&mut self, key: Key, qos: QoS) {
        let wait_ms = (qos != QoS::AtMostOnce).then_some(self.config.retainer.ack_timeout_ms);
        let wait_ms = wait_ms.filter(|ms| *ms > 0);
        if wait_ms.is_some() {
            self.wait_for_nodes();
        }
        let changed = PledgeMessage::Changed { key, wait_ms };
        self.effects.to_nodes.push(ShardMessage::Pledge(Box::new(changed)));
    }

    /// Whether another node has taken over what this one was to publish.
    pub(super) fn is_overtaken(&self, key: &Key) -> bool {
        self.shared.pledges.get().is_some_and(|pledges| !pledges.is_mine(key))
    }

    /// The same for a delayed message.
    pub(super) fn is_delayed_overtaken(&self, message: &Message) -> bool {
        self.shared.pledges.get().is_some() && self.is_overtaken(&key_of_delayed(message.id))
    }

    /// Something about pledges from the lanes, or from a shard that took them from there.
    pub(super) fn hear_pledge(&mut self, now: Now, message: PledgeMessage) {
        match message {
            PledgeMessage::Foreign { peer, number, entries } => {
                for entry in &entries {
                    self.take_foreign_pledge(now, entry);
                }
                let kept = PledgeMessage::Kept { peer, number };
                self.effects.to_nodes.push(ShardMessage::Pledge(Box::new(kept)));
            }
            PledgeMessage::Overtaken(pledge) => self.overtaken(now, &pledge),
            PledgeMessage::Adopt(pledge) => self.adopt(now, &pledge),
            PledgeMessage::Open => self.pledge_all(now),
            // These go to the lanes.
            PledgeMessage::Changed { .. } | PledgeMessage::Kept { .. } => {}
        }
    }

    fn take_foreign_pledge(&mut self, now: Now, foreign: &Foreign<Pledge>) {
        let Some(pledges) = self.shared.pledges.get() else { return };
        let Some(Overtaken { was, is_mine }) = pledges.apply(foreign, now.unix_ms) else { return };
        let (owned, message) = match (was, &foreign.what) {
            (Some(was), _) if !is_mine => (was.clone(), PledgeMessage::Overtaken(was)),
            (None, What::Value(pledge)) if is_mine => {
                (pledge.clone(), PledgeMessage::Adopt(pledge.clone()))
            }
            _ => return,
        };
        let owner = self.shared.shard_of(&owned.message().from.client_id);
        if owner == self.index {
            self.hear_pledge(now, message);
        } else {
            self.forward(owner, ShardMessage::Pledge(Box::new(message)));
        }
    }

    /// Another node took over what this one keeps: it thought that this one was lost, or published it.
    fn overtaken(&mut self, now: Now, pledge: &Pledge) {
        match pledge {
            Pledge::Will(will) => {
                let client_id = &will.message.from.client_id;
                let Some(slot) = self.clients.get(client_id).copied() else { return };
                let Some(session) = self.sessions.get_mut(slot) else { return };
                if session.will.is_none() {
                    return;
                }
                if session.conn.is_some() {
                    let key = key_of_will(client_id);
                    let pledges = self.shared.pledges.get();
                    // The client went there: its end here decides about the will of here.
                    if pledges.is_some_and(|pledges| pledges.has_client_elsewhere(&key)) {
                        return;
                    }
                    self.pledge_will(now, slot);
                } else {
                    session.will = None;
                    if self.config.durable {
                        self.effects.store_ops.push(persist::delete_will(client_id));
                    }
                }
            }
            Pledge::Delayed(due_at_ms, message) => {
                let due_mono_ms = now.mono_ms + due_at_ms.saturating_sub(now.unix_ms);
                // What is due now finds out by itself.
                self.remove_delayed(now, due_mono_ms, message);
            }
        }
    }

    /// Takes over what a lost node kept, or this one before it was started again.
    fn adopt(&mut self, now: Now, pledge: &Pledge) {
        let key = pledge.key();
        match pledge {
            Pledge::Will(will) => {
                let client_id = &will.message.from.client_id;
                let slot = self.clients.get(client_id).copied();
                let session = slot.and_then(|slot| self.sessions.get(slot));
                if session.is_some_and(|session| session.conn.is_some()) {
                    // The client came back, here.
                    self.release_pledge(now, &key, false);
                    return;
                }
                let mut will = will.clone();
                if will.due_at_ms == 0 {
                    will.due_at_ms = now.unix_ms + u64::from(will.delay_s) * 1000;
                }
                self.keep_adopted(Pledge::Will(will.clone()), now);
                self.await_will(now, will);
            }
            Pledge::Delayed(due_at_ms, message) => {
                self.keep_adopted(pledge.clone(), now);
                if self.config.durable {
                    self.effects.store_ops.push(persist::put_delayed(*due_at_ms, message));
                }
                self.keep_delayed(now, *due_at_ms, message.clone());
            }
        }
    }

    fn keep_adopted(&mut self, pledge: Pledge, now: Now) {
        if let Some(pledges) = self.shared.pledges.get() {
            let key = pledges.keep(pledge, now.unix_ms);
            self.tell_pledge(key, QoS::AtMostOnce);
        }
    }

    /// Takes a will that has no session into the timers.
    pub(super) fn await_will(&mut self, now: Now, will: Will) {
        let due_mono_ms = now.mono_ms + will.due_at_ms.saturating_sub(now.unix_ms);
        self.nodes.wills_made += 1;
        self.nodes.wills_due.insert((due_mono_ms, self.nodes.wills_made), will);
    }

    /// Publishes such wills that are due, unless somebody else has.
    pub(super) fn send_wills(&mut self, now: Now) {
        for _ in 0..WILLS_SLICE {
            let Some(due) = self.nodes.wills_due.first_entry().filter(|e| e.key().0 <= now.mono_ms)
            else {
                return;
            };
            let will = due.remove();
            let client_id = will.message.from.client_id.clone();
            if self.is_overtaken(&key_of_will(&client_id)) {
                continue;
            }
            self.publish_will_message(now, &will);
        }
    }

    /// Wills and delayed messages from before the node knew of the cluster.
    fn pledge_all(&mut self, now: Now) {
        let Some(pledges) = self.shared.pledges.get() else { return };
        let of_sessions = (0..self.sessions.slots())
            .filter_map(|slot| self.sessions.get(slot)?.will.as_deref().cloned());
        let wills = of_sessions.chain(self.nodes.wills_due.values().cloned()).map(Pledge::Will);
        let delayed = self.delayed.as_slice().iter().map(|delayed| {
            let due_at_ms = now.unix_ms + delayed.due_mono_ms.saturating_sub(now.mono_ms);
            Pledge::Delayed(due_at_ms, delayed.message.clone())
        });
        let all: Vec<Pledge> = wills.chain(delayed).collect();
        for pledge in all {
            pledges.keep_since(pledge, now.unix_ms);
        }
    }

    /// When something may be published at the earliest that was due while the node was down.
    pub(super) fn learn_until_ms(&self, now: Now) -> u64 {
        let past = self.shared.past.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if past.in_step.is_empty() { 0 } else { now.unix_ms + LEARN_MS }
    }

    /// Forgets old deletions of pledges; one shard does it for the node.
    pub(super) fn purge_pledges(&self, now: Now) {
        if let Some(pledges) = self.shared.pledges.get() {
            Pledges::purge(pledges, now.unix_ms);
        }
    }
}
