//! What one node holds.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::frames::{Bits, Sums};
use super::version::{HybridClock, Key, Version};

/// What a node knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<V> {
    /// Its value.
    Value(V),
    /// It was deleted.
    Deleted,
    /// It has a value that is not kept here: there was no room, or it is over.
    Absent,
}

/// How long it is known that something is [`What::Absent`]; then others may offer it again.
const ABSENT_MS: u64 = 600_000;

#[derive(Debug)]
struct Known<V> {
    version: Version,
    what: What<V>,
}

/// What one node holds, or a part of that. It decides nothing about values and tells nobody.
#[derive(Debug)]
pub struct Replica<V> {
    known: BTreeMap<Key, Known<V>>,
    sums: Sums,
    /// Deletions in the order in which they were heard of, each with the time of its version.
    deleted: VecDeque<(Key, u64)>,
    /// What is absent, in the same way, with when that was noted.
    absent: VecDeque<(Key, u64, u64)>,
    purged: u64,
}

impl<V> Default for Replica<V> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            sums: Sums::default(),
            deleted: VecDeque::new(),
            absent: VecDeque::new(),
            purged: 0,
        }
    }
}

/// The number of a version of a key: those of a group are added up to its sum.
fn number(key: &Key, version: &Version) -> u64 {
    let half = |half: &[u8]| half.iter().fold(0, |word, octet| word << 8 | u64::from(*octet));
    let (high, low) = key.split_at(8);
    let node = version.node.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut hash = half(high);
    for word in [half(low), version.time, node] {
        hash = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
    }
    hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53) ^ hash >> 29
}

/// The keys of a group.
fn range_of(group: u8) -> std::ops::RangeInclusive<Key> {
    let (mut first, mut last) = ([0; 16], [u8::MAX; 16]);
    first[0] = group;
    last[0] = group;
    first..=last
}

/// Where in its group a key is.
const fn leaf_of(key: &Key) -> u8 {
    key[1]
}

impl<V> Replica<V> {
    /// Whether a version would change something.
    #[must_use]
    pub fn is_news(&self, key: &Key, version: &Version, is_deletion: bool) -> bool {
        match self.known.get(key) {
            Some(known) => known.version < *version,
            // It may be one that was forgotten here: nobody needs it any more.
            None => !is_deletion || version.time > self.purged,
        }
    }

    /// Notes a version, whatever was known; what that was.
    pub fn set(
        &mut self,
        key: Key,
        version: Version,
        what: What<V>,
        unix_ms: u64,
    ) -> Option<What<V>> {
        match what {
            What::Value(_) => {}
            What::Deleted => self.deleted.push_back((key, version.time)),
            What::Absent => self.absent.push_back((key, version.time, unix_ms)),
        }
        self.sums.add(key[0], number(&key, &version));
        let was = self.known.insert(key, Known { version, what })?;
        self.sums.take_off(key[0], number(&key, &was.version));
        Some(was.what)
    }

    /// The value of a key is over, or was not stored; the version stays.
    pub fn set_absent(&mut self, key: &Key, unix_ms: u64, is_meant: impl FnOnce(&V) -> bool) {
        let Some(known) = self.known.get_mut(key) else { return };
        if matches!(&known.what, What::Value(value) if is_meant(value)) {
            known.what = What::Absent;
            self.absent.push_back((*key, known.version.time, unix_ms));
        }
    }

    /// Takes a value out without a trace, if it has that version's time or an earlier one.
    pub fn drop_value(&mut self, key: &Key, time: u64) -> Option<V> {
        let known = self.known.get(key)?;
        if known.version.time > time || !matches!(known.what, What::Value(_)) {
            return None;
        }
        let known = self.known.remove(key)?;
        self.sums.take_off(key[0], number(key, &known.version));
        match known.what {
            What::Value(value) => Some(value),
            What::Deleted | What::Absent => None,
        }
    }

