//! What a shard shows to the node that keeps its sessions as well, and sessions of a lost node that go on
//! here: see [`crate::shadow`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use smallvec::smallvec;

use super::Shard;
use super::deliver::{Source, message_ref};
use crate::effects::ShardMessage;
use crate::ids::Now;
use crate::inflight::Stage;
use crate::message::Message;
use crate::moving::copy::{CopiedMessage, SessionCopy};
use crate::moving::{Moves, Seen};
use crate::persist;
use crate::session::{Queued, Session};
use crate::shadow::{Adopted, Listed, Mark, ShadowMessage, Shown};
use crate::shard::RestoredSession;
use crate::store_port::{Op, Outcome};

/// Messages shown in one turn; a session is shown whole.
const LISTED_MAX: usize = 256;
/// Sessions looked at in one turn.
const LOOKED_MAX: u32 = 1000;
/// Sessions of lost nodes that are remembered.
const ADOPTED_MAX: usize = 1_000_000;
/// How long a session of a lost node remembers what it got, should the node not have been lost (mono ms).
const SEEN_MS: u64 = 600_000;
/// What is put and removed to see whether the store has room.
const PROBE: &[u8] = b"probe";

/// What a shard has to say once its writes are stored.
#[derive(Debug)]
pub(super) enum Promise {
    /// To whoever has a shadow.
    Adopted(Sender<()>),
    /// To another node.
    Mark(Mark),
}

/// A batch of another node of which something was handed on to a third one.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) turn: u64,
    pub(super) mark: Mark,
    /// What is for this node is stored.
    pub(super) is_stored: bool,
}

/// What came from other nodes while the store refused.
#[derive(Debug)]
pub(super) enum Held {
    /// With the shared subscription that it is for.
    Message(Arc<Message>, Option<Box<(Box<str>, Box<str>)>>),
    /// Of a batch.
    Mark(Mark),
}

impl Shard {
    /// Something about shadows.
    pub(super) fn hear_shadow(&mut self, now: Now, message: ShadowMessage) {
        match message {
            ShadowMessage::Open => self.effects.shown.push(Shown::Open),
            ShadowMessage::List { from } => self.list_sessions(from),
            ShadowMessage::Adopt(adopted) => self.adopt_session(now, *adopted),
            ShadowMessage::Orphan { message, node } => self.take_orphan(now, &message, &node),
            ShadowMessage::Mark(mark) => {
                if self.travel.followed == self.nodes.turn() {
                    let turn = self.travel.followed;
                    self.travel.followed_marks.push(Followed { turn, mark, is_stored: false });
                }
                // The writes that it waits for may be those of this turn.
                let ticket =
                    if self.effects.store_ops.is_empty() { self.ticket - 1 } else { self.ticket };
                if self.travel.has_refused {
                    self.travel.held.push_back(Held::Mark(mark));
                } else if self.takes_at_once() {
                    self.keep_promise(Promise::Mark(mark));
                } else {
                    self.promise(ticket, Promise::Mark(mark));
                }
            }
        }
    }

    /// The store finished a ticket. What other nodes sent [passes](Op::passes): what it did not take now it
    /// takes when it has room. What comes after that waits here, and the nodes are told that it is taken
    /// when it is. Until then they keep it, and send no more than their credit.
    pub(super) fn note_outcome(&mut self, now: Now, ticket: u64, outcome: Outcome) {
        if outcome != Outcome::Stored {
            let is_promised = |(of, promise): &(u64, Promise)| {
                *of >= ticket && matches!(promise, Promise::Mark(_))
            };
            let is_clustered = self.shared.is_clustered.load(Ordering::Relaxed);
            if !is_clustered && !self.travel.promises.iter().any(is_promised) {
                return;
            }
            self.travel.has_refused = true;
            self.wants_ticket = true;
            let (late, in_time): (VecDeque<_>, VecDeque<_>) =
                std::mem::take(&mut self.travel.promises).into_iter().partition(is_promised);
            self.travel.promises = in_time;
            // In front of what came since.
            for (_, promise) in late.into_iter().rev() {
                if let Promise::Mark(mark) = promise {
                    self.travel.held.push_front(Held::Mark(mark));
                }
            }
        } else if self.travel.has_refused && ticket == self.travel.probe {
            self.travel.has_refused = false;
            for held in std::mem::take(&mut self.travel.held) {
                match held {
                    Held::Message(message, group) => {
                        self.deliver_from_node(now, &message, group.as_deref());
                    }
                    Held::Mark(mark) => self.hear_shadow(now, ShadowMessage::Mark(mark)),
                }
            }
        }
    }

