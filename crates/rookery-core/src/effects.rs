//! What a shard wants done: collected during a turn, carried out by the driver at its end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rookery_codec::ReasonCode;

use crate::ids::{ConnKey, SessionKey};
use crate::message::Message;
use crate::router::Matched;

pub use crate::nodes_message::{PledgeMessage, ReplicaMessage};

/// Who and where a transport connection is, known before CONNECT.
#[derive(Clone, Debug)]
pub struct ConnMeta {
    /// Address of the client, as the operating system or a trusted proxy header tells it.
    pub peer: SocketAddr,
    /// Address it connected to.
    pub local: SocketAddr,
    /// Listener id such as `tcp:default`.
    pub listener: Arc<str>,
    /// Index into `BrokerConfig::zones`.
    pub zone: u16,
    /// Prefix of every topic of this client; empty = none.
    pub mountpoint: Arc<str>,
    /// Loopback TCP without proxy header, forwarded header or the `Origin` of a page; a UNIX socket.
    pub is_local: bool,
    /// Whether authentication is asked for; without it everybody is admitted.
    pub enable_authn: bool,
    /// A client without user name and certificate is refused before anybody is asked.
    pub quick_deny_anonymous: bool,
    /// How fast the client may send; none = as fast as it likes.
    pub rates: Option<Arc<crate::limiter::ClientRates>>,
    /// The client's certificate, as TLS or a trusted PROXY header tells it.
    pub cert: Option<Arc<PeerCertificate>>,
    /// It comes from another shard, admitted already.
    pub handover: Option<Arc<crate::conn::Handover>>,
}

impl ConnMeta {
    /// Stands for an address that is not known: that of a session whose record an older version wrote.
    pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

    /// Address of the client, if it is known.
    #[must_use]
    pub fn known_peer(&self) -> Option<SocketAddr> {
        Some(self.peer).filter(|peer| *peer != Self::NOWHERE)
    }

    /// Address it connected to, if it is known.
    #[must_use]
    pub fn known_local(&self) -> Option<SocketAddr> {
        Some(self.local).filter(|local| *local != Self::NOWHERE)
    }
}

/// A client's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Common Name of its subject.
    pub common_name: Option<Box<str>>,
    /// Its subject.
    pub subject_dn: Option<Box<str>>,
    /// The certificate; forgotten once the client is admitted, absent when a proxy tells of it.
    pub der: Option<Box<[u8]>>,
    /// A PROXY header told it: whoever wrote that header has verified it.
    pub from_proxy: bool,
}

/// Why a connection ended. Shown to users as EMQX's `reason`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CloseCause {
    /// DISCONNECT from the client.
    Normal,
    /// The peer closed the socket.
    TcpClosed,
    /// A socket error.
    TcpError,
    /// Nothing heard for the keep alive.
    KeepaliveTimeout,
    /// No CONNECT in time.
    IdleTimeout,
    /// Another connection took the session.
    TakenOver,
    /// Another connection discarded the session.
    Discarded,
    /// An administrator ended it.
    Kicked,
    /// It was sent to another node.
    Moved,
    /// CONNECT was refused.
    NotAuthorized,
    /// It did what it may not, and `authorization.deny_action` is `disconnect`.
    DeniedAction,
    /// It is banned.
    Banned,
    /// What its authentication granted is over.
    Expired,
    /// The client broke the protocol; the reason code says how.
    Protocol(ReasonCode),
    /// It took no bytes for `send_timeout`.
    SendTimeout,
    /// The node is stopping.
    ServerShutdown,
    /// The node has no room.
    Overload,
    /// Its listener was stopped or restarted.
    ListenerStopped,
    /// The certificate it came with is revoked or signed by nobody trusted any more.
    CertificateRevoked,
}

