//! The retained message of each topic, and wildcard reads of them.
//!
//! Owns which message is retained for a topic name; the caller owns expiry, limits and storage.
//! Sixteen stripes by hash of the first two levels, each behind its own lock: no operation takes
//! two, and a read below two fixed levels, such as `device/17/#`, needs only one. The price: topics
//! that all share their first two levels share a lock, held for about a microsecond a change.
//!
//! A wildcard read comes in slices. Each one holds one lock at a time, looks at a bounded number
//! of topics and leaps over those that cannot match: within a stripe topics lie in an order in
//! which every subtree is one range.
//!
//! **Invariants.** A read passes each stripe once, upwards, so a topic that is retained during the
//! whole read comes exactly once, whatever else changes between slices.

mod filter;
mod order;
mod replicated;
mod sorted_ids;
mod stripe;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crossbeam_utils::CachePadded;
use hashbrown::DefaultHashBuilder;

use crate::router::{first_levels, hash_bytes};
use filter::ScanFilter;
pub use replicated::{Changed, Past, Replicated};
use stripe::{Budget, Slice, Stripe};

const STRIPES: usize = 16;

/// Leading levels of a topic name that decide about its stripe.
const STRIPE_LEVELS: usize = 2;

/// Topics looked at in a slice for each result asked for, and at least [`VISITS_MIN`].
const VISITS_PER_RESULT: usize = 4;
const VISITS_MIN: usize = 256;

/// What can be retained.
pub trait RetainedEntry: Send + Sync {
    /// The topic name; always the same for one value.
    fn topic(&self) -> &str;
    /// What the message counts for in [`Retained::bytes`]; always the same for one value.
    fn size(&self) -> usize;
}

/// How far a wildcard read has come. Belongs to one filter.
#[derive(Clone, Debug, Default)]
pub struct RetainedCursor {
    stripe: usize,
    /// The least topic name of the stripe not yet looked at.
    key: Vec<u8>,
}

/// How far a [`Retained::sweep`] has come.
#[derive(Copy, Clone, Debug, Default)]
pub struct SweepCursor {
    stripe: usize,
    place: usize,
}

/// The retained messages of a node.
#[derive(Debug)]
pub struct Retained<M> {
    stripes: Box<[CachePadded<RwLock<Stripe<M>>>]>,
    hasher: DefaultHashBuilder,
    len: AtomicUsize,
    bytes: AtomicUsize,
    /// Changes so far.
    changes: AtomicU64,
}

impl<M: RetainedEntry> Default for Retained<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: RetainedEntry> Retained<M> {
    /// Nothing retained.
    #[must_use]
    pub fn new() -> Self {
        let stripe = |_| CachePadded::new(RwLock::new(Stripe::new()));
        Self {
            stripes: (0..STRIPES).map(stripe).collect(),
            hasher: DefaultHashBuilder::default(),
            len: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            changes: AtomicU64::new(0),
        }
    }

