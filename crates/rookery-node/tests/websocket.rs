//! WebSocket listeners: what a request gets, whom it is taken for, compression, frames in pieces.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../../rookery-codec/tests/support/masked.rs"]
mod masked;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use masked::masked;
use rookery_codec::ws::Deflater;
use rookery_codec::{Connect, Packet, Publish, QoS, Version, decode, parse_header};
use rookery_core::config::{Admission, BrokerConfig};
use rookery_node::Node;
use rookery_node::api::{ListenerConfig, ListenerKind, WebSocketConfig};
use support::{Client, DEADLINE, config, figure, start_on, until};

fn node_with(ws: WebSocketConfig, listener: ListenerConfig) -> Node {
    let broker = BrokerConfig { admission: Admission::Everyone, ..config() };
    let kind = ListenerKind::WebSocket(ws);
    let ws = ListenerConfig { id: "ws:default".into(), kind, ..listener };
    let tcp = ListenerConfig { id: "tcp:default".into(), ..ListenerConfig::default() };
    start_on(broker, vec![ws, tcp], 1, None)
}

fn plain() -> Node {
    node_with(WebSocketConfig::default(), ListenerConfig::default())
}

struct WebSocket {
    stream: TcpStream,
    /// The response of the handshake.
    head: String,
    /// Bytes behind it that were not looked at.
    rest: Vec<u8>,
    /// MQTT bytes that were not looked at.
    mqtt: Vec<u8>,
    /// Compressed messages that came.
    compressed: usize,
}

fn request(path: &str, fields: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: mqtt\r\n{fields}\r\n"
    )
}

