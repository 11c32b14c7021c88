//! PUBACK, PUBREC, PUBREL and PUBCOMP: one layout, MQTT-5.0 sections 3.4 to 3.7.

use crate::{
    AckKind, DecodeError, ReasonCode, UserProperties, Version,
    encode::{encode_ack, with_length},
    property::{self, PropertyWriter, REASON_STRING, USER_PROPERTY, Value},
    reader::Reader,
    reason_set,
};

/// An acknowledgement. Before version 5 only the packet identifier is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ack<'a> {
    /// Of the message acknowledged.
    pub packet_id: u16,
    /// The outcome.
    pub reason: ReasonCode,
    /// For humans.
    pub reason_string: Option<&'a str>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
}

impl<'a> Ack<'a> {
    #[inline]
    pub(crate) fn decode(
        kind: AckKind,
        body: &'a [u8],
        version: Version,
    ) -> Result<Self, DecodeError> {
        let mut reader = Reader(body);
        let mut ack = Ack { packet_id: reader.packet_id()?, ..Ack::default() };
        // Without a reason code and properties the outcome is success: MQTT-5.0 section 3.4.2.1.
        if reader.is_empty() {
            return Ok(ack);
        }
        if version.is_v5() {
            ack.decode_reason(kind, &mut reader)?;
        }
        reader.finish()?;
        Ok(ack)
    }

    fn decode_reason(&mut self, kind: AckKind, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        let allowed = match kind {
            AckKind::PubAck | AckKind::PubRec => reason_set::PUBACK,
            AckKind::PubRel | AckKind::PubComp => reason_set::PUBREL,
        };
        self.reason = allowed.check(reader.u8()?)?;
        if reader.is_empty() {
            return Ok(());
        }
        let list = reader.property_list()?;
        property::for_each(list, None, |id, value| {
            match (id, value) {
                (REASON_STRING, Value::Text(text)) => self.reason_string = Some(text),
                (USER_PROPERTY, _) => self.user_properties = UserProperties::from_checked(list),
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// Appends the packet in its shortest form.
    pub fn encode(&self, kind: AckKind, version: Version, out: &mut Vec<u8>) {
        let is_plain = self.reason_string.is_none() && self.user_properties.is_empty();
        if is_plain || !version.is_v5() {
            return encode_ack(kind, self.packet_id, self.reason, version, out);
        }
        out.push(kind as u8);
        with_length(out, |out| {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
            out.push(self.reason.0);
            with_length(out, |out| {
                let mut properties = PropertyWriter(out);
                properties.text(REASON_STRING, self.reason_string);
                properties.user(self.user_properties);
            });
        });
    }
}
