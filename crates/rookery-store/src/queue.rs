//! Submitted batches on their way to the writer thread.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::CommitError;
use crate::format::FRAME_HEADER_BYTES;
use crate::ops::{Batch, Op};
use crate::record::op_bytes;

/// An epoch record.
const EPOCH_BYTES: u64 = 9;

/// One batch, or what is left of one that was refused: its answer waits here for its turn.
pub(crate) struct Submission {
    pub(crate) shard: u16,
    pub(crate) ticket: u64,
    pub(crate) batch: Batch,
    /// At least what its frame takes.
    pub(crate) bytes: u64,
    /// That of the batch as it was submitted.
    pub(crate) asked: u64,
    /// Why the batch was refused; `batch` then holds only what passes all the same.
    pub(crate) refusal: Option<CommitError>,
}

impl Submission {
    pub(crate) fn new(shard: u16, ticket: u64, batch: Batch) -> Self {
        let bytes = frame_bytes(&batch.ops);
        Self { shard, ticket, batch, bytes, asked: bytes, refusal: None }
    }

    /// Whether the batch is let through when the queue or the quota is full.
    pub(crate) fn may_pass(&self) -> bool {
        self.batch.ops.iter().all(Op::passes)
    }

    /// Leaves of the batch what passes.
    pub(crate) fn refuse(&mut self, error: CommitError) {
        self.batch.ops.retain(Op::passes);
        self.bytes = frame_bytes(&self.batch.ops);
        self.refusal = Some(error);
    }
}

/// At least what the frame of these operations takes.
pub(crate) fn frame_bytes(ops: &[Op]) -> u64 {
    let overhead = FRAME_HEADER_BYTES as u64 + EPOCH_BYTES;
    ops.iter().map(op_bytes).fold(overhead, u64::saturating_add)
}

#[derive(Default)]
struct State {
    items: Vec<Submission>,
    /// Everything submitted and not yet written, taken or not.
    bytes: u64,
    is_waiting: bool,
    is_closed: bool,
}

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

/// What the writer gets.
pub(crate) enum Work {
    Batches(Vec<Submission>),
    /// Nothing waits and the caller did not want to wait.
    Nothing,
    /// Closed, and everything submitted before has been taken.
    Closed,
}

/// A lock is only poisoned by a panic of this crate in a section that leaves the data whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Adds a batch; gives it back when the queue is closed.
    pub(crate) fn push(&self, mut item: Submission, bytes_max: u64) -> Result<(), Submission> {
        let wake = {
            let mut state = lock(&self.state);
            if state.is_closed {
                return Err(item);
            }
            if state.bytes.saturating_add(item.bytes) > bytes_max
                && state.bytes > 0
                && !item.may_pass()
            {
                item.refuse(CommitError::QueueFull);
            }
            state.bytes += item.bytes;
            state.items.push(item);
            mem::take(&mut state.is_waiting)
        };
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Takes everything that waits, after waiting for something when `may_wait`.
    pub(crate) fn take(&self, may_wait: bool) -> Work {
        let mut state = lock(&self.state);
        loop {
            if !state.items.is_empty() {
                return Work::Batches(mem::take(&mut state.items));
            }
            if state.is_closed {
                return Work::Closed;
            }
            if !may_wait {
                return Work::Nothing;
            }
            state.is_waiting = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Batches of this size are written or refused.
    pub(crate) fn done(&self, bytes: u64) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    pub(crate) fn bytes(&self) -> u64 {
        lock(&self.state).bytes
    }

    /// Refuses what comes later.
    pub(crate) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.filled.notify_all();
    }
}
