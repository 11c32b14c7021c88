//! Which sessions get the messages of a topic.
//!
//! Owns the subscriptions of the whole node: one trie of topic filters behind a lock of which
//! readers touch only their own part, shared by all shards. Each shard keeps its own
//! [`MatchCache`], so that most messages touch neither lock nor trie. It does **not** own sessions:
//! a subscriber is a key and options, and filters come in validated, without `$share/<name>/`.
//!
//! **Invariants.** After a change returned, every search that starts later on any thread sees it.
//! The lock is held for one change, one search, or [`BATCH`] changes.

mod arena;
mod cache;
mod keyed_list;
mod level_names;
mod matching;
mod node;
mod routes;
mod shared;
mod stamps;
mod subscriber;
mod tables;
#[cfg(test)]
mod tests;
mod trie;
mod trie_routes;

use std::sync::PoisonError;

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};

pub use crate::config::SharedStrategy;
pub use cache::{CacheCounts, MatchCache};
pub use matching::{GroupMatch, Matched, SubIds, Target};
pub(crate) use routes::Tracking;
pub use routes::{
    Feed, LINK_COPIES_FROM, LINKS_FROM, LINKS_SHARD, NODES_SHARD, RouteChange, RouteChanges,
    Weight, node_key,
};
pub use shared::{PickContext, SharedGroup};
pub use subscriber::{SubOpts, Subscriber};

use crate::ids::SessionKey;
use matching::Scratch;
use node::Change;
use stamps::Stamps;
use trie::Trie;

pub(crate) use stamps::{first_levels, hash_bytes};
pub(crate) use tables::Tables;

/// Changes made under one hold of the write lock.
pub const BATCH: usize = 256;

/// Places looked at for each filter asked for by [`Router::list_filters`].
const VISITS_PER_FILTER: usize = 16;

/// A subscription as the batch operations name it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FilterRef<'a> {
    /// The share name of a shared subscription.
    pub group: Option<&'a str>,
    /// The topic filter, without `$share/<name>/`.
    pub filter: &'a str,
}

/// A part of the list of filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterPage {
    /// Distinct topic filters, each with its number of subscriptions, shared ones included.
    pub filters: Vec<(String, usize)>,
    /// Where the next part begins; none after the last one.
    pub next: Option<u32>,
}

/// The subscriptions of a node.
#[derive(Debug)]
pub struct Router {
    trie: ShardedLock<Trie>,
    stamps: Stamps,
    /// Who wants to know of subscriptions here: [`Feed::Nodes`], [`Feed::Links`].
    feeds: [routes::Tracking; 2],
}

impl Default for Router {
    fn default() -> Self {
        Self::new()
    }
}

impl Router {
    /// A router without subscriptions.
    #[must_use]
    pub fn new() -> Self {
        Self {
            trie: ShardedLock::new(Trie::new()),
            stamps: Stamps::new(),
            feeds: Default::default(),
        }
    }

