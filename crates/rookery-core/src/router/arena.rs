//! A growable pool of values addressed by `u32`, with reuse of freed places.
//!
//! Ids stay valid until they are freed; a freed place holds `T::default()`.

/// The id that stands for "none".
pub(super) const NIL: u32 = u32::MAX;

/// Below this many places a pool grows by doubling, above by a quarter: a large pool then wastes
/// at most a fifth of its memory.
const DOUBLING_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Arena<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Arena<T> {
    pub(super) const fn new() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }

    /// Number of values in use.
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// One more than the highest id ever in use since the pool was last empty.
    pub(super) fn places(&self) -> usize {
        self.items.len()
    }

    /// Stores a value. Ids do not run out: 2³² of the smallest values kept here are 100 GB.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(id) = self.free.pop() {
            self.items[id as usize] = value;
            return id;
        }
        if self.items.len() == self.items.capacity() && self.items.len() >= DOUBLING_MAX {
            self.items.reserve_exact(self.items.len() / 4);
        }
        self.items.push(value);
        (self.items.len() - 1) as u32
    }

    /// Takes a value out; its id may be given out again.
    pub(super) fn remove(&mut self, id: u32) -> T {
        let value = std::mem::take(&mut self.items[id as usize]);
        self.free.push(id);
        if self.free.len() == self.items.len() {
            *self = Self::new();
        }
        value
    }

    pub(super) fn get(&self, id: u32) -> &T {
        &self.items[id as usize]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut T {
        &mut self.items[id as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    /// Bytes held by the pool itself.
    pub(super) fn memory_bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}
