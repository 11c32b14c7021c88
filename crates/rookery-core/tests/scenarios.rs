//! Rules of sessions and delivery, one short scene each, against one shard without I/O.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod scenarios {
    pub mod exclusive;
    pub mod full_store;
    pub mod leaving;
    pub mod meeting;
    pub mod moving;
    pub mod restored;
    pub mod retry;
    pub mod stage;
}

use rookery_codec::{
    Ack, AckKind, Connect, Disconnect, Publish, PublishProperties, QoS, ReasonCode,
    SubscriptionOptions, Version, Will,
};
use rookery_core::config::{AutoSubscribe, RewriteAction, RewriteRule};
use rookery_core::effects::{Question, Verdict};
use rookery_core::store_port::Outcome;
use scenarios::stage::{Actor, Stage};

pub(crate) fn v5(id: &str) -> Connect<'_> {
    Connect::new(Version::V5, id)
}

pub(crate) fn qos(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions { qos, ..SubscriptionOptions::default() }
}

pub(crate) fn message<'a>(topic: &'a str, qos: QoS, packet_id: u16) -> Publish<'a> {
    Publish { topic, qos, packet_id, payload: b"m", ..Publish::default() }
}

#[test]
fn a_refused_connect_is_told_why_and_leaves_no_session() {
    let will = |topic| Will {
        topic,
        payload: b"w",
        qos: QoS::ExactlyOnce,
        retain: true,
        ..Will::default()
    };
    type Case<'a> = (&'a str, fn(&mut Stage), Connect<'a>, ReasonCode);
    let mut with_method = v5("a");
    with_method.properties.authentication_method = Some("SCRAM");
    let nobody_v311 = Connect { clean_start: false, ..Connect::new(Version::V311, "") };
    let cases: [Case<'_>; 9] = [
        ("method", |_| {}, with_method, ReasonCode::BAD_AUTHENTICATION_METHOD),
        (
            "long id",
            |s| s.mqtt(|m| m.max_clientid_len = 3),
            v5("four"),
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
        ),
        ("no id, 3.1.1", |_| {}, nobody_v311, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        (
            "no id, 3.1",
            |_| {},
            Connect::new(Version::V31, ""),
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
        ),
        (
            "will QoS",
            |s| s.mqtt(|m| m.max_qos_allowed = 1),
            Connect { will: Some(will("w")), ..v5("a") },
            ReasonCode::QOS_NOT_SUPPORTED,
        ),
        (
            "will retain",
            |s| s.mqtt(|m| m.retain_available = false),
            Connect { will: Some(will("w")), ..v5("a") },
            ReasonCode::RETAIN_NOT_SUPPORTED,
        ),
        (
            "will depth",
            |s| s.mqtt(|m| m.max_topic_levels = 2),
            Connect { will: Some(will("a/b/c")), ..v5("a") },
            ReasonCode::TOPIC_NAME_INVALID,
        ),
        (
            "will $SYS",
            |_| {},
            Connect { will: Some(will("$SYS/x")), ..v5("a") },
            ReasonCode::NOT_AUTHORIZED,
        ),
        ("stranger", |s| s.is_local = false, v5("a"), ReasonCode::NOT_AUTHORIZED),
    ];
    for (name, prepare, connect, reason) in cases {
        let mut stage = Stage::new();
        prepare(&mut stage);
        stage.admission(rookery_core::config::Admission::LoopbackOnly);
        let mut actor = stage.open();
        actor.send(&mut stage, |out| connect.encode(out));
        let version = connect.version;
        actor.version = version;
        let said = actor.take(&mut stage);
        if version == Version::V5 {
            assert_eq!(said, [format!("CONNACK {:#04x}", reason.0)], "{name}");
        } else {
            assert_eq!(
                said,
                [format!(
                    "CONNACK {:#04x}",
                    ReasonCode::from_connack_v3(reason.connack_v3()).unwrap().0
                )],
                "{name}"
            );
        }
        assert!(actor.is_closed(&stage), "{name}");
        assert_eq!(stage.sessions(), 0, "{name}");
    }
}

#[test]
fn a_takeover_is_told_and_the_session_goes_on() {
    let mut stage = Stage::new();
    let mut connect = v5("a");
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(60);
    let mut first = stage.connect(&connect);
    assert_eq!(first.greeting, "CONNACK 0x00");
    let second = stage.connect(&connect);
    assert_eq!(second.greeting, "CONNACK 0x00 present");
    assert_eq!(first.take(&mut stage), ["DISCONNECT 0x8e"]);
    assert!(first.is_closed(&stage));
    connect.clean_start = true;
    assert_eq!(stage.connect(&connect).greeting, "CONNACK 0x00");
}

/// How the client of a will goes.
enum End {
    Normal,
    WithWill,
    Lost,
    Silent,
    Back,
    BackClean,
}

#[test]
fn a_will_is_published_when_it_has_to_be() {
    // Delay, session expiry, how it ends, seconds that pass, whether it is there then.
    let cases = [
        (0, 0, End::Normal, 60, false),
        (0, 0, End::WithWill, 0, true),
        (0, 0, End::Lost, 0, true),
        (0, 60, End::Silent, 100, true),
        (10, 60, End::Lost, 5, false),
        (10, 60, End::Lost, 11, true),
        (10, 5, End::Lost, 6, true),
        (10, 0, End::Lost, 0, true),
        (10, 60, End::Back, 60, false),
        (10, 60, End::BackClean, 0, true),
        (0, 60, End::Back, 0, true),
    ];
    for (n, (delay, expiry, end, passes_s, comes)) in cases.into_iter().enumerate() {
        let mut stage = Stage::new();
        let mut watcher = stage.connect(&v5("watcher"));
        watcher.subscribe(&mut stage, "w", qos(QoS::AtMostOnce));
        let mut connect = v5("a");
        connect.keep_alive_s = 10;
        connect.properties.session_expiry_interval_s = Some(expiry);
        connect.will =
            Some(Will { topic: "w", payload: b"m", delay_interval_s: delay, ..Will::default() });
        let mut actor = stage.connect(&connect);
        let bye = |reason| Disconnect { reason, ..Disconnect::default() };
        connect.will = None;
        connect.clean_start = false;
        match end {
            End::Normal => actor.send(&mut stage, |out| {
                bye(ReasonCode::NORMAL_DISCONNECTION).encode(Version::V5, out)
            }),
            End::WithWill => actor.send(&mut stage, |out| {
                bye(ReasonCode::DISCONNECT_WITH_WILL).encode(Version::V5, out)
            }),
            End::Lost => actor.lose(&mut stage),
            End::Silent => {}
            End::Back => drop(stage.connect(&connect)),
            End::BackClean => {
                connect.clean_start = true;
                drop(stage.connect(&connect));
            }
        }
        stage.pass(passes_s * 1000);
        assert_eq!(!watcher.take(&mut stage).is_empty(), comes, "case {n}");
    }
}

#[test]
fn a_packet_that_breaks_a_rule_ends_the_connection_with_its_reason() {
    let alias =
        |alias| PublishProperties { topic_alias: Some(alias), ..PublishProperties::default() };
    type Case = (&'static str, fn(&mut Stage), Vec<u8>, ReasonCode);
    let publish = |p: Publish<'_>| {
        let mut out = Vec::new();
        p.encode(Version::V5, &mut out);
        out
    };
    let cases: [Case; 5] = [
        (
            "subscription identifier",
            |_| {},
            vec![0x30, 6, 0, 1, b't', 2, 11, 5],
            ReasonCode::PROTOCOL_ERROR,
        ),
        (
            "alias above",
            |s| s.mqtt(|m| m.max_topic_alias = 5),
            publish(Publish { properties: alias(6), ..message("t", QoS::AtMostOnce, 0) }),
            ReasonCode::TOPIC_ALIAS_INVALID,
        ),
        (
            "alias unknown",
            |_| {},
            publish(Publish { properties: alias(1), ..message("", QoS::AtMostOnce, 0) }),
            ReasonCode::PROTOCOL_ERROR,
        ),
        (
            "QoS",
            |s| s.mqtt(|m| m.max_qos_allowed = 1),
            publish(message("t", QoS::ExactlyOnce, 1)),
            ReasonCode::QOS_NOT_SUPPORTED,
        ),
        (
            "retain",
            |s| s.mqtt(|m| m.retain_available = false),
            publish(Publish { retain: true, ..message("t", QoS::AtMostOnce, 0) }),
            ReasonCode::RETAIN_NOT_SUPPORTED,
        ),
    ];
    for (name, prepare, bytes, reason) in cases {
        let mut stage = Stage::new();
        prepare(&mut stage);
        let mut actor = stage.connect(&v5("a"));
        actor.send(&mut stage, |out| out.extend_from_slice(&bytes));
        assert_eq!(actor.take(&mut stage), [format!("DISCONNECT {:#04x}", reason.0)], "{name}");
        assert!(actor.is_closed(&stage), "{name}");
    }
}

#[test]
fn a_publish_that_is_not_allowed_is_answered() {
    for (topic, reason) in [
        ("$SYS/x", ReasonCode::NOT_AUTHORIZED),
        ("$share/g/t", ReasonCode::NOT_AUTHORIZED),
        ("$queue/t", ReasonCode::NOT_AUTHORIZED),
        ("$LINK/x", ReasonCode::NOT_AUTHORIZED),
        ("$delayed/soon/t", ReasonCode::TOPIC_NAME_INVALID),
        ("$delayed/5/$SYS/x", ReasonCode::NOT_AUTHORIZED),
        // Larger than any delay, a time in seconds since 1970: one in the year 2106.
        ("$delayed/4294967296/t", ReasonCode::TOPIC_NAME_INVALID),
        ("$delayed/18446744073709551615/t", ReasonCode::TOPIC_NAME_INVALID),
        ("nobody", ReasonCode::NO_MATCHING_SUBSCRIBERS),
    ] {
        let mut stage = Stage::new();
        let mut actor = stage.connect(&v5("a"));
        actor.send(&mut stage, |out| message(topic, QoS::AtLeastOnce, 7).encode(Version::V5, out));
        assert_eq!(actor.take(&mut stage), [format!("PUBACK 7 {:#04x}", reason.0)], "{topic}");
    }
}

#[test]
fn qos_2_takes_four_steps_in_either_direction() {
    let mut stage = Stage::new();
    let mut a = stage.connect(&v5("a"));
    a.subscribe(&mut stage, "t", qos(QoS::ExactlyOnce));
    let publish = message("t", QoS::ExactlyOnce, 5);
    a.send(&mut stage, |out| publish.encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBLISH t 2 id 1", "PUBREC 5 0x00"]);
    a.send(&mut stage, |out| Publish { dup: true, ..publish }.encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBREC 5 0x00"], "a repetition is no new message");
    a.ack(&mut stage, AckKind::PubRel, 5);
    a.ack(&mut stage, AckKind::PubRel, 5);
    assert_eq!(a.take(&mut stage), ["PUBCOMP 5 0x00", "PUBCOMP 5 0x92"]);
    a.ack(&mut stage, AckKind::PubRec, 1);
    a.ack(&mut stage, AckKind::PubRec, 9);
    assert_eq!(a.take(&mut stage), ["PUBREL 1 0x00", "PUBREL 9 0x92"]);
    a.ack(&mut stage, AckKind::PubComp, 1);
    a.send(&mut stage, |out| message("t", QoS::ExactlyOnce, 6).encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBLISH t 2 id 2", "PUBREC 6 0x00"]);
    let refusal = Ack { packet_id: 2, reason: ReasonCode::UNSPECIFIED_ERROR, ..Ack::default() };
    a.send(&mut stage, |out| refusal.encode(AckKind::PubRec, Version::V5, out));
    assert_eq!(a.take(&mut stage), Vec::<String>::new(), "an error ends the exchange");
}

#[test]
fn receive_maximum_holds_in_both_directions() {
    let mut stage = Stage::new();
    stage.mqtt(|m| m.max_inflight = 3);
    let mut connect = v5("narrow");
    connect.properties.receive_maximum = Some(2);
    let mut narrow = stage.connect(&connect);
    narrow.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
    let mut publisher = stage.connect(&v5("publisher"));
    for id in 1..=3 {
        publisher
            .send(&mut stage, |out| message("t", QoS::ExactlyOnce, id).encode(Version::V5, out));
    }
    assert_eq!(narrow.take(&mut stage), ["PUBLISH t 1 id 1", "PUBLISH t 1 id 2"]);
    narrow.ack(&mut stage, AckKind::PubAck, 2);
    assert_eq!(narrow.take(&mut stage), ["PUBLISH t 1 id 3"]);
    publisher.take(&mut stage);
    publisher.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 4).encode(Version::V5, out));
    assert_eq!(publisher.take(&mut stage), ["DISCONNECT 0x93"]);
}

#[test]
fn a_packet_larger_than_the_client_takes_is_left_out() {
    let mut stage = Stage::new();
    let mut connect = v5("small");
    connect.properties.maximum_packet_size = Some(30);
    let mut small = stage.connect(&connect);
    small.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
    let mut publisher = stage.connect(&v5("publisher"));
    for len in [23, 24, 1] {
        let payload = vec![b'x'; len];
        publisher.send(&mut stage, |out| {
            Publish { payload: &payload, ..message("t", QoS::AtMostOnce, 0) }
                .encode(Version::V5, out)
        });
    }
    // QoS 0: 2 + 3 + 1 + payload: 24 fit.
    assert_eq!(small.take(&mut stage), ["PUBLISH t 0", "PUBLISH t 0", "PUBLISH t 0"]);
    let payload = vec![b'x'; 25];
    publisher.send(&mut stage, |out| {
        Publish { payload: &payload, ..message("t", QoS::AtLeastOnce, 1) }.encode(Version::V5, out)
    });
    publisher.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 2).encode(Version::V5, out));
    assert_eq!(small.take(&mut stage).len(), 1, "the one that fits");
}

