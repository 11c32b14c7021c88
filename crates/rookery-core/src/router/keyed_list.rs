//! A compact list of values with distinct keys.
//!
//! Short lists are searched; a long one has an index beside it, so that taking one of a hundred
//! thousand subscribers off one filter does not walk the list. The order of values is arbitrary.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// From this many values on a list has an index.
const INDEX_FROM: usize = 32;

/// An index is dropped when the list becomes shorter than this; the gap to [`INDEX_FROM`] keeps a
/// list that hovers around one length from building it again and again.
const INDEX_UNTIL: usize = 16;

/// A value that names itself.
pub(super) trait Keyed {
    type Key: Eq + Hash + ?Sized;
    fn key(&self) -> &Self::Key;
}

#[derive(Debug)]
struct Index {
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
pub(super) struct KeyedList<T> {
    items: Vec<T>,
    index: Option<Box<Index>>,
}

impl<T> Default for KeyedList<T> {
    fn default() -> Self {
        Self { items: Vec::new(), index: None }
    }
}

impl<T: Keyed> KeyedList<T> {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn as_slice(&self) -> &[T] {
        &self.items
    }

    fn place(&self, key: &T::Key) -> Option<usize> {
        match &self.index {
            None => self.items.iter().position(|item| item.key() == key),
            Some(index) => index
                .places
                .find(index.hasher.hash_one(key), |at| self.items[*at as usize].key() == key)
                .map(|at| *at as usize),
        }
    }

    pub(super) fn get(&self, key: &T::Key) -> Option<&T> {
        self.place(key).map(|at| &self.items[at])
    }

    pub(super) fn get_mut(&mut self, key: &T::Key) -> Option<&mut T> {
        self.place(key).map(|at| &mut self.items[at])
    }

    /// Adds a value whose key is not in the list.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn push(&mut self, value: T) {
        self.items.push(value);
        let at = self.items.len() - 1;
        let items = &self.items;
        match &mut self.index {
            Some(index) => {
                let Index { places, hasher } = &mut **index;
                let hash_at = |at: &u32| hasher.hash_one(items[*at as usize].key());
                places.insert_unique(hash_at(&(at as u32)), at as u32, hash_at);
            }
            None if items.len() >= INDEX_FROM => {
                let hasher = DefaultHashBuilder::default();
                let hash_at = |at: &u32| hasher.hash_one(items[*at as usize].key());
                let mut places = HashTable::with_capacity(items.len() * 2);
                for at in 0..items.len() as u32 {
                    places.insert_unique(hash_at(&at), at, hash_at);
                }
                self.index = Some(Box::new(Index { places, hasher }));
            }
            None => {}
        }
    }

    /// Takes the value with this key out; the last value moves into its place.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn remove(&mut self, key: &T::Key) -> Option<T> {
        let at = self.place(key)?;
        let last = self.items.len() - 1;
        if let Some(index) = &mut self.index {
            let Index { places, hasher } = &mut **index;
            if let Ok(entry) = places.find_entry(hasher.hash_one(key), |p| *p as usize == at) {
                entry.remove();
            }
            if at != last {
                let hash = hasher.hash_one(self.items[last].key());
                if let Some(place) = places.find_mut(hash, |p| *p as usize == last) {
                    *place = at as u32;
                }
            }
        }
        let value = self.items.swap_remove(at);
        self.shrink();
        Some(value)
    }

    fn shrink(&mut self) {
        if self.items.len() < INDEX_UNTIL {
            self.index = None;
        }
        if self.items.is_empty() {
            self.items = Vec::new();
        } else if self.items.capacity() > INDEX_FROM && self.items.len() < self.items.capacity() / 4
        {
            self.items.shrink_to(self.items.len() * 2);
            if let Some(index) = &mut self.index {
                let Index { places, hasher } = &mut **index;
                let items = &self.items;
                places.shrink_to(items.len() * 2, |at| hasher.hash_one(items[*at as usize].key()));
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let index = self
            .index
            .as_ref()
            .map_or(0, |index| size_of::<Index>() + index.places.allocation_size());
        self.items.capacity() * size_of::<T>() + index
    }
}
