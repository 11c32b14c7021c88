//! CONNACK, MQTT-5.0 section 3.2.

use std::fmt;

use crate::{
    DecodeError, QoS, ReasonCode, UserProperties, Version,
    encode::with_length,
    property::{
        self, ASSIGNED_CLIENT_IDENTIFIER, AUTHENTICATION_DATA, AUTHENTICATION_METHOD,
        MAXIMUM_PACKET_SIZE, MAXIMUM_QOS, PropertyWriter, REASON_STRING, RECEIVE_MAXIMUM,
        RESPONSE_INFORMATION, RETAIN_AVAILABLE, SERVER_KEEP_ALIVE, SERVER_REFERENCE,
        SESSION_EXPIRY_INTERVAL, SHARED_SUBSCRIPTION_AVAILABLE, SUBSCRIPTION_IDENTIFIER_AVAILABLE,
        TOPIC_ALIAS_MAXIMUM, USER_PROPERTY, Value, WILDCARD_SUBSCRIPTION_AVAILABLE,
    },
    reader::Reader,
    reason_set,
};

/// Answers CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnAck<'a> {
    /// The server has a session of this client; false beside an error.
    pub session_present: bool,
    /// Before version 5 it is mapped to and from the six return codes.
    pub reason: ReasonCode,
    /// None before version 5.
    pub properties: ConnAckProperties<'a>,
}

impl<'a> ConnAck<'a> {
    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
        let mut reader = Reader(body);
        let flags = reader.u8()?;
        // MQTT-5.0 [MQTT-3.2.2-1]; version 3.1 calls the whole byte reserved.
        if flags > 1 && version != Version::V31 {
            return Err(DecodeError::Malformed("reserved flags of CONNACK"));
        }
        let code = reader.u8()?;
        let reason = if version.is_v5() {
            reason_set::CONNACK.check(code)?
        } else {
            ReasonCode::from_connack_v3(code)
                .ok_or(DecodeError::Protocol("unknown return code in CONNACK"))?
        };
        let session_present = flags & 1 != 0 && version != Version::V31;
        if session_present && reason.is_error() {
            // MQTT-5.0 [MQTT-3.2.2-6], MQTT-3.1.1 [MQTT-3.2.2-4].
            return Err(DecodeError::Protocol("session present beside an error"));
        }
        let mut properties = ConnAckProperties::default();
        if version.is_v5() {
            properties = ConnAckProperties::decode(reader.property_list()?)?;
        }
        reader.finish()?;
        Ok(Self { session_present, reason, properties })
    }

    /// Appends the packet.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        out.push(0x20);
        with_length(out, |out| {
            out.push(u8::from(self.session_present && version != Version::V31));
            if version.is_v5() {
                out.push(self.reason.0);
                with_length(out, |out| self.properties.encode(out));
            } else {
                out.push(self.reason.connack_v3());
            }
        });
    }
}

/// The properties of CONNACK, MQTT-5.0 section 3.2.2.3. What is absent has the default there.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnAckProperties<'a> {
    /// Default: what the client asked for.
    pub session_expiry_interval_s: Option<u32>,
    /// Not 0. Default 65,535.
    pub receive_maximum: Option<u16>,
    /// 0 or 1. Default 2.
    pub maximum_qos: Option<QoS>,
    /// Default true.
    pub retain_available: Option<bool>,
    /// Not 0. Default no limit.
    pub maximum_packet_size: Option<u32>,
    /// The name given to a client that had none.
    pub assigned_client_identifier: Option<&'a str>,
    /// Default 0.
    pub topic_alias_maximum: Option<u16>,
    /// For humans.
    pub reason_string: Option<&'a str>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
    /// Default true.
    pub wildcard_subscription_available: Option<bool>,
    /// Default true.
    pub subscription_identifiers_available: Option<bool>,
    /// Default true.
    pub shared_subscription_available: Option<bool>,
    /// Replaces the keep alive that the client asked for.
    pub server_keep_alive_s: Option<u16>,
    /// Where to make response topics.
    pub response_information: Option<&'a str>,
    /// Where to connect instead.
    pub server_reference: Option<&'a str>,
    /// Ends an authentication exchange.
    pub authentication_method: Option<&'a str>,
    /// Secret: not in the `Debug` form.
    pub authentication_data: Option<&'a [u8]>,
}

impl<'a> ConnAckProperties<'a> {
    fn decode(list: &'a [u8]) -> Result<Self, DecodeError> {
        let mut found = Self::default();
        property::for_each(list, None, |id, value| match value {
            Value::Four(number) => found.set_four(id, number),
            Value::Two(number) => found.set_two(id, number),
            Value::Byte(byte) => found.set_byte(id, byte),
            Value::Text(text) => Ok(found.set_text(id, text)),
            Value::Binary(data) if id == AUTHENTICATION_DATA => {
                found.authentication_data = Some(data);
                Ok(true)
            }
            Value::Pair(..) if id == USER_PROPERTY => {
                found.user_properties = UserProperties::from_checked(list);
                Ok(true)
            }
            _ => Ok(false),
        })?;
        Ok(found)
    }

