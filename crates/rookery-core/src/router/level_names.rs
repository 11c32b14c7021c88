//! Topic levels as numbers: each distinct level text is kept once and counted.
//!
//! A level that no filter uses has no number, so a topic's unknown level rules out every exact
//! branch of the trie with one look-up.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::arena::Arena;
use super::tables::Tables;

/// Longest level text that is kept without an allocation of its own.
const INLINE_BYTES: usize = 22;

/// A level's text.
#[derive(Debug)]
enum Text {
    Inline { len: u8, bytes: [u8; INLINE_BYTES] },
    Heap(Box<[u8]>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Inline { len: 0, bytes: [0; INLINE_BYTES] }
    }
}

impl Text {
    #[allow(clippy::cast_possible_truncation)]
    fn new(text: &[u8]) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text);
                Self::Inline { len: text.len() as u8, bytes }
            }
            None => Self::Heap(text.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Heap(text) => text,
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Inline { .. } => 0,
            Self::Heap(text) => text.len(),
        }
    }
}

#[derive(Debug, Default)]
struct Name {
    text: Text,
    uses: u32,
}

/// The interner of levels.
#[derive(Debug)]
pub(super) struct LevelNames {
    names: Arena<Name>,
    by_text: Tables,
    hasher: DefaultHashBuilder,
    heap_bytes: usize,
}

impl LevelNames {
    pub(super) fn new() -> Self {
        Self {
            names: Arena::new(),
            by_text: Tables::new(),
            hasher: DefaultHashBuilder::default(),
            heap_bytes: 0,
        }
    }

    /// The number of a level, if any filter uses it.
    pub(super) fn get(&self, text: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        let names = &self.names;
        self.by_text.of(hash).find(hash, |id| names.get(*id).text.as_bytes() == text).copied()
    }

    /// The number of a level, given out at need; counts one use.
    pub(super) fn acquire(&mut self, text: &[u8]) -> u32 {
        if let Some(id) = self.get(text) {
            self.names.get_mut(id).uses += 1;
            return id;
        }
        let hash = self.hasher.hash_one(text);
        let name = Name { text: Text::new(text), uses: 1 };
        self.heap_bytes += name.text.heap_bytes();
        let id = self.names.insert(name);
        let (names, hasher) = (&self.names, &self.hasher);
        self.by_text.insert(hash, id, |id| hasher.hash_one(names.get(*id).text.as_bytes()));
        id
    }

    /// Gives one use back; the last one frees the number.
    pub(super) fn release(&mut self, id: u32) {
        let name = self.names.get_mut(id);
        name.uses -= 1;
        if name.uses > 0 {
            return;
        }
        let hash = self.hasher.hash_one(name.text.as_bytes());
        let (names, hasher) = (&self.names, &self.hasher);
        self.by_text.remove(hash, id, |id| hasher.hash_one(names.get(*id).text.as_bytes()));
        let name = self.names.remove(id);
        self.heap_bytes -= name.text.heap_bytes();
    }

    /// The text of a number in use.
    pub(super) fn text(&self, id: u32) -> &[u8] {
        self.names.get(id).text.as_bytes()
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.names.memory_bytes() + self.by_text.memory_bytes() + self.heap_bytes
    }
}
