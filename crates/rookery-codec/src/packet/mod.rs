//! The fifteen packets: one file each, holding the struct, its decoder and its encoder.

mod ack;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod suback;
mod subscribe;
mod unsubscribe;
mod will;

pub use ack::Ack;
pub use auth::Auth;
pub use connack::{ConnAck, ConnAckProperties};
pub use connect::{Connect, ConnectProperties};
pub use disconnect::Disconnect;
pub use publish::{Publish, PublishProperties, SubIds, SubIdsIter, decode_publish};
pub use suback::{SubAck, UnsubAck};
pub use subscribe::{
    Subscribe, SubscribeFilter, SubscribeFilters, SubscribeFiltersBuf, SubscriptionOptions,
};
pub use unsubscribe::{Unsubscribe, UnsubscribeFilters, UnsubscribeFiltersBuf};
pub use will::Will;

use crate::{AckKind, DecodeError, Version, encode_pingreq, encode_pingresp, packet_type};

/// A decoded packet; it borrows from the bytes of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub enum Packet<'a> {
    Connect(Connect<'a>),
    ConnAck(ConnAck<'a>),
    Publish(Publish<'a>),
    PubAck(Ack<'a>),
    PubRec(Ack<'a>),
    PubRel(Ack<'a>),
    PubComp(Ack<'a>),
    Subscribe(Subscribe<'a>),
    SubAck(SubAck<'a>),
    Unsubscribe(Unsubscribe<'a>),
    UnsubAck(UnsubAck<'a>),
    PingReq,
    PingResp,
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
}

impl Packet<'_> {
    /// Appends the packet. A CONNECT is encoded in its own version.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        match self {
            Self::Connect(packet) => packet.encode(out),
            Self::ConnAck(packet) => packet.encode(version, out),
            Self::Publish(packet) => packet.encode(version, out),
            Self::PubAck(packet) => packet.encode(AckKind::PubAck, version, out),
            Self::PubRec(packet) => packet.encode(AckKind::PubRec, version, out),
            Self::PubRel(packet) => packet.encode(AckKind::PubRel, version, out),
            Self::PubComp(packet) => packet.encode(AckKind::PubComp, version, out),
            Self::Subscribe(packet) => packet.encode(version, out),
            Self::SubAck(packet) => packet.encode(version, out),
            Self::Unsubscribe(packet) => packet.encode(version, out),
            Self::UnsubAck(packet) => packet.encode(version, out),
            Self::PingReq => encode_pingreq(out),
            Self::PingResp => encode_pingresp(out),
            Self::Disconnect(packet) => packet.encode(version, out),
            Self::Auth(packet) => packet.encode(out),
        }
    }
}

/// Decodes one packet from its first byte and its body, which must end where the packet ends.
/// A CONNECT says its own version; every other packet is read as `version`.
///
/// Checked here is what one packet alone can break. Left to the caller: everything that depends
/// on direction (a client's PUBLISH with a Subscription Identifier), on the connection's state, or
/// is answered per topic filter in SUBACK.
///
/// # Errors
///
/// The first rule that the packet breaks.
pub fn decode<'a>(first: u8, body: &'a [u8], version: Version) -> Result<Packet<'a>, DecodeError> {
    let kind = packet_type(first);
    if kind == 3 {
        return decode_publish(first, body, version).map(Packet::Publish);
    }
    if kind != 1 {
        check_flags(first, version)?;
    }
    match kind {
        1 => Connect::decode(first, body).map(Packet::Connect),
        2 => ConnAck::decode(body, version).map(Packet::ConnAck),
        4 => Ack::decode(AckKind::PubAck, body, version).map(Packet::PubAck),
        5 => Ack::decode(AckKind::PubRec, body, version).map(Packet::PubRec),
        6 => Ack::decode(AckKind::PubRel, body, version).map(Packet::PubRel),
        7 => Ack::decode(AckKind::PubComp, body, version).map(Packet::PubComp),
        8 => Subscribe::decode(body, version).map(Packet::Subscribe),
        9 => SubAck::decode(body, version).map(Packet::SubAck),
        10 => Unsubscribe::decode(body, version).map(Packet::Unsubscribe),
        11 => UnsubAck::decode(body, version).map(Packet::UnsubAck),
        12 => empty(body).map(|()| Packet::PingReq),
        13 => empty(body).map(|()| Packet::PingResp),
        14 => Disconnect::decode(body, version).map(Packet::Disconnect),
        15 if version.is_v5() => Auth::decode(body).map(Packet::Auth),
        _ => Err(DecodeError::Malformed("reserved packet type")),
    }
}

/// Decodes the body of an acknowledgement, the most frequent packet beside PUBLISH.
///
/// # Errors
///
/// The first rule that it breaks.
#[inline]
pub fn decode_ack(kind: AckKind, body: &[u8], version: Version) -> Result<Ack<'_>, DecodeError> {
    Ack::decode(kind, body, version)
}

fn empty(body: &[u8]) -> Result<(), DecodeError> {
    if body.is_empty() {
        Ok(())
    } else {
        Err(DecodeError::Malformed("bytes after the end of the packet"))
    }
}

/// MQTT-3.1.1 [MQTT-2.2.2-2], MQTT-5.0 [MQTT-2.1.3-1]. MQTT 3.1 says that DUP, QoS and RETAIN are
/// "not used" in these packets, and sets DUP when it sends one again: there they are ignored.
fn check_flags(first: u8, version: Version) -> Result<(), DecodeError> {
    let want = match packet_type(first) {
        6 | 8 | 10 => 2,
        _ => 0,
    };
    if first & 0x0F == want || version == Version::V31 {
        Ok(())
    } else {
        Err(DecodeError::Malformed("reserved flags of the fixed header"))
    }
}
