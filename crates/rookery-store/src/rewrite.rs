//! One compaction: copies what is needed, puts the new file in place, moves the index over.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashSet;

use crate::compact::{Plan, apparent_dead_bytes, sync_dir};
use crate::disk::DiskFile;
use crate::error::StoreError;
use crate::format::{FRAME_HEADER_BYTES, FrameKind, HEADER_BYTES, begin_frame, end_frame};
use crate::index::{Index, Segment, SegmentState, Slot, offset_u32};
use crate::inner::{Inner, count};
use crate::queue::lock;
use crate::record::{Placed, Record, Records, Refs, write_publish};
use crate::scan::{Item, Scanner};

/// Frames of a compacted segment are closed at this size: what one damaged byte costs.
const FRAME_TARGET_BYTES: usize = 16 << 10;
/// Written at once.
const WRITE_BYTES: usize = 256 << 10;
/// Synced at once: a longer sync would hold up the writer's.
const SYNC_BYTES: u64 = 8 << 20;
/// Records judged, or entries moved, in one hold of the index lock.
const SLICE: usize = 512;

/// Something that the new file holds.
enum Moved {
    Key { hash: [u64; 2], from: (Slot, u32), to: u32 },
    Message { seq: u64, from: (Slot, u32), to: u32 },
}

/// Where a record that is judged was read.
#[derive(Clone, Copy)]
struct Source {
    slot: Slot,
    body_at: u64,
    lsn: u64,
}

pub(crate) struct Rewrite<'a> {
    inner: &'a Inner,
    plan: Plan,
    /// `None` until something is kept.
    file: Option<Arc<dyn DiskFile>>,
    /// The new segment as the index will know it, but for its slot and file.
    state: SegmentState,
    /// Frames not yet written; the last of them may be open.
    buffer: Vec<u8>,
    frame: Option<(usize, u64)>,
    written: u64,
    unsynced: u64,
    moved: Vec<Moved>,
    /// Keys of older values that are not in the new file.
    dropped: Vec<[u64; 2]>,
}

fn io_error<'p>(action: &'static str, path: &'p Path) -> impl Fn(io::Error) -> StoreError + 'p {
    move |error| StoreError::io(format!("{action} {}", path.display()), &error)
}

impl<'a> Rewrite<'a> {
    /// `None` for a plan without sources.
    pub(crate) fn new(inner: &'a Inner, plan: Plan) -> Option<Self> {
        let (first, _, _) = plan.sources.first()?;
        let mut state = SegmentState::new(Arc::clone(first), plan.header);
        state.is_sealed = true;
        Some(Self {
            inner,
            plan,
            file: None,
            state,
            buffer: Vec::new(),
            frame: None,
            written: HEADER_BYTES,
            unsynced: 0,
            moved: Vec::new(),
            dropped: Vec::new(),
        })
    }

