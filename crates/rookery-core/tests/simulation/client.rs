//! A client that keeps the rules of MQTT, and notices when the broker does not.

use std::collections::{BTreeMap, HashMap, HashSet};

use rookery_codec::{
    Ack, AckKind, Connect, Disconnect, Packet, Publish, PublishProperties, QoS, ReasonCode,
    Subscribe, SubscribeFiltersBuf, SubscriptionOptions, Unsubscribe, UnsubscribeFiltersBuf,
    Version, Will, decode, parse_header,
};

use super::rng::Rng;
use super::world::World;

/// The number that a test payload begins with; 0 for others.
pub fn number_of(payload: &[u8]) -> u64 {
    payload.get(..8).map_or(0, |b| u64::from_le_bytes(b.try_into().unwrap()))
}

/// A PUBLISH that is not settled.
#[derive(Clone)]
pub struct Outbound {
    pub number: u64,
    pub topic: String,
    pub qos: QoS,
    pub retain: bool,
    /// PUBREC came.
    pub is_released: bool,
}

/// One message taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub number: u64,
    pub topic: String,
    pub qos: QoS,
    pub retain: bool,
}

/// What became known about messages since the last look.
#[derive(Default)]
pub struct News {
    pub acked: Vec<u64>,
    pub taken: Vec<Taken>,
    pub subscribed: Vec<(String, QoS)>,
    /// Sent once more after a reconnect: they may come after younger ones.
    pub resent: Vec<u64>,
}

pub struct Client {
    pub id: String,
    pub version: Version,
    /// Its session outlives connections.
    pub is_durable: bool,
    pub window: u16,
    pub alias_max: u16,
    pub socket: Option<usize>,
    pub is_connected: bool,
    /// A SUBACK came: from then on the session has to be there.
    pub has_promise: bool,
    pub outbound: BTreeMap<u16, Outbound>,
    pub pending: HashMap<u16, (String, QoS)>,
    pub acks: Vec<(AckKind, u16)>,
    pub context: String,
    /// The store may have no room for its session.
    pub may_be_refused: bool,
    receiving: HashSet<u16>,
    outstanding: HashSet<u16>,
    aliases: HashMap<u16, String>,
    sent_alias: HashMap<String, u16>,
    next_id: u16,
}

