//! Outbound QoS 1 and 2 messages that the client has not settled yet, by packet identifier.
//!
//! Identifiers are given out in rising order, so the window is sorted by distance from its
//! first identifier and found by binary search; settled entries stay as gaps until the
//! front passes them. A client that settles out of order costs O(log n), not O(n).

use std::collections::VecDeque;

use crate::prefetch::prefetch;
use crate::session::Queued;

/// So many entries behind the one that is settled, the message is brought near: most clients settle
/// in order.
const PREFETCH_DISTANCE: usize = 2;

/// How far delivery of an in-flight message has come.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// QoS 2 of a durable session: waits for its packet identifier to be on disk.
    Gated,
    /// PUBLISH sent, waits for PUBACK or PUBREC.
    Sent,
    /// As `Gated`, but the connection that waited is gone: to be sent on this one.
    Unsent,
    /// Sent on an earlier connection, to be sent again on this one.
    Resend,
    /// PUBREC seen, PUBREL sent, waits for PUBCOMP.
    Released,
    /// Settled; the entry is a gap.
    Settled,
}

/// One in-flight message.
#[derive(Debug)]
pub struct Entry {
    /// Packet identifier.
    pub packet_id: u16,
    /// How far it is.
    pub stage: Stage,
    /// Looks of `mqtt.retry_interval` since it was sent.
    pub age: u8,
    /// When it was sent first, low bits of the monotonic clock in ms; 0 = nobody wants to know.
    pub sent_ms: u32,
    /// The message and how to send it again.
    pub item: Queued,
}

/// The in-flight window.
#[derive(Debug)]
pub struct Inflight {
    entries: VecDeque<Entry>,
    live: usize,
    next_id: u16,
    /// Entries in stage `Unsent` or `Resend`.
    waiting: u16,
    /// No entry before this place is in stage `Unsent` or `Resend`.
    waiting_from: usize,
    /// Identifiers wrapped past one still in use: search is linear until the window empties.
    is_unsorted: bool,
}

impl Default for Inflight {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            live: 0,
            next_id: 1,
            waiting: 0,
            waiting_from: 0,
            is_unsorted: false,
        }
    }
}

impl Inflight {
    /// Messages not settled.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether none is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The packet identifier that is looked at first.
    #[must_use]
    pub fn next_id(&self) -> u16 {
        self.next_id
    }

    /// Goes on with another packet identifier.
    pub fn set_next_id(&mut self, packet_id: u16) {
        self.next_id = packet_id.max(1);
    }

    /// Takes a free packet identifier and keeps `item` under it; `None` when all are used.
    pub fn push(&mut self, item: Queued, stage: Stage) -> Option<u16> {
        let id = self.free_id()?;
        self.push_with_id(id, item, stage);
        Some(id)
    }

    /// Keeps an entry whose identifier is known (recovery).
    pub fn push_with_id(&mut self, packet_id: u16, item: Queued, stage: Stage) {
        if let (Some(front), Some(back)) = (self.entries.front(), self.entries.back()) {
            let base = front.packet_id;
            if packet_id.wrapping_sub(base) <= back.packet_id.wrapping_sub(base) {
                self.is_unsorted = true;
            }
        }
        self.entries.push_back(Entry { packet_id, stage, age: 0, sent_ms: 0, item });
        self.live += 1;
        self.next_id = if packet_id == u16::MAX { 1 } else { packet_id + 1 };
    }

    /// A packet identifier that is not in use; `None` when all are.
    #[inline]
    #[must_use]
    pub fn free_id(&self) -> Option<u16> {
        // Behind the last one, as long as they did not wrap: nothing to search.
        if let (false, Some(front), Some(back)) =
            (self.is_unsorted, self.entries.front(), self.entries.back())
            && self.next_id.wrapping_sub(front.packet_id)
                > back.packet_id.wrapping_sub(front.packet_id)
        {
            return Some(self.next_id);
        }
        self.search_free_id()
    }

