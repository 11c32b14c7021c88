//! Who is let in, and whom a client is taken for: access rules, PROXY headers, rates, paths.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use rookery_codec::{Connect, Packet, QoS, Version};
use rookery_core::config::{Admission, BrokerConfig};
use rookery_node::Node;
use rookery_node::api::{Bind, ListenerConfig, NodeError};
use support::{Client, DEADLINE, Dir, config, figure, start_on, until};

fn open_broker() -> BrokerConfig {
    BrokerConfig { admission: Admission::Everyone, ..config() }
}

fn node_with(listener: ListenerConfig) -> Node {
    start_on(open_broker(), vec![listener], 1, None)
}

fn behind_balancer() -> ListenerConfig {
    ListenerConfig {
        proxy_protocol: true,
        trusted_proxies: vec!["127.0.0.1".into()],
        ..ListenerConfig::default()
    }
}

const V1: &[u8] = b"PROXY TCP4 203.0.113.9 198.51.100.7 4711 1883\r\n";

fn v2(command: u8, payload: &[u8]) -> Vec<u8> {
    let family = if payload.is_empty() { 0 } else { 0x11 };
    let len = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &len, payload].concat()
}

fn peer_of(node: &Node, client_id: &str) -> String {
    node.client(client_id).unwrap().unwrap().peer.unwrap().to_string()
}

/// Sends a header and CONNECT in pieces of this length.
fn through_balancer(node: &Node, header: &[u8], piece_len: usize, id: &str) -> Client {
    let mut client = Client::raw(node);
    let mut bytes = header.to_vec();
    Connect::new(Version::V311, id).encode(&mut bytes);
    for piece in bytes.chunks(piece_len) {
        client.stream.write_all(piece).unwrap();
    }
    client
}

#[test]
fn the_client_is_whom_the_header_names() {
    let node = node_with(behind_balancer());
    for piece_len in [1, 7, 1000] {
        let id = format!("v1-{piece_len}");
        let mut client = through_balancer(&node, V1, piece_len, &id);
        assert!(matches!(client.read().unwrap().packet(), Packet::ConnAck(_)));
        assert_eq!(peer_of(&node, &id), "203.0.113.9:4711");
        let addresses = [203, 0, 113, 10, 198, 51, 100, 7, 0x12, 0x68, 7, 0x5B];
        let id = format!("v2-{piece_len}");
        let mut client = through_balancer(&node, &v2(1, &addresses), piece_len, &id);
        assert!(matches!(client.read().unwrap().packet(), Packet::ConnAck(_)));
        assert_eq!(peer_of(&node, &id), "203.0.113.10:4712");
    }
    assert_eq!(figure(&node, "proxy_protocol.refused"), 0);
}

#[test]
fn the_common_name_of_a_verified_certificate_comes_along() {
    let node = node_with(ListenerConfig { quick_deny_anonymous: true, ..behind_balancer() });
    let value = |kind: u8, bytes: &[u8]| {
        [&[kind, 0, u8::try_from(bytes.len()).unwrap()][..], bytes].concat()
    };
    let addresses = [203, 0, 113, 10, 198, 51, 100, 7, 0x12, 0x68, 7, 0x5B];
    for (verify, is_admitted) in [(0, true), (1, false)] {
        let ssl = [&[3, 0, 0, 0, verify][..], &value(0x22, b"pump-7")].concat();
        let header = v2(1, &[&addresses[..], &value(0x20, &ssl)].concat());
        let mut client = through_balancer(&node, &header, 1000, "pump");
        // Only a certificate makes up for the user name that is not there.
        let frame = client.read().unwrap();
        let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(!ack.reason.is_error(), is_admitted);
    }
}

#[test]
fn without_a_right_header_nobody_is_served() {
    let node = node_with(behind_balancer());
    let mut connect = Vec::new();
    Connect::new(Version::V5, "direct").encode(&mut connect);
    let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat();
    for (n, bytes) in [&connect[..], b"PROXY TCP9 \r\n", &long, &[0xFF; 64]].iter().enumerate() {
        let mut client = Client::raw(&node);
        // The node may be faster to close than we are to send.
        let _ = client.stream.write_all(bytes);
        client.expect_close();
        until("it is counted", || figure(&node, "proxy_protocol.refused") == n as u64 + 1);
    }
    drop(through_balancer(&node, V1, 1000, "after").read().unwrap());
}

#[test]
fn health_checks_leave_no_trace() {
    let node = node_with(behind_balancer());
    for _ in 0..20 {
        drop(Client::raw(&node));
        let mut check = Client::raw(&node);
        check.stream.write_all(&v2(0, b"")).unwrap();
    }
    until("they are gone", || figure(&node, "connections.count") == 0);
    until("LOCAL was seen", || figure(&node, "proxy_protocol.local") == 20);
    assert_eq!(figure(&node, "proxy_protocol.refused"), 0);
    assert_eq!(figure(&node, "packets.error"), 0);
    assert!(node.drain(1000).is_empty(), "no event, no line for the log");
    // Also a real client may speak behind LOCAL: it is the balancer itself.
    let mut client = through_balancer(&node, &v2(0, b""), 1000, "local");
    assert!(matches!(client.read().unwrap().packet(), Packet::ConnAck(_)));
    assert!(peer_of(&node, "local").starts_with("127.0.0.1:"));
}

