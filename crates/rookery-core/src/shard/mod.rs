//! One worker's broker state: connections, sessions and timers, driven from outside.
//!
//! A turn: the driver calls [`Shard::receive`], [`Shard::inbox`], [`Shard::committed`] and
//! friends for everything that is there, then [`Shard::work`] for a slice of deferred work,
//! then carries out [`Shard::effects`] and writes the outboxes of the dirty connections.
//!
//! A session belongs to the shard that its client identifier hashes to; a connection that
//! arrives elsewhere is handed over when its CONNECT is read (`Effects::migrate`). So
//! takeover, in-flight state and queues never cross threads.

mod ack;
mod authenticate;
mod authorize;
mod close;
mod command;
mod connect;
mod delayed;
mod deliver;
mod departing;
mod exchange;
mod fault;
mod gate;
mod groups;
mod hookpoints;
mod hooks;
mod leaving;
mod links;
mod lobby;
mod moving;
mod nodes;
mod notice;
mod observe;
mod operation;
mod outgoing;
mod pledge;
mod publish;
mod query;
mod queue;
mod replay;
mod restore;
mod retain;
mod retry;
mod rule_events;
mod rules;
mod shadow;
mod subscribe;
mod timers;
mod transport;
mod unstored;
mod waiting;
mod wills;

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use rookery_codec::{
    AckKind, DecodeError, Packet, ReasonCode, Version, decode, decode_ack, parse_header,
};

pub use restore::{RestoredMessage, RestoredSession};
pub(crate) use subscribe::info_of;

use crate::access::{AccessError, AccessTable, BanTable, FlappingTable};
use crate::config::{BrokerConfig, MqttConfig};
use crate::conn::{Action, Conn, ConnState, ConnectRequest};
use crate::effects::{ConnMeta, Effects, ShardMessage, Verdict};
use crate::ids::{ConnKey, MessageId, Now, SessionKey};
use crate::message_pool::MessagePool;
use crate::metrics::Metrics;
use crate::observe::Observer;
use crate::outbox::{BufferPool, Outbox};
use crate::retained::SweepCursor;
use crate::rewrite::{RewriteError, Rewriter};
use crate::router::MatchCache;
use crate::session::Session;
use crate::shared::Shared;
use crate::slab::Slab;
use crate::topic_counts::TopicTable;
use crate::wheel::Wheel;

use gate::Gate;
use timers::Timer;

/// A connection whose unsent bytes exceed this many high-water marks is not read.
const OUTBOX_PAUSE_FACTOR: usize = 2;

