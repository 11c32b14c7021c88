//! Tells another cluster what is subscribed here: one actor, one connection at a time.
//!
//! `Disconnected → Connecting → Handshaking → Bootstrapping → Online`, and back on any loss. A
//! driver asks with [`Sender::poll`] what to do, and tells what happened. One payload with routes is
//! under way at a time; what changes meanwhile waits, each route once, and is told as it then is.
//!
//! **Bounds.** [`WAITING_MAX`] changed routes wait; beyond it they are forgotten and the actor
//! begins as a later incarnation, which tells everything.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;

use crate::filters::intersections;
use crate::operation::{
    Actor, BATCH, Change, Operation, PROTOCOL, Reception, Wishes, read, unpack,
};

/// Between attempts to connect.
pub const RECONNECT_MS: u64 = 5000;
/// How long the other side may take to answer an introduction.
pub const HANDSHAKE_MS: u64 = 5000;
/// Between signs of life: a third of what an actor is believed.
pub const HEARTBEAT_MS: u64 = 10_000;
/// Between payloads with routes.
pub const SYNC_MS: u64 = 10;
/// After a payload that was refused.
pub const RETRY_MS: u64 = 200;
/// Routes that are looked at in one step.
const SLICE: usize = 20_000;
/// Changed routes that wait.
pub const WAITING_MAX: usize = 200_000;

/// What is subscribed here: a topic filter, of a shared subscription with its share name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalRoute {
    /// The topic filter.
    pub filter: Box<str>,
    /// The share name.
    pub group: Option<Box<str>>,
}

impl LocalRoute {
    /// The name under which another cluster keeps it.
    fn name(&self) -> Box<str> {
        match &self.group {
            None => self.filter.clone(),
            Some(group) => format!("$s/{group}/{}", self.filter).into(),
        }
    }
}

/// What is subscribed here, for all links.
#[derive(Debug, Default)]
pub struct LocalRoutes(BTreeSet<LocalRoute>);

impl LocalRoutes {
    /// Notes that somebody subscribed, or nobody is left; whether that is new.
    pub fn set(&mut self, route: &LocalRoute, is_there: bool) -> bool {
        if is_there { self.0.insert(route.clone()) } else { self.0.remove(route) }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where an actor stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no connection.
    Disconnected,
    /// One is being made.
    Connecting,
    /// The actor has introduced itself.
    Handshaking,
    /// It tells everything.
    Bootstrapping,
    /// It tells what changes.
    Online,
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Handshaking => "handshaking",
            Self::Bootstrapping => "bootstrapping",
            Self::Online => "online",
        }
    }
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Connect, subscribe to the response topic, then call [`Sender::connected`].
    Connect,
    /// Publish with QoS 1, with the response topic and this correlation data, and report the
    /// acknowledgement.
    Introduce {
        /// The payload.
        payload: Vec<u8>,
        /// Correlation data.
        correlation: String,
    },
    /// Publish with QoS 1 and report the acknowledgement.
    Tell(Vec<u8>),
    /// Publish with QoS 0.
    Beat(Vec<u8>),
    /// End the connection: the other side did not answer.
    GiveUp,
}

/// Who speaks to whom about what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name of the cluster spoken to.
    pub target: Box<str>,
    /// The name of the actor: this node.
    pub actor: Box<str>,
    /// Rises with every start.
    pub incarnation: u64,
    /// The topic filters of the link.
    pub topics: Vec<Box<str>>,
    /// What this cluster would have beyond the protocol.
    pub wishes: OwnWishes,
}

/// What a cluster would have beyond the protocol: [`Wishes`] without topics.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnWishes {
    /// [`Wishes::store`]
    pub store: bool,
    /// [`Wishes::retained`]
    pub retained: bool,
}

impl OwnWishes {
    /// With the topics of the link; none: nothing is wished.
    #[must_use]
    pub fn of(self, topics: &[Box<str>]) -> Option<Wishes<'_>> {
        let Self { store, retained } = self;
        let topics = topics.iter().map(|topic| &**topic).collect();
        (store || retained).then_some(Wishes { store, retained, topics })
    }
}