#[test]
fn a_client_through_a_balancer_is_not_of_this_machine() {
    let mut broker = config();
    broker.admission = Admission::LoopbackOnly;
    let node = start_on(broker, vec![behind_balancer()], 1, None);
    for header in [&b"PROXY UNKNOWN\r\n"[..], b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"] {
        let mut client = through_balancer(&node, header, 1000, "c");
        let frame = client.read().unwrap();
        let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert!(ack.reason.is_error());
    }
}

#[test]
fn a_header_that_does_not_come_is_not_waited_for() {
    let node = node_with(ListenerConfig { proxy_protocol_timeout_ms: 300, ..behind_balancer() });
    let mut silent: Vec<Client> = (0..20).map(|_| Client::raw(&node)).collect();
    let mut slow = Client::raw(&node);
    slow.stream.write_all(b"PROXY TCP4 ").unwrap();
    drop(through_balancer(&node, V1, 1000, "served").read().unwrap());
    silent.iter_mut().for_each(Client::expect_close);
    slow.expect_close();
    until("it is counted", || figure(&node, "proxy_protocol.timeout") == 21);
}

#[test]
fn only_listed_balancers_are_believed() {
    let node = node_with(ListenerConfig {
        trusted_proxies: vec!["10.0.0.0/8".into()],
        ..behind_balancer()
    });
    let mut client = Client::raw(&node);
    let _ = client.stream.write_all(V1);
    client.expect_close();
    until("it is counted", || figure(&node, "proxy_protocol.untrusted") == 1);
    let nobody = ListenerConfig { trusted_proxies: Vec::new(), ..behind_balancer() };
    let error = Node::start(rookery_node::api::NodeConfig {
        broker: open_broker(),
        listeners: vec![nobody],
        workers: 1,
        durability: rookery_node::api::DurabilityConfig {
            dir: None,
            sync: rookery_node::api::SyncPolicy::Never,
            max_disk_bytes: 0,
        },
    });
    let Err(NodeError::Config { path, .. }) = error else { panic!("{error:?}") };
    assert_eq!(path, "listeners.tcp.default.trusted_proxies");
}

#[test]
fn access_rules_are_about_the_client() {
    let rules = |rules: &[&str]| rules.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>();
    let node = node_with(ListenerConfig {
        access_rules: rules(&["deny 127.0.0.1", "allow all"]),
        ..ListenerConfig::default()
    });
    Client::raw(&node).expect_close();
    until("it is counted", || figure(&node, "connections.refused.access_rules") == 1);
    // Behind a balancer they are about whom it speaks for, not about itself.
    let node = node_with(ListenerConfig {
        access_rules: rules(&["deny 203.0.113.10", "allow 203.0.113.0/24"]),
        ..behind_balancer()
    });
    let mut client = through_balancer(&node, V1, 1000, "c");
    assert!(matches!(client.read().unwrap().packet(), Packet::ConnAck(_)));
    let mut client = Client::raw(&node);
    client.stream.write_all(b"PROXY TCP4 203.0.113.10 198.51.100.7 1 2\r\n").unwrap();
    client.expect_close();
    until("it is counted", || figure(&node, "connections.refused.access_rules") == 1);
}

#[test]
fn connections_above_the_limit_are_closed_and_counted() {
    let node = node_with(ListenerConfig { max_connections: 2, ..ListenerConfig::default() });
    let kept = [Client::new(&node, Version::V5, "a"), Client::new(&node, Version::V5, "b")];
    Client::raw(&node).expect_close();
    until("it is counted", || figure(&node, "connections.refused.max_connections") == 1);
    drop(kept);
    until("there is room", || figure(&node, "connections.count") == 0);
    drop(Client::new(&node, Version::V5, "c"));
}

#[test]
fn connections_above_the_rate_wait_and_are_served() {
    let node = node_with(ListenerConfig {
        max_conn_rate: 20.0,
        max_conn_burst: 5,
        ..ListenerConfig::default()
    });
    let mut clients: Vec<Client> = (0..25).map(|_| Client::raw(&node)).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.greet(&Connect::new(Version::V5, &format!("c{n}")));
    }
    assert!(figure(&node, "connections.delayed.max_conn_rate") > 0);
    assert_eq!(figure(&node, "client.connected"), 25);
}

