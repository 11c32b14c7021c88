//! Durable state of a Rookery node: one append-only log, bytes in and bytes out.
//!
//! [`Store`] keeps two things: tables of keys, and messages that are each stored once and
//! wanted by any number of sessions. Callers submit [`Batch`]es and go on; a writer thread
//! puts everything queued meanwhile into one write (and, as [`SyncPolicy`] says, one sync) and
//! tells the [`Completion`]. `docs/internals/store.md` has the format, what each policy can
//! lose, and what was measured.
//!
//! It knows nothing of MQTT: what keys, values, flags and messages mean is the caller's.
//!
//! # Why an own log
//!
//! The load is a queue: nearly everything is appended, read back at most once and dropped
//! soon after. A B-tree (redb) rewrites pages and syncs more than once for a commit; a log-structured tree
//! (fjall, RocksDB) writes each record to a journal and again to its levels, and has to be
//! compacted for deletions; both know nothing of a message that several sessions refer to, so
//! reference counts would be further keys. sled's current version is an alpha. None of them
//! hands many writers' commits to one thread that reports completions instead of blocking.
//! With one log, a commit is one write of what was submitted, recovery is one read, and a
//! dropped message costs nothing but its share of a compaction.
//!
//! # Layout
//!
//! - [`Store`] (`store`), and what it shares with its threads (`inner`)
//! - `queue` → `writer` → `sync`: the way of a batch; `reader`: the way back
//! - `format`, `record`, `scan`: bytes on disk; `disk`: files, `lock`: who owns them
//! - `index` with `keys` and `sessions`: what is where and still needed
//! - `recover`: opening; `compact` chooses what to rewrite, `rewrite` does it
//!
//! # Invariants
//!
//! - A batch is one frame with one checksum: all of it is there or none. Of a refused batch those
//!   operations are kept, in their order, that only free or that move what was accepted before.
//! - The order of segments, frames and records is the order in which they were applied, also
//!   after compaction, so replaying the files gives the index.
//! - Nothing is dropped from the files before whatever supersedes it is synced.
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
mod orders;
mod queue;
mod reader;
mod record;
mod recover;
mod refusal;
mod report;
mod reserve;
mod rewrite;
mod scan;
mod sessions;
mod ship;
mod signal;
mod store;
mod sync;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{CommitError, StoreError};
pub use ops::{Batch, Completion, MessageRef, Op, Outcome, ReadResult, Table};
pub use options::{StoreOptions, SyncPolicy};
pub use report::{Corruption, RecoveredRef, RecoveryReport, StoreStats, TruncatedTail};
pub use ship::{decode_ops, encode_op};
pub use smallvec::{SmallVec, smallvec};
pub use store::{Recovered, Store};
