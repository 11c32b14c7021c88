//! What is for a node that does not run any more, and clients that wait for its sessions: both are for the
//! node where these go on.
//!
//! A node that does not run any more leaves an [`Orphan`], if another one has said that it keeps its sessions.
//! Its routes stand, and what is published for them waits, so that nobody has an acknowledgement for what
//! reaches no session. Once the other one has said that they go on there, it is asked about the sessions
//! that clients wait for, and gets what waits and what still comes by the old routes, in that order, until it
//! has told its own. A node that is back with its store gets all of that itself; one that is
//! back with another store does not: it has lost its disk, and its sessions go on elsewhere.

use std::sync::Arc;

use rookery_cluster::frame::{self, Frame};
use rookery_cluster::lane::LaneSender;
use rookery_cluster::routes::RouteMirror;
use rookery_cluster::shadow::{ORPHAN, SHADOW, ShadowFrame};
use rookery_core::effects::ShardMessage;
use rookery_core::message::{Message, Origin};
use rookery_core::moving::{Move, MoveStep};
use rookery_core::shadow::ShadowMessage;

use super::carrier::Carrier;
use super::moves::{FOR_CLIENT, frame_of, read_following, tell_frame};
use super::peer::Peer;
use super::stored::HERE;
use crate::inbox::Item;

/// How long the sessions of a lost node may take to go on.
const PATIENCE_MS: u64 = 12_000;
/// How long the node where they went may take to tell their routes.
const ROUTES_MS: u64 = 60_000;
/// How long messages still come by routes that are taken out.
const LATE_MS: u64 = 10_000;

/// What became of a node that does not run any more.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It may be lost, or have stopped, or run again and not have said which store it has.
    Open,
    /// It has lost its store: its sessions will be elsewhere.
    Burnt,
    /// They are at that node.
    Moved(String),
}

/// A node that does not run any more.
pub(super) struct Orphan {
    /// Its [`Peer::id`].
    pub(super) id: u64,
    pub(super) name: String,
    incarnation: u64,
    /// Who keeps its sessions.
    by: String,
    /// Which store it had.
    store: Option<u64>,
    fate: Fate,
    /// It runs again.
    is_back: bool,
    /// What it had not taken, and what came since.
    pub(super) lanes: Vec<LaneSender>,
    /// Its routes, until those of whoever has its sessions are known.
    mirror: RouteMirror,
    until_ms: u64,
}

impl Orphan {
    /// Whether what was sent to that peer waits here.
    pub(super) fn holds(&self, id: u64) -> bool {
        self.id == id && !self.is_moved()
    }

    /// Where its sessions are, if that is known.
    pub(super) fn moved_to(&self) -> Option<&str> {
        match &self.fate {
            Fate::Moved(to) => Some(to),
            Fate::Open | Fate::Burnt => None,
        }
    }

    pub(super) fn is_moved(&self) -> bool {
        self.moved_to().is_some()
    }

    /// Whether publishers have to wait: nothing is dropped for the moment that this lasts.
    pub(super) fn is_full(&self) -> bool {
        self.lanes.iter().any(LaneSender::is_full)
    }
}

impl Carrier {
    /// A node does not run any more. Until it is known whether it is lost it counts as that.
    pub(super) fn leave_orphan(&mut self, mut peer: Peer) {
        if peer.partner.is_none() {
            // Nobody will take over what comes by them.
            peer.mirror.forget(&mut self.numbers.of(peer.id));
        }
        let mut lanes: Vec<_> = peer.lanes.into_iter().map(|lane| lane.sender).collect();
        lanes.iter_mut().for_each(LaneSender::disconnected);
        let (name, incarnation) = (peer.is.name, peer.is.incarnation);
        self.orphans.push(Orphan {
            id: peer.id,
            name,
            incarnation,
            by: peer.partner.unwrap_or_default(),
            store: peer.store,
            fate: Fate::Open,
            is_back: false,
            lanes,
            mirror: peer.mirror,
            until_ms: self.now_ms + PATIENCE_MS,
        });
    }

    /// A node runs again: whether it is what it was it says itself.
    pub(super) fn return_orphan(&mut self, name: &str) {
        for orphan in self.orphans.iter_mut().filter(|orphan| orphan.name == name) {
            orphan.is_back = true;
        }
    }

