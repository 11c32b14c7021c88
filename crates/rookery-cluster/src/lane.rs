//! A stream of messages from one node to another, in order, that goes on after a cut.
//!
//! Messages of a turn make a batch; batches are numbered without gaps. The sender keeps every
//! batch until the receiver has said that it took it. On a new connection the receiver says what
//! it took last, and the sender goes on behind that: nothing is lost, doubled or out of order as
//! long as both processes live. No more than a window of bytes is under way and not taken: that is
//! the receiver's credit, which it gives back by taking.
//!
//! **Bounds.** What waits has a bound in bytes. At it the lane [is full](LaneSender::is_full), and whoever
//! publishes has to wait; what is added all the same is kept, at most what one turn brings. Messages of
//! QoS 0 are dropped and counted above five quarters of it, without a connection from half of it on.

use std::collections::VecDeque;

use crate::frame;
use crate::shadow::SHADOW;

/// How much a lane may hold.
#[derive(Copy, Clone, Debug)]
pub struct LaneLimits {
    /// Bytes after which a batch is closed.
    pub batch_bytes: usize,
    /// Bytes that wait to be taken, under way or not.
    pub queue_bytes: usize,
    /// Bytes under way and not taken.
    pub window_bytes: usize,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self { batch_bytes: 64 << 10, queue_bytes: 64 << 20, window_bytes: 4 << 20 }
    }
}

/// What a lane did.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneCounts {
    /// Messages that were added.
    pub sent: u64,
    /// Messages that went over more than one connection.
    pub resent: u64,
    /// Messages of QoS 0 for which there was no room, and all that waited for a process that is gone.
    pub dropped: u64,
}

/// The other side says what cannot be.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaneError {
    /// It took what was never sent.
    #[error("batch {0} was taken, but never sent")]
    NeverSent(u64),
    /// A batch came before the one before it.
    #[error("batch {got} came when {expected} was next")]
    Gap {
        /// The number that was next.
        expected: u64,
        /// The number that came.
        got: u64,
    },
}

#[derive(Debug)]
struct Batch {
    bytes: Vec<u8>,
    messages: u64,
}

/// Spare buffers that are kept.
const SPARE_MAX: usize = 16;

/// The sending end.
#[derive(Debug)]
pub struct LaneSender {
    limits: LaneLimits,
    /// Not taken yet, oldest first; the first has the number `taken` + 1.
    queue: VecDeque<Batch>,
    /// The batch that is being filled; empty or begun.
    open: Vec<u8>,
    open_messages: u64,
    spare: Vec<Vec<u8>>,
    taken: u64,
    /// How many of the queue went out on this connection.
    under_way: usize,
    under_way_bytes: usize,
    /// How many of the queue went out on any connection.
    tried: usize,
    bytes: usize,
    is_connected: bool,
    counts: LaneCounts,
}

impl LaneSender {
    /// A lane without a connection.
    #[must_use]
    pub fn new(limits: LaneLimits) -> Self {
        Self {
            limits,
            queue: VecDeque::new(),
            open: Vec::new(),
            open_messages: 0,
            spare: Vec::new(),
            taken: 0,
            under_way: 0,
            under_way_bytes: 0,
            tried: 0,
            bytes: 0,
            is_connected: false,
            counts: LaneCounts::default(),
        }
    }

    /// Adds a message; false if it was dropped.
    pub fn push(
        &mut self,
        shared: Option<(&str, &str)>,
        is_droppable: bool,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        if is_droppable && self.queued_bytes() > self.droppable_bytes() {
            self.counts.dropped += 1;
            return false;
        }
        if self.open.is_empty() {
            self.open = self.spare.pop().unwrap_or_default();
            frame::begin_batch(&mut self.open);
        }
        frame::put_item(&mut self.open, shared, write);
        // What another node only keeps is no message for it.
        let is_message = shared.is_none_or(|(name, _)| name != SHADOW);
        self.open_messages += u64::from(is_message);
        self.counts.sent += u64::from(is_message);
        if self.open.len() >= self.limits.batch_bytes {
            self.seal();
        }
        true
    }

    /// What may wait before messages of QoS 0 are dropped. While somebody takes them publishers are
    /// made to wait first.
    const fn droppable_bytes(&self) -> usize {
        let all = self.limits.queue_bytes;
        if self.is_connected { all + all / 4 } else { all / 2 }
    }

    /// Notes that a message was not added: nobody waits for the other side any more.
    pub fn refuse(&mut self) {
        self.counts.dropped += 1;
    }

