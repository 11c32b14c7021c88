//! One link: the connection that tells what is subscribed here, and the pool for messages.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use rookery_codec::{PublishProperties, QoS, UserPropertiesBuf};
use rookery_core::access::LinkCounters;
use rookery_core::ids::Now;
use rookery_core::links::Deletions;
use rookery_core::message::Message;
use rookery_core::retained::Retained;
use rookery_core::shared::Shared;
use rookery_links::message::STATE;
use rookery_links::sender::{Effect, Identity, LocalRoute, LocalRoutes, Sender, State};
use rookery_links::topics;

use super::client::{Event, Hello};
use super::counters::Counters;
use super::keeping::Keeping;
use super::line::{Destination, Line};
use super::pool::{Forwarder, Terms};
use super::reason::Reason;
use super::retained::{self, Telling};
use super::spool::Place;
use super::{LinkConfig, LinkOutlet, LinkStatus, Me, tls};

/// No more is read from disk while so many wait to be sent.
const WAITING_MAX: usize = 1024;

/// What the acknowledgement that comes next is about.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Told {
    Introduction(u16),
    Routes(u16),
}

/// One link.
pub(super) struct Link {
    pub(super) config: LinkConfig,
    pub(super) number: u16,
    pub(super) came: Arc<LinkCounters>,
    me: Me,
    to: Destination,
    terms: Terms,
    sender: Sender,
    line: Line,
    told: Option<Told>,
    pub(super) pool: Vec<Forwarder>,
    turn: usize,
    telling: Telling,
    keeping: Option<Keeping>,
    /// Why nothing is kept that should be.
    failed: Option<String>,
    /// The other side answered an introduction.
    is_answered: bool,
    counters: Counters,
    /// What is wrong with what tells routes, until it is online.
    reason: Option<Reason>,
    /// How it stands, and what was wrong then.
    said: (&'static str, Option<Reason>),
    since_ms: u64,
}

/// Eight hexadecimal digits that stay the same for a node and differ between nodes.
fn mark(node: &str) -> String {
    // FNV-1a: any hash that stays the same will do.
    let hash = node
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// The client of a link that tells routes.
pub(super) fn route_hello(config: &LinkConfig, me: &Me) -> Hello {
    Hello {
        client_id: format!("{}:routesync:{}", config.client_id, mark(&me.node)),
        username: config.username.clone(),
        password: config.password.clone(),
        response_topic: Some(topics::response(&me.cluster, &me.node)),
        connect_timeout_ms: config.connect_timeout_ms,
    }
}

/// To whom the connections of a link go.
pub(super) fn destination(
    config: &LinkConfig,
    outlet: &Arc<LinkOutlet>,
) -> Result<Destination, Reason> {
    let tls = match &config.tls {
        None => None,
        Some(settings) => Some((settings.clone(), tls::config(settings)?)),
    };
    Ok(Destination { servers: config.servers.clone(), tls, outlet: outlet.clone() })
}

/// Who tells a link what is subscribed here.
pub(super) fn identity(config: &LinkConfig, me: &Me) -> Identity {
    Identity {
        target: config.name.as_str().into(),
        actor: me.node.as_ref().into(),
        incarnation: me.incarnation,
        topics: config.topics.iter().map(|topic| topic.as_str().into()).collect(),
        wishes: config.wishes(),
    }
}

/// Which connection a message goes over.
fn worker_of(message: &Message, config: &LinkConfig, count: usize, turn: &mut usize) -> usize {
    if config.order_by_client {
        let mut hasher = DefaultHasher::new();
        message.from.client_id.hash(&mut hasher);
        usize::try_from(hasher.finish() % count as u64).unwrap_or(0)
    } else {
        *turn = (*turn + 1) % count;
        *turn
    }
}

/// The properties of a packet with what is retained here.
fn state_properties() -> Vec<u8> {
    let mut pairs = UserPropertiesBuf::new();
    pairs.push(STATE.0, STATE.1);
    let mut properties = Vec::new();
    PublishProperties { user_properties: pairs.as_ref(), ..PublishProperties::default() }
        .forward_into(&mut properties);
    properties
}

impl Link {
    /// A link that begins to connect with its first tick; `chance` is random. A reason in the place
    /// of it if that cannot be.
    pub(super) fn new(
        config: LinkConfig,
        (number, came): (u16, Arc<LinkCounters>),
        me: &Me,
        (outlet, dir): (&Arc<LinkOutlet>, Option<&Path>),
        local: &LocalRoutes,
        chance: u64,
    ) -> Result<Self, Reason> {
        let (keeping, failed) = match Keeping::open(&config, dir) {
            Ok(keeping) => (keeping, None),
            Err(why) => (None, Some(why)),
        };
        let to = destination(&config, outlet)?;
        let hello = |worker: usize| Hello {
            client_id: format!("{}:msg:{}:{worker}", config.client_id, mark(&me.node)),
            response_topic: None,
            ..route_hello(&config, me)
        };
        let servers = config.servers.len().max(1);
        let forwarder = |n: usize| Forwarder::new(hello(n), n % servers);
        let pool = (0..config.pool_size.max(1)).map(forwarder).collect();
        Ok(Self {
            number,
            came,
            me: me.clone(),
            to,
            terms: Terms {
                topic: topics::message(&me.cluster),
                retry_interval_ms: config.retry_interval_ms.max(1000),
                max_inflight: config.max_inflight,
                request_ttl_ms: config.request_ttl_ms,
                health_check_interval_ms: config.health_check_interval_ms.max(1),
                state: state_properties(),
            },
            sender: Sender::new(identity(&config, me), local, chance),
            line: Line::new(route_hello(&config, me), 0),
            told: None,
            pool,
            turn: 0,
            telling: Telling::default(),
            keeping,
            failed,
            is_answered: false,
            counters: Counters::default(),
            reason: None,
            said: ("connecting", None),
            since_ms: 0,
            config,
        })
    }

    /// Every connection, in the order in which [`Link::serve`] numbers them.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &Line)> {
        let pool = self.pool.iter().map(|forwarder| &forwarder.line);
        std::iter::once(&self.line).chain(pool).enumerate()
    }

    /// What is subscribed here changed.
    pub(super) fn changed(&mut self, route: &LocalRoute, is_there: bool) {
        self.sender.changed(route, is_there);
    }

    /// What is subscribed here was found out anew.
    pub(super) fn restart(&mut self, local: &LocalRoutes) {
        self.sender.restart(local);
    }

    /// The other cluster came: what waits for another attempt need not wait.
    pub(super) fn hurry(&mut self, now_ms: u64) {
        self.sender.hurry(now_ms);
        self.pool.iter_mut().for_each(|forwarder| forwarder.hurry(now_ms));
    }

    /// The other cluster waits for what is retained here.
    pub(super) fn tell_retained(&mut self, topics: Vec<Box<str>>, deletions: &Deletions) {
        self.telling.begin(topics, deletions);
    }

    fn may_tell_retained(&self) -> bool {
        !self.telling.is_over() && self.waiting() < retained::WAITING_MAX
    }

    fn waiting(&self) -> usize {
        self.pool.iter().map(Forwarder::waiting).sum()
    }

    /// Puts the next of what is retained here with what waits.
    pub(super) fn go_on_telling(&mut self, all: &Retained<Message>, now: Now) {
        if self.may_tell_retained() {
            for message in self.telling.read(all, now.unix_ms) {
                self.put(&message, true, now.mono_ms);
            }
        }
    }

    /// What is kept on disk: begins with a loss, ends when all of it was read back.
    pub(super) fn keep(&mut self, shared: &Shared, now: Now) {
        let is_back = self.sender.state() == State::Online && self.is_complete();
        let Some(keeping) = &mut self.keeping else { return };
        if std::mem::take(&mut self.is_answered)
            && let Some(agreed) = self.sender.agreed()
        {
            keeping.agree(agreed);
        }
        let mut is_lost = false;
        for forwarder in &mut self.pool {
            keeping.settle(forwarder.settled.drain(..));
            is_lost |= std::mem::take(&mut forwarder.is_lost);
        }
        if is_lost && keeping.is_agreed() {
            keeping.begin(now.mono_ms);
            for forwarder in &mut self.pool {
                forwarder.give_up(|message| keeping.push(message, now.unix_ms));
                forwarder.begin_anew(now.mono_ms);
            }
            keeping.rewind();
        }
        while is_back && keeping.is_on() {
            let waiting: usize = self.pool.iter().map(Forwarder::waiting).sum();
            let bytes: usize = self.pool.iter().map(Forwarder::bytes).sum();
            if waiting >= WAITING_MAX || bytes * 2 > self.config.buffer_bytes_max {
                break;
            }
            let Some((place, message)) = keeping.read(now.unix_ms) else { break };
            let at = worker_of(&message, &self.config, self.pool.len(), &mut self.turn);
            if let Some(forwarder) = self.pool.get_mut(at) {
                forwarder.push_kept(Arc::new(message), place, now.mono_ms);
            }
        }
        keeping.write();
        self.counters.dropped += keeping.take_dropped();
        keeping.note(now.mono_ms);
        keeping.look(&self.config.name, is_back, shared, now.mono_ms);
    }

    fn is_complete(&self) -> bool {
        self.pool.iter().all(|forwarder| forwarder.line.is_ready())
    }

    /// A message that the other cluster wants.
    pub(super) fn take(&mut self, message: &Arc<Message>, now: Now) {
        let is_promised = message.qos != QoS::AtMostOnce;
        let is_full = self.bytes() + message.size() > self.config.buffer_bytes_max;
        if let Some(keeping) = self.keeping.as_mut().filter(|k| is_promised && k.is_agreed()) {
            if is_full {
                keeping.begin(now.mono_ms);
            }
            if keeping.is_on() {
                self.counters.matched += 1;
                keeping.push(message, now.unix_ms);
                return;
            }
            if let Some(place) = keeping.push_sent(message, now.unix_ms) {
                self.counters.matched += 1;
                self.send_kept(message.clone(), place, now.mono_ms);
                return;
            }
        }
        self.put(message, false, now.mono_ms);
    }

    /// What was taken reaches the disk, where it is to be kept.
    pub(super) fn write(&mut self) {
        if let Some(keeping) = &mut self.keeping {
            keeping.write();
        }
    }

    /// Whether messages are kept on disk.
    pub(super) fn keeps(&self) -> bool {
        self.keeping.as_ref().is_some_and(Keeping::is_agreed)
    }

    fn send_kept(&mut self, message: Arc<Message>, place: Place, now_ms: u64) {
        let at = worker_of(&message, &self.config, self.pool.len(), &mut self.turn);
        if let Some(forwarder) = self.pool.get_mut(at) {
            forwarder.push_kept(message, place, now_ms);
        }
    }

    fn put(&mut self, message: &Arc<Message>, is_state: bool, now_ms: u64) {
        self.counters.matched += 1;
        let at = worker_of(message, &self.config, self.pool.len(), &mut self.turn);
        if let Some(forwarder) = self.pool.get_mut(at) {
            forwarder.push(message.clone(), is_state, now_ms);
        }
        while self.bytes() > self.config.buffer_bytes_max {
            let fullest = self.pool.iter_mut().max_by_key(|forwarder| forwarder.unkept());
            if !fullest.is_some_and(|forwarder| forwarder.drop_one(&mut self.counters)) {
                break;
            }
        }
    }

    fn bytes(&self) -> usize {
        self.pool.iter().map(Forwarder::bytes).sum()
    }

    /// Takes what came on a connection.
    pub(super) fn serve(&mut self, at: usize, now_ms: u64) {
        match at.checked_sub(1) {
            None => self.serve_routes(now_ms),
            Some(at) => {
                if let Some(forwarder) = self.pool.get_mut(at) {
                    forwarder.serve(&self.to, now_ms, &mut self.counters);
                }
            }
        }
    }

    fn serve_routes(&mut self, now_ms: u64) {
        let mut events = Vec::new();
        let served = self.line.serve(&self.to, now_ms, &mut events);
        for event in events {
            let handled = self.handle(event, now_ms);
            self.note(handled, now_ms);
        }
        self.note(served, now_ms);
    }

    fn handle(&mut self, event: Event, now_ms: u64) -> Result<(), Reason> {
        match event {
            Event::Ready => {
                let introduction = self.sender.connected(now_ms);
                self.carry_out(introduction, now_ms);
            }
            Event::Acknowledged { packet_id, reason } => {
                let is_ok = !reason.is_error();
                match self.told {
                    Some(Told::Introduction(id)) if id == packet_id => {
                        self.told = None;
                        if !is_ok {
                            return Err(Reason::not_authorized());
                        }
                    }
                    Some(Told::Routes(id)) if id == packet_id => {
                        self.told = None;
                        self.sender.acknowledged(now_ms, is_ok);
                    }
                    _ => {}
                }
            }
            Event::Message { correlation, payload } => {
                let said = self.sender.answered(now_ms, correlation.as_deref(), &payload);
                said.map_err(|said| Reason::of_answer(&said))?;
                self.is_answered = true;
            }
        }
        Ok(())
    }

    fn note(&mut self, result: Result<(), Reason>, now_ms: u64) {
        let Err(reason) = result else { return };
        self.line.close();
        self.told = None;
        if self.sender.state() != State::Disconnected {
            self.sender.lost(now_ms);
        }
        self.reason = Some(reason);
    }

    fn carry_out(&mut self, effect: Effect, now_ms: u64) {
        let topic = topics::route(&self.me.cluster);
        let publish = |line: &mut Line, qos, properties: &[u8], payload: &[u8]| {
            line.ready().map(|client| client.publish(qos, &topic, properties, payload))
        };
        match effect {
            Effect::Connect => {
                let begun = self.line.begin(&self.to, now_ms);
                self.note(begun, now_ms);
            }
            Effect::Introduce { payload, correlation } => {
                let response = topics::response(&self.me.cluster, &self.me.node);
                let mut properties = Vec::new();
                PublishProperties {
                    response_topic: Some(&response),
                    correlation_data: Some(correlation.as_bytes()),
                    ..PublishProperties::default()
                }
                .forward_into(&mut properties);
                let sent = publish(&mut self.line, QoS::AtLeastOnce, &properties, &payload);
                self.told = sent.map(Told::Introduction);
            }
            Effect::Tell(payload) => {
                let sent = publish(&mut self.line, QoS::AtLeastOnce, &[], &payload);
                self.told = sent.map(Told::Routes);
            }
            Effect::Beat(payload) => drop(publish(&mut self.line, QoS::AtMostOnce, &[], &payload)),
            Effect::GiveUp => {
                let text = "the other side does not answer the introduction of this node; is there \
                            a broker with links on that port?";
                self.note(Err(Reason::new("timed_out", text)), now_ms);
            }
        }
    }

    /// Everything that is due.
    pub(super) fn tick(&mut self, now_ms: u64, local: &LocalRoutes, scratch: &mut Vec<u8>) {
        let watched = self.line.watch(&self.to, now_ms);
        self.note(watched, now_ms);
        while let Some(effect) = self.sender.poll(now_ms, local) {
            self.carry_out(effect, now_ms);
        }
        let flushed = self.line.flush(&self.to, now_ms);
        self.note(flushed, now_ms);
        if matches!(self.sender.state(), State::Bootstrapping | State::Online) {
            self.reason = None;
        }
        for forwarder in &mut self.pool {
            forwarder.tick(&self.to, &self.terms, now_ms, &mut self.counters, scratch);
        }
    }

    /// When there is something to do, unless something comes.
    pub(super) fn due_ms(&self) -> u64 {
        let pool = self.pool.iter().map(|forwarder| forwarder.due_ms(&self.terms)).min();
        let retained = if self.may_tell_retained() { 0 } else { u64::MAX };
        self.sender.due_ms().min(self.line.due_ms()).min(pool.unwrap_or(u64::MAX)).min(retained)
    }

    /// Notes what the state is, and since when; whether that, or what is wrong, is something new.
    pub(super) fn look(&mut self, unix_ms: u64) -> bool {
        let is_online = matches!(self.sender.state(), State::Bootstrapping | State::Online);
        let is_complete = self.is_complete();
        let status = match self.reason() {
            None if is_online && is_complete => "connected",
            None => "connecting",
            Some(_) => "disconnected",
        };
        if self.said.0 != status || self.since_ms == 0 {
            self.since_ms = unix_ms;
        }
        let is_new = self.said.0 != status || self.said.1.as_ref() != self.reason();
        if is_new {
            self.said = (status, self.reason().cloned());
        }
        is_new
    }

    /// What is wrong: first of all with what tells routes.
    fn reason(&self) -> Option<&Reason> {
        let of_pool = || self.pool.iter().find_map(|forwarder| forwarder.reason.as_ref());
        self.reason.as_ref().or_else(of_pool)
    }

    pub(super) fn status(&self, routes: usize) -> LinkStatus {
        use std::sync::atomic::Ordering;

        // Of those on disk some are read and wait, or are under way.
        let read: u64 = self.pool.iter().map(Forwarder::kept).sum();
        let kept = self.keeping.as_ref().map_or((0, 0), Keeping::kept);
        // A file without messages may be there for the next ones.
        let stored = (kept.0, if kept.0 == 0 { 0 } else { kept.1 });
        let kept = (stored.0.saturating_sub(read), stored.1);
        let ready = |forwarder: &&Forwarder| forwarder.line.is_ready();
        let sum = |of: fn(&Forwarder) -> usize| self.pool.iter().map(of).sum::<usize>();
        LinkStatus {
            name: self.config.name.clone(),
            status: self.said.0,
            reason: self.reason().map(ToString::to_string),
            since_ms: self.since_ms,
            replication: self.sender.state().name(),
            server: self.line.server(&self.to).map(|(host, port)| format!("{host}:{port}")),
            pool_connected: self.pool.iter().filter(ready).count(),
            routes,
            sent_routes: self.sender.told(),
            matched: self.counters.matched,
            success: self.counters.success,
            failed: self.counters.failed,
            dropped: self.counters.dropped,
            retried: self.counters.retried,
            queuing: self.waiting() as u64 + kept.0,
            inflight: sum(Forwarder::under_way) as u64,
            queued_bytes: self.bytes() as u64 + kept.1,
            received: self.came.received.load(Ordering::Relaxed),
            refused: self.came.refused.load(Ordering::Relaxed),
            stored: stored.0,
            stored_bytes: stored.1,
            stored_since_ms: self.keeping.as_ref().and_then(Keeping::oldest_ms),
            store: match (&self.keeping, &self.failed) {
                (Some(keeping), _) => Some(keeping.state()),
                (None, Some(why)) => Some(format!("failed: {why}")),
                (None, None) => None,
            },
        }
    }

    pub(super) fn reset(&mut self) {
        use std::sync::atomic::Ordering;

        self.counters = Counters::default();
        self.came.received.store(0, Ordering::Relaxed);
        self.came.refused.store(0, Ordering::Relaxed);
    }

    /// Ends every connection; what comes from now on is kept, if anything is.
    pub(super) fn leave(&mut self, now: Now) {
        self.line.close();
        self.pool.iter_mut().for_each(|forwarder| forwarder.line.close());
        let Some(keeping) = self.keeping.as_mut().filter(|keeping| keeping.is_agreed()) else {
            return;
        };
        keeping.begin(now.mono_ms);
        for forwarder in &mut self.pool {
            keeping.settle(forwarder.settled.drain(..));
            forwarder.give_up(|message| keeping.push(message, now.unix_ms));
        }
        keeping.write();
    }

    /// The same, and that is all.
    pub(super) fn close(&mut self, shared: &Shared, now: Now) {
        self.leave(now);
        if let Some(keeping) = &mut self.keeping {
            keeping.close(shared);
        }
    }
}
