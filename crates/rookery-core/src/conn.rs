//! The protocol state of one transport connection.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use rookery_codec::{QoS, UserPropertiesBuf, Version};

use crate::access::{AnswerCache, RuleTable};
use crate::effects::{AskId, CloseCause, ConnMeta, Verdict};
use crate::limiter::Limiter;
use crate::message::{Message, Publisher};
use crate::moving::copy::SessionCopy;
use crate::outbox::Outbox;
use crate::traffic::Traffic;

/// Where a connection stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ConnState {
    /// No CONNECT yet.
    New,
    /// CONNECT came, somebody outside decides.
    Deciding,
    /// AUTH was sent, the next step of the client is awaited.
    Exchanging,
    /// Admitted.
    Connected,
    /// The outbox is being flushed, then the socket closes; input is ignored.
    Closing,
}

impl ConnState {
    /// Whether the client has not been admitted yet.
    #[must_use]
    pub fn is_before_admission(self) -> bool {
        matches!(self, Self::New | Self::Deciding | Self::Exchanging)
    }
}

/// Packets in order: first byte and the rest.
pub type Waiting = VecDeque<(u8, Box<[u8]>)>;

/// One connection.
#[derive(Debug)]
pub struct Conn {
    /// Where it stands.
    pub state: ConnState,
    /// Protocol version; meaningful once CONNECT came.
    pub version: Version,
    /// Whether reason strings and user properties may be sent, MQTT-5.0 section 3.1.2.11.7.
    pub problem_information: bool,
    /// The shard's dirty list holds it.
    pub is_dirty: bool,
    /// CONNACK and what follows it stay in the outbox until the session is on disk.
    pub is_held: bool,
    /// The client was told to be connected, to whoever watches: so will be its end.
    pub is_announced: bool,
    /// The driver was told to stop reading.
    pub is_paused: bool,
    /// The outbox passed its mark; QoS 0 is dropped until it empties.
    pub is_congested: bool,
    /// A timer looks after the stalled outbox.
    pub is_block_armed: bool,
    /// Authentication said that nothing is denied to this client.
    pub is_superuser: bool,
    /// Authentication was asked about this client and let it in.
    pub is_authenticated: bool,
    /// Its timer counts no more when Keep Alive was changed since it was armed.
    pub keep_alive_round: u8,
    /// Inbound QoS 2 exchanges that were open when the connection began; they do not count against
    /// Receive Maximum, which starts anew with each connection (MQTT-5.0 section 4.9).
    pub awaiting_before: u16,
    /// The client's Receive Maximum, bounded by `max_inflight`.
    pub window: u16,
    /// Keep Alive with its multiplier in ms; 0 = none.
    pub keep_alive_ms: u32,
    /// The client's Maximum Packet Size; 0 = none.
    pub packet_size_max: u32,
    /// Its session.
    pub session: u32,
    /// The traces it belongs to, one bit each.
    pub traced: u64,
    /// Inbound QoS 1 packets not acknowledged yet because a ticket is open.
    pub gated: u32,
    /// Acknowledgements that wait for other nodes.
    pub behind_nodes: u32,
    /// Highest ticket that an acknowledgement of this connection waits for.
    pub gate_ticket: u64,
    /// When a packet came last (mono ms).
    pub heard_at_ms: u64,
    /// When the outbox began to wait for the peer (mono ms); 0 = it does not.
    pub blocked_since_ms: u64,
    /// Address, listener, zone.
    pub meta: Arc<ConnMeta>,
    /// Bytes to send.
    pub out: Outbox,
    /// Topic aliases of either direction.
    pub aliases: Option<Box<Aliases>>,
    /// Packets that wait for answers.
    pub deferred: Option<Box<Deferred>>,
    /// QoS 2 messages of a 3.x client above `mqtt.max_awaiting_rel`.
    pub waiting: Option<Box<Waiting>>,
    /// How fast it may send.
    pub limiter: Option<Box<Limiter>>,
    /// What authentication said of the client; none for most.
    pub access: Option<Box<ConnAccess>>,
    /// What it received and sent.
    pub traffic: Traffic,
}

