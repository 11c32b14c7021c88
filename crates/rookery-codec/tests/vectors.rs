//! Packets as bytes, and what the decoder answers: one line for each rule.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test")]

use rookery_codec::{
    Ack, AckKind, ConnAck, Connect, Packet, PublishProperties, ReasonCode, SubAck,
    UserPropertiesBuf, Version, decode, decode_publish, encode_ack, parse_header,
};

use Version::{V5, V31, V311};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let text = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(text).collect()
}

/// The reason code of the error, or none when the packet is accepted. `hex` is a first byte and
/// a body: the remaining length is not part of it.
fn refused(version: Version, hex: &str) -> Option<u8> {
    let packet = bytes(hex);
    let (first, body) = packet.split_first().unwrap();
    decode(*first, body, version).err().map(|error| error.reason_code().0)
}

fn check(cases: &[(Version, &str, Option<u8>, &str)]) {
    for (version, hex, want, name) in cases {
        assert_eq!(refused(*version, hex), *want, "{name}: {version:?} {hex}");
    }
}

#[test]
#[rustfmt::skip] // one line for each case
fn connect() {
    check(&[
        (V5, "10 00044d515454 04 02 000a 0000", None, "3.1.1, version argument ignored"),
        (V5, "10 00064d514973647003 02 000a 000161", None, "3.1"),
        (V5, "1f 00064d514973647003 02 000a 000161", None, "3.1 does not use the flags"),
        (V5, "10 00044d515454 05 02 000a 00 0000", None, "5"),
        (V5, "11 00044d515454 04 02 000a 0000", Some(0x81), "flags of the fixed header"),
        (V5, "10 00044d515455 04 02 000a 0000", Some(0x84), "protocol name"),
        (V5, "10 00044d515454 06 02 000a 0000", Some(0x84), "level 6"),
        (V5, "10 00044d515454 03 02 000a 0000", Some(0x84), "level of the other name"),
        (V5, "10 00044d515454 84 02 000a 0000", None, "bridge of 3.1.1"),
        (V5, "10 00044d515454 85 02 000a 00 0000", Some(0x84), "5 has no bridge bit"),
        (V5, "10 00044d515454 04 03 000a 0000", Some(0x81), "reserved flag [MQTT-3.1.2-3]"),
        (V5, "10 00044d515454 04 0a 000a 0000", Some(0x81), "will QoS without will"),
        (V5, "10 00044d515454 04 22 000a 0000", Some(0x81), "will retain without will"),
        (V5, "10 00044d515454 04 1e 000a 0000 000161 0000", Some(0x81), "will QoS 3"),
        (V5, "10 00044d515454 04 06 000a 0000 000161 0000", None, "will"),
        (V5, "10 00044d515454 04 06 000a 0000 0000 0000", Some(0x81), "will without topic"),
        (V5, "10 00044d515454 04 06 000a 0000 000123 0000", Some(0x81), "will to a wildcard"),
        (V5, "10 00044d515454 04 42 000a 0000 000170", Some(0x81), "3.1.1 password alone"),
        (V5, "10 00044d515454 05 42 000a 00 0000 000170", None, "5 password alone"),
        (V5, "10 00044d515454 04 82 000a 0000", Some(0x81), "user name missing"),
        (V5, "10 00064d514973647003 82 000a 000161", None, "3.1 user name missing"),
        (V5, "10 00044d515454 04 02 000a 0000 00", Some(0x81), "trailing byte"),
        (V5, "10 00044d515454 04 02 000a 000100", Some(0x81), "U+0000 in the client id"),
        (V5, "10 00044d515454 04 02 000a 0003eda080", Some(0x81), "surrogate in the client id"),
        (V5, "10 00044d515454 04 02 000a 00010a", Some(0x81), "control character in the client id"),
        (V5, "10 00044d515454 04 02 000a 0001ff", Some(0x81), "client id is not UTF-8"),
        (V5, "10 00044d515454 05 02 000a 03 210000 0000", Some(0x82), "receive maximum 0"),
        (V5, "10 00044d515454 05 02 000a 05 2700000000 0000", Some(0x82), "packet size 0"),
        (V5, "10 00044d515454 05 02 000a 02 1702 0000", Some(0x82), "problem information 2"),
        (V5, "10 00044d515454 05 02 000a 02 1902 0000", Some(0x82), "response information 2"),
        (V5, "10 00044d515454 05 02 000a 04 1700 1700 0000", Some(0x82), "property twice"),
        (V5, "10 00044d515454 05 02 000a 04 16000161 0000", Some(0x82), "data without method"),
        (V5, "10 00044d515454 05 02 000a 08 15000161 16000161 0000", None, "data and method"),
        (V5, "10 00044d515454 05 02 000a 03 230001 0000", Some(0x81), "alias not allowed here"),
        (V5, "10 00044d515454 05 02 000a 02 0400 0000", Some(0x81), "unknown property"),
        (V5, "10 00044d515454 05 02 000a 8000 0000", Some(0x81), "length is not minimal"),
        (V5, "10 00044d515454 05 06 000a 00 0000 05 1800000009 000161 0000", None, "will delay"),
        (V5, "10 00044d515454 05 06 000a 00 0000 03 230001 000161 0000", Some(0x81), "will alias"),
    ]);
}

