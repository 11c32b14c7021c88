//! One link: the connection that tells what is subscribed here, and the pool for messages.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rookery_codec::{PublishProperties, QoS};
use rookery_core::access::LinkCounters;
use rookery_core::message::Message;
use rookery_links::sender::{Effect, Identity, LocalRoute, LocalRoutes, Sender, State};
use rookery_links::topics;

use super::client::{Event, Hello};
use super::counters::Counters;
use super::line::{Destination, Line};
use super::pool::{Forwarder, Terms};
use super::reason::Reason;
use super::{LinkConfig, LinkOutlet, LinkStatus, Me, tls};

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
    counters: Counters,
    /// What is wrong with what tells routes, until it is online.
    reason: Option<Reason>,
    status: &'static str,
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
    }
}

impl Link {
    /// A link that begins to connect with its first tick; `chance` is random. A reason in the place
    /// of it if that cannot be.
    pub(super) fn new(
        config: LinkConfig,
        (number, came): (u16, Arc<LinkCounters>),
        me: &Me,
        outlet: &Arc<LinkOutlet>,
        local: &LocalRoutes,
        chance: u64,
    ) -> Result<Self, Reason> {
        let to = destination(&config, outlet)?;
        let hello = |worker: usize| Hello {
            client_id: format!("{}:msg:{}:{worker}", config.client_id, mark(&me.node)),
            response_topic: None,
            ..route_hello(&config, me)
        };
        let pool = (0..config.pool_size.max(1)).map(|n| Forwarder::new(hello(n))).collect();
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
            },
            sender: Sender::new(identity(&config, me), local, chance),
            line: Line::new(route_hello(&config, me)),
            told: None,
            pool,
            turn: 0,
            counters: Counters::default(),
            reason: None,
            status: "connecting",
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

    /// A message that the other cluster wants.
    pub(super) fn take(&mut self, message: &Arc<Message>, now_ms: u64) {
        self.counters.matched += 1;
        let count = self.pool.len();
        let at = if self.config.order_by_client {
            let mut hasher = DefaultHasher::new();
            message.from.client_id.hash(&mut hasher);
            usize::try_from(hasher.finish() % count as u64).unwrap_or(0)
        } else {
            self.turn = (self.turn + 1) % count;
            self.turn
        };
        if let Some(forwarder) = self.pool.get_mut(at) {
            forwarder.push(message.clone(), now_ms);
        }
        while self.bytes() > self.config.buffer_bytes_max {
            let fullest = self.pool.iter_mut().max_by_key(|forwarder| forwarder.waiting());
            if !fullest.is_some_and(|forwarder| forwarder.drop_oldest(&mut self.counters)) {
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
        self.sender.due_ms().min(self.line.due_ms()).min(pool.unwrap_or(u64::MAX))
    }

    /// Notes what the state is, and since when.
    pub(super) fn look(&mut self, unix_ms: u64) {
        let is_online = matches!(self.sender.state(), State::Bootstrapping | State::Online);
        let is_complete = self.pool.iter().all(|forwarder| forwarder.line.is_ready());
        let status = match self.reason() {
            None if is_online && is_complete => "connected",
            None => "connecting",
            Some(_) => "disconnected",
        };
        if self.status != status || self.since_ms == 0 {
            self.status = status;
            self.since_ms = unix_ms;
        }
    }

    /// What is wrong: first of all with what tells routes.
    fn reason(&self) -> Option<&Reason> {
        let of_pool = || self.pool.iter().find_map(|forwarder| forwarder.reason.as_ref());
        self.reason.as_ref().or_else(of_pool)
    }

    pub(super) fn status(&self, routes: usize) -> LinkStatus {
        use std::sync::atomic::Ordering;

        let ready = |forwarder: &&Forwarder| forwarder.line.is_ready();
        let sum = |of: fn(&Forwarder) -> usize| self.pool.iter().map(of).sum::<usize>();
        LinkStatus {
            name: self.config.name.clone(),
            status: self.status,
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
            queuing: sum(Forwarder::waiting) as u64,
            inflight: sum(Forwarder::under_way) as u64,
            queued_bytes: self.bytes() as u64,
            received: self.came.received.load(Ordering::Relaxed),
            refused: self.came.refused.load(Ordering::Relaxed),
        }
    }

    pub(super) fn reset(&mut self) {
        use std::sync::atomic::Ordering;

        self.counters = Counters::default();
        self.came.received.store(0, Ordering::Relaxed);
        self.came.refused.store(0, Ordering::Relaxed);
    }

    /// Ends every connection.
    pub(super) fn close(&mut self) {
        self.line.close();
        self.pool.iter_mut().for_each(|forwarder| forwarder.line.close());
    }
}
