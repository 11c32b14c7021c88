//! The WebSocket layer: frames on the outside, MQTT bytes on the inside.

use std::sync::Arc;

use rookery_codec::ws::{Decoder, HandshakeRules, encode_header, parse_handshake};

use super::Incoming;
use crate::api::WebSocketConfig;

/// A WebSocket before and after its handshake.
pub(crate) struct WebSocket {
    config: Arc<WebSocketConfig>,
    /// Request head as far as it came.
    head: Vec<u8>,
    decoder: Option<Decoder>,
    /// The handshake shows a web page or a proxy; taken once by the worker.
    pub(crate) is_foreign: bool,
    /// The answer to the handshake, pongs and closing frames that are to be sent.
    pub(super) replies: Vec<u8>,
}

impl WebSocket {
    pub(crate) fn new(config: Arc<WebSocketConfig>) -> Self {
        Self { config, head: Vec::new(), decoder: None, is_foreign: false, replies: Vec::new() }
    }

    /// Whether the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        self.decoder.is_some()
    }

    /// Takes raw bytes; MQTT bytes come to the front of `bytes`.
    pub(super) fn take(&mut self, bytes: &mut [u8]) -> Incoming {
        let Some(decoder) = self.decoder.as_mut() else { return self.handshake(bytes) };
        let decoded = decoder.decode(bytes, &mut self.replies);
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
                self.replies.extend_from_slice(&accepted.response);
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
                let decoded = decoder.decode(&mut rest, &mut self.replies);
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
                self.replies.extend_from_slice(&refused.response);
                Incoming::Refused(refused.reason)
            }
        }
    }

    /// Appends what is to be sent: replies, then `slices` (`len` bytes together) as one frame.
    pub(super) fn wrap<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a [u8]>,
        len: usize,
        out: &mut Vec<u8>,
    ) {
        out.append(&mut self.replies);
        self.replies = Vec::new();
        if len > 0 {
            encode_header(len, out);
            for slice in slices {
                out.extend_from_slice(slice);
            }
        }
    }
}
