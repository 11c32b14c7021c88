//! Clients that mean harm or do not keep up: the node bounds them and goes on serving others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::io::Write;

use rookery_codec::{AckKind, Connect, Packet, QoS, ReasonCode, Version};
use support::{Client, config, figure, start, until};

#[test]
fn sockets_without_connect_are_bounded_and_closed() {
    let mut broker = config();
    broker.limits.unauthenticated_connections = 8;
    broker.zones[0].mqtt.idle_timeout_ms = 300;
    let node = start(broker, 1, None);
    let mut waiting: Vec<Client> = (0..40).map(|_| Client::raw(&node)).collect();
    // Most are turned away at once, the others when CONNECT does not come.
    waiting.iter_mut().for_each(Client::expect_close);
    until("all are gone", || figure(&node, "unauthenticated.count") == 0);
    let mut client = Client::new(&node, Version::V311, "after");
    client.send(rookery_codec::encode_pingreq);
    assert!(matches!(client.read().unwrap().packet(), Packet::PingResp));
}

#[test]
fn bytes_held_for_strangers_are_bounded() {
    let mut broker = config();
    broker.limits.unauthenticated_bytes = 256 * 1024;
    let node = start(broker, 1, None);
    // A CONNECT that claims 1,000,000 bytes and never ends.
    let head = [0x10, 0xC0, 0x84, 0x3D];
    let mut strangers: Vec<Client> = (0..8).map(|_| Client::raw(&node)).collect();
    for stranger in &mut strangers {
        stranger.stream.write_all(&head).unwrap();
        // It may be cut off while it sends.
        let _ = stranger.stream.write_all(&vec![0; 200_000]);
    }
    until("some are cut off", || figure(&node, "unauthenticated.count") < 4);
    drop(Client::new(&node, Version::V5, "after"));
}

#[test]
fn a_packet_above_the_limit_ends_the_connection_before_it_is_read() {
    let node = start(config(), 1, None);
    let mut client = Client::new(&node, Version::V5, "giant");
    client.stream.write_all(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]).unwrap();
    let frame = client.read().unwrap();
    let Packet::Disconnect(disconnect) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!(disconnect.reason, ReasonCode::PACKET_TOO_LARGE);
    client.expect_close();
}

#[test]
fn a_reader_that_takes_nothing_is_cut_off() {
    let mut broker = config();
    broker.limits.send_timeout_ms = 500;
    broker.zones[0].mqtt.max_packet_size = 4 << 20;
    broker.limits.outbox_high_water_bytes = 8 << 20;
    let node = start(broker, 1, None);
    let mut slow = Client::new(&node, Version::V311, "slow");
    assert_eq!(slow.subscribe(&["big".to_owned()], QoS::AtMostOnce), [0]);
    let mut publisher = Client::new(&node, Version::V311, "publisher");
    let payload = vec![7; 1 << 20];
    for _ in 0..24 {
        publisher.publish("big", QoS::AtMostOnce, 0, &payload);
    }
    publisher.send(rookery_codec::encode_pingreq);
    assert!(matches!(publisher.read().unwrap().packet(), Packet::PingResp));
    until("the slow one is gone", || node.client("slow").unwrap().is_none());
    assert!(node.client("publisher").unwrap().is_some());
    until("its bytes are gone", || figure(&node, "outbox.bytes") == 0);
}

#[test]
fn takeover_in_a_loop_leaves_one_connection() {
    let node = start(config(), 2, None);
    let mut old: Vec<Client> = (0..200).map(|_| Client::new(&node, Version::V5, "same")).collect();
    let mut last = old.pop().unwrap();
    for client in &mut old {
        let frame = client.read().expect("a word before the end");
        let Packet::Disconnect(disconnect) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(disconnect.reason, ReasonCode::SESSION_TAKEN_OVER);
        client.expect_close();
    }
    last.send(rookery_codec::encode_pingreq);
    assert!(matches!(last.read().unwrap().packet(), Packet::PingResp));
    until("one is left", || figure(&node, "live_connections.count") == 1);
    assert_eq!(figure(&node, "sessions.count"), 1);
}

