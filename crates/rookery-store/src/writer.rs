//! The writer thread: takes what is queued, writes it as one group, completes it.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;

use crate::error::{CommitError, StoreError};
use crate::format::{
    FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FrameKind, HEADER_BYTES, Header, begin_frame, end_frame,
};
use crate::index::{Index, Segment, SegmentState};
use crate::inner::{Inner, count};
use crate::ops::Op;
use crate::options::SyncPolicy;
use crate::orders::Orders;
use crate::queue::{Submission, Work, frame_bytes, lock};
use crate::record::{Records, write_epoch, write_op};
use crate::recover::{STOPPED_MARK, Stopped};
use crate::refusal::{Fullness, Kept};
use crate::reserve::Reserve;

/// A group is closed when its batches reach this size, whatever else is queued.
const GROUP_BYTES_MAX: u64 = 4 << 20;
/// Buffer kept between groups.
const BUFFER_KEPT_BYTES: usize = 64 << 10;
/// References of dropped sessions counted off between two groups.
const SWEEP_STEP: usize = 4096;

/// The segment that is written to.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    pub(crate) header: Header,
    pub(crate) bytes: u64,
}

pub(crate) struct Writer<'a> {
    inner: &'a Inner,
    active: Active,
    buffer: Vec<u8>,
    /// Frames in `buffer`: start, end, log sequence number.
    frames: Vec<(usize, usize, u64)>,
    lsn: u64,
    /// The highest epoch seen: it fences even when its own batch could not be written.
    epoch: u64,
    /// The highest epoch in the files, counting what `buffer` holds.
    epoch_written: u64,
    /// Written since the compactor was last asked to look.
    bytes_unlooked: u64,
    orders: Orders,
    kept: Kept,
    fullness: Fullness,
    reserve: Reserve,
    /// The active segment holds enough that is dead to be worth a new one, if there is room.
    wants_roll: bool,
}

/// Runs until the queue is closed and empty, then leaves the clean-shutdown mark.
pub(crate) fn run(inner: &Inner, active: Active) -> Result<(), StoreError> {
    let (lsn, epoch) = {
        let index = lock(&inner.index);
        (index.lsn, index.epoch)
    };
    let mut writer = Writer {
        inner,
        active,
        buffer: Vec::new(),
        frames: Vec::new(),
        lsn,
        epoch,
        epoch_written: epoch,
        bytes_unlooked: 0,
        orders: Orders::default(),
        kept: Kept::default(),
        fullness: Fullness::default(),
        reserve: Reserve::new(inner),
        wants_roll: false,
    };
    let mut is_sweeping = false;
    loop {
        match inner.queue.take(!is_sweeping) {
            Work::Batches(batches) => writer.commit_all(batches),
            Work::Nothing => {}
            Work::Closed => return writer.finish(),
        }
        is_sweeping = lock(&inner.index).sweep(SWEEP_STEP);
    }
}