    /// Number of the batch that the latest message is in.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.last() + u64::from(!self.open.is_empty())
    }

    /// Closes the batch of a turn.
    pub fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.open);
        frame::end_batch(&mut bytes, self.last() + 1);
        self.bytes += bytes.len();
        let messages = std::mem::take(&mut self.open_messages);
        self.queue.push_back(Batch { bytes, messages });
    }

    /// The next batch to write, as far as there is credit. It counts as written.
    pub fn next_batch(&mut self) -> Option<&[u8]> {
        let has_credit = self.under_way == 0 || self.under_way_bytes < self.limits.window_bytes;
        if !self.is_connected || !has_credit {
            return None;
        }
        let batch = self.queue.get(self.under_way)?;
        if self.under_way < self.tried {
            self.counts.resent += batch.messages;
        }
        self.under_way += 1;
        self.under_way_bytes += batch.bytes.len();
        self.tried = self.tried.max(self.under_way);
        Some(&batch.bytes)
    }

    /// The other side took everything up to a batch.
    ///
    /// # Errors
    ///
    /// That batch was never sent.
    pub fn took(&mut self, seq: u64) -> Result<(), LaneError> {
        if seq > self.taken + self.tried as u64 {
            return Err(LaneError::NeverSent(seq));
        }
        while self.taken < seq {
            self.taken += 1;
            self.tried = self.tried.saturating_sub(1);
            let Some(batch) = self.queue.pop_front() else { continue };
            self.bytes -= batch.bytes.len();
            if self.under_way > 0 {
                self.under_way -= 1;
                self.under_way_bytes -= batch.bytes.len();
            }
            self.keep_buffer(batch.bytes);
        }
        Ok(())
    }

    fn keep_buffer(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE_MAX && buffer.capacity() <= 2 * self.limits.batch_bytes {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// A connection stands; the other side took everything up to a batch.
    ///
    /// # Errors
    ///
    /// That batch was never sent.
    pub fn connected(&mut self, taken: u64) -> Result<(), LaneError> {
        self.disconnected();
        self.took(taken)?;
        self.is_connected = true;
        Ok(())
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.is_connected = false;
        self.under_way = 0;
        self.under_way_bytes = 0;
    }

    /// The other process is gone for good: what waited for it is dropped, and numbers begin anew.
    pub fn reset(&mut self) {
        let waiting: u64 = self.queue.iter().map(|batch| batch.messages).sum();
        let dropped = self.counts.dropped + waiting + self.open_messages;
        let counts = LaneCounts { dropped, ..self.counts };
        *self = Self { counts, ..Self::new(self.limits) };
    }

    /// What was not taken, batch by batch: the other process is gone for good, and somebody else has
    /// what it was for.
    pub fn give_up(&mut self) -> Vec<Vec<u8>> {
        self.seal();
        let counts = self.counts;
        let left = std::mem::take(&mut self.queue).into_iter().map(|batch| batch.bytes).collect();
        *self = Self { counts, ..Self::new(self.limits) };
        left
    }

    /// Number of the last batch.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.taken + self.queue.len() as u64
    }

    /// Number of the last batch that was taken.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes that wait to be taken.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.bytes + self.open.len()
    }

    /// Whether whoever publishes has to wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.queued_bytes() >= self.limits.queue_bytes
    }

    /// What it did.
    #[must_use]
    pub const fn counts(&self) -> LaneCounts {
        self.counts
    }
}

/// The receiving end. It outlives connections.
#[derive(Clone, Debug, Default)]
pub struct LaneReceiver {
    stream: u64,
    last: u64,
}

impl LaneReceiver {
    /// A connection stands. Of a stream that is not known everything up to `taken` came to
    /// somebody else, or to this node before it forgot the other one.
    pub fn connected(&mut self, stream: u64, taken: u64) {
        if self.stream != stream {
            *self = Self { stream, last: taken };
        }
    }

    /// A batch came; whether it is new.
    ///
    /// # Errors
    ///
    /// The one before it did not come: the connection has to be made anew.
    pub fn batch(&mut self, seq: u64) -> Result<bool, LaneError> {
        let expected = self.last + 1;
        if seq > expected {
            return Err(LaneError::Gap { expected, got: seq });
        }
        let is_new = seq == expected;
        self.last = self.last.max(seq);
        Ok(is_new)
    }

    /// Number of the last batch that came.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }
}
