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

use rookery_codec::{Connect, Packet, Publish, QoS, Version};
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
    /// The routes that those filters make.
    routes: &'static [&'static str],
    /// With which QoS it arrives; none: it does not.
    arrives: Option<u8>,
    /// The subscriber has a session that it leaves before the message comes.
    is_away: bool,
}

/// The subscriber; with a session that outlives the connection, if there is to be one.
fn subscriber(to: &Cluster, clean_start: bool, expiry_s: u32) -> Client {
    let mut connect = Connect::new(Version::V5, "reader");
    connect.clean_start = clean_start;
    connect.properties.session_expiry_interval_s = Some(expiry_s);
    let (client, is_present) = Client::connect(&to.node, &connect);
    assert_eq!(is_present, !clean_start);
    client
}

/// Goes, and leaves the session.
fn leave(mut reader: Client) {
    reader.send(|out| out.extend_from_slice(&[0xE0, 0]));
    reader.expect_close();
}

fn check(row: &Row) {
    let world = world();
    let world = world.as_ref().unwrap();
    for (at, (from, to)) in world.ways().enumerate() {
        let link = if from.name == "one" { "many" } else { "one" };
        let mut reader = subscriber(to, true, if row.is_away { 60 } else { 0 });
        for (filter, qos) in row.filters {
            let qos = QoS::from_u8(*qos).unwrap();
            assert_eq!(reader.subscribe(&[(*filter).to_owned()], qos), [qos as u8]);
        }
        for (node, _) in world.ends().filter(|(node, _)| node.name == from.name) {
            node.wait_for_routes(link, row.routes);
        }
        let payload = [u8::try_from(at).unwrap()];
        if row.is_away {
            leave(reader);
            publish(&mut from.client("writer"), row.published, &payload);
            from.wait(link, "it is there", |s| s.queuing + s.inflight == 0);
            reader = subscriber(to, false, 0);
        } else {
            publish(&mut from.client("writer"), row.published, &payload);
        }
        if let Some(qos) = row.arrives {
            let (topic, came, retain) = receive(&mut reader);
            assert_eq!((topic.as_str(), came), (row.published.0, qos), "way {at}");
            assert!(!retain, "RETAIN is for those who subscribe later");
        } else {
            // What does not arrive would have, before this.
            from.wait(link, "it is matched or not", |s| s.queuing + s.inflight == 0);
        }
        reader.fence();
        drop(reader);
        for (node, to) in world.ends() {
            node.wait_for_routes(to, &[]);
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
    ($is_away:expr; $($name:ident: $filters:expr, $published:expr, $routes:expr => $arrives:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let (filters, published, routes) = (&$filters, $published, &$routes);
                check(&Row { filters, published, routes, arrives: $arrives, is_away: $is_away });
            }
        )*
    };
}

rows! {
    false;
    qos_0_to_a_subscriber_with_qos_0: [("t/1", 0)], ("t/1", 0, false), ["t/1"] => Some(0);
    qos_0_to_a_subscriber_with_qos_2: [("t/1", 2)], ("t/1", 0, false), ["t/1"] => Some(0);
    qos_1_to_a_subscriber_with_qos_0: [("t/1", 0)], ("t/1", 1, false), ["t/1"] => Some(0);
    qos_1_to_a_subscriber_with_qos_1: [("t/1", 1)], ("t/1", 1, false), ["t/1"] => Some(1);
    qos_2_becomes_1: [("t/1", 2)], ("t/1", 2, false), ["t/1"] => Some(1);
    retained_with_qos_0_crosses_as_any_message: [("t/1", 1)], ("t/1", 0, true), ["t/1"] => Some(0);
    retained_with_qos_1_crosses_as_any_message: [("t/1", 1)], ("t/1", 1, true), ["t/1"] => Some(1);
    retained_with_qos_2_crosses_as_any_message: [("t/1", 2)], ("t/1", 2, true), ["t/1"] => Some(1);
    retained_crosses_for_a_share: [("$share/g/t/+", 1)], ("t/1", 1, true), ["t/+"] => Some(1);
    retained_crosses_for_overlapping_filters_once: [("t/1", 1), ("t/#", 1)], ("t/1", 1, true), ["t/1", "t/#"] => Some(1);
    one_level_of_any_name: [("t/+", 1)], ("t/x", 1, false), ["t/+"] => Some(1);
    any_levels: [("t/#", 1)], ("t/a/b/c", 1, false), ["t/#"] => Some(1);
    any_levels_take_their_parent: [("t/#", 1)], ("t", 1, false), ["t/#"] => Some(1);
    everything_is_asked_for_as_far_as_the_link_wants_it: [("#", 1)], ("u/x", 1, false), ["t/#", "u/+", "v/1"] => Some(1);
    everything_takes_no_topic_with_a_dollar: [("#", 1)], ("$d/x", 1, false), ["t/#", "u/+", "v/1"] => None;
    a_topic_with_a_dollar_that_is_named: [("$d/+", 1)], ("$d/x", 1, false), ["$d/+"] => Some(1);
    a_filter_and_a_link_with_wildcards_at_other_levels: [("+/x", 1)], ("u/x", 1, false), ["t/x", "u/x"] => Some(1);
    a_filter_that_the_link_narrows: [("v/#", 1)], ("v/1", 1, false), ["v/1"] => Some(1);
    what_the_link_narrows_away_stays: [("v/#", 1)], ("v/2", 1, false), ["v/1"] => None;
    what_the_link_does_not_name_stays: [("w/1", 1)], ("w/1", 1, false), [] => None;
    overlapping_filters_get_one_copy: [("t/1", 1), ("t/+", 0), ("t/#", 2)], ("t/1", 1, false), ["t/1", "t/+", "t/#"] => Some(1);
    a_shared_subscription: [("$share/g/t/1", 1)], ("t/1", 1, false), ["t/1"] => Some(1);
    a_shared_subscription_with_a_wildcard: [("$share/g/t/+", 1)], ("t/1", 1, false), ["t/+"] => Some(1);
    a_shared_subscription_that_the_link_narrows: [("$share/g/v/+", 1)], ("v/1", 1, false), ["v/1"] => Some(1);
    empty_levels_are_levels: [("t//x", 1)], ("t//x", 1, false), ["t//x"] => Some(1);
    a_level_may_be_empty_for_a_wildcard: [("t/+/x", 1)], ("t//x", 1, false), ["t/+/x"] => Some(1);
}

rows! {
    true;
    a_session_that_is_away_gets_qos_1: [("t/1", 1)], ("t/1", 1, false), ["t/1"] => Some(1);
    a_session_that_is_away_gets_qos_2_as_1: [("t/+", 2)], ("t/1", 2, false), ["t/+"] => Some(1);
    a_session_that_is_away_gets_qos_0_as_well: [("t/1", 0)], ("t/1", 1, false), ["t/1"] => Some(0);
    a_session_that_is_away_gets_what_is_retained_there: [("t/1", 1)], ("t/1", 1, true), ["t/1"] => Some(1);
    a_session_that_is_away_gets_one_copy: [("t/1", 1), ("t/#", 1)], ("t/1", 1, false), ["t/1", "t/#"] => Some(1);
    a_share_of_a_session_that_is_away: [("$share/g/t/1", 1)], ("t/1", 1, false), ["t/1"] => Some(1);
    what_the_link_narrows_away_stays_for_a_session: [("v/#", 1)], ("v/2", 1, false), ["v/1"] => None;
}
