//! Messages of `$delayed/…` that wait for their time, and the memory they take.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::message::Message;

/// Of an entry beside its message.
const ENTRY_BYTES: usize = 64;

/// A delayed message, earliest first in a max-heap.
#[derive(Debug)]
pub(super) struct Delayed {
    pub(super) due_mono_ms: u64,
    pub(super) message: Arc<Message>,
}

impl Delayed {
    fn size(&self) -> usize {
        ENTRY_BYTES + self.message.size()
    }
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Delayed {}
impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal times in the order of publication.
        (other.due_mono_ms, other.message.id).cmp(&(self.due_mono_ms, self.message.id))
    }
}

/// All that wait on a shard.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    heap: BinaryHeap<Delayed>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, delayed: Delayed) {
        self.bytes += delayed.size();
        self.heap.push(delayed);
    }

    /// The next one, if it is due.
    pub(super) fn pop_due(&mut self, mono_ms: u64) -> Option<Delayed> {
        self.heap.peek().filter(|next| next.due_mono_ms <= mono_ms)?;
        let next = self.heap.pop()?;
        self.bytes -= next.size();
        Some(next)
    }

    pub(super) fn retain(&mut self, mut is_kept: impl FnMut(&Delayed) -> bool) {
        let mut gone = 0;
        self.heap.retain(|delayed| {
            let is_kept = is_kept(delayed);
            gone += if is_kept { 0 } else { delayed.size() };
            is_kept
        });
        self.bytes -= gone;
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// In no order.
    pub(super) fn as_slice(&self) -> &[Delayed] {
        self.heap.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MessageId;
    use crate::message::{MessageParts, Publisher};
    use rookery_codec::QoS;

    fn delayed(due_mono_ms: u64, id: u128) -> Delayed {
        let parts = MessageParts {
            id: MessageId(id),
            timestamp_ms: 0,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtMostOnce,
            retain: false,
            sys: false,
            topic: "t",
            properties: &[],
            payload: b"payload",
        };
        let publisher = Arc::new(Publisher { client_id: "c".into(), username: None });
        Delayed { due_mono_ms, message: Arc::new(Message::new(&parts, publisher, None)) }
    }

    #[test]
    fn what_leaves_in_any_way_takes_no_memory() {
        let mut waiting = Waiting::default();
        for (due, id) in [(30, 1), (10, 2), (20, 3), (10, 4)] {
            waiting.push(delayed(due, id));
        }
        assert!(waiting.bytes() > 4 * ENTRY_BYTES && waiting.len() == 4);
        assert!(waiting.pop_due(9).is_none());
        assert_eq!(waiting.pop_due(10).map(|d| d.message.id.0), Some(2));
        assert_eq!(waiting.pop_due(99).map(|d| d.message.id.0), Some(4));
        waiting.retain(|d| d.message.id.0 != 1);
        assert_eq!(waiting.as_slice().len(), 1);
        assert_eq!(waiting.pop_due(99).map(|d| d.message.id.0), Some(3));
        assert_eq!((waiting.bytes(), waiting.len()), (0, 0));
    }
}
