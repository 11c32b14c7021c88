//! The WebSocket layer: frames on the outside, MQTT bytes on the inside.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rookery_codec::ws::{
    Accepted, Decoder, DeflateParams, Deflater, HandshakeRules, Refused, encode_header,
    parse_handshake,
};

use super::Incoming;
use crate::api::WebSocketConfig;
use crate::forwarded::{forwarded_client, is_origin_here, is_origin_listed};
use crate::guard::Guard;

/// Why a connection ends that was a WebSocket.
pub(crate) const CLOSED: &str = "the WebSocket was closed";

/// A WebSocket before and after its handshake.
pub(crate) struct WebSocket {
    config: Arc<WebSocketConfig>,
    guard: Arc<Guard>,
    /// Who speaks to us: a client or a proxy.
    pub(crate) peer: IpAddr,
    /// The port of this node that the connection came to.
    port: u16,
    /// Most MQTT bytes in one compressed message.
    message_bytes_max: usize,
    /// Request head as far as it came.
    head: Vec<u8>,
    decoder: Option<Decoder>,
    /// What was agreed on for the way out.
    deflate: Option<DeflateParams>,
    /// Compressed input that has not been decoded.
    raw: Vec<u8>,
    /// When bytes came last (mono ms).
    heard_at_ms: u64,
    /// What the handshake tells of the client; taken once by the worker.
    pub(crate) news: Option<Handshake>,
    /// The answer to the handshake, pongs and closing frames that are to be sent.
    pub(super) replies: Vec<u8>,
    /// It was closed behind MQTT bytes that had to be handled first.
    pub(crate) is_over: bool,
}

/// What a handshake tells of the client.
pub(crate) struct Handshake {
    /// It shows a web page or a proxy.
    pub(crate) is_foreign: bool,
    /// The client that a trusted proxy names.
    pub(crate) client: Option<SocketAddr>,
}

impl WebSocket {
    pub(crate) fn new(
        config: Arc<WebSocketConfig>,
        guard: Arc<Guard>,
        (peer, port): (IpAddr, u16),
        message_bytes_max: usize,
        now_ms: u64,
    ) -> Self {
        Self {
            config,
            guard,
            peer,
            port,
            message_bytes_max,
            head: Vec::new(),
            decoder: None,
            deflate: None,
            raw: Vec::new(),
            heard_at_ms: now_ms,
            news: None,
            replies: Vec::new(),
            is_over: false,
        }
    }