    fn set_four(&mut self, id: u8, number: u32) -> property::Allowed {
        match id {
            SESSION_EXPIRY_INTERVAL => self.session_expiry_interval_s = Some(number),
            MAXIMUM_PACKET_SIZE => self.maximum_packet_size = Some(property::non_zero(number)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_two(&mut self, id: u8, number: u16) -> property::Allowed {
        match id {
            RECEIVE_MAXIMUM => self.receive_maximum = Some(property::non_zero(number)?),
            TOPIC_ALIAS_MAXIMUM => self.topic_alias_maximum = Some(number),
            SERVER_KEEP_ALIVE => self.server_keep_alive_s = Some(number),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_byte(&mut self, id: u8, byte: u8) -> property::Allowed {
        let flag = match id {
            MAXIMUM_QOS => {
                let is_one = property::boolean(byte)?;
                self.maximum_qos = Some(if is_one { QoS::AtLeastOnce } else { QoS::AtMostOnce });
                return Ok(true);
            }
            RETAIN_AVAILABLE => &mut self.retain_available,
            WILDCARD_SUBSCRIPTION_AVAILABLE => &mut self.wildcard_subscription_available,
            SUBSCRIPTION_IDENTIFIER_AVAILABLE => &mut self.subscription_identifiers_available,
            SHARED_SUBSCRIPTION_AVAILABLE => &mut self.shared_subscription_available,
            _ => return Ok(false),
        };
        *flag = Some(property::boolean(byte)?);
        Ok(true)
    }

    fn set_text(&mut self, id: u8, text: &'a str) -> bool {
        let field = match id {
            ASSIGNED_CLIENT_IDENTIFIER => &mut self.assigned_client_identifier,
            REASON_STRING => &mut self.reason_string,
            RESPONSE_INFORMATION => &mut self.response_information,
            SERVER_REFERENCE => &mut self.server_reference,
            AUTHENTICATION_METHOD => &mut self.authentication_method,
            _ => return false,
        };
        *field = Some(text);
        true
    }

    fn encode(&self, out: &mut Vec<u8>) {
        // Maximum QoS has no value for 2: that is said by leaving it out.
        let maximum_qos = self.maximum_qos.filter(|qos| *qos < QoS::ExactlyOnce);
        let mut properties = PropertyWriter(out);
        properties.four(SESSION_EXPIRY_INTERVAL, self.session_expiry_interval_s);
        properties.two(RECEIVE_MAXIMUM, self.receive_maximum);
        properties.byte(MAXIMUM_QOS, maximum_qos.map(u8::from));
        properties.flag(RETAIN_AVAILABLE, self.retain_available);
        properties.four(MAXIMUM_PACKET_SIZE, self.maximum_packet_size);
        properties.text(ASSIGNED_CLIENT_IDENTIFIER, self.assigned_client_identifier);
        properties.two(TOPIC_ALIAS_MAXIMUM, self.topic_alias_maximum);
        properties.text(REASON_STRING, self.reason_string);
        properties.flag(WILDCARD_SUBSCRIPTION_AVAILABLE, self.wildcard_subscription_available);
        let identifiers = self.subscription_identifiers_available;
        properties.flag(SUBSCRIPTION_IDENTIFIER_AVAILABLE, identifiers);
        properties.flag(SHARED_SUBSCRIPTION_AVAILABLE, self.shared_subscription_available);
        properties.two(SERVER_KEEP_ALIVE, self.server_keep_alive_s);
        properties.text(RESPONSE_INFORMATION, self.response_information);
        properties.text(SERVER_REFERENCE, self.server_reference);
        properties.text(AUTHENTICATION_METHOD, self.authentication_method);
        properties.binary(AUTHENTICATION_DATA, self.authentication_data);
        properties.user(self.user_properties);
    }
}

impl fmt::Debug for ConnAckProperties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnAckProperties")
            .field("session_expiry_interval_s", &self.session_expiry_interval_s)
            .field("receive_maximum", &self.receive_maximum)
            .field("maximum_qos", &self.maximum_qos)
            .field("retain_available", &self.retain_available)
            .field("maximum_packet_size", &self.maximum_packet_size)
            .field("assigned_client_identifier", &self.assigned_client_identifier)
            .field("topic_alias_maximum", &self.topic_alias_maximum)
            .field("reason_string", &self.reason_string)
            .field("user_properties", &self.user_properties)
            .field("wildcard_subscription_available", &self.wildcard_subscription_available)
            .field("subscription_identifiers_available", &self.subscription_identifiers_available)
            .field("shared_subscription_available", &self.shared_subscription_available)
            .field("server_keep_alive_s", &self.server_keep_alive_s)
            .field("response_information", &self.response_information)
            .field("server_reference", &self.server_reference)
            .field("authentication_method", &self.authentication_method)
            .field("authentication_data", &self.authentication_data.map(|_| "***"))
            .finish()
    }
}
