//! PUBLISH, MQTT-5.0 section 3.3.

use crate::{
    DecodeError, PublishHead, QoS, UserProperties, Version, encode_publish_head,
    property::{
        self, CONTENT_TYPE, CORRELATION_DATA, MESSAGE_EXPIRY_INTERVAL, PAYLOAD_FORMAT_INDICATOR,
        PropertyWriter, RESPONSE_TOPIC, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS, USER_PROPERTY, Value,
        WILL_DELAY_INTERVAL,
    },
    reader::{Reader, check_topic},
};

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Publish<'a> {
    /// Sent before.
    pub dup: bool,
    /// The QoS of this delivery.
    pub qos: QoS,
    /// The retain flag.
    pub retain: bool,
    /// Empty only in version 5 beside a topic alias.
    pub topic: &'a str,
    /// 0 at QoS 0, otherwise not 0.
    pub packet_id: u16,
    /// None before version 5.
    pub properties: PublishProperties<'a>,
    /// Whatever is left of the packet.
    pub payload: &'a [u8],
}

/// The properties of a message or of a will.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublishProperties<'a> {
    /// The property list as received, without its length; empty in properties made by hand.
    pub raw: &'a [u8],
    /// 0 bytes, 1 UTF-8.
    pub payload_format_indicator: Option<u8>,
    /// Not to be delivered after that long.
    pub message_expiry_interval_s: Option<u32>,
    /// Not 0. Belongs to the connection, not to the message.
    pub topic_alias: Option<u16>,
    /// Without wildcards.
    pub response_topic: Option<&'a str>,
    /// Opaque.
    pub correlation_data: Option<&'a [u8]>,
    /// A MIME type, or anything.
    pub content_type: Option<&'a str>,
    /// Sent by a server only: a server refuses them (MQTT-5.0 [MQTT-3.3.4-6]).
    pub subscription_identifiers: SubIds<'a>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
}

/// `raw` says nothing more than the other fields do, and may say it in another order.
impl PartialEq for PublishProperties<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.payload_format_indicator == other.payload_format_indicator
            && self.message_expiry_interval_s == other.message_expiry_interval_s
            && self.topic_alias == other.topic_alias
            && self.response_topic == other.response_topic
            && self.correlation_data == other.correlation_data
            && self.content_type == other.content_type
            && self.subscription_identifiers == other.subscription_identifiers
            && self.user_properties == other.user_properties
    }
}

impl Eq for PublishProperties<'_> {}

