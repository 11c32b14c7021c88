//! The messages that one session still needs, in order of sequence number.

use std::collections::VecDeque;

use crate::record::RefState;

/// Below this capacity a queue keeps its memory.
const SHRINK_ABOVE: usize = 32;

/// A reference that ended.
pub(crate) struct Ended {
    pub(crate) seq: u64,
    pub(crate) was_released: bool,
}

/// A session's references. Kept, even when empty, until the session is dropped: as long as
/// a file may name the session, dropping it has to be recorded.
pub(crate) struct SessionRefs {
    /// No file names this session for a lower sequence number.
    pub(crate) seq_first: u64,
    refs: VecDeque<(u64, RefState)>,
}

impl Default for SessionRefs {
    fn default() -> Self {
        Self { seq_first: u64::MAX, refs: VecDeque::new() }
    }
}

impl SessionRefs {
    fn find(&self, seq: u64) -> Result<usize, usize> {
        // Mostly the newest is added and the oldest is asked for.
        match (self.refs.back(), self.refs.front()) {
            (Some((last, _)), _) if *last < seq => Err(self.refs.len()),
            (_, Some((first, _))) if *first == seq => Ok(0),
            _ => self.refs.binary_search_by_key(&seq, |(seq, _)| *seq),
        }
    }

    /// Adds a reference; `false` when there is one.
    pub(crate) fn insert(&mut self, seq: u64, state: RefState) -> bool {
        self.seq_first = self.seq_first.min(seq);
        match self.find(seq) {
            Ok(_) => false,
            Err(at) => {
                self.refs.insert(at, (seq, state));
                true
            }
        }
    }

    pub(crate) fn get(&self, seq: u64) -> Option<RefState> {
        self.refs.get(self.find(seq).ok()?).map(|(_, state)| *state)
    }

    pub(crate) fn get_mut(&mut self, seq: u64) -> Option<&mut RefState> {
        let at = self.find(seq).ok()?;
        self.refs.get_mut(at).map(|(_, state)| state)
    }

    pub(crate) fn remove(&mut self, seq: u64) -> Option<RefState> {
        let at = self.find(seq).ok()?;
        let (_, state) = self.refs.remove(at)?;
        if self.refs.capacity() > SHRINK_ABOVE && self.refs.len() * 4 < self.refs.capacity() {
            self.refs.shrink_to(self.refs.len() * 2);
        }
        Some(state)
    }

    /// Takes any reference out.
    pub(crate) fn pop(&mut self) -> Option<Ended> {
        let (seq, state) = self.refs.pop_back()?;
        Some(Ended { seq, was_released: state.is_released })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.refs.is_empty()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (u64, RefState)> {
        self.refs.iter().copied()
    }
}