/// One worker's broker state.
#[derive(Debug)]
pub struct Shard {
    index: u16,
    shared: Arc<Shared>,
    config: Arc<BrokerConfig>,
    rewriter: Rewriter,
    rules: Arc<AccessTable>,
    rule_engine: rules::RuleEngine,
    bans: Arc<BanTable>,
    /// Somebody may be denied something: rules, hooks, or a client with rules of its own.
    is_guarding: bool,
    /// A client brought rules of its own at some time.
    has_own_rules: bool,
    /// Other rules make answers that were kept void.
    answers_epoch: u64,
    /// Answers about the topics of the packet that is being handled anew.
    verdicts: HashMap<(Action, Box<str>), bool>,
    /// What hooks said about the filters of the packet that is being handled anew.
    filter_verdict: Option<Verdict>,
    flapping: FlappingTable,
    /// Where the search for clients that new bans fit stands.
    ban_sweep: Option<u32>,
    /// Clients that another shard admitted, see `Handover`.
    handed: Vec<(ConnKey, Box<ConnectRequest>)>,
    conns: Slab<Conn>,
    sessions: Slab<Session>,
    clients: HashMap<Arc<str>, u32>,
    cache: MatchCache,
    pool: BufferPool,
    messages: MessagePool,
    wheel: Wheel<Timer>,
    delayed: delayed::Waiting,
    /// Messages of the heap that were taken back.
    removed_delayed: HashSet<MessageId>,
    /// Topics whose messages are counted.
    topics: Option<Arc<TopicTable>>,
    gates: VecDeque<Gate>,
    /// Connections whose CONNACK waits for a ticket, in the order of the tickets.
    held: VecDeque<gate::Held>,
    /// Acknowledgements that wait for other nodes.
    nodes: nodes::Nodes,
    /// Actors of linked clusters, by the connection on which they introduced themselves.
    link_sessions: HashMap<ConnKey, rookery_links::receiver::Session>,
    unstored: unstored::Unstored,
    /// Something waits for a ticket that nobody may come to ask for.
    wants_ticket: bool,
    /// What is said once writes are stored, by their tickets.
    promises: VecDeque<(u64, shadow::Promise)>,
    asked_again_ms: u64,
    /// The message that is published now was in the store before.
    is_moving: bool,
    /// A ticket is taken at the end of this turn even if there is nothing to write.
    is_asking_again: bool,
    /// Ticket of the writes of this turn.
    ticket: u64,
    /// All tickets up to this one are committed.
    committed: u64,
    replay_ready: VecDeque<SessionKey>,
    cleanup: VecDeque<close::Cleanup>,
    /// Ended sessions that still have to give messages to others.
    leaving: HashMap<SessionKey, leaving::Leaving>,
    /// Sessions on their way between nodes.
    travel: moving::Travel,
    ask_deadlines: VecDeque<(u64, crate::effects::AskId)>,
    /// Wills that hooks were asked about, by the numbers of the questions.
    open_wills: HashMap<u32, Arc<crate::message::Message>>,
    wills_asked: u32,
    messages_made: u64,
    observer: Observer,
    /// The latest generation given to a connect.
    generation: u64,
    outbox_bytes: usize,
    queued_bytes: usize,
    unauthenticated: usize,
    /// Connections before CONNECT, oldest first; those that went on are skipped.
    lobby: VecDeque<ConnKey>,
    scratch: Vec<u8>,
    due: Vec<Timer>,
    sweep: SweepCursor,
    is_stopping: bool,
    /// What the driver has to do; it empties the lists.
    pub effects: Effects,
}

/// Settings that a shard cannot use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A rewrite rule whose regular expression is not one.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// A rule or a ban that is not one.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// How handling a packet went.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Step {
    /// Go on with the next packet.
    Next,
    /// This packet was not taken: offer it again after `Effects::resume` or on another shard.
    Hold,
    /// The connection is closing; the rest of its input is void.
    End,
}

/// Why a connection has to end.
#[derive(Debug, Clone, Copy)]
struct Fault {
    code: ReasonCode,
    detail: &'static str,
}

impl Fault {
    const fn new(code: ReasonCode, detail: &'static str) -> Self {
        Self { code, detail }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self { code: error.reason_code(), detail: detail_of(&error) }
    }
}

/// The words of a decoding error without its numbers.
fn detail_of(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Malformed(detail)
        | DecodeError::Protocol(detail)
        | DecodeError::TopicName(detail) => detail,
        DecodeError::TopicAlias => "topic alias is zero",
        DecodeError::UnsupportedProtocolName | DecodeError::UnsupportedProtocolVersion(_) => {
            "protocol name or level is not MQTT 3.1, 3.1.1 or 5.0"
        }
        _ => "packet cannot be decoded",
    }
}

