//! One part of the retained messages: a table by topic name and an order for wildcard reads.
//!
//! Per message: its `Arc` in a pool (8 bytes), its number in the table (5) and in the order (4),
//! each with the slack of a growing container. The topic name is only in the message.

use std::sync::Arc;

use super::RetainedEntry;
use super::filter::{Next, ScanFilter};
use super::order::{AFTER_SUBTREE, FIRST_BELOW};
use super::sorted_ids::{Place, SortedIds};
use crate::router::Tables;

/// Above this many places the pool grows by a quarter instead of doubling.
const DOUBLING_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Stripe<M> {
    entries: Vec<Option<Arc<M>>>,
    free: Vec<u32>,
    by_topic: Tables,
    by_order: SortedIds,
}

/// How a read of a stripe ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Slice {
    /// There is nothing more in the stripe.
    Done,
    /// The budget is used up; go on from the key.
    Paused,
}

/// What one slice may still do.
#[derive(Copy, Clone, Debug)]
pub(super) struct Budget {
    pub(super) results: usize,
    pub(super) visits: usize,
}

fn topic_of<M: RetainedEntry>(entries: &[Option<Arc<M>>], id: u32) -> &[u8] {
    match entries.get(id as usize) {
        Some(Some(entry)) => entry.topic().as_bytes(),
        _ => &[],
    }
}

impl<M: RetainedEntry> Stripe<M> {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            by_topic: Tables::new(),
            by_order: SortedIds::default(),
        }
    }

    fn find(&self, hash: u64, topic: &[u8]) -> Option<u32> {
        self.by_topic.of(hash).find(hash, |id| topic_of(&self.entries, *id) == topic).copied()
    }

    pub(super) fn get(&self, hash: u64, topic: &str) -> Option<&Arc<M>> {
        self.entries.get(self.find(hash, topic.as_bytes())? as usize)?.as_ref()
    }

    /// `rehash` gives the hash of a topic name.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        entry: Arc<M>,
        rehash: impl Fn(&[u8]) -> u64,
    ) -> Option<Arc<M>> {
        if let Some(id) = self.find(hash, entry.topic().as_bytes()) {
            return self.entries.get_mut(id as usize)?.replace(entry);
        }
        let id = self.place_for(entry);
        let entries = &self.entries;
        let topic = topic_of(entries, id);
        self.by_topic.insert(hash, id, |id| rehash(topic_of(entries, *id)));
        self.by_order.insert(id, topic, |other| topic_of(entries, other));
        None
    }

    #[allow(clippy::cast_possible_truncation)]
    fn place_for(&mut self, entry: Arc<M>) -> u32 {
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = Some(entry);
            return id;
        }
        if self.entries.len() == self.entries.capacity() && self.entries.len() >= DOUBLING_MAX {
            self.entries.reserve_exact(self.entries.len() / 4);
        }
        self.entries.push(Some(entry));
        (self.entries.len() - 1) as u32
    }

    pub(super) fn remove(
        &mut self,
        hash: u64,
        topic: &str,
        rehash: impl Fn(&[u8]) -> u64,
    ) -> Option<Arc<M>> {
        let topic = topic.as_bytes();
        let id = self.find(hash, topic)?;
        self.by_order.remove(self.seek(topic));
        let entries = &self.entries;
        self.by_topic.remove(hash, id, |id| rehash(topic_of(entries, *id)));
        let entry = self.entries.get_mut(id as usize)?.take();
        self.free.push(id);
        if self.free.len() == self.entries.len() {
            *self = Self::new();
        }
        entry
    }

    /// The first place whose topic is not before `key`.
    fn seek(&self, key: &[u8]) -> Place {
        self.by_order.lower_bound(key, |id| topic_of(&self.entries, id))
    }

    /// Reads matching messages from `key` on; leaves in `key` where to go on.
    pub(super) fn scan(
        &self,
        filter: &ScanFilter<'_>,
        key: &mut Vec<u8>,
        budget: &mut Budget,
        out: &mut Vec<Arc<M>>,
    ) -> Slice {
        let mut place = self.seek(key);
        loop {
            let Some(id) = self.by_order.get(place) else { return Slice::Done };
            let Some(Some(entry)) = self.entries.get(id as usize) else { return Slice::Done };
            let topic = entry.topic().as_bytes();
            if budget.results == 0 || budget.visits == 0 {
                key.clear();
                key.extend_from_slice(topic);
                return Slice::Paused;
            }
            budget.visits -= 1;
            match filter.check(topic) {
                Next::Match => {
                    budget.results -= 1;
                    out.push(Arc::clone(entry));
                    place = self.by_order.after(place);
                    continue;
                }
                Next::End => return Slice::Done,
                Next::PastSubtree { len } => {
                    set_key(key, &topic[..len], &[AFTER_SUBTREE]);
                }
                Next::Below { len, level } => {
                    set_key(key, &topic[..len], level);
                }
                Next::Inside => set_key(key, topic, &[FIRST_BELOW]),
                Next::PastSystem => set_key(key, &[], b"%"),
            }
            let name_of = |id| topic_of(&self.entries, id);
            place = self.by_order.lower_bound_from(place, key, name_of);
        }
    }

    /// Takes out messages for which `is_over` holds, looking at the places from `from` on; returns
    /// where to go on, none at the end.
    pub(super) fn sweep(
        &mut self,
        from: usize,
        visits: &mut usize,
        is_over: &mut impl FnMut(&M) -> bool,
        rehash: impl Fn(&[u8]) -> u64,
        out: &mut Vec<Arc<M>>,
    ) -> Option<usize> {
        let mut at = from;
        while at < self.entries.len() {
            if *visits == 0 {
                return Some(at);
            }
            *visits -= 1;
            let over = self.entries.get(at).and_then(Option::as_ref).filter(|e| is_over(e));
            if let Some(entry) = over.cloned() {
                let topic = entry.topic();
                out.extend(self.remove(rehash(topic.as_bytes()), topic, &rehash));
            }
            at += 1;
        }
        None
    }

    /// Bytes beside the messages.
    pub(super) fn overhead_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Option<Arc<M>>>()
            + self.free.capacity() * size_of::<u32>()
            + self.by_topic.memory_bytes()
            + self.by_order.memory_bytes()
    }
}

fn set_key(key: &mut Vec<u8>, head: &[u8], tail: &[u8]) {
    key.clear();
    key.extend_from_slice(head);
    key.extend_from_slice(tail);
}
