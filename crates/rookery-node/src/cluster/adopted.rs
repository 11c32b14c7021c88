//! Sessions of lost nodes that go on here, and where those went that others took over.
//!
//! Each node says [which store it has](ShadowFrame::Store) before anything else. One that comes back with another store
//! has lost its disk: what is kept of it here goes on here. While that is under way nobody is told
//! that there is no session here; clients of this node wait for the [`Adoption`], questions of others are held.

use std::collections::HashMap;

use rookery_cluster::frame::Frame;
use rookery_cluster::moves::Question;
use rookery_cluster::shadow::ShadowFrame;
use rookery_core::moving::MoveStep;

use super::carrier::Carrier;
use super::socket::Connection;

/// Lost nodes of which it is remembered where their sessions went.
const ADOPTED_MAX: usize = 64;
/// Questions that are held; others are answered at once.
const HELD_MAX: usize = 100_000;
/// Nodes of which it is remembered which store they had.
const STORES_MAX: usize = 1024;

/// Where the sessions of a lost node went.
pub(super) struct AdoptedBy {
    node: String,
    incarnation: u64,
    pub(super) by: String,
    /// Their routes are known here.
    pub(super) is_settled: bool,
}

impl AdoptedBy {
    pub(super) fn is(&self, node: &str, incarnation: u64) -> bool {
        self.node == node && self.incarnation == incarnation
    }
}

/// Sessions of a lost node on their way to the workers of this one.
struct Adoption {
    /// As if a peer had them, see [`Peer::id`](super::peer::Peer::id).
    id: u64,
    node: String,
    incarnation: u64,
}

/// Which store a node had, in which of its starts.
struct Had {
    store: u64,
    incarnation: u64,
}

#[derive(Default)]
pub(super) struct Adoptions {
    under_way: Vec<Adoption>,
    /// By peers.
    held: Vec<(u64, Question)>,
    stores: HashMap<String, Had>,
}

impl Adoptions {
    /// Keeps a question of a peer while it cannot be answered; gives it back if it can.
    pub(super) fn hold(&mut self, peer: u64, question: Question) -> Option<Question> {
        let is_about_older = question.ask != 0 && !question.is_clean;
        if self.under_way.is_empty() || !is_about_older || self.held.len() >= HELD_MAX {
            return Some(question);
        }
        self.held.push((peer, question));
        None
    }

    /// Whom clients of this node wait for meanwhile.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.under_way.iter().map(|adoption| adoption.id)
    }
}

impl Carrier {
    /// The sessions of a node that are kept here go on here, unless they do already.
    pub(super) fn begin_adoption(&mut self, node: &str, incarnation: u64) {
        let Some(shadows) = &self.shadows else { return };
        let is_known = self.adopted.iter().any(|one| one.is(node, incarnation));
        let under_way = &mut self.adoptions.under_way;
        let is_it = |one: &Adoption| one.node == node && one.incarnation == incarnation;
        if is_known || under_way.iter().any(is_it) {
            return;
        }
        shadows.adopt(node, incarnation);
        self.peers_made += 1;
        under_way.push(Adoption { id: self.peers_made, node: node.to_owned(), incarnation });
    }

    /// They do from now on, as far as there are `any`.
    pub(super) fn end_adoption(&mut self, node: &str, incarnation: u64, is_any: bool) {
        let under_way = &mut self.adoptions.under_way;
        let is_it = |one: &Adoption| one.node == node && one.incarnation == incarnation;
        let done = under_way.iter().position(is_it).map(|at| under_way.swap_remove(at).id);
        if is_any || self.is_awaited_from(node, incarnation) {
            self.note_adopted(node, incarnation, self.me.name.clone());
        }
        if let Some(id) = done {
            self.ask_instead(id, None);
        }
        if !self.adoptions.under_way.is_empty() {
            return;
        }
        for (id, question) in std::mem::take(&mut self.adoptions.held) {
            let Some(at) = self.peers.iter().position(|peer| peer.id == id) else { continue };
            let Question { ask, epoch, is_clean, client_id } = question;
            let step = MoveStep::Ask { ask, epoch, is_clean, is_above: false, client_id };
            self.take_move(at, step);
        }
    }

    /// A node says which store it has.
    pub(super) fn note_store(&mut self, at: usize, store: u64) {
        let Some(peer) = self.peers.get_mut(at) else { return };
        peer.store = Some(store);
        let (name, incarnation) = (peer.is.name.clone(), peer.is.incarnation);
        let stores = &mut self.adoptions.stores;
        if stores.len() >= STORES_MAX {
            stores.retain(|name, _| self.peers.iter().any(|peer| peer.is.name == *name));
        }
        let had = stores.insert(name.clone(), Had { store, incarnation });
        if let Some(had) = had.filter(|had| had.store != store && had.store != 0) {
            self.begin_adoption(&name, had.incarnation);
        }
        self.judge_returned(&name, store);
    }

    /// The sessions of a lost node go on at that node.
    pub(super) fn note_adopted(&mut self, node: &str, incarnation: u64, by: String) {
        if by == self.me.name {
            let frame = Frame::Shadow(ShadowFrame::Adopted { name: node, incarnation });
            for peer in &mut self.peers {
                peer.tell_on_lane(&frame);
                peer.unsettled.push((node.to_owned(), incarnation));
            }
            // A client that did not wait may have a newer session elsewhere.
            for at in 0..self.peers.len() {
                self.list_for(at);
            }
        }
        if !self.adopted.iter().any(|one| one.is(node, incarnation) && one.by == by) {
            // What is in the trie of this node is known here.
            let is_settled = by == self.me.name;
            self.adopted.push(AdoptedBy { node: node.to_owned(), incarnation, by, is_settled });
        }
        if self.adopted.len() > ADOPTED_MAX {
            self.adopted.remove(0);
        }
        self.settle_orphans();
    }

    /// Their routes are known here.
    pub(super) fn note_settled(&mut self, node: &str, incarnation: u64, by: &str) {
        let is_it = |one: &&mut AdoptedBy| one.is(node, incarnation) && one.by == by;
        self.adopted.iter_mut().filter(is_it).for_each(|one| one.is_settled = true);
        self.settle_orphans();
    }

    /// Tells peers that they know all routes of sessions that went on here, once they do.
    pub(super) fn tell_settled(&mut self) {
        for peer in &mut self.peers {
            if peer.unsettled.is_empty() || peer.routes.has_news(&self.source) {
                continue;
            }
            for (name, incarnation) in std::mem::take(&mut peer.unsettled) {
                let (name, incarnation) = (name.as_str(), incarnation);
                peer.tell_on_lane(&Frame::Shadow(ShadowFrame::Settled { name, incarnation }));
            }
        }
    }
}

/// Tells of what went on here on a new connection; of whom it has yet to be said that all is told.
pub(super) fn tell_adopted(
    adopted: &[AdoptedBy],
    me: &str,
    connection: &mut Connection,
) -> Vec<(String, u64)> {
    let here = adopted.iter().filter(|one| one.by == me);
    let told = here.map(|AdoptedBy { node: name, incarnation, .. }| {
        let incarnation = *incarnation;
        connection.put(&Frame::Shadow(ShadowFrame::Adopted { name, incarnation }));
        (name.clone(), incarnation)
    });
    told.collect()
}