#[test]
fn retained_messages_come_as_the_subscription_asks() {
    for (handling, again, comes) in
        [(0, false, true), (0, true, true), (1, false, true), (1, true, false), (2, false, false)]
    {
        let mut stage = Stage::new();
        let mut a = stage.connect(&v5("a"));
        a.send(&mut stage, |out| {
            Publish { retain: true, ..message("t", QoS::AtMostOnce, 0) }.encode(Version::V5, out)
        });
        let options = SubscriptionOptions { retain_handling: handling, ..qos(QoS::AtLeastOnce) };
        a.subscribe(&mut stage, "t", options);
        if again {
            a.take(&mut stage);
            a.subscribe(&mut stage, "t", options);
        }
        stage.turn();
        let expected: &[&str] = if comes { &["PUBLISH t 0 retain"] } else { &[] };
        assert_eq!(a.take(&mut stage), expected, "handling {handling}, again {again}");
    }
}

#[test]
fn a_session_lives_as_long_as_the_client_said_last() {
    // CONNECT, DISCONNECT, seconds away, whether it is there.
    for (connect_s, disconnect_s, away_s, is_there) in [
        (10, None, 5, true),
        (10, None, 12, false),
        (10, Some(60), 30, true),
        (10, Some(0), 0, false),
        (0, None, 0, false),
    ] {
        let mut stage = Stage::new();
        let mut connect = v5("a");
        connect.properties.session_expiry_interval_s = Some(connect_s);
        let mut a = stage.connect(&connect);
        let bye = Disconnect { session_expiry_interval_s: disconnect_s, ..Disconnect::default() };
        a.send(&mut stage, |out| bye.encode(Version::V5, out));
        stage.pass(away_s * 1000);
        assert_eq!(
            stage.sessions(),
            usize::from(is_there),
            "{connect_s} {disconnect_s:?} {away_s}"
        );
    }
}

