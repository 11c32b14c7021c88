//! What recovery found and what the running store counts.

use std::path::PathBuf;
use std::time::Duration;

/// One reference that survived, in [`Recovered::sessions`](crate::Recovered::sessions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveredRef {
    /// The message.
    pub seq: u64,
    /// As given in [`MessageRef`](crate::MessageRef).
    pub flags: u8,
    /// As given in [`MessageRef`](crate::MessageRef).
    pub meta: u32,
    /// The last one assigned.
    pub packet_id: Option<u16>,
    /// Whether the receiver owns the message already.
    pub released: bool,
}

/// The unfinished end of the newest file, cut off at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruncatedTail {
    /// The file.
    pub file: PathBuf,
    /// Where the intact part ends.
    pub offset: u64,
    /// How much followed.
    pub bytes: u64,
}

/// A stretch of a file that could not be read. The file is kept as `*.damaged`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corruption {
    /// The file as it was named.
    pub file: PathBuf,
    /// Where the stretch begins.
    pub offset: u64,
    /// How long it is.
    pub bytes_skipped: u64,
    /// What was wrong.
    pub detail: String,
}

/// What recovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// Segment files read.
    pub segments: usize,
    /// Operations read.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// A write that a crash cut short.
    pub truncated_tail: Option<TruncatedTail>,
    /// What was damaged; everything else was kept.
    pub corrupt: Vec<Corruption>,
    /// Whether the last owner closed the store.
    pub clean_shutdown: bool,
    /// How long it took.
    pub elapsed: Duration,
}

/// What the running store counts. Counters start at zero with each opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Size of all segment files.
    pub bytes_on_disk: u64,
    /// The part of them that a complete compaction would keep, about.
    pub live_bytes: u64,
    /// Segment files.
    pub segments: usize,
    /// Messages that some session needs.
    pub messages: usize,
    /// Keys in all tables.
    pub keys: usize,
    /// Submitted and not yet written.
    pub backlog_bytes: usize,
    /// Batches stored.
    pub commits: u64,
    /// Writes that stored them: `commits / writes` is the size of a group.
    pub writes: u64,
    /// Bytes written for them.
    pub bytes_written: u64,
    /// Syncs that succeeded.
    pub syncs: u64,
    /// Since the last of them.
    pub last_sync_age: Option<Duration>,
    /// How long the last took.
    pub sync_latency: Duration,
    /// The longest so far.
    pub sync_latency_max: Duration,
    /// Batches refused: fenced, over quota, queue full, too large.
    pub refused: u64,
    /// Writes, syncs, reads and compactions that failed.
    pub errors: u64,
    /// Compactions finished.
    pub compactions: u64,
    /// Bytes they gave back.
    pub compacted_bytes: u64,
}