    /// Asks the store whether there is room: it takes this if there is, whatever else passes.
    pub(super) fn probe_store(&mut self) {
        if !self.travel.has_refused {
            return;
        }
        self.travel.probe = self.ticket;
        let (table, key) = (persist::META, || Box::from(PROBE));
        let put = Op::Put { table, key: key(), value: Box::default() };
        self.effects.store_ops.extend([put, Op::Delete { table, key: key() }]);
    }

    fn promise(&mut self, ticket: u64, promise: Promise) {
        if ticket <= self.committed && self.travel.promises.is_empty() {
            self.keep_promise(promise);
        } else {
            self.travel.promises.push_back((ticket, promise));
        }
    }

    /// Everything up to a ticket is stored, or what it promised was [put off](Self::note_outcome).
    pub(super) fn keep_promises(&mut self) {
        let committed = self.committed;
        while self.travel.promises.front().is_some_and(|(ticket, _)| *ticket <= committed) {
            let Some((_, promise)) = self.travel.promises.pop_front() else { return };
            self.keep_promise(promise);
        }
    }

    fn keep_promise(&mut self, promise: Promise) {
        match promise {
            // Whoever waited may have ended.
            Promise::Adopted(stored) => drop(stored.send(())),
            Promise::Mark(mark) => {
                let mut followed = self.travel.followed_marks.iter_mut();
                if let Some(followed) = followed.find(|followed| followed.mark == mark) {
                    followed.is_stored = true;
                    return;
                }
                let stored = ShardMessage::Shadow(Box::new(ShadowMessage::Mark(mark)));
                self.effects.to_nodes.push(stored);
            }
        }
    }

    /// Other nodes took everything that was handed on up to a turn.
    pub(super) fn followed(&mut self, taken: u64) {
        if self.travel.followed_marks.is_empty() {
            return;
        }
        let is_over = |followed: &mut Followed| followed.turn <= taken;
        let over: Vec<Followed> = self.travel.followed_marks.extract_if(.., is_over).collect();
        for Followed { mark, .. } in over.into_iter().filter(|followed| followed.is_stored) {
            self.keep_promise(Promise::Mark(mark));
        }
    }

    fn list_sessions(&mut self, from: u32) {
        let mut ops = Vec::new();
        let mut at = from;
        while at < self.sessions.slots() && at - from < LOOKED_MAX && ops.len() < LISTED_MAX {
            if let Some(session) = self.sessions.get(at).filter(|s| s.durable_id != 0) {
                let zone = self.config.zones.get(usize::from(session.meta.zone));
                list_session(session, zone.map_or("default", |zone| &zone.name), &mut ops);
            }
            at += 1;
        }
        let next = (at < self.sessions.slots()).then_some(at);
        self.effects.shown.push(Shown::Slice { ops, next });
    }

    /// A session of a lost node goes on here, away, until its client comes.
    fn adopt_session(&mut self, now: Now, adopted: Adopted) {
        let Adopted { node, mut record, copy, stored } = adopted;
        let client_id = copy.client_id.clone();
        let slot = self.clients.get(&client_id).copied();
        let here = slot.and_then(|slot| self.sessions.get(slot)).map(|s| s.generation);
        if let (Some(slot), Some(here)) = (slot, here) {
            if here > record.generation {
                // The client came here meanwhile.
                let took = self.took(slot);
                self.merge(now, slot, (&node, took), copy);
                self.promise(self.ticket, Promise::Adopted(stored));
                self.wants_ticket = true;
                return;
            }
            self.end_departure(slot);
            self.forget_here(slot);
        }
        self.forget_moved(&client_id);
        let took = record.generation;
        record.durable_id = self.shared.next_durable_id();
        // Above that of the lost node, should it come back; below that of a client that has come since.
        record.generation += 1;
        if self.travel.adopted.len() < ADOPTED_MAX {
            self.travel.adopted.insert(client_id.clone(), record.generation);
        }
        record.took = took;
        let slot = self.place_adopted(now, record, &copy);
        self.fill_adopted(now, slot, &node, took, copy);
        self.promise(self.ticket, Promise::Adopted(stored));
        self.wants_ticket = true;
    }

    pub(super) fn place_adopted(
        &mut self,
        now: Now,
        record: persist::SessionRecord,
        copy: &SessionCopy,
    ) -> u32 {
        let (slot, _) = self.sessions.next_key();
        let durable_id = record.durable_id;
        let subscriptions = copy.subscriptions.iter().map(|(f, s)| (f.to_string(), *s)).collect();
        let restored = RestoredSession {
            record,
            subscriptions,
            messages: Vec::new(),
            awaiting_rel: copy.awaiting_rel.clone(),
            will: None,
        };
        self.restore_session(now, restored, now.unix_ms);
        let ids = copy.awaiting_rel.iter().map(|id| persist::put_awaiting_rel(durable_id, *id));
        self.effects.store_ops.extend(ids);
        let subscriptions = copy.subscriptions.iter();
        let puts = subscriptions.map(|(f, s)| persist::put_subscription(durable_id, f, *s));
        self.effects.store_ops.extend(puts);
        slot
    }

