//! What a restarted node still knows about the messages that wait for a session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use rookery_codec::{AckKind, Connect, Packet, QoS, Version};
use rookery_core::config::BrokerConfig;
use rookery_node::Node;
use support::{Client, Dir, config, start, until};

fn keeper(id: &str) -> Connect<'_> {
    let mut connect = Connect::new(Version::V5, id);
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(3600);
    connect
}

/// A client that subscribes and goes; its session waits.
fn leave_behind(node: &Node, id: &str, filter: &str, qos: QoS) {
    let (mut client, _) = Client::connect(node, &keeper(id));
    client.subscribe(&[filter.to_owned()], qos);
    drop(client);
    until("it is away", || node.client(id).unwrap().is_some_and(|c| !c.connected));
}

fn publish(node: &Node, topic: &str, qos: QoS, payloads: std::ops::Range<u8>) {
    let mut publisher = Client::new(node, Version::V5, "publisher");
    for n in payloads {
        publisher.publish(topic, qos, u16::from(n) + 1, &[n]);
        let frame = publisher.read().unwrap();
        match frame.packet() {
            Packet::PubAck(ack) => assert!(!ack.reason.is_error()),
            Packet::PubRec(ack) => {
                assert!(!ack.reason.is_error());
                publisher.ack(AckKind::PubRel, ack.packet_id);
                assert!(matches!(publisher.read().unwrap().packet(), Packet::PubComp(_)));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The payload and QoS of the next message, acknowledged.
fn take(client: &mut Client) -> (u8, QoS) {
    let frame = client.read().unwrap();
    let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
    if publish.qos == QoS::AtLeastOnce {
        client.ack(AckKind::PubAck, publish.packet_id);
    }
    (publish.payload[0], publish.qos)
}

#[test]
fn shared_messages_of_a_restored_session_that_ends_go_to_other_members() {
    let dir = Dir::new();
    let count = 100; // more than are read from the log at once
    {
        let node = start(config(), 2, Some(&dir.0));
        leave_behind(&node, "first", "$share/g/t/+", QoS::AtLeastOnce);
        publish(&node, "t/1", QoS::AtLeastOnce, 0..count);
    }
    let node = start(config(), 2, Some(&dir.0));
    assert_eq!(node.recovery().messages, usize::from(count));
    let (mut second, _) = Client::connect(&node, &keeper("second"));
    second.subscribe(&["$share/g/t/+".to_owned()], QoS::AtLeastOnce);
    assert!(node.kick("first").unwrap());
    let came: Vec<u8> = (0..count).map(|_| take(&mut second).0).collect();
    assert_eq!(came, (0..count).collect::<Vec<_>>(), "all of them, in order");
    second.send(rookery_codec::encode_pingreq);
    assert!(matches!(second.read().unwrap().packet(), Packet::PingResp));
    drop(node);
    let node = start(config(), 2, Some(&dir.0));
    assert_eq!((node.recovery().sessions, node.recovery().messages), (1, 0));
}

#[test]
fn a_message_of_a_group_that_the_session_left_stays_with_it() {
    let dir = Dir::new();
    {
        let node = start(config(), 1, Some(&dir.0));
        leave_behind(&node, "only", "$share/g/t", QoS::AtLeastOnce);
        publish(&node, "t", QoS::AtLeastOnce, 0..3);
    }
    let node = start(config(), 1, Some(&dir.0));
    let (mut only, is_present) = Client::connect(&node, &keeper("only"));
    assert!(is_present);
    assert_eq!((0..3).map(|_| take(&mut only).0).collect::<Vec<_>>(), [0, 1, 2]);
}

fn upgrading() -> BrokerConfig {
    let mut broker = config();
    broker.zones[0].mqtt.upgrade_qos = true;
    broker
}

#[test]
fn an_upgraded_qos_survives_a_restart() {
    for (subscribed, published) in
        [(QoS::ExactlyOnce, QoS::AtLeastOnce), (QoS::AtMostOnce, QoS::AtLeastOnce)]
    {
        let dir = Dir::new();
        {
            let node = start(upgrading(), 1, Some(&dir.0));
            leave_behind(&node, "keeper", "t", subscribed);
            publish(&node, "t", published, 7..8);
        }
        let node = start(upgrading(), 1, Some(&dir.0));
        assert_eq!(node.recovery().messages, 1);
        let (mut keeper, _) = Client::connect(&node, &keeper("keeper"));
        assert_eq!(take(&mut keeper), (7, subscribed.max(published)));
    }
}
