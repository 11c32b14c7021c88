//! Who answers questions: the management plane, or a peer that attached for some hookpoints.
//!
//! A peer is a queue with a descriptor to wait on and a way to answer. It belongs to whoever
//! holds it: an event loop, a thread, or a bridge that carries batches to another process over
//! a socket. Nothing of it passes the main event loop.

use std::os::fd::RawFd;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use rookery_core::effects::{Answer, Question, ShardMessage, UpEvent};

use crate::inbox::{Inbox, Item};
use crate::up::Upstream;

/// The hookpoints that can be given to a peer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Hookpoint {
    /// `client.authenticate`.
    Authenticate,
    /// `client.authorize`.
    Authorize,
    /// `message.publish`.
    Publish,
}

const HOOKPOINTS: usize = 3;

/// One attached peer. When the last clone of it goes, it counts as dead: what its hookpoints would
/// ask gets the answer of the deadline (`HookSwitches::unanswered_allows`) until they are given to somebody
/// else. Nothing falls back to a peer that was not meant to decide.
#[derive(Clone)]
pub struct HookPeer {
    queue: Arc<Upstream>,
    inboxes: Arc<[Inbox]>,
}

impl std::fmt::Debug for HookPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookPeer").field("fd", &self.fd()).finish()
    }
}

impl HookPeer {
    /// Readable while questions wait.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.queue.fd()
    }

    /// Takes up to `max` questions.
    #[must_use]
    pub fn drain(&self, max: usize) -> Vec<UpEvent> {
        self.queue.drain(max)
    }

    /// Answers questions; unknown or late ones are ignored.
    pub fn answer(&self, answers: Vec<Answer>) {
        answer(&self.inboxes, answers);
    }
}

/// Routes events: questions to the peer of their hookpoint, the rest to the management plane.
pub(crate) struct Peers {
    pub(crate) main: Arc<Upstream>,
    inboxes: Arc<[Inbox]>,
    by_hookpoint: RwLock<[Option<Weak<Upstream>>; HOOKPOINTS]>,
}

impl Peers {
    pub(crate) fn new(main: Arc<Upstream>, inboxes: Arc<[Inbox]>) -> Self {
        Self { main, inboxes, by_hookpoint: RwLock::default() }
    }

    /// A new peer; it is asked nothing until a hookpoint is given to it.
    pub(crate) fn attach(&self) -> std::io::Result<HookPeer> {
        Ok(HookPeer { queue: Arc::new(Upstream::new()?), inboxes: self.inboxes.clone() })
    }

    /// Gives a hookpoint to a peer, or back to the management plane. Questions asked before
    /// stay where they are and keep their deadline.
    pub(crate) fn give(&self, hookpoint: Hookpoint, peer: Option<&HookPeer>) {
        let mut peers = self.by_hookpoint.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = peers.get_mut(hookpoint as usize) {
            *place = peer.map(|p| Arc::downgrade(&p.queue));
        }
    }

    /// Hands on the events of a turn.
    pub(crate) fn push_all(&self, events: impl IntoIterator<Item = UpEvent>) {
        let peers = self.by_hookpoint.read().unwrap_or_else(PoisonError::into_inner);
        if peers.iter().all(Option::is_none) {
            self.main.push_all(events);
            return;
        }
        let mut asked: [Vec<UpEvent>; HOOKPOINTS] = Default::default();
        let mut rest = Vec::new();
        for event in events {
            let at = hookpoint_of(&event).map(|h| h as usize);
            match at
                .filter(|at| peers.get(*at).is_some_and(Option::is_some))
                .and_then(|at| asked.get_mut(at))
            {
                Some(questions) => questions.push(event),
                None => rest.push(event),
            }
        }
        for (questions, peer) in asked.into_iter().zip(peers.iter()) {
            let (Some(peer), false) = (peer, questions.is_empty()) else { continue };
            match peer.upgrade() {
                Some(peer) => peer.push_all(questions),
                None => self.main.leave_out(questions.len() as u64),
            }
        }
        if !rest.is_empty() {
            self.main.push_all(rest);
        }
    }
}

fn hookpoint_of(event: &UpEvent) -> Option<Hookpoint> {
    match event {
        UpEvent::Ask(_, Question::Authenticate { .. } | Question::AuthContinue { .. }) => {
            Some(Hookpoint::Authenticate)
        }
        UpEvent::Ask(_, Question::Authorize { .. }) => Some(Hookpoint::Authorize),
        UpEvent::Ask(_, Question::Publish { .. }) => Some(Hookpoint::Publish),
        _ => None,
    }
}

/// Sends answers to the shards that asked.
pub(crate) fn answer(inboxes: &[Inbox], answers: Vec<Answer>) {
    let mut by_shard: Vec<Vec<Item>> = inboxes.iter().map(|_| Vec::new()).collect();
    for answer in answers {
        if let Some(items) = by_shard.get_mut(usize::from(answer.id.shard)) {
            items.push(Item::Shard(ShardMessage::Answer(answer)));
        }
    }
    for (inbox, items) in inboxes.iter().zip(by_shard) {
        if !items.is_empty() {
            inbox.push_all(items);
        }
    }
}
