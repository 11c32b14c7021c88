//! A hash table of `u32` ids split into many small ones.
//!
//! A table that grows moves all its entries; split 256 ways, the longest pause under a write
//! lock stays below a millisecond with a million entries.

use hashbrown::HashTable;

const TABLES: usize = 256;

/// A table whose entries fill less than one part in this many of it is shrunk.
const SHRINK_PARTS: usize = 8;

/// Tables at or below this capacity are not worth shrinking.
const SHRINK_CAPACITY_MIN: usize = 32;

#[derive(Debug)]
pub(crate) struct Tables {
    tables: Box<[HashTable<u32>]>,
}

impl Tables {
    pub(crate) fn new() -> Self {
        Self { tables: (0..TABLES).map(|_| HashTable::new()).collect() }
    }

    /// Bits that the tables themselves use neither for the place (low) nor for the tag (high).
    #[allow(clippy::cast_possible_truncation)]
    fn index(hash: u64) -> usize {
        (hash >> 44) as usize & (TABLES - 1)
    }

    /// The table that holds every entry with this hash.
    pub(crate) fn of(&self, hash: u64) -> &HashTable<u32> {
        &self.tables[Self::index(hash)]
    }

    pub(crate) fn insert(&mut self, hash: u64, id: u32, rehash: impl Fn(&u32) -> u64) {
        self.tables[Self::index(hash)].insert_unique(hash, id, rehash);
    }

    pub(crate) fn remove(&mut self, hash: u64, id: u32, rehash: impl Fn(&u32) -> u64) {
        let table = &mut self.tables[Self::index(hash)];
        if let Ok(entry) = table.find_entry(hash, |found| *found == id) {
            entry.remove();
        }
        if table.is_empty() {
            *table = HashTable::new();
        } else if table.capacity() > SHRINK_CAPACITY_MIN
            && table.len() < table.capacity() / SHRINK_PARTS
        {
            table.shrink_to(table.len() * 2, rehash);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.tables.iter().map(HashTable::allocation_size).sum()
    }
}