#[test]
fn a_shared_message_of_a_member_that_left_goes_to_another() {
    let mut stage = Stage::new();
    let mut first = stage.connect(&v5("first"));
    first.subscribe(&mut stage, "$share/g/t", qos(QoS::ExactlyOnce));
    let mut publisher = stage.connect(&v5("publisher"));
    publisher.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 1).encode(Version::V5, out));
    publisher.send(&mut stage, |out| message("t", QoS::ExactlyOnce, 2).encode(Version::V5, out));
    assert_eq!(first.take(&mut stage), ["PUBLISH t 1 id 1", "PUBLISH t 2 id 2"]);
    let mut second = stage.connect(&v5("second"));
    second.subscribe(&mut stage, "$share/g/t", qos(QoS::ExactlyOnce));
    first.lose(&mut stage);
    stage.turn();
    // MQTT-5.0 [MQTT-4.8.2-5]: QoS 1 may go to another member, QoS 2 that was sent never.
    assert_eq!(second.take(&mut stage), ["PUBLISH t 1 id 1"]);
}

#[test]
fn topics_are_rewritten_delayed_and_subscribed_automatically() {
    let mut stage = Stage::new();
    stage.config(|c| {
        c.rewrite.push(RewriteRule {
            action: RewriteAction::All,
            source_topic: "x/#".into(),
            re: "^x/(.+)$".into(),
            dest_topic: "y/$1".into(),
        });
        c.auto_subscribe.push(AutoSubscribe {
            topic: "in/${clientid}".into(),
            qos: 0,
            rh: 0,
            rap: false,
            nl: false,
        });
    });
    let mut a = stage.connect(&v5("a"));
    a.subscribe(&mut stage, "x/1", qos(QoS::AtMostOnce));
    for topic in ["y/1", "x/1", "in/a", "$delayed/3/y/1"] {
        a.send(&mut stage, |out| message(topic, QoS::AtMostOnce, 0).encode(Version::V5, out));
    }
    assert_eq!(a.take(&mut stage), ["PUBLISH y/1 0", "PUBLISH y/1 0", "PUBLISH in/a 0"]);
    stage.pass(3500);
    assert_eq!(a.take(&mut stage), ["PUBLISH y/1 0"]);
}

