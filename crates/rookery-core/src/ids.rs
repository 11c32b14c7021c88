//! Keys that name sessions, connections and messages inside one node.

/// Where a session lives: the shard that owns it and its slot there.
///
/// Ordered by shard first, so that the targets of one shard are one range of a
/// sorted match result. `generation` makes a key of a slot that was reused stale.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionKey {
    /// Index of the owning shard; the number of shards itself stands for in-process subscribers.
    pub shard: u16,
    /// Counts the reuses of `slot`.
    pub generation: u16,
    /// Index in the shard's session slab.
    pub slot: u32,
}

/// A connection of one shard.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConnKey {
    /// Index in the shard's connection slab.
    pub slot: u32,
    /// Counts the reuses of `slot`.
    pub generation: u32,
}

impl ConnKey {
    /// The key as one word, for a reactor's event data.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        ((self.generation as u64) << 32) | self.slot as u64
    }

    /// The inverse of [`ConnKey::to_u64`].
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn from_u64(word: u64) -> Self {
        Self { slot: word as u32, generation: (word >> 32) as u32 }
    }
}

/// A message's identity for its whole life: microseconds of creation, then shard, then a counter.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct MessageId(pub u128);

impl MessageId {
    /// Builds an id from the wall clock in ms, the shard and a counter of that shard.
    #[must_use]
    pub fn new(unix_ms: u64, shard: u16, counter: u64) -> Self {
        Self(
            (u128::from(unix_ms) * 1000) << 64
                | u128::from(shard) << 48
                | u128::from(counter & 0xffff_ffff_ffff),
        )
    }
}

/// The two clocks of one turn, read once by the driver.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic clock in ms; its origin is arbitrary.
    pub mono_ms: u64,
    /// Wall clock in ms since 1970.
    pub unix_ms: u64,
}
