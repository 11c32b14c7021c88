//! Which of two changes is the later one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Stands for a name: half of its SHA-256, so that nobody finds two names with one key, and keys are
/// spread evenly whatever the names are.
pub type Key = [u8; 16];

/// The key of a name.
#[must_use]
pub fn key_of(name: &str) -> Key {
    let digest = Sha256::digest(name.as_bytes());
    let mut key = Key::default();
    key.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    key
}

/// When and where a key was changed. Of two versions of a key the greater one is the later one; the
/// name decides between nodes that knew nothing of each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// A [`HybridClock`]'s time.
    pub time: u64,
    /// The node.
    pub node: Arc<str>,
}

impl Version {
    /// The wall clock there at that time, ms since 1970, or later.
    #[must_use]
    pub const fn unix_ms(&self) -> u64 {
        self.time >> COUNTER_BITS
    }
}

/// Below them a time holds milliseconds.
const COUNTER_BITS: u32 = 16;

/// The time of the wall clock as far as that goes forward, otherwise the next number: whoever has
/// seen a change makes a later one, even with a clock that is late or jumps.
#[derive(Debug, Default)]
pub struct HybridClock(AtomicU64);

impl HybridClock {
    /// The earliest time of a millisecond.
    #[must_use]
    pub const fn at(unix_ms: u64) -> u64 {
        unix_ms << COUNTER_BITS
    }

    /// A time behind all that were given or [seen](Self::see).
    pub fn next(&self, unix_ms: u64) -> u64 {
        let later = |last: u64| last.saturating_add(1).max(Self::at(unix_ms));
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)))
            .unwrap_or_else(|last| last);
        later(last)
    }

    /// Somebody has given this time.
    pub fn see(&self, time: u64) {
        self.0.fetch_max(time, Ordering::Relaxed);
    }

    /// The latest time that was given or seen.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_goes_back() {
        let clock = HybridClock::default();
        let first = clock.next(1000);
        assert_eq!(first >> COUNTER_BITS, 1000);
        assert!(clock.next(1000) > first);
        assert!(clock.next(10) > first, "although the wall clock does");
        clock.see(HybridClock::at(5000));
        let behind = clock.next(1001);
        assert!(behind > HybridClock::at(5000), "another node's clock is ahead");
        assert_eq!(Version { time: clock.next(9000), node: "a".into() }.unix_ms(), 9000);
    }

    #[test]
    fn names_have_keys_of_their_own() {
        assert_ne!(key_of("a/b"), key_of("a/c"));
        assert_eq!(key_of("a/b"), key_of("a/b"));
    }
}