#[test]
fn answers_of_hooks_are_obeyed_in_the_order_of_the_packets() {
    let mut stage = Stage::new();
    stage.config(|c| {
        c.hooks.publish = true;
        c.hooks.deadline_ms = 1000;
    });
    let mut a = stage.connect(&v5("a"));
    a.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
    for id in 1..=3 {
        a.send(&mut stage, |out| message("t", QoS::AtLeastOnce, id).encode(Version::V5, out));
    }
    let asked = stage.questions();
    assert_eq!(asked.len(), 3, "asked in a pipeline");
    assert!(matches!(asked[0].1, Question::Publish { .. }));
    stage.answer(asked[2].0, Verdict::Drop);
    stage.answer(asked[1].0, Verdict::Deny(ReasonCode::QUOTA_EXCEEDED));
    assert_eq!(a.take(&mut stage), Vec::<String>::new(), "the first one is not decided");
    stage.answer(asked[0].0, Verdict::Allow);
    assert_eq!(
        a.take(&mut stage),
        ["PUBLISH t 0", "PUBACK 1 0x00", "PUBACK 2 0x97", "PUBACK 3 0x00"]
    );
    a.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 4).encode(Version::V5, out));
    stage.pass(1500);
    assert_eq!(a.take(&mut stage), ["PUBACK 4 0x83"], "nobody answered");
}