impl Client {
    pub fn new(id: &str, version: Version, is_durable: bool, window: u16) -> Self {
        Self {
            id: id.into(),
            version,
            is_durable,
            window,
            alias_max: 0,
            socket: None,
            is_connected: false,
            has_promise: false,
            outbound: BTreeMap::new(),
            pending: HashMap::new(),
            acks: Vec::new(),
            context: String::new(),
            may_be_refused: false,
            receiving: HashSet::new(),
            outstanding: HashSet::new(),
            aliases: HashMap::new(),
            sent_alias: HashMap::new(),
            next_id: 0,
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{}: client {} ({:?}): {what}", self.context, self.id, self.version);
    }

    pub fn connect(&mut self, world: &mut World, rng: &mut Rng, will_delay_s: Option<u32>) {
        self.lose();
        let socket = world.connect(rng);
        self.socket = Some(socket);
        let mut connect = Connect::new(self.version, &self.id);
        connect.clean_start = !self.is_durable;
        let topic = format!("will/{}", self.id);
        if let Some(delay_interval_s) = will_delay_s {
            connect.will =
                Some(Will { topic: &topic, payload: b"gone", delay_interval_s, ..Will::default() });
        }
        if self.version == Version::V5 {
            connect.properties.session_expiry_interval_s =
                Some(if self.is_durable { 1_000_000 } else { 0 });
            connect.properties.receive_maximum = Some(self.window);
            connect.properties.topic_alias_maximum = Some(self.alias_max);
        }
        let mut out = Vec::new();
        connect.encode(&mut out);
        world.send(socket, &out);
    }

    /// Forgets what belongs to a connection.
    pub fn lose(&mut self) {
        self.socket = None;
        self.is_connected = false;
        self.acks.clear();
        self.pending.clear();
        self.outstanding.clear();
        self.aliases.clear();
        self.sent_alias.clear();
    }

    fn send(&self, world: &mut World, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        encode(&mut out);
        if let Some(socket) = self.socket {
            world.send(socket, &out);
        }
    }

    fn free_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.checked_add(1).unwrap_or(1).max(1);
            if !self.outbound.contains_key(&self.next_id)
                && !self.pending.contains_key(&self.next_id)
            {
                return self.next_id;
            }
        }
    }

    pub fn subscribe(
        &mut self,
        world: &mut World,
        filter: &str,
        options: SubscriptionOptions,
        sub_id: Option<u32>,
    ) {
        let packet_id = self.free_id();
        let mut filters = SubscribeFiltersBuf::default();
        filters.push(filter, options);
        let mut subscribe = Subscribe::new(packet_id, &filters);
        subscribe.subscription_identifier = sub_id.filter(|_| self.version == Version::V5);
        self.pending.insert(packet_id, (filter.into(), options.qos));
        self.send(world, |out| subscribe.encode(self.version, out));
    }

    pub fn unsubscribe(&mut self, world: &mut World, filter: &str) {
        let packet_id = self.free_id();
        let mut filters = UnsubscribeFiltersBuf::default();
        filters.push(filter);
        self.send(world, |out| Unsubscribe::new(packet_id, &filters).encode(self.version, out));
    }

    pub fn publish(&mut self, world: &mut World, rng: &mut Rng, message: Outbound) {
        let packet_id = if message.qos == QoS::AtMostOnce { 0 } else { self.free_id() };
        if packet_id != 0 {
            self.outbound.insert(packet_id, message.clone());
        }
        let mut alias = None;
        let mut topic = message.topic.clone();
        if self.version == Version::V5 && rng.chance(30) {
            let next = u16::try_from(self.sent_alias.len() + 1).unwrap();
            alias = Some(*self.sent_alias.entry(topic.clone()).or_insert(next));
            if alias != Some(next) && rng.chance(80) {
                topic = String::new();
            }
        }
        self.send_publish(world, packet_id, &message, &topic, alias, false);
    }

    fn send_publish(
        &self,
        world: &mut World,
        packet_id: u16,
        message: &Outbound,
        topic: &str,
        topic_alias: Option<u16>,
        dup: bool,
    ) {
        let mut payload = message.number.to_le_bytes().to_vec();
        payload.resize(8 + (message.number % 7) as usize * 900, b'x');
        let publish = Publish {
            dup,
            qos: message.qos,
            retain: message.retain,
            topic,
            packet_id,
            properties: PublishProperties { topic_alias, ..PublishProperties::default() },
            payload: &payload,
        };
        self.send(world, |out| publish.encode(self.version, out));
    }

    pub fn disconnect(&mut self, world: &mut World, expiry_s: Option<u32>, reason: ReasonCode) {
        let disconnect =
            Disconnect { reason, session_expiry_interval_s: expiry_s, ..Disconnect::default() };
        self.send(world, |out| disconnect.encode(self.version, out));
        if let Some(socket) = self.socket {
            world.break_off(socket);
        }
        self.lose();
    }

    /// Sends an acknowledgement that is due.
    pub fn ack(&mut self, world: &mut World, index: usize) {
        if index >= self.acks.len() {
            return;
        }
        let (kind, packet_id) = self.acks.remove(index);
        if matches!(kind, AckKind::PubAck | AckKind::PubComp) {
            self.outstanding.remove(&packet_id);
        }
        let ack = Ack { packet_id, ..Ack::default() };
        self.send(world, |out| ack.encode(kind, self.version, out));
    }

    /// Reads what the broker sent.
    pub fn poll(&mut self, world: &mut World, news: &mut News) {
        let Some(socket) = self.socket else { return };
        let s = world.sockets.get_mut(&socket).unwrap();
        let is_closed = s.is_closed;
        let bytes = std::mem::take(&mut s.received);
        let mut rest = &bytes[..];
        while let Some(header) =
            parse_header(rest).unwrap_or_else(|e| self.fail(&format!("bad header: {e}")))
        {
            let Some(body) = rest.get(header.header_len..header.total_len()) else { break };
            match decode(header.first, body, self.version) {
                Ok(packet) => self.handle(world, &packet, news),
                Err(error) => self.fail(&format!("cannot decode what the broker sent: {error}")),
            }
            rest = &rest[header.total_len()..];
            if self.socket != Some(socket) {
                return;
            }
        }
        world.sockets.get_mut(&socket).unwrap().received = rest.to_vec();
        if is_closed {
            self.lose();
        }
    }

    fn handle(&mut self, world: &mut World, packet: &Packet<'_>, news: &mut News) {
        match packet {
            Packet::ConnAck(ack) => {
                let refusals = [ReasonCode::QUOTA_EXCEEDED, ReasonCode::SERVER_UNAVAILABLE];
                if self.may_be_refused && refusals.contains(&ack.reason) {
                    return;
                }
                if ack.reason.is_error() {
                    self.fail(&format!("CONNECT was refused with {:?}", ack.reason));
                }
                self.connected(world, ack.session_present, news);
            }
            Packet::Publish(publish) => self.take(publish, news),
            Packet::PubAck(ack) => {
                let Some(message) = self.outbound.remove(&ack.packet_id) else {
                    self.fail("PUBACK for nothing")
                };
                assert_eq!(message.qos, QoS::AtLeastOnce);
                if !ack.reason.is_error() {
                    news.acked.push(message.number);
                }
            }
            Packet::PubRec(ack) if ack.reason.is_error() => {
                self.outbound.remove(&ack.packet_id);
            }
            Packet::PubRec(ack) => {
                let Some(message) = self.outbound.get_mut(&ack.packet_id) else {
                    self.fail("PUBREC for nothing")
                };
                message.is_released = true;
                news.acked.push(message.number);
                let ack = Ack { packet_id: ack.packet_id, ..Ack::default() };
                self.send(world, |out| ack.encode(AckKind::PubRel, self.version, out));
            }
            Packet::PubRel(ack) => {
                self.receiving.remove(&ack.packet_id);
                self.acks.push((AckKind::PubComp, ack.packet_id));
            }
            Packet::PubComp(ack) => {
                if self.outbound.remove(&ack.packet_id).is_none_or(|m| !m.is_released) {
                    self.fail("PUBCOMP for nothing");
                }
            }
            Packet::SubAck(ack) => {
                let Some((filter, qos)) = self.pending.remove(&ack.packet_id) else {
                    self.fail("SUBACK for nothing")
                };
                if ack.codes != [qos as u8] {
                    self.fail(&format!("SUBACK {:?} for {filter}", ack.codes));
                }
                self.has_promise = self.is_durable;
                news.subscribed.push((filter, qos));
            }
            Packet::UnsubAck(_) | Packet::PingResp => {}
            Packet::Disconnect(disconnect) => {
                let expected = [ReasonCode::SESSION_TAKEN_OVER, ReasonCode::QUOTA_EXCEEDED];
                if !expected.contains(&disconnect.reason) {
                    self.fail(&format!(
                        "the broker said {:?}: {:?}",
                        disconnect.reason, disconnect.reason_string
                    ));
                }
            }
            other => self.fail(&format!("unexpected {other:?}")),
        }
    }

    fn connected(&mut self, world: &mut World, session_present: bool, news: &mut News) {
        self.is_connected = true;
        if !session_present {
            if self.has_promise {
                self.fail("the session is lost");
            }
            self.outbound.clear();
            self.receiving.clear();
            return;
        }
        // MQTT-5.0 [MQTT-4.4.0-1].
        for (packet_id, message) in self.outbound.clone() {
            if message.is_released {
                let ack = Ack { packet_id, ..Ack::default() };
                self.send(world, |out| ack.encode(AckKind::PubRel, self.version, out));
            }
        }
        let mut open: Vec<_> =
            self.outbound.clone().into_iter().filter(|(_, m)| !m.is_released).collect();
        open.sort_by_key(|(_, m)| m.number);
        for (packet_id, message) in open {
            news.resent.push(message.number);
            let topic = message.topic.clone();
            self.send_publish(world, packet_id, &message, &topic, None, true);
        }
    }

    fn take(&mut self, publish: &Publish<'_>, news: &mut News) {
        let mut topic = publish.topic.to_owned();
        if let Some(alias) = publish.properties.topic_alias {
            if alias > self.alias_max {
                self.fail("topic alias above the maximum");
            }
            if topic.is_empty() {
                topic = self
                    .aliases
                    .get(&alias)
                    .unwrap_or_else(|| self.fail("unknown topic alias"))
                    .clone();
            } else {
                self.aliases.insert(alias, topic.clone());
            }
        }
        let taken = Taken {
            number: number_of(publish.payload),
            topic,
            qos: publish.qos,
            retain: publish.retain,
        };
        let packet_id = publish.packet_id;
        if publish.qos == QoS::AtMostOnce {
            news.taken.push(taken);
            return;
        }
        if !self.outstanding.insert(packet_id) {
            self.fail(&format!("packet identifier {packet_id} is used twice at once"));
        }
        if self.version == Version::V5 && self.outstanding.len() > usize::from(self.window) {
            self.fail("more in flight than Receive Maximum");
        }
        if publish.qos == QoS::AtLeastOnce {
            self.acks.push((AckKind::PubAck, packet_id));
            news.taken.push(taken);
            return;
        }
        self.acks.push((AckKind::PubRec, packet_id));
        if self.receiving.insert(packet_id) {
            news.taken.push(taken);
        } else if !publish.dup {
            self.fail("a QoS 2 identifier in use comes without DUP");
        }
    }
}
