//! The server's side of WebSocket, RFC 6455, as far as MQTT needs it (MQTT-5.0 section 6).
//!
//! Owns the opening handshake, the framing and permessage-deflate (RFC 7692). It does **not** own
//! the socket, the closing timeout or the policy on `Origin`.
//!
//! **Invariants.** MQTT bytes are one stream: where frames and messages begin says nothing
//! (MQTT-5.0 [MQTT-6.0.0-2]). A connection without unfinished control frame or compressed message
//! owns no buffer here: context takeover is never agreed on, so there is no window to keep.

mod decoder;
mod deflate;
mod frame;
mod handshake;

pub use decoder::{Decoded, Decoder, End, Event, INFLATED_STEP, Progress, Taken};
pub use deflate::{DeflateParams, Deflater};
pub use frame::{CloseCode, FrameError, encode_close, encode_header};
pub use handshake::{
    Accepted, HEAD_BYTES_MAX, HEADERS_MAX, HandshakeRules, Refused, SUBPROTOCOLS, parse_handshake,
};