#[test]
fn a_fast_client_is_slowed_down_and_loses_nothing() {
    let node = node_with(ListenerConfig {
        messages_rate: 500.0,
        messages_burst: 100,
        ..ListenerConfig::default()
    });
    let mut receiver = Client::new(&node, Version::V311, "receiver");
    receiver.subscribe(&["t".to_owned()], QoS::AtMostOnce);
    let mut fast = Client::new(&node, Version::V311, "fast");
    let mut writer = fast.writer();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            (0..1000).for_each(|_| writer.publish("t", QoS::AtMostOnce, 0, b"m"));
        });
        for _ in 0..1000 {
            assert!(matches!(receiver.read().unwrap().packet(), Packet::Publish(_)));
        }
    });
    fast.fence();
    assert!(figure(&node, "limiter.paused") > 0);
}

fn unix_listener(path: &std::path::Path) -> ListenerConfig {
    ListenerConfig { bind: Bind::Unix(path.to_owned()), ..ListenerConfig::default() }
}

/// The support speaks through a TCP handle; the calls are the same for every stream socket.
fn unix_client(path: &std::path::Path) -> Client {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    Client::on(TcpStream::from(OwnedFd::from(stream)))
}

#[test]
fn a_path_is_for_its_owner_and_goes_with_the_node() {
    let dir = Dir::new();
    let path = dir.0.join("mqtt.sock");
    let mut broker = config();
    broker.admission = Admission::LoopbackOnly;
    let node = start_on(broker, vec![unix_listener(&path)], 2, None);
    assert_eq!(node.listeners()[0].bind.to_string(), format!("unix:{}", path.display()));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut client = unix_client(&path);
    client.greet(&Connect::new(Version::V5, "c"));
    client.subscribe(&["t".to_owned()], QoS::AtLeastOnce);
    client.publish("t", QoS::AtMostOnce, 0, b"m");
    assert!(matches!(client.read().unwrap().packet(), Packet::Publish(_)));
    assert_eq!(peer_of(&node, "c"), "127.0.0.1:0");
    drop(node);
    assert!(!path.exists());
}

#[test]
fn a_path_is_taken_over_from_the_dead_only() {
    let dir = Dir::new();
    let path = dir.0.join("mqtt.sock");
    // A socket that nobody listens on any more.
    drop(UnixListener::bind(&path).unwrap());
    let node = node_with(unix_listener(&path));
    unix_client(&path).greet(&Connect::new(Version::V5, "c"));
    let start = || {
        Node::start(rookery_node::api::NodeConfig {
            broker: open_broker(),
            listeners: vec![unix_listener(&path)],
            workers: 1,
            durability: rookery_node::api::DurabilityConfig {
                dir: None,
                sync: rookery_node::api::SyncPolicy::Never,
                max_disk_bytes: 0,
            },
        })
    };
    let error = start().unwrap_err().to_string();
    assert!(error.contains("another process listens"), "{error}");
    unix_client(&path).greet(&Connect::new(Version::V5, "still"));
    drop(node);
    std::fs::write(&path, "a file").unwrap();
    let error = start().unwrap_err().to_string();
    assert!(error.contains("not a socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
}

#[test]
fn one_listener_serves_both_families() {
    let bind = Bind::Inet("[::]:0".parse().unwrap());
    let node = node_with(ListenerConfig { bind, ..ListenerConfig::default() });
    let port = node.listeners()[0].bind.inet().unwrap().port();
    for (host, want) in [("127.0.0.1", "127.0.0.1:"), ("::1", "[::1]:")] {
        let mut client = Client::on(TcpStream::connect((host, port)).unwrap());
        client.greet(&Connect::new(Version::V5, host));
        let peer = peer_of(&node, host);
        assert!(peer.starts_with(want), "{peer}");
    }
}

#[test]
fn the_options_of_sockets_can_be_set() {
    let node = node_with(ListenerConfig {
        keepalive: Some(rookery_node::api::Keepalive { idle_s: 60, interval_s: 10, probes: 3 }),
        recv_buffer_bytes: 32 * 1024,
        send_buffer_bytes: 32 * 1024,
        nodelay: false,
        ..ListenerConfig::default()
    });
    Client::new(&node, Version::V5, "c").fence();
}

#[test]
fn half_open_connections_are_bounded_and_others_served() {
    let mut broker = open_broker();
    broker.limits.unauthenticated_connections = 50;
    let node = start_on(
        broker,
        vec![behind_balancer(), ListenerConfig { id: "tcp:b".into(), ..ListenerConfig::default() }],
        1,
        None,
    );
    let silent: Vec<Client> = (0..300).map(|_| Client::raw(&node)).collect();
    until("most gave way", || figure(&node, "overload_protection.evicted") >= 250);
    let mut client = through_balancer(&node, V1, 1000, "served");
    assert!(matches!(client.read().unwrap().packet(), Packet::ConnAck(_)));
    assert!(figure(&node, "unauthenticated.count") <= 50);
    let mut end = [0; 1];
    let mut first = &silent[0].stream;
    assert_eq!(first.read(&mut end).unwrap_or(0), 0);
}
