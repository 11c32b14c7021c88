//! A shard's bounded memory of match results.

use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use super::Router;
use super::matching::{Matched, Scratch};
use super::stamps::{StampPlaces, hash_bytes};

/// A sum of counters that no router ever reaches.
const STALE: u64 = u64::MAX;

/// Topic names up to this length lie in the entry itself.
const TOPIC_INLINE: usize = 36;

#[derive(Debug)]
struct Entry {
    topic: SmallVec<[u8; TOPIC_INLINE]>,
    hash: u64,
    matched: Arc<Matched>,
    /// Sum of the counters at `places`, read before the search.
    seen: u64,
    places: StampPlaces,
    /// Used since the hand last passed.
    is_used: bool,
}

/// Most octets of topic names longer than that. Publishers choose how long topics are: with all the
/// entries that there may be, the longest ones would take gigabytes.
const TOPIC_BYTES_MAX: usize = 32 << 20;

/// What a cache did, for the metrics.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Results served from the cache.
    pub hits: u64,
    /// Results searched because the topic was not there.
    pub misses: u64,
    /// Results searched again because subscriptions changed.
    pub stale: u64,
    /// Entries that made room for others.
    pub evicted: u64,
}

/// Match results of one thread, by topic name.
///
/// Bounded in entries, in targets and in octets of long topics; a result larger than the whole budget is not kept. Room is
/// made second-chance (clock): the hand takes the first entry not used since it last passed.
#[derive(Debug)]
pub struct MatchCache {
    by_topic: HashTable<u32>,
    entries: Vec<Entry>,
    hasher: DefaultHashBuilder,
    entries_max: usize,
    weight_max: usize,
    weight: usize,
    topic_bytes: usize,
    hand: usize,
    /// Where the latest result was found: what one client sends at once is mostly on one topic.
    latest: usize,
    scratch: Scratch,
    nobody: Arc<Matched>,
    /// The last result that was too large to be kept.
    uncached: Arc<Matched>,
    counts: CacheCounts,
}

impl MatchCache {
    /// A cache of at most `entries_max` results with `targets_max` targets in all.
    #[must_use]
    pub fn new(entries_max: usize, targets_max: usize) -> Self {
        let nobody = Arc::new(Matched::default());
        Self {
            by_topic: HashTable::new(),
            entries: Vec::new(),
            hasher: DefaultHashBuilder::default(),
            entries_max: entries_max.clamp(1, u32::MAX as usize),
            weight_max: targets_max,
            weight: 0,
            topic_bytes: 0,
            hand: 0,
            latest: 0,
            scratch: Scratch::default(),
            uncached: Arc::clone(&nobody),
            nobody,
            counts: CacheCounts::default(),
        }
    }

    /// Who gets a message on this topic.
    ///
    /// Sees every subscription whose `subscribe` returned before the call, on any thread.
    pub fn matches(&mut self, router: &Router, topic: &str) -> &Arc<Matched> {
        let entries = &self.entries;
        let is_topic = |entry: &Entry| entry.topic.as_slice() == topic.as_bytes();
        if !entries.get(self.latest).is_some_and(is_topic) {
            let hash = hash_bytes(&self.hasher, topic.as_bytes());
            let found = self.by_topic.find(hash, |at| is_topic(&entries[*at as usize]));
            let Some(at) = found.map(|at| *at as usize) else {
                return self.miss(router, topic, hash);
            };
            self.latest = at;
        }
        let at = self.latest;
        let entry = &mut self.entries[at];
        entry.is_used = true;
        if entry.seen == router.stamps().sum(entry.places) {
            self.counts.hits += 1;
            return &self.entries[at].matched;
        }
        self.counts.stale += 1;
        let places = entry.places;
        let (matched, seen) = self.search(router, topic, places);
        self.put(at, matched, seen)
    }

