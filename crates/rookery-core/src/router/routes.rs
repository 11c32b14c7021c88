//! Who else has subscribers: topic filter → nodes of the cluster, and what changes here for them.
//!
//! Routes of other nodes stand in the trie beside subscriptions and rules. A place of the trie
//! holds the number of a set of nodes; each distinct set is kept once, so that a route costs four
//! octets beside its filter. In a match result nodes are targets of the shard [`NODES_SHARD`].
//! Linked clusters stand there as nodes do, under the numbers from [`LINKS_FROM`] on; they are
//! targets of the shard [`LINKS_SHARD`].
//!
//! Members of a shared subscription on other nodes count in its group by node and number.
//!
//! **Invariant.** Every change of what this node has for a filter is told once to each [`Feed`],
//! in the order of the changes of that filter, from [`Router::track_routes`] on. Before that nothing
//! is kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Router;
use crate::ids::SessionKey;

/// The shard that stands for other nodes in match results; `slot` is the number of the node.
pub const NODES_SHARD: u16 = u16::MAX - 1;

/// The same for linked clusters; `slot` is the number of the link.
pub const LINKS_SHARD: u16 = u16::MAX;

/// Numbers below it stand for nodes, the others for links.
pub const LINKS_FROM: u16 = 0xF000;

/// From here on they stand for what another node of the cluster told of a link.
pub const LINK_COPIES_FROM: u16 = 0xF800;

/// Who is told of subscriptions here.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The other nodes of the cluster.
    Nodes,
    /// Linked clusters.
    Links,
}

/// Changes that may wait to be taken; beyond it they are forgotten and told as lost.
const CHANGES_MAX: usize = 1 << 20;

/// What a node has for a filter: how many connected subscribers, whether some are away.
///
/// For filters that are not shared only whether there are any counts.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Somebody.
    pub const SOME: Self = Self(2);

    /// Of members of a shared subscription.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn of(connected: usize, away: usize) -> Self {
        Self((connected.min(0xffff) as u32) << 1 | u32::from(away > 0))
    }

    /// As one word, for the wire.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The inverse of [`Weight::bits`].
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & 0x1_ffff)
    }

    /// Whether there is nobody.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Number of connected members.
    #[must_use]
    pub const fn connected(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether there are members that are not connected.
    #[must_use]
    pub const fn has_away(self) -> bool {
        self.0 & 1 != 0
    }
}

/// What became of a filter on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteChange {
    /// The share name of a shared subscription.
    pub group: Option<Box<str>>,
    /// The topic filter, without `$share/<name>/`.
    pub filter: Box<str>,
    /// What there was.
    pub was: Weight,
    /// What there is.
    pub is: Weight,
}

/// Changes since the last time they were taken.
#[derive(Debug, Default)]
pub struct RouteChanges {
    /// In order.
    pub changes: Vec<RouteChange>,
    /// More came than may wait: only a walk over all filters tells what there is.
    pub is_lost: bool,
}

/// What a feed has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    is_on: AtomicBool,
    has_changes: AtomicBool,
    /// Taken after the lock of the trie, never before.
    changes: Mutex<RouteChanges>,
}

impl Tracking {
    pub(crate) fn has_changes(&self) -> bool {
        self.has_changes.load(Ordering::Acquire)
    }

    pub(crate) fn take(&self) -> RouteChanges {
        self.has_changes.store(false, Ordering::Release);
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins or ends; what waits is forgotten.
    pub(crate) fn set(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Release);
        drop(self.take());
    }

    /// Only a walk over everything tells what there is.
    pub(crate) fn lose(&self) {
        if self.is_on.load(Ordering::Acquire) {
            let lost = RouteChanges { changes: Vec::new(), is_lost: true };
            *self.changes.lock().unwrap_or_else(PoisonError::into_inner) = lost;
            self.has_changes.store(true, Ordering::Release);
        }
    }

    pub(crate) fn note(&self, group: Option<&str>, filter: &str, was: Weight, is: Weight) {
        if !self.is_on.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.changes.len() >= CHANGES_MAX {
            *waiting = RouteChanges { changes: Vec::new(), is_lost: true };
        }
        if !waiting.is_lost {
            let group = group.map(Box::from);
            waiting.changes.push(RouteChange { group, filter: filter.into(), was, is });
        }
        self.has_changes.store(true, Ordering::Release);
    }
}

/// Each distinct set of nodes, once.
#[derive(Debug, Default)]
pub(super) struct NodeSets {
    /// Sorted; the first is the empty set.
    sets: Vec<(Box<[u16]>, usize)>,
    by_set: HashMap<Box<[u16]>, u32>,
    free: Vec<u32>,
}

impl NodeSets {
    pub(super) fn nodes(&self, set: u32) -> &[u16] {
        self.sets.get(set as usize).map_or(&[], |(nodes, _)| nodes)
    }

