//! Linked nodes, each a cluster of one, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rookery_codec::{Connect, Packet, QoS, Version};
use rookery_node::links::{LinkConfig, LinkTls};
use support::linked::{Cluster, PASSWORD, connected, join, link, next, subscribe, tell};
use support::pki::Pki;
use support::{Client, until};

#[test]
fn what_is_subscribed_on_one_side_comes_from_the_other_once() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    join(&eu, &us, &["t/#"]);
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/+");
    subscribe(&mut reader, "t/#");
    subscribe(&mut reader, "other");
    us.wait("eu", "two routes came", |s| s.routes == 2);
    eu.wait("us", "two routes were told", |s| s.sent_routes == 2);

    let mut writer = us.client("writer");
    for n in 0..100_u16 {
        writer.publish("t/1", QoS::AtLeastOnce, n + 1, &n.to_be_bytes());
        writer.read().expect("PUBACK");
    }
    for n in 0..100_u16 {
        assert_eq!(next(&mut reader), ("t/1".into(), n.to_be_bytes().to_vec(), 1));
    }
    writer.publish("t/1", QoS::AtMostOnce, 0, b"last");
    assert_eq!(next(&mut reader), ("t/1".into(), b"last".to_vec(), 0));
    us.wait("eu", "all were taken", |s| s.success == 101);
    let status = us.status("eu");
    assert_eq!((status.matched, status.failed, status.dropped), (101, 0, 0));
    assert_eq!(eu.status("us").received, 101);

    us.node.links_reset("eu").unwrap();
    us.wait("eu", "counters are zero", |s| s.matched == 0 && s.success == 0);
    assert!(us.node.links_reset("nobody").is_err());

    // The last subscriber goes, and with it the route.
    drop(reader);
    us.wait("eu", "no route is left", |s| s.routes == 0);
}

