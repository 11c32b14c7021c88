//! A session that moves between nodes, as the node sees it that the client came to: see
//! [`crate::moving`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;
use rookery_codec::{ReasonCode, parse_filter};
use smallvec::smallvec;

use super::Shard;
use super::deliver::message_ref;
use super::departing::Moved;
use super::shadow::{Followed, Held, Promise};
use crate::conn::{ConnState, ConnectRequest, Deferred};
use crate::effects::{CloseCause, LogLevel, ShardMessage, UpEvent};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::inflight::Stage;
use crate::message::MessageParts;
use crate::moving::copy::{CopiedMessage, SessionCopy};
use crate::moving::{AWAITS, Following, Move, MoveStep, Moves, Seen};
use crate::persist;
use crate::session::{Queued, Session};
use crate::store_port::{Op, Outcome};

/// How long after the other node has forgotten a session messages may still come from there (mono ms).
const SETTLE_MS: u64 = 20_000;
/// Number of a question that no answer of somebody else has.
const ASKED: u32 = u32::MAX;

/// Sessions on their way between nodes, as far as a shard is concerned.
#[derive(Debug)]
pub(super) struct Travel {
    /// Clients that wait for what other nodes say about their sessions.
    pub(super) asking: HashMap<Arc<str>, Asking>,
    /// Number of the latest question to other nodes.
    asks: u64,
    /// Up to where sessions were offered to other nodes.
    pub(super) offered: u32,
    /// Nodes to be told that a session is stored here, in the order of the tickets.
    pub(super) unconfirmed: VecDeque<Unconfirmed>,
    /// Sessions that live on other nodes by now, until nothing comes for them.
    pub(super) moved: HashMap<SessionKey, Moved>,
    /// The same by client.
    pub(super) moved_of: HashMap<Arc<str>, SessionKey>,
    /// When that is (mono ms).
    pub(super) moved_due: VecDeque<(u64, SessionKey)>,
    /// Sessions of lost nodes that went on here, with the epoch they got; so they do not come back.
    pub(super) adopted: HashMap<Arc<str>, u64>,
    /// The latest turn in which a message was handed on to another node.
    pub(super) followed: u64,
    /// Marks of messages that were handed on.
    pub(super) followed_marks: Vec<Followed>,
    /// What is said once writes are stored, by their tickets.
    pub(super) promises: VecDeque<(u64, Promise)>,
    /// The store refused something, and has not shown since that there is room.
    pub(super) has_refused: bool,
    /// What came from other nodes since, and marks of what it may have refused.
    pub(super) held: VecDeque<Held>,
    /// Ticket of the latest question whether there is room.
    pub(super) probe: u64,
}

impl Travel {
    pub(super) fn new(shard: u16, now: Now) -> Self {
        Self {
            asking: HashMap::new(),
            // Not those of an earlier run: answers to that may still come.
            asks: u64::from(shard) << 48 | now.unix_ms & 0xffff_ffff_ffff,
            offered: 0,
            unconfirmed: VecDeque::new(),
            moved: HashMap::new(),
            moved_of: HashMap::new(),
            adopted: HashMap::new(),
            followed: 0,
            followed_marks: Vec::new(),
            promises: VecDeque::new(),
            has_refused: false,
            held: VecDeque::new(),
            probe: 0,
            moved_due: VecDeque::new(),
        }
    }
}

/// A client that waits for what other nodes say about its session.
#[derive(Debug)]
pub(super) struct Asking {
    /// None: the session was offered, no client waits.
    key: Option<ConnKey>,
    ask: u64,
    pub(super) epoch: u64,
    pub(super) copies: Vec<(Arc<str>, SessionCopy)>,
}

/// A node to be told that its session is stored here, once it is.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    ticket: u64,
    node: Arc<str>,
    ask: u64,
    client_id: Arc<str>,
    epoch: u64,
    /// No client came for it: what is not stored is not here either.
    pub(super) is_offered: bool,
}

impl Shard {
    /// Whether the session of a client may be on another node. One that is here is nowhere else.
    pub(super) fn must_ask_nodes(&self, request: &ConnectRequest) -> bool {
        if self.shared.other_nodes.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let is_made_up = request.is_assigned && request.client_id.starts_with("rk-");
        match self.clients.get(&request.client_id).and_then(|slot| self.sessions.get(*slot)) {
            Some(session) => session.is_departing(),
            None => !is_made_up,
        }
    }