impl CloseCause {
    /// EMQX's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::TcpClosed => "tcp_closed",
            Self::TcpError => "tcp_error",
            Self::KeepaliveTimeout => "keepalive_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TakenOver => "takenover",
            Self::Discarded => "discarded",
            Self::Kicked => "kicked",
            Self::Moved => "use_another_server",
            Self::NotAuthorized => "not_authorized",
            Self::DeniedAction => "not_authorized",
            Self::Banned => "banned",
            Self::Expired => "expired",
            Self::Protocol(code) => code.name(),
            Self::SendTimeout => "send_timeout",
            Self::ServerShutdown => "server_shutting_down",
            Self::Overload => "overload",
            Self::ListenerStopped => "listener_stopped",
            Self::CertificateRevoked => "certificate_revoked",
        }
    }
}

impl CloseCause {
    /// The inverse of [`CloseCause::name`], as far as names tell.
    #[must_use]
    pub fn by_name(name: &str) -> Self {
        const NAMED: [CloseCause; 18] = [
            CloseCause::Normal,
            CloseCause::TcpClosed,
            CloseCause::TcpError,
            CloseCause::KeepaliveTimeout,
            CloseCause::IdleTimeout,
            CloseCause::TakenOver,
            CloseCause::Discarded,
            CloseCause::Kicked,
            CloseCause::Moved,
            CloseCause::NotAuthorized,
            CloseCause::Banned,
            CloseCause::Expired,
            CloseCause::SendTimeout,
            CloseCause::ServerShutdown,
            CloseCause::Overload,
            CloseCause::ListenerStopped,
            CloseCause::CertificateRevoked,
            CloseCause::DeniedAction,
        ];
        let named = NAMED.into_iter().find(|cause| cause.name() == name);
        named.unwrap_or_else(|| {
            let code = (0..=u8::MAX).map(ReasonCode).find(|code| code.name() == name);
            Self::Protocol(code.unwrap_or(ReasonCode::UNSPECIFIED_ERROR))
        })
    }
}

/// A client as management and hooks see it.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Client identifier.
    pub client_id: Arc<str>,
    /// User name.
    pub username: Option<Arc<str>>,
    /// Whether a connection stands.
    pub connected: bool,
    /// Its address, if it is known.
    pub peer: Option<SocketAddr>,
    /// Its listener.
    pub listener: Option<Arc<str>>,
    /// 3, 4 or 5.
    pub proto_ver: u8,
    /// Keep alive in seconds, if it is known.
    pub keepalive_s: Option<u16>,
    /// Clean Start as sent, if it is known.
    pub clean_start: Option<bool>,
    /// Session expiry interval in seconds.
    pub expiry_interval_s: u32,
    /// When the session was made, ms since 1970.
    pub created_at_ms: u64,
    /// When the latest connection was made; 0 when that is not known.
    pub connected_at_ms: u64,
    /// When it was lost; 0 while connected.
    pub disconnected_at_ms: u64,
    /// Rises with every connect of this client identifier on this node: orders notices.
    pub generation: u64,
    /// Subscriptions.
    pub subscriptions: u32,
    /// Messages in flight to the client.
    pub inflight: u32,
    /// Messages queued.
    pub mqueue: u32,
    /// Messages dropped from the queue.
    pub mqueue_dropped: u64,
    /// QoS 2 packets waiting for PUBREL.
    pub awaiting_rel: u32,
    /// Whether the session is on disk.
    pub durable: bool,
    /// Its certificate.
    pub cert: Option<Arc<PeerCertificate>>,
    /// Attributes that authentication gave it.
    pub client_attrs: Vec<(Box<str>, Box<str>)>,
    /// Authentication said that nothing is denied to it.
    pub is_superuser: bool,
    /// The zone of its listener, while that is known.
    pub zone: Option<Arc<str>>,
    /// What stands before every topic of it.
    pub mountpoint: Arc<str>,
}

/// Where a shared subscription's message came from, to pick another member later.
pub type SharedOrigin = Option<Arc<crate::router::SharedGroup>>;

