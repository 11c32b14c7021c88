//! CONNECT, MQTT-5.0 section 3.1.

use std::fmt;

use crate::{
    DecodeError, QoS, UserProperties, Version, Will,
    encode::{put_binary, put_str, with_length},
    property::{
        self, AUTHENTICATION_DATA, AUTHENTICATION_METHOD, MAXIMUM_PACKET_SIZE, PropertyWriter,
        RECEIVE_MAXIMUM, REQUEST_PROBLEM_INFORMATION, REQUEST_RESPONSE_INFORMATION,
        SESSION_EXPIRY_INTERVAL, TOPIC_ALIAS_MAXIMUM, USER_PROPERTY, Value,
    },
    reader::Reader,
};

/// Set in the protocol level by a bridge of versions 3.1 and 3.1.1; no specification has it.
const BRIDGE: u8 = 0x80;

const CLEAN_START: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USERNAME: u8 = 0x80;

/// The first packet of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version that all further packets have.
    pub version: Version,
    /// A bridge of version 3.1 or 3.1.1: it wants retain as published and no local.
    pub bridge: bool,
    /// Clean session before version 5.
    pub clean_start: bool,
    /// 0 is none.
    pub keep_alive_s: u16,
    /// Empty when the server is to choose; the rules on length and on clean sessions are the
    /// caller's, who answers them with CONNACK.
    pub client_id: &'a str,
    /// Given or not.
    pub username: Option<&'a str>,
    /// Secret: not in the `Debug` form.
    pub password: Option<&'a [u8]>,
    /// Given or not.
    pub will: Option<Will<'a>>,
    /// None before version 5.
    pub properties: ConnectProperties<'a>,
}

impl<'a> Connect<'a> {
    /// A CONNECT with clean start, no keep alive and nothing else.
    #[must_use]
    pub fn new(version: Version, client_id: &'a str) -> Self {
        Self {
            version,
            bridge: false,
            clean_start: true,
            keep_alive_s: 0,
            client_id,
            username: None,
            password: None,
            will: None,
            properties: ConnectProperties::default(),
        }
    }

    pub(crate) fn decode(first: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(body);
        let (version, bridge) = decode_protocol(&mut reader)?;
        // Version 3.1 does not use the flags of the fixed header of CONNECT.
        if first & 0x0F != 0 && version != Version::V31 {
            return Err(DecodeError::Malformed("reserved flags of the fixed header"));
        }
        let flags = reader.u8()?;
        let will_flags = decode_flags(flags, version)?;
        let keep_alive_s = reader.u16()?;
        let mut properties = ConnectProperties::default();
        if version.is_v5() {
            properties = ConnectProperties::decode(reader.property_list()?)?;
        }
        let client_id = reader.name()?;
        let will = match will_flags {
            Some((qos, retain)) => Some(Will::decode(&mut reader, version, qos, retain)?),
            None => None,
        };
        // MQTT 3.1 section 3.1: the flag may be set and the field missing at the end.
        let is_left = |reader: &Reader<'_>| version != Version::V31 || !reader.is_empty();
        let mut username = None;
        if flags & USERNAME != 0 && is_left(&reader) {
            username = Some(reader.name()?);
        }
        let mut password = None;
        if flags & PASSWORD != 0 && is_left(&reader) {
            password = Some(reader.binary()?);
        }
        reader.finish()?;
        Ok(Self {
            version,
            bridge,
            clean_start: flags & CLEAN_START != 0,
            keep_alive_s,
            client_id,
            username,
            password,
            will,
            properties,
        })
    }

    /// Appends the packet.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(0x10);
        with_length(out, |out| {
            put_str(self.version.protocol_name(), out);
            out.push(self.version as u8 | if self.bridge { BRIDGE } else { 0 });
            out.push(self.flags());
            out.extend_from_slice(&self.keep_alive_s.to_be_bytes());
            if self.version.is_v5() {
                with_length(out, |out| self.properties.encode(out));
            }
            put_str(self.client_id, out);
            if let Some(will) = &self.will {
                will.encode(self.version, out);
            }
            if let Some(username) = self.username {
                put_str(username, out);
            }
            if let Some(password) = self.password {
                put_binary(password, out);
            }
        });
    }

    fn flags(&self) -> u8 {
        let mut flags = if self.clean_start { CLEAN_START } else { 0 };
        if let Some(will) = &self.will {
            flags |= WILL | (will.qos as u8) << 3 | if will.retain { WILL_RETAIN } else { 0 };
        }
        if self.username.is_some() {
            flags |= USERNAME;
        }
        if self.password.is_some() {
            flags |= PASSWORD;
        }
        flags
    }
}

/// Protocol name and level. MQTT-5.0 sections 3.1.2.1 and 3.1.2.2.
fn decode_protocol(reader: &mut Reader<'_>) -> Result<(Version, bool), DecodeError> {
    let name = reader.string()?;
    if name != "MQTT" && name != "MQIsdp" {
        return Err(DecodeError::UnsupportedProtocolName);
    }
    let level = reader.u8()?;
    let bridge = level & BRIDGE != 0;
    match Version::from_level(level & !BRIDGE) {
        Some(version) if version.protocol_name() == name && !(bridge && version.is_v5()) => {
            Ok((version, bridge))
        }
        _ => Err(DecodeError::UnsupportedProtocolVersion(level)),
    }
}

