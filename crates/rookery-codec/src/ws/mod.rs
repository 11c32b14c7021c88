//! The server's side of WebSocket, RFC 6455, as far as MQTT needs it (MQTT-5.0 section 6).
//!
//! Owns the opening handshake and the framing. No extension is negotiated, so no payload is ever
//! compressed. It does **not** own the socket, the closing timeout or the policy on `Origin`.
//!
//! **Invariants.** MQTT bytes are one stream: where frames and messages begin says nothing
//! (MQTT-5.0 [MQTT-6.0.0-2]). A connection without unfinished control frame owns no buffer here.

mod decoder;
mod frame;
mod handshake;

pub use decoder::{Decoded, Decoder, End, Event, Progress};
pub use frame::{CloseCode, FrameError, encode_close, encode_header};
pub use handshake::{
    Accepted, HEAD_BYTES_MAX, HEADERS_MAX, HandshakeRules, Refused, SUBPROTOCOLS, parse_handshake,
};
