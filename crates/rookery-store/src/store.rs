//! The handle on an open store.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::compact;
use crate::disk::{Disk, OsDisk};
use crate::error::{CommitError, StoreError};
use crate::format::{FRAME_HEADER_BYTES, FrameKind, HEADER_BYTES, Header};
use crate::index::{SegmentState, offset_u32};
use crate::inner::{Counters, Inner};
use crate::lock::DirLock;
use crate::ops::{Batch, Completion, ReadResult, Table};
use crate::options::{StoreOptions, SyncPolicy};
use crate::queue::{Queue, Submission, Work, lock};
use crate::reader::{self, ReadQueue};
use crate::record::{Record, Records};
use crate::recover::{Found, USED_MARK, recover};
use crate::report::{RecoveredRef, RecoveryReport, StoreStats};
use crate::scan::{Item, Scanner};
use crate::signal::Signal;
use crate::sync::{self, SyncState};
use crate::writer::{self, Active};

/// The threads need little: no recursion, no large locals.
const STACK_BYTES: usize = 256 << 10;

/// A handle on an open store; clones share it. The last one to go closes the store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    threads: Arc<Threads>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.inner.options.dir).finish_non_exhaustive()
    }
}

struct Threads {
    inner: Arc<Inner>,
    writer: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    others: Mutex<Vec<JoinHandle<()>>>,
    dir_lock: Mutex<Option<DirLock>>,
}

/// What was found when the store was opened. Compaction waits until this is dropped.
pub struct Recovered {
    /// The references of each session, in order of `seq`. Sessions without any are not here.
    pub sessions: HashMap<u64, Vec<RecoveredRef>>,
    /// What [`Store::next_seq`] returns first.
    pub next_seq: u64,
    /// The highest epoch seen.
    pub epoch: u64,
    /// What was read and what was wrong with it.
    pub report: RecoveryReport,
    inner: Arc<Inner>,
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovered")
            .field("sessions", &self.sessions.len())
            .field("next_seq", &self.next_seq)
            .field("epoch", &self.epoch)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl Drop for Recovered {
    fn drop(&mut self) {
        self.inner.holds.fetch_sub(1, Ordering::AcqRel);
        self.inner.compaction.raise();
    }
}

impl Recovered {
    /// Hands over every key of every table, read from the files, in no order; returns how
    /// many. A key that was changed since the store was opened may be left out, so call this
    /// before submitting anything.
    ///
    /// # Errors
    ///
    /// A file cannot be read; what came before was handed over.
    pub fn for_each(
        &mut self,
        mut each: impl FnMut(Table, &[u8], &[u8]),
    ) -> Result<u64, StoreError> {
        let segments: Vec<_> = {
            let index = lock(&self.inner.index);
            let states = index.order.values().filter_map(|slot| index.segments.get(slot));
            let with_keys = states.filter(|state| state.keys > 0);
            with_keys.map(|s| (Arc::clone(&s.segment), s.header, s.bytes)).collect()
        };
        let mut handed = 0;
        for (segment, header, bytes) in segments {
            let mut scanner = Scanner::new(&*segment.file, header, bytes);
            let io = |error| StoreError::io(format!("read {}", segment.path.display()), &error);
            while let Some(item) = scanner.next_item().map_err(io)? {
                let Item::Frame { kind: FrameKind::Batch, offset, body, .. } = item else {
                    continue;
                };
                let body_at = offset + FRAME_HEADER_BYTES as u64;
                let current: Vec<_> = {
                    let index = lock(&self.inner.index);
                    Records::new(body)
                        .filter_map(|placed| {
                            let Record::Put { table, key, value } = placed.record else {
                                return None;
                            };
                            let newest = index.keys.get(index.hasher.hash(table, key))?;
                            let here = (segment.slot, offset_u32(body_at, placed.at));
                            let is_newest = (newest.slot, newest.offset) == here;
                            is_newest.then_some((table, key, value))
                        })
                        .collect()
                };
                // Without the lock: the caller may use the store from here.
                for (table, key, value) in current {
                    each(Table(table), key, value);
                    handed += 1;
                }
            }
        }
        Ok(handed)
    }
}

impl Store {
    /// Opens the store in `options.dir`, which is made when missing, and recovers what is
    /// there. `completion` is called from the store's threads until it is closed.
    ///
    /// # Errors
    ///
    /// The directory is in use, was written by a newer version, or cannot be read. Damage is
    /// no error: it is in the report.
    pub fn open(
        options: StoreOptions,
        completion: Arc<dyn Completion>,
    ) -> Result<(Self, Recovered), StoreError> {
        options.check()?;
        let dir = &options.dir;
        OsDisk
            .create_dir(dir)
            .map_err(|error| StoreError::io(format!("create {}", dir.display()), &error))?;
        let dir_lock = DirLock::take(dir)?;
        Self::open_on(Arc::new(OsDisk), Some(dir_lock), options, completion)
    }

    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        dir_lock: Option<DirLock>,
        options: StoreOptions,
        completion: Arc<dyn Completion>,
    ) -> Result<(Self, Recovered), StoreError> {
        let start = Instant::now();
        let Found { is_marked, index, next_seq, mut report, last, bytes_on_disk } =
            recover(&*disk, &options)?;
        let sessions = index
            .sessions
            .iter()
            .filter(|(_, refs)| !refs.is_empty())
            .map(|(session, refs)| {
                let refs = refs.iter().map(|(seq, state)| RecoveredRef {
                    seq,
                    flags: state.flags,
                    meta: state.meta,
                    packet_id: (state.packet_id != 0).then_some(state.packet_id),
                    released: state.is_released,
                });
                (*session, refs.collect())
            })
            .collect();
        let epoch = index.epoch;
        let inner = Arc::new(Inner {
            options,
            disk,
            completion,
            queue: Queue::default(),
            reads: ReadQueue::default(),
            index: Mutex::new(index),
            sync: SyncState::default(),
            next_seq: AtomicU64::new(next_seq),
            bytes_on_disk: AtomicU64::new(bytes_on_disk),
            counters: Counters::default(),
            compaction: Signal::default(),
            holds: AtomicUsize::new(1),
            is_dir_unsynced: AtomicBool::new(true),
            must_roll: AtomicBool::new(false),
        });
        let active = first_segment(&inner, last)?;
        if !is_marked {
            let mark = inner.options.dir.join(USED_MARK);
            let failed = |error| StoreError::io(format!("create {}", mark.display()), &error);
            inner.disk.create(&mark).map_err(failed)?;
        }
        report.elapsed = start.elapsed();
        let recovered = Recovered { sessions, next_seq, epoch, report, inner: Arc::clone(&inner) };
        let threads = Threads::start(&inner, active, dir_lock)?;
        Ok((Self { inner, threads: Arc::new(threads) }, recovered))
    }

