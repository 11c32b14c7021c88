//! What sessions have before the store has taken it.
//!
//! A message that the store refuses takes nobody's place: while that is open it waits above the
//! bound of a queue, and what has to go for it goes when it is stored. A subscription that it
//! refuses is written by the next SUBSCRIBE, the record of a session as soon as there is room.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::Shard;
use super::gate::{UnstoredDelayed, UnstoredRetained};
use crate::effects::ShardMessage;
use crate::ids::{Now, SessionKey};
use crate::persist;
use crate::session::Queued;

/// Records of sessions that are written again under one ticket.
const RECORDS_MAX: usize = 256;
/// A full store still takes what makes it smaller: that it took something means little.
const RECORDS_AGAIN_MS: u64 = 1000;

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    pub(super) retained: VecDeque<UnstoredRetained>,
    pub(super) delayed: VecDeque<UnstoredDelayed>,
    /// The message that this turn wrote last; 0 = none.
    latest: u64,
    /// Messages of this shard in its queues.
    queued: VecDeque<Waiting>,
    /// Messages of this shard that others got, with their tickets.
    sent: VecDeque<(u64, u64)>,
    /// The last one of them and where it went last: they are told once.
    told: (u64, u16),
    /// Messages of other shards, and in whose queues they are.
    foreign: HashMap<u64, SmallVec<[SessionKey; 1]>>,
    /// Sessions whose subscriptions were written, with the tickets.
    subscribed: VecDeque<(u64, SessionKey)>,
    /// Sessions whose records there was no room for.
    unrecorded: HashSet<SessionKey>,
    /// Those that are being written again, with the tickets.
    recorded: VecDeque<(u64, SessionKey)>,
    /// Before that time (mono ms) it is not tried again.
    record_at_ms: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    seq: u64,
    session: SessionKey,
}

impl Shard {
    /// A message was written that the store may refuse.
    #[inline]
    pub(super) fn note_unstored(&mut self, seq: u64) {
        self.unstored.latest = seq;
    }

    /// What is written later has other tickets.
    pub(super) fn end_unstored_turn(&mut self) {
        self.unstored.latest = 0;
    }

    /// Tells another shard that a message it gets next may still be refused.
    pub(super) fn announce_unstored(&mut self, shard: u16, seq: u64) {
        let is_here = shard < self.shared.shards();
        if seq == 0 || seq != self.unstored.latest || !is_here {
            return;
        }
        let (told, to) = self.unstored.told;
        if told != seq {
            self.unstored.sent.push_back((self.ticket, seq));
        } else if to == shard {
            return;
        }
        self.unstored.told = (seq, shard);
        self.forward(shard, ShardMessage::Unstored(seq));
    }

    /// A message of another shard is on its way here that may still be refused.
    pub(super) fn expect_unstored(&mut self, seq: u64) {
        self.unstored.foreign.entry(seq).or_default();
    }

    /// Whether a message that goes into a session's queue may still be refused; then it is noted.
    pub(super) fn is_unstored(&mut self, session: SessionKey, seq: u64) -> bool {
        if seq == 0 {
            return false;
        }
        if seq == self.unstored.latest {
            self.unstored.queued.push_back(Waiting { ticket: self.ticket, seq, session });
            return true;
        }
        if self.unstored.foreign.is_empty() {
            return false;
        }
        self.unstored.foreign.get_mut(&seq).map(|sessions| sessions.push(session)).is_some()
    }

    /// A subscription of a session was written.
    pub(super) fn note_subscribed(&mut self, slot: u32) {
        let ticket = self.ticket;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.subscribed_ticket = session.subscribed_ticket.max(ticket);
        let key = session.key;
        if self.unstored.subscribed.back() != Some(&(ticket, key)) {
            self.unstored.subscribed.push_back((ticket, key));
        }
    }

    /// The store has no room for the record of a session that is on disk. An older will there
    /// must not stand for the one that the client has.
    pub(super) fn record_later(&mut self, now: Now, key: SessionKey) {
        if let Some(session) = self.sessions.get_checked16(key.slot, key.generation)
            && session.will.is_some()
        {
            let client_id = &session.publisher.client_id;
            self.effects.store_ops.push(persist::delete_will(client_id));
        }
        self.unstored.unrecorded.insert(key);
        self.unstored.record_at_ms = now.mono_ms + RECORDS_AGAIN_MS;
    }

