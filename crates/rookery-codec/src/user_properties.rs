//! User properties: name-value pairs whose order is kept (MQTT-5.0 [MQTT-3.3.2-18]).

use crate::{
    DecodeError,
    encode::put_str,
    property::{self, USER_PROPERTY, Value},
    reader::Reader,
};

/// The user properties in an encoded property list. Other properties in it are passed over.
#[derive(Clone, Copy, Default)]
pub struct UserProperties<'a>(&'a [u8]);

impl<'a> UserProperties<'a> {
    /// Reads them from `list`, a property list without its length.
    ///
    /// # Errors
    ///
    /// When `list` is not a well-formed property list.
    pub fn from_encoded(list: &'a [u8]) -> Result<Self, DecodeError> {
        property::for_each(list, None, |_, _| Ok(true))?;
        Ok(Self(list))
    }

    /// `list` was checked by the decoder of the packet.
    pub(crate) const fn from_checked(list: &'a [u8]) -> Self {
        Self(list)
    }

    /// Name and value of each, in the order sent.
    #[must_use]
    pub const fn iter(&self) -> UserPropertiesIter<'a> {
        UserPropertiesIter(Reader(self.0))
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

impl PartialEq for UserProperties<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for UserProperties<'_> {}

impl std::fmt::Debug for UserProperties<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for UserProperties<'a> {
    type Item = (&'a str, &'a str);
    type IntoIter = UserPropertiesIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator of [`UserProperties::iter`].
#[derive(Debug, Clone)]
pub struct UserPropertiesIter<'a>(Reader<'a>);

impl<'a> Iterator for UserPropertiesIter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            if self.0.0.first() != Some(&USER_PROPERTY) {
                property::skip(&mut self.0).ok()?;
            } else if let (_, Value::Pair(key, value)) = property::read(&mut self.0).ok()? {
                return Some((key, value));
            }
        }
        None
    }
}

/// User properties to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPropertiesBuf(Vec<u8>);

impl UserPropertiesBuf {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one at the end.
    pub fn push(&mut self, key: &str, value: &str) {
        self.0.push(USER_PROPERTY);
        put_str(key, &mut self.0);
        put_str(value, &mut self.0);
    }

    /// For the `user_properties` field of a packet.
    #[must_use]
    pub fn as_ref(&self) -> UserProperties<'_> {
        UserProperties(&self.0)
    }

    /// The properties as they stand on the wire, without a length.
    #[must_use]
    pub fn as_encoded(&self) -> &[u8] {
        &self.0
    }
}
