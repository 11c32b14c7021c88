//! UNSUBSCRIBE, MQTT-5.0 section 3.10.

use crate::{
    DecodeError, UserProperties, Version,
    encode::{put_str, with_length},
    property::{self, PropertyWriter, USER_PROPERTY},
    reader::Reader,
};

/// Ends subscriptions. It has at least one topic filter, whose syntax is not checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Never 0 when decoded.
    pub packet_id: u16,
    /// In the order sent.
    pub user_properties: UserProperties<'a>,
    filters: UnsubscribeFilters<'a>,
}

impl<'a> Unsubscribe<'a> {
    /// An UNSUBSCRIBE to send, without properties.
    #[must_use]
    pub fn new(packet_id: u16, filters: &'a UnsubscribeFiltersBuf) -> Self {
        Self { packet_id, user_properties: UserProperties::default(), filters: filters.iter() }
    }

    pub(crate) fn decode(body: &'a [u8], version: Version) -> Result<Self, DecodeError> {
        let mut reader = Reader(body);
        let packet_id = reader.packet_id()?;
        let mut user_properties = UserProperties::default();
        if version.is_v5() {
            let list = reader.property_list()?;
            property::for_each(list, None, |id, _| {
                user_properties = UserProperties::from_checked(list);
                Ok(id == USER_PROPERTY)
            })?;
        }
        if reader.is_empty() {
            // MQTT-5.0 [MQTT-3.10.3-2].
            return Err(DecodeError::Protocol("UNSUBSCRIBE without a topic filter"));
        }
        let filters = UnsubscribeFilters(reader);
        while !reader.is_empty() {
            reader.name()?;
        }
        Ok(Self { packet_id, user_properties, filters })
    }

    /// The topic filters in the order sent.
    #[must_use]
    pub const fn filters(&self) -> UnsubscribeFilters<'a> {
        self.filters
    }

    /// How many topic filters there are; walks them.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an UNSUBSCRIBE is never empty")]
    pub fn len(&self) -> usize {
        self.filters.count()
    }

    /// Appends the packet.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) {
        out.push(0xA2);
        with_length(out, |out| {
            out.extend_from_slice(&self.packet_id.to_be_bytes());
            if version.is_v5() {
                with_length(out, |out| PropertyWriter(out).user(self.user_properties));
            }
            for filter in self.filters {
                put_str(filter, out);
            }
        });
    }
}

/// Iterator of [`Unsubscribe::filters`].
#[derive(Debug, Clone, Copy)]
pub struct UnsubscribeFilters<'a>(Reader<'a>);

impl<'a> Iterator for UnsubscribeFilters<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        // Checked when the packet was decoded: an error here is the end of the list.
        self.0.name().ok()
    }
}

impl PartialEq for UnsubscribeFilters<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

impl Eq for UnsubscribeFilters<'_> {}

/// Topic filters to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnsubscribeFiltersBuf(Vec<u8>);

impl UnsubscribeFiltersBuf {
    /// None yet; an UNSUBSCRIBE needs one at least.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one at the end.
    pub fn push(&mut self, filter: &str) {
        put_str(filter, &mut self.0);
    }

    /// The filters added.
    #[must_use]
    pub fn iter(&self) -> UnsubscribeFilters<'_> {
        UnsubscribeFilters(Reader(&self.0))
    }
}
