//! Answers about a client's topics, kept while its connection lasts.

use hashbrown::{Equivalent, HashMap};

use crate::conn::Action;

/// Answers by action and topic, the least recently used one leaving first.
#[derive(Debug, Default)]
pub struct AnswerCache {
    places: HashMap<Key, usize>,
    entries: Vec<Entry>,
    /// Rises with every use.
    clock: u64,
    /// The rules that the answers were given beside; others make them void.
    epoch: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key(Action, Box<str>);

#[derive(Hash)]
struct KeyRef<'a>(Action, &'a str);

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

#[derive(Debug)]
struct Entry {
    key: Key,
    allowed: bool,
    until_ms: u64,
    used: u64,
}

/// The most that is kept whatever is configured: entries are looked through when one has to go.
pub const ANSWERS_MAX: usize = 4096;

impl AnswerCache {
    /// An answer that still holds.
    pub fn get(&mut self, epoch: u64, now_ms: u64, action: Action, topic: &str) -> Option<bool> {
        if self.epoch != epoch {
            self.clear();
            self.epoch = epoch;
        }
        let place = *self.places.get(&KeyRef(action, topic))?;
        let entry = self.entries.get_mut(place)?;
        self.clock += 1;
        entry.used = self.clock;
        (entry.until_ms > now_ms).then_some(entry.allowed)
    }

    /// Keeps an answer until `until_ms` (mono), at most `max` in all.
    pub fn insert(
        &mut self,
        epoch: u64,
        max: usize,
        (action, topic): (Action, Box<str>),
        allowed: bool,
        until_ms: u64,
    ) {
        if self.epoch != epoch {
            self.clear();
            self.epoch = epoch;
        }
        self.clock += 1;
        let key = Key(action, topic);
        let entry = Entry { key: key.clone(), allowed, until_ms, used: self.clock };
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if self.entries.len() < max.min(ANSWERS_MAX) => {
                self.places.insert(key, self.entries.len());
                self.entries.push(entry);
                return;
            }
            None => {
                let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.used);
                let Some((place, old)) = oldest else { return };
                self.places.remove(&old.key);
                self.places.insert(key, place);
                place
            }
        };
        if let Some(old) = self.entries.get_mut(place) {
            *old = entry;
        }
    }

    /// What is kept for these rules: action, topic, answer and until when (mono ms).
    pub fn iter(&self, epoch: u64) -> impl Iterator<Item = (Action, &str, bool, u64)> {
        let entries = self.entries.iter().filter(move |_| self.epoch == epoch);
        entries.map(|entry| (entry.key.0, &*entry.key.1, entry.allowed, entry.until_ms))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
    }

    /// Number of answers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Action = Action::Subscribe(0);

    #[test]
    fn the_least_recently_used_answer_leaves() {
        let mut cache = AnswerCache::default();
        for topic in ["a", "b", "c"] {
            cache.insert(0, 3, (READ, topic.into()), true, 100);
        }
        assert_eq!(cache.get(0, 0, READ, "a"), Some(true));
        cache.insert(0, 3, (READ, "d".into()), false, 100);
        let known: Vec<_> = ["a", "b", "c", "d"].map(|t| cache.get(0, 0, READ, t)).into();
        assert_eq!(known, [Some(true), None, Some(true), Some(false)]);
        assert_eq!(cache.len(), 3);
    }

    #[test]
    fn an_answer_ends_with_its_time_and_with_the_rules() {
        let mut cache = AnswerCache::default();
        cache.insert(0, 3, (READ, "a".into()), true, 100);
        assert_eq!(cache.get(0, 99, READ, "a"), Some(true));
        assert_eq!(cache.get(0, 100, READ, "a"), None);
        cache.insert(0, 3, (READ, "a".into()), true, 200);
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.get(1, 100, READ, "a"), None);
        assert!(cache.is_empty());
    }

    #[test]
    fn qos_and_retain_are_part_of_the_question() {
        let mut cache = AnswerCache::default();
        cache.insert(0, 9, (Action::Publish(0, false), "a".into()), true, 100);
        for other in [Action::Publish(1, false), Action::Publish(0, true), READ] {
            assert_eq!(cache.get(0, 0, other, "a"), None, "{other:?}");
        }
    }
}
