//! What is told of clients: notices in order, traces, slow subscriptions, spans. One shard.
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

use rookery_codec::{
    AckKind, Connect, Publish, PublishProperties, QoS, SubscriptionOptions, UserPropertiesBuf,
    Version,
};
use rookery_core::effects::{Command, UpEvent};
use rookery_core::observe::{
    ObserveConfig, SlowRow, SlowStats, SlowSubsConfig, SpanConfig, SpanEvent, TraceConfig,
    TraceEvent, TraceMatch,
};
use rookery_core::store_port::Outcome;
use stage::{Actor, Stage};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn v5(id: &str) -> Connect<'_> {
    Connect::new(Version::V5, id)
}

fn qos(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions { qos, ..SubscriptionOptions::default() }
}

fn publish(stage: &mut Stage, actor: &mut Actor, topic: &str, qos: QoS, payload: &[u8]) {
    publish_with(stage, actor, topic, qos, payload, &UserPropertiesBuf::new());
}

fn publish_with(
    stage: &mut Stage,
    actor: &mut Actor,
    topic: &str,
    qos: QoS,
    payload: &[u8],
    user_properties: &UserPropertiesBuf,
) {
    let version = actor.version;
    let packet = Publish {
        dup: false,
        qos,
        retain: false,
        topic,
        packet_id: u16::from(qos != QoS::AtMostOnce),
        properties: PublishProperties {
            user_properties: user_properties.as_ref(),
            ..PublishProperties::default()
        },
        payload,
    };
    actor.send(stage, |out| packet.encode(version, out));
}

fn observe(stage: &mut Stage, config: ObserveConfig) {
    stage.config(|c| c.observe = Arc::new(config));
    stage.turn();
}

fn traces(stage: &mut Stage, of: Vec<TraceMatch>) {
    let traces = (1..).zip(of).map(|(id, of)| TraceConfig { id, of }).collect();
    observe(stage, ObserveConfig { traces, ..ObserveConfig::default() });
}

fn traced(stage: &mut Stage) -> Vec<TraceEvent> {
    stage.turn();
    let (traced, rest) = std::mem::take(&mut stage.events)
        .into_iter()
        .partition(|event| matches!(event, UpEvent::Trace(_)));
    stage.events = rest;
    let inner = |event| match event {
        UpEvent::Trace(event) => Some(*event),
        _ => None,
    };
    Vec::into_iter(traced).filter_map(inner).collect()
}

fn said(stage: &mut Stage) -> Vec<String> {
    let said = traced(stage);
    said.iter().map(|e| format!("{} {}", e.msg, e.detail)).map(|s| s.trim().to_owned()).collect()
}

fn spans(stage: &mut Stage) -> Vec<SpanEvent> {
    stage.turn();
    let inner = |event| match event {
        UpEvent::Span(event) => Some(*event),
        _ => None,
    };
    std::mem::take(&mut stage.events).into_iter().filter_map(inner).collect()
}

// -- connects and disconnects --------------------------------------------------------------------

/// `+` or `-` and the generation, of each connect and disconnect of a client.
fn presence(stage: &Stage, id: &str) -> Vec<(char, u64)> {
    let told = stage.events.iter().filter_map(|event| match event {
        UpEvent::Connected(info) => Some(('+', info)),
        UpEvent::Disconnected(info, _) => Some(('-', info)),
        _ => None,
    });
    told.filter(|(_, i)| *i.client_id == *id).map(|(sign, i)| (sign, i.generation)).collect()
}

#[test]
fn generations_rise_also_when_no_session_is_left() {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.connect(&v5("a")).lose(&mut stage);
    }
    let told = presence(&stage, "a");
    let signs: String = told.iter().map(|(sign, _)| *sign).collect();
    assert_eq!(signs, "+-+-+-");
    let numbers: Vec<u64> = told.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers[0], numbers[1], "the end has the number of its beginning");
    assert!(numbers[1] < numbers[2] && numbers[3] < numbers[4]);
}

