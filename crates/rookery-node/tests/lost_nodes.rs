//! Nodes that die, with their disks or without, as the others are told of it: what was acknowledged comes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rookery_codec::{AckKind, Connect, Packet, QoS, ReasonCode, Version};
use rookery_node::Node;
use rookery_node::cluster::{ClusterConfig, ClusterPeer};
use support::{Client, Dir, config, start, until};

/// A node of a cluster, with a disk.
struct Member {
    node: Node,
    dir: Dir,
    peer: ClusterPeer,
}

impl Member {
    fn start(name: &str, incarnation: u64, dir: Dir) -> Self {
        let node = start(config(), 2, Some(&dir.0));
        let config = ClusterConfig {
            name: name.to_owned(),
            incarnation,
            bind: "127.0.0.1:0".into(),
            secret: b"a secret of sixteen octets or more".to_vec(),
            takeover: Duration::from_secs(20),
            tls: None,
        };
        let port = node.cluster_open(&config).unwrap();
        let address = ([127, 0, 0, 1], port).into();
        let peer = ClusterPeer { name: name.to_owned(), incarnation, address };
        Self { node, dir, peer }
    }

    /// It dies; what is on its disk stays, unless it is dropped.
    fn die(self) -> (ClusterPeer, Dir) {
        (self.peer, self.dir)
    }

    fn meets(&self, others: &[&Self]) {
        self.node.cluster_peers(others.iter().map(|other| other.peer.clone()).collect()).unwrap();
    }

    fn hears_of_loss(&self, lost: &str) {
        self.node.cluster_lost(vec![lost.to_owned()], true, false).unwrap();
    }

    fn partner(&self) -> String {
        let status = self.node.cluster_partner();
        if status.is_whole { status.name } else { String::new() }
    }

    fn routes(&self, of: &str) -> u64 {
        let status = self.node.cluster_status();
        status.iter().find(|peer| peer.name == of).map_or(0, |peer| peer.routes)
    }

    /// Its client of that name; whether the session was there.
    fn come(&self, client_id: &str) -> (Client, bool) {
        Client::connect(&self.node, &durable(client_id))
    }
}

fn durable(client_id: &str) -> Connect<'_> {
    let mut connect = Connect::new(Version::V5, client_id);
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(3600);
    connect
}

fn until_doubled(members: &[&Member]) {
    for member in members {
        until("another node has the sessions", || !member.partner().is_empty());
    }
}

/// The node that is to be lost, its partner, and the others.
fn cluster(count: usize) -> (Member, Member, Vec<Member>) {
    let names = ["a@n", "b@n", "c@n", "d@n"];
    let start = |name: &&str| Member::start(name, 1, Dir::new());
    let mut members: Vec<Member> = names[..count].iter().map(start).collect();
    for at in 0..count {
        let others: Vec<&Member> = (0..count).filter(|n| *n != at).map(|n| &members[n]).collect();
        members[at].meets(&others);
    }
    until_doubled(&members.iter().collect::<Vec<_>>());
    let lost = members.remove(0);
    let name = lost.partner();
    let at = members.iter().position(|member| member.peer.name == name).unwrap();
    let partner = members.remove(at);
    (lost, partner, members)
}

/// A session that waits for what is published.
fn leave_session(at: &Member, client_id: &str, topic: &str, others: &[&Member]) {
    let (mut client, _) = at.come(client_id);
    client.subscribe(&[topic.to_owned()], QoS::ExactlyOnce);
    drop(client);
    until("it is away", || at.node.client(client_id).unwrap().is_some_and(|c| !c.connected));
    for other in others {
        until("its route is known", || other.routes(&at.peer.name) == 1);
    }
}

/// A publisher, and that it has no acknowledgement of the first message.
fn publish_unacknowledged(at: &Member, client_id: &str, topic: &str, payload: &[u8]) -> Client {
    let mut client = Client::new(&at.node, Version::V5, client_id);
    client.publish(topic, QoS::AtLeastOnce, 1, payload);
    client.fence();
    client
}