impl Shard {
    /// A shard with no connection. `now` starts its timers.
    ///
    /// # Errors
    ///
    /// A rewrite rule, an authorization rule or a ban that cannot be used.
    pub fn new(
        index: u16,
        shared: Arc<Shared>,
        config: Arc<BrokerConfig>,
        now: Now,
    ) -> Result<Self, SettingsError> {
        let rewriter = Rewriter::new(&config.rewrite)?;
        let rules = shared.compiled.rules(&config.authorization)?;
        let bans = shared.compiled.bans(&config.bans)?;
        let to_shards = (0..=shared.shards()).map(|_| Vec::new()).collect();
        let observer = Observer::of(config.observe.clone());
        Ok(Self {
            rule_engine: rules::RuleEngine::new(shared.seed(index), config.hooks),
            is_guarding: !rules.is_open() || config.hooks.authorize,
            index,
            shared,
            config,
            rewriter,
            rules,
            bans,
            has_own_rules: false,
            answers_epoch: 0,
            verdicts: HashMap::new(),
            filter_verdict: None,
            flapping: FlappingTable::default(),
            ban_sweep: None,
            handed: Vec::new(),
            conns: Slab::default(),
            sessions: Slab::default(),
            clients: HashMap::new(),
            cache: MatchCache::new(131_072, 1 << 20),
            pool: BufferPool::default(),
            messages: MessagePool::default(),
            wheel: Wheel::new(now.mono_ms),
            delayed: delayed::Waiting::default(),
            removed_delayed: HashSet::new(),
            topics: None,
            held: VecDeque::new(),
            gates: VecDeque::new(),
            nodes: nodes::Nodes::default(),
            link_sessions: HashMap::new(),
            unstored: unstored::Unstored::default(),
            wants_ticket: false,
            promises: VecDeque::new(),
            asked_again_ms: 0,
            is_moving: false,
            is_asking_again: false,
            ticket: 1,
            committed: 0,
            replay_ready: VecDeque::new(),
            cleanup: VecDeque::new(),
            leaving: HashMap::new(),
            travel: moving::Travel::new(index, now),
            ask_deadlines: VecDeque::new(),
            open_wills: HashMap::new(),
            wills_asked: 0,
            messages_made: 0,
            observer,
            generation: 0,
            outbox_bytes: 0,
            queued_bytes: 0,
            unauthenticated: 0,
            lobby: VecDeque::new(),
            scratch: Vec::new(),
            due: Vec::new(),
            sweep: SweepCursor::default(),
            is_stopping: false,
            effects: Effects { to_shards, ..Effects::default() },
        })
    }

    /// A transport connection was accepted; `None` when there is no room for it.
    pub fn accept(&mut self, now: Now, meta: Arc<ConnMeta>) -> Option<ConnKey> {
        if self.is_stopping || !self.make_room(now) {
            self.metrics().overload_unauthenticated.inc();
            return None;
        }
        if self.bans.bans_address(now.unix_ms, meta.peer.ip()) {
            self.metrics().banned_refused.inc();
            return None;
        }
        let idle = self.mqtt(meta.zone).idle_timeout_ms;
        let handed = meta.handover.as_ref().and_then(|handover| handover.take());
        let (slot, generation) = self.conns.insert(Conn::new(meta, now.mono_ms));
        let key = ConnKey { slot, generation };
        if let (Some(request), Some(conn)) = (handed, self.conns.get_mut(slot)) {
            conn.state = ConnState::Deciding;
            conn.is_paused = true;
            conn.version = request.version;
            conn.problem_information = request.request_problem_information;
            conn.packet_size_max = request.packet_size_max;
            self.handed.push((key, request));
        }
        self.unauthenticated += 1;
        self.metrics().unauthenticated.set(self.unauthenticated as u64);
        self.metrics().connections.set(self.conns.len() as u64);
        self.wheel.arm(now.mono_ms + idle, Timer::Idle(key));
        self.enter_lobby(key);
        Some(key)
    }

