//! What clients deleted of what is retained, for clusters that were not there to see it.
//!
//! Of what two clusters have of a topic the later one stays, and a deletion is a state as any other: a
//! cluster that comes is told those of its topics, and what it tells does not bring back what was
//! deleted here after that. Nothing is noted on a node without links that bring retained messages over.
//!
//! **Bounds.** [`DELETIONS_MAX`] of them, the oldest are forgotten; [`AGE_MS`].

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::MessageId;

/// Most deletions that are remembered.
pub const DELETIONS_MAX: usize = 100_000;
/// How long they are.
pub const AGE_MS: u64 = 7 * 86_400_000;

/// When something happened to a topic: the time of a message, and its identifier.
pub type Age = (u64, MessageId);

/// A deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The topic.
    pub topic: Arc<str>,
    /// When.
    pub age: Age,
}

/// The deletions of a node.
#[derive(Debug, Default)]
pub struct Deletions {
    is_on: AtomicBool,
    has_unwritten: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_topic: HashMap<Arc<str>, Age>,
    by_age: BTreeSet<(Age, Arc<str>)>,
    /// What nobody wrote to a file yet.
    unwritten: Vec<Deletion>,
}

impl Known {
    fn note(&mut self, topic: &str, age: Age) -> Option<Deletion> {
        if self.by_topic.get(topic).is_some_and(|known| *known >= age) {
            return None;
        }
        let topic: Arc<str> = topic.into();
        if let Some(before) = self.by_topic.insert(topic.clone(), age) {
            self.by_age.remove(&(before, topic.clone()));
        }
        self.by_age.insert((age, topic.clone()));
        while self.by_topic.len() > DELETIONS_MAX {
            self.forget_first();
        }
        Some(Deletion { topic, age })
    }

    fn forget_first(&mut self) {
        if let Some((_, topic)) = self.by_age.pop_first() {
            self.by_topic.remove(&topic);
        }
    }
}

impl Deletions {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins or ends; with the end everything is forgotten.
    pub fn set(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Release);
        if !is_on {
            *self.lock() = Known::default();
        }
    }

    /// Takes in what an earlier run wrote.
    pub fn restore(&self, found: impl IntoIterator<Item = Deletion>) {
        let mut known = self.lock();
        for Deletion { topic, age } in found {
            known.note(&topic, age);
        }
    }

    /// A client deleted what was retained on a topic.
    pub fn note(&self, topic: &str, age: Age) {
        if !self.is_on.load(Ordering::Acquire) {
            return;
        }
        let mut known = self.lock();
        while known.by_age.first().is_some_and(|((at_ms, _), _)| at_ms + AGE_MS < age.0) {
            known.forget_first();
        }
        if let Some(deletion) = known.note(topic, age) {
            known.unwritten.push(deletion);
            // Whoever writes them does not keep up: the file will miss some.
            if known.unwritten.len() > DELETIONS_MAX {
                known.unwritten.clear();
            }
            self.has_unwritten.store(true, Ordering::Release);
        }
    }

    /// When what was retained on a topic was deleted last, as far as that is remembered.
    #[must_use]
    pub fn of(&self, topic: &str) -> Option<Age> {
        if !self.is_on.load(Ordering::Acquire) {
            return None;
        }
        self.lock().by_topic.get(topic).copied()
    }

    /// Those of topics that match one of these filters, the oldest first.
    #[must_use]
    pub fn matching(&self, filters: &[Box<str>]) -> Vec<Deletion> {
        let matches =
            |topic: &str| filters.iter().any(|filter| rookery_codec::filter_matches(filter, topic));
        let known = self.lock();
        let found = known.by_age.iter().filter(|(_, topic)| matches(topic));
        found.map(|(age, topic)| Deletion { topic: topic.clone(), age: *age }).collect()
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Deletion> {
        let known = self.lock();
        let all = known.by_age.iter();
        all.map(|(age, topic)| Deletion { topic: topic.clone(), age: *age }).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().by_topic.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is something to be written to a file.
    #[inline]
    #[must_use]
    pub fn has_unwritten(&self) -> bool {
        self.has_unwritten.load(Ordering::Acquire)
    }

    /// Takes that.
    #[must_use]
    pub fn take_unwritten(&self) -> Vec<Deletion> {
        match self.has_unwritten.swap(false, Ordering::AcqRel) {
            true => std::mem::take(&mut self.lock().unwritten),
            false => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(ms: u64) -> Age {
        (ms, MessageId(1))
    }

    #[test]
    fn the_latest_of_a_topic_is_remembered_while_somebody_wants_it() {
        let deletions = Deletions::default();
        deletions.note("a", age(5));
        assert_eq!(deletions.of("a"), None);
        deletions.set(true);
        for (topic, ms) in [("a", 5), ("b/1", 7), ("a", 6), ("a", 4)] {
            deletions.note(topic, age(ms));
        }
        assert_eq!((deletions.of("a"), deletions.of("b/1")), (Some(age(6)), Some(age(7))));
        let found = deletions.matching(&["b/#".into()]);
        assert_eq!(found, [Deletion { topic: "b/1".into(), age: age(7) }]);
        assert_eq!(deletions.take_unwritten().len(), 3);
        assert!(deletions.take_unwritten().is_empty());
        deletions.set(false);
        assert!(deletions.all().is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let deletions = Deletions::default();
        deletions.set(true);
        for n in 0..=DELETIONS_MAX as u64 {
            deletions.note(&format!("t/{n}"), age(n));
        }
        assert_eq!(deletions.all().len(), DELETIONS_MAX);
        assert_eq!((deletions.of("t/0"), deletions.of("t/1")), (None, Some(age(1))));
        deletions.note("late", age(AGE_MS + 1000));
        assert_eq!(deletions.of("t/999"), None);
        assert!(deletions.of("t/1000").is_some());
    }
}