#[test]
#[rustfmt::skip] // one line for each case
fn publish() {
    check(&[
        (V311, "30 000161 78", None, "QoS 0"),
        (V311, "36 000161 0001 78", Some(0x81), "QoS 3 [MQTT-3.3.1-4]"),
        (V311, "38 000161 78", Some(0x81), "DUP at QoS 0 [MQTT-3.3.1-2]"),
        (V31, "38 000161 78", None, "3.1 has no such rule"),
        (V311, "32 000161 0000", Some(0x82), "packet identifier 0 [MQTT-2.2.1-3]"),
        (V311, "32 000161 00", Some(0x81), "half a packet identifier"),
        (V311, "30 0000 78", Some(0x81), "no topic"),
        (V311, "30 000361 2b62", Some(0x81), "wildcard +"),
        (V311, "30 000123", Some(0x81), "wildcard #"),
        (V311, "30 000100", Some(0x81), "U+0000"),
        (V311, "30 0001ff", Some(0x81), "not UTF-8"),
        (V311, "30 000261", Some(0x81), "topic ends early"),
        (V311, "30 000361 0162", Some(0x81), "control character"),
        (V311, "30 000361 7f62", Some(0x81), "DEL"),
        (V311, "30 000461 c29f62", Some(0x81), "U+009F"),
        (V311, "30 0003 efbfbf", Some(0x81), "U+FFFF"),
        (V311, "30 0005 41f0aa9b94", None, "U+2A6D4, section 1.5.3.1"),
        (V311, "30 0006 e6b8a9e5baa6", None, "Chinese"),
        (V311, "30 0004 e6b8a92b", Some(0x81), "Chinese and a wildcard"),
        (V5, "30 000161 07 26000109000109", None, "control characters in free text"),
        (V5, "30 000161 00 78", None, "5"),
        (V5, "30 0000 00", Some(0x82), "neither topic nor alias"),
        (V5, "30 0000 03 230001", None, "alias alone"),
        (V5, "30 000161 03 230000", Some(0x94), "alias 0 [MQTT-3.3.2-8]"),
        (V5, "30 000161 06 230001 230001", Some(0x82), "alias twice"),
        (V5, "30 000161 02 0b00", Some(0x82), "subscription identifier 0"),
        (V5, "30 000161 04 0b01 0b02", None, "subscription identifiers may repeat"),
        (V5, "30 000161 02 0102", Some(0x82), "payload format 2"),
        (V5, "30 000161 04 08000123", Some(0x82), "response topic [MQTT-3.3.2-14]"),
        (V5, "30 000161 04 08000162", None, "response topic"),
        (V5, "30 000161 05 1100000001", Some(0x81), "session expiry not allowed here"),
        (V5, "30 000161 05 1800000001", Some(0x81), "will delay not allowed here"),
        (V5, "30 000161 07 26000161000100", Some(0x81), "U+0000 in a user property"),
        (V5, "30 000161 05 23", Some(0x81), "properties end early"),
    ]);
}

