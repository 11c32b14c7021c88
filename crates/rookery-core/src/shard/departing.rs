//! A session that moves between nodes, as the node sees it that had it: see [`crate::moving`].

use std::collections::VecDeque;
use std::sync::Arc;

use super::Shard;
use super::close::Cleanup;
use crate::effects::SessionEvent;
use crate::ids::{Now, SessionKey};
use crate::inflight::Stage;
use crate::message::Message;
use crate::moving::copy::SessionCopy;
use crate::moving::{Departure, Following, MoveStep};
use crate::persist;
use crate::session::Queued;
use crate::store_port::Op;

/// How long messages for a session that left are still handed on: until then every node knows where
/// it is, and whoever published has its acknowledgement.
const FOLLOW_MS: u64 = 5000;
/// Bodies read at once for a session that leaves.
const FETCH_MAX: usize = 256;
/// Places of sessions told at once.
const HELD_SLICE: u32 = 1000;

/// A session that lives on another node by now.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) node: Arc<str>,
    pub(super) client_id: Arc<str>,
    /// The lost node that it was on before it was here.
    pub(super) from: Option<Arc<str>>,
    /// Its subscriptions stand until nobody sends here any more.
    cleanup: Cleanup,
}

impl Shard {
    /// What another node asks or tells about a session here.
    pub(super) fn take_question(&mut self, now: Now, node: Arc<str>, step: MoveStep) {
        match step {
            MoveStep::Ask { ask, epoch, is_clean, is_above, client_id } => {
                self.asked(now, node, (ask, epoch, is_clean, is_above), &client_id);
            }
            MoveStep::GiveUp { ask, client_id } => {
                let slot = self.clients.get(&client_id).copied();
                let is_it = |slot: &u32| {
                    let session = self.sessions.get(*slot);
                    let moves = session.and_then(|session| session.moves.as_ref());
                    let departure = moves.and_then(|moves| moves.departure.as_ref());
                    departure.is_some_and(|departure| {
                        departure.ask == ask && departure.to == node && !departure.is_confirmed
                    })
                };
                if let Some(slot) = slot.filter(is_it) {
                    self.end_departure(slot);
                }
            }
            MoveStep::Taken { client_id, epoch } => self.confirmed(now, node, &client_id, epoch),
            MoveStep::Held { is_above, items, .. } => self.compare(&node, is_above, &items),
            MoveStep::List { from, .. } => self.list_held(node, from),
            _ => {}
        }
    }

    fn asked(
        &mut self,
        now: Now,
        node: Arc<str>,
        (ask, epoch, is_clean, is_above): (u64, u64, bool, bool),
        client_id: &Arc<str>,
    ) {
        let own = self.travel.asking.get(client_id).map(|asking| asking.epoch).filter(|_| ask != 0);
        if own.is_some_and(|own| own > epoch || (own == epoch && is_above)) {
            let client_id = client_id.clone();
            self.tell_node(Some(node), MoveStep::Refused { ask, client_id });
            return;
        }
        if own.is_some()
            && let Some(asking) = self.travel.asking.remove(client_id)
        {
            self.give_way(now, client_id, asking);
        }
        let slot = self.clients.get(client_id).copied();
        let here = slot.and_then(|slot| self.sessions.get(slot)).map(|s| s.generation);
        // Without a client that waits only the older of two sessions is given up.
        let may_stay = here.is_some_and(|here| here > epoch || (here == epoch && is_above));
        if ask == 0 && may_stay {
            return;
        }
        let Some(slot) = slot else { return self.tell_nothing(node, ask) };
        self.end_departure(slot);
        let is_connected = self.sessions.get(slot).is_some_and(|s| s.conn.is_some());
        if !is_connected && !is_clean {
            self.metrics().session_takenover.inc();
            self.tell_session(slot, SessionEvent::TakenOver);
        }
        self.take_over(now, slot, is_clean);
        // It ends with its connection, or the client wants none.
        let Some(session) =
            self.sessions.get_mut(slot).filter(|s| s.publisher.client_id == *client_id)
        else {
            return self.tell_nothing(node, ask);
        };
        let departure = Departure { to: node.clone(), ask, kept: None, is_confirmed: false };
        session.moves.get_or_insert_default().departure = Some(Box::new(departure));
        if ask != 0 {
            self.tell_node(Some(node), MoveStep::Coming { ask });
        }
        self.depart(now, slot);
    }

    fn tell_nothing(&mut self, node: Arc<str>, ask: u64) {
        if ask != 0 {
            self.tell_node(Some(node), MoveStep::Nothing { ask });
        }
    }