    fn search_free_id(&self) -> Option<u16> {
        if self.live >= usize::from(u16::MAX) {
            return None;
        }
        if self.position(self.next_id).is_none() {
            return Some(self.next_id);
        }
        // Identifiers wrapped into one still in use: look at all of them at once.
        let mut used = vec![false; 1 << 16];
        for entry in self.entries.iter().filter(|e| e.stage != Stage::Settled) {
            if let Some(flag) = used.get_mut(usize::from(entry.packet_id)) {
                *flag = true;
            }
        }
        let is_free = |id: &u16| *id != 0 && !used.get(usize::from(*id)).copied().unwrap_or(true);
        (self.next_id..=u16::MAX).find(is_free).or_else(|| (1..self.next_id).find(is_free))
    }

    #[inline]
    fn position(&self, packet_id: u16) -> Option<usize> {
        let base = self.entries.front()?.packet_id;
        if base == packet_id {
            // The front is never a gap.
            return Some(0);
        }
        if self.is_unsorted {
            return self
                .entries
                .iter()
                .position(|e| e.packet_id == packet_id && e.stage != Stage::Settled);
        }
        let index = self
            .entries
            .binary_search_by_key(&packet_id.wrapping_sub(base), |e| e.packet_id.wrapping_sub(base))
            .ok()?;
        (self.entries.get(index)?.stage != Stage::Settled).then_some(index)
    }

    /// The entry of a packet identifier.
    pub fn get_mut(&mut self, packet_id: u16) -> Option<&mut Entry> {
        let index = self.position(packet_id)?;
        self.entries.get_mut(index)
    }

    /// Settles a packet identifier and returns what was in flight under it.
    pub fn settle(&mut self, packet_id: u16) -> Option<Queued> {
        self.settle_if(packet_id, |_| true).map(|(item, _)| item)
    }

    /// The same if the entry is as it should be; returns when it was sent, too ([`Entry::sent_ms`]).
    #[inline]
    pub fn settle_if(
        &mut self,
        packet_id: u16,
        is_right: impl FnOnce(&Entry) -> bool,
    ) -> Option<(Queued, u32)> {
        let index = self.position(packet_id)?;
        let entry = self.entries.get_mut(index).filter(|entry| is_right(entry))?;
        let sent_ms = entry.sent_ms;
        if matches!(entry.stage, Stage::Unsent | Stage::Resend) {
            self.waiting -= 1;
        }
        entry.stage = Stage::Settled;
        let item = std::mem::take(&mut entry.item);
        self.live -= 1;
        while self.entries.front().is_some_and(|e| e.stage == Stage::Settled) {
            self.entries.pop_front();
            self.waiting_from = self.waiting_from.saturating_sub(1);
        }
        while self.entries.back().is_some_and(|e| e.stage == Stage::Settled) {
            self.entries.pop_back();
        }
        if self.entries.len() > 2 * self.live + 1024 {
            self.entries.retain(|e| e.stage != Stage::Settled);
            self.waiting_from = 0;
        }
        if self.entries.is_empty() {
            self.is_unsorted = false;
            if self.entries.capacity() > 64 {
                self.entries = VecDeque::new();
            } else {
                // From the start of the ring again: a client that empties its window each time
                // uses the same memory each time.
                self.entries.clear();
            }
        } else if let Some(message) =
            self.entries.get(PREFETCH_DISTANCE).and_then(|entry| entry.item.message.as_ref())
        {
            prefetch(message);
        }
        Some((item, sent_ms))
    }

    /// A new connection: everything without PUBREC has to go out on it.
    #[allow(clippy::cast_possible_truncation)] // identifiers are 16 bits
    pub fn begin_resend(&mut self) {
        self.waiting = 0;
        self.waiting_from = 0;
        for entry in &mut self.entries {
            match entry.stage {
                Stage::Gated | Stage::Unsent => entry.stage = Stage::Unsent,
                Stage::Sent | Stage::Resend => entry.stage = Stage::Resend,
                Stage::Released | Stage::Settled => continue,
            }
            self.waiting += 1;
        }
    }