#[test]
#[rustfmt::skip] // one line for each case
fn acknowledgements() {
    for (version, reason, want) in [(V311, "10", Some(0x81)), (V5, "10", None)] {
        assert_eq!(refused(version, &format!("40 0001 {reason}")), want);
        assert_eq!(refused(version, &format!("50 0001 {reason}")), want);
    }
    check(&[
        (V311, "40 0001", None, "PUBACK"),
        (V311, "40 0000", Some(0x82), "packet identifier 0"),
        (V311, "40 00", Some(0x81), "ends early"),
        (V311, "42 0001", Some(0x81), "flags"),
        (V311, "60 0001", Some(0x81), "PUBREL without its flags [MQTT-3.6.1-1]"),
        (V311, "62 0001", None, "PUBREL"),
        (V31, "6a 0001", None, "3.1 sets DUP in PUBREL"),
        (V5, "40 0001 10 00", None, "with properties"),
        (V5, "40 0001 11", Some(0x82), "reason of another packet"),
        (V5, "62 0001 92", None, "PUBREL not found"),
        (V5, "62 0001 80", Some(0x82), "PUBREL has two reasons"),
        (V5, "40 0001 00 04 1f000161", None, "reason string"),
        (V5, "40 0001 00 08 1f000161 1f000161", Some(0x82), "reason string twice"),
        (V5, "40 0001 00 02 2101", Some(0x81), "ends early in a property"),
        (V5, "40 0001 00 03 210001", Some(0x81), "property not allowed"),
        (V5, "40 0001 00 00 00", Some(0x81), "trailing byte"),
    ]);
}

#[test]
#[rustfmt::skip] // one line for each case
fn subscribe_and_unsubscribe() {
    check(&[
        (V311, "82 0001 000161 02", None, "one filter"),
        (V311, "80 0001 000161 02", Some(0x81), "flags [MQTT-3.8.1-1]"),
        (V31, "8a 0001 000161 02", None, "3.1 sets DUP"),
        (V311, "82 0000 000161 02", Some(0x82), "packet identifier 0"),
        (V311, "82 0001", Some(0x82), "no filter [MQTT-3.8.3-2]"),
        (V311, "82 0001 000161", Some(0x81), "no options"),
        (V311, "82 0001 000161 03", Some(0x82), "QoS 3"),
        (V311, "82 0001 000161 04", Some(0x81), "reserved bits"),
        (V311, "82 0001 0001ff 00", Some(0x81), "not UTF-8"),
        (V311, "82 0001 00022361 00", None, "syntax is answered in SUBACK"),
        (V5, "82 0001 00 000161 2e", None, "all options"),
        (V5, "82 0001 00 000161 40", Some(0x81), "reserved bits [MQTT-3.8.3-5]"),
        (V5, "82 0001 00 000161 30", Some(0x82), "retain handling 3"),
        (V5, "82 0001 02 0b00 000161 00", Some(0x82), "subscription identifier 0"),
        (V5, "82 0001 04 0b01 0b02 000161 00", Some(0x82), "two subscription identifiers"),
        (V5, "82 0001 05 0b80808001 000161 00", None, "the largest identifier"),
        (V5, "82 0001 06 0b8080808001 000161 00", Some(0x81), "an identifier of five bytes"),
        (V311, "a2 0001 000161", None, "UNSUBSCRIBE"),
        (V311, "a0 0001 000161", Some(0x81), "flags [MQTT-3.10.1-1]"),
        (V311, "a2 0001", Some(0x82), "no filter [MQTT-3.10.3-2]"),
        (V5, "a2 0001 00 000161 0002", Some(0x81), "second filter ends early"),
        (V5, "a2 0001 02 0b01 000161", Some(0x81), "property not allowed"),
        (V311, "90 0001 80", None, "SUBACK"),
        (V311, "90 0001 87", Some(0x82), "SUBACK with a code of 5"),
        (V311, "90 0001", Some(0x82), "SUBACK without codes"),
        (V311, "b0 0001", None, "UNSUBACK"),
        (V311, "b0 0001 00", Some(0x81), "UNSUBACK with codes"),
        (V5, "b0 0001 00 11", None, "UNSUBACK of 5"),
    ]);
}

