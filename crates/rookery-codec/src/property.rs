//! Properties, MQTT-5.0 section 2.2.2: identifiers, data types, and a walk over a list of them.
//!
//! Which property a packet allows is written in that packet's own `match`; what is not matched
//! there is refused here.

use crate::{DecodeError, reader::Reader, varint};

pub(crate) const PAYLOAD_FORMAT_INDICATOR: u8 = 0x01;
pub(crate) const MESSAGE_EXPIRY_INTERVAL: u8 = 0x02;
pub(crate) const CONTENT_TYPE: u8 = 0x03;
pub(crate) const RESPONSE_TOPIC: u8 = 0x08;
pub(crate) const CORRELATION_DATA: u8 = 0x09;
pub(crate) const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
pub(crate) const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
pub(crate) const ASSIGNED_CLIENT_IDENTIFIER: u8 = 0x12;
pub(crate) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(crate) const AUTHENTICATION_METHOD: u8 = 0x15;
pub(crate) const AUTHENTICATION_DATA: u8 = 0x16;
pub(crate) const REQUEST_PROBLEM_INFORMATION: u8 = 0x17;
pub(crate) const WILL_DELAY_INTERVAL: u8 = 0x18;
pub(crate) const REQUEST_RESPONSE_INFORMATION: u8 = 0x19;
pub(crate) const RESPONSE_INFORMATION: u8 = 0x1A;
pub(crate) const SERVER_REFERENCE: u8 = 0x1C;
pub(crate) const REASON_STRING: u8 = 0x1F;
pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
pub(crate) const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
pub(crate) const TOPIC_ALIAS: u8 = 0x23;
pub(crate) const MAXIMUM_QOS: u8 = 0x24;
pub(crate) const RETAIN_AVAILABLE: u8 = 0x25;
pub(crate) const USER_PROPERTY: u8 = 0x26;
pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 0x27;
pub(crate) const WILDCARD_SUBSCRIPTION_AVAILABLE: u8 = 0x28;
pub(crate) const SUBSCRIPTION_IDENTIFIER_AVAILABLE: u8 = 0x29;
pub(crate) const SHARED_SUBSCRIPTION_AVAILABLE: u8 = 0x2A;

/// A property's value in the data type that its identifier has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Byte(u8),
    Two(u16),
    Four(u32),
    Varint(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    /// User properties: read where they are wanted, checked when the list is decoded.
    Pair(&'a str, &'a str),
}

/// Reads one property.
pub(crate) fn read<'a>(reader: &mut Reader<'a>) -> Result<(u8, Value<'a>), DecodeError> {
    // Every identifier is below 128, so its Variable Byte Integer is one byte.
    let id = reader.u8()?;
    let value = match id {
        PAYLOAD_FORMAT_INDICATOR
        | REQUEST_PROBLEM_INFORMATION
        | REQUEST_RESPONSE_INFORMATION
        | MAXIMUM_QOS
        | RETAIN_AVAILABLE
        | WILDCARD_SUBSCRIPTION_AVAILABLE
        | SUBSCRIPTION_IDENTIFIER_AVAILABLE
        | SHARED_SUBSCRIPTION_AVAILABLE => Value::Byte(reader.u8()?),
        SERVER_KEEP_ALIVE | RECEIVE_MAXIMUM | TOPIC_ALIAS_MAXIMUM | TOPIC_ALIAS => {
            Value::Two(reader.u16()?)
        }
        MESSAGE_EXPIRY_INTERVAL
        | SESSION_EXPIRY_INTERVAL
        | WILL_DELAY_INTERVAL
        | MAXIMUM_PACKET_SIZE => Value::Four(reader.u32()?),
        SUBSCRIPTION_IDENTIFIER => Value::Varint(reader.varint()?),
        CONTENT_TYPE
        | RESPONSE_TOPIC
        | ASSIGNED_CLIENT_IDENTIFIER
        | AUTHENTICATION_METHOD
        | RESPONSE_INFORMATION
        | SERVER_REFERENCE
        | REASON_STRING => Value::Text(reader.string()?),
        CORRELATION_DATA | AUTHENTICATION_DATA => Value::Binary(reader.binary()?),
        USER_PROPERTY => Value::Pair(reader.string()?, reader.string()?),
        _ => return Err(DecodeError::Malformed("unknown property identifier")),
    };
    Ok((id, value))
}

/// What a packet says of a property.
pub(crate) type Allowed = Result<bool, DecodeError>;

