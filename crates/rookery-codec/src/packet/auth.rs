//! AUTH, MQTT-5.0 section 3.15.

use std::fmt;

use crate::{
    DecodeError, ReasonCode, UserProperties,
    encode::with_length,
    property::{
        self, AUTHENTICATION_DATA, AUTHENTICATION_METHOD, PropertyWriter, REASON_STRING,
        USER_PROPERTY, Value,
    },
    reader::Reader,
    reason_set,
};

/// One step of an authentication exchange; version 5 only.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Auth<'a> {
    /// Success, continue, or re-authenticate.
    pub reason: ReasonCode,
    /// Must be the one of CONNECT; the caller compares.
    pub method: Option<&'a str>,
    /// Secret: not in the `Debug` form.
    pub data: Option<&'a [u8]>,
    /// For humans.
    pub reason_string: Option<&'a str>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
}

impl<'a> Auth<'a> {
    pub(crate) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut auth = Auth::default();
        let mut reader = Reader(body);
        if reader.is_empty() {
            return Ok(auth);
        }
        auth.reason = reason_set::AUTH.check(reader.u8()?)?;
        let list = reader.property_list()?;
        property::for_each(list, None, |id, value| {
            match (id, value) {
                (AUTHENTICATION_METHOD, Value::Text(text)) => auth.method = Some(text),
                (AUTHENTICATION_DATA, Value::Binary(data)) => auth.data = Some(data),
                (REASON_STRING, Value::Text(text)) => auth.reason_string = Some(text),
                (USER_PROPERTY, _) => auth.user_properties = UserProperties::from_checked(list),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        reader.finish()?;
        Ok(auth)
    }

    /// Appends the packet.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(0xF0);
        with_length(out, |out| {
            if *self == Self::default() {
                return;
            }
            out.push(self.reason.0);
            with_length(out, |out| {
                let mut properties = PropertyWriter(out);
                properties.text(AUTHENTICATION_METHOD, self.method);
                properties.binary(AUTHENTICATION_DATA, self.data);
                properties.text(REASON_STRING, self.reason_string);
                properties.user(self.user_properties);
            });
        });
    }
}

impl fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("reason", &self.reason)
            .field("method", &self.method)
            .field("data", &self.data.map(|_| "***"))
            .field("reason_string", &self.reason_string)
            .field("user_properties", &self.user_properties)
            .finish()
    }
}
