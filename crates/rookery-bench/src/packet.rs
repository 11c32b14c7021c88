//! The few packets a load generator needs, written and read without a general codec.
//!
//! Owns: byte layouts. Does not own: sockets, state. Reading never indexes past
//! what arrived; a short or bad packet is `None`.

use crate::config::ProtocolVersion;

/// Time stamp, publisher and sequence number at the start of each payload.
pub(crate) const HEADER_BYTES: usize = 16;

pub(crate) const PINGREQ: [u8; 2] = [0xC0, 0];
pub(crate) const DISCONNECT: [u8; 2] = [0xE0, 0];

/// One whole control packet in a read buffer.
pub(crate) struct Frame<'a> {
    pub(crate) first: u8,
    pub(crate) body: &'a [u8],
    pub(crate) total: usize,
}

/// A variable byte integer and its length; `Ok(None)` when more bytes are needed.
#[inline]
fn varint(bytes: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(()) }
}

/// The first packet of `bytes`; `Ok(None)` when it is not complete.
#[inline]
pub(crate) fn next_frame(bytes: &[u8]) -> Result<Option<Frame<'_>>, ()> {
    let Some((first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let Some((length, used)) = varint(rest)? else {
        return Ok(None);
    };
    Ok(rest.get(used..used + length).map(|body| Frame {
        first: *first,
        body,
        total: 1 + used + length,
    }))
}

/// Packet id and payload of a PUBLISH body.
#[inline]
pub(crate) fn publish_parts(first: u8, body: &[u8], v5: bool) -> Option<([u8; 2], &[u8])> {
    let (topic_bytes, rest) = body.split_first_chunk::<2>()?;
    let mut rest = rest.get(usize::from(u16::from_be_bytes(*topic_bytes))..)?;
    let mut packet_id = [0; 2];
    if first & 0x06 != 0 {
        let (id, after) = rest.split_first_chunk::<2>()?;
        packet_id = *id;
        rest = after;
    }
    if v5 {
        let (length, used) = varint(rest).ok()??;
        rest = rest.get(used + length..)?;
    }
    Some((packet_id, rest))
}

/// What the payload header of a message of this generator says.
#[inline]
pub(crate) fn read_header(payload: &[u8]) -> Option<(u64, u32, u32)> {
    let (time, rest) = payload.split_first_chunk::<8>()?;
    let (publisher, rest) = rest.split_first_chunk::<4>()?;
    let (sequence, _) = rest.split_first_chunk::<4>()?;
    Some((u64::from_le_bytes(*time), u32::from_le_bytes(*publisher), u32::from_le_bytes(*sequence)))
}

/// Reason code of a PUBACK, PUBREC, PUBREL or PUBCOMP body.
pub(crate) fn ack_code(body: &[u8]) -> u8 {
    body.get(2).copied().unwrap_or(0)
}

/// Code of a CONNACK and the Receive Maximum it grants.
pub(crate) fn connack(body: &[u8], v5: bool) -> Option<(u8, u16)> {
    let code = *body.get(1)?;
    let mut receive_maximum = u16::MAX;
    if v5 && let Some(found) = connack_receive_maximum(body.get(2..)?) {
        receive_maximum = found;
    }
    Some((code, receive_maximum))
}

fn connack_receive_maximum(bytes: &[u8]) -> Option<u16> {
    let (length, used) = varint(bytes).ok()??;
    let mut rest = bytes.get(used..used + length)?;
    while let Some((id, after)) = rest.split_first() {
        if *id == 0x21 {
            return after.first_chunk::<2>().map(|raw| u16::from_be_bytes(*raw));
        }
        let text = |from: usize| {
            let raw = after.get(from..from + 2)?.first_chunk::<2>()?;
            Some(from + 2 + usize::from(u16::from_be_bytes(*raw)))
        };
        // MQTT-5.0 2.2.2.2: the properties that a CONNACK may hold.
        let size = match *id {
            0x24 | 0x25 | 0x28 | 0x29 | 0x2A => 1,
            0x13 | 0x22 => 2,
            0x11 | 0x27 => 4,
            0x26 => text(text(0)?)?,
            _ => text(0)?,
        };
        rest = after.get(size..)?;
    }
    None
}

/// Words for a CONNACK code.
pub(crate) fn connack_meaning(code: u8) -> &'static str {
    match code {
        1 | 0x84 => "unacceptable protocol version",
        2 | 0x85 => "client identifier not accepted",
        3 | 0x88 => "server unavailable",
        4 | 0x86 => "bad user name or password",
        5 | 0x87 => "not authorized",
        0x89 => "server busy",
        0x8A => "banned",
        0x95 => "packet too large",
        0x97 => "quota exceeded",
        0x9F => "connection rate exceeded",
        _ => "refused",
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.get(..usize::from(length)).unwrap_or(text));
}

