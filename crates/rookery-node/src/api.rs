//! What a caller of a node sees: its settings, what it reports, what can go wrong.

use std::path::PathBuf;
use std::time::Duration;

use rookery_core::config::BrokerConfig;
use rookery_core::limiter::ClientRates;

pub use crate::bind::{Bind, Keepalive};

/// Kind of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Plain MQTT.
    Tcp,
    /// MQTT over WebSocket.
    WebSocket(WebSocketConfig),
}

/// `listeners.ws.<name>.websocket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// Request path.
    pub path: String,
    /// Sub-protocols taken.
    pub subprotocols: Vec<String>,
    /// Whether a request without a known sub-protocol is refused.
    pub require_subprotocol: bool,
    /// Largest frame in bytes; 0 = no bound of its own (the packet size bound holds).
    pub max_frame_size: usize,
    /// Whether permessage-deflate is agreed to.
    pub compress: bool,
    /// A WebSocket on which no byte came for this long is closed; 0 = never. A ping is a byte.
    pub idle_timeout_ms: u64,
    /// Web pages that may connect; none = pages of any origin.
    pub check_origins: Option<Vec<String>>,
    /// With `check_origins`: whether a client without an Origin may connect.
    pub allow_origin_absence: bool,
    /// Where a trusted proxy names the client.
    pub proxy_address_header: String,
    /// Where a trusted proxy names the client's port.
    pub proxy_port_header: String,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            path: "/mqtt".into(),
            subprotocols: rookery_codec::ws::SUBPROTOCOLS.map(str::to_owned).into(),
            require_subprotocol: true,
            max_frame_size: 0,
            compress: false,
            idle_timeout_ms: 7_200_000,
            check_origins: None,
            allow_origin_absence: true,
            proxy_address_header: "x-forwarded-for".into(),
            proxy_port_header: "x-forwarded-port".into(),
        }
    }
}

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVerify {
    /// They are not.
    None,
    /// They are; one that is shown has to hold.
    Peer,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    V12,
    /// RFC 8446.
    V13,
}

/// A certificate for clients that ask for a name (RFC 6066 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SniCertificate {
    /// The name; `*.example.com` stands for one label.
    pub server_name: String,
    /// Chain, PEM, our certificate first.
    pub certfile: PathBuf,
    /// Its key, PEM.
    pub keyfile: PathBuf,
}

/// `listeners.ssl.<name>.ssl_options`.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// Chain, PEM, our certificate first.
    pub certfile: PathBuf,
    /// Its key, PEM: RSA, EC or Ed25519.
    pub keyfile: PathBuf,
    /// With `verify` = peer the CAs that sign clients' certificates, else the CA that signed ours.
    pub cacertfile: Option<PathBuf>,
    /// Opens encrypted keys.
    pub password: Option<String>,
    /// Whether clients are asked for a certificate.
    pub verify: TlsVerify,
    /// Whether a client without a certificate is refused.
    pub fail_if_no_peer_cert: bool,
    /// Most intermediate certificates between a client's and a CA of `cacertfile`; 6 at most.
    pub depth: u32,
    /// Versions offered.
    pub versions: Vec<TlsVersion>,
    /// Cipher suites offered, by IANA's or OpenSSL's names; empty = all.
    pub ciphers: Vec<String>,
    /// Revocation lists, PEM.
    pub crlfile: Option<PathBuf>,
    /// How long a handshake may take.
    pub handshake_timeout_ms: u64,
    /// More certificates, by the name that the client asks for.
    pub sni: Vec<SniCertificate>,
    /// Whether clients get tickets to come back with a shorter handshake.
    pub session_tickets: bool,
}

impl std::fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password is nobody's to log.
        f.debug_struct("TlsConfig")
            .field("certfile", &self.certfile)
            .field("keyfile", &self.keyfile)
            .finish_non_exhaustive()
    }
}

