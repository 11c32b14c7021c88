//! Who answers questions: the management plane, or a peer that attached for some hookpoints.
//!
//! A peer is a queue with a descriptor to wait on and a way to answer. It belongs to whoever
//! holds it: an event loop, a thread, or a bridge that carries batches to another process over
//! a socket. Nothing of it passes the main event loop.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use rookery_core::config::{BrokerConfig, MqttConfig};
use rookery_core::effects::{Answer, Question, ShardMessage, UpEvent};

use crate::inbox::{Inbox, Item};
use crate::plugins::hook::{bit, hook_of, is_for_management};
use crate::up::Upstream;

/// The hookpoints that can be given to a peer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Hookpoint {
    /// `client.authenticate`, decided by what is configured.
    Authenticate,
    /// `client.authorize`, after every source.
    Authorize,
    /// `message.publish`.
    Publish,
    /// `client.authenticate`, before what is configured.
    FirstAuthenticate,
    /// `client.subscribe`.
    Subscribe,
    /// `client.unsubscribe`.
    Unsubscribe,
}

const HOOKPOINTS: usize = 6;

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

    /// The same, for somebody who waits for more than this.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.queue.descriptor()
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
    by_hookpoint: RwLock<Places>,
    message_bytes_max: AtomicUsize,
}

/// Who gets what.
#[derive(Default)]
struct Places {
    questions: [Option<Weak<Upstream>>; HOOKPOINTS],
    /// Who is told what happens, and of which hookpoints (a bit each).
    notices: Option<(Weak<Upstream>, u32)>,
}

impl Peers {
    pub(crate) fn new(main: Arc<Upstream>, inboxes: Arc<[Inbox]>, broker: &BrokerConfig) -> Self {
        let (by_hookpoint, message_bytes_max) = Default::default();
        let peers = Self { main, inboxes, by_hookpoint, message_bytes_max };
        peers.bound(broker);
        peers
    }

    /// No message that a peer puts in the place of another may be larger than what a client of some
    /// zone could send.
    pub(crate) fn bound(&self, broker: &BrokerConfig) {
        let zones = broker.zones.iter().map(|zone| zone.mqtt.max_packet_size);
        let most = zones.max().unwrap_or_else(|| MqttConfig::default().max_packet_size);
        self.message_bytes_max.store(most as usize, Ordering::Relaxed);
    }

    pub(crate) fn message_bytes_max(&self) -> usize {
        self.message_bytes_max.load(Ordering::Relaxed)
    }

    /// A new peer; it is asked nothing until a hookpoint is given to it.
    pub(crate) fn attach(&self) -> std::io::Result<HookPeer> {
        Ok(HookPeer { queue: Arc::new(Upstream::new()?), inboxes: self.inboxes.clone() })
    }

    /// Gives a hookpoint to a peer, or back to the management plane. Questions asked before
    /// stay where they are and keep their deadline.
    pub(crate) fn give(&self, hookpoint: Hookpoint, peer: Option<&HookPeer>) {
        let mut peers = self.by_hookpoint.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = peers.questions.get_mut(hookpoint as usize) {
            *place = peer.map(|p| Arc::downgrade(&p.queue));
        }
    }

    /// Tells a peer what happens at the hookpoints of `mask`; what the management plane needs
    /// itself goes to both.
    pub(crate) fn tell(&self, peer: &HookPeer, mask: u32) {
        let mut peers = self.by_hookpoint.write().unwrap_or_else(PoisonError::into_inner);
        peers.notices = (mask != 0).then(|| (Arc::downgrade(&peer.queue), mask));
    }

    /// Hands on the events of a turn.
    pub(crate) fn push_all(&self, events: impl IntoIterator<Item = UpEvent>) {
        let peers = self.by_hookpoint.read().unwrap_or_else(PoisonError::into_inner);
        if peers.notices.is_none() && peers.questions.iter().all(Option::is_none) {
            self.main.push_all(events);
            return;
        }
        let mut asked: [Vec<UpEvent>; HOOKPOINTS] = Default::default();
        let mut told = Vec::new();
        let mut rest = Vec::new();
        let mask = peers.notices.as_ref().map_or(0, |(_, mask)| *mask);
        for event in events {
            let at = hookpoint_of(&event).map(|h| h as usize);
            if let Some(questions) = at
                .filter(|at| peers.questions.get(*at).is_some_and(Option::is_some))
                .and_then(|at| asked.get_mut(at))
            {
                questions.push(event);
            } else if at.is_none() && hook_of(&event).is_some_and(|hook| mask & bit(hook) != 0) {
                if is_for_management(&event) {
                    rest.push(event.clone());
                }
                told.push(event);
            } else {
                rest.push(event);
            }
        }
        for (questions, peer) in asked.into_iter().zip(peers.questions.iter()) {
            let (Some(peer), false) = (peer, questions.is_empty()) else { continue };
            match peer.upgrade() {
                Some(peer) => peer.push_all(questions),
                None => self.main.leave_out(questions.len() as u64),
            }
        }
        if let (Some((peer, _)), false) = (&peers.notices, told.is_empty()) {
            match peer.upgrade() {
                Some(peer) => peer.push_all(told),
                None => self.main.leave_out(told.len() as u64),
            }
        }
        if !rest.is_empty() {
            self.main.push_all(rest);
        }
    }
}

fn hookpoint_of(event: &UpEvent) -> Option<Hookpoint> {
    match event {
        UpEvent::Ask(_, Question::Authenticate { is_first: true, .. }) => {
            Some(Hookpoint::FirstAuthenticate)
        }
        UpEvent::Ask(_, Question::Authenticate { .. } | Question::AuthContinue { .. }) => {
            Some(Hookpoint::Authenticate)
        }
        // A source that is a service is asked by whoever knows what is configured.
        UpEvent::Ask(_, Question::Authorize { source: None, .. }) => Some(Hookpoint::Authorize),
        UpEvent::Ask(_, Question::Publish { .. }) => Some(Hookpoint::Publish),
        UpEvent::Ask(_, Question::Subscribe { .. }) => Some(Hookpoint::Subscribe),
        UpEvent::Ask(_, Question::Unsubscribe { .. }) => Some(Hookpoint::Unsubscribe),
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