fn put_frame(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    let mut length = body.len();
    loop {
        let byte = (length & 0x7F) as u8;
        length >>= 7;
        if length == 0 {
            out.push(byte);
            break;
        }
        out.push(byte | 0x80);
    }
    out.extend_from_slice(body);
}

/// What a CONNECT says.
pub(crate) struct ConnectFields<'a> {
    pub(crate) protocol: ProtocolVersion,
    pub(crate) client_id: &'a str,
    pub(crate) username: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    pub(crate) clean_start: bool,
    pub(crate) session_expiry_interval_s: u32,
    pub(crate) keep_alive_s: u16,
}

pub(crate) fn put_connect(out: &mut Vec<u8>, fields: &ConnectFields<'_>) {
    let mut body = Vec::with_capacity(64);
    let (name, level): (&[u8], u8) = match fields.protocol {
        ProtocolVersion::V31 => (b"MQIsdp", 3),
        ProtocolVersion::V311 => (b"MQTT", 4),
        ProtocolVersion::V5 => (b"MQTT", 5),
    };
    put_text(&mut body, name);
    body.push(level);
    let mut flags = 0;
    if fields.clean_start {
        flags |= 0x02;
    }
    if fields.password.is_some() {
        flags |= 0x40;
    }
    if fields.username.is_some() {
        flags |= 0x80;
    }
    body.push(flags);
    body.extend_from_slice(&fields.keep_alive_s.to_be_bytes());
    if fields.protocol == ProtocolVersion::V5 {
        if fields.session_expiry_interval_s > 0 {
            body.extend_from_slice(&[5, 0x11]);
            body.extend_from_slice(&fields.session_expiry_interval_s.to_be_bytes());
        } else {
            body.push(0);
        }
    }
    put_text(&mut body, fields.client_id.as_bytes());
    for text in [fields.username, fields.password].into_iter().flatten() {
        put_text(&mut body, text.as_bytes());
    }
    put_frame(out, 0x10, &body);
}

pub(crate) fn put_subscribe<'a>(
    out: &mut Vec<u8>,
    packet_id: u16,
    filters: impl Iterator<Item = &'a str>,
    qos: u8,
    v5: bool,
) {
    let mut body = Vec::with_capacity(64);
    body.extend_from_slice(&packet_id.to_be_bytes());
    if v5 {
        body.push(0);
    }
    for filter in filters {
        put_text(&mut body, filter.as_bytes());
        body.push(qos);
    }
    put_frame(out, 0x82, &body);
}

/// Reason codes of a SUBACK body.
pub(crate) fn suback_codes(body: &[u8], v5: bool) -> Option<&[u8]> {
    let rest = body.get(2..)?;
    if !v5 {
        return Some(rest);
    }
    let (length, used) = varint(rest).ok()??;
    rest.get(used + length..)
}

/// A PUBLISH laid out once; sending patches a copy of it.
pub(crate) struct PublishTemplate {
    pub(crate) bytes: Vec<u8>,
    /// Where the topic ends: the last `digits` bytes before it are the topic's number.
    pub(crate) topic_end: usize,
    pub(crate) packet_id_at: usize,
    pub(crate) header_at: usize,
}

