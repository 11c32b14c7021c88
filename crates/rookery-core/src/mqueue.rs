//! Messages waiting for a session, bounded by count; the oldest of the lowest priority goes first when full.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::session::Queued;

/// A queue with lanes by priority. Usually there is one lane.
#[derive(Debug, Default)]
pub struct MessageQueue {
    /// Sorted by falling priority.
    lanes: SmallVec<[(u8, VecDeque<Queued>); 1]>,
    len: usize,
    /// Of them, QoS 0.
    at_most_once: usize,
}

impl MessageQueue {
    /// Messages waiting.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends; when `max` (0 = no bound) is passed, what had to go for it is returned.
    pub fn push(&mut self, item: Queued, priority: u8, max: usize) -> Option<Queued> {
        let index = self.lanes.iter().position(|(p, _)| *p <= priority).unwrap_or(self.lanes.len());
        if self.lanes.get(index).is_none_or(|(p, _)| *p != priority) {
            self.lanes.insert(index, (priority, VecDeque::new()));
        }
        if let Some((_, lane)) = self.lanes.get_mut(index) {
            self.at_most_once += usize::from(item.qos == 0);
            lane.push_back(item);
            self.len += 1;
        }
        if max != 0 && self.len > max { self.drop_oldest() } else { None }
    }

    /// Appends everything of another queue, of each priority behind what there is.
    pub fn append(&mut self, other: Self) {
        for (priority, lane) in other.lanes {
            for item in lane {
                self.push(item, priority, 0);
            }
        }
    }

    /// Whether a QoS 0 message waits: a newer one may not overtake it.
    #[inline]
    #[must_use]
    pub fn has_at_most_once(&self) -> bool {
        self.at_most_once > 0
    }

    /// Takes out what `is_wanted` picks, next first; the rest keeps its order and priority.
    pub fn extract(&mut self, mut is_wanted: impl FnMut(&Queued) -> bool) -> Vec<Queued> {
        let mut taken = Vec::new();
        for (_, lane) in &mut self.lanes {
            if !lane.iter().any(&mut is_wanted) {
                continue;
            }
            for item in std::mem::take(lane) {
                if is_wanted(&item) {
                    taken.push(item);
                } else {
                    lane.push_back(item);
                }
            }
        }
        self.len -= taken.len();
        self.at_most_once -= taken.iter().filter(|item| item.qos == 0).count();
        taken
    }

    /// Takes out what has to go first when there are too many.
    pub fn drop_oldest(&mut self) -> Option<Queued> {
        let (_, lane) = self.lanes.iter_mut().rev().find(|(_, lane)| !lane.is_empty())?;
        let item = lane.pop_front()?;
        self.len -= 1;
        self.at_most_once -= usize::from(item.qos == 0);
        Some(item)
    }

    /// The next message to deliver.
    #[must_use]
    pub fn front(&self) -> Option<&Queued> {
        self.lanes.iter().find_map(|(_, lane)| lane.front())
    }

    /// Takes the next message to deliver.
    pub fn pop(&mut self) -> Option<Queued> {
        let (_, lane) = self.lanes.iter_mut().find(|(_, lane)| !lane.is_empty())?;
        let item = lane.pop_front()?;
        self.len -= 1;
        self.at_most_once -= usize::from(item.qos == 0);
        if self.len == 0 {
            self.lanes.clear();
            self.lanes.shrink_to_fit();
        }
        Some(item)
    }

    /// Every message with its priority, next first, from a place on.
    pub fn iter_from(&self, from: usize) -> impl Iterator<Item = (u8, &Queued)> {
        let mut skip = from;
        self.lanes.iter().flat_map(move |(priority, lane)| {
            let passed = skip.min(lane.len());
            skip -= passed;
            lane.range(passed..).map(|item| (*priority, item))
        })
    }

    /// The message at a place, counted from the next one, with its priority.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<(u8, &Queued)> {
        self.iter_from(index).next()
    }

    /// Every message, next first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.lanes.iter_mut().flat_map(|(_, lane)| lane.iter_mut())
    }

    /// Takes everything, next first.
    pub fn drain(&mut self) -> Vec<Queued> {
        self.len = 0;
        self.at_most_once = 0;
        std::mem::take(&mut self.lanes).into_iter().flat_map(|(_, lane)| lane).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::MessageQueue;
    use crate::session::Queued;

    fn item(seq: u64) -> Queued {
        Queued { seq, ..Queued::default() }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_of_the_lowest_priority() {
        let mut queue = MessageQueue::default();
        assert!(queue.push(item(1), 0, 3).is_none());
        assert!(queue.push(item(2), 9, 3).is_none());
        assert!(queue.push(item(3), 0, 3).is_none());
        assert_eq!(queue.push(item(4), 9, 3).map(|q| q.seq), Some(1));
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|q| q.seq).collect();
        assert_eq!(order, [2, 4, 3]);
        assert!(queue.is_empty());
    }
}