    fn fill_adopted(&mut self, now: Now, slot: u32, node: &Arc<str>, took: u64, copy: SessionCopy) {
        let mut seen = Box::new(Seen::default());
        seen.until_ms = now.mono_ms + SEEN_MS;
        let flying = copy.inflight.iter().map(|(.., copied)| copied);
        let all = flying.chain(copy.queue.iter().map(|(_, copied)| copied));
        for message in all.filter_map(|copied| copied.message.as_ref()) {
            seen.note_message(message);
        }
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let (seen, from) = (Some(seen), Some(node.clone()));
        session.moves = Some(Box::new(Moves { took, seen, from, departure: None }));
        let zone = self.config.zones.get(usize::from(session.meta.zone));
        let name = zone.map_or("default", |zone| &zone.name);
        self.effects.store_ops.push(persist::put_session(session, name));
        session.inflight.set_next_id(copy.next_id);
        self.fill(slot, copy.inflight, copy.queue);
    }

    /// A message that was on its way to a lost node comes to its sessions here.
    fn take_orphan(&mut self, now: Now, message: &Arc<Message>, node: &Arc<str>) {
        let matched = self.cache.matches(&self.shared.router, message.topic()).clone();
        let index = self.index;
        for (_, targets) in matched.by_shard().filter(|(shard, _)| *shard == index) {
            for target in targets {
                let key = target.key;
                let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else {
                    // It went on here, and its client has come elsewhere since.
                    let moved = self.travel.moved.get(&key);
                    if moved.is_some_and(|moved| moved.from.as_ref() == Some(node)) {
                        let (source, ids) = (&mut Source::of(message), matched.sub_ids(target));
                        self.deliver_to_moved(key, target.opts, ids, source, None);
                    }
                    continue;
                };
                let moves = session.moves.as_ref();
                if moves.is_none_or(|moves| moves.from.as_ref() != Some(node)) {
                    continue;
                }
                let client_id = session.publisher.client_id.clone();
                let copied = CopiedMessage {
                    message: Some(message.clone()),
                    qos: (message.qos as u8).min(target.opts.qos() as u8),
                    retain: message.retain && target.opts.retain_as_published(),
                    sub_ids: matched.sub_ids(target).to_vec(),
                    group: None,
                };
                self.take_following(now, &client_id, copied);
            }
        }
    }
}

/// The operations that make a session as it is.
fn list_session(session: &Session, zone: &str, ops: &mut Vec<Listed>) {
    let id = session.durable_id;
    ops.push(Listed::Op(persist::put_session(session, zone)));
    for (filter, subscription) in &session.subscriptions {
        ops.push(Listed::Op(persist::put_subscription(id, filter, *subscription)));
    }
    for packet_id in session.awaiting_rel.iter().flat_map(|ids| ids.keys()) {
        ops.push(Listed::Op(persist::put_awaiting_rel(id, *packet_id)));
    }
    for entry in session.inflight.entries() {
        if entry.stage == Stage::Settled || entry.item.seq == 0 {
            continue;
        }
        let (seq, packet_id) = (entry.item.seq, entry.packet_id);
        let is_released = entry.stage == Stage::Released;
        ops.push(list_message(id, &entry.item, is_released));
        ops.push(Listed::Op(Op::Assign { session: id, seq, packet_id }));
        if is_released {
            ops.push(Listed::Op(Op::Release { session: id, seq }));
        }
    }
    let departure = session.moves.as_ref().and_then(|moves| moves.departure.as_ref());
    let kept = departure.and_then(|departure| departure.kept.as_ref());
    let waiting = kept.into_iter().chain([&session.queue]).flat_map(|queue| queue.iter_from(0));
    for (_, item) in waiting.filter(|(_, item)| item.seq != 0) {
        ops.push(list_message(id, item, false));
    }
}

fn list_message(session: u64, item: &Queued, is_released: bool) -> Listed {
    let group = item.group.as_ref().map_or(0, |group| group.mark());
    let claim = message_ref(session, item.qos, item.retain, group);
    let seq = item.seq;
    let message = match &item.message {
        Some(message) => message.to_bytes(),
        // The client has the message: only the packet identifier is needed.
        None if is_released => Arc::from([0_u8].as_slice()),
        None => return Listed::Stored { seq, claim },
    };
    Listed::Op(Op::Publish { seq, message, refs: smallvec![claim], is_moved: true })
}
