//! Lists and operations of the management plane, on a node with clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::collections::BTreeSet;

use rookery_codec::{AckKind, Connect, Packet, QoS, ReasonCode, SubscriptionOptions, Version};
use rookery_core::query::{ClientQuery, ClientSort, SubscriptionQuery, SubscriptionSort};
use rookery_node::api::PublishRequest;
use rookery_node::{MessageQuery, MessageSort, MessageWindow, Node, TopicQuery};
use support::{Client, DEADLINE, Dir, config, start, until};

const WORKERS: usize = 3;

fn lasting(id: &str) -> Connect<'_> {
    let mut connect = Connect::new(Version::V5, id);
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(3600);
    connect
}

/// A client that connected once and is away.
fn leave_session(node: &Node, id: &str, filters: &[String]) {
    let (mut client, _) = Client::connect(node, &lasting(id));
    if !filters.is_empty() {
        client.subscribe(filters, QoS::AtLeastOnce);
    }
    drop(client);
    until("it is away", || node.client(id).unwrap().is_some_and(|c| !c.connected));
}

fn message(topic: &str, payload: &[u8], retain: bool) -> PublishRequest {
    PublishRequest {
        topic: topic.into(),
        payload: payload.to_vec(),
        qos: 1,
        retain,
        properties: Vec::new(),
        expiry_s: None,
        client_id: "http_api".into(),
        sys: false,
    }
}

fn every() -> MessageQuery {
    MessageQuery::default()
}

fn matching(filter: &str) -> MessageQuery {
    MessageQuery { filter: Some(filter.into()), ..every() }
}

fn options(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions { qos, no_local: false, retain_as_published: false, retain_handling: 0 }
}

#[test]
fn pages_of_clients_are_filtered_sorted_and_counted() {
    let node = start(config(), WORKERS, None);
    let away: Vec<String> = (0..40).map(|n| format!("away-{n:02}")).collect();
    away.iter().for_each(|id| leave_session(&node, id, &[]));
    let ids: Vec<String> = (0..25).map(|n| format!("here-{n:02}")).collect();
    let _clients: Vec<Client> = ids.iter().map(|id| Client::new(&node, Version::V5, id)).collect();

    let all = node.clients_page(ClientQuery::default(), 0, 10).unwrap();
    assert_eq!((all.rows.len(), all.count), (10, 65));
    let mut seen = BTreeSet::new();
    for page in 0..7 {
        let page = node.clients_page(ClientQuery::default(), page * 10, 10).unwrap();
        seen.extend(page.rows.iter().map(|row| row.info.client_id.to_string()));
    }
    assert_eq!(seen.len(), 65, "every client stands on exactly one page");

    let query = ClientQuery {
        is_connected: Some(false),
        like_client_id: Some("way-".into()),
        sort: Some(ClientSort::ClientId),
        is_descending: true,
        ..ClientQuery::default()
    };
    let page = node.clients_page(query, 5, 3).unwrap();
    let names: Vec<&str> = page.rows.iter().map(|row| &*row.info.client_id).collect();
    assert_eq!((names, page.count), (vec!["away-34", "away-33", "away-32"], 40));

    let named = ClientQuery {
        client_ids: ["here-03", "nobody", "away-07", "here-03"].map(Box::from).to_vec(),
        sort: Some(ClientSort::ClientId),
        ..ClientQuery::default()
    };
    let page = node.clients_page(named, 0, 10).unwrap();
    let names: Vec<&str> = page.rows.iter().map(|row| &*row.info.client_id).collect();
    assert_eq!((names, page.count), (vec!["away-07", "here-03"], 2));
    let past = node.clients_page(ClientQuery::default(), 1000, 10).unwrap();
    assert_eq!((past.rows.len(), past.count), (0, 65));
}