#[test]
fn messages_go_round_in_no_circle() {
    let names = ["one", "two", "three"];
    let clusters = names.map(Cluster::new);
    for cluster in &clusters {
        let others = clusters.iter().filter(|other| other.name != cluster.name);
        let links = others.map(|other| link(cluster.name, other.name, &[other.port()], &["#"]));
        cluster.apply(links.collect());
    }
    let mut readers: Vec<Client> = clusters.iter().map(|c| c.client("reader")).collect();
    for reader in &mut readers {
        subscribe(reader, "#");
    }
    for cluster in &clusters {
        for other in clusters.iter().filter(|other| other.name != cluster.name) {
            cluster.wait(other.name, "it stands", |s| s.status == "connected" && s.routes == 1);
        }
    }
    let mut writer = clusters[0].client("writer");
    for n in 0..20_u16 {
        writer.publish("x", QoS::AtLeastOnce, n + 1, &n.to_be_bytes());
        writer.read().expect("PUBACK");
    }
    for reader in &mut readers {
        for n in 0..20_u16 {
            assert_eq!(next(reader), ("x".into(), n.to_be_bytes().to_vec(), 1));
        }
        // Nothing came twice.
        reader.fence();
    }
    for cluster in &clusters[1..] {
        for status in cluster.node.links_status() {
            assert_eq!(status.matched, 0, "{} sent on what came to it", cluster.name);
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    let good = || link("eu", "us", &[us.port()], &["t"]);
    let refuses = |what: &str, links: Vec<LinkConfig>, theirs: Vec<LinkConfig>, code: &str| {
        us.apply(theirs);
        let name = links[0].name.clone();
        eu.apply(links);
        eu.wait(&name, what, |s| {
            s.status == "disconnected"
                && s.reason.as_ref().is_some_and(|r| r.starts_with(&format!("{code}: ")))
        });
    };
    let theirs = || link("us", "eu", &[eu.port()], &["t"]);
    let renamed = LinkConfig { name: "usa".into(), ..good() };
    refuses("another name", vec![renamed], vec![theirs()], "bad_remote_cluster_link_name");
    let off = LinkConfig { enable: false, ..theirs() };
    refuses("switched off there", vec![good()], vec![off], "cluster_link_disabled");
    refuses("nothing there", vec![good()], vec![], "unknown_cluster");
    let nobody = LinkConfig { accept_username: Some("somebody".into()), ..theirs() };
    refuses("accepted is somebody else", vec![good()], vec![nobody], "not_authorized");
    let open = LinkConfig { accept_username: None, ..theirs() };
    refuses("nobody is accepted", vec![good()], vec![open], "not_authorized");
    let password = LinkConfig { password: Some(b"wrong".to_vec()), ..good() };
    refuses("a wrong password", vec![password], vec![theirs()], "bad_credentials");
    let nowhere = LinkConfig { servers: vec![("127.0.0.1".into(), 1)], ..good() };
    refuses("nobody listens", vec![nowhere], vec![theirs()], "refused");
    let unnamed = LinkConfig { servers: vec![("no.such.host.invalid".into(), 1883)], ..good() };
    refuses("no such host", vec![unnamed], vec![theirs()], "name_not_resolved");
    let disabled = LinkConfig { enable: false, ..good() };
    refuses("switched off here", vec![disabled], vec![theirs()], "disabled");
    us.apply(vec![theirs()]);
    eu.apply(vec![good()]);
    connected(&eu, &us);
    assert_eq!(eu.status("us").reason, None);
    // Switched off there while it stands.
    us.apply(vec![LinkConfig { enable: false, ..theirs() }]);
    eu.wait("us", "it is told so", |s| {
        s.reason.as_ref().is_some_and(|r| r.starts_with("cluster_link_disabled: "))
    });
}

#[test]
fn a_link_is_tried_beside_the_one_that_stands() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    join(&eu, &us, &["t"]);
    let good = link("eu", "us", &[us.port()], &["t"]);
    assert_eq!(eu.node.links_probe(&good).unwrap(), None);
    let wrong = LinkConfig { password: Some(b"wrong".to_vec()), ..good.clone() };
    let said = eu.node.links_probe(&wrong).unwrap().unwrap();
    assert!(said.starts_with("bad_credentials: "), "{said}");
    let renamed = LinkConfig { name: "usa".into(), ..good };
    let said = eu.node.links_probe(&renamed).unwrap().unwrap();
    assert!(said.starts_with("bad_remote_cluster_link_name: "), "{said}");
    assert_eq!(eu.status("us").status, "connected");
}

#[test]
fn strangers_speak_for_no_cluster() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    join(&eu, &us, &["t/#"]);
    let mut stranger = us.client("stranger");
    for filter in ["$LINK/#", "$LINK/cluster/resp/eu/n@eu", "$LINK/cluster/resp/+/+"] {
        assert_eq!(stranger.subscribe(&[filter.to_owned()], QoS::AtLeastOnce), [0x87], "{filter}");
    }
    for topic in ["$LINK/cluster/route/eu", "$LINK/cluster/msg/eu", "$LINK/other"] {
        stranger.publish(topic, QoS::AtLeastOnce, 1, b"x");
        let frame = stranger.read().unwrap();
        let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(ack.reason, rookery_codec::ReasonCode::NOT_AUTHORIZED, "{topic}");
    }
    // One that may speak for `eu` may not for somebody else, nor say nonsense.
    let mut known = Client::connect(
        &us.node,
        &Connect {
            username: Some("link-eu"),
            password: Some(PASSWORD),
            ..Connect::new(Version::V5, "known")
        },
    )
    .0;
    known.publish("$LINK/cluster/msg/asia", QoS::AtLeastOnce, 1, b"x");
    let frame = known.read().unwrap();
    let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!(ack.reason, rookery_codec::ReasonCode::NOT_AUTHORIZED);
    known.publish("$LINK/cluster/msg/eu", QoS::AtLeastOnce, 2, b"no term");
    known.read().expect("PUBACK");
    us.wait("eu", "it is counted", |s| s.refused == 1);
    known.publish("$LINK/cluster/route/eu", QoS::AtMostOnce, 0, b"no term");
    let frame = known.read().expect("DISCONNECT");
    let Packet::Disconnect(end) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!(end.reason, rookery_codec::ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR);
}

