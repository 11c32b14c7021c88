//! A cursor over the body of one packet.

use crate::{DecodeError, varint};

pub(crate) const ENDS_EARLY: DecodeError = DecodeError::Malformed("packet ends early");

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(*head)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(head)
    }

    /// A Variable Byte Integer in its shortest form, MQTT-5.0 [MQTT-1.5.5-1].
    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u32, DecodeError> {
        let (value, len) = varint::decode(self.0)?.ok_or(ENDS_EARLY)?;
        if len != varint::len(value) {
            return Err(DecodeError::Malformed("variable byte integer is not minimal"));
        }
        self.take(len)?;
        Ok(value)
    }

    /// Binary Data, MQTT-5.0 section 1.5.6.
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    /// A UTF-8 Encoded String, MQTT-5.0 section 1.5.4.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<&'a str, DecodeError> {
        check_string(self.binary()?)
    }

    /// A string that names a client, a user or a topic filter.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<&'a str, DecodeError> {
        check_name(self.binary()?)
    }

    /// The packet identifier of every packet but a PUBLISH at QoS 0.
    #[inline]
    pub(crate) fn packet_id(&mut self) -> Result<u16, DecodeError> {
        match self.u16()? {
            // MQTT-5.0 [MQTT-2.2.1-3], [MQTT-2.2.1-4].
            0 => Err(DecodeError::Protocol("packet identifier is zero")),
            packet_id => Ok(packet_id),
        }
    }

    /// The property list with its length, without the length. MQTT-5.0 section 2.2.2.
    #[inline]
    pub(crate) fn property_list(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.varint()?;
        self.take(len as usize)
    }

    #[inline]
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Malformed("bytes after the end of the packet"))
        }
    }
}

/// MQTT-5.0 [MQTT-1.5.4-1] (surrogates are not UTF-8 to Rust either) and [MQTT-1.5.4-2].
#[inline]
fn check_string(bytes: &[u8]) -> Result<&str, DecodeError> {
    let Ok(text) = str::from_utf8(bytes) else {
        return Err(NOT_UTF8);
    };
    if has_any(bytes, |byte| byte == 0) {
        return Err(HAS_NULL);
    }
    Ok(text)
}

/// A string that names something and ends up in logs, tables and other protocols: MQTT-5.0
/// section 1.5.4 lets the receiver refuse control characters and non-characters, and here it does.
#[inline]
fn check_name(bytes: &[u8]) -> Result<&str, DecodeError> {
    let Ok(text) = str::from_utf8(bytes) else {
        return Err(NOT_UTF8);
    };
    if has_any(bytes, |byte| is_ascii_control(byte) | (byte >= 0x80)) {
        check_characters(text)?;
    }
    Ok(text)
}

/// A topic name; that it is not empty is checked by the caller, whose rules differ.
#[inline]
pub(crate) fn check_topic(bytes: &[u8]) -> Result<&str, DecodeError> {
    let Ok(text) = str::from_utf8(bytes) else {
        return Err(NOT_UTF8);
    };
    let is_odd = |byte| is_ascii_control(byte) | (byte >= 0x80) | (byte == b'+') | (byte == b'#');
    if has_any(bytes, is_odd) {
        check_characters(text)?;
        if text.contains(['+', '#']) {
            return Err(DecodeError::TopicName("wildcard"));
        }
    }
    Ok(text)
}

const NOT_UTF8: DecodeError = DecodeError::Malformed("string is not UTF-8");
const HAS_NULL: DecodeError = DecodeError::Malformed("string contains U+0000");

#[inline]
fn is_ascii_control(byte: u8) -> bool {
    (byte < 0x20) | (byte == 0x7F)
}

fn check_characters(text: &str) -> Result<(), DecodeError> {
    for character in text.chars() {
        let code = u32::from(character);
        if code == 0 {
            return Err(HAS_NULL);
        }
        if character.is_control() {
            return Err(DecodeError::Malformed("name contains a control character"));
        }
        if code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code) {
            return Err(DecodeError::Malformed("name contains a non-character"));
        }
    }
    Ok(())
}

/// Without an early exit, so that it compiles to vector compares: the answer is nearly always no.
#[inline]
fn has_any(bytes: &[u8], is_odd: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |found, byte| found | is_odd(*byte))
}
