//! One shard, a clock that the scene moves, and a store that says yes or no at once.
#![allow(dead_code)] // each test file uses its part

use std::collections::{BTreeMap, HashSet};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;

use rookery_codec::{
    Ack, AckKind, Connect, Packet, Subscribe, SubscribeFiltersBuf, SubscriptionOptions, Version,
    decode, parse_header,
};
use rookery_core::config::{Admission, BrokerConfig, MqttConfig, ZoneConfig};
use rookery_core::effects::{
    Answer, AskId, ClientInfo, CloseCause, Command, ConnMeta, PeerCertificate, Question,
    ShardMessage, UpEvent, Verdict,
};
use rookery_core::ids::{ConnKey, Now};
use rookery_core::persist::{SESSIONS, read_session};
use rookery_core::query::{ClientHit, ClientQuery, ClientSort};
use rookery_core::router::Weight;
use rookery_core::rules::{RuleCounts, RuleDraft, RuleSet, Surroundings};
use rookery_core::shard::{RestoredSession, Shard};
use rookery_core::shared::Shared;
use rookery_core::sorting::Keys;
use rookery_core::store_port::{Op, Outcome};

/// The shard and what surrounds it.
pub struct Stage {
    shard: Shard,
    shared: Arc<Shared>,
    config: BrokerConfig,
    now: Now,
    closed: HashSet<ConnKey>,
    asked: Vec<(AskId, Question)>,
    pub is_local: bool,
    /// What becomes of writes.
    pub store: Outcome,
    /// The store, or the node that keeps everything as well, says nothing.
    pub is_stalled: bool,
    unsaid: Vec<u64>,
    /// What was submitted, refused or not.
    pub written: Vec<(Op, Outcome)>,
    /// What else the listener says about its clients.
    pub listener: fn(&mut ConnMeta),
    resumed: Vec<ConnKey>,
    pub peer: SocketAddr,
    pub enable_authn: bool,
    pub cert: Option<Arc<PeerCertificate>>,
    /// What was told, questions apart.
    pub events: Vec<UpEvent>,
    rules: Arc<RuleSet>,
}

/// A client.
pub struct Actor {
    key: ConnKey,
    pub version: Version,
    /// What the broker answered to CONNECT.
    pub greeting: String,
    /// Codes of the latest SUBACK.
    pub suback: Vec<u8>,
}

impl Stage {
    pub fn new() -> Self {
        let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
        let config = BrokerConfig {
            zones: vec![zone],
            admission: Admission::Everyone,
            ..BrokerConfig::default()
        };
        let now = Now { mono_ms: 1000, unix_ms: 1_700_000_000_000 };
        let shared = Arc::new(Shared::new(1, 1, 1));
        let shard = Shard::new(0, shared.clone(), Arc::new(config.clone()), now).unwrap();
        Self {
            shard,
            shared,
            config,
            now,
            closed: HashSet::new(),
            asked: Vec::new(),
            is_local: true,
            store: Outcome::Stored,
            is_stalled: false,
            unsaid: Vec::new(),
            written: Vec::new(),
            listener: |_| {},
            resumed: Vec::new(),
            peer: ([127, 0, 0, 1], 40_000).into(),
            enable_authn: true,
            cert: None,
            events: Vec::new(),
            rules: Arc::default(),
        }
    }

    /// Other rules, as a node puts them.
    pub fn rules(&mut self, drafts: Vec<RuleDraft>) {
        self.rules_in(drafts, Surroundings::default());
    }

    pub fn rules_in(&mut self, drafts: Vec<RuleDraft>, around: Surroundings) {
        self.rules_while(drafts, around, |_| {});
    }

    /// The same, with something going on between the steps.
    pub fn rules_while(
        &mut self,
        drafts: Vec<RuleDraft>,
        around: Surroundings,
        mut between: impl FnMut(&mut Self),
    ) {
        let next = Arc::new(self.rules.next(drafts, around, 1).unwrap());
        let (added, gone) = (next.filters_beyond(&self.rules), self.rules.filters_beyond(&next));
        let items: Vec<(&str, u32)> = added.iter().map(|(f, n)| (f.as_str(), *n)).collect();
        self.shared.router.add_rules(&items);
        between(self);
        self.shard.inbox(self.now, ShardMessage::Rules(next.clone()));
        between(self);
        let items: Vec<(&str, u32)> = gone.iter().map(|(f, n)| (f.as_str(), *n)).collect();
        self.shared.router.remove_rules(&items);
        between(self);
        self.rules = next;
        self.turn();
    }