#[test]
fn a_peer_that_comes_back_gets_what_waited() {
    let eu = Cluster::new("eu");
    let us = Cluster::new("us");
    let (eu_port, us_port) = (eu.port(), us.port());
    join(&eu, &us, &["t/#"]);
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/#");
    us.wait("eu", "the route came", |s| s.routes == 1);
    drop(eu);
    drop(reader);
    us.wait("eu", "it is gone", |s| s.status == "disconnected" && s.reason.is_some());
    let mut writer = us.client("writer");
    for n in 0..10_u16 {
        writer.publish("t/1", QoS::AtLeastOnce, n + 1, &n.to_be_bytes());
        writer.read().expect("PUBACK");
    }
    us.wait("eu", "all wait", |s| s.queuing + s.inflight == 10);

    let eu = Cluster::with("eu", eu_port, None);
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/#");
    eu.apply(vec![link("eu", "us", &[us_port], &["t/#"])]);
    for n in 0..10_u16 {
        assert_eq!(next(&mut reader), ("t/1".into(), n.to_be_bytes().to_vec(), 1));
    }
    connected(&eu, &us);
    assert_eq!(us.status("eu").routes, 1);
    assert_eq!(us.status("eu").queued_bytes, 0);
}

#[test]
fn what_finds_no_room_is_dropped_and_counted() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    join(&eu, &us, &["t"]);
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t");
    us.wait("eu", "the route came", |s| s.routes == 1);
    let small = LinkConfig {
        servers: vec![("127.0.0.1".into(), 1)],
        buffer_bytes_max: 64 << 10,
        ..link("us", "eu", &[], &["t"])
    };
    us.apply(vec![small]);
    let mut writer = us.client("writer");
    for n in 0..100_u16 {
        writer.publish("t", QoS::AtLeastOnce, n + 1, &[7; 4096]);
        writer.read().expect("PUBACK");
    }
    us.wait("eu", "the oldest are gone", |s| {
        s.matched == 100
            && s.dropped > 80
            && s.queuing + s.dropped == 100
            && s.queued_bytes <= 64 << 10
    });
}

#[test]
fn servers_are_tried_in_turn() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    us.apply(vec![link("us", "eu", &[eu.port()], &["t"])]);
    eu.apply(vec![link("eu", "us", &[1, us.port()], &["t"])]);
    connected(&eu, &us);
    assert_eq!(eu.status("us").server, Some(format!("127.0.0.1:{}", us.port())));
}

#[test]
fn links_with_certificates_on_both_sides() {
    let pki = Pki::new("links");
    pki.write("ca.pem", &pki.ca_pem());
    pki.write_server(&pki.issue("localhost", 1, 2040));
    let mutual = || Some(pki.mutual_settings());
    let eu = Cluster::with("eu", 0, mutual());
    let us = Cluster::with("us", 0, mutual());
    let tls = |name: &str| {
        let pair = pki.issue(name, 7, 2040);
        LinkTls {
            ca_pem: Some(pki.ca_pem().into_bytes()),
            cert_pem: Some(pair.cert.into_bytes()),
            key_pem: Some(pair.key.into_bytes()),
            verify: true,
            server_name: Some("localhost".into()),
        }
    };
    let linked = |from: &Cluster, to: &Cluster| LinkConfig {
        username: None,
        password: None,
        tls: Some(tls(&format!("link-{}", from.name))),
        accept_username: None,
        accept_cert_cn: Some(format!("link-{}", to.name)),
        ..link(from.name, to.name, &[to.port()], &["t"])
    };
    eu.apply(vec![linked(&eu, &us)]);
    us.apply(vec![linked(&us, &eu)]);
    connected(&eu, &us);
    for (what, tls) in [
        ("no certificate", LinkTls { cert_pem: None, key_pem: None, ..tls("x") }),
        ("another name", LinkTls { server_name: Some("other.example".into()), ..tls("x") }),
        (
            "another CA",
            LinkTls { ca_pem: Some(Pki::new("other").ca_pem().into_bytes()), ..tls("x") },
        ),
        ("no CA", LinkTls { ca_pem: Some(b"x".to_vec()), ..tls("x") }),
    ] {
        eu.apply(vec![LinkConfig { tls: Some(tls), ..linked(&eu, &us) }]);
        eu.wait("us", what, |s| s.reason.as_ref().is_some_and(|r| r.starts_with("tls: ")));
    }
    // It is let in, and speaks for nobody.
    let unknown = LinkConfig { tls: Some(tls("somebody")), ..linked(&eu, &us) };
    eu.apply(vec![unknown]);
    eu.wait("us", "not the right name", |s| {
        s.reason.as_ref().is_some_and(|r| r.starts_with("not_authorized: "))
    });
    let open = LinkTls { ca_pem: None, verify: false, ..tls("link-eu") };
    eu.apply(vec![LinkConfig { tls: Some(open), ..linked(&eu, &us) }]);
    connected(&eu, &us);
}