    /// A node that runs again has said which store it has: with the one that it had it gets what it had
    /// not taken, and is asked itself.
    pub(super) fn judge_returned(&mut self, name: &str, store: u64) {
        let until_ms = self.now_ms + PATIENCE_MS;
        let mut same = Vec::new();
        for orphan in self.orphans.iter_mut().filter(|one| one.name == name && one.is_back) {
            if orphan.fate != Fate::Open {
                continue;
            }
            if orphan.store.is_none_or(|known| known == store) {
                same.push(orphan.id);
            } else {
                (orphan.fate, orphan.until_ms) = (Fate::Burnt, until_ms);
            }
        }
        same.into_iter().for_each(|id| self.move_orphan(id, name));
        self.end_orphans(|orphan| orphan.fate == Fate::Burnt && orphan.by.is_empty());
        self.settle_orphans();
    }

    /// An earlier version does not say it: it counts as what it was.
    pub(super) fn take_at_its_word(&mut self, at: usize) {
        let peer = self.peers.get(at).filter(|peer| !peer.knows_shadows);
        if let Some(name) = peer.map(|peer| peer.is.name.clone()) {
            self.judge_returned(&name, 0);
        }
    }

    /// Membership says who is lost; who is not has stopped, and comes back with all it has. Nodes whose
    /// sessions are here, as far as this one `may` speak for the cluster, go on here. Of whom it cannot be
    /// said now, it may be in a moment.
    pub(super) fn judge_orphans(&mut self, lost: &[String], may: bool) {
        self.end_orphans(|orphan| {
            let is_lost = lost.contains(&orphan.name);
            let is_over = orphan.by.is_empty() || is_lost != may;
            orphan.fate == Fate::Open && !orphan.is_back && is_over
        });
        let me = self.me.name.clone();
        let is_mine = |orphan: &&Orphan| {
            let is_lost = may && !orphan.is_back && lost.contains(&orphan.name);
            orphan.by == me && is_lost && !orphan.is_moved()
        };
        let mine = self.orphans.iter().filter(is_mine);
        let mine: Vec<_> = mine.map(|one| (one.name.clone(), one.incarnation)).collect();
        for (name, incarnation) in mine {
            self.begin_adoption(&name, incarnation);
        }
        self.settle_orphans();
    }

    /// Whether others wait for this node to take over the sessions of a lost one.
    pub(super) fn is_awaited_from(&self, node: &str, incarnation: u64) -> bool {
        let is_it = |one: &Orphan| one.name == node && one.incarnation == incarnation;
        self.orphans.iter().any(|one| is_it(one) && one.by == self.me.name && !one.is_moved())
    }

    /// Forgets nodes with their routes and what waits for them.
    fn end_orphans(&mut self, is_over: impl Fn(&Orphan) -> bool) {
        let over: Vec<Orphan> = self.orphans.extract_if(.., |orphan| is_over(orphan)).collect();
        for mut orphan in over {
            orphan.mirror.forget(&mut self.numbers.of(orphan.id));
        }
    }

    /// Has those go on who wait for a lost node whose sessions are elsewhere by now.
    pub(super) fn settle_orphans(&mut self) {
        let waiting = self.orphans.iter().filter(|orphan| !orphan.is_moved());
        let moved = waiting.filter_map(|orphan| {
            let is_it = |one: &&super::adopted::AdoptedBy| one.is(&orphan.name, orphan.incarnation);
            self.adopted.iter().rfind(is_it).map(|one| (orphan.id, one.by.clone()))
        });
        for (id, by) in moved.collect::<Vec<_>>() {
            self.move_orphan(id, &by);
        }
        for orphan in &mut self.orphans {
            let Fate::Moved(to) = &orphan.fate else { continue };
            let is_known = match *to == orphan.name {
                true => {
                    let peer = self.peers.iter().find(|peer| peer.is.name == *to);
                    peer.is_none_or(|peer| peer.mirror.version().is_some())
                }
                false => self.adopted.iter().any(|one| {
                    one.is(&orphan.name, orphan.incarnation) && one.by == *to && one.is_settled
                }),
            };
            if is_known && orphan.mirror.numbers().next().is_some() {
                orphan.mirror.forget(&mut self.numbers.of(orphan.id));
                orphan.until_ms = self.now_ms + LATE_MS;
            }
        }
        let now_ms = self.now_ms;
        let waiting = self.orphans.iter().filter(|orphan| !orphan.is_moved());
        let late = waiting.filter(|orphan| now_ms >= orphan.until_ms).map(|orphan| orphan.id);
        late.collect::<Vec<_>>().into_iter().for_each(|id| self.miss(id));
        self.end_orphans(|orphan| now_ms >= orphan.until_ms);
    }