impl<'a> PublishProperties<'a> {
    /// Reads the list of a PUBLISH or, when `will_delay_s` is given, of a will.
    pub(crate) fn decode(
        list: &'a [u8],
        mut will_delay_s: Option<&mut u32>,
    ) -> Result<Self, DecodeError> {
        let mut found = PublishProperties { raw: list, ..PublishProperties::default() };
        let is_will = will_delay_s.is_some();
        property::for_each(list, Some(SUBSCRIPTION_IDENTIFIER), |id, value| {
            match (id, value) {
                (PAYLOAD_FORMAT_INDICATOR, Value::Byte(byte)) => {
                    found.payload_format_indicator = Some(u8::from(property::boolean(byte)?));
                }
                (MESSAGE_EXPIRY_INTERVAL, Value::Four(interval_s)) => {
                    found.message_expiry_interval_s = Some(interval_s);
                }
                (RESPONSE_TOPIC, Value::Text(topic)) => {
                    check_response_topic(topic)?;
                    found.response_topic = Some(topic);
                }
                (CORRELATION_DATA, Value::Binary(data)) => found.correlation_data = Some(data),
                (CONTENT_TYPE, Value::Text(text)) => found.content_type = Some(text),
                (USER_PROPERTY, _) => found.user_properties = UserProperties::from_checked(list),
                (TOPIC_ALIAS, Value::Two(alias)) if !is_will => {
                    if alias == 0 {
                        return Err(DecodeError::TopicAlias);
                    }
                    found.topic_alias = Some(alias);
                }
                (SUBSCRIPTION_IDENTIFIER, Value::Varint(identifier)) if !is_will => {
                    property::non_zero(identifier)?;
                    found.subscription_identifiers = SubIds(Source::Encoded(list));
                }
                (WILL_DELAY_INTERVAL, Value::Four(delay_s)) => match &mut will_delay_s {
                    Some(slot) => **slot = delay_s,
                    None => return Ok(false),
                },
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// Reads what [`PublishProperties::forward_into`] wrote.
    ///
    /// # Errors
    ///
    /// When it is no property list of a PUBLISH.
    pub fn from_list(list: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode(list, None)
    }

    /// Appends, as received and in that order, what a server must forward unaltered
    /// (MQTT-5.0 [MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-20]): all but topic alias,
    /// subscription identifier, and the two intervals, which are counted down or stay here.
    pub fn forward_into(&self, out: &mut Vec<u8>) {
        let mut rest = Reader(self.raw);
        if rest.is_empty() {
            return self.encode_forwarded(out);
        }
        while !rest.is_empty() {
            let before = rest.0;
            let Ok(id) = property::skip(&mut rest) else {
                return;
            };
            let is_kept = !matches!(
                id,
                TOPIC_ALIAS
                    | SUBSCRIPTION_IDENTIFIER
                    | MESSAGE_EXPIRY_INTERVAL
                    | WILL_DELAY_INTERVAL
            );
            if is_kept {
                out.extend_from_slice(before.split_at(before.len() - rest.0.len()).0);
            }
        }
    }

    fn encode_forwarded(&self, out: &mut Vec<u8>) {
        let mut properties = PropertyWriter(out);
        properties.byte(PAYLOAD_FORMAT_INDICATOR, self.payload_format_indicator);
        properties.text(RESPONSE_TOPIC, self.response_topic);
        properties.binary(CORRELATION_DATA, self.correlation_data);
        properties.text(CONTENT_TYPE, self.content_type);
        properties.user(self.user_properties);
    }

    /// Appends every property by the fields, without a length. `raw` is not consulted.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.encode_forwarded(out);
        let mut properties = PropertyWriter(out);
        properties.four(MESSAGE_EXPIRY_INTERVAL, self.message_expiry_interval_s);
        properties.two(TOPIC_ALIAS, self.topic_alias);
        for identifier in self.subscription_identifiers.iter() {
            properties.varint(SUBSCRIPTION_IDENTIFIER, Some(identifier));
        }
    }
}

/// MQTT-5.0 [MQTT-3.3.2-14].
fn check_response_topic(topic: &str) -> Result<(), DecodeError> {
    match check_topic(topic.as_bytes()) {
        Err(DecodeError::TopicName(_)) => {
            Err(DecodeError::Protocol("wildcard in the response topic"))
        }
        other => other.map(drop),
    }
}

/// Decodes the body of a PUBLISH; `first` is its first byte.
///
/// # Errors
///
/// The first rule that the packet breaks.
#[inline]
pub fn decode_publish<'a>(
    first: u8,
    body: &'a [u8],
    version: Version,
) -> Result<Publish<'a>, DecodeError> {
    let dup = first & 8 != 0;
    let Some(qos) = QoS::from_u8(first >> 1 & 3) else {
        // MQTT-5.0 [MQTT-3.3.1-4].
        return Err(DecodeError::Malformed("PUBLISH with QoS 3"));
    };
    let mut reader = Reader(body);
    let topic = check_topic(reader.binary()?)?;
    let mut packet_id = 0;
    if qos != QoS::AtMostOnce {
        packet_id = reader.packet_id()?;
    } else if dup && version != Version::V31 {
        // MQTT-5.0 [MQTT-3.3.1-2].
        return Err(DecodeError::Malformed("DUP at QoS 0"));
    }
    let mut properties = PublishProperties::default();
    if version.is_v5() {
        let list = reader.property_list()?;
        if !list.is_empty() {
            properties = PublishProperties::decode(list, None)?;
        }
    }
    if topic.is_empty() {
        check_no_topic(&properties, version)?;
    }
    let retain = first & 1 != 0;
    Ok(Publish { dup, qos, retain, topic, packet_id, properties, payload: reader.0 })
}

/// MQTT-5.0 section 3.3.2.1: an empty topic name needs a topic alias. MQTT-3.1.1 [MQTT-4.7.3-1].
#[cold]
fn check_no_topic(properties: &PublishProperties<'_>, version: Version) -> Result<(), DecodeError> {
    match properties.topic_alias {
        Some(_) => Ok(()),
        None if version.is_v5() => {
            Err(DecodeError::Protocol("neither a topic name nor a topic alias"))
        }
        None => Err(DecodeError::TopicName("empty")),
    }
}

impl Publish<'_> {
    /// Appends the packet. A broker's deliveries go through [`encode_publish_head`] instead.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        let mut properties = Vec::new();
        if version.is_v5() {
            self.properties.encode(&mut properties);
        }
        let head = PublishHead {
            version,
            dup: self.dup,
            qos: self.qos,
            retain: self.retain,
            topic: self.topic,
            packet_id: self.packet_id,
            topic_alias: None,
            message_expiry_interval_s: None,
            subscription_identifiers: &[],
            properties: &properties,
        };
        encode_publish_head(&head, self.payload.len(), out);
        out.extend_from_slice(self.payload);
    }
}

/// The subscription identifiers of a PUBLISH that a server sends.
#[derive(Clone, Copy)]
pub struct SubIds<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    /// A property list checked before; other properties in it are passed over.
    Encoded(&'a [u8]),
    Values(&'a [u32]),
}

impl<'a> SubIds<'a> {
    /// To be sent; each 1 to 268,435,455.
    #[must_use]
    pub const fn from_slice(identifiers: &'a [u32]) -> Self {
        Self(Source::Values(identifiers))
    }

    /// Each, in the order sent.
    #[must_use]
    pub const fn iter(&self) -> SubIdsIter<'a> {
        SubIdsIter(self.0)
    }

    /// How many there are; walks the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl Default for SubIds<'_> {
    fn default() -> Self {
        Self(Source::Values(&[]))
    }
}

impl PartialEq for SubIds<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SubIds<'_> {}

impl std::fmt::Debug for SubIds<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for SubIds<'a> {
    type Item = u32;
    type IntoIter = SubIdsIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator of [`SubIds::iter`].
#[derive(Clone)]
pub struct SubIdsIter<'a>(Source<'a>);

impl Iterator for SubIdsIter<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match &mut self.0 {
            Source::Values(values) => {
                let (first, rest) = values.split_first()?;
                *values = rest;
                Some(*first)
            }
            Source::Encoded(list) => {
                let mut reader = Reader(list);
                while !reader.is_empty() {
                    if reader.0.first() != Some(&SUBSCRIPTION_IDENTIFIER) {
                        property::skip(&mut reader).ok()?;
                    } else if let (_, Value::Varint(value)) = property::read(&mut reader).ok()? {
                        *list = reader.0;
                        return Some(value);
                    }
                }
                *list = &[];
                None
            }
        }
    }
}