/// One listener.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenerConfig {
    /// `tcp:default`, `ws:default`.
    pub id: String,
    /// What it speaks.
    pub kind: ListenerKind,
    /// Where it listens.
    pub bind: Bind,
    /// Name of the zone.
    pub zone: String,
    /// Prefix of every topic.
    pub mountpoint: String,
    /// Most connections; 0 = no bound.
    pub max_connections: usize,
    /// Accept queue.
    pub backlog: i32,
    /// TCP_NODELAY.
    pub nodelay: bool,
    /// TCP keep-alive; none = off.
    pub keepalive: Option<Keepalive>,
    /// SO_RCVBUF in bytes; 0 = as the system has it.
    pub recv_buffer_bytes: usize,
    /// SO_SNDBUF in bytes; 0 = as the system has it.
    pub send_buffer_bytes: usize,
    /// Whether authentication is asked for; without it everybody is admitted.
    pub enable_authn: bool,
    /// A client without user name and certificate is refused before anybody is asked.
    pub quick_deny_anonymous: bool,
    /// Whose connections are taken, in order: `allow 10.0.0.0/8`, `deny all`.
    pub access_rules: Vec<String>,
    /// Every connection has to begin with a PROXY header of one of `trusted_proxies`.
    pub proxy_protocol: bool,
    /// How long the header may take.
    pub proxy_protocol_timeout_ms: u64,
    /// Balancers and proxies whose word about the client counts: addresses or networks. A UNIX
    /// socket counts as 127.0.0.1.
    pub trusted_proxies: Vec<String>,
    /// New connections per second; 0 = no bound. Those above it wait in the queue of the system.
    pub max_conn_rate: f64,
    /// New connections that may come at once; 0 = one second's worth.
    pub max_conn_burst: u32,
    /// PUBLISH packets per second and client; 0 = no bound. Above it reading waits.
    pub messages_rate: f64,
    /// PUBLISH packets that may come at once; 0 = one second's worth.
    pub messages_burst: u32,
    /// Bytes of packets per second and client; 0 = no bound. Above it reading waits.
    pub bytes_rate: f64,
    /// Bytes that may come at once; 0 = one second's worth.
    pub bytes_burst: u64,
    /// TLS; none = in the clear.
    pub tls: Option<TlsConfig>,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            id: "tcp:default".into(),
            kind: ListenerKind::Tcp,
            bind: Bind::Inet((std::net::Ipv4Addr::LOCALHOST, 0).into()),
            zone: "default".into(),
            mountpoint: String::new(),
            max_connections: 0,
            backlog: 1024,
            nodelay: true,
            keepalive: None,
            recv_buffer_bytes: 0,
            send_buffer_bytes: 0,
            enable_authn: true,
            quick_deny_anonymous: false,
            access_rules: vec!["allow all".into()],
            proxy_protocol: false,
            proxy_protocol_timeout_ms: 3000,
            trusted_proxies: Vec::new(),
            max_conn_rate: 0.0,
            max_conn_burst: 0,
            messages_rate: 0.0,
            messages_burst: 0,
            bytes_rate: 0.0,
            bytes_burst: 0,
            tls: None,
        }
    }
}

impl ListenerConfig {
    /// How fast each client may send; none = as fast as it likes.
    #[must_use]
    pub fn client_rates(&self) -> Option<ClientRates> {
        let rates = ClientRates {
            messages_rate: self.messages_rate,
            messages_burst: self.messages_burst,
            bytes_rate: self.bytes_rate,
            bytes_burst: self.bytes_burst,
        };
        rates.is_bounded().then_some(rates)
    }

    /// `tcp`, `ssl`, `ws` or `wss`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match (&self.kind, &self.tls) {
            (ListenerKind::Tcp, None) => "tcp",
            (ListenerKind::Tcp, Some(_)) => "ssl",
            (ListenerKind::WebSocket(_), None) => "ws",
            (ListenerKind::WebSocket(_), Some(_)) => "wss",
        }
    }
}

/// When the log is forced to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before each acknowledgement.
    Always,
    /// In the background, this often.
    Interval(Duration),
    /// When the operating system likes.
    Never,
}

/// `durability.*`.
#[derive(Clone, Debug)]
pub struct DurabilityConfig {
    /// Where the log lies; none = nothing survives (embedded test brokers).
    pub dir: Option<PathBuf>,
    /// Sync policy.
    pub sync: SyncPolicy,
    /// Disk quota in bytes; 0 = none.
    pub max_disk_bytes: u64,
}

/// A node's settings.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Settings of the broker core.
    pub broker: BrokerConfig,
    /// Listeners, in order.
    pub listeners: Vec<ListenerConfig>,
    /// Worker threads; 0 = one per core.
    pub workers: usize,
    /// Durable storage.
    pub durability: DurabilityConfig,
}

