//! Access control of a whole node: several workers, real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::sync::Arc;

use rookery_codec::{Connect, Packet, QoS, Version};
use rookery_core::access::{
    AclRule, AclSource, AclTopic, AuthorizationConfig, Ban, BanKind, Permission,
};
use rookery_core::config::{Admission, BrokerConfig};
use rookery_core::conn::Action;
use rookery_core::effects::{Admittance, Answer, Question, UpEvent, Verdict};
use rookery_node::{Hookpoint, Node};
use support::{Client, config, figure, start, until};

fn open() -> BrokerConfig {
    BrokerConfig { admission: Admission::Everyone, ..config() }
}

fn deny(topic: &str) -> Arc<AuthorizationConfig> {
    let rule = AclRule {
        permission: Permission::Deny,
        qos: vec![0, 1, 2],
        topics: vec![AclTopic { text: topic.into(), is_literal: false }],
        line: 3,
        ..AclRule::default()
    };
    let source = AclSource { name: "file".into(), rules: vec![rule], ..AclSource::default() };
    Arc::new(AuthorizationConfig { sources: vec![source], ..AuthorizationConfig::default() })
}

fn bans(who: &str) -> Vec<Ban> {
    let who = who.into();
    vec![Ban { kind: BanKind::ClientId, who, until_ms: None, reason: String::new() }]
}

/// Sends CONNECT and, without waiting, a SUBSCRIBE behind it.
fn hurry(node: &Node, client_id: &str) -> Client {
    let mut client = Client::raw(node);
    client.set_version(Version::V5);
    client.send(|out| {
        Connect::new(Version::V5, client_id).encode(out);
        let mut filters = rookery_codec::SubscribeFiltersBuf::default();
        filters.push("t", rookery_codec::SubscriptionOptions::default());
        rookery_codec::Subscribe::new(1, &filters).encode(Version::V5, out);
    });
    client
}

#[test]
fn a_client_that_gets_another_identifier_goes_to_the_worker_of_it() {
    let mut broker = config();
    broker.admission = Admission::Ask;
    broker.hooks.deadline_ms = 30_000;
    let node = start(broker, 4, None);
    let peer = node.attach_peer().unwrap();
    node.give_hookpoint(Hookpoint::Authenticate, Some(&peer));
    let mut clients: Vec<Client> = (0..24).map(|n| hurry(&node, &format!("asked-{n}"))).collect();
    let mut answered = 0;
    until("every client is asked about", || {
        let answers = peer.drain(100).into_iter().filter_map(|event| match event {
            UpEvent::Ask(id, Question::Authenticate { client, .. }) => {
                let given = client.client_id.replace("asked", "given");
                let admittance =
                    Admittance { client_id: Some(given.into()), ..Admittance::default() };
                Some(Answer { id, verdict: Verdict::Admit(Box::new(admittance)) })
            }
            _ => None,
        });
        let answers: Vec<Answer> = answers.collect();
        answered += answers.len();
        peer.answer(answers);
        answered == clients.len()
    });
    for client in &mut clients {
        let connack = client.read().unwrap();
        assert!(matches!(connack.packet(), Packet::ConnAck(ack) if !ack.reason.is_error()));
        let suback = client.read().unwrap();
        assert!(matches!(suback.packet(), Packet::SubAck(_)), "{:?}", suback.packet());
    }
    for n in 0..24 {
        assert!(node.client(&format!("given-{n}")).unwrap().is_some_and(|c| c.connected));
        assert!(node.client(&format!("asked-{n}")).unwrap().is_none());
    }
    assert_eq!(figure(&node, "connections.quota.used"), 24);
}

#[test]
fn rules_change_while_clients_are_connected() {
    let node = start(open(), 2, None);
    let mut clients: Vec<Client> =
        (0..8).map(|n| Client::new(&node, Version::V5, &format!("c{n}"))).collect();
    let mut answers = |code: u8| {
        for client in &mut clients {
            client.publish("secret/x", QoS::AtLeastOnce, 1, b"m");
            let frame = client.read().unwrap();
            let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
            assert_eq!(ack.reason.0, code);
        }
    };
    answers(0x10);
    node.apply_config(BrokerConfig { authorization: deny("secret/#"), ..open() }).unwrap();
    let action = Action::Publish(1, false);
    let said = node.check_client_acl("c1", action, "secret/x").unwrap().unwrap();
    assert_eq!((said.verdict, &*said.source, said.line), ("deny", "file", 3));
    answers(0x87);
    let wrong = node.apply_config(BrokerConfig { authorization: deny("a/#/b"), ..open() });
    assert!(wrong.unwrap_err().to_string().starts_with("authorization.sources.file: line 3"));
    answers(0x87);
    node.apply_config(open()).unwrap();
    answers(0x10);
}

#[test]
fn a_ban_ends_its_client_and_nobody_else() {
    let node = start(open(), 2, None);
    let mut banned = Client::new(&node, Version::V5, "banned");
    let mut other = Client::new(&node, Version::V5, "other");
    node.apply_bans(bans("banned")).unwrap();
    let frame = banned.read().unwrap();
    assert!(matches!(frame.packet(), Packet::Disconnect(d) if d.reason.0 == 0x98));
    banned.expect_close();
    other.fence();
    let mut again = Client::raw(&node);
    again.set_version(Version::V5);
    again.send(|out| Connect::new(Version::V5, "banned").encode(out));
    let frame = again.read().unwrap();
    assert!(matches!(frame.packet(), Packet::ConnAck(ack) if ack.reason.0 == 0x8A));
    node.apply_bans(Vec::new()).unwrap();
    Client::new(&node, Version::V5, "banned");
    until("it is counted", || figure(&node, "banned.disconnected") == 1);
}

#[test]
fn the_quota_holds_over_all_workers() {
    let node = start(BrokerConfig { max_connections: 5, ..open() }, 4, None);
    let ids: Vec<String> = (0..12).map(|n| format!("c{n}")).collect();
    let mut clients: Vec<Client> = ids.iter().map(|_| Client::raw(&node)).collect();
    for (client, id) in clients.iter_mut().zip(&ids) {
        client.set_version(Version::V311);
        client.send(|out| Connect::new(Version::V311, id).encode(out));
    }
    let admitted = clients.iter_mut().filter_map(|client| {
        let frame = client.read().unwrap();
        let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        (!ack.reason.is_error()).then_some(())
    });
    assert_eq!(admitted.count(), 5);
    let figures = ["connections.quota.used", "connections.quota.max", "connections.quota.refused"];
    assert_eq!(figures.map(|name| figure(&node, name)), [5, 5, 7]);
    drop(clients);
    until("the places are free again", || figure(&node, "connections.quota.used") == 0);
}