    // A panic while the lock was held is a bug of the trie; going on with what is there serves
    // the other clients.
    fn read(&self) -> ShardedLockReadGuard<'_, Trie> {
        self.trie.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> ShardedLockWriteGuard<'_, Trie> {
        self.trie.write().unwrap_or_else(PoisonError::into_inner)
    }

    const fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    /// Adds a subscription or replaces the one of the same session and filter; true if it is new.
    pub fn subscribe(&self, filter: &str, sub: Subscriber) -> bool {
        self.insert(&mut self.write(), None, filter, sub)
    }

    /// Takes a subscription away; true if it was there.
    pub fn unsubscribe(&self, filter: &str, key: SessionKey) -> bool {
        self.remove(&mut self.write(), None, filter, key)
    }

    /// Adds a member to a shared subscription, connected, or replaces it; true if it is new.
    pub fn subscribe_shared(&self, group: &str, filter: &str, sub: Subscriber) -> bool {
        self.insert(&mut self.write(), Some(group), filter, sub)
    }

    /// Takes a member from a shared subscription; true if it was there.
    pub fn unsubscribe_shared(&self, group: &str, filter: &str, key: SessionKey) -> bool {
        self.remove(&mut self.write(), Some(group), filter, key)
    }

    /// Tells whether a member of a shared subscription is connected; true if it is a member.
    pub fn set_connected(
        &self,
        group: &str,
        filter: &str,
        key: SessionKey,
        connected: bool,
    ) -> bool {
        let trie = self.read();
        let Some(found) = trie.group(group, filter) else { return false };
        let note = |was, is| {
            if self.is_tracking() {
                self.note_change(Some(group), filter, was, is);
            }
        };
        found.set_connected(key, connected, note)
    }

    /// A shared subscription that has members.
    #[must_use]
    pub fn shared_group(&self, group: &str, filter: &str) -> Option<std::sync::Arc<SharedGroup>> {
        self.read().group(group, filter).cloned()
    }

    /// Adds many subscriptions, [`BATCH`] under one hold of the lock; for each one, whether it is
    /// new.
    pub fn subscribe_many(&self, items: &[(FilterRef<'_>, Subscriber)]) -> Vec<bool> {
        let mut is_new = Vec::with_capacity(items.len());
        for batch in items.chunks(BATCH) {
            let mut trie = self.write();
            for (at, sub) in batch {
                is_new.push(self.insert(&mut trie, at.group, at.filter, *sub));
            }
        }
        is_new
    }

    /// Takes many subscriptions of one session away, [`BATCH`] under one hold of the lock; how
    /// many were there.
    pub fn unsubscribe_many(&self, items: &[FilterRef<'_>], key: SessionKey) -> usize {
        let mut removed = 0;
        for batch in items.chunks(BATCH) {
            let mut trie = self.write();
            for at in batch {
                removed += usize::from(self.remove(&mut trie, at.group, at.filter, key));
            }
        }
        removed
    }

    /// Lets rules see the messages of filters: pairs of filter and number of the rule. [`BATCH`]
    /// under one hold of the lock.
    pub fn add_rules(&self, items: &[(&str, u32)]) {
        for batch in items.chunks(BATCH) {
            let mut trie = self.write();
            for (filter, number) in batch {
                if trie.insert_rule(filter, *number) {
                    self.stamps.bump(filter);
                }
            }
        }
    }

    /// The inverse of [`Router::add_rules`]; what is not there is no error.
    pub fn remove_rules(&self, items: &[(&str, u32)]) {
        for batch in items.chunks(BATCH) {
            let mut trie = self.write();
            for (filter, number) in batch {
                if trie.remove_rule(filter, *number) {
                    self.stamps.bump(filter);
                }
            }
        }
    }

    fn insert(&self, trie: &mut Trie, group: Option<&str>, filter: &str, sub: Subscriber) -> bool {
        let was = self.is_tracking().then(|| trie.local_weight(group, filter));
        let (is_new, changes_results) = match group {
            Some(group) => trie.insert_shared(group, filter, sub),
            None => {
                let change = trie.insert(filter, sub);
                (change == Change::Added, change != Change::Unchanged)
            }
        };
        if changes_results {
            self.stamps.bump(filter);
        }
        if let Some(was) = was {
            self.note_change(group, filter, was, trie.local_weight(group, filter));
        }
        is_new
    }

    fn remove(&self, trie: &mut Trie, group: Option<&str>, filter: &str, key: SessionKey) -> bool {
        let was = self.is_tracking().then(|| trie.local_weight(group, filter));
        let (was_there, changes_results) = match group {
            Some(group) => trie.remove_shared(group, filter, key),
            None => {
                let was_there = trie.remove(filter, key);
                (was_there, was_there)
            }
        };
        if changes_results {
            self.stamps.bump(filter);
        }
        if let Some(was) = was {
            self.note_change(group, filter, was, trie.local_weight(group, filter));
        }
        was_there
    }

    /// Who gets a message on this topic, without a cache.
    #[must_use]
    pub fn matches(&self, topic: &str) -> Matched {
        self.search(topic, &mut Scratch::default())
    }

    fn search(&self, topic: &str, scratch: &mut Scratch) -> Matched {
        scratch.search(&self.read(), topic);
        scratch.result()
    }

    /// Number of subscriptions, shared ones included.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        let counts = self.read().counts();
        counts.subscriptions + counts.shared
    }

    /// Number of shared subscriptions: members of all groups.
    #[must_use]
    pub fn shared_subscriptions(&self) -> usize {
        self.read().counts().shared
    }

    /// Number of shared groups.
    #[must_use]
    pub fn shared_groups(&self) -> usize {
        self.read().counts().groups
    }

    /// Number of distinct topic filters.
    #[must_use]
    pub fn topics(&self) -> usize {
        self.read().counts().filters
    }

    /// Estimate of the memory in use, kept up to date, so cheap to ask for.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.stamps.memory_bytes() + self.read().memory_bytes()
    }

    /// Inner nodes and distinct level texts that the subscriptions need.
    #[must_use]
    pub fn places_in_use(&self) -> (usize, usize) {
        self.read().places_in_use()
    }

    /// Whether somebody subscribed to a topic filter.
    #[must_use]
    pub fn has_filter(&self, filter: &str) -> bool {
        self.read().has_filter(filter)
    }

    /// At most `limit` topic filters from a place on (`None`: the beginning), in no useful order.
    ///
    /// A call does a bounded amount of work, so a page may be short or empty though `next` says
    /// that there is more. A filter that exists during the whole listing comes exactly once.
    #[must_use]
    pub fn list_filters(&self, from: Option<u32>, limit: usize) -> FilterPage {
        let limit = limit.max(1);
        let visits = limit.saturating_mul(VISITS_PER_FILTER);
        let (filters, next) = self.read().filters_from(from.unwrap_or(0), limit, visits);
        FilterPage { filters, next }
    }
}
