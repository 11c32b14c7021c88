//! Shared subscriptions: one group of members for one filter, and the choice of a member.
//!
//! A group has its own lock, held for a choice or a change of one member; the router's lock is
//! taken before it, never after.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::keyed_list::{Keyed, KeyedList};
use super::routes::{NODES_SHARD, Weight};
use super::subscriber::Subscriber;
use crate::config::SharedStrategy;
use crate::ids::SessionKey;

/// What a choice may depend on; what a strategy does not use may be 0.
#[derive(Copy, Clone, Debug, Default)]
pub struct PickContext {
    /// Hash of the publisher's client id.
    pub publisher_hash: u64,
    /// Hash of the topic name.
    pub topic_hash: u64,
    /// A random number.
    pub random: u64,
    /// The shard that dispatches the message.
    pub local_shard: u16,
}

/// The members that live on one shard.
#[derive(Debug, Default)]
struct ShardMembers {
    shard: u16,
    connected: KeyedList<Subscriber>,
    away: KeyedList<Subscriber>,
}

impl ShardMembers {
    fn list(&self, presence: Presence) -> &KeyedList<Subscriber> {
        match presence {
            Presence::Connected => &self.connected,
            Presence::Away => &self.away,
        }
    }
}

#[derive(Copy, Clone)]
enum Presence {
    Connected,
    Away,
}

#[derive(Debug, Default)]
struct Members {
    /// Only shards that have members.
    shards: Vec<ShardMembers>,
    /// Members on this node.
    connected: usize,
    away: usize,
    /// What other nodes have; only those with members.
    remotes: Vec<(u16, Weight)>,
    turn: u64,
    sticky: Option<SessionKey>,
}

/// A shared subscription: `$share/<name>/<filter>`.
#[derive(Debug)]
pub struct SharedGroup {
    name: Box<str>,
    filter: Box<str>,
    mark: u32,
    members: Mutex<Members>,
}

impl SharedGroup {
    pub(super) fn new(name: &str, filter: &str) -> Self {
        Self {
            name: name.into(),
            filter: filter.into(),
            mark: mark_of(name, filter),
            members: Mutex::new(Members::default()),
        }
    }

    /// The share name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topic filter, without `$share/<name>/`.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// A number for name and filter that is the same after a restart, never 0; stored with the
    /// messages of the group. It tells the few shared subscriptions of one session apart.
    #[must_use]
    pub fn mark(&self) -> u32 {
        self.mark
    }

    /// Number of members on this node, connected or not.
    #[must_use]
    pub fn len(&self) -> usize {
        let members = self.lock();
        members.connected + members.away
    }