    /// A sequence number that no message had or will have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.inner.next_seq.fetch_add(1, Ordering::AcqRel)
    }

    /// Queues a batch; its answer comes to the completion. Tickets of a shard rise. Never
    /// waits: above `queue_bytes_max` the batch is refused, unless it only frees.
    ///
    /// After [`close`](Self::close) the answer comes at once, from the calling thread.
    pub fn submit(&self, shard: u16, ticket: u64, batch: Batch) {
        let item = Submission::new(shard, ticket, batch);
        let bytes_max = self.inner.options.queue_bytes_max as u64;
        if self.inner.queue.push(item, bytes_max).is_err() {
            self.inner.completion.committed(shard, ticket, Err(CommitError::Closed));
        }
    }

    /// Bytes submitted and not yet written: the caller slows its clients down by this.
    #[must_use]
    pub fn backlog_bytes(&self) -> usize {
        usize::try_from(self.inner.queue.bytes()).unwrap_or(usize::MAX)
    }

    /// Whether the quota is used up: a batch that publishes or puts would be refused.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let bytes_max = self.inner.options.bytes_max;
        bytes_max > 0 && self.inner.bytes_on_disk.load(Ordering::Relaxed) >= bytes_max
    }

    /// Reads a committed message; `None` when no session needs it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the message is damaged.
    pub fn read(&self, seq: u64) -> ReadResult {
        self.inner.read(seq)
    }

    /// Reads messages on the store's reader thread, which answers
    /// [`Completion::read_done`] with `token`.
    ///
    /// After [`close`](Self::close) the answer comes at once, from the calling thread.
    pub fn read_async(&self, shard: u16, token: u64, seqs: Vec<u64>) {
        if let Err(seqs) = self.inner.reads.push(shard, token, seqs) {
            let answers = seqs.into_iter().map(|seq| (seq, Err(StoreError::Closed))).collect();
            self.inner.completion.read_done(shard, token, answers);
        }
    }

    /// As it was opened.
    #[must_use]
    pub fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    /// Counters and sizes.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    /// Writes and completes what is queued, syncs, leaves the mark of a clean shutdown and
    /// lets go of the directory. Other handles answer `Closed` from then on.
    ///
    /// # Errors
    ///
    /// The last write or sync failed.
    pub fn close(self) -> Result<(), StoreError> {
        self.threads.stop()
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

/// The segment to write to first: the newest, or a new one behind it.
fn first_segment(
    inner: &Inner,
    last: Option<(Arc<crate::index::Segment>, Header, u64)>,
) -> Result<Active, StoreError> {
    if let Some((segment, header, bytes)) = last {
        if let Some(state) = lock(&inner.index).segments.get_mut(&segment.slot) {
            state.is_sealed = false;
        }
        return Ok(Active { segment, header, bytes });
    }
    let header = {
        let index = lock(&inner.index);
        let newest = index.order.last_key_value().and_then(|(_, slot)| index.segments.get(slot));
        let ordinal = newest.map_or(1, |state| state.header.ordinal_last + 1);
        let next_seq = inner.next_seq.load(Ordering::Acquire);
        Header { epoch: index.epoch, next_seq, lsn: index.lsn, ..Header::fresh(ordinal) }
    };
    let segment = inner
        .create_segment(&header)
        .map_err(|error| StoreError::io("create a segment".to_owned(), &error))?;
    lock(&inner.index).push_segment(SegmentState::new(Arc::clone(&segment), header));
    Ok(Active { segment, header, bytes: HEADER_BYTES })
}

impl Threads {
    fn start(
        inner: &Arc<Inner>,
        active: Active,
        dir_lock: Option<DirLock>,
    ) -> Result<Self, StoreError> {
        let threads = Self {
            inner: Arc::clone(inner),
            writer: Mutex::new(None),
            others: Mutex::new(Vec::new()),
            dir_lock: Mutex::new(dir_lock),
        };
        let io = |error| StoreError::io("start a thread", &error);
        let named = |name: &str| thread::Builder::new().name(name.into()).stack_size(STACK_BYTES);
        let shared = Arc::clone(inner);
        *lock(&threads.writer) =
            Some(named("store-writer").spawn(move || run_writer(&shared, active)).map_err(io)?);
        let mut others = lock(&threads.others);
        let shared = Arc::clone(inner);
        others.push(named("store-reader").spawn(move || reader::run(&shared)).map_err(io)?);
        let shared = Arc::clone(inner);
        others.push(named("store-compact").spawn(move || compact::run(&shared)).map_err(io)?);
        if let SyncPolicy::Interval(interval) = inner.options.sync {
            let shared = Arc::clone(inner);
            let sync = named("store-sync").spawn(move || sync::run(&shared, interval));
            others.push(sync.map_err(io)?);
        }
        drop(others);
        Ok(threads)
    }

    fn stop(&self) -> Result<(), StoreError> {
        // The compactor first: it waits for nothing the others hold.
        self.inner.compaction.close();
        self.inner.queue.close();
        self.inner.reads.close();
        let here = thread::current().id();
        let mut result = Ok(());
        let writer = lock(&self.writer).take();
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != here) {
            result = writer.join().unwrap_or(Err(StoreError::Closed));
        }
        self.inner.sync.wanted.close();
        let others = std::mem::take(&mut *lock(&self.others));
        for other in others.into_iter().filter(|other| other.thread().id() != here) {
            let _ = other.join();
        }
        lock(&self.dir_lock).take();
        result
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            self.inner.degrade(error);
        }
    }
}

/// A defect that ends the writer must not leave anyone waiting for a ticket.
fn run_writer(inner: &Inner, active: Active) -> Result<(), StoreError> {
    let result = catch_unwind(AssertUnwindSafe(|| writer::run(inner, active)));
    result.unwrap_or_else(|_| {
        inner.queue.close();
        while let Work::Batches(batches) = inner.queue.take(false) {
            for one in batches {
                inner.completion.committed(one.shard, one.ticket, Err(CommitError::Closed));
            }
        }
        inner.degrade(StoreError::Closed);
        Err(StoreError::Closed)
    })
}
