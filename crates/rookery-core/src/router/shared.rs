//! Shared subscriptions: one group of members for one filter, and the choice of a member.
//!
//! A group has its own lock, held for a choice or a change of one member; the router's lock is
//! taken before it, never after.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::keyed_list::{Keyed, KeyedList};
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
    connected: usize,
    away: usize,
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

    /// Number of members, connected or not.
    #[must_use]
    pub fn len(&self) -> usize {
        let members = self.lock();
        members.connected + members.away
    }

    /// Whether the last member has left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of connected members.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.lock().connected
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

    /// Adds a connected member or replaces its options; true if it is new.
    pub(super) fn insert(&self, sub: Subscriber) -> bool {
        self.lock().insert(sub)
    }

    /// True if it was a member.
    pub(super) fn remove(&self, key: SessionKey) -> bool {
        self.lock().remove(key).is_some()
    }

    /// True if it is a member.
    pub(super) fn set_connected(&self, key: SessionKey, connected: bool) -> bool {
        self.lock().set_connected(key, connected)
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

    fn count(&self, presence: Presence) -> usize {
        match presence {
            Presence::Connected => self.connected,
            Presence::Away => self.away,
        }
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
        None
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