impl Writer<'_> {
    fn commit_all(&mut self, batches: Vec<Submission>) {
        let mut group = Vec::new();
        let mut bytes = 0;
        for batch in batches {
            bytes += batch.bytes;
            group.push(batch);
            if bytes >= GROUP_BYTES_MAX {
                self.commit(mem::take(&mut group), bytes);
                bytes = 0;
            }
        }
        if !group.is_empty() {
            self.commit(group, bytes);
        }
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT_BYTES);
    }

    /// Writes a group whose frames take at most `bytes`, behind what is kept of refused ones.
    fn commit(&mut self, mut group: Vec<Submission>, bytes: u64) {
        let room = bytes.saturating_add(frame_bytes(self.kept.ops()));
        let stored = self.make_room(room).and_then(|()| {
            self.encode(&mut group);
            self.store()
        });
        self.orders.settle(stored.is_ok());
        self.inner.queue.done(bytes);
        let counters = &self.inner.counters;
        let refused = group.iter().filter(|one| one.refusal.is_some()).count() as u64;
        count(&counters.refused, refused);
        match &stored {
            Ok(()) => {
                self.kept.clear();
                count(&counters.commits, group.len() as u64 - refused);
            }
            Err(_) => count(&counters.errors, 1),
        }
        let stored = stored.map_err(|error| CommitError::from_io(&error));
        self.complete(group, stored);
        self.look_for_compaction(bytes);
        // What frees must get onto the disk, or nothing ever will.
        if stored == Err(CommitError::DiskFull)
            && !self.kept.ops().is_empty()
            && self.reserve.release(&*self.inner.disk)
        {
            self.commit(Vec::new(), 0);
        }
    }

    /// Answers a group: errors in the order of their tickets, then for each shard its success.
    fn complete(&mut self, group: Vec<Submission>, stored: Result<(), CommitError>) {
        let completion = &self.inner.completion;
        let mut highest: HashMap<u16, u64> = HashMap::new();
        let mut stored_bytes = 0;
        for one in group {
            let error = match (one.refusal, stored) {
                // It may not write at all.
                (Some(fenced @ CommitError::Fenced { .. }), _) => fenced,
                (_, Err(error)) => {
                    self.keep(one.batch.ops);
                    error
                }
                (Some(error), Ok(())) => error,
                (None, Ok(())) => {
                    highest.insert(one.shard, one.ticket);
                    stored_bytes += if one.may_pass() { 0 } else { one.asked };
                    continue;
                }
            };
            if self.fullness.refused(error, one.asked) {
                completion.refusing(error);
            }
            completion.committed(one.shard, one.ticket, Err(error));
        }
        if stored_bytes > 0 && self.fullness.stored(stored_bytes) {
            completion.accepting();
        }
        for (shard, ticket) in highest {
            completion.committed(shard, ticket, Ok(()));
        }
    }

    fn keep(&mut self, ops: Vec<Op>) {
        let before = self.kept.left_out;
        self.kept.keep(ops);
        if before == 0 && self.kept.left_out > 0 {
            self.inner.degrade(StoreError::Forgetful);
        }
    }

    /// Fills `buffer` with what is kept and the frames of the batches that can be accepted.
    fn encode(&mut self, group: &mut [Submission]) {
        self.buffer.clear();
        self.frames.clear();
        let lowest = group.iter().map(|one| &one.batch.ops[..]).chain([self.kept.ops()]);
        let lowest = lowest.filter_map(lowest_seq).min();
        let kept = mem::take(&mut self.kept);
        self.encode_ops(0, kept.ops(), lowest);
        self.kept = kept;
        for one in group {
            if let Err(error) = self.check(one) {
                one.refuse(error);
            }
            if !matches!(one.refusal, Some(CommitError::Fenced { .. })) {
                self.encode_ops(one.batch.epoch, &one.batch.ops, lowest);
            }
        }
    }

    fn check(&mut self, one: &Submission) -> Result<(), CommitError> {
        let batch = &one.batch;
        if batch.epoch < self.epoch {
            return Err(CommitError::Fenced { epoch: batch.epoch, highest: self.epoch });
        }
        if one.refusal.is_some() {
            return Ok(());
        }
        if one.bytes > FRAME_BYTES_MAX {
            return Err(CommitError::TooLarge { bytes: one.bytes });
        }
        let quota = self.inner.options.bytes_max;
        let used = self.inner.bytes_on_disk.load(Ordering::Relaxed) + self.buffer.len() as u64;
        if quota > 0 && used + one.bytes > quota && !one.may_pass() {
            self.inner.compaction.raise();
            return Err(CommitError::QuotaExceeded);
        }
        if !one.may_pass() && self.reserve.is_spent(&*self.inner.disk) {
            self.inner.compaction.raise();
            return Err(CommitError::DiskFull);
        }
        Ok(())
    }

    /// Lets the compactor have what is dead, in the segment that is written to as well when that
    /// is worth a new one.
    fn give_up_dead(&mut self) {
        let slot = self.active.segment.slot;
        let live = lock(&self.inner.index).segments.get(&slot).map_or(0, |state| state.live);
        let body = self.active.bytes.saturating_sub(HEADER_BYTES);
        if body > HEADER_BYTES && live < body - body / 4 {
            self.wants_roll = true;
        }
        self.inner.compaction.raise();
    }

    fn encode_ops(&mut self, epoch: u64, ops: &[Op], lowest: Option<u64>) {
        let start = begin_frame(&mut self.buffer);
        self.epoch = self.epoch.max(epoch);
        if epoch > self.epoch_written {
            self.epoch_written = epoch;
            write_epoch(&mut self.buffer, epoch);
        }
        for op in ops {
            match op {
                Op::DropSession { session } => {
                    // A session that no file names needs no record of its end.
                    let held = lock(&self.inner.index).sessions.get(session).map(|s| s.seq_first);
                    if let Some(first) = held.into_iter().chain(lowest).min() {
                        write_op(&mut self.buffer, op, first);
                    }
                }
                Op::Ordered { order, table, key, .. } => {
                    if self.orders.admit(table.0, key, *order) {
                        write_op(&mut self.buffer, op, 0);
                    }
                }
                _ => write_op(&mut self.buffer, op, 0),
            }
        }
        if self.buffer.len() == start + FRAME_HEADER_BYTES {
            self.buffer.truncate(start);
            return;
        }
        self.lsn += 1;
        let header = self.active.header;
        end_frame(&mut self.buffer, start, &header, FrameKind::Batch, self.lsn);
        self.frames.push((start, self.buffer.len(), self.lsn));
    }

    /// Writes `buffer`, syncs it if the policy says so, and applies it to the index. Nothing
    /// of it remains in the file when this fails, as far as the file can still be cut.
    fn store(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let segment = Arc::clone(&self.active.segment);
        let start = self.active.bytes;
        let written = segment.file.write_at(&self.buffer, start).and_then(|()| {
            match self.inner.options.sync {
                SyncPolicy::Always => self.inner.sync_segment(&segment).inspect_err(|_| {
                    self.inner.must_roll.store(true, Ordering::Release);
                }),
                SyncPolicy::Interval(_) => {
                    if self.inner.sync.mark(&segment) {
                        self.inner.sync.wanted.raise();
                    }
                    Ok(())
                }
                SyncPolicy::Never => {
                    self.inner.sync.mark(&segment);
                    Ok(())
                }
            }
        });
        if let Err(error) = written {
            self.epoch_written = lock(&self.inner.index).epoch;
            if segment.file.set_len(start).is_err() {
                // The rest of the group stays behind the valid part until the compactor has
                // written the segment anew.
                segment.is_poisoned.store(true, Ordering::Release);
                self.inner.must_roll.store(true, Ordering::Release);
            }
            return Err(error);
        }
        let size = self.buffer.len() as u64;
        self.active.bytes += size;
        self.inner.bytes_on_disk.fetch_add(size, Ordering::Relaxed);
        count(&self.inner.counters.writes, 1);
        count(&self.inner.counters.bytes_written, size);
        self.apply(start);
        Ok(())
    }

    fn apply(&self, file_at: u64) {
        let slot = self.active.segment.slot;
        for (start, end, lsn) in &self.frames {
            let body_start = start + FRAME_HEADER_BYTES;
            let body = self.buffer.get(body_start..*end).unwrap_or_default();
            let mut index = lock(&self.inner.index);
            apply_frame(&mut index, body, slot, file_at + body_start as u64, *lsn, false);
            if let Some(state) = index.segments.get_mut(&slot) {
                state.bytes = file_at + *end as u64;
            }
        }
    }

    /// Goes on in a new segment when the active one is full or failed.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let is_full = self.active.bytes > HEADER_BYTES
            && self.active.bytes + bytes > self.inner.options.segment_bytes;
        let has_to = is_full || self.inner.must_roll.load(Ordering::Acquire);
        if !has_to && !self.wants_roll {
            return Ok(());
        }
        let header = Header {
            epoch: self.epoch,
            next_seq: self.inner.next_seq.load(Ordering::Acquire),
            lsn: self.lsn,
            ..Header::fresh(self.active.header.ordinal + 1)
        };
        let segment = match self.inner.create_segment(&header) {
            // The end of the active segment may have room for what makes some.
            Err(error) if !has_to && CommitError::from_io(&error) == CommitError::DiskFull => {
                return Ok(());
            }
            created => created?,
        };
        self.wants_roll = false;
        self.inner.must_roll.store(false, Ordering::Release);
        let mut index = lock(&self.inner.index);
        if let Some(state) = index.segments.get_mut(&self.active.segment.slot) {
            state.is_sealed = true;
        }
        index.push_segment(SegmentState::new(Arc::clone(&segment), header));
        drop(index);
        self.active = Active { segment, header, bytes: HEADER_BYTES };
        self.inner.compaction.raise();
        Ok(())
    }

    fn look_for_compaction(&mut self, bytes: u64) {
        if self.fullness.is_refusing() {
            // Removals write little, but are what makes room again.
            self.give_up_dead();
            return;
        }
        self.bytes_unlooked += bytes;
        if self.bytes_unlooked >= self.inner.options.segment_bytes / 16 {
            self.bytes_unlooked = 0;
            self.inner.compaction.raise();
        }
    }

    fn finish(mut self) -> Result<(), StoreError> {
        if !self.kept.ops().is_empty() {
            self.commit(Vec::new(), 0);
        }
        self.buffer.clear();
        self.lsn += 1;
        let start = begin_frame(&mut self.buffer);
        let header = self.active.header;
        end_frame(&mut self.buffer, start, &header, FrameKind::Clean, self.lsn);
        let segment = &self.active.segment;
        let name = segment.path.display();
        let at = self.active.bytes;
        let written = segment.file.write_at(&self.buffer, at).inspect_err(|_| {
            let _ = segment.file.set_len(at);
        });
        self.inner.sync.mark(segment);
        self.inner.sync_dirty()?;
        written.map_err(|error| StoreError::io(format!("write {name}"), &error))?;
        self.mark_stopped(at + self.buffer.len() as u64);
        Ok(())
    }

    /// Without the mark a file that somebody cuts looks like one that a crash cut: no reason to fail.
    fn mark_stopped(&self, bytes: u64) {
        let mark = Stopped { ordinal: self.active.header.ordinal, bytes };
        let path = self.inner.options.dir.join(STOPPED_MARK);
        let _ = self.inner.disk.create(&path).and_then(|file| file.write_at(&mark.encode(), 0));
    }
}

fn lowest_seq(ops: &[Op]) -> Option<u64> {
    let published = ops.iter().filter_map(|op| match op {
        Op::Publish { seq, .. } => Some(*seq),
        _ => None,
    });
    published.min()
}

/// Applies the records of one frame; returns how many, and whether all could be read.
pub(crate) fn apply_frame(
    index: &mut Index,
    body: &[u8],
    slot: u32,
    body_at: u64,
    lsn: u64,
    is_replay: bool,
) -> (u64, bool) {
    let mut records = Records::new(body);
    let mut applied = 0;
    for placed in &mut records {
        index.apply(&placed, slot, body_at, lsn, is_replay);
        applied += 1;
    }
    index.lsn = index.lsn.max(lsn);
    if let Some(state) = index.segments.get_mut(&slot) {
        state.lsn_max = state.lsn_max.max(lsn);
    }
    (applied, records.is_sound())
}