    /// Number of topics in the cache.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no topic is in the cache.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Targets held by all results.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.weight
    }

    /// Octets of topic names that lie outside of their entries.
    #[must_use]
    pub const fn topic_bytes(&self) -> usize {
        self.topic_bytes
    }

    /// What the cache did so far.
    #[must_use]
    pub const fn counts(&self) -> CacheCounts {
        self.counts
    }

    /// Forgets all results and gives their memory back.
    pub fn clear(&mut self) {
        self.by_topic = HashTable::new();
        self.entries = Vec::new();
        self.scratch = Scratch::default();
        self.uncached = Arc::clone(&self.nobody);
        self.weight = 0;
        self.topic_bytes = 0;
        self.hand = 0;
    }

    fn search(&mut self, router: &Router, topic: &str, at: StampPlaces) -> (Arc<Matched>, u64) {
        // Before the search: a change that comes in between makes the result stale.
        let seen = router.stamps().sum(at);
        let matched = router.search(topic, &mut self.scratch);
        if matched.is_empty() && matched.rules.is_empty() {
            (Arc::clone(&self.nobody), seen)
        } else {
            (Arc::new(matched), seen)
        }
    }

    #[cold]
    #[allow(clippy::cast_possible_truncation)]
    fn miss(&mut self, router: &Router, topic: &str, hash: u64) -> &Arc<Matched> {
        self.counts.misses += 1;
        let places = router.stamps().places(topic);
        let (matched, seen) = self.search(router, topic, places);
        if matched.weight() > self.weight_max {
            self.uncached = matched;
            return &self.uncached;
        }
        if self.topic_bytes + outside(topic.len()) > TOPIC_BYTES_MAX {
            // So many long topics are none of everyday use: beginning anew costs little beside them.
            self.clear();
        }
        self.topic_bytes += outside(topic.len());
        let entry = Entry {
            topic: SmallVec::from_slice(topic.as_bytes()),
            hash,
            matched: Arc::clone(&self.nobody),
            seen: STALE,
            places,
            is_used: false,
        };
        let at = if self.entries.len() < self.entries_max {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            self.evict_for(entry)
        };
        let entries = &self.entries;
        self.by_topic.insert_unique(hash, at as u32, |at| entries[*at as usize].hash);
        self.put(at, matched, seen)
    }

    /// Gives an entry its result, within the budget.
    fn put(&mut self, at: usize, matched: Arc<Matched>, seen: u64) -> &Arc<Matched> {
        self.empty(at);
        let weight = matched.weight();
        if weight > self.weight_max {
            self.uncached = matched;
            return &self.uncached;
        }
        // Two rounds of the hand empty every entry, so this ends.
        while self.weight + weight > self.weight_max {
            let victim = self.advance();
            self.empty(victim);
        }
        self.weight += weight;
        let entry = &mut self.entries[at];
        entry.matched = matched;
        entry.seen = seen;
        &self.entries[at].matched
    }

    /// Takes an entry's result away; its topic stays.
    fn empty(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        self.weight -= entry.matched.weight();
        entry.matched = Arc::clone(&self.nobody);
        entry.seen = STALE;
    }

    /// The next entry that was not used since the hand last passed.
    fn advance(&mut self) -> usize {
        loop {
            self.hand = if self.hand + 1 < self.entries.len() { self.hand + 1 } else { 0 };
            let entry = &mut self.entries[self.hand];
            if !std::mem::take(&mut entry.is_used) {
                return self.hand;
            }
        }
    }

    /// Puts an entry in another one's place.
    fn evict_for(&mut self, entry: Entry) -> usize {
        let at = self.advance();
        let old_hash = self.entries[at].hash;
        if let Ok(place) = self.by_topic.find_entry(old_hash, |found| *found as usize == at) {
            place.remove();
        }
        self.weight -= self.entries[at].matched.weight();
        self.topic_bytes -= outside(self.entries[at].topic.len());
        self.entries[at] = entry;
        self.counts.evicted += 1;
        at
    }
}

/// Octets of a topic that lie outside of its entry.
const fn outside(len: usize) -> usize {
    if len > TOPIC_INLINE { len } else { 0 }
}