    /// Takes bytes of a connection; returns how many were consumed. The rest has to be
    /// offered again, together with what follows it.
    #[inline]
    pub fn receive(&mut self, now: Now, key: ConnKey, bytes: &[u8]) -> usize {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else {
            return bytes.len();
        };
        if conn.state == ConnState::Closing {
            return bytes.len();
        }
        if conn.out.len() > OUTBOX_PAUSE_FACTOR * self.config.limits.outbox_high_water_bytes {
            // Answers (PINGRESP, SUBACK …) cannot be dropped: who does not read is not read.
            conn.is_paused = true;
            return 0;
        }
        let zone = conn.meta.zone;
        let has_limiter = conn.limiter.is_some();
        conn.heard_at_ms = now.mono_ms;
        let max = self.mqtt(zone).max_packet_size as usize;
        self.metrics().bytes_received.add(bytes.len() as u64);
        let mut rest = bytes;
        let mut packets = 0;
        let end = loop {
            let header = match parse_header(rest) {
                Ok(Some(header)) => header,
                Ok(None) => break Step::Next,
                Err(error) => break self.fault(now, key, error.into()),
            };
            let total = header.header_len + header.remaining;
            if total > max {
                break self.fault(
                    now,
                    key,
                    Fault::new(
                        ReasonCode::PACKET_TOO_LARGE,
                        "packet larger than mqtt.max_packet_size",
                    ),
                );
            }
            let Some(body) = rest.get(header.header_len..total) else {
                break self.early_check(now, key, header.first);
            };
            if !header.is_minimal()
                && let Some(step) = self.refuse_padded(now, key, header.first, body)
            {
                break step;
            }
            if has_limiter && !self.has_tokens(now, key, header.first, total) {
                break Step::Hold;
            }
            packets += 1;
            match self.packet(now, key, header.first, body) {
                Ok(Step::Next) => {}
                Ok(step) => break step,
                Err(fault) => {
                    self.count_fault(header.first);
                    break self.fault(now, key, fault);
                }
            }
            rest = rest.get(total..).unwrap_or_default();
        };
        self.metrics().packets_received.add(packets);
        let taken = if end == Step::End { bytes.len() } else { bytes.len() - rest.len() };
        if let Some(conn) = self.conns.get_checked(key.slot, key.generation) {
            conn.traffic.received(taken, packets as usize);
        }
        taken
    }

    /// Refuses what can be refused before a packet is complete: nothing but CONNECT comes first.
    fn early_check(&mut self, now: Now, key: ConnKey, first: u8) -> Step {
        let is_new = self.conns.get(key.slot).is_some_and(|c| c.state == ConnState::New);
        if is_new && first != 0x10 {
            return self.fault(
                now,
                key,
                Fault::new(ReasonCode::PROTOCOL_ERROR, "the first packet is not CONNECT"),
            );
        }
        Step::Next
    }

