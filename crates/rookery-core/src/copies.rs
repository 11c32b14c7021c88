//! What every node of a cluster holds in full: this node's copy, in parts that have a lock each.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rookery_cluster::replica::{
    Bits, HybridClock, Key, Replica, ReplicaSource, Sums, Version, What, put_deleted, put_value,
};

const PARTS: usize = 16;

/// Deletions that are remembered, at most, whatever their age.
pub const DELETIONS_MAX: usize = 100_000;

/// What can be told to another node.
pub trait Told {
    /// Appends it as it goes there.
    fn encode_into(&self, out: &mut Vec<u8>);
}

/// Another node's change.
#[derive(Debug)]
pub struct Foreign<T> {
    /// The key.
    pub key: Key,
    /// Its version.
    pub version: Version,
    /// The value, or that there is none any more, or none for this node.
    pub what: What<Arc<T>>,
}

/// The copy.
#[derive(Debug)]
pub struct Copies<T> {
    node: Arc<str>,
    clock: HybridClock,
    parts: [Mutex<Replica<Arc<T>>>; PARTS],
    /// Names of nodes in versions, each held once.
    names: Mutex<HashSet<Arc<str>>>,
}

fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Copies<T> {
    /// Of a node that knows nothing yet.
    #[must_use]
    pub fn new(node: &str) -> Self {
        let node: Arc<str> = node.into();
        Self {
            names: Mutex::new(HashSet::from([node.clone()])),
            node,
            clock: HybridClock::default(),
            parts: Default::default(),
        }
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> &Arc<str> {
        &self.node
    }

    /// What gives versions their times.
    #[must_use]
    pub const fn clock(&self) -> &HybridClock {
        &self.clock
    }

    /// The part that a key is in, locked.
    pub(crate) fn part(&self, key: &Key) -> MutexGuard<'_, Replica<Arc<T>>> {
        self.part_of(key[0])
    }

    fn part_of(&self, group: u8) -> MutexGuard<'_, Replica<Arc<T>>> {
        lock(&self.parts[usize::from(group) % PARTS])
    }

    /// All parts, one by one.
    pub(crate) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, Replica<Arc<T>>>> {
        self.parts.iter().map(lock)
    }

    /// The version of a change that is made here.
    pub(crate) fn next(&self, unix_ms: u64) -> Version {
        Version { time: self.clock.next(unix_ms), node: self.node.clone() }
    }

    /// The version of another node's change, as it is kept here.
    pub(crate) fn foreign(&self, version: &Version) -> Version {
        Version { time: version.time, node: self.name(&version.node) }
    }

    fn name(&self, node: &Arc<str>) -> Arc<str> {
        let mut names = lock(&self.names);
        if let Some(name) = names.get(node) {
            return name.clone();
        }
        // Nodes come and go; versions hold on to the names they need.
        names.retain(|name| Arc::strong_count(name) > 1);
        names.insert(node.clone());
        node.clone()
    }

    /// Forgets old deletions, a slice of each part; the keys of those.
    pub fn purge(&self, before_ms: u64, visits: usize, unix_ms: u64) -> Vec<Key> {
        let most = DELETIONS_MAX / PARTS;
        let gone =
            |mut part: MutexGuard<'_, Replica<_>>| part.purge(before_ms, most, visits, unix_ms);
        self.each().flat_map(gone).collect()
    }

    /// Deletions that are remembered.
    #[must_use]
    pub fn deletions(&self) -> usize {
        self.each().map(|part| part.deletions()).sum()
    }
}

impl<T: Told> ReplicaSource for Copies<T> {
    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.each().for_each(|part| sums.merge(part.sums()));
        sums
    }

    fn leaves(&self, group: u8) -> Sums {
        self.part_of(group).leaves(group)
    }

    fn versions(&self, group: u8, leaves: &Bits, each: &mut dyn FnMut(&Key, &Version)) {
        self.part_of(group).versions(group, leaves, each);
    }

    fn newer(
        &self,
        group: u8,
        leaves: &Bits,
        than: &HashMap<Key, Version>,
        each: &mut dyn FnMut(Key, u64, bool),
    ) {
        self.part_of(group).newer(group, leaves, than, each);
    }

    fn put(&self, key: &Key, out: &mut Vec<u8>) {
        // Values are cloned by reference, so that nobody waits while one is written.
        let known = self.part(key).get(key).map(|(version, what)| (version.clone(), what.clone()));
        match known {
            Some((version, What::Value(value))) => {
                put_value(out, &version, |out| value.encode_into(out));
            }
            Some((version, What::Deleted)) => put_deleted(out, key, &version),
            Some((_, What::Absent)) | None => {}
        }
    }

    fn purged(&self) -> u64 {
        self.each().map(|part| part.purged()).max().unwrap_or_default()
    }

    fn time(&self) -> u64 {
        self.clock.last()
    }
}