/// A listener that stands, or that should.
#[derive(Clone, Debug)]
pub struct ListenerInfo {
    /// Its id.
    pub id: String,
    /// Where it stands, with the port it got.
    pub bind: Bind,
    /// Connections now.
    pub connections: usize,
    /// Bound on them.
    pub max_connections: usize,
    /// `tcp`, `ssl`, `ws` or `wss`.
    pub kind: &'static str,
    /// Why it does not stand.
    pub error: Option<String>,
}

/// What became of a listener when the list of them was applied.
#[derive(Debug)]
pub enum ListenerOutcome {
    /// It stands as it stood.
    Unchanged,
    /// It is new.
    Started,
    /// It is gone, and its clients with it.
    Stopped,
    /// It stands anew; its clients were disconnected.
    Restarted,
    /// It goes on with other settings; nobody was disconnected.
    Changed,
    /// Nothing changed, for this reason.
    Failed(NodeError),
}

/// What became of the certificates of a listener when they were read again.
#[derive(Debug)]
pub enum CertificateOutcome {
    /// The files hold what they held.
    Unchanged,
    /// New handshakes use them.
    Taken,
    /// They are no good; the old ones stay in use.
    Failed(NodeError),
}

/// A certificate in the files of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// The listener.
    pub listener: String,
    /// The file.
    pub file: PathBuf,
    /// The setting that names it, below `ssl_options`.
    pub field: String,
    /// Distinguished name (RFC 4514).
    pub subject: String,
    /// End of its validity, seconds since 1970.
    pub not_after_unix_s: i64,
}

/// A message the management plane publishes.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// RETAIN.
    pub retain: bool,
    /// Encoded forwardable properties (MQTT-5.0 section 3.3.2.3); empty for none.
    pub properties: Vec<u8>,
    /// Message Expiry Interval in seconds.
    pub expiry_s: Option<u32>,
    /// Client identifier shown as publisher.
    pub client_id: String,
    /// `$SYS` message of the node itself.
    pub sys: bool,
}

/// What became of a [`PublishRequest`].
#[derive(Clone, Copy, Debug)]
pub struct PublishOutcome {
    /// The message's identity.
    pub id: u128,
    /// Sessions it went to.
    pub matched: usize,
}

/// What a node found in its data directory.
#[derive(Clone, Debug, Default)]
pub struct RecoveryInfo {
    /// Sessions.
    pub sessions: usize,
    /// Retained messages.
    pub retained: usize,
    /// Messages waiting for sessions.
    pub messages: usize,
    /// What was damaged: one line each, for the log and an alarm.
    pub problems: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a node did not start or a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A listener's address is taken or not ours.
    #[error("listener {listener} cannot bind {bind}: {source}")]
    Bind {
        /// Which listener.
        listener: String,
        /// Which address.
        bind: Bind,
        /// Why.
        source: std::io::Error,
    },
    /// A file of a listener's TLS settings, or a setting about it, is no good.
    #[error("listener {listener} cannot use TLS: {}", in_one_line(field, file.as_deref(), detail))]
    Tls {
        /// Which listener.
        listener: String,
        /// The setting, below `ssl_options`.
        field: String,
        /// The file it names.
        file: Option<PathBuf>,
        /// What is wrong.
        detail: String,
    },
    /// There is no such listener.
    #[error("there is no listener {0}")]
    NoListener(String),
    /// A setting that only the core can judge (regular expression of a rewrite rule, zone name).
    #[error("{path}: {detail}")]
    Config {
        /// Path of the setting.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// A rule that cannot be used.
    #[error(transparent)]
    Rule(#[from] RuleProblem),
    /// There is no such rule.
    #[error("there is no rule {0:?}")]
    NoRule(String),
    /// The data directory cannot be used.
    #[error("data directory: {0}")]
    Store(String),
    /// A topic name or filter breaks a rule of MQTT.
    #[error("topic: {0}")]
    Topic(String),
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// As many lists as may be are being made, and none came to its end.
    #[error("too many lists of clients or messages are being made")]
    Busy,
    /// A worker has so much to do that it did not answer in time; it may do what was asked later.
    #[error("the node is too busy to answer in time")]
    Late,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {id:?}: {detail}")]
pub struct RuleProblem {
    /// The rule.
    pub id: String,
    /// Line and column in its SQL, from 1, when it is there.
    pub place: Option<(u32, u32)>,
    /// What is wrong.
    pub detail: String,
}

fn in_one_line(field: &str, file: Option<&std::path::Path>, detail: &str) -> String {
    match file {
        Some(file) => format!("{field} {}: {detail}", file.display()),
        None => format!("{field}: {detail}"),
    }
}
