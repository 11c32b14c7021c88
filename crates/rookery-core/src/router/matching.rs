//! Search of the trie for one topic, and its result.
//!
//! The search goes level by level with the set of nodes reached so far. Each node is reached at
//! most once, so a search costs at most the number of filter prefixes that match prefixes of the
//! topic: with L levels no more than 2^L and never more than the trie has nodes. What clients can
//! make it cost is therefore bounded by the limits on topic levels and subscriptions per client.
//! Filters that do not match cost nothing beyond the size of the hash tables.

use std::sync::Arc;

use rookery_codec::QoS;
use smallvec::SmallVec;

use super::arena::NIL;
use super::node::ROOT;
use super::routes::{NODES_SHARD, node_key};
use super::shared::SharedGroup;
use super::subscriber::{SubOpts, Subscriber, key_word};
use super::trie::Trie;
use crate::ids::SessionKey;

/// Working memory above this many subscribers is given back after a search.
const SCRATCH_KEPT: usize = 16_384;

/// The Subscription Identifiers of a [`Target`]; read them with [`Matched::sub_ids`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SubIds(u32);

impl SubIds {
    /// Identifiers have 28 bits; with this bit the rest is a place in `Matched::more_ids`.
    const MORE: u32 = 1 << 31;

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One session that gets a message, and how.
#[derive(Copy, Clone, Debug)]
pub struct Target {
    /// The session.
    pub key: SessionKey,
    /// Its identity in the durable store; 0 if it is not durable.
    pub durable_id: u64,
    /// The identifiers of all its subscriptions that match.
    pub sub_ids: SubIds,
    /// The options of all its subscriptions that match, merged ([`SubOpts::merged`]).
    pub opts: SubOpts,
}

impl Target {
    /// Another node, in whose hands the rest is.
    fn of_node(node: u16) -> Self {
        let opts = SubOpts::new(QoS::ExactlyOnce, false, true, 0);
        Self { key: node_key(node), durable_id: 0, sub_ids: SubIds::default(), opts }
    }
}

/// A shared subscription that matches.
#[derive(Clone, Debug)]
pub struct GroupMatch {
    /// The group; its members may change while the match result is kept.
    pub group: Arc<SharedGroup>,
}

impl GroupMatch {
    /// The share name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.group.name()
    }

    /// The topic filter, without `$share/<name>/`.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.group.filter()
    }
}

/// Who gets the messages of one topic.
#[derive(Debug, Default)]
pub struct Matched {
    /// One per session, ordered by key: the targets of a shard are one range. Other nodes come last,
    /// then linked clusters, each once, as targets of [`NODES_SHARD`] and
    /// [`super::routes::LINKS_SHARD`].
    pub targets: SmallVec<[Target; 1]>,
    /// The shared subscriptions; each of them chooses a member per message.
    pub groups: Box<[GroupMatch]>,
    /// Numbers of the rules that see the messages, ordered.
    pub rules: Box<[u32]>,
    /// Number of targets that are durable.
    pub durable: u32,
    /// A count and then as many identifiers, for each target with more than one.
    more_ids: Box<[u32]>,
}

impl Matched {
    /// Whether nobody is subscribed; rules are nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.groups.is_empty()
    }

    /// The Subscription Identifiers of a target of this result, one per matching subscription that
    /// has one (MQTT-5.0 [MQTT-3.3.4-3], [MQTT-3.3.4-4]).
    #[must_use]
    pub fn sub_ids<'a>(&'a self, target: &'a Target) -> &'a [u32] {
        match target.sub_ids.0 {
            0 => &[],
            more if more & SubIds::MORE != 0 => {
                let at = (more & !SubIds::MORE) as usize;
                let count = self.more_ids.get(at).map_or(0, |count| *count as usize);
                self.more_ids.get(at + 1..at + 1 + count).unwrap_or_default()
            }
            _ => std::slice::from_ref(&target.sub_ids.0),
        }
    }

    /// The targets, one range per shard that has any.
    pub fn by_shard(&self) -> impl Iterator<Item = (u16, &[Target])> {
        self.targets
            .chunk_by(|a, b| a.key.shard == b.key.shard)
            .filter_map(|range| Some((range.first()?.key.shard, range)))
    }

    /// The targets that are on this node.
    #[must_use]
    pub fn local(&self) -> &[Target] {
        let end = self.targets.partition_point(|target| target.key.shard < NODES_SHARD);
        &self.targets[..end]
    }

    /// The targets of one shard.
    #[must_use]
    pub fn targets_of(&self, shard: u16) -> &[Target] {
        let from = self.targets.partition_point(|target| target.key.shard < shard);
        let rest = &self.targets[from..];
        &rest[..rest.partition_point(|target| target.key.shard == shard)]
    }

    /// What the result counts for in a cache's budget.
    pub(super) fn weight(&self) -> usize {
        self.targets.len() + self.groups.len() + self.more_ids.len() / 4 + self.rules.len() / 4
    }
}