#[test]
fn a_cursor_passes_every_client_once() {
    let node = start(config(), WORKERS, None);
    (0..50).for_each(|n| leave_session(&node, &format!("c{n}"), &[]));
    // Where the last page is full, nothing follows it either.
    for limit in [1, 7, 10, 49, 50, 51] {
        let (mut cursor, mut seen, mut pages) = (0, BTreeSet::new(), 0);
        loop {
            let (rows, next) = node.clients_after(ClientQuery::default(), cursor, limit).unwrap();
            assert!(!rows.is_empty() && rows.len() <= limit);
            seen.extend(rows.iter().map(|row| row.info.client_id.to_string()));
            pages += 1;
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!((seen.len(), pages), (50, 50_usize.div_ceil(limit)), "{limit} a page");
    }
    let (mut cursor, mut pages) = (0, 0);
    while pages == 0 || cursor != 0 {
        cursor = node.clients(cursor, 10).unwrap().1;
        pages += 1;
    }
    assert_eq!(pages, 5);
    let last = ClientQuery { client_ids: vec!["c7".into()], ..ClientQuery::default() };
    let (rows, next) = node.clients_after(last, 0, 1).unwrap();
    assert_eq!((rows.len(), next), (1, 0), "others that are not wanted do not follow");
}

#[test]
fn traffic_of_a_connection_is_counted() {
    let node = start(config(), 1, None);
    let mut client = Client::new(&node, Version::V5, "busy");
    client.subscribe(&["t".to_owned()], QoS::AtMostOnce);
    client.publish("t", QoS::AtLeastOnce, 1, b"one");
    let mut got = BTreeSet::new();
    for _ in 0..2 {
        got.insert(matches!(client.read().unwrap().packet(), Packet::Publish(_)));
    }
    assert_eq!(got.len(), 2, "a PUBACK and a PUBLISH");
    client.fence();

    let view = node.client_view("busy").unwrap().unwrap();

    let traffic = view.traffic;
    assert_eq!(traffic.messages_received, [0, 1, 0]);
    assert_eq!(traffic.messages_sent, [1, 0, 0]);
    // CONNECT, SUBSCRIBE, PUBLISH and the fence; CONNACK, SUBACK, PUBACK, PUBLISH and its answer.
    assert_eq!((traffic.packets_received, traffic.packets_sent), (4, 5));
    assert!(traffic.bytes_received > 20 && traffic.bytes_sent > 20 && traffic.reads >= 3);
    assert_eq!((view.inflight_max, view.mqueue_max, view.awaiting_rel_max), (32, 1000, 100));
    assert!(node.client_view("nobody").unwrap().is_none());
}

#[test]
fn pages_of_subscriptions_are_filtered_and_counted() {
    let node = start(config(), WORKERS, None);
    for n in 0..30 {
        let filters = [format!("plant/{n}/state"), "plant/+/alarm".into(), "$share/g/jobs".into()];
        leave_session(&node, &format!("c{n}"), &filters);
    }
    let by = |query: SubscriptionQuery| node.subscriptions_page(query, 0, 1000).unwrap().count;
    let query = SubscriptionQuery::default;
    assert_eq!(by(query()), 90);
    assert_eq!(by(SubscriptionQuery { share_group: Some("g".into()), ..query() }), 30);
    assert_eq!(by(SubscriptionQuery { match_topic: Some("plant/#".into()), ..query() }), 60);
    assert_eq!(by(SubscriptionQuery { match_topic: Some("plant/7/alarm".into()), ..query() }), 30);
    assert_eq!(by(SubscriptionQuery { topic: Some("plant/7/state".into()), ..query() }), 1);
    assert_eq!(by(SubscriptionQuery { client_id: Some("c7".into()), ..query() }), 3);
    assert_eq!(by(SubscriptionQuery { client_id: Some("c".into()), ..query() }), 0);
    assert_eq!(by(SubscriptionQuery { qos: Some(0), ..query() }), 0);
    let mut seen = BTreeSet::new();
    for page in 0..13 {
        let wanted = SubscriptionQuery { qos: Some(1), ..query() };
        let page = node.subscriptions_page(wanted, page * 7, 7).unwrap();
        assert_eq!(page.count, 90);
        seen.extend(page.rows.iter().map(|r| format!("{} {}", r.client_id, r.info.topic)));
    }
    assert_eq!(seen.len(), 90);
    let topics = node.topics_page(&TopicQuery::default(), 0, 1000).unwrap();
    assert_eq!((topics.rows.len(), topics.count), (32, 32));
    assert_eq!(node.topics_page(&TopicQuery::default(), 30, 10).unwrap().rows.len(), 2);
    assert!(node.has_topic("plant/+/alarm") && node.has_topic("jobs") && !node.has_topic("plant"));
}

#[test]
fn subscriptions_are_sorted_before_they_are_cut() {
    let node = start(config(), WORKERS, None);
    for n in 0..30 {
        leave_session(&node, &format!("c{n:02}"), &[format!("x/{:02}", 99 - n), "all".into()]);
    }
    let page = |sort, is_descending, offset| {
        let sort = Some(sort);
        let query = SubscriptionQuery { sort, is_descending, ..Default::default() };
        let page = node.subscriptions_page(query, offset, 3).unwrap();
        assert_eq!(page.count, 60);
        let rows = page.rows.into_iter();
        rows.map(|row| format!("{} {}", row.client_id, row.info.topic)).collect::<Vec<_>>()
    };
    let by_topic = page(SubscriptionSort::Topic, false, 29);
    assert_eq!(by_topic, ["c29 all", "c29 x/70", "c28 x/71"]);
    assert_eq!(page(SubscriptionSort::Topic, true, 0), ["c00 x/99", "c01 x/98", "c02 x/97"]);
    assert_eq!(page(SubscriptionSort::ClientId, false, 2), ["c01 all", "c01 x/98", "c02 all"]);
    assert_eq!(page(SubscriptionSort::ClientId, true, 58), ["c00 x/99", "c00 all"]);
    assert_eq!(page(SubscriptionSort::Qos, false, 0), ["c00 all", "c01 all", "c02 all"]);
    let like = TopicQuery { like: Some("/7".into()), is_sorted: true, is_descending: true };
    let topics = node.topics_page(&like, 1, 2).unwrap();
    assert_eq!((topics.rows, topics.count), (vec!["x/78".to_owned(), "x/77".to_owned()], 10));
}

#[test]
fn messages_are_filtered_and_sorted_before_they_are_cut() {
    let node = start(config(), WORKERS, None);
    let kept = (0..300).map(|n| message(&format!("r/{n:03}"), b"kept", true));
    node.publish_all(&kept.collect::<Vec<_>>()).unwrap();
    let wait =
        |n: u32| message(&format!("$delayed/{}/d/{:03}", 2000 - n, n % 100), b"later", false);
    node.publish_all(&(0..300).map(wait).collect::<Vec<_>>()).unwrap();

    let descending =
        MessageQuery { sort: Some(MessageSort::Topic), is_descending: true, ..every() };
    let page = node.retained_page(&descending, 1, 2).unwrap();
    let topics: Vec<&str> = page.rows.iter().map(|m| m.topic()).collect();
    assert_eq!((topics, page.count), (vec!["r/298", "r/297"], 300));
    let like = MessageQuery { like_topic: Some("/29".into()), ..descending.clone() };
    assert_eq!(node.retained_page(&like, 8, 5).unwrap().rows.len(), 2);
    let other = MessageQuery { like_client_id: Some("nobody".into()), ..every() };
    assert_eq!(node.retained_page(&other, 0, 5).unwrap().count, 0);

    let page = node.delayed_page(&descending, 2, 2).unwrap();
    let topics: Vec<&str> = page.rows.iter().map(|(_, m)| m.topic()).collect();
    assert_eq!((topics, page.count), (vec!["d/099", "d/098"], 300));
    let some = MessageQuery { like_topic: Some("d/007".into()), qos: Some(1), ..every() };
    let page = node.delayed_page(&some, 0, 10).unwrap();
    assert_eq!(page.count, 3);
    assert!(page.rows.is_sorted_by_key(|(due_ms, _)| *due_ms), "the next one comes first");
}

#[test]
fn a_session_with_very_many_subscriptions_is_looked_through_in_slices() {
    let node = start(config(), 1, None);
    let filters: Vec<String> = (0..5000).map(|n| format!("many/{n}")).collect();
    let (mut client, _) = Client::connect(&node, &lasting("many"));
    for part in filters.chunks(1000) {
        client.subscribe(part, QoS::AtLeastOnce);
    }
    let odd = |page: usize| {
        let query = SubscriptionQuery { match_topic: Some("many/+".into()), ..Default::default() };
        node.subscriptions_page(query, page * 1000, 1000).unwrap()
    };
    let mut seen = BTreeSet::new();
    for page in 0..5 {
        let page = odd(page);
        assert_eq!(page.count, 5000);
        seen.extend(page.rows.iter().map(|row| row.info.topic.to_string()));
    }
    assert_eq!(seen.len(), 5000);
    let of_client =
        SubscriptionQuery { client_id: Some("many".into()), qos: Some(1), ..Default::default() };
    assert_eq!(node.subscriptions_page(of_client, 0, 10).unwrap().count, 5000);
}

#[test]
fn somebody_else_subscribes_and_unsubscribes_for_a_client() {
    let node = start(config(), WORKERS, None);
    let outcome = node.publish_all(&[message("kept", b"retained", true)]).unwrap();
    assert_eq!(outcome[0].matched, 0);
    let mut client = Client::new(&node, Version::V5, "c");
    let filters = vec![
        ("kept".into(), options(QoS::AtLeastOnce)),
        ("bad/#/filter".into(), options(QoS::AtMostOnce)),
    ];

    let made = node.subscribe_client("c", filters).unwrap().unwrap();

    assert_eq!(made[0].as_ref().unwrap().qos, 1);
    assert_eq!(*made[1].as_ref().unwrap_err(), ReasonCode::TOPIC_FILTER_INVALID);
    let frame = client.read().unwrap();
    let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!((publish.topic, publish.payload, publish.retain), ("kept", &b"retained"[..], true));
    client.ack(AckKind::PubAck, publish.packet_id);
    assert_eq!(node.publish_all(&[message("kept", b"now", false)]).unwrap()[0].matched, 1);
    assert!(matches!(client.read().unwrap().packet(), Packet::Publish(p) if p.payload == b"now"));

    let ended = node.unsubscribe_client("c", vec!["kept".into(), "never".into()]);
    assert_eq!(ended.unwrap().unwrap(), [ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED]);
    assert_eq!(node.publish_all(&[message("kept", b"later", false)]).unwrap()[0].matched, 0);
    let nobody = node.subscribe_client("nobody", vec![("t".into(), options(QoS::AtMostOnce))]);
    assert!(nobody.unwrap().is_none());
}

#[test]
fn a_shorter_keep_alive_holds_at_once() {
    let node = start(config(), 1, None);
    let mut connect = Connect::new(Version::V5, "sleeper");
    connect.keep_alive_s = 3600;
    let (mut client, _) = Client::connect(&node, &connect);

    assert!(node.set_keep_alive("sleeper", 1).unwrap());
    assert!(!node.set_keep_alive("nobody", 1).unwrap());

    assert_eq!(node.client("sleeper").unwrap().unwrap().keepalive_s, Some(1));
    let frame = client.read().unwrap();
    let Packet::Disconnect(end) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert_eq!(end.reason, ReasonCode::KEEP_ALIVE_TIMEOUT);
}

#[test]
fn messages_on_their_way_are_shown_page_by_page() {
    for is_stored in [false, true] {
        let dir = Dir::new();
        let node = start(config(), WORKERS, is_stored.then_some(dir.0.as_path()));
        leave_session(&node, "away", &["q".to_owned()]);
        let messages: Vec<_> = (0..25_u8).map(|n| message("q", &[n; 10], false)).collect();
        assert!(node.publish_all(&messages).unwrap().iter().all(|m| m.matched == 1));
        // On their way from the worker that took them to the one that has the session.
        let all = MessageWindow { in_flight: false, after: None, limit: 100, bytes_max: 1000 };
        until("all are queued", || {
            node.client_messages("away", all).unwrap().unwrap().rows.len() == 25
        });

        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let window = MessageWindow { in_flight: false, after, limit: 10, bytes_max: 1000 };
            let page = node.client_messages("away", window).unwrap().unwrap();
            seen.extend(page.rows.iter().map(|row| row.message.payload()[0]));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..25).collect::<Vec<u8>>());
        let little = MessageWindow { in_flight: false, after: None, limit: 10, bytes_max: 25 };
        let page = node.client_messages("away", little).unwrap().unwrap();
        assert_eq!((page.rows.len(), page.next.is_some()), (2, true));

        let (client, _) = Client::connect(&node, &lasting("away"));
        let all = MessageWindow { in_flight: true, after: None, limit: 100, bytes_max: 1000 };
        until("all are in flight", || {
            node.client_messages("away", all).unwrap().unwrap().rows.len() == 25
        });
        drop(client);
        let nobody = node.client_messages("nobody", all).unwrap();
        assert!(nobody.is_none());
    }
}