#[test]
fn a_take_over_ends_the_older_generation_first() {
    for clean_start in [true, false] {
        let mut stage = Stage::new();
        let mut connect = v5("a");
        connect.clean_start = clean_start;
        connect.properties.session_expiry_interval_s = Some(60);
        stage.connect(&connect);
        stage.connect(&connect);
        let told = presence(&stage, "a");
        let signs: String = told.iter().map(|(sign, _)| *sign).collect();
        assert_eq!(signs, "+-+");
        assert_eq!(told[0].1, told[1].1);
        assert!(told[1].1 < told[2].1);
    }
}

#[test]
fn generations_go_on_when_the_wall_clock_goes_back() {
    let mut stage = Stage::new();
    stage.connect(&v5("a"));
    stage.set_clock_back(3_600_000);
    stage.connect(&v5("a"));
    let told = presence(&stage, "a");
    assert!(told[1].1 < told[2].1, "{told:?}");
}

#[test]
fn who_is_refused_after_all_was_never_connected() {
    let mut stage = Stage::new();
    stage.config(|c| c.durable = true);
    stage.store = Outcome::Refused;
    let mut connect = v5("a");
    connect.properties.session_expiry_interval_s = Some(60);
    let actor = stage.connect(&connect);
    assert_eq!(actor.greeting, "CONNACK 0x97");
    assert_eq!(presence(&stage, "a"), []);
    stage.store = Outcome::Stored;
    assert_eq!(stage.connect(&connect).greeting, "CONNACK 0x00");
    assert_eq!(presence(&stage, "a").len(), 1);
}

// -- traces --------------------------------------------------------------------------------------

#[test]
fn a_traced_client_is_told_from_connect_to_disconnect() {
    let mut stage = Stage::new();
    traces(&mut stage, vec![TraceMatch::ClientId("a".into())]);
    let mut a = stage.connect(&Connect { password: Some(b"pw"), ..v5("a") });
    let mut b = stage.connect(&v5("b"));
    b.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
    publish(&mut stage, &mut a, "t", QoS::AtLeastOnce, b"hello");
    a.lose(&mut stage);
    let lines = said(&mut stage);
    let expected = [
        "mqtt_packet_received CONNECT(ClientId=a",
        "authentication_result success",
        "mqtt_packet_sent CONNACK(AckFlags=0, ReasonCode=0)",
        "client_connected",
        "mqtt_packet_received PUBLISH(Q1, R0, D0, Topic=t, PacketId=1, PayloadLength=5)",
        "publish_to Q1, R0",
        "mqtt_packet_sent PUBACK(PacketId=1, ReasonCode=0)",
        "client_disconnected tcp_closed",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}");
    }
    assert!(!lines.iter().any(|line| line.contains("pw")), "{lines:#?}");
}

#[test]
fn a_traced_topic_is_told_whoever_sends_and_gets_it() {
    let mut stage = Stage::new();
    let (mut a, mut b) = (stage.connect(&v5("a")), stage.connect(&v5("b")));
    b.subscribe(&mut stage, "t/#", qos(QoS::AtLeastOnce));
    traces(&mut stage, vec![TraceMatch::Topic("t/+".into())]);
    publish(&mut stage, &mut a, "t/1", QoS::AtLeastOnce, b"hello");
    publish(&mut stage, &mut a, "u/1", QoS::AtLeastOnce, b"other");
    let events = traced(&mut stage);
    let told: Vec<_> = events.iter().map(|e| (e.msg, &*e.client_id)).collect();
    let expected = [("mqtt_packet_received", "a"), ("publish_to", "a"), ("mqtt_packet_sent", "b")];
    assert_eq!(told, expected);
    assert!(events.iter().all(|e| e.payload.as_deref() == Some(b"hello")));
}