/// What shards and the node tell each other. Values only, no borrowed data.
#[derive(Debug)]
pub enum ShardMessage {
    /// Deliver to a range of the match result's targets, all of the receiving shard.
    Deliver {
        /// The message.
        message: Arc<Message>,
        /// The match result made where it was published.
        matched: Arc<Matched>,
        /// First and one past the last target.
        range: (u32, u32),
    },
    /// Deliver to one member of a shared group, chosen by the sender.
    DeliverShared {
        /// The message.
        message: Arc<Message>,
        /// The member.
        member: crate::router::Subscriber,
        /// Its group.
        group: Arc<crate::router::SharedGroup>,
    },
    /// The store may still refuse the message of this number, which comes next.
    Unstored(u64),
    /// The store has taken such messages, or refused them.
    Settled {
        /// Their numbers.
        seqs: Box<[u64]>,
        /// It took them.
        is_stored: bool,
    },
    /// A message of another node: for those who subscribed here, and nobody else.
    FromNode {
        /// The message.
        message: Arc<Message>,
        /// Share name and topic filter if one member of a shared subscription gets it.
        group: Option<Box<(Box<str>, Box<str>)>>,
    },
    /// Other nodes have taken what was sent to them up to this turn.
    NodesTook(u64),
    /// About retained messages that all nodes of the cluster have.
    Replica(Box<ReplicaMessage>),
    /// A session moves between nodes.
    Move(Box<crate::moving::Move>),
    /// To another node: a message for a session that lives there by now.
    Following(Box<crate::moving::Following>),
    /// From another node: the same.
    Follow {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Box<crate::moving::copy::CopiedMessage>,
    },
    /// About wills and delayed messages that another node may have to publish.
    Pledge(Box<PledgeMessage>),
    /// About sessions that two nodes keep.
    Shadow(Box<crate::shadow::ShadowMessage>),
    /// Somebody answered a question.
    Answer(Answer),
    /// An order of the management plane.
    Command(Command),
    /// New settings.
    Config(Arc<crate::config::BrokerConfig>),
    /// Other rules.
    Rules(Arc<crate::rules::RuleSet>),
}

impl ShardMessage {
    /// Bytes that wait with it, about: a message counts for each shard it is sent to.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let message = match self {
            Self::Deliver { message, .. }
            | Self::DeliverShared { message, .. }
            | Self::FromNode { message, .. } => message.size(),
            Self::Command(Command::Publish { message, .. }) => message.size(),
            Self::Answer(Answer { verdict: Verdict::Replace(message), .. }) => message.size(),
            Self::Move(step) => step.step.bytes(),
            Self::Following(following) => following.item.size(),
            Self::Follow { message, .. } => message.message.as_ref().map_or(0, |m| m.size()),
            Self::Answer(_)
            | Self::Command(_)
            | Self::Config(_)
            | Self::Rules(_)
            | Self::Unstored(_)
            | Self::NodesTook(_) => 0,
            Self::Settled { seqs, .. } => size_of_val(&**seqs),
            Self::Replica(message) => message.bytes(),
            Self::Pledge(message) => message.bytes(),
            Self::Shadow(message) => message.bytes(),
        };
        size_of::<Self>() + message
    }
}

/// A message that linked clusters want, each a copy.
#[derive(Debug)]
pub struct ForLinks {
    /// The message.
    pub message: Arc<Message>,
    /// The match result made where it was published.
    pub matched: Arc<Matched>,
    /// First and one past the last target: their slots are the numbers of the links.
    pub range: (u32, u32),
}

/// Number of a question; names the shard, the connection and the order.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct AskId {
    /// The shard that asks.
    pub shard: u16,
    /// The connection it asks for.
    pub conn: ConnKey,
    /// Rises per connection.
    pub number: u32,
}

