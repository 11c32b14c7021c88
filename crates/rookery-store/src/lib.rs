//! Durable state of a Rookery node: one append-only log, bytes in and bytes out.
#![forbid(unsafe_code)]

mod compact;
mod disk;
mod error;
mod format;
mod index;
mod inner;
mod keys;
mod lock;
mod ops;
mod options;
mod queue;
mod reader;
mod record;
mod recover;
mod report;
mod rewrite;
mod scan;
mod sessions;
mod signal;
mod store;
mod sync;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{CommitError, StoreError};
pub use ops::{Batch, Completion, MessageRef, Op, ReadResult, Table};
pub use options::{StoreOptions, SyncPolicy};
pub use report::{Corruption, RecoveredRef, RecoveryReport, StoreStats, TruncatedTail};
pub use smallvec::{SmallVec, smallvec};
pub use store::{Recovered, Store};
