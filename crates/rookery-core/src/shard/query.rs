//! Looking through sessions and delayed messages for the management plane, a slice at a time.
//!
//! The driver decides how long it looks: each call visits a bounded number of places, and what comes
//! or goes between two calls may be missed.

use std::sync::Arc;

use super::Shard;
use crate::ids::Now;
use crate::message::Message;
use crate::query::{
    ClientHit, ClientQuery, ClientSort, ClientView, SubscriptionCursor, SubscriptionHit,
    SubscriptionQuery, SubscriptionRest, SubscriptionSort, SubscriptionView,
};
use crate::session::{Session, Subscription};
use crate::sorting::Keys;

/// Sessions whose parts are fetched at once before they are looked at. They lie apart in memory, and
/// a processor waits for several places as long as for one.
const FETCHED: u32 = 32;
/// Subscriptions of a session that are fetched with it.
const FETCHED_FILTERS: usize = 4;

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
        let takes_all = query.takes_all();
        self.walk_clients(query, from, visits, |slot| {
            let generation = self.sessions.generation(slot);
            // Counting all sessions looks at none.
            let is_wanted = self.sessions.is_used(slot)
                && (takes_all || self.sessions.get(slot).is_some_and(|s| query.accepts(s)));
            if is_wanted {
                found.push(ClientHit { slot, generation });
            }
        })
    }

    /// The same, for whoever sorts those of all shards: each comes with the number of this one.
    pub fn read_clients(
        &self,
        query: &ClientQuery,
        sort: ClientSort,
        from: u32,
        visits: u32,
        found: &mut Keys<(u16, ClientHit)>,
    ) -> Option<u32> {
        self.walk_clients(query, from, visits, |slot| {
            let generation = self.sessions.generation(slot);
            if let Some(session) = self.sessions.get(slot).filter(|s| query.accepts(s)) {
                let hit = ClientHit { slot, generation };
                found.push(&sort.sort_by(session), (session.key.shard, hit));
            }
        })
    }

    fn walk_clients(
        &self,
        query: &ClientQuery,
        from: u32,
        visits: u32,
        mut look: impl FnMut(u32),
    ) -> Option<u32> {
        if !query.client_ids.is_empty() {
            let named = query.client_ids.iter().filter_map(|id| self.clients.get(&**id));
            named.for_each(|slot| look(*slot));
            return None;
        }
        let end = from.saturating_add(visits).min(self.sessions.slots());
        for first in (from..end).step_by(FETCHED as usize) {
            let part = first..end.min(first.saturating_add(FETCHED));
            if query.looks_at_names() {
                self.fetch(part.clone(), |session| {
                    let name = session.publisher.username.as_deref();
                    (session.publisher.client_id.as_bytes().first().copied(), name.map(str::len))
                });
            }
            part.for_each(&mut look);
        }
        (end < self.sessions.slots()).then_some(end)
    }

    /// Reads a part of each of some sessions, none of which waits for another one.
    fn fetch<T>(&self, slots: std::ops::Range<u32>, part: impl Fn(&Session) -> T) {
        for session in slots.filter_map(|slot| self.sessions.get(slot)) {
            std::hint::black_box(part(session));
        }
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

    /// The same, for whoever sorts them.
    pub fn read_subscriptions(
        &self,
        query: &SubscriptionQuery,
        sort: SubscriptionSort,
        at: &mut SubscriptionCursor,
        visits: usize,
        found: &mut Keys<SubscriptionRest>,
    ) -> bool {
        self.walk_sessions(query, at, visits, |at, left| {
            self.read_in_session(query, sort, at, left, found)
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
        let (mut left, mut fetched) = (visits, at.slot);
        while left > 0 && at.slot < self.sessions.slots() {
            if at.slot >= fetched {
                fetched = at.slot.saturating_add(FETCHED);
                self.fetch(at.slot..fetched, |session| {
                    let filters = session.subscriptions.keys().take(FETCHED_FILTERS);
                    filters.filter_map(|text| text.as_bytes().first()).count()
                });
            }
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
        sort: SubscriptionSort,
        at: &mut SubscriptionCursor,
        visits: usize,
        found: &mut Keys<SubscriptionRest>,
    ) -> usize {
        let seen = std::mem::take(&mut at.seen);
        let session = self.sessions.get(at.slot);
        let Some(session) = session.filter(|session| query.accepts_session(session)) else {
            return 1;
        };
        let len = session.subscriptions.len();
        let part = session.subscriptions.iter().skip(seen).take(visits);
        for (text, subscription) in part.filter(|(text, s)| query.accepts(text, **s)) {
            let by = sort.sort_by(&session.publisher.client_id, text, *subscription);
            found.push(&by, rest_of(session, *subscription));
        }
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
        rows.extend(part.map(|(text, subscription)| {
            let client_id = session.publisher.client_id.clone();
            SubscriptionView::new(client_id, text, rest_of(session, *subscription))
        }));
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
        self.release_delayed(now, message);
        if self.removed_delayed.len() > 64 + self.delayed.len() / 2 {
            let removed = std::mem::take(&mut self.removed_delayed);
            self.delayed.retain(|d| !removed.contains(&d.message.id));
        }
        true
    }
}

fn rest_of(session: &Session, subscription: Subscription) -> SubscriptionRest {
    SubscriptionRest { subscription, is_durable: session.durable_id != 0 }
}
