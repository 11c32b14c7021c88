//! Messages that nobody holds any more, to be filled again.
//!
//! A QoS 1 or 2 message lives from its PUBLISH to its acknowledgement and then goes, hundreds of
//! thousands of times per second. Its room is used again here, latest first, while it is still in
//! the processor's cache; giving it to the allocator and taking it back costs more than filling it.

use std::sync::Arc;

use crate::message::{INLINE_BYTES, Message, MessageParts, Origin, Publisher};
use crate::prefetch::prefetch;

/// Most messages kept: what a turn of a busy shard acknowledges. About 240 bytes each.
const SPARE_MAX: usize = 2048;

/// The message that is brought near when one is taken: the one that is taken after the next.
const PREFETCH_DISTANCE: usize = 2;

/// Most octets of what large messages have beside that.
const ROOM_BYTES_MAX: usize = 2 << 20;

/// The largest room that is kept. Above it, filling costs more than the allocator does.
const ROOM_MAX: usize = 16 << 10;

/// Rooms come in four sizes between a power of two and the next: a quarter is wasted at most.
const STEP_BITS: u32 = 2;

/// The spare messages of one shard.
#[derive(Debug, Default)]
pub struct MessagePool {
    small: Vec<Arc<Message>>,
    /// By the size of their room: the C library's allocator is slow above 1 KB.
    large: Vec<Vec<Arc<Message>>>,
    room_bytes: usize,
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
        let len = parts.len();
        if len > INLINE_BYTES {
            return self.make_large(len, parts, from, origin);
        }
        if let Some(mut spare) = self.small.pop() {
            if let Some(at) = self.small.len().checked_sub(PREFETCH_DISTANCE) {
                self.small.get(at).into_iter().for_each(prefetch);
            }
            if let Some(place) = Arc::get_mut(&mut spare) {
                place.refill(parts, from, origin);
                return spare;
            }
        }
        Arc::new(Message::new(parts, from, origin))
    }

    fn make_large(
        &mut self,
        len: usize,
        parts: &MessageParts<'_>,
        from: Arc<Publisher>,
        origin: Option<Arc<Origin>>,
    ) -> Arc<Message> {
        if len > ROOM_MAX {
            return Arc::new(Message::new(parts, from, origin));
        }
        let size = room_size(len);
        if let Some(mut spare) = self.large.get_mut(class_of(size)).and_then(Vec::pop) {
            self.room_bytes -= size;
            if let Some(place) = Arc::get_mut(&mut spare) {
                place.refill(parts, from, origin);
                return spare;
            }
        }
        Arc::new(Message::in_room(parts, from, origin, Vec::with_capacity(size)))
    }

    /// Takes a message that is not needed here any more; kept if nobody else holds it.
    #[inline]
    pub fn give_back(&mut self, message: Arc<Message>) {
        if Arc::strong_count(&message) != 1 {
            return;
        }
        let room = message.room();
        if room != 0 {
            self.give_back_large(room, message);
        } else if self.small.len() < SPARE_MAX {
            self.small.push(message);
        }
    }

    fn give_back_large(&mut self, room: usize, message: Arc<Message>) {
        let is_asked_for = room <= ROOM_MAX && room_size(room) == room;
        if !is_asked_for || self.room_bytes + room > ROOM_BYTES_MAX {
            return;
        }
        let class = class_of(room);
        if self.large.len() <= class {
            self.large.resize_with(class + 1, Vec::new);
        }
        if let Some(spare) = self.large.get_mut(class) {
            self.room_bytes += room;
            spare.push(message);
        }
    }

    /// Gives all of them to the allocator.
    pub fn shrink(&mut self) {
        *self = Self::default();
    }
}

/// The size of a room for `len` octets.
fn room_size(len: usize) -> usize {
    let power = len.max(2 << STEP_BITS).next_power_of_two();
    len.next_multiple_of(power >> (STEP_BITS + 1))
}

/// The number of a size that [`room_size`] gave: rises with it, without gaps.
fn class_of(size: usize) -> usize {
    let power = size.next_power_of_two();
    let quarter = (size / (power >> (STEP_BITS + 1)).max(1)).saturating_sub(1 << STEP_BITS);
    ((power.trailing_zeros() as usize) << STEP_BITS) + quarter
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
    fn the_room_of_a_large_message_is_used_again_for_one_of_its_class() {
        let mut pool = MessagePool::default();
        let first = make(&mut pool, "a", &[1; 1000]);
        let place = first.payload().as_ptr();
        pool.give_back(first);
        let second = make(&mut pool, "b", &[2; 1010]);
        assert_eq!(second.payload().as_ptr(), place);
        assert_eq!((second.topic(), second.payload()), ("b", &[2; 1010][..]));
        let other = make(&mut pool, "c", &[3; 4000]);
        assert_eq!(other.payload(), &[3; 4000]);
    }

    #[test]
    fn rooms_kept_are_bounded() {
        let mut pool = MessagePool::default();
        let messages: Vec<_> = (0..2000).map(|_| make(&mut pool, "a", &[0; 9000])).collect();
        for message in messages {
            pool.give_back(message);
        }
        assert!(pool.room_bytes <= ROOM_BYTES_MAX, "{}", pool.room_bytes);
        let held: usize = pool.large.iter().flatten().map(|message| message.room()).sum();
        assert_eq!(pool.room_bytes, held);
        let huge = make(&mut pool, "a", &vec![0; ROOM_MAX + 1]);
        pool.give_back(huge);
        assert_eq!(pool.room_bytes, held);
    }

    #[test]
    fn sizes_waste_a_quarter_at_most_and_have_a_class_each() {
        let mut before = (0, 0);
        for len in 129..=ROOM_MAX {
            let size = room_size(len);
            assert!(size >= len && size - len <= len / 4 + 1, "{len}: {size}");
            assert_eq!(room_size(size), size, "{len}");
            let class = class_of(size);
            assert_eq!(class > before.1, size > before.0, "{len}");
            before = (size, class);
        }
    }
}
