//! Sessions that move between nodes: questions to the others, and what they say.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rookery_cluster::frame::Frame;
use rookery_cluster::moves::{MoveFrame, PART_BYTES, Question, Settled, held, put_held};
use rookery_codec::Fields;
use rookery_core::effects::ShardMessage;
use rookery_core::moving::copy::CopiedMessage;
use rookery_core::moving::{Following, Move, MoveStep};

use super::carrier::Carrier;
use super::peer::{Incoming, Lane, Peer};
use super::socket::Broken;
use crate::inbox::Item;

/// How long a client that wants a new session waits for nodes that shall end its old one.
const CLEAN_MS: u64 = 500;
/// In the place of the share name: the message is for the session of one client.
pub(super) const FOR_CLIENT: &str = "";

impl Carrier {
    /// Takes what a worker has to say about a session.
    pub(super) fn send_move(&mut self, step: Move) {
        match (step.node, step.step) {
            (None, MoveStep::Ask { ask, epoch, is_clean, client_id, .. }) => {
                self.ask(Question { ask, epoch, is_clean, client_id });
            }
            // Who has begun to give the session learns it when the session comes.
            (None, MoveStep::GiveUp { ask, .. }) => drop(self.asks.close(ask)),
            (Some(node), step) => {
                let peer = self.peers.iter_mut().find(|peer| *peer.is.name == *node);
                // What is lost here is found when both nodes compare what they have.
                if let Some(peer) = peer {
                    tell(peer, &step);
                }
            }
            (None, _) => {}
        }
    }

    fn ask(&mut self, question: Question) {
        let mut waiting = Vec::new();
        for peer in &mut self.peers {
            let is_asked = tell_frame(peer, &frame_of(&question));
            if is_asked || !question.is_clean {
                waiting.push(peer.id);
            }
        }
        if !question.is_clean {
            waiting.extend(self.awaited());
        }
        let patience = match question.is_clean {
            true => CLEAN_MS.min(self.takeover_ms),
            false => self.takeover_ms,
        };
        let settled = self.asks.ask(question, waiting, self.now_ms + patience);
        self.settle(settled);
    }

    /// A connection to another node stands: it is asked what it was not, and told what is here.
    pub(super) fn greet(&mut self, at: usize) {
        self.take_at_its_word(at);
        self.ask_again(at);
        self.list_for(at);
    }

    pub(super) fn ask_again(&mut self, at: usize) {
        let Some(peer) = self.peers.get_mut(at) else { return };
        let questions: Vec<Question> = self.asks.open_for(peer.id).cloned().collect();
        for question in questions {
            tell_frame(peer, &frame_of(&question));
        }
    }

    /// Takes what another node says about a session.
    pub(super) fn take_move(&mut self, at: usize, step: MoveStep) {
        let Some(peer) = self.peers.get(at) else { return };
        let id = peer.id;
        let node: Arc<str> = peer.is.name.as_str().into();
        let is_above = self.me.name > peer.is.name;
        match step {
            MoveStep::Nothing { ask } => self.note_answer(ask, id, false),
            MoveStep::Coming { ask } => self.asks.prolong(ask, self.now_ms + self.takeover_ms),
            MoveStep::Refused { ask, client_id } => {
                if self.asks.close(ask).is_some() {
                    let step = MoveStep::Refused { ask, client_id: client_id.clone() };
                    self.give_worker(&client_id, None, step);
                }
            }
            MoveStep::Copy { ask, client_id, bytes } => {
                let step = MoveStep::Copy { ask, client_id: client_id.clone(), bytes };
                self.give_worker(&client_id, Some(node), step);
                self.note_answer(ask, id, true);
            }
            MoveStep::Ask { ask, epoch, is_clean, client_id, .. } => {
                let name = client_id.clone();
                // The session may be among those that are about to go on here.
                let question = Question { ask, epoch, is_clean, client_id };
                let Some(question) = self.adoptions.hold(id, question) else { return };
                let client_id = question.client_id;
                let step = MoveStep::Ask { ask, epoch, is_clean, is_above, client_id };
                self.give_worker(&name, Some(node), step);
            }
            MoveStep::GiveUp { ref client_id, .. }
            | MoveStep::Taken { ref client_id, .. }
            | MoveStep::Forgotten { ref client_id } => {
                let name = client_id.clone();
                self.give_worker(&name, Some(node), step);
            }
            MoveStep::Held { shard, next, items, .. } => {
                self.spread_held(&node, is_above, items);
                if let (Some(from), Some(peer)) = (next, self.peers.get_mut(at)) {
                    tell(peer, &MoveStep::List { shard, from });
                }
            }
            MoveStep::List { shard, .. } => {
                if let Some(items) = self.for_workers.get_mut(usize::from(shard)) {
                    let step = Move { node: Some(node), step };
                    items.push(Item::Shard(ShardMessage::Move(Box::new(step))));
                }
            }
            MoveStep::Offer { client_id } => {
                let name = client_id.clone();
                self.give_worker(&name, Some(node), MoveStep::Offer { client_id });
            }
            MoveStep::Settled { .. } | MoveStep::Leave { .. } => {}
        }
    }

