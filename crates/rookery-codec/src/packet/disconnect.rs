//! DISCONNECT, MQTT-5.0 section 3.14.

use crate::{
    DecodeError, ReasonCode, UserProperties, Version,
    encode::with_length,
    property::{
        self, PropertyWriter, REASON_STRING, SERVER_REFERENCE, SESSION_EXPIRY_INTERVAL,
        USER_PROPERTY, Value,
    },
    reader::Reader,
    reason_set,
};

/// The last packet of a connection. Before version 5 it is empty and only a client sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disconnect<'a> {
    /// Why.
    pub reason: ReasonCode,
    /// Replaces the one of CONNECT; sent by a client only.
    pub session_expiry_interval_s: Option<u32>,
    /// For humans.
    pub reason_string: Option<&'a str>,
    /// Where to connect instead; sent by a server only.
    pub server_reference: Option<&'a str>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
}

impl<'a> Disconnect<'a> {
    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
        let mut disconnect = Disconnect::default();
        let mut reader = Reader(body);
        if version.is_v5() && !reader.is_empty() {
            disconnect.reason = reason_set::DISCONNECT.check(reader.u8()?)?;
            if !reader.is_empty() {
                disconnect.decode_properties(reader.property_list()?)?;
            }
        }
        reader.finish()?;
        Ok(disconnect)
    }

    fn decode_properties(&mut self, list: &'a [u8]) -> Result<(), DecodeError> {
        property::for_each(list, None, |id, value| {
            match (id, value) {
                (SESSION_EXPIRY_INTERVAL, Value::Four(interval_s)) => {
                    self.session_expiry_interval_s = Some(interval_s);
                }
                (REASON_STRING, Value::Text(text)) => self.reason_string = Some(text),
                (SERVER_REFERENCE, Value::Text(text)) => self.server_reference = Some(text),
                (USER_PROPERTY, _) => self.user_properties = UserProperties::from_checked(list),
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// Appends the packet in its shortest form.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        out.push(0xE0);
        with_length(out, |out| {
            if !version.is_v5() || *self == Self::default() {
                return;
            }
            out.push(self.reason.0);
            if *self == (Self { reason: self.reason, ..Self::default() }) {
                return;
            }
            with_length(out, |out| {
                let mut properties = PropertyWriter(out);
                properties.four(SESSION_EXPIRY_INTERVAL, self.session_expiry_interval_s);
                properties.text(REASON_STRING, self.reason_string);
                properties.text(SERVER_REFERENCE, self.server_reference);
                properties.user(self.user_properties);
            });
        });
    }
}