/// Working memory of searches, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    reached: Vec<u32>,
    next: Vec<u32>,
    subs: Vec<Subscriber>,
    groups: Vec<GroupMatch>,
    rules: Vec<u32>,
    remotes: Vec<u16>,
}

impl Scratch {
    /// Collects what matches; needs the trie.
    pub(super) fn search(&mut self, trie: &Trie, topic: &str) {
        self.subs.clear();
        self.groups.clear();
        self.rules.clear();
        self.remotes.clear();
        self.reached.clear();
        self.reached.push(ROOT);
        // MQTT-5.0 [MQTT-4.7.2-1]: a leading wildcard does not match a topic that begins with `$`.
        let mut wildcards = !topic.starts_with('$');
        for level in topic.as_bytes().split(|byte| *byte == b'/') {
            let number = trie.level_number(level);
            self.next.clear();
            for at in 0..self.reached.len() {
                let id = self.reached[at];
                let node = trie.node(id);
                if wildcards {
                    if node.hash != NIL {
                        self.collect(trie, node.hash);
                    }
                    if node.plus != NIL {
                        self.next.push(node.plus);
                    }
                }
                if let Some(number) = number
                    && node.children != 0
                    && let Some(child) = trie.child(id, number)
                {
                    self.next.push(child);
                }
            }
            std::mem::swap(&mut self.reached, &mut self.next);
            if self.reached.is_empty() {
                return;
            }
            wildcards = true;
        }
        for at in 0..self.reached.len() {
            let id = self.reached[at];
            self.collect(trie, id);
            // `a/#` includes the parent level `a` (MQTT-5.0 §4.7.1.2).
            let hash = trie.node(id).hash;
            if hash != NIL {
                self.collect(trie, hash);
            }
        }
    }

    fn collect(&mut self, trie: &Trie, id: u32) {
        self.subs.extend_from_slice(trie.subscribers(id));
        let groups = trie.groups(id).iter();
        self.groups.extend(groups.map(|group| GroupMatch { group: Arc::clone(group) }));
        self.rules.extend_from_slice(trie.rules(id));
        self.remotes.extend_from_slice(trie.remotes(id));
    }

    /// Orders and merges what was collected; does not need the trie.
    pub(super) fn result(&mut self) -> Matched {
        let key = |sub: &Subscriber| key_word(sub.key);
        if !self.subs.is_sorted_by_key(key) {
            self.subs.sort_unstable_by_key(key);
        }
        let mut more_ids = Vec::new();
        let mut durable = 0;
        let same_session = |a: &Subscriber, b: &Subscriber| a.key == b.key;
        let targets = self
            .subs
            .chunk_by(same_session)
            .filter_map(|subs| merge(subs, &mut more_ids))
            .inspect(|target| durable += u32::from(target.durable_id != 0));
        // A node gets one copy however many of its filters match.
        self.remotes.sort_unstable();
        self.remotes.dedup();
        let targets = targets.chain(self.remotes.drain(..).map(Target::of_node)).collect();
        let groups = self.groups.drain(..).collect();
        // A rule with several filters sees a message once.
        self.rules.sort_unstable();
        self.rules.dedup();
        let rules = self.rules.as_slice().into();
        self.rules.clear();
        self.subs.clear();
        self.subs.shrink_to(SCRATCH_KEPT);
        self.reached.shrink_to(SCRATCH_KEPT);
        self.next.shrink_to(SCRATCH_KEPT);
        Matched { targets, groups, rules, durable, more_ids: more_ids.into() }
    }
}

/// One delivery for all matching subscriptions of a session (MQTT-5.0 §3.3.4).
#[allow(clippy::cast_possible_truncation)]
fn merge(subs: &[Subscriber], more_ids: &mut Vec<u32>) -> Option<Target> {
    let (first, rest) = subs.split_first()?;
    let mut target = Target {
        key: first.key,
        durable_id: first.durable_id,
        sub_ids: SubIds(first.sub_id),
        opts: first.opts,
    };
    if rest.is_empty() {
        return Some(target);
    }
    let at = more_ids.len();
    more_ids.push(0);
    more_ids.extend(subs.iter().map(|sub| sub.sub_id).filter(|id| *id != 0));
    let count = more_ids.len() - at - 1;
    match more_ids.get(at + 1) {
        None => {
            target.sub_ids = SubIds(0);
            more_ids.truncate(at);
        }
        Some(id) if count == 1 => {
            target.sub_ids = SubIds(*id);
            more_ids.truncate(at);
        }
        Some(_) => {
            target.sub_ids = SubIds(at as u32 | SubIds::MORE);
            more_ids[at] = count as u32;
        }
    }
    for sub in rest {
        target.opts = target.opts.merged(sub.opts);
        target.durable_id = target.durable_id.max(sub.durable_id);
    }
    Some(target)
}
