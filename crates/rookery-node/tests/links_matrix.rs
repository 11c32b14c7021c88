//! What crosses a link and how: a cluster of three nodes and one of a single node, linked with
//! certificates on both sides. Every row is held against all ways a message can go: from each of the
//! three nodes to the other cluster, and from there to each of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rookery_codec::{Packet, Publish, QoS, Version};
use rookery_node::links::{LinkConfig, LinkTls};
use support::Client;
use support::linked::{Cluster, link};
use support::pki::Pki;

/// What both clusters want of each other.
const TOPICS: [&str; 4] = ["t/#", "u/+", "v/1", "$d/#"];

struct World {
    many: [Cluster; 3],
    one: Cluster,
    _pki: Pki,
}

/// The clusters; one row at a time.
fn world() -> MutexGuard<'static, Option<World>> {
    static WORLD: Mutex<Option<World>> = Mutex::new(None);
    let mut world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    if world.is_none() {
        *world = Some(World::new());
    }
    world
}

impl World {
    fn new() -> Self {
        let pki = Pki::new("matrix");
        pki.write("ca.pem", &pki.ca_pem());
        pki.write_server(&pki.issue("localhost", 1, 2040));
        let many: [Cluster; 3] = Cluster::nodes_with("many", || Some(pki.mutual_settings()));
        let one = Cluster::with("one", 0, Some(pki.mutual_settings()));
        let linked = |from: &Cluster, to: &str, ports: &[u16], serial: u8| {
            let pair = pki.issue(&format!("link-{}", from.name), serial, 2040);
            LinkConfig {
                username: None,
                password: None,
                tls: Some(LinkTls {
                    ca_pem: Some(pki.ca_pem().into_bytes()),
                    cert_pem: Some(pair.cert.into_bytes()),
                    key_pem: Some(pair.key.into_bytes()),
                    verify: true,
                    server_name: Some("localhost".into()),
                }),
                accept_username: None,
                accept_cert_cn: Some(format!("link-{to}")),
                ..link(from.name, to, ports, &TOPICS)
            }
        };
        for node in &many {
            node.apply(vec![linked(node, "one", &[one.port()], 2)]);
        }
        let ports: Vec<u16> = many.iter().map(Cluster::port).collect();
        one.apply(vec![linked(&one, "many", &ports, 3)]);
        let world = Self { many, one, _pki: pki };
        for (node, to) in world.ends() {
            node.wait(to, "it stands", |s| s.status == "connected" && s.replication == "online");
        }
        world
    }

    /// Every node and what its link is called.
    fn ends(&self) -> impl Iterator<Item = (&Cluster, &'static str)> {
        let many = self.many.iter().map(|node| (node, "one"));
        many.chain([(&self.one, "many")])
    }

    /// Writer and reader of every way.
    fn ways(&self) -> impl Iterator<Item = (&Cluster, &Cluster)> {
        self.many.iter().flat_map(|node| [(node, &self.one), (&self.one, node)])
    }
}

/// A row of the matrix.
struct Row {
    /// Subscriptions over there, with their QoS, all of one client.
    filters: &'static [(&'static str, u8)],
    /// What is published here: topic, QoS, RETAIN.
    published: (&'static str, u8, bool),
    /// How many routes those filters make.
    routes: usize,
    /// With which QoS it arrives; none: it does not.
    arrives: Option<u8>,
}

fn check(row: &Row) {
    let world = world();
    let world = world.as_ref().unwrap();
    for (at, (from, to)) in world.ways().enumerate() {
        let link = if from.name == "one" { "many" } else { "one" };
        let mut reader = to.client("reader");
        for (filter, qos) in row.filters {
            let qos = QoS::from_u8(*qos).unwrap();
            assert_eq!(reader.subscribe(&[(*filter).to_owned()], qos), [qos as u8]);
        }
        // Everywhere, so that nothing is left of it when the next way begins.
        for (node, _) in world.ends().filter(|(node, _)| node.name == from.name) {
            node.wait(link, "the routes came", |s| s.routes == row.routes);
        }
        let payload = [u8::try_from(at).unwrap()];
        publish(&mut from.client("writer"), row.published, &payload);
        // What does not arrive would have, before this.
        let is_marked = row.arrives.is_none();
        if let Some(qos) = row.arrives {
            let (topic, came, retain) = receive(&mut reader);
            assert_eq!((topic.as_str(), came), (row.published.0, qos), "way {at}");
            assert!(!retain, "RETAIN is for those who subscribe later");
        }
        if is_marked {
            from.wait(link, "it is matched or not", |s| s.queuing + s.inflight == 0);
        }
        reader.fence();
        drop(reader);
        for (node, to) in world.ends() {
            node.wait(to, "no route is left", |s| s.routes == 0);
        }
        if row.published.2 {
            publish(&mut from.client("writer"), (row.published.0, 1, true), &[]);
        }
    }
}

