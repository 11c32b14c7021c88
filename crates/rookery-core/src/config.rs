//! What a shard is told about the node's settings: plain values, whole, replaced at once.
//!
//! Names follow EMQX 5 where a setting exists there; units stand last in the name.

use std::sync::Arc;

use rookery_codec::ReasonCode;

use crate::access::{
    AuthorizationConfig, Ban, FlappingConfig, LinkGate, LoginBackoffConfig, PeerCertField,
};

/// The strategy that picks one member of a shared subscription.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum SharedStrategy {
    /// One member after the other.
    #[default]
    RoundRobin,
    /// Any member.
    Random,
    /// The same member until it leaves.
    Sticky,
    /// A member on the publisher's shard (in a cluster: node) if there is one.
    Local,
    /// By the publisher's client id.
    HashClientId,
    /// By the topic name.
    HashTopic,
}

/// When the acknowledgement of a message leaves that a durable session wants.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Acknowledge {
    /// When it is in the store, and in that of the node that keeps the sessions as well.
    #[default]
    Durable,
    /// When every node that wants it has it in memory.
    Memory,
}

/// What becomes of such a message when the other node, or a node that wants it, does not confirm in time.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Unconfirmed {
    /// It is acknowledged for what this node has.
    #[default]
    KeepLocally,
    /// The publisher is told that nobody promises anything.
    Refuse,
}

/// `mqtt.*` of one zone.
#[derive(Clone, Debug)]
pub struct MqttConfig {
    /// Time to CONNECT after accept.
    pub idle_timeout_ms: u64,
    /// Largest packet taken from a client, whole, in bytes.
    pub max_packet_size: u32,
    /// Longest client identifier in bytes.
    pub max_clientid_len: usize,
    /// Most levels of a topic.
    pub max_topic_levels: usize,
    /// Topic Alias Maximum told to clients.
    pub max_topic_alias: u16,
    /// Highest QoS.
    pub max_qos_allowed: u8,
    /// Whether retained messages are taken.
    pub retain_available: bool,
    /// Whether wildcard filters are taken.
    pub wildcard_subscription: bool,
    /// Whether `$share` is taken.
    pub shared_subscription: bool,
    /// Whether `$exclusive` is taken.
    pub exclusive_subscription: bool,
    /// v3: do not send a client its own messages.
    pub ignore_loop_deliver: bool,
    /// Whether UTF-8 and other optional checks are strict.
    pub strict_mode: bool,
    /// Response Information told to clients that ask.
    pub response_information: String,
    /// Keep Alive forced on clients, seconds.
    pub server_keepalive_s: Option<u16>,
    /// A client is gone after keep alive times this.
    pub keepalive_multiplier: f64,
    /// The user name becomes the client identifier.
    pub use_username_as_clientid: bool,
    /// Session expiry of 3.x clients with clean session 0, seconds.
    pub session_expiry_interval_s: u32,
    /// Upper bound of what a v5 client may ask for, seconds.
    pub max_session_expiry_interval_s: u32,
    /// Message expiry forced on messages without one, seconds; 0 = none.
    pub message_expiry_interval_s: u32,
    /// Most QoS 2 packets waiting for PUBREL.
    pub max_awaiting_rel: usize,
    /// A QoS 2 packet not released after this is forgotten.
    pub await_rel_timeout_ms: u64,
    /// Whether QoS 0 messages are queued for an absent client.
    pub mqueue_store_qos0: bool,
    /// Most messages in a session's queue; 0 = no bound by count.
    pub max_mqueue_len: usize,
    /// Topics with a priority in the queue (higher first).
    pub mqueue_priorities: Vec<(String, u8)>,
    /// Whether topics without a priority come last (else first).
    pub mqueue_default_lowest: bool,
    /// In-flight window in both directions (Receive Maximum).
    pub max_inflight: u16,
    /// Most subscriptions of a session; 0 = no bound.
    pub max_subscriptions: usize,
    /// Deliver with the higher of subscription and message QoS.
    pub upgrade_qos: bool,
    /// Resend to a connected MQTT 3.x client after this; 0 = never.
    pub retry_interval_ms: u64,
    /// Client identifier made from these; empty = as sent. `${username}`, `${clientid}`, `${peerhost}`.
    pub clientid_override: String,
    /// The user name is taken from the client's certificate.
    pub peer_cert_as_username: PeerCertField,
    /// The client identifier is taken from the client's certificate.
    pub peer_cert_as_clientid: PeerCertField,
}