#[test]
fn a_late_answer_about_connect_decides_nothing_else() {
    let mut stage = Stage::new();
    stage.admission(rookery_core::config::Admission::Ask);
    stage.config(|c| {
        c.hooks.authorize = true;
        c.hooks.deadline_ms = 1000;
        c.hooks.unanswered_allows = true;
    });
    let mut a: Actor = stage.open();
    a.version = Version::V5;
    a.send(&mut stage, |out| v5("a").encode(out));
    let asked = stage.questions();
    stage.pass(1500);
    assert_eq!(a.take(&mut stage), ["CONNACK 0x00"]);
    stage.config(|c| c.hooks.unanswered_allows = false);
    a.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 1).encode(Version::V5, out));
    stage.answer(asked[0].0, Verdict::Allow);
    assert_eq!(a.take(&mut stage), Vec::<String>::new(), "the PUBLISH is still not decided");
    stage.pass(1500);
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x87"]);
}

#[test]
fn a_write_that_the_store_refuses_is_not_acknowledged() {
    for version in [Version::V5, Version::V311] {
        let mut stage = Stage::new();
        stage.config(|c| c.durable = true);
        let mut connect = v5("keeper");
        connect.properties.session_expiry_interval_s = Some(60);
        let mut keeper = stage.connect(&connect);
        keeper.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
        let mut publisher = stage.connect(&Connect::new(version, "publisher"));
        stage.store = Outcome::Refused;
        publisher.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 1).encode(version, out));
        stage.turn();
        let said = publisher.take(&mut stage);
        if version == Version::V5 {
            assert_eq!(said, ["PUBACK 1 0x97"]);
        } else {
            assert_eq!(said, Vec::<String>::new());
            assert!(publisher.is_closed(&stage));
        }
    }
}

#[test]
fn a_retained_message_that_the_store_refuses_is_not_retained() {
    for was_there in [true, false] {
        let mut stage = Stage::new();
        stage.config(|c| c.durable = true);
        let mut publisher = stage.connect(&v5("publisher"));
        let retained =
            |packet_id| Publish { retain: true, ..message("t", QoS::AtLeastOnce, packet_id) };
        if was_there {
            publisher.send(&mut stage, |out| retained(1).encode(Version::V5, out));
            assert_eq!(publisher.take(&mut stage), ["PUBACK 1 0x10"]);
        }
        stage.store = Outcome::Refused;
        // Both in one turn: the first is what the second would fall back to.
        publisher.send(&mut stage, |out| {
            retained(2).encode(Version::V5, out);
            retained(3).encode(Version::V5, out);
        });
        stage.store = Outcome::Stored;
        assert_eq!(publisher.take(&mut stage), ["PUBACK 2 0x97", "PUBACK 3 0x97"]);
        let mut reader = stage.connect(&v5("reader"));
        reader.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
        let expected: &[&str] = if was_there { &["PUBLISH t 0 retain"] } else { &[] };
        assert_eq!(reader.take(&mut stage), expected, "was there: {was_there}");
    }
}

