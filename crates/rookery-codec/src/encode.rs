//! Appending packets: the pieces all packets share, and the ones that every message needs.
//!
//! Encoding cannot fail. Strings and binary data longer than 65,535 bytes do not exist in MQTT;
//! one that a caller passes is cut there, so that the stream stays parsable.

use crate::{
    QoS, ReasonCode, Version,
    property::{MESSAGE_EXPIRY_INTERVAL, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS},
    varint,
};

/// Which of the four acknowledgements; the value is the first byte of the packet.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckKind {
    /// Answers PUBLISH at QoS 1.
    PubAck = 0x40,
    /// Answers PUBLISH at QoS 2.
    PubRec = 0x50,
    /// Answers PUBREC.
    PubRel = 0x62,
    /// Answers PUBREL.
    PubComp = 0x70,
}

/// Appends an acknowledgement without properties, in its shortest form.
#[inline]
pub fn encode_ack(
    kind: AckKind,
    packet_id: u16,
    reason: ReasonCode,
    version: Version,
    out: &mut Vec<u8>,
) {
    let [high, low] = packet_id.to_be_bytes();
    if reason == ReasonCode::SUCCESS || !version.is_v5() {
        out.extend_from_slice(&[kind as u8, 2, high, low]);
    } else {
        out.extend_from_slice(&[kind as u8, 3, high, low, reason.0]);
    }
}

/// Appends PINGREQ.
pub fn encode_pingreq(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xC0, 0]);
}

/// Appends PINGRESP.
pub fn encode_pingresp(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xD0, 0]);
}

/// A PUBLISH without its payload, which may be far larger and shared between receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishHead<'a> {
    /// The receiver's version; before 5 nothing below `packet_id` is sent.
    pub version: Version,
    /// Sent before.
    pub dup: bool,
    /// The QoS of this delivery.
    pub qos: QoS,
    /// The retain flag.
    pub retain: bool,
    /// Empty when `topic_alias` stands for it.
    pub topic: &'a str,
    /// Not sent at QoS 0.
    pub packet_id: u16,
    /// The receiver's alias for the topic.
    pub topic_alias: Option<u16>,
    /// What is left of the interval.
    pub message_expiry_interval_s: Option<u32>,
    /// Of every subscription of the receiver that matched.
    pub subscription_identifiers: &'a [u32],
    /// Forwarded properties as they stand on the wire, without a length.
    pub properties: &'a [u8],
}

impl PublishHead<'_> {
    #[inline]
    fn properties_len(&self) -> usize {
        let alias = if self.topic_alias.is_some() { 3 } else { 0 };
        let expiry = if self.message_expiry_interval_s.is_some() { 5 } else { 0 };
        let identifiers = self.subscription_identifiers.iter();
        let identifiers: usize = identifiers.map(|id| 1 + varint::len(*id)).sum();
        alias + expiry + identifiers + self.properties.len()
    }

    #[inline]
    fn remaining_len(&self, properties_len: usize, payload_len: usize) -> usize {
        let packet_id = if self.qos == QoS::AtMostOnce { 0 } else { 2 };
        let properties = if self.version.is_v5() {
            varint::len(to_u32(properties_len)) + properties_len
        } else {
            0
        };
        2 + wire_str(self.topic).len() + packet_id + properties + payload_len
    }
}

/// How many bytes the packet takes on the wire, to compare with a Maximum Packet Size.
#[must_use]
#[inline]
pub fn publish_len(head: &PublishHead<'_>, payload_len: usize) -> usize {
    let remaining = head.remaining_len(head.properties_len(), payload_len);
    1 + varint::len(to_u32(remaining)) + remaining
}

/// Appends everything before the payload; the caller appends or sends `payload_len` bytes after it.
#[inline]
pub fn encode_publish_head(head: &PublishHead<'_>, payload_len: usize, out: &mut Vec<u8>) {
    let properties_len = if head.version.is_v5() { head.properties_len() } else { 0 };
    let remaining = head.remaining_len(properties_len, payload_len);
    out.reserve(head.topic.len() + properties_len + 16);
    let first = 0x30 | u8::from(head.dup) << 3 | (head.qos as u8) << 1 | u8::from(head.retain);
    match u8::try_from(remaining) {
        // Most messages are small: their length is one byte, and all up to the topic one write.
        Ok(length @ ..=0x7F) => {
            #[allow(clippy::cast_possible_truncation)] // shorter than the packet
            out.extend_from_slice(&[first, length, 0, head.topic.len() as u8]);
            out.extend_from_slice(head.topic.as_bytes());
        }
        _ => {
            out.push(first);
            varint::encode(to_u32(remaining), out);
            put_str(head.topic, out);
        }
    }
    if head.qos != QoS::AtMostOnce {
        out.extend_from_slice(&head.packet_id.to_be_bytes());
    }
    if head.version.is_v5() {
        varint::encode(to_u32(properties_len), out);
        if properties_len != 0 {
            put_head_properties(head, out);
        }
    }
}

fn put_head_properties(head: &PublishHead<'_>, out: &mut Vec<u8>) {
    if let Some(alias) = head.topic_alias {
        out.push(TOPIC_ALIAS);
        out.extend_from_slice(&alias.to_be_bytes());
    }
    if let Some(interval_s) = head.message_expiry_interval_s {
        out.push(MESSAGE_EXPIRY_INTERVAL);
        out.extend_from_slice(&interval_s.to_be_bytes());
    }
    for identifier in head.subscription_identifiers {
        out.push(SUBSCRIPTION_IDENTIFIER);
        varint::encode(*identifier, out);
    }
    out.extend_from_slice(head.properties);
}

/// Lengths here are below 2^32 by construction: MQTT ends at 256 MiB.
#[inline]
fn to_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[inline]
pub(crate) fn put_binary(bytes: &[u8], out: &mut Vec<u8>) {
    let bytes = bytes.get(..usize::from(u16::MAX)).unwrap_or(bytes);
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}

#[inline]
pub(crate) fn put_str(text: &str, out: &mut Vec<u8>) {
    put_binary(wire_str(text).as_bytes(), out);
}

/// The part of `text` that fits a UTF-8 Encoded String.
#[inline]
fn wire_str(text: &str) -> &str {
    if text.len() <= usize::from(u16::MAX) { text } else { cut_str(text) }
}

#[cold]
fn cut_str(text: &str) -> &str {
    let mut ends = (0..=usize::from(u16::MAX)).rev();
    ends.find_map(|end| text.get(..end)).unwrap_or("")
}

/// Appends what `body` appends, with its length as a Variable Byte Integer before it. Longer
/// lengths than one byte move the body once; packets that come by the thousand are encoded above.
pub(crate) fn with_length(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(0);
    body(out);
    let len = to_u32(out.len() - start - 1);
    if let Some(byte) = out.get_mut(start)
        && len < 0x80
    {
        *byte = len as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(4);
    varint::encode(len, &mut prefix);
    out.splice(start..=start, prefix);
}
