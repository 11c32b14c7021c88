//! Sessions that go to another node without their clients: a node that is emptied offers those that are
//! away, and the other node takes them as it takes that of a client that came to it.
//!
//! The session stays where it was until the other node has stored it, as with every [move](crate::moving).

use std::sync::Arc;

use super::Shard;
use super::moving::Asking;
use crate::ids::Now;
use crate::moving::copy::SessionCopy;
use crate::moving::{MoveStep, Moves, Seen};
use crate::persist::{self, SessionRecord};
use crate::session::Session;

/// Sessions looked at for one order.
const LOOKED_MAX: u32 = 100_000;

impl Shard {
    /// Offers sessions of clients that are away to another node, at most that many.
    pub(super) fn offer_sessions(&mut self, node: &Arc<str>, most: u32) {
        let slots = self.sessions.slots();
        let mut offered = Vec::new();
        for _ in 0..slots.min(LOOKED_MAX) {
            if offered.len() >= most as usize {
                break;
            }
            let at = self.travel.offered % slots;
            self.travel.offered = at + 1;
            offered.extend(
                self.sessions
                    .get(at)
                    .filter(|session| may_go(session, node))
                    .map(|session| session.publisher.client_id.clone()),
            );
        }
        for client_id in offered {
            self.tell_node(Some(node.clone()), MoveStep::Offer { client_id });
        }
    }

    /// Another node offers a session: it is asked for it, unless there is a reason not to.
    pub(super) fn take_offer(&mut self, now: Now, client_id: Arc<str>) {
        let most = self.config.limits.sessions;
        let is_full =
            most != 0 && self.shared.sessions.load(std::sync::atomic::Ordering::Relaxed) >= most;
        if self.clients.contains_key(&client_id)
            || self.travel.asking.contains_key(&client_id)
            || self.config.redirect.is_some()
            || self.travel.has_refused
            || !self.config.durable
            || is_full
        {
            return;
        }
        let epoch = self.next_generation(now, 0);
        let (ask, is_clean, is_above) = (self.ask_for(None, epoch, &client_id), false, false);
        self.tell_node(None, MoveStep::Ask { ask, epoch, is_clean, is_above, client_id });
    }

    /// All is said about a session that was offered: it goes on here, away.
    pub(super) fn settle_offered(
        &mut self,
        now: Now,
        ask: u64,
        client_id: &Arc<str>,
        asked: Asking,
    ) {
        let Asking { epoch, mut copies, .. } = asked;
        copies.sort_by_key(|(_, copy)| copy.generation);
        let best = copies.pop();
        self.send_back(client_id, copies, ask);
        let Some((node, copy)) = best else { return };
        let record = persist::read_session(client_id.as_bytes(), &copy.record);
        let may_stay = !self.clients.contains_key(client_id);
        match record.filter(|record| may_stay && record.expiry_s > 0) {
            Some(record) => self.place_offered(now, ask, (node, epoch), record, copy),
            None => self.send_back(client_id, vec![(node, copy)], ask),
        }
    }

    fn place_offered(
        &mut self,
        now: Now,
        ask: u64,
        (node, epoch): (Arc<str>, u64),
        mut record: SessionRecord,
        copy: SessionCopy,
    ) {
        let before = self.effects.store_ops.len();
        self.forget_moved(&copy.client_id);
        record.durable_id = self.shared.next_durable_id();
        record.generation = epoch.max(copy.generation + 1);
        record.took = copy.generation;
        let slot = self.place_adopted(now, record, &copy);
        let mut seen: Box<Seen> = Box::new(copy.seen.iter().copied().collect());
        let flying = copy.inflight.iter().map(|(.., copied)| copied);
        let all = flying.chain(copy.queue.iter().map(|(_, copied)| copied));
        for message in all.filter_map(|copied| copied.message.as_ref()) {
            seen.note_message(message);
        }
        if let Some(session) = self.sessions.get_mut(slot) {
            session.dropped = copy.dropped;
            let (took, seen) = (copy.generation, Some(seen));
            session.moves = Some(Box::new(Moves { took, seen, ..Moves::default() }));
            let zone = self.config.zones.get(usize::from(session.meta.zone));
            let name = zone.map_or("default", |zone| &zone.name);
            self.effects.store_ops.push(persist::put_session(session, name));
        }
        self.fill(slot, copy.inflight, copy.queue);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.inflight.set_next_id(copy.next_id);
        }
        self.confirm(before, node, slot, ask);
        if let Some(waiting) = self.travel.unconfirmed.back_mut() {
            waiting.is_offered = true;
        }
    }

    /// It could not be stored here: it is where it was.
    pub(super) fn drop_offered(&mut self, client_id: &str, epoch: u64) {
        let slot = self.clients.get(client_id).copied();
        let is_it = |slot: &u32| {
            self.sessions.get(*slot).is_some_and(|s| s.conn.is_none() && s.generation == epoch)
        };
        if let Some(slot) = slot.filter(is_it) {
            self.forget_here(slot);
        }
    }
}

/// Whether a session goes to another node without its client. One whose will is still to come stays until
/// then: wills are of the node that has the session.
fn may_go(session: &Session, to: &str) -> bool {
    let departure = session.moves.as_ref().and_then(|moves| moves.departure.as_ref());
    let is_free = departure.is_none_or(|departure| !departure.is_confirmed && *departure.to != *to);
    session.conn.is_none()
        && session.durable_id != 0
        && session.is_recorded
        && session.will.is_none()
        && is_free
}
