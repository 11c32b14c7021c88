//! Retained messages that every node has, over the first lane of each pair of nodes.
//!
//! Versions and messages lie in [`rookery_core::retained::Replicated`], which workers write; this
//! thread reads them to tell other nodes, and hands what others tell to a worker, which checks the
//! bounds of the retainer, writes it to the store, and says so when it is there.

use std::sync::Arc;

use rookery_cluster::replica::{
    EntryOf, Key, ReplicaError, ReplicaFrame, ReplicaSender, What, answer, entries, key_of,
};
use rookery_core::copies::Foreign;
use rookery_core::effects::{LogLevel, ReplicaMessage, ShardMessage, UpEvent};
use rookery_core::message::{Message, Origin};
use rookery_core::retained::Replicated;
use rookery_core::shared::Shared;

use super::DIGEST_MS;
use super::carrier::Carrier;
use super::incoming::ForWorkers;
use super::socket::{Broken, UNSENT_MAX};
use crate::inbox::Item;
use rookery_cluster::frame::Frame;

/// Stands for no lane in what a worker waits for, but for changes of retained messages.
pub(super) const REPLICA: u16 = u16::MAX;

/// Between two warnings about acknowledgements that waited in vain.
const WARN_MS: u64 = 60_000;

impl From<ReplicaError> for Broken {
    fn from(error: ReplicaError) -> Self {
        Self::new("protocol", error.to_string())
    }
}

fn closed() -> Broken {
    Broken::new("protocol", "retained messages before the lanes are open")
}

/// Takes an answer of another node; what there is to do about it.
pub(super) fn hear(
    sender: &mut ReplicaSender,
    name: &str,
    frame: ReplicaFrame<'_>,
    shared: &Shared,
) -> Result<Vec<ReplicaMessage>, Broken> {
    let source = shared.replicated.get().ok_or_else(closed)?.copies();
    let before = sender.in_step();
    let heard = sender.hear(frame, source)?;
    let mut todo = Vec::new();
    if !heard.outdated.is_empty() {
        todo.push(ReplicaMessage::Outdated(heard.outdated));
    }
    if heard.is_in_step && sender.in_step() > before {
        todo.push(ReplicaMessage::InStep { node: name.into(), time: sender.in_step() });
    }
    Ok(todo)
}

/// Takes what another node tells of what it retains.
pub(super) fn take(
    peer: u64,
    origin: &Arc<Origin>,
    frame: ReplicaFrame<'_>,
    workers: &mut ForWorkers<'_>,
    replies: &mut Vec<u8>,
) -> Result<(), Broken> {
    let source = workers.shared.replicated.get().ok_or_else(closed)?.copies();
    let Some((number, items)) = answer(frame, source, replies)? else { return Ok(()) };
    let mut changes = Vec::new();
    for entry in entries(items) {
        let entry = entry?;
        let (key, what) = match entry.what {
            EntryOf::Deleted(key) => (key, What::Deleted),
            EntryOf::Value(bytes) => {
                let message = message_of(bytes, origin)?;
                (key_of(message.topic()), What::Value(Arc::new(message)))
            }
        };
        changes.push(Foreign { key, version: entry.version, what });
    }
    // Always the same worker for one node: it confirms in order.
    let count = workers.items.len().max(1) as u64;
    let worker = usize::try_from(peer % count).unwrap_or_default();
    if let Some(items) = workers.items.get_mut(worker) {
        let message = ReplicaMessage::Foreign { peer, number, entries: changes };
        items.push(Item::Shard(ShardMessage::Replica(Box::new(message))));
    }
    Ok(())
}

fn message_of(bytes: &[u8], origin: &Arc<Origin>) -> Result<Message, Broken> {
    let Some(mut message) = Message::from_bytes(bytes) else {
        return Err(Broken::new("protocol", "a message that is none"));
    };
    // Its number in the other node's log means nothing here.
    message.seq = 0;
    if message.origin.as_deref().is_none_or(|known| known.node.is_none()) {
        message.origin = Some(match message.origin.as_deref() {
            Some(known) => Arc::new(Origin { node: origin.node.clone(), ..known.clone() }),
            None => origin.clone(),
        });
    }
    Ok(message)
}

impl Carrier {
    /// A topic's retained message changed here.
    pub(super) fn tell_change(&mut self, key: Key, mut needs: Option<&mut Vec<(u64, u16, u64)>>) {
        for peer in &mut self.peers {
            if let (Some(change), Some(needs)) = (peer.replica.changed(key), &mut needs) {
                // The latest change of a turn stands for those before it.
                needs.retain(|(id, lane, _)| *id != peer.id || *lane != REPLICA);
                needs.push((peer.id, REPLICA, change));
            }
        }
    }

    /// What another node sent is stored.
    pub(super) fn tell_kept(&mut self, peer: u64, number: u64) {
        let peer = self.peers.iter_mut().find(|one| one.id == peer);
        let incoming = peer.and_then(|peer| peer.incoming.first_mut());
        if let Some(connection) = incoming.and_then(|incoming| incoming.connection.as_mut()) {
            connection.put(&Frame::Replica(ReplicaFrame::Kept(number)));
        }
    }

    /// Tells other nodes what they lack; whether there is more to tell at once.
    pub(super) fn tell_replica(&mut self) -> bool {
        let Some(source) = self.shared.replicated.get().map(Replicated::copies) else {
            return false;
        };
        let mut is_busy = false;
        for peer in &mut self.peers {
            let Some(lane) = peer.lanes.first_mut().filter(|lane| lane.is_open()) else { continue };
            let Some(connection) = lane.connection.as_mut() else { continue };
            if self.now_ms >= peer.compare_at_ms + DIGEST_MS {
                peer.compare_at_ms = self.now_ms;
                peer.replica.check();
            }
            if connection.unsent() < UNSENT_MAX && peer.replica.has_news() {
                peer.replica.write(source, connection.out());
                is_busy |= connection.unsent() < UNSENT_MAX && peer.replica.has_news();
            }
        }
        is_busy
    }

    /// Acknowledgements left although another node had not confirmed that it keeps the message.
    pub(super) fn note_unconfirmed(&mut self, count: u64) {
        self.for_first.push(ReplicaMessage::Unconfirmed(count));
        if self.warned_at_ms != 0 && self.now_ms < self.warned_at_ms + WARN_MS {
            return;
        }
        self.warned_at_ms = self.now_ms;
        let text = "retained messages were acknowledged although another node had not confirmed them within retainer.cluster.ack_timeout; it gets them as soon as it can";
        self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
    }
}
