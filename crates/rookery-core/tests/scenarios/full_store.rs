//! What clients see when the store has no room, or cannot write at all.

use rookery_codec::{
    AckKind, Connect, Publish, QoS, Unsubscribe, UnsubscribeFiltersBuf, Version, Will,
};
use rookery_core::persist::{SESSIONS, SUBSCRIPTIONS, WILLS};
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
fn a_session_that_is_stored_is_taken_up_again() {
    for outcome in FULL {
        let mut stage = durable_stage();
        let mut first = stage.connect(&keeper("a"));
        first.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        first.lose(&mut stage);
        stage.store = outcome;
        let will = Will { topic: "w", payload: b"w", delay_interval_s: 5, ..Will::default() };
        let with_will = Connect { will: Some(will), ..keeper("a") };
        for connect in [&keeper("a"), &with_will] {
            let mut again = stage.connect(connect);
            assert_eq!(again.greeting, "CONNACK 0x00 present");
            // Most clients subscribe anew, which changes nothing.
            assert_eq!(again.granted(&mut stage, "t", qos(QoS::AtLeastOnce)), 1);
            again.lose(&mut stage);
        }
        stage.connect(&with_will);
        stage.written.clear();
        stage.store = Outcome::Stored;
        stage.pass(1500);
        stage.connect(&v5("somebody")).subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        stage.connect(&keeper("another"));
        for table in [SESSIONS, WILLS] {
            let is_stored = |(op, _): &(Op, Outcome)| matches!(op, Op::Put { table: to, key, .. } if *to == table && **key == *b"a");
            assert!(stage.written.iter().any(is_stored), "{table:?} of a: {:?}", stage.written);
        }
    }
}

#[test]
fn a_subscription_that_was_refused_is_stored_by_the_next_subscribe() {
    for outcome in FULL {
        let mut stage = durable_stage();
        let mut first = stage.connect(&keeper("a"));
        stage.store = outcome;
        first.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        assert_eq!(first.take(&mut stage), ["DISCONNECT 0x97"]);
        let mut second = stage.connect(&keeper("a"));
        second.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        assert_eq!(second.take(&mut stage), ["DISCONNECT 0x97"]);
        stage.store = Outcome::Stored;
        stage.written.clear();
        let mut third = stage.connect(&keeper("a"));
        assert_eq!(third.granted(&mut stage, "t", qos(QoS::AtLeastOnce)), 1);
        let is_subscription =
            |(op, _): &(Op, Outcome)| matches!(op, Op::Put { table: SUBSCRIPTIONS, .. });
        assert!(stage.written.iter().any(is_subscription), "{:?}", stage.written);
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

/// A client that is away, with a queue of three, full.
fn away_with_three(stage: &mut Stage) -> Actor {
    stage.mqtt(|mqtt| mqtt.max_mqueue_len = 3);
    let mut sleeper = stage.connect(&keeper("sleeper"));
    sleeper.subscribe(stage, "t", qos(QoS::ExactlyOnce));
    sleeper.lose(stage);
    let mut publisher = stage.connect(&v5("publisher"));
    for id in 1..=3 {
        publish(&mut publisher, stage, id);
        assert_eq!(publisher.take(stage), [format!("PUBACK {id} 0x00")]);
    }
    publisher
}

fn publish(from: &mut Actor, stage: &mut Stage, id: u16) {
    let payload = id.to_string();
    let publish = Publish { payload: payload.as_bytes(), ..message("t", QoS::AtLeastOnce, id) };
    from.send(stage, |out| publish.encode(Version::V5, out));
}

/// What the client gets when it connects again.
fn come_back(stage: &mut Stage) -> Vec<String> {
    let mut sleeper = stage.open();
    sleeper.version = Version::V5;
    sleeper.send(stage, |out| keeper("sleeper").encode(out));
    sleeper.received(stage)
}

fn acks(stage: &Stage) -> usize {
    stage.written.iter().filter(|(op, _)| matches!(op, Op::Ack { .. })).count()
}

#[test]
fn a_refused_message_takes_no_place_in_a_queue() {
    for outcome in FULL {
        let mut stage = durable_stage();
        let mut publisher = away_with_three(&mut stage);
        stage.store = outcome;
        for id in 4..=9 {
            publish(&mut publisher, &mut stage, id);
            assert_eq!(publisher.take(&mut stage), [format!("PUBACK {id} 0x97")]);
        }
        assert_eq!(acks(&stage), 0, "nothing stored is given up for what is not");
        stage.store = Outcome::Stored;
        publish(&mut publisher, &mut stage, 10);
        assert_eq!(publisher.take(&mut stage), ["PUBACK 10 0x00"]);
        assert_eq!(acks(&stage), 1, "the oldest goes for what is stored");
        assert_eq!(come_back(&mut stage), ["t 2", "t 3", "t 10"]);
    }
}

#[test]
fn several_messages_of_one_turn_keep_a_queue_to_its_bound() {
    for (outcome, expected) in
        [(Outcome::Stored, ["t 4", "t 5", "t 6"]), (Outcome::Freed, ["t 1", "t 2", "t 3"])]
    {
        let mut stage = durable_stage();
        let mut publisher = away_with_three(&mut stage);
        stage.store = outcome;
        publisher.send(&mut stage, |out| {
            for id in 4..=6 {
                let payload = id.to_string();
                let payload = payload.as_bytes();
                let publish = Publish { payload, ..message("t", QoS::AtLeastOnce, id) };
                publish.encode(Version::V5, out);
            }
        });
        assert_eq!(publisher.take(&mut stage).len(), 3);
        stage.store = Outcome::Stored;
        assert_eq!(come_back(&mut stage), expected, "{outcome:?}");
    }
}
