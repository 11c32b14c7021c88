//! What is stored and where: the in-memory index that the writer feeds, recovery rebuilds,
//! reads consult and compaction asks what is still needed.
//!
//! Keys and messages themselves stay on disk. A key costs [`KeyTable`] 32 bytes, a message
//! 32 bytes plus 16 for each session that wants it (besides the tables' slack).
//!
//! **Invariant:** records are applied in the order of their log sequence numbers, and a
//! compacted segment keeps its place, so replaying the files gives the same index.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hashbrown::HashMap;

use crate::disk::DiskFile;
use crate::format::{HEADER_BYTES, Header};
use crate::keys::{KeyHasher, KeyTable};
use crate::record::{PUBLISH_BYTES, Placed, REF_BYTES, Record, RefState};
use crate::sessions::{Ended, SessionRefs};

/// Names a segment file in memory: never reused, unlike the place in the order of files.
pub(crate) type Slot = u32;

/// A segment's file.
pub(crate) struct Segment {
    pub(crate) slot: Slot,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    /// Written since the last sync.
    pub(crate) is_dirty: AtomicBool,
    /// A sync failed: what it covered may exist only in memory.
    pub(crate) is_poisoned: AtomicBool,
}

/// A range of message sequence numbers, empty at first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeqRange {
    first: u64,
    last: u64,
}

impl SeqRange {
    pub(crate) const EMPTY: Self = Self { first: u64::MAX, last: 0 };

    pub(crate) fn add(&mut self, first: u64, last: u64) {
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }

    pub(crate) fn overlaps(&self, first: u64, last: u64) -> bool {
        self.first <= last && first <= self.last
    }

    pub(crate) fn overlaps_range(&self, other: Self) -> bool {
        self.overlaps(other.first, other.last)
    }
}

/// What the index knows about one segment.
pub(crate) struct SegmentState {
    pub(crate) segment: Arc<Segment>,
    pub(crate) header: Header,
    /// Size of the valid part.
    pub(crate) bytes: u64,
    /// Bytes of records that are needed whatever else is compacted.
    pub(crate) live: u64,
    /// Current values of keys.
    pub(crate) keys: u64,
    /// Messages with a record here, needed or not.
    pub(crate) published: SeqRange,
    /// Messages that records here (other than publish records) are about.
    pub(crate) settled: SeqRange,
    /// Size of those records.
    pub(crate) settled_bytes: u64,
    pub(crate) lsn_max: u64,
    /// Bytes that looked dead right after the segment was rewritten, and so are not.
    pub(crate) overhead: u64,
    pub(crate) is_sealed: bool,
    /// Could not be read back; left for the next recovery.
    pub(crate) is_quarantined: bool,
}

impl SegmentState {
    pub(crate) fn new(segment: Arc<Segment>, header: Header) -> Self {
        Self {
            segment,
            header,
            bytes: HEADER_BYTES,
            live: 0,
            keys: 0,
            published: SeqRange::EMPTY,
            settled: SeqRange::EMPTY,
            settled_bytes: 0,
            lsn_max: 0,
            overhead: 0,
            is_sealed: false,
            is_quarantined: false,
        }
    }

    fn settle(&mut self, first: u64, last: u64, bytes: usize) {
        self.settled.add(first, last);
        self.settled_bytes += bytes as u64;
    }

    fn sub_live(&mut self, bytes: u64) {
        self.live = self.live.saturating_sub(bytes);
    }
}

/// A stored message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    pub(crate) slot: Slot,
    /// Where its checksum is in the file; the message follows it.
    pub(crate) at: u32,
    pub(crate) bytes: u32,
    /// Sessions that have not acknowledged it.
    pub(crate) refs: u32,
    /// Those among them that have not released it.
    pub(crate) unreleased: u32,
}

impl Message {
    /// What a rewrite of its record would take.
    pub(crate) fn live_bytes(&self) -> u64 {
        let message = if self.unreleased > 0 { u64::from(self.bytes) } else { 0 };
        PUBLISH_BYTES + u64::from(self.refs) * REF_BYTES + message
    }
}

