//! Forcing written bytes to the device.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::error::StoreError;
use crate::index::Segment;
use crate::inner::Inner;
use crate::queue::lock;
use crate::signal::Signal;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SyncFigures {
    pub(crate) count: u64,
    pub(crate) last: Option<Instant>,
    pub(crate) latency: Duration,
    pub(crate) latency_max: Duration,
}

/// The segments that were written since their last sync.
#[derive(Default)]
pub(crate) struct SyncState {
    /// Held for a whole sync: who has it and finds nothing dirty knows that nothing is.
    serial: Mutex<()>,
    dirty: Mutex<Vec<Arc<Segment>>>,
    figures: Mutex<SyncFigures>,
    /// Wakes the background thread of [`SyncPolicy::Interval`](crate::SyncPolicy).
    pub(crate) wanted: Signal,
}

impl SyncState {
    /// Notes a write; whether the segment was clean before.
    pub(crate) fn mark(&self, segment: &Arc<Segment>) -> bool {
        let was_clean = !segment.is_dirty.swap(true, Ordering::AcqRel);
        if was_clean {
            lock(&self.dirty).push(Arc::clone(segment));
        }
        was_clean
    }

    pub(crate) fn figures(&self) -> SyncFigures {
        *lock(&self.figures)
    }
}

impl Inner {
    /// Syncs one segment and keeps the figures.
    pub(crate) fn sync_segment(&self, segment: &Segment) -> std::io::Result<()> {
        let start = Instant::now();
        segment.file.sync_data()?;
        let mut figures = lock(&self.sync.figures);
        figures.count += 1;
        figures.last = Some(Instant::now());
        figures.latency = start.elapsed();
        figures.latency_max = figures.latency_max.max(figures.latency);
        Ok(())
    }

    /// Syncs everything written before the call.
    ///
    /// A failed sync says nothing about what reached the device, and the next one would
    /// succeed without having written anything: the segment is left to the compactor, which
    /// writes it anew, and the writer goes on in another.
    pub(crate) fn sync_dirty(&self) -> Result<(), StoreError> {
        let _serial = lock(&self.sync.serial);
        let segments = std::mem::take(&mut *lock(&self.sync.dirty));
        let mut result = Ok(());
        for segment in segments {
            segment.is_dirty.store(false, Ordering::Release);
            if let Err(error) = self.sync_segment(&segment) {
                segment.is_poisoned.store(true, Ordering::Release);
                self.must_roll.store(true, Ordering::Release);
                self.compaction.raise();
                result = Err(StoreError::io(format!("sync {}", segment.path.display()), &error));
            }
        }
        result
    }
}

/// The background thread of [`SyncPolicy::Interval`](crate::SyncPolicy).
pub(crate) fn run(inner: &Inner, interval: Duration) {
    while inner.sync.wanted.wait() {
        if !inner.sync.wanted.pause(interval) {
            break;
        }
        if let Err(error) = inner.sync_dirty() {
            inner.degrade(error);
        }
    }
}