#[test]
fn links_that_cannot_be_are_refused_and_change_nothing() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    join(&eu, &us, &["t"]);
    let good = || link("eu", "us", &[us.port()], &["t"]);
    for (what, links) in [
        ("itself", vec![LinkConfig { name: "eu".into(), ..good() }]),
        ("twice", vec![good(), good()]),
        ("no server", vec![LinkConfig { servers: vec![], ..good() }]),
        ("no filter", vec![LinkConfig { topics: vec!["a/#/b".into()], ..good() }]),
    ] {
        assert!(eu.node.apply_links("eu", "n@eu", 1, links).is_err(), "{what}");
    }
    assert_eq!(eu.status("us").status, "connected");
    eu.apply(vec![]);
    assert!(eu.node.links_status().is_empty());
    until("nothing is heard of it", || us.status("eu").status != "connected");
}

#[test]
fn only_what_both_the_link_and_a_subscriber_want_comes() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    // What `eu` wants of `us` is not what `us` wants of `eu`: nothing.
    eu.apply(vec![link("eu", "us", &[us.port()], &["t/1", "t/+/x", "$SYS/x"])]);
    us.apply(vec![link("us", "eu", &[eu.port()], &[])]);
    connected(&eu, &us);
    let (mut reader, mut there) = (eu.client("reader"), us.client("reader"));
    subscribe(&mut reader, "#");
    subscribe(&mut reader, "t/#");
    subscribe(&mut there, "#");
    us.wait("eu", "two parts of either filter", |s| s.routes == 4);
    let (mut writer, mut writer_here) = (us.client("writer"), eu.client("writer"));
    for topic in ["t/2", "t/1", "t/2/x", "other", "t/1/y", "$other"] {
        tell(&mut writer, topic, b"us");
    }
    tell(&mut writer_here, "t/1", b"eu");
    // Both subscriptions match and each session gets one copy, as of a message that is published there.
    let mut found: Vec<_> = (0..3).map(|_| next(&mut reader)).map(|(t, p, _)| (t, p)).collect();
    found.sort();
    let came = |topic: &str, from: &str| (topic.to_owned(), from.as_bytes().to_vec());
    assert_eq!(found, [came("t/1", "eu"), came("t/1", "us"), came("t/2/x", "us")]);
    for topic in ["t/2", "t/1", "t/2/x", "other", "t/1/y"] {
        assert_eq!(next(&mut there).0, topic);
    }
    there.fence();
    reader.fence();
    assert_eq!(eu.status("us").routes, 0);
}

#[test]
fn shared_retained_and_waiting_subscribers() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    join(&eu, &us, &["t/#"]);
    let mut sleeper = Connect::new(Version::V5, "sleeper");
    sleeper.properties.session_expiry_interval_s = Some(300);
    subscribe(&mut Client::connect(&eu.node, &sleeper).0, "t/1");
    let mut members: Vec<Client> = [(&eu, "m1"), (&eu, "m2"), (&us, "m3")]
        .into_iter()
        .map(|(cluster, id)| {
            let mut member = cluster.client(id);
            subscribe(&mut member, "$share/g/t/1");
            member
        })
        .collect();
    us.wait("eu", "a session and a group", |s| s.routes == 2);

    let mut writer = us.client("writer");
    let version = Version::V5;
    let retained = rookery_codec::Publish {
        qos: QoS::AtLeastOnce,
        retain: true,
        topic: "t/1",
        packet_id: 1,
        payload: b"kept",
        ..Default::default()
    };
    writer.send(|out| retained.encode(version, out));
    writer.read().expect("PUBACK");
    tell(&mut writer, "t/1", b"next");
    us.wait("eu", "both are taken", |s| s.success == 2);
    eu.wait("us", "both came", |s| s.received == 2);
    // One member of each cluster gets a message; here they take turns.
    for payload in [b"kept", b"next"] {
        assert_eq!(next(&mut members[2]).1, payload);
    }
    let mut got = [next(&mut members[0]).1, next(&mut members[1]).1];
    got.sort();
    assert_eq!(got, [b"kept".to_vec(), b"next".to_vec()]);
    sleeper.clean_start = false;
    let (mut back, is_present) = Client::connect(&eu.node, &sleeper);
    assert!(is_present);
    for payload in [b"kept", b"next"] {
        assert_eq!(next(&mut back), ("t/1".into(), payload.to_vec(), 1));
    }
    // It is retained where it was published, and only there.
    let mut late = eu.client("late");
    subscribe(&mut late, "t/1");
    late.fence();
    let mut late = us.client("late");
    subscribe(&mut late, "t/1");
    assert_eq!(next(&mut late).1, b"kept");
}

