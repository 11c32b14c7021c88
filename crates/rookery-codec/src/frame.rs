//! The fixed header: where a packet ends.

use crate::{DecodeError, varint};

/// A parsed fixed header. The packet takes `header_len + remaining` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Packet type and flags.
    pub first: u8,
    /// Bytes of the fixed header, 2 to 5.
    pub header_len: usize,
    /// Bytes of the body.
    pub remaining: usize,
}

impl FrameHeader {
    /// Bytes of the whole packet.
    #[must_use]
    #[inline]
    pub const fn total_len(&self) -> usize {
        self.header_len + self.remaining
    }

    /// Whether the remaining length takes the fewest bytes: MQTT-5.0 [MQTT-1.5.5-1] wants it,
    /// earlier versions leave it to the sender.
    #[must_use]
    #[inline]
    pub const fn is_minimal(&self) -> bool {
        match self.header_len {
            0..=2 => true,
            3 => self.remaining >= 1 << 7,
            4 => self.remaining >= 1 << 14,
            _ => self.remaining >= 1 << 21,
        }
    }
}

/// Reads the fixed header at the start of `buf`; `Ok(None)` means that more bytes are needed.
/// The caller checks `remaining` against its own limit before it waits for the body.
///
/// # Errors
///
/// Malformed, when the remaining length has more than four bytes.
#[inline]
pub fn parse_header(buf: &[u8]) -> Result<Option<FrameHeader>, DecodeError> {
    // Nearly every packet is shorter than 128 bytes.
    if let [first, length, ..] = *buf
        && length < 0x80
    {
        let remaining = usize::from(length);
        return Ok(Some(FrameHeader { first, header_len: 2, remaining }));
    }
    let [first, rest @ ..] = buf else {
        return Ok(None);
    };
    Ok(varint::decode(rest)?.map(|(remaining, length_len)| FrameHeader {
        first: *first,
        header_len: 1 + length_len,
        remaining: remaining as usize,
    }))
}

/// The packet type, 1 (CONNECT) to 15 (AUTH); 0 is reserved.
#[must_use]
#[inline]
pub const fn packet_type(first: u8) -> u8 {
    first >> 4
}
