//! Versions of retained messages, once the node is one of a cluster.
//!
//! Every change of [`Retained`] goes through here from then on: what is retained for a topic and its
//! version change together, under the lock of the topic's part. That lock is always taken before one of
//! [`Retained`]'s. Messages of the node itself (`$SYS`) are its own and have no version.

use std::collections::HashMap;
use std::sync::Arc;

use rookery_cluster::replica::{HybridClock, Key, ReplicaSource, Version, What, key_of};

use super::{Retained, RetainedCursor};
use crate::copies::{Copies, Foreign, Told};
use crate::ids::MessageId;
use crate::message::Message;

/// Messages looked at under one hold of a lock.
const SLICE: usize = 256;

/// What the store knew of versions when the node started.
#[derive(Debug, Default)]
pub struct Past {
    /// Versions of retained messages.
    pub versions: HashMap<Box<str>, (MessageId, Version)>,
    /// Deletions.
    pub deleted: Vec<(Key, Version)>,
    /// Deletions up to this time may have been forgotten.
    pub purged: u64,
    /// When other nodes were known to have all that was retained here.
    pub in_step: HashMap<Box<str>, u64>,
}

/// A change that was made.
#[derive(Debug)]
pub struct Changed {
    /// The key of the topic.
    pub key: Key,
    /// The version that it made.
    pub version: Version,
    /// The place among all changes of retained messages.
    pub order: u64,
    /// What was retained before.
    pub old: Option<Arc<Message>>,
    /// A deletion was known before.
    pub was_deleted: bool,
}

/// The versions.
#[derive(Debug)]
pub struct Replicated {
    copies: Copies<Message>,
    in_step: HashMap<Box<str>, u64>,
}

impl Told for Message {
    fn encode_into(&self, out: &mut Vec<u8>) {
        Message::encode_into(self, out);
    }
}

impl Replicated {
    /// Of a node whose retained messages have no versions yet; [`Replicated::adopt`] follows.
    #[must_use]
    pub fn new(node: &str, past: &Past) -> Self {
        let copies = Copies::new(node);
        copies.clock().see(past.purged);
        copies.each().for_each(|mut part| part.set_purged(past.purged));
        for (_, version) in past.versions.values() {
            copies.clock().see(version.time);
        }
        for (key, version) in &past.deleted {
            copies.clock().see(version.time);
            let unix_ms = version.unix_ms();
            copies.part(key).set(*key, version.clone(), What::Deleted, unix_ms);
        }
        Self { copies, in_step: past.in_step.clone() }
    }

    /// What other nodes are told from.
    #[must_use]
    pub const fn copies(&self) -> &Copies<Message> {
        &self.copies
    }

    /// Gives what was retained before there were versions its own: the one that the store has, or
    /// else one of the time when it was published. To be called when every change goes through here.
    pub fn adopt(&self, retained: &Retained<Message>, past: &mut Past, unix_ms: u64) {
        let mut cursor = RetainedCursor::default();
        loop {
            let mut found = Vec::new();
            let more = retained.scan_all(&mut cursor, SLICE, &mut found);
            for message in found.iter().filter(|message| !message.sys) {
                self.adopt_one(retained, past, message.topic());
            }
            if !more {
                break;
            }
        }
        // What had a version and is not retained any more is over. Were it noted as deleted now, that
        // would be later than what others wrote while this node was down.
        for (topic, (_, version)) in past.versions.drain() {
            let key = key_of(&topic);
            let mut part = self.copies.part(&key);
            if part.get(&key).is_none() {
                part.set(key, version, What::Absent, unix_ms);
            }
        }
    }

    fn adopt_one(&self, retained: &Retained<Message>, past: &mut Past, topic: &str) {
        let known = past.versions.remove(topic);
        let key = key_of(topic);
        let mut part = self.copies.part(&key);
        let Some(message) = retained.get(topic) else { return };
        if matches!(part.get(&key), Some((_, What::Value(_)))) {
            return;
        }
        let version = match known {
            Some((id, version)) if id == message.id => version,
            Some(_) => self.copies.next(message.timestamp_ms),
            None => {
                let time = HybridClock::at(message.timestamp_ms);
                self.copies.clock().see(time);
                Version { time, node: self.copies.node().clone() }
            }
        };
        let at_ms = message.timestamp_ms;
        part.set(key, version, What::Value(message), at_ms);
    }

