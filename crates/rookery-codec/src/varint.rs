//! The Variable Byte Integer, MQTT-5.0 section 1.5.5.

use crate::DecodeError;

/// The largest value that four bytes hold.
pub const MAX: u32 = 268_435_455;

/// How many bytes `value` takes, 1 to 4.
#[must_use]
#[inline]
pub const fn len(value: u32) -> usize {
    match value {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}

/// Appends `value`, at most [`MAX`], in the fewest bytes (MQTT-5.0 [MQTT-1.5.5-1]).
#[inline]
pub fn encode(value: u32, out: &mut Vec<u8>) {
    debug_assert!(value <= MAX, "a length above the protocol's limit");
    let mut rest = value;
    while rest >= 0x80 {
        out.push((rest as u8 & 0x7F) | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// The value at the start of `bytes` and how many bytes it takes; `None` when more are needed.
/// Longer forms than needed are read too: MQTT 3.1.1 does not forbid them.
///
/// # Errors
///
/// Malformed, when the fourth byte says that a fifth follows.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Option<(u32, usize)>, DecodeError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 {
        return Ok(None);
    }
    Err(DecodeError::Malformed("variable byte integer of more than four bytes"))
}