fn retain(writer: &mut Client, topic: &str, payload: &[u8]) {
    let retained = rookery_codec::Publish {
        qos: QoS::AtLeastOnce,
        retain: true,
        topic,
        packet_id: 1,
        payload,
        ..Default::default()
    };
    writer.send(|out| retained.encode(Version::V5, out));
    writer.read().expect("PUBACK");
}

#[test]
fn what_either_side_retains_both_have() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    let with = |from: &Cluster, to: &Cluster, topics: &[&str]| LinkConfig {
        sync_retained: true,
        ..link(from.name, to.name, &[to.port()], topics)
    };
    let (mut here, mut there) = (eu.client("writer"), us.client("writer"));
    for n in 0..2000 {
        retain(&mut there, &format!("t/{n}"), b"us");
    }
    retain(&mut here, "t/1", b"eu");
    retain(&mut here, "other", b"eu");
    retain(&mut there, "t/2", b"later");
    us.apply(vec![with(&us, &eu, &["t/#"])]);
    eu.apply(vec![with(&eu, &us, &["t/#"])]);
    connected(&eu, &us);
    // What came from here already is not told back.
    eu.wait("us", "all came", |s| s.received >= 1999);
    us.wait("eu", "what is retained there came", |s| s.received == 1);
    for cluster in [&eu, &us] {
        for (topic, payload) in [("t/0", "us"), ("t/1", "eu"), ("t/2", "later"), ("t/1999", "us")] {
            let mut late = cluster.client("late");
            subscribe(&mut late, topic);
            assert_eq!(next(&mut late).1, payload.as_bytes(), "{topic} on {}", cluster.name);
        }
    }
    // A change of later crosses as any message does, if somebody is subscribed there.
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/0");
    assert_eq!(next(&mut reader).1, b"us");
    us.wait("eu", "the route came", |s| s.routes == 1);
    retain(&mut there, "t/0", b"new");
    assert_eq!(next(&mut reader).1, b"new");
    // What is known on both sides is told again after a cut, and nobody gets it twice.
    let before = eu.status("us").received;
    us.apply(vec![]);
    us.apply(vec![with(&us, &eu, &["t/#"])]);
    connected(&eu, &us);
    eu.wait("us", "all came again", |s| s.received == before + 1999);
    reader.fence();
}

/// Passes octets on until it is told to hold them back: a network that is silent.
struct Wire {
    port: u16,
    is_held: Arc<AtomicBool>,
}

impl Wire {
    fn to(target: u16) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_held = Arc::new(AtomicBool::new(false));
        let held = is_held.clone();
        std::thread::spawn(move || {
            for from in listener.incoming().map_while(Result::ok) {
                let to = std::net::TcpStream::connect(("127.0.0.1", target)).unwrap();
                for (from, to) in [(&from, &to), (&to, &from)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let held = held.clone();
                    std::thread::spawn(move || {
                        use std::io::{Read, Write};
                        let mut bytes = [0; 4096];
                        while let Ok(n @ 1..) = from.read(&mut bytes) {
                            if !held.load(Ordering::Relaxed) && to.write_all(&bytes[..n]).is_err() {
                                return;
                            }
                        }
                        let _ = to.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        Self { port, is_held }
    }
}

#[test]
fn a_network_that_is_silent_is_noticed() {
    let (eu, us) = (Cluster::new("eu"), Cluster::new("us"));
    let wire = Wire::to(us.port());
    us.apply(vec![link("us", "eu", &[eu.port()], &["t"])]);
    eu.apply(vec![link("eu", "us", &[wire.port], &["t"])]);
    connected(&eu, &us);
    wire.is_held.store(true, Ordering::Relaxed);
    eu.wait("us", "nothing is heard", |s| {
        s.status == "disconnected"
            && s.reason.as_ref().is_some_and(|r| r.starts_with("timed_out: "))
    });
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t");
    wire.is_held.store(false, Ordering::Relaxed);
    connected(&eu, &us);
    us.wait("eu", "the route came", |s| s.routes == 1);
}