#[test]
#[rustfmt::skip] // one line for each case
fn the_other_packets() {
    check(&[
        (V311, "c0", None, "PINGREQ"),
        (V311, "c1", Some(0x81), "PINGREQ flags"),
        (V311, "c0 00", Some(0x81), "PINGREQ body"),
        (V311, "d0", None, "PINGRESP"),
        (V311, "e0", None, "DISCONNECT"),
        (V311, "e0 00", Some(0x81), "DISCONNECT of 3.1.1 is empty"),
        (V5, "e0 04", None, "with will"),
        (V5, "e0 01", Some(0x82), "unknown reason"),
        (V5, "e0 00 05 1100000001", None, "session expiry"),
        (V5, "e0 00 0a 1100000001 1100000001", Some(0x82), "session expiry twice"),
        (V311, "f0", Some(0x81), "AUTH before 5"),
        (V5, "f0", None, "AUTH"),
        (V5, "f0 18 04 15000161", None, "AUTH goes on"),
        (V5, "f0 18", Some(0x81), "AUTH with a reason needs properties"),
        (V5, "f0 01 00", Some(0x82), "AUTH reason"),
        (V311, "00", Some(0x81), "type 0"),
        (V311, "20 00 00", None, "CONNACK"),
        (V311, "20 02 00", Some(0x81), "CONNACK flags"),
        (V311, "20 00 06", Some(0x82), "CONNACK return code 6"),
        (V311, "20 01 05", Some(0x82), "session present beside an error"),
        (V5, "20 00 00 02 2402", Some(0x82), "maximum QoS 2"),
    ]);
}

#[test]
fn a_remaining_length_has_four_bytes_at_most() {
    let lengths = [("30 00", 0), ("30 7f", 127), ("30 8001", 128), ("30 ffffff7f", 268_435_455)];
    for (hex, want) in lengths {
        let header = parse_header(&bytes(hex)).unwrap().unwrap();
        assert_eq!((header.remaining, header.is_minimal()), (want, true));
    }
    // Longer forms than needed: MQTT 3.1.1 leaves it to the sender, MQTT 5 does not.
    for (hex, len, remaining) in [
        ("30 80808000", 5, 0),
        ("30 ff00", 3, 127),
        ("30 ffff00", 4, 16_383),
        ("30 ffffff00", 5, 2_097_151),
    ] {
        let header = parse_header(&bytes(hex)).unwrap().unwrap();
        assert_eq!((header.header_len, header.remaining), (len, remaining));
        assert!(!header.is_minimal(), "{hex}");
    }
    for hex in ["30 8001", "30 808001", "30 80808001"] {
        assert!(parse_header(&bytes(hex)).unwrap().unwrap().is_minimal(), "{hex}");
    }
    assert!(parse_header(&bytes("30 ffffffff")).is_err());
}