#[test]
fn retained_messages_are_listed_and_deleted_for_good() {
    let dir = Dir::new();
    let node = start(config(), WORKERS, Some(&dir.0));
    let messages: Vec<_> = (0..600).map(|n| message(&format!("r/{n}"), b"kept", true)).collect();
    node.publish_all(&messages).unwrap();
    node.publish_all(&[message("$own/topic", b"kept", true)]).unwrap();

    assert_eq!(node.retained_page(&every(), 0, 10).unwrap().count, 601);
    let part = node.retained_page(&matching("r/+"), 590, 100).unwrap();
    assert_eq!((part.rows.len(), part.count), (10, 600));
    assert!(node.retained("r/7").is_some() && node.retained("r/x").is_none());
    assert_eq!(node.remove_retained(Some("r/7")).unwrap(), 1);
    assert_eq!(node.remove_retained(Some("r/7")).unwrap(), 0);
    assert_eq!(node.remove_retained(None).unwrap(), 600);
    assert_eq!(node.retained_page(&every(), 0, 10).unwrap().count, 0);

    node.stop(DEADLINE).unwrap();
    drop(node);
    let node = start(config(), WORKERS, Some(&dir.0));
    assert_eq!(node.recovery().retained, 0);
}

#[test]
fn delayed_messages_are_listed_and_taken_back_for_good() {
    let dir = Dir::new();
    let node = start(config(), WORKERS, Some(&dir.0));
    let wait =
        |n: u32, topic: &str| message(&format!("$delayed/{}/{topic}", 1000 + n), b"x", false);
    let messages: Vec<_> = (0..300).map(|n| wait(n, &format!("d/{}", n % 3))).collect();
    let outcomes = node.publish_all(&messages).unwrap();

    let page = node.delayed_page(&every(), 10, 5).unwrap();
    assert_eq!(page.count, 300);
    let topics: Vec<&str> = page.rows.iter().map(|(_, m)| m.topic()).collect();
    assert_eq!(topics, ["d/1", "d/2", "d/0", "d/1", "d/2"], "the next one comes first");
    let id = outcomes[0].id;
    assert_eq!(node.delayed(id).unwrap().unwrap().1.topic(), "d/0");
    assert!(node.remove_delayed(id).unwrap());
    assert!(!node.remove_delayed(id).unwrap() && node.delayed(id).unwrap().is_none());
    assert_eq!(node.remove_delayed_to("d/0").unwrap(), 99);
    assert_eq!(node.remove_delayed_to("d/1").unwrap(), 100);
    assert_eq!(node.delayed_page(&every(), 0, 1).unwrap().count, 100);
    assert_eq!(support::figure(&node, "delayed.count"), 100);

    node.stop(DEADLINE).unwrap();
    drop(node);
    let node = start(config(), WORKERS, Some(&dir.0));
    assert_eq!(node.delayed_page(&every(), 0, 1).unwrap().count, 100);
}