    /// The set with or without a node, in the place of `set`; `None` if that changes nothing.
    pub(super) fn replace(&mut self, set: u32, node: u16, is_in: bool) -> Option<u32> {
        let present = self.nodes(set);
        let mut nodes = match (present.binary_search(&node), is_in) {
            (Ok(_), true) | (Err(_), false) => return None,
            (Ok(at), false) => {
                let mut nodes = present.to_vec();
                nodes.remove(at);
                nodes
            }
            (Err(at), true) => {
                let mut nodes = present.to_vec();
                nodes.insert(at, node);
                nodes
            }
        };
        nodes.shrink_to_fit();
        let new = self.acquire(nodes.into());
        self.release(set);
        Some(new)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn acquire(&mut self, nodes: Box<[u16]>) -> u32 {
        if nodes.is_empty() {
            return 0;
        }
        if self.sets.is_empty() {
            self.sets.push((Box::default(), 0));
        }
        if let Some(set) = self.by_set.get(&nodes).copied() {
            if let Some((_, uses)) = self.sets.get_mut(set as usize) {
                *uses += 1;
            }
            return set;
        }
        let set = self.free.pop().unwrap_or(self.sets.len() as u32);
        self.by_set.insert(nodes.clone(), set);
        match self.sets.get_mut(set as usize) {
            Some(place) => *place = (nodes, 1),
            None => self.sets.push((nodes, 1)),
        }
        set
    }

    fn release(&mut self, set: u32) {
        let Some((nodes, uses)) = self.sets.get_mut(set as usize).filter(|_| set != 0) else {
            return;
        };
        *uses -= 1;
        if *uses == 0 {
            let nodes = std::mem::take(nodes);
            self.by_set.remove(&nodes);
            self.free.push(set);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_set.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let each = size_of::<(Box<[u16]>, usize)>() + size_of::<(Box<[u16]>, u32)>();
        self.sets.capacity() * each
            + self.sets.iter().map(|(nodes, _)| 2 * size_of_val(&**nodes)).sum::<usize>()
    }
}

impl Router {
    /// Notes from now on what a feed has to know of subscriptions here, and tells what there is.
    /// The lock is held meanwhile: for the start of a cluster, not for later.
    pub fn track_routes(&self, feed: Feed, mut each: impl FnMut(Option<&str>, &str, Weight)) {
        let trie = self.write();
        self.feed(feed).set(true);
        trie.local_routes(0, usize::MAX, &mut each);
    }

    /// The inverse; what waits is forgotten.
    pub fn untrack_routes(&self, feed: Feed) {
        let _trie = self.write();
        self.feed(feed).set(false);
    }

    /// Whether somebody has to be told of changes.
    #[inline]
    #[must_use]
    pub fn has_route_changes(&self, feed: Feed) -> bool {
        self.feed(feed).has_changes()
    }

    /// Takes the changes that wait.
    #[must_use]
    pub fn take_route_changes(&self, feed: Feed) -> RouteChanges {
        self.feed(feed).take()
    }

    const fn feed(&self, feed: Feed) -> &Tracking {
        let [nodes, links] = &self.feeds;
        match feed {
            Feed::Nodes => nodes,
            Feed::Links => links,
        }
    }

    /// A part of what this node has, from a place on (0: the beginning); where the next part
    /// begins. Looks at no more than `visits` places.
    pub fn local_routes(
        &self,
        from: u32,
        visits: usize,
        mut each: impl FnMut(Option<&str>, &str, Weight),
    ) -> Option<u32> {
        self.read().local_routes(from, visits, &mut each)
    }

    /// A part of what stands under some numbers, from a place on (0: the beginning); where the next
    /// part begins. Looks at no more than `visits` places.
    pub fn routes_of(
        &self,
        numbers: &[u16],
        from: u32,
        visits: usize,
        each: impl FnMut(u16, &str),
    ) -> Option<u32> {
        self.read().plain_routes_of(numbers, from, visits, each)
    }

    /// Notes what another node has; tells what it had. [`super::BATCH`] under one hold of the lock.
    pub fn set_routes<'a>(
        &self,
        node: u16,
        items: impl IntoIterator<Item = (Option<&'a str>, &'a str, Weight)>,
        mut each: impl FnMut(Option<&str>, &str, Weight, Weight),
    ) {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut trie = self.write();
            for (group, filter, weight) in items.by_ref().take(super::BATCH) {
                let (was, changes_results) = match group {
                    Some(group) => trie.set_remote_members(group, filter, node, weight),
                    None => trie.set_route(filter, node, !weight.is_none()),
                };
                if changes_results {
                    self.stamps.bump(filter);
                }
                each(group, filter, was, weight);
            }
        }
    }

    /// Forgets a part of what another node had; where to go on.
    pub fn clear_routes(&self, node: u16, from: u32, visits: usize) -> Option<u32> {
        let (gone, next) = {
            let mut trie = self.write();
            let (plain, groups, next) = trie.routes_of(node, from, visits);
            for filter in &plain {
                trie.set_route(filter, node, false);
            }
            for (name, filter) in &groups {
                trie.set_remote_members(name, filter, node, Weight::NONE);
            }
            (plain.into_iter().chain(groups.into_iter().map(|(_, filter)| filter)), next)
        };
        gone.for_each(|filter| self.stamps.bump(&filter));
        next
    }

    /// Distinct filters that other nodes have, those of shared subscriptions left out.
    #[must_use]
    pub fn routes(&self) -> usize {
        self.read().counts().routes
    }

    /// Distinct sets of nodes.
    #[cfg(test)]
    pub(super) fn distinct_node_sets(&self) -> usize {
        self.read().distinct_node_sets()
    }

    #[inline]
    pub(super) fn is_tracking(&self) -> bool {
        self.feeds.iter().any(|feed| feed.is_on.load(Ordering::Acquire))
    }

    /// To be called while the lock is held under which the change was made.
    pub(super) fn note_change(&self, group: Option<&str>, filter: &str, was: Weight, is: Weight) {
        if was == is {
            return;
        }
        for feed in &self.feeds {
            feed.note(group, filter, was, is);
        }
    }
}

/// The key of a node or of a link in match results.
#[must_use]
pub const fn node_key(number: u16) -> SessionKey {
    let shard = if number < LINKS_FROM { NODES_SHARD } else { LINKS_SHARD };
    SessionKey { shard, generation: 0, slot: number as u32 }
}
