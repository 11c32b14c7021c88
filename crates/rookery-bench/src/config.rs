//! What a run does: plain values, readable from JSON.

use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::packet::HEADER_BYTES;

/// Largest number of connections, windows and topics that a run may ask for.
const COUNT_MAX: u32 = 1 << 24;
/// Largest payload of an MQTT packet, less room for its topic.
const PAYLOAD_BYTES_MAX: usize = 268_000_000;

/// Shape of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Open `idle_connections`, hold them for `duration_s`.
    Conn,
    /// Connect, subscribe, disconnect, again and again on `publishers` slots.
    Churn,
    /// Connect, agree on TLS or WebSocket, close, again and again on `publishers` slots; no MQTT.
    Handshake,
    /// `publishers` publish; nobody of this run subscribes.
    Pub,
    /// `subscribers` subscribe to everything under the topic prefix.
    Sub,
    /// `publishers` publishers, each with a subscriber of its own topic.
    Pairs,
    /// Every one of `subscribers` receives every one of `publishers`.
    Fanout,
    /// `publishers` publish to one shared subscription of `subscribers`.
    Shared,
}

/// Protocol version of every connection of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// MQTT 3.1.
    #[serde(rename = "3.1")]
    V31,
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
    /// MQTT 5.0.
    #[serde(rename = "5")]
    V5,
}

/// Version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    /// The highest that both sides know.
    #[serde(rename = "any")]
    Any,
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V13,
}

/// Everything a run needs to know; absent JSON keys take the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BenchConfig {
    /// Shape of the load.
    pub mode: Mode,
    /// Brokers as `host:port`; connections take them in turn.
    pub addresses: Vec<String>,
    /// Local addresses to connect from, in turn; empty lets the system choose.
    pub source_addresses: Vec<std::net::IpAddr>,
    /// Connections are TLS.
    pub tls: bool,
    /// File of CA certificates (PEM) that the broker's certificate must lead to.
    pub tls_ca_file: Option<String>,
    /// Client certificate chain (PEM).
    pub tls_cert_file: Option<String>,
    /// Its private key (PEM); absent: in `tls_cert_file`.
    pub tls_key_file: Option<String>,
    /// Takes any certificate of the broker.
    pub tls_insecure: bool,
    /// Name that the broker's certificate must bear; empty: the host of the address.
    pub tls_server_name: String,
    /// Version of TLS.
    pub tls_version: TlsVersion,
    /// Resumes sessions (tickets); otherwise every handshake is a full one.
    pub tls_session_tickets: bool,
    /// MQTT is carried over WebSocket, every packet in a frame of its own.
    pub websocket: bool,
    /// Path of the WebSocket request.
    pub websocket_path: String,
    /// Protocol version.
    pub protocol: ProtocolVersion,
    /// First part of every client id; empty makes one that is new for each process.
    pub client_id_prefix: String,
    /// User name of every connection; `%i` becomes the connection's number.
    pub username: Option<String>,
    /// Password of every connection; `%i` as in the user name.
    pub password: Option<String>,
    /// Clean Start, or Clean Session before MQTT 5.
    pub clean_start: bool,
    /// Session Expiry Interval (MQTT 5 only).
    pub session_expiry_interval_s: u32,
    /// Keep Alive; 0 turns it off.
    pub keep_alive_s: u16,
    /// Publishing connections; slots in mode churn.
    pub publishers: u32,
    /// Subscribing connections (modes sub, fanout, shared).
    pub subscribers: u32,
    /// Further connections that stay quiet.
    pub idle_connections: u32,
    /// Distinct subscriptions, matching nothing, spread over the quiet connections.
    pub idle_subscriptions: u32,
    /// New connections (cycles in modes churn and handshake) per second; 0 is as fast as the
    /// broker answers.
    pub connect_rate: f64,
    /// During set-up a connection that is refused or lost is tried again after so many seconds;
    /// 0 ends the run.
    pub retry_s: f64,
    /// In mode churn a refused CONNECT is counted instead of ending the run.
    pub tolerates_refusals: bool,
    /// QoS of publications and subscriptions.
    pub qos: u8,
    /// Bytes of each payload; the first 16 carry time and sequence number.
    pub payload_bytes: usize,
    /// Closed loop: messages outstanding per publisher.
    pub window: u32,
    /// Closed loop: part of the window that must be free before a publisher sends again.
    pub refill: u32,
    /// Closed loop, QoS 1 and 2: the window counts acknowledgements to the publisher, not deliveries.
    pub window_by_acknowledgement: bool,
    /// Open loop: messages per second over all publishers; 0 selects the closed loop.
    pub rate: f64,
    /// Messages to send in all (cycles in mode churn), then the run ends; 0 is no limit.
    pub messages: u64,
    /// Whether publications are retained.
    pub retain: bool,
    /// Open loop: never sleep between messages, so that the generator is on time to the microsecond.
    pub busy_poll: bool,
    /// Distinct topics over all publishers; 0 is one for each publisher.
    pub topics: u32,
    /// Subscribe `prefix/n/#` instead of each topic by name when there are several per publisher.
    pub subscribe_wildcard: bool,
    /// First level of every topic.
    pub topic_prefix: String,
    /// Share name of mode shared.
    pub share_name: String,
    /// Load before counting starts; none where a number of messages is to be sent, all of which count.
    pub warm_up_s: f64,
    /// Load that is counted; hold time in mode conn.
    pub duration_s: f64,
    /// Longest wait for messages under way when sending has stopped.
    pub drain_s: f64,
    /// Longest wait for all connections and subscriptions.
    pub set_up_timeout_s: f64,
    /// Process whose CPU and memory are sampled with the counters; 0 is none.
    pub watch_pid: u32,
}