/// QoS and retain of the will, when there is one.
fn decode_flags(flags: u8, version: Version) -> Result<Option<(QoS, bool)>, DecodeError> {
    let is_strict = version != Version::V31;
    if flags & 1 != 0 && is_strict {
        // MQTT-3.1.1 and MQTT-5.0 [MQTT-3.1.2-3].
        return Err(DecodeError::Malformed("reserved flag of CONNECT"));
    }
    if flags & PASSWORD != 0 && flags & USERNAME == 0 && !version.is_v5() {
        // MQTT-3.1.1 [MQTT-3.1.2-22].
        return Err(DecodeError::Malformed("password without a user name"));
    }
    let retain = flags & WILL_RETAIN != 0;
    let qos = flags >> 3 & 3;
    if flags & WILL == 0 {
        if (retain || qos != 0) && is_strict {
            // MQTT-5.0 [MQTT-3.1.2-11], [MQTT-3.1.2-13].
            return Err(DecodeError::Malformed("will flags without a will"));
        }
        return Ok(None);
    }
    match QoS::from_u8(qos) {
        Some(qos) => Ok(Some((qos, retain))),
        // MQTT-5.0 [MQTT-3.1.2-12].
        None => Err(DecodeError::Malformed("will with QoS 3")),
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("bridge", &self.bridge)
            .field("clean_start", &self.clean_start)
            .field("keep_alive_s", &self.keep_alive_s)
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password.map(|_| "***"))
            .field("will", &self.will)
            .field("properties", &self.properties)
            .finish()
    }
}

/// The properties of CONNECT, MQTT-5.0 section 3.1.2.11. What is absent has the default there.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectProperties<'a> {
    /// Default 0; 0xFFFFFFFF never expires.
    pub session_expiry_interval_s: Option<u32>,
    /// Not 0. Default 65,535.
    pub receive_maximum: Option<u16>,
    /// Not 0. Default no limit.
    pub maximum_packet_size: Option<u32>,
    /// Default 0.
    pub topic_alias_maximum: Option<u16>,
    /// Default false.
    pub request_response_information: Option<bool>,
    /// Default true.
    pub request_problem_information: Option<bool>,
    /// Asks for an authentication exchange.
    pub authentication_method: Option<&'a str>,
    /// Only beside a method. Secret: not in the `Debug` form.
    pub authentication_data: Option<&'a [u8]>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
}

impl<'a> ConnectProperties<'a> {
    fn decode(list: &'a [u8]) -> Result<Self, DecodeError> {
        let mut found = Self::default();
        property::for_each(list, None, |id, value| {
            match (id, value) {
                (SESSION_EXPIRY_INTERVAL, Value::Four(interval_s)) => {
                    found.session_expiry_interval_s = Some(interval_s);
                }
                (RECEIVE_MAXIMUM, Value::Two(maximum)) => {
                    found.receive_maximum = Some(property::non_zero(maximum)?);
                }
                (MAXIMUM_PACKET_SIZE, Value::Four(bytes)) => {
                    found.maximum_packet_size = Some(property::non_zero(bytes)?);
                }
                (TOPIC_ALIAS_MAXIMUM, Value::Two(maximum)) => {
                    found.topic_alias_maximum = Some(maximum);
                }
                (REQUEST_RESPONSE_INFORMATION, Value::Byte(byte)) => {
                    found.request_response_information = Some(property::boolean(byte)?);
                }
                (REQUEST_PROBLEM_INFORMATION, Value::Byte(byte)) => {
                    found.request_problem_information = Some(property::boolean(byte)?);
                }
                (AUTHENTICATION_METHOD, Value::Text(text)) => {
                    found.authentication_method = Some(text);
                }
                (AUTHENTICATION_DATA, Value::Binary(data)) => {
                    found.authentication_data = Some(data);
                }
                (USER_PROPERTY, _) => found.user_properties = UserProperties::from_checked(list),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if found.authentication_data.is_some() && found.authentication_method.is_none() {
            // MQTT-5.0 section 3.1.2.11.10.
            return Err(DecodeError::Protocol("authentication data without a method"));
        }
        Ok(found)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let mut properties = PropertyWriter(out);
        properties.four(SESSION_EXPIRY_INTERVAL, self.session_expiry_interval_s);
        properties.two(RECEIVE_MAXIMUM, self.receive_maximum);
        properties.four(MAXIMUM_PACKET_SIZE, self.maximum_packet_size);
        properties.two(TOPIC_ALIAS_MAXIMUM, self.topic_alias_maximum);
        properties.flag(REQUEST_RESPONSE_INFORMATION, self.request_response_information);
        properties.flag(REQUEST_PROBLEM_INFORMATION, self.request_problem_information);
        properties.text(AUTHENTICATION_METHOD, self.authentication_method);
        properties.binary(AUTHENTICATION_DATA, self.authentication_data);
        properties.user(self.user_properties);
    }
}

impl fmt::Debug for ConnectProperties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectProperties")
            .field("session_expiry_interval_s", &self.session_expiry_interval_s)
            .field("receive_maximum", &self.receive_maximum)
            .field("maximum_packet_size", &self.maximum_packet_size)
            .field("topic_alias_maximum", &self.topic_alias_maximum)
            .field("request_response_information", &self.request_response_information)
            .field("request_problem_information", &self.request_problem_information)
            .field("authentication_method", &self.authentication_method)
            .field("authentication_data", &self.authentication_data.map(|_| "***"))
            .field("user_properties", &self.user_properties)
            .finish()
    }
}
