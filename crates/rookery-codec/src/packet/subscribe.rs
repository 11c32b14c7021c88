//! SUBSCRIBE, MQTT-5.0 section 3.8.

use crate::{
    DecodeError, QoS, UserProperties, Version,
    encode::{put_str, with_length},
    property::{self, PropertyWriter, SUBSCRIPTION_IDENTIFIER, USER_PROPERTY, Value},
    reader::Reader,
};

/// Asks for subscriptions. It has at least one topic filter; their syntax is not checked here,
/// because a bad one is answered by its own reason code in SUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Never 0 when decoded.
    pub packet_id: u16,
    /// 1 to 268,435,455.
    pub subscription_identifier: Option<u32>,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
    filters: SubscribeFilters<'a>,
}

/// How a subscription is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SubscriptionOptions {
    /// The maximum QoS of deliveries.
    pub qos: QoS,
    /// Do not send back what this client published.
    pub no_local: bool,
    /// Keep the retain flag as it was published.
    pub retain_as_published: bool,
    /// Retained messages: 0 send, 1 send if the subscription is new, 2 do not send.
    pub retain_handling: u8,
}

impl SubscriptionOptions {
    /// From the options byte. MQTT-5.0 section 3.8.3.1, MQTT-3.1.1 [MQTT-3-8.3-4].
    fn decode(byte: u8, version: Version) -> Result<Self, DecodeError> {
        let reserved = if version.is_v5() { 0xC0 } else { 0xFC };
        if byte & reserved != 0 {
            // MQTT-5.0 [MQTT-3.8.3-5].
            return Err(DecodeError::Malformed("reserved bits of the subscription options"));
        }
        let Some(qos) = QoS::from_u8(byte & 3) else {
            return Err(DecodeError::Protocol("subscription with QoS 3"));
        };
        let retain_handling = byte >> 4 & 3;
        if retain_handling == 3 {
            return Err(DecodeError::Protocol("retain handling is 3"));
        }
        Ok(Self {
            qos,
            no_local: byte & 4 != 0,
            retain_as_published: byte & 8 != 0,
            retain_handling,
        })
    }

    /// The options byte of version 5; the older versions have the two bits of the QoS only.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self.qos as u8
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | (self.retain_handling & 3) << 4
    }
}

/// One topic filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscribeFilter<'a> {
    /// As sent, `$share/…` included.
    pub filter: &'a str,
    /// Its options.
    pub options: SubscriptionOptions,
}

impl<'a> Subscribe<'a> {
    /// A SUBSCRIBE to send, without properties.
    #[must_use]
    pub fn new(packet_id: u16, filters: &'a SubscribeFiltersBuf) -> Self {
        Self {
            packet_id,
            subscription_identifier: None,
            user_properties: UserProperties::default(),
            filters: filters.iter(),
        }
    }

    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
        let mut reader = Reader(body);
        let packet_id = reader.packet_id()?;
        let mut subscription_identifier = None;
        let mut user_properties = UserProperties::default();
        if version.is_v5() {
            let list = reader.property_list()?;
            property::for_each(list, None, |id, value| {
                match (id, value) {
                    (SUBSCRIPTION_IDENTIFIER, Value::Varint(identifier)) => {
                        subscription_identifier = Some(property::non_zero(identifier)?);
                    }
                    (USER_PROPERTY, _) => user_properties = UserProperties::from_checked(list),
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        let filters = SubscribeFilters { rest: reader, version };
        if reader.is_empty() {
            // MQTT-5.0 [MQTT-3.8.3-2].
            return Err(DecodeError::Protocol("SUBSCRIBE without a topic filter"));
        }
        let mut check = filters;
        while !check.rest.is_empty() {
            check.read()?;
        }
        Ok(Self { packet_id, subscription_identifier, user_properties, filters })
    }

    /// The topic filters in the order sent.
    #[must_use]
    pub const fn filters(&self) -> SubscribeFilters<'a> {
        self.filters
    }

    /// How many topic filters there are; walks them.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a SUBSCRIBE is never empty")]
    pub fn len(&self) -> usize {
        self.filters.count()
    }

    /// Appends the packet.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        out.push(0x82);
        with_length(out, |out| {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
            if version.is_v5() {
                with_length(out, |out| {
                    let mut properties = PropertyWriter(out);
                    properties.varint(SUBSCRIPTION_IDENTIFIER, self.subscription_identifier);
                    properties.user(self.user_properties);
                });
            }
            let mask = if version.is_v5() { 0x3F } else { 0x03 };
            for SubscribeFilter { filter, options } in self.filters {
                put_str(filter, out);
                out.push(options.to_byte() & mask);
            }
        });
    }
}

/// Iterator of [`Subscribe::filters`].
#[derive(Debug, Clone, Copy)]
pub struct SubscribeFilters<'a> {
    rest: Reader<'a>,
    version: Version,
}

impl<'a> SubscribeFilters<'a> {
    fn read(&mut self) -> Result<SubscribeFilter<'a>, DecodeError> {
        let filter = self.rest.name()?;
        let options = SubscriptionOptions::decode(self.rest.u8()?, self.version)?;
        Ok(SubscribeFilter { filter, options })
    }
}

impl<'a> Iterator for SubscribeFilters<'a> {
    type Item = SubscribeFilter<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        // Checked when the packet was decoded: an error here is the end of the list.
        self.read().ok()
    }
}

impl PartialEq for SubscribeFilters<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

impl Eq for SubscribeFilters<'_> {}

/// Topic filters to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscribeFiltersBuf(Vec<u8>);

impl SubscribeFiltersBuf {
    /// None yet; a SUBSCRIBE needs one at least.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one at the end.
    pub fn push(&mut self, filter: &str, options: SubscriptionOptions) {
        put_str(filter, &mut self.0);
        self.0.push(options.to_byte());
    }

    /// The filters added.
    #[must_use]
    pub fn iter(&self) -> SubscribeFilters<'_> {
        SubscribeFilters { rest: Reader(&self.0), version: Version::V5 }
    }
}