/// A question that only Python (or another attached process) can answer.
#[derive(Clone, Debug)]
pub enum Question {
    /// `client.authenticate`.
    Authenticate {
        /// Hooks are asked that may leave the decision to what is configured
        /// ([`Verdict::Ignore`]), not the providers.
        is_first: bool,
        /// The client as CONNECT describes it.
        client: Box<ClientInfo>,
        /// Its password.
        password: Option<Box<[u8]>>,
        /// What else it showed.
        detail: AuthDetail,
    },
    /// The next step of enhanced authentication, MQTT-5.0 section 4.12.
    AuthContinue {
        /// The client.
        client: Box<ClientInfo>,
        /// What it showed.
        detail: AuthDetail,
    },
    /// `client.authorize`.
    Authorize {
        /// The source that was reached; none = no source fitted.
        source: Option<Box<str>>,
        /// All that is known of the client.
        client: Box<ClientInfo>,
        /// The client.
        client_id: Arc<str>,
        /// Its user name.
        username: Option<Arc<str>>,
        /// PUBLISH (true) or SUBSCRIBE.
        publish: bool,
        /// Topic name or filter.
        topic: Box<str>,
        /// QoS asked for.
        qos: u8,
        /// Retain flag of a PUBLISH.
        retain: bool,
    },
    /// `message.publish`.
    Publish {
        /// The message as received.
        message: Arc<Message>,
    },
    /// `client.subscribe`.
    Subscribe {
        /// The client.
        client_id: Arc<str>,
        /// What it wants, as it wrote it.
        wanted: Vec<SubscriptionInfo>,
    },
    /// `client.unsubscribe`.
    Unsubscribe {
        /// The client.
        client_id: Arc<str>,
        /// Topic Filters as it wrote them.
        filters: Vec<Box<str>>,
    },
}

/// What hooks say about one filter of a SUBSCRIBE or UNSUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterVerdict {
    /// This one, in the place of the client's; of UNSUBSCRIBE only the Topic Filter counts.
    Take(SubscriptionInfo),
    /// None: its place gets this reason code.
    Refuse(ReasonCode),
}

/// What a client shows to be admitted, besides user name and password.
#[derive(Clone, Default)]
pub struct AuthDetail {
    /// Port it connected to.
    pub local_port: u16,
    /// Its certificate.
    pub cert: Option<Arc<PeerCertificate>>,
    /// Authentication Method.
    pub method: Option<Box<str>>,
    /// Authentication Data.
    pub data: Option<Box<[u8]>>,
}

impl std::fmt::Debug for AuthDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthDetail").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub struct Answer {
    /// Which question.
    pub id: AskId,
    /// What was decided.
    pub verdict: Verdict,
}

/// What a hook decided.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// Go on as a superuser (authenticate only).
    AllowSuperuser,
    /// Refuse with this reason code.
    Deny(ReasonCode),
    /// Go on with this message instead (publish only).
    Replace(Arc<Message>),
    /// Take it, deliver to nobody (publish only).
    Drop,
    /// Go on with these filters, one in the place of each of the client's (subscribe and
    /// unsubscribe only).
    Filters(Vec<FilterVerdict>),
    /// Nobody has an opinion: what is configured decides.
    Ignore,
    /// Go on, with what authentication found out (authenticate only).
    Admit(Box<Admittance>),
    /// Ask the client for the next step (authenticate only).
    Continue {
        /// Authentication Data.
        data: Box<[u8]>,
        /// For people.
        reason_string: Option<Box<str>>,
    },
}

/// What authentication found out about a client.
#[derive(Debug, Clone, Default)]
pub struct Admittance {
    /// Nothing is denied to it.
    pub is_superuser: bool,
    /// Attributes, for rules and templates.
    pub client_attrs: Vec<(Box<str>, Box<str>)>,
    /// When its connection ends, ms since 1970.
    pub expire_at_ms: Option<u64>,
    /// Rules of its own, looked at before every source.
    pub acl: Option<Vec<crate::access::AclRule>>,
    /// The client identifier it gets instead of its own.
    pub client_id: Option<Box<str>>,
    /// Last Authentication Data.
    pub auth_data: Option<Box<[u8]>>,
}

