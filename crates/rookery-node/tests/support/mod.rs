//! A real node on a free port, and clients that speak raw packets. Nothing sleeps: reads have a
//! deadline, and conditions are asked for until they hold.
#![allow(dead_code)] // each test file uses its part

pub mod linked;
pub mod pki;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rookery_codec::{
    Ack, AckKind, Connect, Packet, Publish, QoS, Subscribe, SubscribeFiltersBuf,
    SubscriptionOptions, Version, decode, parse_header,
};
use rookery_core::config::{BrokerConfig, ZoneConfig};
use rookery_node::Node;
use rookery_node::api::{DurabilityConfig, ListenerConfig, NodeConfig, SyncPolicy};

/// Longest wait for anything; a machine that needs more fails the test.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A data directory that goes with the test.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rookery-test-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn config() -> BrokerConfig {
    let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
    BrokerConfig {
        node_name: "test@127.0.0.1".into(),
        zones: vec![zone],
        ..BrokerConfig::default()
    }
}

pub fn start(broker: BrokerConfig, workers: usize, dir: Option<&Path>) -> Node {
    start_on(broker, vec![ListenerConfig::default()], workers, dir)
}

/// A node with these listeners.
pub fn start_on(
    broker: BrokerConfig,
    listeners: Vec<ListenerConfig>,
    workers: usize,
    dir: Option<&Path>,
) -> Node {
    start_stored(broker, listeners, workers, dir, 0)
}

/// A node whose data directory may hold so many bytes; 0 = any.
pub fn start_with_quota(
    broker: BrokerConfig,
    workers: usize,
    dir: Option<&Path>,
    max_disk_bytes: u64,
) -> Node {
    start_stored(broker, vec![ListenerConfig::default()], workers, dir, max_disk_bytes)
}

fn start_stored(
    broker: BrokerConfig,
    listeners: Vec<ListenerConfig>,
    workers: usize,
    dir: Option<&Path>,
    max_disk_bytes: u64,
) -> Node {
    let durability =
        DurabilityConfig { dir: dir.map(Path::to_owned), sync: SyncPolicy::Never, max_disk_bytes };
    Node::start(NodeConfig { broker, listeners, workers, durability }).unwrap()
}

/// A counter or gauge of the node.
pub fn figure(node: &Node, name: &str) -> u64 {
    let all = node.stats().into_iter().chain(node.metrics());
    all.into_iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no figure {name}")).1
}

/// Asks until it is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// A client.
pub struct Client {
    pub stream: TcpStream,
    version: Version,
    buffer: Vec<u8>,
}

/// A packet with its bytes.
pub struct Frame {
    first: u8,
    body: Vec<u8>,
    version: Version,
}

impl Frame {
    pub fn packet(&self) -> Packet<'_> {
        decode(self.first, &self.body, self.version).unwrap()
    }
}

impl Client {
    /// A socket without CONNECT.
    pub fn raw(node: &Node) -> Self {
        Self::raw_at(node.listeners()[0].bind.clone())
    }

    pub fn raw_at(address: impl std::net::ToSocketAddrs) -> Self {
        Self::on(TcpStream::connect(address).unwrap())
    }

    /// A client on a socket that stands.
    pub fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let _ = stream.set_nodelay(true);
        Self { stream, version: Version::V311, buffer: Vec::new() }
    }

    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// An admitted client; whether the session was there.
    pub fn connect(node: &Node, connect: &Connect<'_>) -> (Self, bool) {
        Self::connect_at(node.listeners()[0].bind.clone(), connect)
    }

    fn connect_at(address: impl std::net::ToSocketAddrs, connect: &Connect<'_>) -> (Self, bool) {
        let mut client = Self::raw_at(address);
        let session_present = client.greet(connect);
        (client, session_present)
    }

    /// Sends CONNECT and is admitted; whether the session was there.
    pub fn greet(&mut self, connect: &Connect<'_>) -> bool {
        self.version = connect.version;
        self.send(|out| connect.encode(out));
        let frame = self.read().expect("CONNACK");
        let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert!(!ack.reason.is_error(), "{:?}", ack.reason);
        ack.session_present
    }

    /// A packet that is answered, to know that everything before it was handled.
    pub fn fence(&mut self) {
        self.send(rookery_codec::encode_pingreq);
        let frame = self.read().expect("PINGRESP");
        assert!(matches!(frame.packet(), Packet::PingResp), "{:?}", frame.packet());
    }

    pub fn new(node: &Node, version: Version, client_id: &str) -> Self {
        Self::connect(node, &Connect::new(version, client_id)).0
    }

    pub fn at(address: impl std::net::ToSocketAddrs, version: Version, client_id: &str) -> Self {
        Self::connect_at(address, &Connect::new(version, client_id)).0
    }

    /// Another handle for sending, for a thread.
    pub fn writer(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap(), version: self.version, buffer: Vec::new() }
    }

    pub fn send(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        encode(&mut out);
        self.stream.write_all(&out).unwrap();
    }

    /// The next packet; none when the broker closed.
    pub fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some(header) = parse_header(&self.buffer).unwrap()
                && self.buffer.len() >= header.total_len()
            {
                let rest = self.buffer.split_off(header.total_len());
                let body = std::mem::replace(&mut self.buffer, rest).split_off(header.header_len);
                return Some(Frame { first: header.first, body, version: self.version });
            }
            let mut bytes = [0; 65_536];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(n) => self.buffer.extend_from_slice(&bytes[..n]),
                Err(e)
                    if e.kind() == ErrorKind::ConnectionReset
                        || e.kind() == ErrorKind::BrokenPipe =>
                {
                    return None;
                }
                Err(e) => panic!("the broker is silent: {e}"),
            }
        }
    }

    /// Reads until the broker closes.
    pub fn expect_close(&mut self) {
        while self.read().is_some() {}
    }

    pub fn subscribe(&mut self, filters: &[String], qos: QoS) -> Vec<u8> {
        let mut wanted = SubscribeFiltersBuf::default();
        for filter in filters {
            wanted.push(filter, SubscriptionOptions { qos, ..SubscriptionOptions::default() });
        }
        let version = self.version;
        self.send(|out| Subscribe::new(1, &wanted).encode(version, out));
        let frame = self.read().expect("SUBACK");
        let Packet::SubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        ack.codes.to_vec()
    }

    pub fn publish(&mut self, topic: &str, qos: QoS, packet_id: u16, payload: &[u8]) {
        let publish = Publish { qos, topic, packet_id, payload, ..Publish::default() };
        let version = self.version;
        self.send(|out| publish.encode(version, out));
    }

    pub fn ack(&mut self, kind: AckKind, packet_id: u16) {
        let version = self.version;
        self.send(|out| Ack { packet_id, ..Ack::default() }.encode(kind, version, out));
    }
}
