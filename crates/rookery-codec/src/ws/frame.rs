//! Frame headers, RFC 6455 section 5.2, and the rules that one frame can break.

/// The status code of a closing frame, RFC 6455 section 7.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server goes down.
    pub const GOING_AWAY: Self = Self(1001);
    /// The framing is broken.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// Data that MQTT does not use, namely text.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// The reason of a closing frame is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// A frame above the limit.
    pub const TOO_BIG: Self = Self(1009);

    /// Whether the code may stand in a frame, RFC 6455 section 7.4.2.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// The rule that a frame breaks. The connection is closed with [`FrameError::close_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// RFC 6455 section 5.2: no extension gave a meaning to these bits.
    #[error("reserved bits are set")]
    ReservedBits,
    /// RFC 6455 section 5.2.
    #[error("unknown opcode {0}")]
    Opcode(u8),
    /// MQTT-5.0 [MQTT-6.0.0-1].
    #[error("text frame")]
    Text,
    /// RFC 6455 section 5.1.
    #[error("frame is not masked")]
    Unmasked,
    /// RFC 6455 section 5.2.
    #[error("payload length is not in its shortest form")]
    Length,
    /// RFC 6455 section 5.5.
    #[error("control frame is fragmented or longer than 125 bytes")]
    Control,
    /// RFC 6455 section 5.4.
    #[error("continuation without a message, or a message inside a message")]
    Fragment,
    /// The limit of this server.
    #[error("frame of {0} bytes is above the limit")]
    TooBig(u64),
    /// RFC 7692 section 7.2.2.
    #[error("compressed message that is no DEFLATE data")]
    Deflate,
    /// The limit of this server on what a compressed message may become.
    #[error("compressed message holds more than {0} bytes")]
    Inflated(usize),
    /// RFC 6455 section 5.5.1.
    #[error("closing frame with a bad status code")]
    CloseStatus,
    /// RFC 6455 section 5.5.1.
    #[error("closing frame with a reason that is not UTF-8")]
    CloseReason,
}

impl FrameError {
    /// The status code that tells the client.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Text => CloseCode::UNSUPPORTED_DATA,
            Self::TooBig(_) | Self::Inflated(_) => CloseCode::TOO_BIG,
            Self::CloseReason | Self::Deflate => CloseCode::INVALID_DATA,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn from_u8(code: u8) -> Result<Self, FrameError> {
        match code {
            0 => Ok(Self::Continuation),
            1 => Err(FrameError::Text),
            2 => Ok(Self::Binary),
            8 => Ok(Self::Close),
            9 => Ok(Self::Ping),
            10 => Ok(Self::Pong),
            _ => Err(FrameError::Opcode(code)),
        }
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The longest header of a masked frame.
pub(super) const HEADER_BYTES_MAX: usize = 14;

/// A header that a client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    /// RSV1, RFC 7692 section 6: the message that begins here is compressed.
    pub(super) is_compressed: bool,
    pub(super) payload_len: u64,
    pub(super) mask: [u8; 4],
}

/// Reads a header and says how long it is; `None` when more bytes are needed. What the first two
/// bytes tell is refused before the rest is there.
/// `may_compress` says that RSV1 was given a meaning.
pub(super) fn parse_header(
    bytes: &[u8],
    may_compress: bool,
) -> Result<Option<(Header, usize)>, FrameError> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else {
        return Ok(None);
    };
    let is_compressed = first & 0x40 != 0;
    if first & 0x30 != 0 || (is_compressed && !may_compress) {
        return Err(FrameError::ReservedBits);
    }
    let opcode = Opcode::from_u8(first & 0x0F)?;
    let is_final = first & 0x80 != 0;
    if second & 0x80 == 0 {
        return Err(FrameError::Unmasked);
    }
    let short_len = second & 0x7F;
    if opcode.is_control() && (!is_final || short_len > 125) {
        return Err(FrameError::Control);
    }
    // RFC 7692 section 6.1: the bit stands on the first frame of a message only.
    if is_compressed && opcode != Opcode::Binary {
        return Err(FrameError::ReservedBits);
    }
    let Some((payload_len, rest)) = split_len(short_len, rest)? else {
        return Ok(None);
    };
    let Some((mask, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let header = Header { opcode, is_final, is_compressed, payload_len, mask: *mask };
    Ok(Some((header, bytes.len() - rest.len())))
}

fn split_len(short_len: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, FrameError> {
    let (payload_len, rest, least) = match short_len {
        126 => match rest.split_first_chunk::<2>() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest, 126),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((len, rest)) => (u64::from_be_bytes(*len), rest, 65_536),
            None => return Ok(None),
        },
        len => (u64::from(len), rest, 0),
    };
    if payload_len < least || payload_len > i64::MAX as u64 {
        return Err(FrameError::Length);
    }
    Ok(Some((payload_len, rest)))
}

/// Appends the header of a final binary frame; the caller sends `payload_len` bytes after it.
#[inline]
pub fn encode_header(payload_len: usize, out: &mut Vec<u8>) {
    put_header(0x82, payload_len, out);
}

/// Appends the header of a final binary frame whose payload is compressed.
pub(super) fn encode_compressed_header(payload_len: usize, out: &mut Vec<u8>) {
    put_header(0xC2, payload_len, out);
}

/// Appends a closing frame. A code that must not be sent leaves the frame empty.
pub fn encode_close(code: CloseCode, out: &mut Vec<u8>) {
    if code.is_sendable() {
        put_control(Opcode::Close, &code.0.to_be_bytes(), out);
    } else {
        put_control(Opcode::Close, &[], out);
    }
}

/// Appends a control frame; `payload` has at most 125 bytes, as it had when it came.
pub(super) fn put_control(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    let first = match opcode {
        Opcode::Close => 0x88,
        Opcode::Ping => 0x89,
        _ => 0x8A,
    };
    put_header(first, payload.len(), out);
    out.extend_from_slice(payload);
}

#[inline]
fn put_header(first: u8, payload_len: usize, out: &mut Vec<u8>) {
    out.push(first);
    if let Ok(len @ 0..126) = u8::try_from(payload_len) {
        out.push(len);
    } else if let Ok(len) = u16::try_from(payload_len) {
        out.push(126);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(127);
        out.extend_from_slice(&(payload_len as u64).to_be_bytes());
    }
}

/// Applies the mask in place, RFC 6455 section 5.3, and returns it turned to where the next byte
/// of the frame begins. Eight bytes at a time, which compiles to vector instructions.
#[inline]
pub(super) fn unmask(bytes: &mut [u8], mask: [u8; 4]) -> [u8; 4] {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let len = bytes.len();
    let (words, tail) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
    let mut turned = mask;
    turned.rotate_left(len & 3);
    turned
}
