//! What every node has: retained messages, and what is to be published later. Over the first lane of
//! each pair of nodes.
//!
//! Versions and values lie in [`rookery_core::copies::Copies`], which workers write; this thread
//! reads them to tell other nodes, and hands what others tell to a worker, which says when it is kept.

use std::sync::Arc;

use rookery_cluster::frame::Frame;
use rookery_cluster::replica::{
    EntryOf, Key, ReplicaError, ReplicaFrame, ReplicaSender, Space, What, answer, entries, key_of,
};
use rookery_core::copies::{Copies, Foreign, Told};
use rookery_core::effects::{LogLevel, PledgeMessage, ReplicaMessage, ShardMessage, UpEvent};
use rookery_core::message::{Message, Origin};
use rookery_core::pledges::{Pledge, Pledges};
use rookery_core::retained::Replicated;
use rookery_core::shared::Shared;

use super::DIGEST_MS;
use super::carrier::Carrier;
use super::incoming::ForWorkers;
use super::peer::Peer;
use super::socket::{Broken, Connection, UNSENT_MAX};
use crate::inbox::Item;

/// Stand for no lane in what a worker waits for, but for changes of what all nodes have.
pub(super) const REPLICA: u16 = u16::MAX;
pub(super) const PLEDGES: u16 = u16::MAX - 1;

/// Between two warnings about acknowledgements that waited in vain.
const WARN_MS: u64 = 60_000;

impl From<ReplicaError> for Broken {
    fn from(error: ReplicaError) -> Self {
        Self::new("protocol", error.to_string())
    }
}

fn closed() -> Broken {
    Broken::new("protocol", "what all nodes have was told before the lanes were open")
}

/// Tells one other node of everything that all nodes have.
pub(super) struct Tellers {
    pub(super) retained: ReplicaSender,
    pub(super) pledges: ReplicaSender,
    compare_at_ms: u64,
}

impl Tellers {
    /// For a node that was known to have all that is retained here at a time.
    pub(super) fn new(in_step: u64) -> Self {
        Self {
            retained: ReplicaSender::new(Space::Retained, in_step),
            pledges: ReplicaSender::new(Space::Pledges, 0),
            compare_at_ms: 0,
        }
    }

    pub(super) fn connected(&mut self, now_ms: u64) {
        self.retained.connected();
        self.pledges.connected();
        self.compare_at_ms = now_ms;
    }

    pub(super) fn disconnected(&mut self) {
        self.retained.disconnected();
        self.pledges.disconnected();
    }

    /// When to compare again.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.retained.is_whole().then_some(self.compare_at_ms + DIGEST_MS)
    }

    /// Whether a change is kept there.
    pub(super) fn is_kept(&self, space: u16, change: u64) -> bool {
        let sender = if space == REPLICA { &self.retained } else { &self.pledges };
        sender.kept() >= change
    }

    /// Compares if it is time to.
    fn check(&mut self, now_ms: u64) {
        if now_ms >= self.compare_at_ms + DIGEST_MS {
            self.compare_at_ms = now_ms;
            self.retained.check();
            self.pledges.check();
        }
    }
}

/// Tells as much as the connection takes; whether there is more to tell at once.
fn tell<T: Told>(
    sender: &mut ReplicaSender,
    source: &Copies<T>,
    connection: &mut Connection,
) -> bool {
    if connection.unsent() < UNSENT_MAX && sender.has_news() {
        sender.write(source, connection.out());
    }
    connection.unsent() < UNSENT_MAX && sender.has_news()
}