fn acknowledged_with(client: &mut Client) -> ReasonCode {
    let frame = client.read().unwrap();
    let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    ack.reason
}

/// Payloads that come until that one.
fn take_until(client: &mut Client, last: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    loop {
        let frame = client.read().unwrap();
        match frame.packet() {
            Packet::Publish(publish) => {
                let (payload, id) = (publish.payload.to_vec(), publish.packet_id);
                match publish.qos {
                    QoS::AtMostOnce => {}
                    QoS::AtLeastOnce => client.ack(AckKind::PubAck, id),
                    QoS::ExactlyOnce => client.ack(AckKind::PubRec, id),
                }
                found.push(payload);
            }
            Packet::PubRel(ack) => client.ack(AckKind::PubComp, ack.packet_id),
            other => panic!("{other:?}"),
        }
        if found.last().is_some_and(|payload| payload == last) {
            return found;
        }
    }
}

#[test]
fn nobody_has_an_acknowledgement_while_it_is_not_known_where_the_sessions_are() {
    let (lost, partner, others) = cluster(3);
    let third = &others[0];
    leave_session(&lost, "s", "t", &[&partner, third]);
    let (gone, _burnt) = lost.die();
    // The third one knows that the node is gone, the partner does not.
    third.meets(&[&partner]);
    third.hears_of_loss(&gone.name);
    let mut publisher = publish_unacknowledged(third, "p", "t", b"1");
    // The partner knows it as well, but not that it may take over.
    partner.meets(&[third]);
    partner.node.cluster_lost(Vec::new(), false, false).unwrap();
    let mut beside = publish_unacknowledged(&partner, "q", "t", b"2");
    publisher.fence();
    partner.hears_of_loss(&gone.name);
    assert_eq!(acknowledged_with(&mut publisher), ReasonCode::SUCCESS);
    assert_eq!(acknowledged_with(&mut beside), ReasonCode::SUCCESS);
    publisher.publish("t", QoS::AtLeastOnce, 2, b"end");
    assert_eq!(acknowledged_with(&mut publisher), ReasonCode::SUCCESS);
    let (mut client, was_there) = third.come("s");
    assert!(was_there);
    let mut found = take_until(&mut client, b"end");
    found.sort();
    assert_eq!(found, [&b"1"[..], b"2", b"end"]);
}

#[test]
fn a_node_that_is_back_without_its_disk_has_no_say_in_its_sessions() {
    let (lost, partner, others) = cluster(3);
    let third = &others[0];
    leave_session(&lost, "s", "t", &[&partner, third]);
    lost.come("t").0.fence();
    let (gone, burnt) = lost.die();
    drop(burnt);
    let mut publisher = publish_unacknowledged(third, "p", "t", b"1");
    let back = Member::start(&gone.name, 2, Dir::new());
    let members = vec![partner.peer.name.clone(), third.peer.name.clone()];
    back.node.cluster_expect(members).unwrap();
    // Clients are there before the node has heard of anybody, and before the partner has.
    let mut first = Client::raw(&back.node);
    first.set_version(Version::V5);
    first.send(|out| durable("t").encode(out));
    // It takes somebody else who keeps its sessions, before the partner has seen it.
    back.meets(&[&partner, third]);
    third.meets(&[&partner, &back]);
    until("the third keeps them", || back.partner() == third.peer.name);
    publisher.fence();
    let mut early = Client::raw(&back.node);
    early.set_version(Version::V5);
    early.send(|out| durable("s").encode(out));
    partner.meets(&[third, &back]);
    assert_eq!(acknowledged_with(&mut publisher), ReasonCode::SUCCESS);
    let frame = early.read().unwrap();
    let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert!(ack.session_present, "{ack:?}");
    let frame = first.read().unwrap();
    let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert!(ack.session_present, "{ack:?}");
    until("it is one session", || partner.node.client("s").unwrap().is_none());
    publisher.publish("t", QoS::AtLeastOnce, 2, b"end");
    assert_eq!(acknowledged_with(&mut publisher), ReasonCode::SUCCESS);
    // One of them has gone after the session.
    let mut found = take_until(&mut early, b"end");
    if found.len() < 2 {
        found.extend(take_until(&mut early, b"1"));
    }
    found.sort();
    assert_eq!(found, [&b"1"[..], b"end"]);
}

