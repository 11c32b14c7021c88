//! Messages that nobody holds any more, to be filled again.
//!
//! A QoS 1 or 2 message lives from its PUBLISH to its acknowledgement and then goes, hundreds of
//! thousands of times per second. Its room is used again here, latest first, while it is still in
//! the processor's cache; giving it to the allocator and taking it back costs more than filling it.

use std::sync::Arc;

use crate::message::{Message, MessageParts, Origin, Publisher};

/// Most messages kept: what a turn of a busy shard acknowledges. About 240 bytes each.
const SPARE_MAX: usize = 2048;

/// The spare messages of one shard.
#[derive(Debug, Default)]
pub struct MessagePool {
    spare: Vec<Arc<Message>>,
}

impl MessagePool {
    /// A message of these parts.
    #[inline]
    pub fn make(
        &mut self,
        parts: &MessageParts<'_>,
        from: Arc<Publisher>,
        origin: Option<Arc<Origin>>,
    ) -> Arc<Message> {
        let message = Message::new(parts, from, origin);
        if let Some(mut spare) = self.spare.pop()
            && let Some(room) = Arc::get_mut(&mut spare)
        {
            *room = message;
            return spare;
        }
        Arc::new(message)
    }

    /// Takes a message that is not needed here any more; kept if nobody else holds it.
    #[inline]
    pub fn give_back(&mut self, message: Arc<Message>) {
        if self.spare.len() < SPARE_MAX && Arc::strong_count(&message) == 1 && message.is_small() {
            self.spare.push(message);
        }
    }

    /// Gives all of them to the allocator.
    pub fn shrink(&mut self) {
        self.spare = Vec::new();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ids::MessageId;
    use rookery_codec::QoS;

    fn make(pool: &mut MessagePool, topic: &str, payload: &[u8]) -> Arc<Message> {
        let from = Arc::new(Publisher { client_id: "c".into(), username: None });
        let parts = MessageParts {
            id: MessageId::default(),
            timestamp_ms: 0,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtLeastOnce,
            retain: false,
            sys: false,
            topic,
            properties: &[],
            payload,
        };
        pool.make(&parts, from, None)
    }

    #[test]
    fn room_is_used_again_and_nothing_of_the_old_message_stays() {
        let mut pool = MessagePool::default();
        let first = make(&mut pool, "a/long/topic", b"a longer payload");
        let place = Arc::as_ptr(&first);
        pool.give_back(first);
        let second = make(&mut pool, "b", b"");
        assert_eq!(Arc::as_ptr(&second), place);
        assert_eq!((second.topic(), second.payload()), ("b", &b""[..]));
    }

    #[test]
    fn what_somebody_holds_stays_as_it_is() {
        let mut pool = MessagePool::default();
        let first = make(&mut pool, "a", b"1");
        pool.give_back(first.clone());
        let second = make(&mut pool, "b", b"2");
        assert_eq!((first.topic(), second.topic()), ("a", "b"));
    }

    #[test]
    fn large_messages_go() {
        let mut pool = MessagePool::default();
        let large = make(&mut pool, "a", &[0; 4096]);
        pool.give_back(large);
        assert!(pool.spare.is_empty());
    }
}