pub(crate) struct Index {
    pub(crate) hasher: KeyHasher,
    pub(crate) keys: KeyTable,
    pub(crate) messages: HashMap<u64, Message>,
    pub(crate) sessions: HashMap<u64, SessionRefs>,
    pub(crate) segments: HashMap<Slot, SegmentState>,
    /// The segments in the order in which they are replayed.
    pub(crate) order: BTreeMap<u64, Slot>,
    /// References of dropped sessions that are still counted in `messages`.
    pub(crate) dying: VecDeque<SessionRefs>,
    pub(crate) lsn: u64,
    pub(crate) epoch: u64,
    slot_next: Slot,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            hasher: KeyHasher::default(),
            keys: KeyTable::default(),
            messages: HashMap::new(),
            sessions: HashMap::new(),
            segments: HashMap::new(),
            order: BTreeMap::new(),
            dying: VecDeque::new(),
            lsn: 0,
            epoch: 0,
            slot_next: 0,
        }
    }

    pub(crate) fn slot(&mut self) -> Slot {
        self.slot_next += 1;
        self.slot_next
    }

    /// Adds a segment behind all others.
    pub(crate) fn push_segment(&mut self, state: SegmentState) {
        self.order.insert(state.header.ordinal, state.segment.slot);
        self.segments.insert(state.segment.slot, state);
    }

    pub(crate) fn sub_live(&mut self, slot: Slot, bytes: u64) {
        if let Some(state) = self.segments.get_mut(&slot) {
            state.sub_live(bytes);
        }
    }

    pub(crate) fn add_live(&mut self, slot: Slot, bytes: u64) {
        if let Some(state) = self.segments.get_mut(&slot) {
            state.live += bytes;
        }
    }

    fn settle(&mut self, slot: Slot, first: u64, last: u64, bytes: usize) {
        if let Some(state) = self.segments.get_mut(&slot) {
            state.settle(first, last, bytes);
        }
    }

    /// Applies one record that is stored in `slot`; `body_at` is the file offset of the body
    /// it was read from. `is_replay` when it comes from a file and not from the writer.
    pub(crate) fn apply(
        &mut self,
        placed: &Placed<'_>,
        slot: Slot,
        body_at: u64,
        lsn: u64,
        is_replay: bool,
    ) {
        let bytes = placed.raw.len();
        match placed.record {
            Record::Put { table, key, .. } => {
                let hash = self.hasher.hash(table, key);
                self.apply_put(hash, slot, offset_u32(body_at, placed.at), bytes);
            }
            Record::Delete { table, key } => {
                let hash = self.hasher.hash(table, key);
                self.apply_delete(hash, slot, offset_u32(body_at, placed.at), bytes);
            }
            Record::Publish { seq, refs, message_at, message, .. } => {
                let at = offset_u32(body_at, message_at);
                let found =
                    Message { slot, at, bytes: message.len() as u32, refs: 0, unreleased: 0 };
                self.apply_publish(seq, found, refs);
            }
            Record::Assign { session, seq, packet_id } => {
                self.settle(slot, seq, seq, bytes);
                self.apply_assign(session, seq, packet_id, lsn, is_replay);
            }
            Record::Release { session, seq } => {
                self.settle(slot, seq, seq, bytes);
                let found = self.sessions.get_mut(&session).and_then(|refs| refs.get_mut(seq));
                if let Some(state) = found.filter(|state| !state.is_released) {
                    state.is_released = true;
                    self.unref(seq, 0, 1);
                }
            }
            Record::Ack { session, seq } => {
                self.settle(slot, seq, seq, bytes);
                let found = self.sessions.get_mut(&session).and_then(|refs| refs.remove(seq));
                if let Some(state) = found {
                    self.unref(seq, 1, u32::from(!state.is_released));
                }
            }
            Record::DropSession { session, seq_first } => {
                self.settle(slot, seq_first, u64::MAX, bytes);
                if let Some(refs) = self.sessions.remove(&session) {
                    self.dying.push_back(refs);
                }
            }
            Record::Epoch(epoch) => self.epoch = self.epoch.max(epoch),
        }
    }

    fn apply_put(&mut self, hash: [u64; 2], slot: Slot, offset: u32, bytes: usize) {
        if let Some(before) = self.keys.put(hash, slot, offset, bytes as u32) {
            self.sub_live(before.slot, u64::from(before.bytes));
            if let Some(state) = self.segments.get_mut(&before.slot).filter(|_| !before.is_tomb) {
                state.keys = state.keys.saturating_sub(1);
            }
        }
        if let Some(state) = self.segments.get_mut(&slot) {
            state.live += bytes as u64;
            state.keys += 1;
        }
    }

    fn apply_delete(&mut self, hash: [u64; 2], slot: Slot, offset: u32, bytes: usize) {
        // Without a value on disk, or with a tombstone already, the record says nothing new.
        let Some(before) = self.keys.delete(hash, slot, offset, bytes as u32) else { return };
        if let Some(state) = self.segments.get_mut(&before.slot) {
            state.sub_live(u64::from(before.bytes));
            state.keys = state.keys.saturating_sub(1);
        }
        self.add_live(slot, bytes as u64);
    }

    fn apply_publish(
        &mut self,
        seq: u64,
        mut message: Message,
        refs: impl Iterator<Item = (u64, RefState)>,
    ) {
        if let Some(state) = self.segments.get_mut(&message.slot) {
            state.published.add(seq, seq);
        }
        for (session, state) in refs {
            if self.sessions.entry(session).or_default().insert(seq, state) {
                message.refs += 1;
                message.unreleased += u32::from(!state.is_released);
            }
        }
        // A second record of one number is a caller's mistake; the later one counts.
        if let Some(before) = self.messages.remove(&seq) {
            self.sub_live(before.slot, before.live_bytes());
            message.refs += before.refs;
            message.unreleased += before.unreleased;
        }
        if message.refs > 0 {
            self.add_live(message.slot, message.live_bytes());
            self.messages.insert(seq, message);
        }
    }

    fn apply_assign(&mut self, session: u64, seq: u64, packet_id: u16, lsn: u64, is_replay: bool) {
        if is_replay && self.rewritten_at(seq).is_none_or(|at| lsn <= at) {
            return; // the publish record, rewritten later, has this or a newer one
        }
        if let Some(state) = self.sessions.get_mut(&session).and_then(|refs| refs.get_mut(seq)) {
            state.packet_id = packet_id;
        }
    }

    /// The log sequence number up to which the message's own record includes everything said
    /// about it; `None` when there is no such message.
    pub(crate) fn rewritten_at(&self, seq: u64) -> Option<u64> {
        let message = self.messages.get(&seq)?;
        self.segments.get(&message.slot).map(|state| state.header.rewritten_at)
    }

    fn unref(&mut self, seq: u64, refs: u32, unreleased: u32) {
        let Some(message) = self.messages.get_mut(&seq) else { return };
        let (slot, before) = (message.slot, message.live_bytes());
        message.refs = message.refs.saturating_sub(refs);
        message.unreleased = message.unreleased.saturating_sub(unreleased);
        let after = if message.refs == 0 { 0 } else { message.live_bytes() };
        if message.refs == 0 {
            self.messages.remove(&seq);
        }
        self.sub_live(slot, before - after);
    }

    /// Counts off up to `limit` references of dropped sessions; whether some are left.
    pub(crate) fn sweep(&mut self, limit: usize) -> bool {
        for _ in 0..limit {
            let Some(session) = self.dying.front_mut() else { break };
            match session.pop() {
                Some(Ended { seq, was_released }) => self.unref(seq, 1, u32::from(!was_released)),
                None => {
                    self.dying.pop_front();
                }
            }
        }
        !self.dying.is_empty()
    }

    /// Size of all segments, and of what is needed in them.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        self.segments.values().fold((0, 0), |(bytes, live), state| {
            (bytes + state.bytes, live + HEADER_BYTES + state.live)
        })
    }
}

/// A file offset as the index keeps it: segments stay below 32 bits.
pub(crate) fn offset_u32(body_at: u64, at: usize) -> u32 {
    u32::try_from(body_at + at as u64).unwrap_or(u32::MAX)
}