    /// The node ends and another one starts on what was stored: these records of sessions.
    pub fn restart(&mut self, sessions: &[(Vec<u8>, Vec<u8>)]) {
        self.shared = Arc::new(Shared::new(1, 1, 1));
        let config = Arc::new(self.config.clone());
        self.shard = Shard::new(0, self.shared.clone(), config, self.now).unwrap();
        for (key, value) in sessions {
            let restored = RestoredSession {
                record: read_session(key, value).unwrap(),
                subscriptions: Vec::new(),
                messages: Vec::new(),
                awaiting_rel: Vec::new(),
                will: None,
            };
            self.shard.restore_session(self.now, restored, self.now.unix_ms);
        }
    }

    /// The latest record of each session.
    pub fn stored_sessions(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for (op, _) in &self.written {
            if let Op::Put { table: SESSIONS, key, value } = op {
                found.insert(key.to_vec(), value.to_vec());
            }
        }
        found.into_iter().collect()
    }

    /// What management shows of the clients that are wanted, in order.
    pub fn clients(&self, query: &ClientQuery) -> Vec<ClientInfo> {
        let mut found = Keys::default();
        let sort = query.sort.unwrap_or(ClientSort::ClientId);
        assert!(self.shard.read_clients(query, sort, 0, 1000, &mut found).is_none());
        found.sort_from(0, query.is_descending);
        let view = |(_, hit): (u16, ClientHit)| {
            self.shard.client_view(hit.slot, hit.generation).unwrap().info
        };
        (0..found.len()).map(|at| view(*found.get(at).unwrap().1)).collect()
    }

    /// What a rule counted.
    pub fn counts(&self, rule: &str) -> RuleCounts {
        self.rules.counters(rule).unwrap().counts()
    }

    pub fn config(&mut self, change: impl FnOnce(&mut BrokerConfig)) {
        change(&mut self.config);
        let config = Arc::new(self.config.clone());
        self.shard.inbox(self.now, ShardMessage::Config(config));
    }

    pub fn mqtt(&mut self, change: impl FnOnce(&mut MqttConfig)) {
        self.config(|c| change(&mut c.zones[0].mqtt));
    }

    pub fn admission(&mut self, admission: Admission) {
        self.config(|c| c.admission = admission);
    }