impl Conn {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(meta: Arc<ConnMeta>, now_ms: u64) -> Self {
        let limiter = meta.rates.as_ref().and_then(|rates| Limiter::new(rates, now_ms));
        Self {
            state: ConnState::New,
            version: Version::V311,
            problem_information: true,
            is_dirty: false,
            is_held: false,
            is_announced: false,
            is_paused: false,
            is_congested: false,
            is_block_armed: false,
            is_superuser: false,
            is_authenticated: false,
            keep_alive_round: 0,
            awaiting_before: 0,
            window: 0,
            keep_alive_ms: 0,
            packet_size_max: 0,
            session: 0,
            traced: 0,
            gated: 0,
            behind_nodes: 0,
            gate_ticket: 0,
            heard_at_ms: now_ms,
            blocked_since_ms: 0,
            meta,
            out: Outbox::default(),
            aliases: None,
            deferred: None,
            waiting: None,
            limiter,
            access: None,
            traffic: Traffic::default(),
        }
    }
}

impl Conn {
    /// Whether it is not read because it sent faster than it may.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        self.limiter.as_ref().is_some_and(|limiter| limiter.is_waiting)
    }
}

/// What authentication granted a client besides being admitted.
#[derive(Debug, Default)]
pub struct Grant {
    /// Attributes, for rules and templates.
    pub attrs: Vec<(Box<str>, Box<str>)>,
    /// Rules of its own.
    pub acl: Option<RuleTable>,
    /// When its connection ends, ms since 1970.
    pub expire_at_ms: Option<u64>,
}

impl Grant {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attrs.is_empty() && self.acl.is_none() && self.expire_at_ms.is_none()
    }
}

/// What authentication said of a connected client, and what it said itself.
#[derive(Debug, Default)]
pub struct ConnAccess {
    /// What it was granted.
    pub grant: Grant,
    /// The Authentication Method of its CONNECT.
    pub method: Option<Box<str>>,
    /// It is authenticating again.
    pub exchange: Option<Exchange>,
    /// The user properties of its CONNECT, until rules were told that it is connected.
    pub user_properties: UserPropertiesBuf,
}

/// Where a re-authentication stands, MQTT-5.0 section 4.12.1.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// Number of the question that is open; none while the client's AUTH is awaited.
    pub asked: Option<u32>,
    /// AUTH packets of the client so far.
    pub steps: u8,
    /// When it has to be over (mono ms).
    pub deadline_ms: u64,
}

/// An admitted CONNECT on its way to the shard of the client identifier that authentication gave.
#[derive(Debug, Default)]
pub struct Handover(std::sync::Mutex<Option<Box<ConnectRequest>>>);

impl Handover {
    /// Packs a CONNECT.
    #[must_use]
    pub fn new(request: Box<ConnectRequest>) -> Self {
        Self(std::sync::Mutex::new(Some(request)))
    }

    /// Takes it out.
    #[must_use]
    pub fn take(&self) -> Option<Box<ConnectRequest>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// Most bytes of topic names that one connection may keep as inbound aliases.
pub const ALIAS_BYTES_MAX: usize = 1 << 20;
/// Most topics that get an outbound alias.
pub const ALIASES_OUT_MAX: u16 = 256;
/// Most bytes of them; publishers choose how long topics are. What has no place goes out whole.
pub const ALIAS_BYTES_OUT_MAX: usize = 16 << 10;

/// Topic aliases, MQTT-5.0 section 3.3.2.3.4.
#[derive(Debug, Default)]
pub struct Aliases {
    /// Set by the client.
    pub inbound: HashMap<u16, Box<str>>,
    /// Bytes of `inbound`.
    pub inbound_bytes: usize,
    /// Set by us.
    pub outbound: HashMap<Box<str>, u16>,
    /// Bytes of `outbound`.
    pub outbound_bytes: usize,
    /// Most we may set.
    pub outbound_max: u16,
}

/// A CONNECT, kept while somebody decides about it.
#[derive(Debug)]
pub struct ConnectRequest {
    /// Protocol version.
    pub version: Version,
    /// Client identifier (final).
    pub client_id: Arc<str>,
    /// Whether we made it up.
    pub is_assigned: bool,
    /// User name.
    pub username: Option<Arc<str>>,
    /// Clean Start.
    pub clean_start: bool,
    /// Keep Alive as sent.
    pub keep_alive_s: u16,
    /// Session Expiry Interval (3.x: from clean session), seconds.
    pub expiry_s: u32,
    /// Receive Maximum.
    pub receive_maximum: u16,
    /// Maximum Packet Size; 0 = none.
    pub packet_size_max: u32,
    /// Topic Alias Maximum.
    pub topic_alias_maximum: u16,
    /// Request Response Information.
    pub request_response_information: bool,
    /// Request Problem Information.
    pub request_problem_information: bool,
    /// The will and its delay; its topic is mounted when the client is admitted.
    pub will: Option<(Message, u32)>,
    /// Somebody was asked whether the client may publish its will.
    pub is_will_asked: bool,
    /// Authentication said that nothing is denied to this client.
    pub is_superuser: bool,
    /// Authentication was asked about this client and let it in.
    pub is_authenticated: bool,
    /// The publisher its messages carry.
    pub publisher: Arc<Publisher>,
    /// What authentication granted.
    pub grant: Grant,
    /// Authentication Method.
    pub method: Option<Box<str>>,
    /// Authentication Data for CONNACK.
    pub auth_data: Option<Box<[u8]>>,
    /// AUTH packets of the client so far.
    pub auth_steps: u8,
    /// Hooks were asked before what is configured.
    pub is_hook_asked: bool,
    /// The password, while hooks are asked.
    pub password: Option<Box<[u8]>>,
    /// The client's session as another node had it.
    pub copy: Option<Box<SessionCopy>>,
    /// User properties, when rules want to know of clients that connect.
    pub user_properties: UserPropertiesBuf,
}

/// What a client wants to do with a topic; a decision holds for exactly this.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// PUBLISH with this QoS and RETAIN flag.
    Publish(u8, bool),
    /// SUBSCRIBE with this QoS.
    Subscribe(u8),
}