    #[inline]
    fn packet(&mut self, now: Now, key: ConnKey, first: u8, body: &[u8]) -> Result<Step, Fault> {
        if self.observer.is_tracing {
            self.trace_received(key, first, body);
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        match conn.state {
            ConnState::Connected if conn.deferred.is_none() => self.handle(now, key, first, body),
            ConnState::Connected => self.defer_or_handle(now, key, first, body),
            ConnState::New => self.first_packet(now, key, first, body),
            ConnState::Deciding => Ok(Step::Hold),
            ConnState::Exchanging => self.exchange_packet(now, key, first, body),
            ConnState::Closing => Ok(Step::End),
        }
    }

    fn first_packet(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        // MQTT-5.0 [MQTT-3.1.0-1], MQTT-3.1.1 [MQTT-3.1.0-1].
        if first != 0x10 {
            return Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "the first packet is not CONNECT"));
        }
        match decode(first, body, Version::V311) {
            Ok(Packet::Connect(connect)) => self.handle_connect(now, key, &connect),
            Ok(_) => Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "the first packet is not CONNECT")),
            Err(error) => Ok(self.refuse_undecodable(now, key, body, &error)),
        }
    }

    /// Handles a packet of an admitted client.
    #[inline]
    fn handle(&mut self, now: Now, key: ConnKey, first: u8, body: &[u8]) -> Result<Step, Fault> {
        if first >> 4 == 3 {
            if first & 0x06 == 0x04 && self.has_to_wait(now, key, first, body)? {
                return Ok(Step::Next);
            }
            return self.handle_publish(now, key, first, body);
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        let version = conn.version;
        if first == AckKind::PubAck as u8 {
            let ack = decode_ack(AckKind::PubAck, body, version)?;
            self.handle_puback(now, key, &ack);
            return Ok(Step::Next);
        }
        match decode(first, body, version)? {
            // In MQTT 3.1 with flags that are not used.
            Packet::PubAck(ack) => self.handle_puback(now, key, &ack),
            Packet::PubRec(ack) => self.handle_pubrec(now, key, &ack),
            Packet::PubRel(ack) => self.handle_pubrel(now, key, &ack),
            Packet::PubComp(ack) => self.handle_pubcomp(now, key, &ack),
            packet @ (Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Disconnect(_)) => {
                return self.handle_noted(now, key, first, body, &packet);
            }
            Packet::PingReq => {
                self.metrics().pingreq_received.inc();
                self.note_ping(key);
                if self.write(key, |out, _| rookery_codec::encode_pingresp(out)) {
                    self.metrics().pingresp_sent.inc();
                }
            }
            Packet::Auth(auth) => return self.handle_auth(now, key, &auth),
            Packet::Connect(_) => {
                return Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "second CONNECT"));
            }
            _ => {
                return Err(Fault::new(
                    ReasonCode::PROTOCOL_ERROR,
                    "packet that only a server sends",
                ));
            }
        }
        Ok(Step::Next)
    }

    /// Appends a packet to a connection's outbox and marks it dirty; false when it is larger than
    /// the client takes, MQTT-5.0 [MQTT-3.1.2-24].
    #[inline]
    fn write(&mut self, key: ConnKey, encode: impl FnOnce(&mut Vec<u8>, Version)) -> bool {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return true };
        let version = conn.version;
        let writer = conn.out.writer(&mut self.pool);
        let start = writer.len();
        encode(writer, version);
        let max = conn.packet_size_max as usize;
        if max != 0 && writer.len() - start > max {
            writer.truncate(start);
            // An outbox that holds nothing keeps no buffer.
            conn.out.advance(0, &mut self.pool);
            return false;
        }
        self.outbox_bytes += writer.len() - start;
        let sent = (self.observer.is_tracing && conn.traced != 0)
            .then(|| writer.get(start..).map(<[u8]>::to_vec))
            .flatten();
        conn.traffic.sent_packet();
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.effects.dirty.push(key);
        }
        self.metrics().packets_sent.inc();
        if let Some(sent) = sent {
            self.trace_sent(key, &sent);
        }
        true
    }

    /// The bytes a connection still has to be sent.
    pub fn outbox(&mut self, key: ConnKey) -> Option<&mut Outbox> {
        self.conns.get_checked(key.slot, key.generation).map(|conn| &mut conn.out)
    }

    /// The driver takes a dirty connection off the list to write it.
    pub fn begin_flush(&mut self, key: ConnKey) -> Option<&Outbox> {
        let conn = self.conns.get_checked(key.slot, key.generation)?;
        conn.is_dirty = false;
        (!conn.is_held).then_some(&conn.out)
    }

    /// The driver wrote `n` bytes of a connection; returns how many are left.
    #[inline]
    pub fn flushed(&mut self, now: Now, key: ConnKey, n: usize) -> usize {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return 0 };
        conn.out.advance(n, &mut self.pool);
        self.outbox_bytes = self.outbox_bytes.saturating_sub(n);
        conn.traffic.sent(n);
        let left = conn.out.len();
        if left == 0 {
            conn.blocked_since_ms = 0;
        } else if n > 0 || conn.blocked_since_ms == 0 {
            conn.blocked_since_ms = now.mono_ms.max(1);
            if !conn.is_block_armed {
                conn.is_block_armed = true;
                self.wheel
                    .arm(now.mono_ms + self.config.limits.send_timeout_ms, Timer::Blocked(key));
            }
        }
        let has_room = left < self.config.limits.outbox_high_water_bytes / 2;
        let was_congested = conn.is_congested && has_room;
        if was_congested {
            conn.is_congested = false;
        }
        let (slot, state) = (conn.session, conn.state);
        let may_resume = has_room
            && conn.is_paused
            && state == ConnState::Connected
            && conn.deferred.as_ref().is_none_or(|d| d.queue.is_empty());
        if was_congested && state == ConnState::Connected {
            self.pump(now, slot);
        }
        if may_resume {
            self.resume(key);
        }
        if let Some(metrics) = self.shared.metrics.get(usize::from(self.index)) {
            metrics.bytes_sent.add(n as u64);
        }
        left
    }

    /// More became known of a connection before its CONNECT: a proxy told whom it speaks for.
    pub fn set_meta(&mut self, key: ConnKey, meta: Arc<ConnMeta>) {
        if let Some(conn) = self.conns.get_checked(key.slot, key.generation)
            && conn.state == ConnState::New
        {
            conn.meta = meta;
        }
    }

    /// Whether the driver has to hold back reading.
    #[must_use]
    pub fn is_paused(&self, key: ConnKey) -> bool {
        self.conns.get(key.slot).is_some_and(|c| c.is_paused)
            && self.conns.generation(key.slot) == key.generation
    }

    /// Whether a connection has not been admitted yet.
    #[must_use]
    pub fn is_unadmitted(&self, key: ConnKey) -> bool {
        let conn =
            self.conns.get(key.slot).filter(|_| self.conns.generation(key.slot) == key.generation);
        conn.is_some_and(|c| c.state.is_before_admission())
    }

    /// Most bytes to hold for connections that have not been admitted: this shard's share.
    #[must_use]
    pub fn unadmitted_bytes_max(&self) -> usize {
        self.config.limits.unauthenticated_bytes / usize::from(self.shared.shards()).max(1)
    }

    /// Notes that a turn was held back because the inbox of a worker is overfull.
    pub fn count_held_back(&self) {
        self.metrics().overload_inbox_full.inc();
    }

    /// Notes that a panic was caught.
    pub fn count_panic(&self) {
        self.metrics().panics.inc();
    }

    /// Whether something waits to be carried out.
    #[must_use]
    pub fn has_effects(&self) -> bool {
        let e = &self.effects;
        !(e.dirty.is_empty()
            && e.close.is_empty()
            && e.migrate.is_empty()
            && e.resume.is_empty()
            && e.store_ops.is_empty()
            && e.store_reads.is_empty()
            && !self.is_asking_again
            && e.up.is_empty()
            && self.rule_engine.happenings.is_empty()
            && e.actions.iter().all(|(_, items)| items.is_empty())
            && e.to_nodes.is_empty()
            && e.to_links.is_empty()
            && e.to_shards.iter().all(Vec::is_empty))
    }

    /// The description of a connection.
    #[must_use]
    pub fn meta(&self, key: ConnKey) -> Option<Arc<ConnMeta>> {
        (self.conns.generation(key.slot) == key.generation)
            .then(|| self.conns.get(key.slot).map(|c| c.meta.clone()))
            .flatten()
    }

    /// Notes on disk that the node runs: after a crash, down-time counts from here.
    pub fn heartbeat(&mut self, now: Now) {
        let value = now.unix_ms.to_le_bytes();
        self.effects.store_ops.push(crate::store_port::Op::Put {
            table: crate::persist::META,
            key: crate::persist::META_ALIVE.into(),
            value: value.into(),
        });
    }

    /// Takes a connection out because another shard goes on with it.
    pub fn migrated(&mut self, key: ConnKey) {
        if self.conns.get_checked(key.slot, key.generation).is_some() {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: ConnKey) {
        if let Some(mut conn) = self.conns.remove(key.slot) {
            if conn.state.is_before_admission() {
                // It leaves without having been ended: handed over.
                self.unauthenticated = self.unauthenticated.saturating_sub(1);
                self.metrics().unauthenticated.set(self.unauthenticated as u64);
            }
            self.outbox_bytes = self.outbox_bytes.saturating_sub(conn.out.len());
            conn.out.clear(&mut self.pool);
        }
        if !self.link_sessions.is_empty() {
            self.link_sessions.remove(&key);
        }
        self.metrics().connections.set(self.conns.len() as u64);
    }

    /// A message of another shard or of the management plane.
    pub fn inbox(&mut self, now: Now, message: ShardMessage) {
        match message {
            ShardMessage::Deliver { message, matched, range } => {
                self.deliver_forwarded(now, &message, &matched, range)
            }
            ShardMessage::DeliverShared { message, member, group } => {
                self.deliver_to_member(now, &message, &member, group);
            }
            ShardMessage::FromNode { message, group } => {
                self.deliver_from_node(now, &message, group.as_deref());
            }
            ShardMessage::Unstored(seq) => self.expect_unstored(seq),
            ShardMessage::Settled { seqs, is_stored } => self.settle_foreign(&seqs, is_stored),
            ShardMessage::NodesTook(turn) => self.nodes_took(now, turn),
            ShardMessage::Replica(message) => self.hear_replica(now, *message),
            ShardMessage::Move(step) => self.take_step(now, *step),
            ShardMessage::Follow { client_id, message } => {
                self.take_following(now, &client_id, *message);
            }
            // On its way to another node, not from one.
            ShardMessage::Following(_) => {}
            ShardMessage::Pledge(message) => self.hear_pledge(now, *message),
            ShardMessage::Shadow(message) => self.hear_shadow(now, *message),
            ShardMessage::Answer(answer) => self.answered(now, answer),
            ShardMessage::Command(command) => self.command(now, command),
            // The node has refused what cannot be used.
            ShardMessage::Config(config) => drop(self.apply(now, config)),
            ShardMessage::Rules(set) => self.take_rules(set),
        }
    }

    /// Takes other settings, whole or not at all.
    fn apply(&mut self, now: Now, config: Arc<BrokerConfig>) -> Result<(), SettingsError> {
        let rewriter = Rewriter::new(&config.rewrite)?;
        let rules = self.shared.compiled.rules(&config.authorization)?;
        let bans = self.shared.compiled.bans(&config.bans)?;
        if !Arc::ptr_eq(&rules, &self.rules) {
            self.answers_epoch += 1;
        }
        if !Arc::ptr_eq(&bans, &self.bans) {
            self.ban_sweep = (!bans.is_empty()).then_some(0);
        }
        self.observe(&config.observe);
        (self.rewriter, self.rules, self.bans, self.config) = (rewriter, rules, bans, config);
        self.is_guarding = self.must_guard();
        self.rule_engine.tell_whom(self.config.hooks);
        self.tell_crowd();
        if !self.link_sessions.is_empty() {
            self.end_closed_links(now);
        }
        Ok(())
    }

    /// A slice of work that was put off; true when more is left.
    pub fn work(&mut self, now: Now) -> bool {
        if !self.handed.is_empty() {
            self.admit_handed(now);
        }
        self.clean_up_slice();
        self.replay_slice(now);
        let is_sweeping = self.sweep_banned(now);
        let has_happenings = !self.rule_engine.happenings.is_empty() && self.run_happenings(now);
        is_sweeping || has_happenings || !self.cleanup.is_empty() || !self.replay_ready.is_empty()
    }

    /// Publishes the gauges; called about once per second.
    pub fn publish_gauges(&mut self) {
        self.refill_observer();
        let metrics = self.metrics();
        metrics.outbox_bytes.set(self.outbox_bytes as u64);
        metrics.queued_bytes.set(self.queued_bytes as u64);
        metrics.sessions.set(self.sessions.len() as u64);
        metrics.delayed.set((self.delayed.len() - self.removed_delayed.len()) as u64);
    }

    /// Frees buffers that idle; called when nothing happened for a while.
    pub fn trim(&mut self) {
        self.pool.shrink();
        self.messages.shrink();
    }

    fn mqtt(&self, zone: u16) -> &MqttConfig {
        static DEFAULT: std::sync::OnceLock<MqttConfig> = std::sync::OnceLock::new();
        match self.config.zones.get(usize::from(zone)).or(self.config.zones.first()) {
            Some(zone) => &zone.mqtt,
            None => DEFAULT.get_or_init(MqttConfig::default),
        }
    }

    #[inline]
    fn metrics(&self) -> &Metrics {
        // `Shared::new` makes one set per shard.
        #[allow(clippy::indexing_slicing)]
        &self.shared.metrics[usize::from(self.index)]
    }

    fn message_id(&mut self, now: Now) -> MessageId {
        self.messages_made += 1;
        MessageId::new(now.unix_ms, self.index, self.messages_made)
    }

    /// Whether durable writes of `session` are made at all.
    fn is_durable(&self, expiry_s: u32) -> bool {
        self.config.durable && expiry_s > 0
    }
}