#[test]
fn properties_are_forwarded_in_the_order_sent() {
    let list = bytes("26 000161 000131  02 00000009  01 01  23 0001  0b 05  26 000162 000132");
    let mut body = bytes("000174");
    body.push(list.len() as u8);
    body.extend_from_slice(&list);
    let publish = decode_publish(0x30, &body, V5).unwrap();
    let mut forwarded = Vec::new();
    publish.properties.forward_into(&mut forwarded);
    assert_eq!(forwarded, bytes("26 000161 000131  01 01  26 000162 000132"));
    let user: Vec<_> = publish.properties.user_properties.iter().collect();
    assert_eq!(user, [("a", "1"), ("b", "2")]);
    assert_eq!(publish.properties.subscription_identifiers.iter().collect::<Vec<_>>(), [5]);
    assert_eq!(publish.properties.raw, list);
}

#[test]
fn properties_made_by_hand_are_forwarded() {
    let mut user = UserPropertiesBuf::new();
    user.push("k", "v");
    let properties = PublishProperties {
        content_type: Some("a"),
        message_expiry_interval_s: Some(9),
        user_properties: user.as_ref(),
        ..PublishProperties::default()
    };
    let mut forwarded = Vec::new();
    properties.forward_into(&mut forwarded);
    assert_eq!(forwarded, bytes("03 000161  26 00016b 000176"));
}

#[test]
fn acknowledgements_have_their_shortest_form() {
    let cases = [
        (AckKind::PubAck, ReasonCode::SUCCESS, V5, "40 02 0102"),
        (AckKind::PubRec, ReasonCode::NO_MATCHING_SUBSCRIBERS, V5, "50 03 0102 10"),
        (AckKind::PubRel, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, V311, "62 02 0102"),
        (AckKind::PubComp, ReasonCode::SUCCESS, V31, "70 02 0102"),
    ];
    for (kind, reason, version, hex) in cases {
        let mut fast = Vec::new();
        encode_ack(kind, 0x0102, reason, version, &mut fast);
        assert_eq!(fast, bytes(hex));
        let mut general = Vec::new();
        let ack = Ack { packet_id: 0x0102, reason, ..Ack::default() };
        ack.encode(kind, version, &mut general);
        assert_eq!(general, fast);
    }
}

#[test]
fn old_versions_get_the_codes_they_know() {
    let mut out = Vec::new();
    ConnAck { reason: ReasonCode::BANNED, ..ConnAck::default() }.encode(V311, &mut out);
    assert_eq!(out, bytes("20 02 00 05"));
    out.clear();
    let suback = SubAck { packet_id: 1, codes: &[2, 0x87, 0x8F], ..SubAck::default() };
    suback.encode(V311, &mut out);
    assert_eq!(out, bytes("90 05 0001 02 80 80"));
}

#[test]
fn a_string_that_cannot_be_sent_is_cut_at_a_character() {
    let client_id = "é".repeat(40_000);
    let mut out = Vec::new();
    Connect::new(V311, &client_id).encode(&mut out);
    let header = parse_header(&out).unwrap().unwrap();
    let Packet::Connect(connect) = decode(header.first, &out[header.header_len..], V311).unwrap()
    else {
        panic!("not a CONNECT")
    };
    assert_eq!(connect.client_id.len(), 65_534);
}

#[test]
fn secrets_are_not_printed() {
    let mut connect = Connect::new(V5, "c");
    connect.password = Some(b"hunter2");
    connect.properties.authentication_data = Some(b"hunter2");
    let text = format!("{:?}", Packet::Connect(connect));
    assert!(text.contains("***") && !text.contains("104, 117"), "{text}");
}

#[test]
fn a_connect_says_its_version() {
    let cases = [
        ("00064d514973647003 02 000a 000161", V31, false),
        ("00064d514973647083 02 000a 000161", V31, true),
        ("00044d515454 84 02 000a 000161", V311, true),
        ("00044d515454 05 02 000a 00 000161", V5, false),
    ];
    for (hex, version, bridge) in cases {
        let body = bytes(hex);
        let Packet::Connect(connect) = decode(0x10, &body, V5).unwrap() else {
            panic!("not a CONNECT")
        };
        assert_eq!((connect.version, connect.bridge, connect.client_id), (version, bridge, "a"));
    }
}