    /// Has every worker offer sessions of clients that are away to a node that runs.
    pub(super) fn leave_for(&mut self, node: &Arc<str>, most: u32) {
        if !self.peers.iter().any(|peer| *peer.is.name == **node) {
            return;
        }
        let workers = self.for_workers.len().max(1);
        // Who gets one more than the others changes with the second.
        let first = usize::try_from(self.now_ms / 1000).unwrap_or(0);
        for (at, items) in self.for_workers.iter_mut().enumerate() {
            let is_ahead = (at + first) % workers < most as usize % workers;
            let most = most / u32::try_from(workers).unwrap_or(1) + u32::from(is_ahead);
            let step = Move { node: Some(node.clone()), step: MoveStep::Leave { most } };
            items.push(Item::Shard(ShardMessage::Move(Box::new(step))));
        }
    }

    pub(super) fn note_answer(&mut self, ask: u64, peer: u64, is_copy: bool) {
        let peers = &self.peers;
        let settled = self.asks.answered(ask, peer, is_copy, |id| {
            peers.iter().any(|peer| peer.id == id && peer.lanes.first().is_some_and(Lane::is_open))
        });
        self.settle(settled);
    }

    /// Each worker compares what is its own.
    fn spread_held(&mut self, node: &Arc<str>, is_above: bool, items: Vec<(Arc<str>, u64)>) {
        let mut by_worker: Vec<Vec<(Arc<str>, u64)>> = vec![Vec::new(); self.for_workers.len()];
        for (client_id, epoch) in items {
            let worker = usize::from(self.shared.shard_of(&client_id));
            if let Some(own) = by_worker.get_mut(worker) {
                own.push((client_id, epoch));
            }
        }
        for (inbox, items) in self.for_workers.iter_mut().zip(by_worker) {
            if !items.is_empty() {
                let step = MoveStep::Held { shard: 0, next: None, is_above, items };
                let step = Move { node: Some(node.clone()), step };
                inbox.push(Item::Shard(ShardMessage::Move(Box::new(step))));
            }
        }
    }

    /// Lets clients go on that have waited long enough.
    pub(super) fn watch_asks(&mut self) {
        let peers = &self.peers;
        let is_known = |id| peers.iter().any(|peer| peer.id == id) || self.is_awaited(id);
        for ask in self.asks.due(self.now_ms, is_known) {
            let settled = self.asks.close(ask);
            self.settle(settled);
        }
    }

    fn settle(&mut self, settled: Option<Settled>) {
        let Some(Settled { question, silent }) = settled else { return };
        let names = self.peers.iter().filter(|peer| silent.contains(&peer.id));
        let silent = names.map(|peer| peer.is.name.as_str().into()).collect();
        let Question { ask, client_id, .. } = question;
        let name = client_id.clone();
        self.give_worker(&name, None, MoveStep::Settled { ask, client_id, silent });
    }

    fn give_worker(&mut self, client_id: &str, node: Option<Arc<str>>, step: MoveStep) {
        let worker = usize::from(self.shared.shard_of(client_id));
        if let Some(items) = self.for_workers.get_mut(worker) {
            items.push(Item::Shard(ShardMessage::Move(Box::new(Move { node, step }))));
        }
    }

    /// Puts a message for a session that lives on another node by now on a lane.
    pub(super) fn send_following(
        &mut self,
        following: &Following,
        needs: &mut Vec<(u64, u16, u64)>,
    ) {
        let Some(message) = &following.item.message else { return };
        let Some(id) = self.known_as(&following.node) else { return };
        self.encoded.clear();
        CopiedMessage::of(&following.item).encode(&mut self.encoded);
        self.put_for(id, Some((FOR_CLIENT, &following.client_id)), message, needs);
    }

    /// How many other nodes there are decides whether anybody is asked at all.
    pub(super) fn note_peers(&self) {
        let count = self.peers.len().max(self.expected.len());
        self.shared.other_nodes.store(count, Ordering::Relaxed);
    }
}

pub(super) fn frame_of(question: &Question) -> MoveFrame<'_> {
    let Question { ask, epoch, is_clean, client_id } = question;
    MoveFrame::Ask { ask: *ask, epoch: *epoch, is_clean: *is_clean, client_id }
}