    /// When a node was known to have all that was retained here, before this start.
    #[must_use]
    pub fn in_step(&self, node: &str) -> u64 {
        self.in_step.get(node).copied().unwrap_or_default()
    }

    /// Retains a message.
    pub fn insert(
        &self,
        retained: &Retained<Message>,
        message: Arc<Message>,
        unix_ms: u64,
    ) -> Changed {
        let key = key_of(message.topic());
        let mut part = self.copies.part(&key);
        let version = self.copies.next(unix_ms);
        let was = part.set(key, version.clone(), What::Value(message.clone()), unix_ms);
        let (old, order) = retained.insert_ordered(message);
        Changed { key, version, order, old, was_deleted: matches!(was, Some(What::Deleted)) }
    }

    /// Takes the retained message of a topic away if it is the one meant; none means any, even if
    /// there is none here: another node may have one that has not come yet.
    pub fn remove(
        &self,
        retained: &Retained<Message>,
        topic: &str,
        meant: Option<MessageId>,
        unix_ms: u64,
    ) -> Option<Changed> {
        let key = key_of(topic);
        let mut part = self.copies.part(&key);
        let removed = retained.remove_if(topic, |message| meant.is_none_or(|id| message.id == id));
        if removed.is_none() && meant.is_some() {
            return None;
        }
        let version = self.copies.next(unix_ms);
        let was = part.set(key, version.clone(), What::Deleted, unix_ms);
        let was_deleted = matches!(was, Some(What::Deleted));
        let (old, order) = match removed {
            Some((old, order)) => (Some(old), order),
            None => (None, retained.next_change()),
        };
        Some(Changed { key, version, order, old, was_deleted })
    }

    /// Takes over what another node changed, if it is the later change; what was done.
    pub fn apply(
        &self,
        retained: &Retained<Message>,
        foreign: &Foreign<Message>,
        unix_ms: u64,
    ) -> Option<Changed> {
        let Foreign { key, version, what } = foreign;
        self.copies.clock().see(version.time);
        let mut part = self.copies.part(key);
        if !part.is_news(key, version, matches!(what, What::Deleted)) {
            return None;
        }
        let version = self.copies.foreign(version);
        let was = part.set(*key, version.clone(), what.clone(), unix_ms);
        let was_deleted = matches!(was, Some(What::Deleted));
        let (old, order) = match (what, was) {
            (What::Value(message), _) => retained.insert_ordered(message.clone()),
            (_, Some(What::Value(old))) => match retained.remove_if(old.topic(), |_| true) {
                Some((old, order)) => (Some(old), order),
                None => (None, retained.next_change()),
            },
            _ => (None, retained.next_change()),
        };
        Some(Changed { key: *key, version, order, old, was_deleted })
    }

    /// A message was taken out because it is over; every node finds that out by itself.
    pub fn expired(&self, message: &Message, unix_ms: u64) {
        let key = key_of(message.topic());
        self.copies.part(&key).set_absent(&key, unix_ms, |kept| kept.id == message.id);
    }

    /// Takes out what others have deleted long ago.
    pub fn drop_outdated(
        &self,
        retained: &Retained<Message>,
        key: &Key,
        time: u64,
    ) -> Option<(Arc<Message>, u64)> {
        let mut part = self.copies.part(key);
        let message = part.drop_value(key, time)?;
        retained.remove_if(message.topic(), |kept| kept.id == message.id)
    }

    /// Forgets old deletions, a slice of each part; the keys of those, and up to which time any
    /// may be forgotten.
    pub fn purge(&self, before_ms: u64, visits: usize, unix_ms: u64) -> (Vec<Key>, u64) {
        (self.copies.purge(before_ms, visits, unix_ms), self.copies.purged())
    }
}