    /// The client waits until other nodes have said whether they have its session.
    pub(super) fn ask_nodes(&mut self, now: Now, key: ConnKey, request: Box<ConnectRequest>) {
        let client_id = request.client_id.clone();
        let slot = self.clients.get(&client_id);
        let before = slot.and_then(|slot| self.sessions.get(*slot)).map_or(0, |s| s.generation);
        let epoch = self.next_generation(now, before);
        let is_clean = request.clean_start;
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        conn.state = ConnState::Deciding;
        conn.is_paused = true;
        conn.deferred = Some(Box::new(Deferred {
            connect: Some(request),
            asked: ASKED,
            ..Deferred::default()
        }));
        if let Some(older) = self.travel.asking.remove(&client_id) {
            self.give_way(now, &client_id, older);
        }
        let ask = self.ask_for(Some(key), epoch, &client_id);
        self.tell_node(None, MoveStep::Ask { ask, epoch, is_clean, is_above: false, client_id });
    }

    /// Notes that other nodes are asked for a session; the number of the question.
    pub(super) fn ask_for(
        &mut self,
        key: Option<ConnKey>,
        epoch: u64,
        client_id: &Arc<str>,
    ) -> u64 {
        self.travel.asks += 1;
        let ask = self.travel.asks;
        let asking = Asking { key, ask, epoch, copies: Vec::new() };
        self.travel.asking.insert(client_id.clone(), asking);
        ask
    }

    pub(super) fn tell_node(&mut self, node: Option<Arc<str>>, step: MoveStep) {
        self.effects.to_nodes.push(ShardMessage::Move(Box::new(Move { node, step })));
    }

    /// Another connect of the same client goes before one that waits.
    pub(super) fn give_way(&mut self, now: Now, client_id: &Arc<str>, asking: Asking) {
        let ask = asking.ask;
        self.tell_node(None, MoveStep::GiveUp { ask, client_id: client_id.clone() });
        self.send_back(client_id, asking.copies, ask);
        if let Some(key) = asking.key
            && self.take_waiting(key).is_some()
        {
            let detail = "the same client identifier connects elsewhere at the same moment";
            let (code, cause) = (ReasonCode::SERVER_BUSY, CloseCause::TakenOver);
            self.refuse_as(now, key, client_id, code, cause, detail);
        }
    }

    pub(super) fn send_back(
        &mut self,
        client_id: &Arc<str>,
        copies: Vec<(Arc<str>, SessionCopy)>,
        ask: u64,
    ) {
        for (node, _) in copies {
            self.tell_node(Some(node), MoveStep::GiveUp { ask, client_id: client_id.clone() });
        }
    }

    /// The CONNECT of a client that waits, if it still does.
    fn take_waiting(&mut self, key: ConnKey) -> Option<Box<ConnectRequest>> {
        let conn = self.conns.get_checked(key.slot, key.generation)?;
        if conn.state != ConnState::Deciding
            || conn.deferred.as_ref().is_none_or(|deferred| deferred.asked != ASKED)
        {
            return None;
        }
        conn.deferred.take().and_then(|deferred| deferred.connect)
    }

    /// What another node says about a session, or the lanes.
    pub(super) fn take_step(&mut self, now: Now, step: Move) {
        let Move { node, step } = step;
        match (node, step) {
            (_, MoveStep::Settled { ask, client_id, silent }) => {
                self.settle(now, ask, &client_id, &silent);
            }
            (_, MoveStep::Refused { ask, client_id }) => {
                if self.travel.asking.get(&client_id).is_some_and(|asking| asking.ask == ask)
                    && let Some(asking) = self.travel.asking.remove(&client_id)
                {
                    self.give_way(now, &client_id, asking);
                }
            }
            (Some(node), MoveStep::Copy { ask, client_id, bytes }) => {
                self.take_copy(now, node, ask, &client_id, &bytes);
            }
            (Some(_), MoveStep::Forgotten { client_id }) => self.settle_seen(now, &client_id),
            (Some(_), MoveStep::Offer { client_id }) => self.take_offer(now, client_id),
            (Some(node), MoveStep::Leave { most }) => self.offer_sessions(&node, most),
            (Some(node), step) => self.take_question(now, node, step),
            (None, _) => {}
        }
    }