/// Takes an answer of another node; what there is to do about it.
pub(super) fn hear(
    (tellers, name): (&mut Tellers, &str),
    space: Space,
    frame: ReplicaFrame<'_>,
    shared: &Shared,
) -> Result<Vec<ReplicaMessage>, Broken> {
    if space == Space::Pledges {
        let source = shared.pledges.get().ok_or_else(closed)?.copies();
        tellers.pledges.hear(frame, source)?;
        return Ok(Vec::new());
    }
    let source = shared.replicated.get().ok_or_else(closed)?.copies();
    let sender = &mut tellers.retained;
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

/// Takes what another node tells of what all have.
pub(super) fn take(
    peer: u64,
    origin: &Arc<Origin>,
    (space, frame): (Space, ReplicaFrame<'_>),
    workers: &mut ForWorkers<'_>,
    replies: &mut Vec<u8>,
) -> Result<(), Broken> {
    let shared = workers.shared;
    let message = match space {
        Space::Retained => {
            let source = shared.replicated.get().ok_or_else(closed)?.copies();
            let Some((number, items)) = answer(space, frame, source, replies)? else {
                return Ok(());
            };
            let entries = foreign(items, |bytes| {
                let message = of_there(Message::from_bytes(bytes)?, origin);
                Some((key_of(message.topic()), message))
            })?;
            ShardMessage::Replica(Box::new(ReplicaMessage::Foreign { peer, number, entries }))
        }
        Space::Pledges => {
            let source = shared.pledges.get().ok_or_else(closed)?.copies();
            let Some((number, items)) = answer(space, frame, source, replies)? else {
                return Ok(());
            };
            let entries = foreign(items, |bytes| {
                let pledge = Pledge::from_bytes(bytes)?;
                Some((pledge.key(), pledge))
            })?;
            ShardMessage::Pledge(Box::new(PledgeMessage::Foreign { peer, number, entries }))
        }
    };
    // Always the same worker for one node: it confirms in order.
    let count = workers.items.len().max(1) as u64;
    let worker = usize::try_from(peer % count).unwrap_or_default();
    if let Some(items) = workers.items.get_mut(worker) {
        items.push(Item::Shard(message));
    }
    Ok(())
}

fn foreign<T>(
    items: &[u8],
    decode: impl Fn(&[u8]) -> Option<(Key, T)>,
) -> Result<Vec<Foreign<T>>, Broken> {
    let mut changes = Vec::new();
    for entry in entries(items) {
        let entry = entry?;
        let (key, what) = match entry.what {
            EntryOf::Deleted(key) => (key, What::Deleted),
            EntryOf::Value(bytes) => {
                let decoded = decode(bytes);
                let (key, value) =
                    decoded.ok_or_else(|| Broken::new("protocol", "a message that is none"))?;
                (key, What::Value(Arc::new(value)))
            }
        };
        changes.push(Foreign { key, version: entry.version, what });
    }
    Ok(changes)
}

/// A message of another node, as it is known here.
fn of_there(mut message: Message, origin: &Arc<Origin>) -> Message {
    // Its number in the other node's log means nothing here.
    message.seq = 0;
    message.origin = Some(match message.origin.as_deref() {
        Some(known) if known.node.is_some() => Arc::new(known.clone()),
        Some(known) => Arc::new(Origin { node: origin.node.clone(), ..known.clone() }),
        None => origin.clone(),
    });
    message
}

/// Whether this node is the one of those that run to take over something of a lost one.
fn is_chosen(key: &Key, me: &str, others: &[Peer]) -> bool {
    let weight = |name: &str| {
        let octets = key.iter().copied().chain(name.bytes());
        octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let mine = (weight(me), me);
    others.iter().all(|peer| mine > (weight(&peer.is.name), &*peer.is.name))
}

impl Carrier {
    /// Something that all nodes have changed here.
    pub(super) fn tell_change(
        &mut self,
        space: u16,
        key: Key,
        mut needs: Option<&mut Vec<(u64, u16, u64)>>,
    ) {
        for peer in &mut self.peers {
            let tellers = &mut peer.tellers;
            let sender =
                if space == REPLICA { &mut tellers.retained } else { &mut tellers.pledges };
            if let (Some(change), Some(needs)) = (sender.changed(key), &mut needs) {
                // The latest change of a turn stands for those before it.
                needs.retain(|(id, lane, _)| *id != peer.id || *lane != space);
                needs.push((peer.id, space, change));
            }
        }
    }

    /// What another node sent is kept.
    pub(super) fn tell_kept(&mut self, space: Space, peer: u64, number: u64) {
        let peer = self.peers.iter_mut().find(|one| one.id == peer);
        let incoming = peer.and_then(|peer| peer.incoming.first_mut());
        if let Some(connection) = incoming.and_then(|incoming| incoming.connection.as_mut()) {
            connection.put(&Frame::Replica(space, ReplicaFrame::Kept(number)));
        }
    }

    /// Tells other nodes what they lack; whether there is more to tell at once.
    pub(super) fn tell_replica(&mut self) -> bool {
        let retained = self.shared.replicated.get().map(Replicated::copies);
        let pledges = self.shared.pledges.get().map(Pledges::copies);
        let (Some(retained), Some(pledges)) = (retained, pledges) else { return false };
        let mut is_busy = false;
        for peer in &mut self.peers {
            let Some(lane) = peer.lanes.first_mut().filter(|lane| lane.is_open()) else { continue };
            let Some(connection) = lane.connection.as_mut() else { continue };
            peer.tellers.check(self.now_ms);
            is_busy |= tell(&mut peer.tellers.retained, retained, connection);
            is_busy |= tell(&mut peer.tellers.pledges, pledges, connection);
        }
        if !self.lost.is_empty() && self.now_ms >= self.adopted_at_ms + DIGEST_MS {
            self.adopt();
        }
        is_busy
    }

    /// Has this node take over what lost ones were to publish, as far as no other one is to.
    pub(super) fn adopt(&mut self) {
        self.adopted_at_ms = self.now_ms;
        let Some(pledges) = self.shared.pledges.get() else { return };
        let (me, peers) = (&self.me.name, &self.peers);
        for pledge in pledges.of(&self.lost, |key| is_chosen(key, me, peers)) {
            let owner = usize::from(self.shared.shard_of(&pledge.message().from.client_id));
            if let Some(items) = self.for_workers.get_mut(owner) {
                let adopt = PledgeMessage::Adopt(pledge);
                items.push(Item::Shard(ShardMessage::Pledge(Box::new(adopt))));
            }
        }
    }

    /// Acknowledgements left although another node had not confirmed that it keeps the message.
    pub(super) fn note_unconfirmed(&mut self, count: u64) {
        self.for_first.push(ReplicaMessage::Unconfirmed(count));
        if self.warned_at_ms != 0 && self.now_ms < self.warned_at_ms + WARN_MS {
            return;
        }
        self.warned_at_ms = self.now_ms;
        let text = "messages were acknowledged although another node had not confirmed them within retainer.cluster.ack_timeout; it gets them as soon as it can";
        self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
    }
}