    /// Goes on giving a session away as soon as all of its messages are in memory.
    pub(super) fn depart(&mut self, now: Now, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot).filter(|s| !s.is_fetching) else { return };
        let Some(departure) = session.moves.as_mut().and_then(|m| m.departure.as_mut()) else {
            return;
        };
        let (is_confirmed, is_sent) = (departure.is_confirmed, departure.kept.is_some());
        let is_missing = |item: &Queued| item.message.is_none() && item.seq != 0;
        let open = session.inflight.entries().iter().filter(|entry| {
            !is_confirmed
                && !matches!(entry.stage, Stage::Released | Stage::Settled)
                && is_missing(&entry.item)
        });
        let open = open.map(|entry| entry.item.seq);
        let waiting = session.queue.iter_from(0).map(|(_, item)| item).filter(|i| is_missing(i));
        let missing: Vec<u64> = open.chain(waiting.map(|i| i.seq)).take(FETCH_MAX).collect();
        if is_sent && !is_confirmed {
            return;
        }
        if !missing.is_empty() {
            session.is_fetching = true;
            self.effects.store_reads.push((session.key, missing));
            return;
        }
        if is_confirmed {
            self.leave_for(now, slot);
            return;
        }
        let mut copy = SessionCopy::of(session, now.unix_ms);
        let zone = self.config.zones.get(usize::from(session.meta.zone));
        if let Op::Put { value, .. } =
            persist::put_session(session, zone.map_or("default", |zone| &zone.name))
        {
            copy.record = value;
        }
        let Some(departure) = session.moves.as_mut().and_then(|m| m.departure.as_mut()) else {
            return;
        };
        departure.kept = Some(std::mem::take(&mut session.queue));
        let (node, ask) = (departure.to.clone(), departure.ask);
        let (client_id, bytes) = (copy.client_id.clone(), copy.to_bytes());
        self.tell_node(Some(node), MoveStep::Copy { ask, client_id, bytes });
    }

    /// The session stays, or goes another way.
    pub(super) fn end_departure(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let departure = session.moves.as_mut().and_then(|moves| moves.departure.take());
        if let Some(kept) = departure.and_then(|departure| departure.kept) {
            let newer = std::mem::replace(&mut session.queue, kept);
            session.queue.append(newer);
        }
    }

    /// Another node has the session in its store: this one forgets it.
    fn confirmed(&mut self, now: Now, node: Arc<str>, client_id: &Arc<str>, epoch: u64) {
        let slot = self.clients.get(client_id).copied();
        let here = slot.and_then(|slot| self.sessions.get(slot)).map(|s| s.generation);
        let (Some(slot), Some(here)) = (slot, here) else {
            let client_id = client_id.clone();
            return self.tell_node(Some(node), MoveStep::Forgotten { client_id });
        };
        if here >= epoch {
            return;
        }
        self.take_over(now, slot, false);
        let Some(session) =
            self.sessions.get_mut(slot).filter(|s| s.publisher.client_id == *client_id)
        else {
            let client_id = client_id.clone();
            return self.tell_node(Some(node), MoveStep::Forgotten { client_id });
        };
        let moves = session.moves.get_or_insert_default();
        match &mut moves.departure {
            Some(departure) if departure.kept.is_some() => {
                departure.to = node;
                departure.is_confirmed = true;
            }
            // It was given away before this node was started: nothing of it is handed on again.
            _ => {
                let kept = Some(std::mem::take(&mut session.queue));
                let departure = Departure { to: node, ask: 0, kept, is_confirmed: true };
                moves.departure = Some(Box::new(departure));
            }
        }
        self.depart(now, slot);
    }

    /// Hands on what came since the copy was made, and forgets the session; subscriptions stay for
    /// what is on its way.
    fn leave_for(&mut self, now: Now, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let (key, client_id) = (session.key, session.publisher.client_id.clone());
        let departure = session.moves.as_mut().and_then(|moves| moves.departure.take());
        let Some(departure) = departure else { return };
        let newer = session.queue.drain();
        let kept = departure.kept.map_or_else(Vec::new, |mut kept| kept.drain());
        let freed: usize = newer.iter().chain(&kept).map(Queued::size).sum();
        self.queued_bytes = self.queued_bytes.saturating_sub(freed);
        let node = departure.to;
        // What other nodes know of it is the new node's business by now.
        self.forget_will(slot);
        let Some(session) = self.sessions.remove(slot) else { return };
        self.clients.remove(&client_id);
        self.shared.sessions.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        self.metrics().sessions.set(self.sessions.len() as u64);
        for item in newer {
            let is_alive = |message: &Arc<Message>| !message.is_expired(now.unix_ms);
            if item.message.as_ref().is_some_and(is_alive) {
                let (node, client_id) = (node.clone(), client_id.clone());
                self.hand_on(Following { node, client_id, item });
            }
        }
        let (durable_id, mountpoint) = (session.durable_id, session.meta.mountpoint.clone());
        if durable_id != 0 {
            let ids = session.awaiting_rel.iter().flat_map(|ids| ids.keys());
            let ids = ids.map(|id| persist::delete_awaiting_rel(durable_id, *id));
            self.effects.store_ops.extend(ids);
            self.effects.store_ops.push(persist::delete_session(&client_id));
            self.effects.store_ops.push(Op::DropSession { session: durable_id });
        }
        self.forget_moved(&client_id);
        let from = session.moves.as_ref().and_then(|moves| moves.from.clone());
        let filters = session.subscriptions.into_iter().collect();
        let cleanup = Cleanup::new(key, durable_id, mountpoint, filters);
        self.travel.moved_due.push_back((now.mono_ms + FOLLOW_MS, key));
        let moved = Moved { node: node.clone(), client_id: client_id.clone(), from, cleanup };
        self.travel.moved.insert(key, moved);
        self.travel.moved_of.insert(client_id.clone(), key);
        self.tell_node(Some(node), MoveStep::Forgotten { client_id });
    }

    /// Forgets a session that is older than what another node gave.
    pub(super) fn forget_here(&mut self, slot: u32) {
        self.forget_will(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            // Its shared messages are in the newer one as well.
            session.queue.iter_mut().for_each(|item| item.group = None);
            session.inflight.iter_mut().for_each(|entry| entry.item.group = None);
        }
        let Some(session) = self.sessions.remove(slot) else { return };
        self.clients.remove(&session.publisher.client_id);
        self.shared.sessions.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        self.drop_session_state(*session, VecDeque::new());
    }

    /// A message for a session that is not here any more: it goes to where it lives.
    pub(super) fn follow(&mut self, key: SessionKey, item: impl FnOnce(&mut Self) -> Queued) {
        let Some(moved) = self.travel.moved.get(&key) else { return };
        let (node, client_id) = (moved.node.clone(), moved.client_id.clone());
        let item = item(self);
        self.hand_on(Following { node, client_id, item });
    }

    /// A session that was here before is here again, or leaves again: nothing follows the first time
    /// any more, or messages would go round in a circle.
    pub(super) fn forget_moved(&mut self, client_id: &Arc<str>) {
        let key = self.travel.moved_of.remove(client_id);
        if let Some(moved) = key.and_then(|key| self.travel.moved.remove(&key)) {
            self.cleanup.push_back(moved.cleanup);
        }
    }

    /// Takes subscriptions out for which nothing comes any more.
    pub(super) fn settle_moved(&mut self, now: Now) {
        while self.travel.moved_due.front().is_some_and(|(due_ms, _)| *due_ms <= now.mono_ms) {
            let Some((_, key)) = self.travel.moved_due.pop_front() else { return };
            if let Some(moved) = self.travel.moved.remove(&key) {
                self.travel.moved_of.remove(&moved.client_id);
                self.cleanup.push_back(moved.cleanup);
            }
        }
    }

    /// Compares sessions that another node has with those here: of two the one with the lower epoch
    /// goes.
    fn compare(&mut self, node: &Arc<str>, is_above: bool, items: &[(Arc<str>, u64)]) {
        let mut newer = Vec::new();
        for (client_id, theirs) in items {
            let slot = self.clients.get(client_id);
            let Some(session) = slot.and_then(|slot| self.sessions.get(*slot)) else {
                // It went on here while that node was lost, and ended since, or went elsewhere.
                if self.travel.adopted.get(client_id).is_some_and(|epoch| *epoch > *theirs) {
                    let (client_id, epoch) = (client_id.clone(), *theirs + 1);
                    self.tell_node(Some(node.clone()), MoveStep::Taken { client_id, epoch });
                }
                continue;
            };
            let own = session.generation;
            if own < *theirs || (own == *theirs && !is_above) {
                newer.push((client_id.clone(), own));
                continue;
            }
            let client_id = client_id.clone();
            let took = session.moves.as_ref().map_or(0, |moves| moves.took);
            let is_here = took > *theirs || (took == *theirs && !session.knows_the_same());
            let step = match is_here {
                true => MoveStep::Taken { client_id, epoch: own },
                false => {
                    let (ask, is_clean) = (0, false);
                    MoveStep::Ask { ask, epoch: own, is_clean, is_above: false, client_id }
                }
            };
            self.tell_node(Some(node.clone()), step);
        }
        // The other node has the newer ones: it asks for these.
        if !newer.is_empty() {
            let (shard, next, is_above) = (self.index, None, false);
            let held = MoveStep::Held { shard, next, is_above, items: newer };
            self.tell_node(Some(node.clone()), held);
        }
    }

    /// Tells another node of a slice of the sessions here.
    fn list_held(&mut self, node: Arc<str>, from: u32) {
        let end = self.sessions.slots().min(from.saturating_add(HELD_SLICE));
        let found = (from..end).filter_map(|slot| self.sessions.get(slot));
        let items = found.map(|s| (s.publisher.client_id.clone(), s.generation)).collect();
        let next = (end < self.sessions.slots()).then_some(end);
        let (shard, is_above) = (self.index, false);
        self.tell_node(Some(node), MoveStep::Held { shard, next, is_above, items });
    }
}
