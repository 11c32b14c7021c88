//! What was on its way to a node that is lost, and clients that wait for its sessions: both are for the
//! node where these go on.
//!
//! A node that does not run any more leaves an [`Orphan`], if another one has said that it keeps its sessions.
//! Once that one has said that they go on there, it is asked about the sessions that clients wait for,
//! and gets the messages that the lost one had not taken. Until then nobody's acknowledgement leaves
//! because of the loss, but when it has waited long enough.

use std::sync::Arc;

use rookery_cluster::frame::{self, Frame};
use rookery_cluster::shadow::{ORPHAN, SHADOW, ShadowFrame};
use rookery_core::effects::ShardMessage;
use rookery_core::message::{Message, Origin};
use rookery_core::moving::{Move, MoveStep};
use rookery_core::shadow::ShadowMessage;

use super::carrier::Carrier;
use super::moves::{FOR_CLIENT, frame_of, read_following, tell_frame};
use super::peer::Peer;
use crate::inbox::Item;

/// How long the sessions of a lost node may take to go on.
const PATIENCE_MS: u64 = 12_000;
/// Lost nodes of which it is remembered where their sessions went.
const ADOPTED_MAX: usize = 64;

/// A node that does not run any more.
pub(super) struct Orphan {
    /// Its [`Peer::id`].
    pub(super) id: u64,
    name: String,
    incarnation: u64,
    /// Who keeps its sessions.
    by: String,
    /// Batches that it had not taken, by lanes.
    left: Vec<Vec<Vec<u8>>>,
    until_ms: u64,
}

/// Where the sessions of a lost node went.
pub(super) struct AdoptedBy {
    node: String,
    incarnation: u64,
    by: String,
}

impl Carrier {
    /// A node does not run any more. Until it is known whether it is lost it counts as that.
    pub(super) fn leave_orphan(&mut self, mut peer: Peer) {
        let left: Vec<_> = peer.lanes.iter_mut().map(|lane| lane.sender.give_up()).collect();
        let until_ms = self.now_ms + PATIENCE_MS;
        let (id, name, incarnation) = (peer.id, peer.is.name, peer.is.incarnation);
        let by = peer.partner.unwrap_or_default();
        self.orphans.push(Orphan { id, name, incarnation, by, left, until_ms });
    }

    /// A node runs again before anybody gave it up: it gets what it had not taken, and is asked itself.
    pub(super) fn return_orphan(&mut self, name: &str) {
        if let Some(at) = self.orphans.iter().position(|orphan| orphan.name == name) {
            let orphan = self.orphans.swap_remove(at);
            self.settle_orphan(orphan, name);
        }
    }

    /// Membership says who is lost; who is not has stopped, and comes back with all it has. Nodes whose
    /// sessions are here, as far as this one `may` speak for the cluster, go on here.
    pub(super) fn judge_orphans(&mut self, lost: &[String], may: bool) {
        self.orphans.retain(|orphan| may && !orphan.by.is_empty() && lost.contains(&orphan.name));
        let me = self.me.name.clone();
        for orphan in self.orphans.iter().filter(|orphan| orphan.by == me) {
            let is_known = self
                .adopted
                .iter()
                .any(|one| one.node == orphan.name && one.incarnation == orphan.incarnation);
            if let (Some(shadows), false) = (&self.shadows, is_known) {
                shadows.adopt(&orphan.name, orphan.incarnation);
            }
        }
        self.settle_orphans();
    }

    /// The sessions of a lost node go on at that node.
    pub(super) fn note_adopted(&mut self, node: &str, incarnation: u64, by: String) {
        if by == self.me.name {
            let name = node;
            let frame = Frame::Shadow(ShadowFrame::Adopted { name, incarnation });
            for peer in &mut self.peers {
                peer.tell_on_lane(&frame);
            }
            // A client that did not wait may have a newer session elsewhere.
            for at in 0..self.peers.len() {
                self.list_for(at);
            }
        }
        self.adopted.push(AdoptedBy { node: node.to_owned(), incarnation, by });
        if self.adopted.len() > ADOPTED_MAX {
            self.adopted.remove(0);
        }
        self.settle_orphans();
    }

