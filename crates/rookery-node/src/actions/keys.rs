//! The order of items: oldest first, and those of one key one batch after the other.
//!
//! New items stand in one line. An item whose key is in flight steps aside behind its key when its
//! turn comes, so each item is looked at once, however many of one client wait. Whatever stepped
//! aside or was given back is older than the line, and goes before it.
//!
//! **Invariants.** A key is listed as free only while nothing of it is in flight elsewhere, and a
//! key that nothing waits behind or is in flight of is not kept. Key 0 is no key.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use rookery_core::rules::sink::RuleTally;

/// What an item costs in memory on top of its fields.
const ENTRY_BYTES: u64 = 96;
/// Containers that grew beyond this are given back when they are empty.
const KEPT_CAPACITY: usize = 4096;

/// One item and where it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) number: u64,
    pub(super) key: u64,
    pub(super) made_at_ms: u64,
    pub(super) rule: Arc<RuleTally>,
    pub(super) fields: Box<[u8]>,
}

impl Entry {
    /// Its name in its buffer; later ones are higher.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Items of one key keep their order; 0: no key.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// When it was made, in ms since 1970.
    #[must_use]
    pub const fn made_at_ms(&self) -> u64 {
        self.made_at_ms
    }

    /// The rule it came from.
    #[must_use]
    pub const fn rule(&self) -> &Arc<RuleTally> {
        &self.rule
    }

    /// What [`rookery_core::rules::fields::decode`] reads.
    #[must_use]
    pub const fn fields(&self) -> &[u8] {
        &self.fields
    }

    /// Memory that it takes.
    pub(super) fn cost(&self) -> u64 {
        cost_of(&self.fields)
    }
}

/// Memory that an item with these fields takes.
pub(super) const fn cost_of(fields: &[u8]) -> u64 {
    fields.len() as u64 + ENTRY_BYTES
}

/// What one step of a take found.
#[derive(Debug)]
pub(super) enum Step {
    /// An item, in flight from now on.
    Taken(Arc<Entry>),
    /// An item that is too old, and gone.
    Expired(Entry),
    /// An item stepped aside.
    Moved,
    /// The next item has more octets than there is room for.
    TooLarge,
    /// Nothing can be taken.
    Nothing,
}

/// Where the next item stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    Returned,
    Key(u64),
    Line,
}

#[derive(Debug, Default)]
struct Key {
    in_flight: u32,
    /// The take whose items are in flight.
    batch: u64,
    /// Items in the order of their numbers.
    behind: VecDeque<Entry>,
    is_listed: bool,
}

/// Items that wait, and those that are in flight.
#[derive(Debug, Default)]
pub(super) struct Queue {
    line: VecDeque<Entry>,
    /// Without a key, given back.
    returned: BTreeMap<u64, Entry>,
    keys: HashMap<u64, Key>,
    /// Number of the first item behind a key, and the key.
    free: BinaryHeap<Reverse<(u64, u64)>>,
    in_flight: HashMap<u64, Arc<Entry>>,
    waiting: usize,
}

impl Queue {
    /// Items that wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Items in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether a take may find something.
    pub(super) fn has_more(&self) -> bool {
        !self.line.is_empty() || !self.free.is_empty() || !self.returned.is_empty()
    }

    /// Puts an item, with a number above all others, at the end.
    pub(super) fn push(&mut self, entry: Entry) {
        self.waiting += 1;
        self.line.push_back(entry);
    }

    /// One step of the take `batch`, which has room for an item of `room` octets.
    ///
    /// Items made before `expired_before_ms` are too old.
    pub(super) fn step(&mut self, batch: u64, room: usize, expired_before_ms: u64) -> Step {
        let Some(place) = self.next_place(batch) else {
            self.shrink();
            return Step::Nothing;
        };
        let Some(front) = self.front(place) else { return Step::Nothing };
        if front.made_at_ms < expired_before_ms {
            return self.pop(place).map_or(Step::Nothing, Step::Expired);
        }
        if front.fields.len() > room {
            return Step::TooLarge;
        }
        if matches!(place, Place::Line) && !self.may_go(batch) {
            if let Some(entry) = self.line.pop_front() {
                self.keys.entry(entry.key).or_default().behind.push_back(entry);
            }
            return Step::Moved;
        }
        let Some(entry) = self.pop(place) else { return Step::Nothing };
        if entry.key != 0 {
            let key = self.keys.entry(entry.key).or_default();
            key.in_flight += 1;
            key.batch = batch;
        }
        let entry = Arc::new(entry);
        self.in_flight.insert(entry.number, entry.clone());
        Step::Taken(entry)
    }

    /// Takes out an item that is too old, if one stands in front.
    pub(super) fn pop_expired(&mut self, expired_before_ms: u64) -> Option<Entry> {
        let place = self.next_place(u64::MAX)?;
        if self.front(place)?.made_at_ms >= expired_before_ms {
            return None;
        }
        self.pop(place)
    }