    /// Nobody took over in time what was sent to a lost node: whoever waits for it has waited long enough.
    fn miss(&mut self, id: u64) {
        for turn in self.turns.iter_mut().flatten() {
            for need in turn.needs.iter_mut().filter(|need| need.0 == id) {
                *need = (HERE, 0, u64::MAX);
                turn.deadline_ms = self.now_ms;
            }
        }
    }

    /// The sessions of a lost node are at that one: so is what waits for them.
    fn move_orphan(&mut self, id: u64, to: &str) {
        let until_ms = self.now_ms + ROUTES_MS;
        let Some(orphan) = self.orphans.iter_mut().find(|orphan| orphan.id == id) else { return };
        (orphan.fate, orphan.until_ms) = (Fate::Moved(to.to_owned()), until_ms);
        let left: Vec<_> = orphan.lanes.iter_mut().map(LaneSender::give_up).collect();
        let origin = Arc::<str>::from(orphan.name.as_str());
        for (lane, batches) in left.iter().enumerate() {
            for batch in batches {
                let Ok(Some((Frame::Batch { items, .. }, _))) =
                    frame::next(batch, frame::FRAME_BYTES_MAX)
                else {
                    continue;
                };
                for item in frame::items(items).flatten() {
                    self.redirect(to, lane, item, &origin);
                }
            }
        }
        let at = self.peers.iter().position(|peer| peer.is.name == to);
        let mut needs = Vec::new();
        if let Some(peer) = at.and_then(|at| self.peers.get(at)) {
            let lanes = peer.lanes.iter().filter(|lane| lane.sender.pending() > 0);
            needs.extend(lanes.map(|lane| (peer.id, lane.number, lane.sender.pending())));
        } else {
            needs.push(self.mark_here());
        }
        for turn in self.turns.iter_mut().flatten() {
            let before = turn.needs.len();
            turn.needs.retain(|(of, ..)| *of != id);
            if turn.needs.len() < before {
                turn.needs.extend_from_slice(&needs);
            }
        }
        self.ask_instead(id, at);
    }

    /// What was for a lost node goes to where its sessions are.
    pub(super) fn redirect(
        &mut self,
        to: &str,
        lane: usize,
        item: frame::Item<'_>,
        origin: &Arc<str>,
    ) {
        match self.peers.iter().position(|peer| peer.is.name == to) {
            Some(at) => self.send_orphan(at, lane, item, origin),
            None if to == self.me.name => self.take_orphan(item, origin),
            None => {}
        }
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
    pub(super) fn ask_instead(&mut self, lost: u64, by: Option<usize>) {
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
    pub(super) fn awaited(&self) -> impl Iterator<Item = u64> {
        let orphans = self.orphans.iter().filter(|orphan| !orphan.is_moved());
        let orphans = orphans.map(|orphan| orphan.id);
        orphans.chain(self.adoptions.ids()).chain(self.expected.id())
    }

    pub(super) fn is_awaited(&self, id: u64) -> bool {
        self.awaited().any(|one| one == id)
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
            HeardShadow::Settled(node, incarnation) => {
                self.note_settled(&node, incarnation, &name);
            }
            HeardShadow::Store(store) => self.note_store(at, store),
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
    Settled(String, u64),
    Store(u64),
}

impl HeardShadow {
    pub(super) fn of(frame: ShadowFrame<'_>) -> Option<Self> {
        match frame {
            ShadowFrame::Partner { name } => Some(Self::Partner(name.to_owned())),
            ShadowFrame::Adopted { name, incarnation } => {
                Some(Self::Adopted(name.to_owned(), incarnation))
            }
            ShadowFrame::Settled { name, incarnation } => {
                Some(Self::Settled(name.to_owned(), incarnation))
            }
            ShadowFrame::Store { id } => Some(Self::Store(id)),
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