#[test]
fn a_trace_by_address_takes_clients_that_are_there_already() {
    let mut stage = Stage::new();
    let mut a = stage.connect(&v5("a"));
    let address = stage.peer.ip();
    traces(&mut stage, vec![TraceMatch::IpAddress(address)]);
    a.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
    let lines = said(&mut stage);
    assert!(lines[0].starts_with("mqtt_packet_received SUBSCRIBE("), "{lines:#?}");
    traces(&mut stage, vec![]);
    a.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
    assert_eq!(said(&mut stage), Vec::<String>::new());
}

#[test]
fn what_is_dropped_is_told() {
    let mut stage = Stage::new();
    stage.mqtt(|mqtt| mqtt.max_mqueue_len = 1);
    let mut connect = v5("away");
    connect.properties.session_expiry_interval_s = Some(60);
    let mut away = stage.connect(&connect);
    away.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
    away.lose(&mut stage);
    let mut a = stage.connect(&v5("a"));
    traces(&mut stage, vec![TraceMatch::ClientId("away".into()), TraceMatch::Topic("n".into())]);
    for payload in [b"1", b"2"] {
        publish(&mut stage, &mut a, "t", QoS::AtLeastOnce, payload);
    }
    publish(&mut stage, &mut a, "n", QoS::AtMostOnce, b"3");
    let events = traced(&mut stage);
    let told: Vec<_> = events.iter().map(|e| (e.msg, e.traces.to_vec())).collect();
    let expected = [
        ("dropped_message_queue_is_full", vec![1]),
        ("mqtt_packet_received", vec![2]),
        ("publish_to", vec![2]),
        ("dropped_message_no_subscribers", vec![2]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_large_payload_is_cut() {
    let mut stage = Stage::new();
    traces(&mut stage, vec![TraceMatch::Topic("t".into())]);
    let mut a = stage.connect(&v5("a"));
    publish(&mut stage, &mut a, "t", QoS::AtMostOnce, &[7; 5000]);
    let events = traced(&mut stage);
    assert_eq!(events[0].payload.as_ref().unwrap().len(), 1024);
    assert_eq!(events[0].payload_len, 5000);
}

// -- slow subscriptions --------------------------------------------------------------------------

fn timing(stage: &mut Stage, stats_type: SlowStats) {
    let slow = SlowSubsConfig {
        threshold_ms: 500,
        expire_interval_ms: 300_000,
        top_k_num: 10,
        stats_type,
    };
    observe(stage, ObserveConfig { slow_subs: Some(slow), ..ObserveConfig::default() });
}

fn slow(stage: &mut Stage) -> Vec<(String, u64)> {
    let (reply, answer) = std::sync::mpsc::channel::<Vec<SlowRow>>();
    stage.command(Command::SlowSubs { forget: true, reply });
    answer.recv().unwrap().iter().map(|r| (r.topic.to_string(), r.latency_ms)).collect()
}

fn late_ack(stats_type: SlowStats, level: QoS) -> Vec<(String, u64)> {
    let mut stage = Stage::new();
    let (mut a, mut b) = (stage.connect(&v5("a")), stage.connect(&v5("b")));
    b.subscribe(&mut stage, "t", qos(level));
    timing(&mut stage, stats_type);
    publish(&mut stage, &mut a, "t", level, b"x");
    b.take(&mut stage);
    stage.pass(1000);
    let kind = if level == QoS::AtLeastOnce { AckKind::PubAck } else { AckKind::PubRec };
    b.ack(&mut stage, kind, 1);
    slow(&mut stage)
}

#[test]
fn a_client_that_acknowledges_late_is_slow() {
    for level in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for stats_type in [SlowStats::Whole, SlowStats::Response] {
            let rows = late_ack(stats_type, level);
            assert_eq!(rows.len(), 1, "{stats_type:?} {level:?}");
            assert!(rows[0].1 >= 1000, "{rows:?}");
        }
        assert_eq!(late_ack(SlowStats::Internal, level), []);
    }
}

#[test]
fn a_message_that_waited_for_room_is_slow_from_its_arrival() {
    for (stats_type, expected) in
        [(SlowStats::Whole, 2), (SlowStats::Internal, 1), (SlowStats::Response, 1)]
    {
        let mut stage = Stage::new();
        let mut connect = v5("b");
        connect.properties.receive_maximum = Some(1);
        let (mut a, mut b) = (stage.connect(&v5("a")), stage.connect(&connect));
        b.subscribe(&mut stage, "t/#", qos(QoS::AtLeastOnce));
        timing(&mut stage, stats_type);
        for topic in ["t/1", "t/2"] {
            publish(&mut stage, &mut a, topic, QoS::AtLeastOnce, b"x");
        }
        stage.pass(1000);
        b.ack(&mut stage, AckKind::PubAck, 1);
        b.ack(&mut stage, AckKind::PubAck, 2);
        assert_eq!(slow(&mut stage).len(), expected, "{stats_type:?}");
    }
}

#[test]
fn nothing_is_measured_while_it_is_off() {
    let mut stage = Stage::new();
    let (mut a, mut b) = (stage.connect(&v5("a")), stage.connect(&v5("b")));
    b.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
    publish(&mut stage, &mut a, "t", QoS::AtLeastOnce, b"x");
    stage.pass(1000);
    b.ack(&mut stage, AckKind::PubAck, 1);
    assert_eq!(slow(&mut stage), []);
}

// -- spans ---------------------------------------------------------------------------------------

fn spanning(stage: &mut Stage, trace_all: bool, share: u64) {
    let spans = Some(SpanConfig { trace_all, share });
    observe(stage, ObserveConfig { spans, ..ObserveConfig::default() });
}

#[test]
fn the_context_of_a_sender_goes_on_to_the_receiver() {
    let mut stage = Stage::new();
    let (mut a, mut b) = (stage.connect(&v5("a")), stage.connect(&v5("b")));
    b.subscribe(&mut stage, "t", qos(QoS::AtLeastOnce));
    spanning(&mut stage, false, 0);
    let mut properties = UserPropertiesBuf::new();
    properties.push("traceparent", PARENT);
    publish_with(&mut stage, &mut a, "t", QoS::AtLeastOnce, b"x", &properties);
    publish(&mut stage, &mut a, "t", QoS::AtLeastOnce, b"without");
    let told = spans(&mut stage);
    let [publish, deliver] = &told[..] else { panic!("{told:?}") };
    assert_eq!((publish.name, deliver.name), ("mqtt.publish", "mqtt.deliver"));
    assert_eq!(publish.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(deliver.trace_id, publish.trace_id);
    assert_eq!(publish.parent_id, 0xb7ad_6b71_6920_3331);
    assert_eq!(deliver.parent_id, publish.span_id);
    assert_ne!(deliver.span_id, publish.span_id);
    assert_eq!((&*publish.client_id, &*deliver.client_id), ("a", "b"));
}

#[test]
fn messages_without_context_are_sampled() {
    for (trace_all, share, expected) in [(false, 1 << 32, 0), (true, 1 << 32, 2), (true, 0, 0)] {
        let mut stage = Stage::new();
        let (mut a, mut b) = (stage.connect(&v5("a")), stage.connect(&v5("b")));
        b.subscribe(&mut stage, "t", qos(QoS::AtMostOnce));
        spanning(&mut stage, trace_all, share);
        publish(&mut stage, &mut a, "t", QoS::AtMostOnce, b"x");
        assert_eq!(spans(&mut stage).len(), expected, "{trace_all} {share}");
    }
}

#[test]
fn a_sender_that_does_not_sample_gets_no_span() {
    let mut stage = Stage::new();
    let mut a = stage.connect(&v5("a"));
    spanning(&mut stage, true, 1 << 32);
    let mut properties = UserPropertiesBuf::new();
    properties.push("traceparent", &PARENT.replace("-01", "-00"));
    publish_with(&mut stage, &mut a, "t", QoS::AtMostOnce, b"x", &properties);
    assert_eq!(spans(&mut stage).len(), 0);
}
