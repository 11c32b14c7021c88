//! What PUBACK and PUBREC promise, and what a publisher is told when that cannot be had.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "scenarios/stage.rs"]
mod stage;

use rookery_codec::{AckKind, Connect, Publish, QoS, SubscriptionOptions, Version};
use rookery_core::config::{Acknowledge, Unconfirmed};
use rookery_core::effects::ShardMessage;
use stage::{Actor, Stage};

/// A node with a disk, and a session on it that stays.
fn kept() -> (Stage, Actor) {
    let mut stage = Stage::new();
    stage.config(|config| config.durable = true);
    let mut connect = Connect::new(Version::V5, "keeper");
    connect.properties.session_expiry_interval_s = Some(60);
    let mut keeper = stage.connect(&connect);
    let options = SubscriptionOptions { qos: QoS::ExactlyOnce, ..SubscriptionOptions::default() };
    keeper.subscribe(&mut stage, "t", options);
    keeper.take(&mut stage);
    keeper.suback.clear();
    (stage, keeper)
}

fn publish(stage: &mut Stage, publisher: &mut Actor, qos: QoS, packet_id: u16) {
    let publish = Publish { topic: "t", qos, packet_id, ..Publish::default() };
    let version = publisher.version;
    publisher.send(stage, |out| publish.encode(version, out));
    stage.turn();
}

#[test]
fn a_durable_acknowledgement_waits_for_the_store_one_of_memory_does_not() {
    let (mut stage, mut keeper) = kept();
    let mut publisher = stage.connect(&Connect::new(Version::V5, "publisher"));
    stage.is_stalled = true;
    publish(&mut stage, &mut publisher, QoS::AtLeastOnce, 1);
    assert_eq!(publisher.take(&mut stage), [""; 0], "nothing is stored");
    stage.go_on(true);
    assert_eq!(publisher.take(&mut stage), ["PUBACK 1 0x00"]);

    stage.config(|config| config.acknowledge = Acknowledge::Memory);
    stage.is_stalled = true;
    publish(&mut stage, &mut publisher, QoS::AtLeastOnce, 2);
    publish(&mut stage, &mut publisher, QoS::ExactlyOnce, 3);
    assert_eq!(publisher.take(&mut stage), ["PUBACK 2 0x00", "PUBREC 3 0x00"]);
    // What is sent to subscribers is another promise: QoS 2 is not, before its identifier is stored.
    assert_eq!(keeper.take(&mut stage), ["PUBLISH t 1 id 1", "PUBLISH t 1 id 2"]);
    stage.go_on(true);
    assert_eq!(keeper.take(&mut stage), ["PUBLISH t 2 id 3"]);
}

#[test]
fn what_other_nodes_do_not_confirm_is_refused_where_that_is_wanted() {
    for version in [Version::V5, Version::V311] {
        let (mut stage, mut keeper) = kept();
        stage.config(|config| config.unconfirmed = Unconfirmed::Refuse);
        let mut publisher = stage.connect(&Connect::new(version, "publisher"));
        stage.is_stalled = true;
        publish(&mut stage, &mut publisher, QoS::AtLeastOnce, 1);
        publish(&mut stage, &mut publisher, QoS::ExactlyOnce, 2);
        assert_eq!(publisher.take(&mut stage), [""; 0]);
        stage.go_on(false);
        if version != Version::V5 {
            assert_eq!(publisher.take(&mut stage), [""; 0]);
            assert!(publisher.is_closed(&stage));
            continue;
        }
        assert_eq!(publisher.take(&mut stage), ["PUBACK 1 0x97", "PUBREC 2 0x97"]);
        // The exchange is over: the same identifier begins another one.
        publish(&mut stage, &mut publisher, QoS::ExactlyOnce, 2);
        assert_eq!(publisher.take(&mut stage), ["PUBREC 2 0x00"]);
        publisher.ack(&mut stage, AckKind::PubRel, 2);
        assert_eq!(publisher.take(&mut stage), ["PUBCOMP 2 0x00"]);
        // What this node has is delivered all the same: nobody promised that it is not.
        let got = keeper.take(&mut stage);
        assert_eq!(got, ["PUBLISH t 1 id 1", "PUBLISH t 2 id 2", "PUBLISH t 2 id 3"]);
    }
}

#[test]
fn who_subscribes_or_connects_is_not_refused_for_it() {
    let (mut stage, mut keeper) = kept();
    stage.config(|config| config.unconfirmed = Unconfirmed::Refuse);
    stage.is_stalled = true;
    let options = SubscriptionOptions::default();
    keeper.subscribe(&mut stage, "other", options);
    keeper.take(&mut stage);
    assert!(keeper.suback.is_empty());
    stage.go_on(false);
    keeper.take(&mut stage);
    assert_eq!(keeper.suback, [0]);
}

#[test]
fn what_other_nodes_do_not_take_is_acknowledged_or_refused() {
    for (unconfirmed, said) in [(Unconfirmed::KeepLocally, "0x00"), (Unconfirmed::Refuse, "0x97")] {
        let (mut stage, _) = kept();
        stage.config(|config| config.unconfirmed = unconfirmed);
        let mut publisher = stage.connect(&Connect::new(Version::V5, "publisher"));
        stage.nodes(1);
        stage.wants_elsewhere("far");
        let far =
            Publish { topic: "far", qos: QoS::AtLeastOnce, packet_id: 5, ..Publish::default() };
        publisher.send(&mut stage, |out| far.encode(Version::V5, out));
        let turn = stage.turn_for_nodes().expect("it went to another node");
        assert_eq!(publisher.take(&mut stage), [""; 0]);
        stage.hear(ShardMessage::NodesMissed(turn));
        assert_eq!(publisher.take(&mut stage), [format!("PUBACK 5 {said}")]);
    }
}
