//! Looking through sessions and delayed messages for the management plane, a slice at a time.
//!
//! The driver decides how long it looks: each call visits a bounded number of places, and what comes
//! or goes between two calls may be missed.

use std::sync::Arc;

use super::Shard;
use super::subscribe::info_of;
use crate::ids::Now;
use crate::message::Message;
use crate::query::{
    ClientHit, ClientQuery, ClientView, SortKey, SubscriptionCursor, SubscriptionHit,
    SubscriptionQuery, SubscriptionView,
};
use crate::session::{Session, Subscription};

impl Shard {
    /// Looks at `visits` slots of sessions from `from` on; returns where to go on, if not all were
    /// seen. Clients that are named are looked up at once.
    pub fn find_clients(
        &self,
        query: &ClientQuery,
        from: u32,
        visits: u32,
        found: &mut Vec<ClientHit>,
    ) -> Option<u32> {
        if !query.client_ids.is_empty() {
            let named = query.client_ids.iter().filter_map(|id| self.clients.get(&**id));
            found.extend(named.filter_map(|slot| self.hit(query, *slot)));
            return None;
        }
        let end = from.saturating_add(visits).min(self.sessions.slots());
        found.extend((from..end).filter_map(|slot| self.hit(query, slot)));
        (end < self.sessions.slots()).then_some(end)
    }

    fn hit(&self, query: &ClientQuery, slot: u32) -> Option<ClientHit> {
        let generation = self.sessions.generation(slot);
        if query.sort.is_none() && query.takes_all() {
            // Sessions lie apart in memory: counting them all looks at none.
            let is_used = self.sessions.is_used(slot);
            return is_used.then_some(ClientHit { key: SortKey::None, slot, generation });
        }
        let session = self.sessions.get(slot)?;
        query.accepts(session).then(|| ClientHit { key: query.key_of(session), slot, generation })
    }

    /// A client that was found, unless it is gone.
    #[must_use]
    pub fn client_view(&self, slot: u32, generation: u32) -> Option<ClientView> {
        if self.sessions.generation(slot) != generation {
            return None;
        }
        self.view(self.sessions.get(slot)?)
    }

    /// The client of this identifier.
    pub(super) fn view_of(&self, client_id: &str) -> Option<ClientView> {
        let slot = *self.clients.get(client_id)?;
        self.view(self.sessions.get(slot)?)
    }

    fn view(&self, session: &Session) -> Option<ClientView> {
        let mqtt = self.mqtt(session.meta.zone);
        let conn = session.conn.and_then(|key| self.conns.get(key.slot));
        Some(ClientView {
            info: self.info(session, session.conn),
            traffic: conn.map(|conn| conn.traffic.counts()).unwrap_or_default(),
            inflight_max: conn.map_or(mqtt.max_inflight, |conn| conn.window),
            mqueue_max: mqtt.max_mqueue_len,
            awaiting_rel_max: mqtt.max_awaiting_rel,
            subscriptions_max: mqtt.max_subscriptions,
        })
    }

    /// Looks at about `visits` sessions and subscriptions from a place on; true when more is left.
    pub fn find_subscriptions(
        &self,
        query: &SubscriptionQuery,
        at: &mut SubscriptionCursor,
        visits: usize,
        found: &mut Vec<SubscriptionHit>,
    ) -> bool {
        self.walk_sessions(query, at, visits, |at, left| {
            self.find_in_session(query, at, left, found)
        })
    }

    /// The same, for whoever wants the subscriptions themselves.
    pub fn read_subscriptions(
        &self,
        query: &SubscriptionQuery,
        at: &mut SubscriptionCursor,
        visits: usize,
        rows: &mut Vec<SubscriptionView>,
    ) -> bool {
        self.walk_sessions(query, at, visits, |at, left| {
            self.read_in_session(query, at, left, rows)
        })
    }

    /// Calls `look` for one session after another; it says what it cost, and leaves `at.seen` at 0
    /// when it is through with one.
    fn walk_sessions(
        &self,
        query: &SubscriptionQuery,
        at: &mut SubscriptionCursor,
        visits: usize,
        mut look: impl FnMut(&mut SubscriptionCursor, usize) -> usize,
    ) -> bool {
        if let Some(client_id) = &query.client_id {
            let Some(slot) = self.clients.get(&**client_id) else { return false };
            if at.slot != *slot {
                *at = SubscriptionCursor { slot: *slot, seen: 0 };
            }
            look(at, visits);
            return at.seen > 0;
        }
        let mut left = visits;
        while left > 0 && at.slot < self.sessions.slots() {
            left -= look(at, left).min(left);
            if at.seen == 0 {
                at.slot += 1;
            }
        }
        at.slot < self.sessions.slots()
    }