/// Walks `list`, which is one property list without its length. `visit` answers whether the
/// packet allows the property; `repeatable` may come more than once beside the User Property.
#[inline]
pub(crate) fn for_each<'a>(
    list: &'a [u8],
    repeatable: Option<u8>,
    mut visit: impl FnMut(u8, Value<'a>) -> Allowed,
) -> Result<(), DecodeError> {
    let mut reader = Reader(list);
    let mut seen = 0_u64;
    while !reader.is_empty() {
        let (id, value) = read(&mut reader)?;
        if !visit(id, value)? {
            // MQTT-5.0 section 2.2.2.2: not valid for the packet type is malformed.
            return Err(DecodeError::Malformed("property not allowed in this packet"));
        }
        let bit = 1 << (id & 63);
        if seen & bit != 0 && id != USER_PROPERTY && repeatable != Some(id) {
            return Err(DecodeError::Protocol("property occurs twice"));
        }
        seen |= bit;
    }
    Ok(())
}

/// A byte that stands for a truth value.
pub(crate) fn boolean(byte: u8) -> Result<bool, DecodeError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Protocol("property is neither 0 nor 1")),
    }
}

/// Refuses zero for the properties that forbid it.
pub(crate) fn non_zero<T: Default + PartialEq>(value: T) -> Result<T, DecodeError> {
    if value == T::default() {
        return Err(DecodeError::Protocol("property is zero"));
    }
    Ok(value)
}

/// Passes over one property of a list that has been decoded before.
pub(crate) fn skip(reader: &mut Reader<'_>) -> Result<u8, DecodeError> {
    let id = reader.u8()?;
    match id {
        SERVER_KEEP_ALIVE | RECEIVE_MAXIMUM | TOPIC_ALIAS_MAXIMUM | TOPIC_ALIAS => {
            reader.array::<2>().map(drop)?;
        }
        MESSAGE_EXPIRY_INTERVAL
        | SESSION_EXPIRY_INTERVAL
        | WILL_DELAY_INTERVAL
        | MAXIMUM_PACKET_SIZE => reader.array::<4>().map(drop)?,
        SUBSCRIPTION_IDENTIFIER => reader.varint().map(drop)?,
        CONTENT_TYPE
        | RESPONSE_TOPIC
        | CORRELATION_DATA
        | ASSIGNED_CLIENT_IDENTIFIER
        | AUTHENTICATION_METHOD
        | AUTHENTICATION_DATA
        | RESPONSE_INFORMATION
        | SERVER_REFERENCE
        | REASON_STRING => reader.binary().map(drop)?,
        USER_PROPERTY => {
            reader.binary()?;
            reader.binary()?;
        }
        _ => reader.array::<1>().map(drop)?,
    }
    Ok(id)
}

/// Appends property lists; an absent value appends nothing.
pub(crate) struct PropertyWriter<'o>(pub(crate) &'o mut Vec<u8>);

impl PropertyWriter<'_> {
    pub(crate) fn byte(&mut self, id: u8, value: Option<u8>) {
        if let Some(value) = value {
            self.0.extend_from_slice(&[id, value]);
        }
    }

    pub(crate) fn flag(&mut self, id: u8, value: Option<bool>) {
        self.byte(id, value.map(u8::from));
    }

    pub(crate) fn two(&mut self, id: u8, value: Option<u16>) {
        if let Some(value) = value {
            self.0.push(id);
            self.0.extend_from_slice(&value.to_be_bytes());
        }
    }

    pub(crate) fn four(&mut self, id: u8, value: Option<u32>) {
        if let Some(value) = value {
            self.0.push(id);
            self.0.extend_from_slice(&value.to_be_bytes());
        }
    }

    pub(crate) fn varint(&mut self, id: u8, value: Option<u32>) {
        if let Some(value) = value {
            self.0.push(id);
            varint::encode(value, self.0);
        }
    }

    pub(crate) fn text(&mut self, id: u8, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push(id);
            crate::encode::put_str(value, self.0);
        }
    }

    pub(crate) fn binary(&mut self, id: u8, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.0.push(id);
            crate::encode::put_binary(value, self.0);
        }
    }

    pub(crate) fn user(&mut self, properties: crate::UserProperties<'_>) {
        for (key, value) in properties.iter() {
            self.0.push(USER_PROPERTY);
            crate::encode::put_str(key, self.0);
            crate::encode::put_str(value, self.0);
        }
    }
}