/// Bytes of waiting packets above which a connection is not read.
const DEFERRED_BYTES_MAX: usize = 4 << 20;
/// Of a waiting packet beside what it holds.
const PACKET_BYTES: usize = 64;

/// Packets of a connection that wait for answers, in order of arrival.
#[derive(Debug, Default)]
pub struct Deferred {
    /// The CONNECT being decided.
    pub connect: Option<Box<ConnectRequest>>,
    /// Later packets.
    pub queue: VecDeque<DeferredPacket>,
    /// Bytes that those in `queue` hold.
    pub bytes: usize,
    /// Number of the latest question.
    pub asked: u32,
    /// Answers about topics, kept for a while.
    pub answers: AnswerCache,
    /// Its transport is gone: it ends so when what it sent before that is handled.
    pub ended_by: Option<CloseCause>,
}

impl Deferred {
    /// Keeps a packet behind the others.
    pub fn push(&mut self, packet: DeferredPacket) {
        self.bytes += packet.size();
        self.queue.push_back(packet);
    }

    /// Takes the first one.
    pub fn pop(&mut self) -> Option<DeferredPacket> {
        let packet = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(packet.size());
        Some(packet)
    }

    /// Whether no more of the client is to be read: there are `packets_max`, or they are large.
    #[must_use]
    pub fn is_full(&self, packets_max: usize) -> bool {
        self.queue.len() >= packets_max || self.bytes >= DEFERRED_BYTES_MAX
    }
}

/// A question about a topic that nobody has answered yet.
#[derive(Debug)]
pub struct OpenQuestion {
    /// The question.
    pub id: AskId,
    /// What the client wants to do.
    pub action: Action,
    /// With which topic.
    pub topic: Box<str>,
    /// Hooks are asked, which come after every source.
    pub is_of_hooks: bool,
}

/// One waiting packet.
#[derive(Debug)]
pub enum DeferredPacket {
    /// A PUBLISH that `message.publish` hooks look at.
    Publish {
        /// The question.
        id: AskId,
        /// The message.
        message: Arc<Message>,
        /// QoS.
        qos: QoS,
        /// Packet identifier.
        packet_id: u16,
        /// The answer.
        verdict: Option<Verdict>,
    },
    /// A packet whose topics are being authorized; it is handled anew when all are known.
    Authorize {
        /// Questions without an answer, with what they ask.
        open: Vec<OpenQuestion>,
        /// What was answered.
        known: Vec<((Action, Box<str>), bool)>,
        /// First byte of the fixed header.
        first: u8,
        /// The rest.
        body: Box<[u8]>,
    },
    /// A SUBSCRIBE or UNSUBSCRIBE that hooks look at; it is handled anew with what they say.
    Filters {
        /// The question.
        id: AskId,
        /// What was answered about its topics before.
        known: Vec<((Action, Box<str>), bool)>,
        /// The answer.
        verdict: Option<Verdict>,
        /// First byte of the fixed header.
        first: u8,
        /// The rest.
        body: Box<[u8]>,
    },
    /// A packet that only keeps its place.
    Raw {
        /// First byte of the fixed header.
        first: u8,
        /// The rest.
        body: Box<[u8]>,
    },
}

impl DeferredPacket {
    /// What it holds does not change while it waits.
    fn size(&self) -> usize {
        PACKET_BYTES
            + match self {
                Self::Publish { message, .. } => message.size(),
                Self::Authorize { body, .. }
                | Self::Filters { body, .. }
                | Self::Raw { body, .. } => body.len(),
            }
    }
}