    fn read_in_session(
        &self,
        query: &SubscriptionQuery,
        at: &mut SubscriptionCursor,
        visits: usize,
        rows: &mut Vec<SubscriptionView>,
    ) -> usize {
        let seen = std::mem::take(&mut at.seen);
        let session = self.sessions.get(at.slot);
        let Some(session) = session.filter(|session| query.accepts_session(session)) else {
            return 1;
        };
        let len = session.subscriptions.len();
        let part = session.subscriptions.iter().skip(seen).take(visits);
        let wanted = part.filter(|(text, s)| query.accepts(text, **s));
        rows.extend(wanted.map(|(text, s)| subscription_view(session, text, *s)));
        if seen + visits < len {
            at.seen = seen + visits;
        }
        visits.min(len.saturating_sub(seen)) + 1
    }

    /// Looks at subscriptions of one session; `at.seen` is 0 when it is through. What it cost.
    #[allow(clippy::cast_possible_truncation)] // a session has fewer subscriptions
    fn find_in_session(
        &self,
        query: &SubscriptionQuery,
        at: &mut SubscriptionCursor,
        visits: usize,
        found: &mut Vec<SubscriptionHit>,
    ) -> usize {
        let seen = std::mem::take(&mut at.seen);
        let session = self.sessions.get(at.slot);
        let Some(session) = session.filter(|session| query.accepts_session(session)) else {
            return 1;
        };
        let len = session.subscriptions.len();
        let (count, cost) = if query.takes_all_of_session() {
            (len, 1)
        } else {
            let part = session.subscriptions.iter().skip(seen).take(visits);
            let count = part.filter(|(text, s)| query.accepts(text, **s)).count();
            if seen + visits < len {
                at.seen = seen + visits;
            }
            (count, visits.min(len.saturating_sub(seen)) + 1)
        };
        let generation = self.sessions.generation(at.slot);
        match found.last_mut().filter(|hit| seen > 0 && hit.slot == at.slot) {
            Some(hit) => hit.count += count as u32,
            None if count == 0 => {}
            None => found.push(SubscriptionHit { slot: at.slot, generation, count: count as u32 }),
        }
        cost
    }

    /// Subscriptions of a session that was found: `take` of those that are wanted, behind `skip`.
    pub fn subscription_views(
        &self,
        query: &SubscriptionQuery,
        hit: SubscriptionHit,
        skip: usize,
        take: usize,
        rows: &mut Vec<SubscriptionView>,
    ) {
        if self.sessions.generation(hit.slot) != hit.generation {
            return;
        }
        let Some(session) = self.sessions.get(hit.slot) else { return };
        let wanted = session.subscriptions.iter().filter(|(text, s)| query.accepts(text, **s));
        let part = wanted.skip(skip).take(take);
        rows.extend(part.map(|(text, s)| subscription_view(session, text, *s)));
    }

    /// Looks at `visits` delayed messages from a place on; adds each with its time (mono ms) and
    /// returns where to go on, if not all were seen.
    pub fn find_delayed(
        &self,
        from: usize,
        visits: usize,
        found: &mut Vec<(u64, Arc<Message>)>,
    ) -> Option<usize> {
        let waiting = self.delayed.as_slice();
        let part = waiting.iter().skip(from).take(visits);
        let part = part.filter(|d| !self.removed_delayed.contains(&d.message.id));
        found.extend(part.map(|d| (d.due_mono_ms, d.message.clone())));
        Some(from + visits).filter(|next| *next < waiting.len())
    }

    /// Forgets a delayed message. Its place in the heap stays until its time, unless many such
    /// places have gathered.
    pub(super) fn remove_delayed(&mut self, now: Now, due_mono_ms: u64, message: &Message) -> bool {
        // What is due may have been sent already; what is not cannot have been.
        if due_mono_ms <= now.mono_ms || !self.removed_delayed.insert(message.id) {
            return false;
        }
        self.shared.delayed.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        if self.config.durable {
            self.effects.store_ops.push(crate::persist::delete_delayed(message));
        }
        if self.removed_delayed.len() > 64 + self.delayed.len() / 2 {
            let removed = std::mem::take(&mut self.removed_delayed);
            self.delayed.retain(|d| !removed.contains(&d.message.id));
        }
        true
    }
}

fn subscription_view(
    session: &Session,
    text: &str,
    subscription: Subscription,
) -> SubscriptionView {
    SubscriptionView {
        client_id: session.publisher.client_id.clone(),
        info: info_of(text, subscription),
        is_durable: session.durable_id != 0,
    }
}