#[test]
fn a_node_that_is_back_with_its_disk_gets_what_waited_once() {
    let (lost, partner, others) = cluster(3);
    let third = &others[0];
    leave_session(&lost, "s", "t", &[&partner, third]);
    let (gone, dir) = lost.die();
    let mut publisher = publish_unacknowledged(third, "p", "t", b"1");
    let back = Member::start(&gone.name, 2, dir);
    third.meets(&[&partner, &back]);
    publisher.fence();
    back.meets(&[&partner, third]);
    partner.meets(&[third, &back]);
    assert_eq!(acknowledged_with(&mut publisher), ReasonCode::SUCCESS);
    publisher.publish("t", QoS::ExactlyOnce, 2, b"end");
    assert!(matches!(publisher.read().unwrap().packet(), Packet::PubRec(_)));
    let (mut client, was_there) = back.come("s");
    assert!(was_there);
    assert_eq!(take_until(&mut client, b"end"), [&b"1"[..], b"end"]);
}

#[test]
fn what_comes_after_the_client_has_fetched_its_session_goes_after_it() {
    let (lost, partner, others) = cluster(4);
    let [near, late] = &others[..] else { panic!() };
    leave_session(&lost, "s", "t", &[&partner, near, late]);
    let (gone, _burnt) = lost.die();
    // One that has not heard of the loss yet.
    let mut publisher = publish_unacknowledged(late, "p", "t", b"1");
    near.meets(&[&partner, late]);
    partner.meets(&[near, late]);
    near.hears_of_loss(&gone.name);
    partner.hears_of_loss(&gone.name);
    let (mut client, was_there) = near.come("s");
    assert!(was_there);
    publisher.fence();
    late.meets(&[&partner, near]);
    late.hears_of_loss(&gone.name);
    assert_eq!(acknowledged_with(&mut publisher), ReasonCode::SUCCESS);
    assert_eq!(take_until(&mut client, b"1"), [&b"1"[..]]);
}

/// Numbers that look like chance, the same ones for a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// The others hear of it some other time.
    fn pause(&mut self) {
        std::thread::sleep(Duration::from_millis(self.below(15)));
    }
}

/// Publishes with QoS 1 and 2 in turn until it is over; what was acknowledged.
fn publish_until(
    mut client: Client,
    name: &str,
    topics: &[String],
    is_over: &AtomicBool,
) -> Vec<(usize, String)> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return acknowledged;
        }
        let (at, qos) = (number % topics.len(), 1 + number / topics.len() % 2);
        let text = format!("{name}-{number}-{qos}");
        let level = if qos == 1 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        client.publish(&topics[at], level, 1, text.as_bytes());
        if qos == 2 {
            let frame = client.read().unwrap();
            let Packet::PubRec(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
            assert!(!ack.reason.is_error(), "{ack:?}");
            client.ack(AckKind::PubRel, 1);
            assert!(matches!(client.read().unwrap().packet(), Packet::PubComp(_)));
        } else {
            assert!(!acknowledged_with(&mut client).is_error());
        }
        acknowledged.push((at, text));
    }
    acknowledged
}