impl Default for MqttConfig {
    fn default() -> Self {
        Self {
            idle_timeout_ms: 15_000,
            max_packet_size: 1 << 20,
            max_clientid_len: 65_535,
            max_topic_levels: 128,
            max_topic_alias: 65_535,
            max_qos_allowed: 2,
            retain_available: true,
            wildcard_subscription: true,
            shared_subscription: true,
            exclusive_subscription: false,
            ignore_loop_deliver: false,
            strict_mode: false,
            response_information: String::new(),
            server_keepalive_s: None,
            keepalive_multiplier: 1.5,
            use_username_as_clientid: false,
            session_expiry_interval_s: 7200,
            max_session_expiry_interval_s: u32::MAX,
            message_expiry_interval_s: 0,
            max_awaiting_rel: 100,
            await_rel_timeout_ms: 300_000,
            mqueue_store_qos0: true,
            max_mqueue_len: 1000,
            mqueue_priorities: Vec::new(),
            mqueue_default_lowest: true,
            max_inflight: 32,
            max_subscriptions: 0,
            upgrade_qos: false,
            retry_interval_ms: 0,
            clientid_override: String::new(),
            peer_cert_as_username: PeerCertField::Disabled,
            peer_cert_as_clientid: PeerCertField::Disabled,
        }
    }
}

/// A named set of `mqtt.*` settings; listeners point at one.
#[derive(Clone, Debug, Default)]
pub struct ZoneConfig {
    /// The zone's name.
    pub name: String,
    /// Its settings, complete (global ones merged in).
    pub mqtt: MqttConfig,
}

/// `retainer.*`.
#[derive(Clone, Debug)]
pub struct RetainerConfig {
    /// Whether retained messages are kept at all.
    pub enable: bool,
    /// Expiry of retained messages that carry none, seconds; 0 = never.
    pub msg_expiry_interval_s: u32,
    /// Largest payload kept, bytes.
    pub max_payload_size: usize,
    /// Most retained messages; 0 = no bound.
    pub max_retained_messages: usize,
    /// Whether an empty retained message is not passed on.
    pub stop_publish_clear_msg: bool,
    /// Most bytes of retained messages; 0 = no bound.
    pub max_bytes: usize,
    /// How long an acknowledgement waits for other nodes of the cluster, ms; 0 = not at all.
    pub ack_timeout_ms: u32,
    /// How long deletions are remembered in a cluster, seconds.
    pub deletion_expiry_s: u32,
}

impl Default for RetainerConfig {
    fn default() -> Self {
        Self {
            enable: true,
            msg_expiry_interval_s: 0,
            max_payload_size: 1 << 20,
            max_retained_messages: 0,
            stop_publish_clear_msg: false,
            max_bytes: 0,
            ack_timeout_ms: 5000,
            deletion_expiry_s: 604_800,
        }
    }
}

/// `delayed.*`.
#[derive(Clone, Debug)]
pub struct DelayedConfig {
    /// Whether `$delayed/` is honoured.
    pub enable: bool,
    /// Most messages waiting; 0 = no bound.
    pub max_delayed_messages: usize,
}

impl Default for DelayedConfig {
    fn default() -> Self {
        Self { enable: true, max_delayed_messages: 0 }
    }
}

/// Which direction a topic rewrite rule is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum RewriteAction {
    /// Topic names of PUBLISH.
    Publish,
    /// Topic filters of SUBSCRIBE and UNSUBSCRIBE.
    Subscribe,
    /// Both.
    All,
}

/// One entry of `rewrite`.
#[derive(Clone, Debug)]
pub struct RewriteRule {
    /// Direction.
    pub action: RewriteAction,
    /// The rule applies to topics that match this filter.
    pub source_topic: String,
    /// Its groups are `$1` … in `dest_topic`; a topic that does not match stays as it is.
    pub re: String,
    /// The result; `${clientid}`, `${username}`, `$N`.
    pub dest_topic: String,
}

/// One entry of `auto_subscribe.topics`.
#[derive(Clone, Debug)]
pub struct AutoSubscribe {
    /// Topic filter with `${clientid}`, `${username}`, `${host}`, `${port}`.
    pub topic: String,
    /// Maximum QoS.
    pub qos: u8,
    /// Retain handling.
    pub rh: u8,
    /// Retain as published.
    pub rap: bool,
    /// No local.
    pub nl: bool,
}

/// Bounds on memory of the whole node, divided evenly among shards where kept per shard.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// A connection whose unsent bytes exceed this gets no further QoS 0 messages.
    pub outbox_high_water_bytes: usize,
    /// Unsent bytes of all connections; above it the mark of each falls to 64 KiB.
    pub outbox_total_bytes: usize,
    /// A connection that took no byte for this long while some wait is closed (`send_timeout`).
    pub send_timeout_ms: u64,
    /// Most connections that have not sent CONNECT.
    pub unauthenticated_connections: usize,
    /// Bytes buffered for connections that have not been accepted yet.
    pub unauthenticated_bytes: usize,
    /// Bytes of messages queued in memory for all sessions.
    pub queued_total_bytes: usize,
    /// Most packets of one connection that wait for answers of hooks.
    pub deferred_packets: usize,
    /// Most filters in one SUBSCRIBE or UNSUBSCRIBE.
    pub filters_per_packet: usize,
    /// Most user properties in one packet.
    pub user_properties: usize,
    /// Most sessions (connected or not); 0 = no bound.
    pub sessions: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            outbox_high_water_bytes: 1 << 20,
            outbox_total_bytes: 1 << 30,
            send_timeout_ms: 15_000,
            unauthenticated_connections: 8192,
            unauthenticated_bytes: 64 << 20,
            queued_total_bytes: 1 << 30,
            deferred_packets: 128,
            filters_per_packet: 20_000,
            user_properties: 1024,
            sessions: 0,
        }
    }
}

