//! Bytes on their way to one connection.
//!
//! Small packets are copied behind each other so that one write carries a whole turn; large
//! payloads stay where they are and go out by reference. An empty outbox owns no memory:
//! its buffer comes from, and goes back to, the shard's pool.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use crate::message::Message;

/// Payloads of at least this size are sent by reference.
pub const BY_REFERENCE_MIN: usize = 4096;
const POOLED_MAX: usize = 1024;
/// Most octets that are pooled.
const POOLED_BYTES_MAX: usize = 8 << 20;
/// A turn of a client that is sent 16 packets of 1 KB fits.
const POOLED_CAPACITY_MAX: usize = 64 << 10;

/// Buffers of one shard that no outbox needs just now.
#[derive(Debug, Default)]
pub struct BufferPool {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl BufferPool {
    /// An empty buffer.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let Some(buffer) = self.buffers.pop() else { return Vec::with_capacity(2048) };
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Gives a buffer back.
    pub fn put(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        if self.buffers.len() < POOLED_MAX
            && (1..=POOLED_CAPACITY_MAX).contains(&capacity)
            && self.bytes + capacity <= POOLED_BYTES_MAX
        {
            buffer.clear();
            self.bytes += capacity;
            self.buffers.push(buffer);
        }
    }

    /// Frees half of what is pooled: called while the shard is idle.
    pub fn shrink(&mut self) {
        let keep = self.buffers.len() / 2;
        self.buffers.truncate(keep);
        self.buffers.shrink_to_fit();
        self.bytes = self.buffers.iter().map(Vec::capacity).sum();
    }
}

#[derive(Debug)]
struct LargePayload {
    /// Where in `bytes` it belongs.
    at: usize,
    message: Arc<Message>,
}

/// What one connection still has to be sent.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How much of `bytes` is gone.
    sent: usize,
    large: VecDeque<LargePayload>,
    /// How much of the first large payload is gone.
    large_sent: usize,
    large_bytes: usize,
}

impl Outbox {
    /// Bytes not yet sent.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent + self.large_bytes
    }

    /// Whether all is sent.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The buffer to append packets to.
    #[inline]
    pub fn writer(&mut self, pool: &mut BufferPool) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = pool.take();
        }
        &mut self.bytes
    }

    /// Appends the payload of a message without copying it.
    pub fn push_payload(&mut self, message: Arc<Message>) {
        let len = message.payload().len();
        if len > 0 {
            self.large_bytes += len;
            self.large.push_back(LargePayload { at: self.bytes.len(), message });
        }
    }

    /// The unsent bytes as slices, at most `max` of them.
    pub fn slices<'a>(&'a self, out: &mut Vec<IoSlice<'a>>, max: usize) {
        let mut from = self.sent;
        let mut skip = self.large_sent;
        for large in &self.large {
            if out.len() + 2 > max {
                return;
            }
            if let Some(part) = self.bytes.get(from..large.at).filter(|p| !p.is_empty()) {
                out.push(IoSlice::new(part));
            }
            out.push(IoSlice::new(large.message.payload().get(skip..).unwrap_or_default()));
            from = large.at;
            skip = 0;
        }
        if let Some(part) = self.bytes.get(from..).filter(|p| !p.is_empty() && out.len() < max) {
            out.push(IoSlice::new(part));
        }
    }

    /// The unsent bytes when they are one run (the usual case).
    #[inline]
    #[must_use]
    pub fn contiguous(&self) -> Option<&[u8]> {
        if self.large.is_empty() { self.bytes.get(self.sent..) } else { None }
    }

    /// Notes that `n` bytes were sent; an emptied outbox gives its buffer back.
    pub fn advance(&mut self, mut n: usize, pool: &mut BufferPool) {
        while n > 0 {
            let until = self.large.front().map_or(self.bytes.len(), |l| l.at);
            let plain = (until - self.sent).min(n);
            self.sent += plain;
            n -= plain;
            let Some(front) = self.large.front() else { break };
            let rest = front.message.payload().len() - self.large_sent;
            let part = rest.min(n);
            if part == 0 && rest != 0 {
                continue;
            }
            n -= part;
            self.large_bytes -= part;
            self.large_sent += part;
            if part == rest {
                self.large.pop_front();
                self.large_sent = 0;
            }
        }
        if self.is_empty() {
            self.sent = 0;
            pool.put(std::mem::take(&mut self.bytes));
            if self.large.capacity() > 16 {
                self.large = VecDeque::new();
            }
        } else if self.sent > 64 * 1024 && self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            for large in &mut self.large {
                large.at -= self.sent;
            }
            self.sent = 0;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self, pool: &mut BufferPool) {
        self.large.clear();
        self.large_bytes = 0;
        self.large_sent = 0;
        self.sent = 0;
        pool.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::sync::Arc;

    use proptest::prelude::*;
    use rookery_codec::QoS;

    use super::{BufferPool, Outbox};
    use crate::ids::MessageId;
    use crate::message::{Message, MessageParts, Publisher};

    fn message(payload: &[u8]) -> Arc<Message> {
        let parts = MessageParts {
            id: MessageId(0),
            timestamp_ms: 0,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtMostOnce,
            retain: false,
            sys: false,
            topic: "t",
            properties: &[],
            payload,
        };
        Arc::new(Message::new(
            &parts,
            Arc::new(Publisher { client_id: "c".into(), username: None }),
            None,
        ))
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            parts in proptest::collection::vec((any::<bool>(), 1_usize..90_000), 1..12),
            writes in proptest::collection::vec(1_usize..100_000, 1..40),
        ) {
            let mut pool = BufferPool::default();
            let mut outbox = Outbox::default();
            let mut expected = Vec::new();
            let mut got = Vec::new();
            let mut writes = writes.into_iter().cycle();
            for (i, (large, len)) in parts.into_iter().enumerate() {
                let bytes: Vec<u8> = (0..len).map(|b| (b * 7 + i) as u8).collect();
                expected.extend_from_slice(&bytes);
                if large {
                    outbox.push_payload(message(&bytes));
                } else {
                    outbox.writer(&mut pool).extend_from_slice(&bytes);
                }
                if i % 2 == 1 {
                    send(&mut outbox, &mut pool, writes.next().unwrap(), &mut got);
                }
            }
            while !outbox.is_empty() {
                send(&mut outbox, &mut pool, writes.next().unwrap(), &mut got);
            }
            prop_assert!(expected == got);
        }
    }

    fn send(outbox: &mut Outbox, pool: &mut BufferPool, max: usize, got: &mut Vec<u8>) {
        let mut slices: Vec<IoSlice<'_>> = Vec::new();
        outbox.slices(&mut slices, 8);
        let all: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).take(max).collect();
        got.extend_from_slice(&all);
        let n = all.len();
        outbox.advance(n, pool);
    }
}
