//! A client's Maximum Packet Size holds for every packet, MQTT-5.0 [MQTT-3.1.2-24].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "scenarios/stage.rs"]
mod stage;

use rookery_codec::{
    Connect, Packet, Publish, Subscribe, SubscribeFiltersBuf, SubscriptionOptions, Unsubscribe,
    UnsubscribeFiltersBuf, Version, decode, parse_header,
};
use rookery_core::effects::Verdict;
use stage::{Actor, Stage};

const PACKET_TOO_LARGE: u8 = 0x95;

fn v5(client_id: &str, max: u32) -> Connect<'_> {
    let mut connect = Connect::new(Version::V5, client_id);
    connect.properties.maximum_packet_size = (max > 0).then_some(max);
    connect
}

/// Connects and returns the bytes of the answer.
fn greeted(stage: &mut Stage, connect: &Connect<'_>) -> (Actor, Vec<u8>) {
    let mut actor = stage.open();
    actor.version = connect.version;
    actor.send(stage, |out| connect.encode(out));
    let bytes = actor.bytes(stage);
    (actor, bytes)
}

/// The codes of a CONNACK or DISCONNECT that is the only packet in `bytes`.
fn reason(bytes: &[u8]) -> (u8, bool) {
    let header = parse_header(bytes).unwrap().unwrap();
    assert_eq!(header.total_len(), bytes.len(), "one packet");
    match decode(header.first, &bytes[header.header_len..], Version::V5).unwrap() {
        Packet::ConnAck(connack) => (connack.reason.0, connack.properties.reason_string.is_some()),
        Packet::Disconnect(disconnect) => (disconnect.reason.0, disconnect.reason_string.is_some()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_that_takes_no_connack_gets_no_session() {
    let mut stage = Stage::new();
    let (mut first, whole) = greeted(&mut stage, &v5("c", 0));
    first.lose(&mut stage);
    let len = u32::try_from(whole.len()).unwrap();
    let (mut exact, answer) = greeted(&mut stage, &v5("c", len));
    assert_eq!(answer, whole, "it fits to the octet");
    exact.lose(&mut stage);
    for (max, words) in [(len - 1, false), (5, false), (4, false), (1, false)] {
        let before = stage.sessions();
        let (client, answer) = greeted(&mut stage, &v5("c", max));
        assert!(answer.len() <= max as usize, "{max}: {answer:02x?}");
        assert!(client.is_closed(&stage), "{max}");
        assert_eq!(stage.sessions(), before);
        match max {
            5.. => assert_eq!(reason(&answer), (PACKET_TOO_LARGE, words)),
            _ => assert!(answer.is_empty()),
        }
    }
}

#[test]
fn a_client_without_a_name_learns_why_it_gets_none() {
    let mut stage = Stage::new();
    let (client, answer) = greeted(&mut stage, &v5("", 20));
    assert_eq!(reason(&answer), (PACKET_TOO_LARGE, false));
    assert!(answer.len() <= 20 && client.is_closed(&stage));
    let (_, answer) = greeted(&mut stage, &v5("", 60));
    assert_eq!(reason(&answer), (0, false));
}

#[test]
fn a_refusal_is_rather_without_words_than_too_large() {
    let mut stage = Stage::new();
    for (max, has_words) in [(0, true), (200, true), (20, false), (5, false)] {
        let mut connect = v5("refused", max);
        connect.properties.authentication_method = Some("NOBODY-KNOWS");
        let (client, answer) = greeted(&mut stage, &connect);
        assert_eq!(reason(&answer), (0x8c, has_words), "{max}");
        assert!(max == 0 || answer.len() <= max as usize, "{max}: {answer:02x?}");
        assert!(client.is_closed(&stage));
    }
}

#[test]
fn the_refusal_of_a_connect_that_cannot_be_decoded_fits_too() {
    let mut stage = Stage::new();
    for (max, has_words) in [(0, true), (200, true), (12, false), (5, false)] {
        let mut bytes = Vec::new();
        v5("broken", max).encode(&mut bytes);
        // Something behind the end of the payload.
        bytes.push(7);
        bytes[1] += 1;
        let mut client = stage.open();
        client.version = Version::V5;
        client.send(&mut stage, |out| out.extend_from_slice(&bytes));
        let answer = client.bytes(&mut stage);
        assert_eq!(reason(&answer), (0x81, has_words), "{max}");
        assert!(max == 0 || answer.len() <= max as usize, "{max}: {answer:02x?}");
        assert!(client.is_closed(&stage));
    }
}

#[test]
fn a_disconnect_is_rather_without_words_than_too_large() {
    let mut stage = Stage::new();
    let mut whole = 0;
    for (below, has_words) in [(None, true), (Some(0), true), (Some(1), false)] {
        let max = below.map_or(0, |below| whole - below);
        let (mut client, _) = greeted(&mut stage, &v5("c", max));
        // A Subscription Identifier, which only the server may send.
        client.send(&mut stage, |out| out.extend_from_slice(b"\x30\x06\0\x01t\x02\x0B\x05"));
        let answer = client.bytes(&mut stage);
        assert_eq!(reason(&answer), (0x82, has_words), "{max}");
        whole = whole.max(u32::try_from(answer.len()).unwrap());
        assert!(max == 0 || answer.len() <= max as usize, "{max}: {answer:02x?}");
        assert!(client.is_closed(&stage));
    }
}

#[test]
fn what_cannot_be_answered_is_not_done_and_said() {
    let topics: Vec<String> = (0..60).map(|at| format!("t/{at}")).collect();
    let subscribe = |out: &mut Vec<u8>, count: usize| {
        let mut filters = SubscribeFiltersBuf::default();
        topics[..count].iter().for_each(|t| filters.push(t, SubscriptionOptions::default()));
        Subscribe::new(1, &filters).encode(Version::V5, out);
    };
    let unsubscribe = |out: &mut Vec<u8>, count: usize| {
        let mut filters = UnsubscribeFiltersBuf::default();
        topics[..count].iter().for_each(|t| filters.push(t));
        Unsubscribe::new(2, &filters).encode(Version::V5, out);
    };
    let mut stage = Stage::new();
    let mut publisher = stage.connect(&v5("publisher", 0));
    let mut connect = v5("c", 24);
    connect.clean_start = false;
    connect.properties.session_expiry_interval_s = Some(60);
    let (mut client, _) = greeted(&mut stage, &connect);
    // Nineteen codes make an answer of 24 octets.
    client.send(&mut stage, |out| subscribe(out, 19));
    assert_eq!(client.bytes(&mut stage).len(), 24);
    for refused in
        [&subscribe as &dyn Fn(&mut Vec<u8>, usize), &unsubscribe as &dyn Fn(&mut Vec<u8>, usize)]
    {
        client.send(&mut stage, |out| refused(out, 20));
        assert_eq!(reason(&client.bytes(&mut stage)), (PACKET_TOO_LARGE, false));
        assert!(client.is_closed(&stage));
        client = greeted(&mut stage, &connect).0;
        for (topic, expected) in [("t/18", vec!["t/18 x"]), ("t/19", vec![])] {
            let publish = Publish { topic, payload: b"x", ..Publish::default() };
            publisher.send(&mut stage, |out| publish.encode(Version::V5, out));
            assert_eq!(client.received(&mut stage), expected);
        }
    }
    client.send(&mut stage, |out| unsubscribe(out, 19));
    assert_eq!(client.bytes(&mut stage).len(), 24);
}

#[test]
fn a_challenge_that_does_not_fit_ends_the_exchange() {
    for (max, told) in [(200, 0x18), (64, 0x18), (24, PACKET_TOO_LARGE)] {
        let mut stage = Stage::new();
        stage.config(|config| config.auth_methods = vec!["M".into()]);
        stage.admission(rookery_core::config::Admission::Ask);
        let mut connect = v5("c", max);
        connect.properties.authentication_method = Some("M");
        let (mut client, answer) = greeted(&mut stage, &connect);
        assert!(answer.is_empty());
        let (id, _) = stage.questions().pop().unwrap();
        let words = Some("w".repeat(80).into());
        stage.answer(id, Verdict::Continue { data: vec![7; 40].into(), reason_string: words });
        let answer = client.bytes(&mut stage);
        assert!(answer.len() <= max as usize, "{max}: {answer:02x?}");
        let header = parse_header(&answer).unwrap().unwrap();
        let body = &answer[header.header_len..];
        let code = match decode(header.first, body, Version::V5).unwrap() {
            Packet::Auth(auth) => auth.reason.0,
            Packet::ConnAck(connack) => connack.reason.0,
            other => panic!("{other:?}"),
        };
        assert_eq!(code, told, "{max}");
        assert_eq!(client.is_closed(&stage), told == PACKET_TOO_LARGE);
    }
}