    /// Does it. After an error before the new file is in place, nothing has changed.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        if let Err(error) = self.copy().and_then(|()| self.put_in_place()) {
            if self.file.is_some() {
                let _ = self.inner.disk.remove(&self.temporary());
            }
            return Err(error);
        }
        let synced = sync_dir(self.inner);
        self.move_index();
        // Without a synced directory the sources' names stay: a crash could bring back the
        // first of them without the others.
        synced?;
        self.remove_sources()
    }

    fn temporary(&self) -> std::path::PathBuf {
        self.inner.path(self.plan.header.ordinal, "tmp")
    }

    fn copy(&mut self) -> Result<(), StoreError> {
        for (segment, header, bytes) in self.plan.sources.clone() {
            let mut scanner = Scanner::new(&*segment.file, header, bytes);
            while let Some(item) = scanner.next_item().map_err(io_error("read", &segment.path))? {
                match item {
                    Item::Frame { kind: FrameKind::Batch, offset, lsn, body } => {
                        let body_at = offset + FRAME_HEADER_BYTES as u64;
                        let source = Source { slot: segment.slot, body_at, lsn };
                        self.copy_frame(source, body)?;
                    }
                    Item::Frame { .. } => {}
                    Item::Gap(gap) => return Err(self.quarantine(&segment, gap.offset)),
                }
            }
        }
        self.end_frame();
        self.write_out()
    }

    /// The file changed under us. The next recovery mends it; until then it is left alone.
    fn quarantine(&self, segment: &Segment, offset: u64) -> StoreError {
        if let Some(state) = lock(&self.inner.index).segments.get_mut(&segment.slot) {
            state.is_quarantined = true;
        }
        StoreError::Io {
            action: format!("compact {}", segment.path.display()),
            detail: format!("damaged at offset {offset}"),
            errno: None,
        }
    }

    fn copy_frame(&mut self, source: Source, body: &[u8]) -> Result<(), StoreError> {
        let mut records = Records::new(body).peekable();
        while records.peek().is_some() {
            {
                let inner = self.inner;
                let index = lock(&inner.index);
                for placed in records.by_ref().take(SLICE) {
                    self.judge(&index, source, &placed);
                    if self.buffer.len() >= WRITE_BYTES {
                        break;
                    }
                }
            }
            if self.buffer.len() >= WRITE_BYTES {
                self.end_frame();
                self.write_out()?;
            }
        }
        Ok(())
    }

    /// Keeps the record or leaves it out.
    fn judge(&mut self, index: &Index, source: Source, placed: &Placed<'_>) {
        let here = (source.slot, offset_u32(source.body_at, placed.at));
        match placed.record {
            Record::Put { table, key, .. } | Record::Delete { table, key } => {
                let hash = index.hasher.hash(table, key);
                let is_put = matches!(placed.record, Record::Put { .. });
                let newest = index.keys.get(hash).map(|newest| (newest.slot, newest.offset));
                if newest == Some(here) {
                    let to = self.keep(source.lsn, placed.raw);
                    self.state.live += placed.raw.len() as u64;
                    self.moved.push(Moved::Key { hash, from: here, to });
                } else if is_put {
                    self.dropped.push(hash);
                }
            }
            Record::Publish { seq, refs, message_at, message, .. } => {
                let from = (source.slot, offset_u32(source.body_at, message_at));
                self.judge_publish(index, source, seq, from, refs, message);
            }
            Record::Assign { session, seq, .. } | Record::Release { session, seq } => {
                let is_held = index.sessions.get(&session).and_then(|refs| refs.get(seq)).is_some();
                if is_held && !self.is_worked_in(index, seq, source.lsn) {
                    self.keep_settled(source.lsn, placed.raw, seq, seq);
                }
            }
            Record::Ack { seq, .. } => {
                let is_needed = match index.messages.contains_key(&seq) {
                    true => !self.is_worked_in(index, seq, source.lsn),
                    false => self.may_be_published(seq, seq, source.lsn),
                };
                if is_needed {
                    self.keep_settled(source.lsn, placed.raw, seq, seq);
                }
            }
            Record::DropSession { seq_first, .. } => {
                if self.may_be_published(seq_first, u64::MAX, source.lsn) {
                    self.keep_settled(source.lsn, placed.raw, seq_first, u64::MAX);
                }
            }
            Record::Epoch(_) => {} // the header has it
        }
    }

    fn judge_publish(
        &mut self,
        index: &Index,
        source: Source,
        seq: u64,
        from: (Slot, u32),
        refs: Refs<'_>,
        message: &[u8],
    ) {
        let found = index.messages.get(&seq);
        let Some(found) = found.filter(|found| (found.slot, found.at) == from) else { return };
        let held = refs.filter_map(|(session, _)| {
            index.sessions.get(&session)?.get(seq).map(|state| (session, state))
        });
        self.begin_frame(source.lsn);
        let message = (found.unreleased > 0).then_some(message);
        let at = write_publish(&mut self.buffer, seq, held, message);
        let to = offset_u32(self.written, at);
        self.close_if_full();
        self.state.live += found.live_bytes();
        self.state.published.add(seq, seq);
        self.moved.push(Moved::Message { seq, from, to });
    }

    /// Whether the message's record, as it is or will be on disk, includes what was said at `lsn`.
    fn is_worked_in(&self, index: &Index, seq: u64, lsn: u64) -> bool {
        let Some(message) = index.messages.get(&seq) else { return false };
        let is_source = self.plan.sources.iter().any(|(source, _, _)| source.slot == message.slot);
        is_source || index.rewritten_at(seq).is_some_and(|at| lsn <= at)
    }

    /// Whether an older file may hold one of these messages without what was said at `lsn`.
    fn may_be_published(&self, first: u64, last: u64, lsn: u64) -> bool {
        self.plan
            .older
            .iter()
            .any(|(published, rewritten_at)| published.overlaps(first, last) && *rewritten_at < lsn)
    }

    fn keep_settled(&mut self, lsn: u64, raw: &[u8], first: u64, last: u64) {
        self.keep(lsn, raw);
        self.state.settled.add(first, last);
        self.state.settled_bytes += raw.len() as u64;
    }

    /// Appends a record as it is; returns its place in the new file.
    fn keep(&mut self, lsn: u64, raw: &[u8]) -> u32 {
        self.begin_frame(lsn);
        let to = offset_u32(self.written, self.buffer.len());
        self.buffer.extend_from_slice(raw);
        self.close_if_full();
        to
    }

    fn begin_frame(&mut self, lsn: u64) {
        match &mut self.frame {
            Some((_, frame_lsn)) => *frame_lsn = lsn.max(*frame_lsn),
            None => self.frame = Some((begin_frame(&mut self.buffer), lsn)),
        }
    }

    fn close_if_full(&mut self) {
        if self.frame.is_some_and(|(start, _)| self.buffer.len() - start >= FRAME_TARGET_BYTES) {
            self.end_frame();
        }
    }

    fn end_frame(&mut self) {
        if let Some((start, lsn)) = self.frame.take() {
            end_frame(&mut self.buffer, start, &self.plan.header, FrameKind::Batch, lsn);
            self.state.lsn_max = self.state.lsn_max.max(lsn);
        }
    }

    fn write_out(&mut self) -> Result<(), StoreError> {
        let path = self.temporary();
        let is_merge = self.plan.sources.len() > 1;
        if self.buffer.is_empty() && !is_merge {
            return Ok(());
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = self.inner.disk.create(&path).map_err(io_error("create", &path))?;
                self.file = Some(Arc::clone(&file));
                let header = self.plan.header.encode();
                file.write_at(&header, 0).map_err(io_error("write", &path))?;
                file
            }
        };
        file.write_at(&self.buffer, self.written).map_err(io_error("write", &path))?;
        self.written += self.buffer.len() as u64;
        self.unsynced += self.buffer.len() as u64;
        self.buffer.clear();
        if self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            file.sync_data().map_err(io_error("sync", &path))?;
        }
        Ok(())
    }

    /// Makes the new file take the place of the first source, or removes the only one.
    fn put_in_place(&mut self) -> Result<(), StoreError> {
        let path = self.inner.path(self.plan.header.ordinal, "log");
        let temporary = self.temporary();
        if let Some(file) = &self.file {
            file.sync_data().map_err(io_error("sync", &temporary))?;
        }
        // What was left out is superseded by records that must not be lost before it.
        self.inner.sync_dirty()?;
        match self.file {
            Some(_) => {
                self.inner.disk.rename(&temporary, &path).map_err(io_error("rename", &temporary))
            }
            None => self.inner.disk.remove(&path).map_err(io_error("remove", &path)),
        }
    }

    /// Points the index to the new file, a slice at a time.
    fn move_index(&mut self) {
        let inner = self.inner;
        let ordinal = self.plan.header.ordinal;
        let slot = self.file.take().map(|file| {
            let mut index = lock(&inner.index);
            let segment = Arc::new(Segment {
                slot: index.slot(),
                path: inner.path(ordinal, "log"),
                file,
                is_dirty: AtomicBool::new(false),
                is_poisoned: AtomicBool::new(false),
            });
            let slot = segment.slot;
            let mut state = SegmentState::new(segment, self.plan.header);
            state.bytes = self.written;
            state.published = self.state.published;
            state.settled = self.state.settled;
            state.settled_bytes = self.state.settled_bytes;
            state.lsn_max = self.state.lsn_max;
            state.is_sealed = true;
            state.live = self.state.live;
            state.overhead = apparent_dead_bytes(&index, &state);
            state.live = 0; // counted again with each entry that moves
            index.segments.insert(slot, state);
            inner.bytes_on_disk.fetch_add(self.written, Ordering::Relaxed);
            slot
        });
        if let Some(slot) = slot {
            for slice in self.moved.chunks(SLICE) {
                let mut index = lock(&inner.index);
                for moved in slice {
                    relocate(&mut index, moved, slot);
                }
            }
        }
        for slice in self.dropped.chunks(SLICE) {
            let mut index = lock(&inner.index);
            for hash in slice {
                if let Some(tomb) = index.keys.forget_stale(*hash) {
                    index.sub_live(tomb.slot, u64::from(tomb.bytes));
                }
            }
        }
        let sources: HashSet<Slot> = self.plan.sources.iter().map(|(s, _, _)| s.slot).collect();
        let mut index = lock(&inner.index);
        index.order.retain(|_, slot| !sources.contains(slot));
        if let Some(slot) = slot {
            index.order.insert(ordinal, slot);
        }
        index.segments.retain(|slot, _| !sources.contains(slot));
        drop(index);
        let before: u64 = self.plan.sources.iter().map(|(_, _, bytes)| bytes).sum();
        let after = if slot.is_some() { self.written } else { 0 };
        inner.bytes_on_disk.fetch_sub(before, Ordering::Relaxed);
        count(&inner.counters.compactions, 1);
        count(&inner.counters.compacted_bytes, before.saturating_sub(after));
    }

    fn remove_sources(&self) -> Result<(), StoreError> {
        let others = self.plan.sources.get(1..).unwrap_or_default();
        for (segment, _, _) in others {
            let path = &segment.path;
            // Its name may still be there only because an earlier removal failed.
            match self.inner.disk.remove(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("remove", path)(error));
                }
                _ => {}
            }
        }
        if others.is_empty() { Ok(()) } else { sync_dir(self.inner) }
    }
}

fn relocate(index: &mut Index, moved: &Moved, slot: Slot) {
    match *moved {
        Moved::Key { hash, from, to } => {
            let Some(record) = index.keys.relocate(hash, from, (slot, to)) else { return };
            index.sub_live(from.0, u64::from(record.bytes));
            index.add_live(slot, u64::from(record.bytes));
            if !record.is_tomb
                && let Some(state) = index.segments.get_mut(&slot)
            {
                state.keys += 1;
            }
        }
        Moved::Message { seq, from, to } => {
            let Some(message) = index.messages.get_mut(&seq) else { return };
            if (message.slot, message.at) != from {
                return;
            }
            (message.slot, message.at) = (slot, to);
            let live = message.live_bytes();
            index.sub_live(from.0, live);
            index.add_live(slot, live);
        }
    }
}
