//! What the caller chooses when opening a store.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::StoreError;
use crate::format::{FRAME_BYTES_MAX, FRAMES_FROM};

/// When written bytes are forced to the device. See `docs/internals/store.md` for what each
/// can lose. None of them loses a completed batch when only the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before a batch is completed; everything queued meanwhile shares one sync.
    Always,
    /// In the background, this long after the first unsynced write.
    Interval(Duration),
    /// When the operating system likes, when the store closes, and before compaction
    /// replaces a file.
    Never,
}

impl Default for SyncPolicy {
    fn default() -> Self {
        Self::Interval(Duration::from_millis(100))
    }
}

/// How a store is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Where the files are; made (mode 0700) when missing. One store owns it.
    pub dir: PathBuf,
    /// When bytes are forced to the device.
    pub sync: SyncPolicy,
    /// A segment is closed when it would grow beyond this. Default 64 MiB.
    pub segment_bytes: u64,
    /// Disk quota; 0 is none. Batches that only free space or assign packet
    /// identifiers are let through, and a segment's
    /// header (4.1 KiB) and a compaction in progress come on top.
    pub bytes_max: u64,
    /// Bytes submitted but not yet written, above which batches are refused. Default 64 MiB.
    pub queue_bytes_max: usize,
}

impl StoreOptions {
    /// The defaults, in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            sync: SyncPolicy::default(),
            segment_bytes: 64 << 20,
            bytes_max: 0,
            queue_bytes_max: 64 << 20,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.segment_bytes < 2 * FRAMES_FROM {
            return Err(StoreError::Options("segment_bytes is less than 8 KiB"));
        }
        if self.segment_bytes > FRAME_BYTES_MAX {
            return Err(StoreError::Options("segment_bytes is more than 1 GiB"));
        }
        Ok(())
    }
}