/// Who is admitted without a decision of Python.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Admission {
    /// Clients on a loopback TCP connection without forwarding marks; others are refused.
    #[default]
    LoopbackOnly,
    /// Everybody (`--lan`, tests, embedders that ask for it).
    Everyone,
    /// A hook decides.
    Ask,
}

/// Which hooks the core asks, because somebody registered for them.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct HookSwitches {
    /// `client.authenticate`, asked before what `admission` says.
    pub authenticate: bool,
    /// `client.authorize` of PUBLISH and SUBSCRIBE.
    pub authorize: bool,
    /// `message.publish`.
    pub publish: bool,
    /// Client connected/disconnected events go up.
    pub client_events: bool,
    /// Subscribed/unsubscribed events go up.
    pub subscription_events: bool,
    /// `client.connect` and `client.connack`.
    pub connect_events: bool,
    /// `session.created`, `.resumed`, `.discarded`, `.takenover`, `.terminated`.
    pub session_events: bool,
    /// `client.subscribe`.
    pub subscribe: bool,
    /// `client.unsubscribe`.
    pub unsubscribe: bool,
    /// `message.puback`.
    pub puback: bool,
    /// `message.delivered`.
    pub delivered: bool,
    /// `message.acked`.
    pub acked: bool,
    /// `message.dropped` and `delivery.dropped`.
    pub dropped: bool,
    /// What a question that is not answered in time means: admit (true) or deny.
    pub unanswered_allows: bool,
    /// Deadline of a question.
    pub deadline_ms: u64,
}

/// `sys_topics.sys_event_messages`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct NoticeConfig {
    /// `$SYS/brokers/<node>/clients/<id>/connected`.
    pub connected: bool,
    /// … `/disconnected`.
    pub disconnected: bool,
    /// … `/subscribed`.
    pub subscribed: bool,
    /// … `/unsubscribed`.
    pub unsubscribed: bool,
}

impl Default for NoticeConfig {
    fn default() -> Self {
        Self { connected: true, disconnected: true, subscribed: false, unsubscribed: false }
    }
}

/// Everything a shard needs to know.
#[derive(Clone, Debug, Default)]
pub struct BrokerConfig {
    /// `name@host`.
    pub node_name: Arc<str>,
    /// Zones; the first one is `default`.
    pub zones: Vec<ZoneConfig>,
    /// How shared subscriptions pick.
    pub shared_strategy: SharedStrategy,
    /// Retained messages.
    pub retainer: RetainerConfig,
    /// Delayed publish.
    pub delayed: DelayedConfig,
    /// Topic rewrite, first match decides.
    pub rewrite: Vec<RewriteRule>,
    /// Subscriptions made for every client after CONNECT.
    pub auto_subscribe: Vec<AutoSubscribe>,
    /// Bounds.
    pub limits: LimitsConfig,
    /// Who gets in.
    pub admission: Admission,
    /// Registered hooks.
    pub hooks: HookSwitches,
    /// Notices of clients.
    pub notices: NoticeConfig,
    /// Whether sessions, queues and retained messages are written to the store.
    pub durable: bool,
    /// What PUBACK and PUBREC promise.
    pub acknowledge: Acknowledge,
    /// And when that cannot be had.
    pub unconfirmed: Unconfirmed,
    /// Whether ordinary clients may read `$SYS/#`.
    pub sys_topics_open: bool,
    /// Who may publish and subscribe to what. Shared: compiled once for all shards.
    pub authorization: Arc<AuthorizationConfig>,
    /// Who may not connect. Shared as the rules are.
    pub bans: Arc<[Ban]>,
    /// Clients that come and go too often.
    pub flapping: FlappingConfig,
    /// Logins that fail too often.
    pub login_backoff: LoginBackoffConfig,
    /// Most connected clients of the node; 0 = no bound.
    pub max_connections: usize,
    /// Connected clients from which on [`crate::effects::UpEvent::Crowded`] tells so; 0 = never.
    pub crowded_from: usize,
    /// It is over when there are fewer.
    pub crowded_until: usize,
    /// Methods of enhanced authentication that Python answers.
    pub auth_methods: Vec<String>,
    /// What is looked at closer. Set on its own: other settings do not change it.
    pub observe: Arc<crate::observe::ObserveConfig>,
    /// Linked clusters. Set on their own, as that.
    pub links: LinkGate,
    /// Clients are to go to another node. Set on its own as well.
    pub redirect: Option<Arc<Redirect>>,
}

/// What clients are told that are not welcome here any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// Use another server, for a while (0x9C) or for good (0x9D).
    pub reason: ReasonCode,
    /// Server Reference of MQTT 5: where to go.
    pub server_reference: Option<Box<str>>,
}
