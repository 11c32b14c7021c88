//! What clients see when the store has no room, or cannot write at all.

use rookery_codec::{AckKind, Connect, QoS, Unsubscribe, UnsubscribeFiltersBuf, Version, Will};
use rookery_core::store_port::{Op, Outcome};

use super::stage::{Actor, Stage};
use crate::{message, qos, v5};

fn durable_stage() -> Stage {
    let mut stage = Stage::new();
    stage.config(|c| c.durable = true);
    stage
}

fn keeper(id: &str) -> Connect<'_> {
    let mut connect = v5(id);
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(60);
    connect
}

const FULL: [Outcome; 2] = [Outcome::Freed, Outcome::Refused];

#[test]
fn a_session_that_cannot_be_stored_is_refused() {
    let will = Will { topic: "w", payload: b"w", ..Will::default() };
    let v311 = |id| Connect::new(Version::V311, id);
    let cases = [
        (keeper("a"), "CONNACK 0x97"),
        (Connect { will: Some(will), ..v5("a") }, "CONNACK 0x97"),
        (Connect { clean_start: false, ..v311("a") }, "CONNACK 0x88"),
        (Connect { will: Some(will), ..v311("a") }, "CONNACK 0x88"),
    ];
    for (connect, answer) in cases {
        for outcome in FULL {
            let mut stage = durable_stage();
            let mut watcher = stage.connect(&v5("watcher"));
            watcher.subscribe(&mut stage, "w", qos(QoS::AtMostOnce));
            stage.store = outcome;
            let actor = stage.connect(&connect);
            assert_eq!(actor.greeting, answer, "{outcome:?}");
            assert!(actor.is_closed(&stage));
            assert_eq!(stage.sessions(), 1, "only the watcher has one");
            assert_eq!(watcher.take(&mut stage), Vec::<String>::new(), "it has no will");
            stage.store = Outcome::Stored;
            assert_eq!(stage.connect(&connect).greeting, "CONNACK 0x00");
        }
    }
}

#[test]
fn a_session_that_is_stored_outlives_a_refused_connect() {
    for outcome in FULL {
        let mut stage = durable_stage();
        let mut first = stage.connect(&keeper("a"));
        first.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        first.lose(&mut stage);
        stage.store = outcome;
        assert_eq!(stage.connect(&keeper("a")).greeting, "CONNACK 0x97");
        stage.store = Outcome::Stored;
        assert_eq!(stage.connect(&keeper("a")).greeting, "CONNACK 0x00 present");
    }
}

#[test]
fn a_clean_start_without_a_session_needs_no_room() {
    for outcome in FULL {
        let mut stage = durable_stage();
        stage.connect(&keeper("a")).lose(&mut stage);
        stage.store = outcome;
        let mut second = stage.connect(&v5("a"));
        if outcome == Outcome::Refused {
            // The old session is still on disk: it may not be forgotten before it is gone there.
            assert_eq!(second.greeting, "");
            stage.store = Outcome::Stored;
            stage.pass(1500);
            second.greeting = second.take(&mut stage).remove(0);
        }
        assert_eq!(second.greeting, "CONNACK 0x00");
    }
}

#[test]
fn a_delayed_message_that_cannot_be_stored_is_refused_and_not_sent() {
    for outcome in FULL {
        let mut stage = durable_stage();
        let mut a = stage.connect(&v5("a"));
        a.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        stage.store = outcome;
        let publish = message("$delayed/1/t", QoS::AtLeastOnce, 7);
        a.send(&mut stage, |out| publish.encode(Version::V5, out));
        assert_eq!(a.take(&mut stage), ["PUBACK 7 0x97"]);
        stage.pass(3000);
        assert_eq!(a.take(&mut stage), Vec::<String>::new());
    }
}

/// A durable client with a QoS 2 message in flight in either direction.
fn exchange(stage: &mut Stage) -> Actor {
    let mut a = stage.connect(&keeper("a"));
    a.subscribe(stage, "t", qos(QoS::ExactlyOnce));
    a.send(stage, |out| message("t", QoS::ExactlyOnce, 5).encode(Version::V5, out));
    let said = a.take(stage);
    assert!(said.contains(&"PUBLISH t 2 id 1".to_owned()), "{said:?}");
    a
}