/// What the other side said of its wishes when it received the actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Both sides keep messages for each other.
    pub store: bool,
    /// What it wants of this cluster.
    pub topics: Vec<Box<str>>,
}

/// What is under way.
#[derive(Debug)]
enum UnderWay {
    /// The next of all, and where that ends; none: those are all.
    All(Option<LocalRoute>),
    /// Changes.
    Changes(Vec<LocalRoute>),
}

/// A change as it is told: topic filter, name of the route, whether it is there.
type Told = (String, Box<str>, bool);

/// The state machine.
#[derive(Debug)]
pub struct Sender {
    is: Identity,
    state: State,
    /// No attempt to connect before that.
    connect_at_ms: u64,
    /// When the answer has to be there.
    deadline_ms: u64,
    sync_at_ms: u64,
    beat_at_ms: u64,
    correlation: String,
    /// Routes that changed, each once, in order.
    waiting: VecDeque<LocalRoute>,
    is_waiting: BTreeSet<LocalRoute>,
    under_way: Option<(UnderWay, usize)>,
    /// The last one of all that was told.
    cursor: Option<LocalRoute>,
    is_all_told: bool,
    /// The connection is one of an earlier incarnation.
    is_void: bool,
    told: usize,
    wanted: usize,
    chance: u64,
    agreed: Option<Agreed>,
}

impl Sender {
    /// An actor without a connection; `chance` is random.
    #[must_use]
    pub fn new(is: Identity, local: &LocalRoutes, chance: u64) -> Self {
        let topics = &is.topics;
        let wanted = local.0.iter().map(|route| intersections(&route.filter, topics).len()).sum();
        Self {
            is,
            state: State::Disconnected,
            connect_at_ms: 0,
            deadline_ms: 0,
            sync_at_ms: 0,
            beat_at_ms: 0,
            correlation: String::new(),
            waiting: VecDeque::new(),
            is_waiting: BTreeSet::new(),
            under_way: None,
            cursor: None,
            is_all_told: false,
            is_void: false,
            told: 0,
            wanted,
            chance: chance | 1,
            agreed: None,
        }
    }

    /// What the last answer said; none: nobody answered yet.
    #[must_use]
    pub const fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// How many routes of this cluster the other side knows.
    #[must_use]
    pub fn told(&self) -> usize {
        if self.is_settled() { self.wanted } else { self.told }
    }