fn publish(writer: &mut Client, (topic, qos, retain): (&str, u8, bool), payload: &[u8]) {
    let qos = QoS::from_u8(qos).unwrap();
    let packet_id = u16::from(qos != QoS::AtMostOnce);
    let publish = Publish { qos, retain, topic, packet_id, payload, ..Publish::default() };
    writer.send(|out| publish.encode(Version::V5, out));
    match qos {
        QoS::AtMostOnce => writer.fence(),
        _ => drop(writer.read().expect("an acknowledgement")),
    }
}

fn receive(reader: &mut Client) -> (String, u8, bool) {
    let frame = reader.read().expect("a message");
    let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
    let found = (publish.topic.to_owned(), publish.qos as u8, publish.retain);
    if publish.packet_id != 0 {
        reader.ack(rookery_codec::AckKind::PubAck, publish.packet_id);
    }
    found
}

macro_rules! rows {
    ($($name:ident: $filters:expr, $published:expr, $routes:expr => $arrives:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let (filters, published) = (&$filters, $published);
                check(&Row { filters, published, routes: $routes, arrives: $arrives });
            }
        )*
    };
}

rows! {
    qos_0_to_a_subscriber_with_qos_0: [("t/1", 0)], ("t/1", 0, false), 1 => Some(0);
    qos_0_to_a_subscriber_with_qos_2: [("t/1", 2)], ("t/1", 0, false), 1 => Some(0);
    qos_1_to_a_subscriber_with_qos_0: [("t/1", 0)], ("t/1", 1, false), 1 => Some(0);
    qos_1_to_a_subscriber_with_qos_1: [("t/1", 1)], ("t/1", 1, false), 1 => Some(1);
    qos_2_becomes_1: [("t/1", 2)], ("t/1", 2, false), 1 => Some(1);
    retained_crosses_as_any_message: [("t/1", 1)], ("t/1", 1, true), 1 => Some(1);
    one_level_of_any_name: [("t/+", 1)], ("t/x", 1, false), 1 => Some(1);
    any_levels: [("t/#", 1)], ("t/a/b/c", 1, false), 1 => Some(1);
    any_levels_take_their_parent: [("t/#", 1)], ("t", 1, false), 1 => Some(1);
    everything_is_asked_for_as_far_as_the_link_wants_it: [("#", 1)], ("u/x", 1, false), 3 => Some(1);
    everything_takes_no_topic_with_a_dollar: [("#", 1)], ("$d/x", 1, false), 3 => None;
    a_topic_with_a_dollar_that_is_named: [("$d/+", 1)], ("$d/x", 1, false), 1 => Some(1);
    a_filter_that_the_link_narrows: [("v/#", 1)], ("v/1", 1, false), 1 => Some(1);
    what_the_link_narrows_away_stays: [("v/#", 1)], ("v/2", 1, false), 1 => None;
    what_the_link_does_not_name_stays: [("w/1", 1)], ("w/1", 1, false), 0 => None;
    overlapping_filters_get_one_copy: [("t/1", 1), ("t/+", 0), ("t/#", 2)], ("t/1", 1, false), 3 => Some(1);
    a_shared_subscription: [("$share/g/t/1", 1)], ("t/1", 1, false), 1 => Some(1);
    a_shared_subscription_with_a_wildcard: [("$share/g/t/+", 1)], ("t/1", 1, false), 1 => Some(1);
    a_shared_subscription_that_the_link_narrows: [("$share/g/v/+", 1)], ("v/1", 1, false), 1 => Some(1);
    empty_levels_are_levels: [("t//x", 1)], ("t//x", 1, false), 1 => Some(1);
    a_level_may_be_empty_for_a_wildcard: [("t/+/x", 1)], ("t//x", 1, false), 1 => Some(1);
}