    fn take_copy(
        &mut self,
        now: Now,
        node: Arc<str>,
        ask: u64,
        client_id: &Arc<str>,
        bytes: &[u8],
    ) {
        let Some(copy) = SessionCopy::from_bytes(bytes).filter(|c| c.client_id == *client_id)
        else {
            self.log_error(format!(
                "node {node} sent a session of client {client_id:?} that is none; it stays there"
            ));
            return;
        };
        if let Some(asking) = self.travel.asking.get_mut(client_id).filter(|a| a.ask == ask) {
            asking.copies.retain(|(known, _)| *known != node);
            asking.copies.push((node, copy));
            return;
        }
        // Nobody waits for it any more: it belongs to a newer session, or stays where it is.
        let slot = self.clients.get(client_id).copied();
        // Who asked is the later one, whatever the clocks of the nodes say. Of two of the same
        // millisecond, which the nodes compared, it is the one that asked as well.
        if let Some(session) = slot.and_then(|slot| self.sessions.get_mut(slot))
            && (ask != 0 || session.generation == copy.generation)
        {
            session.generation = session.generation.max(copy.generation + 1);
        }
        let is_newer = |session: &Session| session.generation > copy.generation;
        match slot.filter(|slot| self.sessions.get(*slot).is_some_and(is_newer)) {
            Some(slot) => {
                let before = self.effects.store_ops.len();
                let took = self.took(slot);
                self.merge(now, slot, (&node, took), copy);
                self.confirm(before, node, slot, ask);
            }
            None => {
                let client_id = client_id.clone();
                self.tell_node(Some(node), MoveStep::GiveUp { ask, client_id });
            }
        }
    }

    /// All that is to be known about a client's session is known: it comes in.
    fn settle(&mut self, now: Now, ask: u64, client_id: &Arc<str>, silent: &[Arc<str>]) {
        if self.travel.asking.get(client_id).is_none_or(|asking| asking.ask != ask) {
            return;
        }
        let Some(asking) = self.travel.asking.remove(client_id) else { return };
        let Some(key) = asking.key else {
            self.settle_offered(now, ask, client_id, asking);
            return;
        };
        let mut copies = asking.copies;
        let Some(mut request) = self.take_waiting(key) else {
            self.send_back(client_id, copies, ask);
            return;
        };
        copies.sort_by_key(|(_, copy)| copy.generation);
        let slot = self.clients.get(client_id).copied();
        let here = slot.and_then(|slot| self.sessions.get(slot)).map(|s| s.generation);
        let best = copies.pop_if(|(_, copy)| here.is_none_or(|here| copy.generation > here));
        if best.is_none() && here.is_none() && !silent.is_empty() && !request.clean_start {
            self.warn_of_silence(client_id, silent);
        }
        if let Some(slot) = slot {
            self.end_departure(slot);
            if best.is_some() {
                self.forget_here(slot);
            }
        }
        let mut nodes: Vec<Arc<str>> = Vec::new();
        let took = match &best {
            Some((_, copy)) => copy.took,
            None => slot.map_or(0, |slot| self.took(slot)),
        };
        if let Some((node, copy)) = best {
            request.copy = Some(Box::new(copy));
            nodes.push(node);
        }
        if let Some(conn) = self.conns.get_mut(key.slot) {
            conn.state = ConnState::New;
        }
        let before = self.effects.store_ops.len();
        self.admit(now, key, *request);
        self.resume(key);
        let slot = self.clients.get(client_id).copied();
        let is_in = |slot: &u32| self.sessions.get(*slot).is_some_and(|s| s.conn == Some(key));
        let Some(slot) = slot.filter(is_in) else {
            let left = nodes.into_iter().chain(copies.into_iter().map(|(node, _)| node));
            for node in left {
                let client_id = client_id.clone();
                self.tell_node(Some(node), MoveStep::GiveUp { ask, client_id });
            }
            return;
        };
        for (node, copy) in copies {
            self.merge(now, slot, (&node, took), copy);
            nodes.push(node);
        }
        for node in nodes {
            self.confirm(before, node, slot, ask);
        }
    }

    /// See [`Moves::took`].
    pub(super) fn took(&self, slot: u32) -> u64 {
        let session = self.sessions.get(slot);
        session.and_then(|session| session.moves.as_ref()).map_or(0, |moves| moves.took)
    }

    /// The lanes are closed: nobody is asked any more.
    pub(super) fn settle_all(&mut self, now: Now) {
        let open = self.travel.asking.iter().map(|(id, asking)| (asking.ask, id.clone()));
        for (ask, client_id) in open.collect::<Vec<_>>() {
            self.settle(now, ask, &client_id, &[]);
        }
    }