    /// Whether everything that is subscribed here is known there.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state == State::Online && self.waiting.is_empty() && self.under_way.is_none()
    }

    /// When to ask again.
    #[must_use]
    pub fn due_ms(&self) -> u64 {
        match self.state {
            State::Connecting => u64::MAX,
            State::Disconnected => self.connect_at_ms,
            State::Handshaking => self.deadline_ms,
            State::Bootstrapping | State::Online => {
                let has_more = !self.waiting.is_empty() || !self.is_all_told;
                let may_tell = has_more && self.under_way.is_none();
                let beat_at_ms = if self.is_void { 0 } else { self.beat_at_ms };
                beat_at_ms.min(if may_tell { self.sync_at_ms } else { u64::MAX })
            }
        }
    }

    fn next_chance(&mut self) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance
    }

    fn actor(&self) -> Actor<'_> {
        Actor { name: &self.is.actor, incarnation: self.is.incarnation }
    }

    /// What to do, until there is nothing.
    pub fn poll(&mut self, now_ms: u64, local: &LocalRoutes) -> Option<Effect> {
        match self.state {
            State::Disconnected if now_ms >= self.connect_at_ms => {
                self.state = State::Connecting;
                // At most so often, however soon it fails.
                let jitter = self.next_chance() % (RECONNECT_MS / 5);
                self.connect_at_ms = now_ms + RECONNECT_MS + jitter;
                Some(Effect::Connect)
            }
            State::Disconnected | State::Connecting => None,
            State::Handshaking => (self.is_void || now_ms >= self.deadline_ms).then(|| {
                self.deadline_ms = u64::MAX;
                self.is_void = false;
                Effect::GiveUp
            }),
            State::Bootstrapping | State::Online => {
                if std::mem::take(&mut self.is_void) {
                    return Some(Effect::GiveUp);
                }
                if now_ms >= self.beat_at_ms {
                    self.beat_at_ms = now_ms + HEARTBEAT_MS;
                    let beat = Operation::Heartbeat { actor: self.actor() };
                    return Some(Effect::Beat(beat.encode()));
                }
                if self.under_way.is_some() || now_ms < self.sync_at_ms {
                    return None;
                }
                if self.is_all_told {
                    self.tell_changes(now_ms, local)
                } else {
                    self.tell_all(now_ms, local)
                }
            }
        }
    }

    fn tell_all(&mut self, now_ms: u64, local: &LocalRoutes) -> Option<Effect> {
        let mut found: Vec<Told> = Vec::new();
        let from = self.cursor.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut last = None;
        for route in local.0.range((from, Bound::Unbounded)).take(SLICE) {
            if found.len() >= BATCH {
                break;
            }
            self.add(route, true, &mut found);
            last = Some(route);
        }
        let is_end = last.is_none() || last == local.0.last();
        let next = last.filter(|_| !is_end).cloned();
        if found.is_empty() {
            self.have_told_up_to(next);
            return None;
        }
        Some(self.send(now_ms, UnderWay::All(next), &found))
    }

    /// Everything up to a route was told; none: all there is.
    fn have_told_up_to(&mut self, next: Option<LocalRoute>) {
        if next.is_none() {
            self.is_all_told = true;
            self.state = State::Online;
        }
        self.cursor = next;
    }

    fn tell_changes(&mut self, now_ms: u64, local: &LocalRoutes) -> Option<Effect> {
        let mut found = Vec::new();
        let mut routes = Vec::new();
        while found.len() < BATCH {
            let Some(route) = self.waiting.pop_front() else { break };
            self.is_waiting.remove(&route);
            self.add(&route, local.0.contains(&route), &mut found);
            routes.push(route);
        }
        (!found.is_empty()).then(|| self.send(now_ms, UnderWay::Changes(routes), &found))
    }

    fn add(&self, route: &LocalRoute, is_there: bool, found: &mut Vec<Told>) {
        let told = intersections(&route.filter, &self.is.topics);
        if !told.is_empty() {
            let name = route.name();
            found.extend(told.into_iter().map(|topic| (topic, name.clone(), is_there)));
        }
    }

    fn send(&mut self, now_ms: u64, under_way: UnderWay, found: &[Told]) -> Effect {
        let changes = found
            .iter()
            .map(|(topic, route, is_there)| Change { topic, route, is_there: *is_there })
            .collect();
        let payload = Operation::Routes { actor: self.actor(), changes }.encode();
        self.sync_at_ms = now_ms + SYNC_MS;
        self.under_way = Some((under_way, found.len()));
        Effect::Tell(payload)
    }

    /// The connection stands and the response topic is subscribed: the actor introduces itself.
    pub fn connected(&mut self, now_ms: u64) -> Effect {
        self.state = State::Handshaking;
        self.is_void = false;
        self.deadline_ms = now_ms + HANDSHAKE_MS;
        self.correlation = format!("{:016x}", self.next_chance());
        let wishes = self.is.wishes.of(&self.is.topics);
        let (target, actor) = (&*self.is.target, self.actor());
        let init = Operation::Init { protocol: PROTOCOL, target, actor, wishes };
        Effect::Introduce { payload: init.encode(), correlation: self.correlation.clone() }
    }

    /// The connection is gone, or could not be made. What was under way is told again.
    pub fn lost(&mut self, now_ms: u64) {
        self.connect_at_ms = self.connect_at_ms.max(now_ms + self.next_chance() % 500);
        self.told = self.told();
        self.state = State::Disconnected;
        self.is_void = false;
        self.put_back();
    }

    /// The other side is there: the next attempt need not wait.
    pub fn hurry(&mut self, now_ms: u64) {
        if self.state == State::Disconnected {
            self.connect_at_ms = self.connect_at_ms.min(now_ms);
        }
    }

    fn put_back(&mut self) {
        if let Some((UnderWay::Changes(routes), _)) = self.under_way.take() {
            routes.into_iter().for_each(|route| self.note(route));
        }
    }

    /// Somebody subscribed, or nobody is left, which `local` knows already.
    pub fn changed(&mut self, route: &LocalRoute, is_there: bool) {
        let told = intersections(&route.filter, &self.is.topics).len();
        if told == 0 {
            return;
        }
        self.wanted = if is_there { self.wanted + told } else { self.wanted.saturating_sub(told) };
        self.note(route.clone());
        if self.waiting.len() > WAITING_MAX {
            self.begin_anew();
        }
    }

    /// More changed than can be told one by one: a later incarnation tells everything.
    fn begin_anew(&mut self) {
        self.waiting.clear();
        self.is_waiting.clear();
        self.under_way = None;
        self.is_all_told = false;
        self.cursor = None;
        self.is.incarnation += 1;
        self.is_void = true;
    }

    /// What is subscribed here is not known any more and was found out anew.
    pub fn restart(&mut self, local: &LocalRoutes) {
        let topics = &self.is.topics;
        self.wanted = local.0.iter().map(|r| intersections(&r.filter, topics).len()).sum();
        self.begin_anew();
    }

    fn note(&mut self, route: LocalRoute) {
        if self.is_waiting.insert(route.clone()) {
            self.waiting.push_back(route);
        }
    }

    /// The other side answered on the response topic.
    ///
    /// # Errors
    ///
    /// Why the actor is not received, as a code with or without words behind a colon; the
    /// connection has to end.
    pub fn answered(
        &mut self,
        now_ms: u64,
        correlation: Option<&[u8]>,
        payload: &[u8],
    ) -> Result<(), String> {
        if self.state != State::Handshaking || correlation != Some(self.correlation.as_bytes()) {
            // Of an earlier connection.
            return Ok(());
        }
        let plain = unpack(payload).map_err(|error| format!("protocol: {error}"))?;
        match read(&plain).map_err(|error| format!("protocol: {error}"))? {
            Operation::Ack { actor, reception, wishes, .. } if actor == &*self.is.actor => {
                match reception {
                    Reception::Ok { need_bootstrap } => {
                        let wishes = wishes.unwrap_or_default();
                        self.agreed = Some(Agreed {
                            store: wishes.store && self.is.wishes.store,
                            topics: wishes.topics.into_iter().map(Box::from).collect(),
                        });
                        self.received(now_ms, need_bootstrap);
                        Ok(())
                    }
                    Reception::Error(why) => Err(why.to_owned()),
                }
            }
            _ => Err("protocol: an answer that is none".to_owned()),
        }
    }

    fn received(&mut self, now_ms: u64, need_bootstrap: bool) {
        self.beat_at_ms = now_ms + HEARTBEAT_MS;
        self.sync_at_ms = now_ms;
        if need_bootstrap {
            // What waits is part of all.
            self.waiting.clear();
            self.is_waiting.clear();
            self.cursor = None;
            self.is_all_told = false;
            self.told = 0;
        }
        self.state = if self.is_all_told { State::Online } else { State::Bootstrapping };
    }

    /// Routes that were told were acknowledged, or refused.
    pub fn acknowledged(&mut self, now_ms: u64, is_ok: bool) {
        if !is_ok {
            self.sync_at_ms = now_ms + RETRY_MS;
            self.put_back();
            return;
        }
        match self.under_way.take() {
            Some((UnderWay::All(next), count)) => {
                self.told += count;
                self.have_told_up_to(next);
            }
            Some((UnderWay::Changes(_), _)) | None => {}
        }
        self.told = self.told();
    }
}

#[cfg(test)]
mod tests;
