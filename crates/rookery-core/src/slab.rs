//! Slots with generations: a key of a removed item never finds its successor.

/// Boxed items in numbered slots.
#[derive(Debug)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    item: Option<Box<T>>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T> Slab<T> {
    /// The slot and generation that the next `insert` uses.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // 4 billion slots do not fit into memory
    pub fn next_key(&self) -> (u32, u32) {
        match self.free.last() {
            Some(&slot) => (slot, self.slots.get(slot as usize).map_or(0, |s| s.generation)),
            None => (self.slots.len() as u32, 0),
        }
    }

    /// Puts an item in; returns its slot and generation.
    pub fn insert(&mut self, item: T) -> (u32, u32) {
        let key = self.next_key();
        self.len += 1;
        if self.free.pop().is_some() {
            if let Some(slot) = self.slots.get_mut(key.0 as usize) {
                slot.item = Some(Box::new(item));
            }
        } else {
            // Grow in steps: doubling would leave up to half of the table unused.
            if self.slots.len() == self.slots.capacity() {
                self.slots.reserve_exact((self.slots.len() / 8).max(64));
            }
            self.slots.push(Slot { generation: 0, item: Some(Box::new(item)) });
        }
        key
    }

    /// Takes the item out and makes its key stale.
    pub fn remove(&mut self, slot: u32) -> Option<Box<T>> {
        let entry = self.slots.get_mut(slot as usize)?;
        let item = entry.item.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(slot);
        self.len -= 1;
        Some(item)
    }

    /// The item in a slot, whatever its generation.
    #[inline]
    #[must_use]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)?.item.as_deref()
    }

    /// The same, to change.
    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.item.as_deref_mut()
    }

    /// The item, if the slot has not been reused since.
    #[inline]
    pub fn get_checked(&mut self, slot: u32, generation: u32) -> Option<&mut T> {
        let entry = self.slots.get_mut(slot as usize)?;
        if entry.generation != generation {
            return None;
        }
        entry.item.as_deref_mut()
    }

    /// The same with the 16 bits of generation that a session key carries.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub fn get_checked16(&mut self, slot: u32, generation: u16) -> Option<&mut T> {
        let entry = self.slots.get_mut(slot as usize)?;
        if entry.generation as u16 != generation {
            return None;
        }
        entry.item.as_deref_mut()
    }

    /// The generation of a slot.
    #[must_use]
    pub fn generation(&self, slot: u32) -> u32 {
        self.slots.get(slot as usize).map_or(0, |s| s.generation)
    }

    /// Whether a slot holds an item; does not look at it.
    #[must_use]
    pub fn is_used(&self, slot: u32) -> bool {
        self.slots.get(slot as usize).is_some_and(|entry| entry.item.is_some())
    }

    /// Items held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of slots, used or not.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn slots(&self) -> u32 {
        self.slots.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn a_key_of_a_removed_item_finds_nothing() {
        let mut slab = Slab::default();
        let (slot, generation) = slab.insert(1);
        assert_eq!(slab.remove(slot).as_deref(), Some(&1));
        let again = slab.insert(2);
        assert_eq!(again.0, slot);
        assert!(slab.get_checked(slot, generation).is_none());
        assert_eq!(slab.get_checked(again.0, again.1), Some(&mut 2));
        assert_eq!(slab.len(), 1);
    }
}