    /// There is room again: sessions that came back while there was none get their records and wills.
    fn record_again(&mut self) {
        let keys: Vec<SessionKey> =
            self.unstored.unrecorded.iter().take(RECORDS_MAX).copied().collect();
        for key in keys {
            self.unstored.unrecorded.remove(&key);
            let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else {
                continue;
            };
            let zone = self.config.zones.get(usize::from(session.meta.zone));
            let op = persist::put_session(session, zone.map_or("default", |zone| &zone.name));
            self.effects.store_ops.push(op);
            if let Some(will) = &session.will {
                let op = persist::put_will(&session.publisher.client_id, will);
                self.effects.store_ops.push(op);
            }
            self.unstored.recorded.push_back((self.ticket, key));
        }
        if self.unstored.unrecorded.is_empty() {
            self.unstored.unrecorded.shrink_to_fit();
        }
    }

    /// The same of what sessions have beside messages.
    fn settle_records(&mut self, now: Now, ticket: u64, is_stored: bool) {
        while self.unstored.subscribed.front().is_some_and(|(of, _)| *of <= ticket) {
            let Some((of, key)) = self.unstored.subscribed.pop_front() else { break };
            if !is_stored
                && of == ticket
                && let Some(session) = self.sessions.get_checked16(key.slot, key.generation)
            {
                session.subscribed_ticket = u64::MAX;
            }
        }
        while self.unstored.recorded.front().is_some_and(|(of, _)| *of <= ticket) {
            let Some((of, key)) = self.unstored.recorded.pop_front() else { break };
            if !is_stored && of == ticket {
                self.unstored.unrecorded.insert(key);
                self.unstored.record_at_ms = now.mono_ms + RECORDS_AGAIN_MS;
            }
        }
        let is_waiting = !self.unstored.unrecorded.is_empty();
        if is_stored && is_waiting && now.mono_ms >= self.unstored.record_at_ms {
            self.record_again();
        }
    }

    /// The store has taken or refused what was written under a ticket, and stored what came before.
    pub(super) fn settle_unstored(&mut self, now: Now, ticket: u64, is_stored: bool) {
        self.settle_records(now, ticket, is_stored);
        let mut refused: HashMap<SessionKey, Vec<u64>> = HashMap::new();
        while self.unstored.queued.front().is_some_and(|w| w.ticket <= ticket) {
            let Some(waiting) = self.unstored.queued.pop_front() else { break };
            if is_stored || waiting.ticket < ticket {
                self.keep_queued(waiting.session);
            } else {
                refused.entry(waiting.session).or_default().push(waiting.seq);
            }
        }
        self.take_back(refused);
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        while self.unstored.sent.front().is_some_and(|(of, _)| *of <= ticket) {
            let Some((of, seq)) = self.unstored.sent.pop_front() else { break };
            if is_stored || of < ticket { &mut taken } else { &mut left }.push(seq);
        }
        for (seqs, is_stored) in [(taken, true), (left, false)] {
            if seqs.is_empty() {
                continue;
            }
            let (shards, here) = (self.shared.shards(), self.index);
            for shard in (0..shards).filter(|shard| *shard != here) {
                let seqs = seqs.clone().into();
                self.forward(shard, ShardMessage::Settled { seqs, is_stored });
            }
        }
    }

    /// The same of another shard's messages.
    pub(super) fn settle_foreign(&mut self, seqs: &[u64], is_stored: bool) {
        let mut refused: HashMap<SessionKey, Vec<u64>> = HashMap::new();
        for seq in seqs {
            for session in self.unstored.foreign.remove(seq).unwrap_or_default() {
                if is_stored {
                    self.keep_queued(session);
                } else {
                    refused.entry(session).or_default().push(*seq);
                }
            }
        }
        if self.unstored.foreign.is_empty() {
            self.unstored.foreign.shrink_to_fit();
        }
        self.take_back(refused);
    }

    /// One message of a queue is stored: what there is no place for any more goes.
    fn keep_queued(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else {
            return;
        };
        session.unstored = session.unstored.saturating_sub(1);
        let zones = &self.config.zones;
        let zone = zones.get(usize::from(session.meta.zone)).or(zones.first());
        let max = zone.map_or(1000, |zone| zone.mqtt.max_mqueue_len);
        if max != 0
            && session.queue.len() > max + session.unstored as usize
            && let Some(dropped) = session.queue.drop_oldest()
        {
            self.queued_bytes = self.queued_bytes.saturating_sub(dropped.size());
            self.drop_queued(key.slot, &dropped);
        }
    }

    /// Messages that the store refused leave the queues.
    fn take_back(&mut self, refused: HashMap<SessionKey, Vec<u64>>) {
        for (key, mut seqs) in refused {
            let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else {
                continue;
            };
            #[allow(clippy::cast_possible_truncation)]
            let count = seqs.len() as u32;
            session.unstored = session.unstored.saturating_sub(count);
            seqs.sort_unstable();
            let gone = session.queue.extract(|item| seqs.binary_search(&item.seq).is_ok());
            let bytes = gone.iter().map(Queued::size).sum();
            self.queued_bytes = self.queued_bytes.saturating_sub(bytes);
        }
    }
}
