//! permessage-deflate, RFC 7692, without context takeover: every message is compressed by itself,
//! so a connection between two messages owns no window.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::frame::{FrameError, encode_compressed_header, encode_header};

/// What a flushed message ends with and what is left out on the wire, RFC 7692 section 7.2.1.
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];
/// Compressed data may be this much longer than what it holds: five bytes per block that could
/// not be compressed, and the last block.
const GROWTH: usize = 1024;
/// A message below this length is sent as it is: compressing costs more than it saves.
const COMPRESSED_FROM: usize = 128;
/// Room that is added at a time while a message is inflated.
const ROOM: usize = 16 * 1024;
/// Fast, with short searches: a broker's time is dearer than the last per cent.
const LEVEL: i32 = 1;

/// The parameters of an agreement, RFC 7692 section 7.1. Context takeover is always off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateParams {
    /// Base-2 logarithm of the longest distance that the client can follow, 8 to 15.
    pub server_max_window_bits: u8,
    /// Whether the client asked for that bound, so that the response has to repeat it.
    pub(super) is_bounded: bool,
}

impl DeflateParams {
    /// Reads one offer; none when it holds what this side does not know or cannot keep.
    pub(super) fn parse(offer: &str) -> Option<Self> {
        let mut parts = offer.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
            return None;
        }
        let mut params = Self { server_max_window_bits: 15, is_bounded: false };
        let mut seen: [bool; 4] = [false; 4];
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (part, None),
            };
            let bits = value.and_then(window_bits);
            let index = match (name.to_ascii_lowercase().as_str(), value, bits) {
                ("server_no_context_takeover", None, _) => 0,
                ("client_no_context_takeover", None, _) => 1,
                ("client_max_window_bits", None, _) | ("client_max_window_bits", _, Some(_)) => 2,
                ("server_max_window_bits", _, Some(bits)) => {
                    params = Self { server_max_window_bits: bits, is_bounded: true };
                    3
                }
                _ => return None,
            };
            // A parameter that stands twice makes an offer invalid.
            if std::mem::replace(seen.get_mut(index)?, true) {
                return None;
            }
        }
        Some(params)
    }

    /// The value of `Sec-WebSocket-Extensions` in the response.
    pub(super) fn response(&self) -> String {
        let agreed =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
        if self.is_bounded {
            format!("{agreed}; server_max_window_bits={}", self.server_max_window_bits)
        } else {
            agreed
        }
    }

    /// Longest message to send. A distance never reaches beyond the message it is in, so a message
    /// as short as the client's window needs no bound inside the compressor.
    #[must_use]
    pub const fn message_bytes_max(&self) -> usize {
        1 << self.server_max_window_bits
    }
}

/// 8 to 15, without leading zero.
fn window_bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok()?;
    ((8..=15).contains(&bits) && !value.starts_with(['0', '+'])).then_some(bits)
}

/// Collects the frames of a compressed message and inflates it when it is whole.
#[derive(Debug)]
pub(super) struct Inflater {
    bytes_max: usize,
    compressed: Vec<u8>,
    is_open: bool,
}

impl Inflater {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self { bytes_max, compressed: Vec::new(), is_open: false }
    }

    /// A message begins.
    pub(super) fn begin(&mut self, is_compressed: bool) {
        self.is_open = is_compressed;
    }

    /// Whether the message that is being read is compressed.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Bytes held of a message that is not whole.
    pub(super) fn held(&self) -> usize {
        self.compressed.capacity()
    }

    /// A frame of this length is to come.
    pub(super) fn expect(&self, payload_len: u64) -> Result<(), FrameError> {
        let room = (self.bytes_max + GROWTH).saturating_sub(self.compressed.len()) as u64;
        if self.is_open && payload_len > room {
            return Err(FrameError::Inflated(self.bytes_max));
        }
        Ok(())
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.compressed.extend_from_slice(bytes);
    }

    /// Appends what the message holds to `out`.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        self.is_open = false;
        let mut compressed = std::mem::take(&mut self.compressed);
        compressed.extend_from_slice(&TAIL);
        let start = out.len();
        let result = inflate(&compressed, out, self.bytes_max);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }
}

fn inflate(compressed: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), FrameError> {
    let flags = TINFL_FLAG_HAS_MORE_INPUT
        | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
        | TINFL_FLAG_IGNORE_ADLER32;
    let start = out.len();
    let mut decompressor = Box::new(DecompressorOxide::new());
    let mut rest = compressed;
    let mut len = 0;
    loop {
        let room = (2 * len).clamp(ROOM, 1 << 20).min(bytes_max - len + 1);
        out.resize(start + len + room, 0);
        // Distances must not reach into what was there before the message.
        let message = out.get_mut(start..).unwrap_or_default();
        let (status, read, written) = decompress(&mut decompressor, rest, message, len, flags);
        len += written;
        rest = rest.get(read..).unwrap_or_default();
        if len > bytes_max {
            return Err(FrameError::Inflated(bytes_max));
        }
        match status {
            TINFLStatus::HasMoreOutput => {}
            TINFLStatus::NeedsMoreInput if rest.is_empty() => break,
            // RFC 7692 section 7.2.3.4: a message may hold a final block and go on behind it.
            TINFLStatus::Done if read > 0 && !is_padding(rest) => decompressor.init(),
            TINFLStatus::Done => break,
            _ => return Err(FrameError::Deflate),
        }
    }
    out.truncate(start + len);
    Ok(())
}

/// Whether only the end of the last empty block is left.
fn is_padding(rest: &[u8]) -> bool {
    TAIL.ends_with(rest) || rest == [0, 0, 0, 0xFF, 0xFF]
}

/// Compresses messages one by one; one per thread serves every connection.
pub struct Deflater {
    compressor: Box<CompressorOxide>,
    out: Vec<u8>,
}

impl std::fmt::Debug for Deflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}

impl Default for Deflater {
    fn default() -> Self {
        // A negative window size stands for DEFLATE without zlib's wrapping.
        let flags = create_comp_flags_from_zip_params(LEVEL, -15, 0);
        Self { compressor: Box::new(CompressorOxide::new(flags)), out: Vec::new() }
    }
}

impl Deflater {
    /// Appends a binary message of `payload` to `out`: compressed where that makes it shorter.
    /// `payload` has at most [`DeflateParams::message_bytes_max`] bytes.
    pub fn encode(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.len() >= COMPRESSED_FROM && self.compress(payload) {
            encode_compressed_header(self.out.len(), out);
            out.extend_from_slice(&self.out);
        } else {
            encode_header(payload.len(), out);
            out.extend_from_slice(payload);
        }
    }

    /// Leaves the compressed message in `self.out`; false when it is no shorter.
    fn compress(&mut self, payload: &[u8]) -> bool {
        self.compressor.reset();
        self.out.clear();
        let out = &mut self.out;
        let (status, read) =
            compress_to_output(&mut self.compressor, payload, TDEFLFlush::Sync, |bytes| {
                out.extend_from_slice(bytes);
                true
            });
        let is_whole = status == TDEFLStatus::Okay && read == payload.len();
        if !is_whole || !self.out.ends_with(&TAIL) {
            return false;
        }
        self.out.truncate(self.out.len() - TAIL.len());
        self.out.len() < payload.len()
    }
}
