//! What is encoded is decoded as the same packet, and no bytes make the decoder panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test")]

mod parts;

use parts::{Parts, VERSIONS, parts};
use proptest::{collection::vec, prelude::*};
use rookery_codec::{
    FrameHeader, Packet, PublishHead, QoS, UserProperties, Version, decode, encode_publish_head,
    parse_header, publish_len, varint,
};

fn encoded(parts: &Parts) -> Vec<u8> {
    let mut bytes = Vec::new();
    parts.packet().encode(parts.version(), &mut bytes);
    bytes
}

fn decode_whole(bytes: &[u8], version: Version) -> Option<Packet<'_>> {
    let header = parse_header(bytes).ok()??;
    let body = bytes.get(header.header_len..header.total_len())?;
    decode(header.first, body, version).ok()
}

/// Walks every lazy part of a packet.
fn walk(packet: &Packet<'_>) {
    match packet {
        Packet::Subscribe(packet) => assert_eq!(packet.filters().count(), packet.len()),
        Packet::Unsubscribe(packet) => assert_eq!(packet.filters().count(), packet.len()),
        Packet::Publish(packet) => {
            let mut forwarded = Vec::new();
            packet.properties.forward_into(&mut forwarded);
            let user = UserProperties::from_encoded(&forwarded).unwrap();
            assert_eq!(user, packet.properties.user_properties);
        }
        _ => {}
    }
    assert!(!format!("{packet:?}").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_packet_survives_the_wire(parts in parts()) {
        let bytes = encoded(&parts);
        let header = parse_header(&bytes).unwrap().unwrap();
        prop_assert_eq!(header.total_len(), bytes.len());
        let packet = decode(header.first, &bytes[header.header_len..], parts.version()).unwrap();
        prop_assert_eq!(packet, parts.packet());
        walk(&packet);
        // The decoded packet, whose lists are in wire form, encodes to the same bytes again.
        let mut again = Vec::new();
        packet.encode(parts.version(), &mut again);
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn a_header_is_found_at_every_split(parts in parts()) {
        let bytes = encoded(&parts);
        let whole: FrameHeader = parse_header(&bytes).unwrap().unwrap();
        for split in 0..bytes.len() {
            let want = (split >= whole.header_len).then_some(whole);
            prop_assert_eq!(parse_header(&bytes[..split]), Ok(want));
        }
    }

    #[test]
    fn a_cut_body_is_no_panic(parts in parts()) {
        let bytes = encoded(&parts);
        let header = parse_header(&bytes).unwrap().unwrap();
        for end in header.header_len..bytes.len() {
            let cut = decode(header.first, &bytes[header.header_len..end], parts.version());
            if let Ok(packet) = cut {
                walk(&packet);
            }
        }
    }

    #[test]
    fn a_mutated_packet_is_no_panic(
        parts in parts(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encoded(&parts);
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        for version in VERSIONS {
            if let Some(packet) = decode_whole(&bytes, version) {
                walk(&packet);
            }
        }
    }

    #[test]
    fn random_bytes_are_no_panic(first: u8, body in vec(any::<u8>(), 0..200)) {
        for version in VERSIONS {
            if let Ok(packet) = decode(first, &body, version) {
                walk(&packet);
            }
        }
        let _ = parse_header(&body);
    }

    #[test]
    fn a_varint_survives_the_wire(value in 0..=varint::MAX, split in 0..4_usize) {
        let mut bytes = Vec::new();
        varint::encode(value, &mut bytes);
        prop_assert_eq!(bytes.len(), varint::len(value));
        prop_assert_eq!(varint::decode(&bytes), Ok(Some((value, bytes.len()))));
        if split < bytes.len() {
            prop_assert_eq!(varint::decode(&bytes[..split]), Ok(None));
        }
    }

    #[test]
    fn publish_len_is_what_is_written(
        topic in "[a-z/]{1,200}",
        payload_len in 0..70_000_usize,
        identifiers in vec(1..=varint::MAX, 0..4),
        alias: Option<u16>,
        expiry: Option<u32>,
        version in prop::sample::select(&VERSIONS[..]),
        qos in 0..3_u8,
    ) {
        let head = PublishHead {
            version,
            dup: false,
            qos: QoS::from_u8(qos).unwrap(),
            retain: false,
            topic: &topic,
            packet_id: 7,
            topic_alias: alias,
            message_expiry_interval_s: expiry,
            subscription_identifiers: &identifiers,
            properties: b"\x26\x00\x01k\x00\x01v",
        };
        let mut bytes = Vec::new();
        encode_publish_head(&head, payload_len, &mut bytes);
        prop_assert_eq!(bytes.len() + payload_len, publish_len(&head, payload_len));
        let header = parse_header(&bytes).unwrap().unwrap();
        prop_assert_eq!(header.total_len(), publish_len(&head, payload_len));
    }
}
