//! What the targets share: walking a stream of packets, everything lazy in a packet, rows of rules.

use rookery_codec::{
    Packet, UserProperties, Version, decode, decode_publish, packet_type, parse_header,
};
use rookery_rules::{EvalError, Invalid, Map, encode_json_map};

/// Stands between the parts of an input; no text has it.
pub const BETWEEN: u8 = 0xfe;

/// The two parts of an input; without anything between them the second is empty.
pub fn parts(data: &[u8]) -> [&[u8]; 2] {
    let mut found = data.splitn(2, |octet| *octet == BETWEEN);
    [found.next().unwrap_or_default(), found.next().unwrap_or_default()]
}

/// A row of a rule as the JSON that it is written as; none where it is too large.
pub fn row_json(row: &Map<'_>) -> Option<serde_json::Value> {
    let mut written = Vec::new();
    match encode_json_map(row, Invalid::Replace, 1 << 20, &mut written) {
        Ok(()) => Some(serde_json::from_slice(&written).expect("own JSON")),
        Err(EvalError::TooLarge(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Calls `visit` for each packet of `stream` that decodes, until one does not or the stream ends.
pub fn each_packet(stream: &[u8], version: Version, mut visit: impl FnMut(&Packet<'_>)) {
    let mut rest = stream;
    while let Ok(Some(header)) = parse_header(rest) {
        let Some((packet, behind)) = rest.split_at_checked(header.total_len()) else {
            return;
        };
        let body = &packet[header.header_len..];
        let decoded = decode(header.first, body, version);
        if packet_type(header.first) == 3 {
            let publish = decode_publish(header.first, body, version).map(Packet::Publish);
            assert_eq!(decoded, publish, "the hot path decodes otherwise");
        }
        match decoded {
            Ok(packet) => visit(&packet),
            Err(error) => {
                assert!(error.reason_code().is_error());
                return;
            }
        }
        rest = behind;
    }
}

/// Reads all that a packet decodes only on demand.
pub fn walk(packet: &Packet<'_>) {
    match packet {
        Packet::Subscribe(packet) => {
            assert_eq!(packet.filters().count(), packet.len());
            assert_ne!(packet.len(), 0);
        }
        Packet::Unsubscribe(packet) => {
            assert_eq!(packet.filters().count(), packet.len());
            assert_ne!(packet.len(), 0);
        }
        Packet::Publish(packet) => {
            let mut forwarded = Vec::new();
            packet.properties.forward_into(&mut forwarded);
            assert!(forwarded.len() <= packet.properties.raw.len());
            let user = UserProperties::from_encoded(&forwarded).expect("a well-formed list");
            assert_eq!(user, packet.properties.user_properties);
            assert!(
                packet
                    .properties
                    .subscription_identifiers
                    .iter()
                    .all(|id| id != 0)
            );
        }
        Packet::Connect(packet) => {
            assert!(packet.will.is_none_or(|will| !will.topic.is_empty()));
        }
        _ => {}
    }
}
