//! Retained messages that are deleted while a link is down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use rookery_codec::{Packet, Publish, QoS, Version};
use rookery_node::links::LinkConfig;
use support::linked::{Cluster, connected, link, subscribe};
use support::{Dir, until};

fn retain(cluster: &Cluster, topic: &str, payload: &[u8]) {
    let mut writer = cluster.client("writer");
    let (qos, packet_id) = (QoS::AtLeastOnce, 1);
    let publish = Publish { qos, retain: true, topic, packet_id, payload, ..Publish::default() };
    writer.send(|out| publish.encode(Version::V5, out));
    writer.read().expect("PUBACK");
}

fn retained(cluster: &Cluster, topic: &str) -> Option<Vec<u8>> {
    let mut late = cluster.client("late");
    subscribe(&mut late, topic);
    late.send(rookery_codec::encode_pingreq);
    let frame = late.read().expect("what is retained, or PINGRESP");
    match frame.packet() {
        Packet::Publish(publish) => Some(publish.payload.to_vec()),
        _ => None,
    }
}

fn until_retained(cluster: &Cluster, topic: &str, payload: Option<&str>) {
    let wanted = payload.map(|payload| payload.as_bytes().to_vec());
    until(topic, || retained(cluster, topic) == wanted);
}

#[test]
fn what_was_deleted_during_an_outage_is_gone_on_both_sides() {
    let dir = Dir::new();
    let eu = Cluster::new("eu");
    let us = Cluster::on_disk("us", 0, None, Some(&dir.0));
    let (eu_port, us_port) = (eu.port(), us.port());
    let with = |from: &str, to: &str, port: u16| LinkConfig {
        sync_retained: true,
        ..link(from, to, &[port], &["t/#"])
    };
    us.apply(vec![with("us", "eu", eu_port)]);
    for topic in ["t/own", "t/own/kept", "t/own/again", "t/newer", "other"] {
        retain(&us, topic, b"us");
    }
    retain(&eu, "t/theirs", b"eu");
    retain(&eu, "t/theirs/kept", b"eu");
    eu.apply(vec![with("eu", "us", us_port)]);
    connected(&eu, &us);
    for topic in ["t/own", "t/own/kept", "t/own/again", "t/newer"] {
        until_retained(&eu, topic, Some("us"));
    }
    until_retained(&us, "t/theirs", Some("eu"));
    until_retained(&us, "t/theirs/kept", Some("eu"));

    eu.apply(vec![]);
    us.wait("eu", "it is down", |s| s.status == "disconnected");
    for topic in ["t/own", "t/own/again", "t/newer", "t/theirs", "other"] {
        retain(&us, topic, b"");
    }
    retain(&us, "t/own/again", b"again");
    // Its node ends meanwhile.
    drop(us);
    retain(&eu, "t/newer", b"later");
    let us = Cluster::on_disk("us", us_port, None, Some(&dir.0));
    us.apply(vec![with("us", "eu", eu_port)]);

    eu.apply(vec![with("eu", "us", us_port)]);
    connected(&eu, &us);
    until_retained(&eu, "t/own", None);
    until_retained(&eu, "t/theirs", None);
    until_retained(&eu, "t/own/again", Some("again"));
    until_retained(&us, "t/newer", Some("later"));
    for cluster in [&eu, &us] {
        let found = ["t/own", "t/own/kept", "t/own/again", "t/newer", "t/theirs", "t/theirs/kept"]
            .map(|topic| retained(cluster, topic).map(|found| String::from_utf8(found).unwrap()));
        let found = found.each_ref().map(|found| found.as_deref());
        let wanted = [None, Some("us"), Some("again"), Some("later"), None, Some("eu")];
        assert_eq!(found, wanted, "on {}", cluster.name);
    }
}

#[test]
fn a_subscriber_is_told_of_a_deletion_once() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    let with = |from: &Cluster, to: &Cluster| LinkConfig {
        sync_retained: true,
        ..link(from.name, to.name, &[to.port()], &["t/#"])
    };
    us.apply(vec![with(&us, &eu)]);
    retain(&us, "t/1", b"us");
    eu.apply(vec![with(&eu, &us)]);
    until_retained(&eu, "t/1", Some("us"));
    eu.apply(vec![]);
    retain(&us, "t/1", b"");
    retain(&us, "t/2", b"end");
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/#");
    assert_eq!(support::linked::next(&mut reader).1, b"us");
    for _ in 0..2 {
        eu.apply(vec![with(&eu, &us)]);
        connected(&eu, &us);
        until_retained(&eu, "t/2", Some("end"));
        eu.apply(vec![]);
    }
    let found: Vec<(String, Vec<u8>)> = (0..2)
        .map(|_| support::linked::next(&mut reader))
        .map(|(topic, payload, _)| (topic, payload))
        .collect();
    assert!(found.contains(&("t/1".into(), vec![])), "{found:?}");
    assert!(found.contains(&("t/2".into(), b"end".to_vec())), "{found:?}");
    reader.fence();
}