    /// An item in flight has ended.
    pub(super) fn settle(&mut self, number: u64) -> Option<Arc<Entry>> {
        let entry = self.in_flight.remove(&number)?;
        self.release(entry.key);
        Some(entry)
    }

    /// Puts an item in flight back to where it was; whether it was in flight.
    pub(super) fn give_back(&mut self, number: u64) -> bool {
        let Some(entry) = self.in_flight.remove(&number) else { return false };
        let key = entry.key;
        let entry = Arc::try_unwrap(entry).unwrap_or_else(|shared| Entry::clone(&shared));
        self.waiting += 1;
        if key == 0 {
            self.returned.insert(number, entry);
        } else {
            let behind = &mut self.keys.entry(key).or_default().behind;
            let at = behind.partition_point(|other| other.number < number);
            behind.insert(at, entry);
            self.release(key);
        }
        true
    }

    /// Puts everything in flight back.
    pub(super) fn give_all_back(&mut self) -> usize {
        let numbers: Vec<u64> = self.in_flight.keys().copied().collect();
        numbers.into_iter().filter(|number| self.give_back(*number)).count()
    }

    /// Everything there is, in no particular order; nothing is left.
    pub(super) fn drain(&mut self) -> Drained {
        let queue = std::mem::take(self);
        let behind = queue.keys.into_values().flat_map(|key| key.behind);
        let waiting = queue.line.into_iter().chain(queue.returned.into_values()).chain(behind);
        Drained { waiting: waiting.collect(), in_flight: queue.in_flight.into_values().collect() }
    }

    /// Where the oldest item stands that may go.
    fn next_place(&mut self, batch: u64) -> Option<Place> {
        let returned = self.returned.first_key_value().map(|(number, _)| *number);
        while let Some(Reverse((number, key))) = self.free.peek().copied() {
            match self.keys.get_mut(&key) {
                Some(state) if state.in_flight > 0 && state.batch != batch => {
                    // The batch that took some of it was full; it is listed when that has ended.
                    state.is_listed = false;
                    self.free.pop();
                }
                Some(_) if returned.is_none_or(|returned| number < returned) => {
                    return Some(Place::Key(key));
                }
                Some(_) => break,
                None => {
                    self.free.pop();
                }
            }
        }
        if returned.is_some() {
            return Some(Place::Returned);
        }
        (!self.line.is_empty()).then_some(Place::Line)
    }

    fn front(&self, place: Place) -> Option<&Entry> {
        match place {
            Place::Returned => self.returned.first_key_value().map(|(_, entry)| entry),
            Place::Key(key) => self.keys.get(&key)?.behind.front(),
            Place::Line => self.line.front(),
        }
    }

    /// Whether the item in front of the line may go with `batch`.
    fn may_go(&self, batch: u64) -> bool {
        match self.line.front() {
            Some(entry) if entry.key != 0 => match self.keys.get(&entry.key) {
                Some(key) => key.batch == batch && key.behind.is_empty(),
                None => true,
            },
            _ => true,
        }
    }

    fn pop(&mut self, place: Place) -> Option<Entry> {
        let entry = match place {
            Place::Returned => self.returned.pop_first().map(|(_, entry)| entry),
            Place::Line => self.line.pop_front(),
            Place::Key(id) => {
                self.free.pop();
                let key = self.keys.get_mut(&id)?;
                let entry = key.behind.pop_front();
                match key.behind.front() {
                    Some(next) => self.free.push(Reverse((next.number, id))),
                    None => key.is_listed = false,
                }
                if key.behind.is_empty() && key.in_flight == 0 {
                    self.keys.remove(&id);
                }
                entry
            }
        };
        self.waiting -= usize::from(entry.is_some());
        entry
    }

    /// One item of a key is in flight no longer.
    fn release(&mut self, id: u64) {
        if id == 0 {
            return;
        }
        let Some(key) = self.keys.get_mut(&id) else { return };
        key.in_flight = key.in_flight.saturating_sub(1);
        if key.in_flight > 0 {
            return;
        }
        match key.behind.front() {
            Some(_) if key.is_listed => {}
            Some(first) => {
                key.is_listed = true;
                self.free.push(Reverse((first.number, id)));
            }
            None => {
                self.keys.remove(&id);
            }
        }
    }

    /// Gives memory of a burst back.
    fn shrink(&mut self) {
        if self.line.is_empty() && self.line.capacity() > KEPT_CAPACITY {
            self.line = VecDeque::new();
        }
        if self.keys.is_empty() && self.keys.capacity() > KEPT_CAPACITY {
            self.keys = HashMap::new();
        }
        if self.in_flight.is_empty() && self.in_flight.capacity() > KEPT_CAPACITY {
            self.in_flight = HashMap::new();
        }
    }
}

/// Everything that was in a [`Queue`].
#[derive(Debug)]
pub(super) struct Drained {
    pub(super) waiting: Vec<Entry>,
    pub(super) in_flight: Vec<Arc<Entry>>,
}