impl PublishTemplate {
    pub(crate) fn new(topic: &str, qos: u8, payload_bytes: usize, v5: bool) -> PublishTemplate {
        let mut body = Vec::with_capacity(topic.len() + payload_bytes + 5);
        put_text(&mut body, topic.as_bytes());
        let topic_end = body.len();
        if qos > 0 {
            body.extend_from_slice(&[0, 0]);
        }
        if v5 {
            body.push(0);
        }
        let header_at = body.len();
        // Text-like filler: nothing that compresses or validates specially.
        body.extend((0..payload_bytes).map(|index| b'a' + (index % 26) as u8));
        let mut bytes = Vec::with_capacity(body.len() + 5);
        put_frame(&mut bytes, 0x30 | (qos << 1), &body);
        let fixed = bytes.len() - body.len();
        PublishTemplate {
            bytes,
            topic_end: fixed + topic_end,
            packet_id_at: fixed + topic_end,
            header_at: fixed + header_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_reads_back_as_the_publish_it_is() {
        for (qos, v5, size) in [(0, false, 16), (1, false, 64), (2, true, 200), (0, true, 8192)] {
            let mut template = PublishTemplate::new("bench/7", qos, size, v5);
            let at = template.header_at;
            template.bytes[at..at + 8].copy_from_slice(&9u64.to_le_bytes());
            template.bytes[at + 8..at + 12].copy_from_slice(&3u32.to_le_bytes());
            template.bytes[at + 12..at + 16].copy_from_slice(&5u32.to_le_bytes());
            let frame = next_frame(&template.bytes).unwrap().unwrap();
            assert_eq!(frame.total, template.bytes.len());
            let (_, payload) = publish_parts(frame.first, frame.body, v5).unwrap();
            assert_eq!(payload.len(), size);
            assert_eq!(read_header(payload), Some((9, 3, 5)));
            assert_eq!(&template.bytes[template.topic_end - 7..template.topic_end], b"bench/7");
        }
    }

    #[test]
    fn every_prefix_of_a_packet_asks_for_more_and_a_bad_length_is_an_error() {
        let template = PublishTemplate::new("bench/7", 1, 300, true);
        for end in 0..template.bytes.len() {
            assert!(next_frame(&template.bytes[..end]).unwrap().is_none());
        }
        assert!(next_frame(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1]).is_err());
    }

    #[test]
    fn truncated_publish_bodies_are_refused() {
        let template = PublishTemplate::new("t", 1, 16, true);
        let frame = next_frame(&template.bytes).unwrap().unwrap();
        for end in 0..6 {
            assert!(publish_parts(frame.first, &frame.body[..end], true).is_none());
        }
    }

    #[test]
    fn receive_maximum_is_found_behind_other_properties() {
        let mut body = vec![0, 0, 0];
        body.extend([0x24, 1, 0x12, 0, 2, b'i', b'd', 0x26, 0, 1, b'k', 0, 1, b'v']);
        body.extend([0x11, 0, 0, 0, 9, 0x21, 0, 20]);
        body[2] = (body.len() - 3) as u8;
        assert_eq!(connack(&body, true), Some((0, 20)));
        assert_eq!(connack(&[0, 5], false), Some((5, u16::MAX)));
        assert_eq!(connack(&[0], false), None);
    }

    #[test]
    fn connect_layout() {
        let mut out = Vec::new();
        put_connect(
            &mut out,
            &ConnectFields {
                protocol: ProtocolVersion::V5,
                client_id: "c",
                username: Some("u"),
                password: Some("p"),
                clean_start: true,
                session_expiry_interval_s: 7,
                keep_alive_s: 60,
            },
        );
        let expected: &[u8] = &[
            0x10, 25, 0, 4, b'M', b'Q', b'T', b'T', 5, 0xC2, 0, 60, 5, 0x11, 0, 0, 0, 7, 0, 1,
            b'c', 0, 1, b'u', 0, 1, b'p',
        ];
        assert_eq!(out, expected);
    }
}
