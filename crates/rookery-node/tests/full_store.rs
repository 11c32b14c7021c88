//! A node whose disk quota is used up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use rookery_codec::{AckKind, Connect, Packet, QoS, ReasonCode, Version};
use rookery_core::effects::UpEvent;
use support::{Client, config, start, start_with_quota, until};

fn keeper(id: &str) -> Connect<'_> {
    let mut connect = Connect::new(Version::V5, id);
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(3600);
    connect
}

#[test]
fn a_full_store_refuses_what_grows_says_so_once_and_keeps_what_frees() {
    let dir = support::Dir::new();
    let node = start_with_quota(config(), 1, Some(&dir.0), 64 << 10);
    let (mut sleeper, _) = Client::connect(&node, &keeper("sleeper"));
    sleeper.subscribe(&["t".to_owned()], QoS::AtLeastOnce);
    drop(sleeper);
    until("it sleeps", || node.client("sleeper").unwrap().is_some_and(|c| !c.connected));
    let mut publisher = Client::new(&node, Version::V5, "publisher");
    let mut stored = 0_u16;
    let mut refused = 0;
    for packet_id in 1..=30 {
        publisher.publish("t", QoS::AtLeastOnce, packet_id, &[b'x'; 4096]);
        let frame = publisher.read().unwrap();
        let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        match ack.reason {
            ReasonCode::SUCCESS => stored += 1,
            ReasonCode::QUOTA_EXCEEDED => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(stored >= 10 && refused >= 10, "{stored} {refused}");
    let mut told = Vec::new();
    until("it is told", || {
        told.extend(node.drain(1000).into_iter().filter_map(|event| match event {
            UpEvent::Store { accepts, .. } => Some(accepts),
            _ => None,
        }));
        !told.is_empty()
    });
    assert_eq!(told, [false], "once, however much is refused");
    let mut late = Client::raw(&node);
    late.set_version(Version::V5);
    let mut connect = keeper("late");
    // Far more than what is left of the quota.
    let user_name = "u".repeat(60_000);
    connect.username = Some(&user_name);
    late.send(|out| connect.encode(out));
    let frame = late.read().unwrap();
    let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!(ack.reason, ReasonCode::QUOTA_EXCEEDED);
    late.expect_close();
    assert!(node.client("late").unwrap().is_none(), "it has no session");
    // What was stored comes, and its acknowledgements are stored although nothing else is.
    let (mut sleeper, is_present) = Client::connect(&node, &keeper("sleeper"));
    assert!(is_present);
    let mut came = 0;
    while came < stored {
        let frame = sleeper.read().unwrap();
        let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
        sleeper.ack(AckKind::PubAck, publish.packet_id);
        came += 1;
    }
    until("all are acknowledged", || {
        node.client("sleeper").unwrap().is_some_and(|c| c.inflight == 0 && c.mqueue == 0)
    });
    drop(node);
    let node = start(config(), 1, Some(&dir.0));
    assert_eq!(node.recovery().messages, 0, "nothing comes twice");
}