    /// Has those go on who wait for a lost node whose sessions are elsewhere by now.
    pub(super) fn settle_orphans(&mut self) {
        let mut at = 0;
        while let Some(orphan) = self.orphans.get(at) {
            let by = self
                .adopted
                .iter()
                .rfind(|one| one.node == orphan.name && one.incarnation == orphan.incarnation);
            let by = by.map(|one| one.by.clone());
            let is_over = self.now_ms >= orphan.until_ms;
            if by.is_none() && !is_over {
                at += 1;
                continue;
            }
            let orphan = self.orphans.swap_remove(at);
            if let Some(by) = by {
                self.settle_orphan(orphan, &by);
            }
        }
    }

    fn settle_orphan(&mut self, orphan: Orphan, by: &str) {
        let at = self.peers.iter().position(|peer| peer.is.name == by);
        let origin = Arc::<str>::from(orphan.name.as_str());
        let mut needs = Vec::new();
        for (lane, batches) in orphan.left.iter().enumerate() {
            for batch in batches {
                let Ok(Some((Frame::Batch { items, .. }, _))) =
                    frame::next(batch, frame::FRAME_BYTES_MAX)
                else {
                    continue;
                };
                for item in frame::items(items).flatten() {
                    match at {
                        Some(at) => self.send_orphan(at, lane, item, &origin),
                        None if by == self.me.name => self.take_orphan(item, &origin),
                        None => {}
                    }
                }
            }
        }
        if let Some(peer) = at.and_then(|at| self.peers.get(at)) {
            let lanes = peer.lanes.iter().filter(|lane| lane.sender.pending() > 0);
            needs.extend(lanes.map(|lane| (peer.id, lane.number, lane.sender.pending())));
        }
        for turn in self.turns.iter_mut().flatten() {
            let before = turn.needs.len();
            turn.needs.retain(|(id, ..)| *id != orphan.id);
            if turn.needs.len() < before {
                turn.needs.extend_from_slice(&needs);
            }
        }
        self.ask_instead(orphan.id, at);
    }

    /// A message that the lost node had not taken, for the one where its sessions go on.
    fn send_orphan(&mut self, at: usize, lane: usize, item: frame::Item<'_>, origin: &Arc<str>) {
        let Some(peer) = self.peers.get_mut(at) else { return };
        let is_back = *peer.is.name == **origin;
        let Some(lane) = peer.lanes.get_mut(lane) else { return };
        let shared = match item.shared {
            Some((SHADOW, _)) => return,
            Some(shared) => shared,
            None => (ORPHAN, &**origin),
        };
        // It is matched anew where it was going.
        let shared = if is_back { item.shared } else { Some(shared) };
        lane.sender.push(shared, false, |out| out.extend_from_slice(item.message));
    }

    /// The same where that is this node.
    fn take_orphan(&mut self, item: frame::Item<'_>, origin: &Arc<str>) {
        match item.shared {
            Some((SHADOW | ORPHAN, _)) => {}
            Some((FOR_CLIENT, client_id)) => {
                let Ok(message) = read_following(item.message) else { return };
                let worker = usize::from(self.shared.shard_of(client_id));
                let (client_id, message) = (client_id.into(), Box::new(message));
                if let Some(items) = self.for_workers.get_mut(worker) {
                    items.push(Item::Shard(ShardMessage::Follow { client_id, message }));
                }
            }
            shared => {
                let Some(message) = read_orphan(item.message, origin) else { return };
                if let Some((name, filter)) = shared {
                    let worker = usize::from(self.shared.shard_of(&message.from.client_id));
                    let group = Some(Box::new((name.into(), filter.into())));
                    if let Some(items) = self.for_workers.get_mut(worker) {
                        items.push(Item::Shard(ShardMessage::FromNode { message, group }));
                    }
                } else {
                    give_orphan(&mut self.for_workers, &message, origin);
                }
            }
        }
    }