/// Tells another node, if a connection stands; whether one does.
pub(super) fn tell_frame(peer: &mut Peer, frame: &MoveFrame<'_>) -> bool {
    peer.tell_on_lane(&Frame::Move(*frame))
}

fn tell(peer: &mut Peer, step: &MoveStep) {
    match step {
        MoveStep::Ask { ask, epoch, is_clean, client_id, .. } => {
            let (ask, epoch, is_clean) = (*ask, *epoch, *is_clean);
            tell_frame(peer, &MoveFrame::Ask { ask, epoch, is_clean, client_id });
        }
        MoveStep::Nothing { ask } => drop(tell_frame(peer, &MoveFrame::Nothing { ask: *ask })),
        MoveStep::Refused { ask, client_id } => {
            tell_frame(peer, &MoveFrame::Refused { ask: *ask, client_id });
        }
        MoveStep::Coming { ask } => drop(tell_frame(peer, &MoveFrame::Coming { ask: *ask })),
        MoveStep::Copy { ask, client_id, bytes } => {
            let mut rest = bytes.as_slice();
            loop {
                let (part, left) = rest.split_at(rest.len().min(PART_BYTES));
                let (ask, is_last) = (*ask, left.is_empty());
                tell_frame(peer, &MoveFrame::Copy { ask, is_last, client_id, part });
                if is_last {
                    return;
                }
                rest = left;
            }
        }
        MoveStep::GiveUp { ask, client_id } => {
            tell_frame(peer, &MoveFrame::GiveUp { ask: *ask, client_id });
        }
        MoveStep::Taken { client_id, epoch } => {
            tell_frame(peer, &MoveFrame::Taken { epoch: *epoch, client_id });
        }
        MoveStep::Forgotten { client_id } => {
            tell_frame(peer, &MoveFrame::Forgotten { client_id });
        }
        MoveStep::Held { shard, next, items, .. } => {
            let mut out = Vec::new();
            items.iter().for_each(|(client_id, epoch)| put_held(&mut out, client_id, *epoch));
            let (shard, next) = (*shard, *next);
            tell_frame(peer, &MoveFrame::Held { shard, next, items: &out });
        }
        MoveStep::List { shard, from } => {
            tell_frame(peer, &MoveFrame::List { shard: *shard, from: *from });
        }
        MoveStep::Offer { client_id } => {
            tell_frame(peer, &MoveFrame::Offer { client_id });
        }
        MoveStep::Settled { .. } | MoveStep::Leave { .. } => {}
    }
}

/// What a frame says, to keep; parts of a session are gathered.
pub(super) fn received(incoming: &mut Incoming, frame: MoveFrame<'_>) -> Result<MoveStep, Broken> {
    Ok(match frame {
        MoveFrame::Ask { ask, epoch, is_clean, client_id } => {
            let (is_above, client_id) = (false, client_id.into());
            MoveStep::Ask { ask, epoch, is_clean, is_above, client_id }
        }
        MoveFrame::Nothing { ask } => MoveStep::Nothing { ask },
        MoveFrame::Refused { ask, client_id } => {
            MoveStep::Refused { ask, client_id: client_id.into() }
        }
        MoveFrame::Coming { ask } => MoveStep::Coming { ask },
        MoveFrame::Copy { ask, is_last, client_id, part } => {
            incoming.parts.extend_from_slice(part);
            if !is_last {
                return Ok(MoveStep::Coming { ask });
            }
            let bytes = std::mem::take(&mut incoming.parts);
            MoveStep::Copy { ask, client_id: client_id.into(), bytes }
        }
        MoveFrame::GiveUp { ask, client_id } => {
            MoveStep::GiveUp { ask, client_id: client_id.into() }
        }
        MoveFrame::Taken { epoch, client_id } => {
            MoveStep::Taken { epoch, client_id: client_id.into() }
        }
        MoveFrame::Forgotten { client_id } => MoveStep::Forgotten { client_id: client_id.into() },
        MoveFrame::Held { shard, next, items } => {
            let items = held(items)
                .ok_or_else(|| Broken::new("protocol", "a list of sessions that is none"))?;
            let items = items.into_iter().map(|(id, epoch)| (id.into(), epoch)).collect();
            MoveStep::Held { shard, next, is_above: false, items }
        }
        MoveFrame::List { shard, from } => MoveStep::List { shard, from },
        MoveFrame::Offer { client_id } => MoveStep::Offer { client_id: client_id.into() },
    })
}

/// A message that another node hands on to the session of one client.
pub(super) fn read_following(bytes: &[u8]) -> Result<CopiedMessage, Broken> {
    let mut r = Fields(bytes);
    CopiedMessage::decode(&mut r)
        .filter(|copied| r.0.is_empty() && copied.message.is_some())
        .ok_or_else(|| Broken::new("protocol", "a message for a session that is none"))
}