    fn hash(&self, topic: &[u8]) -> u64 {
        hash_bytes(&self.hasher, topic)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn stripe_at(&self, first_levels: &[u8]) -> usize {
        self.hash(first_levels) as usize & (STRIPES - 1)
    }

    fn stripe_of(&self, topic_name: &str) -> &RwLock<Stripe<M>> {
        &self.stripes[self.stripe_at(first_levels(topic_name, STRIPE_LEVELS))]
    }

    /// Retains a message for its topic; returns the one it replaces.
    pub fn insert(&self, entry: Arc<M>) -> Option<Arc<M>> {
        self.insert_ordered(entry).0
    }

    /// As [`Retained::insert`], and tells the place of the change among all changes: of two
    /// changes of a topic the later one has the higher number.
    pub fn insert_ordered(&self, entry: Arc<M>) -> (Option<Arc<M>>, u64) {
        let size = entry.size();
        let hash = self.hash(entry.topic().as_bytes());
        let mut stripe = write(self.stripe_of(entry.topic()));
        let old = stripe.insert(hash, entry, |topic| self.hash(topic));
        // Counted under the lock: nobody takes off what was not yet added.
        self.bytes.fetch_add(size, Ordering::Relaxed);
        match &old {
            Some(old) => self.bytes.fetch_sub(old.size(), Ordering::Relaxed),
            None => self.len.fetch_add(1, Ordering::Relaxed),
        };
        (old, self.next_change())
    }

    /// The place of a change among all changes; to be called with the topic's part locked.
    pub(crate) fn next_change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes the retained message of a topic away.
    pub fn remove(&self, topic_name: &str) -> Option<Arc<M>> {
        self.remove_if(topic_name, |_| true).map(|(old, _)| old)
    }

    /// Takes the retained message of a topic away if it is one of those; with it comes the place
    /// of the change among all changes.
    pub fn remove_if(
        &self,
        topic_name: &str,
        is_meant: impl FnOnce(&M) -> bool,
    ) -> Option<(Arc<M>, u64)> {
        let hash = self.hash(topic_name.as_bytes());
        let mut stripe = write(self.stripe_of(topic_name));
        if !stripe.get(hash, topic_name).is_some_and(|old| is_meant(old)) {
            return None;
        }
        let old = stripe.remove(hash, topic_name, |topic| self.hash(topic))?;
        self.count_removed(std::slice::from_ref(&old));
        Some((old, self.next_change()))
    }

    fn count_removed(&self, removed: &[Arc<M>]) {
        let bytes = removed.iter().map(|entry| entry.size()).sum::<usize>();
        self.len.fetch_sub(removed.len(), Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The retained message of a topic.
    #[must_use]
    pub fn get(&self, topic_name: &str) -> Option<Arc<M>> {
        let hash = self.hash(topic_name.as_bytes());
        read(self.stripe_of(topic_name)).get(hash, topic_name).cloned()
    }

    /// Number of retained messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether nothing is retained.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the sizes of the retained messages.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Memory used beside the messages themselves.
    #[must_use]
    pub fn overhead_bytes(&self) -> usize {
        let stripes = self.stripes.iter().map(|stripe| read(stripe).overhead_bytes());
        self.stripes.len() * size_of::<CachePadded<RwLock<Stripe<M>>>>() + stripes.sum::<usize>()
    }

    /// Reads a slice of the messages that match a topic filter: adds at most `limit` to `out` and
    /// tells whether there may be more. Begin with `RetainedCursor::default()`.
    ///
    /// A slice looks at a bounded number of topics, so it may add fewer than `limit`, even none,
    /// and still answer that there may be more. Messages come by topic name within a stripe,
    /// stripe after stripe.
    #[must_use = "there may be more to read"]
    pub fn scan(
        &self,
        topic_filter: &str,
        cursor: &mut RetainedCursor,
        limit: usize,
        out: &mut Vec<Arc<M>>,
    ) -> bool {
        let filter = ScanFilter::new(topic_filter);
        if filter.is_exact() {
            if cursor.stripe < self.stripes.len() {
                cursor.stripe = self.stripes.len();
                out.extend(self.get(topic_filter));
            }
            return false;
        }
        let stripes = match filter.fixed_levels(STRIPE_LEVELS) {
            Some(levels) => {
                let at = self.stripe_at(first_levels(topic_filter, levels));
                at..at + 1
            }
            None => 0..self.stripes.len(),
        };
        self.scan_stripes(&filter, stripes, cursor, limit, out)
    }

    /// As [`Retained::scan`], for every message, those whose topic begins with `$` included.
    #[must_use = "there may be more to read"]
    pub fn scan_all(
        &self,
        cursor: &mut RetainedCursor,
        limit: usize,
        out: &mut Vec<Arc<M>>,
    ) -> bool {
        let everything = ScanFilter::everything();
        self.scan_stripes(&everything, 0..self.stripes.len(), cursor, limit, out)
    }

    fn scan_stripes(
        &self,
        filter: &ScanFilter<'_>,
        stripes: std::ops::Range<usize>,
        cursor: &mut RetainedCursor,
        limit: usize,
        out: &mut Vec<Arc<M>>,
    ) -> bool {
        let limit = limit.max(1);
        let visits = limit.saturating_mul(VISITS_PER_RESULT).max(VISITS_MIN);
        let mut budget = Budget { results: limit, visits };
        cursor.stripe = cursor.stripe.max(stripes.start);
        while stripes.contains(&cursor.stripe) {
            let stripe = &self.stripes[cursor.stripe];
            if cursor.key.is_empty() {
                filter.first_key(&mut cursor.key);
            }
            let slice = read(stripe).scan(filter, &mut cursor.key, &mut budget, out);
            if slice == Slice::Paused {
                return true;
            }
            cursor.stripe += 1;
            cursor.key.clear();
        }
        false
    }

    /// Takes out messages for which `is_over` holds, such as expired ones: looks at up to `visits`
    /// messages, adds those taken to `out`, each with the place of the change among all changes,
    /// and tells whether there are more to look at.
    ///
    /// A message retained while a sweep is under way may be passed over; the next sweep finds it.
    #[must_use = "there may be more to look at"]
    pub fn sweep(
        &self,
        cursor: &mut SweepCursor,
        visits: usize,
        mut is_over: impl FnMut(&M) -> bool,
        out: &mut Vec<(Arc<M>, u64)>,
    ) -> bool {
        let mut taken = Vec::new();
        let mut visits = visits.max(1);
        while let Some(stripe) = self.stripes.get(cursor.stripe) {
            let rehash = |topic: &[u8]| self.hash(topic);
            let from = cursor.place;
            let mut stripe = write(stripe);
            let next = stripe.sweep(from, &mut visits, &mut is_over, rehash, &mut taken);
            self.count_removed(&taken);
            out.extend(taken.drain(..).map(|old| (old, self.next_change())));
            drop(stripe);
            match next {
                Some(place) => cursor.place = place,
                None => *cursor = SweepCursor { stripe: cursor.stripe + 1, place: 0 },
            }
            if visits == 0 {
                break;
            }
        }
        cursor.stripe < self.stripes.len()
    }
}

// A panic while a lock was held is a bug of the stripe; what is retained is served on.
fn read<M>(stripe: &RwLock<Stripe<M>>) -> RwLockReadGuard<'_, Stripe<M>> {
    stripe.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<M>(stripe: &RwLock<Stripe<M>>) -> RwLockWriteGuard<'_, Stripe<M>> {
    stripe.write().unwrap_or_else(PoisonError::into_inner)
}