    /// Clients wait for another node in the place of a lost one; none: this one.
    fn ask_instead(&mut self, lost: u64, by: Option<usize>) {
        let id = by.and_then(|at| self.peers.get(at)).map_or(0, |peer| peer.id);
        let questions = self.asks.replace(lost, id);
        for question in questions {
            match by.and_then(|at| self.peers.get_mut(at)) {
                // If that cannot be told now, it is with the next connection.
                Some(peer) => {
                    tell_frame(peer, &frame_of(&question));
                }
                // What it has of the session is here.
                None => self.note_answer(question.ask, id, false),
            }
        }
    }

    /// Whom clients wait for that want their session: lost nodes too, until theirs go on elsewhere.
    pub(super) fn is_orphan(&self, id: u64) -> bool {
        self.orphans.iter().any(|orphan| orphan.id == id)
    }

    pub(super) fn orphans_due_ms(&self) -> Option<u64> {
        self.orphans.iter().map(|orphan| orphan.until_ms).min()
    }

    /// Each worker tells another node what sessions it has.
    pub(super) fn list_for(&mut self, at: usize) {
        let Some(peer) = self.peers.get(at) else { return };
        let name: Arc<str> = peer.is.name.as_str().into();
        for (shard, items) in (0..).zip(self.for_workers.iter_mut()) {
            let step = Move { node: Some(name.clone()), step: MoveStep::List { shard, from: 0 } };
            items.push(Item::Shard(ShardMessage::Move(Box::new(step))));
        }
    }

    /// What another node says about shadows.
    pub(super) fn hear_shadow(&mut self, at: usize, heard: HeardShadow) {
        let Some(peer) = self.peers.get_mut(at) else { return };
        let name = peer.is.name.clone();
        match heard {
            HeardShadow::Chunk(bytes) => {
                if let Some(shadows) = &self.shadows {
                    shadows.take(&name, peer.is.incarnation, bytes);
                }
            }
            HeardShadow::Partner(partner) => {
                let is_another = !partner.is_empty() && partner != self.me.name;
                // While nobody has all, who had it is still the one to ask.
                if !partner.is_empty() {
                    peer.partner = Some(partner);
                }
                if let (Some(shadows), true) = (&self.shadows, is_another) {
                    shadows.forget(&name);
                }
            }
            HeardShadow::Adopted(node, incarnation) => self.note_adopted(&node, incarnation, name),
        }
    }

    /// How far a shadow here is, for its node.
    pub(super) fn tell_shadow(&mut self, node: &str, stream: u64, number: Option<u64>) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.is.name == node) else { return };
        let Some(number) = number else {
            peer.put_back(&Frame::Shadow(ShadowFrame::Unable { stream }));
            return;
        };
        let before = peer.shadow_kept.filter(|(known, _)| *known == stream);
        let number = before.map_or(number, |(_, before)| before.max(number));
        peer.shadow_kept = Some((stream, number));
        peer.put_back(&Frame::Shadow(ShadowFrame::Kept { stream, number }));
    }
}

/// What was heard about shadows, in the order in which it came.
pub(super) enum HeardShadow {
    Chunk(Vec<u8>),
    Partner(String),
    Adopted(String, u64),
}

impl HeardShadow {
    pub(super) fn of(frame: ShadowFrame<'_>) -> Option<Self> {
        match frame {
            ShadowFrame::Partner { name } => Some(Self::Partner(name.to_owned())),
            ShadowFrame::Adopted { name, incarnation } => {
                Some(Self::Adopted(name.to_owned(), incarnation))
            }
            ShadowFrame::Kept { .. } | ShadowFrame::Unable { .. } => None,
        }
    }
}

fn read_orphan(bytes: &[u8], origin: &Arc<str>) -> Option<Arc<Message>> {
    let mut message = Message::from_bytes(bytes)?;
    message.seq = 0;
    if message.origin.is_none() {
        let node = Some(origin.clone());
        message.origin = Some(Arc::new(Origin { node, link: None, rules: Box::default() }));
    }
    Some(Arc::new(message))
}

/// Every worker looks among its sessions of the lost node.
pub(super) fn give_orphan(
    for_workers: &mut [Vec<Item>],
    message: &Arc<Message>,
    origin: &Arc<str>,
) {
    for items in for_workers {
        let orphan = ShadowMessage::Orphan { message: message.clone(), node: origin.clone() };
        items.push(Item::Shard(ShardMessage::Shadow(Box::new(orphan))));
    }
}