    fn warn_of_silence(&mut self, client_id: &str, silent: &[Arc<str>]) {
        let names = silent.join(", ");
        let text = format!(
            "client {client_id:?} begins a new session: node {names} did not say in time whether \
             it has one; what it has queued comes when it is back"
        );
        self.effects.up.push(UpEvent::Log(LogLevel::Warning, text.into()));
    }

    /// Tells a node that its session is here, as soon as it is stored.
    pub(super) fn confirm(&mut self, before: usize, node: Arc<str>, slot: u32, ask: u64) {
        let Some(session) = self.sessions.get(slot) else { return };
        let (client_id, epoch) = (session.publisher.client_id.clone(), session.generation);
        let ticket = self.ticket_since(before);
        if ticket <= self.committed {
            self.tell_node(Some(node), MoveStep::Taken { client_id, epoch });
        } else {
            let is_offered = false;
            let one = Unconfirmed { ticket, node, ask, client_id, epoch, is_offered };
            self.travel.unconfirmed.push_back(one);
        }
    }

    /// Tells nodes whose sessions are stored by now. Those that are not stay where they were.
    pub(super) fn confirm_stored(&mut self, ticket: u64, outcome: Outcome) {
        while self.travel.unconfirmed.front().is_some_and(|waiting| waiting.ticket <= ticket) {
            let Some(waiting) = self.travel.unconfirmed.pop_front() else { return };
            let is_stored = outcome == Outcome::Stored || waiting.ticket < ticket;
            let Unconfirmed { node, ask, client_id, epoch, is_offered, .. } = waiting;
            if is_offered && !is_stored {
                self.drop_offered(&client_id, epoch);
            }
            let step = match is_stored {
                true => MoveStep::Taken { client_id, epoch },
                false => MoveStep::GiveUp { ask, client_id },
            };
            self.tell_node(Some(node), step);
        }
    }

