//! Listeners that come, change and go while the node runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::net::TcpStream;

use rookery_codec::{Packet, ReasonCode, Version};
use rookery_node::api::{Bind, ListenerConfig, ListenerOutcome, NodeError};
use support::pki::{Pki, TlsClient, address, listener, start_with};
use support::{Client, until};

fn outcomes(node: &rookery_node::Node, wanted: &[ListenerConfig]) -> Vec<(String, String)> {
    let applied = node.apply_listeners(wanted.to_vec()).unwrap();
    let word = |outcome: &ListenerOutcome| match outcome {
        ListenerOutcome::Failed(_) => "Failed".to_owned(),
        other => format!("{other:?}"),
    };
    applied.iter().map(|(id, outcome)| (id.clone(), word(outcome))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn ping(client: &mut Client) {
    client.send(rookery_codec::encode_pingreq);
    assert!(matches!(client.read().unwrap().packet(), Packet::PingResp));
}

#[test]
fn listeners_start_and_stop_and_the_others_do_not_notice() {
    let first = listener("tcp:first", None);
    let second = listener("tcp:second", None);
    let node = start_with(vec![first.clone()], 3);
    let mut stays = Client::at(address(&node, "tcp:first"), Version::V5, "stays");

    let made = outcomes(&node, &[first.clone(), second.clone()]);
    assert_eq!(made, pairs(&[("tcp:first", "Unchanged"), ("tcp:second", "Started")]));
    let at = address(&node, "tcp:second");
    // Some of them have their session on another worker than the one that took them in.
    let mut goes: Vec<Client> =
        (0..20).map(|n| Client::at(at, Version::V5, &format!("goes-{n}"))).collect();

    let gone = outcomes(&node, std::slice::from_ref(&first));
    assert_eq!(gone, pairs(&[("tcp:first", "Unchanged"), ("tcp:second", "Stopped")]));
    for client in &mut goes {
        let frame = client.read().unwrap();
        let Packet::Disconnect(disconnect) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(disconnect.reason, ReasonCode::ADMINISTRATIVE_ACTION);
        client.expect_close();
    }
    assert!(TcpStream::connect(at).is_err());
    ping(&mut stays);
    assert_eq!(node.listeners().len(), 1);
}

#[test]
fn what_can_change_in_place_disconnects_nobody() {
    let config = listener("tcp:default", None);
    let node = start_with(vec![config.clone()], 1);
    let at = address(&node, "tcp:default");
    let mut before = Client::at(at, Version::V311, "before");
    let changed = ListenerConfig { max_connections: 2, mountpoint: "m/".into(), ..config };
    assert_eq!(outcomes(&node, &[changed]), pairs(&[("tcp:default", "Changed")]));
    let mut after = Client::at(at, Version::V311, "after");
    let mut refused = Client::raw_at(at);
    refused.expect_close();
    assert_eq!(after.subscribe(&["t".to_owned()], rookery_codec::QoS::AtMostOnce), [0]);
    before.publish("t", rookery_codec::QoS::AtMostOnce, 0, b"elsewhere");
    before.publish("m/t", rookery_codec::QoS::AtMostOnce, 0, b"here");
    let frame = after.read().unwrap();
    let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!((publish.topic, publish.payload), ("t", &b"here"[..]));
}

#[test]
fn a_restart_keeps_the_address_and_ends_the_clients() {
    let node = start_with(vec![listener("tcp:a", None), listener("tcp:b", None)], 2);
    let at = address(&node, "tcp:a");
    let mut other = Client::at(address(&node, "tcp:b"), Version::V5, "other");
    let mut client = Client::at(at, Version::V5, "client");
    node.restart_listener("tcp:a").unwrap();
    client.expect_close();
    assert_eq!(address(&node, "tcp:a"), at);
    assert_eq!(node.listeners()[0].id, "tcp:a");
    ping(&mut Client::at(at, Version::V5, "client"));
    ping(&mut other);
    assert!(matches!(node.restart_listener("tcp:c"), Err(NodeError::NoListener(_))));
}

#[test]
fn what_fails_leaves_things_as_they_were() {
    let config = listener("tcp:default", None);
    let node = start_with(vec![config.clone()], 1);
    let at = address(&node, "tcp:default");
    let mut client = Client::at(at, Version::V5, "client");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let moved = ListenerConfig { bind: Bind::Inet(taken.local_addr().unwrap()), ..config.clone() };
    assert_eq!(outcomes(&node, &[moved]), pairs(&[("tcp:default", "Failed")]));
    assert_eq!(address(&node, "tcp:default"), at);
    ping(&mut client);
    let zoneless = ListenerConfig { zone: "nowhere".into(), ..config.clone() };
    assert_eq!(outcomes(&node, &[zoneless]), pairs(&[("tcp:default", "Failed")]));
    assert!(node.apply_listeners(vec![config.clone(), config]).is_err());
    ping(&mut client);
}

#[test]
fn new_tls_settings_hold_for_new_handshakes() {
    let pki = Pki::new("CA");
    pki.write_server(&pki.issue("localhost", 1, 2080));
    let config = listener("ssl:default", Some(pki.settings()));
    let node = start_with(vec![config.clone()], 1);
    let at = address(&node, "ssl:default");
    let mut before = TlsClient::connect(at, &pki.client(None), "before").unwrap();
    let device = pki.client(Some(&pki.issue("device", 2, 2080)));
    let mutual = ListenerConfig { tls: Some(pki.mutual_settings()), ..config.clone() };
    assert_eq!(outcomes(&node, &[mutual]), pairs(&[("ssl:default", "Changed")]));
    // Who showed none is not trusted any more.
    assert_eq!(before.expect_disconnect(), 0x98);
    assert!(TlsClient::connect(at, &pki.client(None), "none").is_err());
    TlsClient::connect(at, &device, "device").unwrap();
    // From TLS to clear is another listener on the same address.
    let plain = ListenerConfig { tls: None, ..config };
    assert_eq!(outcomes(&node, &[plain]), pairs(&[("ssl:default", "Restarted")]));
    until("it is in the clear", || node.listeners()[0].kind == "tcp");
    ping(&mut Client::at(at, Version::V5, "clear"));
}