#[test]
fn a_remaining_length_takes_the_fewest_bytes_in_mqtt_5() {
    let mut stage = Stage::new();
    let ping = [0xC0, 0x80, 0x00];
    let mut new = stage.connect(&v5("new"));
    new.send(&mut stage, |out| out.extend_from_slice(&ping));
    assert_eq!(new.take(&mut stage), ["DISCONNECT 0x81"]);
    assert!(new.is_closed(&stage));
    // Nothing in MQTT 3.1.1 forbids it.
    let mut old = stage.connect(&Connect::new(Version::V311, "old"));
    old.send(&mut stage, |out| out.extend_from_slice(&ping));
    assert!(!old.is_closed(&stage));
    assert_eq!(old.bytes(&mut stage), [0xD0, 0]);
    // CONNECT itself.
    for (connect, greeting) in
        [(v5("c"), "CONNACK 0x81"), (Connect::new(Version::V311, "c"), "CONNACK 0x00")]
    {
        let mut client = stage.open();
        client.version = connect.version;
        let mut bytes = Vec::new();
        connect.encode(&mut bytes);
        bytes[1] |= 0x80;
        bytes.insert(2, 0);
        client.send(&mut stage, |out| out.extend_from_slice(&bytes));
        assert_eq!(client.take(&mut stage), [greeting]);
    }
}

#[test]
fn qos_2_messages_without_pubrel_are_bounded_in_mqtt_3() {
    let mut stage = Stage::new();
    stage.mqtt(|mqtt| mqtt.max_awaiting_rel = 3);
    let mut receiver = stage.connect(&v5("receiver"));
    receiver.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
    receiver.take(&mut stage);
    let mut connect = Connect::new(Version::V311, "old");
    connect.clean_start = false;
    let mut old = stage.connect(&connect);
    let publish = |id: u16, out: &mut Vec<u8>| {
        message("t", QoS::ExactlyOnce, id).encode(Version::V311, out);
    };
    for id in 1..=5 {
        old.send(&mut stage, |out| publish(id, out));
    }
    let pubrec = |id: u16| format!("PUBREC {id} 0x00");
    assert_eq!(old.take(&mut stage), [pubrec(1), pubrec(2), pubrec(3)]);
    // The same again is no further message, and is answered.
    old.send(&mut stage, |out| publish(2, out));
    assert_eq!(old.take(&mut stage), [pubrec(2)]);
    // Each PUBREL makes room for one that waited.
    old.ack(&mut stage, AckKind::PubRel, 1);
    assert_eq!(old.take(&mut stage), ["PUBCOMP 1 0x00".into(), pubrec(4)]);
    old.ack(&mut stage, AckKind::PubRel, 3);
    assert_eq!(old.take(&mut stage), ["PUBCOMP 3 0x00".into(), pubrec(5)]);
    assert_eq!(receiver.take(&mut stage).len(), 5);
    // 2, 4 and 5 are open: three more wait, the one after them is too much.
    for id in 6..=8 {
        old.send(&mut stage, |out| publish(id, out));
        assert!(!old.is_closed(&stage));
    }
    old.send(&mut stage, |out| publish(9, out));
    assert!(old.is_closed(&stage));
    assert!(old.take(&mut stage).is_empty());
    assert!(receiver.take(&mut stage).is_empty(), "what waited was not taken");
    old.lose(&mut stage);
    // Nothing that was acknowledged is lost or comes twice.
    let mut old = stage.connect(&connect);
    old.take(&mut stage);
    for id in [2, 4, 5] {
        old.ack(&mut stage, AckKind::PubRel, id);
    }
    for id in 6..=9 {
        old.send(&mut stage, |out| publish(id, out));
    }
    old.ack(&mut stage, AckKind::PubRel, 6);
    let said = old.take(&mut stage);
    assert_eq!(said.last(), Some(&pubrec(9)));
    assert_eq!(receiver.take(&mut stage).len(), 4);
}