/// Orders of the management plane; each is answered through its reply channel.
#[derive(Debug)]
pub enum Command {
    /// End a client's connection and session.
    Kick {
        /// Client identifier.
        client_id: Box<str>,
        /// Whether such a client was there.
        reply: std::sync::mpsc::Sender<bool>,
    },
    /// End a client's connection as `BrokerConfig::redirect` says; its session stays.
    Move {
        /// Client identifier.
        client_id: Box<str>,
        /// Whether it was connected.
        reply: std::sync::mpsc::Sender<bool>,
    },
    /// A page of clients in slot order.
    Clients {
        /// First slot to look at.
        from_slot: u32,
        /// Most rows.
        limit: usize,
        /// Rows and the slot to go on from.
        reply: std::sync::mpsc::Sender<(Vec<ClientInfo>, Option<u32>)>,
    },
    /// One client.
    Client {
        /// Client identifier.
        client_id: Box<str>,
        /// The row.
        reply: std::sync::mpsc::Sender<Option<ClientInfo>>,
    },
    /// A client's subscriptions: filter, QoS, no local, retain as published, retain handling.
    Subscriptions {
        /// Client identifier.
        client_id: Box<str>,
        /// The rows.
        reply: std::sync::mpsc::Sender<Option<Vec<SubscriptionInfo>>>,
    },
    /// What the rules say about a connected client.
    CheckAcl {
        /// Client identifier.
        client_id: Box<str>,
        /// What it would do.
        action: crate::conn::Action,
        /// Topic name or filter.
        topic: Box<str>,
        /// The decision; none when it is not connected.
        reply: std::sync::mpsc::Sender<Option<crate::access::Explanation>>,
    },
    /// Forget kept answers about a client, or about all.
    PurgeAclCache {
        /// Client identifier.
        client_id: Option<Box<str>>,
    },
    /// The slowest subscriptions.
    SlowSubs {
        /// They are forgotten with that.
        forget: bool,
        /// The rows.
        reply: std::sync::mpsc::Sender<Vec<crate::observe::SlowRow>>,
    },
    /// Something about one client or message.
    Operate(Box<crate::operation::Operation>),
    /// Publish for the node itself.
    Publish {
        /// The message; retain flag honoured.
        message: Box<Message>,
        /// Number of sessions that match, once the store has it.
        reply: Option<std::sync::mpsc::Sender<usize>>,
    },
    /// Run rules on an event that happened elsewhere, or on what a source brought in.
    Happen {
        /// What happened.
        what: Box<crate::rules::Happening>,
        /// Number of rules that had a result.
        reply: Option<std::sync::mpsc::Sender<usize>>,
    },
    /// Tell every client goodbye (0x8B) and close; wills of a graceful stop are not sent, they stay pending.
    Shutdown {
        /// Sent when every connection was told.
        reply: std::sync::mpsc::Sender<()>,
    },
}

/// One subscription of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionInfo {
    /// As the client wrote it, `$share/…` included.
    pub topic: Box<str>,
    /// Granted QoS.
    pub qos: u8,
    /// No local.
    pub nl: bool,
    /// Retain as published.
    pub rap: bool,
    /// Retain handling.
    pub rh: u8,
}

/// What became of a session.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SessionEvent {
    /// It was made.
    Created,
    /// A client came back to it.
    Resumed,
    /// A connection with Clean Start ended it.
    Discarded,
    /// Another connection of the same client took it.
    TakenOver,
    /// It is gone.
    Terminated,
}