#[test]
fn all_packet_identifiers_can_be_in_flight() {
    let mut broker = config();
    broker.zones[0].mqtt.max_inflight = u16::MAX;
    broker.zones[0].mqtt.max_mqueue_len = 0;
    let node = start(broker, 1, None);
    let mut receiver = Client::new(&node, Version::V5, "receiver");
    receiver.subscribe(&["t".to_owned()], QoS::AtLeastOnce);
    let mut publisher = Client::new(&node, Version::V311, "publisher");
    let count = 65_535 + 100;
    std::thread::scope(|scope| {
        let mut writer = publisher.writer();
        scope.spawn(move || {
            for n in 0..count {
                writer.publish("t", QoS::AtLeastOnce, u16::try_from(n % 65_535 + 1).unwrap(), b"m");
            }
        });
        for _ in 0..count {
            assert!(matches!(publisher.read().unwrap().packet(), Packet::PubAck(_)));
        }
    });
    let mut ids = vec![false; 65_536];
    for _ in 0..65_535 {
        let frame = receiver.read().unwrap();
        let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert!(
            !std::mem::replace(&mut ids[usize::from(publish.packet_id)], true),
            "an identifier comes twice"
        );
    }
    // Not quite in order; what waited follows.
    receiver.ack(AckKind::PubAck, u16::MAX);
    for id in (1..u16::MAX).step_by(2) {
        receiver.ack(AckKind::PubAck, id + 1);
        receiver.ack(AckKind::PubAck, id);
    }
    for _ in 0..100 {
        let frame = receiver.read().unwrap();
        let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
        receiver.ack(AckKind::PubAck, publish.packet_id);
    }
    until("nothing is in flight", || {
        node.client("receiver").unwrap().is_some_and(|c| c.inflight == 0)
    });
}

#[test]
fn ten_thousand_filters_in_one_subscribe_leave_no_trace() {
    let node = start(config(), 1, None);
    let mut client = Client::new(&node, Version::V5, "many");
    let filters: Vec<String> = (0..10_000).map(|n| format!("f/{}/+/{n}", n % 100)).collect();
    let codes = client.subscribe(&filters, QoS::AtLeastOnce);
    assert_eq!(codes, vec![1; 10_000]);
    assert_eq!(figure(&node, "subscriptions.count"), 10_000);
    drop(client);
    until("they are gone", || figure(&node, "subscriptions.count") == 0);
}

#[test]
fn a_client_reaches_its_session_over_any_worker() {
    let node = start(config(), 2, None);
    // Which worker accepts is up to the kernel, which owns the session up to a keyed hash:
    // thirty clients take every way.
    let mut clients: Vec<Client> =
        (0..30).map(|n| Client::new(&node, Version::V311, &format!("c{n}"))).collect();
    for client in &mut clients {
        assert_eq!(client.subscribe(&["all".to_owned()], QoS::ExactlyOnce), [2]);
    }
    clients[0].publish("all", QoS::AtLeastOnce, 9, b"hello");
    for client in &mut clients {
        let has_come = (0..2).any(|_| matches!(client.read().unwrap().packet(), Packet::Publish(p) if p.payload == b"hello"));
        assert!(has_come);
    }
    until("all are counted", || figure(&node, "live_connections.count") == 30);
}

#[test]
fn a_graceful_stop_says_goodbye_and_keeps_what_waits() {
    let dir = support::Dir::new();
    let mut connect = Connect::new(Version::V5, "sleeper");
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(3600);
    {
        let node = start(config(), 2, Some(&dir.0));
        let (mut sleeper, _) = Client::connect(&node, &connect);
        sleeper.subscribe(&["t".to_owned()], QoS::ExactlyOnce);
        drop(sleeper);
        until("it sleeps", || node.client("sleeper").unwrap().is_some_and(|c| !c.connected));
        let mut publisher = Client::new(&node, Version::V5, "publisher");
        for (n, qos) in
            [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().enumerate()
        {
            publisher.publish("t", qos, u16::try_from(n).unwrap(), &[u8::try_from(n).unwrap()]);
        }
        for _ in 0..2 {
            assert!(matches!(
                publisher.read().unwrap().packet(),
                Packet::PubAck(_) | Packet::PubRec(_)
            ));
        }
        node.stop(support::DEADLINE).unwrap();
        let frame = publisher.read().expect("a word before the end");
        let Packet::Disconnect(disconnect) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(disconnect.reason, ReasonCode::SERVER_SHUTTING_DOWN);
    }
    let node = start(config(), 2, Some(&dir.0));
    assert_eq!(node.recovery().sessions, 1);
    let (mut sleeper, session_present) = Client::connect(&node, &connect);
    assert!(session_present);
    let mut payloads = Vec::new();
    for _ in 0..3 {
        let frame = sleeper.read().unwrap();
        let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
        payloads.push(publish.payload.to_vec());
    }
    payloads.sort();
    assert_eq!(payloads, [[0], [1], [2]]);
}