impl WebSocket {
    /// Sends a request and reads the response, whatever it is.
    fn ask(node: &Node, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(node.listeners()[0].bind.clone()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        // A request that is refused early may not be taken to its end.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            let mut piece = [0; 4096];
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => break bytes.len(),
                Ok(n) => bytes.extend_from_slice(&piece[..n]),
            }
        };
        let rest = bytes.split_off(end);
        let head = String::from_utf8(bytes).unwrap();
        Self { stream, head, rest, mqtt: Vec::new(), compressed: 0 }
    }

    fn open(node: &Node, fields: &str) -> Self {
        let socket = Self::ask(node, request("/mqtt", fields).as_bytes());
        assert!(socket.head.starts_with("HTTP/1.1 101 "), "{}", socket.head);
        socket
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame: first byte and payload; none when the node closed.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let len = match self.rest.get(1) {
                Some(126) if self.rest.len() >= 4 => {
                    Some((4, usize::from(u16::from_be_bytes([self.rest[2], self.rest[3]]))))
                }
                Some(127) if self.rest.len() >= 10 => {
                    let len: [u8; 8] = self.rest[2..10].try_into().unwrap();
                    Some((10, usize::try_from(u64::from_be_bytes(len)).unwrap()))
                }
                Some(126 | 127) | None => None,
                Some(len) => Some((2, usize::from(*len))),
            };
            if let Some((skip, len)) = len.filter(|(skip, len)| self.rest.len() >= skip + len) {
                let rest = self.rest.split_off(skip + len);
                let frame = std::mem::replace(&mut self.rest, rest);
                return Some((frame[0], frame[skip..].to_vec()));
            }
            let mut piece = [0; 65_536];
            match self.stream.read(&mut piece) {
                Ok(0) => return None,
                Ok(n) => self.rest.extend_from_slice(&piece[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(e) => panic!("the node is silent: {e}"),
            }
        }
    }

    /// The next MQTT packet, whatever frames it comes in.
    fn packet(&mut self, check: impl FnOnce(&Packet<'_>)) {
        loop {
            if let Some(header) = parse_header(&self.mqtt).unwrap()
                && self.mqtt.len() >= header.total_len()
            {
                let rest = self.mqtt.split_off(header.total_len());
                let packet = std::mem::replace(&mut self.mqtt, rest);
                check(&decode(header.first, &packet[header.header_len..], Version::V311).unwrap());
                return;
            }
            let (first, payload) = self.frame().expect("a frame");
            match first {
                0x82 => self.mqtt.extend(payload),
                0xC2 => {
                    self.compressed += 1;
                    let mut decoder = rookery_codec::ws::Decoder::with_deflate(u64::MAX, 1 << 20);
                    let mut input = masked(first, &payload);
                    let taken = decoder.decode_into(&mut input, &mut self.mqtt, &mut Vec::new());
                    assert_eq!((taken.consumed, taken.end), (input.len(), None));
                }
                other => panic!("frame {other:#04x}"),
            }
        }
    }

    fn connect(&mut self, id: &str) {
        let mut bytes = Vec::new();
        Connect::new(Version::V311, id).encode(&mut bytes);
        self.send(&masked(0x82, &bytes));
        self.packet(|packet| assert!(matches!(packet, Packet::ConnAck(_)), "{packet:?}"));
    }

    fn subscribe(&mut self, filter: &str) {
        let mut bytes = vec![0x82, u8::try_from(filter.len() + 5).unwrap(), 0, 1, 0];
        bytes.push(u8::try_from(filter.len()).unwrap());
        bytes.extend(filter.as_bytes());
        bytes.push(0);
        self.send(&masked(0x82, &bytes));
        self.packet(|packet| assert!(matches!(packet, Packet::SubAck(_)), "{packet:?}"));
    }

    fn expect_close(&mut self) {
        while self.frame().is_some() {}
    }
}

fn publish(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Publish { topic: "t", payload, ..Publish::default() }.encode(Version::V311, &mut out);
    out
}

fn peer_of(node: &Node, client_id: &str) -> String {
    node.client(client_id).unwrap().unwrap().peer.unwrap().to_string()
}

#[test]
fn requests_that_are_no_handshake_are_told_what_is_wrong() {
    let node = plain();
    let get = request("/mqtt", "");
    let long = request("/mqtt", &format!("X-Long: {}\r\n", "x".repeat(9000)));
    let many: String = (0..80).map(|n| format!("X-{n}: y\r\n")).collect();
    let cases = [
        (request("/else", ""), 404),
        (get.replacen("GET", "POST", 1), 405),
        (get.replacen("Upgrade: websocket", "X-Other: y", 1), 426),
        (get.replacen("Version: 13", "Version: 8", 1), 426),
        (get.replacen("Protocol: mqtt", "Protocol: soap", 1), 400),
        (get.replacen("Host: x\r\n", "", 1), 400),
        ("\u{1}\u{2}\r\n\r\n".to_owned(), 400),
        (long, 431),
        (request("/mqtt", &many), 431),
    ];
    for (n, (text, status)) in cases.iter().enumerate() {
        let mut socket = WebSocket::ask(&node, text.as_bytes());
        assert_eq!(socket.status(), *status, "{text}");
        let mut body = Vec::new();
        let _ = socket.stream.read_to_end(&mut body);
        until("it is counted", || figure(&node, "websocket.handshake.refused") == n as u64 + 1);
    }
    WebSocket::open(&node, "").connect("after");
}

#[test]
fn the_client_is_whom_a_trusted_proxy_names() {
    let node = node_with(
        WebSocketConfig::default(),
        ListenerConfig {
            trusted_proxies: vec!["127.0.0.1".into(), "10.0.0.0/8".into()],
            access_rules: vec!["deny 203.0.113.66".into(), "allow all".into()],
            ..ListenerConfig::default()
        },
    );
    for (id, fields, want) in [
        ("one", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Port: 4711\r\n", "203.0.113.9:4711"),
        ("two", "X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.0.0.5\r\n", "203.0.113.9:"),
        ("none", "", "127.0.0.1:"),
    ] {
        let mut socket = WebSocket::open(&node, fields);
        socket.connect(id);
        let peer = peer_of(&node, id);
        assert!(peer.starts_with(want), "{id}: {peer}");
    }
    let refused =
        |fields: &str| WebSocket::ask(&node, request("/mqtt", fields).as_bytes()).status();
    assert_eq!(refused("X-Forwarded-For: 203.0.113.66\r\n"), 403);
    assert_eq!(refused("X-Forwarded-For: nonsense\r\n"), 400);
}

#[test]
fn others_may_say_what_they_like() {
    let node = plain();
    let mut socket = WebSocket::open(&node, "X-Forwarded-For: 203.0.113.9\r\n");
    socket.connect("c");
    assert!(peer_of(&node, "c").starts_with("127.0.0.1:"));
}

#[test]
fn pages_of_other_origins_are_refused() {
    let ws = WebSocketConfig {
        check_origins: Some(vec!["https://app.example.com".into()]),
        allow_origin_absence: false,
        ..WebSocketConfig::default()
    };
    let node = node_with(ws.clone(), ListenerConfig::default());
    let status = |node: &Node, fields: &str| {
        WebSocket::ask(node, request("/mqtt", fields).as_bytes()).status()
    };
    assert_eq!(status(&node, "Origin: https://app.example.com\r\n"), 101);
    assert_eq!(status(&node, "Origin: https://evil.example.com\r\n"), 403);
    assert_eq!(status(&node, ""), 403);
    let ws = WebSocketConfig { allow_origin_absence: true, ..ws };
    assert_eq!(status(&node_with(ws, ListenerConfig::default()), ""), 101);
}

#[test]
fn packets_and_frames_need_not_agree() {
    let node = plain();
    let mut receiver = Client::on(TcpStream::connect(node.listeners()[1].bind.clone()).unwrap());
    receiver.greet(&Connect::new(Version::V311, "receiver"));
    receiver.subscribe(&["t".to_owned()], QoS::AtMostOnce);
    let mut socket = WebSocket::open(&node, "");
    socket.connect("c");
    let packet = publish(b"in pieces");
    // One packet in frames of one byte, with a ping between them, byte by byte on the wire.
    let mut wire = Vec::new();
    for (n, byte) in packet.iter().enumerate() {
        let is_last = n + 1 == packet.len();
        let first = if n == 0 { 0x02 } else { 0x00 };
        wire.extend(masked(first | if is_last { 0x80 } else { 0 }, &[*byte]));
        if n == 3 {
            wire.extend(masked(0x89, b"?"));
        }
    }
    wire.chunks(1).for_each(|byte| socket.send(byte));
    assert_eq!(socket.frame(), Some((0x8A, b"?".to_vec())));
    // Many packets in one frame, many frames in one write.
    let many: Vec<u8> = (0..100).flat_map(|_| publish(b"together")).collect();
    socket.send(&masked(0x82, &many).repeat(3));
    for _ in 0..301 {
        assert!(matches!(receiver.read().unwrap().packet(), Packet::Publish(_)));
    }
    // A text frame ends it: MQTT-5.0 [MQTT-6.0.0-1].
    socket.send(&masked(0x81, b"text"));
    assert_eq!(socket.frame(), Some((0x88, vec![0x03, 0xEB])));
    socket.expect_close();
}

#[test]
fn a_close_frame_behind_packets_ends_the_connection_after_them() {
    for fields in ["", DEFLATE] {
        let node = compressing();
        let mut receiver =
            Client::on(TcpStream::connect(node.listeners()[1].bind.clone()).unwrap());
        receiver.greet(&Connect::new(Version::V311, "receiver"));
        receiver.subscribe(&["t".to_owned()], QoS::AtMostOnce);
        let mut socket = WebSocket::open(&node, fields);
        socket.connect("c");
        let last = masked(0x82, &publish(b"last words"));
        socket.send(&[last, masked(0x88, &[0x03, 0xE8])].concat());
        assert_eq!(socket.frame(), Some((0x88, vec![0x03, 0xE8])));
        socket.expect_close();
        assert!(matches!(receiver.read().unwrap().packet(), Packet::Publish(_)));
    }
}

#[test]
fn a_frame_above_the_limit_ends_the_connection() {
    let ws = WebSocketConfig { max_frame_size: 100, ..WebSocketConfig::default() };
    let node = node_with(ws, ListenerConfig::default());
    let mut socket = WebSocket::open(&node, "");
    socket.connect("c");
    socket.send(&masked(0x82, &publish(&[7; 90])[..]));
    socket.send(&masked(0x82, &[0xC0, 0]));
    socket.packet(|packet| assert!(matches!(packet, Packet::PingResp)));
    socket.send(&masked(0x82, &[0; 101])[..14]);
    assert_eq!(socket.frame(), Some((0x88, vec![0x03, 0xF1])));
    socket.expect_close();
}

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

fn compressing() -> Node {
    let ws = WebSocketConfig { compress: true, ..WebSocketConfig::default() };
    node_with(ws, ListenerConfig::default())
}

/// A masked frame of what a client compresses.
fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    Deflater::default().encode(payload, &mut frame);
    let skip = if frame[1] == 126 { 4 } else { 2 };
    masked(frame[0], &frame[skip..])
}

#[test]
fn messages_are_compressed_both_ways() {
    let node = compressing();
    let mut socket = WebSocket::open(&node, DEFLATE);
    assert!(socket.head.contains("server_no_context_takeover; client_no_context_takeover"));
    socket.connect("c");
    socket.subscribe("t");
    for payload in [vec![b'a'; 20_000], b"short".to_vec(), (0..=255).collect(), vec![b'b'; 200_000]]
    {
        // Messages of a client hold 32 KiB at most here, as its encoder has no bound of its own.
        publish(&payload).chunks(20_000).for_each(|part| socket.send(&compressed(part)));
        socket.packet(|packet| {
            let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
            assert!(publish.payload == payload);
        });
    }
    assert!(socket.compressed >= 2);
    // Two compressed packets in one message and one write with a plain one.
    let two = [publish(&[1; 300]), publish(&[2; 300])].concat();
    socket.send(&[compressed(&two), masked(0x82, &publish(b"plain")), compressed(&two)].concat());
    for _ in 0..5 {
        socket.packet(|packet| assert!(matches!(packet, Packet::Publish(_))));
    }
    // A client that did not ask for it gets none.
    let mut other = WebSocket::open(&node, "");
    assert!(!other.head.contains("Extensions"));
    other.connect("other");
    other.subscribe("t");
    socket.send(&compressed(&publish(&[b'a'; 5000])));
    other.packet(|packet| assert!(matches!(packet, Packet::Publish(_))));
    assert_eq!(other.compressed, 0);
}

#[test]
fn a_small_window_is_kept() {
    let node = compressing();
    let fields = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n";
    let mut socket = WebSocket::open(&node, fields);
    assert!(socket.head.contains("server_max_window_bits=9"));
    socket.connect("c");
    socket.subscribe("t");
    socket.send(&compressed(&publish(&[b'a'; 20_000])));
    socket.packet(|packet| assert!(matches!(packet, Packet::Publish(_))));
    assert!(socket.compressed >= 20_000 / 512);
}

#[test]
fn much_from_little_is_handled_in_parts() {
    let node = compressing();
    let mut receiver = Client::on(TcpStream::connect(node.listeners()[1].bind.clone()).unwrap());
    receiver.greet(&Connect::new(Version::V311, "receiver"));
    receiver.subscribe(&["t".to_owned()], QoS::AtMostOnce);
    let mut socket = WebSocket::open(&node, DEFLATE);
    socket.connect("c");
    // A few KiB on the wire are 6 MB of packets.
    let one = compressed(&publish(&[0; 30_000]));
    assert!(one.len() < 200);
    socket.send(&one.repeat(200));
    for _ in 0..200 {
        assert!(matches!(receiver.read().unwrap().packet(), Packet::Publish(_)));
    }
}

#[test]
fn a_bomb_ends_its_connection_only() {
    let mut broker = BrokerConfig { admission: Admission::Everyone, ..config() };
    broker.zones[0].mqtt.max_packet_size = 64 * 1024;
    let ws = WebSocketConfig { compress: true, ..WebSocketConfig::default() };
    let kind = ListenerKind::WebSocket(ws);
    let listener = ListenerConfig { id: "ws:default".into(), kind, ..ListenerConfig::default() };
    let node = start_on(broker, vec![listener], 1, None);
    let mut socket = WebSocket::open(&node, DEFLATE);
    socket.connect("c");
    // Three parts of one message: 96 KiB.
    let mut parts = Vec::new();
    Deflater::default().encode(&[0; 32_768], &mut parts);
    let skip = if parts[1] == 126 { 4 } else { 2 };
    let part = [&parts[skip..], &[0, 0, 0xFF, 0xFF]].concat();
    socket.send(&masked(0x42, &part));
    socket.send(&masked(0x00, &part));
    socket.send(&masked(0x80, &part));
    assert_eq!(socket.frame(), Some((0x88, vec![0x03, 0xF1])));
    socket.expect_close();
    WebSocket::open(&node, DEFLATE).connect("after");
}

#[test]
fn silence_ends_a_websocket() {
    let ws = WebSocketConfig { idle_timeout_ms: 600, ..WebSocketConfig::default() };
    let node = node_with(ws, ListenerConfig::default());
    let mut socket = WebSocket::open(&node, "");
    socket.connect("c");
    socket.expect_close();
    until("it is counted", || figure(&node, "websocket.idle_timeout") == 1);
}

#[test]
fn a_request_that_trickles_in_is_not_waited_for() {
    let mut broker = BrokerConfig { admission: Admission::Everyone, ..config() };
    broker.zones[0].mqtt.idle_timeout_ms = 500;
    let kind = ListenerKind::WebSocket(WebSocketConfig::default());
    let listener = ListenerConfig { id: "ws:default".into(), kind, ..ListenerConfig::default() };
    let node = start_on(broker, vec![listener], 1, None);
    let mut stream = TcpStream::connect(node.listeners()[0].bind.clone()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"GET /mqtt HTTP/1.1\r\nHost:").unwrap();
    let mut end = [0; 16];
    assert_eq!(stream.read(&mut end).unwrap_or(0), 0);
    until("it is gone", || figure(&node, "connections.count") == 0);
}

#[test]
fn a_proxy_header_may_come_before_a_handshake() {
    let node = node_with(
        WebSocketConfig::default(),
        ListenerConfig {
            proxy_protocol: true,
            trusted_proxies: vec!["127.0.0.1".into()],
            ..ListenerConfig::default()
        },
    );
    let header = "PROXY TCP4 203.0.113.9 198.51.100.7 4711 80\r\n";
    // The client's own X-Forwarded-For does not count: it is no trusted proxy.
    let text = format!("{header}{}", request("/mqtt", "X-Forwarded-For: 1.2.3.4\r\n"));
    let mut socket = WebSocket::ask(&node, text.as_bytes());
    assert_eq!(socket.status(), 101);
    socket.connect("c");
    assert_eq!(peer_of(&node, "c"), "203.0.113.9:4711");
}
