//! Change counters of the subscriptions, readable without the router's lock.
//!
//! A cached match result of a topic is valid as long as the four counters that filters matching
//! this topic can move have not moved:
//!
//! | filter | counter |
//! |---|---|
//! | first level is a wildcard | one for all |
//! | second level is a wildcard | by hash of the first level |
//! | a wildcard later | by hash of the first two levels |
//! | no wildcard | by hash of the whole filter |
//!
//! So a client that comes and goes with its own exact filter leaves nearly all cached results
//! alone. Two topics that share a counter cost a needless look-up, never a wrong result.
//!
//! **Invariants.** A counter only grows, therefore the sum of a topic's four counters is unchanged
//! only if each of them is. A counter is moved *after* the trie was changed and read *before* the
//! trie is searched: a result found while a change is under way is stored with an old sum.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use hashbrown::DefaultHashBuilder;

const FIRST_LEVEL: usize = 256;
const TWO_LEVELS: usize = 1024;
const EXACT: usize = 1024;

/// The hash of some bytes, without the length or end mark that `str` and slices add.
pub(crate) fn hash_bytes(hasher: &DefaultHashBuilder, bytes: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(bytes);
    state.finish()
}

#[derive(Debug)]
pub(super) struct Stamps {
    any: CachePadded<AtomicU64>,
    first_level: Box<[AtomicU64]>,
    two_levels: Box<[AtomicU64]>,
    exact: Box<[AtomicU64]>,
    hasher: DefaultHashBuilder,
}

/// Which counters a topic depends on.
#[derive(Copy, Clone, Debug)]
pub(super) struct StampPlaces {
    first_level: u16,
    two_levels: u16,
    exact: u16,
}

fn counters(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// The first `levels` levels of a topic or filter, or all if there are no more.
pub(crate) fn first_levels(text: &str, levels: usize) -> &[u8] {
    let bytes = text.as_bytes();
    let mut slashes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    match slashes.nth(levels - 1) {
        Some((end, _)) => bytes.split_at(end).0,
        None => bytes,
    }
}

impl Stamps {
    pub(super) fn new() -> Self {
        Self {
            any: CachePadded::new(AtomicU64::new(0)),
            first_level: counters(FIRST_LEVEL),
            two_levels: counters(TWO_LEVELS),
            exact: counters(EXACT),
            hasher: DefaultHashBuilder::default(),
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn place(&self, bytes: &[u8], count: usize) -> u16 {
        hash_bytes(&self.hasher, bytes) as u16 & (count - 1) as u16
    }

    pub(super) fn places(&self, topic: &str) -> StampPlaces {
        StampPlaces {
            first_level: self.place(first_levels(topic, 1), FIRST_LEVEL),
            two_levels: self.place(first_levels(topic, 2), TWO_LEVELS),
            exact: self.place(topic.as_bytes(), EXACT),
        }
    }

    /// The sum of a topic's counters.
    #[inline]
    pub(super) fn sum(&self, at: StampPlaces) -> u64 {
        // Acquire: whoever sees a counter moved also sees the change of the trie before it.
        self.any.load(Ordering::Acquire)
            + self.first_level[usize::from(at.first_level)].load(Ordering::Acquire)
            + self.two_levels[usize::from(at.two_levels)].load(Ordering::Acquire)
            + self.exact[usize::from(at.exact)].load(Ordering::Acquire)
    }

    /// Makes the cached results that this filter may concern stale; called after the change.
    pub(super) fn bump(&self, filter: &str) {
        let wildcard = filter.split('/').position(|level| level == "+" || level == "#");
        let counter = match wildcard {
            Some(0) => &*self.any,
            Some(1) => {
                let place = self.place(first_levels(filter, 1), FIRST_LEVEL);
                &self.first_level[usize::from(place)]
            }
            Some(_) => {
                let place = self.place(first_levels(filter, 2), TWO_LEVELS);
                &self.two_levels[usize::from(place)]
            }
            None => {
                let place = self.place(filter.as_bytes(), EXACT);
                &self.exact[usize::from(place)]
            }
        };
        counter.fetch_add(1, Ordering::Release);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        (self.first_level.len() + self.two_levels.len() + self.exact.len()) * size_of::<AtomicU64>()
    }
}
