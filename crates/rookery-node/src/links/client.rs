//! A client of MQTT 5 on one connection: it is let in, subscribes if it has to, publishes.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use rookery_codec::{
    Ack, Connect, Packet, PublishHead, QoS, ReasonCode, Subscribe, SubscribeFiltersBuf,
    SubscriptionOptions, Version, decode, encode_pingreq, encode_publish_head, parse_header,
};
use rookery_links::receiver::error;
use rustix::event::PollFlags;

use super::reason::Reason;
use super::socket::{Socket, TlsParts};
use super::{ADMISSION_MS, PING_MS, SILENCE_MS};

/// The largest packet that is taken.
const PACKET_BYTES_MAX: usize = 1 << 20;
/// Most packets under way, so that their identifiers differ.
const IN_FLIGHT_MAX: u16 = 60_000;
/// Keep Alive as it is told; questions come sooner.
const KEEP_ALIVE_S: u16 = 60;

/// Who the client is, and what it reads.
#[derive(Clone)]
pub(super) struct Hello {
    pub(super) client_id: String,
    pub(super) username: Option<String>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) response_topic: Option<String>,
    pub(super) connect_timeout_ms: u64,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Event {
    /// It may publish.
    Ready,
    /// A PUBLISH was acknowledged.
    Acknowledged { packet_id: u16, reason: ReasonCode },
    /// A message of the response topic.
    Message { correlation: Option<Vec<u8>>, payload: Vec<u8> },
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Phase {
    Connecting,
    Connected,
    Subscribing,
    Ready,
}

pub(super) struct Client {
    socket: Socket,
    input: Vec<u8>,
    phase: Phase,
    deadline_ms: u64,
    heard_at_ms: u64,
    is_asked: bool,
    packet_id: u16,
    /// How many PUBLISH packets may be unacknowledged.
    pub(super) window: u16,
    /// The largest packet that the other side takes.
    pub(super) packet_bytes_max: usize,
}

impl Client {
    /// Begins to connect; CONNECT goes out as soon as that is possible.
    pub(super) fn dial(
        address: SocketAddr,
        tls: Option<TlsParts>,
        hello: &Hello,
        now_ms: u64,
    ) -> Result<Self, Reason> {
        let mut socket = Socket::open(address, tls)?;
        let mut connect = Connect::new(Version::V5, &hello.client_id);
        connect.keep_alive_s = KEEP_ALIVE_S;
        connect.username = hello.username.as_deref();
        connect.password = hello.password.as_deref();
        #[allow(clippy::cast_possible_truncation)] // a constant of 20 bits
        let packet_bytes_max = PACKET_BYTES_MAX as u32;
        connect.properties.maximum_packet_size = Some(packet_bytes_max);
        connect.encode(socket.out());
        Ok(Self {
            socket,
            input: Vec::new(),
            phase: Phase::Connecting,
            deadline_ms: now_ms + hello.connect_timeout_ms,
            heard_at_ms: now_ms,
            is_asked: false,
            packet_id: 0,
            window: IN_FLIGHT_MAX,
            packet_bytes_max: usize::MAX,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    pub(super) fn interest(&self) -> PollFlags {
        self.socket.interest()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Octets that the other side has not taken.
    pub(super) fn unsent(&self) -> usize {
        self.socket.unsent()
    }

    pub(super) fn flush(&mut self) -> Result<(), Reason> {
        self.socket.flush()
    }

    /// Takes what came.
    pub(super) fn serve(
        &mut self,
        hello: &Hello,
        now_ms: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Reason> {
        if !self.socket.is_open()? {
            return Ok(());
        }
        if self.phase == Phase::Connecting {
            self.phase = Phase::Connected;
            self.deadline_ms = now_ms + ADMISSION_MS;
        }
        // What came before an end counts: it may say why.
        let mut input = std::mem::take(&mut self.input);
        let read = self.socket.read(&mut input);
        if matches!(read, Ok(true)) {
            self.heard_at_ms = now_ms;
            self.is_asked = false;
        }
        let taken = self.take(hello, now_ms, &input, events)?;
        input.drain(..taken);
        if input.is_empty() && input.capacity() > PACKET_BYTES_MAX {
            input = Vec::new();
        }
        self.input = input;
        read?;
        self.socket.flush()
    }

    /// Handles whole packets; how many octets they had.
    fn take(
        &mut self,
        hello: &Hello,
        now_ms: u64,
        input: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<usize, Reason> {
        let mut rest = input;
        let wrong = |error: rookery_codec::DecodeError| Reason::new("protocol", error.to_string());
        while let Some(header) = parse_header(rest).map_err(wrong)? {
            let total = header.header_len + header.remaining;
            if total > PACKET_BYTES_MAX {
                return Err(Reason::new("protocol", "the other side sent too large a packet"));
            }
            let Some(body) = rest.get(header.header_len..total) else { break };
            let packet = decode(header.first, body, Version::V5).map_err(wrong)?;
            self.handle(hello, now_ms, &packet, events)?;
            rest = rest.get(total..).unwrap_or_default();
        }
        Ok(input.len() - rest.len())
    }

    fn handle(
        &mut self,
        hello: &Hello,
        now_ms: u64,
        packet: &Packet<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Reason> {
        match packet {
            Packet::ConnAck(connack) if self.phase == Phase::Connected => {
                let properties = &connack.properties;
                if connack.reason.is_error() {
                    return Err(Reason::of_connack(connack.reason, properties.reason_string));
                }
                let window = properties.receive_maximum.unwrap_or(u16::MAX);
                self.window = window.clamp(1, IN_FLIGHT_MAX);
                let largest = properties.maximum_packet_size;
                self.packet_bytes_max = largest.map_or(usize::MAX, |bytes| bytes as usize);
                match &hello.response_topic {
                    Some(topic) => self.subscribe(topic),
                    None => self.ready(events),
                }
                self.deadline_ms = now_ms + ADMISSION_MS;
            }
            Packet::SubAck(suback) if self.phase == Phase::Subscribing => {
                match suback.codes.first().map(|code| ReasonCode(*code)) {
                    Some(code) if !code.is_error() => self.ready(events),
                    Some(ReasonCode::NOT_AUTHORIZED) => {
                        // A Rookery cluster says why to whom it knows, without opening the topic.
                        let known = [error::UNKNOWN_CLUSTER, error::DISABLED];
                        let said = suback.reason_string.filter(|said| known.contains(said));
                        return Err(said.map_or_else(Reason::not_authorized, Reason::of_answer));
                    }
                    code => {
                        let word = code.map_or("nothing", |code| code.name());
                        let text = format!("the response topic cannot be subscribed: {word}");
                        return Err(Reason::new("protocol", text));
                    }
                }
            }
            Packet::PubAck(Ack { packet_id, reason, .. }) if self.is_ready() => {
                events.push(Event::Acknowledged { packet_id: *packet_id, reason: *reason });
            }
            Packet::Publish(publish) if self.is_ready() => {
                let correlation = publish.properties.correlation_data.map(<[u8]>::to_vec);
                events.push(Event::Message { correlation, payload: publish.payload.to_vec() });
                if publish.qos == QoS::AtLeastOnce {
                    rookery_codec::encode_ack(
                        rookery_codec::AckKind::PubAck,
                        publish.packet_id,
                        ReasonCode::SUCCESS,
                        Version::V5,
                        self.socket.out(),
                    );
                }
            }
            Packet::PingResp => {}
            Packet::Disconnect(disconnect) => {
                let said = disconnect.reason_string.map_or_else(String::new, |s| format!(": {s}"));
                let text =
                    format!("the other side ended it with {}{said}", disconnect.reason.name());
                return Err(Reason::new("closed", text));
            }
            _ => return Err(Reason::new("protocol", "a packet that does not belong here")),
        }
        Ok(())
    }

    fn subscribe(&mut self, topic: &str) {
        let mut filters = SubscribeFiltersBuf::new();
        let options = SubscriptionOptions { qos: QoS::AtLeastOnce, ..Default::default() };
        filters.push(topic, options);
        let packet_id = self.next_id();
        Packet::Subscribe(Subscribe::new(packet_id, &filters))
            .encode(Version::V5, self.socket.out());
        self.phase = Phase::Subscribing;
    }

    fn ready(&mut self, events: &mut Vec<Event>) {
        self.phase = Phase::Ready;
        events.push(Event::Ready);
    }

    fn next_id(&mut self) -> u16 {
        self.packet_id = self.packet_id.checked_add(1).unwrap_or(1);
        self.packet_id
    }

    /// Appends a PUBLISH; its identifier, 0 with QoS 0.
    pub(super) fn publish(
        &mut self,
        qos: QoS,
        topic: &str,
        properties: &[u8],
        payload: &[u8],
    ) -> u16 {
        let packet_id = if qos == QoS::AtMostOnce { 0 } else { self.next_id() };
        let head = PublishHead {
            version: Version::V5,
            dup: false,
            qos,
            retain: false,
            topic,
            packet_id,
            topic_alias: None,
            message_expiry_interval_s: None,
            subscription_identifiers: &[],
            properties,
        };
        encode_publish_head(&head, payload.len(), self.socket.out());
        self.socket.out().extend_from_slice(payload);
        packet_id
    }

    /// Says goodbye, as far as that goes without waiting.
    pub(super) fn close(mut self) {
        if self.is_ready() {
            self.socket.out().extend_from_slice(&[0xE0, 0]);
            // Who does not take it notices the end of the connection.
            let _ = self.socket.flush();
        }
    }

    /// Asks whether the other side is there; an error when it has been silent for too long.
    pub(super) fn watch(&mut self, now_ms: u64) -> Result<(), Reason> {
        let late = |what: &str| Err(Reason::new("timed_out", what));
        match self.phase {
            Phase::Connecting if now_ms >= self.deadline_ms => {
                late("the other side does not answer the attempt to connect")
            }
            Phase::Connected | Phase::Subscribing if now_ms >= self.deadline_ms => {
                late("the other side took the connection and does not answer")
            }
            Phase::Ready if now_ms >= self.heard_at_ms + SILENCE_MS => {
                late("nothing was heard from the other side for 4.5 s")
            }
            Phase::Ready if now_ms >= self.heard_at_ms + PING_MS && !self.is_asked => {
                self.is_asked = true;
                encode_pingreq(self.socket.out());
                self.socket.flush()
            }
            _ => Ok(()),
        }
    }

    /// When [`Client::watch`] has something to do.
    pub(super) fn due_ms(&self) -> u64 {
        match self.phase {
            Phase::Ready if self.is_asked => self.heard_at_ms + SILENCE_MS,
            Phase::Ready => self.heard_at_ms + PING_MS,
            _ => self.deadline_ms,
        }
    }
}
