//! Numbers kept in the order of what they stand for, at about six bytes each.
//!
//! A list of short sorted chunks: a change moves one chunk's few bytes, a search is two binary
//! ones. The owner tells what a number stands for by comparing.

use std::cmp::Ordering;

/// A chunk that reaches this length is split.
const CHUNK_MAX: usize = 256;

/// A chunk that falls below this length joins a neighbour if both fit in three quarters of one.
const CHUNK_MIN: usize = 64;

/// Steps tried from a known place before a search by halves.
const GALLOP_START: usize = 1;

#[derive(Debug, Default)]
pub(super) struct SortedIds {
    /// None is empty.
    chunks: Vec<Vec<u32>>,
}

/// A place in the order; valid until the next change.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    chunk: usize,
    at: usize,
}

impl SortedIds {
    pub(super) fn get(&self, place: Place) -> Option<u32> {
        self.chunks.get(place.chunk)?.get(place.at).copied()
    }

    /// The place after one that holds a number.
    pub(super) fn after(&self, place: Place) -> Place {
        match self.chunks.get(place.chunk) {
            Some(chunk) if place.at + 1 >= chunk.len() => Place { chunk: place.chunk + 1, at: 0 },
            _ => Place { chunk: place.chunk, at: place.at + 1 },
        }
    }

    /// The first place that is not less; `is_less` tells whether a number comes before the target.
    pub(super) fn lower_bound(&self, is_less: impl Fn(u32) -> bool) -> Place {
        let chunk = self
            .chunks
            .partition_point(|chunk| chunk.last().is_some_and(|last| is_less(*last)));
        let at = self.chunks.get(chunk).map_or(0, |ids| ids.partition_point(|id| is_less(*id)));
        Place { chunk, at }
    }

    /// Like [`Self::lower_bound`] for a target not before `from`; cheap when it is near.
    pub(super) fn lower_bound_from(&self, from: Place, is_less: impl Fn(u32) -> bool) -> Place {
        let Some(ids) = self.chunks.get(from.chunk).and_then(|ids| ids.get(from.at..)) else {
            return self.lower_bound(is_less);
        };
        if ids.last().is_none_or(|last| is_less(*last)) {
            return self.lower_bound(is_less);
        }
        let mut reach = GALLOP_START;
        while ids.get(reach).is_some_and(|id| is_less(*id)) {
            reach *= 2;
        }
        let near = &ids[..ids.len().min(reach + 1)];
        Place { chunk: from.chunk, at: from.at + near.partition_point(|id| is_less(*id)) }
    }

    /// Puts a number in; `order` compares a number that is there with it.
    pub(super) fn insert(&mut self, id: u32, order: impl Fn(u32) -> Ordering) {
        let mut place = self.lower_bound(|other| order(other) == Ordering::Less);
        if place.chunk == self.chunks.len() {
            let Some(last) = self.chunks.last() else {
                self.chunks.push(vec![id]);
                return;
            };
            place = Place { chunk: place.chunk - 1, at: last.len() };
        }
        let chunk = &mut self.chunks[place.chunk];
        if chunk.len() == chunk.capacity() {
            chunk.reserve_exact((chunk.len() / 4).max(8));
        }
        chunk.insert(place.at, id);
        if chunk.len() >= CHUNK_MAX {
            // Ascending inserts leave full chunks behind, any other order half full ones.
            let cut = if place.at + 1 == chunk.len() { CHUNK_MAX - 8 } else { CHUNK_MAX / 2 };
            let upper = chunk.split_off(cut);
            chunk.shrink_to_fit();
            self.chunks.insert(place.chunk + 1, upper);
        }
    }

    /// Takes out the number at a place.
    pub(super) fn remove(&mut self, place: Place) {
        let Some(chunk) = self.chunks.get_mut(place.chunk) else { return };
        if place.at >= chunk.len() {
            return;
        }
        chunk.remove(place.at);
        if chunk.is_empty() {
            self.chunks.remove(place.chunk);
            if self.chunks.is_empty() {
                self.chunks = Vec::new();
            }
        } else if chunk.len() < CHUNK_MIN {
            self.join(place.chunk);
        }
    }

    /// Joins a chunk with the next or the previous one if they are small together.
    fn join(&mut self, at: usize) {
        let len_of = |at: usize| self.chunks.get(at).map(Vec::len);
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
        self.chunks[lower].extend(upper);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let ids = self.chunks.iter().map(Vec::capacity).sum::<usize>() * size_of::<u32>();
        ids + self.chunks.capacity() * size_of::<Vec<u32>>()
    }
}
