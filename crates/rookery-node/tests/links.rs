//! Linked nodes, each a cluster of one, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rookery_codec::{Connect, Packet, QoS, Version};
use rookery_core::config::{Admission, BrokerConfig};
use rookery_core::effects::{Answer, Question, UpEvent, Verdict};
use rookery_node::Node;
use rookery_node::api::{Bind, ListenerConfig, TlsConfig};
use rookery_node::links::{LinkConfig, LinkStatus, LinkTls};
use rustix::event::{PollFd, PollFlags, Timespec};
use support::pki::Pki;
use support::{Client, config, start_on, until};

const PASSWORD: &[u8] = b"secret";

/// A cluster of one node. Whoever comes with the password is admitted, everybody else as well if
/// they name nobody: ordinary clients.
struct Cluster {
    name: &'static str,
    node: Arc<Node>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn answer(node: &Node, is_over: &AtomicBool) {
    // SAFETY: the node lives as long as its thread, which is joined before it.
    #[allow(unsafe_code)]
    let fd = unsafe { BorrowedFd::borrow_raw(node.up_fd()) };
    while !is_over.load(Ordering::Relaxed) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        let _ =
            rustix::event::poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&timeout));
        let answers = node.drain(1000).into_iter().filter_map(|event| {
            let UpEvent::Ask(id, question) = event else { return None };
            let verdict = match question {
                Question::Authenticate { client, password, .. } => {
                    let is_right = password.as_deref() == Some(PASSWORD);
                    if client.username.is_none() || is_right {
                        Verdict::Allow
                    } else {
                        Verdict::Deny(rookery_codec::ReasonCode::BAD_USER_NAME_OR_PASSWORD)
                    }
                }
                _ => Verdict::Allow,
            };
            Some(Answer { id, verdict })
        });
        node.answer(answers.collect());
    }
}

impl Cluster {
    fn new(name: &'static str) -> Self {
        Self::with(name, 0, None)
    }

    fn with(name: &'static str, port: u16, tls: Option<TlsConfig>) -> Self {
        let broker = BrokerConfig { admission: Admission::Ask, ..config() };
        let listener = ListenerConfig {
            bind: Bind::Inet(([127, 0, 0, 1], port).into()),
            tls,
            ..ListenerConfig::default()
        };
        let node = Arc::new(start_on(broker, vec![listener], 2, None));
        let is_over = Arc::new(AtomicBool::new(false));
        let (of_thread, until) = (node.clone(), is_over.clone());
        let thread = std::thread::spawn(move || answer(&of_thread, &until));
        Self { name, node, is_over, thread: Some(thread) }
    }

    fn port(&self) -> u16 {
        let Bind::Inet(address) = self.node.listeners()[0].bind.clone() else { panic!() };
        address.port()
    }

    fn apply(&self, links: Vec<LinkConfig>) {
        self.node.apply_links(self.name, &format!("n@{}", self.name), 1, links).unwrap();
    }

    fn status(&self, name: &str) -> LinkStatus {
        let found = self.node.links_status().into_iter().find(|status| status.name == name);
        found.unwrap_or_else(|| panic!("no link {name}"))
    }

    fn wait(&self, name: &str, what: &str, is_so: impl Fn(&LinkStatus) -> bool) {
        let mut last = self.status(name);
        let begun = std::time::Instant::now();
        while !is_so(&last) {
            assert!(begun.elapsed() < support::DEADLINE, "{what}: {last:?}");
            std::thread::yield_now();
            last = self.status(name);
        }
    }

    fn client(&self, id: &str) -> Client {
        Client::connect(&self.node, &Connect::new(Version::V5, id)).0
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The link of `from` to the cluster `to` on these ports, for these topics.
fn link(from: &str, to: &str, ports: &[u16], topics: &[&str]) -> LinkConfig {
    LinkConfig {
        name: to.into(),
        enable: true,
        servers: ports.iter().map(|port| ("127.0.0.1".to_owned(), *port)).collect(),
        client_id: from.into(),
        username: Some(format!("link-{from}")),
        password: Some(PASSWORD.to_vec()),
        tls: None,
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        pool_size: 2,
        retry_interval_ms: 15_000,
        max_inflight: 32,
        buffer_bytes_max: 1 << 20,
        request_ttl_ms: Some(45_000),
        connect_timeout_ms: 5000,
        health_check_interval_ms: 15_000,
        order_by_client: true,
        accept_username: Some(format!("link-{to}")),
        accept_cert_cn: None,
        accept_clientid_prefix: None,
    }
}

fn join(a: &Cluster, b: &Cluster, topics: &[&str]) {
    a.apply(vec![link(a.name, b.name, &[b.port()], topics)]);
    b.apply(vec![link(b.name, a.name, &[a.port()], topics)]);
    connected(a, b);
}

fn connected(a: &Cluster, b: &Cluster) {
    for (from, to) in [(a, b), (b, a)] {
        from.wait(to.name, "it stands", |s| s.status == "connected" && s.replication == "online");
    }
}

fn subscribe(client: &mut Client, filter: &str) {
    assert_eq!(client.subscribe(&[filter.to_owned()], QoS::AtLeastOnce), [1]);
}

/// The next message: topic, payload, QoS.
fn next(client: &mut Client) -> (String, Vec<u8>, u8) {
    let frame = client.read().expect("a message");
    let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
    let found = (publish.topic.to_owned(), publish.payload.to_vec(), publish.qos as u8);
    if publish.packet_id != 0 {
        client.ack(rookery_codec::AckKind::PubAck, publish.packet_id);
    }
    found
}

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
    writer.publish("t/1", QoS::AtMostOnce, 0, b"last");
    for n in 0..100_u16 {
        assert_eq!(next(&mut reader), ("t/1".into(), n.to_be_bytes().to_vec(), 1));
    }
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
    refuses("nothing there", vec![good()], vec![], "not_authorized");
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