    /// Whether this node has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of connected members on this node.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.lock().connected
    }

    /// Whether other nodes have members.
    #[must_use]
    pub fn has_remotes(&self) -> bool {
        !self.lock().remotes.is_empty()
    }

    /// What this node has.
    pub(super) fn weight(&self) -> Weight {
        self.lock().weight()
    }

    /// What another node has.
    pub(super) fn remote(&self, node: u16) -> Weight {
        self.lock().remotes.iter().find(|(at, _)| *at == node).map_or(Weight::NONE, |(_, w)| *w)
    }

    /// Notes what another node has; what it had.
    pub(super) fn set_remote(&self, node: u16, weight: Weight) -> Weight {
        let mut members = self.lock();
        let at = members.remotes.iter().position(|(at, _)| *at == node);
        let was = at.and_then(|at| members.remotes.get(at)).map_or(Weight::NONE, |(_, w)| *w);
        members.remotes.retain(|(at, _)| *at != node);
        if !weight.is_none() {
            members.remotes.push((node, weight));
        }
        was
    }

    /// Whether this session is a member.
    #[must_use]
    pub fn contains(&self, key: SessionKey) -> bool {
        let members = self.lock();
        members
            .shard(key.shard)
            .is_some_and(|s| s.connected.get(&key).is_some() || s.away.get(&key).is_some())
    }

    /// Chooses a member for one message, none of `exclude`: those that were tried before.
    ///
    /// Disconnected members are chosen only when no connected one is left. The cost is a few
    /// steps per shard with members and the square of `exclude`, not the size of the group.
    #[must_use]
    pub fn pick(
        &self,
        strategy: SharedStrategy,
        ctx: PickContext,
        exclude: &[SessionKey],
    ) -> Option<Subscriber> {
        self.lock().pick(strategy, ctx, exclude)
    }

    /// The same among the members on this node: what came from another one stays here.
    #[must_use]
    pub fn pick_here(
        &self,
        strategy: SharedStrategy,
        ctx: PickContext,
        exclude: &[SessionKey],
    ) -> Option<Subscriber> {
        let mut members = self.lock();
        let remotes = std::mem::take(&mut members.remotes);
        let picked = members.pick(strategy, ctx, exclude);
        members.remotes = remotes;
        picked
    }

    /// Adds a connected member or replaces its options; true if it is new.
    pub(super) fn insert(&self, sub: Subscriber) -> bool {
        self.lock().insert(sub)
    }

    /// True if it was a member.
    pub(super) fn remove(&self, key: SessionKey) -> bool {
        self.lock().remove(key).is_some()
    }

    /// True if it is a member. What that changes for other nodes is noted under the lock, so that
    /// it is told in order.
    pub(super) fn set_connected(
        &self,
        key: SessionKey,
        connected: bool,
        note: impl FnOnce(Weight, Weight),
    ) -> bool {
        let mut members = self.lock();
        let was = members.weight();
        let is_member = members.set_connected(key, connected);
        note(was, members.weight());
        is_member
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// FNV-1a over name and filter.
fn mark_of(name: &str, filter: &str) -> u32 {
    let bytes = name.bytes().chain([b'/']).chain(filter.bytes());
    let hash = bytes
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.max(1)
}

impl Keyed for std::sync::Arc<SharedGroup> {
    type Key = str;
    fn key(&self) -> &str {
        &self.name
    }
}

impl Members {
    fn shard(&self, shard: u16) -> Option<&ShardMembers> {
        self.shards.iter().find(|members| members.shard == shard)
    }

    fn shard_mut(&mut self, shard: u16) -> Option<&mut ShardMembers> {
        self.shards.iter_mut().find(|members| members.shard == shard)
    }

    fn weight(&self) -> Weight {
        Weight::of(self.connected, self.away)
    }

    fn count(&self, presence: Presence) -> usize {
        let here = match presence {
            Presence::Connected => self.connected,
            Presence::Away => self.away,
        };
        here + self.remotes.iter().map(|(_, weight)| share_of(*weight, presence)).sum::<usize>()
    }

    fn insert(&mut self, sub: Subscriber) -> bool {
        let is_new = self.remove_keeping_sticky(sub.key).is_none();
        let shard = sub.key.shard;
        match self.shard_mut(shard) {
            Some(members) => members.connected.push(sub),
            None => {
                let mut members = ShardMembers { shard, ..ShardMembers::default() };
                members.connected.push(sub);
                self.shards.push(members);
            }
        }
        self.connected += 1;
        is_new
    }

    fn remove(&mut self, key: SessionKey) -> Option<Subscriber> {
        if self.sticky == Some(key) {
            self.sticky = None;
        }
        self.remove_keeping_sticky(key)
    }

    fn remove_keeping_sticky(&mut self, key: SessionKey) -> Option<Subscriber> {
        let at = self.shards.iter().position(|members| members.shard == key.shard)?;
        let members = &mut self.shards[at];
        let removed = if let Some(sub) = members.connected.remove(&key) {
            self.connected -= 1;
            Some(sub)
        } else if let Some(sub) = members.away.remove(&key) {
            self.away -= 1;
            Some(sub)
        } else {
            None
        };
        let members = &self.shards[at];
        if members.connected.is_empty() && members.away.is_empty() {
            self.shards.swap_remove(at);
        }
        removed
    }

    fn set_connected(&mut self, key: SessionKey, connected: bool) -> bool {
        let Some(members) = self.shard_mut(key.shard) else { return false };
        let (from, to) = if connected {
            (&mut members.away, &mut members.connected)
        } else {
            (&mut members.connected, &mut members.away)
        };
        let Some(sub) = from.remove(&key) else { return to.get(&key).is_some() };
        to.push(sub);
        if connected {
            self.away -= 1;
            self.connected += 1;
        } else {
            self.connected -= 1;
            self.away += 1;
            if self.sticky == Some(key) {
                self.sticky = None;
            }
        }
        true
    }

    fn pick(
        &mut self,
        strategy: SharedStrategy,
        ctx: PickContext,
        exclude: &[SessionKey],
    ) -> Option<Subscriber> {
        let start = match strategy {
            SharedStrategy::RoundRobin | SharedStrategy::Local => {
                self.turn = self.turn.wrapping_add(1);
                self.turn
            }
            SharedStrategy::Random | SharedStrategy::Sticky => ctx.random,
            SharedStrategy::HashClientId => ctx.publisher_hash,
            SharedStrategy::HashTopic => ctx.topic_hash,
        };
        match strategy {
            SharedStrategy::Sticky => {
                if let Some(sub) = self.stuck_to(exclude) {
                    return Some(sub);
                }
            }
            SharedStrategy::Local => {
                let local = self.shard(ctx.local_shard).map(|members| members.connected.as_slice());
                if let Some(sub) = local.and_then(|local| choose_in(local, start, exclude)) {
                    return Some(sub);
                }
                let here = candidates(self.connected, start, exclude)
                    .filter_map(|at| self.nth(Presence::Connected, at))
                    .find(|sub| !exclude.contains(&sub.key));
                if here.is_some() {
                    return here;
                }
            }
            _ => {}
        }
        if let Some(sub) = self.choose(Presence::Connected, start, exclude) {
            if strategy == SharedStrategy::Sticky {
                self.sticky = Some(sub.key);
            }
            return Some(sub);
        }
        self.choose(Presence::Away, start, exclude)
    }

    fn stuck_to(&self, exclude: &[SessionKey]) -> Option<Subscriber> {
        let key = self.sticky.filter(|key| !exclude.contains(key))?;
        if key.shard == NODES_SHARD {
            let is_there = |(node, weight): &(u16, Weight)| {
                u32::from(*node) == key.slot && weight.connected() > 0
            };
            let sub = Subscriber { key, ..Subscriber::default() };
            return self.remotes.iter().any(is_there).then_some(sub);
        }
        self.shard(key.shard)?.connected.get(&key).copied()
    }

    /// The first member from place `start` on that is not excluded.
    fn choose(&self, presence: Presence, start: u64, exclude: &[SessionKey]) -> Option<Subscriber> {
        let count = self.count(presence);
        candidates(count, start, exclude)
            .filter_map(|at| self.nth(presence, at))
            .find(|sub| !exclude.contains(&sub.key))
    }

    fn nth(&self, presence: Presence, mut at: usize) -> Option<Subscriber> {
        for members in &self.shards {
            let list = members.list(presence);
            if at < list.len() {
                return list.as_slice().get(at).copied();
            }
            at -= list.len();
        }
        for (node, weight) in &self.remotes {
            let share = share_of(*weight, presence);
            if at < share {
                #[allow(clippy::cast_possible_truncation)] // a share has 16 bits
                let key =
                    SessionKey { shard: NODES_SHARD, generation: at as u16, slot: (*node).into() };
                return Some(Subscriber { key, ..Subscriber::default() });
            }
            at -= share;
        }
        None
    }
}

/// How many of another node's members may be chosen; of those that are away only whether there are
/// some is known.
const fn share_of(weight: Weight, presence: Presence) -> usize {
    match presence {
        Presence::Connected => weight.connected(),
        Presence::Away => weight.has_away() as usize,
    }
}

/// Places to try: members are distinct, so one more than are excluded is enough.
#[allow(clippy::cast_possible_truncation)]
fn candidates(count: usize, start: u64, exclude: &[SessionKey]) -> impl Iterator<Item = usize> {
    let start = start.checked_rem(count as u64).unwrap_or(0) as usize;
    (0..count.min(exclude.len() + 1)).map(move |step| (start + step) % count)
}

fn choose_in(members: &[Subscriber], start: u64, exclude: &[SessionKey]) -> Option<Subscriber> {
    candidates(members.len(), start, exclude)
        .map(|at| members[at])
        .find(|sub| !exclude.contains(&sub.key))
}
