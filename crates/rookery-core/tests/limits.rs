//! Rates, half-open connections and what a listener says about authentication: short scenes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "scenarios/stage.rs"]
mod stage;

use std::sync::Arc;

use rookery_codec::{Connect, Publish, QoS, SubscriptionOptions, Version};
use rookery_core::config::Admission;
use rookery_core::limiter::ClientRates;
use stage::{Actor, Stage};

fn publishes(version: Version, count: usize, payload_len: usize) -> Vec<u8> {
    let payload = vec![7; payload_len];
    let publish = Publish { topic: "t", payload: &payload, ..Publish::default() };
    let mut out = Vec::new();
    (0..count).for_each(|_| publish.encode(version, &mut out));
    out
}

fn limited(stage: &mut Stage) -> Actor {
    let mut connect = Connect::new(Version::V5, "limited");
    connect.keep_alive_s = 10;
    stage.connect(&connect)
}

#[test]
fn delayed_messages_and_queues_share_a_bound_of_memory() {
    let mut stage = Stage::new();
    stage.config(|config| config.limits.queued_total_bytes = 4_000);
    let mut actor = stage.connect(&Connect::new(Version::V5, "a"));
    let payload = [7; 1_000];
    let delayed = |id: u16, seconds: u8| {
        let topic = format!("$delayed/{seconds}/t");
        let (topic, payload) = (topic.as_str(), &payload[..]);
        let publish =
            Publish { topic, payload, qos: QoS::AtLeastOnce, packet_id: id, ..Publish::default() };
        let mut out = Vec::new();
        publish.encode(Version::V5, &mut out);
        out
    };
    let mut taken = Vec::new();
    for id in 1..=8 {
        actor.offer(&mut stage, &delayed(id, 5));
        taken.push(actor.take(&mut stage) == [format!("PUBACK {id} 0x00")]);
    }
    let count = taken.iter().filter(|was| **was).count();
    assert!((2..=4).contains(&count), "{taken:?}");
    assert!(taken[..count].iter().all(|was| *was), "{taken:?}");
    actor.offer(&mut stage, &delayed(9, 5));
    assert_eq!(actor.take(&mut stage), ["PUBACK 9 0x97"]);
    // What has left makes room.
    stage.pass(6_000);
    actor.offer(&mut stage, &delayed(10, 5));
    assert_eq!(actor.take(&mut stage), ["PUBACK 10 0x00"]);
}

#[test]
fn aliases_of_long_topics_are_bounded() {
    let mut stage = Stage::new();
    let mut connect = Connect::new(Version::V5, "subscriber");
    connect.properties.topic_alias_maximum = Some(100);
    let mut subscriber = stage.connect(&connect);
    subscriber.subscribe(&mut stage, "#", SubscriptionOptions::default());
    subscriber.bytes(&mut stage);
    let mut publisher = stage.connect(&Connect::new(Version::V5, "publisher"));
    let topics: Vec<String> = (0..4).map(|at| format!("{at}{}", "t".repeat(6_000))).collect();
    let mut sent = Vec::new();
    for topic in topics.iter().chain(&topics) {
        let publish = Publish { topic, payload: b"x", ..Publish::default() };
        publisher.send(&mut stage, |out| publish.encode(Version::V5, out));
        sent.push(subscriber.bytes(&mut stage).len());
    }
    let (first, again) = sent.split_at(4);
    assert!(first.iter().all(|len| *len > 6_000), "{sent:?}");
    assert!(again[..2].iter().all(|len| *len < 20), "two of them have an alias: {sent:?}");
    assert!(again[2..].iter().all(|len| *len > 6_000), "the others go out whole: {sent:?}");
}

/// Offers `bytes` for so long as time passes and says how much was taken.
fn offer_for(stage: &mut Stage, actor: &mut Actor, bytes: &[u8], ms: u64) -> usize {
    let mut taken = actor.offer(stage, bytes);
    for _ in 0..ms / 250 {
        stage.pass(0);
        if actor.was_resumed(stage) {
            taken += actor.offer(stage, &bytes[taken..]);
        }
    }
    taken
}

#[test]
fn a_client_above_its_rate_is_not_read_and_loses_nothing() {
    let mut stage = Stage::new();
    stage.listener = |meta| {
        let rates =
            ClientRates { messages_rate: 10.0, messages_burst: 15, ..ClientRates::default() };
        meta.rates = Some(Arc::new(rates));
    };
    let mut receiver = stage.connect(&Connect::new(Version::V311, "receiver"));
    receiver.subscribe(&mut stage, "t", SubscriptionOptions::default());
    let mut client = limited(&mut stage);
    let bytes = publishes(Version::V5, 100, 10);
    let one = bytes.len() / 100;
    // The burst at once, then ten per second.
    let taken = client.offer(&mut stage, &bytes);
    assert_eq!(taken, 15 * one);
    assert!(client.is_paused(&stage));
    assert_eq!(stage.figure("limiter.paused"), 1);
    stage.pass(2000);
    assert!(client.was_resumed(&mut stage));
    assert!(!client.is_paused(&stage));
    let more = client.offer(&mut stage, &bytes[taken..]);
    assert!((10 * one..=15 * one).contains(&more), "{more}");
    let rest = offer_for(&mut stage, &mut client, &bytes[taken + more..], 10_000);
    assert_eq!(taken + more + rest, bytes.len());
    assert!(!client.is_closed(&stage));
    assert_eq!(receiver.take(&mut stage).len(), 100);
}

