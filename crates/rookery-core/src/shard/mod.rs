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
mod fetching;
mod gate;
mod groups;
mod hookpoints;
mod hooks;
mod inbox;
mod incoming;
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
mod promising;
mod publish;
mod query;
mod queue;
mod replay;
mod restore;
mod retain;
mod retry;
mod rule_events;
mod rules;
mod sending;
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
use rookery_codec::{DecodeError, ReasonCode};

pub use restore::{RestoredMessage, RestoredSession};
pub(crate) use subscribe::info_of;

use crate::access::{AccessError, AccessTable, BanTable, FlappingTable};
use crate::config::{BrokerConfig, MqttConfig};
use crate::conn::{Action, Conn, ConnectRequest};
use crate::effects::{ConnMeta, Effects, Verdict};
use crate::ids::{ConnKey, MessageId, Now, SessionKey};
use crate::message_pool::MessagePool;
use crate::metrics::Metrics;
use crate::observe::Observer;
use crate::outbox::BufferPool;
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
    /// What is promised for linked clusters.
    link_promise: links::Promise,
    unstored: unstored::Unstored,
    /// Something waits for a ticket that nobody may come to ask for.
    wants_ticket: bool,
    asked_again_ms: u64,
    /// The message that is published now was in the store before.
    is_moving: bool,
    /// A ticket is taken at the end of this turn even if there is nothing to write.
    is_asking_again: bool,
    /// Ticket of the writes of this turn.
    ticket: u64,
    /// All tickets up to this one are committed.
    committed: u64,
    /// Up to this ticket other nodes did not confirm what they had to.
    unconfirmed: u64,
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
        Ok(Self {
            rule_engine: rules::RuleEngine::new(shared.seed(index), config.hooks),
            is_guarding: !rules.is_open() || config.hooks.authorize,
            observer: Observer::of(config.observe.clone()),
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
            link_promise: links::Promise::default(),
            unstored: unstored::Unstored::default(),
            wants_ticket: false,
            asked_again_ms: 0,
            is_moving: false,
            is_asking_again: false,
            ticket: 1,
            committed: 0,
            unconfirmed: 0,
            replay_ready: VecDeque::new(),
            cleanup: VecDeque::new(),
            leaving: HashMap::new(),
            travel: moving::Travel::new(index, now),
            ask_deadlines: VecDeque::new(),
            open_wills: HashMap::new(),
            wills_asked: 0,
            messages_made: 0,
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
