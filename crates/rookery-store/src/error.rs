//! What can go wrong, for the whole store and for one batch.

use std::path::PathBuf;

use thiserror::Error;

use crate::ops::Outcome;

/// The store cannot be opened, read or closed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another store of this process, has the directory.
    #[error("{} is in use by {}", .dir.display(), holder(*.pid))]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// Who has it, when it says so.
        pid: Option<u32>,
    },
    /// A file was written by a version of the store that this one does not know.
    #[error(
        "{} has format version {found}, this program reads up to {supported}: \
         start the version that wrote it, or move the directory aside", .file.display()
    )]
    FutureVersion {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u8,
        /// The newest version this program reads.
        supported: u8,
    },
    /// The operating system refused.
    #[error("{action}: {detail}")]
    Io {
        /// What was tried, with the file.
        action: String,
        /// The system's answer.
        detail: String,
        /// Its error number.
        errno: Option<i32>,
    },
    /// A record on disk is not what was written.
    #[error("message {seq} is damaged on disk")]
    Damaged {
        /// The message.
        seq: u64,
    },
    /// The disk took nothing for so long that removals could not be kept any more.
    #[error(
        "too many changes wait for a full or failing disk: what was delivered meanwhile may \
         come again after a restart"
    )]
    Forgetful,
    /// More reads are waiting than the store queues.
    #[error("too many reads are waiting")]
    Busy,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// An option has a value that cannot work.
    #[error("{0}")]
    Options(&'static str),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl StoreError {
    pub(crate) fn io(action: impl Into<String>, error: &std::io::Error) -> Self {
        Self::Io { action: action.into(), detail: error.to_string(), errno: error.raw_os_error() }
    }
}

/// Why one batch was not stored. What of it [passes](crate::Op::passes) is in the log if
/// [`CommitError::outcome`] says so, and otherwise follows with the next batch that gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A batch with a higher epoch was seen: this writer no longer owns what it writes.
    #[error("epoch {epoch} is fenced by epoch {highest}")]
    Fenced {
        /// The batch's epoch.
        epoch: u64,
        /// The highest seen.
        highest: u64,
    },
    /// The file system is full; later batches are tried again.
    #[error("disk full")]
    DiskFull,
    /// The write or the sync failed. After a failed sync, or when the file could not be cut
    /// back, a crash may still bring the batch back.
    #[error("input/output error {errno:?}")]
    Io {
        /// The system's error number.
        errno: Option<i32>,
    },
    /// `bytes_max` would be passed.
    #[error("disk quota exceeded")]
    QuotaExceeded,
    /// More than `queue_bytes_max` waits to be written.
    #[error("write queue full")]
    QueueFull,
    /// The batch is larger than a frame can be.
    #[error("batch of {bytes} bytes is too large")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The store is closed or its writer has ended.
    #[error("store closed")]
    Closed,
}

impl CommitError {
    /// What happened to the operations of the batch.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::QuotaExceeded | Self::QueueFull | Self::TooLarge { .. } => Outcome::Freed,
            _ => Outcome::Refused,
        }
    }

    /// Whether the store lacks room or its disk fails, which somebody has to look at.
    pub(crate) fn is_trouble(self) -> bool {
        matches!(self, Self::DiskFull | Self::Io { .. } | Self::QuotaExceeded | Self::QueueFull)
    }

    pub(crate) fn from_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io { errno: error.raw_os_error() },
        }
    }
}
