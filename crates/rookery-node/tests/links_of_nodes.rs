//! Links of a cluster of several nodes: what came to one of them holds for all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use rookery_codec::QoS;
use rookery_node::links::LinkConfig;
use support::linked::{Cluster, connected, link, next, subscribe, tell};
use support::until;

/// Links every node of `many` with the cluster of one node `one`, which connects to the first of
/// these `ports` that answers.
fn join_all(many: &[Cluster], one: &Cluster, ports: &[u16], topics: &[&str]) {
    for node in many {
        node.apply(vec![link(node.name, one.name, &[one.port()], topics)]);
    }
    one.apply(vec![link(one.name, many[0].name, ports, topics)]);
    for node in many {
        node.wait(one.name, "it stands", |s| s.status == "connected" && s.replication == "online");
    }
    one.wait(many[0].name, "it stands", |s| s.status == "connected" && s.replication == "online");
}

fn ports(nodes: &[Cluster]) -> Vec<u16> {
    nodes.iter().map(Cluster::port).collect()
}

#[test]
fn each_node_sends_what_the_other_cluster_wants_once() {
    let many: [Cluster; 3] = Cluster::nodes("many");
    let one = Cluster::new("one");
    join_all(&many, &one, &ports(&many)[..1], &["t/#"]);
    let mut reader = one.client("reader");
    subscribe(&mut reader, "t/+");
    subscribe(&mut reader, "t/#");
    for node in &many {
        node.wait("one", "both routes are known", |s| s.routes == 2);
    }
    for (at, node) in many.iter().enumerate() {
        let mut writer = node.client("writer");
        tell(&mut writer, "t/x", &[u8::try_from(at).unwrap()]);
        assert_eq!(next(&mut reader), ("t/x".into(), vec![u8::try_from(at).unwrap()], 1));
        assert_eq!(node.status("one").matched, 1);
    }
    reader.fence();
    // The other way: whoever takes it, the node of the subscriber has it.
    let mut there = many[2].client("there");
    subscribe(&mut there, "t/#");
    one.wait("many", "the route of the third came", |s| s.routes == 1);
    tell(&mut one.client("writer"), "t/y", b"back");
    assert_eq!(next(&mut there), ("t/y".into(), b"back".to_vec(), 1));
    there.fence();

    drop(reader);
    for node in &many {
        node.wait("one", "no route is left", |s| s.routes == 0);
    }
}

#[test]
fn a_link_goes_on_when_the_node_dies_that_had_its_connections() {
    let [first, second, third]: [Cluster; 3] = Cluster::nodes("many");
    let many = [first, second, third];
    let one = Cluster::new("one");
    let all = ports(&many);
    join_all(&many, &one, &all, &["t/#"]);
    let mut reader = one.client("reader");
    subscribe(&mut reader, "t/1");
    for node in &many {
        node.wait("one", "the route is known", |s| s.routes == 1);
    }
    let in_use = one.status("many").server.unwrap();
    let [first, second, third] = many;
    assert_eq!(in_use, format!("127.0.0.1:{}", first.port()));
    drop(first);
    let peers = [&second, &third].map(|node| node.peer.clone().unwrap());
    for node in [&second, &third] {
        node.meet(&peers);
    }
    // What is subscribed meanwhile is known as well.
    subscribe(&mut reader, "t/2");
    one.wait("many", "another node took over", |s| {
        s.status == "connected" && s.server.as_ref().is_some_and(|server| *server != in_use)
    });
    for node in [&second, &third] {
        node.wait("one", "both routes are known", |s| s.routes == 2);
        let mut writer = node.client("writer");
        for topic in ["t/1", "t/2"] {
            tell(&mut writer, topic, b"x");
            assert_eq!(next(&mut reader), (topic.into(), b"x".to_vec(), 1));
        }
    }
    let mut there = third.client("there");
    assert_eq!(there.subscribe(&["t/3".to_owned()], QoS::AtLeastOnce), [1]);
    one.wait("many", "it is told", |s| s.routes == 1);
    tell(&mut one.client("writer"), "t/3", b"back");
    assert_eq!(next(&mut there).0, "t/3");
}

#[test]
fn the_connections_of_a_pool_spread_over_the_servers() {
    let many: [Cluster; 2] = Cluster::nodes("many");
    let one = Cluster::new("one");
    join_all(&many, &one, &ports(&many), &["t/#"]);
    let clients = |node: &Cluster| support::figure(&node.node, "connections.count");
    let before = [clients(&many[0]), clients(&many[1])];
    assert!(before[0] >= 1 && before[1] >= 1, "{before:?}");
    connected(&one, &many[0]);
    until("each has one of the pool", || one.status("many").pool_connected == 2);
}

#[test]
fn the_pool_goes_back_to_a_server_that_is_back() {
    let [first, second] = [Cluster::new("eu"), Cluster::new("eu")];
    let us = Cluster::new("us");
    let servers = [first.port(), second.port()];
    let to_us = || link("eu", "us", &[us.port()], &["t/#"]);
    first.apply(vec![to_us()]);
    second.apply(vec![to_us()]);
    let there_and_back =
        LinkConfig { health_check_interval_ms: 100, ..link("us", "eu", &servers, &["t/#"]) };
    us.apply(vec![there_and_back]);
    let stands = |what: &str| us.wait("eu", what, |s| s.pool_connected == 2 && s.reason.is_none());
    let clients = |node: &Cluster| support::figure(&node.node, "connections.count");
    stands("both are there");
    until("each has one", || clients(&first) >= 1 && clients(&second) >= 1);
    drop(first);
    // That of the pool, and the one that tells routes.
    until("the other one has all", || clients(&second) >= 3);
    stands("on one server");
    let back = Cluster::with("eu", servers[0], None);
    back.apply(vec![to_us()]);
    until("one came back", || clients(&back) >= 1);
    stands("on two servers");
}

#[test]
fn what_a_link_told_is_forgotten_with_the_link() {
    let many: [Cluster; 2] = Cluster::nodes("many");
    let one = Cluster::new("one");
    join_all(&many, &one, &ports(&many)[..1], &["t/#"]);
    let mut reader = one.client("reader");
    subscribe(&mut reader, "t/1");
    many[1].wait("one", "the route is known", |s| s.routes == 1);
    // The node that has the connection closes the link: the others learn it.
    many[0].apply(vec![]);
    many[1].wait("one", "no route is left", |s| s.routes == 0);
}