#[test]
fn messages_of_single_topics_are_counted_while_somebody_wants_it() {
    let node = start(config(), WORKERS, None);
    node.count_topics(&["counted".into(), "idle".into()]).unwrap();
    let mut client = Client::new(&node, Version::V5, "c");
    node.publish_all(&[message("counted", b"nobody", false)]).unwrap();
    client.subscribe(&["counted".to_owned(), "other".to_owned()], QoS::AtMostOnce);
    node.publish_all(&[message("counted", b"1", false), message("other", b"2", false)]).unwrap();
    for _ in 0..2 {
        assert!(matches!(client.read().unwrap().packet(), Packet::Publish(_)));
    }

    let counts = node.topic_counts();

    assert_eq!(counts[0].0, "counted");
    assert_eq!(counts[0].1.received, [0, 2, 0]);
    assert_eq!((counts[0].1.sent, counts[0].1.dropped), ([1, 0, 0], 1));
    assert_eq!((counts[1].0.as_str(), counts[1].1.received), ("idle", [0, 0, 0]));
    node.count_topics(&["counted".into()]).unwrap();
    assert_eq!(node.topic_counts()[0].1.received, [0, 2, 0], "what stays goes on");
    node.count_topics(&[]).unwrap();
    assert!(node.topic_counts().is_empty());
}

#[test]
fn many_clients_are_kicked_at_once_and_nothing_is_sent_when_one_message_is_wrong() {
    let node = start(config(), WORKERS, None);
    let ids: Vec<String> = (0..150).map(|n| format!("c{n}")).collect();
    ids.iter().for_each(|id| leave_session(&node, id, &["t".to_owned()]));
    let bad = [message("t", b"", false), message("t/#", b"", false)];
    assert!(node.publish_all(&bad).is_err());
    let window = MessageWindow { in_flight: false, after: None, limit: 1, bytes_max: 10 };
    assert!(node.client_messages("c1", window).unwrap().unwrap().rows.is_empty());

    let mut wanted = ids;
    wanted.push("nobody".into());
    assert_eq!(node.kick_all(&wanted).unwrap(), 150);
    assert_eq!(node.clients_page(ClientQuery::default(), 0, 1).unwrap().count, 0);
}
