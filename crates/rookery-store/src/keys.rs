//! Where the newest record of each key is. Keys are kept as keyed 128-bit hashes, drawn
//! anew for each process, so a client cannot choose keys that collide.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::index::Slot;

/// Tables by the upper bits of the hash: growing one moves a sixteenth of the keys.
const PARTS: usize = 16;
const TOMB: u32 = 1 << 31;

#[derive(Default)]
pub(crate) struct KeyHasher(RandomState, RandomState);

impl KeyHasher {
    pub(crate) fn hash(&self, table: u8, key: &[u8]) -> [u64; 2] {
        [self.0.hash_one((table, key)), self.1.hash_one((table, key))]
    }
}

/// The newest record of a key: its value, or a tombstone that is needed as long as an older
/// value is in some file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) slot: Slot,
    pub(crate) offset: u32,
    pub(crate) bytes: u32,
    pub(crate) is_tomb: bool,
}

struct KeyEntry {
    hash: [u64; 2],
    slot: Slot,
    offset: u32,
    bytes_and_tomb: u32,
    /// Older values of the key that are still in some file.
    stale: u32,
}

impl KeyEntry {
    fn record(&self) -> KeyRecord {
        KeyRecord {
            slot: self.slot,
            offset: self.offset,
            bytes: self.bytes_and_tomb & !TOMB,
            is_tomb: self.bytes_and_tomb & TOMB != 0,
        }
    }

    fn set(&mut self, slot: Slot, offset: u32, bytes_and_tomb: u32) {
        self.slot = slot;
        self.offset = offset;
        self.bytes_and_tomb = bytes_and_tomb;
    }
}

#[derive(Default)]
pub(crate) struct KeyTable {
    parts: [HashTable<KeyEntry>; PARTS],
    live: usize,
}

fn part(hash: [u64; 2]) -> usize {
    hash[1] as usize % PARTS
}

fn rehash(entry: &KeyEntry) -> u64 {
    entry.hash[0]
}

impl KeyTable {
    /// Keys with a value.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn get(&self, hash: [u64; 2]) -> Option<KeyRecord> {
        let table = self.parts.get(part(hash))?;
        table.find(hash[0], |entry| entry.hash == hash).map(KeyEntry::record)
    }

    /// Sets the newest record to a value; returns what it was.
    pub(crate) fn put(
        &mut self,
        hash: [u64; 2],
        slot: Slot,
        offset: u32,
        bytes: u32,
    ) -> Option<KeyRecord> {
        let table = self.parts.get_mut(part(hash))?;
        match table.entry(hash[0], |entry| entry.hash == hash, rehash) {
            Entry::Occupied(mut occupied) => {
                let entry = occupied.get_mut();
                let before = entry.record();
                if before.is_tomb {
                    self.live += 1;
                } else {
                    entry.stale += 1;
                }
                entry.set(slot, offset, bytes);
                Some(before)
            }
            Entry::Vacant(vacant) => {
                self.live += 1;
                vacant.insert(KeyEntry { hash, slot, offset, bytes_and_tomb: bytes, stale: 0 });
                None
            }
        }
    }

    /// Sets the newest record to a tombstone; returns the value it replaces, `None` when
    /// there was no value.
    pub(crate) fn delete(
        &mut self,
        hash: [u64; 2],
        slot: Slot,
        offset: u32,
        bytes: u32,
    ) -> Option<KeyRecord> {
        let table = self.parts.get_mut(part(hash))?;
        let entry = table.find_mut(hash[0], |entry| entry.hash == hash)?;
        let before = entry.record();
        if before.is_tomb {
            return None;
        }
        entry.stale += 1;
        entry.set(slot, offset, bytes | TOMB);
        self.live -= 1;
        Some(before)
    }

    /// The newest record has moved; `None` when a newer one came meanwhile.
    pub(crate) fn relocate(
        &mut self,
        hash: [u64; 2],
        from: (Slot, u32),
        to: (Slot, u32),
    ) -> Option<KeyRecord> {
        let table = self.parts.get_mut(part(hash))?;
        let entry = table.find_mut(hash[0], |entry| entry.hash == hash)?;
        if (entry.slot, entry.offset) != from {
            return None;
        }
        (entry.slot, entry.offset) = to;
        Some(entry.record())
    }

    /// An older value is gone from the files. Returns a tombstone that nothing needs now.
    pub(crate) fn forget_stale(&mut self, hash: [u64; 2]) -> Option<KeyRecord> {
        let table = self.parts.get_mut(part(hash))?;
        let mut found = table.find_entry(hash[0], |entry| entry.hash == hash).ok()?;
        let entry = found.get_mut();
        entry.stale = entry.stale.saturating_sub(1);
        let record = entry.record();
        if entry.stale > 0 || !record.is_tomb {
            return None;
        }
        found.remove();
        Some(record)
    }
}