#[test]
fn bytes_are_bounded_and_a_large_packet_passes() {
    let mut stage = Stage::new();
    stage.listener = |meta| {
        let rates = ClientRates { bytes_rate: 1000.0, ..ClientRates::default() };
        meta.rates = Some(Arc::new(rates));
    };
    let mut client = limited(&mut stage);
    let bytes = publishes(Version::V5, 1, 5000);
    assert_eq!(client.offer(&mut stage, &bytes), bytes.len());
    // Its debt is paid before the next one, be it a PINGREQ.
    assert_eq!(client.offer(&mut stage, &[0xC0, 0]), 0);
    stage.pass(3000);
    assert!(!client.was_resumed(&mut stage));
    stage.pass(1500);
    assert!(client.was_resumed(&mut stage));
    assert_eq!(client.offer(&mut stage, &[0xC0, 0]), 2);
}

#[test]
fn silence_of_a_client_that_is_held_back_is_not_its_own() {
    let mut stage = Stage::new();
    stage.listener = |meta| {
        let rates = ClientRates { bytes_rate: 10.0, ..ClientRates::default() };
        meta.rates = Some(Arc::new(rates));
    };
    let mut client = limited(&mut stage);
    let bytes = publishes(Version::V5, 2, 400);
    let half = bytes.len() / 2;
    assert_eq!(client.offer(&mut stage, &bytes), half);
    // Keep Alive is 10 s; it is held back for about 40.
    stage.pass(30_000);
    assert!(!client.is_closed(&stage) && client.is_paused(&stage));
    stage.pass(15_000);
    assert!(client.was_resumed(&mut stage));
    assert_eq!(client.offer(&mut stage, &bytes[half..]), half);
    // Once it may speak and does not, it is gone.
    stage.pass(10_000);
    assert!(!client.is_closed(&stage));
    stage.pass(20_000);
    assert!(client.is_closed(&stage));
}

#[test]
fn other_reasons_to_read_on_do_not_lift_a_limit() {
    let mut stage = Stage::new();
    stage.listener = |meta| {
        let rates = ClientRates { messages_rate: 1.0, ..ClientRates::default() };
        meta.rates = Some(Arc::new(rates));
    };
    let mut client = limited(&mut stage);
    client.subscribe(
        &mut stage,
        "t",
        SubscriptionOptions { qos: QoS::AtMostOnce, ..Default::default() },
    );
    let bytes = publishes(Version::V5, 2, 10);
    assert_eq!(client.offer(&mut stage, &bytes), bytes.len() / 2);
    assert_eq!(client.take(&mut stage).len(), 1); // flushing its outbox
    assert!(client.is_paused(&stage) && !client.was_resumed(&mut stage));
    assert_eq!(client.offer(&mut stage, &bytes[bytes.len() / 2..]), 0);
    assert_eq!(stage.figure("limiter.paused"), 1);
}

#[test]
fn the_oldest_half_open_connection_gives_way() {
    let mut stage = Stage::new();
    stage.config(|c| c.limits.unauthenticated_connections = 3);
    let admitted = stage.connect(&Connect::new(Version::V311, "admitted"));
    let open: Vec<Actor> = (0..5).map(|_| stage.open()).collect();
    stage.turn();
    let closed: Vec<bool> = open.iter().map(|actor| actor.is_closed(&stage)).collect();
    assert_eq!(closed, [true, true, false, false, false]);
    assert_eq!(stage.figure("overload_protection.evicted"), 2);
    assert_eq!(stage.figure("unauthenticated.count"), 3);
    // An honest client comes through at any time.
    let late = stage.connect(&Connect::new(Version::V311, "late"));
    assert!(late.greeting.starts_with("CONNACK 0x00"), "{}", late.greeting);
    assert!(!admitted.is_closed(&stage) && !late.is_closed(&stage));
}

#[test]
fn clients_that_are_being_decided_about_are_not_displaced() {
    let mut stage = Stage::new();
    stage.admission(Admission::Ask);
    stage.config(|c| c.limits.unauthenticated_connections = 2);
    let deciding = [
        stage.connect(&Connect::new(Version::V5, "a")),
        stage.connect(&Connect::new(Version::V5, "b")),
    ];
    assert!(stage.try_open().is_none());
    assert_eq!(stage.figure("overload_protection.unauthenticated"), 1);
    stage.turn();
    assert!(deciding.iter().all(|actor| !actor.is_closed(&stage)));
}

#[test]
fn what_a_listener_says_about_authentication() {
    let greeting = |admission, listener: fn(&mut rookery_core::effects::ConnMeta), username| {
        let mut stage = Stage::new();
        stage.admission(admission);
        stage.is_local = false;
        stage.listener = listener;
        let actor = stage.connect(&Connect { username, ..Connect::new(Version::V5, "c") });
        (actor.greeting, stage.questions().len())
    };
    let (admitted, refused) = ("CONNACK 0x00".to_owned(), "CONNACK 0x87".to_owned());
    let off = |meta: &mut rookery_core::effects::ConnMeta| meta.enable_authn = false;
    for admission in [Admission::Ask, Admission::LoopbackOnly, Admission::Everyone] {
        assert_eq!(greeting(admission, off, None), (admitted.clone(), 0));
    }
    let quick = |meta: &mut rookery_core::effects::ConnMeta| meta.quick_deny_anonymous = true;
    for admission in [Admission::Ask, Admission::LoopbackOnly, Admission::Everyone] {
        assert_eq!(greeting(admission, quick, None), (refused.clone(), 0));
    }
    assert_eq!(greeting(Admission::Ask, quick, Some("u")), (String::new(), 1));
    assert_eq!(greeting(Admission::Everyone, quick, Some("u")), (admitted, 0));
    let with_cert = |meta: &mut rookery_core::effects::ConnMeta| {
        meta.quick_deny_anonymous = true;
        meta.cert = Some(Arc::default());
    };
    assert_eq!(greeting(Admission::Ask, with_cert, None), (String::new(), 1));
}