    pub fn sessions(&self) -> usize {
        self.shared.sessions.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// A connection without CONNECT.
    pub fn open(&mut self) -> Actor {
        self.try_open().unwrap()
    }

    /// The same, unless the shard does not take it.
    pub fn try_open(&mut self) -> Option<Actor> {
        let mut meta = ConnMeta {
            peer: self.peer,
            local: ([127, 0, 0, 1], 1883).into(),
            listener: "tcp:default".into(),
            zone: 0,
            mountpoint: "".into(),
            is_local: self.is_local,
            enable_authn: self.enable_authn,
            cert: self.cert.clone(),
            quick_deny_anonymous: false,
            rates: None,
            handover: None,
        };
        (self.listener)(&mut meta);
        let key = self.shard.accept(self.now, Arc::new(meta))?;
        Some(Actor { key, version: Version::V311, greeting: String::new(), suback: Vec::new() })
    }

    pub fn metric(&self, name: &str) -> u64 {
        let mut found = 0;
        self.shared.metrics[0].each(|known, value| {
            if known == name {
                found = value;
            }
        });
        found
    }

    pub fn connected(&self) -> usize {
        self.shared.connected.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub fn unix_ms(&self) -> u64 {
        self.now.unix_ms
    }

    pub fn command(&mut self, command: Command) {
        self.shard.inbox(self.now, ShardMessage::Command(command));
        self.turn();
    }

    pub fn connect(&mut self, connect: &Connect<'_>) -> Actor {
        let mut actor = self.open();
        actor.version = connect.version;
        actor.send(self, |out| connect.encode(out));
        actor.greeting = actor.take(self).first().cloned().unwrap_or_default();
        actor
    }

    /// Carries out what the shard wants, until it wants nothing.
    pub fn turn(&mut self) {
        for _ in 0..8 {
            self.shard.work(self.now);
            for message in std::mem::take(&mut self.shard.effects.to_shards[0]) {
                self.shard.inbox(self.now, message);
            }
            for event in std::mem::take(&mut self.shard.effects.up) {
                match event {
                    UpEvent::Ask(id, question) => self.asked.push((id, question)),
                    event => self.events.push(event),
                }
            }
            self.shard.offer_actions(self.now);
            self.resumed.append(&mut self.shard.effects.resume);
            self.shard.effects.dirty.clear();
            if let Some((ticket, ops)) = self.shard.end_turn() {
                let is_small = ops.iter().all(Op::passes) && self.store == Outcome::Freed;
                let outcome = if is_small { Outcome::Stored } else { self.store };
                self.written.extend(ops.into_iter().map(|op| (op, outcome)));
                match self.is_stalled {
                    true => self.unsaid.push(ticket),
                    false => self.shard.committed(self.now, ticket, outcome),
                }
            }
            for (key, seqs) in std::mem::take(&mut self.shard.effects.store_reads) {
                let bodies = seqs.into_iter().map(|seq| (seq, self.stored_message(seq))).collect();
                self.shard.bodies(self.now, key, bodies);
            }
            let close = std::mem::take(&mut self.shard.effects.close);
            self.closed.extend(close.into_iter().map(|(key, _)| key));
        }
    }

    /// What was stalled is over; `is_confirmed`: not without the other node.
    pub fn go_on(&mut self, is_confirmed: bool) {
        self.is_stalled = false;
        for ticket in std::mem::take(&mut self.unsaid) {
            if !is_confirmed {
                self.shard.left_unconfirmed(ticket);
            }
            self.shard.committed(self.now, ticket, self.store);
        }
        self.turn();
    }

    fn stored_message(&self, number: u64) -> Option<Arc<[u8]>> {
        self.written.iter().find_map(|(op, _)| match op {
            Op::Publish { seq, message, .. } if *seq == number => Some(message.clone()),
            _ => None,
        })
    }

    /// The node has so many others beside it.
    pub fn nodes(&mut self, count: usize) {
        use std::sync::atomic::Ordering::Relaxed;
        self.shared.is_clustered.store(true, Relaxed);
        self.shared.other_nodes.store(count, Relaxed);
    }

    /// Another node has a subscriber.
    pub fn wants_elsewhere(&mut self, filter: &str) {
        let routes = [(None, filter, Weight::SOME)];
        self.shared.router.set_routes(0, routes, |_, _, _, _| {});
    }

    /// The number of the turn for other nodes, if somebody waits for it.
    pub fn turn_for_nodes(&mut self) -> Option<u64> {
        self.turn();
        self.shard.end_turn_for_nodes()
    }

    /// What the shard has for other nodes.
    pub fn for_nodes(&mut self) -> Vec<ShardMessage> {
        self.turn();
        self.shard.end_turn_for_nodes();
        std::mem::take(&mut self.shard.effects.to_nodes)
    }

    /// Something comes from another node.
    pub fn hear(&mut self, message: ShardMessage) {
        self.shard.inbox(self.now, message);
        self.turn();
    }

    /// Somebody sets the wall clock.
    pub fn set_clock_back(&mut self, ms: u64) {
        self.now.unix_ms -= ms;
    }

    /// Time passes.
    pub fn pass(&mut self, ms: u64) {
        for _ in 0..=ms / 250 {
            self.now.mono_ms += 250;
            self.now.unix_ms += 250;
            self.shard.tick(self.now);
            self.turn();
        }
    }

    /// A counter by its name.
    pub fn figure(&self, name: &str) -> u64 {
        let mut found = None;
        self.shared.metrics[0].each(|n, value| found = found.or((n == name).then_some(value)));
        found.unwrap()
    }

    pub fn questions(&mut self) -> Vec<(AskId, Question)> {
        self.turn();
        std::mem::take(&mut self.asked)
    }

    pub fn answer(&mut self, id: AskId, verdict: Verdict) {
        self.shard.inbox(self.now, ShardMessage::Answer(Answer { id, verdict }));
        self.turn();
    }
}

impl Actor {
    pub fn send(&mut self, stage: &mut Stage, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        encode(&mut out);
        stage.shard.receive(stage.now, self.key, &out);
        stage.turn();
    }

    /// Offers bytes; how many were taken.
    pub fn offer(&mut self, stage: &mut Stage, bytes: &[u8]) -> usize {
        let taken = stage.shard.receive(stage.now, self.key, bytes);
        stage.turn();
        taken
    }

    /// Whether the shard holds back reading.
    pub fn is_paused(&self, stage: &Stage) -> bool {
        stage.shard.is_paused(self.key)
    }

    /// Whether reading was allowed again since the last time.
    pub fn was_resumed(&mut self, stage: &mut Stage) -> bool {
        let before = stage.resumed.len();
        stage.resumed.retain(|key| *key != self.key);
        stage.resumed.len() < before
    }

    pub fn subscribe(&mut self, stage: &mut Stage, filter: &str, options: SubscriptionOptions) {
        let mut filters = SubscribeFiltersBuf::default();
        filters.push(filter, options);
        let version = self.version;
        self.send(stage, |out| Subscribe::new(100, &filters).encode(version, out));
    }

    /// Subscribes and returns the reason code.
    pub fn granted(&mut self, stage: &mut Stage, filter: &str, options: SubscriptionOptions) -> u8 {
        self.take(stage);
        self.subscribe(stage, filter, options);
        self.bytes(stage).last().copied().unwrap()
    }

    /// Takes the bytes that the broker sent.
    pub fn bytes(&mut self, stage: &mut Stage) -> Vec<u8> {
        stage.turn();
        // Nothing while what it promises is not stored.
        let Some(outbox) = stage.shard.begin_flush(self.key) else { return Vec::new() };
        let mut slices: Vec<IoSlice<'_>> = Vec::new();
        outbox.slices(&mut slices, usize::MAX);
        let bytes: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).collect();
        stage.shard.flushed(stage.now, self.key, bytes.len());
        bytes
    }

    pub fn ack(&mut self, stage: &mut Stage, kind: AckKind, packet_id: u16) {
        let version = self.version;
        self.send(stage, |out| Ack { packet_id, ..Ack::default() }.encode(kind, version, out));
    }

    pub fn lose(&mut self, stage: &mut Stage) {
        stage.shard.closed(stage.now, self.key, CloseCause::TcpClosed);
        stage.turn();
    }

    pub fn is_closed(&self, stage: &Stage) -> bool {
        stage.closed.contains(&self.key)
    }

    /// Topics and payloads of what was published to it since the last time.
    pub fn received(&mut self, stage: &mut Stage) -> Vec<String> {
        let bytes = self.bytes(stage);
        let mut rest = &bytes[..];
        let mut found = Vec::new();
        while let Some(header) = parse_header(rest).unwrap() {
            let body = &rest[header.header_len..header.total_len()];
            if let Packet::Publish(p) = decode(header.first, body, self.version).unwrap() {
                found.push(format!("{} {}", p.topic, String::from_utf8_lossy(p.payload)));
            }
            rest = &rest[header.total_len()..];
        }
        found
    }

    /// What the broker said since the last time, in short words. SUBACK is left out.
    pub fn take(&mut self, stage: &mut Stage) -> Vec<String> {
        let bytes = self.bytes(stage);
        let mut rest = &bytes[..];
        let mut words = Vec::new();
        while let Some(header) = parse_header(rest).unwrap() {
            let body = &rest[header.header_len..header.total_len()];
            let packet = decode(header.first, body, self.version).unwrap();
            if let Packet::SubAck(suback) = &packet {
                self.suback = suback.codes.to_vec();
            }
            words.extend(word(&packet));
            rest = &rest[header.total_len()..];
        }
        words
    }
}

fn word(packet: &Packet<'_>) -> Option<String> {
    let ack =
        |name: &str, ack: &Ack<'_>| Some(format!("{name} {} {:#04x}", ack.packet_id, ack.reason.0));
    match packet {
        Packet::SubAck(_) => None,
        Packet::ConnAck(a) => {
            let present = if a.session_present { " present" } else { "" };
            Some(format!("CONNACK {:#04x}{present}", a.reason.0))
        }
        Packet::Publish(p) => {
            let id = if p.packet_id == 0 { String::new() } else { format!(" id {}", p.packet_id) };
            let retain = if p.retain { " retain" } else { "" };
            let dup = if p.dup { " dup" } else { "" };
            Some(format!("PUBLISH {} {}{id}{retain}{dup}", p.topic, p.qos as u8))
        }
        Packet::PubAck(a) => ack("PUBACK", a),
        Packet::PubRec(a) => ack("PUBREC", a),
        Packet::PubRel(a) => ack("PUBREL", a),
        Packet::PubComp(a) => ack("PUBCOMP", a),
        Packet::Auth(a) => {
            let data = String::from_utf8_lossy(a.data.unwrap_or_default());
            Some(format!("AUTH {:#04x} {} {data}", a.reason.0, a.method.unwrap_or_default()))
        }
        Packet::Disconnect(d) => Some(format!("DISCONNECT {:#04x}", d.reason.0)),
        other => Some(format!("{other:?}")),
    }
}