    /// Makes the session of a client that connects out of that of another node.
    pub(super) fn import(
        &mut self,
        now: Now,
        key: ConnKey,
        request: &ConnectRequest,
        copy: SessionCopy,
    ) -> u32 {
        self.forget_moved(&copy.client_id);
        let slot = self.new_session(now, key, request);
        let mut seen: Box<Seen> = Box::new(copy.seen.iter().copied().collect());
        let messages = copy.inflight.iter().map(|(.., m)| m).chain(copy.queue.iter().map(|q| &q.1));
        for message in messages.filter_map(|copied| copied.message.as_ref()) {
            seen.note_message(message);
        }
        if let Some(session) = self.sessions.get_mut(slot) {
            session.created_at_ms = copy.created_at_ms;
            session.dropped = copy.dropped;
            session.moves = Some(Box::new(Moves {
                took: copy.generation,
                seen: Some(seen),
                ..Moves::default()
            }));
            if !copy.awaiting_rel.is_empty() {
                let ids = copy.awaiting_rel.iter().map(|id| (*id, now.mono_ms)).collect();
                session.awaiting_rel = Some(Box::new(ids));
            }
            if session.durable_id != 0 {
                let id = session.durable_id;
                let ops = copy.awaiting_rel.iter().map(|p| persist::put_awaiting_rel(id, *p));
                self.effects.store_ops.extend(ops);
            }
        }
        for (text, subscription) in &copy.subscriptions {
            let Ok(parsed) = parse_filter(text) else { continue };
            if self.install(slot, text, parsed, *subscription).is_none() {
                self.log_error(format!(
                    "client {:?} came from another node without {text}: somebody else has it here",
                    copy.client_id
                ));
            }
        }
        self.fill(slot, copy.inflight, copy.queue);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.inflight.set_next_id(copy.next_id);
        }
        slot
    }

    /// Takes over what a session has in flight and what waits.
    pub(super) fn fill(
        &mut self,
        slot: u32,
        inflight: Vec<(u16, Stage, CopiedMessage)>,
        queue: Vec<(u8, CopiedMessage)>,
    ) {
        for (packet_id, stage, copied) in inflight {
            let (item, durable_id) = self.keep_copied(slot, copied);
            if item.seq != 0 {
                let (session, seq) = (durable_id, item.seq);
                self.effects.store_ops.push(Op::Assign { session, seq, packet_id });
                if stage == Stage::Released {
                    self.effects.store_ops.push(Op::Release { session, seq });
                }
            }
            if let Some(session) = self.sessions.get_mut(slot) {
                session.inflight.push_with_id(packet_id, item, stage);
            }
        }
        for (priority, copied) in queue {
            let (item, _) = self.keep_copied(slot, copied);
            self.queued_bytes += item.size();
            if let Some(session) = self.sessions.get_mut(slot) {
                session.queue.push(item, priority, 0);
            }
        }
    }

    /// A message of another node's copy, in the log of this one if the session is durable.
    fn keep_copied(&mut self, slot: u32, copied: CopiedMessage) -> (Queued, u64) {
        let session = self.sessions.get(slot);
        let (durable_id, mountpoint) =
            session.map_or((0, "".into()), |s| (s.durable_id, s.meta.mountpoint.clone()));
        let group = copied.group.and_then(|(name, filter)| {
            let mounted = match filter.starts_with(&*mountpoint) {
                true => filter.to_string(),
                false => format!("{mountpoint}{filter}"),
            };
            self.shared.router.shared_group(&name, &mounted)
        });
        let mut item = Queued {
            message: copied.message,
            seq: 0,
            qos: copied.qos,
            retain: copied.retain,
            sub_ids: copied.sub_ids.into_iter().collect(),
            group,
        };
        // What was published with QoS 0 was promised to nobody.
        let is_promised = item.qos != 0
            && item.message.as_ref().is_none_or(|m| m.qos != rookery_codec::QoS::AtMostOnce);
        if durable_id != 0 && is_promised {
            self.log_copied(durable_id, &mut item);
        }
        (item, durable_id)
    }

    fn log_copied(&mut self, durable_id: u64, item: &mut Queued) {
        item.seq = self.shared.next_seq();
        let group = item.group.as_ref().map_or(0, |group| group.mark());
        let refs = smallvec![message_ref(durable_id, item.qos, item.retain, group)];
        // Of a message that the client owns already only the packet identifier is needed.
        let bytes = match &item.message {
            Some(message) => {
                let copy = Arc::new(message.with(message.topic(), message.retain, item.seq));
                let bytes = copy.to_bytes();
                item.message = Some(copy);
                bytes
            }
            None => Arc::from([0_u8].as_slice()),
        };
        let (seq, is_moved) = (item.seq, true);
        self.effects.store_ops.push(Op::Publish { seq, message: bytes, refs, is_moved });
    }

    /// What an older session of the client holds goes on to the one here, as far as the client can
    /// not have got it: a session that began without it does not know how far that was.
    pub(super) fn merge(
        &mut self,
        now: Now,
        slot: u32,
        (node, took): (&str, u64),
        copy: SessionCopy,
    ) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let generation = copy.generation;
        // The very session that went on here: whatever is not known comes.
        let is_same = took == generation && session.knows_the_same();
        let is_wanted = took != 0 && (took < generation || is_same);
        let (client_id, began_ms) = (session.publisher.client_id.clone(), session.created_at_ms);
        let mut handed = 0;
        let mut left = 0;
        if is_wanted {
            let open = copy.inflight.into_iter().filter_map(|(_, stage, message)| {
                let may_have_it =
                    stage == Stage::Released || (message.qos == 2 && stage == Stage::Sent);
                (!may_have_it).then_some(message)
            });
            let waiting = copy.queue.into_iter().map(|(_, message)| message);
            for copied in open.chain(waiting).collect::<Vec<_>>() {
                let Some(message) = &copied.message else { continue };
                // Later ones of QoS 2 were sent to this node as well.
                let is_once = !is_same && copied.qos != 1 && message.timestamp_ms >= began_ms;
                let (parts, from) = (message.parts(), &message.from.client_id);
                if is_same && !self.is_first(now, slot, &parts, from) {
                    continue;
                }
                if is_once || message.is_expired(now.unix_ms) {
                    left += 1;
                    continue;
                }
                handed += 1;
                let (item, _) = self.keep_copied(slot, copied);
                self.queue(slot, item);
            }
            if let Some(session) = self.sessions.get_mut(slot) {
                let moves = session.moves.get_or_insert_default();
                moves.took = moves.took.max(generation);
                if session.durable_id != 0 {
                    let zone = self.config.zones.get(usize::from(session.meta.zone));
                    let name = zone.map_or("default", |zone| &zone.name);
                    self.effects.store_ops.push(persist::put_session(session, name));
                }
            }
            self.pump(now, slot);
        }
        let what = match (is_wanted, took) {
            (true, _) => format!("{handed} of its messages go on here, {left} are dropped"),
            (false, 0) => "the client has asked for a new one since".to_owned(),
            (false, _) => "it came here before".to_owned(),
        };
        let text =
            format!("node {node} gives up its older session of client {client_id:?}: {what}");
        self.effects.up.push(UpEvent::Log(LogLevel::Warning, text.into()));
    }

    /// The other node has forgotten the session: what it still hands on comes soon.
    fn settle_seen(&mut self, now: Now, client_id: &str) {
        let slot = self.clients.get(client_id);
        let session = slot.and_then(|slot| self.sessions.get_mut(*slot));
        let moves = session.and_then(|session| session.moves.as_mut());
        if let Some(seen) = moves.and_then(|moves| moves.seen.as_mut()) {
            seen.until_ms = now.mono_ms + SETTLE_MS;
        }
    }

    /// A message for a session that came from another node; false when it was here before.
    pub(super) fn is_first(
        &mut self,
        now: Now,
        slot: u32,
        parts: &MessageParts<'_>,
        publisher: &str,
    ) -> bool {
        let session = self.sessions.get_mut(slot);
        let Some(moves) = session.and_then(|session| session.moves.as_mut()) else { return true };
        if moves.seen.as_ref().is_some_and(|s| s.until_ms != 0 && s.until_ms < now.mono_ms) {
            moves.seen = None;
        }
        moves.seen.as_mut().is_none_or(|seen| seen.note(parts, publisher))
    }

    /// A message that another node hands on, for a session that was there.
    pub(super) fn take_following(&mut self, now: Now, client_id: &Arc<str>, copied: CopiedMessage) {
        let Some(slot) = self.clients.get(client_id).copied() else {
            self.pass_on(client_id, copied);
            return;
        };
        let Some(message) = copied.message.clone() else { return };
        let zone = self.sessions.get(slot).map_or(0, |session| session.meta.zone);
        if message.from.client_id == *client_id && self.ignores_loop(zone, slot) {
            return;
        }
        if !self.is_subscribed(slot, message.topic()) {
            return;
        }
        let is_shared = copied.group.is_some();
        if !is_shared && !self.is_first(now, slot, &message.parts(), &message.from.client_id) {
            return;
        }
        let is_away = self.sessions.get(slot).is_some_and(|session| session.conn.is_none());
        let (item, _) = self.keep_copied(slot, copied);
        if is_away {
            self.enqueue(now, slot, item);
        } else {
            self.queue(slot, item);
            self.pump(now, slot);
        }
    }

    /// Whether a session still wants messages of a topic: the other node does not know.
    fn is_subscribed(&self, slot: u32, topic: &str) -> bool {
        let Some(session) = self.sessions.get(slot) else { return false };
        let Some(topic) = topic.strip_prefix(&*session.meta.mountpoint) else { return false };
        session.subscriptions.keys().any(|text| {
            parse_filter(text)
                .is_ok_and(|parsed| rookery_codec::filter_matches(parsed.filter(), topic))
        })
    }

    /// The session has moved on meanwhile.
    fn pass_on(&mut self, client_id: &Arc<str>, copied: CopiedMessage) {
        let key = self.travel.moved_of.get(client_id);
        let gone = key.and_then(|key| self.travel.moved.get(key));
        let Some(node) = gone.map(|moved| moved.node.clone()) else {
            self.metrics().messages_dropped.inc();
            return;
        };
        let item = Queued {
            message: copied.message,
            seq: 0,
            qos: copied.qos,
            retain: copied.retain,
            sub_ids: copied.sub_ids.into_iter().collect(),
            group: None,
        };
        self.hand_on(Following { node, client_id: client_id.clone(), item });
    }

    pub(super) fn hand_on(&mut self, following: Following) {
        self.travel.followed = self.nodes.turn();
        self.send_to_nodes(ShardMessage::Following(Box::new(following)));
    }

    /// What a session that begins in a cluster remembers: older ones belong to it, unless the client
    /// does not want them.
    pub(super) fn first_moves(&self, request: &ConnectRequest) -> Option<Box<Moves>> {
        let is_clustered = self.shared.is_clustered.load(Ordering::Relaxed);
        (is_clustered && !request.clean_start && request.expiry_s > 0)
            .then(|| Box::new(Moves { took: AWAITS, ..Moves::default() }))
    }
}

impl Session {
    /// Whether it went on here without the consent of the node it was on, and knows what it got since.
    #[must_use]
    pub fn knows_the_same(&self) -> bool {
        self.moves.as_ref().is_some_and(|moves| moves.from.is_some() && moves.seen.is_some())
    }

    /// Whether it is being given to another node.
    #[must_use]
    pub fn is_departing(&self) -> bool {
        self.moves.as_ref().is_some_and(|moves| moves.departure.is_some())
    }
}