impl Default for BenchConfig {
    fn default() -> Self {
        BenchConfig {
            mode: Mode::Pairs,
            addresses: vec!["127.0.0.1:1883".to_owned()],
            source_addresses: Vec::new(),
            tls: false,
            tls_ca_file: None,
            tls_cert_file: None,
            tls_key_file: None,
            tls_insecure: false,
            tls_server_name: String::new(),
            tls_version: TlsVersion::Any,
            tls_session_tickets: false,
            websocket: false,
            websocket_path: "/mqtt".to_owned(),
            protocol: ProtocolVersion::V311,
            client_id_prefix: String::new(),
            username: None,
            password: None,
            clean_start: true,
            session_expiry_interval_s: 0,
            keep_alive_s: 300,
            publishers: 1,
            subscribers: 0,
            idle_connections: 0,
            idle_subscriptions: 0,
            connect_rate: 0.0,
            retry_s: 0.0,
            tolerates_refusals: false,
            qos: 0,
            payload_bytes: 64,
            window: 16,
            refill: 1,
            window_by_acknowledgement: false,
            rate: 0.0,
            messages: 0,
            retain: false,
            busy_poll: false,
            topics: 0,
            subscribe_wildcard: false,
            topic_prefix: "bench".to_owned(),
            share_name: "bench".to_owned(),
            warm_up_s: 1.0,
            duration_s: 5.0,
            drain_s: 1.0,
            set_up_timeout_s: 60.0,
            watch_pid: 0,
        }
    }
}

