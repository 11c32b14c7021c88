//! Numbers kept in the order of the topic names they stand for, at about six bytes each.
//!
//! A list of short sorted chunks, as the two lowest levels of a B+ tree: a change moves one chunk's
//! few bytes, a search is one by halves over the chunks' bounds and one in a chunk. Only the bounds
//! are copies of topic names; the owner tells the name of every other number.

use super::order::compare;

/// A chunk that reaches this length is split.
const CHUNK_MAX: usize = 128;

/// Ascending inserts leave chunks this full behind.
const CHUNK_ASCENDING: usize = 120;

/// A chunk that falls below this length joins a neighbour if both fit in three quarters of one.
const CHUNK_MIN: usize = 32;

/// Every name in a chunk is at or after its bound and before the next chunk's bound.
#[derive(Debug)]
struct Chunk {
    bound: Box<[u8]>,
    ids: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct SortedIds {
    /// None is empty; the bound of the first is empty and so before all names.
    chunks: Vec<Chunk>,
}

/// A place in the order; valid until the next change.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    chunk: usize,
    at: usize,
}

impl SortedIds {
    pub(super) fn get(&self, place: Place) -> Option<u32> {
        self.chunks.get(place.chunk)?.ids.get(place.at).copied()
    }

    /// The place after one that holds a number.
    pub(super) fn after(&self, place: Place) -> Place {
        self.normal(place.chunk, place.at + 1)
    }

    /// A place at the end of a chunk is the beginning of the next.
    fn normal(&self, chunk: usize, at: usize) -> Place {
        match self.chunks.get(chunk) {
            Some(full) if at >= full.ids.len() => Place { chunk: chunk + 1, at: 0 },
            _ => Place { chunk, at },
        }
    }

    /// The chunk whose range a name is in.
    fn chunk_of(&self, name: &[u8]) -> usize {
        let after = self.chunks.partition_point(|chunk| compare(&chunk.bound, name).is_le());
        after.saturating_sub(1)
    }

    /// The first place whose name is not before `name`.
    pub(super) fn lower_bound<'t>(&self, name: &[u8], name_of: impl Fn(u32) -> &'t [u8]) -> Place {
        let chunk = self.chunk_of(name);
        let at = self
            .chunks
            .get(chunk)
            .map_or(0, |chunk| chunk.ids.partition_point(|id| compare(name_of(*id), name).is_lt()));
        self.normal(chunk, at)
    }

    /// Like [`Self::lower_bound`] for a name not before that at `from`; cheap when it is near.
    pub(super) fn lower_bound_from<'t>(
        &self,
        from: Place,
        name: &[u8],
        name_of: impl Fn(u32) -> &'t [u8],
    ) -> Place {
        let next = self.chunks.get(from.chunk + 1);
        let is_beyond = next.is_some_and(|next| compare(&next.bound, name).is_le());
        let ids = self.chunks.get(from.chunk).and_then(|chunk| chunk.ids.get(from.at..));
        let Some(ids) = ids.filter(|_| !is_beyond) else {
            return self.lower_bound(name, name_of);
        };
        let is_less = |id: &u32| compare(name_of(*id), name).is_lt();
        let mut reach = 1;
        while ids.get(reach).is_some_and(is_less) {
            reach *= 2;
        }
        let near = &ids[..ids.len().min(reach + 1)];
        self.normal(from.chunk, from.at + near.partition_point(is_less))
    }

    /// Puts in the number of a name that is not there.
    pub(super) fn insert<'t>(&mut self, id: u32, name: &[u8], name_of: impl Fn(u32) -> &'t [u8]) {
        let at = self.chunk_of(name);
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(Chunk { bound: Box::default(), ids: vec![id] });
            return;
        };
        let ids = &mut chunk.ids;
        let place = ids.partition_point(|other| compare(name_of(*other), name).is_lt());
        if ids.len() == ids.capacity() {
            ids.reserve_exact((ids.len() / 4).max(8));
        }
        ids.insert(place, id);
        if ids.len() < CHUNK_MAX {
            return;
        }
        let cut = if place + 1 == ids.len() { CHUNK_ASCENDING } else { CHUNK_MAX / 2 };
        let upper = ids.split_off(cut);
        ids.shrink_to_fit();
        let bound = upper.first().map_or(name, |first| name_of(*first)).into();
        self.chunks.insert(at + 1, Chunk { bound, ids: upper });
    }

    /// Takes out the number at a place.
    pub(super) fn remove(&mut self, place: Place) {
        let Some(Chunk { ids, .. }) = self.chunks.get_mut(place.chunk) else { return };
        if place.at >= ids.len() {
            return;
        }
        ids.remove(place.at);
        if ids.is_empty() {
            self.chunks.remove(place.chunk);
            match self.chunks.first_mut() {
                Some(first) => first.bound = Box::default(),
                None => self.chunks = Vec::new(),
            }
        } else if ids.len() < CHUNK_MIN {
            self.join(place.chunk);
        }
    }

    /// Joins a chunk with the next or the previous one if they are small together.
    fn join(&mut self, at: usize) {
        let len_of = |at: usize| self.chunks.get(at).map(|chunk| chunk.ids.len());
        let fits = |a: usize, b: usize| {
            len_of(a).zip(len_of(b)).is_some_and(|(a, b)| a + b <= CHUNK_MAX * 3 / 4)
        };
        let lower = if fits(at, at + 1) {
            at
        } else if at > 0 && fits(at - 1, at) {
            at - 1
        } else {
            return;
        };
        let upper = self.chunks.remove(lower + 1);
        self.chunks[lower].ids.extend(upper.ids);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let heap = |chunk: &Chunk| chunk.bound.len() + chunk.ids.capacity() * size_of::<u32>();
        let chunks = self.chunks.iter().map(heap).sum::<usize>();
        chunks + self.chunks.capacity() * size_of::<Chunk>()
    }
}
