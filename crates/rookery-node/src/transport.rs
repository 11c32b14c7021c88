//! One socket and what its bytes are wrapped in.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;

use rookery_codec::ws::{Decoder, HandshakeRules, encode_header, parse_handshake};

use crate::api::WebSocketConfig;
use crate::listen::ConnectionCount;

/// A connected socket with the bytes that are on neither side of it yet.
pub(crate) struct Transport {
    pub(crate) stream: TcpStream,
    /// Distinguishes users of a slot in the worker's table.
    pub(crate) generation: u32,
    /// MQTT bytes of a packet that is not complete, or that may not be handled yet.
    pub(crate) partial: Vec<u8>,
    /// The kernel refused bytes: write interest is armed.
    pub(crate) wants_write: bool,
    /// Reading is held back.
    pub(crate) is_paused: bool,
    /// To be closed once everything is written.
    pub(crate) is_closing: bool,
    /// The peer hung up while reading is held back: the socket is out of epoll.
    pub(crate) is_detached: bool,
    /// Bytes of `partial` that count as held for a client that is not admitted.
    pub(crate) unadmitted: usize,
    /// WebSocket state, if it is one.
    pub(crate) ws: Option<Box<WebSocket>>,
    /// Counts the connection at its listener as long as it lives.
    pub(crate) _count: ConnectionCount,
}

/// A WebSocket before and after its handshake.
pub(crate) struct WebSocket {
    config: Arc<WebSocketConfig>,
    /// Request head as far as it came.
    head: Vec<u8>,
    decoder: Option<Decoder>,
    /// The handshake shows a web page or a proxy; taken once by the worker.
    pub(crate) is_foreign: bool,
    /// Framed bytes not yet written.
    pub(crate) pending: Vec<u8>,
}

/// What came off a socket.
pub(crate) enum Incoming {
    /// So many MQTT bytes stand at the front of the buffer.
    Data(usize),
    /// Nothing to handle now.
    Nothing,
    /// The peer closed.
    Closed,
    /// The socket failed.
    Failed,
    /// The wrapping was broken or refused; what answers it is pending.
    Refused(&'static str),
}

impl WebSocket {
    pub(crate) fn new(config: Arc<WebSocketConfig>) -> Self {
        Self { config, head: Vec::new(), decoder: None, is_foreign: false, pending: Vec::new() }
    }

    /// Whether the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        self.decoder.is_some()
    }

    /// Takes raw bytes; MQTT bytes come to the front of `bytes`.
    fn take(&mut self, bytes: &mut [u8]) -> Incoming {
        let Some(decoder) = self.decoder.as_mut() else { return self.handshake(bytes) };
        let decoded = decoder.decode(bytes, &mut self.pending);
        match decoded.end {
            Some(_) if decoded.data_len == 0 => Incoming::Refused("the WebSocket was closed"),
            _ => Incoming::Data(decoded.data_len),
        }
    }

    fn handshake(&mut self, bytes: &mut [u8]) -> Incoming {
        self.head.extend_from_slice(bytes);
        let names: Vec<&str> = self.config.subprotocols.iter().map(String::as_str).collect();
        let rules = HandshakeRules {
            path: &self.config.path,
            subprotocols: &names,
            fail_if_no_subprotocol: self.config.require_subprotocol,
        };
        match parse_handshake(&self.head, &rules) {
            Ok(None) => Incoming::Nothing,
            Ok(Some(accepted)) => {
                self.pending.extend_from_slice(&accepted.response);
                // A page of any origin can make a browser on this machine connect.
                self.is_foreign = accepted.origin().is_some()
                    || accepted.forwarded_for().is_some()
                    || accepted.header("forwarded").is_some();
                let max = if self.config.max_frame_size == 0 {
                    u64::MAX
                } else {
                    self.config.max_frame_size as u64
                };
                let mut decoder = Decoder::new(max);
                let mut rest = self.head.get(accepted.head_len..).unwrap_or_default().to_vec();
                let decoded = decoder.decode(&mut rest, &mut self.pending);
                self.decoder = Some(decoder);
                self.head = Vec::new();
                if let (Some(to), Some(from)) =
                    (bytes.get_mut(..decoded.data_len), rest.get(..decoded.data_len))
                {
                    to.copy_from_slice(from);
                }
                Incoming::Data(decoded.data_len)
            }
            Err(refused) => {
                self.pending.extend_from_slice(&refused.response);
                Incoming::Refused(refused.reason)
            }
        }
    }

    /// Frames `bytes` for sending.
    pub(crate) fn wrap<'a>(&mut self, slices: impl Iterator<Item = &'a [u8]>, len: usize) {
        encode_header(len, &mut self.pending);
        for slice in slices {
            self.pending.extend_from_slice(slice);
        }
    }
}

impl Transport {
    /// Reads once into `buffer` from `at` on; MQTT bytes then stand at `at`.
    pub(crate) fn read(&mut self, buffer: &mut [u8], at: usize) -> Incoming {
        let Some(room) = buffer.get_mut(at..) else { return Incoming::Nothing };
        let n = match (&self.stream).read(room) {
            Ok(0) => return Incoming::Closed,
            Ok(n) => n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Incoming::Nothing;
            }
            Err(_) => return Incoming::Failed,
        };
        match (self.ws.as_mut(), room.get_mut(..n)) {
            (Some(ws), Some(bytes)) => ws.take(bytes),
            _ => Incoming::Data(n),
        }
    }
}