impl BenchConfig {
    /// Reads a configuration from a JSON object.
    ///
    /// # Errors
    /// [`BenchError::Config`] for bad JSON, an unknown key or a bad value.
    pub fn from_json(text: &str) -> Result<BenchConfig, BenchError> {
        let config: BenchConfig =
            serde_json::from_str(text).map_err(|error| BenchError::Config(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that the values make a possible run.
    ///
    /// # Errors
    /// [`BenchError::Config`] names the first value that does not.
    pub fn validate(&self) -> Result<(), BenchError> {
        let refuse = |why: &str| Err(BenchError::Config(why.to_owned()));
        if self.addresses.is_empty() {
            return refuse("addresses: at least one host:port is needed");
        }
        if self.qos > 2 {
            return refuse("qos: 0, 1 or 2");
        }
        if !(HEADER_BYTES..=PAYLOAD_BYTES_MAX).contains(&self.payload_bytes) {
            return refuse("payload_bytes: 16 to 268000000 (16 carry time and sequence number)");
        }
        if self.password.is_some()
            && self.username.is_none()
            && self.protocol != ProtocolVersion::V5
        {
            // MQTT-3.1.1 [MQTT-3.1.2-22]
            return refuse("password: needs a username before MQTT 5");
        }
        let counts = [
            self.publishers,
            self.subscribers,
            self.idle_connections,
            self.idle_subscriptions,
            self.window,
            self.topics,
        ];
        if counts.iter().any(|count| *count > COUNT_MAX) {
            return refuse("counts: at most 16777216 each");
        }
        for (name, value) in [
            ("connect_rate", self.connect_rate),
            ("retry_s", self.retry_s),
            ("rate", self.rate),
            ("warm_up_s", self.warm_up_s),
            ("duration_s", self.duration_s),
            ("drain_s", self.drain_s),
            ("set_up_timeout_s", self.set_up_timeout_s),
        ] {
            if !value.is_finite() || !(0.0..=1e9).contains(&value) {
                return refuse(&format!("{name}: a number from 0 to 1e9"));
            }
        }
        if [&self.topic_prefix, &self.share_name]
            .iter()
            .any(|level| level.is_empty() || level.len() > 1024 || level.contains(['+', '#', '\0']))
        {
            return refuse("topic_prefix, share_name: 1 to 1024 bytes without + and #");
        }
        if self.idle_subscriptions > 0 && self.idle_connections == 0 {
            return refuse("idle_subscriptions: need idle_connections");
        }
        self.validate_transport()?;
        self.validate_mode()
    }

    fn validate_transport(&self) -> Result<(), BenchError> {
        let refuse = |why: &str| Err(BenchError::Config(why.to_owned()));
        let has_tls_keys = self.tls_ca_file.is_some()
            || self.tls_cert_file.is_some()
            || self.tls_key_file.is_some()
            || self.tls_insecure;
        if has_tls_keys && !self.tls {
            return refuse("tls: must be true for the other keys of TLS");
        }
        if self.tls && !self.tls_insecure && self.tls_ca_file.is_none() {
            return refuse("tls_ca_file: needed, unless tls_insecure takes any certificate");
        }
        if self.tls_key_file.is_some() && self.tls_cert_file.is_none() {
            return refuse("tls_cert_file: needed with tls_key_file");
        }
        if !self.websocket_path.starts_with('/')
            || self.websocket_path.len() > 1024
            || self.websocket_path.bytes().any(|byte| !byte.is_ascii_graphic())
        {
            return refuse("websocket_path: starts with / and holds no blanks");
        }
        Ok(())
    }

    fn validate_mode(&self) -> Result<(), BenchError> {
        let refuse = |why: &str| Err(BenchError::Config(why.to_owned()));
        let publishes = !matches!(self.mode, Mode::Conn | Mode::Sub);
        if publishes && self.publishers == 0 {
            return refuse("publishers: at least 1");
        }
        if publishes && self.rate == 0.0 && self.window == 0 {
            return refuse("window: at least 1 in the closed loop (rate = 0)");
        }
        if !(1..=self.window.max(1)).contains(&self.refill) {
            return refuse("refill: 1 to window");
        }
        match self.mode {
            Mode::Handshake if !self.tls && !self.websocket => {
                refuse("tls, websocket: mode handshake needs one of them")
            }
            Mode::Conn if self.idle_connections == 0 => {
                refuse("idle_connections: mode conn needs at least 1")
            }
            Mode::Sub | Mode::Fanout | Mode::Shared if self.subscribers == 0 => {
                refuse("subscribers: at least 1")
            }
            Mode::Pairs if self.subscribers != 0 && self.subscribers != self.publishers => {
                refuse("subscribers: mode pairs has one for each publisher; leave it out")
            }
            _ => Ok(()),
        }
    }

    /// Connections that receive.
    pub(crate) fn receiving(&self) -> u32 {
        match self.mode {
            Mode::Pairs => self.publishers,
            Mode::Sub | Mode::Fanout | Mode::Shared => self.subscribers,
            Mode::Conn | Mode::Churn | Mode::Handshake | Mode::Pub => 0,
        }
    }

    /// Connections that publish.
    pub(crate) fn publishing(&self) -> u32 {
        match self.mode {
            Mode::Pub | Mode::Pairs | Mode::Fanout | Mode::Shared => self.publishers,
            Mode::Conn | Mode::Churn | Mode::Handshake | Mode::Sub => 0,
        }
    }

    /// Whether acknowledgements of the broker, not deliveries, move the window on.
    pub(crate) fn counts_acknowledgements(&self) -> bool {
        self.receiving() == 0 || (self.window_by_acknowledgement && self.qos > 0)
    }

    /// Topics that each publisher uses in turn.
    pub(crate) fn topics_per_publisher(&self) -> u32 {
        (self.topics / self.publishers.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_round_trip_through_json() {
        let config = BenchConfig::default();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(BenchConfig::from_json(&text).unwrap(), config);
    }

    #[test]
    fn impossible_runs_are_refused_by_name() {
        let cases = [
            (r#"{"qos": 3}"#, "qos"),
            (r#"{"payload_bytes": 15}"#, "payload_bytes"),
            (r#"{"addresses": []}"#, "addresses"),
            (r#"{"windw": 1}"#, "windw"),
            (r#"{"window": 0}"#, "window"),
            (r#"{"mode": "fanout"}"#, "subscribers"),
            (r#"{"mode": "conn"}"#, "idle_connections"),
            (r#"{"publishers": 2, "subscribers": 3}"#, "subscribers"),
            (r#"{"password": "x"}"#, "password"),
            (r#"{"idle_subscriptions": 5}"#, "idle_subscriptions"),
            (r#"{"rate": -1}"#, "rate"),
            (r#"{"tls": true}"#, "tls_ca_file"),
            (r#"{"tls_insecure": true}"#, "tls"),
            (r#"{"tls": true, "tls_insecure": true, "tls_key_file": "k"}"#, "tls_cert_file"),
            (r#"{"websocket_path": "mqtt"}"#, "websocket_path"),
            (r#"{"mode": "handshake"}"#, "websocket"),
        ];
        for (text, word) in cases {
            let message = BenchConfig::from_json(text).unwrap_err().to_string();
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