    /// Whether the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        self.decoder.is_some()
    }

    /// Whether input waits here that was read and is not decoded.
    pub(crate) fn has_raw(&self) -> bool {
        !self.raw.is_empty()
    }

    /// Bytes kept, replies apart.
    pub(super) fn held(&self) -> usize {
        let decoder = self.decoder.as_ref().map_or(0, Decoder::held);
        self.head.capacity() + self.raw.capacity() + decoder
    }

    /// When it counts as dead if nothing comes; none without `idle_timeout`.
    pub(crate) fn idle_deadline_ms(&self) -> Option<u64> {
        let timeout_ms = self.config.idle_timeout_ms;
        (timeout_ms != 0).then(|| self.heard_at_ms.saturating_add(timeout_ms))
    }

    /// Takes raw bytes; MQTT bytes come to the front of `bytes`. [`Incoming::Kept`] asks for
    /// [`WebSocket::inflate`].
    pub(super) fn take(&mut self, bytes: &mut [u8], now_ms: u64) -> Incoming {
        self.heard_at_ms = now_ms;
        let Some(decoder) = self.decoder.as_mut() else { return self.handshake(bytes) };
        if decoder.is_deflating() {
            self.raw.extend_from_slice(bytes);
            return Incoming::Kept;
        }
        let decoded = decoder.decode(bytes, &mut self.replies);
        self.outcome(decoded.end.is_some(), decoded.data_len)
    }

    fn outcome(&mut self, is_over: bool, data_len: usize) -> Incoming {
        if is_over && data_len == 0 {
            return Incoming::Refused(CLOSED);
        }
        self.is_over |= is_over;
        Incoming::Data(data_len)
    }

    /// Appends MQTT bytes of compressed input to `out`, a bounded part of them; what is left waits.
    pub(super) fn inflate(&mut self, out: &mut Vec<u8>) -> Incoming {
        let Some(decoder) = self.decoder.as_mut() else { return Incoming::Nothing };
        let before = out.len();
        let taken = decoder.decode_into(&mut self.raw, out, &mut self.replies);
        if taken.consumed == self.raw.len() {
            self.raw = Vec::new();
        } else {
            self.raw.drain(..taken.consumed);
        }
        match taken.end {
            Some(_) if out.len() == before => Incoming::Refused(CLOSED),
            end => {
                self.is_over |= end.is_some();
                Incoming::Kept
            }
        }
    }

    fn handshake(&mut self, bytes: &mut [u8]) -> Incoming {
        self.head.extend_from_slice(bytes);
        let head = std::mem::take(&mut self.head);
        let names: Vec<&str> = self.config.subprotocols.iter().map(String::as_str).collect();
        let rules = HandshakeRules {
            path: &self.config.path,
            subprotocols: &names,
            fail_if_no_subprotocol: self.config.require_subprotocol,
            deflate: self.config.compress,
        };
        let accepted = match parse_handshake(&head, &rules) {
            Ok(None) => {
                self.head = head;
                return Incoming::Nothing;
            }
            Ok(Some(accepted)) => self.check(&accepted).map(|news| (news, accepted)),
            Err(refused) => Err(refused),
        };
        match accepted {
            Ok((news, accepted)) => self.open(&head, &accepted, news, bytes),
            Err(refused) => {
                self.replies.extend_from_slice(&refused.response);
                Incoming::Refused(refused.reason)
            }
        }
    }

    /// What the listener has to say about a handshake that is one.
    fn check(&self, accepted: &Accepted<'_>) -> Result<Handshake, Refused> {
        let config = &self.config;
        if let Some(listed) = &config.check_origins {
            match accepted.origin() {
                Some(origin) if !is_origin_listed(listed, origin) => {
                    return Err(Refused::new(403, "this Origin is not allowed"));
                }
                None if !config.allow_origin_absence => {
                    return Err(Refused::new(403, "an Origin is required"));
                }
                _ => {}
            }
        }
        let client = if self.guard.trusts(self.peer) {
            let port = accepted.header(&config.proxy_port_header).and_then(|p| p.parse().ok());
            let names = accepted.headers(&config.proxy_address_header);
            let is_named = names.len() > 0;
            let client = forwarded_client(names, port, |address| self.guard.trusts(address));
            if is_named && client.is_none() {
                // Taking the proxy's own address instead would open what is open to the proxy.
                return Err(Refused::new(400, "no address in the header of the proxy"));
            }
            client
        } else {
            None
        };
        // A proxy was let in as far as here for the sake of whom it speaks for.
        if !self.guard.allows(client.map_or(self.peer, |client| client.ip())) {
            return Err(Refused::new(403, "refused by access_rules"));
        }
        // A page of any origin can make a browser on this machine connect; none comes from here.
        let mut origins = accepted.headers("origin");
        let is_foreign = origins.any(|origin| !is_origin_here(origin, self.port))
            || accepted.header("forwarded").is_some()
            || accepted.forwarded_for().is_some()
            || accepted.header(&config.proxy_address_header).is_some();
        Ok(Handshake { is_foreign, client })
    }

    /// The handshake is over: what came behind it is frames.
    fn open(
        &mut self,
        head: &[u8],
        accepted: &Accepted<'_>,
        news: Handshake,
        bytes: &mut [u8],
    ) -> Incoming {
        self.news = Some(news);
        self.deflate = accepted.deflate;
        self.replies.extend_from_slice(&accepted.response);
        let frame_bytes_max = match self.config.max_frame_size {
            0 => u64::MAX,
            max => max as u64,
        };
        let rest = head.get(accepted.head_len..).unwrap_or_default();
        if accepted.deflate.is_some() {
            self.decoder = Some(Decoder::with_deflate(frame_bytes_max, self.message_bytes_max));
            self.raw = rest.to_vec();
            return Incoming::Kept;
        }
        let decoder = self.decoder.insert(Decoder::new(frame_bytes_max));
        let mut rest = rest.to_vec();
        let decoded = decoder.decode(&mut rest, &mut self.replies);
        if let (Some(to), Some(from)) =
            (bytes.get_mut(..decoded.data_len), rest.get(..decoded.data_len))
        {
            to.copy_from_slice(from);
        }
        self.outcome(decoded.end.is_some(), decoded.data_len)
    }

    /// Appends what is to be sent: replies, then `slices` (`len` bytes together) as one frame, or
    /// as messages that are compressed where it pays.
    pub(super) fn wrap<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a [u8]>,
        len: usize,
        deflater: &mut Option<Box<Deflater>>,
        out: &mut Vec<u8>,
    ) {
        out.append(&mut self.replies);
        self.replies = Vec::new();
        if len == 0 {
            return;
        }
        if let Some(params) = self.deflate {
            let all: Vec<u8> = slices.flatten().copied().collect();
            let deflater = deflater.get_or_insert_default();
            for message in all.chunks(params.message_bytes_max()) {
                deflater.encode(message, out);
            }
            return;
        }
        encode_header(len, out);
        for slice in slices {
            out.extend_from_slice(slice);
        }
    }
}
