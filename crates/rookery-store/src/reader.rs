//! Reading messages back.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::error::StoreError;
use crate::format::Bytes;
use crate::inner::{Inner, count};
use crate::ops::ReadResult;
use crate::queue::lock;

/// Sequence numbers that may wait to be read; requests above are answered `Busy`.
const READS_WAITING_MAX: usize = 1 << 20;

struct Request {
    shard: u16,
    token: u64,
    seqs: Vec<u64>,
    is_refused: bool,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    waiting: usize,
    is_closed: bool,
}

#[derive(Default)]
pub(crate) struct ReadQueue {
    state: Mutex<State>,
    filled: Condvar,
}

impl ReadQueue {
    pub(crate) fn push(&self, shard: u16, token: u64, seqs: Vec<u64>) -> Result<(), Vec<u64>> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(seqs);
        }
        let is_refused = state.waiting.saturating_add(seqs.len()) > READS_WAITING_MAX;
        if !is_refused {
            state.waiting += seqs.len();
        }
        state.requests.push(Request { shard, token, seqs, is_refused });
        self.filled.notify_one();
        Ok(())
    }

    fn take(&self) -> Option<Vec<Request>> {
        let mut state = lock(&self.state);
        while state.requests.is_empty() {
            if state.is_closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Some(mem::take(&mut state.requests))
    }

    fn done(&self, reads: usize) {
        let mut state = lock(&self.state);
        state.waiting = state.waiting.saturating_sub(reads);
    }

    pub(crate) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.filled.notify_all();
    }
}

/// The reader thread.
pub(crate) fn run(inner: &Inner) {
    while let Some(requests) = inner.reads.take() {
        for Request { shard, token, seqs, is_refused } in requests {
            let read =
                |seq| (seq, if is_refused { Err(StoreError::Busy) } else { inner.read(seq) });
            let reads = if is_refused { 0 } else { seqs.len() };
            let messages = seqs.into_iter().map(read).collect();
            inner.reads.done(reads);
            inner.completion.read_done(shard, token, messages);
        }
    }
}

impl Inner {
    /// Reads one message.
    pub(crate) fn read(&self, seq: u64) -> ReadResult {
        let found = {
            let index = lock(&self.index);
            let needed = index.messages.get(&seq).filter(|message| message.unreleased > 0);
            needed.and_then(|message| {
                let state = index.segments.get(&message.slot)?;
                Some((*message, Arc::clone(&state.segment)))
            })
        };
        let Some((message, segment)) = found else { return Ok(None) };
        let mut stored = vec![0; message.bytes as usize + 4];
        if let Err(error) = segment.file.read_at(&mut stored, u64::from(message.at)) {
            count(&self.counters.errors, 1);
            return Err(StoreError::io(format!("read {}", segment.path.display()), &error));
        }
        let mut bytes = Bytes(&stored);
        if bytes.u32() != Some(crc32fast::hash(bytes.0)) {
            count(&self.counters.errors, 1);
            return Err(StoreError::Damaged { seq });
        }
        Ok(Some(Arc::from(bytes.0)))
    }
}
