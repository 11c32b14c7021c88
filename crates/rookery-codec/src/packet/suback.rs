//! SUBACK and UNSUBACK, MQTT-5.0 sections 3.9 and 3.11.

use crate::{
    DecodeError, UserProperties, Version,
    encode::with_length,
    property::{self, PropertyWriter, REASON_STRING, USER_PROPERTY, Value},
    reader::Reader,
    reason_set,
};

/// Answers SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubAck<'a> {
    /// Of the SUBSCRIBE.
    pub packet_id: u16,
    /// For humans.
    pub reason_string: Option<&'a str>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
    /// One reason code for each topic filter, in their order.
    pub codes: &'a [u8],
}

impl<'a> SubAck<'a> {
    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
        let allowed = if version.is_v5() { reason_set::SUBACK } else { reason_set::SUBACK_V3 };
        let (packet_id, text, codes) = decode_parts(body, version)?;
        check_codes(codes, &allowed)?;
        let (reason_string, user_properties) = text;
        Ok(Self { packet_id, reason_string, user_properties, codes })
    }

    /// Appends the packet. Before version 5 every error becomes 0x80, the only one there is.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        out.push(0x90);
        with_length(out, |out| {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
            if version.is_v5() {
                encode_properties(self.reason_string, self.user_properties, out);
                out.extend_from_slice(self.codes);
            } else {
                out.extend(self.codes.iter().map(|code| if *code > 2 { 0x80 } else { *code }));
            }
        });
    }
}

/// Answers UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnsubAck<'a> {
    /// Of the UNSUBSCRIBE.
    pub packet_id: u16,
    /// For humans.
    pub reason_string: Option<&'a str>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
    /// One reason code for each topic filter, in their order; none before version 5.
    pub codes: &'a [u8],
}

impl<'a> UnsubAck<'a> {
    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
        let (packet_id, text, codes) = decode_parts(body, version)?;
        if version.is_v5() {
            check_codes(codes, &reason_set::UNSUBACK)?;
        } else {
            Reader(codes).finish()?;
        }
        let (reason_string, user_properties) = text;
        Ok(Self { packet_id, reason_string, user_properties, codes })
    }

    /// Appends the packet.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        out.push(0xB0);
        with_length(out, |out| {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
            if version.is_v5() {
                encode_properties(self.reason_string, self.user_properties, out);
                out.extend_from_slice(self.codes);
            }
        });
    }
}

type Text<'a> = (Option<&'a str>, UserProperties<'a>);

fn decode_parts(body: &[u8], version: Version) -> Result<(u16, Text<'_>, &[u8]), DecodeError> {
    let mut reader = Reader(body);
    let packet_id = reader.packet_id()?;
    let mut text = Text::default();
    if version.is_v5() {
        let list = reader.property_list()?;
        property::for_each(list, None, |id, value| {
            match (id, value) {
                (REASON_STRING, Value::Text(reason)) => text.0 = Some(reason),
                (USER_PROPERTY, _) => text.1 = UserProperties::from_checked(list),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
    }
    Ok((packet_id, text, reader.0))
}

fn check_codes(codes: &[u8], allowed: &reason_set::ReasonSet) -> Result<(), DecodeError> {
    if codes.is_empty() {
        return Err(DecodeError::Protocol("no reason code"));
    }
    codes.iter().try_for_each(|code| allowed.check(*code).map(drop))
}

fn encode_properties(reason: Option<&str>, user: UserProperties<'_>, out: &mut Vec<u8>) {
    with_length(out, |out| {
        let mut properties = PropertyWriter(out);
        properties.text(REASON_STRING, reason);
        properties.user(user);
    });
}