    /// Messages that still have to go out on this connection.
    #[inline]
    #[must_use]
    pub fn waiting(&self) -> usize {
        usize::from(self.waiting)
    }

    /// The first message that still has to go out on this connection.
    pub fn front_waiting(&mut self) -> Option<&mut Entry> {
        if self.waiting == 0 {
            return None;
        }
        let is_waiting = |e: &Entry| matches!(e.stage, Stage::Unsent | Stage::Resend);
        while self.entries.get(self.waiting_from).is_some_and(|e| !is_waiting(e)) {
            self.waiting_from += 1;
        }
        self.entries.get_mut(self.waiting_from)
    }

    /// Numbers of the next `max` messages to be sent again whose bodies are not in memory.
    #[must_use]
    pub fn missing(&self, max: usize) -> Vec<u64> {
        let rest = self.entries.iter().skip(self.waiting_from);
        let waiting = rest.filter(|e| matches!(e.stage, Stage::Unsent | Stage::Resend)).take(max);
        waiting.filter(|e| e.item.message.is_none()).map(|e| e.item.seq).collect()
    }

    /// Notes when a message was sent first.
    #[allow(clippy::cast_possible_truncation)] // the low bits tell differences of seven weeks
    pub fn note_sent(&mut self, packet_id: u16, mono_ms: u64) {
        if let Some(entry) = self.get_mut(packet_id).filter(|e| e.sent_ms == 0) {
            entry.sent_ms = (mono_ms as u32).max(1);
        }
    }

    /// Moves a message on; one that had to go out on this connection does not any more.
    pub fn set_stage(&mut self, packet_id: u16, stage: Stage) {
        let Some(index) = self.position(packet_id) else { return };
        let Some(entry) = self.entries.get_mut(index) else { return };
        if matches!(entry.stage, Stage::Unsent | Stage::Resend) {
            self.waiting = self.waiting.saturating_sub(1);
        }
        entry.stage = stage;
    }

    /// Every entry, oldest first, gaps included.
    #[must_use]
    pub fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Every message not settled, oldest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().filter(|e| e.stage != Stage::Settled)
    }

    /// Takes everything out, oldest first.
    pub fn drain(&mut self) -> Vec<Entry> {
        self.live = 0;
        self.waiting = 0;
        self.waiting_from = 0;
        self.is_unsorted = false;
        std::mem::take(&mut self.entries)
            .into_iter()
            .filter(|e| e.stage != Stage::Settled)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::{Inflight, Stage};
    use crate::session::Queued;

    proptest! {
        #[test]
        fn identifiers_are_unique_and_settle_in_any_order(
            ops in proptest::collection::vec((any::<bool>(), any::<u16>()), 1..600),
            start in any::<u16>(),
        ) {
            let mut inflight = Inflight { next_id: start.max(1), ..Inflight::default() };
            let mut model: Vec<u16> = Vec::new();
            for (push, pick) in ops {
                if push || model.is_empty() {
                    let id = inflight.push(Queued::default(), Stage::Sent).unwrap();
                    prop_assert!(id != 0 && !model.contains(&id));
                    model.push(id);
                } else {
                    let id = model.remove(usize::from(pick) % model.len());
                    prop_assert!(inflight.settle(id).is_some());
                    prop_assert!(inflight.settle(id).is_none());
                }
                prop_assert_eq!(inflight.len(), model.len());
            }
            let left: HashSet<u16> = inflight.drain().into_iter().map(|e| e.packet_id).collect();
            prop_assert_eq!(left, model.into_iter().collect());
        }
    }

    #[test]
    fn a_stuck_first_message_does_not_stop_the_others() {
        let mut inflight = Inflight::default();
        assert_eq!(inflight.push(Queued::default(), Stage::Sent), Some(1));
        for _ in 0..200_000 {
            let id = inflight.push(Queued::default(), Stage::Sent).unwrap();
            assert_ne!(id, 1);
            assert!(inflight.settle(id).is_some());
        }
        assert!(inflight.entries.len() <= usize::from(u16::MAX) + 1, "gaps are bounded");
    }
}