/// What the others do when they hear of it, in an order that is drawn; the node that is back, and whether it
/// still has its disk.
fn lose(
    chance: &mut Chance,
    lost: Member,
    partner: &Member,
    third: &Member,
) -> Option<(Member, bool)> {
    let (gone, dir) = lost.die();
    let (is_back_at_once, keeps_disk) = (chance.below(2) == 0, chance.below(4) == 0);
    let members = vec![partner.peer.name.clone(), third.peer.name.clone()];
    let start = |dir: Dir| {
        let dir = if keeps_disk { dir } else { Dir::new() };
        let back = Member::start(&gone.name, 2, dir);
        back.node.cluster_expect(members.clone()).unwrap();
        back
    };
    chance.pause();
    let mut order = [0, 1, 2];
    order.swap(0, chance.below(3) as usize);
    if is_back_at_once {
        let back = start(dir);
        for who in order {
            match who {
                0 => back.meets(&[partner, third]),
                1 => partner.meets(&[third, &back]),
                _ => third.meets(&[partner, &back]),
            }
            chance.pause();
        }
        return Some((back, keeps_disk));
    }
    for (who, other) in
        [(partner, third), (third, partner)].into_iter().cycle().skip(order[0] % 2).take(2)
    {
        who.meets(&[other]);
        chance.pause();
        who.hears_of_loss(&gone.name);
        chance.pause();
    }
    drop(dir);
    None
}

#[test]
fn what_was_acknowledged_comes_however_the_others_hear_of_a_loss() {
    let rounds = std::env::var("ROOKERY_ROUNDS").map_or(12, |count| count.parse().unwrap());
    for seed in 0..rounds {
        let mut chance = Chance(seed);
        let (lost, partner, mut others) = cluster(3);
        let third = others.remove(0);
        let topics: Vec<String> = (0..4).map(|n| format!("t{n}")).collect();
        for topic in &topics {
            let (mut client, _) = lost.come(topic);
            client.subscribe(std::slice::from_ref(topic), QoS::ExactlyOnce);
        }
        for other in [&partner, &third] {
            until("its routes are known", || other.routes(&lost.peer.name) == 4);
        }
        let is_over = AtomicBool::new(false);
        let clients = [(&partner, "p"), (&third, "q")]
            .map(|(at, name)| (Client::new(&at.node, Version::V5, name), name));
        let (back, acknowledged) = std::thread::scope(|scope| {
            let (topics, over) = (&topics, &is_over);
            let threads = clients.map(|(client, name)| {
                scope.spawn(move || publish_until(client, name, topics, over))
            });
            chance.pause();
            let back = lose(&mut chance, lost, &partner, &third);
            chance.pause();
            is_over.store(true, Ordering::Relaxed);
            (back, threads.map(|thread| thread.join().unwrap()).concat())
        });
        // Whether it had stored what it did not confirm only a copy of its sessions knows.
        let may_repeat = back.as_ref().is_some_and(|(_, keeps_disk)| *keeps_disk);
        let back = back.map(|(back, _)| back);
        let mut last = Client::new(&partner.node, Version::V5, "last");
        for (at, topic) in topics.iter().enumerate() {
            let nodes: Vec<&Member> = [&partner, &third].into_iter().chain(&back).collect();
            let node = nodes[chance.below(nodes.len() as u64) as usize];
            let (mut client, was_there) = node.come(topic);
            assert!(was_there, "seed {seed}: {topic} at {}", node.peer.name);
            until("it is reached", || {
                last.publish(topic, QoS::AtLeastOnce, 1, b"end");
                acknowledged_with(&mut last) == ReasonCode::SUCCESS
            });
            let got: Vec<String> = take_until(&mut client, b"end")
                .into_iter()
                .map(|payload| String::from_utf8(payload).unwrap())
                .collect();
            for (_, text) in acknowledged.iter().filter(|(of, _)| *of == at) {
                let times = got.iter().filter(|one| *one == text).count();
                let is_once = text.ends_with('2') && !may_repeat;
                let is_right = if is_once { times == 1 } else { times > 0 };
                assert!(is_right, "seed {seed}: {text} came {times} times, of {}", got.len());
            }
        }
    }
}
