//! What the handle and the threads of one open store share.
//!
//! Lock order: `sync.serial` → `sync.dirty`; `index` alone, never while waiting for the disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::disk::Disk;
use crate::error::StoreError;
use crate::format::{HEADER_BYTES, Header};
use crate::index::{Index, Segment};
use crate::ops::Completion;
use crate::options::StoreOptions;
use crate::queue::{Queue, lock};
use crate::reader::ReadQueue;
use crate::report::StoreStats;
use crate::signal::Signal;
use crate::sync::SyncState;

/// Events since the store was opened.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) compactions: AtomicU64,
    pub(crate) compacted_bytes: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

pub(crate) struct Inner {
    pub(crate) options: StoreOptions,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) completion: Arc<dyn Completion>,
    pub(crate) queue: Queue,
    pub(crate) reads: ReadQueue,
    pub(crate) index: Mutex<Index>,
    pub(crate) sync: SyncState,
    pub(crate) next_seq: AtomicU64,
    /// Bytes of all segments, for the quota.
    pub(crate) bytes_on_disk: AtomicU64,
    pub(crate) counters: Counters,
    /// Asks the compactor to look for work.
    pub(crate) compaction: Signal,
    /// While not zero the compactor leaves the files alone.
    pub(crate) holds: AtomicUsize,
    /// The last sync of the directory failed: no file may be dropped before one succeeds.
    pub(crate) is_dir_unsynced: AtomicBool,
    /// The active segment has a failed sync or a failed cut behind it; the writer leaves it.
    pub(crate) must_roll: AtomicBool,
}

impl Inner {
    pub(crate) fn path(&self, ordinal: u64, extension: &str) -> PathBuf {
        segment_path(&self.options, ordinal, extension)
    }

    /// Makes a file with a header, complete from the first moment it has its name.
    pub(crate) fn create_segment(&self, header: &Header) -> Result<Arc<Segment>, std::io::Error> {
        let temporary = self.path(header.ordinal, "tmp");
        let path = self.path(header.ordinal, "log");
        let file = self.disk.create(&temporary)?;
        let created = (|| {
            file.write_at(&header.encode(), 0)?;
            file.sync_data()?;
            self.disk.rename(&temporary, &path)?;
            self.disk.sync_dir(&self.options.dir)
        })();
        if let Err(error) = created {
            // Best effort: what is left has no batch in it, and the next try reuses the name.
            let _ = self.disk.remove(&temporary);
            let _ = self.disk.remove(&path);
            return Err(error);
        }
        self.bytes_on_disk.fetch_add(HEADER_BYTES, Ordering::Relaxed);
        let slot = lock(&self.index).slot();
        Ok(Arc::new(Segment {
            slot,
            path,
            file,
            is_dirty: AtomicBool::new(false),
            is_poisoned: AtomicBool::new(false),
        }))
    }

    /// Counts an error that concerns no single ticket and tells the owner.
    pub(crate) fn degrade(&self, error: StoreError) {
        count(&self.counters.errors, 1);
        self.completion.degraded(error);
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let sync = self.sync.figures();
        let index = lock(&self.index);
        let (bytes_on_disk, live_bytes) = index.sizes();
        StoreStats {
            bytes_on_disk,
            live_bytes,
            segments: index.segments.len(),
            messages: index.messages.len(),
            keys: index.keys.len(),
            backlog_bytes: usize::try_from(self.queue.bytes()).unwrap_or(usize::MAX),
            commits: load(&self.counters.commits),
            writes: load(&self.counters.writes),
            bytes_written: load(&self.counters.bytes_written),
            syncs: sync.count,
            last_sync_age: sync.last.map(|at: Instant| at.elapsed()),
            sync_latency: sync.latency,
            sync_latency_max: sync.latency_max,
            refused: load(&self.counters.refused),
            errors: load(&self.counters.errors),
            compactions: load(&self.counters.compactions),
            compacted_bytes: load(&self.counters.compacted_bytes),
        }
    }
}

pub(crate) fn segment_path(options: &StoreOptions, ordinal: u64, extension: &str) -> PathBuf {
    options.dir.join(format!("{ordinal:016x}.{extension}"))
}