    /// Everything that is known.
    pub fn each(&self, mut visit: impl FnMut(&Key, &Version, &What<V>)) {
        self.known.iter().for_each(|(key, known)| visit(key, &known.version, &known.what));
    }

    /// How many values there are.
    #[must_use]
    pub fn values(&self) -> usize {
        self.known.values().filter(|known| matches!(known.what, What::Value(_))).count()
    }

    /// What is known of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<(&Version, &What<V>)> {
        self.known.get(key).map(|known| (&known.version, &known.what))
    }

    /// Forgets deletions that were made before a time, and the oldest above `most`, at most
    /// `visits` of them; the keys of those.
    pub fn purge(&mut self, before_ms: u64, most: usize, visits: usize, unix_ms: u64) -> Vec<Key> {
        let before = HybridClock::at(before_ms);
        let mut gone = Vec::new();
        for _ in 0..visits {
            let is_due = |(_, time): &(Key, u64)| *time < before;
            if self.deleted.len() <= most && !self.deleted.front().is_some_and(is_due) {
                break;
            }
            let Some((key, time)) = self.deleted.pop_front() else { break };
            let is_same = |known: &Known<V>| {
                known.version.time == time && matches!(known.what, What::Deleted)
            };
            if self.known.get(&key).is_some_and(is_same) {
                self.forget(&key);
                self.purged = self.purged.max(time);
                gone.push(key);
            }
        }
        for _ in 0..visits {
            let is_due = |(_, _, at): &(Key, u64, u64)| at.abs_diff(unix_ms) > ABSENT_MS;
            if !self.absent.front().is_some_and(is_due) {
                break;
            }
            let Some((key, time, _)) = self.absent.pop_front() else { break };
            let is_same =
                |known: &Known<V>| known.version.time == time && matches!(known.what, What::Absent);
            if self.known.get(&key).is_some_and(is_same) {
                self.forget(&key);
            }
        }
        gone
    }

    fn forget(&mut self, key: &Key) {
        if let Some(known) = self.known.remove(key) {
            self.sums.take_off(key[0], number(key, &known.version));
        }
    }

    /// Deletions up to this time may have been forgotten.
    #[must_use]
    pub const fn purged(&self) -> u64 {
        self.purged
    }

    /// The same after a restart.
    pub fn set_purged(&mut self, time: u64) {
        self.purged = self.purged.max(time);
    }

    /// Deletions that are known.
    #[must_use]
    pub fn deletions(&self) -> usize {
        self.deleted.len()
    }

    /// The sum of each group.
    #[must_use]
    pub const fn sums(&self) -> &Sums {
        &self.sums
    }

    /// The sums of the parts of a group.
    #[must_use]
    pub fn leaves(&self, group: u8) -> Sums {
        let mut sums = Sums::default();
        for (key, known) in self.known.range(range_of(group)) {
            sums.add(leaf_of(key), number(key, &known.version));
        }
        sums
    }

    /// The versions in some parts of a group.
    pub fn versions(&self, group: u8, leaves: &Bits, each: &mut dyn FnMut(&Key, &Version)) {
        for (key, known) in self.known.range(range_of(group)) {
            if leaves.has(leaf_of(key)) {
                each(key, &known.version);
            }
        }
    }

    /// Values and deletions in some parts of a group that are newer than what somebody has: the key,
    /// the time, and whether that one has nothing under the key while there is a value here.
    pub fn newer(
        &self,
        group: u8,
        leaves: &Bits,
        than: &HashMap<Key, Version>,
        each: &mut dyn FnMut(Key, u64, bool),
    ) {
        for (key, known) in self.known.range(range_of(group)) {
            let there = than.get(key);
            if !leaves.has(leaf_of(key))
                || matches!(known.what, What::Absent)
                || there.is_some_and(|there| *there >= known.version)
            {
                continue;
            }
            let is_missing = there.is_none() && matches!(known.what, What::Value(_));
            each(*key, known.version.time, is_missing);
        }
    }
}