fn go_on(a: &mut Actor, stage: &mut Stage) {
    a.ack(stage, AckKind::PubRec, 1);
    a.ack(stage, AckKind::PubRel, 5);
    let mut filters = UnsubscribeFiltersBuf::default();
    filters.push("t");
    a.send(stage, |out| Unsubscribe::new(9, &filters).encode(Version::V5, out));
}

#[test]
fn what_needs_no_room_goes_on_in_a_full_store() {
    let mut stage = durable_stage();
    let mut a = exchange(&mut stage);
    stage.store = Outcome::Freed;
    go_on(&mut a, &mut stage);
    let said = a.take(&mut stage);
    assert_eq!(said[..2], ["PUBREL 1 0x00", "PUBCOMP 5 0x00"]);
    assert_eq!(said.len(), 3, "and UNSUBACK: {said:?}");
    a.ack(&mut stage, AckKind::PubComp, 1);
    assert!(!a.is_closed(&stage));
    assert!(
        stage
            .written
            .iter()
            .any(|(op, outcome)| { matches!(op, Op::Ack { .. }) && *outcome == Outcome::Stored })
    );
}

#[test]
fn what_needs_no_room_waits_while_nothing_can_be_written() {
    let mut stage = durable_stage();
    let mut a = exchange(&mut stage);
    stage.store = Outcome::Refused;
    go_on(&mut a, &mut stage);
    stage.pass(5000);
    assert_eq!(a.take(&mut stage), Vec::<String>::new(), "nothing is promised");
    assert!(!a.is_closed(&stage));
    stage.store = Outcome::Stored;
    stage.pass(1500);
    let said = a.take(&mut stage);
    assert_eq!(said[..2], ["PUBREL 1 0x00", "PUBCOMP 5 0x00"]);
    assert_eq!(said.len(), 3, "and UNSUBACK: {said:?}");
}

#[test]
fn a_qos_2_message_leaves_only_when_its_identifier_is_stored() {
    let mut stage = durable_stage();
    let mut connect = keeper("a");
    connect.properties.receive_maximum = Some(1);
    let mut a = stage.connect(&connect);
    a.subscribe(&mut stage, "t", qos(QoS::ExactlyOnce));
    let mut publisher = stage.connect(&v5("publisher"));
    for id in [1, 2] {
        publisher
            .send(&mut stage, |out| message("t", QoS::ExactlyOnce, id).encode(Version::V5, out));
    }
    assert_eq!(a.take(&mut stage), ["PUBLISH t 2 id 1"]);
    a.ack(&mut stage, AckKind::PubRec, 1);
    a.take(&mut stage);
    stage.store = Outcome::Refused;
    a.ack(&mut stage, AckKind::PubComp, 1);
    stage.pass(3000);
    assert_eq!(a.take(&mut stage), Vec::<String>::new());
    stage.store = Outcome::Stored;
    stage.pass(1500);
    assert_eq!(a.take(&mut stage), ["PUBLISH t 2 id 2"]);
}

#[test]
fn what_was_accepted_before_moves_on_in_a_full_store() {
    let mut stage = durable_stage();
    let mut sleeper = stage.connect(&keeper("sleeper"));
    sleeper.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
    sleeper.lose(&mut stage);
    let will = Will { topic: "t", payload: b"w", qos: QoS::AtLeastOnce, ..Will::default() };
    let mut a = stage.connect(&Connect { will: Some(will), ..v5("a") });
    let delayed = message("$delayed/1/t", QoS::AtLeastOnce, 7);
    a.send(&mut stage, |out| delayed.encode(Version::V5, out));
    stage.store = Outcome::Freed;
    stage.written.clear();
    stage.pass(2000);
    a.lose(&mut stage);
    let moved = stage.written.iter().filter(|(op, outcome)| {
        matches!(op, Op::Publish { is_moved: true, .. }) && *outcome == Outcome::Stored
    });
    assert_eq!(moved.count(), 2, "the delayed message and the will: {:?}", stage.written);
}