/// What goes up to the management plane, in batches.
#[derive(Clone, Debug)]
pub enum UpEvent {
    /// A CONNECT was read (`client.connect`).
    Connect(Box<ClientInfo>),
    /// A CONNACK was sent (`client.connack`).
    ConnAck {
        /// Client identifier, as far as known.
        client_id: Box<str>,
        /// Its address.
        peer: SocketAddr,
        /// Its listener.
        listener: Arc<str>,
        /// What it says.
        reason: ReasonCode,
    },
    /// Something became of a session.
    Session(SessionEvent, Box<ClientInfo>),
    /// A PUBLISH of QoS 1 gets its PUBACK (`message.puback`).
    PubAck {
        /// The publisher.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
        /// What PUBACK says.
        reason: ReasonCode,
    },
    /// A message was sent to a client (`message.delivered`).
    Delivered {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
        /// QoS it was sent with.
        qos: u8,
    },
    /// A client acknowledged a message (`message.acked`).
    Acked {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
    },
    /// A message went to nobody (`message.dropped`).
    Dropped {
        /// The message.
        message: Arc<Message>,
        /// Why, EMQX's word.
        reason: &'static str,
    },
    /// A message for one client was dropped (`delivery.dropped`).
    DeliveryDropped {
        /// The client.
        client_id: Arc<str>,
        /// The message.
        message: Arc<Message>,
        /// Why, EMQX's word.
        reason: &'static str,
    },
    /// A client was admitted (after CONNACK success).
    Connected(Box<ClientInfo>),
    /// An admitted client is gone.
    Disconnected(Box<ClientInfo>, CloseCause),
    /// A CONNECT was refused or a connection ended before it.
    Refused {
        /// Its address.
        peer: SocketAddr,
        /// Its listener.
        listener: Arc<str>,
        /// Client identifier, as far as known.
        client_id: Box<str>,
        /// Why.
        cause: CloseCause,
        /// What to do about it or where the protocol was broken.
        detail: &'static str,
    },
    /// A client came and went more often than `flapping_detect` takes.
    Flapping {
        /// Client identifier.
        client_id: Arc<str>,
        /// User name.
        username: Option<Arc<str>>,
        /// Its address.
        peer: SocketAddr,
    },
    /// The node has nearly as many clients as it may, or no longer.
    Crowded {
        /// Number of this turn, odd when it begins: those of several shards may come out of order.
        turn: u64,
        /// Connected clients.
        connected: usize,
        /// Most that may be.
        max: usize,
    },
    /// A subscription was made.
    Subscribed(Arc<str>, SubscriptionInfo),
    /// A subscription was ended.
    Unsubscribed(Arc<str>, Box<str>),
    /// A message for an in-process subscriber.
    Delivery {
        /// Its slot (given by `Node::subscribe`).
        slot: u32,
        /// The message.
        message: Arc<Message>,
        /// Granted QoS.
        qos: u8,
    },
    /// A question.
    Ask(AskId, Question),
    /// The certificates of a listener were read again.
    Certificates {
        /// The listener.
        listener: Arc<str>,
        /// Whether the new ones are in use; if not, the old ones stay.
        is_taken: bool,
        /// One line: what was found, or what is wrong with which file.
        detail: Box<str>,
    },
    /// Something happened to what is traced.
    Trace(Box<crate::observe::TraceEvent>),
    /// A span ended.
    Span(Box<crate::observe::SpanEvent>),
    /// A line for the log: level (EMQX's words) and text.
    Log(LogLevel, Box<str>),
    /// The store begins to refuse what needs room in it, or takes it again. Told once each.
    Store {
        /// Whether it takes writes from now on.
        accepts: bool,
        /// Why it does not; empty when it does.
        detail: Box<str>,
    },
}

impl UpEvent {
    /// Sets when it happened, where that is told to the microsecond.
    pub fn set_time(&mut self, unix_us: u64) {
        match self {
            Self::Trace(event) => event.at_us = unix_us,
            Self::Span(event) => event.end_us = unix_us,
            _ => {}
        }
    }
}

/// Level of a log line.
#[derive(Copy, Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Ordinary life.
    Info,
    /// Something an operator should see.
    Warning,
    /// Something failed.
    Error,
}

/// The effects of one turn.
#[derive(Debug, Default)]
pub struct Effects {
    /// Connections whose outbox gained bytes.
    pub dirty: Vec<ConnKey>,
    /// Connections to close: after flushing what the outbox holds (true) or at once.
    pub close: Vec<(ConnKey, bool)>,
    /// Connections to hand to another shard with all bytes not consumed.
    pub migrate: Vec<(ConnKey, u16)>,
    /// Connections whose reading may go on after it was held back.
    pub resume: Vec<ConnKey>,
    /// Messages to other shards, by index; the last entry is the management plane's inbox.
    pub to_shards: Vec<Vec<ShardMessage>>,
    /// Messages to other nodes of the cluster.
    pub to_nodes: Vec<ShardMessage>,
    /// Messages to linked clusters.
    pub to_links: Vec<ForLinks>,
    /// Durable writes of this turn.
    pub store_ops: Vec<crate::store_port::Op>,
    /// What the node that keeps this one's sessions is shown before them.
    pub shown: Vec<crate::shadow::Shown>,
    /// Bodies of durable messages wanted: session, log numbers.
    pub store_reads: Vec<(SessionKey, Vec<u64>)>,
    /// Events.
    pub up: Vec<UpEvent>,
    /// What rules have for actions on connectors.
    pub(crate) actions: Vec<crate::rules::run::ForAction>,
}
